// GRANT, REVOKE and ALTER DEFAULT PRIVILEGES.
#include <fmt/format.h>

#include <algorithm>

#include "warehouse/catalog/rights.h"
#include "warehouse/session/rights_support.h"

namespace leat::session {

std::unexpected<SqlError> no_user(std::string_view name) {
  return engine::fail_sql("42704", "user \"" + std::string(name) + "\" does not exist");
}

SqlResult<FoundGrantee> find_grantee(const SessionState& session, const sql::Grantee& written) {
  switch (written.kind) {
    case sql::GranteeKind::kPublic:
      return FoundGrantee{};
    case sql::GranteeKind::kUser: {
      const catalog::UserPointer user = session.catalog.user(written.name);
      if (user == nullptr) return no_user(written.name);
      return FoundGrantee{.kind = catalog::GranteeKind::kUser, .id = user->id};
    }
    case sql::GranteeKind::kGroup: {
      const catalog::GroupPointer group = session.catalog.group(written.name);
      if (group == nullptr)
        return engine::fail_sql("42704", "group \"" + written.name + "\" does not exist");
      return FoundGrantee{.kind = catalog::GranteeKind::kGroup, .id = group->id};
    }
    case sql::GranteeKind::kRole: {
      const catalog::RolePointer role = session.catalog.role(written.name);
      if (role == nullptr)
        return engine::fail_sql("42704", "role \"" + written.name + "\" does not exist");
      return FoundGrantee{.kind = catalog::GranteeKind::kRole, .id = role->id};
    }
  }
  return FoundGrantee{};
}

namespace {

using catalog::Acl;

bool names_grantee(const Acl& acl, catalog::GranteeKind kind, std::int32_t id) {
  return std::ranges::any_of(acl, [&](const catalog::AclEntry& entry) {
    return entry.kind == kind && entry.grantee == id;
  });
}

SqlResult<std::uint32_t> privilege_bits(const sql::Privilege& privilege, std::uint32_t all,
                                        std::string_view object) {
  if (privilege.name == "all") return all;
  const auto bit = catalog::privilege_from_name(privilege.name);
  if (!bit)
    return engine::fail_sql("42601", "unrecognized privilege type \"" + privilege.name + "\"");
  if ((*bit & all) == 0) {
    return engine::fail_sql(
        "0LP01", fmt::format("invalid privilege type {} for {}", privilege.name, object));
  }
  return *bit;
}

SqlResult<std::uint32_t> read_privileges(const sql::GrantStatement& statement, std::uint32_t all,
                                         std::string_view object) {
  std::uint32_t privileges = 0;
  for (const sql::Privilege& privilege : statement.privileges) {
    if (!privilege.columns.empty()) {
      return engine::fail_sql("0LP01", "column privileges are only valid for relations");
    }
    LEAT_ASSIGN(const std::uint32_t bits, privilege_bits(privilege, all, object));
    privileges |= bits;
  }
  return privileges;
}

/// Applies the statement's grantees to one list. `column`: 0 for the whole object. `owner`: whose
/// it is; who is neither that nor a superuser takes back only what they gave themselves.
SqlStatus change_list(const SessionState& session, Acl& acl, const sql::GrantStatement& statement,
                      std::uint32_t privileges, std::int32_t owner, std::int16_t column = 0) {
  const bool own = session.user_id != owner && !session.user()->superuser;
  for (const sql::Grantee& written : statement.grantees) {
    LEAT_ASSIGN(const FoundGrantee grantee, find_grantee(session, written));
    if (written.with_grant_option && written.kind != sql::GranteeKind::kUser) {
      return engine::fail_sql("0LP01", "grant options can only be granted to individual users");
    }
    if (written.with_grant_option && column != 0) {
      return engine::fail_sql("0A000", "WITH GRANT OPTION on columns is not supported");
    }
    catalog::change_acl(acl, grantee.kind, grantee.id, session.user_id, privileges,
                        written.with_grant_option, statement.revoke, statement.grant_option_for,
                        column, own);
  }
  return {};
}

/// The same for an object, of which the grantor must be able to pass the privileges on.
SqlStatus change_object(const SessionState& session, Acl& acl, const sql::GrantStatement& statement,
                        std::uint32_t privileges, std::int32_t owner, std::string_view denied) {
  const std::uint32_t held = catalog::grantable_privileges(*session.user(), owner, acl);
  if ((held & privileges) != privileges) return engine::fail_sql("42501", std::string(denied));
  return change_list(session, acl, statement, privileges, owner);
}

/// A privilege on the whole table cannot be taken away from one of its columns.
SqlStatus check_column_grant(const SessionState& session, const Acl& acl,
                             const sql::GrantStatement& statement, std::uint32_t privileges,
                             const catalog::Column& column) {
  if (!statement.revoke) return {};
  for (const sql::Grantee& written : statement.grantees) {
    LEAT_ASSIGN(const FoundGrantee grantee, find_grantee(session, written));
    for (const catalog::AclEntry& entry : acl) {
      if (entry.kind != grantee.kind || entry.grantee != grantee.id || entry.column != 0 ||
          (entry.privileges & privileges) == 0) {
        continue;
      }
      return engine::fail_sql(
          "0LP01",
          fmt::format("cannot revoke a privilege on column \"{}\" that is held on the whole table",
                      column.name),
          {}, "Revoke it from the table, and grant it on the columns that are meant.");
    }
  }
  return {};
}

SqlStatus grant_on_columns(const SessionState& session, catalog::Relation& relation,
                           const sql::GrantStatement& statement, const sql::Privilege& privilege) {
  const bool table = relation.kind == catalog::RelationKind::kTable;
  if (relation.kind == catalog::RelationKind::kLateBindingView) {
    return engine::fail_sql("0A000", "column privileges on late-binding views are not supported");
  }
  LEAT_ASSIGN(
      const std::uint32_t bits,
      privilege_bits(privilege, table ? catalog::kAllOnColumn : catalog::kSelect, "a column"));
  for (const std::string& name : privilege.columns) {
    const catalog::Column* column = relation.find_column(name);
    if (column == nullptr) {
      return engine::fail_sql(
          "42703", "column \"" + name + "\" of relation \"" + relation.name + "\" does not exist");
    }
    LEAT_TRY(check_column_grant(session, relation.acl, statement, bits, *column));
    LEAT_TRY(change_list(session, relation.acl, statement, bits, relation.owner, column->number));
  }
  return {};
}

SqlStatus grant_on_relation(SessionState& session, const catalog::RelationPointer& relation,
                            const sql::GrantStatement& statement) {
  catalog::Relation changed = *relation;
  const catalog::UserPointer me = session.user();
  const bool owner = me->superuser || me->id == relation->owner;
  const std::uint32_t held = catalog::grantable_privileges(*me, relation->owner, relation->acl);
  for (const sql::Privilege& privilege : statement.privileges) {
    LEAT_ASSIGN(
        const std::uint32_t bits,
        privilege_bits(privilege,
                       privilege.columns.empty() ? catalog::kAllOnTable : catalog::kAllOnColumn,
                       privilege.columns.empty() ? "relation" : "a column"));
    if ((held & bits) != bits)
      return engine::fail_sql("42501", "permission denied for relation " + relation->name);
    if (privilege.columns.empty()) {
      LEAT_TRY(change_list(session, changed.acl, statement, bits, relation->owner));
    } else if (!owner) {
      return engine::fail_sql("42501", "must be owner of relation " + relation->name);
    } else {
      LEAT_TRY(grant_on_columns(session, changed, statement, privilege));
    }
  }
  return session.catalog.put(std::move(changed));
}

SqlResult<catalog::SchemaPointer> schema_named(const SessionState& session, std::string_view name) {
  catalog::SchemaPointer schema = session.catalog.schema(name);
  if (schema == nullptr)
    return engine::fail_sql("3F000", "schema \"" + std::string(name) + "\" does not exist");
  return schema;
}

SqlStatus grant_on_schema(SessionState& session, const sql::QualifiedName& name,
                          const sql::GrantStatement& statement) {
  LEAT_ASSIGN(const catalog::SchemaPointer schema, schema_named(session, name.name()));
  LEAT_ASSIGN(const std::uint32_t privileges,
              read_privileges(statement, catalog::kAllOnSchema, "schema"));
  catalog::Schema changed = *schema;
  LEAT_TRY(change_object(session, changed.acl, statement, privileges, schema->owner,
                         "permission denied for schema " + schema->name));
  return session.catalog.put(std::move(changed));
}

SqlStatus require_database(const SessionState& session, std::string_view name) {
  if (name.empty() || name == session.request.database) return {};
  if (session.catalog.database(name) != nullptr) {
    return engine::fail_sql("0A000", "rights within another database cannot be changed", {},
                            "Send USE " + engine::quote_identifier(name) + " first.");
  }
  return no_database(name);
}

SqlStatus grant_on_database(SessionState& session, const sql::QualifiedName& name,
                            const sql::GrantStatement& statement) {
  const catalog::DatabasePointer database = session.catalog.database(name.name());
  if (database == nullptr) return no_database(name.name());
  LEAT_ASSIGN(const std::uint32_t privileges,
              read_privileges(statement, catalog::kAllOnDatabase, "database"));
  catalog::Database changed = *database;
  LEAT_TRY(change_object(session, changed.acl, statement, privileges, database->owner,
                         "permission denied for database " + database->name));
  return session.catalog.put(std::move(changed));
}

SqlStatus grant_on_all_tables(SessionState& session, const sql::GrantStatement& statement) {
  for (const sql::QualifiedName& name : statement.objects) {
    LEAT_ASSIGN(const catalog::SchemaPointer schema, schema_named(session, name.name()));
    for (const catalog::RelationPointer& relation : session.catalog.relations(schema->oid))
      LEAT_TRY(grant_on_relation(session, relation, statement));
  }
  return {};
}

/// No language makes anything here, so that the right to use one needs no record.
SqlStatus grant_on_languages(const SessionState& session, const sql::GrantStatement& statement) {
  LEAT_TRY(session.require_superuser("grant on languages"));
  LEAT_TRY(read_privileges(statement, catalog::kUsage, "language"));
  for (const sql::QualifiedName& name : statement.objects) {
    const std::string_view language = name.name();
    if (language != "sql" && language != "plpgsql" && language != "plpythonu" &&
        language != "exfunc") {
      return engine::fail_sql("42704", "language \"" + std::string(language) + "\" does not exist");
    }
  }
  for (const sql::Grantee& grantee : statement.grantees) LEAT_TRY(find_grantee(session, grantee));
  return {};
}

catalog::StandingAcl& standing_list(catalog::StandingPrivileges& standing,
                                    catalog::StandingTarget target, std::int32_t owner,
                                    catalog::Oid schema) {
  const auto known = std::ranges::find_if(standing, [&](const catalog::StandingAcl& list) {
    return list.target == target && list.owner == owner && list.schema == schema;
  });
  if (known != standing.end()) return *known;
  catalog::StandingAcl made{.target = target, .owner = owner, .schema = schema};
  // Everybody may execute new functions, until that is taken away.
  if (schema == 0 && (target == catalog::StandingTarget::kFunctions ||
                      target == catalog::StandingTarget::kProcedures)) {
    catalog::change_acl(made.acl, catalog::GranteeKind::kPublic, 0, owner, catalog::kExecute, false,
                        false, false);
  }
  return standing.emplace_back(std::move(made));
}

/// GRANT ... FOR TABLES IN SCHEMA s, FOR SCHEMAS IN DATABASE d: holds for all of them, now and
/// later.
SqlStatus grant_scoped(SessionState& session, const sql::GrantStatement& statement) {
  LEAT_TRY(session.require_superuser("grant scoped permissions"));
  LEAT_TRY(require_database(session, statement.scope_database));
  const bool tables = statement.target == sql::GrantTarget::kScopedTables;
  LEAT_ASSIGN(const std::uint32_t privileges,
              read_privileges(statement, tables ? catalog::kAllOnTable : catalog::kAllOnSchema,
                              tables ? "relation" : "schema"));
  for (const sql::Grantee& grantee : statement.grantees) {
    if (grantee.kind != sql::GranteeKind::kUser && grantee.kind != sql::GranteeKind::kRole)
      return engine::fail_sql("0LP01", "scoped permissions are for users and roles");
  }
  catalog::Oid schema_oid = 0;
  if (!statement.scope_schema.empty()) {
    LEAT_ASSIGN(const catalog::SchemaPointer schema, schema_named(session, statement.scope_schema));
    schema_oid = schema->oid;
  }
  catalog::StandingPrivileges standing = *session.catalog.standing();
  catalog::StandingAcl& list = standing_list(
      standing,
      tables ? catalog::StandingTarget::kScopedTables : catalog::StandingTarget::kScopedSchemas, 0,
      schema_oid);
  LEAT_TRY(change_list(session, list.acl, statement, privileges, session.user_id));
  std::erase_if(standing, [](const catalog::StandingAcl& each) {
    return each.owner == 0 && each.acl.empty();
  });
  return session.catalog.put(std::move(standing));
}

SqlStatus grant_on_function(SessionState& session, const catalog::FunctionPointer& function,
                            const sql::GrantStatement& statement, std::uint32_t privileges) {
  catalog::Function changed = *function;
  LEAT_TRY(change_object(session, changed.acl, statement, privileges, function->owner,
                         "permission denied for function " + function->name));
  return session.catalog.put(std::move(changed));
}

/// Procedures are looked for among the functions, as there are none.
SqlStatus grant_on_functions(SessionState& session, const sql::GrantStatement& statement) {
  const bool all = statement.target == sql::GrantTarget::kAllFunctionsInSchema ||
                   statement.target == sql::GrantTarget::kAllProceduresInSchema;
  LEAT_ASSIGN(const std::uint32_t privileges,
              read_privileges(statement, catalog::kExecute, "function"));
  for (const sql::Grantee& grantee : statement.grantees) LEAT_TRY(find_grantee(session, grantee));
  for (std::size_t i = 0; i < statement.objects.size(); ++i) {
    if (!all) {
      LEAT_ASSIGN(const catalog::FunctionPointer function,
                  session.find_function_written(statement.objects[i], statement.argument_types[i]));
      LEAT_TRY(grant_on_function(session, function, statement, privileges));
      continue;
    }
    LEAT_ASSIGN(const catalog::SchemaPointer schema,
                schema_named(session, statement.objects[i].name()));
    if (statement.target == sql::GrantTarget::kAllProceduresInSchema) continue;
    for (const catalog::FunctionPointer& function : session.catalog.functions()) {
      if (function->schema == schema->oid)
        LEAT_TRY(grant_on_function(session, function, statement, privileges));
    }
  }
  return {};
}

struct DefaultTarget {
  catalog::StandingTarget target;
  std::uint32_t all;
  std::string_view name;
};

DefaultTarget default_target(sql::GrantTarget target) {
  switch (target) {
    case sql::GrantTarget::kFunctions:
      return {catalog::StandingTarget::kFunctions, catalog::kExecute, "function"};
    case sql::GrantTarget::kProcedures:
      return {catalog::StandingTarget::kProcedures, catalog::kExecute, "procedure"};
    case sql::GrantTarget::kSchemas:
      return {catalog::StandingTarget::kSchemas, catalog::kAllOnSchema, "schema"};
    default:
      return {catalog::StandingTarget::kTables, catalog::kAllOnTable, "relation"};
  }
}

bool has_grants_in(const catalog::CatalogSession& in, catalog::GranteeKind kind, std::int32_t id) {
  for (const auto& schema : in.schemas()) {
    if (names_grantee(schema->acl, kind, id)) return true;
  }
  for (const auto& relation : in.relations(0)) {
    if (names_grantee(relation->acl, kind, id)) return true;
  }
  return std::ranges::any_of(
      in.functions(), [&](const auto& function) { return names_grantee(function->acl, kind, id); });
}

}  // namespace

bool has_grants(const SessionState& session, catalog::GranteeKind kind, std::int32_t id) {
  for (const catalog::DatabasePointer& database : session.catalog.databases()) {
    if (names_grantee(database->acl, kind, id)) return true;
  }
  return has_grants_in(session.catalog, kind, id);
}

std::string database_with_grants(const SessionState& session, catalog::GranteeKind kind,
                                 std::int32_t id) {
  std::string found;
  session.facts().each_other([&](const std::string& name, const catalog::CatalogSession& other) {
    const catalog::StandingPointer standing = other.standing();
    const bool stands = std::ranges::any_of(*standing, [&](const catalog::StandingAcl& list) {
      return (kind == catalog::GranteeKind::kUser && list.owner == id) ||
             names_grantee(list.acl, kind, id);
    });
    if (found.empty() && (stands || has_grants_in(other, kind, id))) found = name;
  });
  return found;
}

SqlStatus forget_grantee(SessionState& session, catalog::GranteeKind kind, std::int32_t id) {
  catalog::StandingPrivileges standing = *session.catalog.standing();
  const bool user = kind == catalog::GranteeKind::kUser;
  std::size_t removed = std::erase_if(
      standing, [&](const catalog::StandingAcl& list) { return user && list.owner == id; });
  for (catalog::StandingAcl& list : standing) {
    removed += std::erase_if(list.acl, [&](const catalog::AclEntry& entry) {
      return entry.kind == kind && entry.grantee == id;
    });
  }
  if (removed > 0) LEAT_TRY(session.catalog.put(std::move(standing)));
  LEAT_TRY(forget_iam_grantee(session, kind, id));
  for (const catalog::RolePointer& role : session.catalog.roles()) {
    catalog::Role changed = *role;
    const std::size_t holders = std::erase_if(
        changed.holders,
        [&](const catalog::RoleHolder& holder) { return holder.kind == kind && holder.id == id; });
    if (holders > 0) LEAT_TRY(session.catalog.put(std::move(changed)));
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
      return grant_on_all_tables(*this, statement);
    case sql::GrantTarget::kSchemas:
      for (const sql::QualifiedName& name : statement.objects)
        LEAT_TRY(grant_on_schema(*this, name, statement));
      return {};
    case sql::GrantTarget::kDatabases:
      for (const sql::QualifiedName& name : statement.objects)
        LEAT_TRY(grant_on_database(*this, name, statement));
      return {};
    case sql::GrantTarget::kRoles:
      return grant_roles(*this, statement);
    case sql::GrantTarget::kSystem:
      return grant_system_privileges(*this, statement);
    case sql::GrantTarget::kAssumeRole:
      return grant_iam_roles(*this, statement);
    case sql::GrantTarget::kLanguages:
      return grant_on_languages(*this, statement);
    case sql::GrantTarget::kFunctions:
    case sql::GrantTarget::kAllFunctionsInSchema:
    case sql::GrantTarget::kProcedures:
    case sql::GrantTarget::kAllProceduresInSchema:
      return grant_on_functions(*this, statement);
    case sql::GrantTarget::kScopedTables:
    case sql::GrantTarget::kScopedSchemas:
      return grant_scoped(*this, statement);
    default:
      return engine::fail_sql("0A000", fmt::format("{} on this kind of object is not supported",
                                                   statement.revoke ? "REVOKE" : "GRANT"));
  }
}

SqlStatus SessionState::run_alter_default_privileges(
    Running&, const sql::AlterDefaultPrivilegesStatement& statement) {
  if (user() == nullptr) return engine::fail_sql("28000", "the session's user was dropped");
  const DefaultTarget target = default_target(statement.grant.target);
  LEAT_ASSIGN(const std::uint32_t privileges,
              read_privileges(statement.grant, target.all, target.name));
  std::vector<std::int32_t> owners;
  for (const std::string& name : statement.users) {
    const catalog::UserPointer owner = catalog.user(name);
    if (owner == nullptr) return no_user(name);
    if (owner->id != user_id)
      LEAT_TRY(require_system_privilege("alter default privileges",
                                        "alter default privileges of other users"));
    owners.push_back(owner->id);
  }
  if (owners.empty()) owners.push_back(user_id);
  std::vector<catalog::Oid> schemas;
  for (const std::string& name : statement.schemas) {
    LEAT_ASSIGN(const catalog::SchemaPointer schema, schema_named(*this, name));
    schemas.push_back(schema->oid);
  }
  if (!schemas.empty() && statement.grant.target == sql::GrantTarget::kSchemas) {
    return engine::fail_sql("0LP01",
                            "cannot use IN SCHEMA clause when using GRANT/REVOKE ON SCHEMAS");
  }
  if (schemas.empty()) schemas.push_back(0);
  LEAT_TRY(open_engine());
  catalog::StandingPrivileges standing = *catalog.standing();
  for (const std::int32_t owner : owners) {
    for (const catalog::Oid schema : schemas) {
      catalog::StandingAcl& list = standing_list(standing, target.target, owner, schema);
      LEAT_TRY(change_list(*this, list.acl, statement.grant, privileges, user_id));
    }
  }
  // An empty list says something only where the default is not empty.
  std::erase_if(standing, [](const catalog::StandingAcl& list) {
    return list.acl.empty() &&
           !(list.schema == 0 && (list.target == catalog::StandingTarget::kFunctions ||
                                  list.target == catalog::StandingTarget::kProcedures));
  });
  return catalog.put(std::move(standing));
}

}  // namespace leat::session
