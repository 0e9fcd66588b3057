// What HAS_TABLE_PRIVILEGE and its kind, PG_HAS_ROLE, USER_IS_MEMBER_OF and ROLE_IS_MEMBER_OF
// answer. Pure; any thread. Used by system_functions.cc only.
#pragma once

#include <optional>
#include <string_view>

#include "warehouse/catalog/system_functions.h"
#include "warehouse/engine/error.h"

namespace leat::catalog {

/// One question: whether a user has one of some privileges on an object.
struct PrivilegeQuestion {
  std::string_view kind;        ///< "relation", "column:<name>" (none: any), "schema", "database",
                                ///< "function", "role" or "iam_role"
  std::string_view user;        ///< name or number; empty: the session's
  std::string_view object;      ///< name as written, or number
  std::string_view privileges;  ///< "select, insert", each perhaps WITH GRANT OPTION
};

/// Nothing for a number that no object has. Errors, as PostgreSQL has them: 42704 for an unknown
/// user or role, 42P01, 42703, 3F000, 3D000 and 42883 for an unknown relation, column, schema,
/// database or function, 22023 for a privilege that there is not.
[[nodiscard]] engine::SqlResult<std::optional<bool>> has_privilege(
    const SessionFacts& facts, const PrivilegeQuestion& question);

/// Whether a user or a role (`kind`) holds a role, directly or through others; nothing for unknown
/// names.
[[nodiscard]] std::optional<bool> is_member(const SessionFacts& facts, std::string_view kind,
                                            std::string_view member, std::string_view role_name);

/// The relation of that name as written ("t", "s.t", either in double quotes), by the search path;
/// nullptr when there is none.
[[nodiscard]] RelationPointer find_relation(const SessionFacts& facts, std::string_view written);

}  // namespace leat::catalog
