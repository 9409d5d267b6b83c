/// @file  What stays of the experiment: tables, JSON and a page.
#pragma once

#include <least_squares/experiment.hpp>

#include <common/files.hpp>
#include <common/report.hpp>

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace least_squares {

using trainers::formatted;

/// Steps to the threshold by seed, their median beside Muon's, and the floor.
[[nodiscard]] inline trainers::text_table comparison(const options& o, const results& r) {
  trainers::text_table table{{"method"}, {}};
  for (const std::uint64_t seed : o.seeds) table.header.push_back("seed " + std::to_string(seed));
  for (const char* name : {"median", "of Muon's", "floor", "rate", "beta"})
    table.header.push_back(name);
  const auto middle = [&](const std::vector<tuned>& by_seed) {
    std::vector<double> steps;
    for (const tuned& t : by_seed)
      steps.push_back(t.steps < 0 ? std::numeric_limits<double>::infinity()
                                  : static_cast<double>(t.steps));
    return median(steps);
  };
  const double muon = middle(r.best[0]);
  for (std::size_t m = 0; m < r.methods.size(); ++m) {
    std::vector<std::string> row = {r.methods[m].name};
    std::vector<double> floors;
    for (const tuned& t : r.best[m]) {
      row.push_back(t.steps < 0 ? "-" : std::to_string(t.steps));
      floors.push_back(t.floor);
    }
    const double steps = middle(r.best[m]);
    const bool all = std::isfinite(steps);
    row.push_back(all ? formatted("%.0f", steps) : "-");
    row.push_back(all && std::isfinite(muon) ? formatted("%.2f", steps / muon) : "-");
    row.push_back(formatted("%.1e", median(floors)));
    row.push_back(formatted("%g", r.best[m][0].rate));
    row.push_back(formatted("%g", r.best[m][0].beta));
    table.rows.push_back(row);
  }
  return table;
}

[[nodiscard]] inline trainers::text_table bounds(const results& r) {
  trainers::text_table table{{"method", "noise", "L", "rho", "measured", "bound", "share", "slope",
                              "below the bound at every K"},
                             {}};
  for (const stationarity& s : r.theory)
    table.rows.push_back({s.name, formatted("%.3g", s.problem.noise),
                          formatted("%s%.4g", s.tight ? "" : "<= ", s.problem.lipschitz),
                          formatted("%.3g", s.problem.ratio), formatted("%.3g", s.measured.back()),
                          formatted("%.3g", s.bound.back()),
                          formatted("%.3f", s.measured.back() / s.bound.back()),
                          formatted("%.2f", s.slope()), s.holds() ? "yes" : "NO"});
  return table;
}

[[nodiscard]] inline trainers::text_table norms(const results& r) {
  trainers::text_table table{{"norm n*"}, {}};
  for (const index_t n : comparison_sizes()) table.header.push_back("most, " + std::to_string(n));
  for (const index_t n : comparison_sizes()) table.header.push_back("normal, " + std::to_string(n));
  for (const index_t n : {comparison_sizes().front(), comparison_sizes().back()})
    table.header.push_back("spread, " + std::to_string(n));
  for (const comparison_row& row : r.norms) {
    std::vector<std::string> cells = {row.norm};
    for (const double x : row.most) cells.push_back(formatted("%.2f", x));
    for (const double x : row.typical) cells.push_back(formatted("%.2f", x));
    for (const double x : {row.spread.front(), row.spread.back()})
      cells.push_back(formatted("%.1f %%", 100 * x));
    table.rows.push_back(cells);
  }
  return table;
}

[[nodiscard]] inline nlohmann::json to_json(const options& o, const results& r, double seconds) {
  nlohmann::json j;
  j["options"] = {{"size", o.size},
                  {"seeds", o.seeds},
                  {"steps", o.steps},
                  {"threshold", o.threshold},
                  {"theory_size", o.theory_size},
                  {"theory_steps", o.theory_steps}};
  j["wall_seconds"] = seconds;
  j["momenta"] = momenta();
  for (std::size_t m = 0; m < r.methods.size(); ++m) {
    nlohmann::json method = {{"name", r.methods[m].name}, {"rates", r.methods[m].rates}};
    for (std::size_t s = 0; s < o.seeds.size(); ++s) {
      const tuned& t = r.best[m][s];
      method["seeds"].push_back({{"seed", o.seeds[s]},
                                 {"rate", t.rate},
                                 {"beta", t.beta},
                                 {"steps", t.steps},
                                 {"floor", t.floor},
                                 {"losses", t.losses}});
    }
    j["methods"].push_back(method);
  }
  for (const stationarity& s : r.theory)
    j["stationarity"].push_back({{"name", s.name},
                                 {"lipschitz", s.problem.lipschitz},
                                 {"ratio", s.problem.ratio},
                                 {"tight", s.tight},
                                 {"noise", s.problem.noise},
                                 {"distance", s.problem.distance},
                                 {"radius", s.region.radius},
                                 {"fresh", s.region.fresh},
                                 {"slope", s.slope()},
                                 {"holds", s.holds()},
                                 {"measured", s.measured},
                                 {"bound", s.bound}});
  for (const comparison_row& row : r.norms)
    j["norms"].push_back(
        {{"norm", row.norm}, {"most", row.most}, {"normal", row.typical}, {"spread", row.spread}});
  return j;
}

[[nodiscard]] inline trainers::report_page page(const options& o, const results& r) {
  std::vector<trainers::chart_series> losses, with, without;
  std::vector<int> marks;
  for (std::size_t m = 0; m < r.methods.size(); ++m) {
    trainers::chart_series s{r.methods[m].name, r.methods[m].colour, {}};
    const std::vector<double>& loss = r.best[m][0].losses;
    for (std::size_t i = 0; i < loss.size(); ++i)
      s.points.push_back(
          {static_cast<double>(check_every) * static_cast<double>(i), loss[i], loss[i], loss[i]});
    losses.push_back(std::move(s));
    marks.push_back(r.methods[m].colour);
  }
  for (const stationarity& s : r.theory) {
    trainers::chart_series measured{s.name, s.colour, {}};
    const std::size_t every = std::max<std::size_t>(1, s.measured.size() / 150);
    for (std::size_t i = 0; i < s.measured.size(); i += every) {
      const double share = s.measured[i] / s.bound[i];
      measured.points.push_back({static_cast<double>(i + 1), share, share, share});
    }
    (s.noisy ? with : without).push_back(std::move(measured));
  }
  const std::string size = std::to_string(o.size);
  return {
      "fanion: the synthetic quadratic",
      "F(X) = <X, M X N>/2 for " + size + " x " + size +
          " matrices with eigenvalues uniform on (0, 1), from normal entries of deviation 0.1, in "
          "float. Every method is tuned on its own grid of " +
          std::to_string(r.methods[0].rates.size()) + " rates and " +
          std::to_string(momenta().size()) + " momenta, for every seed.",
      {{"Steps to F < " + formatted("%g", o.threshold),
        "Looked at every tenth step. The rate is constant, so each method ends on a floor: the "
        "median of F over the second half of " +
            std::to_string(2 * o.steps) + " steps. Rate and beta are those of the first seed.",
        to_html(comparison(o, r), marks)},
       {"F by step, first seed", "", trainers::to_svg({"F by step", "step", "F(X)", true, losses})},
       {"Stationarity, and what theory promises",
        "The average of n*(grad F) over K steps beside the bound of trust_region.hpp, with the L "
        "of smoothness.hpp and the rho of dual_ratio. Slopes of log average by log K over the "
        "last nine tenths.",
        to_html(bounds(r), {})},
       {"Measured over bound, without noise", "Below 1 at every K.",
        trainers::to_svg({"Measured over bound, without noise", "K", "share", false, without})},
       {"Measured over bound, with noise", "Momentum of a tenth; noise of half the first gradient.",
        trainers::to_svg({"Measured over bound, with noise", "K", "share", false, with})},
       {"How the norms grow",
        "n*(X) over the Frobenius norm, by size: at most, the mean of five matrices of normal "
        "entries, and how far apart the five are, relative to the mean.",
        to_html(norms(r), {})}}};
}

/// results.json and report.html in o.out.
inline void write_results(const options& o, const results& r, double seconds) {
  const std::filesystem::path folder = o.out;
  trainers::write_file(folder / "results.json", to_json(o, r, seconds).dump(1) + "\n");
  trainers::write_file(folder / "report.html", to_html(page(o, r)));
}

}  // namespace least_squares
