/// @file  What CMake found, in a file that it writes.
#pragma once

#include "contender.hpp"

#include <string>
#include <vector>

namespace peers {

/// Every library that takes part. Some begin a session, so this is called once.
std::vector<peer> found_peers();

std::string compiler();
std::string compiler_flags();

}  // namespace peers
