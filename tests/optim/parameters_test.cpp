/// @file  What goes where: kinds, the user's word, convolutions, fused matrices.
#include <support/matrices.hpp>

#include <fanion/adapters/eigen.hpp>
#include <fanion/backend/eigen.hpp>
#include <fanion/optim/makers.hpp>
#include <fanion/optim/optimizer.hpp>
#include <fanion/optim/parameters.hpp>

#include <doctest/doctest.h>

#include <numeric>
#include <vector>

using namespace fanion;
using kind = parameter_kind;

namespace {

/// Matrices move by -sign(g), the rest by -g: a step of length 1 from 0 with gradient 2 tells.
optimizer<float> marked() {
  return optimizer<float>(sign_sgd({.momentum = {0}}), sgd{.momentum = {0}});
}
constexpr float by_oracle = -1, by_others = -2;

/// Where a parameter of this kind and shape lands.
template <class... Word>
float route(kind k, Eigen::Index rows, Eigen::Index cols, const Word&... word) {
  Eigen::MatrixXf w = Eigen::MatrixXf::Zero(rows, cols),
                  g = Eigen::MatrixXf::Constant(rows, cols, 2);
  auto opt = marked();
  opt.add(make_parameter("w", w, g, k), word...);
  opt.step(1);
  REQUIRE((w.array() == w(0, 0)).all());
  return w(0, 0);
}

}  // namespace

TEST_CASE("the usual rule") {
  CHECK(route(kind::hidden, 3, 2) == by_oracle);
  CHECK(route(kind::convolution, 3, 2) == by_oracle);
  CHECK(route(kind::embedding, 3, 2) == by_others);
  CHECK(route(kind::head, 3, 2) == by_others);
  CHECK(route(kind::bias, 3, 2) == by_others);
  CHECK(route(kind::normalization, 3, 2) == by_others);
  // One dimension is not a matrix, whatever it is called.
  CHECK(route(kind::hidden, 3, 1) == by_others);
  CHECK(route(kind::hidden, 1, 3) == by_others);
  CHECK(route(kind::convolution, 1, 1) == by_others);
}

TEST_CASE("the user's word is above it") {
  CHECK(route(kind::head, 3, 2, treatment::matrix) == by_oracle);
  CHECK(route(kind::bias, 3, 1, treatment::matrix) == by_oracle);
  CHECK(route(kind::hidden, 3, 2, treatment::other) == by_others);
  CHECK(route(kind::hidden, 3, 2, lion{.beta1 = 0}) == -1);
  CHECK(route(kind::bias, 3, 1, nsgd({.momentum = {0}})) == doctest::Approx(-1 / std::sqrt(3.0)));
  CHECK(route(kind::hidden, 3, 2, 0.5) == by_oracle / 2);
  CHECK(route(kind::bias, 3, 2, 3.0) == by_others * 3);
  CHECK(route(kind::head, 3, 2, treatment::matrix, 0.25) == by_oracle / 4);
}

TEST_CASE("a convolution kernel is a view of out x (in kh kw)") {
  const index_t out = 3, in = 2, kh = 2, kw = 5;
  std::vector<float> kernel(static_cast<std::size_t>(out * in * kh * kw));
  std::iota(kernel.begin(), kernel.end(), 0.0f);
  const auto w = flatten_convolution(kernel.data(), out, in, kh, kw);
  CHECK(w.rows() == out);
  CHECK(w.cols() == in * kh * kw);
  CHECK(w.storage.data() == kernel.data());
  // Entry (o, ((i kh) + y) kw + x) is kernel[o][i][y][x]; storage is the transpose.
  for (index_t o = 0; o < out; ++o)
    for (index_t i = 0; i < in; ++i)
      for (index_t y = 0; y < kh; ++y)
        for (index_t x = 0; x < kw; ++x)
          CHECK(&w.storage((i * kh + y) * kw + x, o) ==
                &kernel[static_cast<std::size_t>(((o * in + i) * kh + y) * kw + x)]);

  // And it trains: Frobenius' oracle moves the kernel against its gradient.
  std::vector<float> gradient(kernel.size(), 2.0f);
  auto opt = marked();
  const std::vector<float> before = kernel;
  opt.add(make_parameter("conv", w,
                         flatten_convolution(std::as_const(gradient).data(), out, in, kh, kw),
                         kind::convolution));
  opt.step(1);
  for (std::size_t i = 0; i < kernel.size(); ++i) CHECK(kernel[i] == before[i] - 1);

  CHECK_THROWS_WITH_AS((void)flatten_convolution(kernel.data(), out, in, 0, kw),
                       "convolution: kh must be at least 1, got 0", std::invalid_argument);
  CHECK_THROWS_AS((void)flatten_convolution(kernel.data(), -1, in, kh, kw), std::invalid_argument);
}

TEST_CASE("query, key and value") {
  CHECK(split_qkv(6, 4) == std::vector<matrix_block>{{0, 0, 2, 4}, {2, 0, 2, 4}, {4, 0, 2, 4}});
  const auto heads = split_qkv(12, 4, 2);
  CHECK(heads.size() == 6);
  CHECK(heads.front() == matrix_block{0, 0, 2, 4});
  CHECK(heads.back() == matrix_block{10, 0, 2, 4});
  CHECK_THROWS_WITH_AS((void)split_qkv(7, 4),
                       "split_qkv: rows must be a positive multiple of 3, got 7",
                       std::invalid_argument);
  CHECK_THROWS_AS((void)split_qkv(6, 4, 4), std::invalid_argument);
  CHECK_THROWS_AS((void)split_qkv(0, 4), std::invalid_argument);
  CHECK_THROWS_WITH_AS((void)split_qkv(6, 4, 0), "split_qkv: heads must be at least 1, got 0",
                       std::invalid_argument);
}

TEST_CASE("a parameter is checked when it is made and when it is added") {
  Eigen::MatrixXf w = Eigen::MatrixXf::Zero(3, 2), g = w, turned = Eigen::MatrixXf::Zero(2, 3);
  CHECK_THROWS_WITH_AS((void)make_parameter("w", w, turned),
                       "parameter w: the shape of the gradient must be 3 x 2, got 2 x 3",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS((void)make_parameter("", w, g),
                       "parameter: name must be not empty, got \"\"", std::invalid_argument);
  auto opt = marked();
  opt.add(make_parameter("w", w, g));
  CHECK_THROWS_WITH_AS(opt.add(make_parameter("w", w, g)),
                       "optimizer: parameter name must be new, got w", std::invalid_argument);
  CHECK_THROWS_WITH_AS(opt.add(make_parameter("v", w, g), -1.0),
                       "optimizer: rates must be finite and at least 0, got -1",
                       std::invalid_argument);
  CHECK_THROWS_AS(opt.add(make_parameter("v", w, w)), std::invalid_argument);
  CHECK_THROWS_AS(opt.add(make_parameter("v", w, g, kind::hidden, {{0, 0, 4, 2}})),
                  std::invalid_argument);
  // A parameter that was refused leaves no trace.
  CHECK(opt.size() == 1);
  g.setOnes();
  CHECK(opt.step(1).parameters.size() == 1);
  CHECK(w(0, 0) == -1);
}
