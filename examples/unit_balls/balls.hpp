/// @file  Unit balls of norms in the plane of two singular values, and their picture.
///
/// A diagonal 2 x 2 matrix stands for its point (σ₁, σ₂), signs and order free: what the library
/// says about the matrix is all that is known about the norm here.
#pragma once

#include <fanion/eigen.hpp>

#include <array>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

namespace unit_balls {

struct point {
  double x, y;
};

[[nodiscard]] inline Eigen::Matrix2d diagonal(point p) {
  Eigen::Matrix2d m = Eigen::Matrix2d::Zero();
  m.diagonal() << p.x, p.y;
  return m;
}

/// The boundary of n's unit ball: in each of `count` directions the direction over its norm. With a
/// multiple of 8 the corners on the axes and the diagonals are among them.
template <fanion::Norm N>
[[nodiscard]] std::vector<point> boundary(const N& n, int count = 240) {
  std::vector<point> all;
  for (int i = 0; i < count; ++i) {
    const double angle = 2 * M_PI * i / count;
    const point direction{std::cos(angle), std::sin(angle)};
    const double size = fanion::value(n, diagonal(direction));
    all.push_back({direction.x / size, direction.y / size});
  }
  return all;
}

/// A norm with its ball, and the ball of its dual.
struct pair_of_balls {
  std::string title;
  std::string norm, dual;
  std::vector<point> ball, dual_ball;
};

/// The library's own text for the norm, with the root of one half as a sign.
template <fanion::Norm N>
[[nodiscard]] std::string name_of(const N& n) {
  const std::string digits = "0.7071067811865476";
  std::string text = fanion::describe(n);
  for (std::size_t at; (at = text.find(digits)) != std::string::npos;)
    text.replace(at, digits.size(), "√½");
  return text;
}

template <fanion::Norm N>
[[nodiscard]] pair_of_balls balls_of(const std::string& title, const N& n) {
  const auto d = fanion::dual(n);
  return {title, name_of(n), name_of(d), boundary(n), boundary(d)};
}

/// The family. ky_fan(2) of two singular values is the nuclear norm, and has no picture of its own.
[[nodiscard]] inline std::vector<pair_of_balls> family() {
  using namespace fanion;
  const double root = std::sqrt(0.5);
  return {balls_of("Muon", spectral()),
          balls_of("Neon", nuclear()),
          balls_of("normalised SGD", frobenius()),
          balls_of("F-Muon", dual(0.5 * nuclear() + 0.5 * frobenius())),
          balls_of("F-Neon", dual(0.5 * ky_fan(1) + 0.5 * frobenius())),
          balls_of("F*-Neon", quadrature(root * frobenius(), root * nuclear())),
          balls_of("NuMuon", max_of(spectral(), 0.75 * nuclear())),
          balls_of("ordered weights", owl({1, 0.5})),
          balls_of("Schatten 3", schatten(3))};
}

[[nodiscard]] inline std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else
      out += c;
  }
  return out;
}

template <class... Args>
[[nodiscard]] std::string printed(const char* format, Args... args) {
  std::array<char, 512> text{};
  std::snprintf(text.data(), text.size(), format, args...);
  return text.data();
}

/// One ball with its axes, its centre at (cx, cy); `unit` pixels are 1.
[[nodiscard]] inline std::string drawn(const std::vector<point>& ball, double cx, double cy,
                                       double unit, const char* colour) {
  const double reach = 1.55 * unit;
  std::string out = printed(
      "<path d=\"M%.1f %.1fH%.1fM%.1f %.1fV%.1f\" stroke=\"#9aa3ad\" fill=\"none\"/>\n"
      "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" stroke=\"#c9ced4\" stroke-dasharray=\"3 3\" "
      "fill=\"none\"/>\n",
      cx - reach, cy, cx + reach, cx, cy + reach, cy - reach, cx, cy, unit);
  for (const int s : {-1, 1})
    out += printed("<path d=\"M%.1f %.1fv6M%.1f %.1fh6\" stroke=\"#626a73\" fill=\"none\"/>\n",
                   cx + s * unit, cy - 3, cx - 3, cy + s * unit);
  out += printed(
      "<polygon fill=\"%s\" fill-opacity=\"0.18\" stroke=\"%s\" stroke-width=\"2\" "
      "stroke-linejoin=\"round\" points=\"",
      colour, colour);
  for (const point& p : ball) out += printed("%.2f,%.2f ", cx + unit * p.x, cy - unit * p.y);
  return out + printed(
                   "\"/>\n<text x=\"%.1f\" y=\"%.1f\">σ₁</text>"
                   "<text x=\"%.1f\" y=\"%.1f\">σ₂</text>"
                   "<text x=\"%.1f\" y=\"%.1f\">1</text>\n",
                   cx + reach - 6, cy - 6, cx + 12, cy - reach + 8, cx + unit + 6, cy + 14);
}

/// All of it as one SVG: a cell a norm, its ball on the left and its dual's on the right.
[[nodiscard]] inline std::string to_svg(const std::vector<pair_of_balls>& all) {
  constexpr double unit = 56, cell = 420, tall = 262, top = 44;
  constexpr int across = 3;
  const int rows = (static_cast<int>(all.size()) + across - 1) / across;
  const double width = across * cell, height = top + rows * tall;
  std::string out = printed(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" "
      "font-family=\"sans-serif\" font-size=\"11\" text-anchor=\"middle\" fill=\"#626a73\">\n"
      "<title>Unit balls of norms and of their duals in two singular values</title>\n"
      "<rect width=\"%.0f\" height=\"%.0f\" fill=\"#ffffff\"/>\n"
      "<text x=\"%.1f\" y=\"26\" font-size=\"15\" fill=\"#1c2024\">Unit balls (blue) and those of "
      "the dual norms (orange), in two singular values; dashed: the circle of radius 1</text>\n",
      width, height, width, height, width / 2);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const double x = cell * static_cast<double>(i % across);
    const double y = top + tall * static_cast<double>(i / across);
    const auto half = [&](double at, const std::string& name, const std::vector<point>& ball,
                          const char* colour) {
      out += drawn(ball, x + at, y + 118, unit, colour);
      out += printed("<text x=\"%.1f\" y=\"%.1f\" font-size=\"9\" fill=\"%s\">", x + at, y + 226,
                     colour) +
             escaped(name) + "</text>\n";
    };
    out += printed("<g>\n<text x=\"%.1f\" y=\"%.1f\" font-size=\"13\" fill=\"#1c2024\">",
                   x + cell / 2, y + 18) +
           escaped(all[i].title) + "</text>\n";
    half(0.26 * cell, all[i].norm, all[i].ball, "#1f6feb");
    half(0.74 * cell, all[i].dual, all[i].dual_ball, "#c25a00");
    out += "</g>\n";
  }
  return out + "</svg>\n";
}

}  // namespace unit_balls
