/// @file  What every test over the double asks at its end, and how tests reach device memory.
#pragma once

#include <backend/support.hpp>
#include <cuda/backend_on_double.hpp>

namespace fanion_test {

/// The host cannot see device memory; nothing is complained of, and nothing is left.
class strict_session {
 public:
  strict_session() : objects_(cuda_double::live_objects()) {
    cuda_double::reset();
    cuda_double::guard(true);
  }
  ~strict_session() {
    cuda_double::guard(false);
    CHECK(cuda_double::live_objects() == objects_);
    for (const std::string& line : cuda_double::complaints()) FAIL_CHECK(line);
  }

 private:
  long objects_;
};

template <>
struct transfer<backend_on_double> {
  template <class T>
  static void upload(backend_on_double& b, const std::vector<T>& from, T* to) {
    const auto n = static_cast<index_t>(from.size());
    b.upload<T>(matrix_view<const T>(from.data(), n, 1),
                matrix_view<T, fanion::device_space>(to, n, 1));
  }
  template <class T>
  static void download(backend_on_double& b, const T* from, std::vector<T>& to) {
    const auto n = static_cast<index_t>(to.size());
    b.download<T>(matrix_view<const T, fanion::device_space>(from, n, 1),
                  matrix_view<T>(to.data(), n, 1));
  }
};

}  // namespace fanion_test
