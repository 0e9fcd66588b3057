#include "warehouse/catalog/rights.h"

#include <algorithm>
#include <array>
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
};

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

std::uint32_t effective_privileges(const CatalogSession& catalog, const User& user,
                                   std::int32_t owner, const Acl& acl) {
  if (user.superuser || user.id == owner) return ~0U;
  std::uint32_t privileges = 0;
  for (const AclEntry& entry : acl) {
    bool applies = entry.kind == GranteeKind::kPublic ||
                   (entry.kind == GranteeKind::kUser && entry.grantee == user.id);
    if (entry.kind == GranteeKind::kGroup) {
      const GroupPointer group = catalog.group(entry.grantee);
      applies =
          group != nullptr && std::ranges::find(group->members, user.id) != group->members.end();
    }
    if (applies) privileges |= entry.privileges;
  }
  return privileges;
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
  if (acl.empty()) return items;
  const std::string owner_name = user_name(catalog, owner);
  items.push_back(owner_name + "=" + letters(all, 0) + "/" + owner_name);
  for (const AclEntry& entry : acl) {
    std::string grantee;
    if (entry.kind == GranteeKind::kUser) {
      grantee = user_name(catalog, entry.grantee);
    } else if (entry.kind == GranteeKind::kGroup) {
      const GroupPointer group = catalog.group(entry.grantee);
      grantee = "group " + (group == nullptr ? std::string("unknown") : group->name);
    }
    items.push_back(grantee + "=" + letters(entry.privileges, entry.grantable) + "/" +
                    user_name(catalog, entry.grantor));
  }
  return items;
}

void change_acl(Acl& acl, GranteeKind kind, std::int32_t grantee, std::int32_t grantor,
                std::uint32_t privileges, bool grant_option, bool revoke, bool grant_option_only) {
  const auto matches = [&](const AclEntry& entry) {
    return entry.kind == kind && entry.grantee == grantee;
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
  auto entry = std::ranges::find_if(
      acl, [&](const AclEntry& e) { return matches(e) && e.grantor == grantor; });
  if (entry == acl.end()) {
    acl.push_back(
        {.kind = kind, .grantee = grantee, .grantor = grantor, .privileges = 0, .grantable = 0});
    entry = std::prev(acl.end());
  }
  entry->privileges |= privileges;
  if (grant_option) entry->grantable |= privileges;
}

}  // namespace leat::catalog
