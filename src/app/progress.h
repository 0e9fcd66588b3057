// What a terminal shows of work that takes a while.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <thread>

#include "app/commands.h"

namespace leat::app {

/// Shows on a terminal what goes on, until it dies; nothing where stderr is no terminal.
class Progress {
 public:
  /// `text`: the line to show, asked for ten times a second in a thread of its own, with the
  /// seconds since the start.
  Progress(const Terminal& terminal, std::function<std::string(double seconds)> text);

 private:
  std::jthread thread_;
};

/// "[######......]  42 %", `width` characters between the brackets. Pure.
[[nodiscard]] std::string progress_bar(std::int64_t done, std::int64_t total, int width = 30);

}  // namespace leat::app
