// Regular expressions of Perl's kind, which RE2 (the engine's own) cannot match: look-around, back
// references.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>
#include <vector>

#include "warehouse/engine/error.h"

namespace leat::engine {

/// Bytes [begin, end) of a text; begin > end: a group that took no part in the match.
struct PatternSpan {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// Calls `visit` for each match in `text` (UTF-8) from the left, with the spans of the match and
/// its groups, until it answers false. Errors: 2201B for a pattern that is none, 54001 for one that
/// needs too many steps or too much memory on this text. Any thread; each keeps the pattern it
/// compiled last.
[[nodiscard]] SqlStatus each_match(
    std::string_view pattern, std::string_view text,
    const std::function<bool(const std::vector<PatternSpan>&)>& visit);

}  // namespace leat::engine
