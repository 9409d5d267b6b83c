/// @file  GPT-2: forward pass, cross-entropy and gradient, by hand.
///
/// Radford et al. 2019, "Language Models are Unsupervised Multitask Learners": embeddings of token
/// and position, then layers x <- x + attention(norm(x)), x <- x + feedforward(norm(x)), a last
/// norm, and the token embedding once more as the head. Activations have one token a column;
/// sequence b of length T has the columns b T … b T + T - 1.
#pragma once

#include <common/tally.hpp>
#include <gpt/layout.hpp>

#include <fanion/core/random.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace trainers {

/// Normal weights of deviation 0.02, those on the way back into x over sqrt(2 layers); biases 0,
/// factors of norms 1. From the seed alone.
template <fanion::Real T>
void initialise(gpt_parameters<T>& net, std::uint64_t seed) {
  std::uint64_t stream = fanion::mix_bits(seed);
  for (const gpt_extent& e : net.layout()) {
    ++stream;
    T* const values = net.values().data() + e.first;
    const std::string name = e.name;
    if (e.cols == 1) {
      std::fill_n(values, e.size(), name.ends_with("w") ? T(1) : T(0));
      continue;
    }
    const double back = name.ends_with("projw") ? 1 / std::sqrt(2.0 * double(e.layers)) : 1;
    for (index_t i = 0; i < e.size(); ++i)
      values[i] = static_cast<T>(0.02 * back * fanion::random_normal(stream, i, 0));
  }
}

namespace detail {

template <fanion::Real T>
using dense_matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
template <fanion::Real T>
using dense_row = Eigen::Matrix<T, 1, Eigen::Dynamic>;

/// Each column minus its mean over its deviation, and what the way back needs.
template <fanion::Real T>
struct normalised {
  dense_matrix<T> unit;    ///< columns of mean 0 and variance 1
  dense_row<T> inverse;    ///< 1 over the deviation
  dense_matrix<T> output;  ///< factor · unit + shift

  template <class X, class V>
  void forward(const X& x, const V& factor, const V& shift) {
    const T n = static_cast<T>(x.rows());
    unit = x.rowwise() - x.colwise().sum() / n;
    inverse = (unit.colwise().squaredNorm().array() / n + T(1e-5)).rsqrt();
    unit.array().rowwise() *= inverse.array();
    output = (unit.array().colwise() * factor.array()).colwise() + shift.array();
  }
  /// Adds to `into` the derivative by x; dy is that by the output.
  template <class V, class G>
  void backward(const dense_matrix<T>& dy, const V& factor, G&& d_factor, G&& d_shift,
                dense_matrix<T>& into) {
    const T n = static_cast<T>(unit.rows());
    d_factor += dy.cwiseProduct(unit).rowwise().sum();
    d_shift += dy.rowwise().sum();
    output = dy.array().colwise() * factor.array();  // by unit
    const dense_row<T> mean = output.colwise().sum() / n;
    const dense_row<T> along = output.cwiseProduct(unit).colwise().sum() / n;
    into.array() +=
        ((output.rowwise() - mean).array() - unit.array().rowwise() * along.array()).rowwise() *
        inverse.array();
  }
};

}  // namespace detail

/// What one layer keeps for the way back.
template <fanion::Real T>
struct gpt_layer_tape {
  detail::normalised<T> norm1, norm2;
  detail::dense_matrix<T> qkv;        ///< 3C x N
  detail::dense_matrix<T> attention;  ///< T x (T heads sequences): column i of a block says how
                                      ///< much token i takes of each token up to itself
  detail::dense_matrix<T> mixed;      ///< C x N
  detail::dense_matrix<T> hidden;     ///< 4C x N, before GELU
  detail::dense_matrix<T> bend;       ///< tanh of GELU
  detail::dense_matrix<T> active;     ///< GELU of hidden
};

/// The model over sequences of equal length. Buffers are made at the first call of a size and kept.
template <fanion::Real T>
class gpt_network {
 public:
  using matrix = detail::dense_matrix<T>;

  explicit gpt_network(const gpt_shape& s)
      : shape_(s), layers_(static_cast<std::size_t>(s.layers)) {}

  /// Cross-entropies of the next tokens: targets[i] follows tokens[i]. Sequences of `length` tokens
  /// stand one after the other. With a gradient, adds to it that of scale · (their sum).
  /// Cost: about 2 · parameters flops a token forward and twice that back, and 4 C T a layer for
  /// the attention.
  tally run(const gpt_parameters<T>& net, std::span<const std::uint16_t> tokens,
            std::span<const std::uint16_t> targets, index_t length, T scale,
            gpt_parameters<T>* gradient) {
    forward(net, tokens, length);
    if (gradient) dx_ = matrix::Zero(shape_.width, x_.cols());
    const tally sum = head(net, targets, scale, gradient);
    if (gradient) backward(net, tokens, length, *gradient);
    return sum;
  }

  /// The logits of what follows the last token of one sequence.
  [[nodiscard]] Eigen::Matrix<T, Eigen::Dynamic, 1> next(const gpt_parameters<T>& net,
                                                         std::span<const std::uint16_t> tokens) {
    forward(net, tokens, static_cast<index_t>(tokens.size()));
    return net.matrix(gpt_tensor::wte).leftCols(shape_.vocabulary).transpose() *
           last_.output.rightCols(1);
  }

 private:
  void forward(const gpt_parameters<T>& net, std::span<const std::uint16_t> tokens,
               index_t length) {
    using t = gpt_tensor;
    const auto n = static_cast<index_t>(tokens.size());
    x_.resize(shape_.width, n);
    const auto embedding = net.matrix(t::wte), position = net.matrix(t::wpe);
    for (index_t i = 0; i < n; ++i)
      x_.col(i) = embedding.col(tokens[static_cast<std::size_t>(i)]) + position.col(i % length);
    for (index_t l = 0; l < shape_.layers; ++l) {
      gpt_layer_tape<T>& a = layers_[static_cast<std::size_t>(l)];
      a.norm1.forward(x_, net.vector(t::ln1w, l), net.vector(t::ln1b, l));
      linear(net, t::qkvw, t::qkvb, l, a.norm1.output, a.qkv);
      attend(a, length);
      linear(net, t::attprojw, t::attprojb, l, a.mixed, y_);
      x_ += y_;
      a.norm2.forward(x_, net.vector(t::ln2w, l), net.vector(t::ln2b, l));
      linear(net, t::fcw, t::fcb, l, a.norm2.output, a.hidden);
      const auto h = a.hidden.array();
      a.bend = (root_ * (h + T(0.044715) * h.cube())).tanh();
      a.active = T(0.5) * h * (T(1) + a.bend.array());
      linear(net, t::fcprojw, t::fcprojb, l, a.active, y_);
      x_ += y_;
    }
    last_.forward(x_, net.vector(t::lnfw), net.vector(t::lnfb));
  }

  static void linear(const gpt_parameters<T>& net, gpt_tensor w, gpt_tensor b, index_t layer,
                     const matrix& x, matrix& y) {
    y.noalias() = net.matrix(w, layer).transpose() * x;
    y.colwise() += net.vector(b, layer);
  }
  /// Adds the derivatives by weight and bias, and sets that by x.
  static void linear_back(const gpt_parameters<T>& net, gpt_parameters<T>& gradient, gpt_tensor w,
                          gpt_tensor b, index_t layer, const matrix& x, const matrix& dy,
                          matrix& dx) {
    gradient.matrix(w, layer).noalias() += x * dy.transpose();
    gradient.vector(b, layer) += dy.rowwise().sum();
    dx.noalias() = net.matrix(w, layer) * dy;
  }

  /// One head of one sequence: where its queries, keys and values stand in qkv.
  template <class M>
  [[nodiscard]] auto part(M& qkv, index_t which, index_t head, index_t sequence,
                          index_t length) const {
    const index_t size = shape_.width / shape_.heads;
    return qkv.block(which * shape_.width + head * size, sequence * length, size, length);
  }

  void attend(gpt_layer_tape<T>& a, index_t length) const {
    const index_t sequences = a.qkv.cols() / length, heads = shape_.heads;
    const T scale = T(1) / std::sqrt(static_cast<T>(shape_.width / heads));
    a.attention.resize(length, length * heads * sequences);
    a.mixed.resize(shape_.width, a.qkv.cols());
    for (index_t b = 0; b < sequences; ++b)
      for (index_t h = 0; h < heads; ++h) {
        auto p = a.attention.middleCols((b * heads + h) * length, length);
        p.noalias() =
            scale * (part(a.qkv, 1, h, b, length).transpose() * part(a.qkv, 0, h, b, length));
        for (index_t i = 0; i < length; ++i) {
          auto seen = p.col(i).head(i + 1);
          seen = (seen.array() - seen.maxCoeff()).exp();
          seen /= seen.sum();
          p.col(i).tail(length - i - 1).setZero();
        }
        part(a.mixed, 0, h, b, length).noalias() = part(a.qkv, 2, h, b, length) * p;
      }
  }

  /// From d_mixed in y_ to the derivative by qkv in dqkv_.
  void attend_back(const gpt_layer_tape<T>& a, index_t length) {
    const index_t sequences = a.qkv.cols() / length, heads = shape_.heads;
    const T scale = T(1) / std::sqrt(static_cast<T>(shape_.width / heads));
    dqkv_.resize(a.qkv.rows(), a.qkv.cols());
    for (index_t b = 0; b < sequences; ++b)
      for (index_t h = 0; h < heads; ++h) {
        const auto p = a.attention.middleCols((b * heads + h) * length, length);
        const auto dy = part(y_, 0, h, b, length);
        part(dqkv_, 2, h, b, length).noalias() = dy * p.transpose();
        scores_.noalias() = part(a.qkv, 2, h, b, length).transpose() * dy;
        const detail::dense_row<T> mean = scores_.cwiseProduct(p).colwise().sum();
        scores_ = scale * p.array() * (scores_.rowwise() - mean).array();
        part(dqkv_, 0, h, b, length).noalias() = part(a.qkv, 1, h, b, length) * scores_;
        part(dqkv_, 1, h, b, length).noalias() = part(a.qkv, 0, h, b, length) * scores_.transpose();
      }
  }

  /// Softmax and cross-entropy in pieces of the batch: with a vocabulary of 50,257 the logits of
  /// all tokens at once would be larger than everything else together.
  tally head(const gpt_parameters<T>& net, std::span<const std::uint16_t> targets, T scale,
             gpt_parameters<T>* gradient) {
    constexpr index_t piece = 512;
    const auto words = net.matrix(gpt_tensor::wte).leftCols(shape_.vocabulary);
    const index_t n = last_.output.cols();
    if (gradient) y_.resize(shape_.width, n);
    tally sum;
    sum.count = n;
    for (index_t first = 0; first < n; first += piece) {
      const index_t count = std::min(piece, n - first);
      const auto x = last_.output.middleCols(first, count);
      logits_.noalias() = words.transpose() * x;
      for (index_t i = 0; i < count; ++i) {
        auto z = logits_.col(i);
        const index_t target = targets[static_cast<std::size_t>(first + i)];
        Eigen::Index best = 0;
        const T top = z.maxCoeff(&best);
        const T wanted = z(target) - top;
        z = (z.array() - top).exp();
        const T mass = z.sum();
        sum.loss += std::log(double(mass)) - double(wanted);
        sum.correct += best == target ? 1 : 0;
        if (!gradient) continue;
        z *= scale / mass;
        z(target) -= scale;
      }
      if (!gradient) continue;
      gradient->matrix(gpt_tensor::wte).leftCols(shape_.vocabulary).noalias() +=
          x * logits_.transpose();
      y_.middleCols(first, count).noalias() = words * logits_;
    }
    return sum;
  }

  /// From the derivative by the last norm's output in y_ to that by every parameter.
  void backward(const gpt_parameters<T>& net, std::span<const std::uint16_t> tokens, index_t length,
                gpt_parameters<T>& gradient) {
    using t = gpt_tensor;
    last_.backward(y_, net.vector(t::lnfw), gradient.vector(t::lnfw), gradient.vector(t::lnfb),
                   dx_);
    for (index_t l = shape_.layers; l-- > 0;) {
      gpt_layer_tape<T>& a = layers_[static_cast<std::size_t>(l)];
      linear_back(net, gradient, t::fcprojw, t::fcprojb, l, a.active, dx_, dh_);
      const auto h = a.hidden.array(), u = a.bend.array();
      dh_.array() *= T(0.5) * (T(1) + u) + T(0.5) * h * (T(1) - u.square()) * root_ *
                                               (T(1) + T(3 * 0.044715) * h.square());
      linear_back(net, gradient, t::fcw, t::fcb, l, a.norm2.output, dh_, y_);
      a.norm2.backward(y_, net.vector(t::ln2w, l), gradient.vector(t::ln2w, l),
                       gradient.vector(t::ln2b, l), dx_);
      linear_back(net, gradient, t::attprojw, t::attprojb, l, a.mixed, dx_, y_);
      attend_back(a, length);
      linear_back(net, gradient, t::qkvw, t::qkvb, l, a.norm1.output, dqkv_, y_);
      a.norm1.backward(y_, net.vector(t::ln1w, l), gradient.vector(t::ln1w, l),
                       gradient.vector(t::ln1b, l), dx_);
    }
    auto embedding = gradient.matrix(t::wte), position = gradient.matrix(t::wpe);
    for (index_t i = 0; i < dx_.cols(); ++i) {
      embedding.col(tokens[static_cast<std::size_t>(i)]) += dx_.col(i);
      position.col(i % length) += dx_.col(i);
    }
  }

  static constexpr T root_ = T(0.79788456080286535588);  ///< sqrt(2/π)

  gpt_shape shape_;
  std::vector<gpt_layer_tape<T>> layers_;
  detail::normalised<T> last_;
  matrix x_, y_, dx_, dh_, dqkv_, scores_, logits_;
};

}  // namespace trainers
