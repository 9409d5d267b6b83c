/// @file  Spectra's solver with OpenBLAS's products, on threads, in place of Eigen's.
#pragma once

#include "../support/clock.hpp"
#include "krylov_settings.hpp"
#include "openblas.hpp"

#include <Spectra/SymEigsSolver.h>

#include <string>

namespace peers::spectra_openblas {

struct out_of_patience {};

/// The Gram operator, which throws where the question's patience is at an end.
class impatient_operator : public openblas::gram_operator {
 public:
  explicit impatient_operator(const question& q) : gram_operator(q.a), patience_(q.patience) {}

  void perform_op(const double* x, double* y) const {
    if (clock_.milliseconds() > patience_) throw out_of_patience();
    gram_operator::perform_op(x, y);
  }

 private:
  double patience_;
  bench::stopwatch clock_;
};

inline answer run(const question& q, index_t basis, double tolerance) {
  const Eigen::VectorXd start = openblas::random_start(std::min(q.a.rows(), q.a.cols()), q.seed);
  impatient_operator g(q);
  Spectra::SymEigsSolver<impatient_operator> solver(g, q.k, basis);
  answer got;
  index_t found = 0;
  got.milliseconds = bench::milliseconds([&] {
    try {
      solver.init(start.data());
      found = solver.compute(Spectra::SortRule::LargestAlge, 3000, tolerance);
    } catch (const out_of_patience&) {
      return;
    }
    if (found >= q.k) g.finish(solver.eigenvectors(), got);
  });
  got.iterations = static_cast<double>(solver.num_iterations());
  got.outcome = std::to_string(found) + " converged";
  return got;
}

inline contenders leading(index_t r, index_t k) {
  return {{.name = "Spectra, OpenBLAS products", .settings = krylov_settings(r, k, run)}};
}

inline peer library() {
  return {.name = "",
          .version = "",
          .leading = leading,
          .polar = nullptr,
          .use_threads = nullptr,
          .tight = [](const question& q) { return tight_answer(q, run); }};
}

}  // namespace peers::spectra_openblas
