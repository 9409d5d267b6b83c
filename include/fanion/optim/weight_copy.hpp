/// @file  A parameter's weights as they were, for rules that evaluate a gradient somewhere else.
#pragma once

#include <fanion/backend/entry_functions.hpp>
#include <fanion/backend/transfers.hpp>
#include <fanion/core/archive.hpp>
#include <fanion/core/contract.hpp>
#include <fanion/core/view.hpp>

#include <stdexcept>
#include <string>
#include <utility>

namespace fanion {

/// One buffer for the weights of one parameter, in the order in which they are stored, so that they
/// come back bit for bit. Allocates in the constructor only.
template <Real T, class B>
class weight_copy {
 public:
  using space = typename B::space;

  weight_copy(index_t rows, index_t cols, B& backend)
      : rows_(rows),
        cols_(cols),
        backend_(&backend),
        values_(backend.template make_workspace<T>(rows * cols)) {}

  /// Whether it holds anything.
  [[nodiscard]] bool full() const noexcept { return full_; }
  /// Forgets.
  void clear() noexcept { full_ = false; }

  /// What is held, stored like `weight`.
  /// @throws std::invalid_argument for another shape, or another order than what is held.
  [[nodiscard]] matrix_view<T, space> values(const oriented_view<T, space>& weight) const {
    if (weight.rows() != rows_ || weight.cols() != cols_)
      refuse("step: the shape of the weight", shape_text(rows_, cols_).c_str(),
             shape_text(weight.rows(), weight.cols()));
    if (full_ && weight.transposed != transposed_)
      throw std::invalid_argument("step: the weight must be stored in the order of earlier steps");
    return {values_.data(), weight.storage.rows(), weight.storage.cols()};
  }
  void hold(const oriented_view<T, space>& weight) {
    backend_->copy(weight.storage.as_const(), values(weight));
    transposed_ = weight.transposed;
    full_ = true;
  }
  void restore(const oriented_view<T, space>& weight) const {
    backend_->copy(values(weight).as_const(), weight.storage);
  }
  void swap(const oriented_view<T, space>& weight) const {
    backend_->for_each_entry(entry::exchange(), weight.storage, values(weight));
  }

  void save(archive_writer& out) const {
    out.write(rows_);
    out.write(cols_);
    out.write(static_cast<std::uint8_t>(full_));
    out.write(static_cast<std::uint8_t>(transposed_));
    write_entries<T>(out, *backend_, entries().as_const());
  }
  void load(archive_reader& in) {
    const auto rows = in.read<index_t>(), cols = in.read<index_t>();
    if (rows != rows_ || cols != cols_)
      refuse("checkpoint: the shape", shape_text(rows_, cols_).c_str(), shape_text(rows, cols));
    full_ = in.read<std::uint8_t>() != 0;
    transposed_ = in.read<std::uint8_t>() != 0;
    read_entries<T>(in, *backend_, entries());
  }

 private:
  [[nodiscard]] matrix_view<T, space> entries() const {
    return {values_.data(), values_.size(), 1};
  }

  index_t rows_, cols_;
  B* backend_;
  decltype(std::declval<B&>().template make_workspace<T>(0)) values_;
  bool full_ = false, transposed_ = false;
};

}  // namespace fanion
