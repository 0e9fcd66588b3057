// Writes trees back as Redshift SQL: everything in brackets, every identifier quoted, so that
// reading it again gives the same tree.
#include <array>

#include "warehouse/sql/redshift_text_writer.h"
#include "warehouse/sql/words.h"

namespace leat::sql {
void RedshiftText::expression(const Expression& node) {
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
      path(node.names);
      return write(node.flag ? "(+)" : "");
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

void RedshiftText::path(const std::vector<std::string>& names) {
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

void RedshiftText::optional(std::string_view head, const ExpressionPtr& node) {
  if (!node) return;
  write(head);
  expression(*node);
}

void RedshiftText::separated(const std::vector<ExpressionPtr>& nodes, std::string_view separator,
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

void RedshiftText::bracketed(const Expression& node) {
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

void RedshiftText::literal(std::string_view text) {
  write("'");
  for (const char c : text) {
    if (c == '\'' || c == '\\') out_ += '\\';
    out_ += c;
  }
  write("'");
}

void RedshiftText::type(const TypeName& node) {
  if (node.kind == TypeKind::kInternalChar) return write("\"char\"");
  const std::string text = format_type(node);
  write(node.kind == TypeKind::kOther
            ? quote_identifier(node.spelling) + text.substr(node.spelling.size())
            : text);
}

void RedshiftText::typed_literal_name(const TypeName& node) {
  const bool clock = node.kind == TypeKind::kTime || node.kind == TypeKind::kTimeTz ||
                     node.kind == TypeKind::kTimestamp || node.kind == TypeKind::kTimestampTz;
  if (clock) return type(node);
  write(node.spelling);
}

void RedshiftText::predicate(const Expression& node) {
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

void RedshiftText::value(const Expression& node) {
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

void RedshiftText::postfix_base(const Expression& node, bool field) {
  if (node.kind == ExpressionKind::kSubscript || node.kind == ExpressionKind::kField)
    return expression(node);
  if (node.kind == ExpressionKind::kColumn && !field) return expression(node);
  write("(");
  expression(node);
  write(")");
}

void RedshiftText::case_when(const Expression& node) {
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

void RedshiftText::function(const Expression& node) {
  const Call& call = *node.call;
  const std::string& name = node.names.back();
  if (call.bare) return write(name);
  if (call.approximate) write("APPROXIMATE ");
  const bool one_word = node.names.size() == 1;
  if (one_word) {
    // Quoting would lose the special syntax and, for words of the grammar, the meaning.
    const bool word = find_word(name) != kNoWord && name != "values";
    write(word ? name : name == "values" ? quote_identifier(name) : quoted_function_name(name));
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
    const auto kept = static_cast<std::size_t>(node.number);  // of OBJECT_TRANSFORM
    const bool transform = one_word && name == "object_transform";
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      const bool keep = transform && i == 1 && kept > 0;
      const bool set = transform && i == kept + 1 && i > 0;
      if (i > 0) write(keep ? " KEEP " : set ? " SET " : ", ");
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

namespace {
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
