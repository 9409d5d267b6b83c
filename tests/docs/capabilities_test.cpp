/// @file  The table of what each expression can do, in docs/algebra.md, is what the concepts say.
#include <doctest/doctest.h>

#include <fanion/fanion.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

using namespace fanion;

namespace {

const char* said(bool yes) { return yes ? "yes" : "no"; }

template <class N>
std::string row(const std::string& name, const N&) {
  return "| `" + name + "` | " + said(Evaluable<N>) + " | " + said(Subdifferentiable<N>) + " | " +
         said(Evaluable<dual_type<N>>) + " | " + said(LmoTractable<N>) + " |\n";
}

std::string table() {
  const auto ordered = ky_fan(3) + owl({2, 1}) + frobenius();
  const auto mixed = ky_fan(3) + sum_abs();
  const auto curved = schatten(3) + frobenius();
  std::string text =
      "| expression | value | subgradient | value of its dual | oracle of its ball |\n"
      "|---|---|---|---|---|\n";
  text +=
      row("frobenius()", frobenius()) + row("spectral()", spectral()) +
      row("nuclear()", nuclear()) + row("ky_fan(k)", ky_fan(3)) + row("owl(w)", owl({2, 1})) +
      row("schatten(p)", schatten(3)) + row("rms_to_rms(m, n)", rms_to_rms(2, 3)) +
      row("max_abs()", max_abs()) + row("sum_abs()", sum_abs()) + row("max_row()", max_row()) +
      row("sum_row()", sum_row()) + row("max_col()", max_col()) + row("sum_col()", sum_col()) +
      row("rescaled(l, ky_fan(k), r)", rescaled({1, 2}, ky_fan(3), {3})) +
      row("c * n", 2 * ky_fan(3)) + row("ky_fan(k) + owl(w) + frobenius()", ordered) +
      row("dual(ky_fan(k) + owl(w) + frobenius())", dual(ordered)) +
      row("ky_fan(k) + sum_abs()", mixed) + row("dual(ky_fan(k) + sum_abs())", dual(mixed)) +
      row("ky_fan(k) + sum_row()", ky_fan(3) + sum_row()) +
      row("dual(ky_fan(k) + sum_row())", dual(ky_fan(3) + sum_row())) +
      row("schatten(p) + frobenius()", curved) +
      row("dual(schatten(p) + frobenius())", dual(curved)) +
      row("max_of(ky_fan(k), owl(w) + frobenius())", max_of(ky_fan(3), owl({2, 1}) + frobenius())) +
      row("dual(max_of(ky_fan(k), owl(w) + frobenius()))",
          dual(max_of(ky_fan(3), owl({2, 1}) + frobenius()))) +
      row("quadrature(nuclear(), frobenius())", quadrature(nuclear(), frobenius())) +
      row("dual(quadrature(nuclear(), frobenius()))", dual(quadrature(nuclear(), frobenius()))) +
      row("max_of(schatten(p), spectral())", max_of(schatten(3), spectral())) +
      row("dual(max_of(schatten(p), spectral()))", dual(max_of(schatten(3), spectral()))) +
      row("dual(dual(ky_fan(k) + frobenius()) + sum_abs())",
          dual(dual(ky_fan(3) + frobenius()) + sum_abs())) +
      row("dual(dual(ky_fan(k) + sum_abs()) + frobenius())",
          dual(dual(ky_fan(3) + sum_abs()) + frobenius()));
  return text;
}

}  // namespace

TEST_CASE("docs/algebra.md has the table that the concepts make") {
  const auto page =
      std::filesystem::path(__FILE__).parent_path() / ".." / ".." / "docs" / "algebra.md";
  std::ifstream in(page);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const std::string begin = "<!-- capabilities: tests/docs/capabilities_test.cpp -->\n";
  const std::size_t at = text.find(begin), end = text.find("<!-- end of capabilities -->");
  REQUIRE(at != std::string::npos);
  REQUIRE(end != std::string::npos);
  CHECK(text.substr(at + begin.size(), end - at - begin.size()) == table());
}
