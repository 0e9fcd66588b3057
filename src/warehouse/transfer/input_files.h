// The objects that a COPY's FROM names: by key prefix, or listed in a manifest.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/object_store.h"
#include "warehouse/engine/error.h"
#include "warehouse/sql/ast.h"

namespace leat::transfer {

struct InputFile {
  std::string uri;
  std::uint64_t size = 0;
};

struct ManifestEntry {
  std::string url;
  bool mandatory = false;
  std::int64_t content_length = -1;  ///< -1: not given.
};

/// Reads a manifest's text. Errors: XX000 with the place that is wrong. Pure; any thread.
[[nodiscard]] engine::SqlResult<std::vector<ManifestEntry>> parse_manifest(std::string_view text);

/// The files to load, in order, without empty ones. Errors: XX000 when nothing is found, a
/// mandatory file is missing, a file's size is not the manifest's, or the manifest is broken; what
/// store_error makes of the store's.
[[nodiscard]] engine::SqlResult<std::vector<InputFile>> find_input_files(
    const sql::CopyStatement& statement, io::ObjectStore& store);

/// A failure of the object store in Redshift's words.
[[nodiscard]] engine::SqlError store_error(const Error& error, std::string_view uri);

}  // namespace leat::transfer
