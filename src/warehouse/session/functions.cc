// CREATE and DROP FUNCTION in SQL, and finding them.
#include <fmt/format.h>

#include <algorithm>

#include "warehouse/catalog/rights.h"
#include "warehouse/session/ddl_support.h"

namespace leat::session {
namespace {

using catalog::Function;
using catalog::FunctionPointer;

bool same_types(const std::vector<sql::TypeName>& a, const std::vector<sql::TypeName>& b) {
  return std::ranges::equal(a, b, [](const sql::TypeName& left, const sql::TypeName& right) {
    return sql::type_oid(left) == sql::type_oid(right);
  });
}

FunctionPointer find_function(const SessionState& session, catalog::Oid schema,
                              std::string_view name, const std::vector<sql::TypeName>& types) {
  for (const FunctionPointer& function : session.catalog.functions()) {
    if (function->schema == schema && function->name == name &&
        same_types(function->parameters, types)) {
      return function;
    }
  }
  return nullptr;
}

/// What the function gives must be something that the engine can compute.
SqlStatus check_body(SessionState& session, const Function& function) {
  std::string call = "select " + engine::quote_identifier(function.schema_name) + "." +
                     engine::quote_identifier(function.name) + "(";
  for (std::size_t i = 0; i < function.parameters.size(); ++i) {
    call += (i == 0 ? "" : ", ") + ("null::" + sql::format_type(function.parameters[i]));
  }
  sql::SqlResult<std::optional<sql::ParsedStatement>> parsed = sql::parse_statement(call + ")");
  if (!parsed) return std::unexpected(from_sql(std::move(parsed).error()));
  LEAT_ASSIGN(const Plan plan, session.make_plan((*parsed)->statement, {}, {}));
  return {};
}

}  // namespace

SqlResult<FunctionPointer> SessionState::find_function_written(
    const sql::QualifiedName& name, const std::vector<sql::TypeName>& types) const {
  std::vector<std::string> schemas;
  if (name.schema().empty()) {
    schemas = resolved_search_path();
  } else {
    schemas.emplace_back(name.schema());
  }
  for (const std::string& each : schemas) {
    const catalog::SchemaPointer schema = catalog.schema(each);
    if (schema == nullptr) continue;
    if (FunctionPointer found = find_function(*this, schema->oid, name.name(), types)) return found;
  }
  const Function wanted{.name = name.to_string(), .parameters = types};
  return engine::fail_sql("42883", "function " + wanted.signature() + " does not exist");
}

SqlStatus SessionState::run_create_function(Running&,
                                            const sql::CreateFunctionStatement& statement) {
  LEAT_ASSIGN(const catalog::SchemaPointer schema, creation_schema(statement.name));
  if (!has_system_privilege("create or replace function"))
    LEAT_TRY(require_schema(*schema, catalog::kUsage | catalog::kCreate));
  Function function;
  function.name = statement.name.name();
  function.schema = schema->oid;
  function.schema_name = schema->name;
  function.owner = user_id;
  function.parameters = statement.parameters;
  function.returns = statement.returns;
  function.volatility = statement.volatility;
  function.body = statement.body;
  LEAT_TRY(lock_table("pg_proc", function.name));
  const FunctionPointer before =
      find_function(*this, schema->oid, function.name, function.parameters);
  if (before != nullptr && !statement.or_replace) {
    return engine::fail_sql(
        "42723", "function \"" + function.name + "\" already exists with same argument types");
  }
  if (before != nullptr) {
    const catalog::UserPointer me = user();
    if (before->owner != me->id && !has_system_privilege("create or replace function"))
      return engine::fail_sql("42501", "must be owner of function " + function.name);
    if (sql::type_oid(before->returns) != sql::type_oid(function.returns)) {
      return engine::fail_sql("42P13", "cannot change return type of existing function", {},
                              "Use DROP FUNCTION first.");
    }
    function.oid = before->oid;
    function.owner = before->owner;
    function.acl = before->acl;
    function.comment = before->comment;
  } else {
    function.oid = catalog.catalog().new_oid();
    function.acl = new_function_acl(*this, schema->oid);
  }
  LEAT_TRY(open_engine());
  LEAT_TRY(catalog.put(function));
  return check_body(*this, function);  // an error takes the function away with the transaction
}

SqlStatus SessionState::run_drop_function(Running& running,
                                          const sql::DropFunctionStatement& statement) {
  const SqlResult<FunctionPointer> found =
      find_function_written(statement.name, statement.parameters);
  if (!found) {
    if (!statement.if_exists) return std::unexpected(found.error());
    running.sink.on_notice(Severity::kInfo, "00000", found.error().message + ", skipping");
    return {};
  }
  const catalog::UserPointer me = user();
  if ((*found)->owner != me->id && !has_system_privilege("drop function"))
    return engine::fail_sql("42501", "must be owner of function " + (*found)->name);
  LEAT_TRY(open_engine());
  LEAT_TRY(drop_dependents(*this, "function " + (*found)->signature(),
                           callers(*this, (*found)->oid), {}, statement.cascade));
  return catalog.drop_function((*found)->oid);
}

catalog::Acl new_function_acl(const SessionState& session, catalog::Oid schema) {
  // Everybody may execute a new function, unless its owner's default privileges say otherwise.
  const catalog::StandingPointer standing = session.catalog.standing();
  const bool said = std::ranges::any_of(*standing, [&](const catalog::StandingAcl& list) {
    return list.target == catalog::StandingTarget::kFunctions && list.schema == 0 &&
           list.owner == session.user_id;
  });
  catalog::Acl acl = catalog::default_acl(session.catalog, catalog::StandingTarget::kFunctions,
                                          session.user_id, schema);
  if (!said) {
    catalog::change_acl(acl, catalog::GranteeKind::kPublic, 0, session.user_id, catalog::kExecute,
                        false, false, false);
  }
  return acl;
}

std::vector<catalog::RelationPointer> callers(const SessionState& session, catalog::Oid function) {
  std::vector<catalog::RelationPointer> list;
  for (const catalog::RelationPointer& each : session.catalog.relations(0)) {
    const bool calls =
        each->binding != nullptr &&
        std::ranges::find(each->binding->functions, function, &catalog::BoundFunction::oid) !=
            each->binding->functions.end();
    if (calls) list.push_back(each);
  }
  return list;
}

void SessionLookup::add_function(const Function& function,
                                 std::vector<const sql::DefinedFunction*>& list) const {
  functions_.push_back(
      std::make_unique<sql::DefinedFunction>(sql::DefinedFunction{.name = function.name,
                                                                  .parameters = function.parameters,
                                                                  .returns = function.returns,
                                                                  .body = function.body,
                                                                  .oid = function.oid}));
  list.push_back(functions_.back().get());
}

SqlStatus SessionLookup::add_functions(std::string_view schema, std::string_view name,
                                       std::size_t parameters,
                                       std::vector<const sql::DefinedFunction*>& list) const {
  const catalog::UserPointer me = session_.user();
  for (const FunctionPointer& function : session_.home_catalog().functions()) {
    if (function->schema_name != schema || function->name != name ||
        function->parameters.size() != parameters) {
      continue;
    }
    if (me != nullptr &&
        (catalog::effective_privileges(session_.catalog, *me, function->owner, function->acl) &
         catalog::kExecute) == 0) {
      return engine::fail_sql("42501", "permission denied for function " + function->name);
    }
    add_function(*function, list);
  }
  return {};
}

sql::SqlResult<std::vector<const sql::DefinedFunction*>> SessionLookup::find_functions(
    const std::vector<std::string>& name, std::size_t parameters) const {
  std::vector<const sql::DefinedFunction*> list;
  const std::string schema = name.size() > 1 ? name[name.size() - 2] : std::string();
  if (view_ != nullptr && view_->binding != nullptr) {
    // Whoever made the view could execute them.
    const std::vector<FunctionPointer> all =
        database_.empty() ? session_.catalog.functions() : session_.catalog_of(*view_).functions();
    for (const catalog::BoundFunction& bound : view_->binding->functions) {
      const auto found =
          std::ranges::find(all, bound.oid, [](const auto& each) { return each->oid; });
      const bool named = bound.schema == schema && bound.name == name.back();
      if (named && found != all.end() && (*found)->parameters.size() == parameters)
        add_function(**found, list);
    }
    if (!list.empty()) return list;
  }
  // Those of the search path may be looked into; so may all by whoever may replace any function.
  const catalog::CatalogSession& home = session_.home_catalog();
  const catalog::SchemaPointer named = home.schema(schema);
  const catalog::UserPointer me = session_.user();
  if (named != nullptr && me != nullptr &&
      (catalog::privileges_on(home, *me, *named) & catalog::kUsage) == 0 &&
      !session_.has_system_privilege("create or replace function")) {
    return sql::sql_fail("42501", "permission denied for schema " + schema);
  }
  const std::vector<std::string> schemas =
      name.size() > 1 ? std::vector{schema} : session_.resolved_search_path();
  for (const std::string& each : schemas) {
    if (SqlStatus added = add_functions(each, name.back(), parameters, list); !added)
      return sql::sql_fail(std::move(added.error().sqlstate), std::move(added.error().message));
    if (!list.empty()) break;
  }
  return list;
}

}  // namespace leat::session
