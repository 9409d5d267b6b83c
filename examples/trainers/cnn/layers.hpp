/// @file  The layers of convolutional networks: forward, and the gradient by hand.
///
/// Activations of n images of height x width with c channels are a matrix of c x (n height width):
/// a pixel is a column, pixels of an image follow each other row by row. Weights stand in one block
/// that all shards read; every shard has layers of its own, which keep what the way back needs.
#pragma once

#include <fanion/core/random.hpp>
#include <fanion/optim/parameters.hpp>

#include <Eigen/Core>
#include <unsupported/Eigen/SpecialFunctions>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace trainers {

using fanion::index_t;

/// One image's worth of activations.
struct volume {
  index_t height = 0, width = 0, channels = 0;

  [[nodiscard]] index_t pixels() const noexcept { return height * width; }
  [[nodiscard]] index_t size() const noexcept { return pixels() * channels; }
};

/// One tensor in the block: `cols` outputs of `rows` inputs each, inputs fastest; a vector has one
/// row.
struct tensor_extent {
  std::string name;
  index_t inputs, outputs;
  fanion::parameter_kind kind;
  index_t first = 0;

  [[nodiscard]] index_t size() const noexcept { return inputs * outputs; }
};

/// How a forward pass is made. Random numbers follow from the stream and the image's own number.
struct pass_settings {
  bool training = false;
  std::uint64_t stream = 0;
  index_t first_image = 0;
};

template <fanion::Real T>
using activations = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;

template <fanion::Real T>
class layer {
 public:
  virtual ~layer() = default;
  /// Shape of what comes out; the layer's tensors are added to the list.
  virtual volume plan(volume in, std::vector<tensor_extent>& tensors) = 0;
  virtual void initialise(T* /*weights*/, std::uint64_t /*stream*/) const {}
  virtual void forward(const T* weights, const activations<T>& x, const pass_settings& how,
                       activations<T>& y) = 0;
  /// From the derivative by y to that by x; adds those by the weights. x and y as in the last
  /// forward pass. The first layer of a network may leave dx alone: nobody reads it.
  virtual void backward(const T* weights, const activations<T>& x, const activations<T>& dy,
                        T* gradient, activations<T>& dx) = 0;
};

namespace detail {

/// Adds a tensor at the end of the block and returns its place.
inline index_t add_tensor(std::vector<tensor_extent>& tensors, std::string name, index_t inputs,
                          index_t outputs, fanion::parameter_kind kind) {
  const index_t at = tensors.empty() ? 0 : tensors.back().first + tensors.back().size();
  tensors.push_back({std::move(name), inputs, outputs, kind, at});
  return at;
}

/// Uniform in ±bound.
template <fanion::Real T>
void fill_uniform(T* values, index_t count, double bound, std::uint64_t stream) {
  for (index_t i = 0; i < count; ++i)
    values[i] = static_cast<T>(bound * (2 * fanion::random_uniform(stream, i, 0) - 1));
}

template <fanion::Real T>
[[nodiscard]] Eigen::Map<activations<T>> map(T* at, index_t rows, index_t cols) {
  return {at, rows, cols};
}
template <fanion::Real T>
[[nodiscard]] Eigen::Map<const activations<T>> map(const T* at, index_t rows, index_t cols) {
  return {at, rows, cols};
}

}  // namespace detail

/// Zero-padded convolution with stride 1, by products with the patches of an image. A kernel has
/// the order [out][row][column][in]: an oracle does not mind how its inputs are numbered, and
/// channels of a pixel are copied together. Start: uniform in ±1/sqrt(inputs), or Dirac's: output i
/// is input i.
template <fanion::Real T>
class convolution final : public layer<T> {
 public:
  struct settings {
    std::string name;
    index_t outputs;
    index_t kernel = 3;
    index_t padding = 1;
    bool bias = true;
    bool dirac = false;
    bool first = false;  ///< in the network
  };
  explicit convolution(settings s) : s_(std::move(s)) {}

  volume plan(volume in, std::vector<tensor_extent>& tensors) override {
    in_ = in;
    out_ = {in.height + 2 * s_.padding - s_.kernel + 1, in.width + 2 * s_.padding - s_.kernel + 1,
            s_.outputs};
    inputs_ = s_.kernel * s_.kernel * in.channels;
    weight_ = detail::add_tensor(tensors, s_.name + ".weight", inputs_, s_.outputs,
                                 fanion::parameter_kind::convolution);
    if (s_.bias)
      bias_ = detail::add_tensor(tensors, s_.name + ".bias", 1, s_.outputs,
                                 fanion::parameter_kind::bias);
    return out_;
  }

  void initialise(T* weights, std::uint64_t stream) const override {
    const double bound = 1 / std::sqrt(double(inputs_));
    detail::fill_uniform(weights + weight_, inputs_ * s_.outputs, bound, stream);
    if (s_.bias) detail::fill_uniform(weights + bias_, s_.outputs, bound, stream + 1);
    if (!s_.dirac) return;
    const index_t middle = (s_.kernel / 2 * s_.kernel + s_.kernel / 2) * in_.channels;
    for (index_t i = 0; i < std::min(s_.outputs, in_.channels); ++i) {
      T* const kernel = weights + weight_ + i * inputs_;
      std::fill_n(kernel, inputs_, T(0));
      kernel[middle + i] = T(1);
    }
  }

  void forward(const T* weights, const activations<T>& x, const pass_settings&,
               activations<T>& y) override {
    const index_t images = x.cols() / in_.pixels();
    const auto w = detail::map(weights + weight_, inputs_, s_.outputs);
    y.resize(s_.outputs, images * out_.pixels());
    for (index_t i = 0; i < images; ++i) {
      gather(x, i);
      y.middleCols(i * out_.pixels(), out_.pixels()).noalias() = w.transpose() * patches_;
    }
    if (s_.bias) y.colwise() += detail::map(weights + bias_, s_.outputs, 1).col(0);
  }

  void backward(const T* weights, const activations<T>& x, const activations<T>& dy, T* gradient,
                activations<T>& dx) override {
    const index_t images = x.cols() / in_.pixels();
    const auto w = detail::map(weights + weight_, inputs_, s_.outputs);
    auto dw = detail::map(gradient + weight_, inputs_, s_.outputs);
    if (s_.bias) detail::map(gradient + bias_, s_.outputs, 1).col(0) += dy.rowwise().sum();
    if (!s_.first) dx.setZero(in_.channels, x.cols());
    for (index_t i = 0; i < images; ++i) {
      const auto mine = dy.middleCols(i * out_.pixels(), out_.pixels());
      gather(x, i);
      dw.noalias() += patches_ * mine.transpose();
      if (s_.first) continue;
      patches_.noalias() = w * mine;
      scatter(dx, i);
    }
  }

 private:
  /// f(place in a patch, output row, first output column, first input column, count): where the
  /// rows of patches and image lie on each other.
  template <class F>
  void for_each_run(F&& f) const {
    for (index_t ky = 0; ky < s_.kernel; ++ky)
      for (index_t kx = 0; kx < s_.kernel; ++kx) {
        const index_t first = std::max<index_t>(0, s_.padding - kx);
        const index_t last = std::min(out_.width, in_.width + s_.padding - kx);
        for (index_t y = 0; y < out_.height; ++y) {
          const index_t row = y + ky - s_.padding;
          if (row < 0 || row >= in_.height || first >= last) continue;
          f((ky * s_.kernel + kx) * in_.channels, y * out_.width + first,
            row * in_.width + first + kx - s_.padding, last - first);
        }
      }
  }
  void gather(const activations<T>& x, index_t image) {
    patches_.setZero(inputs_, out_.pixels());
    const auto from = x.middleCols(image * in_.pixels(), in_.pixels());
    for_each_run([&](index_t place, index_t out, index_t in, index_t count) {
      patches_.block(place, out, in_.channels, count) = from.middleCols(in, count);
    });
  }
  void scatter(activations<T>& dx, index_t image) const {
    auto to = dx.middleCols(image * in_.pixels(), in_.pixels());
    for_each_run([&](index_t place, index_t out, index_t in, index_t count) {
      to.middleCols(in, count) += patches_.block(place, out, in_.channels, count);
    });
  }

  settings s_;
  volume in_, out_;
  index_t inputs_ = 0, weight_ = 0, bias_ = 0;
  activations<T> patches_;
};

/// The largest of each k x k square; what is left over at the right and below is not used.
template <fanion::Real T>
class max_pool final : public layer<T> {
 public:
  explicit max_pool(index_t k) : k_(k) {}

  volume plan(volume in, std::vector<tensor_extent>&) override {
    if (k_ < 1 || in.height < k_ || in.width < k_)
      throw std::runtime_error("images are too small for this network: what is left of them, " +
                               std::to_string(in.height) + " x " + std::to_string(in.width) +
                               ", has no square of side " +
                               std::to_string(std::max<index_t>(k_, 1)));
    in_ = in;
    out_ = {in.height / k_, in.width / k_, in.channels};
    return out_;
  }
  void forward(const T*, const activations<T>& x, const pass_settings&,
               activations<T>& y) override {
    y.resize(in_.channels, x.cols() / in_.pixels() * out_.pixels());
    which_.resize(y.rows(), y.cols());
    for_each_square(y.cols(), [&](index_t to, index_t corner) {
      auto best = y.col(to).array();
      auto which = which_.col(to).array();
      best = x.col(corner).array();
      which.setZero();
      for (index_t d = 1; d < k_ * k_; ++d) {
        const auto other = x.col(corner + place(d)).array();
        which = (other > best).select(static_cast<T>(d), which);
        best = best.max(other);
      }
    });
  }
  void backward(const T*, const activations<T>& x, const activations<T>& dy, T*,
                activations<T>& dx) override {
    dx.setZero(x.rows(), x.cols());
    for_each_square(dy.cols(), [&](index_t from, index_t corner) {
      for (index_t d = 0; d < k_ * k_; ++d)
        dx.col(corner + place(d)).array() =
            (which_.col(from).array() == static_cast<T>(d)).select(dy.col(from).array(), T(0));
    });
  }

 private:
  [[nodiscard]] index_t place(index_t d) const { return d / k_ * in_.width + d % k_; }
  /// f(column of the output, column of its square's upper left corner).
  template <class F>
  void for_each_square(index_t outputs, F&& f) const {
    for (index_t to = 0; to < outputs; ++to) {
      const index_t image = to / out_.pixels(), pixel = to % out_.pixels();
      f(to, image * in_.pixels() + pixel / out_.width * k_ * in_.width + pixel % out_.width * k_);
    }
  }

  index_t k_;
  volume in_, out_;
  activations<T> which_;  ///< of the squares' entries in their order, as numbers of the type
};

/// max(0, x).
template <fanion::Real T>
class relu final : public layer<T> {
 public:
  volume plan(volume in, std::vector<tensor_extent>&) override { return in; }
  void forward(const T*, const activations<T>& x, const pass_settings&,
               activations<T>& y) override {
    y = x.cwiseMax(T(0));
  }
  void backward(const T*, const activations<T>& x, const activations<T>& dy, T*,
                activations<T>& dx) override {
    dx = (x.array() > T(0)).select(dy, T(0));
  }
};

/// x Φ(x), with the normal distribution function Φ.
template <fanion::Real T>
class gelu final : public layer<T> {
 public:
  volume plan(volume in, std::vector<tensor_extent>&) override { return in; }
  void forward(const T*, const activations<T>& x, const pass_settings&,
               activations<T>& y) override {
    below_ = T(0.5) + T(0.5) * (T(0.70710678118654752440) * x.array()).erf();
    y = x.cwiseProduct(below_);
  }
  void backward(const T*, const activations<T>& x, const activations<T>& dy, T*,
                activations<T>& dx) override {
    const T density = T(0.39894228040143267794);
    dx = dy.array() * (below_.array() + density * x.array() * (T(-0.5) * x.array().square()).exp());
  }

 private:
  activations<T> below_;
};

/// (x - mean)/deviation + bias for each channel over all pixels of the shard's batch. There are no
/// running averages: what is used outside training is what the last training pass measured, so that
/// whoever evaluates a network first shows it a batch.
template <fanion::Real T>
class batch_norm final : public layer<T> {
 public:
  explicit batch_norm(std::string name, double eps = 1e-12)
      : name_(std::move(name)), eps_(T(eps)) {}

  volume plan(volume in, std::vector<tensor_extent>& tensors) override {
    channels_ = in.channels;
    bias_ = detail::add_tensor(tensors, name_ + ".bias", 1, channels_,
                               fanion::parameter_kind::normalization);
    return in;
  }
  void forward(const T* weights, const activations<T>& x, const pass_settings& how,
               activations<T>& y) override {
    const T n = static_cast<T>(x.cols());
    if (how.training) mean_ = x.rowwise().sum() / n;
    unit_ = x.colwise() - mean_;
    if (how.training) inverse_ = (unit_.rowwise().squaredNorm().array() / n + eps_).rsqrt();
    unit_.array().colwise() *= inverse_.array();
    y = unit_.colwise() + detail::map(weights + bias_, channels_, 1).col(0);
  }
  void backward(const T*, const activations<T>&, const activations<T>& dy, T* gradient,
                activations<T>& dx) override {
    const T n = static_cast<T>(dy.cols());
    const Eigen::Matrix<T, Eigen::Dynamic, 1> sum = dy.rowwise().sum();
    const Eigen::Matrix<T, Eigen::Dynamic, 1> along = dy.cwiseProduct(unit_).rowwise().sum();
    detail::map(gradient + bias_, channels_, 1).col(0) += sum;
    dx = dy.colwise() - sum / n;
    dx.array() -= unit_.array().colwise() * (along.array() / n);
    dx.array().colwise() *= inverse_.array();
  }

 private:
  std::string name_;
  T eps_;
  index_t channels_ = 0, bias_ = 0;
  Eigen::Matrix<T, Eigen::Dynamic, 1> mean_, inverse_;
  activations<T> unit_;
};

/// All pixels of an image become one column, whose entries are its channels pixel by pixel.
template <fanion::Real T>
class flatten final : public layer<T> {
 public:
  volume plan(volume in, std::vector<tensor_extent>&) override {
    in_ = in;
    return {1, 1, in.size()};
  }
  void forward(const T*, const activations<T>& x, const pass_settings&,
               activations<T>& y) override {
    y = detail::map(x.data(), in_.size(), x.cols() / in_.pixels());
  }
  void backward(const T*, const activations<T>& x, const activations<T>& dy, T*,
                activations<T>& dx) override {
    dx = detail::map(dy.data(), x.rows(), x.cols());
  }

 private:
  volume in_;
};

/// scale · W x + b. Start: uniform in ±1/sqrt(inputs).
template <fanion::Real T>
class linear final : public layer<T> {
 public:
  struct settings {
    std::string name;
    index_t outputs;
    fanion::parameter_kind kind = fanion::parameter_kind::hidden;
    bool bias = true;
    double scale = 1;
  };
  explicit linear(settings s) : s_(std::move(s)) {}

  volume plan(volume in, std::vector<tensor_extent>& tensors) override {
    inputs_ = in.channels;
    weight_ = detail::add_tensor(tensors, s_.name + ".weight", inputs_, s_.outputs, s_.kind);
    if (s_.bias)
      bias_ = detail::add_tensor(tensors, s_.name + ".bias", 1, s_.outputs,
                                 fanion::parameter_kind::bias);
    return {1, 1, s_.outputs};
  }
  void initialise(T* weights, std::uint64_t stream) const override {
    const double bound = 1 / std::sqrt(double(inputs_));
    detail::fill_uniform(weights + weight_, inputs_ * s_.outputs, bound, stream);
    if (s_.bias) detail::fill_uniform(weights + bias_, s_.outputs, bound, stream + 1);
  }
  void forward(const T* weights, const activations<T>& x, const pass_settings&,
               activations<T>& y) override {
    y.noalias() = static_cast<T>(s_.scale) *
                  (detail::map(weights + weight_, inputs_, s_.outputs).transpose() * x);
    if (s_.bias) y.colwise() += detail::map(weights + bias_, s_.outputs, 1).col(0);
  }
  void backward(const T* weights, const activations<T>& x, const activations<T>& dy, T* gradient,
                activations<T>& dx) override {
    const T scale = static_cast<T>(s_.scale);
    detail::map(gradient + weight_, inputs_, s_.outputs).noalias() += scale * (x * dy.transpose());
    if (s_.bias) detail::map(gradient + bias_, s_.outputs, 1).col(0) += dy.rowwise().sum();
    dx.noalias() = scale * (detail::map(weights + weight_, inputs_, s_.outputs) * dy);
  }

 private:
  settings s_;
  index_t inputs_ = 0, weight_ = 0, bias_ = 0;
};

/// In training, entries are 0 with the share's probability and grow by 1/(1 - share) otherwise.
template <fanion::Real T>
class dropout final : public layer<T> {
 public:
  explicit dropout(double share) : share_(share) {}

  volume plan(volume in, std::vector<tensor_extent>& tensors) override {
    pixels_ = in.pixels();
    salt_ = static_cast<std::uint64_t>(tensors.size());
    return in;
  }
  void forward(const T*, const activations<T>& x, const pass_settings& how,
               activations<T>& y) override {
    if (!how.training) {
      y = x;
      return;
    }
    const std::uint64_t stream = fanion::mix_bits(how.stream + salt_);
    const T kept = static_cast<T>(1 / (1 - share_));
    mask_.resize(x.rows(), x.cols());
    for (index_t j = 0; j < x.cols(); ++j)
      for (index_t i = 0; i < x.rows(); ++i)
        mask_(i, j) =
            fanion::random_uniform(stream, i, how.first_image * pixels_ + j) < share_ ? T(0) : kept;
    y = x.cwiseProduct(mask_);
  }
  void backward(const T*, const activations<T>&, const activations<T>& dy, T*,
                activations<T>& dx) override {
    dx = dy.cwiseProduct(mask_);
  }

 private:
  double share_;
  index_t pixels_ = 1;
  std::uint64_t salt_ = 0;
  activations<T> mask_;
};

}  // namespace trainers
