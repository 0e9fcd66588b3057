// Putting new database files in the place of a warehouse's old ones, all or none.
//
//   no mark          the old files are the warehouse; new ones are leftovers
//     --begin_exchange()-->
//   mark             every new file that is still there takes its old one's place
//     --finish_exchange()-->
//   no mark          the new files are the warehouse
//
// Whoever opens the files calls finish_exchange() first; a process that dies in between is no
// matter.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"

namespace leat::io {
class FileSystem;
}

namespace leat::backup {

/// DIRECTORY.new: where the new files of a warehouse come. Pure.
[[nodiscard]] std::string exchange_directory(const std::string& directory);

/// Makes exchange_directory() empty, for files of another attempt are of no use. Only without a
/// mark.
[[nodiscard]] Status prepare_exchange(io::FileSystem& files, const std::string& directory);

/// Syncs the new files, named as below `directory`, and then makes the mark. Errors: kConflict when
/// an old or a new file has a log that is not empty, and those of the file system.
[[nodiscard]] Status begin_exchange(io::FileSystem& files, const std::string& directory,
                                    const std::vector<std::string>& names);

/// Renames what begin_exchange() has named, and takes the mark away; nothing to do without one.
/// Nobody may have a file open. Errors: kCorrupt for a mark that cannot be read, and those of the
/// file system: call it again.
[[nodiscard]] Status finish_exchange(io::FileSystem& files, const std::string& directory);

}  // namespace leat::backup
