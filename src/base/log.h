// Operator's log: one line an occurrence on stderr, never per event. Secrets never reach it.
//
//   log::info("journal", "opened {} segments, next offset {}", count, offset);
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <string_view>

namespace leat::log {

enum class Level : std::uint8_t { kDebug, kInfo, kWarning, kError };

/// Lines below `level` are dropped (default kInfo). Any thread.
void set_level(Level level);
[[nodiscard]] bool enabled(Level level);

/// Writes one line: time, level, component, message. Any thread.
void write(Level level, std::string_view component, std::string_view message);

template <class... Args>
void debug(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kDebug)) {
    write(Level::kDebug, component, fmt::format(format, std::forward<Args>(args)...));
  }
}
template <class... Args>
void info(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kInfo, component, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void warning(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kWarning, component, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void error(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kError, component, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace leat::log
