/// @file  What stays of a comparison: the table, the JSON and the page.
#pragma once

#include <completion/experiment.hpp>

#include <common/report.hpp>

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace completion {

[[nodiscard]] inline trainers::text_table comparison(const results& r) {
  using trainers::formatted;
  trainers::text_table table{
      {"method", "parameter", "rank", "observed", "chosen on", "held out", "seconds"}, {}};
  for (const verdict& v : r.methods)
    table.rows.push_back({v.method, v.parameter, std::to_string(v.rank),
                          formatted("%.4f", v.observed), formatted("%.4f", v.chosen_on),
                          formatted("%.4f", v.held_out),
                          v.seconds > 0 ? formatted("%.1f", v.seconds) : std::string("-")});
  return table;
}

[[nodiscard]] inline nlohmann::json to_json(const options& o, const split& s, const results& r,
                                            double seconds) {
  nlohmann::json j;
  j["options"] = {{"data", o.data.string()}, {"images", o.images},
                  {"observed", o.observed},  {"chosen_on", o.chosen_on},
                  {"held_out", o.held_out},  {"radii", o.radii},
                  {"ranks", o.ranks},        {"steps", o.steps},
                  {"rounds", o.rounds},      {"gap", o.gap},
                  {"seed", o.seed}};
  j["matrix"] = {{"rows", s.rows},
                 {"cols", s.cols},
                 {"observed", s.observed.size()},
                 {"chosen_on", s.chosen_on.size()},
                 {"held_out", s.held_out.size()}};
  j["wall_seconds"] = seconds;
  for (const verdict& v : r.methods) {
    nlohmann::json m = {{"method", v.method},       {"parameter", v.parameter},
                        {"rank", v.rank},           {"observed", v.observed},
                        {"chosen_on", v.chosen_on}, {"held_out", v.held_out},
                        {"seconds", v.seconds},     {"trials", nlohmann::json::array()}};
    for (const trial& t : v.trials)
      m["trials"].push_back({{"parameter", t.parameter}, {"chosen_on", t.chosen_on}});
    j["methods"].push_back(m);
  }
  j["run"] = {{"radius", r.radius},
              {"outcome", to_string(r.end.outcome)},
              {"steps", r.end.iterations},
              {"value", r.end.value},
              {"gap", r.end.gap},
              {"certified_gap", r.end.certified_gap},
              {"failure_probability", r.end.failure_probability},
              {"passes", r.end.passes}};
  for (const curve_point& p : r.curve)
    j["run"]["curve"].push_back({{"step", p.step},
                                 {"value", p.value},
                                 {"gap", p.gap},
                                 {"certified_gap", p.certified_gap},
                                 {"observed", p.observed},
                                 {"held_out", p.held_out}});
  return j;
}

/// A curve of the run, `y(point)` by step.
template <class Y>
[[nodiscard]] trainers::chart_series series(const char* name, int colour, const results& r, Y y) {
  trainers::chart_series s{name, colour, {}};
  const std::size_t every = std::max<std::size_t>(1, r.curve.size() / 150);
  for (std::size_t i = 0; i < r.curve.size(); ++i) {
    if (i % every != 0 && i + 1 != r.curve.size()) continue;
    const double at = y(r.curve[i]);
    s.points.push_back({static_cast<double>(r.curve[i].step), at, at, at});
  }
  return s;
}

[[nodiscard]] inline trainers::report_page page(const options& o, const split& s,
                                                const results& r) {
  using trainers::formatted;
  const auto n = [](auto i) { return std::to_string(i); };
  const auto level = [&](const verdict& v, const char* name, int colour) {
    return series(name, colour, r, [&](const curve_point&) { return v.held_out; });
  };
  std::vector<trainers::chart_series> errors = {
      series("nuclear ball", 1, r, [](const curve_point& p) { return p.held_out; }),
      series("observed", 6, r, [](const curve_point& p) { return p.observed; }),
      level(r.methods[0], "mean image", 0), level(r.methods[1], "SVD, filled", 8),
      level(r.methods[2], "hard imputation", 9)};
  std::vector<trainers::chart_series> gaps = {
      series("certified", 4, r, [](const curve_point& p) { return p.certified_gap; }),
      series("attained", 1, r, [](const curve_point& p) { return p.gap; }),
      series("f(X)", 5, r, [](const curve_point& p) { return p.value; })};
  trainers::text_table grid{{"method", "parameter", "error on the choosing set"}, {}};
  for (const verdict& v : r.methods)
    for (const trial& t : v.trials)
      grid.rows.push_back({v.method, formatted("%g", t.parameter), formatted("%.4f", t.chosen_on)});

  return {
      "fanion: a matrix completed over the nuclear norm's ball",
      "The first " + n(s.rows) + " training images of " + o.data.filename().string() +
          " as the rows of a matrix with " + n(s.cols) + " columns. Methods read " +
          n(s.observed.size()) + " of its entries (" + formatted("%.1f", 100 * o.observed) +
          " %), less the mean image of what they read. Radius and rank are chosen on " +
          n(s.chosen_on.size()) + " other entries, and the results are those on " +
          n(s.held_out.size()) + " entries held out, which nothing is chosen by.",
      {{"Results",
        "Root mean square errors; black is 0 and white 1. Frank and Wolfe's method minimises the "
        "squared error of the observed entries over the matrices whose singular values add up to "
        "the radius at most. Hard imputation fits a matrix of rank k and fills the unseen places "
        "from it, " +
            n(o.rounds) + " times. Seconds are those of one run on one thread.",
        to_html(comparison(r), {0, 8, 9, 1})},
       {"Error by step", "Of the run with the chosen radius; the others are drawn as levels.",
        trainers::to_svg({"Error by step", "step", "root mean square error", false, errors})},
       {"Duality gap by step",
        "The attained gap is that of the oracle's answer. The certified gap adds what the oracle "
        "may have missed, and bounds f(X) - min f, each value but for a chance of " +
            formatted("%g", r.end.failure_probability) + ". At the end f(X) is " +
            formatted("%.1f", r.end.value) + " and the certified gap " +
            formatted("%.1f", r.end.certified_gap) + ": " + to_string(r.end.outcome) + " after " +
            n(r.end.iterations) + " steps.",
        trainers::to_svg({"Duality gap by step", "step", "gap, f(X)", true, gaps})},
       {"The choice of the parameters", "", to_html(grid, {})}}};
}

/// results.json and report.html in o.out.
inline void write_results(const options& o, const split& s, const results& r, double seconds) {
  trainers::write_file(o.out / "results.json", to_json(o, s, r, seconds).dump(1) + "\n");
  trainers::write_file(o.out / "report.html", to_html(page(o, s, r)));
}

}  // namespace completion
