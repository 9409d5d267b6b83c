/// @file  The backend of devices over the double.
#pragma once

#include <cuda/double.hpp>
#include <cuda/footprint.hpp>

#include <fanion/backend/cuda.cuh>

namespace fanion_test {

/// Hands work to the double, which does it when somebody waits.
struct launch_on_double {
  template <class F>
  static void run(const fanion::device::stream& s, fanion::index_t count, F f) {
    if (count <= 0) return;
    touch_memory(f, count);
    cuda_double::enqueue(s.get(),
                         [&s, count, f] { fanion::device::thrust_launch::run(s, count, f); });
  }
};
using backend_on_double = fanion::basic_cuda_backend<launch_on_double>;

}  // namespace fanion_test
