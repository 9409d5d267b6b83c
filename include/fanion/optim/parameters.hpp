/// @file  What a model's parameters are, and which optimizer each of them gets.
#pragma once

#include <fanion/core/contract.hpp>
#include <fanion/core/view.hpp>
#include <fanion/optim/lmo_step.hpp>

#include <string>
#include <vector>

namespace fanion {

/// What a parameter does in the model.
enum class parameter_kind { hidden, convolution, embedding, head, bias, normalization };

/// Who updates it: the oracle of the optimizer, or the rule for the rest.
enum class treatment { matrix, other };

/// The usual rule: hidden matrices and convolution kernels go to the oracle; embeddings, heads,
/// biases, normalisations and whatever has one dimension do not.
[[nodiscard]] inline treatment usual_treatment(parameter_kind kind, index_t rows, index_t cols) {
  const bool matrix = kind == parameter_kind::hidden || kind == parameter_kind::convolution;
  return matrix && rows > 1 && cols > 1 ? treatment::matrix : treatment::other;
}

/// A weight and its gradient, seen as a matrix of outputs x inputs. Owns no memory.
template <Real T, class Space = host_space>
struct parameter {
  std::string name;
  oriented_view<T, Space> weight;
  oriented_view<const T, Space> gradient;
  parameter_kind kind = parameter_kind::hidden;
  std::vector<matrix_block> blocks = {};  ///< empty: one block
};

/// From views, of a flattened convolution say. @throws std::invalid_argument for an empty name or
/// shapes that differ.
template <Real T, class G, class Space>
requires std::same_as<std::remove_const_t<G>, T>
[[nodiscard]] parameter<T, Space> make_parameter(std::string name,
                                                 const oriented_view<T, Space>& weight,
                                                 const oriented_view<G, Space>& gradient,
                                                 parameter_kind kind = parameter_kind::hidden,
                                                 std::vector<matrix_block> blocks = {}) {
  if (name.empty()) refuse("parameter: name", "not empty", "\"\"");
  if (weight.rows() != gradient.rows() || weight.cols() != gradient.cols())
    refuse(("parameter " + name + ": the shape of the gradient").c_str(),
           shape_text(weight.rows(), weight.cols()).c_str(),
           shape_text(gradient.rows(), gradient.cols()));
  return {std::move(name),
          weight,
          {gradient.storage.as_const(), gradient.transposed},
          kind,
          std::move(blocks)};
}

/// From matrices of any adapted library.
template <WritableMatrix W, Matrix G>
requires std::same_as<scalar_of<W>, scalar_of<G>> &&
    (matrix_adapter<std::remove_cvref_t<W>>::viewable) &&
    (matrix_adapter<std::remove_cvref_t<G>>::viewable)
        [[nodiscard]] auto make_parameter(std::string name, W& weight, const G& gradient,
                                          parameter_kind kind = parameter_kind::hidden,
                                          std::vector<matrix_block> blocks = {}) {
  using T = scalar_of<W>;
  using space = space_of<W>;
  const oriented_view<T, space> view = matrix_adapter<std::remove_cvref_t<W>>::view(weight);
  return make_parameter(std::move(name), view,
                        matrix_adapter<std::remove_cvref_t<G>>::view(gradient), kind,
                        std::move(blocks));
}

/// A convolution kernel [out, in, kh, kw], contiguous with kw fastest, as the matrix
/// out x (in·kh·kw): row-major memory, so the view is of the transpose and nothing is copied.
template <class T>
[[nodiscard]] oriented_view<T> flatten_convolution(T* data, index_t out, index_t in, index_t kh,
                                                   index_t kw) {
  const index_t inputs = expects_at_least(in, 0, "convolution: in") *
                         expects_at_least(kh, 1, "convolution: kh") *
                         expects_at_least(kw, 1, "convolution: kw");
  return {matrix_view<T>(data, inputs, expects_at_least(out, 0, "convolution: out")), true};
}

/// The blocks of a fused query-key-value matrix of `rows` outputs, stacked in that order: three,
/// or three for each head. @throws std::invalid_argument unless 3·heads divides rows.
[[nodiscard]] inline std::vector<matrix_block> split_qkv(index_t rows, index_t cols,
                                                         index_t heads = 1) {
  const index_t parts = 3 * expects_at_least(heads, 1, "split_qkv: heads");
  if (rows < parts || rows % parts != 0)
    refuse("split_qkv: rows", ("a positive multiple of " + std::to_string(parts)).c_str(), rows);
  std::vector<matrix_block> blocks;
  for (index_t i = 0; i < parts; ++i) blocks.push_back({i * (rows / parts), 0, rows / parts, cols});
  return blocks;
}

}  // namespace fanion
