/// @file  Everything for matrices on a CUDA device: the header to include beside fanion.hpp or
/// eigen.hpp. Link fanion::cuda.
#pragma once

#include <fanion/adapters/thrust.cuh>
#include <fanion/backend/cuda.cuh>
#include <fanion/fanion.hpp>
