/// @file  The seam between this trainer and the library: a method's name in, a step out.
#pragma once

#include <mlp/catalogue.hpp>

#include <fanion/eigen.hpp>

#include <Eigen/Core>

#include <chrono>
#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace trainers {

using fanion::index_t;

enum class part_kind { hidden, rest };

/// A weight and its gradient as they lie in the network.
struct parameter {
  std::string name;
  Eigen::Map<Eigen::MatrixXf> weight;
  Eigen::Map<Eigen::MatrixXf> gradient;
  part_kind kind;
};

struct method_settings {
  double rate = 0;       ///< of the hidden matrix (of everything for sgd and adamw)
  double rest_rate = 0;  ///< of AdamW on what an LMO method leaves over
  double momentum = 0.95;
  double decay = 0;
  double alpha = 0.5;
  double eta = 0.03;
};

struct step_cost {
  double seconds = 0;
  double passes = 0;  ///< full reads of the hidden matrix's momentum
};

/// Temporary: the library's own optimizers replace this.
class optimizer {
 public:
  optimizer(const std::string& method, const method_settings& s, std::vector<parameter> parameters)
      : method_(method), s_(s), parameters_(std::move(parameters)) {
    for (const parameter& p : parameters_) {
      first_.push_back(Eigen::MatrixXf::Zero(p.weight.rows(), p.weight.cols()));
      second_.push_back(first_.back());
    }
    using namespace fanion;
    const method_name name = parse_method(method).value();
    const double a = s.alpha, e = s.eta;
    const index_t r = std::min(first_[0].rows(), first_[0].cols());
    const std::string& f = name.family;
    const automatic lead{.gap = 1e-2};
    const automatic polar{.gap = 1e-3};
    if (f == "nsgd") use(frobenius(), lead);
    if (f == "sign-sgd") use(max_abs(), lead);
    if (f == "muon") use(spectral(), polar);
    if (f == "neon") use(nuclear(), lead);
    if (f == "fanion") use(fanion::dual(ky_fan(name.k)), lead);
    if (f == "f-neon") use(fanion::dual(a * spectral() + (1 - a) * frobenius()), lead);
    if (f == "f-muon") use(fanion::dual(a * ky_fan(r) + (1 - a) * frobenius()), polar);
    if (f == "s-muon") use(fanion::dual(a * ky_fan(r) + (1 - a) * e * sum_abs()), polar);
  }

  step_cost step(double factor) {
    const auto start = std::chrono::steady_clock::now();
    double passes = 1;
    ++count_;
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      parameter& p = parameters_[i];
      const bool lmo = update_ && i == 0;
      const auto rate = static_cast<float>((lmo || !update_ ? s_.rate : s_.rest_rate) * factor);
      if (method_ == "sgd") {
        first_[i] += float(1 - s_.momentum) * (p.gradient - first_[i]);
        p.weight -= rate * first_[i];
      } else if (lmo) {
        first_[i] += float(1 - s_.momentum) * (p.gradient - first_[i]);
        passes = double(update_(first_[i], p.weight, rate).passes);
      } else {
        first_[i] += 0.1f * (p.gradient - first_[i]);
        second_[i] += 0.001f * (p.gradient.cwiseAbs2() - second_[i]);
        const auto c1 = static_cast<float>(1 - std::pow(0.9, count_));
        const auto c2 = static_cast<float>(1 - std::pow(0.999, count_));
        p.weight.array() -=
            rate * (first_[i].array() / c1) / ((second_[i].array() / c2).sqrt() + 1e-8f);
      }
    }
    return {std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
            passes};
  }

 private:
  template <class N, class M>
  void use(const N& n, const M& m) {
    auto plan = std::make_shared<decltype(fanion::plan_lmo(n, first_[0], m))>(
        fanion::plan_lmo(n, first_[0], m));
    update_ = [plan](const Eigen::MatrixXf& g, Eigen::Map<Eigen::MatrixXf>& w, double rate) {
      return plan->update(g, w, 1.0, rate);
    };
  }
  std::string method_;
  method_settings s_;
  std::vector<parameter> parameters_;
  std::vector<Eigen::MatrixXf> first_, second_;
  std::function<fanion::lmo_report(const Eigen::MatrixXf&, Eigen::Map<Eigen::MatrixXf>&, double)>
      update_;
  int count_ = 0;
};

/// Factor on the rate at step `step` of `steps`.
inline double schedule_factor(index_t step, index_t steps, double warmup) {
  const double at = double(step) / double(steps);
  const double ramp = std::fmin(1.0, (double(step) + 1) / std::fmax(1.0, warmup * double(steps)));
  return ramp * (at < warmup ? 1 : 0.5 * (1 + std::cos(3.14159265358979 * (at - warmup) / (1 - warmup))));
}

}  // namespace trainers
