/// @file  Line charts as inline SVG: no script, no external resource, colours from the page's CSS.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

namespace trainers {

struct chart_point {
  double x, y;
  double low, high;  ///< the band around y; equal to y for none
};

struct chart_series {
  std::string name;
  int colour;  ///< index into the page's palette
  std::vector<chart_point> points;
};

struct chart {
  std::string title;
  std::string x_label;
  std::string y_label;
  bool log_y;
  std::vector<chart_series> series;
  bool log_x = false;
};

[[nodiscard]] inline std::string html_escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

namespace detail {

inline std::string number(double x, const char* format = "%.4g") {
  char text[64];
  std::snprintf(text, sizeof text, format, x);
  return text;
}

/// Round numbers that divide [low, high] into about `wanted` parts.
inline std::vector<double> ticks(double low, double high, int wanted) {
  const double raw = (high - low) / wanted;
  const double power = std::pow(10, std::floor(std::log10(raw)));
  const double lead = raw / power;
  const double step = power * (lead < 1.5 ? 1 : lead < 3.5 ? 2 : lead < 7.5 ? 5 : 10);
  std::vector<double> at;
  for (double t = std::ceil(low / step); t * step <= high + step * 1e-9; ++t)
    at.push_back(t * step);
  return at;
}

/// 1, 2 and 5 times powers of ten within [low, high].
inline std::vector<double> log_ticks(double low, double high) {
  std::vector<double> at;
  for (double p = std::pow(10, std::floor(std::log10(low))); p <= high; p *= 10)
    for (const double m : {1.0, 1.5, 2.0, 3.0, 5.0, 7.0})
      if (m * p >= low && m * p <= high) at.push_back(m * p);
  return at;
}

}  // namespace detail

/// The chart as an <svg> element. A name stands at the end of its line, in its colour; hovering
/// one series fades the others; each point has its numbers as a title. Points that are not finite
/// are left out (on a logarithmic axis also those not above 0); a chart without any says so.
[[nodiscard]] inline std::string to_svg(const chart& c) {
  using detail::number;
  constexpr double width = 860, height = 430, left = 64, right = 110, top = 14, bottom = 46;
  const auto shown = [&](const chart_point& p) {
    return std::isfinite(p.x) && std::isfinite(p.y) && (!c.log_y || p.y > 0) &&
           (!c.log_x || p.x > 0);
  };
  double x0 = INFINITY, x1 = -INFINITY, y0 = INFINITY, y1 = -INFINITY;
  for (const chart_series& s : c.series)
    for (const chart_point& p : s.points)
      if (shown(p)) {
        x0 = std::fmin(x0, p.x), x1 = std::fmax(x1, p.x);
        y0 = std::fmin(y0, p.y), y1 = std::fmax(y1, p.y);
      }
  if (!(x0 <= x1)) return "<p>No finite point to draw.</p>\n";
  if (x0 == x1) {
    x0 = c.log_x ? 0.5 * x0 : x0 - 0.5;
    x1 = c.log_x ? 2 * x1 : x1 + 0.5;
  }
  if (y0 == y1) y0 *= 0.9, y1 = y1 == 0 ? 1 : y1 * 1.1;
  const auto scaled = [&](double y) { return c.log_y ? std::log(y) : y; };
  const double margin = 0.03 * (scaled(y1) - scaled(y0));
  const double s0 = scaled(y0) - margin, s1 = scaled(y1) + margin;
  const auto across = [&](double x) { return c.log_x ? std::log(x) : x; };
  const auto px = [&](double x) {
    const double in = (across(x) - across(x0)) / (across(x1) - across(x0));
    return left + in * (width - left - right);
  };
  const auto py = [&](double y) {
    const double in = std::clamp((scaled(y) - s0) / (s1 - s0), 0.0, 1.0);
    return top + (1 - in) * (height - top - bottom);
  };
  const auto xy = [&](double x, double y) {
    return number(px(x), "%.1f") + "," + number(py(y), "%.1f") + " ";
  };

  std::string out = "<svg class=\"chart\" viewBox=\"0 0 860 430\" role=\"img\" aria-label=\"" +
                    html_escaped(c.title) + "\">\n";
  for (const double t : c.log_y ? detail::log_ticks(y0, y1) : detail::ticks(y0, y1, 6)) {
    const std::string y = number(py(t), "%.1f");
    out += "<path class=\"grid\" d=\"M" + number(left) + " " + y + "H" + number(width - right) +
           "\"/><text class=\"tick\" x=\"" + number(left - 8) + "\" y=\"" + y +
           "\" dy=\".32em\" text-anchor=\"end\">" + number(t) + "</text>\n";
  }
  for (const double t : c.log_x ? detail::log_ticks(x0, x1) : detail::ticks(x0, x1, 8))
    out += "<text class=\"tick\" x=\"" + number(px(t), "%.1f") + "\" y=\"" +
           number(height - bottom + 18) + "\" text-anchor=\"middle\">" + number(t) + "</text>\n";
  out += "<path class=\"axis\" d=\"M" + number(left) + " " + number(height - bottom) + "H" +
         number(width - right) + "\"/><text class=\"label\" x=\"" +
         number((left + width - right) / 2) + "\" y=\"" + number(height - 8) +
         "\" text-anchor=\"middle\">" + html_escaped(c.x_label) +
         "</text><text class=\"label\" transform=\"translate(14," +
         number((top + height - bottom) / 2) + ") rotate(-90)\" text-anchor=\"middle\">" +
         html_escaped(c.y_label) + "</text>\n";

  // Names at the line ends, pushed apart from the top down and then back up into the frame.
  struct name_tag {
    std::size_t series;
    double at;
  };
  std::vector<name_tag> tags;
  for (std::size_t i = 0; i < c.series.size(); ++i) {
    const auto& points = c.series[i].points;
    const auto last = std::find_if(points.rbegin(), points.rend(), shown);
    if (last != points.rend()) tags.push_back({i, py(last->y)});
  }
  std::sort(tags.begin(), tags.end(), [](auto a, auto b) { return a.at < b.at; });
  constexpr double line = 15;
  for (std::size_t i = 1; i < tags.size(); ++i)
    tags[i].at = std::fmax(tags[i].at, tags[i - 1].at + line);
  double floor_at = height - bottom + line / 2;
  for (std::size_t i = tags.size(); i-- > 0; floor_at = tags[i].at - line)
    tags[i].at = std::fmin(tags[i].at, floor_at);

  for (const name_tag& tag : tags) {
    const chart_series& s = c.series[tag.series];
    const std::string name = html_escaped(s.name);
    std::string upper, lower, path, dots;
    for (const chart_point& p : s.points) {
      if (!shown(p)) continue;
      path += xy(p.x, p.y);
      upper += xy(p.x, p.high);
      lower = xy(p.x, c.log_y ? std::fmax(p.low, y0) : p.low) + lower;
      dots += "<circle cx=\"" + number(px(p.x), "%.1f") + "\" cy=\"" + number(py(p.y), "%.1f") +
              "\" r=\"5\"><title>" + name + "\n" + html_escaped(c.x_label) + " " + number(p.x) +
              ": " + number(p.y) +
              (p.high > p.y ? " ± " + number(p.high - p.y, "%.2g") : std::string()) +
              "</title></circle>\n";
    }
    out += "<g class=\"series\" style=\"--c:var(--c" + std::to_string(s.colour) +
           ")\"><polygon class=\"band\" points=\"" + upper + lower +
           "\"/><polyline class=\"line\" points=\"" + path + "\"/>\n" + dots +
           "<text class=\"name\" x=\"" + number(width - right + 8) + "\" y=\"" +
           number(tag.at, "%.1f") + "\" dy=\".32em\">" + name + "</text></g>\n";
  }
  return out + "</svg>\n";
}

}  // namespace trainers
