/// @file  What the LibTorch optimizer keeps of one parameter, and how it sees its memory.
#pragma once

#include <fanion/adapters/torch_options.hpp>
#include <fanion/core/reduced.hpp>
#include <fanion/optim/master_weights.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace fanion::torch_optim {

namespace detail {

/// A tensor as a matrix of outputs x inputs: the first dimension, and the others as one. A vector
/// is a column, a number 1 x 1.
struct matrix_shape {
  index_t rows = 1, cols = 1;

  explicit matrix_shape(at::IntArrayRef sizes) {
    if (sizes.empty()) return;
    rows = sizes[0];
    for (const std::int64_t size : sizes.slice(1)) cols *= size;
  }
};

/// How a parameter's matrix is walked through: by rows (`transposed`, as in oriented_view) or by
/// columns, and whether its entries stand side by side as one line.
struct walk {
  bool transposed = true;
  bool flat = false;
};

/// The lines of a tensor's matrix, each with its entries side by side: a view of the tensor's
/// memory where that is so laid out, a copy otherwise.
[[nodiscard]] inline at::Tensor lines_of(const at::Tensor& t, const walk& w) {
  const matrix_shape shape(t.sizes());
  at::Tensor lines = t.detach().reshape({shape.rows, shape.cols});
  if (!w.transposed) lines = lines.t();
  const bool within = lines.size(1) < 2 || lines.stride(1) == 1;
  const bool between = lines.size(0) < 2 || lines.stride(0) >= lines.size(1);
  return w.flat || !within || !between ? lines.contiguous() : lines;
}

/// By columns where only these are lines in memory, or there is one.
[[nodiscard]] inline walk walk_of(const at::Tensor& t, bool flat) {
  const bool rows = matrix_shape(t.sizes()).cols != 1 && lines_of(t, {true, flat}).is_alias_of(t);
  return {rows || !lines_of(t, {false, flat}).is_alias_of(t), flat};
}

/// Lines as fanion sees them. bfloat16 and float16 have the bits of LibTorch's types.
template <class E>
[[nodiscard]] oriented_view<E> view_of(const at::Tensor& lines, const walk& w) {
  auto* const data = static_cast<E*>(lines.data_ptr());
  if (w.flat) return {matrix_view<E>(data, lines.numel(), 1), false};
  const index_t inner = lines.size(1), outer = lines.size(0);
  const index_t ld = outer < 2 ? inner : std::max<index_t>(lines.stride(0), inner);
  return {matrix_view<E>(data, inner, outer, ld), w.transposed};
}

/// Writes lines back to the tensor that they were copied from.
inline void scatter(const at::Tensor& lines, const walk& w, at::Tensor& t) {
  t.copy_((w.transposed ? lines : lines.t()).reshape(t.sizes()));
}

/// What a parameter keeps beside its own entries: nothing, or a float32 master for 16 bits.
template <class E>
struct master_of {
  using scalar = E;
  struct type {
    explicit type(const oriented_view<E>&) {}
    void adopt(const type&) {}
    void save(archive_writer&) const {}
    void load(archive_reader&) {}
  };
};
template <Reduced E>
struct master_of<E> {
  using scalar = float;
  using type = master_weights<E>;
};

/// The step of a parameter with entries E. The backend is its own, so that results do not depend on
/// what other parameters do meanwhile.
template <class E>
class held_step {
 public:
  using scalar = typename master_of<E>::scalar;

  held_step(const LmoOptions& options, matrix_shape shape, const walk& w)
      : backend_(std::make_unique<eigen_backend>()),
        step_(make(options, shape, w, *backend_)),
        master_(memory_like(shape, w)) {}

  [[nodiscard]] index_t steps() const { return step_.steps(); }

  step_report step(const at::Tensor& weight, const at::Tensor& gradient, const walk& w,
                   double rate) {
    const auto x = view_of<E>(weight, w);
    const auto g = view_of<const E>(gradient, w);
    if constexpr (Reduced<E>) {
      master_.open(x, g);
      const step_report r = step_.step(master_.weight(), master_.gradient(), rate);
      if (!r.skipped) master_.close(x);
      return r;
    } else {
      return step_.step(x, g, rate);
    }
  }

  /// From the momentum of another step of the same shape and walk, where both have an oracle.
  void continue_from(const held_step& other) {
    step_.continue_from(other.step_);
    master_.adopt(other.master_);
  }
  [[nodiscard]] std::string save() const {
    std::ostringstream out;
    archive_writer archive(out);
    step_.save(archive);
    master_.save(archive);
    return out.str();
  }
  void load(const std::string& bytes) {
    std::istringstream in(bytes);
    archive_reader archive(in);
    step_.load(archive);
    master_.load(archive);
  }

 private:
  static any_step<scalar> make(const LmoOptions& options, const matrix_shape& shape, const walk& w,
                               eigen_backend& backend) {
    const auto rule = options.make_rule<scalar>(!w.flat);
    if (w.flat) return rule.make(shape.rows * shape.cols, 1, backend);
    const index_t parts = options.split(), rows = shape.rows / parts;
    if (rows * parts != shape.rows)
      refuse("LmoOptions: split", ("a divisor of " + std::to_string(shape.rows)).c_str(), parts);
    std::vector<matrix_block> blocks;
    for (index_t i = 0; i < parts; ++i) blocks.push_back({i * rows, 0, rows, shape.cols});
    return rule.make(shape.rows, shape.cols, backend, std::move(blocks));
  }
  static oriented_view<E> memory_like(const matrix_shape& shape, const walk& w) {
    if (w.flat) return {matrix_view<E>(nullptr, shape.rows * shape.cols, 1), false};
    const index_t inner = w.transposed ? shape.cols : shape.rows;
    return {matrix_view<E>(nullptr, inner, w.transposed ? shape.rows : shape.cols), w.transposed};
  }

  std::unique_ptr<eigen_backend> backend_;
  any_step<scalar> step_;
  typename master_of<E>::type master_;
};

using any_held_step =
    std::variant<held_step<float>, held_step<double>, held_step<bfloat16>, held_step<float16>>;

/// @throws std::invalid_argument for a dtype that is no real floating-point number.
[[nodiscard]] inline any_held_step hold_step(at::ScalarType dtype, const LmoOptions& options,
                                             at::IntArrayRef sizes, const walk& w) {
  const matrix_shape shape(sizes);
  switch (dtype) {
    case at::kFloat:
      return held_step<float>(options, shape, w);
    case at::kDouble:
      return held_step<double>(options, shape, w);
    case at::kBFloat16:
      return held_step<bfloat16>(options, shape, w);
    case at::kHalf:
      return held_step<float16>(options, shape, w);
    default:
      refuse("dtype", "float32, float64, float16 or bfloat16", c10::toString(dtype));
  }
}

}  // namespace detail

/// The state of one parameter: momentum, the memory of its oracle, a float32 master for 16 bits,
/// and the options that it was made with.
class LmoParamState : public torch::optim::OptimizerParamState {
 public:
  /// For a parameter as it lies in memory now. Goes on from an earlier state of the same parameter:
  /// from all of it where the options leave it its meaning, from the momentum between two oracles,
  /// from nothing otherwise. Allocates.
  /// @throws std::invalid_argument where the options have no rule for its shape or dtype.
  LmoParamState(const at::Tensor& parameter, const LmoOptions& options,
                const LmoParamState* before = nullptr)
      : sizes_(parameter.sizes().vec()),
        dtype_(parameter.scalar_type()),
        options_(options),
        walk_(chosen_walk(parameter, options, before)),
        step_(detail::hold_step(dtype_, options_, sizes_, walk_)) {
    if (before == nullptr || !goes_on(parameter, options, *before)) return;
    const std::string family = options_.family(!walk_.flat);
    std::visit(
        [&]<class S>(S& now) {
          const S& old = std::get<S>(before->step_);
          if (family == before->options_.family(!walk_.flat))
            now.load(old.save());
          else
            now.continue_from(old);
        },
        step_);
  }

  /// Whether a step of this parameter under these options goes on without a change of rule.
  [[nodiscard]] bool follows(const at::Tensor& parameter, const LmoOptions& options) const {
    return goes_on(parameter, options, *this) &&
           options.rule_text(has_oracle()) == options_.rule_text(has_oracle());
  }
  [[nodiscard]] bool has_oracle() const noexcept { return !walk_.flat; }
  [[nodiscard]] index_t steps() const {
    return std::visit([](const auto& s) { return s.steps(); }, step_);
  }

  /// A step in three parts: prepare() copies what is not so laid out that it can be seen in place,
  /// step() touches nothing else and may be on another thread, finish() writes back.
  void prepare(const at::Tensor& parameter, const at::Tensor& gradient) {
    weight_ = detail::lines_of(parameter, walk_);
    gradient_ = detail::lines_of(gradient.resolve_neg().to(dtype_), walk_);
  }
  step_report step(double rate) {
    return std::visit([&](auto& s) { return s.step(weight_, gradient_, walk_, rate); }, step_);
  }
  void finish(at::Tensor& parameter, bool moved) {
    if (moved && weight_.is_alias_of(parameter))
      parameter.unsafeGetTensorImpl()->bump_version();  // autograd is to know
    else if (moved)
      detail::scatter(weight_, walk_, parameter);
    weight_.reset();
    gradient_.reset();
  }

  std::unique_ptr<OptimizerParamState> clone() const override {
    std::unique_ptr<LmoParamState> copy(new LmoParamState(*this, options_));
    std::visit([&]<class S>(S& s) { s.load(std::get<S>(step_).save()); }, copy->step_);
    return copy;
  }
  void serialize(torch::serialize::OutputArchive& archive) const override {
    options_.serialize(archive);
    archive.write("flat", c10::IValue(walk_.flat));
    archive.write("by_rows", c10::IValue(walk_.transposed));
    const auto bytes = std::visit([](const auto& s) { return s.save(); }, step_);
    archive.write("step", c10::IValue(detail::to_tensor(bytes)));
  }
  /// @throws std::invalid_argument where the data is of another parameter or ends early; nothing is
  /// changed then.
  void serialize(torch::serialize::InputArchive& archive) override {
    LmoOptions options = options_;
    options.serialize(archive);
    const detail::walk w{detail::entry(archive, "by_rows").toBool(),
                         detail::entry(archive, "flat").toBool()};
    const std::string bytes = detail::bytes_entry(archive, "step");
    auto step = detail::hold_step(dtype_, options, sizes_, w);
    std::visit([&](auto& s) { s.load(bytes); }, step);
    options_ = std::move(options);
    walk_ = w;
    step_ = std::move(step);
  }

 private:
  LmoParamState(const LmoParamState& like, const LmoOptions& options)
      : sizes_(like.sizes_),
        dtype_(like.dtype_),
        options_(options),
        walk_(like.walk_),
        step_(detail::hold_step(dtype_, options_, sizes_, walk_)) {}

  [[nodiscard]] static bool is_flat(const at::Tensor& parameter, const LmoOptions& options) {
    const detail::matrix_shape shape(parameter.sizes());
    return parameter.numel() == 0 || !options.has_oracle(shape.rows, shape.cols);
  }
  [[nodiscard]] static bool goes_on(const at::Tensor& parameter, const LmoOptions& options,
                                    const LmoParamState& state) {
    return parameter.sizes() == at::IntArrayRef(state.sizes_) &&
           parameter.scalar_type() == state.dtype_ &&
           is_flat(parameter, options) == state.walk_.flat;
  }
  [[nodiscard]] static detail::walk chosen_walk(const at::Tensor& parameter,
                                                const LmoOptions& options,
                                                const LmoParamState* before) {
    if (before != nullptr && goes_on(parameter, options, *before)) return before->walk_;
    return detail::walk_of(parameter, is_flat(parameter, options));
  }

  std::vector<std::int64_t> sizes_;
  at::ScalarType dtype_;
  LmoOptions options_;
  detail::walk walk_;
  detail::any_held_step step_;
  at::Tensor weight_ = {}, gradient_ = {};  ///< lines, during a step
};

}  // namespace fanion::torch_optim
