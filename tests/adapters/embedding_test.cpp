/// @file  What docs/embedding.md shows: a trainer's blocks, and its update loop.
#include <fanion/adapters/buffer_optimizer.hpp>
#include <fanion/optim/makers.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace fanion;

TEST_CASE("a trainer with its parameters in one block") {
  const index_t layers = 2, channels = 4, steps = 30;
  const double rate = 0.02;
  struct blocks {
    float* qkvw;
    float* ln1w;
  };
  // f(x) = ½ ‖x - 1‖² of all parameters together: the gradient is x - 1.
  std::vector<float> weights(layers * (3 * channels * channels + channels), 0.5f), slopes = weights;
  const auto cut = [&](std::vector<float>& memory) {
    return blocks{memory.data(), memory.data() + layers * 3 * channels * channels};
  };
  const blocks params = cut(weights), grads = cut(slopes);

  buffer_optimizer<float> opt(muon(), adamw{});
  opt.add(buffer<float>{.name = "qkvw",
                        .data = params.qkvw,
                        .gradient = grads.qkvw,
                        .shape = {layers, 3 * channels, channels},
                        .blocks = split_qkv(3 * channels, channels)});
  opt.add(buffer<float>{.name = "ln1w",
                        .data = params.ln1w,
                        .gradient = grads.ln1w,
                        .shape = {layers, channels},
                        .kind = parameter_kind::normalization});
  const auto distance = [&] {
    double sum = 0;
    for (const float x : weights) sum += static_cast<double>((x - 1) * (x - 1));
    return sum;
  };
  const double start = distance();
  for (index_t t = 0; t < steps; ++t) {
    for (std::size_t i = 0; i < weights.size(); ++i) slopes[i] = weights[i] - 1;
    opt.step(rate);
  }
  CHECK(opt.names() == std::vector<std::string>{"qkvw.0", "qkvw.1", "ln1w"});
  CHECK(distance() < 0.5 * start);
}
