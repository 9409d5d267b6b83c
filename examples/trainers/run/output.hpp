/// @file  What stays of an experiment: the table, the JSON and the page.
#pragma once

#include <common/files.hpp>
#include <common/machine.hpp>
#include <common/report.hpp>
#include <run/experiment.hpp>
#include <run/summary.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace trainers {

[[nodiscard]] inline std::string plus_minus(const spread& s, double factor, int digits) {
  if (!std::isfinite(s.mean)) return "-";
  if (s.deviation == 0) return formatted("%.*f", digits, factor * s.mean);  // of one seed
  return formatted("%.*f ± %.*f", digits, factor * s.mean, digits, factor * s.deviation);
}

[[nodiscard]] inline std::string cell(double x, int digits) {
  return std::isfinite(x) ? formatted("%.*f", digits, x) : std::string("-");
}

/// The one table of the main run. A method that diverged everywhere keeps its row; the column that
/// counts such runs is there only if there are any. Methods without an oracle have no passes or
/// gap.
[[nodiscard]] inline text_table comparison(const std::vector<method_summary>& all) {
  text_table table{{"method", "rate", "test accuracy %", "test loss", "train loss", "step ms",
                    "optimizer %", "passes", "worst gap"},
                   {}};
  const bool some_diverged =
      std::any_of(all.begin(), all.end(), [](const method_summary& s) { return s.diverged > 0; });
  if (some_diverged) table.header.push_back("diverged");
  for (const method_summary& s : all) {
    const bool oracle = s.passes > 0;
    table.rows.push_back({s.method, formatted("%.3g", s.rate), plus_minus(s.test_accuracy, 100, 2),
                          plus_minus(s.test_loss, 1, 4), plus_minus(s.train_loss, 1, 4),
                          cell(s.step_ms, 1), cell(100 * s.optimizer_share, 0),
                          oracle ? cell(s.passes, 1) : "-",
                          oracle ? formatted("%.1e", s.worst_gap) : "-"});
    if (some_diverged)
      table.rows.back().push_back(formatted("%lld of %lld", static_cast<long long>(s.diverged),
                                            static_cast<long long>(s.runs)));
  }
  return table;
}

[[nodiscard]] inline nlohmann::json to_json(const spread& s) {
  return {{"mean", s.mean}, {"deviation", s.deviation}};
}

[[nodiscard]] inline nlohmann::json to_json(const run_options& o) {
  return {{"methods", o.methods},      {"seeds", o.seeds},       {"rate_factors", o.rate_factors},
          {"threads", o.threads},      {"jobs", o.jobs},         {"warmup", o.warmup},
          {"schedule", o.schedule},    {"momentum", o.momentum}, {"decay", o.decay},
          {"alpha", o.alpha},          {"norm", o.norm},         {"eta", o.eta},
          {"scaling", o.scaling_name}, {"rest", o.rest_rule},    {"rest_rate", o.rest_rate()},
          {"head_rate", o.head_rate()}};
}

/// The least k whose k largest singular values make this share of their sum.
[[nodiscard]] inline index_t leading_count(const std::vector<float>& sigma, double share) {
  double total = 0, sum = 0;
  for (const float s : sigma) total += double(s);
  for (std::size_t i = 0; i < sigma.size(); ++i)
    if ((sum += double(sigma[i])) >= share * total) return static_cast<index_t>(i + 1);
  return static_cast<index_t>(sigma.size());
}
/// The sum of the singular values over the largest; 0 of a zero matrix.
[[nodiscard]] inline double nuclear_rank(const std::vector<float>& sigma) {
  double total = 0;
  for (const float s : sigma) total += double(s);
  return sigma.empty() || sigma.front() == 0 ? 0 : total / double(sigma.front());
}

[[nodiscard]] inline nlohmann::json to_json(const spectrum& s) {
  nlohmann::json j = {{"step", s.step},
                      {"matrix", s.name},
                      {"update_rms", s.update_rms},
                      {"dual_norm", s.dual_norm}};
  const auto add = [&](const char* name, const std::vector<float>& sigma) {
    j[name] = {{"singular_values", sigma},
               {"nuclear_rank", nuclear_rank(sigma)},
               {"k_of_half", leading_count(sigma, 0.5)},
               {"k_of_nine_tenths", leading_count(sigma, 0.9)}};
  };
  add("gradient", s.gradient);
  add("momentum", s.momentum);
  add("weight", s.weight);
  return j;
}

/// NaN becomes null, as JSON has no other word for it.
[[nodiscard]] inline nlohmann::json to_json(const run_record& run) {
  nlohmann::json held_out = nlohmann::json::array();
  for (const look& c : run.held_out)
    held_out.push_back({{"step", c.step}, {"loss", c.loss}, {"accuracy", c.accuracy}});
  nlohmann::json j = {{"method", run.method},
                      {"rate", run.rate},
                      {"seed", run.seed},
                      {"steps", run.steps},
                      {"diverged", run.diverged()},
                      {"passes", run.passes},
                      {"gaps", run.gaps},
                      {"dual_norms", run.dual_norms},
                      {"batch_losses", run.losses},
                      {"held_out", held_out},
                      {"step_seconds", run.step_seconds},
                      {"optimizer_seconds", run.optimizer_seconds}};
  for (const spectrum& s : run.spectra) j["spectra"].push_back(to_json(s));
  if (!run.sample.empty()) j["sample"] = printable(run.sample);
  if (run.diverged()) {
    j["diverged_at"] = run.diverged_at;
    return j;
  }
  j["train"] = {{"loss", run.train.mean_loss()}, {"accuracy", run.train.accuracy()}};
  if (run.test.count > 0)
    j["test"] = {{"loss", run.test.mean_loss()}, {"accuracy", run.test.accuracy()}};
  return j;
}

[[nodiscard]] inline nlohmann::json to_json(const method_summary& s) {
  return {{"method", s.method},
          {"rate", s.rate},
          {"runs", s.runs},
          {"diverged", s.diverged},
          {"test_accuracy", to_json(s.test_accuracy)},
          {"test_loss", to_json(s.test_loss)},
          {"train_loss", to_json(s.train_loss)},
          {"held_out_loss", to_json(s.held_out_loss)},
          {"step_ms", s.step_ms},
          {"worst_step_ms", s.worst_step_ms},
          {"optimizer_share", s.optimizer_share},
          {"passes", s.passes},
          {"worst_gap", s.worst_gap}};
}

/// A curve per method: mean over its seeds, band of one deviation. `sample(run)` gives (x, y)
/// pairs; the i-th pairs of all seeds that have one make the i-th point.
template <class Sample>
[[nodiscard]] std::vector<chart_series> curves(const std::vector<run_record>& runs,
                                               const std::vector<std::string>& methods,
                                               Sample sample) {
  std::vector<chart_series> all;
  for (std::size_t m = 0; m < methods.size(); ++m) {
    chart_series series{methods[m], static_cast<int>(m) % palette_size, {}};
    std::vector<std::vector<double>> xs, ys;
    for (const run_record& run : runs) {
      if (run.method != methods[m]) continue;
      const auto points = sample(run);
      xs.resize(std::max(xs.size(), points.size()));
      ys.resize(xs.size());
      for (std::size_t i = 0; i < points.size(); ++i) {
        xs[i].push_back(points[i].first);
        ys[i].push_back(points[i].second);
      }
    }
    for (std::size_t i = 0; i < xs.size(); ++i) {
      const spread y = spread_of(ys[i]);
      series.points.push_back(
          {spread_of(xs[i]).mean, y.mean, y.mean - y.deviation, y.mean + y.deviation});
    }
    all.push_back(std::move(series));
  }
  return all;
}

using point_list = std::vector<std::pair<double, double>>;

/// What a run says of each step, averaged over windows, so that about 54 points remain; x is what
/// `position(step)` says at the window's end.
template <class Position>
[[nodiscard]] point_list smoothed(const run_record& run, const std::vector<float>& values,
                                  Position position) {
  const auto window = static_cast<std::size_t>(std::max<index_t>(1, run.steps / 54));
  point_list points;
  double sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    sum += double(values[i]);
    if ((i + 1) % window != 0) continue;
    points.emplace_back(position(i), sum / static_cast<double>(window));
    sum = 0;
  }
  return points;
}

/// The runs at the rate that is best for their method.
[[nodiscard]] inline std::vector<run_record> runs_of(const std::vector<run_record>& runs,
                                                     const std::vector<method_summary>& best) {
  std::vector<run_record> chosen;
  for (const run_record& run : runs)
    for (const method_summary& s : best)
      if (run.method == s.method && run.rate == s.rate) chosen.push_back(run);
  return chosen;
}

/// Held-out loss at the end against the rate, a line a method; rates at which a seed diverged are
/// left out.
[[nodiscard]] inline chart sensitivity(const std::vector<method_summary>& all,
                                       const std::vector<std::string>& methods) {
  chart c{"Loss by rate", "peak rate", "held-out cross-entropy", true, {}, true};
  for (std::size_t m = 0; m < methods.size(); ++m) {
    chart_series line{methods[m], static_cast<int>(m) % palette_size, {}};
    for (const method_summary& s : all)
      if (s.method == methods[m] && s.diverged == 0) {
        const spread& y = s.held_out_loss;
        line.points.push_back({s.rate, y.mean, y.mean - y.deviation, y.mean + y.deviation});
      }
    c.series.push_back(std::move(line));
  }
  return c;
}

/// Singular values of one matrix's gradient and momentum, the last time they were taken, over the
/// largest: of each method's first seed.
[[nodiscard]] inline std::vector<report_section> spectrum_sections(
    const std::vector<run_record>& runs, const std::vector<std::string>& methods) {
  text_table table{{"method", "step", "matrix", "nuclear rank of G", "of M", "of W",
                    "k for 50 % of M", "for 90 %", "of min(m, n)", "update RMS", "dual norm"},
                   {}};
  chart c{"Spectra of momenta", "i", "singular value i of the momentum over the first", true, {}};
  std::vector<int> marks;
  for (std::size_t m = 0; m < methods.size(); ++m) {
    const auto run = std::find_if(runs.begin(), runs.end(), [&](const run_record& r) {
      return r.method == methods[m] && !r.spectra.empty();
    });
    if (run == runs.end()) continue;
    for (const spectrum& s : run->spectra) {
      table.rows.push_back({methods[m], std::to_string(s.step), s.name,
                            cell(nuclear_rank(s.gradient), 1), cell(nuclear_rank(s.momentum), 1),
                            cell(nuclear_rank(s.weight), 1),
                            std::to_string(leading_count(s.momentum, 0.5)),
                            std::to_string(leading_count(s.momentum, 0.9)),
                            std::to_string(s.momentum.size()), formatted("%.2e", s.update_rms),
                            s.dual_norm > 0 ? formatted("%.3g", s.dual_norm) : "-"});
      marks.push_back(static_cast<int>(m) % palette_size);
    }
    const spectrum& last = run->spectra.back();
    chart_series line{methods[m], static_cast<int>(m) % palette_size, {}};
    for (std::size_t i = 0; i < last.momentum.size(); ++i) {
      const double y = double(last.momentum[i]) / double(last.momentum.front());
      line.points.push_back({double(i + 1), y, y, y});
    }
    c.series.push_back(std::move(line));
  }
  if (table.rows.empty()) return {};
  return {{"Spectra",
           "Momenta are averages of gradients with β = 0.95, whatever the method. The nuclear rank "
           "is the sum of the singular values over the largest; the dual norm is that of the "
           "optimizer's own momentum, as its oracle attained it. The curves are of the last matrix "
           "and step of the table.",
           to_svg(c) + to_html(table, marks)}};
}

[[nodiscard]] inline report_page comparison_page(const run_options& o, const task_kind& kind,
                                                 const std::vector<run_record>& every) {
  const std::vector<method_summary> all = summaries(every), best = best_of_each(all);
  const std::vector<run_record> runs = runs_of(every, best);
  std::vector<int> marks;
  for (std::size_t i = 0; i < best.size(); ++i) marks.push_back(static_cast<int>(i) % palette_size);

  const auto at_step = [](std::size_t i) { return double(i + 1); };
  const auto by_step = curves(
      runs, o.methods, [&](const run_record& run) { return smoothed(run, run.losses, at_step); });
  auto stationarity = curves(runs, o.methods, [&](const run_record& run) {
    return smoothed(run, run.dual_norms, at_step);
  });
  std::erase_if(stationarity, [](const chart_series& c) {  // of methods without an oracle
    return std::all_of(c.points.begin(), c.points.end(),
                       [](const chart_point& p) { return p.y == 0; });
  });
  const auto by_time = curves(runs, o.methods, [&](const run_record& run) {
    std::vector<double> clock;
    double now = 0;
    for (const float s : run.step_seconds) clock.push_back(now += double(s));
    return smoothed(run, run.losses, [&](std::size_t i) { return clock[i]; });
  });
  const double unit = kind.epoch > 0 ? kind.epoch : 1;
  const std::string unit_name = kind.epoch > 0 ? "epoch" : "step";
  const auto held_out = [&](auto y) {
    return curves(runs, o.methods, [&](const run_record& run) {
      point_list points;
      for (const look& l : run.held_out) points.emplace_back(double(l.step) / unit, y(l));
      return points;
    });
  };

  const auto n = [](index_t i) { return std::to_string(i); };
  report_page page{
      "fanion: " + kind.title + ", " + std::to_string(o.methods.size()) + " methods",
      kind.lead + " " + std::to_string(o.seeds.size()) + " seed(s), " + n(kind.steps) +
          " steps. Every method has the same warm-up (" + formatted("%.0f", 100 * o.warmup) +
          " % of the steps) and " + o.schedule + " schedule. " +
          (o.sweeps() ? "Of the rates of the sweep each method has the one that ends lowest on the "
                        "held-out examples"
                      : "Peak rates are those of the command line or the trainer's, which are " +
                            o.rates_are) +
          ". Test examples are read once a run, at its end.",
      {{"Results",
        std::string(o.seeds.size() > 1 ? "Mean ± sample deviation over the seeds."
                                       : "Of one seed, which says nothing of how others do.") +
            " Times are medians of wall time with " + n(o.jobs) + " run(s) at once, " +
            n(o.shards()) +
            " thread(s) each; passes are an oracle's full reads of a momentum per step, and "
            "the worst gap is the largest share of the best possible decrease that one may have "
            "missed in any step after the first.",
        to_html(comparison(best), marks)},
       {"Training loss by step", "Batch loss before each step, averaged over windows and seeds.",
        to_svg({"Training loss by step", "step", "cross-entropy", true, by_step})},
       {"Training loss by time", "The same losses against the wall time of the steps alone.",
        to_svg({"Training loss by time", "seconds", "cross-entropy", true, by_time})},
       {"Held-out loss by " + unit_name, "",
        to_svg({"Held-out loss", unit_name, "cross-entropy", true,
                held_out([](const look& l) { return l.loss; })})},
       {"Held-out accuracy by " + unit_name, "",
        to_svg({"Held-out accuracy", unit_name, "accuracy, %", false,
                held_out([](const look& l) { return 100 * l.accuracy; })})},
       {"Stationarity by step",
        "The dual norms of the momenta as the oracles attained them, summed over the matrices: "
        "what theory bounds. Each method has a norm of its own, so curves are compared with "
        "themselves; methods without an oracle have none.",
        to_svg(
            {"Stationarity by step", "step", "dual norm of the momentum", true, stationarity})}}};
  if (!o.published.empty()) {
    text_table table{{"method", "rate", "published"}, {}};
    for (const published_result& p : o.published)
      table.rows.push_back({p.method, formatted("%.3g", p.rate), p.result});
    page.sections.push_back({"Published figures",
                             "What was reported in the setting of " + o.preset +
                                 ", whose settings this run has unless the "
                                 "command line says otherwise.",
                             to_html(table, {})});
  }
  if (o.sweeps())
    page.sections.push_back({"Sensitivity to the rate",
                             "Held-out loss after the last step by peak rate; rates at which a "
                             "seed diverged are left out.",
                             to_svg(sensitivity(all, o.methods)) + to_html(comparison(all), {})});
  for (report_section& s : spectrum_sections(runs, o.methods)) page.sections.push_back(s);
  for (const run_record& run : runs)
    if (!run.sample.empty() && run.seed == o.seeds.front())
      page.sections.push_back({"What " + run.method + " says", "",
                               "<pre>" + html_escaped(printable(run.sample)) + "</pre>\n"});
  page.sections.push_back({"How this was made", "",
                           "<pre>" + html_escaped(command_line()) + "\n" +
                               html_escaped(describe_machine()) + "</pre>\n"});
  return page;
}

/// results.json and report.html in o.out.
inline void write_comparison(const run_options& o, const task_kind& kind,
                             const std::vector<run_record>& runs, double seconds) {
  nlohmann::json j;
  j["command"] = command_line();
  j["machine"] = describe_machine();
  j["task"] = kind.identity;
  j["options"] = to_json(o);
  j["wall_seconds"] = seconds;
  for (const method_summary& s : summaries(runs)) j["summary"].push_back(to_json(s));
  for (const run_record& run : runs) j["runs"].push_back(to_json(run));
  write_file(o.out / "results.json", j.dump(1) + "\n");
  write_file(o.out / "report.html", to_html(comparison_page(o, kind, runs)));
}

}  // namespace trainers
