// Roles, standing privileges, the grants of IAM's roles and functions in the store.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "warehouse/catalog/store_row.h"
#include "warehouse/catalog/types.h"

namespace leat::catalog {
namespace {

using engine::SqlStatus;
using engine::TextRow;

/// Of a list without entries, which must be remembered all the same: a grantee that cannot be.
constexpr int kNobody = -1;

}  // namespace

SqlStatus read_roles(engine::Connection& connection, Changes& changes) {
  std::map<std::int32_t, std::vector<RoleHolder>> holders;
  LEAT_ASSIGN(const auto grants, connection.query("SELECT * FROM leat_catalog.role_holders"));
  for (const TextRow& cells : grants) {
    Row row(cells);
    std::vector<RoleHolder>& list = holders[row.number<std::int32_t>()];
    RoleHolder holder;
    holder.kind = static_cast<GranteeKind>(row.number<int>());
    holder.id = row.number<std::int32_t>();
    holder.admin = row.boolean();
    list.push_back(holder);
  }
  LEAT_ASSIGN(const auto roles, connection.query("SELECT * FROM leat_catalog.roles"));
  for (const TextRow& cells : roles) {
    Row row(cells);
    Role role;
    role.id = row.number<std::int32_t>();
    role.name = row.string();
    role.owner = row.number<std::int32_t>();
    role.external_id = row.string();
    const std::string privileges = row.string();
    for (const std::string_view each : split(privileges, ',')) {
      if (!each.empty()) role.privileges.emplace_back(each);
    }
    role.holders = std::move(holders[role.id]);
    auto& slot = changes.roles[role.id];
    slot = std::make_shared<const Role>(std::move(role));
  }
  return {};
}

SqlStatus read_standing(engine::Connection& connection, Changes& changes) {
  StandingPrivileges standing;
  LEAT_ASSIGN(const auto rows, connection.query("SELECT * FROM leat_catalog.standing_acl"));
  for (const TextRow& cells : rows) {
    Row row(cells);
    StandingAcl list;
    list.target = static_cast<StandingTarget>(row.string().front());
    list.owner = row.number<std::int32_t>();
    list.schema = row.number<Oid>();
    const int kind = row.number<int>();
    AclEntry entry;
    entry.kind = static_cast<GranteeKind>(kind);
    entry.grantee = row.number<std::int32_t>();
    entry.grantor = row.number<std::int32_t>();
    entry.privileges = row.number<std::uint32_t>();
    entry.grantable = row.number<std::uint32_t>();
    auto known = std::ranges::find_if(standing, [&](const StandingAcl& each) {
      return each.target == list.target && each.owner == list.owner && each.schema == list.schema;
    });
    if (known == standing.end()) known = standing.insert(standing.end(), std::move(list));
    if (kind != kNobody) known->acl.push_back(entry);
  }
  changes.standing = std::make_shared<const StandingPrivileges>(std::move(standing));
  return {};
}

SqlStatus read_iam_grants(engine::Connection& connection, Changes& changes) {
  LEAT_ASSIGN(const auto rows, connection.query("SELECT role, grantee_kind, grantee, commands FROM "
                                                "leat_catalog.iam_grants"));
  IamGrants grants;
  for (const TextRow& cells : rows) {
    Row row(cells);
    IamGrant grant;
    grant.role = row.string();
    grant.kind = static_cast<GranteeKind>(row.number<int>());
    grant.grantee = row.number<std::int32_t>();
    grant.commands = row.number<std::uint32_t>();
    grants.push_back(std::move(grant));
  }
  changes.iam_grants = std::make_shared<const IamGrants>(std::move(grants));
  return {};
}

SqlStatus read_functions(engine::Connection& connection, AclMap& acls, Changes& changes) {
  LEAT_ASSIGN(const auto rows,
              connection.query("SELECT oid, schema, name, owner, array_to_string(parameters, '|'), "
                               "returns, volatility, body, comment FROM leat_catalog.functions"));
  for (const TextRow& cells : rows) {
    Row row(cells);
    Function function;
    function.oid = row.number<Oid>();
    function.schema = row.number<Oid>();
    const auto schema = changes.schemas.find(function.schema);
    if (schema == changes.schemas.end())
      return engine::fail_sql("XX001", fmt::format("function {} is in no schema", function.oid));
    function.schema_name = schema->second->name;
    function.name = row.string();
    function.owner = row.number<std::int32_t>();
    const std::string types = row.string();
    for (const std::string_view type : split(types, '|')) {
      if (!type.empty()) function.parameters.push_back(sql::parse_type_name(type));
    }
    function.returns = sql::parse_type_name(row.string());
    function.volatility = row.string();
    function.body = row.string();
    function.comment = row.string();
    function.acl = std::move(acls[function.oid]);
    auto& slot = changes.functions[function.oid];
    slot = std::make_shared<const Function>(std::move(function));
  }
  return {};
}

SqlStatus write_role(engine::Connection& connection, std::string_view store, const Role& role) {
  std::string privileges;
  for (const std::string& each : role.privileges)
    privileges += (privileges.empty() ? "" : ",") + each;
  std::string sql = fmt::format(
      "DELETE FROM {5}.roles WHERE id = {0};"
      "DELETE FROM {5}.role_holders WHERE role = {0};"
      "INSERT INTO {5}.roles VALUES ({0}, {1}, {2}, {3}, {4});",
      role.id, text(role.name), role.owner, text(role.external_id), text(privileges), store);
  for (const RoleHolder& holder : role.holders) {
    sql += fmt::format("INSERT INTO {}.role_holders VALUES ({}, {}, {}, {});", store, role.id,
                       static_cast<int>(holder.kind), holder.id, boolean(holder.admin));
  }
  return run(connection, sql);
}

SqlStatus write_standing(engine::Connection& connection, const StandingPrivileges& standing) {
  std::string sql = "DELETE FROM leat_catalog.standing_acl;";
  const auto add = [&](const StandingAcl& list, int kind, const AclEntry& entry) {
    sql += fmt::format(
        "INSERT INTO leat_catalog.standing_acl VALUES ('{}', {}, {}, {}, {}, {}, {}, {});",
        static_cast<char>(list.target), list.owner, list.schema, kind, entry.grantee, entry.grantor,
        entry.privileges, entry.grantable);
  };
  for (const StandingAcl& list : standing) {
    for (const AclEntry& entry : list.acl) add(list, static_cast<int>(entry.kind), entry);
    if (list.acl.empty()) add(list, kNobody, {});
  }
  return run(connection, sql);
}

SqlStatus write_iam_grants(engine::Connection& connection, std::string_view store,
                           const IamGrants& grants) {
  std::string sql = fmt::format("DELETE FROM {}.iam_grants;", store);
  for (const IamGrant& grant : grants) {
    sql +=
        fmt::format("INSERT INTO {}.iam_grants VALUES ({}, {}, {}, {});", store, text(grant.role),
                    static_cast<int>(grant.kind), grant.grantee, grant.commands);
  }
  return run(connection, sql);
}

SqlStatus write_function(engine::Connection& connection, const Function& function) {
  std::string types;
  std::string oids;
  for (const sql::TypeName& type : function.parameters) {
    types += (types.empty() ? "" : ", ") + text(sql::format_type(type));
    oids += (oids.empty() ? "" : ", ") + std::to_string(sql::type_oid(type));
  }
  return run(
      connection,
      fmt::format("DELETE FROM leat_catalog.functions WHERE oid = {0};"
                  "DELETE FROM leat_catalog.acl WHERE object = {0};"
                  "INSERT INTO leat_catalog.functions VALUES ({0}, {1}, {2}, {3}, [{4}], "
                  "[{5}], {6}, {7}, {8}, {9}, {10});{11}",
                  function.oid, function.schema, text(function.name), function.owner, types, oids,
                  text(sql::format_type(function.returns)), sql::type_oid(function.returns),
                  text(function.volatility), text(function.body), text(function.comment),
                  acl_rows(function.oid, function.acl)));
}

SqlStatus erase_role(engine::Connection& connection, std::string_view store, std::int32_t id) {
  return run(connection, fmt::format("DELETE FROM {1}.roles WHERE id = {0};"
                                     "DELETE FROM {1}.role_holders WHERE role = {0}",
                                     id, store));
}

SqlStatus erase_function(engine::Connection& connection, Oid oid) {
  return run(connection, fmt::format("DELETE FROM leat_catalog.functions WHERE oid = {0};"
                                     "DELETE FROM leat_catalog.acl WHERE object = {0}",
                                     oid));
}

}  // namespace leat::catalog
