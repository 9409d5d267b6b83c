/// @file  Some entries of a matrix, and an iterate seen at them alone.
#pragma once

#include <fanion/optim/low_rank.hpp>

#include <Eigen/Core>

#include <cmath>
#include <cstdint>
#include <vector>

namespace completion {

using fanion::index_t;
using factors = fanion::factor_view<float>;

/// Where, and what stands there; by rows, then by columns.
struct entry_list {
  std::vector<int> row, col;
  std::vector<float> value;

  [[nodiscard]] std::size_t size() const { return value.size(); }
  void push(index_t i, index_t j, float x) {
    row.push_back(static_cast<int>(i));
    col.push_back(static_cast<int>(j));
    value.push_back(x);
  }
};

/// The root of the mean square of x - what the list holds; 0 for no entries.
[[nodiscard]] inline double rmse(const entry_list& list, const Eigen::ArrayXf& x) {
  double sum = 0;
  for (std::size_t e = 0; e < list.size(); ++e) {
    const double d =
        static_cast<double>(x[static_cast<Eigen::Index>(e)]) - static_cast<double>(list.value[e]);
    sum += d * d;
  }
  return list.size() == 0 ? 0 : std::sqrt(sum / static_cast<double>(list.size()));
}

/// The iterate X at the entries of a list: all that is kept of it, moved along with it at the cost
/// of reading the few dyads of S there.
class followed_entries {
 public:
  explicit followed_entries(const entry_list& at)
      : at_(&at), x_(Eigen::ArrayXf::Zero(static_cast<Eigen::Index>(at.size()))), d_(x_) {}

  void begin(const factors& x) { read(x, x_); }
  /// The direction S - X.
  void aim(const factors& s) {
    read(s, d_);
    d_ -= x_;
  }
  /// X <- X + step (S - X).
  void advance(double step) { x_ += static_cast<float>(step) * d_; }

  [[nodiscard]] const Eigen::ArrayXf& values() const { return x_; }
  [[nodiscard]] const Eigen::ArrayXf& direction() const { return d_; }
  [[nodiscard]] double error() const { return rmse(*at_, x_); }

 private:
  void read(const factors& f, Eigen::ArrayXf& to) const {
    to.setZero();
    for (index_t c = 0; c < f.columns(); ++c) {
      const float w = f.weights[static_cast<std::size_t>(c)];
      const float *u = f.u.col(c), *v = f.v.col(c);
      for (std::size_t e = 0; e < at_->size(); ++e)
        to[static_cast<Eigen::Index>(e)] += w * u[at_->row[e]] * v[at_->col[e]];
    }
  }

  const entry_list* at_;
  Eigen::ArrayXf x_, d_;
};

}  // namespace completion
