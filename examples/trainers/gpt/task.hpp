/// @file  The language model over tokens, as the loop of a run sees it.
#pragma once

#include <common/llmc.hpp>
#include <gpt/data.hpp>
#include <gpt/network.hpp>
#include <run/task.hpp>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace trainers {

/// The index that `uniform` in [0, 1) draws from softmax(logits / temperature); the largest at
/// temperature 0.
template <class V>
[[nodiscard]] index_t draw(const V& logits, double temperature, double uniform) {
  Eigen::Index best = 0;
  const double top = double(logits.maxCoeff(&best));
  if (temperature == 0) return best;
  const auto weight = [&](Eigen::Index i) {
    return std::exp((double(logits(i)) - top) / temperature);
  };
  double mass = 0;
  for (Eigen::Index i = 0; i < logits.size(); ++i) mass += weight(i);
  double left = uniform * mass;
  for (Eigen::Index i = 0; i < logits.size(); ++i)
    if ((left -= weight(i)) < 0) return i;
  return best;
}

/// Each shard has its own sequences of the batch; gradients are summed in shard order.
class gpt_task final : public task {
 public:
  gpt_task(const gpt_options& o, const gpt_data& data, const gpt_shape& shape,
           const std::vector<float>* initial, shard_team& team)
      : o_(o),
        data_(data),
        initial_(initial),
        team_(team),
        net_(shape),
        networks_(static_cast<std::size_t>(team.count()), gpt_network<float>(shape)),
        gradients_(networks_.size(), gpt_parameters<float>(shape)),
        windows_(networks_.size()),
        inputs_(networks_.size()),
        targets_(networks_.size()),
        sums_(networks_.size()) {}

  void start(std::uint64_t seed) override {
    if (initial_ != nullptr)
      std::copy(initial_->begin(), initial_->end(), net_.values().begin());
    else
      initialise(net_, seed);
  }

  [[nodiscard]] std::vector<fanion::parameter<float>> parameters() override {
    return parameters_of(net_, gradients_[0]);
  }

  tally descend(std::uint64_t seed, index_t step) override {
    const token_range& text = data_.train;
    const auto places = static_cast<std::uint64_t>(text.size - o_.context);
    const std::uint64_t stream = fanion::mix_bits(seed);
    const auto place = [&](index_t i) {
      return static_cast<index_t>(fanion::random_bits(stream, step, i) % places);
    };
    const float scale = 1.0f / static_cast<float>(o_.batch * o_.context);
    const tally sum = pass(text, o_.batch, place, scale, true);
    for (std::size_t i = 1; i < gradients_.size(); ++i)
      gradients_[0].flat() += gradients_[i].flat();
    if (o_.clip > 0) {
      const double length = gradients_[0].flat().cast<double>().norm();
      if (length > o_.clip) gradients_[0].flat() *= static_cast<float>(o_.clip / length);
    }
    return sum;
  }

  /// Over windows spread evenly, all of the part if it has no more.
  [[nodiscard]] tally evaluate(examples_of which) override {
    const token_range& text = data_.part(which);
    const index_t room = text.size - o_.context - 1;
    const index_t windows = std::min(o_.windows, room / o_.context + 1);
    const auto place = [&](index_t i) { return windows > 1 ? room / (windows - 1) * i : 0; };
    return pass(text, windows, place, 0, false);
  }

  [[nodiscard]] std::string sample(std::uint64_t seed) override {
    if (o_.sample == 0) return {};
    std::vector<std::uint16_t> said(1);
    data_.held_out.read(0, said);
    const std::uint64_t stream = fanion::mix_bits(seed) + 1;
    const auto context = static_cast<std::size_t>(o_.context);
    for (index_t i = 0; i < o_.sample; ++i) {
      const token_span seen(said);
      const auto logits = networks_[0].next(net_, seen.last(std::min(context, seen.size())));
      const double uniform = fanion::random_uniform(stream, i, 0);
      said.push_back(static_cast<std::uint16_t>(draw(logits, o_.temperature, uniform)));
    }
    return data_.text(said);
  }

  void keep(const std::filesystem::path& folder, const std::string& name) override {
    if (o_.keep_model) write_llmc(folder / (name + ".llmc.bin"), net_.shape(), net_.values());
  }

 private:
  /// Sequence i starts at place(i). Each shard works on micro_batch sequences at a time.
  template <class Place>
  tally pass(const token_range& text, index_t sequences, Place place, float scale,
             bool with_gradient) {
    team_.run([&](index_t s) {
      const auto i = static_cast<std::size_t>(s);
      const item_range mine = shard_of(sequences, s, team_.count());
      const index_t most = o_.micro_batch > 0 ? o_.micro_batch : o_.batch;
      if (with_gradient) gradients_[i].flat().setZero();
      sums_[i] = {};
      for (index_t at = mine.first; at < mine.first + mine.count; at += most) {
        const index_t count = std::min(most, mine.first + mine.count - at);
        const auto length = static_cast<std::size_t>(o_.context);
        windows_[i].resize(length + 1);
        inputs_[i].clear();
        targets_[i].clear();
        for (index_t k = at; k < at + count; ++k) {
          text.read(place(k), windows_[i]);
          inputs_[i].insert(inputs_[i].end(), windows_[i].begin(), windows_[i].end() - 1);
          targets_[i].insert(targets_[i].end(), windows_[i].begin() + 1, windows_[i].end());
        }
        sums_[i] += networks_[i].run(net_, inputs_[i], targets_[i], o_.context, scale,
                                     with_gradient ? &gradients_[i] : nullptr);
      }
    });
    tally all;
    for (const tally& sum : sums_) all += sum;
    return all;
  }

  const gpt_options& o_;
  const gpt_data& data_;
  const std::vector<float>* initial_;
  shard_team& team_;
  gpt_parameters<float> net_;
  std::vector<gpt_network<float>> networks_;
  std::vector<gpt_parameters<float>> gradients_;
  std::vector<std::vector<std::uint16_t>> windows_, inputs_, targets_;
  std::vector<tally> sums_;
};

/// What all runs of one experiment share. Must outlive the kind that is made from it.
struct gpt_experiment {
  gpt_data data;
  gpt_shape shape;
  std::optional<std::vector<float>> initial;
};

/// Data, and the shape: that of the options, or of the checkpoint that they start from.
/// @throws std::runtime_error naming a file or flag.
inline void load(gpt_options& o, gpt_experiment& e) {
  if (!o.init.empty()) {
    llmc_checkpoint found = read_llmc(o.init);
    e.shape = found.shape;
    e.initial = std::move(found.parameters);
    o.context = std::min(o.context, e.shape.context);
  }
  load_gpt_data(o, e.data);
  if (o.init.empty()) {
    e.shape = {o.context, e.data.vocabulary, (e.data.vocabulary + 127) / 128 * 128,
               o.layers,  o.heads,           o.width};
  } else if (e.data.vocabulary > e.shape.vocabulary) {
    throw std::runtime_error("--init " + o.init.string() + ": knows " +
                             std::to_string(e.shape.vocabulary) + " tokens, " + e.data.name +
                             " has " + std::to_string(e.data.vocabulary));
  }
}

[[nodiscard]] inline task_kind gpt_kind(const gpt_options& o, const gpt_experiment& e) {
  const auto n = [](index_t i) { return std::to_string(i); };
  const gpt_shape& s = e.shape;
  const std::string model = n(s.layers) + " layers, " + n(s.heads) + " heads, " + n(s.width) +
                            " channels, context " + n(o.context) + ", " + n(s.vocabulary) +
                            " tokens";
  const auto parameters = static_cast<index_t>(gpt_parameters<float>(s).values().size());
  task_kind kind;
  kind.title = "a GPT on " + e.data.name;
  kind.lead = "GPT-2's architecture with " + model + " (" + n(parameters) + " parameters) on " +
              e.data.name + ": " + n(e.data.train.size) + " training tokens, " + n(o.batch) +
              " sequences a step. Losses are in nats a token; accuracy is how often the likeliest "
              "next token is right; train and test losses are over " +
              n(o.windows) + " windows.";
  kind.steps = o.steps;
  kind.look_every = o.look_every;
  kind.identity = "gpt, " + model + ", on " + e.data.name + " with " + n(e.data.train.size) +
                  " tokens, batch " + n(o.batch) + ", micro-batch " + n(o.micro_batch) +
                  ", windows " + n(o.windows) + ", clip " + std::to_string(o.clip) + ", init '" +
                  o.init.string() + "'";
  kind.make = [&o, &e](shard_team& team) -> std::unique_ptr<task> {
    return std::make_unique<gpt_task>(o, e.data, e.shape, e.initial ? &*e.initial : nullptr, team);
  };
  return kind;
}

}  // namespace trainers
