// The error of a statement, as a PostgreSQL client sees it, and how DuckDB's errors become it.
//
// LEAT_TRY and LEAT_ASSIGN (base/error.h) pass SqlError on as they do Error.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "base/error.h"

namespace leat::engine {

struct SqlError {
  std::string sqlstate = {};  ///< Five characters, PostgreSQL's and Redshift's codes.
  std::string message = {};   ///< Without prefix, position or DuckDB's words where avoidable.
  std::string detail = {};    ///< May be empty.
  std::string hint = {};      ///< May be empty.
  /// 1-based character of the client's text; 0 when not known. The engine does not know that text
  /// and leaves it 0.
  std::int64_t position = 0;
  std::int64_t engine_position = 0;  ///< 1-based byte in the DuckDB SQL that was run; 0: not known.

  bool operator==(const SqlError&) const = default;
};

/// The message of an XX000 for a stream that ended with an error which the engine lost.
inline constexpr std::string_view kLostReason =
    "the statement failed after its first rows and the engine lost the reason";

template <class T>
using SqlResult = std::expected<T, SqlError>;
using SqlStatus = std::expected<void, SqlError>;

/// Makes the error alternative of a SqlResult.
[[nodiscard]] std::unexpected<SqlError> fail_sql(std::string_view sqlstate, std::string message,
                                                 std::string detail = {}, std::string hint = {});

/// Maps the text of a DuckDB error ("Binder Error: ...") to a SqlError. `sql`: the statement, to
/// find the position in. Pure; any thread. What becomes what: docs/internals/engine.md.
[[nodiscard]] SqlError map_duckdb_error(std::string_view text, std::string_view sql = {});

/// Packs an error into one line that map_duckdb_error gives back unchanged: how errors of our own
/// SQL functions and sources travel through DuckDB. Pure; any thread.
[[nodiscard]] std::string pack_error(const SqlError& error);

}  // namespace leat::engine
