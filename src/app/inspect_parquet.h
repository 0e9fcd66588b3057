// What `leat inspect` says of a Parquet file: a staged file, or any other.
#pragma once

#include <string>

#include "base/error.h"

namespace leat::app {

/// The footer of the Parquet file `path` as a table for people, or as one line of JSON: rows, row
/// groups, writer, and per column its name, physical type, encodings, nulls and compressed bytes.
/// Reads the footer alone. Errors: kCorrupt when there is no sound footer, kUnavailable when the
/// reader cannot be started. Any thread.
[[nodiscard]] Result<std::string> describe_parquet(const std::string& path, bool json);

}  // namespace leat::app
