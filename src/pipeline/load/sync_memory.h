// What a schedule remembers over restarts, one small file in the data directory: which sources a
// person paused, and when a schedule of fixed times last ran, so that a time that was missed while
// nothing ran is made up for.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"
#include "io/file_system.h"

namespace leat::load {

struct SyncMemory {
  std::map<std::string, TimeUs> paused_since;  ///< By source; a source that is not here runs.
  std::map<std::string, TimeUs> last_starts;   ///< By source; of the last sync that succeeded.
  bool operator==(const SyncMemory&) const = default;
};

/// One JSON object. Pure; any thread.
[[nodiscard]] std::string to_json(const SyncMemory& memory);
/// kCorrupt: no such object. Pure; any thread.
[[nodiscard]] Result<SyncMemory> sync_memory(std::string_view json);

/// Nothing is remembered when there is no file. Errors: kCorrupt, the file system's. Any thread.
[[nodiscard]] Result<SyncMemory> read_sync_memory(io::FileSystem& files, const std::string& path);
/// Whole or not at all, durable when it returns.
[[nodiscard]] Status write_sync_memory(io::FileSystem& files, const std::string& path,
                                       const SyncMemory& memory);

}  // namespace leat::load
