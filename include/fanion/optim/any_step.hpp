/// @file  One step of any rule behind one type, for methods chosen at run time.
#pragma once

#include <fanion/optim/elementwise_steps.hpp>
#include <fanion/optim/lmo_step.hpp>

#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace fanion {

/// A step with its state. One virtual call a parameter and step; none inside norms or solvers.
template <Real T, class Space = host_space>
class any_step {
 public:
  template <class S>
  explicit any_step(S step) : held_(std::make_unique<holder<S>>(std::move(step))) {}

  step_report step(const oriented_view<T, Space>& weight,
                   const oriented_view<const T, Space>& gradient, double rate) {
    return held_->step(weight, gradient, rate);
  }
  [[nodiscard]] index_t steps() const { return held_->steps(); }
  void reset() { held_->reset(); }
  void save(archive_writer& out) const { held_->save(out); }
  void load(archive_reader& in) { held_->load(in); }

 private:
  struct interface {
    virtual ~interface() = default;
    virtual step_report step(const oriented_view<T, Space>&, const oriented_view<const T, Space>&,
                             double) = 0;
    virtual index_t steps() const = 0;
    virtual void reset() = 0;
    virtual void save(archive_writer&) const = 0;
    virtual void load(archive_reader&) = 0;
  };
  template <class S>
  struct holder final : interface {
    explicit holder(S s) : held(std::move(s)) {}
    step_report step(const oriented_view<T, Space>& w, const oriented_view<const T, Space>& g,
                     double rate) override {
      return held.step(w, g, rate);
    }
    index_t steps() const override { return held.steps(); }
    void reset() override { held.reset(); }
    void save(archive_writer& out) const override { held.save(out); }
    void load(archive_reader& in) override { held.load(in); }
    S held;
  };

  std::unique_ptr<interface> held_;
};

/// What makes a step once a parameter's shape is known: any rule, `muon()` or `adamw{}` say, turns
/// into one. A value; copies share nothing that changes.
template <Real T, class B>
class any_rule {
 public:
  using space = typename B::space;

  template <LmoTractable N>
  any_rule(lmo_rule<N> rule)  // NOLINT(google-explicit-constructor): a rule is a rule
      : name_("lmo"),
        takes_blocks_(true),
        make_([rule](index_t rows, index_t cols, B& b, std::vector<matrix_block> blocks) {
          return any_step<T, space>(lmo_step<N, T, B>(rule, rows, cols, b, std::move(blocks)));
        }) {}
  any_rule(adamw rule) : any_rule("adamw", rule) {}  // NOLINT(google-explicit-constructor)
  any_rule(sgd rule) : any_rule("sgd", rule) {}      // NOLINT(google-explicit-constructor)
  any_rule(lion rule) : any_rule("lion", rule) {}    // NOLINT(google-explicit-constructor)

  /// Blocks are ignored by rules that work entry by entry.
  [[nodiscard]] any_step<T, space> make(index_t rows, index_t cols, B& backend,
                                        std::vector<matrix_block> blocks = {}) const {
    return make_(rows, cols, backend, takes_blocks_ ? std::move(blocks)
                                                    : std::vector<matrix_block>());
  }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

 private:
  template <class Rule>
  any_rule(const char* name, Rule rule)
      : name_(name), make_([rule](index_t rows, index_t cols, B& b, std::vector<matrix_block>) {
          return any_step<T, space>(elementwise_step<Rule, T, B>(rule, rows, cols, b));
        }) {
    check(rule);
  }

  std::string name_;
  bool takes_blocks_ = false;
  std::function<any_step<T, space>(index_t, index_t, B&, std::vector<matrix_block>)> make_;
};

}  // namespace fanion
