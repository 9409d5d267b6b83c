/// @file  Checkpoints: resuming is bit for bit, and what does not fit is refused before anything
/// changes.
#include <support/matrices.hpp>

#include <fanion/adapters/eigen.hpp>
#include <fanion/backend/eigen.hpp>
#include <fanion/optim/makers.hpp>
#include <fanion/optim/optimizer.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

using namespace fanion;
using matrix = Eigen::MatrixXf;
using rule_type = optimizer<float>::rule_type;

namespace {

/// "big" is large enough for a solver that remembers a subspace; "row" is row-major.
struct model {
  matrix big = matrices::gaussian(96, 120, 1).cast<float>(),
         small = matrices::gaussian(6, 4, 2).cast<float>();
  matrix bias = matrices::gaussian(6, 1, 3).cast<float>();
  Eigen::Matrix<float, -1, -1, Eigen::RowMajor> row = matrices::gaussian(5, 7, 4).cast<float>();
  matrix d_big = big, d_small = small, d_bias = bias, d_row = row;

  void train(optimizer<float>& opt, std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t t = from; t < to; ++t) {
      // A drifting low-rank part, as gradients have, so that the kept subspace matters.
      d_big = (5 * matrices::gaussian(96, 3, 5) * matrices::gaussian(3, 120, 6) +
               matrices::gaussian(96, 120, 100 + t))
                  .cast<float>();
      d_small = matrices::gaussian(6, 4, 200 + t).cast<float>();
      d_bias = matrices::gaussian(6, 1, 300 + t).cast<float>();
      d_row = matrices::gaussian(5, 7, 400 + t).cast<float>();
      opt.step(0.05);
    }
  }
  bool operator==(const model& o) const {
    return big == o.big && small == o.small && bias == o.bias && row == o.row;
  }
};

void add_in_order(optimizer<float>& opt, model& net) {
  opt.add(make_parameter("big", net.big, net.d_big));
  opt.add(make_parameter("small", net.small, net.d_small));
  opt.add(make_parameter("bias", net.bias, net.d_bias, parameter_kind::bias));
  opt.add(make_parameter("row", net.row, net.d_row));
}
void add_backwards(optimizer<float>& opt, model& net) {
  opt.add(make_parameter("row", net.row, net.d_row));
  opt.add(make_parameter("bias", net.bias, net.d_bias, parameter_kind::bias));
  opt.add(make_parameter("small", net.small, net.d_small));
  opt.add(make_parameter("big", net.big, net.d_big));
}

auto rule() { return f_fanion_k(2, 0.5, {.decay = 0.1, .seed = 3}); }

std::string saved(const optimizer<float>& opt) {
  std::ostringstream out;
  opt.save(out);
  return out.str();
}
void restore(optimizer<float>& opt, const std::string& state) {
  std::istringstream in(state);
  opt.load(in);
}

}  // namespace

TEST_CASE("training resumes bit for bit, in any order of the parameters") {
  model straight;
  optimizer<float> opt(rule(), adamw{});
  add_in_order(opt, straight);
  straight.train(opt, 0, 8);

  for (const bool backwards : {false, true})
    for (const index_t threads : {1, 2}) {
      model net;
      std::string state;
      {
        optimizer<float> first(rule(), adamw{});
        add_in_order(first, net);
        net.train(first, 0, 4);
        state = saved(first);
      }
      optimizer<float> second(rule(), adamw{}, threads);
      (backwards ? add_backwards : add_in_order)(second, net);
      restore(second, state);
      if (!backwards) CHECK(saved(second) == state);
      net.train(second, 4, 8);
      CHECK(net == straight);
    }

  // Without the state it goes elsewhere: the check above can fail.
  model forgetful;
  optimizer<float> first(rule(), adamw{}), second(rule(), adamw{});
  add_in_order(first, forgetful);
  add_in_order(second, forgetful);
  forgetful.train(first, 0, 4);
  forgetful.train(second, 4, 8);
  CHECK_FALSE(forgetful == straight);
}

TEST_CASE("a refused checkpoint names expected and found, and changes nothing") {
  model net, twin;
  optimizer<float> opt(rule(), adamw{}), other(rule(), adamw{});
  add_in_order(opt, net);
  add_in_order(other, twin);
  net.train(opt, 0, 2);
  twin.train(other, 0, 2);
  const std::string good = saved(opt);

  const auto refused = [&](const std::string& state, const std::string& message) {
    CHECK_THROWS_WITH_AS(restore(opt, state), doctest::Contains(message.c_str()),
                         std::invalid_argument);
    CHECK(saved(opt) == good);
  };
  const auto state_of = [](model& m, auto&& add) {
    optimizer<float> writer(rule(), adamw{});
    add(writer, m);
    return saved(writer);
  };

  model m;
  refused(state_of(m,
                   [](auto& w, model& x) {
                     add_in_order(w, x);
                     w.add(make_parameter("more", x.d_small, x.small));
                   }),
          "checkpoint: extra parameter: expected big, small, bias, row, found more");
  refused(state_of(m,
                   [](auto& w, model& x) {
                     w.add(make_parameter("big", x.big, x.d_big));
                     w.add(make_parameter("bias", x.bias, x.d_bias, parameter_kind::bias));
                     w.add(make_parameter("row", x.row, x.d_row));
                   }),
          "checkpoint: missing parameter: expected small, found no such name");
  refused(state_of(m, [](auto& w, model& x) { w.add(make_parameter("small", x.row, x.d_row)); }),
          "checkpoint: parameter small: checkpoint: the shape must be 6 x 4, got 5 x 7");
  refused(state_of(m,
                   [](auto& w, model& x) {
                     w.add(make_parameter("small", x.small, x.d_small, parameter_kind::hidden,
                                          split_qkv(6, 4)));
                   }),
          "checkpoint: parameter small: checkpoint: blocks must be the parameter's, got 3");
  refused(
      state_of(m,
               [](auto& w, model& x) {
                 w.add(make_parameter("bias", x.bias, x.d_bias), rule_type(sgd{}));
               }),
      "checkpoint: parameter bias: expected rule adamw, beta1 0.9, beta2 0.999, eps 1e-08, decay 0,"
      " found sgd, momentum 0.9 heavy_ball nesterov, decay 0");
  refused(
      state_of(m,
               [](auto& w, model& x) {
                 w.add(make_parameter("small", x.small, x.d_small), rule_type(f_fanion_k(3, 0.5)));
               }),
      "checkpoint: parameter small: expected rule lmo(dual(0.5 * ky_fan(2) + 0.5 * frobenius())), "
      "momentum 0.95 ema nesterov, decay 0.1, scaling none, seed 3, found "
      "lmo(dual(0.5 * ky_fan(3) + 0.5 * frobenius())), ");
  refused("", "checkpoint: the data ends early");
  refused("nothing of ours, but long enough to be read", "checkpoint: ");

  // And training goes on as if nobody had tried.
  net.train(opt, 2, 4);
  twin.train(other, 2, 4);
  CHECK(net == twin);
}

TEST_CASE("cut or damaged anywhere in its header, a checkpoint is refused") {
  model net;
  optimizer<float> opt(muon(), adamw{});
  opt.add(make_parameter("small", net.small, net.d_small));
  opt.add(make_parameter("bias", net.bias, net.d_bias, parameter_kind::bias));
  net.train(opt, 0, 2);
  const std::string good = saved(opt);
  for (std::size_t length = 0; length < good.size(); ++length)
    CHECK_THROWS_AS(restore(opt, good.substr(0, length)), std::invalid_argument);
  // Any byte of the first parameter's header set high: an impossible length, name, rule or shape.
  const std::size_t header = good.find("lmo_step");
  for (std::size_t at = 0; at < header; ++at) {
    std::string damaged = good;
    damaged[at] = '\x7f';
    CHECK_THROWS_AS(restore(opt, damaged), std::invalid_argument);
  }
  CHECK(saved(opt) == good);
  CHECK_NOTHROW(restore(opt, good));
}

TEST_CASE("scalar and storage order belong to the state") {
  model net;
  eigen_backend backend;
  const auto state_of = [](const auto& step) {
    std::ostringstream out;
    archive_writer archive(out);
    step.save(archive);
    return out.str();
  };
  const auto load = [](auto& step, const std::string& state) {
    std::istringstream in(state);
    archive_reader archive(in);
    step.load(archive);
  };
  lmo_step<frobenius, double, eigen_backend> wide(nsgd(), 6, 4, backend);
  lmo_step<frobenius, float, eigen_backend> narrow(nsgd(), 6, 4, backend);
  CHECK_THROWS_WITH_AS(load(narrow, state_of(wide)),
                       "checkpoint: bytes a scalar must be the weight's, got 8",
                       std::invalid_argument);
  elementwise_step<adamw, float, eigen_backend> first({}, 6, 4, backend);
  elementwise_step<lion, float, eigen_backend> second({}, 6, 4, backend);
  CHECK_THROWS_WITH_AS(load(second, state_of(first)),
                       "checkpoint: second moments must be those of the rule, got 24",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(load(narrow, state_of(first)),
                       "checkpoint: expected lmo_step, found elementwise_step",
                       std::invalid_argument);

  // Written from a row-major weight, read for a column-major one. The oracle's momentum is turned
  // on the way; an elementwise rule says that it cannot.
  using row_major = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  row_major x = net.small, g = net.small;
  g(0, 1) = 9;
  matrix y = net.small, h = g;
  const auto take = [](auto& step, auto& w, const auto& slope) {
    using W = std::remove_cvref_t<decltype(w)>;
    using G = std::remove_cvref_t<decltype(slope)>;
    return step.step(matrix_adapter<W>::view(w), matrix_adapter<G>::view(slope), 0.1);
  };
  take(narrow, x, g);
  take(first, x, g);
  y = x;
  lmo_step<frobenius, float, eigen_backend> resumed(nsgd(), 6, 4, backend);
  load(resumed, state_of(narrow));
  g = net.small;
  h = g;
  take(narrow, x, g);
  take(resumed, y, h);
  CHECK(y.isApprox(matrix(x), 1e-6f));
  elementwise_step<adamw, float, eigen_backend> fresh({}, 6, 4, backend);
  load(fresh, state_of(first));
  CHECK_THROWS_AS(take(fresh, y, h), std::invalid_argument);
  CHECK_NOTHROW(take(fresh, x, g));
}
