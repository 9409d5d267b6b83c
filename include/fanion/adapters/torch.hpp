/// @file  torch_optim::Lmo: steps along oracles for the parameters of a LibTorch program.
///
///   torch::optim::AdamW         optimizer(model->parameters(), 1e-3);
///   fanion::torch_optim::Lmo    optimizer(model->parameters(), 1e-3);
///
/// LibTorch 1.13 and 2.x, for tensors in host memory: float32, float64, and float16 and bfloat16
/// with a float32 master. Needs fanion::torch; nothing else in the library includes LibTorch.
#pragma once

#include <fanion/adapters/torch_options.hpp>
#include <fanion/adapters/torch_state.hpp>
#include <fanion/optim/dealing.hpp>

#include <c10/core/GradMode.h>
#include <torch/ordered_dict.h>

#include <algorithm>
#include <concepts>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace fanion::torch_optim {

/// What one step did to one parameter.
struct parameter_report {
  std::string name;
  bool has_gradient = false;  ///< without one nothing was done
  step_report step = {};
};

/// What one step did, in the order of groups and of their parameters.
struct optimizer_report {
  std::vector<parameter_report> parameters;
  std::vector<std::string> skipped;  ///< names whose gradient held NaN or infinity
};

/// A torch::optim::Optimizer whose matrices move along the oracle of a norm's ball, and whose other
/// parameters move by AdamW, SGD or Lion, as each group's LmoOptions say. See docs/torch.md.
///
/// A parameter without a gradient is left alone. So is one whose gradient holds NaN or infinity:
/// neither it nor its state changes, and last_report() names it. Parameters are known by group and
/// position, and by the name that set_names() gave them.
class Lmo : public torch::optim::Optimizer {
 public:
  /// @throws std::invalid_argument naming a parameter that no step can be made for: another dtype
  /// or device, a tensor that is in two places, options of another optimizer.
  explicit Lmo(std::vector<torch::optim::OptimizerParamGroup> groups,
               const LmoOptions& defaults = {})
      : Optimizer(std::move(groups), std::make_unique<LmoOptions>(defaults)) {
    (void)places();
  }
  explicit Lmo(std::vector<at::Tensor> parameters, const LmoOptions& defaults = {})
      : Optimizer(std::move(parameters), std::make_unique<LmoOptions>(defaults)) {
    (void)places();
  }

  /// Names for messages, reports and checkpoints, `model->named_parameters()` say. A checkpoint
  /// then loads only where the names are the same.
  void set_names(const torch::OrderedDict<std::string, at::Tensor>& names) {
    for (const auto& group : param_groups_)
      for (const at::Tensor& t : group.params())
        for (const auto& item : names)
          if (item.value().is_same(t)) names_[t.unsafeGetTensorImpl()] = item.key();
  }

  /// Workers to which step() deals the parameters. The bits of a step do not depend on it.
  /// @throws std::invalid_argument for fewer than 1.
  void set_threads(index_t threads) { threads_ = expects_at_least(threads, 1, "Lmo: threads"); }

  /// One step of every parameter that has a gradient. The closure, where there is one, is called
  /// once, with gradients enabled, and its loss returned.
  /// @throws std::invalid_argument naming a parameter whose gradient is sparse, on another device,
  /// or whose options make no sense; nothing is changed then.
  at::Tensor step(LossClosure closure = nullptr) override {
    at::Tensor loss;
    if (closure) {
      const c10::AutoGradMode gradients(true);
      loss = closure();
    }
    const c10::NoGradGuard no_gradients;
    std::vector<place> all = places();
    for (place& p : all) check_gradient(p);
    report_ = {};
    for (place& p : all) {
      report_.parameters.push_back({p.name, p.gradient.defined(), {}});
      if (!p.gradient.defined()) continue;
      p.state = &state_for(p);
      p.state->prepare(*p.parameter, p.gradient);
    }
    const std::exception_ptr failure = run(all);
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i].state == nullptr) continue;
      const step_report& done = report_.parameters[i].step;
      all[i].state->finish(*all[i].parameter, !done.skipped);
      if (done.skipped) report_.skipped.push_back(all[i].name);
    }
    if (failure) std::rethrow_exception(failure);
    return loss;
  }

  /// Of the last step; empty before the first.
  [[nodiscard]] const optimizer_report& last_report() const noexcept { return report_; }

  /// Options of every group, and state, shape, dtype and name of every parameter.
  void save(torch::serialize::OutputArchive& archive) const override {
    archive.write("format", c10::IValue(std::string(format)));
    archive.write("groups", c10::IValue(static_cast<std::int64_t>(param_groups_.size())));
    for (std::size_t g = 0; g < param_groups_.size(); ++g) {
      torch::serialize::OutputArchive group(archive.compilation_unit());
      options_of(g).serialize(group);
      const auto& parameters = param_groups_[g].params();
      group.write("parameters", c10::IValue(static_cast<std::int64_t>(parameters.size())));
      for (std::size_t i = 0; i < parameters.size(); ++i) {
        torch::serialize::OutputArchive entry(archive.compilation_unit());
        save_parameter(parameters[i], entry);
        group.write("parameter" + std::to_string(i), entry);
      }
      archive.write("group" + std::to_string(g), group);
    }
  }
  /// Options and state as they were, whatever this optimizer was built with; resuming gives the
  /// bits of a run that was not interrupted, in the same build.
  /// @throws std::invalid_argument naming what is missing, left over or of another shape, dtype,
  /// name or rule; nothing is changed then.
  void load(torch::serialize::InputArchive& archive) override {
    c10::IValue found;
    if (!archive.try_read("format", found) || !found.isString() ||
        found.toStringRef() != std::string(format))
      throw std::invalid_argument(std::string("checkpoint: expected ") + format +
                                  ", found another format");
    expect_count("groups", param_groups_.size(), archive);
    std::vector<LmoOptions> options;
    std::map<at::TensorImpl*, std::unique_ptr<LmoParamState>> states;
    for (std::size_t g = 0; g < param_groups_.size(); ++g) {
      torch::serialize::InputArchive group = nested(archive, "group" + std::to_string(g));
      options.push_back(options_of(g));
      options.back().serialize(group);
      auto& parameters = param_groups_[g].params();
      expect_count("parameters", parameters.size(), group);
      for (std::size_t i = 0; i < parameters.size(); ++i) {
        torch::serialize::InputArchive entry = nested(group, "parameter" + std::to_string(i));
        try {
          if (auto state = load_parameter(parameters[i], options.back(), entry))
            states[parameters[i].unsafeGetTensorImpl()] = std::move(state);
        } catch (const std::invalid_argument& e) {
          throw std::invalid_argument(name_of(g, i) + ": " + e.what());
        }
      }
    }
    state_.clear();
    for (auto& [parameter, state] : states) state_[key_of(parameter)] = std::move(state);
    for (std::size_t g = 0; g < options.size(); ++g)
      param_groups_[g].set_options(std::make_unique<LmoOptions>(options[g]));
  }

 private:
  static constexpr const char* format = "fanion torch optimizer 1";

  /// A parameter, where it stands, and what a step needs.
  struct place {
    at::Tensor* parameter;
    const LmoOptions* options;
    std::string name;
    at::Tensor gradient = {};
    LmoParamState* state = nullptr;
  };

  /// LibTorch finds states by the address of the tensor: as text up to 2.1 and some time later,
  /// then as it is.
  using state_map = std::remove_cvref_t<decltype(std::declval<Optimizer&>().state())>;
  template <class Key = typename state_map::value_type::first_type>
  [[nodiscard]] static Key key_of(at::TensorImpl* parameter) {
    if constexpr (std::same_as<Key, std::string>) {
      std::ostringstream text;
      text << parameter;
      return text.str();
    } else {
      return parameter;
    }
  }

  [[nodiscard]] const LmoOptions& options_of(std::size_t group) const {
    const auto* options = dynamic_cast<const LmoOptions*>(&param_groups_[group].options());
    if (options == nullptr)
      refuse(("Lmo: options of group " + std::to_string(group)).c_str(), "LmoOptions",
             "those of another optimizer");
    return *options;
  }
  /// What set_names() said, and "parameter 1 of group 0 [256, 784]" otherwise.
  [[nodiscard]] std::string name_of(std::size_t group, std::size_t i) const {
    const at::Tensor& t = param_groups_[group].params()[i];
    const auto named = names_.find(t.unsafeGetTensorImpl());
    if (named != names_.end()) return named->second;
    return "parameter " + std::to_string(i) + " of group " + std::to_string(group) + " " +
           c10::str(t.sizes());
  }
  [[nodiscard]] std::string given_name(const at::Tensor& t) const {
    const auto named = names_.find(t.unsafeGetTensorImpl());
    return named == names_.end() ? std::string() : named->second;
  }

  /// Every parameter once it has been looked at: groups and options may have changed since the last
  /// step.
  [[nodiscard]] std::vector<place> places() {
    std::vector<place> all;
    std::set<at::TensorImpl*> seen;
    for (std::size_t g = 0; g < param_groups_.size(); ++g) {
      const LmoOptions& options = options_of(g);
      options.validate();
      auto& parameters = param_groups_[g].params();
      for (std::size_t i = 0; i < parameters.size(); ++i) {
        const std::string name = name_of(g, i);
        at::Tensor& t = parameters[i];
        if (!seen.insert(t.unsafeGetTensorImpl()).second)
          refuse(name.c_str(), "in one place", "a tensor that is there twice");
        check_memory(t, name);
        all.push_back({&t, &options, name});
      }
    }
    return all;
  }
  static void check_memory(const at::Tensor& t, const std::string& name) {
    if (t.layout() != at::kStrided) refuse(name.c_str(), "dense", c10::str(t.layout()));
    if (!t.device().is_cpu()) refuse(name.c_str(), "in host memory", t.device().str());
    const at::ScalarType dtype = t.scalar_type();
    if (dtype != at::kFloat && dtype != at::kDouble && dtype != at::kHalf && dtype != at::kBFloat16)
      refuse(name.c_str(), "float32, float64, float16 or bfloat16", c10::toString(dtype));
    for (std::int64_t d = 0; d < t.dim(); ++d)
      if (t.stride(d) == 0 && t.size(d) > 1)
        refuse(name.c_str(), "memory with a place for each entry", "an expanded tensor");
  }
  static void check_gradient(place& p) {
    const at::Tensor& g = p.parameter->grad();
    if (!g.defined()) return;
    const std::string what = p.name + ": the gradient";
    if (g.layout() != at::kStrided) refuse(what.c_str(), "dense", c10::str(g.layout()));
    if (!g.device().is_cpu()) refuse(what.c_str(), "in host memory", g.device().str());
    if (g.sizes() != p.parameter->sizes())
      refuse(what.c_str(), c10::str(p.parameter->sizes()).c_str(), c10::str(g.sizes()));
    if (g.is_complex()) refuse(what.c_str(), "real", c10::toString(g.scalar_type()));
    p.gradient = g;
  }

  /// The state that is there; one that goes on from it where the options changed; a new one where
  /// there is none or the parameter became another.
  LmoParamState& state_for(const place& p) {
    const auto key = key_of(p.parameter->unsafeGetTensorImpl());
    const auto found = state_.find(key);
    auto* held = found == state_.end() ? nullptr : static_cast<LmoParamState*>(found->second.get());
    if (held != nullptr && held->follows(*p.parameter, *p.options)) return *held;
    try {
      auto fresh = std::make_unique<LmoParamState>(*p.parameter, *p.options, held);
      held = fresh.get();
      state_[key] = std::move(fresh);
      return *held;
    } catch (const std::invalid_argument& e) {
      throw std::invalid_argument(p.name + ": " + e.what());
    }
  }

  /// Every step that is due; the first failure, after everyone is done.
  std::exception_ptr run(const std::vector<place>& all) {
    std::vector<double> costs;
    for (const place& p : all) {
      const detail::matrix_shape shape(p.parameter->sizes());
      const bool due = p.state != nullptr;
      costs.push_back(due ? step_cost(shape.rows, shape.cols, p.state->has_oracle()) : 0);
    }
    const auto workers =
        static_cast<std::size_t>(std::clamp<index_t>(threads_, 1, std::ssize(all) + 1));
    const auto chosen = workers_for(
        costs, workers, [](std::size_t) -> std::optional<std::size_t> { return std::nullopt; });
    std::vector<std::exception_ptr> failures(all.size());
    on_workers(workers, [&](std::size_t worker) {
      for (std::size_t i = 0; i < all.size(); ++i) {
        if (chosen[i] != worker) continue;
        try {
          step_of(all[i], report_.parameters[i].step);
        } catch (...) {
          failures[i] = std::current_exception();
        }
      }
    });
    const auto failed = std::find_if(failures.begin(), failures.end(),
                                     [](const std::exception_ptr& f) { return f != nullptr; });
    return failed == failures.end() ? nullptr : *failed;
  }
  static void step_of(const place& p, step_report& report) {
    if (p.state == nullptr) return;
    const double share = p.state->has_oracle() ? 1 : p.options->others_rate();
    try {
      report = p.state->step(p.options->lr() * share);
    } catch (const std::invalid_argument& e) {
      report.skipped = true;
      throw std::invalid_argument(p.name + ": " + e.what());
    }
  }

  void save_parameter(const at::Tensor& t, torch::serialize::OutputArchive& entry) const {
    entry.write("name", c10::IValue(given_name(t)));
    const auto held = state_.find(key_of(t.unsafeGetTensorImpl()));
    entry.write("stepped", c10::IValue(held != state_.end()));
    entry.write("sizes", c10::IValue(t.sizes().vec()));
    entry.write("dtype", c10::IValue(std::string(c10::toString(t.scalar_type()))));
    if (held == state_.end()) return;
    torch::serialize::OutputArchive state(entry.compilation_unit());
    held->second->serialize(state);
    entry.write("state", state);
  }
  [[nodiscard]] std::unique_ptr<LmoParamState> load_parameter(
      const at::Tensor& t, const LmoOptions& options, torch::serialize::InputArchive& entry) const {
    const std::string name = detail::entry(entry, "name").toStringRef(), own = given_name(t);
    if (!name.empty() && !own.empty()) detail::expect_entry("name", own, name);
    const auto sizes = detail::entry(entry, "sizes").toIntVector();
    detail::expect_entry("shape", c10::str(t.sizes()), c10::str(at::IntArrayRef(sizes)));
    detail::expect_entry("dtype", c10::toString(t.scalar_type()),
                         detail::entry(entry, "dtype").toStringRef());
    if (!detail::entry(entry, "stepped").toBool()) return nullptr;
    auto state = std::make_unique<LmoParamState>(t, options);
    torch::serialize::InputArchive saved = nested(entry, "state");
    state->serialize(saved);
    return state;
  }
  static torch::serialize::InputArchive nested(torch::serialize::InputArchive& archive,
                                               const std::string& key) {
    torch::serialize::InputArchive inner;
    if (!archive.try_read(key, inner))
      throw std::invalid_argument("checkpoint: expected an entry " + key + ", found none");
    return inner;
  }
  static void expect_count(const std::string& what, std::size_t expected,
                           torch::serialize::InputArchive& archive) {
    detail::expect_entry(what, std::to_string(expected),
                         std::to_string(detail::entry(archive, what).toInt()));
  }

  index_t threads_ = 1;
  std::map<at::TensorImpl*, std::string> names_;
  optimizer_report report_;
};

}  // namespace fanion::torch_optim
