/// @file  What tests may ask of, and do to, the double of CUDA's libraries in double.cpp.
///
/// The double defines the entry points of cudart, cuBLAS and cuSOLVER that fanion calls, over host
/// memory and Eigen. It is stricter than the libraries: work is done only when somebody waits, so a
/// forgotten wait shows; workspaces and destroyed inputs come back as NaN; a triangle that a
/// routine does not write stays as it was; pointers, sizes and leading dimensions are checked
/// against the allocations; and on request the host cannot touch device memory. What it cannot
/// show: a real library's status codes and rounding, speed, and races between streams.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace cuda_double {

/// As at the start of a program: one device, no limits, no counts. Allocations stay.
void reset();

/// What cudaGetDeviceCount says.
void set_devices(int count);
void set_device_error(cudaError_t status);

/// The `nth` call (from 1) of that entry point from now on returns `status` and does nothing.
void fail(const std::string& call, int nth, int status);

/// More device memory than this is refused with cudaErrorMemoryAllocation.
void limit_memory(std::size_t bytes);

/// While on, device memory is unreadable outside work that the double does.
void guard(bool on);

/// Calls by the name of their entry point, since `reset`.
[[nodiscard]] const std::map<std::string, long>& calls();
[[nodiscard]] long count(const std::string& call);

/// What cublasSetMathMode was last asked for; -1: nothing yet.
[[nodiscard]] int math_mode();

/// What was wrong with calls, one line each, since `reset`.
[[nodiscard]] const std::vector<std::string>& complaints();

/// Streams, handles and allocations that have not been given back.
[[nodiscard]] long live_objects();

/// What calls have asked of a device since `reset`: a model, by the sizes of the calls.
struct tally {
  double flops = 0;        ///< of products and factorisations, at their textbook counts
  double read = 0;         ///< bytes of device memory
  double written = 0;      ///< bytes
  double watched = 0;      ///< bytes read of what `watch` names
  double transferred = 0;  ///< bytes between host and device
  long launches = 0;       ///< calls of the libraries and of `enqueue`
  long waits = 0;          ///< of the host for the device
};
[[nodiscard]] tally counted();
/// Names memory whose reads are counted apart, from now on.
void watch(const void* memory, std::size_t bytes);
/// For what a launch touches: `bytes` that span `memory` on, of which all are read or written.
void touch(const void* memory, double bytes, bool writes);

/// Work of a test's own for a stream: what a launch is to the real one.
void enqueue(cudaStream_t stream, std::function<void()> work);

}  // namespace cuda_double
