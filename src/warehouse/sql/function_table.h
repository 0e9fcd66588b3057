// Every Redshift function the translator knows, as one table: the translation and
// docs/reference/sql-functions.md both come from it. A name that is not here is one of the
// catalog's (pg_...) or of a user's, or none.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace leat::sql {

enum class FunctionState : std::uint8_t { kExact, kApproximate, kUnsupported };

/// How a call is written for DuckDB.
enum class FunctionRewrite : std::uint8_t {
  kName,      ///< another (or the same) name, same arguments; `target` is the name; keeps OVER and
              ///< DISTINCT
  kTemplate,  ///< `target` with $1 .. $9, $* (all arguments), $m (macro schema), $s (system schema)
  kSystem,    ///< <system schema>.name(arguments): defined by the catalog
  kSpecial,   ///< code in emit_function.cc, by name
  kNone       ///< not supported: 0A000
};

struct FunctionEntry {
  std::string_view name;  ///< lower case
  std::int8_t arguments_min;
  std::int8_t arguments_max;  ///< -1: any number
  FunctionRewrite rewrite;
  std::string_view target;
  FunctionState state;
  std::string_view group;  ///< heading in the reference page
  std::string_view note;   ///< for kApproximate and kUnsupported: how it differs
};

/// Sorted by name, then arity.
[[nodiscard]] std::span<const FunctionEntry> function_table();

/// The rows of one name; empty when unknown.
[[nodiscard]] std::span<const FunctionEntry> find_function(std::string_view name);

/// "exact", "approximate", "not supported".
[[nodiscard]] std::string_view state_name(FunctionState state);

/// The reference page's table, in Markdown.
[[nodiscard]] std::string function_reference();

}  // namespace leat::sql
