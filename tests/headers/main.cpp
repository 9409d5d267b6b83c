#include <cstdio>

/// Compiling and linking is the test. An empty list of headers would pass unseen, so it fails here.
int main() {
  std::printf("%d headers, each compiled alone and all linked together\n", HEADER_COUNT);
  return HEADER_COUNT > 0 ? 0 : 1;
}
