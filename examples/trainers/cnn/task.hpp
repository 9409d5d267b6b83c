/// @file  Convolutional networks over images, as the loop of a run sees them.
#pragma once

#include <cnn/network.hpp>
#include <cnn/options.hpp>
#include <run/image_data.hpp>
#include <run/task.hpp>

#include <algorithm>
#include <cmath>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace trainers {

/// How an image is shown: mirrored or not, moved down and to the right; what comes in is 0, the
/// mean of the training pixels.
struct image_view {
  bool mirrored = false;
  index_t down = 0, right = 0;
};

/// Writes an image, channel planes one after the other, as pixels that are columns.
template <class M>
void show(const image_set& images, index_t which, const image_view& view, pixel_scale scale,
          M&& out) {
  const auto bytes = images.image(which);
  const float factor = 1 / scale.deviation;
  const index_t height = images.height, width = images.width;
  for (index_t c = 0; c < images.channels; ++c)
    for (index_t y = 0; y < height; ++y)
      for (index_t x = 0; x < width; ++x) {
        const index_t row = y - view.down, shifted = x - view.right;
        const index_t col = view.mirrored ? width - 1 - shifted : shifted;
        const bool inside = row >= 0 && row < height && col >= 0 && col < width;
        const auto at = static_cast<std::size_t>((c * height + row) * width + col);
        out(c, y * width + x) = inside ? (float(bytes[at]) - scale.mean) * factor : 0.0f;
      }
}

/// Each shard has its own images of the batch, and batch normalisation its own averages over them;
/// gradients are summed in shard order. Before weights are judged every shard shows its layers the
/// same training images, from which they take the averages that they then use.
class cnn_task final : public task {
 public:
  cnn_task(const cnn_options& o, const image_data& data, const activations<float>& kernels,
           shard_team& team)
      : o_(o), data_(data), team_(team), parts_(static_cast<std::size_t>(team.count())) {
    const volume in{data.train.height, data.train.width, data.train.channels};
    for (part& p : parts_) {
      p.net = std::make_unique<chain<float>>(
          o.network == "plain"
              ? plain_network<float>(in, data.classes(), o.channels(), o.dropout)
              : airbench_network<float>(in, data.classes(), o.channels(), kernels));
      p.gradient.resize(p.net->parameter_count());
    }
    weights_.resize(parts_[0].gradient.size());
  }

  void start(std::uint64_t seed) override { parts_[0].net->initialise(weights_, seed); }

  [[nodiscard]] std::vector<fanion::parameter<float>> parameters() override {
    std::vector<fanion::parameter<float>> all;
    for (const tensor_extent& t : parts_[0].net->tensors()) {
      // A tensor lies there as inputs x outputs, the transpose of what the optimizer is to see.
      const bool matrix = t.inputs > 1;
      const auto view = [&](std::vector<float>& v) {
        return matrix
                   ? fanion::oriented_view<float>{{v.data() + t.first, t.inputs, t.outputs}, true}
                   : fanion::oriented_view<float>{{v.data() + t.first, t.outputs, 1}, false};
      };
      all.push_back(
          fanion::make_parameter(t.name, view(weights_), view(parts_[0].gradient), t.kind));
    }
    return all;
  }

  tally descend(std::uint64_t seed, index_t step) override {
    const auto which = order_.batch(data_.train.size(), o_.batch, seed, step);
    const auto size = static_cast<index_t>(which.size());
    const std::uint64_t stream = fanion::mix_bits(fanion::mix_bits(seed) + std::uint64_t(step));
    team_.run([&](index_t s) {
      part& p = parts_[static_cast<std::size_t>(s)];
      const item_range mine = shard_of(size, s, team_.count());
      std::fill(p.gradient.begin(), p.gradient.end(), 0.0f);
      p.sum = {};
      if (mine.count == 0) return;
      resize(p, mine.count);
      for (index_t i = 0; i < mine.count; ++i) {
        const index_t image = which[static_cast<std::size_t>(mine.first + i)];
        fill(p, data_.train, image, i, augmented(stream, mine.first + i));
      }
      const pass_settings how{true, stream, mine.first};
      (void)p.net->logits(weights_.data(), p.input, how);
      p.sum = p.net->backward(weights_.data(), p.input, p.labels, 1.0f / static_cast<float>(size),
                              static_cast<float>(o_.smoothing), p.gradient.data());
    });
    const auto length = static_cast<Eigen::Index>(weights_.size());
    Eigen::Map<Eigen::VectorXf> all(parts_[0].gradient.data(), length);
    for (std::size_t i = 1; i < parts_.size(); ++i)
      all += Eigen::Map<const Eigen::VectorXf>(parts_[i].gradient.data(), length);
    if (o_.fixed_lengths) fix_lengths();
    return total();
  }

  [[nodiscard]] tally evaluate(examples_of which) override {
    const image_set* images = data_.part(which);
    if (images == nullptr) return {};
    static const std::vector<image_view> plain = {{}};
    static const std::vector<image_view> views = {{false, 0, 0}, {true, 0, 0},    {false, 1, 1},
                                                  {true, 1, 1},  {false, -1, -1}, {true, -1, -1}};
    const auto& shown = o_.tta && which == examples_of::test ? views : plain;
    constexpr index_t piece = 256, measured = 512;
    team_.run([&](index_t s) {
      part& p = parts_[static_cast<std::size_t>(s)];
      const index_t first = std::min(measured, data_.train.size());
      resize(p, first);
      for (index_t i = 0; i < first; ++i) fill(p, data_.train, i, i, {});
      (void)p.net->logits(weights_.data(), p.input, {true, 0, 0});
      const item_range mine = shard_of(images->size(), s, team_.count());
      p.sum = {};
      for (index_t at = mine.first; at < mine.first + mine.count; at += piece) {
        const index_t count = std::min(piece, mine.first + mine.count - at);
        activations<float> mean = activations<float>::Zero(data_.classes(), count);
        for (const image_view& v : shown) {
          resize(p, count);
          for (index_t i = 0; i < count; ++i) fill(p, *images, at + i, i, v);
          // The upright image counts twice its moved copies.
          const float share = shown.size() == 1 ? 1.0f : v.down == 0 ? 0.25f : 0.125f;
          mean += share * p.net->logits(weights_.data(), p.input, {});
        }
        p.sum += chain<float>::cross_entropy(mean, p.labels, 0);
      }
    });
    return total();
  }

 private:
  /// What one shard has of its own.
  struct part {
    std::unique_ptr<chain<float>> net;
    std::vector<float> gradient;
    activations<float> input;
    std::vector<std::uint8_t> labels;
    tally sum;
  };

  /// ‖W‖_F = sqrt(outputs) for every kernel; one of zeros stays.
  void fix_lengths() {
    for (const tensor_extent& t : parts_[0].net->tensors()) {
      if (t.kind != fanion::parameter_kind::convolution || t.inputs == 1) continue;
      Eigen::Map<Eigen::VectorXf> w(weights_.data() + t.first, t.size());
      const float length = w.stableNorm();
      if (length > 0) w *= std::sqrt(static_cast<float>(t.outputs)) / length;
    }
  }
  void resize(part& p, index_t images) const {
    p.input.resize(data_.train.channels, images * data_.train.height * data_.train.width);
    p.labels.resize(static_cast<std::size_t>(images));
  }
  void fill(part& p, const image_set& images, index_t which, index_t place,
            const image_view& view) const {
    const index_t pixels = images.height * images.width;
    show(images, which, view, data_.scale, p.input.middleCols(place * pixels, pixels));
    p.labels[static_cast<std::size_t>(place)] = images.labels[static_cast<std::size_t>(which)];
  }
  [[nodiscard]] image_view augmented(std::uint64_t stream, index_t image) const {
    const auto bits = [&](index_t i) { return fanion::random_bits(stream, image, i); };
    const auto sides = static_cast<std::uint64_t>(2 * o_.shift + 1);
    return {o_.flip && (bits(0) & 1) != 0, static_cast<index_t>(bits(1) % sides) - o_.shift,
            static_cast<index_t>(bits(2) % sides) - o_.shift};
  }
  [[nodiscard]] tally total() const {
    tally all;
    for (const part& p : parts_) all += p.sum;
    return all;
  }

  const cnn_options& o_;
  const image_data& data_;
  shard_team& team_;
  batch_order order_;
  std::vector<float> weights_;
  std::vector<part> parts_;
};

/// Options and data must outlive it.
[[nodiscard]] inline task_kind cnn_kind(const cnn_options& o, const image_data& data) {
  const auto n = [](index_t i) { return std::to_string(i); };
  const index_t per_epoch = batches_per_epoch(data.train.size(), o.batch);
  activations<float> kernels;
  if (o.network == "airbench") {
    const index_t first = std::min<index_t>(5000, data.train.size());
    const index_t pixels = data.train.height * data.train.width;
    activations<float> x(data.train.channels, first * pixels);
    for (index_t i = 0; i < first; ++i)
      show(data.train, i, {}, data.scale, x.middleCols(i * pixels, pixels));
    kernels =
        whitening_kernels<float>(x, {data.train.height, data.train.width, data.train.channels});
  }
  const std::string what =
      o.network + ", " + n(o.channels()) + " channels, dropout " + std::to_string(o.dropout) +
      ", smoothing " + std::to_string(o.smoothing) + ", flip " + n(o.flip) + ", shift " +
      n(o.shift) + ", tta " + n(o.tta) + ", fixed lengths " + n(o.fixed_lengths);
  return {"a convolutional network on " + o.dataset,
          "The " + o.network + " network with " + n(o.channels()) +
              " channels in its first convolution on " + o.dataset + ": " + n(data.train.size()) +
              " training images, " + n(o.epochs) + " epochs at batch size " + n(o.batch) + "; " +
              n(data.held_out.size()) + " images are held out, " +
              n(data.test ? data.test->size() : 0) + " test.",
          per_epoch * o.epochs,
          std::max<index_t>(1, per_epoch / 2),
          double(per_epoch),
          "cnn, " + what + ", " + identity_of(o),
          [&o, &data, kernels](shard_team& team) -> std::unique_ptr<task> {
            return std::make_unique<cnn_task>(o, data, kernels, team);
          }};
}

}  // namespace trainers
