/// @file  CUDA's runtime: whether there is a device, streams, memory, and errors as exceptions.
///
/// A host compiler is enough; link CUDA::cudart. Whatever owns something here moves, never copies,
/// and its destructor says nothing: a failure while cleaning up has been seen by the call before.
#pragma once

#include <fanion/core/contract.hpp>
#include <fanion/core/error.hpp>

#include <cuda_runtime_api.h>

#include <memory>
#include <span>
#include <string>
#include <utility>

namespace fanion {
namespace device {

/// @throws backend_error naming the call, the code and the runtime's words.
inline void check(cudaError_t status, const char* call) {
  if (status == cudaSuccess) return;
  throw backend_error(std::string(call) + ": " + cudaGetErrorName(status) + " (" +
                      std::to_string(static_cast<int>(status)) +
                      "): " + cudaGetErrorString(status));
}

/// Bytes of `count` scalars.
template <class T>
[[nodiscard]] constexpr std::size_t bytes(index_t count) noexcept {
  return static_cast<std::size_t>(count) * sizeof(T);
}

}  // namespace device

/// Whether a device can be used, and if not, why: in the runtime's words.
struct cuda_availability {
  int devices = 0;
  std::string why;  ///< empty where there is a device

  explicit operator bool() const noexcept { return devices > 0; }
};

/// Never throws for want of a driver or a device. Starts the runtime where there is one.
[[nodiscard]] inline cuda_availability cuda_available() {
  int count = 0;  // the call leaves it alone where it fails
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status != cudaSuccess)
    return {0, std::string(cudaGetErrorName(status)) + ": " + cudaGetErrorString(status)};
  if (count == 0) return {0, "the driver reports no device"};
  return {count, {}};
}

namespace device {

/// A stream of its own, which waits for no other, or somebody's.
class stream {
 public:
  /// On the current device. @throws backend_error.
  stream() {
    cudaStream_t raw = nullptr;
    check(cudaStreamCreateWithFlags(&raw, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
    handle_.reset(raw);
  }
  /// One that outlives this object.
  explicit stream(cudaStream_t borrowed) : handle_(borrowed, release{true}) {}
  [[nodiscard]] cudaStream_t get() const noexcept { return handle_.get(); }
  /// Waits. @throws backend_error for what went wrong in anything before.
  void wait() const { check(cudaStreamSynchronize(get()), "cudaStreamSynchronize"); }

 private:
  struct release {
    bool borrowed;
    void operator()(cudaStream_t raw) const noexcept {
      if (!borrowed) (void)cudaStreamDestroy(raw);
    }
  };
  std::unique_ptr<std::remove_pointer_t<cudaStream_t>, release> handle_{nullptr, release{false}};
};

/// `size()` scalars on the device, zero before anything that is later put into the stream they were
/// born in; aligned to 256 bytes.
template <class T>
class device_memory {
 public:
  device_memory() noexcept = default;

  /// Allocates, which waits for the device. @throws backend_error, std::invalid_argument for a
  /// negative count.
  device_memory(const stream& born, index_t count)
      : size_(expects_at_least(count, 0, "make_workspace: count")) {
    if (count == 0) return;
    void* raw = nullptr;
    check(cudaMalloc(&raw, bytes<T>(count)), "cudaMalloc");
    data_.reset(static_cast<T*>(raw));
    check(cudaMemsetAsync(raw, 0, bytes<T>(count), born.get()), "cudaMemsetAsync");
  }
  device_memory(device_memory&& other) noexcept
      : size_(std::exchange(other.size_, 0)), data_(std::move(other.data_)) {}
  device_memory& operator=(device_memory&& other) noexcept {
    size_ = std::exchange(other.size_, 0);
    data_ = std::move(other.data_);
    return *this;
  }

  [[nodiscard]] T* data() const noexcept { return data_.get(); }
  [[nodiscard]] index_t size() const noexcept { return size_; }
  /// Of device pointers: for offsets, not for reading.
  [[nodiscard]] std::span<T> span() const noexcept {
    return {data(), static_cast<std::size_t>(size_)};
  }

 private:
  struct release {
    void operator()(T* raw) const noexcept { (void)cudaFree(raw); }
  };
  index_t size_ = 0;
  std::unique_ptr<T, release> data_;
};

/// What was put into a stream once, to be put into it again and again as a whole.
class graph {
 public:
  /// Records what `work` puts into the stream, none of which is done. Nothing in it may allocate,
  /// wait, or read a number; what it points to has to outlive the graph.
  /// @throws backend_error, or what `work` throws; the stream is as it was then.
  template <class Work>
  graph(const stream& s, Work&& work) {
    check(cudaStreamBeginCapture(s.get(), cudaStreamCaptureModeThreadLocal),
          "cudaStreamBeginCapture");
    cudaGraph_t recorded = nullptr;
    try {
      work();
    } catch (...) {
      (void)cudaStreamEndCapture(s.get(), &recorded);
      if (recorded != nullptr) (void)cudaGraphDestroy(recorded);
      throw;
    }
    check(cudaStreamEndCapture(s.get(), &recorded), "cudaStreamEndCapture");
    cudaGraphExec_t raw = nullptr;
    const cudaError_t made = cudaGraphInstantiate(&raw, recorded, 0);
    (void)cudaGraphDestroy(recorded);
    check(made, "cudaGraphInstantiate");
    handle_.reset(raw);
  }
  /// Puts all of it into the stream. Does not wait.
  void launch(const stream& s) const {
    check(cudaGraphLaunch(handle_.get(), s.get()), "cudaGraphLaunch");
  }

 private:
  struct release {
    void operator()(cudaGraphExec_t raw) const noexcept { (void)cudaGraphExecDestroy(raw); }
  };
  std::unique_ptr<std::remove_pointer_t<cudaGraphExec_t>, release> handle_;
};

/// Host memory that copies to and from the device can use without a buffer between.
template <class T>
class pinned_memory {
 public:
  pinned_memory() noexcept = default;

  /// Allocates. @throws backend_error.
  explicit pinned_memory(index_t count) : size_(count) {
    void* raw = nullptr;
    check(cudaMallocHost(&raw, bytes<T>(count)), "cudaMallocHost");
    data_.reset(static_cast<T*>(raw));
  }
  [[nodiscard]] T* data() const noexcept { return data_.get(); }
  [[nodiscard]] index_t size() const noexcept { return size_; }

 private:
  struct release {
    void operator()(T* raw) const noexcept { (void)cudaFreeHost(raw); }
  };
  index_t size_ = 0;
  std::unique_ptr<T, release> data_;
};

}  // namespace device
}  // namespace fanion
