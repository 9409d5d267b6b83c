/// @file  A float copy of weights that are kept in bfloat16 or half.
///
/// A step of relative size 2^-9 and less changes no bfloat16 number: rounded after each step, such
/// steps are lost however many there are. So the steps are taken by a float master, and what the
/// model computes with is the master rounded:
///
///   master.open(weight, gradient);
///   const step_report r = step.step(master.weight(), master.gradient(), rate);
///   if (!r.skipped) master.close(weight);
#pragma once

#include <fanion/core/archive.hpp>
#include <fanion/core/contract.hpp>
#include <fanion/core/reduced.hpp>
#include <fanion/core/view.hpp>
#include <fanion/optim/step.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace fanion {

namespace detail {
[[nodiscard]] constexpr float widened_entry(float x) noexcept { return x; }
template <Reduced Low>
[[nodiscard]] constexpr float widened_entry(Low x) noexcept {
  return widened(x);
}
}  // namespace detail

/// The master of one parameter, and its gradient in float: 8 bytes an entry, in the storage order
/// of the weight, in the host's memory. Allocates in the constructor only; the views that it gives
/// stay good when it is moved.
template <Reduced Low>
class master_weights {
 public:
  /// For weights of the shape and storage order of `like`, whose entries are not read.
  template <class E>
  requires std::same_as<std::remove_const_t<E>, Low>
  explicit master_weights(const oriented_view<E>& like)
      : rows_(like.rows()),
        cols_(like.cols()),
        transposed_(like.transposed),
        master_(static_cast<std::size_t>(rows_ * cols_)),
        gradient_(master_.size()) {}

  /// The master, for a step to change.
  [[nodiscard]] oriented_view<float> weight() noexcept { return whole(master_.data()); }
  /// What `open` read last.
  [[nodiscard]] oriented_view<const float> gradient() const noexcept {
    return whole(gradient_.data());
  }

  /// Before a step. Widens the gradient, which may be stored in either order, in Low or in float.
  /// Where an entry of the weight is not the master's rounded, it was changed from outside (or
  /// never seen), and the master takes it over; the others keep what rounding hides. A step whose
  /// close() did not follow is so undone.
  /// @throws std::invalid_argument for another shape, or another order than that of `like`; nothing
  /// is changed then.
  template <class E, class G>
  requires std::same_as<std::remove_const_t<E>, Low> &&
      (std::same_as<std::remove_const_t<G>, Low> ||
       std::same_as<std::remove_const_t<G>, float>)void open(const oriented_view<E>& weight,
                                                             const oriented_view<G>& gradient) {
    check(weight);
    if (gradient.rows() != rows_ || gradient.cols() != cols_)
      refuse("master_weights: the shape of the gradient", shape_text(rows_, cols_).c_str(),
             shape_text(gradient.rows(), gradient.cols()));
    const auto master = this->weight().storage;
    for (index_t j = 0; j < master.cols(); ++j)
      for (index_t i = 0; i < master.rows(); ++i) {
        const Low seen = weight.storage(i, j);
        if (rounded<Low>(master(i, j)) != seen) master(i, j) = widened(seen);
      }
    const auto wide = whole(gradient_.data()).storage;
    const bool turned = gradient.transposed != transposed_;
    for (index_t j = 0; j < wide.cols(); ++j)
      for (index_t i = 0; i < wide.rows(); ++i)
        wide(i, j) =
            detail::widened_entry(turned ? gradient.storage(j, i) : gradient.storage(i, j));
  }

  /// After a step that was made: the weight becomes the master, rounded.
  /// @throws std::invalid_argument as `open`.
  void close(const oriented_view<Low>& weight) const {
    check(weight);
    const auto master = whole(master_.data()).storage;
    for (index_t j = 0; j < master.cols(); ++j)
      for (index_t i = 0; i < master.rows(); ++i) weight.storage(i, j) = rounded<Low>(master(i, j));
  }

  /// The entries of another master of this shape and order, into this one's memory.
  /// @throws std::invalid_argument where shape or order differ.
  void adopt(const master_weights& from) {
    check(from.whole(from.master_.data()));
    std::copy(from.master_.begin(), from.master_.end(), master_.begin());
  }

  void save(archive_writer& out) const {
    out.write(std::string(format));
    out.write(rows_);
    out.write(cols_);
    out.write(static_cast<std::uint8_t>(transposed_));
    out.write(std::span<const float>(master_));
  }
  /// @throws std::invalid_argument where the state is of another element, shape or order, or ends
  /// early; nothing is changed then. Allocates.
  void load(archive_reader& in) {
    expect_text(in, format);
    const auto rows = in.read<index_t>(), cols = in.read<index_t>();
    if (rows != rows_ || cols != cols_)
      refuse("checkpoint: the shape", shape_text(rows_, cols_).c_str(), shape_text(rows, cols));
    if ((in.read<std::uint8_t>() != 0) != transposed_)
      refuse("checkpoint: the order of the master weights", order(transposed_),
             order(!transposed_));
    std::vector<float> fresh(master_.size());
    in.read(std::span<float>(fresh));
    std::copy(fresh.begin(), fresh.end(), master_.begin());
  }

 private:
  static constexpr const char* format =
      std::same_as<Low, bfloat16> ? "master weights of bfloat16" : "master weights of float16";

  [[nodiscard]] static const char* order(bool transposed) {
    return transposed ? "by rows" : "by columns";
  }
  template <class E>
  [[nodiscard]] oriented_view<E> whole(E* memory) const {
    const index_t inner = transposed_ ? cols_ : rows_;
    return {matrix_view<E>(memory, inner, transposed_ ? rows_ : cols_), transposed_};
  }
  template <class E>
  void check(const oriented_view<E>& weight) const {
    if (weight.rows() != rows_ || weight.cols() != cols_)
      refuse("master_weights: the shape of the weight", shape_text(rows_, cols_).c_str(),
             shape_text(weight.rows(), weight.cols()));
    if (weight.transposed != transposed_)
      refuse("master_weights: the storage of the weight", order(transposed_), order(!transposed_));
  }

  index_t rows_, cols_;
  bool transposed_;
  std::vector<float> master_, gradient_;
};

template <Reduced Low>
master_weights(const oriented_view<Low>&) -> master_weights<Low>;
template <Reduced Low>
master_weights(const oriented_view<const Low>&) -> master_weights<Low>;

}  // namespace fanion
