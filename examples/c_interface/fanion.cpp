// The C interface: names and numbers to values of the library, exceptions to codes. Nothing that is
// thrown leaves a function of fanion.h.
#include "fanion.h"

#include <fanion/adapters/buffer_optimizer.hpp>
#include <fanion/norms/parse.hpp>
#include <fanion/optim/makers.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

struct fanion_optimizer {
  fanion::buffer_optimizer<float> held;
  std::vector<std::string> skipped = {};
};

namespace {

using namespace fanion;
using rule_type = buffer_optimizer<float>::rule_type;

thread_local std::string last_error;

void remember(const char* what) noexcept {
  try {
    last_error = what;
  } catch (...) {
    last_error.clear();
  }
}

/// Runs f and turns what it throws into a code and a message.
template <class F>
int guarded(F&& f) noexcept {
  try {
    f();
    return FANION_OK;
  } catch (const std::invalid_argument& e) {
    remember(e.what());
    return FANION_INVALID_ARGUMENT;
  } catch (const std::bad_alloc&) {
    remember("out of memory");
    return FANION_OUT_OF_MEMORY;
  } catch (const std::system_error& e) {
    remember(e.what());
    return FANION_FILE_ERROR;
  } catch (const std::exception& e) {
    remember(e.what());
  } catch (...) {
    remember("unknown failure");
  }
  return FANION_FAILURE;
}

/// @throws std::invalid_argument for a null pointer.
template <class P>
P* given(P* pointer, const char* what) {
  if (pointer == nullptr) refuse(what, "a pointer", "NULL");
  return pointer;
}

// --- Options ---

[[nodiscard]] fanion_options default_options() {
  return {.size = sizeof(fanion_options),
          .threads = 1,
          .scaling = FANION_SCALING_NONE,
          .momentum = 0.95,
          .nesterov = 1,
          .reserved = 0,
          .decay = 0,
          .gap = 0,
          .beta1 = 0.9,
          .beta2 = 0,
          .epsilon = 1e-8};
}

/// The program's fields over the defaults. Of a longer struct than this library knows, the rest has
/// to be 0: a setting that cannot be obeyed is not to be passed over.
[[nodiscard]] fanion_options read_options(const fanion_options* options) {
  fanion_options o = default_options();
  if (options == nullptr) return o;
  if (options->size < sizeof(size_t)) refuse("options: size", "set by fanion_options_init", 0);
  const auto* bytes = reinterpret_cast<const unsigned char*>(options);
  const auto zero = [](unsigned char b) { return b == 0; };
  if (options->size > sizeof o && !std::all_of(bytes + sizeof o, bytes + options->size, zero))
    refuse("options: size", "that of a version this library knows", options->size);
  std::memcpy(&o, options, std::min(options->size, sizeof o));
  if (o.reserved != 0) refuse("options: reserved", "0", o.reserved);
  return o;
}

[[nodiscard]] shape_scaling scaling_of(int scaling) {
  switch (scaling) {
    case FANION_SCALING_NONE:
      return shape_scaling::none;
    case FANION_SCALING_WIDENING:
      return shape_scaling::widening;
    case FANION_SCALING_RMS:
      return shape_scaling::rms;
    case FANION_SCALING_ADAMW:
      return shape_scaling::adamw;
    default:
      refuse("options: scaling", "a fanion_scaling", scaling);
  }
}

[[nodiscard]] rule_type rule_of(const std::string& text, const fanion_options& o) {
  const lookahead ahead = o.nesterov != 0 ? lookahead::nesterov : lookahead::none;
  if (text == "adamw")
    return adamw{.beta1 = o.beta1,
                 .beta2 = o.beta2 == 0 ? 0.999 : o.beta2,
                 .eps = o.epsilon,
                 .decay = o.decay};
  if (text == "lion")
    return lion{.beta1 = o.beta1, .beta2 = o.beta2 == 0 ? 0.99 : o.beta2, .decay = o.decay};
  if (text == "sgd")
    return sgd{.momentum = {.beta = o.momentum,
                            .accumulation = accumulation::heavy_ball,
                            .lookahead = ahead},
               .decay = o.decay};
  lmo_options options{.momentum = {.beta = o.momentum, .lookahead = ahead},
                      .decay = o.decay,
                      .scaling = scaling_of(o.scaling)};
  if (o.gap != 0) options.gap = o.gap;
  check(options);
  return as_ball(parse_norm(text)).visit([&]<class N>(const N& n) -> rule_type {
    return lmo_rule<N>{n, options};
  });
}

// --- Parameters ---

[[nodiscard]] parameter_kind kind_of(int kind) {
  switch (kind) {
    case FANION_HIDDEN:
      return parameter_kind::hidden;
    case FANION_CONVOLUTION:
      return parameter_kind::convolution;
    case FANION_EMBEDDING:
      return parameter_kind::embedding;
    case FANION_HEAD:
      return parameter_kind::head;
    case FANION_BIAS:
      return parameter_kind::bias;
    case FANION_NORMALIZATION:
      return parameter_kind::normalization;
    default:
      refuse("kind", "a fanion_kind", kind);
  }
}

template <class E>
void add(fanion_optimizer& opt, const buffer<float>& like, void* weight, const void* gradient) {
  opt.held.add(buffer<E>{.name = like.name,
                         .data = static_cast<E*>(weight),
                         .gradient = static_cast<const E*>(gradient),
                         .shape = like.shape,
                         .strides = like.strides,
                         .kind = like.kind});
}

// --- Files ---

[[noreturn]] void fail_with_file(const std::string& what, const std::string& path) {
  throw std::system_error(errno != 0 ? errno : EIO, std::generic_category(), what + " " + path);
}

/// What was written to a file, or the names in a folder, is on the disk when this returns.
void flush_to_disk(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) fail_with_file("cannot open", path);
  const bool done = fsync(file) == 0;
  const int error = errno;
  close(file);
  errno = error;
  if (!done) fail_with_file("cannot flush", path);
}

/// The optimizer's state at `path`, whole; what was there before stays until it is.
void write_state(const buffer_optimizer<float>& opt, const std::string& path) {
  const std::string partial = path + ".partial";
  try {
    errno = 0;
    std::ofstream out(partial, std::ios::binary | std::ios::trunc);
    if (!out) fail_with_file("cannot write", partial);
    try {
      opt.save(out);
    } catch (const std::runtime_error&) {
      fail_with_file("cannot write", partial);
    }
    out.close();
    if (!out) fail_with_file("cannot write", partial);
    flush_to_disk(partial);
    if (std::rename(partial.c_str(), path.c_str()) != 0) fail_with_file("cannot replace", path);
  } catch (...) {
    std::remove(partial.c_str());
    throw;
  }
  const auto folder = std::filesystem::path(path).parent_path();
  flush_to_disk(folder.empty() ? "." : folder.string());
}

}  // namespace

int fanion_options_init(fanion_options* options, size_t size) {
  return guarded([&] {
    given(options, "options");
    if (size < sizeof(size_t)) refuse("options: size", "sizeof(fanion_options)", size);
    const fanion_options o = default_options();
    std::memset(options, 0, size);
    std::memcpy(options, &o, std::min(size, sizeof o));
    options->size = size;
  });
}

int fanion_optimizer_create(const char* matrices, const char* others, const fanion_options* options,
                            fanion_optimizer** optimizer) {
  return guarded([&] {
    *given(optimizer, "optimizer") = nullptr;
    const fanion_options o = read_options(options);
    *optimizer = new fanion_optimizer{
        {rule_of(given(matrices, "matrices"), o), rule_of(given(others, "others"), o), o.threads}};
  });
}

int fanion_optimizer_add(fanion_optimizer* optimizer, const char* name, void* weight,
                         const void* gradient, int element, int dimensions, const int64_t* shape,
                         const int64_t* strides, int kind) {
  return guarded([&] {
    given(optimizer, "optimizer");
    buffer<float> like{.name = given(name, "name"), .kind = kind_of(kind)};
    if (dimensions < 1 || dimensions > 8) refuse("dimensions", "from 1 to 8", dimensions);
    like.shape.assign(given(shape, "shape"), shape + dimensions);
    if (strides != nullptr) like.strides.assign(strides, strides + dimensions);
    switch (element) {
      case FANION_FLOAT:
        return add<float>(*optimizer, like, weight, gradient);
      case FANION_BFLOAT16:
        return add<bfloat16>(*optimizer, like, weight, gradient);
      case FANION_HALF:
        return add<float16>(*optimizer, like, weight, gradient);
      default:
        refuse("element", "a fanion_element", element);
    }
  });
}

int fanion_optimizer_step(fanion_optimizer* optimizer, double rate) {
  return guarded([&] {
    given(optimizer, "optimizer")->skipped.clear();
    optimizer->skipped = optimizer->held.step(rate).skipped;
  });
}

size_t fanion_optimizer_skipped(const fanion_optimizer* optimizer) {
  return optimizer == nullptr ? 0 : optimizer->skipped.size();
}
const char* fanion_optimizer_skipped_name(const fanion_optimizer* optimizer, size_t i) {
  return i < fanion_optimizer_skipped(optimizer) ? optimizer->skipped[i].c_str() : nullptr;
}

int fanion_optimizer_save(const fanion_optimizer* optimizer, const char* path) {
  return guarded([&] { write_state(given(optimizer, "optimizer")->held, given(path, "path")); });
}

int fanion_optimizer_load(fanion_optimizer* optimizer, const char* path) {
  return guarded([&] {
    given(optimizer, "optimizer");
    errno = 0;
    std::ifstream in(given(path, "path"), std::ios::binary);
    if (!in) fail_with_file("cannot read", path);
    optimizer->held.load(in);
  });
}

void fanion_optimizer_destroy(fanion_optimizer* optimizer) { delete optimizer; }

const char* fanion_last_error(void) { return last_error.c_str(); }
