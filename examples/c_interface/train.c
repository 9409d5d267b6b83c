/* The trainer of network.h, with its update loop and with fanion's in its place:
 *
 *   train          fanion's, its state saved and loaded half way
 *   train plain    its own
 *
 * prints the loss after the last step. */
#include "fanion.h"
#include "network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static network net;

/* What was there before: gradient descent. */
static void train_plainly(void) {
  for (int step = 0; step < STEPS; ++step) {
    network_backward(&net);
    for (size_t i = 0; i < PARAMETERS; ++i) net.parameters[i] -= rate_at(step) * net.gradients[i];
  }
}

static void check(int status) {
  if (status == FANION_OK) return;
  fprintf(stderr, "train: %s\n", fanion_last_error());
  exit(1);
}

/* The blocks as the optimizer is to see them: hidden matrices by Muon's ball, the rest by AdamW. */
static fanion_optimizer* make_optimizer(void) {
  fanion_optimizer* opt;
  check(fanion_optimizer_create("spectral()", "adamw", NULL, &opt));
  const struct {
    const char* name;
    size_t at;
    int dimensions;
    int64_t shape[2];
    int kind;
  } blocks[] = {{"w1", W1, 2, {HIDDEN, INPUTS}, FANION_HIDDEN},
                {"b1", B1, 1, {HIDDEN}, FANION_BIAS},
                {"w2", W2, 2, {OUTPUTS, HIDDEN}, FANION_HIDDEN},
                {"b2", B2, 1, {OUTPUTS}, FANION_BIAS}};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; ++i)
    check(fanion_optimizer_add(opt, blocks[i].name, net.parameters + blocks[i].at,
                               net.gradients + blocks[i].at, FANION_FLOAT, blocks[i].dimensions,
                               blocks[i].shape, NULL, blocks[i].kind));
  return opt;
}

static void train(const char* state) {
  fanion_optimizer* opt = make_optimizer();
  for (int step = 0; step < STEPS; ++step) {
    network_backward(&net);
    check(fanion_optimizer_step(opt, rate_at(step)));
    if (step == STEPS / 2) { /* as if the program had been stopped here and started again */
      check(fanion_optimizer_save(opt, state));
      fanion_optimizer_destroy(opt);
      opt = make_optimizer();
      check(fanion_optimizer_load(opt, state));
    }
  }
  fanion_optimizer_destroy(opt);
}

int main(int count, char** arguments) {
  network_init(&net, 1);
  if (count > 1 && strcmp(arguments[1], "plain") == 0)
    train_plainly();
  else
    train("train.state");
  printf("loss after %d steps: %.9g\n", STEPS, (double)network_backward(&net));
  return 0;
}
