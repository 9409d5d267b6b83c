/// @file  NorMuon: an oracle's answer whose rows are brought to one length over time.
///
/// With O = s lmo(N, momentum), a second moment v for each row, 0 at first, and n columns:
///   vᵢ <- β₂vᵢ + (1-β₂) (Σⱼ oᵢⱼ²)/n,  O'ᵢ = Oᵢ / sqrt(vᵢ),
///   X <- (1 - η decay) X + η (‖O‖_F/‖O'‖_F) O'.
/// Rows are outputs. v needs no correction for its start: a factor common to all rows drops out. A
/// row that has always been 0 stays 0, so the method has no epsilon. Where m <= n the rows of a
/// polar factor of full rank are orthonormal, and NorMuon is Muon.
///
/// Li et al. 2025, arXiv:2510.05491, for the spectral ball. Their length, 0.2 sqrt(mn) for the
/// whole step, is this one with shape_scaling::adamw, since ‖UVᵀ‖_F = sqrt(min(m, n)).
#pragma once

#include <fanion/backend/entry_functions.hpp>
#include <fanion/backend/transfers.hpp>
#include <fanion/norms/spectral_nuclear.hpp>
#include <fanion/optim/describe.hpp>
#include <fanion/optim/inner_answer.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace fanion {

template <LmoTractable N, Real T, class B>
class row_normalized_step;

/// Any oracle's rule with its rows normalised; the form has to be unconstrained.
template <LmoTractable N>
struct row_normalized {
  lmo_rule<N> inner;
  double beta2 = 0.95;

  static constexpr const char* name = "row_normalized";
  template <Real T, class B>
  using step = row_normalized_step<N, T, B>;
};

template <LmoTractable N>
void check(const row_normalized<N>& r) {
  check(r.inner.options);
  check_beta(r.beta2, "row_normalized: beta2");
  if (r.inner.options.form != step_form::unconstrained)
    refuse("row_normalized: form", "unconstrained", "another");
}
template <LmoTractable N>
[[nodiscard]] std::string describe(const row_normalized<N>& r) {
  return "row_normalized, beta2 " + describe(r.beta2) + ", " + describe(r.inner);
}

[[nodiscard]] inline row_normalized<spectral> normuon(double beta2 = 0.95,
                                                      const lmo_options& options = {}) {
  const row_normalized<spectral> rule{{spectral(), options}, beta2};
  check(rule);
  return rule;
}

/// State and step of one parameter: that of the oracle, O of its size, and v, in double. Allocates
/// in the constructor only.
template <LmoTractable N, Real T, class B>
class row_normalized_step {
 public:
  using space = typename B::space;

  /// Each block has a v of its own. @throws as lmo_step's constructor.
  row_normalized_step(const row_normalized<N>& rule, index_t rows, index_t cols, B& backend,
                      std::vector<matrix_block> blocks = {})
      : rule_(rule),
        backend_(&backend),
        blocks_(checked_blocks(std::move(blocks), rows, cols, "row_normalized_step")),
        answer_(inner_rule(rule), rows, cols, backend, blocks_) {
    index_t count = 0, most = 0;
    for (const matrix_block& at : blocks_) {
      count += at.rows;
      most = std::max(most, at.rows);
    }
    moments_.resize(static_cast<std::size_t>(count));
    roots_.resize(static_cast<std::size_t>(most));
    lengths_ = backend.template make_workspace<T>(most);
  }

  [[nodiscard]] index_t steps() const noexcept { return answer_.step().steps(); }
  [[nodiscard]] const row_normalized<N>& rule() const noexcept { return rule_; }
  [[nodiscard]] momentum_state<T, space> state() const { return answer_.step().state(); }
  /// Goes on from this momentum; v starts anew.
  void adopt(const momentum_state<T, space>& from) {
    answer_.step().adopt(from);
    std::fill(moments_.begin(), moments_.end(), 0.0);
  }

  /// As lmo_step::step; the report is the oracle's, about O before its rows were scaled.
  step_report step(const oriented_view<T, space>& weight,
                   const oriented_view<const T, space>& gradient, double rate) {
    check_step(weight, gradient);
    (void)expects_coefficient(rate, "step: rate");
    const step_report report = answer_.compute(gradient, weight.transposed);
    if (report.skipped) return report;
    const double keep = 1 - rate * rule_.inner.options.decay;
    double* moments = moments_.data();
    for (const matrix_block& at : blocks_) {
      const oriented_view<T, space> o = window(answer_.values(), at);
      const double length = normalize_rows(o, moments);
      add_answer(*backend_, rate * length, o, keep, window(weight, at));
      moments += at.rows;
    }
    return report;
  }

  void reset() {
    answer_.step().reset();
    std::fill(moments_.begin(), moments_.end(), 0.0);
  }
  void save(archive_writer& out) const {
    out.write(std::string("row_normalized_step"));
    answer_.step().save(out);
    out.write(std::span<const double>(moments_));
  }
  /// As lmo_step::load.
  void load(archive_reader& in) {
    expect_text(in, "row_normalized_step");
    answer_.step().load(in);
    in.read(std::span<double>(moments_));
  }

 private:
  /// Decay does nothing to the zeros that the oracle's step starts from.
  static const lmo_rule<N>& inner_rule(const row_normalized<N>& r) {
    check(r);
    return r.inner;
  }

  /// O <- O'; returns ‖O‖_F/‖O'‖_F.
  double normalize_rows(const oriented_view<T, space>& o, double* v) {
    const matrix_view<T, space> lengths(lengths_.data(), o.rows(), 1);
    const matrix_view<T> roots(roots_.data(), o.rows(), 1);
    const lines along = o.transposed ? lines::columns : lines::rows;
    backend_->template line_norms<T>(o.storage.as_const(), along, lengths);
    to_host<T>(*backend_, lengths.as_const(), roots);
    double before = 0, after = 0;
    for (index_t i = 0; i < o.rows(); ++i) {
      const auto length = static_cast<double>(roots(i, 0));
      v[i] =
          rule_.beta2 * v[i] + (1 - rule_.beta2) * length * length / static_cast<double>(o.cols());
      roots(i, 0) = static_cast<T>(std::sqrt(v[i]));
      if (!(roots(i, 0) > T(0))) continue;
      before = std::hypot(before, length);
      after = std::hypot(after, length / static_cast<double>(roots(i, 0)));
    }
    from_host<T>(*backend_, roots.as_const(), lengths);
    backend_->template map_lines<T>({o.storage.as_const(), false}, along, lengths.as_const(),
                                    o.storage, entry::over_line<T>());
    return after > 0 ? before / after : 0;
  }

  row_normalized<N> rule_;
  B* backend_;
  std::vector<matrix_block> blocks_;
  inner_answer<N, T, B> answer_;
  std::vector<double> moments_;
  std::vector<T> roots_;  // of the rows of a block, like the lengths
  decltype(std::declval<B&>().template make_workspace<T>(0)) lengths_;
};

}  // namespace fanion
