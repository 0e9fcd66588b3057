// Pieces shared by users, groups, roles and grants. Inside of the module only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/session/session_state.h"

namespace leat::session {

[[nodiscard]] std::unexpected<SqlError> no_user(std::string_view name);

struct FoundGrantee {
  catalog::GranteeKind kind = catalog::GranteeKind::kPublic;
  std::int32_t id = 0;
};
/// Errors: 42704 for a user, group or role that does not exist.
[[nodiscard]] SqlResult<FoundGrantee> find_grantee(const SessionState& session,
                                                   const sql::Grantee& written);

/// Whether a new user, group or role (`kind`) may have that name. Errors: 42939 for one of the
/// system's, 42710 for one that stands for another behind TO.
[[nodiscard]] SqlStatus check_new_name(const SessionState& session, catalog::GranteeKind kind,
                                       const std::string& name);

/// True when some object's rights name this grantee.
[[nodiscard]] bool has_grants(const SessionState& session, catalog::GranteeKind kind,
                              std::int32_t id);

/// The name of another database in which some object's rights, or standing ones, name this grantee;
/// empty: of none.
[[nodiscard]] std::string database_with_grants(const SessionState& session,
                                               catalog::GranteeKind kind, std::int32_t id);

/// Takes one who is dropped out of the standing privileges, the grants of IAM's roles and, as a
/// holder, out of the roles.
[[nodiscard]] SqlStatus forget_grantee(SessionState& session, catalog::GranteeKind kind,
                                       std::int32_t id);

// roles.cc
[[nodiscard]] SqlStatus grant_roles(SessionState& session, const sql::GrantStatement& statement);
[[nodiscard]] SqlStatus grant_system_privileges(SessionState& session,
                                                const sql::GrantStatement& statement);

// iam_roles.cc
[[nodiscard]] SqlStatus grant_iam_roles(SessionState& session,
                                        const sql::GrantStatement& statement);
/// 42501 unless the session's user may name all these roles in that command.
[[nodiscard]] SqlStatus require_iam_roles(const SessionState& session,
                                          const std::vector<std::string>& roles,
                                          catalog::IamCommand command);
[[nodiscard]] SqlStatus forget_iam_grantee(SessionState& session, catalog::GranteeKind kind,
                                           std::int32_t id);

}  // namespace leat::session
