/// @file  The methods that the trainer knows, by name, and the rates chosen for them.
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

/// --lr rest=...: AdamW's rate for the head and the biases, which no LMO method touches.
inline constexpr std::string_view rest_name = "rest";

/// The ball of --norm.
inline constexpr std::string_view norm_name = "norm";

/// Peak rates for 2 epochs of Fashion-MNIST at batch 768 (k = 8 where a family has a k), each the
/// best of a grid by the loss on the 5,000 held-out training images: `mlp --tune --seeds 101`.
inline constexpr std::array<std::pair<std::string_view, double>, 16> tuned_rates{{
    {"sgd", 0.16},
    {"adamw", 0.016},
    {"lion", 2e-3},
    {"nsgd", 0.4},
    {"sign-sgd", 5e-4},
    {"muon", 0.05},
    {"neon", 0.2},
    {"fanion", 0.2},
    {"f-muon", 0.1},
    {"f-neon", 0.4},
    {"f-fanion", 0.2},
    {"s-muon", 0.05},
    {"s-neon", 0.1},
    {"s-fanion", 0.1},
    {norm_name, 0},  // whatever --norm says: nobody has tuned it
    {rest_name, 0.016},
}};

/// "fanion-8" is the family "fanion" with k = 8; other names are families by themselves.
struct method_name {
  std::string family;
  index_t k = 0;  ///< 0 where the family has no k
};

/// Splits a name; nothing if there is no such method or k is not a whole number above 0.
[[nodiscard]] inline std::optional<method_name> parse_method(std::string_view name) {
  index_t k = 0;
  std::string_view family = name;
  const std::size_t at = name.find("fanion-");
  if (at != std::string_view::npos) {
    family = name.substr(0, at + 6);
    const std::string_view digits = name.substr(at + 7);
    const auto end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, k);
    if (read.ec != std::errc() || read.ptr != end || k < 1) return std::nullopt;
  } else if (name.ends_with("fanion") || name == rest_name) {
    return std::nullopt;
  }
  for (const auto& [known, rate] : tuned_rates)
    if (known == family) return method_name{std::string(family), k};
  return std::nullopt;
}

[[nodiscard]] inline bool is_method(std::string_view name) {
  return parse_method(name).has_value();
}

/// For a method's name, or for "rest". @throws std::bad_optional_access for another name.
[[nodiscard]] inline double default_rate(const std::string& name) {
  const std::string family = name == rest_name ? name : parse_method(name).value().family;
  for (const auto& [known, rate] : tuned_rates)
    if (known == family) return rate;
  return 0;  // not reached: parse_method only returns families of the table
}

[[nodiscard]] inline std::vector<std::string> default_methods() {
  return {"sgd",  "adamw",    "nsgd",   "sign-sgd", "muon",
          "neon", "fanion-8", "f-neon", "f-muon",   "s-muon"};
}

[[nodiscard]] inline std::string known() {
  return "methods: sgd, adamw, lion, nsgd, sign-sgd, muon, neon, fanion-K, f-muon, f-neon, "
         "f-fanion-K, s-muon, s-neon, s-fanion-K (K a whole number), norm (see --norm)";
}

}  // namespace trainers
