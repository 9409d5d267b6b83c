/// @file  One matrix in, one subgradient out: the part that `value`, `lmo` and plans share.
#pragma once

#include <fanion/backend/concepts.hpp>
#include <fanion/backend/entry_functions.hpp>
#include <fanion/backend/scale_columns.hpp>
#include <fanion/core/outcome.hpp>
#include <fanion/oracles/terms.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <variant>
#include <vector>

namespace fanion {

/// A matrix whose entries are there already, with its Frobenius norm: the plain case of what
/// `subgradient` takes. Others come into being as they are first read: for a range of columns of
/// the storage the call operator writes them, and returns what it will read next; `bound()` is at
/// least ‖M‖_F and known beforehand, `length()` is ‖M‖_F once all columns were asked for.
template <Real T, class Space>
struct arrived : ignore_columns<T, Space> {
  T norm;

  explicit arrived(T n) : norm(n) {}
  [[nodiscard]] T bound() const { return norm; }
  [[nodiscard]] T length() const { return norm; }
};

/// How far to go along a subgradient G of f at M: `rate`, or with a positive `penalty` λ
/// rate · f(M) / (2λ + growth · f(M)). With f dual to a norm n, -f(M)/(2λ) G minimises
/// <M, X> + λ n(X)².
struct step_length {
  double rate = 1;
  double penalty = 0;
  double growth = 0;

  constexpr step_length(double r, double lambda = 0, double more = 0)
      : rate(r), penalty(lambda), growth(more) {}
  [[nodiscard]] constexpr step_length operator-() const { return {-rate, penalty, growth}; }
};

/// Evaluates f and ∂f for one expression f, shape and method. `M` is always m x n as its owner sees
/// it; storage order is carried by oriented views. Allocates in the constructor only.
template <Subdifferentiable F, Real T, class B>
class subgradient_engine {
 public:
  using space = typename B::space;

  template <SpectralMethod Method>
  subgradient_engine(B& b, const F& f, index_t m, index_t n, const Method& method)
      : f_(f),
        turned_(f.transposed()),
        m_(m),
        n_(n),
        need_(need_of(f, std::min(m, n))),
        feasible_(method.feasible) {
    build_ladder(b, method);
    weights_.resize(static_cast<std::size_t>(need_.depth));
    weight_scratch_.resize(weights_.size());
    if (rungs_.size() > 1) {
      spectrum_.resize(weights_.size());
      upper_.resize(weights_.size());
    }
    work_.resize(static_cast<std::size_t>(workspace_of(f_, std::min(m, n))));
    entries_ = b.template make_workspace<T>(entry_workspace_of(f_, m, n));
    weighted_ = b.template make_workspace<T>(needs_triplets() ? (m + n) * need_.depth : 0);
    outer_ = b.template make_workspace<T>(
        needs_triplets() ? std::max(b.template multiply_outer_size<T>(m, n, need_.depth),
                                    b.template multiply_outer_size<T>(n, m, need_.depth))
                         : 0);
  }

  /// f(M), from the values that the solver attains: exact for `exact{}`, a lower bound otherwise.
  [[nodiscard]] T value(B& b, const oriented_view<const T, space>& m) {
    lmo_report report;
    arrived<T, space> all(measure(b, m));
    if (!begin(all.norm, report))
      return all.norm == T(0) ? T(0) : std::numeric_limits<T>::quiet_NaN();
    solve(b, m, all, report);
    return static_cast<T>(attained_ + entries_of(b, m, all.norm).value);
  }

  /// ‖G‖_F of a matrix that says how the next M will differ from the last: M ≈ keep (last M) +
  /// share G, M stored transposed or not. One read of G, of which the solver makes what it can.
  [[nodiscard]] T approach(B& b, const oriented_view<const T, space>& g, bool transposed, T keep,
                           T share) {
    if (auto* block = std::get_if<block_solver<T, B>>(&solver()))
      return block->approach(b, g, transposed, keep, share);
    return b.norm(g.storage);
  }

  /// D <- keep·D + step·∂f(M), and what that subgradient certifies. For a zero or non-finite M
  /// nothing is added.
  lmo_report subgradient(B& b, const oriented_view<const T, space>& m,
                         const oriented_view<T, space>& d, T keep, step_length step) {
    lmo_report report;
    report.passes = 1;
    arrived<T, space> all(measure(b, m));
    add_subgradient(b, m, all, d, keep, step, report);
    return report;
  }
  /// The same for an M that arrives as it is read.
  template <class Arrival>
  lmo_report subgradient_on_arrival(B& b, const oriented_view<const T, space>& m, Arrival& arrival,
                                    const oriented_view<T, space>& d, T keep, step_length step) {
    lmo_report report;
    add_subgradient(b, m, arrival, d, keep, step, report);
    return report;
  }

  void reset() { climb(0); }
  [[nodiscard]] bool keeps_subspace() const {
    return rungs_.size() > 1 || std::visit(
                                    []<class S>(const S&) {
                                      return requires(S & s, B & b, matrix_view<const T, space> v) {
                                        s.seed(b, v);
                                      };
                                    },
                                    solver());
  }
  /// @throws std::invalid_argument unless v has n rows, at least one column, and the method keeps a
  /// subspace.
  void seed(B& b, matrix_view<const T, space> v) {
    if (v.rows() != n_ || v.cols() < 1)
      refuse("seed_subspace: V", (std::to_string(n_) + " x c with c >= 1").c_str(),
             shape_text(v.rows(), v.cols()));
    std::visit(
        [&]<class S>(S& s) {
          if constexpr (requires { s.seed(b, v); })
            s.seed(b, v);
          else
            throw std::invalid_argument("seed_subspace: this plan's method keeps no subspace");
        },
        solver());
  }
  void save(const B& b, archive_writer& out) const {
    out.write(static_cast<std::uint64_t>(rung_));
    out.write(static_cast<std::uint64_t>(solver().index()));
    std::visit(
        [&]<class S>(const S& s) {
          if constexpr (requires { s.save(b, out); })
            s.save(b, out);
          else if constexpr (requires { s.save(out); })
            s.save(out);
        },
        solver());
  }
  void load(const B& b, archive_reader& in) {
    const auto rung = in.read<std::uint64_t>();
    if (rung >= rungs_.size() || in.read<std::uint64_t>() != rungs_[rung].index())
      throw std::invalid_argument("checkpoint: written by a plan with another solver");
    std::visit(
        [&]<class S>(S& s) {
          if constexpr (requires { s.load(b, in); })
            s.load(b, in);
          else if constexpr (requires { s.load(in); })
            s.load(in);
        },
        rungs_[rung]);
    rung_ = static_cast<std::size_t>(rung);
  }

 private:
  /// Where the weights may end before the spectrum does, solvers for more and more triplets, of
  /// which the last takes them all: each call starts with that of the call before.
  template <class Method>
  void build_ladder(B& b, const Method& method) {
    const index_t r = std::min(m_, n_);
    if constexpr (std::same_as<Method, automatic> || LeadingMethod<Method>)
      if (need_.depth == r && !need_.polar && cuts_off(f_, r))
        for (index_t depth = 8; 3 * (depth + 8) < r; depth *= 2) {
          rungs_.push_back(make_solver<T>(b, m_, n_, {depth, false}, method));
          depths_.push_back(depth);
        }
    if (rungs_.empty())
      rungs_.push_back(make_solver<T>(b, m_, n_, need_, method));
    else
      rungs_.push_back(make_solver<T>(b, m_, n_, need_, exact{}));
  }
  [[nodiscard]] any_solver<T, B>& solver() { return rungs_[rung_]; }
  [[nodiscard]] const any_solver<T, B>& solver() const { return rungs_[rung_]; }
  /// What a solver remembers from before is of no use to a checkpoint that did not hold it.
  void climb(std::size_t rung) {
    rung_ = rung;
    std::visit(
        []<class S>(S& s) {
          if constexpr (requires { s.reset(); }) s.reset();
        },
        solver());
  }

  [[nodiscard]] bool needs_triplets() const { return need_.depth > 0 && !answers_polar(); }
  [[nodiscard]] bool answers_polar() const {
    return std::visit([]<class S>(const S&) { return yields_polar_factor<S>; }, solver());
  }

  /// ‖M‖_F in one read, of which the solver makes what it can.
  [[nodiscard]] T measure(B& b, const oriented_view<const T, space>& m) {
    return approach(b, m, m.transposed, T(0), T(1));
  }

  /// Whether there is anything to do for an M of this norm; if not, the report says why.
  static bool begin(T length, lmo_report& report) {
    report.feasibility = 0;
    if (!is_finite(length)) {
      report.outcome = outcome::non_finite;
      report.objective = report.bound = std::numeric_limits<double>::quiet_NaN();
    } else if (length == T(0)) {
      report.outcome = outcome::zero_input;
    }
    return report.outcome == outcome::converged;
  }

  template <class Arrival>
  void add_subgradient(B& b, const oriented_view<const T, space>& m, Arrival& arrival,
                       const oriented_view<T, space>& d, T keep, step_length step,
                       lmo_report& report) {
    const T bound = arrival.bound();
    const bool streams =
        std::holds_alternative<block_solver<T, B>>(solver()) && bound > T(0) && is_finite(bound);
    if (!streams) (void)arrival(0, m.storage.cols());
    if ((!streams && !begin(arrival.length(), report)) || !solve(b, m, arrival, report))
      return scale(b, d.storage, keep);
    const T length = arrival.length();
    // The solvers have allowed for their own rounding; this is that of the sums here and of D.
    const double slack = 16 * static_cast<double>(std::numeric_limits<T>::epsilon());
    const double size = std::max(1.0, contraction_) * (1 + slack);
    const double share = feasible_ ? 1 / size : 1.0;
    const auto entries = entries_of(b, m, length);
    report.passes += entries.passes;
    double rate = step.rate * share;
    if (step.penalty > 0) {
      const double f = share * (attained_ + entries.value);
      rate *= f / (2 * step.penalty + step.growth * f);
    }
    add_spectral(b, d, keep, rate);

    const oriented_view<const T, space> aligned{m.storage, m.transposed != d.transposed};
    if (d.transposed)
      report.passes +=
          add_entrywise_subgradients(turned_, b, aligned, d.storage, rate, length, entries_.span());
    else
      report.passes +=
          add_entrywise_subgradients(f_, b, aligned, d.storage, rate, length, entries_.span());

    report.objective = -share * (attained_ + entries.value);
    report.bound = (bound_ + entries.value) * (1 + slack);
    report.feasibility = feasible_ ? 1.0 : size;
  }

  [[nodiscard]] entrywise_value entries_of(B& b, const oriented_view<const T, space>& m, T length) {
    return m.transposed ? value_of_entries(turned_, b, m.storage, length, entries_.span())
                        : value_of_entries(f_, b, m.storage, length, entries_.span());
  }

  static void scale(B& b, matrix_view<T, space> d, T keep) {
    if (keep == T(0))
      b.fill(d, T(0));
    else if (keep != T(1))
      b.map_entries(d.as_const(), d, entry::times<T>{keep});
  }

  /// False where M turned out zero or non-finite; the report says which.
  template <class Arrival>
  bool solve(B& b, const oriented_view<const T, space>& m, Arrival& arrival, lmo_report& report) {
    attained_ = bound_ = 0;
    contraction_ = 1;
    if (need_.depth == 0) return true;
    const T bound = arrival.bound();
    const T power = unit_scale(bound);
    const operand<T, space> a{m, power, static_cast<double>(bound) * static_cast<double>(power)};
    const double unit = 1 / static_cast<double>(power);
    for (;;) {
      std::visit(
          [&]<class S>(S& s) {
            if constexpr (yields_polar_factor<S>)
              polar_ = s.solve(b, a);
            else if constexpr (std::same_as<S, block_solver<T, B>>)
              triplets_ = s.solve(b, a, arrival);
            else if constexpr (!std::same_as<S, std::monostate>)
              triplets_ = s.solve(b, a);
          },
          solver());
      if (answers_polar()) break;
      report.passes += triplets_.effort.passes;
      if (!begin(arrival.length(), report)) return false;
      weigh();
      const std::size_t found = triplets_.sigma.size();
      if (rung_ + 1 == rungs_.size() || found >= weights_.size() || weights_[found] == T(0)) break;
      climb(rung_ + 1);
    }
    const bool polar = answers_polar();
    if (polar) {
      const double weight = polar_weight(f_);
      attained_ = weight * polar_.product * unit;
      bound_ = weight * polar_.nuclear_bound * unit;
      contraction_ = polar_.spectral_bound;
      report.passes += polar_.effort.passes;
    } else {
      double attained = 0;
      for (std::size_t i = 0; i < std::min(weights_.size(), triplets_.sigma.size()); ++i)
        attained += static_cast<double>(weights_[i]) * static_cast<double>(triplets_.sigma[i]);
      attained_ = attained * unit;
      bound_ = spectral_value(f_, std::min(m_, n_), upper(), std::span(work_)) * unit;
      contraction_ = triplets_.contraction;
    }
    const effort& done = polar ? polar_.effort : triplets_.effort;
    report.residual = done.residual;
    report.failure_probability = done.failure_probability;
    report.iterations = done.iterations;
    report.outcome = done.outcome;
    report.depth = polar ? 0 : std::ssize(triplets_.sigma);
    descend();
    return true;
  }

  /// The weights of the triplets. Where there are fewer than f reads, the other σ are taken for as
  /// large as the last that was found. Weights that end before the last one are a subgradient for
  /// any smaller ones too: f is monotone, and <w, σ> is what it was.
  void weigh() {
    std::span<const T> sigma = triplets_.sigma;
    if (sigma.size() < weights_.size()) {
      std::copy(sigma.begin(), sigma.end(), spectrum_.begin());
      std::fill(spectrum_.begin() + std::ssize(sigma), spectrum_.end(), sigma.back());
      sigma = spectrum_;
    }
    spectral_weights(f_, std::min(m_, n_), sigma, std::span(weights_), std::span(weight_scratch_),
                     std::span(work_));
  }
  /// Bounds on all σ that f reads.
  [[nodiscard]] std::span<const double> upper() {
    const std::span<const double> known = triplets_.upper;
    if (known.size() >= weights_.size()) return known;
    std::copy(known.begin(), known.end(), upper_.begin());
    std::fill(upper_.begin() + std::ssize(known), upper_.end(), known.back());
    return upper_;
  }
  /// Back to fewer triplets for the next call, where this one needed less than half of them. What
  /// this call found stays where it is.
  void descend() {
    const auto used = std::find(weights_.begin(), weights_.end(), T(0)) - weights_.begin();
    std::size_t rung = rung_;
    while (rung > 0 && 2 * used <= depths_[rung - 1]) --rung;
    if (rung < rung_) climb(rung);
  }

  /// D <- keep·D + rate·U diag(w) Vᵀ, or the multiple of the polar factor.
  void add_spectral(B& b, const oriented_view<T, space>& d, T keep, double rate) {
    if (need_.depth == 0) return scale(b, d.storage, keep);
    if (answers_polar()) {
      const T factor = static_cast<T>(rate * polar_weight(f_));
      if (polar_.x.transposed == d.transposed)
        b.axpby(factor, polar_.x.storage, keep, d.storage);
      else
        b.axpby_adjoint(factor, polar_.x.storage, keep, d.storage);
      return;
    }
    const auto& u = d.transposed ? triplets_.v : triplets_.u;
    const auto& v = d.transposed ? triplets_.u : triplets_.v;
    // Triplets with weight zero, at the end since weights do not increase, cost nothing.
    index_t count = std::min<index_t>(u.cols(), static_cast<index_t>(weights_.size()));
    while (count > 0 && weights_[static_cast<std::size_t>(count - 1)] == T(0)) --count;
    const matrix_view<T, space> scaled_u(weighted_.data(), u.rows(), count);
    scale_columns<T>(b, weights_, u.columns(0, count), T(0), scaled_u);
    b.multiply_outer(static_cast<T>(rate), scaled_u.as_const(), v.columns(0, count), keep,
                     d.storage, outer_.span());
  }

  F f_;
  decltype(std::declval<const F&>().transposed()) turned_;  // for matrices stored transposed
  index_t m_, n_;
  spectral_need need_;
  bool feasible_;
  std::vector<any_solver<T, B>> rungs_;
  std::vector<index_t> depths_;  // of all rungs but the last
  std::size_t rung_ = 0;
  triplets<T, space> triplets_ = {};
  polar_factor<T, space> polar_ = {};
  std::vector<T> weights_, weight_scratch_, spectrum_;
  std::vector<double> work_, upper_;
  decltype(std::declval<B&>().template make_workspace<T>(0)) weighted_, outer_, entries_;
  double attained_ = 0;
  double bound_ = 0;
  double contraction_ = 1;
};

}  // namespace fanion
