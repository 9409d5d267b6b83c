// The LibTorch optimizer beside LibTorch's own, beside the Eigen path, and resumed.
#include <fanion/adapters/eigen.hpp>
#include <fanion/adapters/torch.hpp>
#include <fanion/optim/dion.hpp>
#include <fanion/optim/makers.hpp>
#include <fanion/optim/optimizer.hpp>

#include <torch/torch.h>
// LibTorch has macros of these names.
#undef CHECK
#undef CHECK_EQ
#undef CHECK_LT
#undef CHECK_LE
#undef CHECK_GT
#undef CHECK_GE
#undef CHECK_NE
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace fanion;
using torch::Tensor;
using torch_optim::Lmo;
using torch_optim::LmoOptions;
using group = torch::optim::OptimizerParamGroup;
using by_rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

namespace {

/// Numbers between -1 and 1, different for each seed.
Tensor numbers(std::vector<std::int64_t> sizes, double seed, at::ScalarType dtype = at::kFloat) {
  std::int64_t count = 1;
  for (const auto size : sizes) count *= size;
  const Tensor t = torch::arange(count, at::kDouble);
  return torch::sin(t * t * 0.37 + t * 1.3 + seed).to(dtype).reshape(sizes);
}
Tensor trained(std::vector<std::int64_t> sizes, double seed, at::ScalarType dtype = at::kFloat) {
  return numbers(std::move(sizes), seed, dtype).requires_grad_();
}
Tensor copy_of(const Tensor& t) { return t.detach().clone().requires_grad_(); }
void give(Tensor& p, const Tensor& gradient) { p.mutable_grad() = gradient; }

double distance(const Tensor& a, const Tensor& b) {
  return (a.detach().to(at::kDouble) - b.detach().to(at::kDouble)).abs().max().item<double>();
}
bool same(const Tensor& a, const Tensor& b) { return torch::equal(a.detach(), b.detach()); }

group grouped(std::vector<Tensor> parameters, const LmoOptions& options) {
  return group(std::move(parameters), std::make_unique<LmoOptions>(options));
}
LmoOptions& options_of(Lmo& opt, std::size_t g = 0) {
  return static_cast<LmoOptions&>(opt.param_groups()[g].options());
}

std::string saved(const torch::optim::Optimizer& opt) {
  std::ostringstream out;
  torch::serialize::OutputArchive archive;
  opt.save(archive);
  archive.save_to(out);
  return out.str();
}
void restore(Lmo& opt, const std::string& bytes) {
  std::istringstream in(bytes);
  torch::serialize::InputArchive archive;
  archive.load_from(in);
  opt.load(archive);
}
/// What the refusal says; empty where there is none.
template <class F>
std::string refusal(F&& f) {
  try {
    f();
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "";
}
bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// All dtypes, both treatments, a convolution kernel, rows and columns: what a checkpoint holds.
std::vector<Tensor> zoo() {
  return {trained({24, 40}, 1),
          trained({40}, 2),
          trained({8, 3, 3, 3}, 3),
          trained({12, 10}, 4, at::kDouble),
          trained({16, 9}, 5, at::kBFloat16),
          trained({9}, 6, at::kHalf),
          trained({20, 6}, 7, at::kHalf),
          numbers({6, 11}, 8).t().requires_grad_()};
}
void give_all(std::vector<Tensor>& all, double seed) {
  for (Tensor& p : all) give(p, numbers(p.sizes().vec(), seed += 0.7, p.scalar_type()));
}

}  // namespace

// Both round every operation, in different orders: some ulp of an entry a step. Entries and moves
// are at most about 1.
TEST_CASE("what is no matrix moves as under torch::optim::AdamW") {
  for (const auto dtype : {at::kFloat, at::kDouble}) {
    CAPTURE(dtype);
    Tensor b = trained({37}, 1, dtype), w = trained({5, 7}, 2, dtype), s = trained({}, 3, dtype);
    Tensor tb = copy_of(b), tw = copy_of(w), ts = copy_of(s);
    const LmoOptions options = LmoOptions(1e-2)
                                   .kind(parameter_kind::embedding)
                                   .others(adamw{.beta1 = 0.8, .beta2 = 0.95, .eps = 1e-6})
                                   .weight_decay(0.1);
    Lmo ours({b, w, s}, options);
    torch::optim::AdamW theirs(
        {tb, tw, ts},
        torch::optim::AdamWOptions(1e-2).betas({0.8, 0.95}).eps(1e-6).weight_decay(0.1));
    const double eps = dtype == at::kFloat ? std::numeric_limits<float>::epsilon()
                                           : std::numeric_limits<double>::epsilon();
    const int steps = 20;
    for (int t = 0; t < steps; ++t) {
      const auto pairs = {std::pair(&b, &tb), std::pair(&w, &tw), std::pair(&s, &ts)};
      for (const auto& [p, q] : pairs) {
        give(*p, numbers(p->sizes().vec(), t, dtype));
        give(*q, p->grad().clone());
      }
      ours.step();
      theirs.step();
    }
    CHECK(distance(b, numbers({37}, 1, dtype)) > 0.01);
    CHECK(distance(b, tb) <= 8 * steps * eps);
    CHECK(distance(w, tw) <= 8 * steps * eps);
    CHECK(distance(s, ts) <= 8 * steps * eps);
  }
}

TEST_CASE("and as under torch::optim::SGD") {
  Tensor b = trained({37}, 1), tb = copy_of(b);
  Lmo ours({b}, LmoOptions(0.05).others(sgd{}));
  torch::optim::SGD theirs({tb}, torch::optim::SGDOptions(0.05).momentum(0.9).nesterov(true));
  for (int t = 0; t < 20; ++t) {
    give(b, numbers({37}, t));
    give(tb, b.grad().clone());
    ours.step();
    theirs.step();
  }
  CHECK(distance(b, numbers({37}, 1)) > 0.01);
  CHECK(distance(b, tb) <= 8 * 20 * std::numeric_limits<float>::epsilon());
}

TEST_CASE("matrices, kernels and biases move bit for bit as under optimizer<float>") {
  const auto check_rule = [](const auto& rule, const LmoOptions& options) {
    CAPTURE(options.norm());
    Tensor w = trained({24, 40}, 1), k = trained({8, 3, 3, 3}, 2), b = trained({24}, 3);
    by_rows we = Eigen::Map<by_rows>(w.data_ptr<float>(), 24, 40), wg = we;
    by_rows ke = Eigen::Map<by_rows>(k.data_ptr<float>(), 8, 27), kg = ke;
    Eigen::VectorXf be = Eigen::Map<Eigen::VectorXf>(b.data_ptr<float>(), 24), bg = be;
    optimizer<float> native(rule, adamw{.decay = 0.01});
    native.add(make_parameter("w", we, wg));
    native.add(make_parameter("k", ke, kg, parameter_kind::convolution));
    native.add(make_parameter("b", be, bg, parameter_kind::bias), 0.5);
    Lmo opt({w, k, b}, LmoOptions(options).others(adamw{.decay = 0.01}).others_rate(0.5));
    for (int t = 0; t < 6; ++t) {
      give(w, numbers({24, 40}, t));
      give(k, numbers({8, 3, 3, 3}, t + 0.5));
      give(b, numbers({24}, t));
      wg = Eigen::Map<by_rows>(w.grad().data_ptr<float>(), 24, 40);
      kg = Eigen::Map<by_rows>(k.grad().data_ptr<float>(), 8, 27);
      bg = Eigen::Map<Eigen::VectorXf>(b.grad().data_ptr<float>(), 24);
      opt.step();
      const auto& report = native.step(0.02);
      for (std::size_t i = 0; i < 3; ++i) {
        const step_report& ours = opt.last_report().parameters[i].step;
        CHECK(ours.gap == report.parameters[i].gap);
        CHECK(ours.dual_norm == report.parameters[i].dual_norm);
      }
    }
    CHECK(we == Eigen::Map<by_rows>(w.data_ptr<float>(), 24, 40));
    CHECK(ke == Eigen::Map<by_rows>(k.data_ptr<float>(), 8, 27));
    CHECK(be == Eigen::Map<Eigen::VectorXf>(b.data_ptr<float>(), 24));
  };
  const lmo_options o{.momentum = {.beta = 0.9}, .decay = 0.02, .scaling = shape_scaling::rms};
  const LmoOptions base =
      LmoOptions(0.02).momentum({.beta = 0.9}).weight_decay(0.02).scaling(shape_scaling::rms);
  check_rule(muon(o), base);
  check_rule(muon(o), LmoOptions(0.02).rule(muon(o)));
  check_rule(f_fanion_k(3, 0.5, o), LmoOptions(base).norm("dual(0.5*ky_fan(3)+0.5*frobenius())"));
  check_rule(f_fanion_k(3, 0.5, o), LmoOptions(0.02).rule(f_fanion_k(3, 0.5, o)));
  check_rule(dion{.rank = 4}, LmoOptions(0.02).rule(dion{.rank = 4}));
}

TEST_CASE("a closure is called once, with gradients, and its loss comes back") {
  Tensor w = trained({6, 4}, 1), before = w.detach().clone();
  Lmo concrete({w}, 0.1);
  torch::optim::Optimizer& opt = concrete;
  int calls = 0;
  const torch::NoGradGuard outside;
  const Tensor loss = opt.step([&] {
    ++calls;
    opt.zero_grad();
    Tensor l = (w * w).sum();
    l.backward();
    return l;
  });
  CHECK(calls == 1);
  CHECK(same(loss, (before * before).sum()));
  CHECK(!same(w, before));
  CHECK((w * w).sum().item<float>() < loss.item<float>());
  CHECK(!opt.step().defined());
  opt.zero_grad();
  CHECK((!w.grad().defined() || w.grad().abs().max().item<float>() == 0));
}

TEST_CASE("each group has its options, and schedulers set its rate") {
  // Steps of length rate along -G/|G|.
  const LmoOptions base =
      LmoOptions(0.1).norm("frobenius()").momentum({.beta = 0}).scaling(shape_scaling::none);
  Tensor a = torch::zeros({3, 4}).requires_grad_(), b = copy_of(a), c = copy_of(a);
  Lmo opt(
      std::vector<group>{grouped({a}, base), grouped({b}, LmoOptions(base).lr(0.25)), group({c})},
      LmoOptions(base).lr(0.5).norm("max_abs()"));
  torch::optim::StepLR schedule(opt, 1, 0.5);
  const Tensor g = numbers({3, 4}, 1);
  for (Tensor* p : {&a, &b, &c}) give(*p, g);
  opt.step();
  const auto length = [](const Tensor& t) { return t.detach().norm().item<double>(); };
  CHECK(length(a) == doctest::Approx(0.1));
  CHECK(length(b) == doctest::Approx(0.25));
  CHECK(same(c, -0.5 * torch::sign(g)));
  schedule.step();  // the start
  schedule.step();
  CHECK(options_of(opt, 1).lr() == 0.125);
  opt.step();
  CHECK(length(a) == doctest::Approx(0.15));
  CHECK(length(b) == doctest::Approx(0.375));
}

TEST_CASE("a run that is saved and loaded goes on with the same bits, whatever it was built with") {
  const LmoOptions hidden = LmoOptions(0.03)
                                .norm("dual(0.5 * ky_fan(2) + 0.5 * frobenius())")
                                .momentum({.beta = 0.8, .lookahead = lookahead::none})
                                .others(lion{.beta1 = 0.85})
                                .weight_decay(0.05)
                                .scaling(shape_scaling::widening)
                                .others_rate(0.3)
                                .gap(1e-3)
                                .seed(7);
  const LmoOptions rest = LmoOptions(0.01).kind(parameter_kind::head).others(sgd{.decay = 0.2});
  const auto build = [](std::vector<Tensor>& all, const LmoOptions& a, const LmoOptions& b) {
    std::vector<Tensor> first(all.begin(), all.begin() + 5), second(all.begin() + 5, all.end());
    return std::make_unique<Lmo>(std::vector<group>{grouped(first, a), grouped(second, b)});
  };
  auto straight = zoo(), resumed = zoo();
  auto one = build(straight, hidden, rest), two = build(resumed, hidden, rest);
  for (int t = 0; t < 4; ++t) {
    give_all(straight, t);
    give_all(resumed, t);
    one->step();
    two->step();
  }
  const std::string bytes = saved(*two);
  auto three = build(resumed, LmoOptions(1.0).split(2), LmoOptions().norm("max_abs()"));
  restore(*three, bytes);
  CHECK(saved(*three) == bytes);
  CHECK(options_of(*three).lr() == 0.03);
  CHECK(options_of(*three).rule_text(true) == hidden.rule_text(true));
  CHECK(options_of(*three).rule_text(false) == hidden.rule_text(false));
  CHECK(options_of(*three).others_rate() == 0.3);
  CHECK(options_of(*three, 1).rule_text(false) == rest.rule_text(false));
  CHECK(options_of(*three, 1).kind() == parameter_kind::head);
  for (int t = 4; t < 8; ++t) {
    give_all(straight, t);
    give_all(resumed, t);
    one->step();
    three->step();
  }
  for (std::size_t i = 0; i < straight.size(); ++i) {
    CAPTURE(i);
    CHECK(same(straight[i], resumed[i]));
    CHECK(!same(straight[i], zoo()[i]));
  }

  SUBCASE("through torch::save and torch::load") {
    std::stringstream file;
    torch::save(*one, file);
    auto four = build(resumed, LmoOptions(), LmoOptions());
    torch::load(*four, file);
    CHECK(saved(*four) == saved(*one));
  }
}

TEST_CASE("options that changed after the last step are those that go on") {
  Tensor w = trained({8, 6}, 1), v = copy_of(w);
  Lmo a({w}, 0.1), b({v}, 0.1);
  const auto step = [](Lmo& opt, Tensor& p, double seed) {
    give(p, numbers({8, 6}, seed));
    opt.step();
  };
  step(a, w, 1);
  step(b, v, 1);
  options_of(a).norm("max_abs()");
  options_of(b).norm("max_abs()");
  Lmo c({v}, 3.0);
  restore(c, saved(b));
  CHECK(options_of(c).norm() == "max_abs()");
  step(a, w, 2);
  step(c, v, 2);
  CHECK(same(w, v));
}

TEST_CASE("a checkpoint that does not fit is refused and changes nothing") {
  auto parameters = zoo();
  Lmo opt(parameters, 0.02);
  give_all(parameters, 1);
  opt.step();
  const std::string bytes = saved(opt);
  const auto refused_by = [&](Lmo& other, const std::string& state) {
    const std::string before = saved(other);
    const std::string text = refusal([&] { restore(other, state); });
    CHECK(saved(other) == before);
    return text;
  };

  auto fewer = zoo();
  fewer.pop_back();
  Lmo missing(fewer, 0.5);
  give_all(fewer, 2);
  missing.step();
  CHECK(says(refused_by(missing, bytes), "parameters: expected 7, found 8"));
  auto more = zoo();
  more.push_back(trained({2}, 1));
  Lmo extra(more, 0.5);
  CHECK(says(refused_by(extra, bytes), "parameters: expected 9, found 8"));
  auto shaped = zoo();
  shaped[2] = trained({8, 27}, 1);
  Lmo shape(shaped, 0.5);
  CHECK(
      says(refused_by(shape, bytes),
           "parameter 2 of group 0 [8, 27]: checkpoint: shape: expected [8, 27], found [8, 3, 3"));
  auto wide = zoo();
  wide[6] = trained({20, 6}, 1, at::kFloat);
  Lmo dtype(wide, 0.5);
  CHECK(says(refused_by(dtype, bytes), "dtype: expected Float, found Half"));
  auto same_groups = zoo();
  Lmo groups(std::vector<group>{group({same_groups[0]}), group({same_groups[1]})});
  CHECK(says(refused_by(groups, bytes), "groups: expected 2, found 1"));
  auto plain = zoo();
  torch::optim::AdamW adam(plain, 1e-3);
  Lmo target(plain, 0.5);
  CHECK(says(refused_by(target, saved(adam)), "found another format"));

  SUBCASE("names that differ") {
    const auto named = [](Lmo& o, std::vector<Tensor>& ps, const std::string& last) {
      torch::OrderedDict<std::string, Tensor> names;
      for (std::size_t i = 0; i < ps.size(); ++i)
        names.insert(i + 1 < ps.size() ? "p" + std::to_string(i) : last, ps[i]);
      o.set_names(names);
    };
    auto others = zoo();
    Lmo other(others, 0.5);
    named(opt, parameters, "head");
    named(other, others, "tail");
    CHECK(says(refused_by(other, saved(opt)), "name: expected tail, found head"));
    restore(other, bytes);  // without names, position is all there is
    CHECK(options_of(other).lr() == 0.02);
  }
  SUBCASE("a rule of its own type") {
    Tensor w = trained({8, 6}, 1);
    Lmo low({w}, LmoOptions(0.1).rule(dion{.rank = 2}));
    give(w, numbers({8, 6}, 1));
    low.step();
    Lmo plain_rule({w}, 0.1), other_rank({w}, LmoOptions(0.1).rule(dion{.rank = 3})),
        like({w}, LmoOptions(0.7).rule(dion{.rank = 2}));
    CHECK(says(refused_by(plain_rule, saved(low)), "expected options with the rule dion"));
    CHECK(says(refused_by(other_rank, saved(low)), "expected options with the rule dion"));
    restore(like, saved(low));
    CHECK(options_of(like).lr() == 0.1);
    restore(like, saved(plain_rule));
    CHECK(options_of(like).norm() == "spectral()");
  }
}

TEST_CASE("16 bits move as float32 does, rounded") {
  for (const auto dtype : {at::kBFloat16, at::kHalf}) {
    CAPTURE(dtype);
    Tensor w = trained({12, 9}, 1, dtype), b = trained({12}, 2, dtype);
    Tensor w32 = copy_of(w.to(at::kFloat)), b32 = copy_of(b.to(at::kFloat));
    const Tensor start = w.detach().clone();
    // Each step is far below half an ulp of most entries: only a master sums them up.
    Lmo low({w, b}, 1e-5), full({w32, b32}, 1e-5);
    for (int t = 0; t < 300; ++t) {
      give(w, numbers({12, 9}, 1, dtype));
      give(b, numbers({12}, 2, dtype));
      give(w32, w.grad().to(at::kFloat));
      give(b32, b.grad().to(at::kFloat));
      low.step();
      full.step();
    }
    CHECK((w.scalar_type() == dtype));
    CHECK(same(w, w32.to(dtype)));
    CHECK(same(b, b32.to(dtype)));
    CHECK(!same(w, start));
    // The user's word: what was set from outside is where the next step starts.
    {
      const torch::NoGradGuard quiet;
      w.zero_();
      w32.zero_();
    }
    low.step();
    full.step();
    CHECK(distance(w, torch::zeros({12, 9})) < 1e-3);
    CHECK(same(w, w32.to(dtype)));
  }
}

TEST_CASE("memory in any order") {
  const auto run = [](Tensor w, const LmoOptions& options, bool expanded = false) {
    w.requires_grad_();
    Lmo opt({w}, options);
    for (int t = 0; t < 4; ++t) {
      give(w,
           expanded ? numbers({1, w.size(1)}, t).expand(w.sizes()) : numbers(w.sizes().vec(), t));
      opt.step();
    }
    return w.detach().clone(at::MemoryFormat::Contiguous);
  };
  const Tensor m = numbers({10, 14}, 1);
  for (const LmoOptions& options :
       {LmoOptions(0.05), LmoOptions(0.05).treatment(treatment::other)}) {
    const Tensor plain = run(m.clone(), options);
    // Every second column of wider memory: copied there and back, to the same bits. What stands
    // between them stays.
    Tensor wide = torch::zeros({10, 28});
    Tensor every_second = wide.slice(1, 0, 28, 2);
    every_second.copy_(m);
    CHECK(same(run(every_second, options), plain));
    CHECK(wide.slice(1, 1, 28, 2).abs().max().item<float>() == 0);
    // Rows of wider memory: seen in place.
    Tensor rows = torch::zeros({10, 20});
    Tensor window = rows.slice(1, 3, 17);
    window.copy_(m);
    CHECK(same(run(window, options), plain));
    CHECK(rows.slice(1, 17, 20).abs().max().item<float>() == 0);
    // By columns: other sums in the oracle, so equal up to rounding of 4 steps at rate 0.05.
    Tensor turned = m.t().contiguous().t();
    CHECK(turned.stride(0) == 1);
    CHECK(distance(run(turned, options), plain) < 1e-5);
    Tensor again = torch::zeros({10, 28}).slice(1, 0, 28, 2);
    again.copy_(m);
    CHECK(same(run(m.clone(), options, true), run(again, options, true)));
  }
  const Tensor kernel = numbers({8, 3, 5, 4}, 2);
  const Tensor flat = run(kernel.clone().reshape({8, 60}), LmoOptions(0.05));
  CHECK(same(run(kernel.clone(), LmoOptions(0.05)).reshape({8, 60}), flat));
  CHECK(same(run(kernel.clone().contiguous(at::MemoryFormat::ChannelsLast), LmoOptions(0.05))
                 .reshape({8, 60}),
             flat));
}

TEST_CASE("memory that moves between steps keeps its momentum") {
  Tensor a = trained({6, 9}, 1), b = copy_of(a);
  Lmo one({a}, 0.05), two({b}, 0.05), three({b}, 0.5);
  for (int t = 0; t < 6; ++t) {
    give(a, numbers({6, 9}, t));
    give(b, numbers({6, 9}, t));
    if (t == 2) b.set_data(b.detach().t().contiguous().t());
    if (t == 4) restore(three, saved(two));
    one.step();
    (t < 4 ? two : three).step();
  }
  CHECK(same(a, b));

  // Of another dtype it is another parameter.
  give(a, Tensor());
  a.set_data(a.detach().to(at::kDouble));
  give(a, numbers({6, 9}, 1, at::kDouble));
  one.step();
  const auto& state = *one.state().begin()->second;
  CHECK(static_cast<const torch_optim::LmoParamState&>(state).steps() == 1);
}

TEST_CASE("no gradient, a sparse one, NaN and infinity") {
  Tensor w = trained({5, 4}, 1), b = trained({5}, 2), c = trained({3}, 3);
  Lmo opt({w, b, c}, 0.1);
  torch::OrderedDict<std::string, Tensor> names;
  names.insert("weight", w);
  names.insert("bias", b);
  opt.set_names(names);
  give(w, numbers({5, 4}, 1));
  give(b, numbers({5}, 1));
  opt.step();
  CHECK(same(c, numbers({3}, 3)));
  CHECK(opt.last_report().parameters.size() == 3);
  CHECK(opt.last_report().parameters[0].name == "weight");
  CHECK(opt.last_report().parameters[1].has_gradient);
  CHECK(!opt.last_report().parameters[2].has_gradient);
  CHECK(opt.last_report().skipped.empty());
  CHECK(opt.state().size() == 2);

  const Tensor before = w.detach().clone(), bias_before = b.detach().clone();
  give(b, numbers({5}, 1).to_sparse());
  CHECK(says(refusal([&] { opt.step(); }), "bias: the gradient must be dense, got Sparse"));
  CHECK(same(w, before));
  CHECK(same(b, bias_before));

  for (const double bad : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    Lmo alone({b}, 0.1);
    restore(alone, saved(Lmo({b}, 0.1)));
    const Tensor still = w.detach().clone(), moving = b.detach().clone();
    Tensor g = numbers({5, 4}, 1);
    g.index_put_({4, 3}, bad);
    give(w, g);
    give(b, numbers({5}, 1));
    const auto steps_of = [&](std::size_t i) {
      for (const auto& item : opt.state()) {
        const auto& s = static_cast<const torch_optim::LmoParamState&>(*item.second);
        if (s.has_oracle() == (i == 0)) return s.steps();
      }
      return index_t(-1);
    };
    const index_t steps = steps_of(0), others = steps_of(1);
    opt.step();
    CHECK(same(w, still));
    CHECK(!same(b, moving));
    CHECK(steps_of(0) == steps);
    CHECK(steps_of(1) == others + 1);
    CHECK(opt.last_report().skipped == std::vector<std::string>{"weight"});
    CHECK(opt.last_report().parameters[0].step.skipped);
    CHECK(!opt.last_report().parameters[1].step.skipped);
  }
}

TEST_CASE("shapes at the edge") {
  for (const auto dtype : {at::kFloat, at::kDouble, at::kHalf}) {
    std::vector<Tensor> all = {
        trained({}, 1, dtype),     trained({1}, 2, dtype),    trained({1, 1}, 3, dtype),
        trained({1, 7}, 4, dtype), trained({7, 1}, 5, dtype), trained({0}, 6, dtype),
        trained({0, 3}, 7, dtype), trained({4, 0}, 8, dtype), trained({2, 3, 2}, 9, dtype)};
    std::vector<Tensor> before;
    for (const Tensor& t : all) before.push_back(t.detach().clone());
    Lmo opt(all, 0.1);
    Lmo forced(all, LmoOptions(0.1).treatment(treatment::matrix));
    give_all(all, 1);
    for (Lmo* o : {&opt, &forced}) {
      o->step();
      CHECK(o->last_report().skipped.empty());
      for (std::size_t i = 0; i < all.size(); ++i) {
        CAPTURE(i);
        CHECK((same(all[i], before[i]) == (all[i].numel() == 0)));
        CHECK(all[i].isfinite().all().item<bool>());
        before[i].copy_(all[i].detach());
      }
    }
  }
  Tensor zero = trained({4, 3}, 1), before = zero.detach().clone();
  Lmo opt({zero}, 0.1);
  give(zero, torch::zeros({4, 3}));
  opt.step();
  CHECK(same(zero, before));
  CHECK(opt.last_report().parameters[0].step.outcome == outcome::zero_input);
}

TEST_CASE("kinds, treatments and stacked matrices") {
  Tensor w = trained({30, 8}, 1), head = copy_of(w), forced = copy_of(w), adam = copy_of(w);
  const LmoOptions base(0.02);
  Lmo opt(std::vector<group>{
      grouped({w}, base), grouped({head}, LmoOptions(base).kind(parameter_kind::head)),
      grouped({forced}, LmoOptions(base).kind(parameter_kind::head).treatment(treatment::matrix))});
  Lmo plain({adam}, LmoOptions(base).treatment(treatment::other));
  for (Tensor* p : {&w, &head, &forced, &adam}) give(*p, numbers({30, 8}, 5));
  opt.step();
  plain.step();
  CHECK(same(w, forced));
  CHECK(same(head, adam));
  CHECK(!same(w, head));

  Tensor fused = trained({30, 8}, 1);
  std::vector<Tensor> thirds;
  for (int i = 0; i < 3; ++i) thirds.push_back(copy_of(fused.slice(0, 10 * i, 10 * i + 10)));
  Lmo whole({fused}, LmoOptions(base).split(3)), apart(thirds, base);
  for (int t = 0; t < 3; ++t) {
    give(fused, numbers({30, 8}, t));
    for (std::size_t i = 0; i < 3; ++i) {
      const auto at = 10 * static_cast<std::int64_t>(i);
      give(thirds[i], fused.grad().slice(0, at, at + 10).clone());
    }
    whole.step();
    apart.step();
  }
  // Blocks are read through the whole's momentum, in other passes: equal up to rounding.
  CHECK(distance(fused, torch::cat({thirds[0], thirds[1], thirds[2]})) < 1e-5);
  Lmo bad({fused}, LmoOptions(base).split(7));
  CHECK(says(refusal([&] { bad.step(); }),
             "parameter 0 of group 0 [30, 8]: LmoOptions: split must be a divisor of 30, got 7"));
}

TEST_CASE("a changed rule keeps what still has a meaning") {
  // AdamW with another decay is the same AdamW.
  Tensor b = trained({37}, 1), tb = copy_of(b);
  Lmo ours({b}, LmoOptions(0.01));
  torch::optim::AdamW theirs({tb}, torch::optim::AdamWOptions(0.01).weight_decay(0));
  for (int t = 0; t < 10; ++t) {
    if (t == 5) {
      options_of(ours).weight_decay(0.3).lr(0.02);
      auto& o = static_cast<torch::optim::AdamWOptions&>(theirs.param_groups()[0].options());
      o.weight_decay(0.3).lr(0.02);
    }
    give(b, numbers({37}, t));
    give(tb, b.grad().clone());
    ours.step();
    theirs.step();
  }
  CHECK(distance(b, tb) <= 80 * std::numeric_limits<float>::epsilon());

  // Another norm sees the momentum of the first: sign(0.5 * 0.5 g + 0.5 * 0) = sign(g).
  for (const auto dtype : {at::kFloat, at::kBFloat16}) {
    Tensor w = torch::zeros({4, 3}, at::TensorOptions(dtype)).requires_grad_();
    Lmo opt({w}, LmoOptions(0.1)
                     .scaling(shape_scaling::none)
                     .momentum({.beta = 0.5, .lookahead = lookahead::none}));
    const Tensor g = numbers({4, 3}, 1, dtype);
    give(w, g);
    opt.step();
    const Tensor before = w.detach().clone();
    options_of(opt).norm("max_abs()").lr(0.25);
    give(w, torch::zeros({4, 3}, at::TensorOptions(dtype)));
    opt.step();
    CHECK(distance(w, before - 0.25 * torch::sign(g)) <= (dtype == at::kFloat ? 1e-7 : 4e-3));
  }
}

TEST_CASE("what cannot be stepped is refused by name") {
  Tensor w = trained({4, 3}, 1);
  const Tensor whole = torch::zeros({4}, at::kInt), wide = torch::zeros({1, 3}).expand({4, 3});
  const Tensor complex = torch::zeros({4}, at::kComplexFloat);
  CHECK(says(refusal([&] { Lmo({w, w}, 0.1); }), "parameter 1 of group 0 [4, 3] must be in one"));
  CHECK(says(refusal([&] { Lmo({w, whole}, 0.1); }), "parameter 1 of group 0 [4] must be float32"));
  CHECK(says(refusal([&] { Lmo({complex}, 0.1); }), "must be float32"));
  CHECK(says(refusal([&] { Lmo({wide}, 0.1); }), "an expanded tensor"));
  CHECK(says(
      refusal([&] {
        Lmo(std::vector<group>{group({w}, std::make_unique<torch::optim::AdamWOptions>(1e-3))});
      }),
      "options of group 0 must be LmoOptions"));
  CHECK(says(refusal([&] { LmoOptions().norm("spectral"); }), "norm: expected"));
  CHECK(says(refusal([&] { LmoOptions().norm("max_abs() + nuclear()"); }), "closed form"));
  CHECK(says(refusal([&] { Lmo({w}, LmoOptions(-1)); }), "lr must be finite and at least 0"));
  CHECK(says(refusal([&] { Lmo({w}, LmoOptions().gap(-1)); }), "gap must be"));
  CHECK(says(refusal([&] { Lmo({w}, LmoOptions().split(0)); }), "split must be at least 1"));
  CHECK_THROWS_AS(Lmo({w}).set_threads(0), std::invalid_argument);
  // A rate out of the constrained form's range, set after the start: nothing moves.
  Lmo opt({w}, LmoOptions(0.5).oracle({.form = step_form::constrained}));
  give(w, numbers({4, 3}, 1));
  options_of(opt).lr(2);
  CHECK(says(refusal([&] { opt.step(); }), "lr of the constrained form"));
  CHECK(same(w, numbers({4, 3}, 1)));
  // A norm for another shape.
  Lmo misfit({w}, LmoOptions(0.1).norm("rms_to_rms(3, 4)"));
  CHECK(says(refusal([&] { misfit.step(); }), "parameter 0 of group 0 [4, 3]: "));
  CHECK(misfit.state().empty());
}

TEST_CASE("autograd hears of a step") {
  Tensor w = trained({4, 3}, 1);
  Lmo opt({w}, 0.1);
  const Tensor loss = (w * w).sum();
  loss.backward({}, true);
  opt.step();
  CHECK_THROWS_AS(loss.backward(), c10::Error);
}

TEST_CASE("threads change no bit, and states are copied deeply") {
  auto a = zoo(), b = zoo();
  Lmo one(a, 0.05), three(b, 0.05);
  three.set_threads(3);
  for (int t = 0; t < 3; ++t) {
    give_all(a, t);
    give_all(b, t);
    one.step();
    three.step();
  }
  for (std::size_t i = 0; i < a.size(); ++i) CHECK(same(a[i], b[i]));
  // A clone goes on by itself.
  for (auto& item : one.state()) item.second = item.second->clone();
  CHECK(saved(one) == saved(three));
  give_all(a, 9);
  give_all(b, 9);
  one.step();
  three.step();
  for (std::size_t i = 0; i < a.size(); ++i) CHECK(same(a[i], b[i]));
}

// A network of two layers under autograd, and the same one with its gradient by hand. Both see the
// same numbers; sums in another order grow over 200 steps, so losses agree to a percent and both
// fall by far more.
TEST_CASE("LibTorch's path trains to the loss of the native one") {
  const index_t samples = 64, inputs = 12, hidden = 24, outputs = 3;
  const Tensor X = numbers({samples, inputs}, 1);
  const Tensor Y = torch::tanh(X.matmul(numbers({inputs, outputs}, 2)));
  torch::nn::Sequential model(torch::nn::Linear(inputs, hidden), torch::nn::Tanh(),
                              torch::nn::Linear(hidden, outputs));
  {
    const torch::NoGradGuard quiet;
    double seed = 3;
    for (Tensor& p : model->parameters()) p.copy_(0.3 * numbers(p.sizes().vec(), seed += 1));
  }
  const auto map = [](const Tensor& t, index_t r, index_t c) {
    return by_rows(Eigen::Map<const by_rows>(t.contiguous().data_ptr<float>(), r, c));
  };
  const auto p = model->parameters();
  by_rows A = map(p[0], hidden, inputs), B = map(p[2], outputs, hidden), gA = A, gB = B;
  Eigen::VectorXf a = map(p[1], hidden, 1), b = map(p[3], outputs, 1), ga = a, gb = b;
  const by_rows x = map(X, samples, inputs), y = map(Y, samples, outputs);
  optimizer<float> native(muon({.scaling = shape_scaling::adamw}), adamw{});
  native.add(make_parameter("A", A, gA));
  native.add(make_parameter("a", a, ga, parameter_kind::bias));
  native.add(make_parameter("B", B, gB));
  native.add(make_parameter("b", b, gb, parameter_kind::bias));
  Lmo opt(model->parameters(), 3e-3);

  double first = 0, loss = 0, native_loss = 0;
  for (int t = 0; t < 200; ++t) {
    const Tensor l = opt.step([&] {
      opt.zero_grad();
      Tensor e = torch::mse_loss(model->forward(X), Y);
      e.backward();
      return e;
    });
    loss = l.item<double>();
    if (t == 0) first = loss;

    const by_rows h = ((x * A.transpose()).rowwise() + a.transpose()).array().tanh();
    const by_rows r = ((h * B.transpose()).rowwise() + b.transpose()) - y;
    native_loss = static_cast<double>(r.squaredNorm()) / static_cast<double>(r.size());
    const by_rows d = r * (2 / static_cast<float>(r.size()));
    const by_rows back = (d * B).array() * (1 - h.array().square());
    gB = d.transpose() * h;
    gb = d.colwise().sum().transpose();
    gA = back.transpose() * x;
    ga = back.colwise().sum().transpose();
    native.step(3e-3);
    if (t == 0) CHECK(native_loss == doctest::Approx(loss).epsilon(1e-5));
  }
  CHECK(loss < 0.1 * first);
  CHECK(native_loss == doctest::Approx(loss).epsilon(0.01));
}
