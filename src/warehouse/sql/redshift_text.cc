// Writes trees back as Redshift SQL: everything in brackets, every identifier quoted, so that
// reading it again gives the same tree.
#include <array>

#include "warehouse/sql/join_text.h"
#include "warehouse/sql/translate.h"
#include "warehouse/sql/words.h"

namespace leat::sql {
namespace {

class RedshiftText {
 public:
  std::string take() { return std::move(out_); }

  void expression(const Expression& node) {
    switch (node.kind) {
      case ExpressionKind::kNull:
        return write("NULL");
      case ExpressionKind::kBoolean:
      case ExpressionKind::kNumber:
        return write(node.text);
      case ExpressionKind::kString:
        return literal(node.text);
      case ExpressionKind::kTypedLiteral:
        typed_literal_name(*node.type);
        write(" ");
        return literal(node.text);
      case ExpressionKind::kInterval:
        write("INTERVAL ");
        literal(node.text);
        for (const std::string& field : node.names) write(" " + field);
        return;
      case ExpressionKind::kParameter:
        return write("$" + std::to_string(node.number));
      case ExpressionKind::kColumn:
        return path(node.names);
      case ExpressionKind::kStar:
        if (!node.names.empty()) {
          path(node.names);
          write(".");
        }
        return write("*");
      case ExpressionKind::kDefault:
        return write("DEFAULT");
      case ExpressionKind::kUnary:
        write(node.text + " ");
        return bracketed(*node.children[0]);
      case ExpressionKind::kBinary:
        bracketed(*node.children[0]);
        write(" " + node.text + " ");
        return bracketed(*node.children[1]);
      case ExpressionKind::kAnd:
      case ExpressionKind::kOr:
        return separated(node.children, node.kind == ExpressionKind::kAnd ? " AND " : " OR ", true);
      case ExpressionKind::kNot:
        write("NOT ");
        return bracketed(*node.children[0]);
      default:
        return predicate(node);
    }
  }

  void query(const Query& node) {
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

  void with(const std::vector<CommonTable>& tables, bool recursive) {
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

  void table(const TableReference& node) {
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

  void identifier(std::string_view name) { write(quote_identifier(name)); }
  void path(const std::vector<std::string>& names) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (i > 0) write(".");
      // A quoted #name would be no temporary table.
      if (names[i].starts_with('#')) {
        write(names[i]);
      } else {
        identifier(names[i]);
      }
    }
  }
  void column_list(const std::vector<std::string>& names) {
    if (names.empty()) return;
    write(" (");
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (i > 0) write(", ");
      identifier(names[i]);
    }
    write(")");
  }
  void write(std::string_view text) { out_ += text; }
  void optional(std::string_view head, const ExpressionPtr& node) {
    if (!node) return;
    write(head);
    expression(*node);
  }
  void separated(const std::vector<ExpressionPtr>& nodes, std::string_view separator,
                 bool brackets) {
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (i > 0) write(separator);
      if (brackets) {
        bracketed(*nodes[i]);
      } else {
        expression(*nodes[i]);
      }
    }
  }
  void tables(std::string_view head, const std::vector<TablePtr>& list) {
    if (list.empty()) return;
    write(head);
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (i > 0) write(", ");
      table(*list[i]);
    }
  }

 private:
  void bracketed(const Expression& node) {
    switch (node.kind) {
      case ExpressionKind::kNull:
      case ExpressionKind::kBoolean:
      case ExpressionKind::kNumber:
      case ExpressionKind::kString:
      case ExpressionKind::kParameter:
      case ExpressionKind::kColumn:
      case ExpressionKind::kSubquery:
      case ExpressionKind::kRow:
        return expression(node);
      default:
        write("(");
        expression(node);
        write(")");
    }
  }
  void literal(std::string_view text) {
    write("'");
    for (const char c : text) {
      if (c == '\'' || c == '\\') out_ += '\\';
      out_ += c;
    }
    write("'");
  }
  void type(const TypeName& node) {
    if (node.kind == TypeKind::kInternalChar) return write("\"char\"");
    TypeName plain = node;
    const std::string text = format_type(plain);
    write(node.kind == TypeKind::kOther
              ? quote_identifier(node.spelling) + text.substr(node.spelling.size())
              : text);
  }
  /// Only these types may have a name of several words before a literal.
  void typed_literal_name(const TypeName& node) {
    const bool clock = node.kind == TypeKind::kTime || node.kind == TypeKind::kTimeTz ||
                       node.kind == TypeKind::kTimestamp || node.kind == TypeKind::kTimestampTz;
    if (clock) return type(node);
    write(node.spelling);
  }
  void order(const std::vector<OrderItem>& items) {
    for (std::size_t i = 0; i < items.size(); ++i) {
      write(i > 0 ? ", " : " ORDER BY ");
      expression(*items[i].value);
      if (items[i].descending) write(" DESC");
      if (items[i].nulls == NullOrder::kFirst) write(" NULLS FIRST");
      if (items[i].nulls == NullOrder::kLast) write(" NULLS LAST");
    }
  }

  void predicate(const Expression& node) {
    const std::string_view negation = node.negated ? " NOT" : "";
    switch (node.kind) {
      case ExpressionKind::kIs:
        bracketed(*node.children[0]);
        write(" IS");
        write(negation);
        write(" " + node.text);
        if (node.children.size() > 1) {
          write(" ");
          bracketed(*node.children[1]);
        }
        return;
      case ExpressionKind::kBetween:
        bracketed(*node.children[0]);
        write(negation);
        write(" BETWEEN ");
        bracketed(*node.children[1]);
        write(" AND ");
        return bracketed(*node.children[2]);
      case ExpressionKind::kIn:
        bracketed(*node.children[0]);
        write(negation);
        write(" IN (");
        if (node.query) query(*node.query);
        for (std::size_t i = 1; i < node.children.size(); ++i) {
          if (i > 1) write(", ");
          // A scalar subquery alone in the brackets would read as IN (query).
          if (node.children.size() == 2 && node.children[i]->kind == ExpressionKind::kSubquery)
            write("(");
          expression(*node.children[i]);
          if (node.children.size() == 2 && node.children[i]->kind == ExpressionKind::kSubquery)
            write(")");
        }
        return write(")");
      case ExpressionKind::kLike:
        bracketed(*node.children[0]);
        write(negation);
        write(" " + node.text + " ");
        bracketed(*node.children[1]);
        if (node.children.size() < 3) return;
        write(" ESCAPE ");
        return bracketed(*node.children[2]);
      case ExpressionKind::kQuantified:
        bracketed(*node.children[0]);
        write(" " + node.text + " " + node.names[0] + " (");
        if (node.query) {
          query(*node.query);
        } else {
          expression(*node.children[1]);
        }
        return write(")");
      default:
        return value(node);
    }
  }

  void value(const Expression& node) {
    switch (node.kind) {
      case ExpressionKind::kCase:
        return case_when(node);
      case ExpressionKind::kCast:
        write(node.text == "try_cast" ? "TRY_CAST(" : "CAST(");
        expression(*node.children[0]);
        write(" AS ");
        type(*node.type);
        return write(")");
      case ExpressionKind::kFunction:
        return function(node);
      case ExpressionKind::kSubquery:
      case ExpressionKind::kExists:
      case ExpressionKind::kArrayQuery:
        write(node.kind == ExpressionKind::kExists       ? "EXISTS ("
              : node.kind == ExpressionKind::kArrayQuery ? "ARRAY("
                                                         : "(");
        query(*node.query);
        return write(")");
      case ExpressionKind::kArray:
        write("ARRAY[");
        separated(node.children, ", ", false);
        return write("]");
      case ExpressionKind::kRow:
        write("ROW(");
        separated(node.children, ", ", false);
        return write(")");
      case ExpressionKind::kSubscript:
        postfix_base(*node.children[0], false);
        write("[");
        expression(*node.children[1]);
        return write("]");
      case ExpressionKind::kField:
        postfix_base(*node.children[0], true);
        write(".");
        return identifier(node.names[0]);
      case ExpressionKind::kAtTimeZone:
        bracketed(*node.children[0]);
        write(" AT TIME ZONE ");
        return bracketed(*node.children[1]);
      case ExpressionKind::kCollate:
        bracketed(*node.children[0]);
        write(" COLLATE ");
        return path(node.names);
      case ExpressionKind::kGroupingSets:
        write(node.text + " (");
        separated(node.children, ", ", false);
        return write(")");
      default:
        return;
    }
  }

  /// (x).y, but x[0].y: a bare column would take the field into its name.
  void postfix_base(const Expression& node, bool field) {
    if (node.kind == ExpressionKind::kSubscript || node.kind == ExpressionKind::kField)
      return expression(node);
    if (node.kind == ExpressionKind::kColumn && !field) return expression(node);
    write("(");
    expression(node);
    write(")");
  }

  void case_when(const Expression& node) {
    std::size_t i = 0;
    write("CASE");
    if (node.flag) {
      write(" ");
      bracketed(*node.children[i++]);
    }
    const std::size_t last = node.children.size() - (node.flag2 ? 1 : 0);
    while (i < last) {
      write(" WHEN ");
      expression(*node.children[i++]);
      write(" THEN ");
      expression(*node.children[i++]);
    }
    if (node.flag2) {
      write(" ELSE ");
      expression(*node.children.back());
    }
    write(" END");
  }

  void function(const Expression& node) {
    const Call& call = *node.call;
    const std::string& name = node.names.back();
    if (call.bare) return write(name);
    if (call.approximate) write("APPROXIMATE ");
    const bool one_word = node.names.size() == 1;
    if (one_word) {
      // Quoting would lose the special syntax and, for words of the grammar, the meaning.
      write(find_word(name) != kNoWord ? name : quoted_function_name(name));
    } else {
      path(node.names);
    }
    write("(");
    if (call.distinct) write("DISTINCT ");
    if (call.all) write("ALL ");
    if (call.star) write("*");
    if (one_word && name == "extract") {
      literal(node.children[0]->text);
      write(" FROM ");
      expression(*node.children[1]);
    } else if (one_word && name == "position") {
      bracketed(*node.children[0]);
      write(" IN ");
      bracketed(*node.children[1]);
    } else {
      for (std::size_t i = 0; i < node.children.size(); ++i) {
        if (i > 0) write(", ");
        if (one_word && name == "overlay") {
          bracketed(*node.children[i]);
        } else {
          expression(*node.children[i]);
        }
      }
    }
    order(call.order_by);
    write(")");
    if (!call.within_group.empty()) {
      write(" WITHIN GROUP (");
      order(call.within_group);
      write(")");
    }
    if (call.filter) {
      write(" FILTER (WHERE ");
      expression(*call.filter);
      write(")");
    }
    if (call.nulls == NullOrder::kFirst) write(" IGNORE NULLS");
    if (call.nulls == NullOrder::kLast) write(" RESPECT NULLS");
    if (call.window) over(*call.window);
  }
  static std::string quoted_function_name(std::string_view name) { return quote_identifier(name); }

  void over(const Window& node) {
    static constexpr std::string_view kBounds[] = {
        "UNBOUNDED PRECEDING", " PRECEDING", "CURRENT ROW", " FOLLOWING", "UNBOUNDED FOLLOWING"};
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

  void select(const Select& node) {
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
    if (node.group_by_all) write(" GROUP BY ALL");
    if (!node.group_by.empty()) {
      write(" GROUP BY ");
      separated(node.group_by, ", ", false);
    }
    optional(" HAVING ", node.having);
    optional(" QUALIFY ", node.qualify);
  }

  void select_item(const SelectItem& item) {
    expression(*item.value);
    if (item.alias.empty()) return;
    write(" AS ");
    identifier(item.alias);
  }

  void join(const TableReference& node) {
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

  void pivot(const TableReference& node) {
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

  void alias(const TableReference& node) {
    if (!node.alias.empty()) {
      write(" AS ");
      identifier(node.alias);
    }
    if (!node.at_alias.empty()) {
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

  std::string out_;
};

void assignments(RedshiftText& text, const std::vector<Assignment>& list) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (i > 0) text.write(", ");
    text.identifier(list[i].column);
    text.write(" = ");
    text.expression(*list[i].value);
  }
}

}  // namespace

std::string redshift_text(const Query& query) {
  RedshiftText text;
  text.query(query);
  return text.take();
}

std::string redshift_text(const Expression& expression) {
  RedshiftText text;
  text.expression(expression);
  return text.take();
}

std::string redshift_text(const Statement& statement) {
  RedshiftText text;
  if (const auto* select = get_if<SelectStatement>(statement)) {
    text.query(*select->query);
  } else if (const auto* insert = get_if<InsertStatement>(statement)) {
    text.with(insert->with, insert->recursive);
    text.write("INSERT INTO ");
    text.path(insert->table.parts);
    text.column_list(insert->columns);
    text.write(" ");
    if (insert->query) {
      text.query(*insert->query);
    } else {
      text.write("DEFAULT VALUES");
    }
  } else if (const auto* update = get_if<UpdateStatement>(statement)) {
    text.with(update->with, update->recursive);
    text.write("UPDATE ");
    text.path(update->table.parts);
    if (!update->alias.empty()) text.write(" AS " + quote_identifier(update->alias));
    text.write(" SET ");
    assignments(text, update->assignments);
    text.tables(" FROM ", update->from);
    text.optional(" WHERE ", update->where);
  } else if (const auto* erase = get_if<DeleteStatement>(statement)) {
    text.with(erase->with, erase->recursive);
    text.write("DELETE FROM ");
    text.path(erase->table.parts);
    if (!erase->alias.empty()) text.write(" AS " + quote_identifier(erase->alias));
    text.tables(" USING ", erase->using_tables);
    text.optional(" WHERE ", erase->where);
  }
  return text.take();
}

}  // namespace leat::sql
