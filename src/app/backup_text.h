// What a person is told of a warehouse's backup.
#pragma once

#include <string>

#include "base/error.h"

namespace leat::backup {
struct Contents;
}

namespace leat::app {

/// Of the file's first bytes. Errors: as fail_errno.
[[nodiscard]] Result<bool> is_backup_file(const std::string& path);
/// Some lines, and one JSON object.
[[nodiscard]] std::string backup_text(const backup::Contents& contents);
[[nodiscard]] std::string backup_json(const backup::Contents& contents);

}  // namespace leat::app
