/// @file  What is left to say: the buffer of the rules that send a part of a matrix and keep the
/// rest for later.
#pragma once

#include <fanion/backend/transfers.hpp>
#include <fanion/optim/blocks.hpp>
#include <fanion/optim/step.hpp>

#include <cmath>
#include <string>
#include <vector>

namespace fanion {

/// One buffer E of a parameter's size, zero at first and stored like the weights of the first step,
/// with the checks, the step count and the blocks that go with it. Allocates in the constructor
/// only.
template <Real T, class B>
class residual_state {
 public:
  using space = typename B::space;

  /// `who` begins the messages and names the state in checkpoints.
  /// @throws std::invalid_argument for blocks that meet or leave the matrix.
  residual_state(std::string who, index_t rows, index_t cols, B& backend,
                 std::vector<matrix_block> blocks)
      : who_(std::move(who)),
        rows_(rows),
        cols_(cols),
        backend_(&backend),
        blocks_(checked_blocks(std::move(blocks), rows, cols, who_)),
        values_(backend.template make_workspace<T>(rows * cols)) {}

  [[nodiscard]] index_t steps() const noexcept { return steps_; }
  [[nodiscard]] const std::vector<matrix_block>& blocks() const noexcept { return blocks_; }
  [[nodiscard]] B& backend() const noexcept { return *backend_; }
  [[nodiscard]] oriented_view<T, space> values() const {
    return {{values_.data(), transposed_ ? cols_ : rows_, transposed_ ? rows_ : cols_},
            transposed_};
  }

  /// Whether the step may go on. A gradient that holds NaN or infinity, or that E cannot take
  /// without overflow, may not: the report says so, and nothing has changed.
  /// @throws std::invalid_argument for a negative or non-finite rate, or shapes that do not fit.
  [[nodiscard]] bool enter(const oriented_view<T, space>& weight,
                           const oriented_view<const T, space>& gradient, double rate,
                           step_report& report) {
    check_step(weight, gradient);
    if (weight.rows() != rows_ || weight.cols() != cols_)
      refuse("step: the shape of the weight", shape_text(rows_, cols_).c_str(),
             shape_text(weight.rows(), weight.cols()));
    (void)expects_coefficient(rate, "step: rate");
    if (!is_finite(length_ + backend_->norm(gradient.storage))) {
      report.skipped = true;
      report.outcome = outcome::non_finite;
      return false;
    }
    if (steps_ == 0) transposed_ = weight.transposed;
    return true;
  }
  /// E <- E + G within a block; returns it.
  oriented_view<T, space> add(const oriented_view<const T, space>& gradient,
                              const matrix_block& at) {
    const oriented_view<T, space> e = window(values(), at);
    const oriented_view<const T, space> g = window(gradient, at);
    if (g.transposed == e.transposed)
      backend_->axpby(T(1), g.storage, T(1), e.storage);
    else
      backend_->axpby_adjoint(T(1), g.storage, T(1), e.storage);
    return e;
  }
  /// `length` is at least ‖E‖_F.
  void leave(double length) {
    length_ = static_cast<T>(length);
    ++steps_;
  }

  void reset() {
    backend_->fill(values().storage, T(0));
    length_ = T(0);
    steps_ = 0;
  }
  void save(archive_writer& out) const {
    out.write(who_);
    out.write(static_cast<std::uint64_t>(sizeof(T)));
    out.write(rows_);
    out.write(cols_);
    out.write(static_cast<std::uint64_t>(blocks_.size()));
    out.write(steps_);
    out.write(static_cast<std::uint8_t>(transposed_));
    out.write(length_);
    write_entries<T>(out, *backend_, values().storage.as_const());
  }
  /// As lmo_step::load.
  void load(archive_reader& in) {
    expect_text(in, who_);
    const auto scalar = in.read<std::uint64_t>();
    if (scalar != sizeof(T)) refuse("checkpoint: bytes a scalar", "the weight's", scalar);
    const auto rows = in.read<index_t>(), cols = in.read<index_t>();
    if (rows != rows_ || cols != cols_)
      refuse("checkpoint: the shape", shape_text(rows_, cols_).c_str(), shape_text(rows, cols));
    const auto blocks = in.read<std::uint64_t>();
    if (blocks != blocks_.size()) refuse("checkpoint: blocks", "the parameter's", blocks);
    steps_ = in.read<index_t>();
    transposed_ = in.read<std::uint8_t>() != 0;
    length_ = in.read<T>();
    read_entries<T>(in, *backend_, values().storage);
  }

 private:
  std::string who_;
  index_t rows_, cols_;
  B* backend_;
  std::vector<matrix_block> blocks_;
  decltype(std::declval<B&>().template make_workspace<T>(0)) values_;
  bool transposed_ = false;
  T length_ = 0;  ///< a bound on ‖E‖_F
  index_t steps_ = 0;
};

/// Y <- a P Qᵀ + b Y, whichever way Y is stored.
template <Real T, class B>
void add_outer(B& b, std::type_identity_t<T> a, input<T, typename B::space> p,
               input<T, typename B::space> q, std::type_identity_t<T> keep,
               const oriented_view<T, typename B::space>& y, std::span<T> scratch) {
  if (y.transposed)
    b.template multiply_outer<T>(a, q, p, keep, y.storage, scratch);
  else
    b.template multiply_outer<T>(a, p, q, keep, y.storage, scratch);
}

}  // namespace fanion
