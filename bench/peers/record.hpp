/// @file  Rows as JSON, with every attempt and every timed run; what is unknown is null.
#pragma once

#include "contest.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace peers {

using json = nlohmann::json;

inline json record(const sample& s) {
  return {{"setting", s.label},
          {"ms", s.what.milliseconds},
          {"reads", s.what.reads},
          {"products", s.what.products},
          {"iterations", s.what.iterations},
          {"err1", s.error.err1},
          {"err2", s.error.err2},
          {"sigma", s.error.sigma},
          {"gap", s.error.gap},
          {"certified", s.what.certified},
          {"failure_probability", s.what.failure_probability},
          {"outcome", s.what.outcome}};
}

inline json record(const row& r) {
  json tried = json::array(), timed = json::array();
  for (const sample& s : r.tried) tried.push_back(record(s));
  for (const sample& s : r.timed) timed.push_back(record(s));
  return {{"name", r.who.name},       {"kind", r.who.kind},   {"scalar", r.who.scalar},
          {"threads", r.who.threads}, {"reached", r.reached}, {"setting", r.best.label},
          {"tried", tried},           {"timed", timed}};
}

inline json record(const std::vector<row>& rows) {
  json all = json::array();
  for (const row& r : rows) all.push_back(record(r));
  return all;
}

inline json record(const target& t) {
  const char* const names[] = {"err1", "gap", "certified"};
  return {{"measure", names[static_cast<int>(t.measure)]}, {"limit", t.limit}};
}

}  // namespace peers
