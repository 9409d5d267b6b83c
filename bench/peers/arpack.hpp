/// @file  ARPACK (arpack-ng): implicitly restarted Lanczos on the smaller Gram matrix, products by
/// OpenBLAS.
#pragma once

#include "../support/clock.hpp"
#include "krylov_settings.hpp"
#include "openblas.hpp"

#include <arpack.h>

#include <array>
#include <string>
#include <vector>

namespace peers::arpack {

inline answer run(const question& q, index_t basis, double tolerance) {
  const openblas::gram_operator g(q.a);
  const auto n = static_cast<a_int>(g.rows()), k = static_cast<a_int>(q.k),
             ncv = static_cast<a_int>(basis);
  Eigen::VectorXd start = openblas::random_start(n, q.seed), values(k);
  Eigen::MatrixXd v(n, ncv), vectors(n, k);
  std::vector<double> workd(static_cast<std::size_t>(3 * n)),
      workl(static_cast<std::size_t>(ncv * (ncv + 8)));
  const std::vector<a_int> select(static_cast<std::size_t>(ncv), 1);
  const auto lworkl = static_cast<a_int>(workl.size());
  std::array<a_int, 11> iparam{}, ipntr{};
  iparam[0] = 1;     // exact shifts
  iparam[2] = 3000;  // restarts
  iparam[6] = 1;     // no generalisation
  answer got;
  got.milliseconds = bench::milliseconds([&] {
    a_int ido = 0, info = 1;  // start from what stands in `start`
    const bench::stopwatch clock;
    for (;;) {
      dsaupd_c(&ido, "I", n, "LA", k, tolerance, start.data(), ncv, v.data(), n, iparam.data(),
               ipntr.data(), workd.data(), workl.data(), lworkl, &info);
      if ((ido != 1 && ido != -1) || clock.milliseconds() > q.patience) break;
      g.perform_op(&workd[static_cast<std::size_t>(ipntr[0] - 1)],
                   &workd[static_cast<std::size_t>(ipntr[1] - 1)]);
    }
    got.outcome = "dsaupd: " + std::to_string(info);
    if (ido != 99 || info != 0) return;
    dseupd_c(1, "A", select.data(), values.data(), vectors.data(), n, 0.0, "I", n, "LA", k,
             tolerance, start.data(), ncv, v.data(), n, iparam.data(), ipntr.data(), workd.data(),
             workl.data(), lworkl, &info);
    if (info == 0) g.finish(vectors.rowwise().reverse(), got);
  });
  got.iterations = static_cast<double>(iparam[2]);
  return got;
}

inline contenders leading(index_t r, index_t k) {
  return {{.name = "ARPACK", .settings = krylov_settings(r, k, run)}};
}

inline peer library(const std::string& version) {
  return {.name = "ARPACK (arpack-ng)",
          .version = version,
          .leading = leading,
          .polar = nullptr,
          .use_threads = nullptr,
          .tight = [](const question& q) { return tight_answer(q, run); }};
}

}  // namespace peers::arpack
