/// @file  parse_norm("dual(0.5*ky_fan(8) + 0.5*frobenius())"): norms from text.
///
///   expression   term { "+" term }
///   term         { number "*" } factor
///   factor       "dual(" expression ")"  |  "(" expression ")"  |  name "(" arguments ")"
///   name         frobenius, spectral, nuclear, ky_fan(k), owl(w1, w2, …), schatten(p), max_abs,
///                sum_abs, max_row, sum_row, max_col, sum_col, rms_to_rms(m, n)
#pragma once

#include <fanion/norms/any_norm.hpp>

#include <cctype>
#include <charconv>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fanion {

namespace detail {

/// By recursive descent, into a sum and whether its dual is meant.
class norm_parser {
 public:
  explicit norm_parser(std::string_view text) : text_(text) {}

  [[nodiscard]] any_norm parse() {
    const parsed all = expression();
    skip_spaces();
    if (at_ < text_.size()) fail("the end");
    any_sum sum(all.terms);
    if (!sum.is_positive()) fail_at(0, "a coefficient above 0");
    return all.dual ? any_norm(fanion::dual_of<any_sum>(std::move(sum))) : any_norm(std::move(sum));
  }

 private:
  struct parsed {
    std::vector<any_sum::term> terms;
    bool dual = false;
  };

  [[noreturn]] void fail_at(std::size_t at, const std::string& wanted) const {
    throw std::invalid_argument("norm: expected " + wanted + " at character " +
                                std::to_string(at + 1) + " of \"" + std::string(text_) + "\"");
  }
  [[noreturn]] void fail(const std::string& wanted) const { fail_at(at_, wanted); }

  void skip_spaces() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }
  [[nodiscard]] bool next_is(char c) {
    skip_spaces();
    return at_ < text_.size() && text_[at_] == c;
  }
  [[nodiscard]] bool take(char c) {
    if (!next_is(c)) return false;
    ++at_;
    return true;
  }
  void want(char c) {
    if (!take(c)) fail(std::string("'") + c + "'");
  }
  [[nodiscard]] double number() {
    skip_spaces();
    double x = 0;
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), x);
    if (error != std::errc()) fail("a number");
    at_ = static_cast<std::size_t>(end - text_.data());
    return x;
  }

  [[nodiscard]] parsed expression() {
    if (++depth_ > most_depth) fail("at most 100 nested expressions");
    parsed all = sum_of_terms();
    --depth_;
    return all;
  }

  [[nodiscard]] parsed sum_of_terms() {
    skip_spaces();
    const std::size_t start = at_;
    parsed all = term();
    while (take('+')) {
      skip_spaces();
      const std::size_t here = at_;
      parsed next = term();
      if (all.dual)
        fail_at(start, "a norm that may stand in a sum, which the dual of a sum may not,");
      if (next.dual)
        fail_at(here, "a norm that may stand in a sum, which the dual of a sum may not,");
      all.terms.insert(all.terms.end(), next.terms.begin(), next.terms.end());
    }
    return all;
  }

  [[nodiscard]] parsed term() {
    skip_spaces();
    const std::size_t start = at_;
    if (at_ < text_.size() && (std::isdigit(static_cast<unsigned char>(text_[at_])) != 0 ||
                               text_[at_] == '.' || text_[at_] == '-')) {
      const double c = number();
      if (!(c >= 0) || !is_finite(c)) fail_at(start, "a coefficient of at least 0");
      want('*');
      if (++depth_ > most_depth) fail("at most 100 nested expressions");
      parsed all = term();
      --depth_;
      if (all.dual && !(c > 0)) fail_at(start, "a coefficient above 0");
      // c · dual(n) = dual(n/c).
      for (any_sum::term& t : all.terms) {
        t.coefficient *= all.dual ? 1 / c : c;
        if (!is_finite(t.coefficient)) fail_at(start, "a coefficient that leaves products finite");
      }
      return all;
    }
    return factor();
  }

  [[nodiscard]] parsed factor() {
    if (take('(')) {
      parsed inner = expression();
      want(')');
      return inner;
    }
    skip_spaces();
    const std::size_t start = at_;
    while (at_ < text_.size() &&
           (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '_'))
      ++at_;
    const std::string_view name = text_.substr(start, at_ - start);
    if (name.empty()) fail("a norm");
    if (!next_is('(')) fail("'('");
    ++at_;
    if (name == "dual") {
      parsed inner = expression();
      want(')');
      return dual_of_parsed(start, std::move(inner));
    }
    std::vector<double> arguments;
    std::vector<std::size_t> places;
    if (!next_is(')')) {
      do {
        skip_spaces();
        places.push_back(at_);
        arguments.push_back(number());
      } while (take(','));
    }
    want(')');
    return {{{1, leaf(start, name, arguments, places)}}, false};
  }

  /// A single norm whose dual the library knows becomes that; of anything else the dual is kept.
  [[nodiscard]] parsed dual_of_parsed(std::size_t start, parsed inner) const {
    if (inner.dual) return {std::move(inner.terms), false};
    if (!any_sum(inner.terms).is_positive()) fail_at(start, "the dual of a positive norm");
    if (auto one = dual_of_one(any_sum(inner.terms))) return {one->terms(), false};
    return {std::move(inner.terms), true};
  }

  [[nodiscard]] any_sum::leaf leaf(std::size_t start, std::string_view name,
                                   const std::vector<double>& arguments,
                                   const std::vector<std::size_t>& places) const {
    const auto count = [&](std::size_t wanted) {
      if (arguments.size() != wanted)
        fail_at(start, std::to_string(wanted) + " arguments of " + std::string(name));
    };
    const auto whole = [&](std::size_t i) {
      const double x = arguments[i];
      if (!(x >= 1 && x <= 1e15) || x != static_cast<double>(static_cast<index_t>(x)))
        fail_at(places[i], "a whole number of at least 1");
      return static_cast<index_t>(x);
    };
    if (name == "owl") {
      try {
        return any_owl(arguments);
      } catch (const std::invalid_argument& error) {
        fail_at(start, std::string("weights (") + error.what() + ")");
      }
    }
    if (name == "ky_fan") {
      count(1);
      return ky_fan(whole(0));
    }
    if (name == "schatten") {
      count(1);
      if (!(arguments[0] >= 1)) fail_at(places[0], "an exponent of at least 1");
      return schatten(arguments[0]);
    }
    if (name == "rms_to_rms") {
      count(2);
      return rms_to_rms(whole(0), whole(1));
    }
    const std::pair<std::string_view, any_sum::leaf> plain[] = {
        {"frobenius", frobenius()}, {"spectral", spectral()}, {"nuclear", nuclear()},
        {"max_abs", max_abs()},     {"sum_abs", sum_abs()},   {"max_row", max_row()},
        {"sum_row", sum_row()},     {"max_col", max_col()},   {"sum_col", sum_col()}};
    for (const auto& [known, norm] : plain)
      if (name == known) {
        count(0);
        return norm;
      }
    fail_at(start, "the name of a norm");
  }

  static constexpr int most_depth = 100;

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace detail

/// The norm that a text describes, as it would be written in code.
/// @throws std::invalid_argument with the character where something else was expected.
[[nodiscard]] inline any_norm parse_norm(std::string_view text) {
  return detail::norm_parser(text).parse();
}

}  // namespace fanion
