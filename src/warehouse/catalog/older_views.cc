// The views of files that versions wrote which kept them as views of the engine, with names.
#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "warehouse/catalog/store.h"
#include "warehouse/catalog/store_row.h"
#include "warehouse/catalog/view_binding.h"

namespace leat::catalog {
namespace {

using engine::SqlResult;
using engine::SqlStatus;

/// Finds relations and functions among what the file holds.
class StoredLookup final : public sql::RelationLookup {
 public:
  explicit StoredLookup(const Changes& changes) : changes_(changes) {}

  [[nodiscard]] SqlResult<RelationPointer> relation(const sql::QualifiedName& name) const {
    for (const auto& [oid, each] : changes_.relations) {
      if (each->schema_name == name.schema() && each->name == name.name()) return each;
    }
    return engine::fail_sql("42P01", "relation \"" + name.to_string() + "\" does not exist");
  }

  [[nodiscard]] sql::SqlResult<const sql::Relation*> find(
      const sql::QualifiedName& name) const override {
    auto made = std::make_unique<sql::Relation>();
    if (sql::is_system_relation(name)) {
      made->kind = sql::RelationKind::kSystem;
    } else {
      const SqlResult<RelationPointer> found = relation(name);
      if (!found) return sql::sql_fail(found.error().sqlstate, found.error().message);
      made->oid = (*found)->oid;
      made->schema = (*found)->schema_name;
      made->name = (*found)->name;
      for (const Column& column : (*found)->columns)
        made->columns.push_back(
            {.name = column.name, .type = column.type, .number = column.number});
    }
    relations_.push_back(std::move(made));
    return relations_.back().get();
  }

  [[nodiscard]] sql::SqlResult<std::vector<const sql::DefinedFunction*>> find_functions(
      const std::vector<std::string>& name, std::size_t parameters) const override {
    // Which search path found one without a schema was not kept: public goes before the others.
    std::string of = name.size() > 1 ? name[name.size() - 2] : std::string();
    const auto fits = [&](const Function& function) {
      return function.name == name.back() && function.parameters.size() == parameters &&
             (of.empty() || function.schema_name == of);
    };
    for (const auto& [oid, each] : changes_.functions) {
      if (of.empty() && fits(*each) && each->schema_name == "public") of = "public";
    }
    for (const auto& [oid, each] : changes_.functions) {
      if (of.empty() && fits(*each)) of = each->schema_name;
    }
    std::vector<const sql::DefinedFunction*> list;
    for (const auto& [oid, each] : changes_.functions) {
      if (of.empty() || !fits(*each)) continue;
      functions_.push_back(std::make_unique<sql::DefinedFunction>(
          sql::DefinedFunction{.name = each->name,
                               .parameters = each->parameters,
                               .returns = each->returns,
                               .body = each->body,
                               .oid = oid}));
      list.push_back(functions_.back().get());
    }
    return list;
  }

 private:
  const Changes& changes_;
  mutable std::vector<std::unique_ptr<sql::Relation>> relations_;
  mutable std::vector<std::unique_ptr<sql::DefinedFunction>> functions_;
};

/// Takes away the columns that the view's tables got since: they would come with its star.
void forget_new_columns(const Relation& view, Binding& binding) {
  for (BoundRelation& relation : binding.relations) {
    const auto used = [&](std::int16_t number) {
      return std::ranges::find(view.uses, ColumnReference{relation.oid, number}) != view.uses.end();
    };
    const bool known = std::ranges::any_of(view.uses, [&](const ColumnReference& use) {
      return use.relation == relation.oid && use.number != 0;
    });
    if (known) std::erase_if(relation.columns, [&](const auto& each) { return !used(each.first); });
  }
}

SqlResult<Binding> bind_view(const Relation& view, const Changes& changes) {
  auto parsed = sql::parse_statement(view.definition);
  if (!parsed) return engine::fail_sql(parsed.error().sqlstate, parsed.error().message);
  const sql::SelectStatement* select =
      *parsed ? sql::get_if<sql::SelectStatement>((*parsed)->statement) : nullptr;
  if (select == nullptr) return engine::fail_sql("XX000", "its definition is no query");
  const StoredLookup lookup(changes);
  sql::TranslateContext context;
  context.system_schema = kSystemSchema;
  context.function_schema = kDialectSchema;
  context.relations = &lookup;
  LEAT_ASSIGN(Binding binding,
              bind_names(view.definition, *select->query, context,
                         [&](const sql::QualifiedName& name) { return lookup.relation(name); }));
  const auto columns = sql::query_columns(*select->query, context);
  if (columns && columns->size() > view.columns.size()) forget_new_columns(view, binding);
  return binding;
}

}  // namespace

SqlStatus bind_older_views(engine::Connection& connection, Changes& changes) {
  LEAT_ASSIGN(const auto known, connection.query("SELECT value FROM leat_catalog.properties WHERE "
                                                 "name = 'views'"));
  if (!known.empty()) return {};
  for (auto& [oid, relation] : changes.relations) {
    const bool bound =
        relation->kind == RelationKind::kView || relation->kind == RelationKind::kMaterializedView;
    if (!bound || relation->binding != nullptr) continue;
    if (relation->kind == RelationKind::kView)
      LEAT_TRY(run(connection, "DROP VIEW IF EXISTS " + relation->duckdb_name()));
    SqlResult<Binding> binding = bind_view(*relation, changes);
    if (!binding) {
      log::warning("warehouse", "view {}.{} could not be bound to what it reads: {}",
                   relation->schema_name, relation->name, binding.error().message);
      continue;
    }
    Relation copy = *relation;
    copy.binding = std::make_shared<const Binding>(std::move(*binding));
    LEAT_TRY(write_relation(connection, copy, relation.get()));
    relation = std::make_shared<const Relation>(std::move(copy));
  }
  return run(connection, "INSERT INTO leat_catalog.properties VALUES ('views', 'bound')");
}

}  // namespace leat::catalog
