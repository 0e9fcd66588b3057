#include "warehouse/engine/encryption.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <filesystem>

#include "base/text.h"
#include "warehouse/engine/database.h"
#include "warehouse/engine/duckdb_bridge.h"

namespace leat::engine {

std::string encryption_extension() {
  static const std::string path = [] {
    Dl_info library{};
    std::filesystem::path folder;
    std::error_code error;
    // A function of the library tells where it was loaded from; NOLINTNEXTLINE: dladdr's interface.
    if (dladdr(reinterpret_cast<const void*>(&duckdb_library_version), &library) != 0 &&
        library.dli_fname != nullptr) {
      folder = std::filesystem::canonical(library.dli_fname, error).parent_path();
    }
    return (folder / "httpfs.duckdb_extension").string();
  }();
  return path;
}

Status check_encryption_extension() {
  std::error_code error;
  const std::string path = encryption_extension();
  if (std::filesystem::is_regular_file(path, error)) return {};
  return fail(
      Errc::kNotFound,
      fmt::format("encrypting the warehouse needs DuckDB's extension httpfs for version {}, "
                  "which is not at {}: put it there (tools/fetch-duckdb does)",
                  Database::engine_version(), path));
}

Status load_encryption(Connection& connection) {
  LEAT_TRY(check_encryption_extension());
  for (const std::string& sql : {"LOAD " + quote_literal(encryption_extension()),
                                 std::string("SET GLOBAL temp_file_encryption = true")}) {
    if (const auto done = connection.run(sql); !done) {
      return fail(Errc::kUnsupported,
                  fmt::format("DuckDB's extension for encryption cannot be used: {}: {} {}",
                              encryption_extension(), done.error().message, done.error().detail));
    }
  }
  return {};
}

}  // namespace leat::engine
