#include "app/progress.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"

namespace leat::app {

Progress::Progress(const Terminal& terminal, std::function<std::string(double seconds)> text) {
  if (!terminal.err_is_terminal) return;
  thread_ = std::jthread([&terminal, text = std::move(text)](const std::stop_token& stop) {
    const std::int64_t started_us = system_clock().monotonic_us();
    while (!stop.stop_requested()) {
      const std::int64_t us = system_clock().monotonic_us() - started_us;
      terminal.say(fmt::format("\r{}\x1b[K", text(static_cast<double>(us) / 1e6)));
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    terminal.say("\r\x1b[K");
  });
}

std::string progress_bar(std::int64_t done, std::int64_t total, int width) {
  const double part =
      total <= 0 ? 0 : std::clamp(static_cast<double>(done) / static_cast<double>(total), 0.0, 1.0);
  const int filled = static_cast<int>(part * width);
  return fmt::format("[{}{}] {:3.0f} %", std::string(static_cast<std::size_t>(filled), '#'),
                     std::string(static_cast<std::size_t>(width - filled), '.'), part * 100);
}

}  // namespace leat::app
