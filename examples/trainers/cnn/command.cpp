/// @file  fanion-train cnn.

#include <cnn/task.hpp>
#include <run/command.hpp>

#include <memory>

namespace trainers {

command cnn_command(CLI::App& program) {
  struct state {
    cnn_options options;
    run_flags flags;
  };
  const auto s = std::make_shared<state>();
  CLI::App* const app = program.add_subcommand("cnn", "a convolutional network on images");
  add_cnn_options(*app, s->options, s->flags);
  return {app, [s, app] {
            check_image_options(*app, s->options, s->flags);
            finish_preset(s->options);
            const image_data data = load_images(s->options);
            return compare(s->options, cnn_kind(s->options, data));
          }};
}

}  // namespace trainers
