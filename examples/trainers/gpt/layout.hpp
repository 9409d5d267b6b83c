/// @file  The parameters of a GPT-2 model as one block of memory, in llm.c's order.
///
/// | tensor | shape | what |
/// |---|---|---|
/// | wte | Vp x C | token embeddings, and the head |
/// | wpe | T x C | position embeddings |
/// | ln1w, ln1b | L x C | normalisation before the attention |
/// | qkvw, qkvb | L x 3C x C, L x 3C | queries, keys and values |
/// | attprojw, attprojb | L x C x C, L x C | the way out of the attention |
/// | ln2w, ln2b | L x C | normalisation before the feed-forward part |
/// | fcw, fcb | L x 4C x C, L x 4C | its first layer |
/// | fcprojw, fcprojb | L x C x 4C, L x C | its second |
/// | lnfw, lnfb | C | the last normalisation |
///
/// Rows are outputs and the last index is fastest.
#pragma once

#include <common/llmc.hpp>

#include <fanion/optim/parameters.hpp>

#include <Eigen/Core>

#include <array>
#include <string>
#include <vector>

namespace trainers {

enum class gpt_tensor {
  wte,
  wpe,
  ln1w,
  ln1b,
  qkvw,
  qkvb,
  attprojw,
  attprojb,
  ln2w,
  ln2b,
  fcw,
  fcb,
  fcprojw,
  fcprojb,
  lnfw,
  lnfb
};

/// Shape and place of one tensor: `layers` matrices of rows x cols, one after the other.
struct gpt_extent {
  const char* name;
  index_t layers, rows, cols;
  fanion::parameter_kind kind;
  index_t first = 0;  ///< element at which it starts

  [[nodiscard]] index_t size() const noexcept { return layers * rows * cols; }
};

/// All sixteen, in the order of the file.
[[nodiscard]] inline std::array<gpt_extent, 16> gpt_layout(const gpt_shape& s) {
  using kind = fanion::parameter_kind;
  const index_t l = s.layers, c = s.width;
  std::array<gpt_extent, 16> all{{{"wte", 1, s.padded_vocabulary, c, kind::embedding},
                                  {"wpe", 1, s.context, c, kind::embedding},
                                  {"ln1w", l, c, 1, kind::normalization},
                                  {"ln1b", l, c, 1, kind::normalization},
                                  {"qkvw", l, 3 * c, c, kind::hidden},
                                  {"qkvb", l, 3 * c, 1, kind::bias},
                                  {"attprojw", l, c, c, kind::hidden},
                                  {"attprojb", l, c, 1, kind::bias},
                                  {"ln2w", l, c, 1, kind::normalization},
                                  {"ln2b", l, c, 1, kind::normalization},
                                  {"fcw", l, 4 * c, c, kind::hidden},
                                  {"fcb", l, 4 * c, 1, kind::bias},
                                  {"fcprojw", l, c, 4 * c, kind::hidden},
                                  {"fcprojb", l, c, 1, kind::bias},
                                  {"lnfw", 1, c, 1, kind::normalization},
                                  {"lnfb", 1, c, 1, kind::normalization}}};
  index_t at = 0;
  for (gpt_extent& e : all) e.first = at, at += e.size();
  return all;
}

/// Weights or gradients of a model. Tensors are read as column-major maps of their transposes:
/// inputs x outputs, which is what row-major outputs x inputs is.
template <fanion::Real T>
class gpt_parameters {
 public:
  using map = Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>>;
  using const_map = Eigen::Map<const Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>>;
  using vector_map = Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, 1>>;
  using const_vector_map = Eigen::Map<const Eigen::Matrix<T, Eigen::Dynamic, 1>>;

  explicit gpt_parameters(const gpt_shape& s) : shape_(s), layout_(gpt_layout(s)) {
    values_.assign(static_cast<std::size_t>(layout_.back().first + layout_.back().size()), T(0));
  }

  [[nodiscard]] const gpt_shape& shape() const noexcept { return shape_; }
  [[nodiscard]] std::vector<T>& values() noexcept { return values_; }
  [[nodiscard]] const std::vector<T>& values() const noexcept { return values_; }
  [[nodiscard]] const std::array<gpt_extent, 16>& layout() const noexcept { return layout_; }
  [[nodiscard]] const gpt_extent& extent(gpt_tensor t) const {
    return layout_[static_cast<std::size_t>(t)];
  }
  [[nodiscard]] T* data(gpt_tensor t, index_t layer = 0) {
    const gpt_extent& e = extent(t);
    return values_.data() + e.first + layer * e.rows * e.cols;
  }
  [[nodiscard]] const T* data(gpt_tensor t, index_t layer = 0) const {
    return const_cast<gpt_parameters&>(*this).data(t, layer);
  }

  /// inputs x outputs.
  [[nodiscard]] map matrix(gpt_tensor t, index_t layer = 0) {
    return {data(t, layer), extent(t).cols, extent(t).rows};
  }
  [[nodiscard]] const_map matrix(gpt_tensor t, index_t layer = 0) const {
    return {data(t, layer), extent(t).cols, extent(t).rows};
  }
  [[nodiscard]] vector_map vector(gpt_tensor t, index_t layer = 0) {
    return {data(t, layer), extent(t).rows};
  }
  [[nodiscard]] const_vector_map vector(gpt_tensor t, index_t layer = 0) const {
    return {data(t, layer), extent(t).rows};
  }
  /// The whole block as one vector.
  [[nodiscard]] vector_map flat() {
    return {values_.data(), static_cast<Eigen::Index>(values_.size())};
  }

 private:
  gpt_shape shape_;
  std::array<gpt_extent, 16> layout_;
  std::vector<T> values_;
};

/// What an optimizer sees: every matrix of every layer by itself, queries, keys and values apart;
/// vectors of all layers together.
[[nodiscard]] inline std::vector<fanion::parameter<float>> parameters_of(
    gpt_parameters<float>& net, gpt_parameters<float>& gradient) {
  std::vector<fanion::parameter<float>> all;
  for (const gpt_extent& e : net.layout()) {
    const bool matrix = e.cols > 1;
    const index_t parts = matrix ? e.layers : 1;
    const index_t rows = matrix ? e.rows : e.layers * e.rows;
    for (index_t l = 0; l < parts; ++l) {
      const index_t at = e.first + l * rows * e.cols;
      // Row-major memory is the column-major view of the transpose.
      const auto view = [&](std::vector<float>& v) {
        return matrix ? fanion::oriented_view<float>{{v.data() + at, e.cols, rows}, true}
                      : fanion::oriented_view<float>{{v.data() + at, rows, 1}, false};
      };
      const bool fused = std::string(e.name) == "qkvw";
      std::string name = e.name;
      if (e.kind == fanion::parameter_kind::hidden) name.append(".").append(std::to_string(l));
      all.push_back(make_parameter(
          std::move(name), view(net.values()), view(gradient.values()), e.kind,
          fused ? fanion::split_qkv(rows, e.cols) : std::vector<fanion::matrix_block>()));
    }
  }
  return all;
}

}  // namespace trainers
