// The pieces of the completion program on small matrices, whose answers are known.
#include <completion/output.hpp>
#include <examples/support.hpp>
#include <support/reference.hpp>

#include <fanion/eigen.hpp>

#include <doctest/doctest.h>

#include <Eigen/Dense>

using namespace completion;

namespace {

/// rank 2 with entries near 0.5, as the pixels of images.
trainers::image_set images(index_t count) {
  trainers::image_set set{4, 5, 1, {}, {}};
  for (index_t i = 0; i < count; ++i) {
    set.labels.push_back(0);
    for (index_t j = 0; j < 20; ++j)
      set.pixels.push_back(
          static_cast<std::uint8_t>(128 + 50 * std::sin(0.3 * double(i)) * std::cos(double(j)) +
                                    30 * std::sin(double(i * j % 7))));
  }
  return set;
}

/// Every entry of m, by rows.
entry_list all_of(const Eigen::MatrixXf& m) {
  entry_list list;
  for (index_t i = 0; i < m.rows(); ++i)
    for (index_t j = 0; j < m.cols(); ++j) list.push(i, j, m(i, j));
  return list;
}
/// Those whose place a hash likes.
entry_list some_of(const Eigen::MatrixXf& m, double share, std::uint64_t seed) {
  entry_list list;
  for (index_t i = 0; i < m.rows(); ++i)
    for (index_t j = 0; j < m.cols(); ++j)
      if (fanion::random_uniform(seed, i, j) < share) list.push(i, j, m(i, j));
  return list;
}
Eigen::MatrixXf noise(index_t m, index_t n, std::uint64_t seed) {
  Eigen::MatrixXf x(m, n);
  for (index_t j = 0; j < n; ++j)
    for (index_t i = 0; i < m; ++i) x(i, j) = static_cast<float>(fanion::random_normal(seed, i, j));
  return x;
}

Eigen::MatrixXf written(const fanion::low_rank<float>& x) {
  Eigen::MatrixXf d(x.rows(), x.cols());
  x.write(d);
  return d;
}

}  // namespace

TEST_CASE("all entries observed: the minimum is the soft threshold of the singular values") {
  const Eigen::MatrixXf m = noise(20, 12, 1);
  const auto svd = reference::svd(reference::widen(m));
  double total = 0;
  for (const auto s : svd.sigma) total += static_cast<double>(s);
  const double radius = 0.4 * total;
  double low = 0, high = static_cast<double>(svd.sigma[0]);
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    double sum = 0;
    for (const auto s : svd.sigma) sum += std::max(0.0, static_cast<double>(s) - middle);
    (sum <= radius ? high : low) = middle;
  }
  std::vector<reference::real> cut;
  for (const auto s : svd.sigma) cut.push_back(std::max<reference::real>(0, s - high));
  const reference::table nearest = reference::compose(svd, cut);

  options o;
  o.steps = 3000;
  split s;
  s.rows = 20;
  s.cols = 12;
  s.observed = all_of(m);
  watched_error f(20, 12, s.observed, s.observed);
  const fitted fit = fit_nuclear(o, s, f, radius, fanion::ignore_steps{});
  CHECK(fit.report.outcome == fanion::descent_outcome::converged);
  // f grows by ‖X - nearest‖²/2 at least, so the gap bounds the distance.
  const double far =
      static_cast<double>((written(fit.x) - nearest.cast<float>()).squaredNorm()) / 2;
  CHECK(far <= fit.report.certified_gap * 1.001);
  CHECK(far <= 0.002 * static_cast<double>(m.squaredNorm()));
  CHECK(f.error() == doctest::Approx(std::sqrt(2 * fit.report.value / 240)).epsilon(1e-4));
  CHECK(f.error_of_others() == doctest::Approx(f.error()).epsilon(1e-6));
}

TEST_CASE("the objective follows the iterate, and its derivatives are those of its values") {
  const Eigen::MatrixXf m = noise(15, 10, 2);
  const entry_list seen = some_of(m, 0.4, 3), others = some_of(m, 0.2, 4);
  watched_error f(15, 10, seen, others);
  fanion::low_rank<float> x(15, 10), s(15, 10);
  const Eigen::MatrixXf u = noise(15, 3, 5), v = noise(10, 3, 6);
  const std::vector<float> w{0.5f, -1, 0.25f};
  const factors dyads{{u.data(), 15, 3}, {v.data(), 10, 3}, w};
  f.begin(x.factors());
  double expected = 0;
  for (const float e : seen.value) expected += 0.5 * double(e) * double(e);
  CHECK(f.value() == doctest::Approx(expected).epsilon(1e-6));
  for (const double step : {0.5, 0.25}) {
    const auto& gradient = f.gradient();
    CHECK(gradient.rows() == 15);
    const double slope = f.aim(dyads), h = 1e-3;
    CHECK((f.value_along(h) - f.value_along(-h)) / (2 * h) == doctest::Approx(slope).epsilon(1e-6));
    CHECK((f.value_along(1) - 2 * f.value_along(0) + f.value_along(-1)) ==
          doctest::Approx(f.curvature()).epsilon(1e-6));
    const double ahead = f.value_along(step);
    f.advance(step);
    x.update(1 - step, dyads, step);
    CHECK(f.value() == doctest::Approx(ahead).epsilon(1e-6));
    const Eigen::MatrixXf at = written(x);
    double square = 0, left_out = 0;
    for (std::size_t e = 0; e < seen.size(); ++e)
      square += std::pow(double(at(seen.row[e], seen.col[e]) - seen.value[e]), 2);
    for (std::size_t e = 0; e < others.size(); ++e)
      left_out += std::pow(double(at(others.row[e], others.col[e]) - others.value[e]), 2);
    CHECK(f.value() == doctest::Approx(square / 2).epsilon(1e-5));
    CHECK(f.error_of_others() ==
          doctest::Approx(std::sqrt(left_out / double(others.size()))).epsilon(1e-5));
    // The gradient as an operator: its first column, and that of its transpose.
    auto& g = f.gradient();
    Eigen::VectorXf e1 = Eigen::VectorXf::Unit(10, 3), y(15);
    g.apply({e1.data(), 10, 1}, {y.data(), 15, 1});
    for (std::size_t e = 0; e < seen.size(); ++e)
      if (seen.col[e] == 3)
        CHECK(double(y[seen.row[e]]) ==
              doctest::Approx(double(at(seen.row[e], 3) - seen.value[e])).epsilon(1e-4));
  }
  watched_error again(15, 10, seen, others);  // from the factors, not from zero
  again.begin(x.factors());
  CHECK(again.value() == doctest::Approx(f.value()).epsilon(1e-5));
  CHECK(again.error_of_others() == doctest::Approx(f.error_of_others()).epsilon(1e-5));
}

TEST_CASE("a matrix of rank 2 comes back from half of its entries") {
  const Eigen::MatrixXf m = noise(60, 2, 1) * noise(2, 40, 2);
  split s;
  s.rows = 60;
  s.cols = 40;
  s.observed = some_of(m, 0.5, 3);
  s.held_out = some_of(m, 0.2, 4);
  const double scale = error_of_mean(s.held_out);
  const rank_k start = hard_impute(60, 40, s.observed, 2, 0);
  const rank_k end = hard_impute(60, 40, s.observed, 2, 200);
  const double before = rmse(s.held_out, values_of(start, s.held_out));
  const double after = rmse(s.held_out, values_of(end, s.held_out));
  CHECK(before < 0.9 * scale);
  CHECK(before > 0.2 * scale);
  CHECK(after < 0.01 * scale);
  // The nuclear norm of m itself as the radius.
  const Eigen::VectorXf sigma = Eigen::JacobiSVD<Eigen::MatrixXf>(m).singularValues();
  watched_error f(60, 40, s.observed, s.held_out);
  options o;
  o.steps = 2000;
  const fitted fit = fit_nuclear(o, s, f, double(sigma.sum()), fanion::ignore_steps{});
  CHECK(fit.report.outcome == fanion::descent_outcome::converged);
  CHECK(fit.report.value <= fit.report.certified_gap);  // min f is 0
  CHECK(f.error_of_others() < 0.2 * scale);
}

TEST_CASE("the best approximation of rank k is that of the SVD") {
  const Eigen::MatrixXf m = noise(30, 20, 1);
  const rank_k x = hard_impute(30, 20, all_of(m), 20, 0);
  CHECK((x.a * x.b.transpose() - m).norm() < 1e-4f * m.norm());
  Eigen::MatrixXf gapped = noise(30, 4, 2) * noise(4, 20, 3) + 0.01f * m;
  const rank_k y = hard_impute(30, 20, all_of(gapped), 4, 0);
  const Eigen::JacobiSVD<Eigen::MatrixXf> svd(gapped);
  const double rest = double(svd.singularValues().tail(16).norm());
  CHECK(double((y.a * y.b.transpose() - gapped).norm()) == doctest::Approx(rest).epsilon(1e-3));
}

TEST_CASE("the sets of entries: disjoint, sorted, of the size asked for, centred on what is seen") {
  const auto set = images(300);
  const split s = split_entries(set, 250, {.observed = 0.3, .chosen_on = 0.1, .held_out = 0.2}, 5);
  CHECK(s.rows == 250);
  CHECK(s.cols == 20);
  const double all = 250 * 20;
  CHECK(double(s.observed.size()) / all == doctest::Approx(0.3).epsilon(0.1));
  CHECK(double(s.chosen_on.size()) / all == doctest::Approx(0.1).epsilon(0.2));
  CHECK(double(s.held_out.size()) / all == doctest::Approx(0.2).epsilon(0.1));
  std::vector<int> hits(250 * 20);
  std::vector<double> sum(20);
  for (const entry_list* list : {&s.observed, &s.chosen_on, &s.held_out}) {
    int last = -1;
    for (std::size_t e = 0; e < list->size(); ++e) {
      const int place = list->row[e] * 20 + list->col[e];
      CHECK(place > last);
      last = place;
      ++hits[static_cast<std::size_t>(place)];
      const auto j = static_cast<std::size_t>(list->col[e]);
      const double pixel = double(set.pixels[static_cast<std::size_t>(place)]) / 255;
      CHECK(double(list->value[e] + s.mean_image[j]) == doctest::Approx(pixel).epsilon(1e-5));
      if (list == &s.observed) sum[j] += double(list->value[e]);
    }
  }
  CHECK(*std::max_element(hits.begin(), hits.end()) == 1);
  for (const double x : sum) CHECK(std::abs(x) < 1e-4);
  const split again =
      split_entries(set, 250, {.observed = 0.3, .chosen_on = 0.1, .held_out = 0.2}, 5);
  const split other =
      split_entries(set, 250, {.observed = 0.3, .chosen_on = 0.1, .held_out = 0.2}, 6);
  CHECK(again.observed.col == s.observed.col);
  CHECK(other.observed.col != s.observed.col);
  CHECK_THROWS_AS((void)split_entries(set, 301, {}, 5), std::runtime_error);
  CHECK_THROWS_AS((void)split_entries(set, 1, {.observed = 1e-6}, 5), std::runtime_error);
}

TEST_CASE("a whole comparison, its page and its JSON") {
  options o;
  o.radii = {5, 40};
  o.ranks = {1, 2, 1000};
  o.steps = 40;
  o.rounds = 20;
  const split s =
      split_entries(images(200), 200, {.observed = 0.4, .chosen_on = 0.1, .held_out = 0.2}, 1);
  int lines = 0;
  const results r = compare(o, s, [&](const std::string&) { ++lines; });
  CHECK(lines >= 4);
  REQUIRE(r.methods.size() == 4);
  CHECK(r.methods[0].held_out == error_of_mean(s.held_out));
  for (std::size_t i = 1; i < 4; ++i) {
    CHECK(r.methods[i].held_out < r.methods[0].held_out);
    CHECK(r.methods[i].trials.size() == 2);  // rank 1000 is too large for 20 columns
    for (const trial& t : r.methods[i].trials) CHECK(r.methods[i].chosen_on <= t.chosen_on + 1e-9);
  }
  REQUIRE(r.curve.size() == static_cast<std::size_t>(r.end.iterations) + 1);
  CHECK(r.curve.back().held_out == doctest::Approx(r.methods[3].held_out));
  CHECK(r.curve.back().certified_gap == r.end.certified_gap);
  for (const curve_point& p : r.curve) CHECK(p.gap <= p.certified_gap);

  const std::string html = to_html(page(o, s, r));
  for (const char* part : {"Duality gap by step", "Error by step", "hard imputation", "<svg"})
    CHECK(html.find(part) != std::string::npos);
  for (const char* outside : {"http:", "https:", "src=", "href=", "<script", "nan", "inf<"})
    CHECK(html.find(outside) == std::string::npos);
  const std::size_t from = html.find("<svg");
  const std::string svg = html.substr(from, html.find("</svg>", from) + 6 - from);
  CHECK(example_tests::fault_of_xml(svg) == "");

  const auto j = nlohmann::json::parse(to_json(o, s, r, 1).dump());
  CHECK(j["methods"].size() == 4);
  CHECK(j["methods"][3]["held_out"] == doctest::Approx(r.methods[3].held_out));
  CHECK(j["run"]["curve"].size() == r.curve.size());
  CHECK(j["matrix"]["observed"] == s.observed.size());
}

TEST_CASE("the command line") {
  const auto parsed = [](std::vector<const char*> words) {
    words.insert(words.begin(), "completion");
    CLI::App app;
    options o;
    o.data = "/";
    parse_options(app, o, static_cast<int>(words.size()), words.data());
    return o;
  };
  const options o =
      parsed({"--images", "30", "--radii", "1,2.5", "--ranks", "3", "--observed", "0.5"});
  CHECK(o.images == 30);
  CHECK(o.radii == std::vector<double>{1, 2.5});
  CHECK(o.ranks == std::vector<index_t>{3});
  CHECK(o.observed == 0.5);
  for (const auto& bad : std::vector<std::vector<const char*>>{{"--images", "0"},
                                                               {"--radii", "-1"},
                                                               {"--observed", "0.96"},
                                                               {"--observed", "2"},
                                                               {"--data", "/no/such/folder"}})
    CHECK_THROWS_AS((void)parsed(bad), CLI::ParseError);
}
