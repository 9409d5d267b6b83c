// The drawn boundaries against formulas in two numbers, and the picture as XML.
#include <examples/support.hpp>
#include <unit_balls/balls.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

using namespace unit_balls;

namespace {

/// The norms by hand, for a >= b >= 0.
const std::map<std::string, std::function<double(double, double)>> formulas = {
    {"spectral()", [](double a, double) { return a; }},
    {"nuclear()", [](double a, double b) { return a + b; }},
    {"frobenius()", [](double a, double b) { return std::hypot(a, b); }},
    {"0.5 * nuclear() + 0.5 * frobenius()",
     [](double a, double b) { return 0.5 * (a + b) + 0.5 * std::hypot(a, b); }},
    {"0.5 * ky_fan(1) + 0.5 * frobenius()",
     [](double a, double b) { return 0.5 * a + 0.5 * std::hypot(a, b); }},
    {"quadrature(√½ * frobenius(), √½ * nuclear())",
     [](double a, double b) { return std::sqrt((a * a + b * b + (a + b) * (a + b)) / 2); }},
    {"max_of(spectral(), 0.75 * nuclear())",
     [](double a, double b) { return std::max(a, 0.75 * (a + b)); }},
    {"owl({1, 0.5})", [](double a, double b) { return a + 0.5 * b; }},
    {"schatten(3)", [](double a, double b) { return std::cbrt(a * a * a + b * b * b); }}};

double by_hand(const std::string& name, point p) {
  const double a = std::abs(p.x), b = std::abs(p.y);
  return formulas.at(name)(std::max(a, b), std::min(a, b));
}

/// max <p, q> over the points of a boundary: the dual norm of p by its definition.
double support(const std::vector<point>& ball, point p) {
  double most = 0;
  for (const point& q : ball) most = std::max(most, p.x * q.x + p.y * q.y);
  return most;
}

}  // namespace

TEST_CASE("every boundary has norm 1, and the two of a pair are each other's dual") {
  const auto all = family();
  CHECK(all.size() == 9);
  std::size_t checked = 0;
  for (const pair_of_balls& pair : all) {
    CAPTURE(pair.norm);
    CAPTURE(pair.dual);
    CHECK(formulas.count(pair.norm) + formulas.count(pair.dual) >= 1);
    for (const auto& [name, ball] :
         {std::pair(pair.norm, pair.ball), std::pair(pair.dual, pair.dual_ball)}) {
      CHECK(ball.size() == 240);
      if (formulas.count(name) == 0) continue;
      for (const point& p : ball) CHECK(by_hand(name, p) == doctest::Approx(1).epsilon(1e-12));
      ++checked;
    }
    // A corner between two of the 240 directions is cut off, by less than their distance.
    const auto near_one = [](double x) { return x <= 1 + 1e-12 && x >= 1 - M_PI / 240; };
    for (const point& p : pair.dual_ball) CHECK(near_one(support(pair.ball, p)));
    for (const point& p : pair.ball) CHECK(near_one(support(pair.dual_ball, p)));
  }
  CHECK(checked == 12);
}

TEST_CASE("the four quadrants and the two axes are the same") {
  for (const pair_of_balls& pair : family())
    for (const auto& ball : {pair.ball, pair.dual_ball})
      for (std::size_t i = 0; i < 60; ++i) {
        const double length = std::hypot(ball[i].x, ball[i].y);
        for (const std::size_t other : {60 - i, 60 + i, 120 - i, 120 + i, 180 + i, (240 - i) % 240})
          CHECK(std::hypot(ball[other].x, ball[other].y) == doctest::Approx(length).epsilon(1e-12));
      }
}

TEST_CASE("the picture is well formed, and draws every point of every ball") {
  const auto all = family();
  const std::string svg = to_svg(all);
  CHECK(example_tests::fault_of_xml(svg) == "");
  std::size_t polygons = 0;
  for (std::size_t at = 0; (at = svg.find("<polygon", at)) != std::string::npos; ++at) ++polygons;
  CHECK(polygons == 2 * all.size());
  CHECK(static_cast<std::size_t>(std::count(svg.begin(), svg.end(), ',')) >= 2 * 240 * all.size());
  for (const pair_of_balls& pair : all) {
    CHECK(svg.find(">" + pair.norm + "<") != std::string::npos);
    CHECK(svg.find(">" + pair.dual + "<") != std::string::npos);
  }
  CHECK(svg.find("nan") == std::string::npos);
  CHECK(example_tests::fault_of_xml(to_svg({{"a < b & c", "n", "d", {{1, 0}}, {{0, 1}}}})) == "");
}

TEST_CASE("the check of XML sees what is wrong") {
  using example_tests::fault_of_xml;
  CHECK(fault_of_xml("<a b=\"1\"><c/></a>\n") == "");
  for (const char* bad : {"<a>", "<a></b>", "<a><b></a></b>", "<a/><b/>", "<a b=1/>", "<a b=\"1/>",
                          "<a>&b</a>", "<a", "", "text"})
    CHECK(fault_of_xml(bad) != "");
}
