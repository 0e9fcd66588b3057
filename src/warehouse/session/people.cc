// Users, groups, GRANT and REVOKE.
#include <fmt/format.h>

#include <algorithm>

#include "base/random.h"
#include "base/text.h"
#include "warehouse/catalog/password.h"
#include "warehouse/catalog/rights.h"
#include "warehouse/session/session_state.h"

namespace leat::session {
namespace {

using catalog::Acl;
using catalog::Group;
using catalog::User;

Random& random_of(const SessionState& session) {
  Random* random = session.shared->options.random;
  return random == nullptr ? secure_random() : *random;
}

std::unexpected<SqlError> no_user(std::string_view name) {
  return engine::fail_sql("42704", "user \"" + std::string(name) + "\" does not exist");
}

SqlStatus apply_options(const SessionState& session, User& user, const sql::UserOptions& options) {
  if (options.password)
    LEAT_TRY(catalog::set_password(user, *options.password, true, random_of(session)));
  if (options.password_disable) {
    user.password_disabled = true;
    user.md5_hex.clear();
    user.sha256_digest.clear();
    user.sha256_salt.clear();
  }
  if (options.create_database) user.create_database = *options.create_database;
  if (options.create_user) user.superuser = *options.create_user;
  if (options.syslog_unrestricted) user.unrestricted_log = *options.syslog_unrestricted;
  if (options.connection_limit) user.connection_limit = *options.connection_limit;
  if (options.valid_until) {
    user.valid_until = *options.valid_until;
    user.valid_until_time = parse_iso8601(*options.valid_until);
    const std::string word = to_lower(*options.valid_until);
    if (word == "infinity") {
      user.valid_until.clear();
    } else if (!user.valid_until_time) {
      return engine::fail_sql(
          "22007", "invalid input syntax for VALID UNTIL: \"" + *options.valid_until + "\"", {},
          "Write YYYY-MM-DD or YYYY-MM-DD HH:MM:SS.");
    }
  }
  if (options.session_timeout && *options.session_timeout > 0) {
    return engine::fail_sql("0A000", "SESSION TIMEOUT is not supported");
  }
  if (!options.external_id.empty()) return engine::fail_sql("0A000", "EXTERNALID is not supported");
  return {};
}

SqlStatus change_members(SessionState& session, Group& group, const std::vector<std::string>& names,
                         bool add) {
  for (const std::string& name : names) {
    const catalog::UserPointer user = session.catalog.user(name);
    if (user == nullptr) return no_user(name);
    std::erase(group.members, user->id);
    if (add) group.members.push_back(user->id);
  }
  return {};
}

SqlResult<std::uint32_t> read_privileges(const sql::GrantStatement& statement, std::uint32_t all,
                                         std::string_view object) {
  std::uint32_t privileges = 0;
  for (const sql::Privilege& privilege : statement.privileges) {
    if (!privilege.columns.empty())
      return engine::fail_sql("0A000", "privileges on columns are not supported");
    if (privilege.name == "all" || privilege.name == "all privileges") {
      privileges |= all;
      continue;
    }
    const auto bit = catalog::privilege_from_name(privilege.name);
    if (!bit || (*bit & all) == 0) {
      return engine::fail_sql(
          "0LP01", fmt::format("invalid privilege type {} for {}", privilege.name, object));
    }
    privileges |= *bit;
  }
  return privileges;
}

/// Applies the statement to one object's list. `held`: what the grantor may pass on.
SqlStatus change_object(const SessionState& session, Acl& acl, const sql::GrantStatement& statement,
                        std::uint32_t privileges, std::uint32_t held, std::string_view denied) {
  if ((held & privileges) != privileges) return engine::fail_sql("42501", std::string(denied));
  for (const sql::Grantee& grantee : statement.grantees) {
    catalog::GranteeKind kind = catalog::GranteeKind::kPublic;
    std::int32_t id = 0;
    if (grantee.kind == sql::GranteeKind::kUser) {
      const catalog::UserPointer user = session.catalog.user(grantee.name);
      if (user == nullptr) return no_user(grantee.name);
      kind = catalog::GranteeKind::kUser;
      id = user->id;
    } else if (grantee.kind == sql::GranteeKind::kGroup) {
      const catalog::GroupPointer group = session.catalog.group(grantee.name);
      if (group == nullptr)
        return engine::fail_sql("42704", "group \"" + grantee.name + "\" does not exist");
      kind = catalog::GranteeKind::kGroup;
      id = group->id;
    } else if (grantee.kind == sql::GranteeKind::kRole) {
      return engine::fail_sql("0A000", "roles are not supported", {}, "Use a group.");
    }
    catalog::change_acl(acl, kind, id, session.user_id, privileges, grantee.with_grant_option,
                        statement.revoke, statement.grant_option_for);
  }
  return {};
}

SqlStatus grant_on_relation(SessionState& session, const catalog::RelationPointer& relation,
                            const sql::GrantStatement& statement) {
  LEAT_ASSIGN(const std::uint32_t privileges,
              read_privileges(statement, catalog::kAllOnTable, "relation"));
  catalog::Relation changed = *relation;
  const catalog::UserPointer me = session.user();
  LEAT_TRY(change_object(session, changed.acl, statement, privileges,
                         catalog::grantable_privileges(*me, relation->owner, relation->acl),
                         "permission denied for relation " + relation->name));
  return session.catalog.put(std::move(changed));
}

SqlResult<catalog::SchemaPointer> schema_named(const SessionState& session,
                                               const sql::QualifiedName& name) {
  catalog::SchemaPointer schema = session.catalog.schema(name.name());
  if (schema == nullptr) {
    return engine::fail_sql("3F000", "schema \"" + std::string(name.name()) + "\" does not exist");
  }
  return schema;
}

SqlStatus grant_on_schema(SessionState& session, const sql::QualifiedName& name,
                          const sql::GrantStatement& statement) {
  LEAT_ASSIGN(const catalog::SchemaPointer schema, schema_named(session, name));
  LEAT_ASSIGN(const std::uint32_t privileges,
              read_privileges(statement, catalog::kAllOnSchema, "schema"));
  catalog::Schema changed = *schema;
  const catalog::UserPointer me = session.user();
  LEAT_TRY(change_object(session, changed.acl, statement, privileges,
                         catalog::grantable_privileges(*me, schema->owner, schema->acl),
                         "permission denied for schema " + schema->name));
  return session.catalog.put(std::move(changed));
}

SqlStatus grant_on_database(SessionState& session, const sql::QualifiedName& name,
                            const sql::GrantStatement& statement) {
  const catalog::DatabasePointer database = session.catalog.database();
  if (name.name() != database->name) {
    return engine::fail_sql("3D000",
                            "database \"" + std::string(name.name()) + "\" does not exist");
  }
  LEAT_ASSIGN(const std::uint32_t privileges,
              read_privileges(statement, catalog::kAllOnDatabase, "database"));
  catalog::Database changed = *database;
  const catalog::UserPointer me = session.user();
  LEAT_TRY(change_object(session, changed.acl, statement, privileges,
                         catalog::grantable_privileges(*me, database->owner, database->acl),
                         "permission denied for database " + database->name));
  return session.catalog.put(std::move(changed));
}

bool owns_something(const SessionState& session, std::int32_t id) {
  if (session.catalog.database()->owner == id) return true;
  for (const auto& schema : session.catalog.schemas()) {
    if (schema->owner == id) return true;
  }
  for (const auto& relation : session.catalog.relations(0)) {
    if (relation->owner == id) return true;
  }
  return false;
}

bool names_grantee(const Acl& acl, catalog::GranteeKind kind, std::int32_t id) {
  return std::ranges::any_of(acl, [&](const catalog::AclEntry& entry) {
    return entry.kind == kind && entry.grantee == id;
  });
}

bool has_grants(const SessionState& session, catalog::GranteeKind kind, std::int32_t id) {
  if (names_grantee(session.catalog.database()->acl, kind, id)) return true;
  for (const auto& schema : session.catalog.schemas()) {
    if (names_grantee(schema->acl, kind, id)) return true;
  }
  for (const auto& relation : session.catalog.relations(0)) {
    if (names_grantee(relation->acl, kind, id)) return true;
  }
  return false;
}

SqlStatus drop_user(SessionState& session, const catalog::UserPointer& user) {
  if (user->id == session.user_id)
    return engine::fail_sql("55006", "current user cannot be dropped");
  if (owns_something(session, user->id)) {
    return engine::fail_sql(
        "55006",
        fmt::format("user \"{}\" can't be dropped because the user owns some object", user->name));
  }
  if (has_grants(session, catalog::GranteeKind::kUser, user->id)) {
    return engine::fail_sql(
        "55006",
        fmt::format("user \"{}\" can't be dropped because the user has a privilege on some object",
                    user->name));
  }
  for (const catalog::GroupPointer& group : session.catalog.groups()) {
    if (std::ranges::find(group->members, user->id) == group->members.end()) continue;
    Group changed = *group;
    std::erase(changed.members, user->id);
    LEAT_TRY(session.catalog.put(std::move(changed)));
  }
  return session.catalog.drop_user(user->id);
}

}  // namespace

SqlStatus SessionState::run_create_user(Running&, const sql::CreateUserStatement& statement) {
  LEAT_TRY(require_superuser("create users"));
  LEAT_TRY(lock_table("pg_user", statement.name));
  if (catalog.user(statement.name) != nullptr || catalog.group(statement.name) != nullptr) {
    return engine::fail_sql("42710", "user \"" + statement.name + "\" already exists");
  }
  if (!statement.options.password && !statement.options.password_disable) {
    return engine::fail_sql("42601", "CREATE USER needs PASSWORD '...' or PASSWORD DISABLE");
  }
  User made;
  made.id = catalog.catalog().new_user_id();
  made.name = statement.name;
  LEAT_TRY(apply_options(*this, made, statement.options));
  LEAT_TRY(open_engine());
  const std::int32_t made_id = made.id;
  LEAT_TRY(catalog.put(std::move(made)));
  for (const std::string& name : statement.options.in_groups) {
    const catalog::GroupPointer group = catalog.group(name);
    if (group == nullptr) return engine::fail_sql("42704", "group \"" + name + "\" does not exist");
    Group changed = *group;
    changed.members.push_back(made_id);
    LEAT_TRY(catalog.put(std::move(changed)));
  }
  return {};
}

SqlStatus SessionState::run_alter_user(Running&, const sql::AlterUserStatement& statement) {
  const catalog::UserPointer user_before = catalog.user(statement.name);
  if (user_before == nullptr) return no_user(statement.name);
  const bool own_password = user_before->id == user_id && statement.options.password &&
                            statement.rename_to.empty() && !statement.options.create_user &&
                            !statement.options.create_database && !statement.options.valid_until &&
                            !statement.options.connection_limit;
  if (!own_password) LEAT_TRY(require_superuser("alter users"));
  if (statement.set || statement.reset) {
    return engine::fail_sql("0A000", "ALTER USER ... SET is not supported", {},
                            "Use SET in the session.");
  }
  User changed = *user_before;
  if (!statement.rename_to.empty()) {
    if (catalog.user(statement.rename_to) != nullptr) {
      return engine::fail_sql("42710", "user \"" + statement.rename_to + "\" already exists");
    }
    changed.name = statement.rename_to;
    changed.md5_hex.clear();  // it holds the old name
  }
  LEAT_TRY(apply_options(*this, changed, statement.options));
  LEAT_TRY(open_engine());
  return catalog.put(std::move(changed));
}

SqlStatus SessionState::run_create_group(Running&, const sql::CreateGroupStatement& statement) {
  LEAT_TRY(require_superuser("create groups"));
  LEAT_TRY(lock_table("pg_user", statement.name));
  if (catalog.group(statement.name) != nullptr || catalog.user(statement.name) != nullptr) {
    return engine::fail_sql("42710", "group \"" + statement.name + "\" already exists");
  }
  Group group;
  group.id = catalog.catalog().new_user_id();
  group.name = statement.name;
  LEAT_TRY(change_members(*this, group, statement.users, true));
  LEAT_TRY(open_engine());
  return catalog.put(std::move(group));
}

SqlStatus SessionState::run_alter_group(Running&, const sql::AlterGroupStatement& statement) {
  LEAT_TRY(require_superuser("alter groups"));
  const catalog::GroupPointer group = catalog.group(statement.name);
  if (group == nullptr)
    return engine::fail_sql("42704", "group \"" + statement.name + "\" does not exist");
  Group changed = *group;
  if (!statement.rename_to.empty()) {
    if (catalog.group(statement.rename_to) != nullptr) {
      return engine::fail_sql("42710", "group \"" + statement.rename_to + "\" already exists");
    }
    changed.name = statement.rename_to;
  }
  LEAT_TRY(change_members(*this, changed, statement.users, statement.add));
  LEAT_TRY(open_engine());
  return catalog.put(std::move(changed));
}

SqlStatus SessionState::drop_people(Running& running, const sql::DropStatement& statement) {
  const bool users = statement.kind == sql::ObjectKind::kUser;
  LEAT_TRY(require_superuser(users ? "drop users" : "drop groups"));
  LEAT_TRY(open_engine());
  for (const sql::QualifiedName& qualified : statement.names) {
    const std::string name(qualified.name());
    const catalog::UserPointer found_user = users ? catalog.user(name) : nullptr;
    const catalog::GroupPointer found_group = users ? nullptr : catalog.group(name);
    if (found_user == nullptr && found_group == nullptr) {
      const std::string text =
          fmt::format("{} \"{}\" does not exist", users ? "user" : "group", name);
      if (!statement.if_exists) return engine::fail_sql("42704", text);
      running.sink.on_notice(Severity::kInfo, "00000", text + " and will be skipped");
      continue;
    }
    if (users) {
      LEAT_TRY(drop_user(*this, found_user));
    } else {
      if (has_grants(*this, catalog::GranteeKind::kGroup, found_group->id)) {
        return engine::fail_sql("55006",
                                fmt::format("group \"{}\" has a privilege on some object", name));
      }
      LEAT_TRY(catalog.drop_group(found_group->id));
    }
  }
  return {};
}

SqlStatus SessionState::run_grant(Running&, const sql::GrantStatement& statement) {
  if (user() == nullptr) return engine::fail_sql("28000", "the session's user was dropped");
  LEAT_TRY(open_engine());
  switch (statement.target) {
    case sql::GrantTarget::kTables:
      for (const sql::QualifiedName& name : statement.objects) {
        LEAT_ASSIGN(const catalog::RelationPointer relation, find_relation(name));
        LEAT_TRY(grant_on_relation(*this, relation, statement));
      }
      return {};
    case sql::GrantTarget::kAllTablesInSchema:
      for (const sql::QualifiedName& name : statement.objects) {
        LEAT_ASSIGN(const catalog::SchemaPointer schema, schema_named(*this, name));
        for (const catalog::RelationPointer& relation : catalog.relations(schema->oid)) {
          LEAT_TRY(grant_on_relation(*this, relation, statement));
        }
      }
      return {};
    case sql::GrantTarget::kSchemas:
      for (const sql::QualifiedName& name : statement.objects)
        LEAT_TRY(grant_on_schema(*this, name, statement));
      return {};
    case sql::GrantTarget::kDatabases:
      for (const sql::QualifiedName& name : statement.objects)
        LEAT_TRY(grant_on_database(*this, name, statement));
      return {};
    default:
      return engine::fail_sql(
          "0A000",
          fmt::format("{} on this kind of object is not supported: only tables, schemas and "
                      "the database",
                      statement.revoke ? "REVOKE" : "GRANT"));
  }
}

}  // namespace leat::session
