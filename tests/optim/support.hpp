/// @file  What the tests of optimizer steps share: both storage orders, formulas by hand, and
/// checkpoints that resume.
#pragma once

#include <support/matrices.hpp>
#include <support/reference.hpp>

#include <fanion/adapters/eigen.hpp>
#include <fanion/optim/optimizer.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace steps {

using reference::real;
using reference::table;

using columns = Eigen::MatrixXd;
using rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// One step from Eigen's matrices.
template <class S, class W, class G>
fanion::step_report take(S& step, W& weight, const G& gradient, double rate) {
  return step.step(fanion::matrix_adapter<W>::view(weight),
                   fanion::matrix_adapter<G>::view(gradient), rate);
}

/// Σ_{i<=k} uᵢvᵢᵀ.
inline table leading(const table& m, std::size_t k) {
  const auto d = reference::svd(m);
  return reference::compose(d, std::vector<real>(std::min(k, d.sigma.size()), 1));
}
inline real length_of(const table& m) { return std::sqrt(reference::dot(m, m)); }
inline table signs(const table& m) {
  return m.unaryExpr([](real x) { return real(x > 0) - real(x < 0); });
}

/// The largest difference of entries, relative to the largest entry.
inline double error(const table& got, const table& want) {
  return static_cast<double>((got - want).cwiseAbs().maxCoeff() / want.cwiseAbs().maxCoeff());
}

inline std::string saved(const fanion::optimizer<double>& opt) {
  std::ostringstream out;
  opt.save(out);
  return out.str();
}
inline void restore(fanion::optimizer<double>& opt, const std::string& state) {
  std::istringstream in(state);
  opt.load(in);
}

/// A run that is saved before step `at` and goes on in another optimizer gives the bits of one that
/// is not; a state that is cut short, every `stride` bytes, is refused and changes nothing.
/// `gradient(t)` is that of step t; `add(opt, w, g)` enters the parameter.
template <class Rule, class Gradient, class Add>
void check_resume(const Rule& rule, std::uint64_t count, std::uint64_t at, std::size_t stride,
                  Gradient gradient, Add add) {
  columns x = gradient(0), g = x, y = x, h = x;
  fanion::optimizer<double> straight(rule, fanion::adamw{}), first(rule, fanion::adamw{}),
      second(rule, fanion::adamw{});
  add(straight, x, g);
  add(first, y, h);
  add(second, y, h);
  for (std::uint64_t t = 0; t < count; ++t) {
    const columns now = gradient(t);
    g = now;  // copied, not moved: the optimizers keep the addresses
    h = now;
    straight.step(0.1);
    if (t == at) restore(second, saved(first));
    (t < at ? first : second).step(0.1);
  }
  CHECK(x == y);
  const std::string good = saved(second);
  for (std::size_t length = 0; length < good.size(); length += stride) {
    CHECK_THROWS_AS(restore(second, good.substr(0, length)), std::invalid_argument);
    CHECK(saved(second) == good);
  }
}

}  // namespace steps
