#include "warehouse/catalog/system_functions.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "warehouse/catalog/privilege_questions.h"
#include "warehouse/catalog/rights.h"
#include "warehouse/catalog/types.h"
#include "warehouse/engine/function.h"

namespace leat::catalog {
namespace {

using engine::Chunk;
using engine::ColumnType;
using engine::FunctionOutput;
using engine::ScalarFunction;
using engine::SqlStatus;
using engine::Type;

ColumnType bigint() {
  return {.type = Type::kInt64, .children = {}, .child_names = {}};
}
ColumnType varchar() {
  return {.type = Type::kVarchar, .children = {}, .child_names = {}};
}
ColumnType boolean() {
  return {.type = Type::kBoolean, .children = {}, .child_names = {}};
}

/// Answers a row; the facts' pointers live for the call.
using TextAnswer =
    std::function<std::optional<std::string>(const SessionFacts&, const Chunk&, std::size_t row)>;
using BooleanAnswer =
    std::function<std::optional<bool>(const SessionFacts&, const Chunk&, std::size_t row)>;

template <class Answer, class Set>
SqlStatus answer_row(const SystemHost& host, const Chunk& arguments, std::size_t row,
                     const Answer& answer, const Set& set, FunctionOutput& output) {
  bool done = false;
  host.with_session(arguments.column(0).integer(row), [&](const SessionFacts& facts) {
    if (auto value = answer(facts, arguments, row)) {
      set(*value);
      done = true;
    }
  });
  if (!done) output.set_null(row);
  return {};
}

ScalarFunction plain(std::string name, std::vector<ColumnType> parameters, ColumnType returns,
                     bool is_volatile,
                     std::function<SqlStatus(const Chunk&, std::size_t, FunctionOutput&)> run) {
  return {.name = std::move(name),
          .parameters = std::move(parameters),
          .more_parameters = std::nullopt,
          .returns = std::move(returns),
          .sees_null = false,
          .is_volatile = is_volatile,
          .run = std::move(run)};
}

/// A function whose first argument is the session's id.
ScalarFunction session_text(SystemHost& host, std::string name, std::vector<ColumnType> parameters,
                            TextAnswer answer) {
  parameters.insert(parameters.begin(), bigint());
  return {.name = std::move(name),
          .parameters = std::move(parameters),
          .more_parameters = std::nullopt,
          .returns = varchar(),
          .sees_null = false,
          .is_volatile = true,
          .run = [&host, answer = std::move(answer)](const Chunk& arguments, std::size_t row,
                                                     FunctionOutput& output) {
            return answer_row(
                host, arguments, row, answer,
                [&](const std::string& value) { output.set_text(row, value); }, output);
          }};
}

ScalarFunction session_boolean(SystemHost& host, std::string name,
                               std::vector<ColumnType> parameters, BooleanAnswer answer) {
  parameters.insert(parameters.begin(), bigint());
  return {.name = std::move(name),
          .parameters = std::move(parameters),
          .more_parameters = std::nullopt,
          .returns = boolean(),
          .sees_null = false,
          .is_volatile = true,
          .run = [&host, answer = std::move(answer)](const Chunk& arguments, std::size_t row,
                                                     FunctionOutput& output) {
            return answer_row(
                host, arguments, row, answer, [&](bool value) { output.set_bool(row, value); },
                output);
          }};
}

Oid oid_at(const Chunk& arguments, std::size_t column, std::size_t row) {
  const std::int64_t value = arguments.column(column).integer(row);
  return value < 0 || value > 0xffffffffLL ? 0 : static_cast<Oid>(value);
}

std::string_view text_at(const Chunk& arguments, std::size_t column, std::size_t row) {
  return arguments.column(column).text(row);
}

/// By oid or by written name.
RelationPointer relation_at(const SessionFacts& facts, std::string_view text) {
  if (const auto oid = parse_number<Oid>(text)) return facts.catalog->relation(*oid);
  return find_relation(facts, text);
}

bool is_visible(const SessionFacts& facts, Oid oid) {
  if (oid < kFirstObjectOid) return true;  // system relations: pg_catalog is always searched
  const RelationPointer relation = facts.catalog->relation(oid);
  if (relation == nullptr) return false;
  if (relation->temporary) return true;
  return find_relation(facts, relation->name) == relation;
}

std::string qualified_name(const SessionFacts& facts, const Relation& relation) {
  if (is_visible(facts, relation.oid)) return relation.name;
  return relation.schema_name + "." + relation.name;
}

std::vector<std::string> column_names(const Relation& relation,
                                      const std::vector<std::int16_t>& numbers) {
  std::vector<std::string> names;
  for (const std::int16_t number : numbers) {
    const auto column = std::ranges::find(relation.columns, number, &Column::number);
    if (column != relation.columns.end()) names.push_back(column->name);
  }
  return names;
}

std::string joined(const std::vector<std::string>& words, std::string_view separator) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += separator;
    text += word;
  }
  return text;
}

std::optional<std::string> constraint_definition(const SessionFacts& facts, Oid oid) {
  for (const RelationPointer& relation : facts.catalog->relations(0)) {
    for (const Constraint& constraint : relation->constraints) {
      if (constraint.oid != oid && constraint.index_oid != oid) continue;
      const std::string columns =
          "(" + joined(column_names(*relation, constraint.columns), ", ") + ")";
      if (constraint.kind == ConstraintKind::kPrimaryKey) return "PRIMARY KEY " + columns;
      if (constraint.kind == ConstraintKind::kUnique) return "UNIQUE " + columns;
      const RelationPointer target = facts.catalog->relation(constraint.references);
      if (target == nullptr) return "FOREIGN KEY " + columns;
      return "FOREIGN KEY " + columns + " REFERENCES " + qualified_name(facts, *target) + "(" +
             joined(column_names(*target, constraint.references_columns), ", ") + ")";
    }
  }
  return std::nullopt;
}

std::string json_list(const std::vector<std::string>& words) {
  std::string out = "[";
  for (const std::string& word : words) {
    if (out.size() > 1) out += ',';
    append_json_string(out, word);
  }
  return out + "]";
}

/// None as long as everybody may execute it, which goes without saying.
std::vector<std::string> function_acl_items(const SessionFacts& facts, Oid oid) {
  const std::vector<FunctionPointer> functions = facts.catalog->functions();
  const auto found = std::ranges::find(functions, oid, [](const auto& each) { return each->oid; });
  if (found == functions.end()) return {};
  const Function& function = **found;
  const bool usual = function.acl.size() == 1 && function.acl[0].kind == GranteeKind::kPublic &&
                     function.acl[0].privileges == kExecute;
  if (usual) return {};
  std::vector<std::string> items =
      acl_items(*facts.catalog, function.owner, kExecute, function.acl);
  // Taken away from everybody: what is left is the owner's.
  if (items.empty()) {
    const UserPointer owner = facts.catalog->user(function.owner);
    const std::string name = owner == nullptr ? "unknown" : owner->name;
    items.push_back(name + "=X/" + name);
  }
  return items;
}

std::optional<std::string> acl_of(const SessionFacts& facts, std::string_view kind, Oid oid) {
  std::vector<std::string> items;
  if (kind == "relation") {
    if (const RelationPointer relation = facts.catalog->relation(oid)) {
      items = acl_items(*facts.catalog, relation->owner, kAllOnTable, relation->acl);
    }
  } else if (kind == "schema") {
    if (const SchemaPointer schema = facts.catalog->schema(oid)) {
      items = acl_items(*facts.catalog, schema->owner, kUsage | kCreate, schema->acl);
    }
  } else if (kind == "function") {
    items = function_acl_items(facts, oid);
  } else if (const DatabasePointer database = facts.catalog->database(oid)) {
    items = acl_items(*facts.catalog, database->owner, kCreate | kTemporary, database->acl);
  }
  if (items.empty()) return std::nullopt;
  return json_list(items);
}

/// Of what is no relation and no part of one.
std::string comment_of(const CatalogSession& catalog, Oid oid) {
  if (const SchemaPointer schema = catalog.schema(oid)) return schema->comment;
  if (const DatabasePointer database = catalog.database(oid)) return database->comment;
  for (const FunctionPointer& function : catalog.functions()) {
    if (function->oid == oid) return function->comment;
  }
  for (const RelationPointer& relation : catalog.relations(0)) {
    const auto found = std::ranges::find(relation->constraints, oid, &Constraint::oid);
    if (found != relation->constraints.end()) return found->comment;
  }
  return {};
}

std::optional<std::string> description_of(const SessionFacts& facts, Oid oid, std::int64_t column) {
  std::string text;
  if (const RelationPointer relation = facts.catalog->relation(oid)) {
    if (column == 0) text = relation->comment;
    for (const Column& each : relation->columns) {
      if (each.number == column) text = each.comment;
    }
  } else if (column == 0) {
    text = comment_of(*facts.catalog, oid);
  }
  if (text.empty()) return std::nullopt;
  return text;
}

std::string search_path_list(const SessionFacts& facts, bool implicit) {
  std::vector<std::string> names = facts.search_path;
  if (implicit && std::ranges::find(names, "pg_catalog") == names.end())
    names.insert(names.begin(), "pg_catalog");
  return json_list(names);
}

SqlStatus add_name_functions(engine::Database& database, SystemHost& host) {
  LEAT_TRY(database.add_function(
      session_text(host, "leat_user_name", {bigint()},
                   [](const SessionFacts& facts, const Chunk& arguments, std::size_t row) {
                     const std::int64_t id = arguments.column(1).integer(row);
                     if (id == kBootstrapUserId) return std::optional<std::string>("rdsdb");
                     const UserPointer user = facts.catalog->user(static_cast<std::int32_t>(id));
                     return std::optional<std::string>(
                         user == nullptr ? "unknown (OID=" + std::to_string(id) + ")" : user->name);
                   })));
  LEAT_TRY(database.add_function(session_text(
      host, "leat_relation_name", {bigint()},
      [](const SessionFacts& facts, const Chunk& arguments,
         std::size_t row) -> std::optional<std::string> {
        const RelationPointer relation = facts.catalog->relation(oid_at(arguments, 1, row));
        if (relation == nullptr) return std::nullopt;
        return qualified_name(facts, *relation);
      })));
  LEAT_TRY(database.add_function(session_text(host, "leat_relation_oid", {varchar()},
                                              [](const SessionFacts& facts, const Chunk& arguments,
                                                 std::size_t row) -> std::optional<std::string> {
                                                const RelationPointer relation =
                                                    relation_at(facts, text_at(arguments, 1, row));
                                                if (relation == nullptr) return std::nullopt;
                                                return std::to_string(relation->oid);
                                              })));
  LEAT_TRY(database.add_function(
      session_text(host, "leat_schemas", {boolean()},
                   [](const SessionFacts& facts, const Chunk& arguments, std::size_t row) {
                     return std::optional<std::string>(
                         search_path_list(facts, arguments.column(1).integer(row) != 0));
                   })));
  return database.add_function(session_text(
      host, "leat_description", {bigint(), bigint()},
      [](const SessionFacts& facts, const Chunk& arguments, std::size_t row) {
        return description_of(facts, oid_at(arguments, 1, row), arguments.column(2).integer(row));
      }));
}

SqlStatus add_definition_functions(engine::Database& database, SystemHost& host) {
  LEAT_TRY(database.add_function(
      session_text(host, "leat_constraint_definition", {bigint()},
                   [](const SessionFacts& facts, const Chunk& arguments, std::size_t row) {
                     return constraint_definition(facts, oid_at(arguments, 1, row));
                   })));
  LEAT_TRY(database.add_function(session_text(
      host, "leat_view_definition", {varchar()},
      [](const SessionFacts& facts, const Chunk& arguments,
         std::size_t row) -> std::optional<std::string> {
        const RelationPointer relation = relation_at(facts, text_at(arguments, 1, row));
        if (relation == nullptr || relation->kind == RelationKind::kTable) return std::nullopt;
        return relation->shown_definition([&](Oid oid) { return facts.catalog->relation(oid); }) +
               ";";
      })));
  return database.add_function(
      session_text(host, "leat_acl", {varchar(), bigint()},
                   [](const SessionFacts& facts, const Chunk& arguments, std::size_t row) {
                     return acl_of(facts, text_at(arguments, 1, row), oid_at(arguments, 2, row));
                   }));
}

SqlStatus answer_privilege(const SystemHost& host, const Chunk& arguments, std::size_t row,
                           FunctionOutput& output) {
  engine::SqlResult<std::optional<bool>> answer = std::nullopt;
  host.with_session(arguments.column(0).integer(row), [&](const SessionFacts& facts) {
    answer = has_privilege(facts, {.kind = text_at(arguments, 1, row),
                                   .user = text_at(arguments, 2, row),
                                   .object = text_at(arguments, 3, row),
                                   .privileges = text_at(arguments, 4, row)});
  });
  if (!answer) return std::unexpected(std::move(answer).error());
  if (*answer) {
    output.set_bool(row, **answer);
  } else {
    output.set_null(row);
  }
  return {};
}

/// Who may see what is granted to the grantee: those whom it reaches, and whoever may see all.
std::optional<bool> sees_grant(const SessionFacts& facts, std::int64_t kind, std::int64_t grantee) {
  const UserPointer user = facts.catalog->user(facts.user_id);
  if (user == nullptr) return false;
  return has_system_privilege(*facts.catalog, *user, "access system table") ||
         reaches(*facts.catalog, *user, static_cast<GranteeKind>(kind),
                 static_cast<std::int32_t>(grantee));
}

SqlStatus add_rights_functions(engine::Database& database, SystemHost& host) {
  LEAT_TRY(database.add_function(
      session_boolean(host, "leat_visible", {bigint()},
                      [](const SessionFacts& facts, const Chunk& arguments, std::size_t row) {
                        return std::optional<bool>(is_visible(facts, oid_at(arguments, 1, row)));
                      })));
  LEAT_TRY(database.add_function(
      plain("leat_has_privilege", {bigint(), varchar(), varchar(), varchar(), varchar()}, boolean(),
            true, [&host](const Chunk& arguments, std::size_t row, FunctionOutput& output) {
              return answer_privilege(host, arguments, row, output);
            })));
  LEAT_TRY(database.add_function(
      session_boolean(host, "leat_is_member", {varchar(), varchar(), varchar()},
                      [](const SessionFacts& facts, const Chunk& arguments, std::size_t row) {
                        return is_member(facts, text_at(arguments, 1, row),
                                         text_at(arguments, 2, row), text_at(arguments, 3, row));
                      })));
  LEAT_TRY(database.add_function(
      session_boolean(host, "leat_sees_grant", {bigint(), bigint()},
                      [](const SessionFacts& facts, const Chunk& arguments, std::size_t row) {
                        return sees_grant(facts, arguments.column(1).integer(row),
                                          arguments.column(2).integer(row));
                      })));
  return database.add_function(
      plain("leat_stop_session", {bigint(), bigint(), boolean()}, boolean(), true,
            [&host](const Chunk& arguments, std::size_t row, FunctionOutput& output) -> SqlStatus {
              output.set_bool(row, host.stop_session(arguments.column(0).integer(row),
                                                     arguments.column(1).integer(row),
                                                     arguments.column(2).integer(row) != 0));
              return {};
            }));
}

SqlStatus add_plain_functions(engine::Database& database, SystemHost& host) {
  LEAT_TRY(database.add_function(plain(
      "leat_rows", {bigint(), varchar()}, varchar(), true,
      [&host](const Chunk& arguments, std::size_t row, FunctionOutput& output) -> SqlStatus {
        output.set_text(
            row, host.live_rows(text_at(arguments, 1, row), arguments.column(0).integer(row)));
        return {};
      })));
  LEAT_TRY(database.add_function(
      plain("leat_format_type", {bigint(), bigint()}, varchar(), false,
            [](const Chunk& arguments, std::size_t row, FunctionOutput& output) -> SqlStatus {
              const auto modifier = static_cast<std::int32_t>(arguments.column(1).integer(row));
              output.set_text(row, format_type(oid_at(arguments, 0, row), modifier));
              return {};
            })));
  LEAT_TRY(database.add_function(
      plain("leat_type_oid", {varchar()}, bigint(), false,
            [](const Chunk& arguments, std::size_t row, FunctionOutput& output) -> SqlStatus {
              std::string_view name = text_at(arguments, 0, row);
              if (name.starts_with("pg_catalog.")) name.remove_prefix(11);
              output.set_int64(row, sql::type_oid(sql::parse_type_name(name)));
              return {};
            })));
  return database.add_function(
      plain("leat_encoding_name", {bigint()}, varchar(), false,
            [](const Chunk& arguments, std::size_t row, FunctionOutput& output) -> SqlStatus {
              output.set_text(
                  row, encoding_name(static_cast<std::int32_t>(arguments.column(0).integer(row))));
              return {};
            }));
}

}  // namespace

SqlStatus add_system_functions(engine::Database& database, SystemHost& host) {
  LEAT_TRY(add_system_tables(database, host));
  LEAT_TRY(add_name_functions(database, host));
  LEAT_TRY(add_definition_functions(database, host));
  LEAT_TRY(add_rights_functions(database, host));
  return add_plain_functions(database, host);
}

}  // namespace leat::catalog
