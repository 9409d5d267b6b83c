/* Every way to call fanion.h wrongly, and what a failed call leaves behind. */
#include "fanion.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int wrong = 0;

static void expect(int holds, const char* what) {
  if (holds) return;
  printf("wrong: %s (last error: %s)\n", what, fanion_last_error());
  wrong = 1;
}

/* The call failed with this code, and said so. */
static void refused(int status, int code, const char* message) {
  if (status == code && strstr(fanion_last_error(), message) != NULL) return;
  printf("expected code %d and \"%s\", got code %d and \"%s\"\n", code, message, status,
         fanion_last_error());
  wrong = 1;
}

enum { INVALID = FANION_INVALID_ARGUMENT, FILES = FANION_FILE_ERROR };

static float weight[12], gradient[12];
static uint16_t low_weight[12], low_gradient[12];
static const int64_t shape[] = {3, 4};

static fanion_optimizer* make(const char* name, int element) {
  fanion_optimizer* opt;
  void* const w = element == FANION_FLOAT ? (void*)weight : (void*)low_weight;
  void* const g = element == FANION_FLOAT ? (void*)gradient : (void*)low_gradient;
  if (fanion_optimizer_create("dual(0.5 * ky_fan(2) + 0.5 * frobenius())", "adamw", NULL, &opt) ||
      fanion_optimizer_add(opt, name, w, g, element, 2, shape, NULL, FANION_HIDDEN)) {
    printf("cannot go on: %s\n", fanion_last_error());
    exit(1);
  }
  return opt;
}

static void check_create(void) {
  fanion_optimizer* opt = (fanion_optimizer*)weight;
  refused(fanion_optimizer_create("spectral(", "adamw", NULL, &opt), INVALID,
          "norm: expected a number at character 10 of \"spectral(\"");
  expect(opt == NULL, "a failed create gives NULL");
  refused(fanion_optimizer_create("adam", "adamw", NULL, &opt), INVALID, "norm: expected");
  refused(fanion_optimizer_create("spectral() + max_abs()", "adamw", NULL, &opt), INVALID,
          "closed form");
  refused(fanion_optimizer_create(NULL, "adamw", NULL, &opt), INVALID, "matrices");
  refused(fanion_optimizer_create("spectral()", NULL, NULL, &opt), INVALID, "others");
  refused(fanion_optimizer_create("spectral()", "adamw", NULL, NULL), INVALID, "optimizer");
  fanion_optimizer_destroy(NULL);
  const char* const rules[] = {"adamw", "sgd", "lion", "max_abs()", "2 * nuclear()"};
  for (size_t i = 0; i < sizeof rules / sizeof *rules; ++i) {
    expect(fanion_optimizer_create(rules[i], rules[i], NULL, &opt) == FANION_OK, rules[i]);
    fanion_optimizer_destroy(opt);
  }
}

/* Programs that were compiled with an older or a newer header. */
static void check_options(void) {
  struct {
    fanion_options known;
    double later;
  } options;
  fanion_optimizer* opt;
  expect(fanion_options_init(&options.known, sizeof options) == FANION_OK, "longer options");
  expect(options.known.size == sizeof options && options.later == 0, "the rest is 0");
  expect(options.known.momentum == 0.95 && options.known.threads == 1, "defaults");
  expect(fanion_optimizer_create("spectral()", "adamw", &options.known, &opt) == FANION_OK,
         "a newer program that asks for nothing new");
  fanion_optimizer_destroy(opt);
  options.later = 1;
  refused(fanion_optimizer_create("spectral()", "adamw", &options.known, &opt), INVALID,
          "options: size");

  fanion_options o;
  memset(&o, 0xff, sizeof o);
  const size_t older = offsetof(fanion_options, beta1);
  expect(fanion_options_init(&o, older) == FANION_OK, "shorter options");
  expect(o.size == older && o.decay == 0 && isnan(o.beta1), "nothing past them is written");
  expect(fanion_optimizer_create("spectral()", "adamw", &o, &opt) == FANION_OK,
         "nothing past them is read");
  fanion_optimizer_destroy(opt);

  refused(fanion_options_init(NULL, sizeof o), INVALID, "options");
  refused(fanion_options_init(&o, 1), INVALID, "options: size");
  o.size = 0;
  refused(fanion_optimizer_create("spectral()", "adamw", &o, &opt), INVALID, "options: size");
  fanion_options_init(&o, sizeof o);
  o.momentum = 1;
  refused(fanion_optimizer_create("spectral()", "adamw", &o, &opt), INVALID, "momentum: beta");
  fanion_options_init(&o, sizeof o);
  o.threads = 0;
  refused(fanion_optimizer_create("spectral()", "adamw", &o, &opt), INVALID, "threads");
  fanion_options_init(&o, sizeof o);
  o.scaling = 9;
  refused(fanion_optimizer_create("spectral()", "adamw", &o, &opt), INVALID, "options: scaling");
}

static void check_add(void) {
  fanion_optimizer* opt = make("w", FANION_FLOAT);
  const int64_t none[] = {3, 0};
  refused(fanion_optimizer_add(NULL, "v", weight, gradient, 0, 2, shape, NULL, 0), INVALID,
          "optimizer");
  refused(fanion_optimizer_add(opt, NULL, weight, gradient, 0, 2, shape, NULL, 0), INVALID, "name");
  refused(fanion_optimizer_add(opt, "w", weight, gradient, 0, 2, shape, NULL, 0), INVALID,
          "buffer w: name must be new");
  refused(fanion_optimizer_add(opt, "v", NULL, gradient, 0, 2, shape, NULL, 0), INVALID,
          "buffer v: data");
  refused(fanion_optimizer_add(opt, "v", weight, NULL, 0, 2, shape, NULL, 0), INVALID,
          "buffer v: gradient");
  refused(fanion_optimizer_add(opt, "v", weight, weight, 0, 2, shape, NULL, 0), INVALID,
          "buffer v: gradient");
  refused(fanion_optimizer_add(opt, "v", weight, gradient, 7, 2, shape, NULL, 0), INVALID,
          "element");
  refused(fanion_optimizer_add(opt, "v", weight, gradient, 0, 2, shape, NULL, -1), INVALID, "kind");
  refused(fanion_optimizer_add(opt, "v", weight, gradient, 0, 0, shape, NULL, 0), INVALID,
          "dimensions");
  refused(fanion_optimizer_add(opt, "v", weight, gradient, 0, 2, NULL, NULL, 0), INVALID, "shape");
  refused(fanion_optimizer_add(opt, "v", weight, gradient, 0, 2, none, NULL, 0), INVALID,
          "buffer v: extents must be at least 1, got {3, 0}");
  fanion_optimizer_destroy(opt);
}

static void check_step(void) {
  fanion_optimizer* opt = make("w", FANION_FLOAT);
  expect(fanion_optimizer_skipped(opt) == 0, "nothing skipped before the first step");
  for (int i = 0; i < 12; ++i) gradient[i] = (float)(i % 5) - 2;
  memset(weight, 0, sizeof weight);
  refused(fanion_optimizer_step(opt, NAN), INVALID, "rate");
  expect(weight[0] == 0, "a refused rate moves nothing");
  refused(fanion_optimizer_step(NULL, 0.1), INVALID, "optimizer");
  gradient[3] = INFINITY;
  expect(fanion_optimizer_step(opt, 0.1) == FANION_OK && weight[0] == 0, "infinity is skipped");
  expect(fanion_optimizer_skipped(opt) == 1, "and counted");
  expect(strcmp(fanion_optimizer_skipped_name(opt, 0), "w") == 0, "and named");
  expect(fanion_optimizer_skipped_name(opt, 1) == NULL, "and no other");
  refused(fanion_optimizer_step(opt, -1), INVALID, "rate");
  expect(fanion_optimizer_skipped(opt) == 0, "a step that was refused skipped nothing");
  gradient[3] = 1;
  expect(fanion_optimizer_step(opt, 0.1) == FANION_OK && weight[0] > 0, "and then it moves");
  expect(fanion_optimizer_skipped(opt) == 0, "and is not skipped");
  fanion_optimizer_destroy(opt);

  fanion_optimizer* low = make("w", FANION_BFLOAT16);
  memset(low_weight, 0, sizeof low_weight);
  for (int i = 0; i < 12; ++i) low_gradient[i] = 0x3f80; /* 1 */
  expect(fanion_optimizer_step(low, 0.1) == FANION_OK, "a step in bfloat16");
  const uint32_t bits = (uint32_t)low_weight[0] << 16;
  float moved;
  memcpy(&moved, &bits, sizeof moved);
  expect(moved < -0.001f && moved > -0.1f, "bfloat16 moves against its gradient");
  fanion_optimizer_destroy(low);
}

/* The bytes of a small file. */
static size_t contents(const char* path, char* to, size_t most) {
  FILE* const file = fopen(path, "rb");
  if (file == NULL) return 0;
  const size_t size = fread(to, 1, most, file);
  fclose(file);
  return size;
}
static void put(const char* path, const char* bytes, size_t size) {
  FILE* const file = fopen(path, "wb");
  if (file == NULL || fwrite(bytes, 1, size, file) != size || fclose(file) != 0) exit(1);
}

static void check_files(void) {
  enum { MOST = 1 << 16 };
  static char good[MOST], now[MOST];
  fanion_optimizer *opt = make("w", FANION_FLOAT), *other = make("v", FANION_FLOAT);
  expect(fanion_optimizer_step(opt, 0.1) == FANION_OK, "a step");
  expect(fanion_optimizer_save(opt, "check.state") == FANION_OK, "save");
  const size_t size = contents("check.state", good, MOST);
  struct stat status;
  expect(size > 0 && stat("check.state.partial", &status) != 0, "one file is left");

  /* What cannot be read changes nothing: saving again gives the bytes of before. */
  refused(fanion_optimizer_load(opt, "check.nowhere"), FILES, "cannot read check.nowhere");
  for (size_t length = 0; length < size; length += 1 + size / 50) {
    put("check.damaged", good, length);
    refused(fanion_optimizer_load(opt, "check.damaged"), INVALID, "checkpoint");
    expect(fanion_optimizer_save(opt, "check.again") == FANION_OK, "save again");
    expect(contents("check.again", now, MOST) == size && memcmp(good, now, size) == 0,
           "a damaged file changes nothing");
  }
  expect(fanion_optimizer_save(other, "check.other") == FANION_OK, "save the other");
  refused(fanion_optimizer_load(opt, "check.other"), INVALID, "expected w, found v");
  expect(fanion_optimizer_load(opt, "check.state") == FANION_OK, "load");

  /* What cannot be written leaves the old file. */
  refused(fanion_optimizer_save(opt, "check.nowhere/state"), FILES, "cannot write check.nowhere");
  mkdir("check.state.partial", 0700);
  refused(fanion_optimizer_save(opt, "check.state"), FILES, "cannot write check.state.partial");
  remove("check.state.partial");
  expect(contents("check.state", now, MOST) == size && memcmp(good, now, size) == 0,
         "a failed save leaves the old state");
  mkdir("check.folder", 0700);
  refused(fanion_optimizer_save(opt, "check.folder"), FILES, "cannot replace check.folder");
  expect(stat("check.folder.partial", &status) != 0, "and nothing beside it");
  remove("check.folder");
  refused(fanion_optimizer_save(NULL, "check.state"), INVALID, "optimizer");
  refused(fanion_optimizer_save(opt, NULL), INVALID, "path");
  refused(fanion_optimizer_load(NULL, "check.state"), INVALID, "optimizer");
  refused(fanion_optimizer_load(opt, NULL), INVALID, "path");
  fanion_optimizer_destroy(other);
  fanion_optimizer_destroy(opt);
}

int main(void) {
  expect(strcmp(fanion_last_error(), "") == 0, "no error before the first");
  check_create();
  check_options();
  check_add();
  check_step();
  check_files();
  return wrong;
}
