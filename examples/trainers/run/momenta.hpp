/// @file  Momenta of the first hidden matrix, written down for benchmarks of the oracles.
///
/// A file is the 8 bytes "FANMOM01", then three little-endian 64-bit integers (rows, columns,
/// count), then `count` matrices of 32-bit floats, each column after column.
#pragma once

#include <run/task.hpp>

#include <Eigen/Core>

#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace trainers {

/// M ← β M + (1 − β) G with β = 0.95, whatever optimizer runs; one matrix a step up to `limit`.
class momentum_recorder {
 public:
  /// @throws std::runtime_error naming the file if it cannot be written.
  momentum_recorder(const std::filesystem::path& path, index_t limit)
      : path_(path), limit_(limit), file_(path, std::ios::binary) {
    check();
  }

  [[nodiscard]] bool full() const noexcept { return count_ >= limit_; }

  void add(task& net) {
    if (full()) return;
    for (const auto& p : net.parameters()) {
      if (usual_treatment(p.kind, p.weight.rows(), p.weight.cols()) != fanion::treatment::matrix)
        continue;
      const auto& g = p.gradient.storage;
      const Eigen::Map<const Eigen::MatrixXf, 0, Eigen::OuterStride<>> stored(
          g.data(), g.rows(), g.cols(), Eigen::OuterStride<>(g.ld()));
      if (p.gradient.transposed)
        add(stored.transpose());
      else
        add(stored);
      return;
    }
  }
  void add(const Eigen::MatrixXf& gradient) {
    if (full()) return;
    if (count_ == 0) momentum_ = Eigen::MatrixXf::Zero(gradient.rows(), gradient.cols());
    momentum_ = 0.95f * momentum_ + 0.05f * gradient;
    ++count_;
    // The header is rewritten with the count so far: a run cut short leaves a readable file.
    file_.seekp(0);
    file_.write("FANMOM01", 8);
    const std::array<std::int64_t, 3> head{momentum_.rows(), momentum_.cols(), count_};
    file_.write(reinterpret_cast<const char*>(head.data()), sizeof head);
    file_.seekp(0, std::ios::end);
    file_.write(reinterpret_cast<const char*>(momentum_.data()),
                static_cast<std::streamsize>(sizeof(float)) * momentum_.size());
    check();
  }

 private:
  void check() const {
    if (!file_) throw std::runtime_error(path_.string() + ": cannot be written (--record)");
  }

  std::filesystem::path path_;
  index_t limit_;
  std::ofstream file_;
  Eigen::MatrixXf momentum_;
  index_t count_ = 0;
};

}  // namespace trainers
