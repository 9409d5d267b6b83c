/// @file  The perceptron over images, as the loop of a run sees it.
#pragma once

#include <mlp/network.hpp>
#include <mlp/options.hpp>
#include <run/image_data.hpp>
#include <run/task.hpp>

#include <fanion/adapters/eigen.hpp>

#include <algorithm>
#include <memory>
#include <span>
#include <vector>

namespace trainers {

/// Each shard has its own columns of the batch, single-threaded inside; gradients are summed in
/// shard order.
class mlp_task final : public task {
 public:
  mlp_task(const mlp_options& o, const image_data& data, shard_team& team)
      : o_(o),
        data_(data),
        team_(team),
        net_(data.features(), o.hidden, data.classes()),
        tapes_(static_cast<std::size_t>(team.count())),
        labels_(tapes_.size()),
        sums_(tapes_.size()),
        gradients_(tapes_.size(), net_) {}

  void start(std::uint64_t seed) override {
    // Into place: the optimizer knows the addresses.
    mlp<float> fresh = initial_mlp<float>(data_.features(), o_.hidden, data_.classes(), seed);
    net_.hidden = fresh.hidden;
    net_.hidden_bias = fresh.hidden_bias;
    net_.head = fresh.head;
    net_.head_bias = fresh.head_bias;
  }

  [[nodiscard]] std::vector<fanion::parameter<float>> parameters() override {
    using fanion::make_parameter;
    using kind = fanion::parameter_kind;
    mlp<float>& g = gradients_[0];
    return {make_parameter("hidden.weight", net_.hidden, g.hidden),
            make_parameter("hidden.bias", net_.hidden_bias, g.hidden_bias, kind::bias),
            make_parameter("head.weight", net_.head, g.head, kind::head),
            make_parameter("head.bias", net_.head_bias, g.head_bias, kind::bias)};
  }

  tally descend(std::uint64_t seed, index_t step) override {
    const auto which = order_.batch(data_.train.size(), o_.batch, seed, step);
    const auto size = static_cast<index_t>(which.size());
    team_.run([&](index_t s) {
      const auto i = static_cast<std::size_t>(s);
      const item_range mine = shard_of(size, s, team_.count());
      const auto ids =
          which.subspan(static_cast<std::size_t>(mine.first), static_cast<std::size_t>(mine.count));
      gather<float>(data_.train, ids, data_.scale, tapes_[i].input, labels_[i]);
      sums_[i] = forward<float>(net_, labels_[i], tapes_[i]);
      backward<float>(net_, labels_[i], 1.0f / static_cast<float>(size), tapes_[i], gradients_[i]);
    });
    for (std::size_t i = 1; i < gradients_.size(); ++i) gradients_[0] += gradients_[i];
    return total();
  }

  [[nodiscard]] tally evaluate(examples_of which) override {
    const image_set* images = data_.part(which);
    if (images == nullptr) return {};
    constexpr index_t piece = 512;
    team_.run([&](index_t s) {
      const auto i = static_cast<std::size_t>(s);
      const item_range mine = shard_of(images->size(), s, team_.count());
      std::vector<std::uint32_t> ids;
      sums_[i] = {};
      for (index_t at = mine.first; at < mine.first + mine.count; at += piece) {
        ids.clear();
        for (index_t j = at; j < std::min(at + piece, mine.first + mine.count); ++j)
          ids.push_back(static_cast<std::uint32_t>(j));
        gather<float>(*images, ids, data_.scale, tapes_[i].input, labels_[i]);
        sums_[i] += forward<float>(net_, labels_[i], tapes_[i]);
      }
    });
    return total();
  }

 private:
  [[nodiscard]] tally total() const {
    tally all;
    for (const tally& sum : sums_) all += sum;
    return all;
  }

  const mlp_options& o_;
  const image_data& data_;
  shard_team& team_;
  mlp<float> net_;
  batch_order order_;
  std::vector<tape<float>> tapes_;
  std::vector<std::vector<std::uint8_t>> labels_;
  std::vector<tally> sums_;
  std::vector<mlp<float>> gradients_;
};

/// Options and data must outlive it.
[[nodiscard]] inline task_kind mlp_kind(const mlp_options& o, const image_data& data) {
  const auto n = [](index_t i) { return std::to_string(i); };
  const index_t per_epoch = batches_per_epoch(data.train.size(), o.batch);
  return {"a perceptron on " + o.dataset,
          "The network " + n(data.features()) + "-" + n(o.hidden) + "-" + n(data.classes()) +
              " with GELU on " + o.dataset + ": " + n(data.train.size()) + " training images, " +
              n(o.epochs) + " epochs at batch size " + n(o.batch) + "; " + n(data.held_out.size()) +
              " images are held out, " + n(data.test ? data.test->size() : 0) + " test.",
          per_epoch * o.epochs,
          std::max<index_t>(1, per_epoch / 2),
          double(per_epoch),
          "mlp, hidden " + n(o.hidden) + ", " + identity_of(o),
          [&o, &data](shard_team& team) -> std::unique_ptr<task> {
            return std::make_unique<mlp_task>(o, data, team);
          }};
}

}  // namespace trainers
