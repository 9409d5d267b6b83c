/// @file  fanion-train gpt.

#include <gpt/task.hpp>
#include <run/command.hpp>

#include <memory>

namespace trainers {

command gpt_command(CLI::App& program) {
  struct state {
    gpt_options options;
    run_flags flags;
    gpt_experiment experiment;
  };
  const auto s = std::make_shared<state>();
  CLI::App* const app = program.add_subcommand("gpt", "a language model on text");
  add_gpt_options(*app, s->options, s->flags);
  return {app, [s] {
            check_gpt_options(s->options, s->flags);
            load(s->options, s->experiment);
            return compare(s->options, gpt_kind(s->options, s->experiment));
          }};
}

}  // namespace trainers
