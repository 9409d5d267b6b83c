/// @file  The methods that the trainers know, by name.
#pragma once

#include <fanion/core/types.hpp>

#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trainers {

using fanion::index_t;

/// --lr rest=...: the rate of AdamW or SGD on the head and the biases, which no LMO method touches.
inline constexpr std::string_view rest_name = "rest";

/// --lr head=...: of the head, where it is not that of the rest.
inline constexpr std::string_view head_name = "head";

/// The ball of --norm.
inline constexpr std::string_view norm_name = "norm";

/// Peak rates by family and for "rest": each trainer has its own, chosen on its held-out examples.
using rate_table = std::vector<std::pair<std::string_view, double>>;

/// The families; those that take a k stand for names such as fanion-8.
inline constexpr std::array<std::string_view, 16> families{
    "sgd",  "adamw",  "lion",   "nsgd",     "sign-sgd", "muon",   "neon",     "fanion",
    "dion", "f-muon", "f-neon", "f-fanion", "s-muon",   "s-neon", "s-fanion", norm_name};

[[nodiscard]] inline bool takes_k(std::string_view family) {
  return family.ends_with("fanion") || family == "dion";
}

/// "fanion-8" is the family "fanion" with k = 8; other names are families by themselves.
struct method_name {
  std::string family;
  index_t k = 0;  ///< 0 where the family has no k
};

/// Splits a name; nothing if there is no such method or k is not a whole number above 0.
[[nodiscard]] inline std::optional<method_name> parse_method(std::string_view name) {
  for (const std::string_view family : families) {
    if (!takes_k(family)) {
      if (name == family) return method_name{std::string(family), 0};
      continue;
    }
    if (!name.starts_with(family) || name.substr(family.size(), 1) != "-") continue;
    const std::string_view digits = name.substr(family.size() + 1);
    const auto end = digits.data() + digits.size();
    index_t k = 0;
    const auto read = std::from_chars(digits.data(), end, k);
    if (read.ec == std::errc() && read.ptr == end && k >= 1)
      return method_name{std::string(family), k};
  }
  return std::nullopt;
}

[[nodiscard]] inline bool is_method(std::string_view name) {
  return parse_method(name).has_value();
}

/// For a method's name, or for "rest"; 0 where the table says nothing.
/// @throws std::bad_optional_access for a name that is neither.
[[nodiscard]] inline double rate_in(const rate_table& table, const std::string& name) {
  const std::string family = name == rest_name ? name : parse_method(name).value().family;
  for (const auto& [known, rate] : table)
    if (known == family) return rate;
  return 0;
}

[[nodiscard]] inline std::string known() {
  return "methods: sgd, adamw, lion, nsgd, sign-sgd, muon, neon, fanion-K, dion-K, f-muon, f-neon, "
         "f-fanion-K, s-muon, s-neon, s-fanion-K (K a whole number), norm (see --norm)";
}

}  // namespace trainers
