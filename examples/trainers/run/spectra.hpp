/// @file  Singular values of gradients, momenta and weights through training.
#pragma once

#include <run/run_record.hpp>
#include <run/task.hpp>

#include <fanion/core/archive.hpp>
#include <fanion/optim/step.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <span>
#include <sstream>
#include <string>
#include <vector>

namespace trainers {

/// Largest first, computed in double.
[[nodiscard]] std::vector<float> singular_values(const Eigen::Ref<const Eigen::MatrixXf>& m);

/// The momentum M <- 0.95 M + 0.05 G of every hidden matrix, whatever optimizer runs, and the
/// spectra of M, G and the weights at the steps that were asked for. A decomposition costs
/// O(m n min(m, n)) flops; steps in between cost one read and write of M.
class spectrum_recorder {
  template <class T>
  [[nodiscard]] static auto map(const fanion::matrix_view<T>& m) {
    return Eigen::Map<const Eigen::MatrixXf, 0, Eigen::OuterStride<>>(m.data(), m.rows(), m.cols(),
                                                                      Eigen::OuterStride<>(m.ld()));
  }

 public:
  /// Keeps nothing where no steps are asked for.
  spectrum_recorder(std::vector<index_t> steps, task& net) : steps_(std::move(steps)) {
    if (steps_.empty()) return;
    std::size_t index = 0;
    for (auto& p : net.parameters()) {
      if (usual_treatment(p.kind, p.weight.rows(), p.weight.cols()) == fanion::treatment::matrix)
        matrices_.push_back({std::move(p), index, {}, {}});
      ++index;
    }
    for (watched& w : matrices_)
      w.momentum = w.before = Eigen::MatrixXf::Zero(w.parameter.weight.storage.rows(),
                                                    w.parameter.weight.storage.cols());
  }

  /// Call with gradients at hand, before the optimizer's step.
  void before(index_t step, run_record& run) {
    const bool look = asked(step);
    for (watched& w : matrices_) {
      const auto gradient = map(w.parameter.gradient.storage);
      w.momentum = 0.95f * w.momentum + 0.05f * gradient;
      if (!look) continue;
      w.before = map(w.parameter.weight.storage);
      run.spectra.push_back({step, w.parameter.name, singular_values(gradient),
                             singular_values(w.momentum), singular_values(w.before), 0, 0});
    }
  }
  /// Call after it, with what it reported of each of the task's parameters.
  void after(index_t step, std::span<const fanion::step_report> reports, run_record& run) {
    if (!asked(step)) return;
    auto at = run.spectra.end() - static_cast<std::ptrdiff_t>(matrices_.size());
    for (const watched& w : matrices_) {
      const auto moved = map(w.parameter.weight.storage) - w.before;
      at->update_rms = double(moved.norm()) / std::sqrt(double(w.before.size()));
      at->dual_norm = reports[w.index].dual_norm;
      ++at;
    }
  }

  /// The momenta, for a checkpoint.
  [[nodiscard]] std::string state() const {
    std::ostringstream bytes;
    fanion::archive_writer out(bytes);
    for (const watched& w : matrices_)
      out.write(
          std::span<const float>(w.momentum.data(), static_cast<std::size_t>(w.momentum.size())));
    return bytes.str();
  }
  /// @throws std::invalid_argument where the data ends early.
  void set_state(const std::string& state) {
    std::istringstream bytes(state);
    fanion::archive_reader in(bytes);
    for (watched& w : matrices_)
      in.read(std::span<float>(w.momentum.data(), static_cast<std::size_t>(w.momentum.size())));
  }

 private:
  struct watched {
    fanion::parameter<float> parameter;
    std::size_t index;  ///< among the task's parameters
    Eigen::MatrixXf momentum, before;
  };
  [[nodiscard]] bool asked(index_t step) const {
    return std::find(steps_.begin(), steps_.end(), step) != steps_.end();
  }
  std::vector<index_t> steps_;
  std::vector<watched> matrices_;
};

}  // namespace trainers
