/// @file  A chain of layers with softmax cross-entropy at its end, and the two networks that are
/// trained here.
#pragma once

#include <cnn/layers.hpp>
#include <common/tally.hpp>

#include <Eigen/Eigenvalues>

#include <cmath>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace trainers {

/// The layers of one shard, with the activations between them. Weights stand outside.
template <fanion::Real T>
class chain {
 public:
  explicit chain(volume input) : input_(input), output_(input) {}

  template <class L>
  void add(L l) {
    output_ = l.plan(output_, tensors_);
    layers_.push_back(std::make_unique<L>(std::move(l)));
    values_.emplace_back();
  }

  [[nodiscard]] const volume& input() const noexcept { return input_; }
  [[nodiscard]] index_t classes() const noexcept { return output_.channels; }
  [[nodiscard]] const std::vector<tensor_extent>& tensors() const noexcept { return tensors_; }
  [[nodiscard]] std::size_t parameter_count() const {
    return tensors_.empty()
               ? 0
               : static_cast<std::size_t>(tensors_.back().first + tensors_.back().size());
  }

  /// The seed's weights.
  void initialise(std::span<T> weights, std::uint64_t seed) const {
    std::fill(weights.begin(), weights.end(), T(0));
    std::uint64_t stream = fanion::mix_bits(seed);
    for (const auto& l : layers_) l->initialise(weights.data(), stream += 2);
  }

  /// Logits of images that stand in `x`, one a column.
  const activations<T>& logits(const T* weights, const activations<T>& x,
                               const pass_settings& how) {
    for (std::size_t i = 0; i < layers_.size(); ++i)
      layers_[i]->forward(weights, i == 0 ? x : values_[i - 1], how, values_[i]);
    return values_.back();
  }

  /// Adds the gradient of scale · (sum of the losses) at the last forward pass over the same x. The
  /// label's share of the wanted distribution is 1 - smoothing, the rest is spread evenly over all.
  tally backward(const T* weights, const activations<T>& x, std::span<const std::uint8_t> labels,
                 T scale, T smoothing, T* gradient) {
    activations<T>& z = values_.back();
    const tally sum = cross_entropy(z, labels, smoothing);
    z *= scale;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      auto column = z.col(static_cast<Eigen::Index>(i));
      column.array() -= scale * smoothing / static_cast<T>(z.rows());
      column(labels[i]) -= scale * (1 - smoothing);
    }
    dy_ = z;
    for (std::size_t i = layers_.size(); i-- > 0;) {
      layers_[i]->backward(weights, i == 0 ? x : values_[i - 1], dy_, gradient, dx_);
      std::swap(dx_, dy_);
    }
    return sum;
  }

  /// Softmax in place; losses and hits of the columns.
  static tally cross_entropy(activations<T>& z, std::span<const std::uint8_t> labels, T smoothing) {
    tally sum;
    sum.count = static_cast<index_t>(labels.size());
    for (std::size_t i = 0; i < labels.size(); ++i) {
      auto column = z.col(static_cast<Eigen::Index>(i));
      Eigen::Index best = 0;
      const T top = column.maxCoeff(&best);
      column.array() -= top;
      const double wanted = double(1 - smoothing) * double(column(labels[i])) +
                            double(smoothing) * double(column.mean());
      column = column.array().exp();
      const T mass = column.sum();
      sum.loss += std::log(double(mass)) - wanted;
      sum.correct += best == labels[i] ? 1 : 0;
      column /= mass;
    }
    return sum;
  }

 private:
  volume input_, output_;
  std::vector<tensor_extent> tensors_;
  std::vector<std::unique_ptr<layer<T>>> layers_;
  std::vector<activations<T>> values_;
  activations<T> dy_, dx_;
};

/// Two blocks of convolution, ReLU and 2 x 2 maximum, then a hidden layer with dropout and a head:
/// the drafts' network.
template <fanion::Real T>
[[nodiscard]] chain<T> plain_network(volume input, index_t classes, index_t width, double share) {
  chain<T> net(input);
  net.add(convolution<T>({"conv1", width, 3, 1, true, false, true}));
  net.add(relu<T>());
  net.add(max_pool<T>(2));
  net.add(convolution<T>({"conv2", 2 * width}));
  net.add(relu<T>());
  net.add(max_pool<T>(2));
  net.add(flatten<T>());
  net.add(linear<T>({"fc1", 128}));
  net.add(relu<T>());
  net.add(dropout<T>(share));
  net.add(linear<T>({"fc2", classes, fanion::parameter_kind::head}));
  return net;
}

/// Convolution of 2 x 2 patches with fixed kernels, and a bias that learns: the eigenvectors of the
/// patches' covariance over the roots of their eigenvalues, and their opposites.
template <fanion::Real T>
class whitening final : public layer<T> {
 public:
  /// `kernels`: 4c x 4c, a kernel a column, of images with c channels.
  explicit whitening(activations<T> kernels) : kernels_(std::move(kernels)) {}

  volume plan(volume in, std::vector<tensor_extent>& tensors) override {
    in_ = in;
    out_ = {in.height - 1, in.width - 1, 2 * kernels_.cols()};
    bias_ = detail::add_tensor(tensors, "whitening.bias", 1, out_.channels,
                               fanion::parameter_kind::bias);
    return out_;
  }
  void forward(const T* weights, const activations<T>& x, const pass_settings&,
               activations<T>& y) override {
    const index_t images = x.cols() / in_.pixels(), half = kernels_.cols();
    y.resize(out_.channels, images * out_.pixels());
    patches_.resize(4 * in_.channels, out_.width);
    for (index_t i = 0; i < images; ++i)
      for (index_t row = 0; row < out_.height; ++row) {
        for (index_t d = 0; d < 4; ++d)
          patches_.middleRows(d * in_.channels, in_.channels) =
              x.middleCols(i * in_.pixels() + (row + d / 2) * in_.width + d % 2, out_.width);
        auto to = y.middleCols(i * out_.pixels() + row * out_.width, out_.width);
        to.topRows(half).noalias() = kernels_.transpose() * patches_;
        to.bottomRows(half) = -to.topRows(half);
      }
    y.colwise() += detail::map(weights + bias_, out_.channels, 1).col(0);
  }
  /// The first layer of a network.
  void backward(const T*, const activations<T>&, const activations<T>& dy, T* gradient,
                activations<T>&) override {
    detail::map(gradient + bias_, out_.channels, 1).col(0) += dy.rowwise().sum();
  }

 private:
  activations<T> kernels_;
  volume in_, out_;
  index_t bias_ = 0;
  activations<T> patches_;
};

/// The kernels of `whitening` from images that stand in `x`, one after the other.
template <fanion::Real T>
[[nodiscard]] activations<T> whitening_kernels(const activations<T>& x, volume in,
                                               double eps = 5e-4) {
  const index_t size = 4 * in.channels, images = x.cols() / in.pixels();
  Eigen::MatrixXd covariance = Eigen::MatrixXd::Zero(size, size);
  Eigen::MatrixXd patch(size, in.width - 1);
  for (index_t i = 0; i < images; ++i)
    for (index_t row = 0; row + 1 < in.height; ++row) {
      for (index_t d = 0; d < 4; ++d)
        patch.middleRows(d * in.channels, in.channels) =
            x.middleCols(i * in.pixels() + (row + d / 2) * in.width + d % 2, in.width - 1)
                .template cast<double>();
      covariance += patch * patch.transpose();
    }
  covariance /= double(images * (in.height - 1) * (in.width - 1));
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(covariance);
  const Eigen::ArrayXd scale = (eigen.eigenvalues().array() + eps).rsqrt();
  return (eigen.eigenvectors() * scale.matrix().asDiagonal()).template cast<T>();
}

/// Keller Jordan's airbench94 network (2024, arXiv:2404.00498): whitening, three groups of
/// convolution, maximum, normalisation, GELU, convolution, normalisation, GELU, then the maximum
/// over what is left, and a head without bias whose logits are divided by its inputs.
template <fanion::Real T>
[[nodiscard]] chain<T> airbench_network(volume input, index_t classes, index_t width,
                                        activations<T> kernels) {
  chain<T> net(input);
  net.add(whitening<T>(std::move(kernels)));
  net.add(gelu<T>());
  const index_t widths[3] = {width, 4 * width, 4 * width};
  index_t side = input.height - 1;
  for (index_t g = 0; g < 3; ++g) {
    const std::string name = "group" + std::to_string(g + 1);
    net.add(convolution<T>({name + ".conv1", widths[g], 3, 1, false, true}));
    net.add(max_pool<T>(2));
    net.add(batch_norm<T>(name + ".norm1"));
    net.add(gelu<T>());
    net.add(convolution<T>({name + ".conv2", widths[g], 3, 1, false, true}));
    net.add(batch_norm<T>(name + ".norm2"));
    net.add(gelu<T>());
    side /= 2;
  }
  net.add(max_pool<T>(side));
  net.add(flatten<T>());
  net.add(
      linear<T>({"head", classes, fanion::parameter_kind::head, false, 1.0 / double(4 * width)}));
  return net;
}

}  // namespace trainers
