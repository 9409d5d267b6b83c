// A LibTorch program, and the one line that makes it train along an oracle.
#include <fanion/adapters/torch.hpp>

#include <torch/torch.h>

#include <cstdio>
#include <memory>
#include <vector>

namespace {

/// Two spirals that a line cannot part: points and their arm, 0 or 1.
struct spirals {
  torch::Tensor points, arms;

  explicit spirals(std::int64_t count) {
    const torch::Tensor t = torch::linspace(0.3, 3, count), angle = 5 * t;
    const torch::Tensor arm = torch::stack({t * torch::cos(angle), t * torch::sin(angle)}, 1);
    points = torch::cat({arm, -arm}) + 0.05 * torch::randn({2 * count, 2});
    arms = torch::cat({torch::zeros(count, torch::kLong), torch::ones(count, torch::kLong)});
  }
};

torch::nn::Sequential network() {
  torch::manual_seed(1);
  return torch::nn::Sequential(torch::nn::Linear(2, 64), torch::nn::Tanh(),
                               torch::nn::Linear(64, 64), torch::nn::Tanh(),
                               torch::nn::Linear(64, 2));
}

float train(torch::nn::Sequential& model, torch::optim::Optimizer& optimizer, const spirals& data) {
  float loss = 0;
  for (int step = 0; step < 300; ++step) {
    const torch::Tensor value = optimizer.step([&] {
      optimizer.zero_grad();
      torch::Tensor l = torch::cross_entropy_loss(model->forward(data.points), data.arms);
      l.backward();
      return l;
    });
    loss = value.item<float>();
  }
  return loss;
}

}  // namespace

int main() {
  torch::manual_seed(0);
  const spirals data(200);

  auto model = network();
  torch::optim::AdamW adamw(model->parameters(), 0.02);
  const float adamw_loss = train(model, adamw, data);

  model = network();
  fanion::torch_optim::Lmo lmo(model->parameters(), 0.02);
  const float lmo_loss = train(model, lmo, data);

  // What is not plain: the head by AdamW, the rest in another ball with decay.
  using fanion::torch_optim::LmoOptions;
  using group = torch::optim::OptimizerParamGroup;
  model = network();
  auto body = model->parameters();
  const std::vector<torch::Tensor> head(body.end() - 2, body.end());
  body.resize(body.size() - 2);
  const auto inner = LmoOptions(0.02)
                         .norm("dual(0.5*nuclear() + 0.5*frobenius())")
                         .momentum({.beta = 0.9})
                         .weight_decay(0.01);
  const auto outer = LmoOptions(0.02).kind(fanion::parameter_kind::head);
  fanion::torch_optim::Lmo grouped(
      std::vector<group>{group(body, std::make_unique<LmoOptions>(inner)),
                         group(head, std::make_unique<LmoOptions>(outer))});
  grouped.set_names(model->named_parameters());
  const float grouped_loss = train(model, grouped, data);

  std::printf("loss after 300 steps: AdamW %.4f, Muon %.4f, F-Muon and AdamW %.4f\n", adamw_loss,
              lmo_loss, grouped_loss);
  for (const auto& p : grouped.last_report().parameters)
    std::printf("%-10s gap %.1e\n", p.name.c_str(), p.step.gap);
  return lmo_loss < 0.01f && grouped_loss < 0.1f ? 0 : 1;
}
