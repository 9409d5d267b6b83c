/// @file  The network input - hidden - classes with GELU, softmax cross-entropy, and its gradient.
///
/// A batch is a matrix with one image a column, so that a weight matrix is outputs x inputs, the
/// layout in which an oracle's shape scaling reads "m outputs, n inputs".
#pragma once

#include <common/tally.hpp>

#include <fanion/core/random.hpp>
#include <fanion/core/types.hpp>

#include <Eigen/Core>
#include <unsupported/Eigen/SpecialFunctions>

#include <cmath>
#include <cstdint>
#include <limits>
#include <span>

namespace trainers {

template <fanion::Real T>
using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
template <fanion::Real T>
using column = Eigen::Matrix<T, Eigen::Dynamic, 1>;

/// The weights of the network; a gradient has the same parts.
template <fanion::Real T>
struct mlp {
  matrix<T> hidden;  ///< width x inputs
  column<T> hidden_bias;
  matrix<T> head;  ///< classes x width
  column<T> head_bias;

  mlp(index_t inputs, index_t width, index_t classes)
      : hidden(matrix<T>::Zero(width, inputs)),
        hidden_bias(column<T>::Zero(width)),
        head(matrix<T>::Zero(classes, width)),
        head_bias(column<T>::Zero(classes)) {}

  /// f(part) for each of the four parts, in a fixed order.
  template <class F>
  void for_each(F&& f) {
    f(hidden);
    f(hidden_bias);
    f(head);
    f(head_bias);
  }

  mlp& operator+=(const mlp& other) {
    hidden += other.hidden;
    hidden_bias += other.hidden_bias;
    head += other.head;
    head_bias += other.head_bias;
    return *this;
  }
};

/// Weights and biases uniform in ±1/sqrt(inputs of the layer), from the seed alone.
template <fanion::Real T>
[[nodiscard]] mlp<T> initial_mlp(index_t inputs, index_t width, index_t classes,
                                 std::uint64_t seed) {
  mlp<T> net(inputs, width, classes);
  std::uint64_t part = 0;
  net.for_each([&](auto& w) {
    const double bound = 1 / std::sqrt(double(part < 2 ? inputs : width));
    const std::uint64_t stream = fanion::mix_bits(seed) + part++;
    w = w.NullaryExpr(w.rows(), w.cols(), [&](Eigen::Index i, Eigen::Index j) {
      return static_cast<T>(bound * (2 * fanion::random_uniform(stream, i, j) - 1));
    });
  });
  return net;
}

/// Intermediate values of one shard, kept so that a step allocates nothing new.
template <fanion::Real T>
struct tape {
  matrix<T> input;   ///< the images, one a column
  matrix<T> pre;     ///< H = W x + b
  matrix<T> cdf;     ///< Φ(H), the standard normal distribution function
  matrix<T> active;  ///< GELU(H) = H Φ(H)
  matrix<T> output;  ///< the logits; after `forward` the class probabilities
};

/// Fills the tape from tape.input and adds up loss and hits. Label i belongs to column i.
/// Cost: 2 · width · (inputs + classes) flops an image.
template <fanion::Real T>
tally forward(const mlp<T>& net, std::span<const std::uint8_t> labels, tape<T>& t) {
  t.pre.noalias() = net.hidden * t.input;
  t.pre.colwise() += net.hidden_bias;
  const T half = T(0.5);
  const T inverse_root_two = T(0.70710678118654752440);
  t.cdf = half + half * (inverse_root_two * t.pre.array()).erf();
  t.active = t.pre.cwiseProduct(t.cdf);
  t.output.noalias() = net.head * t.active;
  t.output.colwise() += net.head_bias;

  tally sum;
  sum.count = static_cast<index_t>(labels.size());
  for (index_t i = 0; i < sum.count; ++i) {
    auto z = t.output.col(i);
    const index_t label = labels[static_cast<std::size_t>(i)];
    Eigen::Index best = 0;
    const T top = z.maxCoeff(&best);
    const T wanted = z(label) - top;
    z = (z.array() - top).exp();
    const T mass = z.sum();
    sum.loss += std::log(double(mass)) - double(wanted);
    sum.correct += best == label ? 1 : 0;
    z /= mass;
  }
  return sum;
}

/// Zero in place of numbers whose products might be subnormal: far below what a sum of such terms
/// resolves, and on some processors a hundred times slower to multiply. A confident network has
/// many of them: probabilities of classes out of the question, densities far out.
template <fanion::Real T>
void drop_tiny(matrix<T>& x) {
  const T least = std::sqrt(std::numeric_limits<T>::min());
  x = (x.array().abs() < least).select(T(0), x);
}

/// The gradient of scale · (sum of the losses) at the tape that `forward` filled; uses the tape up.
/// Cost: 2 · width · (inputs + 2 · classes) flops an image.
template <fanion::Real T>
void backward(const mlp<T>& net, std::span<const std::uint8_t> labels, T scale, tape<T>& t,
              mlp<T>& gradient) {
  for (std::size_t i = 0; i < labels.size(); ++i)
    t.output(labels[i], static_cast<Eigen::Index>(i)) -= T(1);
  t.output *= scale;
  drop_tiny(t.output);
  gradient.head.noalias() = t.output * t.active.transpose();
  gradient.head_bias = t.output.rowwise().sum();

  // GELU'(h) = Φ(h) + h φ(h), with the normal density φ.
  const T inverse_root_two_pi = T(0.39894228040143267794);
  t.active.noalias() = net.head.transpose() * t.output;
  t.active.array() *= t.cdf.array() + t.pre.array() * (T(-0.5) * t.pre.array().square()).exp() *
                                          inverse_root_two_pi;
  drop_tiny(t.active);
  gradient.hidden.noalias() = t.active * t.input.transpose();
  gradient.hidden_bias = t.active.rowwise().sum();
}

}  // namespace trainers
