/// @file  The version, in its one place: CMake reads it from here.
#pragma once

#define FANION_VERSION_MAJOR 0
#define FANION_VERSION_MINOR 1
#define FANION_VERSION_PATCH 0
