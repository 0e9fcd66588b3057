// Names, types and source spans: the leaves shared by the query tree and the statement tree.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace leat::sql {

/// Bytes [begin, end) of the script that was parsed.
struct SourceSpan {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

/// A possibly qualified object name. Parts are folded to lower case (quoted or not, as Redshift
/// does); a leading '#' of a temporary table stays in the last part.
struct QualifiedName {
  std::vector<std::string> parts;
  SourceSpan span;

  [[nodiscard]] bool empty() const { return parts.empty(); }
  [[nodiscard]] std::string_view name() const {
    return parts.empty() ? std::string_view() : std::string_view(parts.back());
  }
  /// Empty when the name has no schema.
  [[nodiscard]] std::string_view schema() const {
    return parts.size() < 2 ? std::string_view() : std::string_view(parts[parts.size() - 2]);
  }
  /// Empty when the name has no database.
  [[nodiscard]] std::string_view database() const {
    return parts.size() < 3 ? std::string_view() : std::string_view(parts[parts.size() - 3]);
  }
  /// True for `#name`.
  [[nodiscard]] bool is_hash_temporary() const {
    return !parts.empty() && !parts.back().empty() && parts.back().front() == '#';
  }
  /// "a.b.c", for messages. Not quoted.
  [[nodiscard]] std::string to_string() const;
};

enum class TypeKind : std::uint8_t {
  kBoolean,
  kSmallint,
  kInteger,
  kBigint,
  kDecimal,  ///< precision, scale; both -1 when not written (then 18, 0)
  kReal,
  kDouble,
  kChar,     ///< length in bytes; -1 when not written (then 1; BPCHAR: 256)
  kVarchar,  ///< length in bytes; -1 when not written (256 in DDL, unlimited in casts)
  kDate,
  kTime,
  kTimeTz,
  kTimestamp,
  kTimestampTz,
  kInterval,
  kIntervalYearToMonth,
  kIntervalDayToSecond,
  kSuper,
  kVarbyte,  ///< length in bytes; -1 when not written (then 64000)
  kHllSketch,
  kGeometry,
  kGeography,
  // Catalog types: allowed in expressions, not as columns.
  kName,
  kOid,
  kInternalChar,  ///< "char"
  kRegClass,
  kRegType,
  kRegProc,
  kRegNamespace,
  kOther,  ///< any other name, kept in `spelling`
};

struct TypeName {
  TypeKind kind = TypeKind::kOther;
  std::int32_t length = -1;
  std::int32_t precision = -1;
  std::int32_t scale = -1;
  std::uint8_t array_dimensions = 0;
  std::string spelling;  ///< as written, lower case, without modifiers
  SourceSpan span;
};

/// The type a column gets from a written type: VARCHAR becomes VARCHAR(256), DECIMAL DECIMAL(18,0),
/// and so on.
[[nodiscard]] TypeName column_type(TypeName written);

/// How PostgreSQL's format_type spells it: "character varying(256)", "numeric(18,0)", "timestamp
/// without time zone".
[[nodiscard]] std::string format_type(const TypeName& type);

/// How DuckDB spells the type that stores it: "VARCHAR", "DECIMAL(18,0)", "TIMESTAMP".
[[nodiscard]] std::string duckdb_type(const TypeName& type);

/// Wire OID of redshift.md 1.7 (arrays: the element's array OID where one exists, else 1009).
[[nodiscard]] std::uint32_t type_oid(const TypeName& type);

/// The collations that Redshift has: true for "case_insensitive" and "ci", false for
/// "case_sensitive" and "cs" (in lower case), nothing for all others.
[[nodiscard]] std::optional<bool> insensitive_collation(std::string_view name);

/// Reads a type such as "character varying(256)" or "numeric(10,2)"; kOther when it is none.
[[nodiscard]] TypeName parse_type_name(std::string_view text);

/// `name` as a DuckDB and PostgreSQL quoted identifier, always in double quotes.
[[nodiscard]] std::string quote_identifier(std::string_view name);
/// `text` as a standard string literal ('' doubled, backslash plain), as DuckDB reads it.
[[nodiscard]] std::string quote_literal(std::string_view text);

/// True when `word` (lower case) is one of Redshift's reserved words, which need quotes as
/// identifiers.
[[nodiscard]] bool is_reserved_word(std::string_view word);

}  // namespace leat::sql
