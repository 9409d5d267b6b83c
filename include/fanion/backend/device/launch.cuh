/// @file  Work on every entry, put into a stream by Thrust.
#pragma once

#include <fanion/backend/cuda_runtime.hpp>

#include <thrust/execution_policy.h>
#include <thrust/for_each.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/system_error.h>

#include <string>

namespace fanion::device {

/// Puts f(0), …, f(count - 1), in any order, into the stream. f is a function object of values and
/// device pointers, callable on the device. Does not wait.
///
/// How a backend is told where its work goes: a backend is a template over this class.
struct thrust_launch {
  template <class F>
  static void run([[maybe_unused]] const stream& s, index_t count, F f) {
    if (count <= 0) return;
    try {
      const thrust::counting_iterator<index_t> first(0);
#if THRUST_DEVICE_SYSTEM == THRUST_DEVICE_SYSTEM_CUDA
      thrust::for_each_n(thrust::cuda::par_nosync.on(s.get()), first, count, f);
#else
      thrust::for_each_n(thrust::device, first, count, f);
#endif
    } catch (const thrust::system_error& error) {
      throw backend_error(std::string("thrust::for_each_n: ") + error.what());
    }
  }
};

}  // namespace fanion::device
