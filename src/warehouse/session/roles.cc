// Roles: making and dropping them, who holds them, and the privileges of the system they carry.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "warehouse/catalog/rights.h"
#include "warehouse/session/rights_support.h"

namespace leat::session {
namespace {

using catalog::Role;
using catalog::RoleHolder;

std::unexpected<SqlError> no_role(std::string_view name) {
  return engine::fail_sql("42704", "role \"" + std::string(name) + "\" does not exist");
}

/// What statements look for; granting others would promise what is not kept.
constexpr std::array<std::string_view, 20> kSystemPrivileges = {"create user",
                                                                "alter user",
                                                                "drop user",
                                                                "create role",
                                                                "drop role",
                                                                "create schema",
                                                                "drop schema",
                                                                "alter default privileges",
                                                                "create table",
                                                                "alter table",
                                                                "drop table",
                                                                "truncate table",
                                                                "create or replace view",
                                                                "drop view",
                                                                "create or replace function",
                                                                "drop function",
                                                                "analyze",
                                                                "vacuum",
                                                                "cancel",
                                                                "access system table"};

bool may_pass_on(const SessionState& session, const Role& role) {
  const catalog::UserPointer me = session.user();
  if (me->superuser || role.owner == me->id) return true;
  const std::vector<std::int32_t> mine =
      catalog::roles_of(session.catalog, catalog::GranteeKind::kUser, me->id);
  return std::ranges::any_of(role.holders, [&](const RoleHolder& holder) {
    if (!holder.admin) return false;
    if (holder.kind == catalog::GranteeKind::kUser) return holder.id == me->id;
    return std::ranges::find(mine, holder.id) != mine.end();
  });
}

SqlStatus change_holder(const SessionState& session, Role& role, const sql::Grantee& written,
                        const sql::GrantStatement& statement) {
  if (written.kind != sql::GranteeKind::kUser && written.kind != sql::GranteeKind::kRole) {
    return engine::fail_sql("0LP01", "roles can be granted to users and roles only");
  }
  LEAT_ASSIGN(const FoundGrantee holder, find_grantee(session, written));
  const auto known = std::ranges::find_if(role.holders, [&](const RoleHolder& each) {
    return each.kind == holder.kind && each.id == holder.id;
  });
  if (statement.revoke) {
    if (known == role.holders.end()) return {};
    if (statement.grant_option_for) {
      known->admin = false;
    } else {
      role.holders.erase(known);
    }
    return {};
  }
  if (holder.kind == catalog::GranteeKind::kRole) {
    // What would hold itself in the end.
    const std::vector<std::int32_t> held =
        catalog::roles_of(session.catalog, catalog::GranteeKind::kRole, role.id);
    if (holder.id == role.id || std::ranges::find(held, holder.id) != held.end()) {
      return engine::fail_sql(
          "0LP01", fmt::format("role \"{}\" is a member of role \"{}\"", role.name, written.name));
    }
    if (written.with_grant_option)
      return engine::fail_sql("0LP01", "ADMIN OPTION can be granted to users only");
  }
  if (known == role.holders.end()) {
    role.holders.push_back(
        {.kind = holder.kind, .id = holder.id, .admin = written.with_grant_option});
  } else {
    known->admin = known->admin || written.with_grant_option;
  }
  return {};
}

/// Takes every right of the role away, for DROP ROLE ... FORCE.
SqlStatus revoke_everything(SessionState& session, std::int32_t id) {
  const auto of_role = [&](const catalog::AclEntry& entry) {
    return entry.kind == catalog::GranteeKind::kRole && entry.grantee == id;
  };
  for (const catalog::RelationPointer& relation : session.catalog.relations(0)) {
    if (std::ranges::none_of(relation->acl, of_role)) continue;
    catalog::Relation changed = *relation;
    std::erase_if(changed.acl, of_role);
    LEAT_TRY(session.catalog.put(std::move(changed)));
  }
  for (const catalog::SchemaPointer& schema : session.catalog.schemas()) {
    if (std::ranges::none_of(schema->acl, of_role)) continue;
    catalog::Schema changed = *schema;
    std::erase_if(changed.acl, of_role);
    LEAT_TRY(session.catalog.put(std::move(changed)));
  }
  for (const catalog::FunctionPointer& function : session.catalog.functions()) {
    if (std::ranges::none_of(function->acl, of_role)) continue;
    catalog::Function changed = *function;
    std::erase_if(changed.acl, of_role);
    LEAT_TRY(session.catalog.put(std::move(changed)));
  }
  for (const catalog::DatabasePointer& database : session.catalog.databases()) {
    if (std::ranges::none_of(database->acl, of_role)) continue;
    catalog::Database changed = *database;
    std::erase_if(changed.acl, of_role);
    LEAT_TRY(session.catalog.put(std::move(changed)));
  }
  return {};
}

SqlStatus drop_role(SessionState& session, const Role& role, bool force) {
  const catalog::UserPointer me = session.user();
  if (role.owner != me->id) LEAT_TRY(session.require_system_privilege("drop role", "drop roles"));
  const std::string elsewhere = database_with_grants(session, catalog::GranteeKind::kRole, role.id);
  if (!elsewhere.empty()) {
    return engine::fail_sql("2BP01",
                            fmt::format("cannot drop role \"{}\" because it has privileges in "
                                        "database {}",
                                        role.name, elsewhere),
                            {}, "Revoke them there first.");
  }
  const bool granted =
      !role.holders.empty() || has_grants(session, catalog::GranteeKind::kRole, role.id) ||
      !catalog::roles_of(session.catalog, catalog::GranteeKind::kRole, role.id).empty();
  if (granted && !force) {
    return engine::fail_sql("2BP01",
                            fmt::format("cannot drop role \"{}\" because it is granted to "
                                        "others or has privileges",
                                        role.name),
                            {}, "Use DROP ROLE ... FORCE to take them away first.");
  }
  LEAT_TRY(forget_grantee(session, catalog::GranteeKind::kRole, role.id));
  LEAT_TRY(revoke_everything(session, role.id));
  return session.catalog.drop_role(role.id);
}

}  // namespace

SqlStatus grant_roles(SessionState& session, const sql::GrantStatement& statement) {
  for (const sql::QualifiedName& name : statement.objects) {
    LEAT_TRY(session.lock_table("pg_user", std::string(name.name())));
    const catalog::RolePointer role = session.catalog.role(name.name());
    if (role == nullptr) return no_role(name.name());
    if (!may_pass_on(session, *role)) {
      return engine::fail_sql("42501", "must have admin option on role \"" + role->name + "\"");
    }
    Role changed = *role;
    for (const sql::Grantee& grantee : statement.grantees)
      LEAT_TRY(change_holder(session, changed, grantee, statement));
    LEAT_TRY(session.catalog.put(std::move(changed)));
  }
  return {};
}

SqlStatus grant_system_privileges(SessionState& session, const sql::GrantStatement& statement) {
  LEAT_TRY(session.require_superuser("grant privileges of the system"));
  for (const sql::Privilege& privilege : statement.privileges) {
    if (std::ranges::find(kSystemPrivileges, privilege.name) == kSystemPrivileges.end())
      return engine::fail_sql("0A000", "the privilege " + privilege.name + " is not supported");
  }
  for (const sql::Grantee& grantee : statement.grantees) {
    if (grantee.kind != sql::GranteeKind::kRole)
      return engine::fail_sql("0LP01", "privileges of the system can be granted to roles only");
    const catalog::RolePointer role = session.catalog.role(grantee.name);
    if (role == nullptr) return no_role(grantee.name);
    Role changed = *role;
    for (const sql::Privilege& privilege : statement.privileges) {
      std::erase(changed.privileges, privilege.name);
      if (!statement.revoke) changed.privileges.push_back(privilege.name);
    }
    LEAT_TRY(session.catalog.put(std::move(changed)));
  }
  return {};
}

SqlStatus SessionState::require_system_privilege(std::string_view privilege,
                                                 std::string_view what) const {
  return has_system_privilege(privilege) ? SqlStatus() : require_superuser(what);
}

bool SessionState::has_system_privilege(std::string_view privilege) const {
  const catalog::UserPointer me = user();
  return me != nullptr && catalog::has_system_privilege(catalog, *me, privilege);
}

SqlStatus SessionState::run_create_role(Running&, const sql::CreateRoleStatement& statement) {
  LEAT_TRY(require_system_privilege("create role", "create roles"));
  LEAT_TRY(lock_table("pg_user", statement.name));
  LEAT_TRY(check_new_name(*this, catalog::GranteeKind::kRole, statement.name));
  LEAT_TRY(open_engine());
  Role made;
  made.id = catalog.catalog().new_user_id();
  made.name = statement.name;
  made.owner = user_id;
  made.external_id = statement.external_id;
  return catalog.put(std::move(made));
}

SqlStatus SessionState::run_alter_role(Running&, const sql::AlterRoleStatement& statement) {
  const catalog::RolePointer role = catalog.role(statement.name);
  if (role == nullptr) return no_role(statement.name);
  if (role->owner != user_id) LEAT_TRY(require_superuser("alter roles"));
  Role changed = *role;
  if (!statement.external_id.empty()) changed.external_id = statement.external_id;
  if (!statement.rename_to.empty()) {
    LEAT_TRY(check_new_name(*this, catalog::GranteeKind::kRole, statement.rename_to));
    changed.name = statement.rename_to;
  }
  if (!statement.owner.empty()) {
    const catalog::UserPointer owner = catalog.user(statement.owner);
    if (owner == nullptr) return no_user(statement.owner);
    changed.owner = owner->id;
  }
  LEAT_TRY(open_engine());
  return catalog.put(std::move(changed));
}

SqlStatus SessionState::drop_roles(Running& running, const sql::DropStatement& statement) {
  if (user() == nullptr) return engine::fail_sql("28000", "the session's user was dropped");
  LEAT_TRY(open_engine());
  for (const sql::QualifiedName& name : statement.names) {
    const catalog::RolePointer role = catalog.role(name.name());
    if (role != nullptr) {
      LEAT_TRY(drop_role(*this, *role, statement.force));
      continue;
    }
    if (!statement.if_exists) return no_role(name.name());
    running.sink.on_notice(
        Severity::kInfo, "00000",
        fmt::format("role \"{}\" does not exist and will be skipped", name.name()));
  }
  return {};
}

}  // namespace leat::session
