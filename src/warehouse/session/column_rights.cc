// What may be done with a relation by someone who has rights on some of its columns only.
#include <algorithm>
#include <string>
#include <vector>

#include "warehouse/catalog/rights.h"
#include "warehouse/session/session_state.h"

namespace leat::session {
namespace {

/// The parts of a name as written: a, t.a, t.a.b.
using Names = std::vector<const std::vector<std::string>*>;

/// Notes every name that an expression uses. False when it holds a query, whose names may be those
/// of other relations, or names in places that are not looked at.
bool collect_names(const sql::Expression* node, Names& names) {
  if (node == nullptr) return true;
  if (node->query) return false;
  if (node->kind == sql::ExpressionKind::kStar) return false;
  if (node->call && (node->call->filter || node->call->window || !node->call->order_by.empty() ||
                     !node->call->within_group.empty())) {
    return false;
  }
  if (node->kind == sql::ExpressionKind::kColumn) names.push_back(&node->names);
  return std::ranges::all_of(node->children, [&](const sql::ExpressionPtr& child) {
    return collect_names(child.get(), names);
  });
}

/// Every column that the names could mean must be readable. A name that means none may be the whole
/// row.
bool may_read(const catalog::CatalogSession& in, const catalog::User& user,
              const catalog::Relation& relation, const Names& names) {
  return std::ranges::all_of(names, [&](const std::vector<std::string>* name) {
    bool means_one = false;
    for (const std::string& part : *name) {
      const catalog::Column* column = relation.find_column(part);
      if (column == nullptr) continue;
      means_one = true;
      const auto held = catalog::column_privileges(in, user, relation, column->number);
      if ((held & catalog::kSelect) == 0) return false;
    }
    return means_one;
  });
}

bool may_read_for_update(const catalog::CatalogSession& in, const catalog::User& user,
                         const catalog::Relation& relation, const sql::UpdateStatement& update) {
  if (!update.from.empty() || !update.with.empty()) return false;
  Names names;
  if (!collect_names(update.where.get(), names)) return false;
  for (const sql::Assignment& assignment : update.assignments) {
    if (!collect_names(assignment.value.get(), names)) return false;
  }
  return may_read(in, user, relation, names);
}

bool may_update(const catalog::CatalogSession& in, const catalog::User& user,
                const catalog::Relation& relation, const sql::UpdateStatement& update) {
  return std::ranges::all_of(update.assignments, [&](const sql::Assignment& assignment) {
    const catalog::Column* column = relation.find_column(assignment.column);
    return column != nullptr &&
           (catalog::column_privileges(in, user, relation, column->number) & catalog::kUpdate) != 0;
  });
}

bool columns_suffice_in(const catalog::CatalogSession& in, const catalog::User& user,
                        const sql::Statement& statement, const catalog::Relation& relation,
                        const sql::TableAccess& access) {
  if (!catalog::has_column_privileges(in, user, relation)) return false;
  const catalog::SchemaPointer schema = in.schema(relation.schema);
  if (schema == nullptr || (catalog::privileges_on(in, user, *schema) & catalog::kUsage) == 0) {
    return false;
  }
  if (const auto* update = sql::get_if<sql::UpdateStatement>(statement)) {
    if (access.access == sql::Access::kUpdate) return may_update(in, user, relation, *update);
    return access.access == sql::Access::kSelect &&
           may_read_for_update(in, user, relation, *update);
  }
  if (access.access != sql::Access::kSelect) return false;
  if (const auto* removal = sql::get_if<sql::DeleteStatement>(statement)) {
    Names names;
    return removal->using_tables.empty() && removal->with.empty() &&
           collect_names(removal->where.get(), names) && may_read(in, user, relation, names);
  }
  return sql::get_if<sql::MergeStatement>(statement) == nullptr;
}

}  // namespace

bool used_columns_suffice(const catalog::CatalogSession& in, const catalog::User& user,
                          const catalog::Relation& view, const catalog::Relation& source) {
  const catalog::SchemaPointer schema = in.schema(source.schema);
  if (schema == nullptr || (catalog::privileges_on(in, user, *schema) & catalog::kUsage) == 0)
    return false;
  if (view.uses.empty() || !catalog::has_column_privileges(in, user, source)) return false;
  return std::ranges::all_of(view.uses, [&](const catalog::ColumnReference& use) {
    return use.relation != source.oid || use.number == 0 ||
           (catalog::column_privileges(in, user, source, use.number) & catalog::kSelect) != 0;
  });
}

bool columns_suffice(const SessionState& session, const sql::Statement& statement,
                     const catalog::Relation& relation, const sql::TableAccess& access) {
  const catalog::UserPointer user = session.user();
  if (user == nullptr) return false;
  if (session.in_other_database(relation)) {
    return columns_suffice_in(session.catalog_of(relation), *user, statement, relation, access);
  }
  return columns_suffice_in(session.catalog, *user, statement, relation, access);
}

}  // namespace leat::session
