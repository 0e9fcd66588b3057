// Reads a script: Redshift SQL text to typed statements.
//
//   auto script = parse_script("begin; select $1::int; commit");
//   if (!script) return send_error(script.error());      // sqlstate 42601, position 1-based
//   for (const ParsedStatement& parsed : *script) ...
//
// Linear time in the text; depth is limited (query.h), so no text can overflow the stack. Pure; any
// thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "warehouse/sql/ast.h"
#include "warehouse/sql/sql_error.h"

namespace leat::sql {

inline constexpr std::size_t kStatementBytesMax = 16 * 1024 * 1024;  ///< else SQLSTATE 54000

struct ParsedStatement {
  Statement statement;
  SourceSpan span;          ///< bytes of the statement in the script, without the semicolon
  int parameter_count = 0;  ///< highest $n used
  [[nodiscard]] std::string_view text(std::string_view script) const {
    return script.substr(span.begin, span.end - span.begin);
  }
};

/// Splits and parses every statement; empty statements vanish, so that an empty script gives an
/// empty vector. Errors: 42601 syntax error with the character position in `script`; 0A000 for
/// statements and clauses that Redshift or Leat does not have, named in the message; 54001 too
/// deep; 54000 too long; 22021 not UTF-8.
[[nodiscard]] SqlResult<std::vector<ParsedStatement>> parse_script(std::string_view script);

/// Parses exactly one statement; errors as parse_script, and 42601 "cannot insert multiple commands
/// into a prepared statement" for several. Nothing inside (nullopt) for an empty text.
[[nodiscard]] SqlResult<std::optional<ParsedStatement>> parse_statement(std::string_view text);

/// Parses one expression, such as a stored DEFAULT.
[[nodiscard]] SqlResult<ExpressionPtr> parse_expression(std::string_view text);

/// One line that shows the whole tree, for tests and for `leat inspect`; equal trees give equal
/// lines.
[[nodiscard]] std::string dump(const Statement& statement);
[[nodiscard]] std::string dump(const Expression& expression);
[[nodiscard]] std::string dump(const Query& query);

}  // namespace leat::sql
