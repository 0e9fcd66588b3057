// The command line: one table of commands and options, from which parsing, help and
// docs/reference/cli.md are made.
#pragma once

#include <string>

namespace leat::app {

/// Runs one command line; the whole of main(). Returns the exit code.
[[nodiscard]] int run_program(int argc, char** argv);

/// docs/reference/cli.md. Pure.
[[nodiscard]] std::string cli_page();

}  // namespace leat::app
