// COPY from CSV, delimited, fixed-width and JSON files, read by our own readers so that each bad
// row is known by file, line, column and raw value.
#pragma once

#include <vector>

#include "warehouse/transfer/copy.h"
#include "warehouse/transfer/input_files.h"

namespace leat::transfer {

/// Loads `files` into `columns` (in the order of the files' fields). Fills rows, files, errors and
/// replacements of `report`.
[[nodiscard]] engine::SqlStatus copy_text(const sql::CopyStatement& statement,
                                          const CopyTarget& target,
                                          const std::vector<const TargetColumn*>& columns,
                                          const std::vector<InputFile>& files,
                                          engine::Connection& connection, io::ObjectStore& store,
                                          const CopyOptions& options, CopyReport& report);

}  // namespace leat::transfer
