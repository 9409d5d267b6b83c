/// @file  Sharpness-aware gradients under any norm: taken where the ball around X is highest.
///
/// ε = argmax { <G, E> : N(E) <= ρ } = -ρ lmo(N, G); the base step then uses the gradient at X + ε.
/// Foret et al. 2021 have the Frobenius norm; the nuclear norm, ε = ρ u₁v₁ᵀ, is nuSAM's.
#pragma once

#include <fanion/optim/blocks.hpp>
#include <fanion/optim/weight_copy.hpp>
#include <fanion/oracles/plan.hpp>

#include <cstdint>
#include <optional>
#include <sstream>
#include <string>

namespace fanion {

struct sharpness_options {
  double rho = 0.05;
  std::optional<double> gap = {};  ///< as in lmo_options
  std::uint64_t seed = 0;
};

/// Moves the weights of one parameter to X + ε and back. Each iteration, with W in place:
///
///   g = gradient(W, batch);  probe.perturb(W, g);  g = gradient(W, batch);  probe.restore(W);
///   then any step, or an optimizer's, with g.
///
/// Keeps a plan, warm from the last call, and a copy of the weights. Allocates in the constructor
/// only.
template <LmoTractable N, Real T, class B>
class sharpness_probe {
 public:
  using space = typename B::space;

  /// @throws std::invalid_argument unless rho is finite and at least 0 and gap above 0.
  sharpness_probe(const N& n, const sharpness_options& o, index_t rows, index_t cols, B& backend)
      : rho_(expects_coefficient(o.rho, "sharpness: rho")),
        plan_(n, rows, cols, false, method_for(n, o, std::min(rows, cols)), backend),
        held_(rows, cols, backend) {}

  /// W <- X + ε; the report is the oracle's. A zero or non-finite gradient leaves W as it is.
  /// @throws std::invalid_argument for shapes that do not fit, an overlap of W and G, or a second
  /// call before restore.
  lmo_report perturb(const oriented_view<T, space>& weight,
                     const oriented_view<const T, space>& gradient) {
    if (away_) throw std::invalid_argument("perturb: restore must come first");
    held_.clear();
    (void)held_.values(weight);
    if (overlaps(weight.storage, gradient.storage))
      refuse("perturb: the memory of the gradient", "apart from that of the weight", "an overlap");
    if (gradient.rows() != weight.rows() || gradient.cols() != weight.cols())
      refuse("perturb: the shape of the gradient", shape_text(weight.rows(), weight.cols()).c_str(),
             shape_text(gradient.rows(), gradient.cols()));
    held_.hold(weight);
    away_ = true;
    return plan_.update_views(gradient, weight, 1, -rho_);
  }
  /// W <- X, bit for bit. @throws std::invalid_argument unless perturb came first.
  void restore(const oriented_view<T, space>& weight) {
    if (!away_) throw std::invalid_argument("restore: perturb must come first");
    held_.restore(weight);
    away_ = false;
  }

  /// Forgets the subspace.
  void reset() { plan_.reset(); }
  /// What the next call starts from. @throws std::invalid_argument between perturb and restore.
  void save(archive_writer& out) const {
    if (away_) throw std::invalid_argument("save: restore must come first");
    std::ostringstream memory;
    plan_.save(memory);
    out.write(std::string("sharpness_probe"));
    out.write(memory.str());
  }
  /// @throws std::invalid_argument where the state is of another scalar, shape or method.
  void load(archive_reader& in) {
    const std::string found = in.read_text();
    if (found != "sharpness_probe")
      throw std::invalid_argument("checkpoint: expected sharpness_probe, found " + found);
    std::istringstream memory(in.read_text(std::uint64_t(1) << 40));
    plan_.load(memory);
  }

 private:
  static automatic method_for(const N& n, const sharpness_options& o, index_t r) {
    if (o.gap) (void)expects_positive(*o.gap, "sharpness: gap");
    return {.gap = o.gap.value_or(need_of(dual(n), r).polar ? 1e-3 : 1e-2), .seed = o.seed};
  }

  double rho_;
  lmo_plan<N, T, B&> plan_;
  weight_copy<T, B> held_;
  bool away_ = false;
};

}  // namespace fanion
