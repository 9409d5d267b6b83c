// A view of const elements hands out const references.
// expect: (assignment of read-only location|cannot assign to return value because function)
#include <fanion/core/view.hpp>

void write(fanion::matrix_view<const float> view) { view(0, 0) = 1; }
