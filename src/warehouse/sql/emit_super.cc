// SUPER: paths, and what a value is taken as where text or numbers are asked for.
#include <algorithm>

#include "base/text.h"
#include "warehouse/sql/emitter.h"
#include "warehouse/sql/lexer.h"

namespace leat::sql {

bool Emitter::super_taken(const Expression& node) {
  if (super_use_ == SuperUse::kValue || infer(node).kind != Inferred::kSuper) return false;
  write(context_.function_schema +
        (super_use_ == SuperUse::kText ? ".super_text(" : ".super_number("));
  with_super_as(SuperUse::kValue, [&] { expression(node); });
  write(")");
  return true;
}

std::string Emitter::super_order(const Expression& node) {
  std::string text;
  with_super_as(SuperUse::kValue, [&] { text = text_of(node); });
  return context_.function_schema + ".super_order(" + text + ")";
}

bool Emitter::recast(const Expression& node) {
  if (recasts_.empty()) return false;
  auto found = recasts_.extract(&node);
  if (found.empty()) return false;
  switch (found.mapped()) {
    case Recast::kText:
      write(as_text(node));
      break;
    case Recast::kDouble:
      if (node.kind == ExpressionKind::kParameter) {
        write("CAST(");
        parameter(node);
        write(" AS DOUBLE)");
        break;
      }
      if (!is_number_text(trim(node.text)) && to_lower(trim(node.text)) != "nan") {
        fail("22P02", "invalid input syntax for type double precision: \"" + node.text + "\"",
             node.span);
      }
      write("CAST(" + quote_literal(node.text) + " AS DOUBLE)");
      break;
    case Recast::kSuper:
      write("to_json(");
      expression(node);
      write(")");
  }
  recasts_.insert(std::move(found));
  return true;
}

std::string Emitter::as_text(const Expression& node) {
  // DuckDB shows 2008.0 and 2 months.
  const bool own = infer(node).kind == Inferred::kDouble || is_interval(node);
  return (own ? "leat_text(" : "CAST(") + text_of(node) + (own ? ")" : " AS VARCHAR)");
}

void Emitter::object_transform(const Expression& node) {
  const auto kept = static_cast<std::size_t>(node.number);
  const std::size_t count = node.children.size();
  if (kept == 0 && count > 1) unsupported("OBJECT_TRANSFORM with SET and no KEEP", node.span);
  write("CAST(leat_object_transform(CAST(to_json(" + text_of(*node.children[0]) +
        ") AS VARCHAR), '" + std::to_string(kept) + "'");
  for (std::size_t i = 1; i < count; ++i) {
    const Expression& each = *node.children[i];
    const bool path = i <= kept || (i - kept) % 2 == 1;
    if (path) {
      write(", " + quote_literal(each.text));
    } else if (infer(each).kind == Inferred::kDouble) {
      write(", leat_text(" + text_of(each) + ")");  // 30, where the engine has 30.0
    } else {
      write(", CAST(to_json(" + text_of(each) + ") AS VARCHAR)");
    }
  }
  write(") AS JSON)");
}

void Emitter::super_path(std::string_view base, std::string_view path) {
  if (super_use_ != SuperUse::kValue) {
    write(context_.function_schema +
          (super_use_ == SuperUse::kText ? ".super_text" : ".super_number"));
  }
  write(super_use_ == SuperUse::kValue ? "json_extract(" : "(json_extract(");
  write(base);
  write(", ");
  string_literal(path);
  write(super_use_ == SuperUse::kValue ? ")" : "))");
}

/// `x.y` with no relation x in FROM is a path into a column x, if there can be one.
void Emitter::require_column(const std::string& name, SourceSpan span) const {
  for (const Scope& scope : scopes_) {
    for (const ScopeTable& table : scope.tables) {
      if (!table.columns_known) return;
      for (const ScopeColumn& known : table.columns) {
        if (known.name == name) return;
      }
    }
  }
  if (scopes_.empty()) return;
  fail("42P01", "missing FROM-clause entry for table \"" + name + "\"", span);
}

/// A column that no table is known to have is a system relation's, whose columns are not known;
/// none of them is SUPER.
bool Emitter::is_of_system(const Expression& column) const {
  if (column.names.size() > 1 || scopes_.empty() || find_column(column) != nullptr) return false;
  const std::vector<ScopeTable>& tables = scopes_.back().tables;
  return std::ranges::any_of(tables, &ScopeTable::system) &&
         std::ranges::all_of(
             tables, [](const ScopeTable& each) { return each.system || each.columns_known; });
}

/// `c.items[0].name` as the base `"c"."items"` and the path `$[0]."name"`.
std::optional<std::pair<std::string, std::string>> Emitter::super_navigation(
    const Expression& node) const {
  std::vector<const Expression*> steps;
  const Expression* base = &node;
  while (base->kind == ExpressionKind::kField || base->kind == ExpressionKind::kSubscript) {
    steps.push_back(base);
    base = base->children[0].get();
  }
  if (base->kind != ExpressionKind::kColumn) return std::nullopt;
  note_column(*base);
  const std::vector<std::string>& names = base->names;
  if (steps.empty() && names.size() == 1) return std::nullopt;
  std::size_t used = 1;
  std::string text;
  const ScopeTable* table = names.size() > 1 || !steps.empty() ? find_alias(names[0]) : nullptr;
  const auto emitted = [&](const std::string& name) {
    const auto column = std::ranges::find(table->columns, name, &ScopeColumn::name);
    if (column != table->columns.end() && !column->emitted.empty()) return column->emitted;
    return quote_identifier(table->emitted_alias) + "." + quote_identifier(name);
  };
  if (table != nullptr && table->element) {
    text = emitted(table->alias);
  } else if (table != nullptr && names.size() > 1) {
    if (steps.empty() && names.size() == 2) return std::nullopt;
    text = emitted(names[1]);
    used = 2;
  } else if ((names.size() > 2 && find_alias(names[1]) != nullptr) ||
             (names.size() > 3 && find_alias(names[2]) != nullptr)) {
    return std::nullopt;  // schema.table.column, database.schema.table.column
  } else {
    if (names.size() > 1) require_column(names[0], base->span);
    Expression first;
    first.kind = ExpressionKind::kColumn;
    first.names = {names[0]};
    const ScopeColumn* column = elements_ > 0 ? find_column(first) : nullptr;
    text = column != nullptr && !column->emitted.empty() ? column->emitted
                                                         : quote_identifier(names[0]);
  }
  if (steps.empty() && used >= names.size()) return std::nullopt;
  if (!steps.empty() && (table != nullptr ? table->system : is_of_system(*base)))
    return std::nullopt;
  if (names.size() > used && table == nullptr && scopes_.empty()) return std::nullopt;
  std::string path = "$";
  for (std::size_t i = used; i < names.size(); ++i)
    path += "." + quote_identifier(attribute_name(*base, i));
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    if ((*step)->kind == ExpressionKind::kField) {
      path += "." + quote_identifier(attribute_name(**step, 0));
      continue;
    }
    const Expression& index = *(*step)->children[1];
    if (index.kind == ExpressionKind::kNumber && parse_number<std::uint32_t>(index.text)) {
      path += "[" + index.text + "]";
    } else if (index.kind == ExpressionKind::kUnary && index.text == "-" &&
               index.children[0]->kind == ExpressionKind::kNumber) {
      path += "[2147483647]";  // the engine would count from the end: there is no such element
    } else if (index.kind == ExpressionKind::kString) {
      path += "." + quote_identifier(index.text);
    } else {
      return std::nullopt;  // an array with a computed index
    }
  }
  if (!scopes_.empty() && scopes_.back().grouped_paths.contains({text, path}))
    return std::pair("json_extract(" + text + ", " + quote_literal(path) + ")", std::string("$"));
  return std::pair(std::move(text), std::move(path));
}

/// A name in a path, as it was written where case counts.
std::string Emitter::attribute_name(const Expression& node, std::size_t part) const {
  const std::string& folded = node.names[part];
  if (!context_.case_sensitive_attributes || node.span.begin >= node.span.end ||
      node.span.end > context_.script.size()) {
    return folded;
  }
  const std::string_view text =
      context_.script.substr(node.span.begin, node.span.end - node.span.begin);
  const SqlResult<TokenList> list = tokenize(text);
  if (!list) return folded;
  std::size_t behind = node.names.size() - part;
  for (auto token = list->tokens.rbegin(); token != list->tokens.rend(); ++token) {
    const bool quoted = token->kind == TokenKind::kQuotedIdentifier;
    if ((!quoted && token->kind != TokenKind::kWord) || --behind > 0) continue;
    const std::string_view source = text.substr(token->begin, token->end - token->begin);
    std::string written = quoted ? quoted_identifier_text(source) : std::string(source);
    return to_lower(written) == folded ? written : folded;
  }
  return folded;
}

}  // namespace leat::sql
