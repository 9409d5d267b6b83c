/// @file  fanion-train: one network, many methods, one report.

#include <run/command.hpp>
#include <run/interruption.hpp>

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  using namespace trainers;
  CLI::App app("Trains a network by the whole family of methods and compares them.");
  app.require_subcommand(1);
  const std::vector<command> commands = {mlp_command(app), cnn_command(app), gpt_command(app),
                                         least_squares_command(app)};
  try {
    app.parse(argc, argv);
    watch_signals();
    for (const command& c : commands)
      if (c.flags->parsed()) return c.run();
    return 0;
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const interrupted& stop) {
    std::fprintf(stderr, "fanion-train: %s\n", stop.what());
    return 130;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fanion-train: %s\n", error.what());
    return 1;
  }
}
