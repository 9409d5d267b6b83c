#include <mlp/network.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

using namespace trainers;

namespace {

struct problem {
  mlp<double> net = initial_mlp<double>(7, 5, 4, 11);
  matrix<double> images = matrix<double>::NullaryExpr(
      7, 6, [](auto i, auto j) { return fanion::random_normal(5, i, j); });
  std::vector<std::uint8_t> labels = {0, 1, 2, 3, 1, 0};

  [[nodiscard]] double mean_loss() const {
    tape<double> t;
    t.input = images;
    return forward<double>(net, labels, t).mean_loss();
  }
};

/// The same network by loops, with the standard library's erf.
double reference_loss(const problem& p, index_t& correct) {
  double total = 0;
  correct = 0;
  for (index_t n = 0; n < p.images.cols(); ++n) {
    std::vector<double> logits(4);
    for (index_t c = 0; c < 4; ++c) {
      logits[std::size_t(c)] = p.net.head_bias(c);
      for (index_t h = 0; h < 5; ++h) {
        double x = p.net.hidden_bias(h);
        for (index_t i = 0; i < 7; ++i) x += p.net.hidden(h, i) * p.images(i, n);
        logits[std::size_t(c)] += p.net.head(c, h) * x * 0.5 * (1 + std::erf(x / std::sqrt(2.0)));
      }
    }
    double mass = 0;
    std::size_t best = 0;
    for (std::size_t c = 0; c < 4; ++c) {
      mass += std::exp(logits[c]);
      if (logits[c] > logits[best]) best = c;
    }
    const std::size_t label = p.labels[std::size_t(n)];
    total += std::log(mass) - logits[label];
    correct += best == label ? 1 : 0;
  }
  return total / double(p.images.cols());
}

}  // namespace

TEST_CASE("forward is GELU, softmax and cross-entropy") {
  const problem p;
  tape<double> t;
  t.input = p.images;
  const tally got = forward<double>(p.net, p.labels, t);
  index_t correct = 0;
  // A few dozen additions of numbers near 1: a thousand ulps is far more than they lose.
  CHECK(got.mean_loss() == doctest::Approx(reference_loss(p, correct)).epsilon(1e-13));
  CHECK(got.correct == correct);
  CHECK(got.count == 6);
}

TEST_CASE("the gradient is that of the loss, in every entry of every part") {
  problem p;
  tape<double> t;
  t.input = p.images;
  mlp<double> gradient(7, 5, 4);
  const tally sum = forward<double>(p.net, p.labels, t);
  backward<double>(p.net, p.labels, 1 / double(sum.count), t, gradient);

  std::vector<std::pair<double*, double>> entries;  // a weight and its derivative
  std::vector<double> derivatives;
  gradient.for_each([&](auto& g) {
    for (index_t i = 0; i < g.size(); ++i) derivatives.push_back(g.data()[i]);
  });
  std::size_t at = 0;
  p.net.for_each([&](auto& w) {
    for (index_t i = 0; i < w.size(); ++i) entries.emplace_back(w.data() + i, derivatives[at++]);
  });
  REQUIRE(entries.size() == 7 * 5 + 5 + 5 * 4 + 4);

  double worst = 0;
  double largest = 0;
  for (const auto& [weight, derivative] : entries) {
    const double kept = *weight;
    const double h = 1e-5;
    *weight = kept + h;
    const double above = p.mean_loss();
    *weight = kept - h;
    const double below = p.mean_loss();
    *weight = kept;
    worst = std::fmax(worst, std::fabs((above - below) / (2 * h) - derivative));
    largest = std::fmax(largest, std::fabs(derivative));
  }
  // Central differences err by h²/6 times a third derivative of order 1, and by eps / h = 2e-11.
  CHECK(worst < 1e-9 * largest + 1e-10);
  CHECK(largest > 1e-2);
}

TEST_CASE("a loss does not overflow where the logits are large") {
  problem p;
  p.net.head *= 1e6;
  CHECK(std::isfinite(p.mean_loss()));
  p.net.head.setConstant(std::nan(""));
  CHECK(std::isnan(p.mean_loss()));
}

TEST_CASE("initial weights depend on the seed and stay within their bound") {
  const auto a = initial_mlp<float>(784, 32, 10, 1);
  const auto b = initial_mlp<float>(784, 32, 10, 1);
  const auto c = initial_mlp<float>(784, 32, 10, 2);
  CHECK(a.hidden == b.hidden);
  CHECK(a.hidden != c.hidden);
  CHECK(a.hidden.cwiseAbs().maxCoeff() <= 1.0f / 28);
  CHECK(a.hidden.cwiseAbs().maxCoeff() > 0.99f / 28);
  CHECK(a.head.cwiseAbs().maxCoeff() <= 1 / std::sqrt(32.0f));
  CHECK(std::fabs(a.hidden.mean()) < 1e-3f);
}
