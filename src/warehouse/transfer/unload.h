// UNLOAD: the rows of a query into objects of the store. What each option does:
// docs/reference/unload.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/object_store.h"
#include "warehouse/engine/connection.h"
#include "warehouse/sql/ast.h"

namespace leat::transfer {

/// A column of the query as Redshift sees it.
struct UnloadColumn {
  std::string name;
  sql::TypeName type = {};
};

struct UnloadedFile {
  std::string file;  ///< s3:// name.
  std::uint64_t bytes = 0;
  std::int64_t rows = 0;
};

/// What an UNLOAD did. With `error` set nothing of it is left in the store,
/// but for a CLEANPATH that could not remove an old file.
struct UnloadReport {
  std::optional<engine::SqlError> error = {};
  std::int64_t rows = 0;
  std::vector<UnloadedFile> files = {};   ///< In the order written, without the manifest.
  std::string file_format = {};           ///< "Parquet", "CSV", "JSON", "Text".
  std::vector<std::string> notices = {};  ///< INFO messages for the client, in order.
};

struct UnloadOptions {
  /// A file is closed when it has this many bytes, whatever MAXFILESIZE says: files are made in
  /// memory.
  std::uint64_t file_bytes_max = 256ULL << 20;
  /// Partitions written at the same time; when there are more, the largest files are closed.
  std::size_t open_files_max = 256;
};

/// Checks the options: call before the query runs. Errors: 0A000 for what is not supported, 42601
/// for options that exclude each other, 42703 for an unknown partition column. Pure; any thread.
[[nodiscard]] engine::SqlStatus check_unload(const sql::UnloadStatement& statement,
                                             const std::vector<UnloadColumn>& columns);

/// Writes the rows of `query`, whose columns are `columns`, and then the manifest. A file appears
/// whole or not at all; after an error the files written are removed. With CLEANPATH the files that
/// were there go when all new ones are there. Runs on the connection's thread; its
/// interrupt() stops it. Check with check_unload first.
[[nodiscard]] UnloadReport run_unload(const sql::UnloadStatement& statement,
                                      const std::vector<UnloadColumn>& columns,
                                      engine::Prepared& query, io::ObjectStore& store,
                                      const UnloadOptions& options = {});

}  // namespace leat::transfer
