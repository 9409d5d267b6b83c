/// @file  SLEPc's singular value solvers: trlanczos, cross and randomized, on one process. Its
/// matrix is a shell around OpenBLAS's products, which counts them; for randomized, which works in
/// blocks, it is PETSc's dense matrix.
#pragma once

#include "../support/clock.hpp"
#include "krylov_settings.hpp"
#include "openblas.hpp"

#include <slepcsvd.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace peers::slepc {

inline void check(PetscErrorCode code, const char* what) {
  if (code != 0) throw std::runtime_error(std::string(what) + ": error " + std::to_string(code));
}

struct destroy {
  void operator()(Mat a) const { (void)MatDestroy(&a); }
  void operator()(Vec x) const { (void)VecDestroy(&x); }
  void operator()(SVD s) const { (void)SVDDestroy(&s); }
};
template <class Handle>
using owned = std::unique_ptr<std::remove_pointer_t<Handle>, destroy>;

/// What the shell multiplies, and how often it has.
struct shell {
  const Eigen::MatrixXd* a = nullptr;
  double products = 0;
};

inline PetscErrorCode multiply(Mat self, Vec x, Vec y, bool transposed) {
  shell* s = nullptr;
  const PetscScalar* in = nullptr;
  PetscScalar* out = nullptr;
  check(MatShellGetContext(self, &s), "MatShellGetContext");
  check(VecGetArrayRead(x, &in), "VecGetArrayRead");
  check(VecGetArrayWrite(y, &out), "VecGetArrayWrite");
  openblas::multiply(*s->a, transposed, in, out);
  s->products += 1;
  check(VecRestoreArrayRead(x, &in), "VecRestoreArrayRead");
  check(VecRestoreArrayWrite(y, &out), "VecRestoreArrayWrite");
  return 0;
}
inline PetscErrorCode multiply_plain(Mat self, Vec x, Vec y) { return multiply(self, x, y, false); }
inline PetscErrorCode multiply_turned(Mat self, Vec x, Vec y) { return multiply(self, x, y, true); }

inline owned<Mat> shell_matrix(shell& s) {
  Mat a = nullptr;
  const auto m = static_cast<PetscInt>(s.a->rows()), n = static_cast<PetscInt>(s.a->cols());
  using callback = void (*)();
  check(MatCreateShell(PETSC_COMM_SELF, m, n, m, n, &s, &a), "MatCreateShell");
  owned<Mat> made(a);
  check(MatShellSetOperation(a, MATOP_MULT, reinterpret_cast<callback>(multiply_plain)), "MULT");
  check(MatShellSetOperation(a, MATOP_MULT_TRANSPOSE, reinterpret_cast<callback>(multiply_turned)),
        "MULT_TRANSPOSE");
  return made;
}

/// PETSc only reads what it is given here.
inline owned<Mat> dense_matrix(const Eigen::MatrixXd& x) {
  Mat a = nullptr;
  check(MatCreateSeqDense(PETSC_COMM_SELF, static_cast<PetscInt>(x.rows()),
                          static_cast<PetscInt>(x.cols()), const_cast<double*>(x.data()), &a),
        "MatCreateSeqDense");
  return owned<Mat>(a);
}

struct patience {
  bench::stopwatch clock;
  double limit = 0;
};

/// The basic test of SVD or, for cross, of the eigenvalue solver within, and the patience.
inline PetscErrorCode stop(SVD svd, PetscInt its, PetscInt most, PetscInt found, PetscInt wanted,
                           SVDConvergedReason* reason, void* context) {
  const auto* p = static_cast<const patience*>(context);
  const PetscErrorCode code = SVDStoppingBasic(svd, its, most, found, wanted, reason, nullptr);
  if (*reason == SVD_CONVERGED_ITERATING && p->clock.milliseconds() > p->limit)
    *reason = SVD_DIVERGED_ITS;
  return code;
}
inline PetscErrorCode stop_within(EPS eps, PetscInt its, PetscInt most, PetscInt found,
                                  PetscInt wanted, EPSConvergedReason* reason, void* context) {
  const auto* p = static_cast<const patience*>(context);
  const PetscErrorCode code = EPSStoppingBasic(eps, its, most, found, wanted, reason, nullptr);
  if (*reason == EPS_CONVERGED_ITERATING && p->clock.milliseconds() > p->limit)
    *reason = EPS_DIVERGED_ITS;
  return code;
}
inline void set_patience(SVD svd, const std::string& type, patience& p) {
  if (type != SVDCROSS)
    return check(SVDSetStoppingTestFunction(svd, stop, &p, nullptr), "SVDSetStoppingTestFunction");
  EPS eps = nullptr;
  check(SVDCrossGetEPS(svd, &eps), "SVDCrossGetEPS");
  check(EPSSetStoppingTestFunction(eps, stop_within, &p, nullptr), "EPSSetStoppingTestFunction");
}

inline answer run(const char* type, const question& q, index_t basis, double tolerance) {
  const bool blocks = std::string(type) == SVDRANDOMIZED;
  shell counted{&q.a, 0};
  const owned<Mat> a = blocks ? dense_matrix(q.a) : shell_matrix(counted);
  const index_t k = q.k;
  SVD raw = nullptr;
  check(SVDCreate(PETSC_COMM_SELF, &raw), "SVDCreate");
  const owned<SVD> svd(raw);
  check(SVDSetOperators(raw, a.get(), nullptr), "SVDSetOperators");
  check(SVDSetType(raw, type), "SVDSetType");
  check(
      SVDSetDimensions(raw, static_cast<PetscInt>(k), static_cast<PetscInt>(basis), PETSC_DEFAULT),
      "SVDSetDimensions");
  check(SVDSetTolerances(raw, tolerance, 5000), "SVDSetTolerances");
  const Eigen::VectorXd start = openblas::random_start(q.a.cols(), q.seed);
  Vec first = nullptr;
  check(VecCreateSeqWithArray(PETSC_COMM_SELF, 1, static_cast<PetscInt>(start.size()), start.data(),
                              &first),
        "VecCreateSeqWithArray");
  const owned<Vec> held(first);
  patience p{{}, q.patience};
  set_patience(raw, type, p);
  if (!blocks) check(SVDSetInitialSpaces(raw, 1, &first, 0, nullptr), "SVDSetInitialSpaces");
  check(SVDSetUp(raw), "SVDSetUp");

  answer got;
  got.u.resize(q.a.rows(), k);
  got.v.resize(q.a.cols(), k);
  got.sigma.resize(k);
  Vec left = nullptr, right = nullptr;
  check(VecCreateSeq(PETSC_COMM_SELF, static_cast<PetscInt>(q.a.rows()), &left), "VecCreateSeq");
  const owned<Vec> left_held(left);
  check(VecCreateSeq(PETSC_COMM_SELF, static_cast<PetscInt>(q.a.cols()), &right), "VecCreateSeq");
  const owned<Vec> right_held(right);
  PetscInt found = 0;
  p.clock = {};
  got.milliseconds = bench::milliseconds([&] {
    check(SVDSolve(raw), "SVDSolve");
    check(SVDGetConverged(raw, &found), "SVDGetConverged");
    for (PetscInt i = 0; i < std::min(found, static_cast<PetscInt>(k)); ++i) {
      PetscReal sigma = 0;
      const PetscScalar *x = nullptr, *y = nullptr;
      check(SVDGetSingularTriplet(raw, i, &sigma, left, right), "SVDGetSingularTriplet");
      check(VecGetArrayRead(left, &x), "VecGetArrayRead");
      check(VecGetArrayRead(right, &y), "VecGetArrayRead");
      got.sigma(i) = sigma;
      got.u.col(i) = Eigen::Map<const Eigen::VectorXd>(x, q.a.rows());
      got.v.col(i) = Eigen::Map<const Eigen::VectorXd>(y, q.a.cols());
      check(VecRestoreArrayRead(left, &x), "VecRestoreArrayRead");
      check(VecRestoreArrayRead(right, &y), "VecRestoreArrayRead");
    }
  });
  PetscInt iterations = 0;
  check(SVDGetIterationNumber(raw, &iterations), "SVDGetIterationNumber");
  got.iterations = static_cast<double>(iterations);
  if (!blocks) got.reads = got.products = counted.products;
  got.outcome = std::to_string(found) + " converged";
  if (found < static_cast<PetscInt>(k)) got.sigma.resize(0);
  return got;
}

inline contenders leading(index_t r, index_t k) {
  contenders all;
  for (const char* type : {SVDTRLANCZOS, SVDCROSS, SVDRANDOMIZED})
    all.push_back(
        {.name = std::string("SLEPc ") + type,
         .settings = krylov_settings(
             r, k, [type](const question& q, index_t b, double t) { return run(type, q, b, t); })});
  return all;
}

/// Between its beginning and its end SLEPc may be used: main holds one.
class session {
 public:
  session() { check(SlepcInitializeNoArguments(), "SlepcInitialize"); }
  session(const session&) = delete;
  session& operator=(const session&) = delete;
  ~session() { (void)SlepcFinalize(); }
};

inline peer library() {
  const auto held = std::make_shared<session>();
  const auto part = [](int n) { return std::to_string(n); };
  return {.name = "SLEPc",
          .version = part(SLEPC_VERSION_MAJOR) + "." + part(SLEPC_VERSION_MINOR) + "." +
                     part(SLEPC_VERSION_SUBMINOR),
          .leading = [held](index_t r, index_t k) { return leading(r, k); },
          .polar = nullptr,
          .use_threads = nullptr};
}

}  // namespace peers::slepc
