/// @file  A small trainer in C as there are many: one block of parameters, one of gradients, loops.
///
/// A network  inputs -> tanh of HIDDEN -> OUTPUTS  is fitted to products of linear forms. Data and
/// first weights come from whole numbers, so that every program makes the same.
#ifndef NETWORK_H
#define NETWORK_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

enum { SAMPLES = 128, INPUTS = 16, HIDDEN = 32, OUTPUTS = 4, STEPS = 200 };
enum {
  W1 = 0,
  B1 = W1 + HIDDEN * INPUTS,
  W2 = B1 + HIDDEN,
  B2 = W2 + OUTPUTS * HIDDEN,
  PARAMETERS = B2 + OUTPUTS
};

typedef struct {
  float parameters[PARAMETERS]; /* w1 by rows, b1, w2 by rows, b2 */
  float gradients[PARAMETERS];
  float inputs[SAMPLES * INPUTS];
  float targets[SAMPLES * OUTPUTS];
  float hidden[SAMPLES * HIDDEN];
} network;

/* The i-th of a sequence of numbers, uniform in [-1/2, 1/2), exact in float. */
static inline float uniform(uint32_t seed, uint32_t i) {
  uint32_t x = i * 2654435761u + seed * 2246822519u;
  x = (x ^ (x >> 16)) * 2246822507u;
  x = (x ^ (x >> 13)) * 3266489909u;
  x ^= x >> 16;
  return (float)(x >> 8) * (1.0f / 16777216.0f) - 0.5f;
}

static inline void network_init(network* net, uint32_t seed) {
  for (uint32_t i = 0; i < SAMPLES * INPUTS; ++i) net->inputs[i] = 2 * uniform(seed, i);
  for (uint32_t i = 0; i < PARAMETERS; ++i) net->parameters[i] = 0;
  for (uint32_t i = 0; i < HIDDEN * INPUTS; ++i)
    net->parameters[W1 + i] = 0.5f * uniform(seed + 1, i);
  for (uint32_t i = 0; i < OUTPUTS * HIDDEN; ++i)
    net->parameters[W2 + i] = 0.25f * uniform(seed + 2, i);
  for (uint32_t s = 0; s < SAMPLES; ++s)
    for (uint32_t k = 0; k < OUTPUTS; ++k) {
      float a = 0, b = 0;
      for (uint32_t j = 0; j < INPUTS; ++j) {
        a += net->inputs[s * INPUTS + j] * uniform(seed + 3, k * INPUTS + j);
        b += net->inputs[s * INPUTS + j] * uniform(seed + 4, k * INPUTS + j);
      }
      net->targets[s * OUTPUTS + k] = a * b;
    }
}

/* The loss, half the mean squared error, and its gradients. */
static inline float network_backward(network* net) {
  const float* const w1 = net->parameters + W1;
  const float* const w2 = net->parameters + W2;
  float loss = 0;
  for (size_t i = 0; i < PARAMETERS; ++i) net->gradients[i] = 0;
  for (size_t s = 0; s < SAMPLES; ++s) {
    const float* const x = net->inputs + s * INPUTS;
    float* const h = net->hidden + s * HIDDEN;
    float back[HIDDEN] = {0};
    for (size_t i = 0; i < HIDDEN; ++i) {
      float sum = net->parameters[B1 + i];
      for (size_t j = 0; j < INPUTS; ++j) sum += w1[i * INPUTS + j] * x[j];
      h[i] = tanhf(sum);
    }
    for (size_t k = 0; k < OUTPUTS; ++k) {
      float error = net->parameters[B2 + k] - net->targets[s * OUTPUTS + k];
      for (size_t i = 0; i < HIDDEN; ++i) error += w2[k * HIDDEN + i] * h[i];
      loss += error * error / (2 * (float)SAMPLES);
      error /= (float)SAMPLES;
      net->gradients[B2 + k] += error;
      for (size_t i = 0; i < HIDDEN; ++i) {
        net->gradients[W2 + k * HIDDEN + i] += error * h[i];
        back[i] += error * w2[k * HIDDEN + i];
      }
    }
    for (size_t i = 0; i < HIDDEN; ++i) {
      const float slope = back[i] * (1 - h[i] * h[i]);
      net->gradients[B1 + i] += slope;
      for (size_t j = 0; j < INPUTS; ++j) net->gradients[W1 + i * INPUTS + j] += slope * x[j];
    }
  }
  return loss;
}

/* From RATE down to 0 along a line. */
static const float RATE = 0.05f;
static inline float rate_at(int step) { return RATE * (1 - (float)step / (float)STEPS); }

#endif
