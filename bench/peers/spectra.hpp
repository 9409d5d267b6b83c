/// @file  Spectra as it comes: PartialSVDSolver with Eigen's products, whose matrix-vector ones use
/// one thread.
#pragma once

#include "../support/clock.hpp"
#include "krylov_settings.hpp"

#include <Spectra/Util/Version.h>
#include <Spectra/contrib/PartialSVDSolver.h>

#include <string>

namespace peers::spectra {

/// It starts from the same vector every time.
inline answer run(const question& q, index_t basis, double tolerance) {
  answer got;
  Spectra::PartialSVDSolver<Eigen::MatrixXd> solver(q.a, q.k, basis);
  index_t found = 0;
  got.milliseconds = bench::milliseconds([&] {
    found = solver.compute(3000, tolerance);
    got.sigma = solver.singular_values();
    got.u = solver.matrix_U(q.k);
    got.v = solver.matrix_V(q.k);
  });
  got.outcome = std::to_string(found) + " converged";
  return got;
}

inline contenders leading(index_t r, index_t k) {
  return {{.name = "Spectra PartialSVDSolver", .settings = krylov_settings(r, k, run)}};
}

inline peer library() {
  const auto part = [](int n) { return std::to_string(n); };
  return {.name = "Spectra",
          .version = part(SPECTRA_MAJOR_VERSION) + "." + part(SPECTRA_MINOR_VERSION) + "." +
                     part(SPECTRA_PATCH_VERSION),
          .leading = leading,
          .polar = nullptr,
          .use_threads = nullptr};
}

}  // namespace peers::spectra
