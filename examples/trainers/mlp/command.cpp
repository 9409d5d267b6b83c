/// @file  fanion-train mlp.

#include <mlp/task.hpp>
#include <run/command.hpp>

#include <memory>

namespace trainers {

command mlp_command(CLI::App& program) {
  struct state {
    mlp_options options;
    run_flags flags;
  };
  const auto s = std::make_shared<state>();
  CLI::App* const app = program.add_subcommand("mlp", "a perceptron on images");
  add_mlp_options(*app, s->options, s->flags);
  return {app, [s, app] {
            check_image_options(*app, s->options, s->flags);
            const image_data data = load_images(s->options);
            return compare(s->options, mlp_kind(s->options, data));
          }};
}

}  // namespace trainers
