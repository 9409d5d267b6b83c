/// @file  Labelled images in memory: one byte a pixel, one image after the other.
#pragma once

#include <fanion/core/types.hpp>

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace trainers {

using fanion::index_t;

/// Bytes stay bytes until a batch needs them: 60,000 images of 784 pixels take 47 MB, not 188.
struct image_set {
  index_t height = 0;
  index_t width = 0;
  index_t channels = 1;
  std::vector<std::uint8_t> pixels;  ///< image i starts at i * features()
  std::vector<std::uint8_t> labels;  ///< class of image i, below classes
  index_t classes = 10;

  [[nodiscard]] index_t features() const noexcept { return height * width * channels; }
  [[nodiscard]] index_t size() const noexcept { return static_cast<index_t>(labels.size()); }
  [[nodiscard]] std::span<const std::uint8_t> image(index_t i) const {
    const auto n = static_cast<std::size_t>(features());
    return std::span(pixels).subspan(static_cast<std::size_t>(i) * n, n);
  }
};

/// Images first .. first + count - 1.
[[nodiscard]] inline image_set slice(const image_set& all, index_t first, index_t count) {
  image_set part{all.height, all.width, all.channels, {}, {}, all.classes};
  const auto at = all.pixels.begin() + first * all.features();
  part.pixels.assign(at, at + count * all.features());
  part.labels.assign(all.labels.begin() + first, all.labels.begin() + first + count);
  return part;
}

/// The map pixel -> (pixel - mean) / deviation that centres a network's input.
struct pixel_scale {
  float mean = 0;
  float deviation = 1;
};

/// Mean and deviation over every pixel of every image; the deviation of constant images is 1.
[[nodiscard]] inline pixel_scale scale_of(const image_set& images) {
  double sum = 0;
  double squares = 0;
  for (const std::uint8_t p : images.pixels) {
    sum += p;
    squares += double(p) * p;  // exact in double: below 2^53 for any set that fits in memory
  }
  const double n = static_cast<double>(images.pixels.size());
  if (n == 0) return {};
  const double mean = sum / n;
  const double variance = squares / n - mean * mean;
  return {static_cast<float>(mean), variance > 0 ? static_cast<float>(std::sqrt(variance)) : 1.0f};
}

/// Every image resampled to height x width by bilinear interpolation between pixel centres. A
/// stand-in for larger pictures: 48 x 64 gives the 3,072 inputs of a 32 x 32 colour image.
[[nodiscard]] inline image_set resized(const image_set& from, index_t height, index_t width) {
  image_set to{height, width, from.channels, {}, from.labels, from.classes};
  to.pixels.resize(static_cast<std::size_t>(to.size() * to.features()));
  struct tap {
    index_t low, high;
    float share;  ///< of `high`
  };
  const auto taps = [](index_t out, index_t in) {
    std::vector<tap> t;
    for (index_t i = 0; i < out; ++i) {
      const float at = (float(i) + 0.5f) * float(in) / float(out) - 0.5f;
      const float inside = std::fmin(std::fmax(at, 0.0f), float(in - 1));
      const auto low = static_cast<index_t>(inside);
      t.push_back({low, low + 1 < in ? low + 1 : low, inside - float(low)});
    }
    return t;
  };
  const std::vector<tap> rows = taps(height, from.height);
  const std::vector<tap> cols = taps(width, from.width);
  std::uint8_t* out = to.pixels.data();
  for (index_t plane = 0; plane < from.size() * from.channels; ++plane) {
    const std::uint8_t* in = from.pixels.data() + plane * from.height * from.width;
    for (const tap& r : rows)
      for (const tap& c : cols) {
        const auto at = [&](index_t i, index_t j) { return float(in[i * from.width + j]); };
        const float top = at(r.low, c.low) * (1 - c.share) + at(r.low, c.high) * c.share;
        const float low = at(r.high, c.low) * (1 - c.share) + at(r.high, c.high) * c.share;
        *out++ = static_cast<std::uint8_t>(std::lround(top * (1 - r.share) + low * r.share));
      }
  }
  return to;
}

}  // namespace trainers
