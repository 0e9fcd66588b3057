// Text that may end in blanks where values are compared with each other: joins, groups, DISTINCT,
// set operations, IN with a query. Redshift ignores such blanks. Only what may end in a blank is
// trimmed: a column without a mark (RelationColumn::blanks) is compared as it is stored.
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "warehouse/sql/emitter.h"

namespace leat::sql {
namespace {

std::string trimmed(const std::string& text) {
  return "rtrim(" + text + ", ' ')";
}

/// `"rows"("c1", "c2", ...)`
std::string numbered(std::size_t columns) {
  std::string list;
  for (std::size_t i = 0; i < columns; ++i)
    list += (i == 0 ? "\"c" : ", \"c") + std::to_string(i + 1) + "\"";
  return "\"rows\"(" + list + ")";
}

std::string number_name(std::size_t column) {
  return "\"c" + std::to_string(column + 1) + "\"";
}

bool is_aggregate(const Expression& node) {
  if (node.kind != ExpressionKind::kFunction || node.call->window) return false;
  const auto entries = find_function(node.names.back());
  return !entries.empty() && entries.front().group == "Aggregate";
}

bool holds_aggregate(const Expression& node) {
  return is_aggregate(node) || std::ranges::any_of(node.children, [](const ExpressionPtr& child) {
           return holds_aggregate(*child);
         });
}

}  // namespace

bool Emitter::may_end_in_blank(const Expression& node) const {
  return has_blanks(infer(node));
}

std::string Emitter::compared_value(const Expression& node) {
  if (const auto constant = constant_text(node)) return constant->sql;
  // Written first: what a subquery gives is known then.
  std::string text = operand_text(node);
  return may_end_in_blank(node) ? trimmed(text) : text;
}

void Emitter::compared_values(const Arguments& nodes) {
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (i > 0) write(", ");
    if (may_end_in_blank(*nodes[i])) {
      write(trimmed(text_of(*nodes[i])));
    } else {
      expression(*nodes[i]);
    }
  }
}

/// Two texts, neither of them a constant.
bool Emitter::text_pair(std::string_view op, const Expression& left, const Expression& right) {
  if (left.kind == ExpressionKind::kSubquery || right.kind == ExpressionKind::kSubquery)
    return text_subquery(op, left, right);
  const InferredType a = infer(left);
  const InferredType b = infer(right);
  if (a.kind != Inferred::kText || b.kind != Inferred::kText) return false;
  if (!has_blanks(a) && !has_blanks(b)) return false;
  write(compared_value(left) + " " + std::string(op) + " " + compared_value(right));
  return true;
}

/// What a subquery gives is known only when it is written, which is to happen once.
bool Emitter::text_subquery(std::string_view op, const Expression& left, const Expression& right) {
  const auto other_is_text = [&](const Expression& node) {
    return node.kind == ExpressionKind::kSubquery || constant_text(node) ||
           infer(node).kind == Inferred::kText;
  };
  if (!other_is_text(left) || !other_is_text(right)) return false;
  const auto written = [&](const Expression& node) {
    return node.kind == ExpressionKind::kSubquery ? operand_text(node) : std::string();
  };
  const std::string a = written(left);
  const std::string b = written(right);
  const auto is_text = [&](const Expression& node) {
    return constant_text(node) || infer(node).kind == Inferred::kText;
  };
  const bool texts = is_text(left) && is_text(right);
  const auto side = [&](const Expression& node, const Expression& other, const std::string& text) {
    if (text.empty())
      return texts ? write(compared_value(node)) : arithmetic_operand(op, node, other);
    write(texts && may_end_in_blank(node) ? trimmed(text) : text);
  };
  side(left, right, a);
  write(" " + std::string(op) + " ");
  side(right, left, b);
  return true;
}

void Emitter::compare_with_query(const Expression& left, std::string_view word, const Query& node) {
  const bool row = left.kind == ExpressionKind::kRow;
  std::vector<const Expression*> values;
  if (row) {
    for (const ExpressionPtr& child : left.children) values.push_back(child.get());
  } else {
    values.push_back(&left);
  }
  std::vector<std::string> texts;
  for (const Expression* value : values) texts.push_back(operand_text(*value));
  const std::string query_text = captured([&] { query(node); });
  const std::vector<ScopeColumn> columns = std::move(last_columns_);
  std::string list;
  bool cut = false;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const bool known = columns.size() == values.size();
    const auto constant = constant_text(*values[i]);
    const bool texts_both = known && columns[i].type.kind == Inferred::kText &&
                            (constant || infer(*values[i]).kind == Inferred::kText);
    if (texts_both)
      texts[i] =
          constant ? constant->sql : (may_end_in_blank(*values[i]) ? trimmed(texts[i]) : texts[i]);
    const bool blanks = texts_both && has_blanks(columns[i].type);
    cut = cut || blanks;
    list += (i > 0 ? ", " : "") + (blanks ? trimmed(number_name(i)) : number_name(i));
  }
  if (row) write("(");
  for (std::size_t i = 0; i < texts.size(); ++i) write((i > 0 ? ", " : "") + texts[i]);
  if (row) write(")");
  write(std::string(word) + "(");
  write(cut ? "SELECT " + list + " FROM (" + query_text + ") AS " + numbered(values.size())
            : query_text);
  write(")");
}

const TrimmedGroup* Emitter::group_of(const Expression& node) {
  std::vector<TrimmedGroup>& groups = scopes_.back().groups;
  if (groups.empty()) return nullptr;
  if (node.kind == ExpressionKind::kColumn) {
    if (find_lateral(node) != nullptr) return nullptr;
    const ScopeColumn* column = find_column(node);
    const auto found = std::ranges::find(groups, column, &TrimmedGroup::column);
    return column == nullptr || found == groups.end() ? nullptr : &*found;
  }
  if (infer(node).kind != Inferred::kText) return nullptr;
  const bool outer = std::exchange(scopes_.back().grouped, false);
  const std::string text = text_of(node);
  scopes_.back().grouped = outer;
  const auto found = std::ranges::find(groups, text, &TrimmedGroup::text);
  return found == groups.end() ? nullptr : &*found;
}

bool Emitter::represented(const Expression& node) {
  if (scopes_.empty() || !scopes_.back().grouped || node.kind == ExpressionKind::kString)
    return false;
  const TrimmedGroup* group = group_of(node);
  if (group == nullptr) return false;
  write(std::string(group->shown));
  return true;
}

/// `sets`: of ROLLUP and the like, where the key itself must be shown, which is NULL in some rows.
void Emitter::find_group(const Select& node, const Expression& key, bool sets) {
  if (key.kind == ExpressionKind::kGroupingSets || key.kind == ExpressionKind::kRow) {
    const bool inside = sets || key.kind == ExpressionKind::kGroupingSets;
    for (const ExpressionPtr& child : key.children) find_group(node, *child, inside);
    return;
  }
  const Expression* value = &key;
  if (key.kind == ExpressionKind::kNumber) {
    const auto place = parse_number<std::size_t>(key.text).value_or(0);
    const auto star = [](const SelectItem& item) {
      return item.value->kind == ExpressionKind::kStar;
    };
    if (place == 0 || place > node.items.size() || std::ranges::any_of(node.items, star)) return;
    value = node.items[place - 1].value.get();
  } else if (key.kind == ExpressionKind::kColumn && find_column(key) == nullptr) {
    const auto item = std::ranges::find_if(node.items, [&](const SelectItem& each) {
      return key.names.size() == 1 && each.alias == key.names[0];
    });
    if (item == node.items.end()) return;
    value = item->value.get();
  }
  const bool column = value->kind == ExpressionKind::kColumn;
  if (!may_end_in_blank(*value) || (column && find_lateral(*value) != nullptr)) return;
  std::string text = text_of(*value);
  std::string shown = sets ? trimmed(text) : "min(" + text + ")";
  scopes_.back().groups.push_back({.column = column ? find_column(*value) : nullptr,
                                   .text = std::move(text),
                                   .shown = std::move(shown)});
}

void Emitter::find_groups(const Select& node) {
  const bool sets = std::ranges::any_of(node.group_by, [](const ExpressionPtr& key) {
    return key->kind == ExpressionKind::kGroupingSets;
  });
  for (const ExpressionPtr& key : node.group_by) find_group(node, *key, sets);
  // GROUP BY ALL finds its keys by itself, so they are shown as they are grouped.
  if (!node.group_by_all) return;
  for (const SelectItem& item : node.items) {
    if (item.value->kind != ExpressionKind::kStar && !holds_aggregate(*item.value))
      find_group(node, *item.value, true);
  }
}

/// The keys as they are grouped.
void Emitter::group_keys(const Select& node) {
  if (scopes_.back().groups.empty()) return comma_separated(node.group_by);
  const auto key_text = [&](const auto& self, const Expression& key) -> void {
    if (key.kind == ExpressionKind::kGroupingSets || key.kind == ExpressionKind::kRow) {
      write(key.kind == ExpressionKind::kRow ? "("
            : key.text == "grouping sets"    ? "GROUPING SETS ("
            : key.text == "cube"             ? "CUBE ("
                                             : "ROLLUP (");
      for (std::size_t i = 0; i < key.children.size(); ++i) {
        if (i > 0) write(", ");
        self(self, *key.children[i]);
      }
      return write(")");
    }
    const std::size_t before = scopes_.back().groups.size();
    find_group(node, key, true);
    std::vector<TrimmedGroup>& groups = scopes_.back().groups;
    if (groups.size() == before) return expression(key);
    write(trimmed(groups.back().text));
    groups.pop_back();
  };
  for (std::size_t i = 0; i < node.group_by.size(); ++i) {
    if (i > 0) write(", ");
    key_text(key_text, *node.group_by[i]);
  }
}

std::string Emitter::distinct_keys(const Select& node,
                                   const std::vector<std::string>& items) const {
  std::string keys;
  std::size_t place = 0;
  bool blanks = false;
  // A join with USING shows fewer columns than its tables have: places cannot be counted then.
  const bool stars = std::ranges::any_of(
      node.items, [](const SelectItem& item) { return item.value->kind == ExpressionKind::kStar; });
  if (stars && node.connect_by) return {};
  const auto add = [&](const InferredType& type, const std::string& text) {
    ++place;
    const bool cut = has_blanks(type);
    blanks = blanks || cut;
    keys +=
        (place > 1 ? ", " : "") + (cut ? trimmed(text) : (stars ? text : std::to_string(place)));
  };
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const Expression& value = *node.items[i].value;
    if (value.kind != ExpressionKind::kStar) {
      add(infer(value), items[i]);
      continue;
    }
    for (const ScopeTable& table : scopes_.back().tables) {
      if (!value.names.empty() && table.alias != value.names.back()) continue;
      if (!table.columns_known) return {};
      for (const ScopeColumn& column : table.columns) {
        if (std::ranges::find(node.exclude, column.name) != node.exclude.end()) continue;
        const std::string& alias = table.emitted_alias;
        add(column.type,
            (alias.empty() ? "" : quote_identifier(alias) + ".") + quote_identifier(column.name));
      }
    }
  }
  return blanks ? keys : std::string();
}

void Emitter::combine(const Query& node, std::size_t left, std::size_t right,
                      std::vector<ScopeColumn>& columns) {
  const bool is_union = node.set_operator == SetOperator::kUnion;
  const bool blanks = std::ranges::any_of(
      columns, [](const ScopeColumn& column) { return has_blanks(column.type); });
  if (!blanks || in_recursion_ || (is_union && node.set_all)) return;
  const std::string second = out_.substr(right);
  const std::string both = out_.substr(left);
  // The operator stands between the two; it is written anew.
  std::string first = both.substr(0, both.size() - second.size());
  std::string keys;
  std::string named;
  std::string cut;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::string comma = i > 0 ? ", " : "";
    const bool trim = has_blanks(columns[i].type);
    const std::string alias = " AS " + quote_identifier(columns[i].name);
    keys.append(comma).append(trim ? trimmed(number_name(i)) : std::to_string(i + 1));
    named.append(comma).append(number_name(i)).append(alias);
    cut.append(comma).append(trim ? trimmed(number_name(i)) : number_name(i)).append(alias);
  }
  out_.resize(left);
  const std::string rows = numbered(columns.size());
  if (is_union) {
    first.resize(first.rfind(" UNION "));
    return write("SELECT DISTINCT ON (" + keys + ") " + named + " FROM (" + first + " UNION ALL " +
                 second + ") AS " + rows);
  }
  const std::string word =
      node.set_operator == SetOperator::kIntersect ? " INTERSECT " : " EXCEPT ";
  first.resize(first.rfind(word));
  write("SELECT " + cut + " FROM (" + first + ") AS " + rows + word + (node.set_all ? "ALL " : "") +
        "SELECT " + cut + " FROM (" + second + ") AS " + rows);
  for (ScopeColumn& column : columns) column.type.trimmed = true;
}

/// `(a, b) IN ((1, 'x'), ...)`.
bool Emitter::text_rows(const Expression& node) {
  const Expression& value = *node.children[0];
  const bool rows = std::ranges::all_of(node.children, [&](const ExpressionPtr& each) {
    return each->kind == ExpressionKind::kRow && each->children.size() == value.children.size();
  });
  if (!rows || node.query || node.children.size() < 2) return false;
  const auto row = [&](const Expression& each) {
    write("(");
    for (std::size_t i = 0; i < each.children.size(); ++i) {
      if (i > 0) write(", ");
      const Expression& cell = *each.children[i];
      const bool text = infer(*value.children[i]).kind == Inferred::kText;
      if (text) {
        write(compared_value(cell));
      } else {
        expression(cell);
      }
    }
    write(")");
  };
  row(value);
  write(node.negated ? " NOT IN (" : " IN (");
  for (std::size_t i = 1; i < node.children.size(); ++i) {
    if (i > 1) write(", ");
    row(*node.children[i]);
  }
  write(")");
  return true;
}

void Emitter::note_correlated_groups(const Select& node) {
  const auto asks = [](const auto& self, const Expression& each) -> bool {
    return each.query != nullptr || std::ranges::any_of(each.children, [&](const auto& child) {
             return self(self, *child);
           });
  };
  const bool subquery =
      std::ranges::any_of(node.items,
                          [&](const SelectItem& item) { return asks(asks, *item.value); }) ||
      (node.having && asks(asks, *node.having));
  if (!subquery) return;
  for (const ExpressionPtr& key : node.group_by) {
    if (key->kind == ExpressionKind::kColumn) cut_columns_.push_back(key->names.back());
  }
}

bool Emitter::is_output_alias(const Expression& node) const {
  if (node.kind != ExpressionKind::kColumn || node.names.size() != 1 || scopes_.empty() ||
      !scopes_.back().alias_first) {
    return false;
  }
  return std::ranges::any_of(scopes_.back().aliases,
                             [&](const LateralAlias& each) { return each.alias == node.names[0]; });
}

void Emitter::note_cut_columns(const TableReference& node) {
  cut_columns_.insert(cut_columns_.end(), node.using_columns.begin(), node.using_columns.end());
  if (!node.natural || in_natural_ || use_ != nullptr) return;
  in_natural_ = true;
  // Which names both sides have is known when the tables have been seen.
  const std::size_t before = scopes_.back().tables.size();
  static_cast<void>(captured([&] {
    table(*node.left);
    table(*node.right);
  }));
  std::vector<ScopeTable>& tables = scopes_.back().tables;
  std::vector<std::string> names;
  for (std::size_t i = before; i < tables.size(); ++i) {
    for (const ScopeColumn& column : tables[i].columns) {
      const bool again = std::ranges::find(names, column.name) != names.end();
      (again ? cut_columns_ : names).push_back(column.name);
    }
  }
  tables.resize(before);
}

std::string Emitter::cut_source(const TableReference& node, std::string source,
                                std::vector<ScopeColumn>& columns) const {
  std::string cuts;
  for (std::size_t i = 0; i < columns.size() && !cut_columns_.empty(); ++i) {
    const std::string& name =
        i < node.column_aliases.size() ? node.column_aliases[i] : columns[i].name;
    if (!has_blanks(columns[i].type) ||
        std::ranges::find(cut_columns_, name) == cut_columns_.end()) {
      continue;
    }
    const std::string quoted = quote_identifier(columns[i].name);
    cuts += (cuts.empty() ? "" : ", ") + trimmed(quoted) + " AS " + quoted;
    columns[i].type.trimmed = true;
  }
  if (cuts.empty()) return source;
  return "(SELECT * REPLACE (" + cuts + ") FROM " + source + ")";
}

}  // namespace leat::sql
