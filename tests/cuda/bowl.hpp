/// @file  The smallest network that a trainer's optimizer can move.
#pragma once

#include <cuda/gradient.hpp>
#include <run/task.hpp>

#include <Eigen/Core>

#include <cstdint>
#include <vector>

namespace fanion_test {

/// Two matrices, one of them with gaps between its columns and stored by rows, and a bias; the loss
/// is half the square of what they are away from zero, and of a slope that changes.
class bowl final : public trainers::task {
 public:
  bowl() { start(1); }

  void start(std::uint64_t seed) override {
    // Into the memory that is there: an optimizer knows its address.
    W.block(0, 0, 12, 20) = gradient<float>(12, 20, static_cast<unsigned>(seed));
    V.block(0, 0, 9, 7) = gradient<float>(9, 7, static_cast<unsigned>(seed) + 1);
    c.block(0, 0, 12, 1) = gradient<float>(12, 1, static_cast<unsigned>(seed) + 2);
    (void)descend(seed, 0);
  }
  std::vector<fanion::parameter<float>> parameters() override {
    using fanion::make_parameter, fanion::matrix_view, fanion::oriented_view;
    const auto view = [](Eigen::MatrixXf& m) {
      return matrix_view<float>(m.data(), m.rows(), m.cols());
    };
    const auto part = [](Eigen::MatrixXf& m) {
      return matrix_view<float>(m.data() + 1, 6, 7, m.rows());
    };
    return {make_parameter<float>("W", oriented_view<float>{view(W), false},
                                  oriented_view<const float>{view(dW).as_const(), false}),
            make_parameter<float>("V", oriented_view<float>{part(V), true},
                                  oriented_view<const float>{part(dV).as_const(), true}),
            make_parameter<float>("c", oriented_view<float>{view(c), false},
                                  oriented_view<const float>{view(dc).as_const(), false},
                                  fanion::parameter_kind::bias)};
  }
  trainers::tally descend(std::uint64_t, index_t step) override {
    dW = W + 0.1f * gradient<float>(12, 20, static_cast<unsigned>(step));
    dV = V + 0.1f * gradient<float>(9, 7, static_cast<unsigned>(step));
    dc = c;
    return {};
  }
  trainers::tally evaluate(trainers::examples_of) override { return {}; }

  Eigen::MatrixXf W{12, 20}, V{9, 7}, c{12, 1}, dW{12, 20}, dV{9, 7}, dc{12, 1};
};

}  // namespace fanion_test
