#include "warehouse/sql/focus.h"

#include <algorithm>
#include <array>

#include "warehouse/sql/mentions.h"
#include "warehouse/sql/translate.h"

namespace leat::sql {
namespace {

struct Listing {
  std::string_view schema;  ///< Of the system relation; empty: any that finds it.
  std::string_view name;
  std::string_view schema_column;
  std::string_view relation_column;
};

constexpr std::array<Listing, 9> kListings = {{
    {"", "svv_columns", "table_schema", "table_name"},
    {"", "svv_tables", "table_schema", "table_name"},
    {"information_schema", "columns", "table_schema", "table_name"},
    {"information_schema", "tables", "table_schema", "table_name"},
    {"", "svv_all_columns", "schema_name", "table_name"},
    {"", "svv_redshift_columns", "schema_name", "table_name"},
    {"", "svv_redshift_tables", "schema_name", "table_name"},
    {"", "pg_table_def", "schemaname", "tablename"},
    {"", "pg_tables", "schemaname", "tablename"},
}};

const Listing* listing_of(const QualifiedName& name) {
  if (!is_system_relation(name) || !name.database().empty()) return nullptr;
  const auto found = std::ranges::find_if(kListings, [&](const Listing& listing) {
    return listing.name == name.name() &&
           (listing.schema.empty() || listing.schema == name.schema());
  });
  return found == kListings.end() ? nullptr : &*found;
}

bool is_column(const Expression& expression, std::string_view name) {
  return expression.kind == ExpressionKind::kColumn && !expression.names.empty() &&
         expression.names.size() <= 2 && expression.names.back() == name;
}

/// The texts that `condition` allows for `column`; nothing when it says nothing of it.
std::vector<std::string> allowed_by(const Expression& condition, std::string_view column) {
  const auto& children = condition.children;
  const bool is_equal = condition.kind == ExpressionKind::kBinary && condition.text == "=";
  const bool is_in =
      condition.kind == ExpressionKind::kIn && !condition.negated && condition.query == nullptr;
  if (!(is_equal || is_in) || children.size() < 2 || !is_column(*children[0], column)) return {};
  std::vector<std::string> out;
  for (std::size_t i = 1; i < children.size(); ++i) {
    // Blanks at the end mean nothing to a comparison.
    const std::string& text = children[i]->text;
    if (children[i]->kind != ExpressionKind::kString || text.ends_with(' ')) return {};
    out.push_back(text);
  }
  return out;
}

}  // namespace

void add_conjuncts(const Expression& condition, std::vector<const Expression*>& out) {
  if (condition.kind != ExpressionKind::kAnd) {
    out.push_back(&condition);
    return;
  }
  for (const ExpressionPtr& child : condition.children) add_conjuncts(*child, out);
}

bool CatalogFocus::includes(std::string_view in_schema, std::string_view relation) const {
  return in_schema == schema &&
         (relations.empty() || std::ranges::binary_search(relations, relation));
}

std::optional<CatalogFocus> catalog_focus(const Statement& statement) {
  const auto* node = get_if<SelectStatement>(statement);
  if (node == nullptr || node->query->kind != QueryKind::kSelect) return std::nullopt;
  const Query& query = *node->query;
  const Select& select = *query.select;
  const bool is_plain = query.with.empty() && select.from.size() == 1 && select.where != nullptr &&
                        select.connect_by == nullptr &&
                        select.from.front()->kind == TableKind::kName;
  if (!is_plain) return std::nullopt;
  const Listing* listing = listing_of(select.from.front()->name);
  // A subquery may ask for relations of its own.
  if (listing == nullptr || mentioned_relations(query).size() != 1) return std::nullopt;
  std::vector<const Expression*> conjuncts;
  add_conjuncts(*select.where, conjuncts);
  CatalogFocus focus;
  for (const Expression* conjunct : conjuncts) {
    const auto schemas = allowed_by(*conjunct, listing->schema_column);
    if (schemas.size() == 1) focus.schema = schemas.front();
    auto relations = allowed_by(*conjunct, listing->relation_column);
    if (!relations.empty()) focus.relations = std::move(relations);
  }
  if (focus.schema.empty()) return std::nullopt;
  std::ranges::sort(focus.relations);
  return focus;
}

}  // namespace leat::sql
