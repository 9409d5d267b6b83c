#include <run/output.hpp>
#include <trainers/support.hpp>

#include <fanion/adapters/eigen.hpp>

#include <doctest/doctest.h>

using namespace trainers;
using namespace trainer_tests;

namespace {

/// One hidden matrix, stored by rows, and a bias that nobody takes for a matrix.
class two_parameters final : public task {
 public:
  void start(std::uint64_t) override {}
  [[nodiscard]] std::vector<fanion::parameter<float>> parameters() override {
    using fanion::make_parameter;
    return {make_parameter("bias", bias, bias_gradient, fanion::parameter_kind::bias),
            make_parameter("w", weight, gradient)};
  }
  tally descend(std::uint64_t, index_t) override { return {}; }
  [[nodiscard]] tally evaluate(examples_of) override { return {}; }

  using rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  rows weight = rows::Zero(2, 3), gradient = rows::Zero(2, 3);
  Eigen::VectorXf bias = Eigen::VectorXf::Ones(4), bias_gradient = bias;
};

}  // namespace

TEST_CASE("spectra of gradient, average and weight, and what the step adds") {
  two_parameters net;
  spectrum_recorder recorder({0, 2}, net);
  run_record run;
  for (index_t step = 0; step < 3; ++step) {
    net.gradient << float(step + 1), 0, 0, 0, 0, 0;  // σ₁ = 1, 2, 3
    net.weight(1, 2) = 5;
    recorder.before(step, run);
    net.weight(0, 1) += 6;
    const fanion::step_report of_bias{.dual_norm = 99}, of_w{.dual_norm = double(step) + 0.5};
    const fanion::step_report reports[] = {of_bias, of_w};
    recorder.after(step, reports, run);
  }
  REQUIRE(run.spectra.size() == 2);
  const spectrum &first = run.spectra[0], &last = run.spectra[1];
  CHECK(first.name == "w");
  CHECK(first.step == 0);
  CHECK(last.step == 2);
  REQUIRE(first.gradient.size() == 2);
  CHECK(first.gradient[0] == doctest::Approx(1));
  CHECK(first.gradient[1] == 0);
  CHECK(first.momentum[0] == doctest::Approx(0.05));
  CHECK(first.weight[0] == doctest::Approx(5));
  CHECK(first.weight[1] == doctest::Approx(0));
  CHECK(last.gradient[0] == doctest::Approx(3));
  CHECK(last.momentum[0] == doctest::Approx(0.05 * (0.95 * 0.95 + 0.95 * 2 + 3)));
  CHECK(last.weight[0] == doctest::Approx(12));  // before the step: two of 6
  CHECK(last.weight[1] == doctest::Approx(5));
  CHECK(last.update_rms == doctest::Approx(6 / std::sqrt(6.0)));
  CHECK(first.dual_norm == 0.5);
  CHECK(last.dual_norm == 2.5);

  const nlohmann::json j = to_json(last);
  CHECK(j.at("weight").at("nuclear_rank").get<double>() == doctest::Approx(17.0 / 12));
  CHECK(j.at("weight").at("k_of_half") == 1);
  CHECK(j.at("dual_norm") == 2.5);
  CHECK(j.at("weight").at("k_of_nine_tenths") == 2);
}

TEST_CASE("how many singular values make a share of their sum") {
  CHECK(leading_count({4, 3, 2, 1}, 0.4) == 1);
  CHECK(leading_count({4, 3, 2, 1}, 0.41) == 2);
  CHECK(leading_count({4, 3, 2, 1}, 1) == 4);
  CHECK(leading_count({}, 0.5) == 0);
  CHECK(nuclear_rank({4, 3, 2, 1}) == 2.5);
  CHECK(nuclear_rank({0, 0}) == 0);
}

TEST_CASE("of each method the rate that ends lowest, and none that diverged if another did not") {
  const auto summary = [](const char* method, double rate, double loss, index_t diverged) {
    method_summary s;
    s.method = method;
    s.rate = rate;
    s.held_out_loss = {loss, 0};
    s.diverged = diverged;
    return s;
  };
  const std::vector<method_summary> all = {summary("a", 1, 0.5, 0), summary("a", 2, 0.3, 0),
                                           summary("a", 4, 0.1, 1), summary("b", 1, 0.9, 0)};
  const auto best = best_of_each(all);
  REQUIRE(best.size() == 2);
  CHECK(best[0].method == "a");
  CHECK(best[0].rate == 2);
  CHECK(best[1].rate == 1);
  const chart c = sensitivity(all, {"a", "b"});
  REQUIRE(c.series.size() == 2);
  REQUIRE(c.series[0].points.size() == 2);  // the diverged rate is left out
  CHECK(c.series[0].points[1].x == 2);
  CHECK(c.series[0].points[1].y == 0.3);
  CHECK(c.log_x);
}

TEST_CASE("text for a page: what is no UTF-8 and what is no character become question marks") {
  CHECK(printable("a\xc3\xa9\n") == "a\xc3\xa9\n");
  CHECK(printable(std::string("a\0b\x07", 4)) == "a?b?");
  CHECK(printable("\xc3") == "?");
  CHECK(printable("\xff"
                  "a") == "?a");
  CHECK(contains(command_line(), "spectra"));
}
