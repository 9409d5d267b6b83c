// One step of steepest descent from outside the project: |W| falls.
#include <fanion/adapters/torch.hpp>

#include <iostream>

int main() {
  at::Tensor w = at::ones({3, 2}).requires_grad_();
  fanion::torch_optim::Lmo optimizer({w}, 1.0);
  (w * w).sum().backward();
  optimizer.step();
  const double left = w.detach().norm().item<double>();
  std::cout << "|W| = " << left << "\n";
  return left < 2.2 ? 0 : 1;
}
