/// @file  Buffers of every layout give the bits of the Eigen path; reduced ones those of a float
/// run.
#include <support/matrices.hpp>

#include <fanion/adapters/buffer_optimizer.hpp>
#include <fanion/adapters/buffers.hpp>
#include <fanion/adapters/eigen.hpp>
#include <fanion/optim/makers.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace fanion;

namespace {

template <class T>
using columns = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
template <class T>
using rows = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr std::uint64_t steps = 4;

/// `count` numbers of Low (or any, for T itself), the same ones whatever they are stored in.
template <class Low, class T>
void fill(std::vector<T>& x, std::uint64_t seed) {
  const auto numbers = matrices::gaussian(static_cast<matrices::position>(x.size()), 1, seed);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double number = numbers(static_cast<matrices::position>(i), 0);
    if constexpr (Real<Low>)
      x[i] = static_cast<T>(number);
    else if constexpr (Reduced<T>)
      x[i] = rounded<Low>(static_cast<float>(number));
    else
      x[i] = widened(rounded<Low>(static_cast<float>(number)));
  }
}

/// Weight and gradient of one buffer.
template <class E, class G = E>
struct block {
  std::vector<E> weight;
  std::vector<G> gradient;
  explicit block(std::size_t count) : weight(count), gradient(count) {}

  template <class Low = E>
  void start() {
    fill<Low>(weight, 1);
  }
  template <class Low = E>
  void backpropagate(std::uint64_t t) {
    fill<Low>(gradient, 100 + t);
  }
  buffer<E, G> as(const std::string& name, std::vector<index_t> shape,
                  std::vector<index_t> strides = {}, parameter_kind kind = parameter_kind::hidden) {
    return {.name = name,
            .data = weight.data(),
            .gradient = gradient.data(),
            .shape = std::move(shape),
            .strides = std::move(strides),
            .kind = kind};
  }
};

/// A buffer against what `add` makes of a twin of its memory for `optimizer`.
template <class T, class Add>
void check_same(std::size_t count, const std::vector<index_t>& shape,
                const std::vector<index_t>& strides, parameter_kind kind, index_t threads,
                Add add) {
  block<T> ours(count), twin(count);
  ours.start();
  twin.start();
  buffer_optimizer<T> opt(muon({.decay = 0.1}), adamw{.decay = 0.1}, threads);
  optimizer<T> plain(muon({.decay = 0.1}), adamw{.decay = 0.1});
  opt.add(ours.as("w", shape, strides, kind));
  add(plain, twin.weight.data(), twin.gradient.data());
  const auto before = ours.weight;
  for (std::uint64_t t = 0; t < steps; ++t) {
    ours.backpropagate(t);
    twin.backpropagate(t);
    const optimizer_report& report = opt.step(0.1);
    (void)plain.step(0.1);
    CHECK(report.parameters.size() == opt.size());
  }
  CHECK(ours.weight != before);
  CHECK(ours.weight == twin.weight);
}

std::string saved(const buffer_optimizer<float>& opt) {
  std::ostringstream out;
  opt.save(out);
  return out.str();
}
void restore(buffer_optimizer<float>& opt, const std::string& state) {
  std::istringstream in(state);
  opt.load(in);
}

/// matrices_of refuses, with this message after "buffer w: ".
void check_refused(const std::vector<index_t>& shape, const std::vector<index_t>& strides,
                   const std::string& message, parameter_kind kind = parameter_kind::hidden) {
  block<float> b(64);
  buffer_optimizer<float> opt(muon(), adamw{});
  CHECK_THROWS_WITH_AS(opt.add(b.as("w", shape, strides, kind)), ("buffer w: " + message).c_str(),
                       std::invalid_argument);
  CHECK(opt.size() == 0);
}

}  // namespace

TEST_CASE_TEMPLATE("matrices: both orders, whole and windows of something wider", T, float,
                   double) {
  using stride = Eigen::OuterStride<>;
  for (const matrices::shape& shape : {matrices::shape{6, 4}, {3, 9}, {1, 5}, {5, 1}, {1, 1}})
    for (const index_t more : {0, 3}) {
      const index_t m = shape.rows, n = shape.cols;
      CAPTURE(m);
      CAPTURE(n);
      CAPTURE(more);
      const index_t row_pitch = n + more, col_pitch = m + more;
      check_same<T>(static_cast<std::size_t>(m * row_pitch), {m, n}, {row_pitch, 1},
                    parameter_kind::hidden, 1, [&](optimizer<T>& opt, T* w, T* g) {
                      Eigen::Map<rows<T>, 0, stride> x(w, m, n, stride(row_pitch)),
                          dx(g, m, n, stride(row_pitch));
                      opt.add(make_parameter("w", x, dx));
                    });
      check_same<T>(static_cast<std::size_t>(n * col_pitch), {m, n}, {1, col_pitch},
                    parameter_kind::hidden, 1, [&](optimizer<T>& opt, T* w, T* g) {
                      Eigen::Map<columns<T>, 0, stride> x(w, m, n, stride(col_pitch)),
                          dx(g, m, n, stride(col_pitch));
                      opt.add(make_parameter("w", x, dx));
                    });
    }
  // Without strides: contiguous, by rows.
  check_same<T>(24, {4, 6}, {}, parameter_kind::hidden, 1, [](optimizer<T>& opt, T* w, T* g) {
    Eigen::Map<rows<T>> x(w, 4, 6), dx(g, 4, 6);
    opt.add(make_parameter("w", x, dx));
  });
  // The kind says who moves it.
  check_same<T>(24, {4, 6}, {}, parameter_kind::embedding, 1, [](optimizer<T>& opt, T* w, T* g) {
    Eigen::Map<rows<T>> x(w, 4, 6), dx(g, 4, 6);
    opt.add(make_parameter("w", x, dx), treatment::other);
  });
}

TEST_CASE_TEMPLATE("vectors, dense and strided", T, float, double) {
  check_same<T>(7, {7}, {}, parameter_kind::bias, 1, [](optimizer<T>& opt, T* w, T* g) {
    Eigen::Map<columns<T>> x(w, 7, 1), dx(g, 7, 1);
    opt.add(make_parameter("w", x, dx, parameter_kind::bias));
  });
  // Every third element is what a column of a row-major matrix is.
  check_same<T>(21, {7}, {3}, parameter_kind::hidden, 1, [](optimizer<T>& opt, T* w, T* g) {
    using stride = Eigen::OuterStride<>;
    Eigen::Map<rows<T>, 0, stride> x(w, 7, 1, stride(3)), dx(g, 7, 1, stride(3));
    opt.add(make_parameter("w", x, dx));
  });
}

TEST_CASE("a dense vector is one line, by whichever name") {
  block<float> b(7);
  for (const auto& shape : {std::vector<index_t>{7}, {7, 1}, {1, 7}}) {
    const auto storage = matrices_of(b.as("w", shape)).at(0).weight.storage;
    CHECK(storage.rows() == 7);
    CHECK(storage.cols() == 1);
  }
}

TEST_CASE_TEMPLATE("a stack is its matrices, on any number of threads", T, float, double) {
  const index_t layers = 5, m = 6, n = 4;
  for (const index_t threads : {1, 2, 3, 9}) {
    check_same<T>(layers * m * n, {layers, m, n}, {}, parameter_kind::hidden, threads,
                  [&](optimizer<T>& opt, T* w, T* g) {
                    for (index_t i = 0; i < layers; ++i) {
                      Eigen::Map<rows<T>> x(w + i * m * n, m, n), dx(g + i * m * n, m, n);
                      opt.add(make_parameter("w." + std::to_string(i), x, dx));
                    }
                  });
    // Side by side in one row-major matrix: members interleave, and do not overlap.
    check_same<T>(layers * m * n, {layers, m, n}, {n, layers * n, 1}, parameter_kind::hidden,
                  threads, [&](optimizer<T>& opt, T* w, T* g) {
                    using stride = Eigen::OuterStride<>;
                    for (index_t i = 0; i < layers; ++i) {
                      Eigen::Map<rows<T>, 0, stride> x(w + i * n, m, n, stride(layers * n)),
                          dx(g + i * n, m, n, stride(layers * n));
                      opt.add(make_parameter("w." + std::to_string(i), x, dx));
                    }
                  });
  }
}

TEST_CASE("names of a stack, and of what is none") {
  block<float> b(24);
  const auto names = [&](const std::vector<index_t>& shape, parameter_kind kind) {
    buffer_optimizer<float> opt(muon(), adamw{});
    opt.add(b.as("w", shape, {}, kind));
    return opt.names();
  };
  using list = std::vector<std::string>;
  CHECK(names({2, 3, 4}, parameter_kind::hidden) == list{"w.0", "w.1"});
  CHECK(names({1, 6, 4}, parameter_kind::hidden) == list{"w.0"});
  CHECK(names({2, 3, 4}, parameter_kind::convolution) == list{"w"});
  CHECK(names({6, 4}, parameter_kind::normalization) == list{"w"});
}

TEST_CASE_TEMPLATE("convolution kernels become out x (in kh kw)", T, float, double) {
  const auto flat = [](index_t out, index_t in, index_t kh, index_t kw) {
    return [=](optimizer<T>& opt, T* w, T* g) {
      opt.add(make_parameter("w", flatten_convolution(w, out, in, kh, kw),
                             flatten_convolution(g, out, in, kh, kw), parameter_kind::convolution));
    };
  };
  check_same<T>(4 * 3 * 2 * 5, {4, 3, 2, 5}, {}, parameter_kind::convolution, 1, flat(4, 3, 2, 5));
  check_same<T>(4 * 3 * 5, {4, 3, 5}, {}, parameter_kind::convolution, 1, flat(4, 3, 1, 5));
  check_same<T>(4 * 3, {4, 3}, {}, parameter_kind::convolution, 1, flat(4, 3, 1, 1));
  check_same<T>(4 * 6, {4, 1, 2, 3}, {6, 99, 3, 1}, parameter_kind::convolution, 1,
                flat(4, 1, 2, 3));
  // Room after each output.
  check_same<T>(4 * 8, {4, 1, 2, 3}, {8, 6, 3, 1}, parameter_kind::convolution, 1,
                [](optimizer<T>& opt, T* w, T* g) {
                  using stride = Eigen::OuterStride<>;
                  Eigen::Map<rows<T>, 0, stride> x(w, 4, 6, stride(8)), dx(g, 4, 6, stride(8));
                  opt.add(make_parameter("w", x, dx));
                });
}

TEST_CASE("blocks, a treatment, a rule and a rate of its own reach the optimizer") {
  block<float> ours(4 * 36), twin(4 * 36);
  ours.start();
  twin.start();
  buffer_optimizer<float> opt(muon(), adamw{});
  optimizer<float> plain(muon(), adamw{});
  const auto part = [](block<float>& b, index_t i, const std::string& name, index_t m, index_t n) {
    buffer<float> x = b.as(name, {m, n});
    x.data += 36 * i;
    x.gradient += 36 * i;
    return x;
  };
  buffer<float> qkv = part(ours, 0, "qkv", 9, 4);
  qkv.blocks = split_qkv(9, 4);
  opt.add(qkv);
  opt.add(part(ours, 1, "a", 6, 6), 0.25);
  opt.add(part(ours, 2, "b", 6, 6), treatment::other, 0.5);
  opt.add(part(ours, 3, "c", 6, 6), sgd{}, 2);
  const auto map = [&](std::vector<float>& x, index_t i, index_t m, index_t n) {
    return Eigen::Map<rows<float>>(x.data() + 36 * i, m, n);
  };
  const auto parameter_of = [&](index_t i, const std::string& name, index_t m, index_t n) {
    auto x = map(twin.weight, i, m, n);
    return make_parameter(name, x, map(twin.gradient, i, m, n));
  };
  auto fused = parameter_of(0, "qkv", 9, 4);
  fused.blocks = split_qkv(9, 4);
  plain.add(fused);
  plain.add(parameter_of(1, "a", 6, 6), 0.25);
  plain.add(parameter_of(2, "b", 6, 6), treatment::other, 0.5);
  plain.add(parameter_of(3, "c", 6, 6), sgd{}, 2);
  for (std::uint64_t t = 0; t < steps; ++t) {
    ours.backpropagate(t);
    twin.backpropagate(t);
    opt.step(0.1);
    plain.step(0.1);
  }
  CHECK(ours.weight == twin.weight);
}

namespace {

/// One matrix by rows, a strided bias, a stack: 24 + 6 + 24 elements.
template <class E, class G>
void add_model(buffer_optimizer<float>& opt, block<E, G>& b) {
  const auto part = [&](std::size_t at, const std::string& name, std::vector<index_t> shape,
                        std::vector<index_t> strides, parameter_kind kind) {
    buffer<E, G> x = b.as(name, std::move(shape), std::move(strides), kind);
    x.data += at;
    x.gradient += at;
    return x;
  };
  opt.add(part(0, "w", {6, 4}, {}, parameter_kind::hidden));
  opt.add(part(24, "b", {3}, {2}, parameter_kind::bias));
  opt.add(part(30, "s", {2, 3, 4}, {}, parameter_kind::hidden));
}
constexpr std::size_t model_size = 54;

template <class Low, class G>
void check_reduced(index_t threads) {
  block<Low, G> low(model_size);
  block<float> plain(model_size);
  low.template start<Low>();
  plain.template start<Low>();
  buffer_optimizer<float> opt(muon(), adamw{}, threads), float_opt(muon(), adamw{});
  add_model(opt, low);
  add_model(float_opt, plain);
  for (std::uint64_t t = 0; t < 8; ++t) {
    low.template backpropagate<Low>(t);
    plain.template backpropagate<Low>(t);
    opt.step(1e-3);
    float_opt.step(1e-3);
  }
  for (std::size_t i = 0; i < model_size; ++i) {
    CAPTURE(i);
    CHECK(low.weight[i] == rounded<Low>(plain.weight[i]));
  }
}

}  // namespace

TEST_CASE_TEMPLATE("reduced weights follow the float run, rounded", Low, bfloat16, float16) {
  for (const index_t threads : {1, 3}) {
    check_reduced<Low, Low>(threads);
    check_reduced<Low, float>(threads);
  }
}

TEST_CASE("a skipped parameter keeps its bits, whatever it is stored in") {
  block<bfloat16> low(model_size);
  low.start();
  buffer_optimizer<float> opt(muon(), adamw{});
  add_model(opt, low);
  low.backpropagate(0);
  low.weight[24] = bfloat16{0x7f81};
  low.gradient[24] = rounded<bfloat16>(std::numeric_limits<float>::infinity());
  low.gradient[31] = bfloat16{0x7fc0};
  const auto before = low.weight;
  CHECK(opt.step(0.1).skipped == std::vector<std::string>{"b", "s.0"});
  for (std::size_t i = 0; i < model_size; ++i) {
    const bool still = (i >= 24 && i < 30) || (i >= 30 && i < 42);
    CAPTURE(i);
    CHECK((low.weight[i] == before[i]) == still);
  }
  CHECK_THROWS_WITH_AS(opt.step(-1), "optimizer: rate must be finite and at least 0, got -1",
                       std::invalid_argument);
}

TEST_CASE("a step that throws leaves reduced weights as they were or moved whole") {
  // The constrained form refuses the rate when its own parameter's turn comes.
  for (const index_t threads : {1, 2}) {
    block<bfloat16> low(model_size);
    block<float> plain(model_size);
    low.start();
    plain.start<bfloat16>();
    const auto rule = muon({.form = step_form::constrained});
    buffer_optimizer<float> opt(rule, adamw{}, threads), float_opt(rule, adamw{}, threads);
    add_model(opt, low);
    add_model(float_opt, plain);
    low.backpropagate(0);
    plain.backpropagate<bfloat16>(0);
    CHECK_THROWS_AS(opt.step(1.5), std::invalid_argument);
    CHECK_THROWS_AS(float_opt.step(1.5), std::invalid_argument);
    for (std::size_t i = 0; i < model_size; ++i)
      CHECK(low.weight[i] == rounded<bfloat16>(plain.weight[i]));
  }
}

TEST_CASE("a reduced weight that was set from outside is where the next step starts") {
  block<float16> low(model_size);
  low.start();
  buffer_optimizer<float> opt(sgd{}, sgd{});
  add_model(opt, low);
  low.backpropagate(0);
  opt.step(1e-3);
  for (auto& x : low.weight) x = rounded<float16>(2);
  std::fill(low.gradient.begin(), low.gradient.end(), float16{});
  opt.step(0);
  for (std::size_t i = 0; i < 24; ++i) CHECK(low.weight[i] == rounded<float16>(2));
}

namespace {

/// Saved before step 3 of 6, gone on with in another optimizer over copies of the weights.
template <class E, class G>
void check_resume(index_t threads) {
  block<E, G> straight(model_size), first(model_size);
  straight.template start<E>();
  first.template start<E>();
  buffer_optimizer<float> a(muon(), adamw{}, threads), b(muon(), adamw{}, threads);
  add_model(a, straight);
  add_model(b, first);
  for (std::uint64_t t = 0; t < 3; ++t) {
    straight.template backpropagate<E>(t);
    first.template backpropagate<E>(t);
    a.step(1e-3);
    b.step(1e-3);
  }
  const std::string state = saved(b);
  block<E, G> second = first;
  buffer_optimizer<float> c(muon(), adamw{}, threads);
  add_model(c, second);
  const std::string nothing = saved(c);
  for (std::size_t length = 0; length < state.size(); ++length) {
    if (length > 400 && length % 97 != 0 && length + 40 < state.size()) continue;
    REQUIRE_THROWS_AS(restore(c, state.substr(0, length)), std::invalid_argument);
    REQUIRE(saved(c) == nothing);
  }
  restore(c, state);
  CHECK(saved(c) == state);
  for (std::uint64_t t = 3; t < 6; ++t) {
    straight.template backpropagate<E>(t);
    second.template backpropagate<E>(t);
    a.step(1e-3);
    c.step(1e-3);
  }
  CHECK(straight.weight == second.weight);
  CHECK(saved(c) == saved(a));
}

}  // namespace

TEST_CASE("resuming gives the bits of a run that did not stop") {
  for (const index_t threads : {1, 2}) {
    check_resume<float, float>(threads);
    check_resume<bfloat16, bfloat16>(threads);
    check_resume<float16, float>(threads);
  }
}

TEST_CASE("states of other models are refused by name, and nothing is changed") {
  block<bfloat16> b(24);
  block<float16> h(24);
  block<float> f(24);
  const auto make = [](auto& memory, const std::string& name, std::vector<index_t> shape,
                       std::vector<index_t> strides = {}) {
    buffer_optimizer<float> opt(sgd{}, sgd{});
    opt.add(memory.as(name, std::move(shape), std::move(strides)));
    return opt;
  };
  auto opt = make(b, "w", {6, 4});
  b.start();
  b.backpropagate(0);
  opt.step(0.1);
  const std::string before = saved(opt);
  const auto refused = [&](const std::string& state, const std::string& message) {
    CHECK_THROWS_WITH_AS(restore(opt, state), message.c_str(), std::invalid_argument);
    CHECK(saved(opt) == before);
  };
  refused(saved(make(b, "v", {6, 4})), "checkpoint: extra master weights: expected w, found v");
  refused(saved(make(f, "w", {6, 4})),
          "checkpoint: missing master weights: expected w, found no such name");
  refused(saved(make(h, "w", {6, 4})),
          "checkpoint: parameter w: checkpoint: expected master weights of bfloat16, found master "
          "weights of float16");
  refused(saved(make(b, "w", {4, 6})),
          "checkpoint: parameter w: checkpoint: the shape must be 6 x 4, got 4 x 6");
  refused(saved(make(b, "w", {6, 4}, {1, 6})),
          "checkpoint: parameter w: checkpoint: the order of the master weights must be by rows, "
          "got by columns");
  buffer_optimizer<float> other_rule(lion{}, lion{});
  other_rule.add(b.as("w", {6, 4}));
  CHECK_THROWS_WITH_AS(restore(opt, saved(other_rule)),
                       doctest::Contains("checkpoint: parameter w: expected rule sgd"),
                       std::invalid_argument);
  CHECK(saved(opt) == before);
  auto plain = make(f, "w", {6, 4});
  CHECK_THROWS_WITH_AS(restore(plain, before),
                       "checkpoint: extra master weights: expected none, found w",
                       std::invalid_argument);
  CHECK_THROWS_AS(restore(plain, ""), std::invalid_argument);
  CHECK_THROWS_WITH_AS(restore(plain, std::string("\x03\0\0\0\0\0\0\0abc", 11)),
                       "checkpoint: expected fanion buffers 1, found abc", std::invalid_argument);
}

TEST_CASE("shapes and strides that are none") {
  check_refused({}, {}, "shape must be at least one extent, got none");
  check_refused({3, 0}, {}, "extents must be at least 1, got {3, 0}");
  check_refused({-3, 2}, {}, "extents must be at least 1, got {-3, 2}");
  const index_t huge = index_t(1) << 31;
  check_refused({huge, huge}, {},
                "shape must be of a size that memory can have, got {2147483648, 2147483648}");
  check_refused({4, 2}, {index_t(1) << 60, 1},
                "strides must be within what memory can have, got {1152921504606846976, 1}");
  check_refused({3, 2}, {2}, "strides must be one for each extent, or none, got {2}");
  check_refused({3, 2}, {-2, 1}, "strides must be at least 1, got {-2, 1}");
  check_refused({3, 2}, {0, 1}, "strides must be at least 1, got {0, 1}");
  check_refused({3, 4}, {3, 1}, "strides must be such that no elements overlap, got {3, 1}");
  check_refused({3, 4}, {1, 2}, "strides must be such that no elements overlap, got {1, 2}");
  check_refused({3, 4}, {8, 2},
                "strides must be 1 along the rows or along the columns, got {8, 2}");
  check_refused({2, 3, 4}, {11, 4, 1}, "strides must be such that no matrices overlap, got 11");
  check_refused({2, 3, 4, 1}, {},
                "dimensions must be 1 to 3, or more with the kind convolution, got 4");
  check_refused({2, 3, 4, 1}, {12, 1, 3, 3},
                "strides must be contiguous within each output of a convolution kernel, the last "
                "index fastest, got {12, 1, 3, 3}",
                parameter_kind::convolution);
  check_refused({2, 3, 2, 2}, {11, 4, 2, 1},
                "strides must be such that no elements overlap, got {11, 1}",
                parameter_kind::convolution);
}

TEST_CASE("memory, names and shapes that do not do") {
  block<float> b(64);
  buffer_optimizer<float> opt(muon(), adamw{});
  const auto refused = [&](const buffer<float>& x, const std::string& message) {
    CHECK_THROWS_WITH_AS(opt.add(x), doctest::Contains(message.c_str()), std::invalid_argument);
    CHECK(opt.size() == 0);
  };
  buffer<float> x = b.as("w", {3, 4});
  x.data = nullptr;
  refused(x, "buffer w: data must be a pointer to memory, got null");
  x = b.as("w", {3, 4});
  x.gradient = nullptr;
  refused(x, "buffer w: gradient must be a pointer to memory, got null");
  x.gradient = x.data + 11;
  refused(x, "buffer w: gradient must be memory apart from that of the weights, got an overlap");
  x = b.as("w", {2, 3, 4});
  x.gradient = x.data + 18;  // the first gradient on the second weight
  refused(x, "buffer w: gradient must be memory apart from that of the weights, got an overlap");
  refused(b.as("", {3, 4}), "buffer: name must be not empty");
  x = b.as("w", {3, 4});
  x.blocks = {{0, 0, 4, 4}};
  refused(x, "buffer w: lmo_step: a block must be inside 3 x 4, got 4 x 4 at (0, 0)");

  opt.add(b.as("w", {2, 3, 4}));
  CHECK_THROWS_WITH_AS(opt.add(b.as("w", {2, 3, 4})), "buffer w: name must be new, got w.0",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(opt.add(b.as("w.1", {4})), "buffer w.1: name must be new, got w.1",
                       std::invalid_argument);
  CHECK(opt.names() == std::vector<std::string>{"w.0", "w.1"});
}
