/// @file  What stays of an experiment: the table, the JSON and the page.
#pragma once

#include <common/files.hpp>
#include <common/report.hpp>
#include <mlp/summary.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace trainers {

[[nodiscard]] inline std::string plus_minus(const spread& s, double factor, int digits) {
  if (!std::isfinite(s.mean)) return "-";
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

[[nodiscard]] inline nlohmann::json to_json(const options& o) {
  return {{"dataset", o.dataset},   {"data", o.data.string()},
          {"methods", o.methods},   {"seeds", o.seeds},
          {"epochs", o.epochs},     {"batch", o.batch},
          {"hidden", o.hidden},     {"held_out", o.held_out},
          {"limit", o.limit},       {"resize", o.resize},
          {"threads", o.threads},   {"jobs", o.jobs},
          {"warmup", o.warmup},     {"schedule", o.schedule},
          {"momentum", o.momentum}, {"decay", o.decay},
          {"alpha", o.alpha},       {"norm", o.norm},
          {"eta", o.eta},           {"rest_rate", o.rate_of(std::string(rest_name))}};
}

/// NaN becomes null, as JSON has no other word for it.
[[nodiscard]] inline nlohmann::json to_json(const run_record& run) {
  nlohmann::json held_out = nlohmann::json::array();
  for (const checkpoint& c : run.held_out)
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

[[nodiscard]] inline report_page comparison_page(const options& o, const experiment_data& data,
                                                 const std::vector<run_record>& runs) {
  const std::vector<method_summary> all = summaries(runs);
  std::vector<int> marks;
  for (std::size_t i = 0; i < all.size(); ++i) marks.push_back(static_cast<int>(i) % palette_size);

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
  const auto per_epoch = double(steps_per_epoch(o, data));
  const auto held_out = curves(runs, o.methods, [&](const run_record& run) {
    point_list points;
    for (const checkpoint& c : run.held_out)
      points.emplace_back(double(c.step) / per_epoch, 100 * c.accuracy);
    return points;
  });

  const auto n = [](index_t i) { return std::to_string(i); };
  return {
      "fanion: one network, one schedule, " + std::to_string(o.methods.size()) + " methods",
      "The network " + n(data.features()) + "-" + n(o.hidden) + "-10 with GELU on " + o.dataset +
          ": " + n(data.train.size()) + " training images, " + n(o.epochs) +
          " epochs at batch size " + n(o.batch) + ", " + std::to_string(o.seeds.size()) +
          " seeds. Every method has the same warm-up (" + formatted("%.0f", 100 * o.warmup) +
          " % of the steps) and " + o.schedule + " schedule. " +
          (o.rates.empty() && o.dataset == "fashion"
               ? "Peak rates were chosen on held-out training images"
               : "Peak rates are those of the command line or the defaults, which were chosen on "
                 "held-out training images of Fashion-MNIST") +
          ". The " + n(data.test ? data.test->size() : 0) +
          " test images are read once a run, at its end.",
      {{"Results",
        "Mean ± sample deviation over the seeds. Train loss is that of all training images after "
        "the last step. Times are medians of wall time with " +
            n(o.jobs) + " run(s) at once, " + n(o.shards()) +
            " thread(s) each; passes are the oracle's full reads of the hidden matrix's momentum "
            "per step, and "
            "the worst gap is the largest share of the best possible decrease that it may have "
            "missed in any step after the first.",
        to_html(comparison(all), marks)},
       {"Training loss by step", "Batch loss before each step, averaged over windows and seeds.",
        to_svg({"Training loss by step", "step", "cross-entropy", true, by_step})},
       {"Training loss by time", "The same losses against the wall time of the steps alone.",
        to_svg({"Training loss by time", "seconds", "cross-entropy", true, by_time})},
       {"Held-out accuracy by epoch", "",
        to_svg({"Held-out accuracy by epoch", "epoch", "accuracy, %", false, held_out})},
       {"Stationarity by step",
        "The dual norm of the hidden matrix's momentum, as the oracle attained it: what theory "
        "bounds. Each method has a norm of its own, so curves are compared with themselves; "
        "methods without an oracle have none.",
        to_svg(
            {"Stationarity by step", "step", "dual norm of the momentum", true, stationarity})}}};
}

/// results.json and report.html in o.out.
inline void write_comparison(const options& o, const experiment_data& data,
                             const std::vector<run_record>& runs, double seconds) {
  nlohmann::json j;
  j["options"] = to_json(o);
  j["images"] = {{"train", data.train.size()},
                 {"held_out", data.held_out.size()},
                 {"test", data.test ? data.test->size() : 0},
                 {"features", data.features()},
                 {"mean", data.scale.mean},
                 {"deviation", data.scale.deviation}};
  j["wall_seconds"] = seconds;
  for (const method_summary& s : summaries(runs)) j["summary"].push_back(to_json(s));
  for (const run_record& run : runs) j["runs"].push_back(to_json(run));
  write_file(o.out / "results.json", j.dump(1) + "\n");
  write_file(o.out / "report.html", to_html(comparison_page(o, data, runs)));
}

}  // namespace trainers
