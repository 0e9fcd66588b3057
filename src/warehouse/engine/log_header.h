// The beginning of the engine's write-ahead log. Its entries carry checksums; its beginning has
// none, and the engine takes a log that begins wrongly for one that was never finished: it would
// drop all transactions in it without a word.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace leat::engine {

/// Whether a log may begin with `bytes`, the first kLogHeaderBytesMax of its file or all of it.
/// Also true for what a crash leaves of a log that nobody had written to: less than a header, or
/// zeros.
[[nodiscard]] bool is_log_beginning(std::string_view bytes);

/// Bytes of a header at most.
inline constexpr std::size_t kLogHeaderBytesMax = 64;

/// Looks at the log of the database file at `path`, if it has one. Errors: kCorrupt for one that is
/// damaged at its beginning.
[[nodiscard]] Status check_log(const std::string& path);

}  // namespace leat::engine
