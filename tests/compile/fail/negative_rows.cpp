// A failed precondition in a constant expression does not compile, and names the argument.
// expect: (call to non-'constexpr' function|must be initialized by a constant expression)
// expect: matrix_view: rows
#include <fanion/core/view.hpp>

constexpr fanion::matrix_view<float> view(nullptr, -1, 2);
