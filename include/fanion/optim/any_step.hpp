/// @file  One step of any rule behind one type, for methods chosen at run time.
#pragma once

#include <fanion/optim/describe.hpp>
#include <fanion/optim/elementwise_steps.hpp>
#include <fanion/optim/lmo_step.hpp>

#include <functional>
#include <memory>
#include <string>
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
  /// Goes on from the momentum of another step of the same shape, where both have an oracle's;
  /// starts anew otherwise.
  void continue_from(const any_step& other) { held_->adopt(other.held_->momentum()); }
  void save(archive_writer& out) const { held_->save(out); }
  void load(archive_reader& in) { held_->load(in); }

 private:
  struct interface {
    virtual ~interface() = default;
    virtual step_report step(const oriented_view<T, Space>&, const oriented_view<const T, Space>&,
                             double) = 0;
    virtual index_t steps() const = 0;
    virtual void reset() = 0;
    virtual momentum_state<T, Space> momentum() const = 0;
    virtual void adopt(const momentum_state<T, Space>&) = 0;
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
    momentum_state<T, Space> momentum() const override {
      if constexpr (requires { held.state(); }) return held.state();
      return {};
    }
    void adopt(const momentum_state<T, Space>& from) override {
      if constexpr (requires { held.adopt(from); })
        if (!from.values.empty()) held.adopt(from);
    }
    void save(archive_writer& out) const override { held.save(out); }
    void load(archive_reader& in) override { held.load(in); }
    S held;
  };

  std::unique_ptr<interface> held_;
};

/// A rule for matrices that brings its own step: Rule::step<T, B>, made from (rule, rows, cols,
/// backend, blocks), Rule::name, and describe(rule). Example: dion.
template <class Rule, class T, class B>
concept MatrixRule = requires(const Rule& rule, B& backend, std::vector<matrix_block> blocks) {
  {std::string(Rule::name)};
  { describe(rule) } -> std::same_as<std::string>;
  typename Rule::template step<T, B>;
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
        text_(describe(rule)),
        matrix_(true),
        make_([rule](index_t rows, index_t cols, B& b, std::vector<matrix_block> blocks) {
          return any_step<T, space>(lmo_step<N, T, B>(rule, rows, cols, b, std::move(blocks)));
        }) {}
  template <class R>
  requires MatrixRule<R, T, B> any_rule(R rule)  // NOLINT(google-explicit-constructor)
      : name_(R::name),
        text_(describe(rule)),
        matrix_(true),
        make_([rule](index_t rows, index_t cols, B& b, std::vector<matrix_block> blocks) {
          using step = typename R::template step<T, B>;
          return any_step<T, space>(step(rule, rows, cols, b, std::move(blocks)));
        }) {
    check(rule);
  }
  any_rule(adamw rule) : any_rule("adamw", rule) {}  // NOLINT(google-explicit-constructor)
  any_rule(sgd rule) : any_rule("sgd", rule) {}      // NOLINT(google-explicit-constructor)
  any_rule(lion rule) : any_rule("lion", rule) {}    // NOLINT(google-explicit-constructor)

  /// Blocks are ignored by rules that work entry by entry.
  [[nodiscard]] any_step<T, space> make(index_t rows, index_t cols, B& backend,
                                        std::vector<matrix_block> blocks = {}) const {
    return make_(rows, cols, backend,
                 has_oracle() ? std::move(blocks) : std::vector<matrix_block>());
  }
  /// "lmo", "adamw", "sgd", "lion", or the name of a MatrixRule.
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// The rule with its norm and every option, as describe() writes it.
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  /// Whether it sees a matrix, and not its entries one by one.
  [[nodiscard]] bool has_oracle() const noexcept { return matrix_; }

 private:
  template <class Rule>
  any_rule(const char* name, const Rule& rule)
      : name_(name),
        text_(describe(rule)),
        make_([rule](index_t rows, index_t cols, B& b, const std::vector<matrix_block>&) {
          return any_step<T, space>(elementwise_step<Rule, T, B>(rule, rows, cols, b));
        }) {
    check(rule);
  }

  std::string name_, text_;
  bool matrix_ = false;
  std::function<any_step<T, space>(index_t, index_t, B&, std::vector<matrix_block>)> make_;
};

}  // namespace fanion
