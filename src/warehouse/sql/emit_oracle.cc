// What Redshift's SELECT took over from Oracle: outer joins marked (+) and CONNECT BY.
#include <algorithm>

#include "warehouse/sql/emitter.h"

namespace leat::sql {
namespace {

/// The columns that the SELECT itself names: those of subqueries are not visited.
template <class Visit>
void each_column(const Expression& node, const Visit& visit) {
  if (node.kind == ExpressionKind::kColumn) visit(node);
  for (const ExpressionPtr& child : node.children) each_column(*child, visit);
}

bool is_marked(const Expression& node) {
  bool marked = false;
  each_column(node, [&](const Expression& column) { marked = marked || column.flag; });
  return marked;
}

bool has_prior(const Expression& node) {
  if (node.kind == ExpressionKind::kUnary && node.text == "prior") return true;
  return std::ranges::any_of(node.children,
                             [](const ExpressionPtr& child) { return has_prior(*child); });
}

std::vector<const Expression*> conjuncts(const Expression& condition) {
  if (condition.kind != ExpressionKind::kAnd) return {&condition};
  std::vector<const Expression*> parts;
  for (const ExpressionPtr& child : condition.children) parts.push_back(child.get());
  return parts;
}

/// One entry of FROM, with the conditions under which its rows join the others.
struct Piece {
  std::string text;
  std::vector<const Expression*> conditions{};
  std::vector<bool> needs{};  // the entries that these conditions name
  bool placed = false;
};

// Names of the columns that carry a row's place in its tree.
constexpr std::string_view kLevel = "\"leat_level\"";
constexpr std::string_view kRows = "\"leat_rows\"";
constexpr std::string_view kNode = "leat_node";

}  // namespace

bool Emitter::has_outer_marks(const Select& node) {
  return node.where && is_marked(*node.where);
}

/// The number of the innermost scope's table that a column belongs to; none when it is not known.
std::optional<std::size_t> Emitter::table_of(const Expression& column) const {
  const std::vector<ScopeTable>& tables = scopes_.back().tables;
  const std::vector<std::string>& names = column.names;
  for (std::size_t i = 0; i < tables.size(); ++i) {
    if (names.size() == 1) {
      if (std::ranges::any_of(tables[i].columns,
                              [&](const ScopeColumn& known) { return known.name == names[0]; })) {
        return i;
      }
    } else if (std::ranges::find(names.begin(), names.end() - 1, tables[i].alias) !=
               names.end() - 1) {
      return i;
    }
  }
  return std::nullopt;
}

/// FROM a, b WHERE a.x = b.x(+): the conditions that are marked become ON of a left join of the
/// marked table. `where` takes those that are not.
std::string Emitter::outer_joined_tables(const Select& node, std::string& where) {
  std::vector<Piece> pieces;
  std::vector<std::size_t> piece_of;
  for (const TablePtr& entry : node.from) {
    if (entry->kind == TableKind::kJoin)
      unsupported("the operator (+) in a query with JOIN", entry->span);
    pieces.push_back({.text = captured([&] { table(*entry); })});
    piece_of.resize(scopes_.back().tables.size(), pieces.size() - 1);
  }
  for (const Expression* condition : conjuncts(*node.where)) {
    if (!is_marked(*condition)) {
      where += (where.empty() ? "" : " AND ") + operand_text(*condition);
      continue;
    }
    if (condition->kind == ExpressionKind::kOr)
      unsupported("the operator (+) in a condition with OR", condition->span);
    std::optional<std::size_t> target;
    std::vector<bool> named(pieces.size(), false);
    each_column(*condition, [&](const Expression& column) {
      const auto owner = table_of(column);
      if (!owner)
        fail("42703", "column \"" + column.names.back() + "\" does not exist", column.span);
      const std::size_t piece = piece_of[*owner];
      named[piece] = true;
      if (!column.flag) return;
      if (target && *target != piece)
        unsupported("a condition that marks two tables with (+)", column.span);
      target = piece;
    });
    Piece& joined = pieces[*target];
    joined.conditions.push_back(condition);
    joined.needs.resize(pieces.size(), false);
    for (std::size_t i = 0; i < pieces.size(); ++i)
      joined.needs[i] = joined.needs[i] || (named[i] && i != *target);
  }
  std::string from;
  std::vector<std::size_t> order;
  const auto ready = [&](const Piece& piece, bool inner) {
    if (piece.placed || piece.conditions.empty() != inner) return false;
    for (std::size_t i = 0; i < piece.needs.size(); ++i)
      if (piece.needs[i] && !pieces[i].placed) return false;
    return true;
  };
  for (bool inner = true; order.size() < pieces.size();) {
    const auto next =
        std::ranges::find_if(pieces, [&](const Piece& piece) { return ready(piece, inner); });
    if (next == pieces.end()) {
      if (!inner || order.empty())
        fail("0A000", "tables that are all marked with (+) cannot be joined", node.where->span);
      inner = false;
      continue;
    }
    if (!order.empty()) from += inner ? " CROSS JOIN " : " LEFT JOIN ";
    from += next->text;
    for (std::size_t i = 0; i < next->conditions.size(); ++i)
      from += (i == 0 ? " ON " : " AND ") + operand_text(*next->conditions[i]);
    next->placed = true;
    order.push_back(static_cast<std::size_t>(next - pieces.begin()));
  }
  scopes_.back().reordered = !std::ranges::is_sorted(order);
  return from;
}

/// FROM of a SELECT with CONNECT BY: a recursive query that gives each row its level and the rows
/// from its root down to itself.
void Emitter::hierarchy(const Select& node) {
  if (node.from.empty()) fail("42601", "CONNECT BY needs FROM", node.connect_by->span);
  const TableReference& source = *node.from[0];
  if (node.from.size() != 1 ||
      (source.kind != TableKind::kName && source.kind != TableKind::kSubquery)) {
    unsupported("CONNECT BY over more than one table", source.span);
  }
  const std::string alias = quote_identifier(kNode);
  write("(WITH RECURSIVE \"leat_base\" AS (SELECT *, row_number() OVER () AS \"leat_row\" FROM ");
  table(source);
  ScopeTable& known = scopes_.back().tables.back();
  known.emitted_alias = kNode;
  write("), \"leat_tree\" AS (SELECT " + alias + ".*, CAST(1 AS BIGINT) AS ");
  write(kLevel);
  write(", [" + alias + "] AS ");
  write(kRows);
  write(" FROM \"leat_base\" AS " + alias);
  if (node.start_with) {
    scopes_.back().level = "1";
    write(" WHERE ");
    expression(*node.start_with);
  }
  write(" UNION ALL SELECT " + alias + ".*, ");
  write(std::string(kLevel) + " + 1, list_append(" + std::string(kRows) + ", " + alias +
        ") FROM \"leat_base\" AS " + alias + ", (SELECT " + std::string(kLevel) + ", " +
        std::string(kRows) + " FROM \"leat_tree\") AS \"leat_parent\" WHERE ");
  scopes_.back().level = "(" + std::string(kLevel) + " + 1)";
  const std::string condition = "(" + text_of(*node.connect_by) + ")";
  write(condition);
  const std::string cycle = "list_contains(list_transform(" + std::string(kRows) +
                            ", lambda r: r.\"leat_row\"), " + alias + ".\"leat_row\")";
  if (node.no_cycle) {
    write(" AND NOT " + cycle);
  } else if (has_prior(*node.connect_by)) {
    // Without PRIOR the condition makes rows from nothing, until LEVEL ends it.
    write(" AND CASE WHEN " + condition + " AND " + cycle +
          " THEN error('54001: CONNECT BY meets a row again that is above it; write NOCYCLE') "
          "ELSE true END");
  }
  write(") SELECT * FROM \"leat_tree\") AS " + alias);
  scopes_.back().level = kLevel;
}

/// PRIOR column and CONNECT_BY_ROOT column.
void Emitter::hierarchy_value(const Expression& node) {
  const Expression& value = *node.children[0];
  if (scopes_.empty() || scopes_.back().level.empty())
    fail("42601", "PRIOR and CONNECT_BY_ROOT need CONNECT BY", node.span);
  if (value.kind != ExpressionKind::kColumn)
    unsupported("PRIOR or CONNECT_BY_ROOT of an expression", value.span);
  note_column(value);
  write("(");
  write(kRows);
  write(node.text == "prior" ? "[-1])." : "[1]).");
  identifier(value.names.back());
}

/// SYS_CONNECT_BY_PATH(column, separator).
void Emitter::hierarchy_path(const Expression& node) {
  const Expression& value = *node.children[0];
  if (scopes_.empty() || scopes_.back().level.empty())
    fail("42601", "SYS_CONNECT_BY_PATH needs CONNECT BY", node.span);
  if (value.kind != ExpressionKind::kColumn)
    unsupported("SYS_CONNECT_BY_PATH of an expression", value.span);
  note_column(value);
  write("array_to_string(list_transform(");
  write(kRows);
  write(", lambda r: ");
  operand(*node.children[1]);
  write(" || coalesce(CAST(r.");
  identifier(value.names.back());
  write(" AS VARCHAR), '')), '')");
}

}  // namespace leat::sql
