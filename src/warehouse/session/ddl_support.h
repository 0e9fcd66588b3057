// Pieces shared by CREATE and ALTER. Inside of the module only.
#pragma once

#include <string>
#include <vector>

#include "warehouse/session/session_state.h"

namespace leat::session {

/// The catalog's column of a written one. Errors: 0A000 for types no column can have, 42611 for bad
/// lengths, ....
[[nodiscard]] SqlResult<catalog::Column> make_column(const SessionState& session,
                                                     const sql::ColumnDefinition& definition,
                                                     bool temporary);

/// DuckDB's definition: name, type, DEFAULT. NOT NULL only when `with_not_null`.
[[nodiscard]] SqlResult<std::string> column_sql(const SessionState& session,
                                                const catalog::Column& column,
                                                const std::string& identity_sequence,
                                                bool with_not_null);

/// The sequence behind an IDENTITY column.
[[nodiscard]] std::string sequence_name(catalog::Oid relation, std::int16_t column);

/// Sets distribution, sort keys and their columns. Errors: 42703 unknown column, 42P16
/// contradictions.
[[nodiscard]] SqlStatus apply_attributes(catalog::Relation& relation,
                                         const sql::TableAttributes& attributes);

/// Gives the columns their encodings as Redshift chooses them, which leaves sort keys raw.
void choose_encodings(catalog::Relation& relation);

/// Adds a key or reference; its name is made when empty.
[[nodiscard]] SqlStatus add_constraint(SessionState& session, catalog::Relation& relation,
                                       const sql::TableConstraint& constraint);

/// Marks the column as one that may hold texts with a blank at the end.
void note_blanks(SessionState& session, const catalog::Relation& relation,
                 const catalog::Column& column);
/// Marks the columns whose defaults may be such texts, and keeps the relation's marks.
[[nodiscard]] SqlStatus note_defaults(SessionState& session, const catalog::Relation& relation);

// Pieces of CREATE (ddl.cc).
/// Where a new relation goes: temporary or in a schema where the user may create.
/// `system`: the privilege of the system that does for the schema's CREATE; empty: none.
[[nodiscard]] SqlResult<catalog::Relation> place_relation(SessionState& session,
                                                          const sql::QualifiedName& name,
                                                          bool temporary, std::string_view system);
[[nodiscard]] catalog::RelationPointer existing(const SessionState& session,
                                                const catalog::Relation& relation);
[[nodiscard]] SqlStatus check_columns(const catalog::Relation& relation);
void number_columns(catalog::Relation& relation);
/// Makes the engine's table and the sequences of its IDENTITY columns.
[[nodiscard]] SqlStatus create_in_engine(SessionState& session, const catalog::Relation& relation);
/// Makes the engine's table alone.
[[nodiscard]] SqlStatus create_engine_table(SessionState& session,
                                            const catalog::Relation& relation);
/// `script`: what `query` was parsed from, for positions; may be empty. `view`: as of
/// SessionLookup.
[[nodiscard]] SqlResult<std::string> translate_inner(const SessionState& session,
                                                     std::string_view script,
                                                     const sql::Query& query,
                                                     const catalog::Relation* view = nullptr);
[[nodiscard]] SqlResult<std::vector<engine::ColumnInfo>> describe_query(
    SessionState& session, const std::string& engine_sql);
/// Columns of a query's result as a table would have them: declared lengths where they can be seen.
[[nodiscard]] SqlResult<std::vector<catalog::Column>> result_columns(
    SessionState& session, const sql::Query& query, const std::vector<engine::ColumnInfo>& columns,
    const std::vector<std::string>& names, bool temporary, const catalog::Relation* view = nullptr);
[[nodiscard]] std::string_view inner_text(const Running& running, sql::SourceSpan span);

// Views (views.cc).
/// Brings the declared types of the columns of the views that read `relation`, and of those that
/// read them, up to date; `depth` of views that read views so far.
[[nodiscard]] SqlStatus retype_views(SessionState& session, const catalog::Relation& relation,
                                     int depth = 0);
/// The views that use a column of `relation`.
[[nodiscard]] SqlResult<std::vector<catalog::RelationPointer>> column_users(
    const SessionState& session, const catalog::Relation& relation, const catalog::Column& column);
/// The bound and materialized views that call the function.
[[nodiscard]] std::vector<catalog::RelationPointer> callers(const SessionState& session,
                                                            catalog::Oid function);

/// Views that read `relation`, directly.
[[nodiscard]] std::vector<catalog::RelationPointer> dependents(const SessionState& session,
                                                               catalog::Oid relation);

/// Foreign keys of other tables that refer to `relation`: to the column of that number, or to any
/// (0).
struct Referrer {
  catalog::RelationPointer table;
  std::string constraint;
};
[[nodiscard]] std::vector<Referrer> referrers(const SessionState& session,
                                              const catalog::Relation& relation,
                                              std::int16_t column);
/// Drops the views and foreign keys that use `what`; without CASCADE 2BP01 when there are any.
[[nodiscard]] SqlStatus drop_dependents(SessionState& session, std::string_view what,
                                        const std::vector<catalog::RelationPointer>& views,
                                        const std::vector<Referrer>& keys, bool cascade,
                                        int depth = 0);
/// Drops it, with CASCADE what depends on it, else 2BP01 when something does.
[[nodiscard]] SqlStatus drop_relation(SessionState& session, const catalog::Relation& relation,
                                      bool cascade, int depth = 0);

/// 42501 unless the session's user owns the database or is a superuser.
[[nodiscard]] SqlStatus require_database_owner(const SessionState& session,
                                               const catalog::Database& database);

[[nodiscard]] std::unexpected<SqlError> already_exists(std::string_view name);

}  // namespace leat::session
