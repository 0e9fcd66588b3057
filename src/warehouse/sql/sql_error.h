// Errors as a PostgreSQL client sees them: SQLSTATE, message, position in the statement's text.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <utility>

namespace leat::sql {

struct SqlError {
  std::string sqlstate;  ///< Five characters, such as "42601".
  std::string message;   ///< Lower case, without the "ERROR:" prefix.
  std::string detail;
  std::string hint;
  /// 1-based character (not byte) of the script that was parsed; 0 when no place can be named.
  std::size_t position = 0;
};

template <class T>
using SqlResult = std::expected<T, SqlError>;
using SqlStatus = std::expected<void, SqlError>;

[[nodiscard]] inline std::unexpected<SqlError> sql_fail(std::string sqlstate, std::string message,
                                                        std::size_t position = 0) {
  return std::unexpected(SqlError{.sqlstate = std::move(sqlstate),
                                  .message = std::move(message),
                                  .detail = {},
                                  .hint = {},
                                  .position = position});
}

}  // namespace leat::sql
