// Pieces shared by CREATE and ALTER. Inside of the module only.
#pragma once

#include <string>
#include <vector>

#include "warehouse/session/session_state.h"

namespace leat::session {

/// The catalog's column of a written one. Errors: 0A000 for types no column can have, 42611 for bad
/// lengths, ....
[[nodiscard]] SqlResult<catalog::Column> make_column(const sql::ColumnDefinition& definition,
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

/// Adds a key or reference; its name is made when empty.
[[nodiscard]] SqlStatus add_constraint(SessionState& session, catalog::Relation& relation,
                                       const sql::TableConstraint& constraint);

/// Views that read `relation`, directly.
[[nodiscard]] std::vector<catalog::RelationPointer> dependents(const SessionState& session,
                                                               catalog::Oid relation);

[[nodiscard]] std::unexpected<SqlError> already_exists(std::string_view name);

}  // namespace leat::session
