/// @file  Reductions over device memory: where their parts stand, and how a number comes to the
/// host.
#pragma once

#include <fanion/backend/device/launch.cuh>
#include <fanion/backend/device/sums.cuh>

#include <algorithm>
#include <array>
#include <cstring>

namespace fanion::device {

/// The elements of X, down its columns.
template <class T>
[[nodiscard]] elements<std::remove_const_t<T>> walk(matrix_view<T, device_space> X) {
  // Where columns follow one another without a gap, X is one line.
  if (X.ld() == X.rows()) return {X.data()};
  return {X.data(), X.ld(), X.rows()};
}

/// 1.6 MB on the device. Allocates in the constructor only; all work goes into the stream that a
/// call names, which has to be the same for all.
template <class Launch>
class reducer {
 public:
  static constexpr index_t most_numbers = 8;

  explicit reducer(const stream& s)
      : parts_(s, part_words * (most_parts + most_second)),
        result_(s, most_numbers),
        seen_(most_numbers) {}

  /// *to = what `of` makes of `count` elements.
  template <class R, Real T>
  void reduce_to(const stream& s, const R& of, index_t count, T* to) const {
    Launch::run(s, 1, result_stage<R, T>{part_of(s, of, count), to});
  }
  /// The one part that is left of all elements, on the device until the next call.
  template <class R>
  [[nodiscard]] const typename R::part* part_of(const stream& s, const R& of, index_t count) const {
    using part = typename R::part;
    part* first = parts_as<part>(0);
    part* second = parts_as<part>(most_parts);
    const index_t workers = std::clamp<index_t>(count / 64, 1, most_parts);
    const index_t joiners = std::clamp<index_t>(workers / 16, 1, most_second);
    Launch::run(s, workers, take_stage<R>{of, count, workers, first});
    Launch::run(s, joiners, join_stage<R>{first, workers, joiners, second});
    Launch::run(s, 1, join_stage<R>{second, joiners, 1, first});
    return first;
  }

  /// The dots of X's columns or rows with those of Y, or their roots, one after another.
  template <Real T>
  void line_dots(const stream& s, device_view<const T> X, device_view<const T> Y, bool columns,
                 bool root, T* out) const {
    const index_t count = columns ? X.cols() : X.rows(), length = columns ? X.rows() : X.cols();
    for (index_t first = 0; first < count; first += most_parts) {
      const index_t now = std::min(most_parts, count - first);
      const auto some = [&](device_view<const T> A) {
        return columns ? A.columns(first, now) : A.block(first, 0, now, A.cols());
      };
      const index_t chunks = std::clamp<index_t>(std::min(length / 32, most_parts / now), 1, 256);
      auto* parts = parts_as<binned_sum>(0);
      Launch::run(s, now * chunks,
                  line_take_stage<T>{some(X), some(Y), columns, now, chunks, parts});
      Launch::run(s, now, line_result_stage<T>{parts, chunks, root, out + first});
    }
  }

  /// One object from the device. Waits.
  template <class V>
  [[nodiscard]] V read(const stream& s, const V* there) const {
    static_assert(sizeof(V) <= most_numbers * sizeof(double));
    check(cudaMemcpyAsync(seen_.data(), there, sizeof(V), cudaMemcpyDeviceToHost, s.get()),
          "cudaMemcpyAsync");
    s.wait();
    V value;
    std::memcpy(static_cast<void*>(&value), seen_.data(), sizeof value);
    return value;
  }

  /// Where up to `most_numbers` numbers wait to be read together, one after another.
  template <Real T>
  [[nodiscard]] T* numbers() const {
    return reinterpret_cast<T*>(result_.data());
  }
  /// The first `count` of them. Waits.
  template <Real T, std::size_t count>
  [[nodiscard]] std::array<T, count> read_numbers(const stream& s) const {
    return read(s, reinterpret_cast<const std::array<T, count>*>(result_.data()));
  }

 private:
  static constexpr index_t most_parts = 1 << 16, most_second = 256, part_words = 3;

  template <class Part>
  [[nodiscard]] Part* parts_as(index_t skipped) const {
    static_assert(sizeof(Part) <= part_words * sizeof(double));
    return reinterpret_cast<Part*>(parts_.data() + part_words * skipped);
  }

  device_memory<double> parts_, result_;
  pinned_memory<double> seen_;
};

}  // namespace fanion::device
