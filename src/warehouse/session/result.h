// What a session tells its client: fields, rows, tags, notices, changed settings.
//
// The front ends (pgwire, dataapi) implement ResultSink; they read the engine's chunks through this
// header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/engine/chunk.h"
#include "warehouse/engine/error.h"

namespace leat::session {

using engine::SqlError;
using engine::SqlResult;
using engine::SqlStatus;

/// A column of a result as the PostgreSQL protocol describes it.
struct Field {
  std::string name{};
  std::uint32_t type_oid = 0;
  std::int16_t type_size = -1;      ///< Bytes, or -1 for a variable size.
  std::int32_t type_modifier = -1;  ///< As in pg_attribute.atttypmod.
  std::uint32_t table_oid = 0;      ///< 0: not a plain column of a table.
  std::int16_t column_number = 0;
  // For clients of Redshift's own protocol: the column it plainly is; empty when it is none.
  std::string schema{};
  std::string table{};
  std::string column{};
  bool not_null = false;
  bool identity = false;
};

/// The message (0A000) of executing a prepared statement whose columns have changed since it was
/// prepared. Clients know it, and prepare again.
inline constexpr std::string_view kOutdatedStatement = "cached plan must not change result type";

enum class Severity : std::uint8_t { kInfo, kNotice, kWarning };

/// Receives what one statement after the other produces, on the session's thread. A method that
/// returns false says that the client is gone: the statement is stopped.
class ResultSink {
 public:
  virtual ~ResultSink() = default;
  /// Before the rows of each statement of a simple query that returns rows; never within execute().
  virtual bool on_fields(std::span<const Field> fields) = 0;
  /// Rows [first, first + count) of `chunk`, which lives until the call returns.
  virtual bool on_rows(const engine::Chunk& chunk, std::size_t first, std::size_t count) = 0;
  /// The command tag, such as "SELECT" or "INSERT 0 3": the statement is done.
  virtual bool on_complete(std::string_view tag) = 0;
  /// The text held no statement.
  virtual bool on_empty() = 0;
  virtual void on_notice(Severity severity, std::string_view sqlstate,
                         std::string_view message) = 0;
  /// A setting that clients follow changed (ParameterStatus).
  virtual void on_setting(std::string_view name, std::string_view value) = 0;
};

}  // namespace leat::session
