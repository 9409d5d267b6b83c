/// @file  The images of one experiment: training, held out, test; and the making of a batch.
#pragma once

#include <common/cifar.hpp>
#include <common/idx.hpp>
#include <run/image_options.hpp>
#include <run/task.hpp>

#include <fanion/core/random.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <optional>
#include <span>
#include <string>

namespace trainers {

struct image_data {
  image_set train;
  image_set held_out;  ///< the last images of the training files; rates are chosen on these
  std::optional<image_set> test;  ///< absent while tuning: nobody can look at it by accident
  pixel_scale scale;              ///< of the training images alone

  [[nodiscard]] index_t features() const noexcept { return train.features(); }
  [[nodiscard]] index_t classes() const noexcept { return train.classes; }
  /// Null where there are none.
  [[nodiscard]] const image_set* part(examples_of which) const noexcept {
    if (which == examples_of::test) return test ? &*test : nullptr;
    return which == examples_of::training ? &train : &held_out;
  }
};

[[nodiscard]] inline index_t batches_per_epoch(index_t examples, index_t batch) {
  return (examples + batch - 1) / batch;
}

/// Reads the files that the options name. @throws std::runtime_error naming a file or flag.
[[nodiscard]] inline image_data load_images(const image_options& o) {
  if (!std::filesystem::is_directory(o.data))
    throw std::runtime_error("--data " + o.data.string() +
                             ": no such folder (Debian's dataset-fashion-mnist installs one)");
  const auto read = [&](const char* mnist_part, const char* cifar_part) {
    image_set images = o.dataset == "fashion"   ? read_mnist(o.data, mnist_part)
                       : o.dataset == "cifar10" ? read_cifar10(o.data, cifar_part)
                                                : read_cifar100(o.data, cifar_part);
    if (o.resize.empty()) return images;
    return resized(images, o.resize[0], o.resize[1]);
  };
  const auto first = [&](const image_set& images) {
    return slice(images, 0, o.limit > 0 ? std::min(o.limit, images.size()) : images.size());
  };
  image_set all = read("train", "train");
  const index_t kept = all.size() - o.held_out;
  if (kept < 1)
    throw std::runtime_error("--held-out " + std::to_string(o.held_out) + ": " + o.data.string() +
                             " has only " + std::to_string(all.size()) + " training images");
  image_data data;
  data.train = slice(all, 0, o.limit > 0 ? std::min(o.limit, kept) : kept);
  data.held_out = first(slice(all, kept, o.held_out));
  data.scale = scale_of(data.train);
  if (!o.tune) data.test = first(read("t10k", "test"));
  return data;
}

/// Writes the images named by `which` into the columns of `out`, scaled, and their labels.
template <fanion::Real T>
void gather(const image_set& images, std::span<const std::uint32_t> which, pixel_scale scale,
            Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>& out,
            std::vector<std::uint8_t>& labels) {
  const auto n = static_cast<Eigen::Index>(which.size());
  out.resize(images.features(), n);
  labels.resize(which.size());
  const T mean = scale.mean;
  const T factor = T(1) / scale.deviation;
  for (Eigen::Index i = 0; i < n; ++i) {
    const std::uint32_t id = which[static_cast<std::size_t>(i)];
    const auto bytes = images.image(static_cast<index_t>(id));
    const Eigen::Map<const Eigen::Array<std::uint8_t, Eigen::Dynamic, 1>> pixels(bytes.data(),
                                                                                 images.features());
    out.col(i) = (pixels.cast<T>() - mean) * factor;
    labels[static_cast<std::size_t>(i)] = images.labels[id];
  }
}

/// A permutation of 0 .. n-1 from the seed alone: Fisher and Yates' shuffle over counter-based
/// numbers, so that every standard library deals the same batches.
[[nodiscard]] inline std::vector<std::uint32_t> permutation(index_t n, std::uint64_t seed) {
  std::vector<std::uint32_t> p(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < p.size(); ++i) p[i] = static_cast<std::uint32_t>(i);
  for (std::size_t i = p.size(); i > 1; --i)
    std::swap(p[i - 1], p[fanion::random_bits(seed, static_cast<index_t>(i), 0) % i]);
  return p;
}

/// Which examples make a step's batch: each epoch deals a new permutation, and its last batch may
/// be smaller. A function of its arguments; remembers the last permutation.
class batch_order {
 public:
  [[nodiscard]] std::span<const std::uint32_t> batch(index_t examples, index_t size,
                                                     std::uint64_t seed, index_t step) {
    const index_t per_epoch = batches_per_epoch(examples, size);
    const index_t in_epoch = step % per_epoch, start = step - in_epoch;
    if (order_.empty() || start != start_ || seed != seed_) {
      order_ = permutation(examples, fanion::mix_bits(seed) + static_cast<std::uint64_t>(start));
      start_ = start;
      seed_ = seed;
    }
    const index_t first = in_epoch * size;
    return std::span<const std::uint32_t>(order_).subspan(
        static_cast<std::size_t>(first),
        static_cast<std::size_t>(std::min(size, examples - first)));
  }

 private:
  std::vector<std::uint32_t> order_;
  index_t start_ = -1;
  std::uint64_t seed_ = 0;
};

}  // namespace trainers
