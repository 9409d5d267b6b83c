/// @file  Plans: an oracle with its memory. Everything is allocated here, once.
#pragma once

#include <fanion/core/archive.hpp>
#include <fanion/oracles/engine.hpp>
#include <fanion/oracles/rescaled_engine.hpp>

#include <type_traits>
#include <utility>

namespace fanion {

/// The oracle of N's unit ball for one shape. Made by plan_lmo. Movable, not copyable; one thread
/// at a time. B is a backend that the plan owns, or a reference to the caller's.
///
/// Warm start is this object's memory: `reset()` forgets it, `save` and `load` carry it through a
/// checkpoint bit for bit, `seed_subspace` sets it.
template <LmoTractable N, Real T, class B>
class lmo_plan {
  using backend_type = std::remove_reference_t<B>;

 public:
  using scalar = T;
  using space = typename backend_type::space;
  using dual_norm = dual_type<N>;

  /// @throws std::invalid_argument where n does not fit the shape, is zero times a norm, or the
  /// method cannot serve it.
  template <SpectralMethod Method>
  lmo_plan(const N& n, index_t rows, index_t cols, bool staged, const Method& method, B backend)
      : norm_(n),
        rows_(rows),
        cols_(cols),
        backend_(std::forward<B>(backend)),
        engine_(backend_, checked_dual(n, rows, cols), rows, cols, method) {
    if (staged)
      for (auto& buffer : staging_) buffer = backend_.template make_workspace<T>(rows * cols);
  }
  lmo_plan(lmo_plan&&) = default;
  lmo_plan& operator=(lmo_plan&&) = default;

  [[nodiscard]] const N& norm() const noexcept { return norm_; }
  [[nodiscard]] index_t rows() const noexcept { return rows_; }
  [[nodiscard]] index_t cols() const noexcept { return cols_; }

  /// D <- argmin { <M, X> : N(X) <= 1 }. Zero M, zero D. Allocates nothing, unless D owns its
  /// memory and has another shape: then it is resized.
  /// @throws std::invalid_argument where M has another shape than the plan, D cannot be resized to
  /// it, or the two overlap; D is then as it was.
  template <Matrix M, WritableMatrix D>
  requires std::same_as<scalar_of<M>, T> && std::same_as<scalar_of<D>, T> lmo_report
  execute(const M& m, D&& d) {
    return answer(m, d, -1.0);
  }

  /// D <- argmin { <M, X> + λ N(X)² }: the oracle's answer times N*(M)/(2λ), the step of steepest
  /// descent under N (Bernstein and Newhouse 2024). The report is the oracle's, about D before it
  /// was scaled. @throws std::invalid_argument as `execute`, and unless lambda is above 0.
  template <Matrix M, WritableMatrix D>
  requires std::same_as<scalar_of<M>, T> && std::same_as<scalar_of<D>, T> lmo_report
  steepest(const M& m, D&& d, double lambda) {
    return answer(m, d, {-1.0, expects_positive(lambda, "steepest: lambda")});
  }

  /// X <- keep X + step D with D the oracle's answer, which is never formed where it has low rank:
  /// one read and one write of X. Zero or non-finite M: X <- keep X. With a penalty λ in the step
  /// D is that of `steepest`.
  /// @throws std::invalid_argument as `execute`, and where X has another shape.
  template <Matrix M, WritableMatrix X>
  requires std::same_as<scalar_of<M>, T> && std::same_as<scalar_of<X>, T> lmo_report
  update(const M& m, X&& x, double keep, step_length step) {
    using adapter = matrix_adapter<std::remove_cvref_t<X>>;
    const auto source = read(m);
    if (adapter::rows(x) != rows_ || adapter::cols(x) != cols_)
      refuse("update: the shape of X", shape_text(rows_, cols_).c_str(),
             shape_text(adapter::rows(x), adapter::cols(x)));
    refuse_overlap("update: the memory of X", m, x);
    return run(source, x, static_cast<T>(keep), -step);
  }

  /// The same for views, which is what optimizers hold.
  lmo_report update_views(const oriented_view<const T, space>& m, const oriented_view<T, space>& x,
                          double keep, step_length step) {
    check_update(m, x);
    return report_ = engine_.subgradient(backend_, m, x, static_cast<T>(keep), -step);
  }

  /// ‖G‖_F, in one read of G that prepares the next execution: its M, stored transposed or not,
  /// will be about keep_last times that of the last one plus share times G.
  [[nodiscard]] T approach_views(const oriented_view<const T, space>& g, bool transposed,
                                 double keep_last, double share) {
    if (g.rows() != rows_ || g.cols() != cols_)
      refuse("approach: the shape of G", shape_text(rows_, cols_).c_str(),
             shape_text(g.rows(), g.cols()));
    return engine_.approach(backend_, g, transposed, static_cast<T>(keep_last),
                            static_cast<T>(share));
  }
  /// update_views for an M whose columns `arrival` writes as they are first read: see `arrived`.
  template <class Arrival>
  lmo_report update_on_arrival(const oriented_view<const T, space>& m, Arrival& arrival,
                               const oriented_view<T, space>& x, double keep, step_length step) {
    check_update(m, x);
    return report_ =
               engine_.subgradient_on_arrival(backend_, m, arrival, x, static_cast<T>(keep), -step);
  }

  /// What the last execution reported.
  [[nodiscard]] const lmo_report& report() const noexcept { return report_; }

  void reset() { engine_.reset(); }
  /// Whether an execution starts from the subspace that the last one ended with.
  [[nodiscard]] bool keeps_subspace() const { return engine_.keeps_subspace(); }

  /// Starts the next execution from the span of the columns of V, cols() x c.
  template <Matrix V>
  requires std::same_as<scalar_of<V>, T> && matrix_adapter<V>::viewable void seed_subspace(
      const V& v) {
    const auto view = matrix_adapter<V>::view(v);
    if (!view.transposed) return engine_.seed(backend_, view.storage.as_const());
    const auto copy = backend_.template make_workspace<T>(view.storage.size());
    const matrix_view<T, space> turned(copy.data(), view.rows(), view.cols());
    backend_.copy_adjoint(view.storage.as_const(), turned);
    engine_.seed(backend_, turned.as_const());
  }

  /// @throws std::runtime_error where the stream fails.
  void save(std::ostream& out) const {
    archive_writer archive(out);
    archive.write(magic);
    archive.write(static_cast<std::uint64_t>(sizeof(T)));
    archive.write(rows_);
    archive.write(cols_);
    engine_.save(backend_, archive);
  }
  /// @throws std::invalid_argument where the data is not this plan's: another scalar, shape or
  /// method, or cut short. The memory is then as it was.
  void load(std::istream& in) {
    archive_reader archive(in);
    if (archive.read<std::uint64_t>() != magic)
      throw std::invalid_argument("checkpoint: not the memory of a plan");
    const auto scalar_size = archive.read<std::uint64_t>();
    if (scalar_size != sizeof(T)) refuse("checkpoint: bytes a scalar", "the plan's", scalar_size);
    const auto rows = archive.read<index_t>(), cols = archive.read<index_t>();
    if (rows != rows_ || cols != cols_)
      refuse("checkpoint: the shape", shape_text(rows_, cols_).c_str(), shape_text(rows, cols));
    engine_.load(backend_, archive);
  }

 private:
  static constexpr std::uint64_t magic = 0x316e616c506e6146;  // "FanPlan1"

  static dual_norm checked_dual(const N& n, index_t rows, index_t cols) {
    expects_positive_norm(n);
    check_shape_of(n, rows, cols);
    return dual(n);
  }

  template <class M>
  oriented_view<const T, space> read(const M& m) {
    using adapter = matrix_adapter<M>;
    if (adapter::rows(m) != rows_ || adapter::cols(m) != cols_)
      refuse("lmo: the shape of M", shape_text(rows_, cols_).c_str(),
             shape_text(adapter::rows(m), adapter::cols(m)));
    if constexpr (adapter::viewable) {
      const auto view = adapter::view(m);
      return {view.storage.as_const(), view.transposed};
    } else {
      const auto copy = staging(0);
      adapter::gather(m, copy);
      return {copy.as_const(), false};
    }
  }

  void check_update(const oriented_view<const T, space>& m,
                    const oriented_view<T, space>& x) const {
    if (m.rows() != rows_ || m.cols() != cols_)
      refuse("update: the shape of M", shape_text(rows_, cols_).c_str(),
             shape_text(m.rows(), m.cols()));
    if (x.rows() != rows_ || x.cols() != cols_)
      refuse("update: the shape of X", shape_text(rows_, cols_).c_str(),
             shape_text(x.rows(), x.cols()));
    if (overlaps(m.storage, x.storage))
      refuse("update: the memory of X", "apart from that of M", "an overlap");
  }

  template <class M, class X>
  static void refuse_overlap(const char* what, const M& m, const X& x) {
    if (overlaps(matrix_adapter<M>::lattice(m), matrix_adapter<X>::lattice(x)))
      refuse(what, "apart from that of M", "an overlap");
  }

  /// D <- step times what points downhill, D resized where it can be.
  template <class M, class D>
  lmo_report answer(const M& m, D& d, step_length step) {
    using adapter = matrix_adapter<std::remove_const_t<D>>;
    const auto source = read(m);
    refuse_overlap("lmo: the memory of D", m, d);
    if (adapter::rows(d) != rows_ || adapter::cols(d) != cols_) {
      bool resized = false;
      if constexpr (adapter::resizable) {
        resized = adapter::can_hold(rows_, cols_);
        if (resized) adapter::resize(d, rows_, cols_);
      }
      if (!resized)
        refuse("lmo: the shape of D", shape_text(rows_, cols_).c_str(),
               shape_text(adapter::rows(d), adapter::cols(d)));
    }
    return run(source, d, T(0), step);
  }

  template <class X>
  lmo_report run(const oriented_view<const T, space>& m, X& x, T keep, step_length step) {
    using adapter = matrix_adapter<std::remove_const_t<X>>;  // a view may be const itself
    if constexpr (adapter::viewable) {
      const oriented_view<T, space> view = adapter::view(x);
      report_ = engine_.subgradient(backend_, m, view, keep, step);
    } else {
      const auto copy = staging(1);
      if (keep != T(0)) adapter::gather(x, copy);
      report_ = engine_.subgradient(backend_, m, {copy, false}, keep, step);
      adapter::scatter(copy.as_const(), x);
    }
    return report_;
  }

  [[nodiscard]] matrix_view<T, space> staging(std::size_t i) const {
    if (staging_[i].size() < rows_ * cols_)
      throw std::invalid_argument(
          "lmo: a matrix whose inner stride is not 1 needs a plan made from such a matrix");
    return {staging_[i].data(), rows_, cols_};
  }

  N norm_;
  index_t rows_, cols_;
  B backend_;
  subgradient_engine<dual_norm, T, backend_type> engine_;
  decltype(std::declval<backend_type&>().template make_workspace<T>(0)) staging_[2];
  lmo_report report_;
};

/// A plan for matrices like `like`, of which only shape, scalar and layout are read. Allocates.
/// The plan owns its backend.
template <LmoTractable N, Matrix M, SpectralMethod Method = automatic>
[[nodiscard]] auto plan_lmo(const N& n, const M& like, const Method& method = {}) {
  using adapter = matrix_adapter<M>;
  using backend = typename default_backend<space_of<M>>::type;
  return lmo_plan<N, scalar_of<M>, backend>(n, adapter::rows(like), adapter::cols(like),
                                            !adapter::viewable, method, backend());
}

/// The same on the caller's backend, which must outlive the plan.
template <LmoTractable N, Matrix M, SpectralMethod Method, Backend B>
[[nodiscard]] auto plan_lmo(const N& n, const M& like, const Method& method, B& backend) {
  using adapter = matrix_adapter<M>;
  return lmo_plan<N, scalar_of<M>, B&>(n, adapter::rows(like), adapter::cols(like),
                                       !adapter::viewable, method, backend);
}
template <LmoTractable N, Matrix M, SpectralMethod Method, Backend B>
auto plan_lmo(const N& n, const M& like, const Method& method, const B&& backend) = delete;

}  // namespace fanion
