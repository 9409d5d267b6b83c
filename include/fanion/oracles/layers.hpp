/// @file  One norm over many matrices: the layers of a network, each with a norm of its own.
#pragma once

#include <fanion/backend/entry_functions.hpp>
#include <fanion/oracles/plan.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace fanion {

/// How the layers' norms cᵢ nᵢ(Xᵢ) become one number, and with M = (M₁, M₂, …) what follows for the
/// dual and for the oracle's answer, in terms of δᵢ = nᵢ*(Mᵢ)/cᵢ:
///   largest   max cᵢ nᵢ    Σ δᵢ         Dᵢ = lmo(nᵢ, Mᵢ)/cᵢ: every layer moves
///   sum       Σ cᵢ nᵢ      max δᵢ       the same for one layer of largest δ, 0 for the others
///   squares   sqrt(Σ ()²)  sqrt(Σ δᵢ²)  Dᵢ = δᵢ/sqrt(Σ δ²) lmo(nᵢ, Mᵢ)/cᵢ
enum class layer_norm { largest, sum, squares };

/// The certificate of an answer in all layers.
struct layers_report {
  double objective = 0;    ///< Σ <Mᵢ, Dᵢ>
  double bound = 0;        ///< the dual norm of (M₁, M₂, …) is at most this
  double feasibility = 0;  ///< the norm of (D₁, D₂, …) is at most this
  index_t passes = 0;      ///< reads of all Mᵢ together, in reads of one
  fanion::outcome outcome = fanion::outcome::converged;  ///< that of the worst layer

  /// As lmo_report::gap.
  [[nodiscard]] double gap() const noexcept {
    lmo_report all;
    all.objective = objective;
    all.bound = bound;
    all.feasibility = feasibility;
    all.outcome = outcome;
    return all.gap();
  }
};

/// The oracle of the unit ball of a norm over layers. With `largest` and the cᵢ of modular norms
/// (Large et al. 2024) it is what optimizers do layer by layer, at rates 1/cᵢ; `sum` and `squares`
/// look at all layers before any moves. Movable, not copyable; one thread at a time.
template <Real T, class B>
class layers_plan {
 public:
  using space = typename B::space;

  explicit layers_plan(layer_norm how) : how_(how) {}

  /// Another layer, with norm c·n for matrices of rows x cols. Allocates.
  /// @throws std::invalid_argument unless c is above 0, and as plan_lmo.
  template <LmoTractable N, SpectralMethod Method = automatic>
  void add(const N& n, double c, index_t rows, index_t cols, const Method& method = {}) {
    layers_.push_back(std::make_unique<layer<N>>(n, rows, cols, method));
    weights_.push_back(expects_positive(c, "layers: c"));
    reports_.emplace_back();
  }
  [[nodiscard]] index_t size() const noexcept { return static_cast<index_t>(layers_.size()); }
  /// What the last execution said of a layer alone: D for lmo(nᵢ, Mᵢ).
  [[nodiscard]] const lmo_report& report(index_t i) const {
    return reports_[static_cast<std::size_t>(i)];
  }

  /// Dᵢ as above. A non-finite Mᵢ makes every D zero, and the outcome says so. Allocates nothing.
  /// @throws std::invalid_argument where there are not as many Mᵢ and Dᵢ as layers, or one has
  /// another shape than its layer, or two of its own overlap; every D is then as it was.
  layers_report execute(std::span<const oriented_view<const T, space>> m,
                        std::span<const oriented_view<T, space>> d) {
    check(m, d);
    layers_report all;
    fold attained{layer_norm_of_duals()}, bound{layer_norm_of_duals()};
    std::size_t leader = 0;
    bool zero = true;
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      reports_[i] = layers_[i]->answer(m[i], d[i]);
      const lmo_report& r = reports_[i];
      all.passes += r.passes;
      if (r.outcome == outcome::non_finite) return non_finite(d, all);
      if (r.outcome == outcome::zero_input) continue;
      zero = false;
      if (r.outcome != outcome::converged) all.outcome = r.outcome;
      all.feasibility = std::max(all.feasibility, r.feasibility);
      if (delta(i) > delta(leader)) leader = i;
      attained.add(delta(i));
      bound.add(r.bound / weights_[i]);
    }
    if (zero) {
      all.outcome = outcome::zero_input;
      return all;
    }
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      double share = 1;
      if (how_ == layer_norm::sum) share = i == leader ? 1 : 0;
      if (how_ == layer_norm::squares) share = delta(i) / attained.total;
      scale(d[i], static_cast<T>(share / weights_[i]));
    }
    all.objective = -attained.total;
    all.bound = bound.total;
    return all;
  }

  void reset() {
    for (auto& l : layers_) l->reset();
  }

 private:
  /// A norm of the numbers that were added.
  struct fold {
    layer_norm how;
    double total = 0;
    void add(double x) {
      total = how == layer_norm::largest ? std::max(total, x)
              : how == layer_norm::sum   ? total + x
                                         : std::hypot(total, x);
    }
  };
  [[nodiscard]] layer_norm layer_norm_of_duals() const {
    return how_ == layer_norm::largest ? layer_norm::sum
           : how_ == layer_norm::sum   ? layer_norm::largest
                                       : layer_norm::squares;
  }
  /// δᵢ, 0 for a zero Mᵢ.
  [[nodiscard]] double delta(std::size_t i) const { return -reports_[i].objective / weights_[i]; }

  struct interface {
    virtual ~interface() = default;
    virtual lmo_report answer(const oriented_view<const T, space>&,
                              const oriented_view<T, space>&) = 0;
    virtual void reset() = 0;
    virtual index_t rows() const = 0;
    virtual index_t cols() const = 0;
  };
  template <class N>
  struct layer final : interface {
    template <class Method>
    layer(const N& n, index_t rows, index_t cols, const Method& method)
        : plan(n, rows, cols, false, method, B()) {}
    lmo_report answer(const oriented_view<const T, space>& m,
                      const oriented_view<T, space>& d) override {
      return plan.update_views(m, d, 0, 1);
    }
    void reset() override { plan.reset(); }
    index_t rows() const override { return plan.rows(); }
    index_t cols() const override { return plan.cols(); }
    lmo_plan<N, T, B> plan;
  };

  void check(std::span<const oriented_view<const T, space>> m,
             std::span<const oriented_view<T, space>> d) const {
    if (m.size() != layers_.size()) refuse("layers: M", std::to_string(size()).c_str(), m.size());
    if (d.size() != layers_.size()) refuse("layers: D", std::to_string(size()).c_str(), d.size());
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      const std::string wanted = shape_text(layers_[i]->rows(), layers_[i]->cols());
      const auto look = [&](const char* what, const auto& x) {
        if (x.rows() != layers_[i]->rows() || x.cols() != layers_[i]->cols())
          refuse((std::string("layers: the shape of ") + what + " " + std::to_string(i)).c_str(),
                 wanted.c_str(), shape_text(x.rows(), x.cols()));
      };
      look("M", m[i]);
      look("D", d[i]);
      for (std::size_t j = 0; j < layers_.size(); ++j)
        if (overlaps(m[j].storage, d[i].storage))
          refuse(("layers: the memory of D " + std::to_string(i)).c_str(),
                 ("apart from that of M " + std::to_string(j)).c_str(), "an overlap");
      for (std::size_t j = 0; j < i; ++j)
        if (overlaps(d[j].storage, d[i].storage))
          refuse(("layers: the memory of D " + std::to_string(i)).c_str(),
                 ("apart from that of D " + std::to_string(j)).c_str(), "an overlap");
    }
  }

  layers_report non_finite(std::span<const oriented_view<T, space>> d, layers_report all) {
    for (const auto& x : d) backend_.fill(x.storage, T(0));
    all.outcome = outcome::non_finite;
    all.objective = all.bound = std::numeric_limits<double>::quiet_NaN();
    all.feasibility = 0;
    return all;
  }

  void scale(const oriented_view<T, space>& d, T factor) {
    if (factor == T(0)) return backend_.fill(d.storage, T(0));
    backend_.map_entries(d.storage.as_const(), d.storage, entry::times<T>{factor});
  }

  layer_norm how_;
  B backend_;
  std::vector<std::unique_ptr<interface>> layers_;
  std::vector<double> weights_;
  std::vector<lmo_report> reports_;
};

}  // namespace fanion
