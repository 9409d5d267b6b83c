/// @file  Optimizers over a linear minimization oracle, for programs that are not C++.
///
///   fanion_optimizer* opt;
///   fanion_optimizer_create("spectral()", "adamw", NULL, &opt);
///   const int64_t shape[] = {L, 3 * C, C};
///   fanion_optimizer_add(opt, "qkvw", params.qkvw, grads.qkvw, FANION_FLOAT, 3, shape, NULL,
///                        FANION_HIDDEN);
///   …
///   for (…) { …; fanion_optimizer_step(opt, rate); }
///   fanion_optimizer_destroy(opt);
///
/// Functions that can fail return a fanion_status, and fanion_last_error() says what was wrong. One
/// optimizer is used by one thread at a time.
#ifndef FANION_H
#define FANION_H

#include <stddef.h>
#include <stdint.h>

#define FANION_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fanion_optimizer fanion_optimizer;

enum fanion_status {
  FANION_OK = 0,
  FANION_INVALID_ARGUMENT = 1,  ///< or a file that is no state of this optimizer
  FANION_OUT_OF_MEMORY = 2,
  FANION_FILE_ERROR = 3,  ///< a file that cannot be read or written
  FANION_FAILURE = 4
};

/// What memory holds. Computation and state are in float.
enum fanion_element { FANION_FLOAT = 0, FANION_BFLOAT16 = 1, FANION_HALF = 2 };

/// What a parameter does in the model. The first two are for `matrices` and the others for
/// `others`.
enum fanion_kind {
  FANION_HIDDEN = 0,
  FANION_CONVOLUTION = 1,
  FANION_EMBEDDING = 2,
  FANION_HEAD = 3,
  FANION_BIAS = 4,
  FANION_NORMALIZATION = 5
};

/// How the length of a step depends on an m x n matrix.
enum fanion_scaling {
  FANION_SCALING_NONE = 0,
  FANION_SCALING_WIDENING = 1,  ///< sqrt(max(1, m/n))
  FANION_SCALING_RMS = 2,       ///< sqrt(m/n)
  FANION_SCALING_ADAMW = 3      ///< 0.2 sqrt(max(m, n))
};

/// `size` tells which fields the program knows; later versions append. Always filled by
/// fanion_options_init first.
typedef struct fanion_options {
  size_t size;
  int32_t threads;   ///< that the matrices are dealt to; 1
  int32_t scaling;   ///< of rules with a norm; FANION_SCALING_NONE
  double momentum;   ///< of rules with a norm, and of sgd; 0.95
  int32_t nesterov;  ///< of rules with a norm, and of sgd; 1
  int32_t reserved;  ///< 0
  double decay;      ///< of every rule, decoupled; 0
  double gap;        ///< certified gap that ends an oracle's work; 0: 1e-2, 1e-3 for polar factors
  double beta1;      ///< of adamw and lion; 0.9
  double beta2;      ///< of adamw and lion; 0: 0.999 for adamw, 0.99 for lion
  double epsilon;    ///< of adamw; 1e-8
} fanion_options;

/// Fills the first `size` bytes, sizeof(fanion_options) in the program's own eyes, with defaults.
FANION_API int fanion_options_init(fanion_options* options, size_t size);

/// `matrices` and `others`: the norm whose ball steps are taken in, as an expression such as
/// "spectral()" or "dual(0.5 * ky_fan(5) + 0.5 * frobenius())", or "adamw", "sgd" or "lion".
/// `options` may be NULL. On failure *optimizer is NULL.
FANION_API int fanion_optimizer_create(const char* matrices, const char* others,
                                       const fanion_options* options, fanion_optimizer** optimizer);

/// A parameter, or a stack of equal matrices: `dimensions` extents, outermost first, and strides in
/// elements; strides NULL: contiguous, the last index fastest. Gradient and weight are of one
/// element, shape and layout. Memory stays the caller's, must outlive the optimizer, and is not
/// read before the first step. On failure nothing is added.
///
///   {n}                     a vector
///   {m, n}                  a matrix of m outputs and n inputs
///   {L, m, n}               L matrices, called `name.0`, `name.1`, …
///   {out, in, …}            with FANION_CONVOLUTION: one matrix out x (in·…)
FANION_API int fanion_optimizer_add(fanion_optimizer* optimizer, const char* name, void* weight,
                                    const void* gradient, int element, int dimensions,
                                    const int64_t* shape, const int64_t* strides, int kind);

/// One step of every parameter. One whose gradient holds NaN or infinity stays as it is.
FANION_API int fanion_optimizer_step(fanion_optimizer* optimizer, double rate);

/// How many matrices the last step left as they were, and their names, good until the next step;
/// NULL past the last.
FANION_API size_t fanion_optimizer_skipped(const fanion_optimizer* optimizer);
FANION_API const char* fanion_optimizer_skipped_name(const fanion_optimizer* optimizer, size_t i);

/// The state, without the weights, into a file. Atomic: `path`.partial is written, flushed to the
/// disk and renamed, so that `path` is the old state or the new one, whatever fails.
FANION_API int fanion_optimizer_save(const fanion_optimizer* optimizer, const char* path);

/// Reads what fanion_optimizer_save wrote for the same names, shapes and rules; weights are for the
/// caller to restore. On failure nothing is changed.
FANION_API int fanion_optimizer_load(fanion_optimizer* optimizer, const char* path);

/// NULL is allowed.
FANION_API void fanion_optimizer_destroy(fanion_optimizer* optimizer);

/// What the last call that failed on this thread has to say; "" before the first. Good until the
/// next call that fails on it.
FANION_API const char* fanion_last_error(void);

#ifdef __cplusplus
}
#endif

#endif
