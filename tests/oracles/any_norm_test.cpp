// Norms from text: the same answers, bit for bit, as the expressions that the compiler knows, and
// errors that point at the character.
#include <doctest/doctest.h>

#include "support/matrices.hpp"

#include <fanion/eigen.hpp>
#include <fanion/norms/parse.hpp>
#include <fanion/oracles/any_plan.hpp>

#include <sstream>
#include <string>

using namespace fanion;

namespace {

template <class T>
using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;

template <class T, class N>
void same(const std::string& text, const N& n) {
  CAPTURE(text);
  const any_norm parsed = parse_norm(text);
  CHECK(parse_norm(describe(parsed)) == parsed);
  for (const auto& s : std::vector<matrices::shape>{{5, 8}, {8, 5}, {70, 66}}) {
    const matrix<T> m = matrices::gaussian(s.rows, s.cols).cast<T>();
    const auto look = [&]<class E>(const E& expression, const any_norm& other) {
      if constexpr (Evaluable<E>) CHECK(value(other, m) == value(expression, m));
      if constexpr (LmoTractable<E>) {
        auto known = plan_lmo(expression, m);
        auto found = plan_lmo(other, m);
        matrix<T> d, e;
        for (int call = 0; call < 2; ++call) {
          const lmo_report a = known.execute(m, d), b = found.execute(m, e);
          CHECK(d == e);
          CHECK(a.objective == b.objective);
          CHECK(a.bound == b.bound);
          CHECK(a.passes == b.passes);
        }
      }
    };
    CHECK(parse_norm(describe(dual(dual(parsed)))) == parsed);
    look(n, parsed);
    look(dual(n), dual(parsed));
  }
}

void refused(const std::string& text, int character) {
  CAPTURE(text);
  try {
    (void)parse_norm(text);
    FAIL("accepted");
  } catch (const std::invalid_argument& error) {
    const std::string message = error.what();
    CAPTURE(message);
    CHECK(message.find("at character " + std::to_string(character) + " of") != std::string::npos);
  }
}

}  // namespace

TEST_CASE_TEMPLATE("the same answers as the expression", T, float, double) {
  same<T>("frobenius()", frobenius());
  same<T>("spectral()", spectral());
  same<T>("nuclear()", nuclear());
  same<T>("ky_fan(3)", ky_fan(3));
  same<T>("dual(ky_fan(3))", dual(ky_fan(3)));
  same<T>("max_abs()", max_abs());
  same<T>("dual( max_abs( ) )", sum_abs());
  same<T>("max_row()", max_row());
  same<T>("dual(max_col())", sum_col());
  same<T>("dual(sum_row() + 2*spectral())", dual(sum_row() + 2 * spectral()));
  same<T>("schatten(3.5)", schatten(3.5));
  same<T>("dual(schatten(3.5))", dual(schatten(3.5)));
  same<T>("owl(2, 1, 0.5)", owl({2, 1, 0.5}));
  same<T>("0.5*ky_fan(3) + 0.5 * frobenius()", 0.5 * ky_fan(3) + 0.5 * frobenius());
  same<T>("dual(0.5*ky_fan(3) + 0.5*frobenius())", dual(0.5 * ky_fan(3) + 0.5 * frobenius()));
  same<T>("dual(0.5 * ky_fan(3) + 0.125*sum_abs())", dual(0.5 * ky_fan(3) + 0.125 * sum_abs()));
  same<T>("dual(dual(nuclear() + frobenius()))", nuclear() + frobenius());
  same<T>("0.25 * spectral()", 0.25 * spectral());
}

TEST_CASE("shapes, multiples, names") {
  const Eigen::MatrixXd m = matrices::gaussian(5, 8);
  CHECK(value(parse_norm("rms_to_rms(5, 8)"), m) == value(rms_to_rms(5, 8), m));
  CHECK_THROWS_AS((void)value(parse_norm("rms_to_rms(8, 5)"), m), std::invalid_argument);
  CHECK_THROWS_AS((void)plan_lmo(parse_norm("dual(rms_to_rms(8, 5))"), m), std::invalid_argument);
  CHECK(value(parse_norm("2*(spectral() + 0.5*nuclear())"), m) ==
        doctest::Approx(2 * value(spectral() + 0.5 * nuclear(), m)));
  CHECK(value(parse_norm("2*dual(spectral() + 0.5*nuclear())"), m) ==
        doctest::Approx(2 * value(dual(spectral() + 0.5 * nuclear()), m)));
  CHECK(describe(parse_norm("dual(2*nuclear()+owl(1,0.5))")) ==
        "dual(2 * nuclear() + owl(1, 0.5))");
  Eigen::MatrixXd d;
  CHECK(lmo(parse_norm("nuclear()"), m, d).objective == lmo(nuclear(), m, d).objective);
}

TEST_CASE("what has no formula is refused when it is asked for") {
  const Eigen::MatrixXd m = matrices::gaussian(5, 8);
  Eigen::MatrixXd d;
  const any_norm sum = parse_norm("nuclear() + sum_abs()"), polar = dual(sum);
  CHECK(value(sum, m) == value(nuclear() + sum_abs(), m));
  CHECK_THROWS_AS((void)plan_lmo(sum, m), std::invalid_argument);
  CHECK_THROWS_AS((void)value(polar, m), std::invalid_argument);
  CHECK(lmo(polar, m, d).outcome == outcome::converged);
  CHECK_THROWS_AS((void)plan_lmo(parse_norm("schatten(3) + frobenius()"), m),
                  std::invalid_argument);
}

TEST_CASE("plans of parsed norms: update, save, load, reset") {
  const Eigen::MatrixXd m = matrices::gaussian(70, 90);
  auto plan = plan_lmo(parse_norm("dual(ky_fan(2))"), m, subspace{.gap = 1e-3});
  auto other = plan_lmo(parse_norm("dual(ky_fan(2))"), m, subspace{.gap = 1e-3});
  Eigen::MatrixXd d, x = m, y = m;
  (void)plan.execute(m, d);
  std::stringstream memory;
  plan.save(memory);
  other.load(memory);
  (void)plan.update(m, x, 0.5, 0.25);
  (void)other.update(m, y, 0.5, 0.25);
  CHECK(x == y);
  CHECK(plan.report().objective == other.report().objective);
  plan.reset();
  CHECK(plan.execute(m, d).passes > other.execute(m, d).passes);
}

TEST_CASE("errors point at the character") {
  refused("", 1);
  refused("nuclear", 8);
  refused("nuclear(", 9);
  refused("nuclear() + ", 13);
  refused("nuclear() nuclear()", 11);
  refused("2 nuclear()", 3);
  refused("-1 * nuclear()", 1);
  refused("nucular()", 1);
  refused("0.5*ky_fan(0)", 12);
  refused("ky_fan(2.5)", 8);
  refused("ky_fan(1, 2)", 1);
  refused("spectral(1)", 1);
  refused("schatten(0.5)", 10);
  refused("owl(1, 2)", 1);
  refused("owl()", 1);
  refused("dual(nuclear()", 15);
  refused("dual(0*nuclear())", 1);
  refused("0 * nuclear()", 1);
  refused("spectral() + dual(nuclear() + frobenius())", 14);
  refused("dual(nuclear() + frobenius()) + spectral()", 1);
  refused("1e999 * nuclear()", 1);
  refused("1e200 * 1e200 * nuclear()", 1);
  refused("1e-320 * dual(nuclear() + frobenius())", 1);
  refused(std::string(1000, '(') + "nuclear()" + std::string(1000, ')'), 101);
  std::string products;
  for (int i = 0; i < 1000; ++i) products += "1*";
  refused(products + "nuclear()", 201);
  refused("nuclear() + nan * spectral()", 17);
}
