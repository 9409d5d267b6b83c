/// @file  What takes part: a contender answers a question in one of several settings.
#pragma once

#include <fanion/core/types.hpp>

#include <Eigen/Core>

#include <cstdint>
#include <functional>
#include <iterator>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace peers {

using fanion::index_t;

inline constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

/// The matrix in both precisions, how many leading triplets are wanted, and where to start from.
/// Who can stop at `patience` milliseconds does: such an answer comes too late to count.
struct question {
  const Eigen::MatrixXd& a;
  const Eigen::MatrixXf& narrow;
  index_t k = 0;
  std::uint64_t seed = 0;
  double patience = std::numeric_limits<double>::infinity();
};

/// Leading triplets, or for polar questions X ≈ UVᵀ, with what it took. `unknown` where the
/// library does not say.
struct answer {
  Eigen::MatrixXd u, v;
  Eigen::VectorXd sigma;
  Eigen::MatrixXd polar;
  double milliseconds = 0;
  double reads = unknown;     ///< of the whole matrix
  double products = unknown;  ///< of A or Aᵀ with one vector
  double iterations = unknown;
  double certified = unknown;  ///< a proven bound on the gap
  double failure_probability = unknown;
  std::string outcome;
};

/// One way to ask. Settings with the same basis stand from loose to tight, so that the first of
/// them that is good enough is the fastest.
struct setting {
  std::string label;
  index_t basis = 0;
  std::function<answer(const question&)> run;
};

/// `fit` stands instead of settings where the only setting is a number of iterations.
struct contender {
  std::string name;
  std::string kind = "peer";  ///< or "ours", or "baseline": the seeds' methods as we have them
  std::string scalar = "double";
  int threads = 2;
  std::vector<setting> settings;
  bool reference = false;  ///< takes its turns even where it is not good enough
  std::function<answer(const question&, index_t iterations)> fit = nullptr;
  index_t block = 0;  ///< columns that `fit` iterates on: its rate is σ(block + 1) / σ(k)
};

using contenders = std::vector<contender>;

inline void append(contenders& all, contenders more) {
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

/// A library that takes part: what `found_peers` of the build lists. What it has no part in is
/// null.
struct peer {
  std::string name;
  std::string version;
  std::function<contenders(index_t r, index_t k)> leading;  ///< r: the shorter side
  std::function<contenders(const std::string& scalar, int threads)> polar;
  std::function<void(int)> use_threads;
  std::function<answer(const question&)> tight = nullptr;  ///< leading triplets as good as it can
  bool full_only = false;  ///< its answers to leading questions are full decompositions
};

}  // namespace peers
