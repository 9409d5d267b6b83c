#define COMPILED_ELSEWHERE
#include "compiled_once.hpp"
