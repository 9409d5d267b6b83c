// Norms and their calculus are constant expressions; only the algebra is included.
#include <fanion/fanion.hpp>

using namespace fanion;

constexpr auto f = dual(0.25 * ky_fan(3) + 0.75 * frobenius());
constexpr auto s = dual(0.25 * ky_fan(3) + 0.75 * (0.1 * sum_abs()));
constexpr auto r = rms_to_rms(10, 784);
static_assert(dual(f) == 0.25 * ky_fan(3) + 0.75 * frobenius() && dual(dual(r)) == r);
static_assert(LmoTractable<std::remove_const_t<decltype(f)>> &&
              LmoTractable<std::remove_const_t<decltype(s)>>);
constexpr double sigma[] = {3, 2, 1};
static_assert(ky_fan(2).gauge(spectrum_view<double>(sigma, 2)) == 5);
static_assert(dual(ky_fan(2)).gauge(spectrum_view<double>(sigma, 3)) == 3);
static_assert(dual(ky_fan(1)).gauge(spectrum_view<double>(sigma, 3)) == 6);
static_assert(nuclear().gauge(spectrum_view<double>(sigma, 3)) == 6);
