/// @file  What a pass over some examples adds up.
#pragma once

#include <fanion/core/types.hpp>

namespace trainers {

using fanion::index_t;

struct tally {
  double loss = 0;      ///< sum of the cross-entropies, in nats
  index_t correct = 0;  ///< examples whose most likely class is theirs
  index_t count = 0;

  tally& operator+=(const tally& other) {
    loss += other.loss;
    correct += other.correct;
    count += other.count;
    return *this;
  }
  [[nodiscard]] double mean_loss() const { return loss / double(count); }
  [[nodiscard]] double accuracy() const { return double(correct) / double(count); }
};

}  // namespace trainers
