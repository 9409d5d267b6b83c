// A block keeps the leading dimension of the matrix that it is cut from.
#include <fanion/core/view.hpp>

constexpr float entries[] = {1, 2, 3, 4, 5, 6};
constexpr fanion::matrix_view<const float> whole(entries, 3, 2);
constexpr fanion::matrix_view<const float> corner = whole.block(1, 0, 2, 2);

static_assert(corner.rows() == 2 && corner.cols() == 2 && corner.ld() == 3);
static_assert(corner(0, 0) == 2 && corner(1, 0) == 3 && corner(0, 1) == 5 && corner(1, 1) == 6);
static_assert(whole.as_const().data() == whole.data());
