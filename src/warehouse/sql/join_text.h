// The words of a join, which both writers of SQL (emitter.h, redshift_text.cc) spell alike.
#pragma once

#include <string_view>

#include "warehouse/sql/ast.h"

namespace leat::sql {

/// Writes "left [NATURAL] LEFT JOIN right", the right side in brackets when it is a join itself;
/// not the condition. `write` takes text, `table` a TableReference.
template <class Write, class Table>
void write_joined_tables(const TableReference& node, Write write, Table table) {
  static constexpr std::string_view kJoins[] = {" JOIN ", " LEFT JOIN ", " RIGHT JOIN ",
                                                " FULL JOIN ", " CROSS JOIN "};
  table(*node.left);
  if (node.natural) write(" NATURAL");
  write(kJoins[static_cast<std::size_t>(node.join_type)]);
  const bool nested = node.right->kind == TableKind::kJoin;
  if (nested) write("(");
  table(*node.right);
  if (nested) write(")");
}

}  // namespace leat::sql
