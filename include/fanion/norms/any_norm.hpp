/// @file  Norms that are known at run time: sums of any of the library's norms, and their duals.
#pragma once

#include <fanion/core/contract.hpp>
#include <fanion/norms/calculus.hpp>
#include <fanion/norms/capabilities.hpp>
#include <fanion/norms/describe.hpp>
#include <fanion/norms/entrywise.hpp>
#include <fanion/norms/frobenius.hpp>
#include <fanion/norms/ky_fan.hpp>
#include <fanion/norms/owl.hpp>
#include <fanion/norms/rms.hpp>
#include <fanion/norms/rowwise.hpp>
#include <fanion/norms/schatten.hpp>
#include <fanion/norms/spectral_nuclear.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace fanion {

/// owl(w) with weights known at run time.
class any_owl : public norm_base {
 public:
  using category = spectral_tag;

  /// @throws std::invalid_argument as owl.
  explicit any_owl(std::vector<double> weights) : weights_(std::move(weights)) {
    if (weights_.empty()) refuse("owl: weights", "at least one", 0);
    detail::expects_owl_weights(weights_);
  }

  [[nodiscard]] double weight(index_t j) const {
    return j < static_cast<index_t>(weights_.size()) ? weights_[static_cast<std::size_t>(j)] : 0;
  }
  [[nodiscard]] any_owl transposed() const { return *this; }
  [[nodiscard]] index_t depth(index_t r) const {
    return std::min(static_cast<index_t>(weights_.size()), r);
  }
  template <Real T>
  [[nodiscard]] T gauge(spectrum_view<T> s) const {
    return detail::owl_gauge<T>(weights_, s);
  }
  template <Real T>
  void subgradient(spectrum_view<T> s, weight_view<T> w) const {
    detail::owl_subgradient<T>(weights_, s, w);
  }
  [[nodiscard]] std::string name() const {
    std::string text = "owl(";
    for (std::size_t j = 0; j < weights_.size(); ++j)
      text += (j == 0 ? "" : ", ") + describe(weights_[j]);
    return text + ")";
  }
  friend bool operator==(const any_owl&, const any_owl&) = default;

 private:
  std::vector<double> weights_;
};

/// Σ cᵢ nᵢ with terms chosen at run time. The rest of the library sees the same leaves as in a sum
/// that the compiler knows, so answers are the same.
class any_sum : public norm_base {
 public:
  using category = composite_tag;
  using leaf =
      std::variant<frobenius, spectral, nuclear, ky_fan, ky_fan_dual, any_owl, schatten, rms_to_rms,
                   rms_to_rms_dual, max_abs, sum_abs, max_row, sum_row, max_col, sum_col>;
  struct term {
    double coefficient = 1;
    leaf norm;
    friend bool operator==(const term&, const term&) = default;
  };

  /// @throws std::invalid_argument unless there are terms, with finite coefficients of at least 0.
  explicit any_sum(std::vector<term> terms) : terms_(std::move(terms)) {
    if (terms_.empty()) refuse("norm: terms", "at least one", 0);
    for (const term& t : terms_) (void)expects_coefficient(t.coefficient, "norm coefficient");
  }

  [[nodiscard]] const std::vector<term>& terms() const noexcept { return terms_; }
  /// f(coefficient, leaf) for each term with a positive coefficient.
  template <class F>
  void for_each(F&& f, double coefficient) const {
    for (const term& t : terms_)
      if (t.coefficient > 0)
        std::visit([&](const auto& n) { f(coefficient * t.coefficient, n); }, t.norm);
  }
  [[nodiscard]] bool is_positive() const {
    return std::any_of(terms_.begin(), terms_.end(),
                       [](const term& t) { return t.coefficient > 0; });
  }
  /// Whether the dual has a closed form: ordered and Frobenius terms only.
  [[nodiscard]] bool is_ordered() const {
    bool ordered = true;
    for_each(
        [&]<class L>(double, const L&) {
          ordered = ordered && (OrderedNorm<L> || std::same_as<L, frobenius>);
        },
        1);
    return ordered;
  }
  [[nodiscard]] any_sum transposed() const {
    std::vector<term> terms;
    for (const term& t : terms_)
      std::visit(
          [&](const auto& n) {
            const auto turned = n.transposed();
            using turned_type = std::remove_cvref_t<decltype(turned)>;
            if constexpr (is_scaled<turned_type>)
              terms.push_back({t.coefficient * turned.coefficient(), turned.inner()});
            else
              terms.push_back({t.coefficient, turned});
          },
          t.norm);
    return any_sum(std::move(terms));
  }
  /// As parse_norm reads it.
  [[nodiscard]] std::string name() const {
    std::string text;
    for (const term& t : terms_) {
      if (!text.empty()) text += " + ";
      if (t.coefficient != 1) text += describe(t.coefficient) + " * ";
      text += std::visit([](const auto& n) { return describe(n); }, t.norm);
    }
    return text;
  }

  friend bool operator==(const any_sum&, const any_sum&) = default;

 private:
  std::vector<term> terms_;
};

/// The dual of a multiple of one norm whose dual is a norm of the library; nothing for other sums.
[[nodiscard]] inline std::optional<any_sum> dual_of_one(const any_sum& n) {
  if (n.terms().size() != 1 || !(n.terms()[0].coefficient > 0)) return std::nullopt;
  const any_sum::term& t = n.terms()[0];
  return std::visit(
      [&]<class L>(const L& leaf) -> std::optional<any_sum> {
        if constexpr (Dualizable<L>)
          return any_sum({{1 / t.coefficient, leaf.dual()}});
        else
          return std::nullopt;
      },
      t.norm);
}

namespace detail {
// What it holds is looked at when it is used.
template <>
inline constexpr bool is_ordered_sum<any_sum> = true;
template <>
inline constexpr bool has_sum_rule<any_sum> = true;
}  // namespace detail

/// The closed dual of an any_sum. @throws std::invalid_argument where a term has no ordered
/// weights.
template <>
struct dual_gauge<any_sum> {
  [[nodiscard]] static constexpr index_t workspace(index_t r) noexcept {
    return pools::workspace(r);
  }
  [[nodiscard]] static double solve(const any_sum& n, std::span<const double> s,
                                    std::span<double> u, std::span<double> work) {
    check(n);
    return ordered_maximum(
        s, [&n](index_t j) { return ordered_weight(n, j); }, euclidean_weight(n), u, work);
  }
  static void check(const any_sum& n) {
    if (!n.is_ordered())
      refuse("norm", "one whose dual has a closed form: Ky Fan, owl and Frobenius terms",
             n.name().c_str());
  }
};

/// A norm made at run time: a sum, or the dual of one. See parse_norm.
class any_norm {
 public:
  explicit any_norm(any_sum sum) : norm_(std::move(sum)) {}
  explicit any_norm(dual_of<any_sum> polar) : norm_(std::move(polar)) {}

  /// f(any_sum) or f(dual_of<any_sum>).
  template <class F>
  decltype(auto) visit(F&& f) const {
    return std::visit(std::forward<F>(f), norm_);
  }
  [[nodiscard]] bool is_dual() const { return norm_.index() == 1; }
  [[nodiscard]] any_norm dual() const {
    return visit([]<class N>(const N& n) {
      if constexpr (std::same_as<N, any_sum>)
        if (auto one = dual_of_one(n)) return any_norm(std::move(*one));
      return any_norm(fanion::dual(n));
    });
  }
  friend bool operator==(const any_norm&, const any_norm&) = default;

 private:
  std::variant<any_sum, dual_of<any_sum>> norm_;
};

[[nodiscard]] inline any_norm dual(const any_norm& n) { return n.dual(); }

/// The same norm in the form from which its ball's oracle follows: that of a single norm is the
/// subgradient of its own dual. @throws std::invalid_argument where the ball has no oracle: that of
/// a sum with other terms than ordered and Frobenius ones.
[[nodiscard]] inline any_norm as_ball(const any_norm& n) {
  return n.visit([]<class N>(const N& norm) {
    if constexpr (std::same_as<N, any_sum>) {
      if (auto one = dual_of_one(norm)) return any_norm(dual_of<any_sum>(std::move(*one)));
      dual_gauge<any_sum>::check(norm);
    }
    return any_norm(norm);
  });
}

[[nodiscard]] inline std::string describe(const any_norm& n) {
  return n.visit([](const auto& norm) { return describe(norm); });
}

}  // namespace fanion
