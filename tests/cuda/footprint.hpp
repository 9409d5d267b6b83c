/// @file  What the function objects of the device's backend read and write, for the model of the
/// double: overloads of `touch_memory(f, count)` beside the objects of backend/device.
#pragma once

#include <cuda/double.hpp>

#include <fanion/backend/device/sums.cuh>
#include <fanion/backend/entry_functions.hpp>
#include <fanion/backend/reduced_products.hpp>

namespace fanion_test {

using fanion::index_t;

/// `count` entries from `p` on.
template <class T>
void reads(const T* p, index_t count) {
  cuda_double::touch(p, static_cast<double>(count) * static_cast<double>(sizeof(T)), false);
}
template <class T>
void writes(const T* p, index_t count) {
  cuda_double::touch(p, static_cast<double>(count) * static_cast<double>(sizeof(T)), true);
}
template <class V>
void reads_all(const V& X) {
  reads(X.data(), X.size());
}
template <class V>
void writes_all(const V& X) {
  writes(X.data(), X.size());
}

template <class T>
void touch_memory(const fanion::device::fill_entry<T>& f, index_t) {
  writes_all(f.X);
}
template <class T>
void touch_memory(const fanion::device::random_entry<T>& f, index_t) {
  writes_all(f.X);
}
template <class S, class T>
void touch_memory(const fanion::device::convert_entry<S, T>& f, index_t) {
  reads_all(f.X);
  writes_all(f.Y);
}
/// Whether F makes use of what stands at the place is not known: it is counted as read.
template <class T, class F>
void touch_memory(const fanion::device::map_entry<T, F>& f, index_t) {
  reads_all(f.X);
  if (f.X.data() != f.Y.data()) reads_all(f.Y);
  writes_all(f.Y);
}
template <class T, class F>
void touch_memory(const fanion::device::map_line_entry<T, F>& f, index_t) {
  reads_all(f.X);
  if (f.X.data() != f.Y.data()) reads_all(f.Y);
  writes_all(f.Y);
  reads(f.s, f.by_column ? f.Y.cols() : f.Y.rows());
}
template <class F, class T, class... S>
void touch_memory(const fanion::device::call_entry<F, T, S...>& f, index_t) {
  const auto one = []<class E>(const fanion::device::device_view<E>& V) {
    reads_all(V);
    if constexpr (!std::is_const_v<E>) writes_all(V);
  };
  one(f.X);
  std::apply([&](const auto&... V) { (one(V), ...); }, f.rest);
}
template <class T>
void touch_memory(const fanion::device::scale_columns_entry<T>& f, index_t) {
  reads_all(f.X);
  if (f.keep != T(0)) reads_all(f.Y);
  writes_all(f.Y);
}
/// What lies ahead is written, and not read.
template <class T, class... S>
void touch_memory(const fanion::device::call_entry<fanion::entry::look_ahead<T>, T, S...>& f,
                  index_t) {
  reads_all(f.X);
  writes_all(f.X);
  reads_all(std::get<0>(f.rest));
  writes_all(std::get<1>(f.rest));
}
template <class T, class... S>
void touch_memory(
    const fanion::device::call_entry<fanion::entry::look_ahead_if_finite<T>, T, S...>& f, index_t) {
  reads_all(f.X);
  writes_all(f.X);
  reads_all(std::get<0>(f.rest));
  writes_all(std::get<1>(f.rest));
}
/// What takes over another's entries is written, and not read.
template <class F, class T, class... S>
void touch_taken(const fanion::device::call_entry<F, T, S...>& f) {
  writes_all(f.X);
  reads_all(std::get<0>(f.rest));
}
template <fanion::compute C, class T, class E, class... S>
void touch_memory(const fanion::device::call_entry<fanion::entry::store<C, T>, E, S...>& f,
                  index_t) {
  touch_taken(f);
}
template <fanion::compute C, class T, class E, class... S>
void touch_memory(const fanion::device::call_entry<fanion::entry::recall<C, T>, E, S...>& f,
                  index_t) {
  touch_taken(f);
}
template <class E, class... S>
void touch_memory(const fanion::device::call_entry<fanion::entry::assign, E, S...>& f, index_t) {
  touch_taken(f);
}
template <class T>
void touch_memory(const fanion::device::mirror_entry<T>& f, index_t count) {
  reads(f.C.data(), count / 2);
  writes(f.C.data(), count / 2);
}
template <class T>
void touch_memory(const fanion::device::upper_entry<T>& f, index_t count) {
  reads(f.A.data(), count / 2);
  writes_all(f.R);
}
template <class T>
void touch_memory(const fanion::device::reverse_entry<T>& f, index_t count) {
  reads(f.V.data(), 2 * count);
  writes(f.V.data(), 2 * count);
}

template <class T>
void touch_elements(const fanion::device::elements<T>& x, index_t count) {
  reads(x.base, count);
}
template <class T>
void touch_elements(const fanion::device::turned_elements<T>& x, index_t count) {
  reads(x.base, count);
}
template <class R>
void touch_memory(const fanion::device::take_stage<R>& f, index_t workers) {
  touch_elements(f.reduction.x, f.count);
  if constexpr (requires { f.reduction.y; }) touch_elements(f.reduction.y, f.count);
  writes(f.parts, workers);
}
template <class R>
void touch_memory(const fanion::device::join_stage<R>& f, index_t workers) {
  reads(f.from, f.count);
  writes(f.parts, workers);
}
template <class R, class T>
void touch_memory(const fanion::device::result_stage<R, T>& f, index_t) {
  reads(f.from, 1);
  writes(f.to, 1);
}
template <class T>
void touch_memory(const fanion::device::line_take_stage<T>& f, index_t workers) {
  reads_all(f.X);
  if (f.X.data() != f.Y.data()) reads_all(f.Y);
  writes(f.parts, workers);
}
template <class T>
void touch_memory(const fanion::device::line_result_stage<T>& f, index_t lines) {
  reads(f.parts, lines * f.chunks);
  writes(f.out, lines);
}

}  // namespace fanion_test
