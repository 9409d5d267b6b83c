#include <cnn/network.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

using namespace trainers;

namespace {

using values = activations<double>;

values noise(index_t rows, index_t cols, std::uint64_t seed) {
  return values::NullaryExpr(rows, cols,
                             [=](auto i, auto j) { return fanion::random_normal(seed, i, j); });
}

/// The largest error of the gradient of every weight by central differences, and by tensor the
/// largest derivative.
struct checked {
  double worst = 0;
  std::vector<double> largest;
};
checked check_gradient(chain<double>& net, const values& x, double smoothing) {
  std::vector<double> weights(net.parameter_count());
  net.initialise(weights, 4);
  for (std::size_t i = 0; i < weights.size(); ++i)
    weights[i] += 0.1 * fanion::random_normal(8, static_cast<index_t>(i), 0);
  std::vector<std::uint8_t> labels;
  for (index_t i = 0; i < x.cols() / net.input().pixels(); ++i)
    labels.push_back(static_cast<std::uint8_t>(i % net.classes()));
  const pass_settings how{true, 77, 3};
  const double scale = 0.5;
  const auto loss = [&] {
    values z = net.logits(weights.data(), x, how);
    return scale * chain<double>::cross_entropy(z, labels, smoothing).loss;
  };
  std::vector<double> gradient(weights.size(), 0.0);
  (void)net.logits(weights.data(), x, how);
  (void)net.backward(weights.data(), x, labels, scale, smoothing, gradient.data());
  checked result;
  for (const tensor_extent& t : net.tensors()) {
    result.largest.push_back(0);
    for (index_t i = t.first; i < t.first + t.size(); ++i) {
      double& w = weights[std::size_t(i)];
      const double kept = w, h = 1e-6;
      w = kept + h;
      const double above = loss();
      w = kept - h;
      const double below = loss();
      w = kept;
      result.worst =
          std::fmax(result.worst, std::fabs((above - below) / (2 * h) - gradient[std::size_t(i)]));
      result.largest.back() = std::fmax(result.largest.back(), std::fabs(gradient[std::size_t(i)]));
    }
  }
  return result;
}

}  // namespace

TEST_CASE("convolution is its definition") {
  const volume in{4, 5, 2};
  std::vector<tensor_extent> tensors;
  convolution<double> conv({"c", 3, 3, 1});
  const volume out = conv.plan(in, tensors);
  CHECK(out.height == 4);
  CHECK(out.width == 5);
  CHECK(out.channels == 3);
  REQUIRE(tensors.size() == 2);
  std::vector<double> w(std::size_t(tensors[1].first + 3));
  for (std::size_t i = 0; i < w.size(); ++i) w[i] = fanion::random_normal(1, index_t(i), 0);
  const values x = noise(2, 2 * 20, 5);
  values y;
  conv.forward(w.data(), x, {}, y);
  REQUIRE(y.cols() == 40);
  for (index_t n = 0; n < 2; ++n)
    for (index_t row = 0; row < 4; ++row)
      for (index_t col = 0; col < 5; ++col)
        for (index_t o = 0; o < 3; ++o) {
          double want = w[std::size_t(tensors[1].first + o)];
          for (index_t ky = -1; ky <= 1; ++ky)
            for (index_t kx = -1; kx <= 1; ++kx)
              for (index_t c = 0; c < 2; ++c) {
                if (row + ky < 0 || row + ky >= 4 || col + kx < 0 || col + kx >= 5) continue;
                const index_t tap = ((ky + 1) * 3 + kx + 1) * 2 + c;
                want += w[std::size_t(o * 18 + tap)] * x(c, n * 20 + (row + ky) * 5 + col + kx);
              }
          CHECK(y(o, n * 20 + row * 5 + col) == doctest::Approx(want).epsilon(1e-12));
        }
  convolution<double> narrow({"c", 1, 2, 0, false});
  tensors.clear();
  CHECK(narrow.plan(in, tensors).height == 3);
  CHECK(narrow.plan(in, tensors).width == 4);
}

TEST_CASE("Dirac's start is the identity") {
  const volume in{3, 3, 2};
  std::vector<tensor_extent> tensors;
  convolution<double> conv({"c", 4, 3, 1, false, true});
  (void)conv.plan(in, tensors);
  std::vector<double> w(std::size_t(tensors[0].size()));
  conv.initialise(w.data(), 3);
  const values x = noise(2, 9, 5);
  values y;
  conv.forward(w.data(), x, {}, y);
  CHECK(y.topRows(2) == x);
  CHECK(y.bottomRows(2).norm() > 0);
}

TEST_CASE("the maximum is that of each square, and what is left over is not used") {
  max_pool<double> pool(2);
  std::vector<tensor_extent> tensors;
  const volume out = pool.plan({3, 5, 1}, tensors);
  CHECK(out.height == 1);
  CHECK(out.width == 2);
  values x(1, 15), y, dx;
  x << 1, 2, 3, 4, 9, 8, 0, 5, 7, 9, 9, 9, 9, 9, 9;
  pool.forward(nullptr, x, {}, y);
  CHECK(y(0, 0) == 8);
  CHECK(y(0, 1) == 7);
  values dy(1, 2);
  dy << 10, 20;
  pool.backward(nullptr, x, dy, nullptr, dx);
  CHECK(dx.sum() == 30);
  CHECK(dx(0, 5) == 10);
  CHECK(dx(0, 8) == 20);
}

TEST_CASE("whitened patches of the images that were measured have unit covariance") {
  const volume in{6, 6, 2};
  values x = noise(2, 40 * 36, 9);
  x.row(1) = 0.7 * x.row(0) + 0.1 * x.row(1);  // correlated channels
  whitening<double> white(whitening_kernels<double>(x, in, 0));
  std::vector<tensor_extent> tensors;
  CHECK(white.plan(in, tensors).channels == 16);
  const std::vector<double> bias(16, 0.0);
  values y;
  white.forward(bias.data(), x, {}, y);
  const values half = y.topRows(8);
  const values covariance = half * half.transpose() / double(half.cols());
  CHECK((covariance - values::Identity(8, 8)).cwiseAbs().maxCoeff() < 1e-9);
  CHECK((y.bottomRows(8) + half).norm() == 0);
}

TEST_CASE("dropout follows the image's own number, and not the shard") {
  dropout<double> layer(0.25);
  std::vector<tensor_extent> tensors;
  (void)layer.plan({1, 1, 200}, tensors);
  const values x = values::Ones(200, 30);
  values all, part;
  layer.forward(nullptr, x, {true, 5, 0}, all);
  layer.forward(nullptr, x.rightCols(10), {true, 5, 20}, part);
  CHECK(part == all.rightCols(10));
  CHECK(double((all.array() == 0).count()) / 6000 == doctest::Approx(0.25).epsilon(0.08));
  CHECK(all.maxCoeff() == doctest::Approx(1 / 0.75));
  layer.forward(nullptr, x, {false, 5, 0}, part);
  CHECK(part == x);
}

TEST_CASE("the gradient of the plain network is that of its loss") {
  chain<double> net = plain_network<double>({8, 8, 2}, 4, 3, 0.3);
  CHECK(net.classes() == 4);
  const checked r = check_gradient(net, noise(2, 5 * 64, 3), 0);
  CHECK(r.largest.size() == 8);
  for (const double x : r.largest) CHECK(x > 1e-4);
  // Central differences: h² times a third derivative, and eps/h; no kink lies within h.
  CHECK(r.worst < 1e-7);
}

TEST_CASE("the gradient of the airbench network is that of its smoothed loss") {
  const volume in{28, 28, 1};
  const values x = noise(1, 3 * 784, 6);
  chain<double> net = airbench_network<double>(in, 3, 2, whitening_kernels<double>(x, in));
  CHECK(net.classes() == 3);
  const checked r = check_gradient(net, x, 0.2);
  CHECK(r.largest.size() == 1 + 6 + 6 + 1);
  for (const double g : r.largest) CHECK(g > 1e-5);
  CHECK(r.worst < 1e-6);
}

TEST_CASE("smoothed cross-entropy is its definition") {
  values z(3, 2);
  z << 1, 0, 2, -1, 0.5, 3;
  const std::vector<std::uint8_t> labels = {1, 0};
  double want = 0;
  for (int j = 0; j < 2; ++j) {
    const double mass = z.col(j).array().exp().sum();
    for (int i = 0; i < 3; ++i) {
      const double share = 0.1 + (i == labels[std::size_t(j)] ? 0.7 : 0);
      want -= share * (z(i, j) - std::log(mass));
    }
  }
  const tally got = chain<double>::cross_entropy(z, labels, 0.3);
  CHECK(got.loss == doctest::Approx(want).epsilon(1e-13));
  CHECK(got.correct == 1);
}
