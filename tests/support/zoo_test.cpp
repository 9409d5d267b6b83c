// The zoo and its reference, against formulas.
#include <doctest/doctest.h>

#include "support/zoo.hpp"

#include <set>

TEST_CASE("the reference finds the singular values that formulas know") {
  // In long double to its rounding: 2^-63 times the growth of sums and rotations.
  const double eps = static_cast<double>(std::numeric_limits<reference::real>::epsilon());
  int known = 0;
  for (const zoo::specimen& s : zoo::all()) {
    INFO(s.name);
    const reference::table x = s.make();
    const double tiny = 4 * eps * static_cast<double>(std::max(x.rows(), x.cols()));
    const auto sigma = reference::svd(x).sigma;
    REQUIRE(sigma.size() == static_cast<std::size_t>(std::min(x.rows(), x.cols())));
    CHECK(std::is_sorted(sigma.rbegin(), sigma.rend()));
    // For all of them, a second witness: Σσ² = ‖X‖².
    reference::real squares = 0;
    for (const auto v : sigma) squares += v * v;
    const reference::real energy = reference::dot(x, x);
    CHECK(static_cast<double>(std::fabs(squares - energy)) <= tiny * static_cast<double>(energy));
    if (!s.sigma) continue;
    for (std::size_t i = 0; i < sigma.size(); ++i) {
      CAPTURE(i);
      const auto want = s.sigma(static_cast<zoo::position>(i) + 1);
      if (want < 0) continue;
      ++known;
      CHECK(static_cast<double>(std::fabs(sigma[i] - want)) <=
            tiny * static_cast<double>(sigma.front()));
    }
  }
  CHECK(known > 1000);
}

TEST_CASE("the zoo has more than forty species, and no two of a name") {
  std::set<std::string> names;
  for (const zoo::specimen& s : zoo::all()) names.insert(s.name);
  CHECK(names.size() == zoo::all().size());
  CHECK(names.size() >= 70);
}

TEST_CASE("species are what their comments say") {
  const auto find = [](const std::string& name) {
    for (const zoo::specimen& s : zoo::all())
      if (s.name == name) return s.make();
    FAIL(name);
    return reference::table();
  };
  // Every row, column and diagonal of the magic square.
  const reference::table magic = find("magic square");
  const reference::real sum = 67 * (67 * 67 + 1) / 2;
  CHECK((magic.rowwise().sum().array() == sum).all());
  CHECK((magic.colwise().sum().array() == sum).all());
  CHECK(magic.trace() == sum);
  CHECK(magic.rowwise().reverse().trace() == sum);
  // Exact ranks stay exact in float.
  const auto sigma = reference::svd(reference::widen(zoo::rounded<float>(find("rank 3")))).sigma;
  CHECK(sigma[2] > 1);
  CHECK(sigma[3] < 1e-15L);
  // Every row of zeros and ones that a tie needs.
  const reference::table thin = find("0/1, a hundredth ones");
  CHECK((thin.rowwise().sum().array() == 0).any());
  CHECK((thin.colwise().sum().array() == 0).any());
}
