#include "warehouse/catalog/rights.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace leat::catalog {
namespace {

struct PrivilegeEntry {
  std::string_view lower;
  std::string_view upper;
  char letter;
  Privilege bit;
};

// In the order of the letters of an ACL item.
constexpr std::array kPrivileges = {
    PrivilegeEntry{"insert", "INSERT", 'a', kInsert},
    PrivilegeEntry{"select", "SELECT", 'r', kSelect},
    PrivilegeEntry{"update", "UPDATE", 'w', kUpdate},
    PrivilegeEntry{"delete", "DELETE", 'd', kDelete},
    PrivilegeEntry{"references", "REFERENCES", 'x', kReferences},
    PrivilegeEntry{"drop", "DROP", 'D', kDrop},
    PrivilegeEntry{"truncate", "TRUNCATE", 't', kTruncate},
    PrivilegeEntry{"alter", "ALTER", 'A', kAlter},
    PrivilegeEntry{"usage", "USAGE", 'U', kUsage},
    PrivilegeEntry{"create", "CREATE", 'C', kCreate},
    PrivilegeEntry{"temporary", "TEMP", 'T', kTemporary},
    PrivilegeEntry{"execute", "EXECUTE", 'X', kExecute},
};

template <class List, class Value>
bool contains(const List& list, const Value& value) {
  return std::ranges::find(list, value) != list.end();
}

std::string letters(std::uint32_t privileges, std::uint32_t grantable) {
  std::string text;
  for (const PrivilegeEntry& entry : kPrivileges) {
    if ((privileges & entry.bit) == 0) continue;
    text += entry.letter;
    if ((grantable & entry.bit) != 0) text += '*';
  }
  return text;
}

std::string user_name(const CatalogSession& catalog, std::int32_t id) {
  const UserPointer user = catalog.user(id);
  return user == nullptr ? "unknown" : user->name;
}

}  // namespace

namespace {

/// Which grantees, as an ACL names them, one user is among. The roles are looked up when the first
/// role is met.
class Applies {
 public:
  Applies(const CatalogSession& catalog, const User& user) : catalog_(catalog), user_(user) {}

  bool operator()(const AclEntry& entry) { return (*this)(entry.kind, entry.grantee); }
  bool operator()(GranteeKind kind, std::int32_t grantee) {
    switch (kind) {
      case GranteeKind::kPublic:
        return true;
      case GranteeKind::kUser:
        return grantee == user_.id;
      case GranteeKind::kGroup: {
        const GroupPointer group = catalog_.group(grantee);
        return group != nullptr && contains(group->members, user_.id);
      }
      case GranteeKind::kRole:
        if (!roles_) roles_ = roles_of(catalog_, GranteeKind::kUser, user_.id);
        return contains(*roles_, grantee);
    }
    return false;
  }

 private:
  const CatalogSession& catalog_;
  const User& user_;
  std::optional<std::vector<std::int32_t>> roles_;
};

std::uint32_t scoped_privileges(const CatalogSession& catalog, const User& user,
                                StandingTarget target, Oid schema) {
  const StandingPointer standing = catalog.standing();
  std::uint32_t privileges = 0;
  Applies applies(catalog, user);
  for (const StandingAcl& list : *standing) {
    if (list.target != target || (list.schema != 0 && list.schema != schema)) continue;
    for (const AclEntry& entry : list.acl) {
      if (applies(entry)) privileges |= entry.privileges;
    }
  }
  return privileges;
}

}  // namespace

std::vector<std::int32_t> roles_of(const CatalogSession& catalog, GranteeKind kind,
                                   std::int32_t id) {
  std::vector<std::int32_t> held;
  const std::vector<RolePointer> roles = catalog.roles();
  const auto collect = [&](GranteeKind holder_kind, std::int32_t holder_id) {
    for (const RolePointer& role : roles) {
      const bool holds = std::ranges::any_of(role->holders, [&](const RoleHolder& holder) {
        return holder.kind == holder_kind && holder.id == holder_id;
      });
      if (holds && !contains(held, role->id)) held.push_back(role->id);
    }
  };
  collect(kind, id);
  for (std::size_t i = 0; i < held.size(); ++i) collect(GranteeKind::kRole, held[i]);
  return held;
}

bool reaches(const CatalogSession& catalog, const User& user, GranteeKind kind,
             std::int32_t grantee) {
  return Applies(catalog, user)(kind, grantee);
}

bool has_system_privilege(const CatalogSession& catalog, const User& user,
                          std::string_view privilege) {
  if (user.superuser) return true;
  for (const std::int32_t id : roles_of(catalog, GranteeKind::kUser, user.id)) {
    const RolePointer role = catalog.role(id);
    if (role != nullptr && contains(role->privileges, privilege)) return true;
  }
  return false;
}

std::uint32_t iam_commands(const CatalogSession& catalog, const User& user, std::string_view role) {
  if (user.superuser) return kAllIamCommands;
  const IamGrantsPointer grants = catalog.iam_grants();
  std::uint32_t commands = 0;
  Applies applies(catalog, user);
  for (const IamGrant& grant : *grants) {
    if ((grant.role.empty() || grant.role == role) && applies(grant.kind, grant.grantee))
      commands |= grant.commands;
  }
  return commands;
}

std::optional<std::uint32_t> iam_commands_from_name(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, std::uint32_t>, 5> kNames = {
      {{"copy", kIamCopy},
       {"unload", kIamUnload},
       {"external function", kIamExternalFunction},
       {"create model", kIamCreateModel},
       {"all", kAllIamCommands}}};
  const auto* const known =
      std::ranges::find(kNames, name, &std::pair<std::string_view, std::uint32_t>::first);
  if (known == kNames.end()) return std::nullopt;
  return known->second;
}

std::uint32_t effective_privileges(const CatalogSession& catalog, const User& user,
                                   std::int32_t owner, const Acl& acl) {
  if (user.superuser || user.id == owner) return ~0U;
  std::uint32_t privileges = 0;
  Applies applies(catalog, user);
  for (const AclEntry& entry : acl) {
    if (entry.column == 0 && applies(entry)) privileges |= entry.privileges;
  }
  return privileges;
}

std::uint32_t privileges_on(const CatalogSession& catalog, const User& user,
                            const Relation& relation) {
  return effective_privileges(catalog, user, relation.owner, relation.acl) |
         scoped_privileges(catalog, user, StandingTarget::kScopedTables, relation.schema);
}

std::uint32_t privileges_on(const CatalogSession& catalog, const User& user, const Schema& schema) {
  return effective_privileges(catalog, user, schema.owner, schema.acl) |
         scoped_privileges(catalog, user, StandingTarget::kScopedSchemas, schema.oid);
}

std::uint32_t column_privileges(const CatalogSession& catalog, const User& user,
                                const Relation& relation, std::int16_t column) {
  std::uint32_t privileges = privileges_on(catalog, user, relation);
  Applies applies(catalog, user);
  for (const AclEntry& entry : relation.acl) {
    if (entry.column == column && applies(entry)) privileges |= entry.privileges;
  }
  return privileges;
}

bool has_column_privileges(const CatalogSession& catalog, const User& user,
                           const Relation& relation) {
  Applies applies(catalog, user);
  return std::ranges::any_of(
      relation.acl, [&](const AclEntry& entry) { return entry.column != 0 && applies(entry); });
}

Acl default_acl(const CatalogSession& catalog, StandingTarget target, std::int32_t owner,
                Oid schema) {
  Acl acl;
  const StandingPointer standing = catalog.standing();
  for (const StandingAcl& list : *standing) {
    if (list.target != target || list.owner != owner) continue;
    if (list.schema != 0 && list.schema != schema) continue;
    for (const AclEntry& entry : list.acl) {
      change_acl(acl, entry.kind, entry.grantee, entry.grantor, entry.privileges, false, false,
                 false);
      change_acl(acl, entry.kind, entry.grantee, entry.grantor, entry.grantable, true, false,
                 false);
    }
  }
  return acl;
}

std::uint32_t grantable_privileges(const User& user, std::int32_t owner, const Acl& acl) {
  if (user.superuser || user.id == owner) return ~0U;
  std::uint32_t privileges = 0;
  for (const AclEntry& entry : acl) {
    if (entry.kind == GranteeKind::kUser && entry.grantee == user.id) privileges |= entry.grantable;
  }
  return privileges;
}

std::optional<Privilege> privilege_from_name(std::string_view name) {
  if (name == "temp") return kTemporary;
  const auto* const entry = std::ranges::find(kPrivileges, name, &PrivilegeEntry::lower);
  if (entry == kPrivileges.end()) return std::nullopt;
  return entry->bit;
}

std::string_view privilege_name(std::uint32_t bit) {
  for (const PrivilegeEntry& entry : kPrivileges) {
    if (entry.bit == bit) return entry.upper;
  }
  return "UNKNOWN";
}

std::vector<std::string> acl_items(const CatalogSession& catalog, std::int32_t owner,
                                   std::uint32_t all, const Acl& acl) {
  std::vector<std::string> items;
  if (std::ranges::all_of(acl, [](const AclEntry& entry) { return entry.column != 0; }))
    return items;
  const std::string owner_name = user_name(catalog, owner);
  items.push_back(owner_name + "=" + letters(all, 0) + "/" + owner_name);
  for (const AclEntry& entry : acl) {
    if (entry.column != 0) continue;
    std::string grantee;
    if (entry.kind == GranteeKind::kUser) {
      grantee = user_name(catalog, entry.grantee);
    } else if (entry.kind == GranteeKind::kGroup) {
      const GroupPointer group = catalog.group(entry.grantee);
      grantee = "group " + (group == nullptr ? std::string("unknown") : group->name);
    } else if (entry.kind == GranteeKind::kRole) {
      const RolePointer role = catalog.role(entry.grantee);
      grantee = "role " + (role == nullptr ? std::string("unknown") : role->name);
    }
    items.push_back(grantee + "=" + letters(entry.privileges, entry.grantable) + "/" +
                    user_name(catalog, entry.grantor));
  }
  return items;
}

void change_acl(Acl& acl, GranteeKind kind, std::int32_t grantee, std::int32_t grantor,
                std::uint32_t privileges, bool grant_option, bool revoke, bool grant_option_only,
                std::int16_t column, bool revoke_own) {
  const auto matches = [&](const AclEntry& entry) {
    return entry.kind == kind && entry.grantee == grantee &&
           (entry.column == column || (revoke && column == 0)) &&
           !(revoke_own && entry.grantor != grantor);
  };
  if (revoke) {
    for (AclEntry& entry : acl) {
      if (!matches(entry)) continue;
      entry.grantable &= ~privileges;
      if (!grant_option_only) entry.privileges &= ~privileges;
    }
    std::erase_if(acl, [](const AclEntry& entry) { return entry.privileges == 0; });
    return;
  }
  if (privileges == 0) return;
  auto entry = std::ranges::find_if(
      acl, [&](const AclEntry& e) { return matches(e) && e.grantor == grantor; });
  if (entry == acl.end()) {
    acl.push_back({.kind = kind,
                   .grantee = grantee,
                   .grantor = grantor,
                   .privileges = 0,
                   .grantable = 0,
                   .column = column});
    entry = std::prev(acl.end());
  }
  entry->privileges |= privileges;
  if (grant_option) entry->grantable |= privileges;
}

}  // namespace leat::catalog
