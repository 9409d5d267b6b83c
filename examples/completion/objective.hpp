/// @file  f(X) = Σ (xᵢⱼ - mᵢⱼ)² / 2 over the observed entries, as frank_wolfe wants it.
#pragma once

#include <completion/entries.hpp>

#include <fanion/adapters/eigen_sparse.hpp>
#include <fanion/optim/frank_wolfe_factors.hpp>

#include <Eigen/SparseCore>

namespace completion {

/// Its gradient is a sparse matrix with X - M in the observed places. A step reads the oracle's
/// dyads there and nothing else: X is never written down, nor read from its factors.
class squared_error {
 public:
  using sparse = Eigen::SparseMatrix<float, Eigen::RowMajor>;

  /// `observed` has to outlive it, and to be sorted by rows, then columns.
  squared_error(index_t rows, index_t cols, const entry_list& observed)
      : data_(&observed), seen_(observed), gradient_(rows, cols), operator_(gradient_) {
    gradient_.reserve(static_cast<Eigen::Index>(observed.size()));
    std::size_t e = 0;
    for (index_t i = 0; i < rows; ++i) {
      gradient_.startVec(i);
      for (; e < observed.size() && observed.row[e] == i; ++e)
        gradient_.insertBack(i, observed.col[e]) = 0;
    }
    gradient_.finalize();
  }
  squared_error(const squared_error&) = delete;  // the operator refers to the gradient
  squared_error& operator=(const squared_error&) = delete;

  void begin(const factors& x) { seen_.begin(x); }
  [[nodiscard]] double value() const { return half_square(0); }
  fanion::sparse_operator<sparse>& gradient() {
    Eigen::Map<Eigen::ArrayXf>(gradient_.valuePtr(), gradient_.nonZeros()) =
        seen_.values() - values();
    return operator_;
  }
  /// <X - M, S - X> over the observed entries.
  [[nodiscard]] double aim(const factors& s) {
    seen_.aim(s);
    return ((seen_.values() - values()).cast<double>() * seen_.direction().cast<double>()).sum();
  }
  [[nodiscard]] double value_along(double step) const { return half_square(step); }
  void advance(double step) { seen_.advance(step); }
  [[nodiscard]] double curvature() const { return seen_.direction().cast<double>().square().sum(); }

  /// Of the observed entries.
  [[nodiscard]] double error() const { return seen_.error(); }

 private:
  [[nodiscard]] Eigen::Map<const Eigen::ArrayXf> values() const {
    return {data_->value.data(), static_cast<Eigen::Index>(data_->size())};
  }
  [[nodiscard]] double half_square(double step) const {
    return 0.5 *
           ((seen_.values() - values()).cast<double>() + step * seen_.direction().cast<double>())
               .square()
               .sum();
  }

  const entry_list* data_;
  followed_entries seen_;
  sparse gradient_;
  fanion::sparse_operator<sparse> operator_;
};

/// The same, with other entries beside the observed ones that the iterate is followed at.
class watched_error : public squared_error {
 public:
  watched_error(index_t rows, index_t cols, const entry_list& observed, const entry_list& others)
      : squared_error(rows, cols, observed), others_(others) {}

  void begin(const factors& x) {
    squared_error::begin(x);
    others_.begin(x);
  }
  [[nodiscard]] double aim(const factors& s) {
    others_.aim(s);
    return squared_error::aim(s);
  }
  void advance(double step) {
    squared_error::advance(step);
    others_.advance(step);
  }
  [[nodiscard]] double error_of_others() const { return others_.error(); }

 private:
  followed_entries others_;
};

static_assert(fanion::CurvedFactoredObjective<watched_error, float>);

}  // namespace completion
