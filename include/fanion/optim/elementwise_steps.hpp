/// @file  The optimizers for what is not a matrix: AdamW, SGD and Lion.
///
/// Each entry is updated from its own gradient and state, in one read and one write of everything.
#pragma once

#include <fanion/optim/momentum.hpp>
#include <fanion/optim/step.hpp>

#include <algorithm>
#include <cmath>

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

/// x <- (1 - η decay) x - η d, with d the momentum. Heavy ball by default, as is usual for SGD.
struct sgd {
  fanion::momentum momentum = {.beta = 0.9,
                               .accumulation = accumulation::heavy_ball,
                               .lookahead = lookahead::nesterov};
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

// The loops below run over plain columns, for the compiler to vectorise. GCC vectorises a square
// root only where it need not set errno, which these never do: their arguments are sums of squares.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC push_options
#pragma GCC optimize("O3", "no-math-errno", "no-trapping-math")
#endif

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
  const T root = static_cast<T>(1 / std::sqrt(correction2)), eps = static_cast<T>(r.eps);
  for (index_t i = 0; i < count; ++i) {
    m[i] = b1 * m[i] + c1 * g[i];
    v[i] = b2 * v[i] + c2 * (g[i] * g[i]);
    x[i] = keep * x[i] - length * m[i] / (std::sqrt(v[i]) * root + eps);
  }
}

template <Real T>
void update_entries(T* x, const T* g, T* m, T*, index_t count, const sgd& r, double rate,
                    index_t) {
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

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC pop_options
#endif

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
    step_report report;
    if (!is_finite(backend_->norm(gradient.storage))) {
      report.skipped = true;
      report.outcome = outcome::non_finite;
      return report;
    }
    ++steps_;
    const auto x = weight.storage;
    for (index_t j = 0; j < x.cols(); ++j) {
      T* const m = m_.data() + j * x.rows();
      T* const v = v_.size() > 0 ? v_.data() + j * x.rows() : nullptr;
      detail::update_entries(x.col(j), gradient.storage.col(j), m, v, x.rows(), rule_, rate, steps_);
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
  index_t steps_ = 0;
};

}  // namespace fanion
