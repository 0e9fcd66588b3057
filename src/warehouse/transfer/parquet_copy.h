// COPY FORMAT PARQUET: DuckDB reads the files, columns by position, checked and converted in the
// same statement.
#pragma once

#include <vector>

#include "warehouse/transfer/copy.h"
#include "warehouse/transfer/input_files.h"

namespace leat::transfer {

/// Loads `files` into `columns` (positions in the target, in the order of the files' columns).
/// Fills rows and files of `report`.
[[nodiscard]] engine::SqlStatus copy_parquet(const sql::CopyStatement& statement,
                                             const CopyTarget& target,
                                             const std::vector<const TargetColumn*>& columns,
                                             const std::vector<InputFile>& files,
                                             engine::Connection& connection, io::ObjectStore& store,
                                             const CopyOptions& options, CopyReport& report);

}  // namespace leat::transfer
