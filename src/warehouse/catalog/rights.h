// Who may do what: the effective privileges of a user on an object, and their text forms.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/catalog/catalog_session.h"
#include "warehouse/catalog/model.h"

namespace leat::catalog {

/// PUBLIC's, the groups', the roles' and the user's own privileges together, on the whole object.
/// Owners and superusers have all (every bit).
[[nodiscard]] std::uint32_t effective_privileges(const CatalogSession& catalog, const User& user,
                                                 std::int32_t owner, const Acl& acl);
/// The same, with what scoped grants (FOR TABLES IN ..., FOR SCHEMAS IN ...) add.
[[nodiscard]] std::uint32_t privileges_on(const CatalogSession& catalog, const User& user,
                                          const Relation& relation);
[[nodiscard]] std::uint32_t privileges_on(const CatalogSession& catalog, const User& user,
                                          const Schema& schema);
/// On one column: those of the table and the column's own.
[[nodiscard]] std::uint32_t column_privileges(const CatalogSession& catalog, const User& user,
                                              const Relation& relation, std::int16_t column);
/// True when some of the user's privileges are on columns only.
[[nodiscard]] bool has_column_privileges(const CatalogSession& catalog, const User& user,
                                         const Relation& relation);

/// The roles that a user (or a role) holds, directly or through other roles.
[[nodiscard]] std::vector<std::int32_t> roles_of(const CatalogSession& catalog, GranteeKind kind,
                                                 std::int32_t id);
/// True when what is granted to that grantee (0 for PUBLIC) is granted to the user: to themselves,
/// to everybody, to a group or role of theirs.
[[nodiscard]] bool reaches(const CatalogSession& catalog, const User& user, GranteeKind kind,
                           std::int32_t grantee);
/// True for superusers and for holders of a role with that privilege of the system ("create user").
[[nodiscard]] bool has_system_privilege(const CatalogSession& catalog, const User& user,
                                        std::string_view privilege);

/// The commands (IamCommand) in which the user may name that role of IAM: "default", or an ARN.
[[nodiscard]] std::uint32_t iam_commands(const CatalogSession& catalog, const User& user,
                                         std::string_view role);
/// The bits of "copy", "unload", "external function", "create model" or "all"; nothing for another
/// text.
[[nodiscard]] std::optional<std::uint32_t> iam_commands_from_name(std::string_view name);

/// What a new object gets from the default privileges of its owner.
[[nodiscard]] Acl default_acl(const CatalogSession& catalog, StandingTarget target,
                              std::int32_t owner, Oid schema);

/// The part of them that `user` may pass on to others.
[[nodiscard]] std::uint32_t grantable_privileges(const User& user, std::int32_t owner,
                                                 const Acl& acl);

/// The bit of a privilege's name in lower case ("select", "temp", "temporary", ...); nothing for
/// another word.
[[nodiscard]] std::optional<Privilege> privilege_from_name(std::string_view name);
/// "SELECT", "USAGE", ... of one bit.
[[nodiscard]] std::string_view privilege_name(std::uint32_t bit);

/// ACL items as PostgreSQL writes them: "alice=arw/leat", "group staff=r/leat", "=U/leat"; a star
/// marks what may be passed on. The owner's own item comes first, as there is always one once
/// anything was granted.
[[nodiscard]] std::vector<std::string> acl_items(const CatalogSession& catalog, std::int32_t owner,
                                                 std::uint32_t all, const Acl& acl);

/// Adds (or takes away) privileges of one grantee. Entries without privileges vanish. `column`: of
/// one column; what is taken away from the whole object is taken away from its columns as well.
/// `revoke_own`: only what `grantor` gave is taken away.
void change_acl(Acl& acl, GranteeKind kind, std::int32_t grantee, std::int32_t grantor,
                std::uint32_t privileges, bool grant_option, bool revoke, bool grant_option_only,
                std::int16_t column = 0, bool revoke_own = false);

}  // namespace leat::catalog
