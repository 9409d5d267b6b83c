// CUDA's own libraries from outside the project, by the host's compiler: handles where there is a
// device, the reason where there is none.
#include <fanion/backend/cusolver.hpp>

#include <iostream>

int main() {
  const fanion::cuda_availability found = fanion::cuda_available();
  if (found) {
    const fanion::device::stream s;
    const fanion::device::blas blas(s, false);
    const fanion::device::lapack lapack(s);
    s.wait();
    std::cout << found.devices << " device(s)\n";
    return 0;
  }
  std::cout << "no device: " << found.why << "\n";
  if (found.why.empty()) return 1;
  try {
    const fanion::device::stream s;
  } catch (const fanion::backend_error& error) {
    std::cout << error.what() << "\n";
    return 0;
  }
  return 1;
}
