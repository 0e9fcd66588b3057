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

/// PUBLIC's, the groups' and the user's own privileges together. Owners and superusers have all
/// (every bit).
[[nodiscard]] std::uint32_t effective_privileges(const CatalogSession& catalog, const User& user,
                                                 std::int32_t owner, const Acl& acl);
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

/// Adds (or takes away) privileges of one grantee. Entries without privileges vanish.
void change_acl(Acl& acl, GranteeKind kind, std::int32_t grantee, std::int32_t grantor,
                std::uint32_t privileges, bool grant_option, bool revoke, bool grant_option_only);

}  // namespace leat::catalog
