/// @file  What the subcommands of fanion-train have in common.
#pragma once

#include <run/options.hpp>
#include <run/task.hpp>

#include <CLI/CLI.hpp>

#include <functional>

namespace trainers {

/// A subcommand whose flags have been added to the program's. `run` is called once they are read.
/// It throws CLI::ValidationError where flags do not fit together.
struct command {
  CLI::App* flags;
  std::function<int()> run;
};

command mlp_command(CLI::App& program);
command cnn_command(CLI::App& program);
command gpt_command(CLI::App& program);
command least_squares_command(CLI::App& program);

/// Every run that the options ask for; results in o.out and on the terminal.
int compare(const run_options& o, const task_kind& kind);

}  // namespace trainers
