/// @file  The optimizers for what is not a matrix: AdamW, SGD and Lion.
///
/// Each entry is updated from its own gradient and state, in one read and one write of everything.
#pragma once

#include <fanion/backend/dense/root.hpp>
#include <fanion/optim/momentum.hpp>
#include <fanion/optim/step.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace fanion {

/// Loshchilov and Hutter 2019: m <- β₁m + (1-β₁)g, v <- β₂v + (1-β₂)g²,
/// x <- (1 - η decay) x - η m̂ / (sqrt(v̂) + eps), with m̂, v̂ corrected for their start at 0.
/// eps is part of the published method, in units of the gradient.
struct adamw {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double decay = 0;
};

/// x <- (1 - η decay) x - η d, with d the momentum. Heavy ball by default, as is usual for SGD;
/// an initialiser for `momentum` replaces all of it, whose own default is an average.
struct sgd {
  fanion::momentum momentum = {
      .beta = 0.9, .accumulation = accumulation::heavy_ball, .lookahead = lookahead::nesterov};
  double decay = 0;
};

/// Chen et al. 2023: x <- (1 - η decay) x - η sign(β₁m + (1-β₁)g), m <- β₂m + (1-β₂)g.
struct lion {
  double beta1 = 0.9;
  double beta2 = 0.99;
  double decay = 0;
};

inline void check_beta(double beta, const char* what) {
  if (!(beta >= 0 && beta < 1)) refuse(what, "at least 0 and below 1", beta);
}
inline void check(const adamw& r) {
  check_beta(r.beta1, "adamw: beta1");
  check_beta(r.beta2, "adamw: beta2");
  (void)expects_coefficient(r.eps, "adamw: eps");
  (void)expects_coefficient(r.decay, "adamw: decay");
}
inline void check(const sgd& r) {
  check(r.momentum);
  (void)expects_coefficient(r.decay, "sgd: decay");
}
inline void check(const lion& r) {
  check_beta(r.beta1, "lion: beta1");
  check_beta(r.beta2, "lion: beta2");
  (void)expects_coefficient(r.decay, "lion: decay");
}

namespace detail {

template <Real T>
void update_entries(T* x, const T* g, T* m, T* v, index_t count, const adamw& r, double rate,
                    index_t step) {
  const double correction1 = 1 - std::pow(r.beta1, static_cast<double>(step));
  const double correction2 = 1 - std::pow(r.beta2, static_cast<double>(step));
  const T b1 = static_cast<T>(r.beta1), c1 = static_cast<T>(1 - r.beta1);
  const T b2 = static_cast<T>(r.beta2), c2 = static_cast<T>(1 - r.beta2);
  const T keep = static_cast<T>(1 - rate * r.decay);
  const T length = static_cast<T>(rate / correction1);
  const T root = static_cast<T>(1 / std::sqrt(correction2));
  // Above 0 in T, so that an entry whose gradients were all 0 does not become 0/0.
  const T eps = std::max(static_cast<T>(r.eps), std::numeric_limits<T>::min());
  using dense::lanes, dense::load, dense::store, dense::vec;
  const auto update = [=](T* xi, const T* gi, T* mi, T* vi) {
    const vec<T> gradient = load<T>(gi);
    const vec<T> first = b1 * load<T>(mi) + c1 * gradient;
    const vec<T> second = b2 * load<T>(vi) + c2 * (gradient * gradient);
    store<T>(mi, first);
    store<T>(vi, second);
    const vec<T> moved = length * first / (dense::square_root<T>(second) * root + eps);
    store<T>(xi, keep * load<T>(xi) - moved);
  };
  index_t i = 0;
  for (; i + lanes<T> <= count; i += lanes<T>) update(x + i, g + i, m + i, v + i);
  if (i == count) return;
  std::array<std::array<T, lanes<T>>, 4> tail{};
  const index_t rest = count - i;
  T* const from[4] = {x + i, nullptr, m + i, v + i};
  std::copy_n(g + i, rest, tail[1].data());
  for (const std::size_t k : {0u, 2u, 3u}) std::copy_n(from[k], rest, tail[k].data());
  update(tail[0].data(), tail[1].data(), tail[2].data(), tail[3].data());
  for (const std::size_t k : {0u, 2u, 3u}) std::copy_n(tail[k].data(), rest, from[k]);
}

template <Real T>
void update_entries(T* x, const T* g, T* m, T*, index_t count, const sgd& r, double rate, index_t) {
  const T beta = static_cast<T>(r.momentum.beta);
  const T share = r.momentum.accumulation == accumulation::ema ? 1 - beta : T(1);
  const bool ahead = r.momentum.lookahead == lookahead::nesterov;
  const T keep = static_cast<T>(1 - rate * r.decay), length = static_cast<T>(rate);
  for (index_t i = 0; i < count; ++i) {
    m[i] = beta * m[i] + share * g[i];
    const T seen = ahead ? beta * m[i] + share * g[i] : m[i];
    x[i] = keep * x[i] - length * seen;
  }
}

template <Real T>
void update_entries(T* x, const T* g, T* m, T*, index_t count, const lion& r, double rate,
                    index_t) {
  const T b1 = static_cast<T>(r.beta1), c1 = static_cast<T>(1 - r.beta1);
  const T b2 = static_cast<T>(r.beta2), c2 = static_cast<T>(1 - r.beta2);
  const T keep = static_cast<T>(1 - rate * r.decay), length = static_cast<T>(rate);
  for (index_t i = 0; i < count; ++i) {
    const T seen = b1 * m[i] + c1 * g[i];
    x[i] = keep * x[i] - length * (T(seen > T(0)) - T(seen < T(0)));
    m[i] = b2 * m[i] + c2 * g[i];
  }
}

}  // namespace detail

/// State and step of one parameter under adamw, sgd or lion: one or two buffers of its size, in
/// host memory. Weight and gradient are stored in one order. Allocates in the constructor only.
template <class Rule, Real T, class B>
class elementwise_step {
 public:
  using space = typename B::space;

  elementwise_step(const Rule& rule, index_t rows, index_t cols, B& backend)
      : rule_(rule), rows_(rows), cols_(cols), backend_(&backend) {
    check(rule);
    m_ = backend.template make_workspace<T>(rows * cols);
    if (std::same_as<Rule, adamw>) v_ = backend.template make_workspace<T>(rows * cols);
  }

  [[nodiscard]] index_t steps() const noexcept { return steps_; }
  [[nodiscard]] const Rule& rule() const noexcept { return rule_; }

  /// As lmo_step::step. @throws std::invalid_argument also where weight and gradient are stored in
  /// different orders.
  step_report step(const oriented_view<T, space>& weight,
                   const oriented_view<const T, space>& gradient, double rate) {
    check_step(weight, gradient);
    (void)expects_coefficient(rate, "step: rate");
    if (weight.rows() != rows_ || weight.cols() != cols_)
      refuse("step: the shape of the weight", shape_text(rows_, cols_).c_str(),
             shape_text(weight.rows(), weight.cols()));
    if (weight.transposed != gradient.transposed)
      throw std::invalid_argument("step: weight and gradient must be stored in one order");
    if (steps_ > 0 && weight.transposed != transposed_)
      throw std::invalid_argument("step: the weight must be stored in the order of earlier steps");
    step_report report;
    if (!is_finite(backend_->norm(gradient.storage))) {
      report.skipped = true;
      report.outcome = outcome::non_finite;
      return report;
    }
    ++steps_;
    transposed_ = weight.transposed;
    const auto x = weight.storage;
    for (index_t j = 0; j < x.cols(); ++j) {
      T* const m = m_.data() + j * x.rows();
      T* const v = v_.size() > 0 ? v_.data() + j * x.rows() : nullptr;
      detail::update_entries(x.col(j), gradient.storage.col(j), m, v, x.rows(), rule_, rate,
                             steps_);
    }
    return report;
  }

  void reset() {
    std::fill_n(m_.data(), m_.size(), T(0));
    std::fill_n(v_.data(), v_.size(), T(0));
    steps_ = 0;
  }

  void save(archive_writer& out) const {
    out.write(std::string("elementwise_step"));
    out.write(static_cast<std::uint64_t>(sizeof(T)));
    out.write(rows_);
    out.write(cols_);
    out.write(steps_);
    out.write(static_cast<std::uint8_t>(transposed_));
    out.write(static_cast<std::uint64_t>(v_.size()));
    out.write(std::span<const T>(m_.data(), static_cast<std::size_t>(m_.size())));
    out.write(std::span<const T>(v_.data(), static_cast<std::size_t>(v_.size())));
  }
  /// As lmo_step::load.
  void load(archive_reader& in) {
    expect_text(in, "elementwise_step");
    const auto scalar = in.read<std::uint64_t>();
    if (scalar != sizeof(T)) refuse("checkpoint: bytes a scalar", "the weight's", scalar);
    const auto rows = in.read<index_t>(), cols = in.read<index_t>();
    if (rows != rows_ || cols != cols_)
      refuse("checkpoint: the shape", shape_text(rows_, cols_).c_str(), shape_text(rows, cols));
    steps_ = in.read<index_t>();
    transposed_ = in.read<std::uint8_t>() != 0;
    const auto second = in.read<std::uint64_t>();
    if (second != static_cast<std::uint64_t>(v_.size()))
      refuse("checkpoint: second moments", "those of the rule", second);
    in.read(std::span<T>(m_.data(), static_cast<std::size_t>(m_.size())));
    in.read(std::span<T>(v_.data(), static_cast<std::size_t>(v_.size())));
  }

 private:
  Rule rule_;
  index_t rows_, cols_;
  B* backend_;
  decltype(std::declval<B&>().template make_workspace<T>(0)) m_, v_;
  bool transposed_ = false;
  index_t steps_ = 0;
};

}  // namespace fanion
