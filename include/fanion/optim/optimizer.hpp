/// @file  All parameters of a model under one step: routing, threads, checkpoints.
#pragma once

#include <fanion/backend/eigen.hpp>
#include <fanion/optim/any_step.hpp>
#include <fanion/optim/dealing.hpp>
#include <fanion/optim/parameters.hpp>

#include <algorithm>
#include <exception>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
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
/// Used by one thread at a time. With `threads` > 1 the parameters are dealt to that many workers
/// by their cost, each with a backend of its own, so results do not depend on timing.
template <Real T, class B = typename default_backend<host_space>::type>
class optimizer {
 public:
  using space = typename B::space;
  using rule_type = any_rule<T, B>;

  /// @throws std::invalid_argument for threads < 1.
  optimizer(rule_type matrices, rule_type others, index_t threads = 1)
      : matrices_(std::move(matrices)),
        others_(std::move(others)),
        owned_(static_cast<std::size_t>(expects_at_least(threads, 1, "optimizer: threads"))) {
    for (auto& backend : owned_) {
      backend = std::make_unique<B>();
      backends_.push_back(backend.get());
    }
  }
  /// One worker, on a backend that outlives the optimizer: on a device, that of the stream in which
  /// the gradients are written.
  optimizer(rule_type matrices, rule_type others, B& backend)
      : matrices_(std::move(matrices)), others_(std::move(others)), backends_{&backend} {}

  /// Allocates the parameter's state. Its memory must outlive the optimizer. `rates` multiplies the
  /// rate of every step. @throws std::invalid_argument for a name already taken, or a shape that
  /// the rule refuses; nothing is added then.
  void add(parameter<T, space> p, double rates = 1) {
    const bool matrix =
        usual_treatment(p.kind, p.weight.rows(), p.weight.cols()) == treatment::matrix;
    add(std::move(p), matrix ? matrices_ : others_, rates);
  }
  /// The user's word above the rule.
  void add(parameter<T, space> p, treatment chosen, double rates = 1) {
    add(std::move(p), chosen == treatment::matrix ? matrices_ : others_, rates);
  }
  /// Under a rule of its own.
  void add(parameter<T, space> p, const rule_type& rule, double rates = 1) {
    for (const auto& e : entries_)
      if (e.parameter.name == p.name) refuse("optimizer: parameter name", "new", p.name);
    check_step(p.weight, p.gradient);
    (void)expects_coefficient(rates, "optimizer: rates");
    entry fresh{std::move(p), rule, rates, least_loaded(), std::nullopt};
    fresh.step = make_step(fresh, fresh.worker);
    entries_.push_back(std::move(fresh));
    dealt_ = false;
  }

  /// From now on the parameter of that name moves by this rule. Between two rules with an oracle
  /// momentum and step count go on, and only the subspace is forgotten; otherwise the state starts
  /// anew. Allocates.
  void set_rule(const std::string& name, const rule_type& rule) {
    entry& e = find(name);
    entry changed{e.parameter, rule, e.rates, e.worker, std::nullopt};
    changed.step = make_step(changed, e.worker);
    changed.step->continue_from(*e.step);
    e = std::move(changed);
  }

  /// The parameter of that name has moved to other memory. Its state goes on if shape and storage
  /// order are the same, and starts anew otherwise.
  void set_memory(parameter<T, space> p) {
    entry& e = find(p.name);
    check_step(p.weight, p.gradient);
    const auto& before = e.parameter.weight;
    const bool same = before.rows() == p.weight.rows() && before.cols() == p.weight.cols() &&
                      before.transposed == p.weight.transposed && e.parameter.blocks == p.blocks;
    entry changed{std::move(p), e.rule, e.rates, e.worker, std::nullopt};
    if (same)
      changed.step = std::move(e.step);
    else
      changed.step = make_step(changed, e.worker);
    e = std::move(changed);
  }

  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

  /// One step of every parameter. A parameter whose gradient is not finite stays as it is, and the
  /// report, which is good until the next step, names it. Allocates threads where there are
  /// several, and nothing else after the first step.
  /// @throws std::invalid_argument naming a parameter whose rule refuses the rate or its memory;
  /// others may have moved then.
  const optimizer_report& step(double rate) {
    (void)expects_coefficient(rate, "optimizer: rate");
    deal();
    report_.parameters.resize(entries_.size());
    report_.skipped.clear();
    failures_.assign(workers_, nullptr);
    on_workers(workers_, [&](std::size_t worker) {
      try {
        for (std::size_t i = 0; i < entries_.size(); ++i)
          if (entries_[i].worker == worker) report_.parameters[i] = step_of(entries_[i], rate);
      } catch (...) {
        failures_[worker] = std::current_exception();
      }
    });
    for (const auto& failure : failures_)
      if (failure) std::rethrow_exception(failure);
    for (std::size_t i = 0; i < entries_.size(); ++i)
      if (report_.parameters[i].skipped) report_.skipped.push_back(entries_[i].parameter.name);
    return report_;
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
      archive.write(e.rule.text());
      archive.write(state.str());
    }
  }
  /// Finds every parameter by its name, reads into fresh state and only then takes it over.
  /// @throws std::invalid_argument where a parameter is missing, unknown or of another shape or
  /// rule, or the data ends early; nothing is changed then.
  void load(std::istream& in) {
    archive_reader archive(in);
    expect_text(archive, format);
    deal();  // what has a state to go on from stays where it is
    const auto count = archive.read<std::uint64_t>();
    std::vector<std::optional<any_step<T, space>>> fresh(entries_.size());
    for (std::uint64_t k = 0; k < count; ++k) {
      const std::string name = archive.read_text(), rule = archive.read_text();
      std::istringstream state(archive.read_text(std::uint64_t(1) << 40));
      const auto at = std::find_if(entries_.begin(), entries_.end(),
                                   [&](const entry& e) { return e.parameter.name == name; });
      if (at == entries_.end())
        throw std::invalid_argument("checkpoint: extra parameter: expected " + names() +
                                    ", found " + name);
      if (at->rule.text() != rule)
        throw std::invalid_argument("checkpoint: parameter " + name + ": expected rule " +
                                    at->rule.text() + ", found " + rule);
      archive_reader inner(state);
      auto step = make_step(*at, at->worker);
      try {
        step.load(inner);
      } catch (const std::invalid_argument& e) {
        throw std::invalid_argument("checkpoint: parameter " + name + ": " + e.what());
      }
      fresh[static_cast<std::size_t>(at - entries_.begin())] = std::move(step);
    }
    for (std::size_t i = 0; i < entries_.size(); ++i)
      if (!fresh[i])
        throw std::invalid_argument("checkpoint: missing parameter: expected " +
                                    entries_[i].parameter.name + ", found no such name");
    for (std::size_t i = 0; i < entries_.size(); ++i) entries_[i].step = std::move(fresh[i]);
  }

 private:
  static constexpr const char* format = "fanion optimizer 2";

  struct entry {
    fanion::parameter<T, space> parameter;
    rule_type rule;
    double rates;
    std::size_t worker;
    std::optional<any_step<T, space>> step;
  };

  [[nodiscard]] entry& find(const std::string& name) {
    for (auto& e : entries_)
      if (e.parameter.name == name) return e;
    refuse("optimizer: parameter name", ("one of " + names()).c_str(), name);
  }
  [[nodiscard]] std::string names() const {
    std::string all;
    for (const auto& e : entries_) all += (all.empty() ? "" : ", ") + e.parameter.name;
    return all.empty() ? "none" : all;
  }

  [[nodiscard]] any_step<T, space> make_step(const entry& e, std::size_t worker) const {
    return e.rule.make(e.parameter.weight.rows(), e.parameter.weight.cols(), *backends_[worker],
                       e.parameter.blocks);
  }
  static step_report step_of(entry& e, double rate) {
    try {
      return e.step->step(e.parameter.weight, e.parameter.gradient, rate * e.rates);
    } catch (const std::invalid_argument& failure) {
      throw std::invalid_argument("parameter " + e.parameter.name + ": " + failure.what());
    }
  }

  [[nodiscard]] static double cost_of(const entry& e) {
    return step_cost(e.parameter.weight.rows(), e.parameter.weight.cols(), e.rule.has_oracle());
  }
  /// For a new parameter, until all are known.
  [[nodiscard]] std::size_t least_loaded() const {
    std::vector<double> load(backends_.size(), 0.0);
    for (const auto& e : entries_) load[e.worker] += cost_of(e);
    return static_cast<std::size_t>(std::min_element(load.begin(), load.end()) - load.begin());
  }
  /// Evens out the work once all parameters are there. One that has moved already stays with its
  /// worker. Where a step cannot be made nothing is changed.
  void deal() {
    if (dealt_) return;
    std::vector<double> costs;
    for (const auto& e : entries_) costs.push_back(cost_of(e));
    const std::size_t workers = std::min(backends_.size(), entries_.size());
    const auto chosen =
        workers_for(costs, workers, [&](std::size_t i) -> std::optional<std::size_t> {
          const entry& e = entries_[i];
          if (e.step && e.step->steps() > 0) return e.worker;
          return std::nullopt;
        });
    std::vector<std::optional<any_step<T, space>>> fresh(entries_.size());
    for (std::size_t i = 0; i < entries_.size(); ++i)
      if (chosen[i] != entries_[i].worker) fresh[i] = make_step(entries_[i], chosen[i]);
    workers_ = workers;
    dealt_ = true;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      entries_[i].worker = chosen[i];
      if (fresh[i]) entries_[i].step = std::move(fresh[i]);
    }
  }

  rule_type matrices_, others_;
  std::vector<std::unique_ptr<B>> owned_;
  std::vector<B*> backends_;
  std::vector<entry> entries_;
  std::size_t workers_ = 1;
  bool dealt_ = true;
  optimizer_report report_;
  std::vector<std::exception_ptr> failures_;
};

}  // namespace fanion
