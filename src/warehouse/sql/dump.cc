// The dump format: one line, one bracketed form per tree node, so that a failing test shows the
// tree.
#include <array>

#include "warehouse/sql/dumper.h"
#include "warehouse/sql/parser.h"

namespace leat::sql {
namespace {

std::string_view null_order(NullOrder order) {
  return order == NullOrder::kFirst ? " nulls-first"
                                    : (order == NullOrder::kLast ? " nulls-last" : "");
}

}  // namespace

std::string Dumper::quoted(std::string_view text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') result += '\\';
    if (c == '\n') {
      result += "\\n";
    } else {
      result += c;
    }
  }
  return result + "'";
}

void Dumper::list(std::string_view head, const std::vector<ExpressionPtr>& nodes) {
  if (nodes.empty()) return;
  open(head);
  for (const ExpressionPtr& node : nodes) expression(*node);
  close();
}

void Dumper::name_list(std::string_view head, const std::vector<std::string>& names) {
  if (names.empty()) return;
  open(head);
  for (const std::string& name : names) word(name);
  close();
}

void Dumper::optional_expression(std::string_view head, const ExpressionPtr& node) {
  if (!node) return;
  open(head);
  expression(*node);
  close();
}

void Dumper::order(std::string_view head, const std::vector<OrderItem>& items) {
  if (items.empty()) return;
  open(head);
  for (const OrderItem& item : items) {
    expression(*item.value);
    if (item.descending) word("desc");
    text_ += null_order(item.nulls);
  }
  close();
}

void Dumper::call(const Expression& node) {
  const Call& call = *node.call;
  open("call");
  std::string name;
  for (const std::string& part : node.names) name += (name.empty() ? "" : ".") + part;
  word(name);
  if (call.approximate) word("approximate");
  if (call.distinct) word("distinct");
  if (call.star) word("*");
  if (call.bare) word("bare");
  if (node.number > 0) word("keep " + std::to_string(node.number));
  for (const ExpressionPtr& child : node.children) expression(*child);
  order("order", call.order_by);
  if (call.nulls == NullOrder::kFirst) word("ignore-nulls");
  if (call.nulls == NullOrder::kLast) word("respect-nulls");
  order("within", call.within_group);
  optional_expression("filter", call.filter);
  if (call.window) {
    open("over");
    list("partition", call.window->partition_by);
    order("order", call.window->order_by);
    if (call.window->frame) {
      static constexpr std::string_view kBounds[] = {"unbounded-preceding", "preceding", "current",
                                                     "following", "unbounded-following"};
      const WindowFrame& frame = *call.window->frame;
      open(frame.range ? "range" : "rows");
      word(kBounds[static_cast<std::size_t>(frame.start)]);
      if (frame.start_offset) expression(*frame.start_offset);
      if (frame.between) word(kBounds[static_cast<std::size_t>(frame.end)]);
      if (frame.end_offset) expression(*frame.end_offset);
      close();
    }
    close();
  }
  close();
}

void Dumper::expression(const Expression& node) {
  static constexpr std::string_view kHeads[] = {
      "null",      "boolean", "number",   "string",  "typed",  "interval",    "parameter",
      "column",    "star",    "default",  "unary",   "binary", "and",         "or",
      "not",       "is",      "between",  "in",      "like",   "any",         "case",
      "cast",      "call",    "subquery", "exists",  "array",  "array-query", "row",
      "subscript", "field",   "at-zone",  "collate", "sets"};
  switch (node.kind) {
    case ExpressionKind::kNull:
      return word("null");
    case ExpressionKind::kBoolean:
    case ExpressionKind::kNumber:
      return word(node.text);
    case ExpressionKind::kString:
      return word(quoted(node.text));
    case ExpressionKind::kParameter:
      return word("$" + std::to_string(node.number));
    case ExpressionKind::kDefault:
      return word("default");
    case ExpressionKind::kColumn: {
      std::string name;
      for (const std::string& part : node.names) name += (name.empty() ? "" : ".") + part;
      return word(name + (node.flag ? "(+)" : ""));
    }
    case ExpressionKind::kFunction:
      return call(node);
    default:
      break;
  }
  open(node.kind == ExpressionKind::kUnary || node.kind == ExpressionKind::kBinary
           ? std::string_view(node.text)
           : kHeads[static_cast<std::size_t>(node.kind)]);
  if (node.negated) word("not");
  if (node.kind == ExpressionKind::kInterval || node.kind == ExpressionKind::kTypedLiteral) {
    if (node.type) word(format_type(*node.type));
    word(quoted(node.text));
  } else if (node.kind == ExpressionKind::kCast) {
    if (node.text == "try_cast") word("try");
    word(format_type(*node.type));
  } else if (node.kind == ExpressionKind::kIs || node.kind == ExpressionKind::kLike ||
             node.kind == ExpressionKind::kQuantified ||
             node.kind == ExpressionKind::kGroupingSets) {
    word(node.text);
  }
  for (const std::string& name : node.names) word(name);
  if (node.kind == ExpressionKind::kCase) {
    if (node.flag) word("operand");
    if (node.flag2) word("else");
  }
  for (const ExpressionPtr& child : node.children) expression(*child);
  if (node.query) query(*node.query);
  close();
}

void Dumper::table(const TableReference& node) {
  static constexpr std::string_view kKinds[] = {"table", "subquery", "function",     "join",
                                                "pivot", "unpivot",  "super-unpivot"};
  static constexpr std::string_view kJoins[] = {"inner", "left", "right", "full", "cross"};
  open(kKinds[static_cast<std::size_t>(node.kind)]);
  if (node.kind == TableKind::kJoin) word(kJoins[static_cast<std::size_t>(node.join_type)]);
  if (node.natural) word("natural");
  if (node.lateral) word("lateral");
  if (!node.name.empty()) word(node.name.to_string());
  if (node.value) expression(*node.value);
  if (node.query) query(*node.query);
  if (node.left) table(*node.left);
  if (node.right) table(*node.right);
  name_list("using", node.using_columns);
  optional_expression("on", node.on);
  for (const SelectItem& item : node.pivot_aggregates) select_item(item);
  optional_expression("for", node.pivot_for);
  if (!node.unpivot_value.empty()) word(node.unpivot_value + " for " + node.unpivot_name);
  if (node.unpivot_include_nulls) word("include-nulls");
  if (!node.pivot_values.empty()) {
    open("in");
    for (const PivotValue& value : node.pivot_values) {
      expression(*value.value);
      if (!value.alias.empty()) word("as " + value.alias);
    }
    close();
  }
  if (!node.alias.empty()) word("as " + node.alias);
  name_list("columns", node.column_aliases);
  for (const ColumnDefinitionAlias& column : node.column_definitions) {
    open("column");
    word(column.name);
    word(format_type(column.type));
    close();
  }
  if (!node.at_alias.empty()) word("at " + node.at_alias);
  close();
}

void Dumper::select_item(const SelectItem& item) {
  if (item.alias.empty()) return expression(*item.value);
  open("as");
  word(item.alias);
  expression(*item.value);
  close();
}

void Dumper::select(const Select& node) {
  open("select");
  if (node.distinct) word("distinct");
  list("on", node.distinct_on);
  optional_expression("top", node.top);
  for (const SelectItem& item : node.items) select_item(item);
  name_list("exclude", node.exclude);
  if (!node.from.empty()) {
    open("from");
    for (const TablePtr& item : node.from) table(*item);
    close();
  }
  optional_expression("where", node.where);
  optional_expression("start", node.start_with);
  optional_expression(node.no_cycle ? "connect-nocycle" : "connect", node.connect_by);
  if (node.group_by_all) word("group-all");
  list("group", node.group_by);
  optional_expression("having", node.having);
  optional_expression("qualify", node.qualify);
  close();
}

void Dumper::common_tables(const std::vector<CommonTable>& tables, bool recursive) {
  for (const CommonTable& entry : tables) {
    open(recursive ? "with-recursive" : "with");
    word(entry.name);
    name_list("columns", entry.columns);
    query(*entry.query);
    close();
  }
}

void Dumper::query(const Query& node) {
  const bool wrapped = !node.with.empty() || !node.order_by.empty() || node.limit || node.offset;
  if (wrapped) open("query");
  common_tables(node.with, node.recursive);
  static constexpr std::string_view kOperators[] = {"union", "intersect", "except"};
  switch (node.kind) {
    case QueryKind::kSelect:
      select(*node.select);
      break;
    case QueryKind::kNested:
      query(*node.left);
      break;
    case QueryKind::kSetOperation:
      open(kOperators[static_cast<std::size_t>(node.set_operator)]);
      if (node.set_all) word("all");
      query(*node.left);
      query(*node.right);
      close();
      break;
    case QueryKind::kValues:
      open("values");
      for (const auto& row : node.values) list("row", row);
      close();
      break;
  }
  order("order", node.order_by);
  optional_expression("limit", node.limit);
  optional_expression("offset", node.offset);
  if (wrapped) close();
}

std::string dump(const Expression& node) {
  Dumper dumper;
  dumper.expression(node);
  return dumper.take();
}

std::string dump(const Query& node) {
  Dumper dumper;
  dumper.query(node);
  return dumper.take();
}

std::string dump(const Statement& statement) {
  Dumper dumper;
  dumper.statement(statement);
  return dumper.take();
}

}  // namespace leat::sql
