/// @file  All parameters of a model under one step: routing, threads, checkpoints.
#pragma once

#include <fanion/backend/concepts.hpp>
#include <fanion/optim/any_step.hpp>
#include <fanion/optim/parameters.hpp>

#include <algorithm>
#include <exception>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <sstream>
#include <thread>
#include <utility>
#include <vector>

namespace fanion {

/// What one step did to each parameter, in the order in which they were added.
struct optimizer_report {
  std::vector<step_report> parameters;
  std::vector<std::string> skipped;  ///< names whose gradient held NaN or infinity
};

/// Matrices go to `matrices`, everything else to `others`, unless add() says otherwise.
///
///   optimizer<float> opt(muon(), adamw{});
///   opt.add(make_parameter("hidden", W, dW));
///   for (…) { …; opt.step(rate); }
///
/// Used by one thread at a time. With `threads` > 1 the parameters are dealt to that many workers by
/// their cost, each with a backend of its own, so results do not depend on timing.
template <Real T, class B = typename default_backend<host_space>::type>
class optimizer {
 public:
  using space = typename B::space;
  using rule_type = any_rule<T, B>;

  /// @throws std::invalid_argument for threads < 1.
  optimizer(rule_type matrices, rule_type others, index_t threads = 1)
      : matrices_(std::move(matrices)),
        others_(std::move(others)),
        backends_(static_cast<std::size_t>(expects_at_least(threads, 1, "optimizer: threads"))) {
    for (auto& backend : backends_) backend = std::make_unique<B>();
  }

  /// Allocates the parameter's state. Its memory must outlive the optimizer. `rates` multiplies the
  /// rate of every step. @throws std::invalid_argument for a name already taken.
  void add(parameter<T, space> p, double rates = 1) {
    const bool matrix = usual_treatment(p.kind, p.weight.rows(), p.weight.cols()) ==
                        treatment::matrix;
    add(std::move(p), matrix ? matrices_ : others_, rates);
  }
  /// The user's word above the rule.
  void add(parameter<T, space> p, treatment chosen, double rates = 1) {
    add(std::move(p), chosen == treatment::matrix ? matrices_ : others_, rates);
  }
  void add(parameter<T, space> p, const rule_type& rule, double rates = 1) {
    for (const auto& e : entries_)
      if (e.parameter.name == p.name) refuse("optimizer: parameter name", "new", p.name);
    (void)expects_coefficient(rates, "optimizer: rates");
    entries_.push_back({std::move(p), rule, rates, 0, std::nullopt});
    deal();
  }

  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

  /// One step of every parameter. A parameter whose gradient is not finite stays as it is, and the
  /// report names it.
  optimizer_report step(double rate) {
    (void)expects_coefficient(rate, "optimizer: rate");
    optimizer_report report;
    report.parameters.resize(entries_.size());
    std::vector<std::exception_ptr> failures(backends_.size());
    const auto work = [&](std::size_t worker) {
      try {
        for (std::size_t i = 0; i < entries_.size(); ++i) {
          auto& e = entries_[i];
          if (e.worker != worker) continue;
          report.parameters[i] = e.step->step(e.parameter.weight, e.parameter.gradient,
                                              rate * e.rates);
        }
      } catch (...) {
        failures[worker] = std::current_exception();
      }
    };
    std::vector<std::thread> threads;
    for (std::size_t w = 1; w < workers_; ++w) threads.emplace_back(work, w);
    work(0);
    for (auto& thread : threads) thread.join();
    for (const auto& failure : failures)
      if (failure) std::rethrow_exception(failure);
    for (std::size_t i = 0; i < entries_.size(); ++i)
      if (report.parameters[i].skipped) report.skipped.push_back(entries_[i].parameter.name);
    return report;
  }

  void save(std::ostream& out) const {
    archive_writer archive(out);
    archive.write(std::string(format));
    archive.write(static_cast<std::uint64_t>(entries_.size()));
    for (const auto& e : entries_) {
      std::ostringstream state;
      archive_writer inner(state);
      e.step->save(inner);
      archive.write(e.parameter.name);
      archive.write(e.rule.name());
      archive.write(state.str());
    }
  }
  /// Finds every parameter by its name, reads into fresh state and only then takes it over.
  /// @throws std::invalid_argument where a parameter is missing, unknown or of another shape or
  /// rule, or the data ends early; nothing is changed then.
  void load(std::istream& in) {
    archive_reader archive(in);
    expect_text(archive, format);
    const auto count = archive.read<std::uint64_t>();
    std::vector<std::optional<any_step<T, space>>> fresh(entries_.size());
    for (std::uint64_t k = 0; k < count; ++k) {
      const std::string name = archive.read_text(), rule = archive.read_text();
      std::istringstream state(archive.read_text(std::uint64_t(1) << 40));
      const auto at = std::find_if(entries_.begin(), entries_.end(),
                                   [&](const entry& e) { return e.parameter.name == name; });
      if (at == entries_.end())
        throw std::invalid_argument("checkpoint: extra parameter " + name);
      if (at->rule.name() != rule)
        throw std::invalid_argument("checkpoint: parameter " + name + ": expected rule " +
                                    at->rule.name() + ", found " + rule);
      archive_reader inner(state);
      auto step = make_step(*at);
      try {
        step.load(inner);
      } catch (const std::invalid_argument& e) {
        throw std::invalid_argument("checkpoint: parameter " + name + ": " + e.what());
      }
      fresh[static_cast<std::size_t>(at - entries_.begin())] = std::move(step);
    }
    for (std::size_t i = 0; i < entries_.size(); ++i)
      if (!fresh[i])
        throw std::invalid_argument("checkpoint: missing parameter " + entries_[i].parameter.name);
    for (std::size_t i = 0; i < entries_.size(); ++i) entries_[i].step = std::move(fresh[i]);
  }

 private:
  static constexpr const char* format = "fanion optimizer 1";

  struct entry {
    fanion::parameter<T, space> parameter;
    rule_type rule;
    double rates;
    std::size_t worker;
    std::optional<any_step<T, space>> step;
  };

  [[nodiscard]] any_step<T, space> make_step(const entry& e) const {
    return e.rule.make(e.parameter.weight.rows(), e.parameter.weight.cols(), *backends_[e.worker],
                       e.parameter.blocks);
  }

  /// Largest first, each to the worker with the least work so far; cost m n min(m, n) stands for a
  /// matrix, m n for the rest.
  void deal() {
    std::vector<double> load(backends_.size(), 0.0), cost;
    for (const auto& e : entries_) {
      const double m = static_cast<double>(e.parameter.weight.rows());
      const double n = static_cast<double>(e.parameter.weight.cols());
      cost.push_back(m * n * (e.rule.name() == "lmo" ? std::min(m, n) : 1.0));
    }
    std::vector<std::size_t> order(entries_.size());
    std::iota(order.begin(), order.end(), std::size_t(0));
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return cost[a] > cost[b]; });
    workers_ = std::min(backends_.size(), std::max<std::size_t>(1, entries_.size()));
    for (const std::size_t i : order) {
      const auto least = std::min_element(load.begin(), load.begin() + static_cast<std::ptrdiff_t>(workers_));
      *least += cost[i];
      const auto worker = static_cast<std::size_t>(least - load.begin());
      const bool moved = entries_[i].worker != worker;
      if (moved && entries_[i].step && entries_[i].step->steps() > 0) continue;
      entries_[i].worker = worker;
      if (moved || !entries_[i].step) entries_[i].step = make_step(entries_[i]);
    }
  }

  rule_type matrices_, others_;
  std::vector<std::unique_ptr<B>> backends_;
  std::vector<entry> entries_;
  std::size_t workers_ = 1;
};

}  // namespace fanion
