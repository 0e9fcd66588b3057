// Queries and FROM as Redshift SQL.
#include <array>

#include "warehouse/sql/join_text.h"
#include "warehouse/sql/redshift_text_writer.h"

namespace leat::sql {

void RedshiftText::query(const Query& node) {
  with(node.with, node.recursive);
  static constexpr std::string_view kOperators[] = {" UNION ", " INTERSECT ", " EXCEPT "};
  switch (node.kind) {
    case QueryKind::kSelect:
      select(*node.select);
      break;
    case QueryKind::kNested:
      write("(");
      query(*node.left);
      write(")");
      break;
    case QueryKind::kSetOperation:
      write("(");
      query(*node.left);
      write(")");
      write(kOperators[static_cast<std::size_t>(node.set_operator)]);
      if (node.set_all) write("ALL ");
      write("(");
      query(*node.right);
      write(")");
      break;
    case QueryKind::kValues:
      write("VALUES ");
      for (std::size_t i = 0; i < node.values.size(); ++i) {
        write(i > 0 ? ", (" : "(");
        separated(node.values[i], ", ", false);
        write(")");
      }
      break;
  }
  order(node.order_by);
  optional(" LIMIT ", node.limit);
  optional(" OFFSET ", node.offset);
}

void RedshiftText::with(const std::vector<CommonTable>& tables, bool recursive) {
  if (tables.empty()) return;
  write(recursive ? "WITH RECURSIVE " : "WITH ");
  for (std::size_t i = 0; i < tables.size(); ++i) {
    if (i > 0) write(", ");
    identifier(tables[i].name);
    column_list(tables[i].columns);
    write(" AS (");
    query(*tables[i].query);
    write(")");
  }
  write(" ");
}

void RedshiftText::table(const TableReference& node) {
  if (node.lateral) write("LATERAL ");
  switch (node.kind) {
    case TableKind::kName:
      if (node.value) {
        expression(*node.value);
      } else {
        path(node.name.parts);
      }
      break;
    case TableKind::kSubquery:
      write("(");
      query(*node.query);
      write(")");
      break;
    case TableKind::kFunction:
      expression(*node.value);
      break;
    case TableKind::kJoin:
      return join(node);
    case TableKind::kPivot:
    case TableKind::kUnpivot:
      pivot(node);
      break;
    case TableKind::kSuperUnpivot:
      write("UNPIVOT ");
      bracketed(*node.value);
      break;
  }
  alias(node);
}

void RedshiftText::column_list(const std::vector<std::string>& names) {
  if (names.empty()) return;
  write(" (");
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) write(", ");
    identifier(names[i]);
  }
  write(")");
}

void RedshiftText::tables(std::string_view head, const std::vector<TablePtr>& list) {
  if (list.empty()) return;
  write(head);
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (i > 0) write(", ");
    table(*list[i]);
  }
}

void RedshiftText::order(const std::vector<OrderItem>& items) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    write(i > 0 ? ", " : " ORDER BY ");
    expression(*items[i].value);
    if (items[i].descending) write(" DESC");
    if (items[i].nulls == NullOrder::kFirst) write(" NULLS FIRST");
    if (items[i].nulls == NullOrder::kLast) write(" NULLS LAST");
  }
}

void RedshiftText::over(const Window& node) {
  static constexpr std::string_view kBounds[] = {"UNBOUNDED PRECEDING", " PRECEDING", "CURRENT ROW",
                                                 " FOLLOWING", "UNBOUNDED FOLLOWING"};
  write(" OVER (");
  if (!node.partition_by.empty()) {
    write("PARTITION BY ");
    separated(node.partition_by, ", ", false);
  }
  order(node.order_by);
  if (node.frame) {
    write(node.frame->range ? " RANGE " : " ROWS ");
    if (node.frame->between) write("BETWEEN ");
    if (node.frame->start_offset) bracketed(*node.frame->start_offset);
    write(kBounds[static_cast<std::size_t>(node.frame->start)]);
    if (node.frame->between) {
      write(" AND ");
      if (node.frame->end_offset) bracketed(*node.frame->end_offset);
      write(kBounds[static_cast<std::size_t>(node.frame->end)]);
    }
  }
  write(")");
}

void RedshiftText::select(const Select& node) {
  write("SELECT ");
  if (node.top) {
    write("TOP ");
    expression(*node.top);
    write(" ");
  }
  if (node.distinct) write("DISTINCT ");
  if (!node.distinct_on.empty()) {
    write("ON (");
    separated(node.distinct_on, ", ", false);
    write(") ");
  }
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    if (i > 0) write(", ");
    select_item(node.items[i]);
  }
  if (!node.exclude.empty()) {
    write(" EXCLUDE");
    column_list(node.exclude);
  }
  tables(" FROM ", node.from);
  optional(" WHERE ", node.where);
  optional(" START WITH ", node.start_with);
  optional(node.no_cycle ? " CONNECT BY NOCYCLE " : " CONNECT BY ", node.connect_by);
  if (node.group_by_all) write(" GROUP BY ALL");
  if (!node.group_by.empty()) {
    write(" GROUP BY ");
    separated(node.group_by, ", ", false);
  }
  optional(" HAVING ", node.having);
  optional(" QUALIFY ", node.qualify);
}

void RedshiftText::select_item(const SelectItem& item) {
  expression(*item.value);
  if (item.alias.empty()) return;
  write(" AS ");
  identifier(item.alias);
}

void RedshiftText::join(const TableReference& node) {
  write_joined_tables(
      node, [&](std::string_view text) { write(text); },
      [&](const TableReference& side) { table(side); });
  if (!node.using_columns.empty()) {
    write(" USING");
    column_list(node.using_columns);
  }
  optional(" ON ", node.on);
  alias(node);
}

void RedshiftText::pivot(const TableReference& node) {
  const bool nested = node.left->kind == TableKind::kJoin;
  if (nested) write("(");
  table(*node.left);
  if (nested) write(")");
  if (node.kind == TableKind::kPivot) {
    write(" PIVOT (");
    for (std::size_t i = 0; i < node.pivot_aggregates.size(); ++i) {
      if (i > 0) write(", ");
      select_item(node.pivot_aggregates[i]);
    }
    write(" FOR ");
    expression(*node.pivot_for);
  } else {
    write(node.unpivot_include_nulls ? " UNPIVOT INCLUDE NULLS (" : " UNPIVOT (");
    identifier(node.unpivot_value);
    write(" FOR ");
    identifier(node.unpivot_name);
  }
  write(" IN (");
  for (std::size_t i = 0; i < node.pivot_values.size(); ++i) {
    if (i > 0) write(", ");
    expression(*node.pivot_values[i].value);
    if (node.pivot_values[i].alias.empty()) continue;
    write(" AS ");
    literal(node.pivot_values[i].alias);
  }
  write("))");
}

void RedshiftText::alias(const TableReference& node) {
  const bool offset = node.kind == TableKind::kFunction && !node.at_alias.empty();
  if (offset) write(" WITH OFFSET");
  if (!node.alias.empty()) {
    write(" AS ");
    identifier(node.alias);
  }
  if (!node.at_alias.empty() && !offset) {
    write(" AT ");
    identifier(node.at_alias);
  }
  if (!node.column_definitions.empty() || !node.column_aliases.empty()) {
    if (node.alias.empty()) write(" AS");
    write(" (");
    bool first = true;
    for (const std::string& name : node.column_aliases) {
      if (!std::exchange(first, false)) write(", ");
      identifier(name);
    }
    for (const ColumnDefinitionAlias& column : node.column_definitions) {
      if (!std::exchange(first, false)) write(", ");
      identifier(column.name);
      write(" ");
      type(column.type);
    }
    write(")");
  }
}

}  // namespace leat::sql
