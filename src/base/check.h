// LEAT_CHECK(condition): always on, ends the process. For invariants whose breach would lose or
// corrupt events; input from outside never trips it.
#pragma once

#include <source_location>

namespace leat {

/// Logs `condition` with its place to stderr and aborts.
[[noreturn]] void check_failed(const char* condition, std::source_location where);

}  // namespace leat

#define LEAT_CHECK(condition) \
  ((condition) ? void(0) : ::leat::check_failed(#condition, std::source_location::current()))
