// U f(σ) Vᵀ by every route, against Jacobi's method in long double.
#include <doctest/doctest.h>

#include "support/matrices.hpp"
#include "support/reference.hpp"

#include <fanion/eigen.hpp>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

using namespace fanion;

namespace {

template <class T>
using matrix_of = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
template <class T>
using row_major = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// U f(σ) Vᵀ for functions f of one matrix's singular values, those below rounding taken for 0.
template <class T>
class mapped_by_hand {
 public:
  explicit mapped_by_hand(const matrix_of<T>& m)
      : svd_(reference::svd(reference::widen(m))),
        noise_(static_cast<reference::real>(std::numeric_limits<T>::epsilon()) *
               static_cast<reference::real>(std::max(m.rows(), m.cols())) * first()) {}

  [[nodiscard]] reference::real first() const { return svd_.sigma.front(); }
  template <class F>
  [[nodiscard]] reference::table operator()(const F& f) const {
    std::vector<reference::real> w;
    for (const reference::real s : svd_.sigma) w.push_back(s > noise_ ? f(s) : 0);
    return reference::compose(svd_, w);
  }
  /// A corner in the middle of the spectrum, and beyond either end.
  [[nodiscard]] std::vector<double> corners() const {
    const double most = static_cast<double>(first()),
                 middle = static_cast<double>(svd_.sigma[svd_.sigma.size() / 2]);
    return {0.4 * most + 0.6 * middle, 0.05 * most, 3 * most};
  }

 private:
  reference::decomposition<reference::real> svd_;
  reference::real noise_;
};

template <class T>
double distance(const matrix_of<T>& d, const reference::table& want) {
  return static_cast<double>((reference::widen(d) - want).norm());
}

using reference::real;
const auto clip_at = [](real c) { return [c](real s) { return std::min(s, c); }; };
const auto soft_by = [](real c) { return [c](real s) { return std::max<real>(0, s - c); }; };
const auto hard_from = [](real c) { return [c](real s) { return s > c ? s : 0; }; };

const std::vector<matrices::shape> shapes = {{1, 1}, {1, 7},   {7, 1},  {6, 9},
                                             {9, 6}, {40, 30}, {70, 90}};

}  // namespace

TEST_CASE_TEMPLATE("every map by the full decomposition, in either storage order", T, float,
                   double) {
  for (const auto& s : shapes)
    for (const auto& kind : matrices::kinds()) {
      INFO(kind.name);
      CAPTURE(s.rows);
      CAPTURE(s.cols);
      const matrix_of<T> m = kind.make(s.rows, s.cols).template cast<T>();
      if (!(m.norm() > T(0))) continue;
      const double tol = 100 * static_cast<double>(std::numeric_limits<T>::epsilon()) *
                         static_cast<double>(std::max(s.rows, s.cols)) *
                         static_cast<double>(m.norm());
      const mapped_by_hand<T> mapped(m);
      const auto check = [&](const auto& f, const auto& by_hand, double tolerance) {
        matrix_of<T> d;
        row_major<T> by_rows;
        const reference::table want = mapped(by_hand);
        CHECK(spectral_map(f, m, d).outcome == outcome::converged);
        CHECK(distance<T>(d, want) <= tolerance);
        (void)spectral_map(f, row_major<T>(m), by_rows);
        CHECK(distance<T>(matrix_of<T>(by_rows), want) <= tolerance);
      };
      for (const double c : mapped.corners()) {
        check(spectral_clip(c), clip_at(c), tol);
        check(soft_threshold(c), soft_by(c), tol);
      }
      check(
          spectral_power(1), [](real x) { return x; }, tol);
      check(
          spectral_power(2), [](real x) { return x * x; }, 4 * tol * static_cast<double>(m.norm()));
    }
}

TEST_CASE_TEMPLATE("powers, hard thresholds and Kaon where the spectrum has gaps", T, float,
                   double) {
  const auto geometric = [](Eigen::Index k) { return std::pow(0.7, static_cast<double>(k)); };
  for (const auto& s : std::vector<matrices::shape>{{6, 9}, {9, 6}, {7, 7}}) {
    const matrix_of<T> m = matrices::with_spectrum(s.rows, s.cols, geometric).template cast<T>();
    matrix_of<T> d;
    const mapped_by_hand<T> mapped(m);
    const double tol = 2000 * static_cast<double>(std::numeric_limits<T>::epsilon());
    for (const double e : {-0.5, 0.0, 0.5, 1.5}) {
      (void)spectral_map(spectral_power(e), m, d);
      CHECK(distance<T>(d, mapped([e](real x) { return std::pow(x, static_cast<real>(e)); })) <=
            tol);
    }
    const map_report report = spectral_map(hard_threshold(0.6), m, d);
    CHECK(report.depth == 2);  // 1 and 0.7
    CHECK(distance<T>(d, mapped(hard_from(0.6L))) <= tol);
    (void)spectral_map(kaon(), m, d);
    CHECK(distance<T>(d, mapped([](real x) {
                        for (int i = 0; i < 5; ++i) x = 4.1L * x * std::pow(1 - x * x, 2);
                        return x / 1.175L;
                      })) <= 1000 * tol);
  }
}

TEST_CASE_TEMPLATE("thresholds by leading parts: as deep as they have to be", T, float, double) {
  for (const auto& s : std::vector<matrices::shape>{{90, 140}, {140, 90}})
    for (const index_t above : {1, 3, 11}) {
      // `above` values over 1, the others below a half.
      const matrix_of<T> m =
          matrices::with_spectrum(s.rows, s.cols, [above](Eigen::Index k) {
            return k < above ? 3 - 1.5 * static_cast<double>(k) / static_cast<double>(above)
                             : 0.5 / static_cast<double>(k - above + 1);
          }).template cast<T>();
      matrix_of<T> d;
      const mapped_by_hand<T> mapped(m);
      const double fine = sizeof(T) == 4 ? 1e-4 : 1e-8;
      const auto check = [&](const auto& f, const auto& by_hand, const auto& method, double gap) {
        auto plan = plan_spectral_map(f, m, method);
        for (int again = 0; again < 2; ++again) {
          const map_report report = plan.execute(m, d);
          CHECK(report.outcome == outcome::converged);
          CHECK(report.depth == above);
          // Angles between vectors are square roots of what they cost in value.
          CHECK(distance<T>(d, mapped(by_hand)) <= std::sqrt(gap));
        }
      };
      check(soft_threshold(1), soft_by(1), lanczos{.gap = fine}, fine);
      check(hard_threshold(1), hard_from(1), lanczos{.gap = fine}, fine);
      check(soft_threshold(1), soft_by(1), subspace{.gap = fine}, fine);
      check(hard_threshold(1), hard_from(1), block_krylov{.gap = 1e-3}, 1e-3);
    }
}

TEST_CASE_TEMPLATE("corners by polar factors", T, float, double) {
  for (const auto& s :
       std::vector<matrices::shape>{{1, 1}, {5, 12}, {12, 5}, {80, 80}, {70, 110}}) {
    const matrix_of<T> m = matrices::gaussian(s.rows, s.cols, 3).template cast<T>();
    const double r = static_cast<double>(s.shorter());
    matrix_of<T> d;
    row_major<T> by_rows;
    const mapped_by_hand<T> mapped(m);
    for (const double c : mapped.corners()) {
      CAPTURE(c);
      const auto check = [&](const auto& f, const auto& by_hand, const auto& method, double gap) {
        const reference::table want = mapped(by_hand);
        // The Frobenius norm of an error is at most its nuclear norm, which has this bound.
        const double allowed = gap * (static_cast<double>(m.norm()) * std::sqrt(r) + c * r);
        CHECK(spectral_map(f, m, d, method).outcome == outcome::converged);
        CHECK(distance<T>(d, want) <= allowed);
        (void)spectral_map(f, row_major<T>(m), by_rows, method);
        CHECK(distance<T>(matrix_of<T>(by_rows), want) <= allowed);
      };
      const double fine = sizeof(T) == 4 ? 1e-5 : 1e-9;
      check(spectral_clip(c), clip_at(c), qdwh{.gap = fine}, 4 * fine);
      check(soft_threshold(c), soft_by(c), qdwh{.gap = fine}, 4 * fine);
      check(spectral_clip(c), clip_at(c), polar_express{.gap = 1e-3}, 1e-3);
      check(soft_threshold(c), soft_by(c), polar_express{.gap = 1e-3}, 1e-3);
    }
  }
}

TEST_CASE_TEMPLATE("what has no singular values to speak of", T, float, double) {
  matrix_of<T> m = matrix_of<T>::Zero(6, 9), d = matrix_of<T>::Ones(6, 9);
  const auto check = [&](const auto& method) {
    auto plan = plan_spectral_map(soft_threshold(1), m, method);
    m.setZero();
    d.setOnes();
    CHECK(plan.execute(m, d).outcome == outcome::zero_input);
    CHECK(d == matrix_of<T>::Zero(6, 9));
    m(3, 4) = std::numeric_limits<T>::quiet_NaN();
    d.setOnes();
    CHECK(plan.execute(m, d).outcome == outcome::non_finite);
    CHECK(d == matrix_of<T>::Zero(6, 9));
  };
  check(exact{});
  check(lanczos{});
  check(qdwh{});
  // All σ at the corner: H - cI is zero or rounding.
  m = T(2) * matrix_of<T>::Identity(6, 9);
  (void)spectral_map(spectral_clip(2), m, d, qdwh{});
  CHECK((d - m).norm() <= T(1e-4) * m.norm());
  // Far from 1.
  for (const double far : {1e-30, 1e30}) {
    m = matrices::gaussian(6, 9, 1).template cast<T>() * static_cast<T>(far);
    const mapped_by_hand<T> mapped(m);
    const double c = 0.5 * mapped.corners()[0];
    matrix_of<T> polar;
    (void)spectral_map(spectral_clip(c), m, d);
    (void)spectral_map(spectral_clip(c), m, polar, qdwh{});
    CHECK(distance<T>(d, mapped(clip_at(c))) <= 1e-5 * c);
    CHECK(distance<T>(polar, mapped(clip_at(c))) <= 1e-3 * c);
  }
}

TEST_CASE("bad input") {
  CHECK_THROWS_AS((void)spectral_power(-1.5), std::invalid_argument);
  CHECK_THROWS_AS((void)spectral_clip(0), std::invalid_argument);
  CHECK_THROWS_AS((void)soft_threshold(-1), std::invalid_argument);
  CHECK_THROWS_AS((void)hard_threshold(NAN), std::invalid_argument);
  Eigen::MatrixXd m = Eigen::MatrixXd::Ones(3, 4), other = Eigen::MatrixXd::Ones(4, 4), d;
  auto plan = plan_spectral_map(spectral_clip(1), m);
  CHECK_THROWS_AS((void)plan.execute(other, d), std::invalid_argument);
  CHECK_THROWS_AS((void)plan.execute(m, m), std::invalid_argument);
  CHECK_THROWS_AS((void)plan.execute(m, other.leftCols(2)), std::invalid_argument);
  CHECK(other == Eigen::MatrixXd::Ones(4, 4));
  CHECK_THROWS_AS((void)plan_spectral_map(spectral_clip(1), Eigen::MatrixXd(0, 4)),
                  std::invalid_argument);
  static_assert(!MapMethod<newton_schulz, spectral_power> && !MapMethod<lanczos, spectral_clip> &&
                !MapMethod<automatic, kaon>);
}
