/// @file  The optimizers for what is not a matrix: AdamW, SGD and Lion.
///
/// Each entry is updated from its own gradient and state, in one read and one write of everything.
#pragma once

#include <fanion/backend/dense/root.hpp>
#include <fanion/backend/transfers.hpp>
#include <fanion/optim/entry_updates.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <string>

namespace fanion {

namespace detail {

/// Columns of AdamW's, in vectors: the entry's own square root is a call that ends them.
template <Real T>
void update_column(T* x, const T* g, T* m, T* v, index_t count, const entry::adamw_update<T>& u) {
  using dense::lanes, dense::load, dense::store, dense::vec;
  const auto update = [&u](T* xi, const T* gi, T* mi, T* vi) {
    const vec<T> gradient = load<T>(gi);
    const vec<T> first = u.b1 * load<T>(mi) + u.c1 * gradient;
    const vec<T> second = u.b2 * load<T>(vi) + u.c2 * (gradient * gradient);
    store<T>(mi, first);
    store<T>(vi, second);
    const vec<T> moved = u.length * first / (dense::square_root<T>(second) * u.root + u.eps);
    store<T>(xi, u.keep * load<T>(xi) - moved);
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

}  // namespace detail

/// State and step of one parameter under adamw, sgd or lion: one or two buffers of its size.
/// Weight and gradient are stored in one order. Allocates in the constructor only.
template <class Rule, Real T, class B>
class elementwise_step {
 public:
  using space = typename B::space;

  elementwise_step(const Rule& rule, index_t rows, index_t cols, B& backend)
      : rule_(rule), rows_(rows), cols_(cols), backend_(&backend) {
    check(rule);
    m_ = backend.template make_workspace<T>(rows * cols);
    if (second_moment) v_ = backend.template make_workspace<T>(rows * cols);
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
    const auto g = gradient.storage;
    const matrix_view<T, space> m(m_.data(), x.rows(), x.cols());
    const auto update = entry::update_of<T>(rule_, rate, steps_);
    if constexpr (!second_moment) {
      backend_->for_each_entry(update, x, g, m);
    } else {
      const matrix_view<T, space> v(v_.data(), x.rows(), x.cols());
      if constexpr (std::same_as<space, host_space>)
        for (index_t j = 0; j < x.cols(); ++j)
          detail::update_column(x.col(j), g.col(j), m.col(j), v.col(j), x.rows(), update);
      else
        backend_->for_each_entry(update, x, g, m, v);
    }
    return report;
  }

  void reset() {
    backend_->fill(entries(m_), T(0));
    backend_->fill(entries(v_), T(0));
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
    write_entries<T>(out, *backend_, entries(m_).as_const());
    write_entries<T>(out, *backend_, entries(v_).as_const());
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
    read_entries<T>(in, *backend_, entries(m_));
    read_entries<T>(in, *backend_, entries(v_));
  }

 private:
  static constexpr bool second_moment = std::same_as<Rule, adamw>;
  using workspace = decltype(std::declval<B&>().template make_workspace<T>(0));

  [[nodiscard]] static matrix_view<T, space> entries(const workspace& w) {
    return {w.data(), w.size(), 1};
  }

  Rule rule_;
  index_t rows_, cols_;
  B* backend_;
  workspace m_, v_;
  bool transposed_ = false;
  index_t steps_ = 0;
};

}  // namespace fanion
