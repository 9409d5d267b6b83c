/// @file  Everything for Eigen's matrices on the CPU: the one header to include.
#pragma once

#include <fanion/adapters/eigen.hpp>
#include <fanion/fanion.hpp>
