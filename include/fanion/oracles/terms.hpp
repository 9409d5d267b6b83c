/// @file  Walking an expression once: what it needs from the spectrum, its value, its subgradient.
///
/// The sum rule does everything: a subgradient of Σ cᵢ fᵢ is Σ cᵢ ∂fᵢ. Spectral terms share one set
/// of triplets, taken at the greatest depth that any of them asks for, and their weights are added
/// before a matrix is formed; ‖M‖_F is computed once for all.
#pragma once

#include <fanion/norms/calculus.hpp>
#include <fanion/norms/capabilities.hpp>
#include <fanion/norms/frobenius.hpp>
#include <fanion/spectral/automatic.hpp>

#include <algorithm>
#include <span>

namespace fanion {

/// What the terms of `n` with positive coefficients ask of a matrix whose shorter side is r.
template <Subdifferentiable N>
[[nodiscard]] spectral_need need_of(const N& n, index_t r) {
  index_t depth = 0;
  bool flat = true;
  for_each_term(n, [&]<class L>(double, const L& leaf) {
    if constexpr (SpectralNorm<L>) {
      const index_t wanted = leaf.depth(r);
      depth = std::max(depth, wanted);
      flat = flat && FlatSpectralNorm<L> && wanted == r;
    }
  });
  return {depth, flat && depth > 0};
}

/// Whether the weights of all terms that read the whole spectrum may end before it does, so that
/// leading triplets can be enough.
template <Subdifferentiable N>
[[nodiscard]] bool cuts_off(const N& n, index_t r) {
  bool every = true;
  for_each_term(n, [&]<class L>(double, const L& leaf) {
    if constexpr (SpectralNorm<L>) {
      if (leaf.depth(r) < r) return;
      if constexpr (requires { leaf.cuts_off(r); })
        every = every && leaf.cuts_off(r);
      else
        every = false;
    }
  });
  return every;
}

/// Lets every term that a shape may not fit look at the shape.
template <Norm N>
void check_shape_of(const N& n, index_t rows, index_t cols) {
  if constexpr (is_dual_of<N>) {
    check_shape_of(n.dual(), rows, cols);
  } else if constexpr (is_rescaled<N>) {
    n.check_shape(rows, cols);
    check_shape_of(n.inner(), rows, cols);
  } else {
    for_each_term(n, [&]<class L>(double, const L& leaf) {
      if constexpr (is_dual_of<L>) {
        check_shape_of(leaf.dual(), rows, cols);
      } else if constexpr (is_pair<L>) {
        check_shape_of(leaf.first(), rows, cols);
        check_shape_of(leaf.second(), rows, cols);
      } else if constexpr (ShapedNorm<L>) {
        leaf.check_shape(rows, cols);
      }
    });
  }
}

/// Doubles that the spectral terms are lent, in turn.
template <Subdifferentiable N>
[[nodiscard]] index_t workspace_of(const N& n, index_t r) {
  index_t most = 0;
  for_each_term(n, [&]<class L>(double, const L& leaf) {
    if constexpr (SpectralNorm<L> && WorkingGauge<L>)
      most = std::max<index_t>(most, leaf.workspace(leaf.depth(r)));
  });
  return most;
}

/// Σ cᵢ gaugeᵢ(s) over the spectral terms; `s` holds at least the depth that the terms read, `work`
/// is workspace_of(n, r) long.
template <Subdifferentiable N, class S>
[[nodiscard]] double spectral_value(const N& n, index_t r, std::span<const S> s,
                                    std::span<double> work) {
  double value = 0;
  for_each_term(n, [&]<class L>(double c, const L& leaf) {
    if constexpr (SpectralNorm<L>) {
      const auto read = s.first(static_cast<std::size_t>(leaf.depth(r)));
      value += c * static_cast<double>(gauge_of(leaf, read, work));
    }
  });
  return value;
}

/// Σ cᵢ wᵢ over the spectral terms, into `weights`; `scratch` is as long.
template <Subdifferentiable N, Real T>
void spectral_weights(const N& n, index_t r, std::span<const T> s, std::span<T> weights,
                      std::span<T> scratch, std::span<double> work) {
  std::fill(weights.begin(), weights.end(), T(0));
  for_each_term(n, [&]<class L>(double c, const L& leaf) {
    if constexpr (SpectralNorm<L>) {
      const auto depth = static_cast<std::size_t>(leaf.depth(r));
      subgradient_of(leaf, s.first(depth), scratch.first(depth), work);
      for (std::size_t i = 0; i < depth; ++i) weights[i] += static_cast<T>(c) * scratch[i];
    }
  });
}

/// Σ cᵢ flat weightᵢ: the multiple of the polar factor that the spectral terms ask for.
template <Subdifferentiable N>
[[nodiscard]] double polar_weight(const N& n) {
  double weight = 0;
  for_each_term(n, [&]<class L>(double c, const L& leaf) {
    if constexpr (FlatSpectralNorm<L>) weight += c * leaf.flat_weight();
  });
  return weight;
}

/// Scalars that the terms that read entries are lent, in turn.
template <Subdifferentiable N>
[[nodiscard]] index_t entry_workspace_of(const N& n, index_t rows, index_t cols) {
  index_t most = 0;
  for_each_term(n, [&]<class L>(double, const L& leaf) {
    if constexpr (WorkingEntries<L>) most = std::max<index_t>(most, leaf.workspace(rows, cols));
  });
  return most;
}

/// What the terms that read entries add up to, and how often they read the matrix.
struct entrywise_value {
  double value = 0;
  index_t passes = 0;
};

/// For an X as it is stored: where that is the transpose, `n` is the transpose's norm.
template <Subdifferentiable N, class B, class T, class Space>
[[nodiscard]] entrywise_value value_of_entries(const N& n, B& b, matrix_view<const T, Space> x,
                                               T length, std::type_identity_t<std::span<T>> work) {
  entrywise_value result;
  for_each_term(n, [&]<class L>(double c, const L& leaf) {
    if constexpr (std::same_as<L, frobenius>) {
      result.value += c * static_cast<double>(length);
    } else if constexpr (EntrywiseNorm<L>) {
      if constexpr (WorkingEntries<L>)
        result.value += c * static_cast<double>(leaf.value(b, x, work));
      else
        result.value += c * static_cast<double>(leaf.value(b, x));
      ++result.passes;
    }
  });
  return result;
}

/// D += scale Σ cᵢ ∂fᵢ(X) over the terms that read entries. Returns the passes over X.
template <Subdifferentiable N, class B, class T, class Space>
index_t add_entrywise_subgradients(const N& n, B& b, const oriented_view<const T, Space>& x,
                                   matrix_view<T, Space> d, double scale, T length,
                                   std::type_identity_t<std::span<T>> work) {
  index_t passes = 0;
  for_each_term(n, [&]<class L>(double c, const L& leaf) {
    const T factor = static_cast<T>(scale * c);
    if constexpr (std::same_as<L, frobenius>) {
      leaf.add_direction(b, x, d, factor, length);
      ++passes;
    } else if constexpr (EntrywiseNorm<L>) {
      if constexpr (WorkingEntries<L>)
        leaf.add_subgradient(b, x, d, factor, work);
      else
        leaf.add_subgradient(b, x, d, factor);
      if constexpr (requires { L::subgradient_passes; })
        passes += L::subgradient_passes;
      else
        ++passes;
    }
  });
  return passes;
}

}  // namespace fanion
