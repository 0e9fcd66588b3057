// Whole small files: reading them, and publishing them so that a reader sees the old or the new
// text and never a part.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace leat::app {

/// The whole of the file `path`. Errors: as fail_errno.
[[nodiscard]] Result<std::string> read_text_file(const std::string& path);

/// Writes `text` to a temporary file beside `path` with permissions `mode`, syncs it and renames it
/// over `path`. Errors: as fail_errno; the temporary file is then removed.
[[nodiscard]] Status publish_text_file(const std::string& path, std::string_view text,
                                       unsigned mode);

}  // namespace leat::app
