#include <common/report.hpp>
#include <trainers/support.hpp>

#include <doctest/doctest.h>

using namespace trainers;
using namespace trainer_tests;

namespace {

const chart two_lines = {"a <b> & \"c\"",
                         "step",
                         "loss",
                         true,
                         {{"muon", 4, {{1, 2, 1.5, 2.5}, {2, 0.5, 0.4, 0.6}, {3, 0, 0, 0}}},
                          {"x<y", 1, {{1, 3, 3, 3}, {2, NAN, NAN, NAN}}}}};

/// The names of the elements left open at the end, or the first closing tag that does not fit.
std::string unbalanced(const std::string& html) {
  std::vector<std::string> open;
  for (std::size_t at = 0; (at = html.find('<', at)) != std::string::npos; ++at) {
    const std::size_t end = html.find('>', at);
    if (end == std::string::npos) return "unclosed <";
    const bool closing = html[at + 1] == '/';
    const std::size_t from = at + (closing ? 2 : 1);
    const std::string name = html.substr(from, html.find_first_of(" >/\n", from) - from);
    if (name == "!doctype" || name == "meta" || html[end - 1] == '/') continue;
    if (!closing) {
      open.push_back(name);
    } else {
      if (open.empty() || open.back() != name) return "</" + name + ">";
      open.pop_back();
    }
  }
  std::string left;
  for (const std::string& name : open) left += name + " ";
  return left;
}

std::string page() {
  const text_table table{{"method", "loss"}, {{"muon", "0.2 ± 0.1"}, {"x<y", "-"}}};
  return to_html(
      report_page{"A & B",
                  "lead",
                  {{"Table", "text", to_html(table, {4, 1})}, {"Chart", "", to_svg(two_lines)}}});
}

}  // namespace

TEST_CASE("the page needs nothing but itself") {
  const std::string html = page();
  for (const char* outside : {"http:", "https:", "//", "src=", "href=", "url(", "@import", "<link",
                              "<script", "<img", "<iframe"}) {
    CAPTURE(outside);
    CHECK_FALSE(contains(html, outside));
  }
  CHECK(contains(html, "prefers-color-scheme:dark"));
  CHECK(contains(html, "<meta charset=\"utf-8\">"));
}

TEST_CASE("the page is well formed, and names cannot break it") {
  const std::string html = page();
  CHECK(unbalanced(html) == "");
  CHECK(contains(html, "<h1>A &amp; B</h1>"));
  CHECK(contains(html, "x&lt;y"));
  CHECK(contains(html, "aria-label=\"a &lt;b&gt; &amp; &quot;c&quot;\""));
}

TEST_CASE("a chart draws each finite point once and titles it") {
  const std::string svg = to_svg(two_lines);
  std::size_t circles = 0;
  for (std::size_t at = 0; (at = svg.find("<circle", at)) != std::string::npos; ++at) ++circles;
  CHECK(circles == 3);  // 0 has no place on a logarithmic axis, NaN on none
  CHECK(contains(svg, "<title>muon\nstep 2: 0.5 ± 0.1</title>"));
  CHECK(contains(svg, "<title>x&lt;y\nstep 1: 3</title>"));  // one seed has no spread
  CHECK_FALSE(contains(svg, "nan"));
  CHECK_FALSE(contains(svg, "inf"));
}

TEST_CASE("a chart without a finite point says so, and a single point does not divide by zero") {
  CHECK(contains(to_svg({"t", "x", "y", false, {{"a", 0, {{1, NAN, NAN, NAN}}}}}), "No finite"));
  CHECK(contains(to_svg({"t", "x", "y", false, {}}), "No finite"));
  for (const double y : {0.0, 2.0, -2.0}) {
    const std::string svg = to_svg({"t", "x", "y", false, {{"a", 0, {{1, y, y, y}}}}});
    CHECK(contains(svg, "<circle"));
    CHECK_FALSE(contains(svg, "nan"));
  }
}

TEST_CASE("higher values stand higher and later ones further right") {
  const std::string svg = to_svg({"t", "x", "y", false, {{"a", 0, {{0, 0, 0, 0}, {1, 1, 1, 1}}}}});
  const std::size_t at = svg.find("class=\"line\" points=\"") + 21;
  double x0 = 0, y0 = 0, x1 = 0, y1 = 0;
  REQUIRE(std::sscanf(svg.c_str() + at, "%lf,%lf %lf,%lf", &x0, &y0, &x1, &y1) == 4);
  CHECK(x1 > x0);
  CHECK(y1 < y0);
}

TEST_CASE("a text table lines up, ± and all") {
  const text_table table{{"method", "loss"}, {{"a", "1 ± 2"}, {"bcdefgh", "3"}}};
  CHECK(to_text(table) == "method    loss\na        1 ± 2\nbcdefgh      3\n");
  CHECK(to_text(table, true) ==
        "| method  |  loss |\n|---------|------:|\n| a       | 1 ± 2 |\n| bcdefgh |     3 |\n");
}

TEST_CASE("a logarithmic axis of x: equal factors are equally far apart") {
  const auto flat = [](double x) { return chart_point{x, 1, 1, 1}; };
  chart c{"t", "rate", "y", false, {{"a", 0, {flat(0.01), flat(0.1), flat(1), flat(-3)}}}, true};
  const std::string svg = to_svg(c);
  std::vector<double> at;
  for (std::size_t p = svg.find("cx=\""); p != std::string::npos; p = svg.find("cx=\"", p + 1))
    at.push_back(std::stod(svg.substr(p + 4)));
  REQUIRE(at.size() == 3);  // what is not above 0 is left out
  CHECK(at[1] - at[0] == doctest::Approx(at[2] - at[1]).epsilon(1e-3));
  CHECK(contains(svg, ">0.05<"));
  c.series[0].points = {flat(0.3)};
  CHECK(contains(to_svg(c), "<circle"));
}
