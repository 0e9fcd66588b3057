// Turns parsed Redshift statements into DuckDB SQL, and answers what a session asks about a
// statement before it runs it. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/sql/ast.h"
#include "warehouse/sql/parser.h"
#include "warehouse/sql/sql_error.h"

namespace leat::sql {

/// What the translator knows about a relation. Types are effective ones (column_type()).
struct RelationColumn {
  std::string name;
  TypeName type;
  bool identity = false;
  bool not_null = false;
  bool readable = true;     ///< False: the user may not read it; a query that names it is 42501.
  std::int16_t number = 0;  ///< As in pg_attribute.attnum; 0: not known.
  /// Text that may end in a blank.
  bool blanks = false;
  /// COLLATE CASE_INSENSITIVE: texts that differ in case only are equal.
  bool insensitive = false;
  /// What values with a blank at the end are noted under (leat_fit_varchar); 0: they need not be.
  std::int64_t blank_key = 0;
};

enum class RelationKind : std::uint8_t { kTable, kView, kMaterializedView, kSystem };

struct Relation {
  RelationKind kind = RelationKind::kTable;
  std::string duckdb_name;  ///< DuckDB SQL text, quoted: "public"."t"
  // For the description of results; empty: not known.
  std::uint32_t oid = 0;
  std::string schema{};
  std::string name{};
  std::vector<RelationColumn> columns;
};

/// A function that a user defined: one expression over $1 ... $n.
struct DefinedFunction {
  std::string name;
  std::vector<TypeName> parameters;
  TypeName returns;
  std::string body;  ///< "select ..."
  std::uint32_t oid = 0;
};

/// Answers for names as written (1 to 3 parts), resolved by the session's search path. Implemented
/// over the catalog; results must stay valid until translate() returns.
class RelationLookup {
 public:
  virtual ~RelationLookup() = default;
  /// Called for every relation a statement names that is no common table expression. Errors (42P01,
  /// 3F000) end the translation; the position is added by the caller. Null: unknown here, the
  /// translator quotes the name as written and leaves the error to DuckDB.
  [[nodiscard]] virtual SqlResult<const Relation*> find(const QualifiedName& name) const = 0;
  /// The functions of that name with that many parameters, of one schema; empty: none. Errors
  /// (42501) end the translation.
  [[nodiscard]] virtual SqlResult<std::vector<const DefinedFunction*>> find_functions(
      const std::vector<std::string>& /*name*/, std::size_t /*parameters*/) const {
    return std::vector<const DefinedFunction*>();
  }
  /// True for a table of the session's own that holds few rows: a set of keys made of them fits
  /// into memory. Asked only where that matters.
  [[nodiscard]] virtual bool holds_few_rows(const Relation& /*relation*/) const { return false; }
};

struct TranslateContext {
  /// The session's database: three-part names with another first part are cross-database reads.
  std::string current_database;
  /// Schemas searched for unqualified names, in order. The DuckDB connection has the same search
  /// path set; this is only used to name things in messages.
  std::vector<std::string> search_path;
  /// Qualifier, as DuckDB SQL text (already quoted where needed), of the schema that holds the
  /// relations and functions of pg_catalog, svv_*, stl_*, sys_* ... : pg_class becomes
  /// `<system_schema>.pg_class`.
  std::string system_schema = "leat_system";
  /// Qualifier of the schema that holds the macros of dialect_macros(). Some are named like the
  /// DuckDB function they call, so no view may live in that schema.
  std::string function_schema = "leat_system";
  /// The text that was parsed, for the positions of errors. Empty: they count its bytes.
  std::string_view script;
  /// Types of $1, $2 ... as the client declared them; kOther with an empty spelling: not declared.
  std::vector<TypeName> parameter_types;
  /// Session time zone, for GETDATE, SYSDATE and CURRENT_DATE.
  std::string time_zone = "UTC";
  /// enable_numeric_rounding: a decimal cast to fewer digits is rounded; otherwise those of rows
  /// are cut off.
  bool numeric_rounding = false;
  /// enable_case_sensitive_super_attribute: names in paths into SUPER values keep their case.
  bool case_sensitive_attributes = false;
  /// error_on_nondeterministic_update: UPDATE refuses several matches of one row.
  bool one_match = false;
  /// The database is COLLATE CASE_INSENSITIVE: so are texts without a collation of their own.
  bool insensitive = false;
  /// May be null: then lengths are not checked and types of columns are not known.
  const RelationLookup* relations = nullptr;
};

/// What is known of a result's column beyond what the engine says.
struct ResultColumn {
  std::string name{};
  TypeName type{};  ///< kOther: not known. Texts without a known length have none.
  TypeKind character = TypeKind::kOther;  ///< kVarchar or kChar with `length`; else kOther.
  std::int32_t length = -1;
  // The table's column that it plainly is.
  std::uint32_t table_oid = 0;
  std::int16_t column_number = 0;
  std::string schema{};
  std::string table{};
  std::string column{};
  bool not_null = false;
  bool identity = false;
  bool blanks = true;        ///< False: no text that ends in a blank.
  bool insensitive = false;  ///< COLLATE CASE_INSENSITIVE, its own or the database's.
};

struct Translation {
  /// DuckDB statements to run in order, in one transaction; the last one gives the result. Empty
  /// for statements that the session runs itself (SET, COPY, GRANT, ...).
  std::vector<std::string> statements;
  /// One for each column of a query's result; empty when the translator cannot count them.
  std::vector<ResultColumn> columns{};
};

/// Errors: 0A000 for what cannot be expressed, with its name; 42883 for functions Redshift does not
/// have; 54000 when the result would be larger than 64 MiB. Positions are in the script that was
/// parsed.
[[nodiscard]] SqlResult<Translation> translate(const Statement& statement,
                                               const TranslateContext& context);

/// One query, for UNLOAD, cursors and views.
[[nodiscard]] SqlResult<std::string> translate_query(const Query& query,
                                                     const TranslateContext& context);
/// The columns of its result, as Translation::columns has them.
[[nodiscard]] SqlResult<std::vector<ResultColumn>> query_columns(const Query& query,
                                                                 const TranslateContext& context);
/// One expression.
[[nodiscard]] SqlResult<std::string> translate_expression(const Expression& expression,
                                                          const TranslateContext& context);
/// The DEFAULT of a column of `type` (a column type), with the check of its length.
[[nodiscard]] SqlResult<std::string> translate_default(const Expression& value,
                                                       const TypeName& type,
                                                       const TranslateContext& context);

/// The statement as Redshift SQL in one canonical spelling; parsing it gives the same dump().
/// Only queries, DML and expressions; empty for other statements.
[[nodiscard]] std::string redshift_text(const Statement& statement);
[[nodiscard]] std::string redshift_text(const Query& query);
[[nodiscard]] std::string redshift_text(const Expression& expression);

/// Name of the statement's kind for messages and query_type columns: "CREATE TABLE", "COPY",
/// "SELECT".
[[nodiscard]] std::string_view statement_kind(const Statement& statement);

/// CommandComplete tag without row counts: "INSERT 0", "SELECT", "BEGIN", "CREATE TABLE". The
/// session appends the count to "INSERT 0", "UPDATE", "DELETE", "FETCH" and, if it wants, "SELECT".
[[nodiscard]] std::string_view command_tag(const Statement& statement);

/// True when running it gives a result set (SELECT, SHOW, FETCH, EXPLAIN, ANALYZE COMPRESSION).
/// EXECUTE: false here, because only the session knows what was prepared.
[[nodiscard]] bool returns_rows(const Statement& statement);

/// True for a SELECT of literals alone, such as `select 1`: its answer is always the same.
[[nodiscard]] bool is_constant(const Statement& statement);

/// True for statements Redshift refuses inside a transaction block (25001): VACUUM, CREATE
/// DATABASE, ....
[[nodiscard]] bool forbidden_in_transaction(const Statement& statement);

/// True when it changes data or catalog (refused by SET readonly=1 with 25006).
[[nodiscard]] bool writes(const Statement& statement);

enum class Access : std::uint8_t {
  kSelect,
  kInsert,
  kUpdate,
  kDelete,
  kTruncate,
  kAlter,
  kDrop,
  kLock,
  kReference  ///< foreign key, LIKE
};

struct TableAccess {
  QualifiedName table;
  Access access = Access::kSelect;
};

/// Every relation the statement names with what it does to it, in order of appearance, without
/// duplicates and without names of common table expressions. System relations are included as
/// written.
[[nodiscard]] std::vector<TableAccess> referenced_tables(const Statement& statement);

/// What stands anywhere in an expression.
struct ExpressionParts {
  bool query = false;
  bool window = false;
};
[[nodiscard]] ExpressionParts parts_of(const Expression& expression);

/// The names of the functions that the statement calls, sorted, each once; those without
/// parentheses (SYSDATE) among them.
[[nodiscard]] std::vector<std::string> called_functions(const Statement& statement);

/// True when the name means a system relation: qualified by pg_catalog or information_schema, or
/// unqualified and one of Redshift's catalog names (pg_class, svv_tables, stl_query, ...).
[[nodiscard]] bool is_system_relation(const QualifiedName& name);

/// DuckDB statements, to be run once in every database in this order, that create the macros
/// translated SQL calls, in the schema `context.function_schema` (which must exist).
[[nodiscard]] std::vector<std::string> dialect_macros(const TranslateContext& context);

/// DuckDB settings every connection must have for translated SQL to mean the same: "SET
/// integer_division=true" ....
[[nodiscard]] std::vector<std::string> required_settings();

}  // namespace leat::sql
