/// @file  The comparison: each method's one parameter chosen on one set of entries, the results on
/// another.
#pragma once

#include <completion/data.hpp>
#include <completion/impute.hpp>
#include <completion/objective.hpp>
#include <completion/options.hpp>

#include <common/files.hpp>
#include <fanion/norms/spectral_nuclear.hpp>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace completion {

/// A method at one value of its parameter.
struct trial {
  double parameter = 0;  ///< rank or radius
  double chosen_on = 0;  ///< root mean square error there
};

/// A method at the value that was best.
struct verdict {
  std::string method = {}, parameter = {};
  std::vector<trial> trials = {};
  index_t rank = 0;
  double observed = 0, chosen_on = 0, held_out = 0;  ///< root mean square errors
  double seconds = 0;                                ///< of one run
};

/// Frank and Wolfe's method at one step of the run that counts.
struct curve_point {
  index_t step = 0;
  double value = 0, gap = 0, certified_gap = 0;
  double observed = 0, held_out = 0;
};

struct results {
  std::vector<verdict> methods;
  std::vector<curve_point> curve;
  fanion::frank_wolfe_report end;
  double radius = 0;
};

struct fitted {
  fanion::low_rank<float> x;
  fanion::frank_wolfe_report report;
};

/// The nuclear norm's ball of this radius, from zero, with exact line search: f is quadratic.
template <class Watch>
[[nodiscard]] fitted fit_nuclear(const options& o, const split& s, watched_error& f, double radius,
                                 Watch&& watch) {
  fitted fit{fanion::low_rank<float>(s.rows, s.cols), {}};
  fit.report = fanion::frank_wolfe(
      fanion::nuclear(), f, fit.x, {.radius = radius, .relative = 1e-3, .iterations = o.steps},
      fanion::exact_line_search{}, fanion::block_krylov{.gap = o.gap, .seed = o.seed}, watch);
  return fit;
}

[[nodiscard]] inline double best_of(const std::vector<trial>& trials) {
  return std::min_element(trials.begin(), trials.end(),
                          [](const trial& a, const trial& b) { return a.chosen_on < b.chosen_on; })
      ->parameter;
}

class stopwatch {
 public:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

[[nodiscard]] inline verdict judge_ranks(const options& o, const split& s, const char* name,
                                         index_t rounds) {
  verdict v{.method = name};
  const auto fit = [&](index_t k) {
    return hard_impute(s.rows, s.cols, s.observed, k, static_cast<int>(rounds));
  };
  for (const index_t k : o.ranks) {
    if (k > std::min(s.rows, s.cols)) continue;
    v.trials.push_back({static_cast<double>(k), rmse(s.chosen_on, values_of(fit(k), s.chosen_on))});
  }
  if (v.trials.empty())
    throw std::runtime_error("--ranks: none is at most the shorter side of the matrix");
  v.rank = static_cast<index_t>(best_of(v.trials));
  v.parameter = "rank " + std::to_string(v.rank);
  const stopwatch clock;
  const rank_k x = fit(v.rank);
  v.seconds = clock.seconds();
  v.observed = rmse(s.observed, values_of(x, s.observed));
  v.chosen_on = rmse(s.chosen_on, values_of(x, s.chosen_on));
  v.held_out = rmse(s.held_out, values_of(x, s.held_out));
  return v;
}

/// `say(line)` is told what happens.
template <class Say>
[[nodiscard]] results compare(const options& o, const split& s, Say&& say) {
  results r;
  r.methods.push_back({.method = "mean image",
                       .parameter = "-",
                       .observed = error_of_mean(s.observed),
                       .chosen_on = error_of_mean(s.chosen_on),
                       .held_out = error_of_mean(s.held_out)});
  say("rank k of the matrix filled with the mean image");
  r.methods.push_back(judge_ranks(o, s, "SVD of the filled matrix", 0));
  say("hard imputation");
  r.methods.push_back(judge_ranks(o, s, "hard imputation", o.rounds));

  verdict v{.method = "nuclear ball, Frank and Wolfe"};
  for (const double radius : o.radii) {
    watched_error f(s.rows, s.cols, s.observed, s.chosen_on);
    const fitted fit = fit_nuclear(o, s, f, radius, fanion::ignore_steps{});
    v.trials.push_back({radius, f.error_of_others()});
    say(trainers::formatted("radius %g: %lld steps, error %.4f", radius,
                            static_cast<long long>(fit.report.iterations), f.error_of_others()));
  }
  r.radius = best_of(v.trials);
  v.parameter = trainers::formatted("radius %g", r.radius);
  for (const trial& t : v.trials)
    if (t.parameter == r.radius) v.chosen_on = t.chosen_on;

  // The same run again, now with an eye on the entries held out. Nothing is chosen by it.
  say("the chosen radius, on the entries held out");
  watched_error f(s.rows, s.cols, s.observed, s.held_out);
  const stopwatch clock;
  const fitted fit = fit_nuclear(o, s, f, r.radius, [&](const fanion::frank_wolfe_report& at) {
    r.curve.push_back(
        {at.iterations, at.value, at.gap, at.certified_gap, f.error(), f.error_of_others()});
  });
  v.seconds = clock.seconds();
  v.rank = fit.x.columns();
  v.observed = f.error();
  v.held_out = f.error_of_others();
  r.end = fit.report;
  r.methods.push_back(std::move(v));
  return r;
}

}  // namespace completion
