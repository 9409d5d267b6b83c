/// @file  Images as the rows of a matrix, and which of its entries are seen.
#pragma once

#include <completion/entries.hpp>

#include <common/images.hpp>
#include <fanion/core/random.hpp>

#include <stdexcept>
#include <string>
#include <vector>

namespace completion {

/// Three disjoint random sets of entries of a matrix of rows x cols. Values are pixels from 0 to 1,
/// less the mean image of what is observed, so that the rows left to explain are centred.
struct split {
  index_t rows = 0, cols = 0;
  entry_list observed;   ///< what methods may read
  entry_list chosen_on;  ///< what their one parameter is chosen on
  entry_list held_out;   ///< what they are judged on, once
  std::vector<float> mean_image;
};

struct shares {
  double observed = 0.15, chosen_on = 0.02, held_out = 0.05;
};

/// The first `rows` images. Each entry falls into a set by a random number of its own, from the
/// seed and its place alone; a pixel that no image shows has the mean 0.
/// @throws std::runtime_error where there are fewer images, or the shares leave nothing of a set.
[[nodiscard]] inline split split_entries(const trainers::image_set& images, index_t rows,
                                         const shares& share, std::uint64_t seed) {
  if (rows > images.size())
    throw std::runtime_error("--images " + std::to_string(rows) + ": there are only " +
                             std::to_string(images.size()));
  split s;
  s.rows = rows;
  s.cols = images.features();
  std::vector<double> sum(static_cast<std::size_t>(s.cols));
  std::vector<index_t> count(sum.size());
  for (index_t i = 0; i < rows; ++i) {
    const auto pixels = images.image(i);
    for (index_t j = 0; j < s.cols; ++j) {
      const auto at = static_cast<std::size_t>(j);
      const float pixel = static_cast<float>(pixels[at]) / 255;
      double draw = fanion::random_uniform(seed, i, j);
      const auto falls_into = [&draw](double part) {
        draw -= part;
        return draw < 0;
      };
      if (falls_into(share.observed)) {
        s.observed.push(i, j, pixel);
        sum[at] += static_cast<double>(pixel);
        ++count[at];
      } else if (falls_into(share.chosen_on)) {
        s.chosen_on.push(i, j, pixel);
      } else if (falls_into(share.held_out)) {
        s.held_out.push(i, j, pixel);
      }
    }
  }
  for (std::size_t j = 0; j < sum.size(); ++j)
    s.mean_image.push_back(count[j] > 0 ? static_cast<float>(sum[j] / static_cast<double>(count[j]))
                                        : 0.0f);
  for (entry_list* list : {&s.observed, &s.chosen_on, &s.held_out}) {
    if (list->size() == 0)
      throw std::runtime_error("--observed, --chosen-on and --held-out: a set without entries");
    for (std::size_t e = 0; e < list->size(); ++e)
      list->value[e] -= s.mean_image[static_cast<std::size_t>(list->col[e])];
  }
  return s;
}

/// Where the mean image is all that is known.
[[nodiscard]] inline double error_of_mean(const entry_list& list) {
  return rmse(list, Eigen::ArrayXf(Eigen::ArrayXf::Zero(static_cast<Eigen::Index>(list.size()))));
}

}  // namespace completion
