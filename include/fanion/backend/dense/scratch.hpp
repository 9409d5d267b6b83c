/// @file  Cutting a caller's scratch into aligned pieces, and the owner that scratch comes from.
#pragma once

#include <fanion/core/contract.hpp>
#include <fanion/core/view.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <utility>

namespace fanion::dense {

inline constexpr std::size_t alignment = 64;

/// Scalars that a piece of `count` takes from a scratch_stack, alignment included.
template <Real T>
[[nodiscard]] constexpr index_t padded(index_t count) noexcept {
  constexpr index_t unit = static_cast<index_t>(alignment / sizeof(T));
  return (count + unit - 1) / unit * unit + unit;
}

/// Hands out consecutive aligned pieces of a span. The pieces' padded() sizes must fit.
template <Real T>
class scratch_stack {
 public:
  explicit scratch_stack(std::span<T> memory) : next_(memory.data()), left_(memory.size()) {}

  /// @throws std::invalid_argument when the scratch is too small.
  [[nodiscard]] T* take(index_t count) {
    const auto address = reinterpret_cast<std::uintptr_t>(next_);
    const std::size_t skip = (alignment - address % alignment) % alignment / sizeof(T);
    const std::size_t used = skip + static_cast<std::size_t>(count);
    if (used > left_) refuse("scratch: scalars", "as many as the size query says", left_);
    T* piece = next_ + skip;
    next_ += used;
    left_ -= used;
    return piece;
  }
  [[nodiscard]] matrix_view<T> take(index_t rows, index_t cols) {
    return {take(rows * cols), rows, cols};
  }
  /// What has not been handed out.
  [[nodiscard]] std::span<T> rest() const noexcept { return {next_, left_}; }

 private:
  T* next_;
  std::size_t left_;
};

/// Owner of `size()` scalars, zero at birth, 64-byte aligned. Movable.
template <Real T>
class host_workspace {
 public:
  host_workspace() noexcept = default;

  /// Allocates. @throws std::invalid_argument for a negative count.
  explicit host_workspace(index_t count)
      : size_(expects_at_least(count, 0, "make_workspace: count")),
        data_(new (std::align_val_t(alignment)) T[static_cast<std::size_t>(count)]()) {}
  host_workspace(host_workspace&& other) noexcept
      : size_(std::exchange(other.size_, 0)), data_(std::move(other.data_)) {}
  host_workspace& operator=(host_workspace&& other) noexcept {
    size_ = std::exchange(other.size_, 0);
    data_ = std::move(other.data_);
    return *this;
  }

  [[nodiscard]] T* data() const noexcept { return data_.get(); }
  [[nodiscard]] index_t size() const noexcept { return size_; }
  [[nodiscard]] std::span<T> span() const noexcept {
    return {data_.get(), static_cast<std::size_t>(size_)};
  }

 private:
  struct release {
    void operator()(T* p) const noexcept { ::operator delete[](p, std::align_val_t(alignment)); }
  };

  index_t size_ = 0;
  std::unique_ptr<T[], release> data_;
};

}  // namespace fanion::dense
