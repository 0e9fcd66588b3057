// Texts that are equal though they are written differently, where values are compared with each
// other: joins, groups, DISTINCT, set operations, IN with a query. Redshift ignores blanks at the
// end, and case where the collation says so. Only what may differ in such a way is replaced by its
// key: a column without a mark (RelationColumn::blanks) and without such a collation is compared as
// it is stored.
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "warehouse/sql/emitter.h"

namespace leat::sql {
namespace {

std::string trimmed(const std::string& text) {
  return "rtrim(" + text + ", ' ')";
}

std::string number_name(std::size_t column, std::string_view name = "c") {
  return "\"" + std::string(name) + std::to_string(column + 1) + "\"";
}

/// `"rows"("c1", "c2", ...)`
std::string numbered(std::string_view table, std::size_t columns, std::string_view name = "c") {
  std::string list;
  for (std::size_t i = 0; i < columns; ++i) list += (i == 0 ? "" : ", ") + number_name(i, name);
  return quote_identifier(table) + "(" + list + ")";
}

// Of what stands beside names of the queries around it.
constexpr std::string_view kOwnName = "leat_c";

bool holds_aggregate(const Expression& node) {
  return (calls_aggregate(node) && !node.call->window) ||
         std::ranges::any_of(node.children,
                             [](const ExpressionPtr& child) { return holds_aggregate(*child); });
}

/// True for an item that GROUP BY ALL groups by.
bool is_group_item(const SelectItem& item) {
  return item.value->kind != ExpressionKind::kStar && !holds_aggregate(*item.value);
}

}  // namespace

bool calls_aggregate(const Expression& node) {
  if (node.kind != ExpressionKind::kFunction) return false;
  const auto entries = find_function(node.names.back());
  return !entries.empty() && entries.front().group == "Aggregate";
}

bool Emitter::is_insensitive(const InferredType& type) const {
  if (type.kind != Inferred::kText) return false;
  return type.collation == Collation::kInsensitive ||
         (type.collation == Collation::kOpen && context_.insensitive);
}

bool Emitter::has_key(const InferredType& type) const {
  return has_blanks(type) || is_insensitive(type);
}

bool Emitter::has_key(const Expression& node) const {
  return has_key(infer(node));
}

std::string Emitter::text_key(const std::string& text, const InferredType& type) const {
  const std::string key = has_blanks(type) ? trimmed(text) : text;
  return is_insensitive(type) ? "lower(" + key + ")" : key;
}

Collation Emitter::met(Collation a, Collation b, SourceSpan span) {
  const Collation both = merged(a, b);
  if (both != Collation::kMixed) return both;
  throw TranslateFailure{
      {.sqlstate = "0A000",
       .message = "Query with different collations is not supported yet.",
       .detail = {},
       .hint = "COLLATE(column, 'case_insensitive') gives one side the other's collation.",
       .position = span.end == 0 ? 0 : span.begin + 1}};
}

Collation Emitter::met(std::span<const ExpressionPtr> nodes, SourceSpan span) const {
  Collation all = Collation::kOpen;
  for (const ExpressionPtr& node : nodes) {
    if (node->kind == ExpressionKind::kString) continue;
    const InferredType type = infer(*node);
    if (type.kind == Inferred::kText) all = met(all, type.collation, span);
  }
  return all;
}

std::string Emitter::compared_value(const Expression& node, Collation collation) {
  if (const auto constant = constant_text(node, collation)) return constant->sql;
  // Written first: what a subquery gives is known then.
  std::string text = operand_text(node);
  InferredType type = infer(node);
  // Beside a text that is compared without case, what is not known is a text.
  if (type.kind == Inferred::kUnknown && collation == Collation::kInsensitive) {
    type.kind = Inferred::kText;
    text = "CAST(" + text + " AS VARCHAR)";
  }
  type.collation = collation;
  return text_key(text, type);
}

void Emitter::compared_values(const Arguments& nodes) {
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (i > 0) write(", ");
    if (const InferredType type = infer(*nodes[i]); has_key(type)) {
      write(text_key(text_of(*nodes[i]), type));
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
  const auto may_be_text = [](const InferredType& type, const InferredType& other) {
    return type.kind == Inferred::kText ||
           (type.kind == Inferred::kUnknown && other.collation == Collation::kInsensitive);
  };
  if (!may_be_text(a, b) || !may_be_text(b, a)) return false;
  const Collation collation = met(a.collation, b.collation, left.span);
  const bool insensitive = is_insensitive({.kind = Inferred::kText, .collation = collation});
  if (!has_blanks(a) && !has_blanks(b) && !insensitive) return false;
  write(compared_value(left, collation) + " " + std::string(op) + " " +
        compared_value(right, collation));
  return true;
}

/// What a subquery gives is known only when it is written, which is to happen once.
bool Emitter::text_subquery(std::string_view op, const Expression& left, const Expression& right) {
  const auto other_is_text = [&](const Expression& node) {
    return node.kind == ExpressionKind::kSubquery || is_constant_text(node) ||
           infer(node).kind == Inferred::kText;
  };
  if (!other_is_text(left) || !other_is_text(right)) return false;
  const auto written = [&](const Expression& node) {
    return node.kind == ExpressionKind::kSubquery ? operand_text(node) : std::string();
  };
  const std::string a = written(left);
  const std::string b = written(right);
  const auto is_text = [&](const Expression& node) {
    return is_constant_text(node) || infer(node).kind == Inferred::kText;
  };
  const bool texts = is_text(left) && is_text(right);
  const Collation collation =
      texts ? met(infer(left).collation, infer(right).collation, left.span) : Collation::kOpen;
  const auto side = [&](const Expression& node, const Expression& other, const std::string& text) {
    if (text.empty())
      return texts ? write(compared_value(node, collation)) : arithmetic_operand(op, node, other);
    InferredType type = infer(node);
    type.collation = collation;
    write(texts ? text_key(text, type) : text);
  };
  side(left, right, a);
  write(" " + std::string(op) + " ");
  side(right, left, b);
  return true;
}

Emitter::ComparedQuery Emitter::compared_query(const Expression& left, const Query& node) {
  std::vector<const Expression*> values;
  if (left.kind == ExpressionKind::kRow) {
    for (const ExpressionPtr& child : left.children) values.push_back(child.get());
  } else {
    values.push_back(&left);
  }
  ComparedQuery compared;
  for (const Expression* value : values) compared.values.push_back(operand_text(*value));
  const std::size_t reached = std::exchange(reached_, scopes_.size());
  compared.text = captured([&] { query(node); });
  compared.correlated = reached_ < scopes_.size();
  reached_ = std::min(reached, reached_);
  const std::vector<ScopeColumn> columns = std::move(last_columns_);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const bool known = columns.size() == values.size();
    InferredType value = infer(*values[i]);
    InferredType column = known ? columns[i].type : InferredType{};
    const bool texts_both = column.kind == Inferred::kText &&
                            (is_constant_text(*values[i]) || value.kind == Inferred::kText);
    std::string key = number_name(i, kOwnName);
    if (texts_both) {
      value.collation = column.collation = met(value.collation, column.collation, left.span);
      const auto constant = constant_text(*values[i], value.collation);
      compared.values[i] = constant ? constant->sql : text_key(compared.values[i], value);
      compared.cut = compared.cut || has_key(column);
      key = text_key(key, column);
    }
    compared.keys.push_back(std::move(key));
  }
  return compared;
}

void Emitter::compare_with_query(const Expression& left, std::string_view word, const Query& node) {
  const bool row = left.kind == ExpressionKind::kRow;
  const ComparedQuery compared = compared_query(left, node);
  compare_with_query(compared, word, row);
}

void Emitter::compare_with_query(const ComparedQuery& compared, std::string_view word, bool row) {
  if (row) write("(");
  for (std::size_t i = 0; i < compared.values.size(); ++i)
    write((i > 0 ? ", " : "") + compared.values[i]);
  if (row) write(")");
  write(std::string(word) + "(");
  if (compared.cut) {
    write("SELECT ");
    for (std::size_t i = 0; i < compared.keys.size(); ++i)
      write((i > 0 ? ", " : "") + compared.keys[i]);
    write(" FROM (" + compared.text + ") AS " + numbered("rows", compared.keys.size(), kOwnName));
  } else {
    write(compared.text);
  }
  write(")");
}

/// True where any row is equal; else NULL where a comparison with one is; else false. Rows with
/// NULL, on either side, are few: the first question is the one that is answered by hashing.
bool Emitter::row_in_query(const Expression& node) {
  const Expression& left = *node.children[0];
  const bool simple = std::ranges::none_of(left.children, [](const ExpressionPtr& child) {
    return holds_aggregate(*child) || child->query != nullptr;
  });
  if (left.kind != ExpressionKind::kRow || !simple) return false;
  const bool only_true = !node.negated && std::ranges::find(filters_, &node) != filters_.end();
  const ComparedQuery compared = compared_query(left, *node.query);
  if (only_true && !compared.correlated) {
    compare_with_query(compared, " IN ", true);
    return true;
  }
  std::string equal;
  std::string left_null;
  std::string right_null;
  for (std::size_t i = 0; i < compared.keys.size(); ++i) {
    equal += (i > 0 ? " AND " : "") + compared.values[i] + " = " + compared.keys[i];
    left_null += (i > 0 ? " OR " : "") + compared.values[i] + " IS NULL";
    right_null += (i > 0 ? " OR " : "") + compared.keys[i] + " IS NULL";
  }
  const std::string any = "EXISTS (SELECT 1 FROM (" + compared.text + ") AS " +
                          numbered("leat_rows", compared.keys.size(), kOwnName) + " WHERE ";
  const std::string found = any + equal + ")";
  if (only_true) {
    write(found);
    return true;
  }
  const std::string open = " AND (" + equal + ") IS NOT FALSE)";
  write(std::string(node.negated ? "NOT (" : "(") + "CASE WHEN " + found + " THEN true WHEN " +
        any + "(" + right_null + ")" + open + " OR " + any + "(" + left_null + ")" + open +
        " THEN NULL ELSE false END)");
  return true;
}

const KeyedGroup* Emitter::group_of(const Expression& node) {
  std::vector<KeyedGroup>& groups = scopes_.back().groups;
  if (groups.empty()) return nullptr;
  if (node.kind == ExpressionKind::kColumn) {
    if (find_lateral(node) != nullptr) return nullptr;
    const ScopeColumn* column = find_column(node);
    const auto found = std::ranges::find(groups, column, &KeyedGroup::column);
    return column == nullptr || found == groups.end() ? nullptr : &*found;
  }
  if (infer(node).kind != Inferred::kText) return nullptr;
  const bool outer = std::exchange(scopes_.back().grouped, false);
  const std::string text = text_of(node);
  scopes_.back().grouped = outer;
  const auto found = std::ranges::find(groups, text, &KeyedGroup::text);
  return found == groups.end() ? nullptr : &*found;
}

bool Emitter::represented(const Expression& node) {
  if (scopes_.empty() || !scopes_.back().grouped || node.kind == ExpressionKind::kString)
    return false;
  const KeyedGroup* group = group_of(node);
  if (group == nullptr) return false;
  write(std::string(scopes_.back().by_key ? group->key : group->shown));
  return true;
}

const Expression* Emitter::item_at(const Select& node, std::size_t place, Expression& made) const {
  const bool plain =
      node.exclude.empty() && !node.connect_by &&
      std::ranges::none_of(node.from, [](const TablePtr& table) { return joins_by_name(*table); });
  for (const SelectItem& item : node.items) {
    if (item.value->kind != ExpressionKind::kStar) {
      if (place-- == 1) return item.value.get();
      continue;
    }
    for (const ScopeTable& table : scopes_.back().tables) {
      if (!covers(*item.value, table)) continue;
      if (!plain || !table.columns_known) return nullptr;
      if (place == 0 || place > table.columns.size()) {
        place -= std::min(place, table.columns.size());
        continue;
      }
      made.kind = ExpressionKind::kColumn;
      made.names = {table.alias, table.columns[place - 1].name};
      if (table.element) made.names.erase(made.names.begin());
      return &made;
    }
  }
  return nullptr;
}

void Emitter::represent_in_star(const Expression& star) {
  std::string replaced;
  for (const KeyedGroup& group : scopes_.back().groups) {
    if (group.column == nullptr) continue;
    std::size_t named = 0;
    bool among = false;
    for (const ScopeTable& table : scopes_.back().tables) {
      if (!covers(star, table)) continue;
      for (const ScopeColumn& column : table.columns) {
        named += column.name == group.column->name ? 1 : 0;
        among = among || &column == group.column;
      }
    }
    // Of two columns of that name REPLACE would show one for both.
    if (!among || named > 1) continue;
    replaced += (replaced.empty() ? "" : ", ") + group.shown + " AS " +
                quote_identifier(group.column->name);
  }
  if (!replaced.empty()) write(" REPLACE (" + replaced + ")");
}

/// `sets`: of ROLLUP and the like, where a key is NULL in the rows that are not grouped by it.
void Emitter::find_group(const Select& node, const Expression& key, bool sets) {
  if (key.kind == ExpressionKind::kGroupingSets || key.kind == ExpressionKind::kRow) {
    const bool inside = sets || key.kind == ExpressionKind::kGroupingSets;
    for (const ExpressionPtr& child : key.children) find_group(node, *child, inside);
    return;
  }
  Expression made;
  const Expression* value = &key;
  if (key.kind == ExpressionKind::kNumber) {
    value = item_at(node, parse_number<std::size_t>(key.text).value_or(0), made);
    if (value == nullptr) return;
  } else if (key.kind == ExpressionKind::kColumn && find_column(key) == nullptr) {
    const auto item = std::ranges::find_if(node.items, [&](const SelectItem& each) {
      return key.names.size() == 1 && each.alias == key.names[0];
    });
    if (item == node.items.end()) return;
    value = item->value.get();
  }
  const bool column = value->kind == ExpressionKind::kColumn;
  const InferredType type = infer(*value);
  if (!has_key(type) || type.collated || (column && find_lateral(*value) != nullptr)) return;
  std::string text = text_of(*value);
  std::string group_key = text_key(text, type);
  std::string shown = "min(" + text + ")";
  if (sets) shown = "CASE WHEN grouping(" + group_key + ") = 0 THEN " + shown + " END";
  scopes_.back().groups.push_back({.column = column ? find_column(*value) : nullptr,
                                   .text = std::move(text),
                                   .key = std::move(group_key),
                                   .shown = std::move(shown)});
}

void Emitter::find_groups(const Select& node) {
  const bool sets = std::ranges::any_of(node.group_by, [](const ExpressionPtr& key) {
    return key->kind == ExpressionKind::kGroupingSets;
  });
  for (const ExpressionPtr& key : node.group_by) find_group(node, *key, sets);
  if (!node.group_by_all) return;
  for (const SelectItem& item : node.items) {
    if (is_group_item(item)) find_group(node, *item.value, false);
  }
}

std::set<std::pair<std::string, std::string>> Emitter::path_keys(const Select& node) const {
  std::set<std::pair<std::string, std::string>> paths;
  for (const ExpressionPtr& key : node.group_by) {
    Expression made;
    const Expression* value = key.get();
    if (key->kind == ExpressionKind::kNumber)
      value = item_at(node, parse_number<std::size_t>(key->text).value_or(0), made);
    if (value == nullptr || value->kind == ExpressionKind::kStar) continue;
    if (auto path = super_navigation(*value)) paths.insert(std::move(*path));
  }
  return paths;
}

/// The keys as they are grouped.
void Emitter::group_keys(const Select& node) {
  const bool all = node.group_by_all;
  if (scopes_.back().groups.empty()) return all ? write("ALL") : comma_separated(node.group_by);
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
    std::vector<KeyedGroup>& groups = scopes_.back().groups;
    if (groups.size() == before) return expression(key);
    write(std::string(groups.back().key));
    groups.pop_back();
  };
  std::vector<const Expression*> keys;
  for (const ExpressionPtr& key : node.group_by) keys.push_back(key.get());
  for (const SelectItem& item : node.items) {
    if (all && is_group_item(item)) keys.push_back(item.value.get());
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (i > 0) write(", ");
    key_text(key_text, *keys[i]);
  }
}

std::string Emitter::distinct_keys(const Select& node,
                                   const std::vector<std::string>& items) const {
  std::string keys;
  std::size_t place = 0;
  bool keyed = false;
  // A join with USING shows fewer columns than its tables have: places cannot be counted then.
  const bool stars = std::ranges::any_of(
      node.items, [](const SelectItem& item) { return item.value->kind == ExpressionKind::kStar; });
  if (stars && node.connect_by) return {};
  const auto add = [&](const InferredType& type, const std::string& text) {
    ++place;
    const bool cut = has_key(type);
    keyed = keyed || cut;
    keys += (place > 1 ? ", " : "") +
            (cut ? text_key(text, type) : (stars ? text : std::to_string(place)));
  };
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const Expression& value = *node.items[i].value;
    if (value.kind != ExpressionKind::kStar) {
      add(infer(value), items[i]);
      continue;
    }
    const auto columns = star_columns(node, value);
    if (!columns) return {};
    for (const StarColumn& each : *columns) add(each.column.type, each.text);
  }
  return keyed ? keys : std::string();
}

void Emitter::combine(const Query& node, std::size_t left, std::size_t right,
                      const std::vector<ScopeColumn>& columns) {
  const bool is_union = node.set_operator == SetOperator::kUnion;
  const bool keyed =
      std::ranges::any_of(columns, [&](const ScopeColumn& column) { return has_key(column.type); });
  if (!keyed || in_recursion_ || (is_union && node.set_all)) return;
  const std::string second = out_.substr(right);
  const std::string both = out_.substr(left);
  // The operator stands between the two; it is written anew.
  std::string first = both.substr(0, both.size() - second.size());
  std::string keys;
  std::string named;
  std::string equal;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::string comma = i > 0 ? ", " : "";
    const InferredType& type = columns[i].type;
    const std::string name = number_name(i);
    keys.append(comma).append(has_key(type) ? text_key(name, type) : std::to_string(i + 1));
    named.append(comma).append(name).append(" AS ").append(quote_identifier(columns[i].name));
    equal.append(i > 0 ? " AND " : "")
        .append(text_key("\"rows\"." + name, type))
        .append(" IS NOT DISTINCT FROM ")
        .append(text_key("\"others\"." + name, type));
  }
  out_.resize(left);
  const std::string head = "SELECT DISTINCT ON (" + keys + ") " + named + " FROM (";
  if (is_union) {
    first.resize(first.rfind(" UNION "));
    return write(head + first + " UNION ALL " + second + ") AS " +
                 numbered("rows", columns.size()));
  }
  const bool common = node.set_operator == SetOperator::kIntersect;
  first.resize(first.rfind(common ? " INTERSECT " : " EXCEPT "));
  write(head + first + ") AS " + numbered("rows", columns.size()) + " WHERE " +
        (common ? "" : "NOT ") + "EXISTS (SELECT 1 FROM (" + second + ") AS " +
        numbered("others", columns.size()) + " WHERE " + equal + ")");
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
    InferredType& type = columns[i].type;
    if (!has_key(type) || std::ranges::find(cut_columns_, name) == cut_columns_.end()) continue;
    const std::string quoted = quote_identifier(columns[i].name);
    // The value must stay as it was stored, so its case is left to the engine's own collation.
    type.collated = is_insensitive(type);
    cuts += (cuts.empty() ? "" : ", ") + (has_blanks(type) ? trimmed(quoted) : quoted) +
            (type.collated ? " COLLATE NOCASE AS " : " AS ") + quoted;
    type.trimmed = true;
  }
  if (cuts.empty()) return source;
  return "(SELECT * REPLACE (" + cuts + ") FROM " + source + ")";
}

}  // namespace leat::sql
