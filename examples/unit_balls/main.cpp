// Draws the unit balls of the family's norms and of their duals:  unit_balls [file.svg]
#include <unit_balls/balls.hpp>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <fstream>
#include <string>

int main(int argc, char** argv) {
  CLI::App app(
      "Draws the unit balls of the family's norms, and of their duals, over two singular values.");
  std::string path = "unit_balls.svg";
  app.add_option("file", path, "the SVG to write")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  const auto all = unit_balls::family();
  std::ofstream file(path, std::ios::binary);
  file << unit_balls::to_svg(all);
  if (!file.flush()) {
    std::fprintf(stderr, "unit_balls: %s cannot be written\n", path.c_str());
    return 1;
  }
  std::printf("%zu norms and their duals: %s\n", all.size(), path.c_str());
  return 0;
}
