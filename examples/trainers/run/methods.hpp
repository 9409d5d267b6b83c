/// @file  The seam between the trainers and the library: a method's name in, an optimizer out.
#pragma once

#include <run/catalogue.hpp>
#include <run/task.hpp>

#include <fanion/optim/optimizer.hpp>

#include <iosfwd>
#include <memory>
#include <string>

namespace trainers {

struct method_settings {
  double rate = 0;       ///< peak, of the matrices; of everything for sgd, adamw and lion
  double rest_rate = 0;  ///< peak, of what an LMO method leaves over
  double head_rate = 0;  ///< peak, of the head among it
  std::string rest_rule = "adamw";
  double rest_decay = 0;  ///< share that it loses in a step at the peak, under sgd
  double momentum = 0.9;
  double decay = 0;
  double alpha = 0.5;
  double eta = 0.01;
  index_t threads = 1;
  fanion::shape_scaling scaling = fanion::shape_scaling::none;
  std::string norm = "";   ///< of the method "norm"
  bool on_device = false;  ///< whether the optimizer's state lives on a CUDA device
};

/// The library's optimizer over the parameters of a task, wherever its state is. It keeps addresses
/// of weights and gradients, so both must stay in place.
class network_optimizer {
 public:
  virtual ~network_optimizer() = default;

  virtual const fanion::optimizer_report& step(double rate) = 0;
  virtual void save(std::ostream& out) const = 0;
  /// @throws std::invalid_argument; nothing is changed then.
  virtual void load(std::istream& in) = 0;
};

/// The method on the matrices and, for methods that need a matrix, AdamW or SGD on the rest. Decay
/// is for what has rows and columns: biases and normalisations do not shrink, but under SGD.
/// @throws std::runtime_error where the state is to live on a device and there is none.
[[nodiscard]] std::unique_ptr<network_optimizer> make_optimizer(const std::string& method,
                                                                const method_settings& s,
                                                                task& net);

}  // namespace trainers
