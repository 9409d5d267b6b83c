/// @file  Parameters of a trainer that knows no matrix library: memory, a shape, strides.
///
/// What a buffer's shape means, extents outermost first:
///
/// | shape | kind | matrices |
/// |---|---|---|
/// | {n} | any | one, n x 1 |
/// | {m, n} | any | one, m x n: outputs x inputs for a linear layer |
/// | {out, in, …} of three or more | convolution | one, out x (in·kh·kw) |
/// | {L, m, n} | any other | a stack: L of m x n, called `name.0`, `name.1`, … |
///
/// The kind then says who moves them (usual_treatment). A stack of vectors, such as the gains of
/// all layers as {L, n}, is a matrix to its shape and so wants the kind normalization or bias.
#pragma once

#include <fanion/core/contract.hpp>
#include <fanion/core/reduced.hpp>
#include <fanion/core/view.hpp>
#include <fanion/optim/blocks.hpp>
#include <fanion/optim/parameters.hpp>

#include <concepts>
#include <limits>
#include <string>
#include <vector>

namespace fanion {

/// What memory may hold.
template <class E>
concept BufferElement = Real<E> || Reduced<E>;

/// Gradients are of the weights' element; those of reduced weights may also be float.
template <class G, class E>
concept BufferGradient = std::same_as<G, E> ||(Reduced<E>&& std::same_as<G, float>);

/// A parameter, or a stack of them, in the host's memory. Owns nothing. Gradient and weight have
/// one shape and one set of strides.
template <BufferElement E, BufferGradient<E> G = E>
struct buffer {
  std::string name;
  E* data = nullptr;
  const G* gradient = nullptr;
  std::vector<index_t> shape = {};    ///< outermost first
  std::vector<index_t> strides = {};  ///< in elements; empty: contiguous, the last index fastest
  parameter_kind kind = parameter_kind::hidden;
  std::vector<matrix_block> blocks = {};  ///< of each matrix, as in parameter: split_qkv(…), say
};

/// One matrix of a buffer.
template <BufferElement E, BufferGradient<E> G = E>
struct buffer_matrix {
  std::string name;
  oriented_view<E> weight;
  oriented_view<const G> gradient;
};

namespace detail {

/// Where the matrices of a buffer stand: `count`, `apart` elements from one to the next, each of
/// `outer` lines, `ld` apart, of `inner` elements.
struct buffer_layout {
  index_t count = 1, apart = 0;
  index_t inner = 0, outer = 0, ld = 0;
  bool transposed = false;

  template <class E>
  [[nodiscard]] oriented_view<E> view(E* data, index_t i) const {
    return {matrix_view<E>(data + i * apart, inner, outer, ld), transposed};
  }
};

/// Reads shape and strides of one buffer, whose name every refusal begins with.
class buffer_reader {
 public:
  buffer_reader(const std::string& name, std::vector<index_t> shape, std::vector<index_t> strides,
                parameter_kind kind)
      : who_("buffer " + name + ": "), shape_(std::move(shape)), strides_(std::move(strides)) {
    check_shape();
    if (strides_.empty()) strides_ = contiguous();
    check_strides();
    if (kind == parameter_kind::convolution && shape_.size() > 2) flatten();
    if (shape_.size() > 3)
      fail("dimensions", "1 to 3, or more with the kind convolution", shape_.size());
  }

  [[nodiscard]] buffer_layout layout() const {
    const std::size_t last = shape_.size() - 1;
    if (last == 0) return matrix(shape_[0], 1, strides_[0], 1);
    buffer_layout all = matrix(shape_[last - 1], shape_[last], strides_[last - 1], strides_[last]);
    if (last == 2) {
      all.count = shape_[0];
      all.apart = strides_[0];
    }
    return all;
  }

  template <class V>
  [[noreturn]] void fail(const char* what, const char* rule, const V& value) const {
    refuse((who_ + what).c_str(), rule, value);
  }

 private:
  [[nodiscard]] static std::string listed(const std::vector<index_t>& values) {
    std::string text = "{";
    for (const index_t v : values) text += (text.size() > 1 ? ", " : "") + std::to_string(v);
    return text + "}";
  }

  void check_shape() const {
    if (shape_.empty()) fail("shape", "at least one extent", "none");
    index_t entries = 1;
    for (const index_t extent : shape_) {
      if (extent < 1) fail("extents", "at least 1", listed(shape_));
      if (extent > most / entries) fail("shape", "of a size that memory can have", listed(shape_));
      entries *= extent;
    }
  }
  [[nodiscard]] std::vector<index_t> contiguous() const {
    std::vector<index_t> strides(shape_.size(), 1);
    for (std::size_t k = shape_.size() - 1; k > 0; --k) strides[k - 1] = strides[k] * shape_[k];
    return strides;
  }
  void check_strides() const {
    if (strides_.size() != shape_.size())
      fail("strides", "one for each extent, or none", listed(strides_));
    index_t last = 0;
    for (std::size_t k = 0; k < shape_.size(); ++k) {
      if (strides_[k] < 1) fail("strides", "at least 1", listed(strides_));
      const index_t steps = shape_[k] - 1;
      if (steps > 0 && strides_[k] > (most - last) / steps)
        fail("strides", "within what memory can have", listed(strides_));
      last += steps * strides_[k];
    }
  }

  /// All dimensions but the first into one.
  void flatten() {
    index_t inner = 1;
    for (std::size_t k = shape_.size() - 1; k > 0; --k) {
      if (shape_[k] > 1 && strides_[k] != inner)
        fail("strides",
             "contiguous within each output of a convolution kernel, the last index "
             "fastest",
             listed(strides_));
      inner *= shape_[k];
    }
    shape_ = {shape_[0], inner};
    strides_ = {strides_[0], 1};
  }

  /// m x n with strides a and b, as columns where b is the longer step and as rows otherwise. The
  /// stride of a dimension with one index says nothing.
  [[nodiscard]] buffer_layout matrix(index_t m, index_t n, index_t a, index_t b) const {
    const bool by_rows = n == 1 || b == 1, by_columns = m == 1 || a == 1;
    if (!by_rows && !by_columns)
      fail("strides", "1 along the rows or along the columns", listed(strides_));
    buffer_layout x;
    x.transposed = by_rows && !(by_columns && n == 1);
    x.inner = x.transposed ? n : m;
    x.outer = x.transposed ? m : n;
    x.ld = x.transposed ? a : b;
    if (x.outer == 1) x.ld = x.inner;
    if (x.ld < x.inner) fail("strides", "such that no elements overlap", listed(strides_));
    return x;
  }

  static constexpr index_t most =
      std::numeric_limits<index_t>::max() / static_cast<index_t>(sizeof(double));

  std::string who_;
  std::vector<index_t> shape_, strides_;
};

}  // namespace detail

/// The matrices of a buffer as views of its memory; see the table above. Row-major memory, the
/// usual kind, becomes the view of the transpose, and nothing is copied.
/// @throws std::invalid_argument naming the buffer: for an empty name, a null pointer, an extent or
/// a stride below 1, strides of another number, elements that overlap, gradients that overlap
/// weights, matrices with neither stride 1, convolution kernels with gaps inside an output, and
/// other shapes of four dimensions.
template <BufferElement E, BufferGradient<E> G>
[[nodiscard]] std::vector<buffer_matrix<E, G>> matrices_of(const buffer<E, G>& b) {
  if (b.name.empty()) refuse("buffer: name", "not empty", "\"\"");
  const detail::buffer_reader reader(b.name, b.shape, b.strides, b.kind);
  if (b.data == nullptr) reader.fail("data", "a pointer to memory", "null");
  if (b.gradient == nullptr) reader.fail("gradient", "a pointer to memory", "null");
  const detail::buffer_layout layout = reader.layout();
  const bool stack = b.shape.size() == 3 && b.kind != parameter_kind::convolution;
  std::vector<buffer_matrix<E, G>> all;
  for (index_t i = 0; i < layout.count; ++i) {
    all.push_back({b.name + (stack ? "." + std::to_string(i) : ""), layout.view(b.data, i),
                   layout.view(b.gradient, i)});
    // All pairs (i, j) with one difference j - i stand alike.
    const auto storage = all.back().weight.storage;
    if (i > 0 && overlaps(all.front().weight.storage, storage))
      reader.fail("strides", "such that no matrices overlap", b.strides[0]);
  }
  if constexpr (std::same_as<E, G>)
    for (const auto& x : all)
      for (const auto& y : all)
        if (overlaps(x.weight.storage, y.gradient.storage))
          reader.fail("gradient", "memory apart from that of the weights", "an overlap");
  return all;
}

}  // namespace fanion
