// What the forms of SHOW share. Inside of the module only.
#pragma once

#include <string>
#include <string_view>

#include "warehouse/session/session_state.h"

namespace leat::session {

/// The schema that SHOW ... FROM SCHEMA names, or the current one; 3F000, 3D000 when there is none.
[[nodiscard]] SqlResult<std::string> shown_schema(const SessionState& session,
                                                  const sql::QualifiedName& name);
/// Rows ("(...), (...)") as a relation with these columns; none: one row of NULLs that is left out.
[[nodiscard]] std::string rows_sql(const std::string& rows, std::string_view columns);

// The engine's SQL for each form (show_grants.cc).
[[nodiscard]] SqlResult<std::string> grants_sql(const SessionState& session,
                                                const sql::ShowStatement& statement);
[[nodiscard]] SqlResult<std::string> functions_sql(const SessionState& session,
                                                   const sql::ShowStatement& statement);
[[nodiscard]] SqlResult<std::string> parameters_sql(const SessionState& session,
                                                    const sql::ShowStatement& statement);

/// CREATE TABLE as SHOW TABLE prints it: it makes the table anew (show_table.cc).
[[nodiscard]] std::string table_ddl(const SessionState& session, const catalog::Relation& relation);
/// A view's statement as SHOW VIEW prints it.
[[nodiscard]] std::string view_ddl(const SessionState& session, const catalog::Relation& view);

}  // namespace leat::session
