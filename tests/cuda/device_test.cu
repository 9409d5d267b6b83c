// Oracles, a step in a graph, and an optimizer in the legacy stream and over vectors of Thrust;
// with --bench, what steps take instead. Skips with the runtime's reason without a device.
#include <cuda/device_program.hpp>

#include <fanion/cuda.cuh>

#include <string_view>

using namespace fanion;

int main(int argc, char** argv) {
  const cuda_availability found = cuda_available();
  if (!found) {
    std::printf("Skipped: %s.\n", found.why.c_str());
    return 77;
  }
  if (argc > 1 && std::string_view(argv[1]) == "--bench") {
    cuda_backend backend;
    const bool good = device_program::benches(backend, 1024, 4096, 20) &&
                      device_program::benches(backend, 4096, 4096, 5);
    return good ? 0 : 1;
  }
  cuda_backend backend, in_legacy_stream({.stream = cudaStreamLegacy});
  bool good = device_program::oracles<float>(backend);
  good &= device_program::oracles<double>(backend);
  good &= device_program::recorded<float>(backend);
  thrust::device_vector<float> W(96 * 160), dW(W.size()), b(96), db(b.size());
  good &= device_program::training<float>(in_legacy_stream, column_major(W, 96, 160),
                                          column_major(dW, 96, 160), column_major(b, 96, 1),
                                          column_major(db, 96, 1));
  return good ? 0 : 1;
}
