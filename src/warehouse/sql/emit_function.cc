// Function calls: the table's rewrites, what arguments become, conditional functions.
#include <algorithm>
#include <initializer_list>

#include "base/text.h"
#include "warehouse/sql/emitter.h"

namespace leat::sql {
namespace {

/// True for the arguments of a function of strings that are text themselves.
bool takes_text(std::string_view name, std::size_t index) {
  const auto is_one_of = [&](std::initializer_list<std::string_view> names) {
    return std::ranges::find(names, name) != names.end();
  };
  if (is_one_of({"chr", "checksum", "fnv_hash", "murmur3_32_hash", "getbit", "to_hex",
                 "from_varbyte", "collate", "sys_connect_by_path", "crc32", "octet_length"})) {
    return false;
  }
  if (index == 0) return true;
  if (index == 1) {
    return !is_one_of({"left", "right", "lpad", "rpad", "repeat", "replicate", "substring",
                       "substr", "sha2", "strtol"});
  }
  return index == 2 && is_one_of({"lpad", "rpad", "replace", "translate", "regexp_replace"});
}

/// True for functions that are given JSON as text.
bool reads_json(std::string_view name) {
  return name == "json_array_length" || name == "json_extract_path_text" ||
         name == "json_extract_array_element_text" || name == "json_parse" ||
         name == "can_json_parse" || name.starts_with("is_valid_json");
}

/// What turns into text by itself where text is asked for.
bool becomes_text(const InferredType& type) {
  return is_numeric(type.kind) || type.kind == Inferred::kBoolean || type.kind == Inferred::kDate ||
         type.kind == Inferred::kTimestamp;
}

/// What stands behind a key of ORDER BY. An alias, and what a set operation gives, can be ordered
/// without case so, but not by an expression.
std::string order_of(const OrderItem& item, bool insensitive) {
  std::string text = insensitive ? " COLLATE NOCASE" : "";
  if (item.descending) text += " DESC";
  if (item.nulls != NullOrder::kDefault)
    text += item.nulls == NullOrder::kFirst ? " NULLS FIRST" : " NULLS LAST";
  return text;
}

}  // namespace

std::string upper_case(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
  return result;
}

const std::string& Emitter::literal_argument(const Expression& node, std::size_t index,
                                             std::string_view function) {
  const Expression& argument = *node.children[index];
  if (argument.kind != ExpressionKind::kString) {
    unsupported(upper_case(function) + " with an argument " + std::to_string(index + 1) +
                    " that is not a literal",
                argument.span);
  }
  return argument.text;
}

void Emitter::function(const Expression& node) {
  const std::string_view name = node.names.back();
  const bool system_schema = node.names.size() == 2 &&
                             (node.names[0] == "pg_catalog" ||
                              (node.names[0] == "information_schema" && name.starts_with("_pg_")));
  if (node.names.size() > 1 && !system_schema) return call_unknown(node);
  const auto entries = find_function(name);
  if (entries.empty()) {
    const bool system = system_schema || name.starts_with("pg_");
    // PostgreSQL has pg_typeof since 8.4; the engine's own would be found.
    if (system && !name.starts_with("leat_") && name != "pg_typeof") return call_system(name, node);
    return call_unknown(node);
  }
  if (node.call->filter) unsupported("FILTER", node.span);
  const auto count = static_cast<int>(node.children.size());
  const FunctionEntry* found = nullptr;
  for (const FunctionEntry& entry : entries) {
    if (count >= entry.arguments_min && (entry.arguments_max < 0 || count <= entry.arguments_max))
      found = &entry;
  }
  if (found == nullptr) {
    throw TranslateFailure{{.sqlstate = "42883",
                            .message = "function " + std::string(name) + " with " +
                                       std::to_string(count) + " arguments does not exist",
                            .detail = {},
                            .hint = "No function matches the given name and argument types. You "
                                    "may need to add explicit type casts.",
                            .position = node.span.begin + 1}};
  }
  refuse_sketch_arguments(node);
  refuse_boolean(node);
  const bool text = found->group == "String";
  const bool number = found->group == "Math" || name == "sum" || name == "avg";
  with_super_as(text     ? SuperUse::kText
                : number ? SuperUse::kNumber
                         : SuperUse::kValue,
                [&] {
                  // An aggregate's arguments see the rows, not the groups.
                  const bool rows = !scopes_.empty() && found->group == "Aggregate" &&
                                    !node.call->window && name != "grouping" &&
                                    name != "grouping_id";
                  const bool grouped = rows && std::exchange(scopes_.back().grouped, false);
                  const bool keys = !scopes_.empty() && found->target == "grouping";
                  if (keys) scopes_.back().by_key = true;
                  const bool checks = std::exchange(float_checks_, float_checks_ || rows);
                  with_recasts(node, found->group, [&] {
                    if (!insensitive_function(node)) rewritten(*found, node);
                  });
                  float_checks_ = checks;
                  if (keys) scopes_.back().by_key = false;
                  if (rows) scopes_.back().grouped = grouped;
                });
  if (collations_) check_collations(node);
}

std::vector<const Expression*> Emitter::note_recasts(const Expression& call,
                                                     std::string_view group) {
  const std::string_view name = call.names.back();
  std::vector<const Expression*> noted;
  if (group == "Conditional") {
    std::vector<const Expression*> results;
    for (std::size_t i = 0; i < call.children.size(); ++i) {
      const bool tested =
          (name == "nvl2" && i == 0) ||
          (name == "decode" && (i == 0 || (i % 2 == 1 && i + 1 != call.children.size())));
      if (!tested) results.push_back(call.children[i].get());
    }
    return name == "nullif" ? noted : note_super_results(results);
  }
  const bool math = group == "Math" && name != "trunc" && name != "checksum";
  for (std::size_t i = 0; i < call.children.size(); ++i) {
    const Expression& argument = *call.children[i];
    const bool open = argument.kind == ExpressionKind::kParameter && frame_ == nullptr &&
                      !is_declared(argument) && name != "mod" && name != "round";
    if (math && (open || argument.kind == ExpressionKind::kString)) {
      recasts_[&argument] = Recast::kDouble;
    } else if ((group == "String" ? takes_text(name, i) : i == 0 && reads_json(name)) &&
               (becomes_text(infer(argument)) || is_interval(argument))) {
      recasts_[&argument] = Recast::kText;
    } else {
      continue;
    }
    noted.push_back(&argument);
  }
  return noted;
}

std::vector<const Expression*> Emitter::note_super_results(
    const std::vector<const Expression*>& results) {
  std::vector<const Expression*> noted;
  const auto is_super = [&](const Expression* each) {
    return infer(*each).kind == Inferred::kSuper;
  };
  if (std::ranges::none_of(results, is_super)) return noted;
  for (const Expression* each : results) {
    if (each->kind == ExpressionKind::kNull || is_super(each)) continue;
    recasts_[each] = Recast::kSuper;
    noted.push_back(each);
  }
  return noted;
}

void Emitter::check_collations(const Expression& node) const {
  const std::string_view name = node.names.back();
  if (name == "collate") return;
  // Only what may become the result meets there.
  if (name == "decode" || name == "nvl2")
    return static_cast<void>(met(infer(node).collation, Collation::kOpen, node.span));
  static_cast<void>(met(node.children, node.span));
}

bool Emitter::insensitive_function(const Expression& node) {
  const std::string_view name = node.names.back();
  const bool search = name == "strpos" || name == "position" || name == "charindex";
  const bool extreme = name == "min" || name == "max";
  const bool choice = name == "greatest" || name == "least";
  if (!search && !extreme && !choice) return false;
  InferredType type{.kind = Inferred::kText, .collation = met(node.children, node.span)};
  const bool texts = std::ranges::any_of(node.children, [&](const ExpressionPtr& child) {
    return infer(*child).kind == Inferred::kText;
  });
  if (!texts || !is_insensitive(type)) return false;
  type.trimmed = true;
  const auto key = [&](std::size_t i) { return text_key(text_of(*node.children[i]), type); };
  if (search) {
    const std::size_t text = name == "strpos" ? 0 : 1;
    write("CAST(strpos(" + key(text) + ", " + key(1 - text) + ") AS INTEGER)");
  } else if (extreme) {
    write((name == "min" ? "arg_min(" : "arg_max(") + text_of(*node.children[0]) + ", " + key(0) +
          ")");
    over(node);
  } else {
    // The values beside their keys, compared as pairs; NULL is left out.
    write(std::string(name) + "(");
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      write((i > 0 ? ", CASE WHEN " : "CASE WHEN ") + operand_text(*node.children[i]) +
            " IS NOT NULL THEN {'key': " + key(i) + ", 'value': " + text_of(*node.children[i]) +
            "} END");
    }
    write(").value");
  }
  return true;
}

void Emitter::rewritten(const FunctionEntry& entry, const Expression& node) {
  const std::string_view name = node.names.back();
  switch (entry.rewrite) {
    case FunctionRewrite::kName:
      return call_by_name(entry.target, node);
    case FunctionRewrite::kTemplate:
      return call_template(entry.target, node);
    case FunctionRewrite::kSystem:
      return call_system(entry.target, node);
    case FunctionRewrite::kNone:
      if (name == "lag" || name == "lead") {
        fail("0A000", "Default parameter not be supported for window function " + std::string(name),
             node.span);
      }
      unsupported("function " + upper_case(name), node.span);
    case FunctionRewrite::kSpecial:
      if (aggregate_function(node) || sketch_function(node) || string_function(node) ||
          date_function(node) || json_function(node))
        return;
      // A name of the table that only the grammar may write (APPROXIMATE PERCENTILE_DISC).
      fail("42883", "function " + std::string(name) + " does not exist", node.span);
  }
}

/// name([DISTINCT] arguments [ORDER BY ...] [IGNORE NULLS]) [OVER (...)].
void Emitter::call_by_name(std::string_view name, const Expression& node) {
  const Call& call = *node.call;
  write(name);
  write("(");
  if (call.distinct) write("DISTINCT ");
  if (call.star) write("*");
  if (call.distinct && name == "count") {
    compared_values(node.children);
  } else {
    comma_separated(node.children);
  }
  if (!call.order_by.empty()) order_by(call.order_by);
  if (call.nulls == NullOrder::kFirst) write(" IGNORE NULLS");
  write(")");
  over(node);
}

void Emitter::call_template(std::string_view text, const Expression& node) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '$' || i + 1 >= text.size()) {
      const std::size_t next = std::min(text.find('$', i), text.size());
      write(text.substr(i, next - i));
      i = next - 1;
      continue;
    }
    const char what = text[++i];
    if (what == '*') {
      comma_separated(node.children);
    } else if (what == 'm') {
      write(context_.function_schema);
    } else if (what == 's') {
      write(context_.system_schema);
    } else {
      operand(*node.children[static_cast<std::size_t>(what - '1')]);
    }
  }
}

void Emitter::call_system(std::string_view name, const Expression& node) {
  write(context_.system_schema);
  write(".");
  identifier(name);
  write("(");
  comma_separated(node.children);
  write(")");
}

/// A function of a user's. The engine's own are not asked: some of them, and ours, act for whoever
/// they are told (ADR 0137).
void Emitter::call_unknown(const Expression& node) {
  if (call_defined(node)) return;
  throw TranslateFailure{{.sqlstate = "42883",
                          .message = "function " +
                                     QualifiedName{.parts = node.names, .span = {}}.to_string() +
                                     " does not exist",
                          .detail = {},
                          .hint = "Redshift's functions and your own can be called, not those of "
                                  "the engine.",
                          .position = node.span.begin + 1}};
}

InferredType Emitter::ordered_type(const Expression& node,
                                   const std::vector<ScopeColumn>* outputs) const {
  if (outputs != nullptr && node.kind == ExpressionKind::kNumber) {
    const auto place = parse_number<std::size_t>(node.text).value_or(0);
    return place > 0 && place <= outputs->size() ? (*outputs)[place - 1].type : InferredType{};
  }
  if (is_output_alias(node)) {
    for (const LateralAlias& each : scopes_.back().aliases) {
      if (each.alias == node.names[0]) return each.type;
    }
  }
  return infer(node);
}

/// `compared`: texts that differ in blanks at the end have one place.
void Emitter::order_by(const std::vector<OrderItem>& items, bool compared,
                       const std::vector<ScopeColumn>* outputs, const Select* select) {
  if (items.empty()) return;
  write(" ORDER BY ");
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) write(", ");
    const OrderItem& item = items[i];
    const InferredType type = ordered_type(*item.value, outputs);
    const bool insensitive = is_insensitive(type);
    const bool place = outputs != nullptr && item.value->kind == ExpressionKind::kNumber;
    const bool output = place || is_output_alias(*item.value);
    const std::string order = type.kind == Inferred::kSuper && output && select != nullptr
                                  ? output_order(item, *select)
                                  : std::string();
    if (!order.empty()) {
      write(order);
    } else if (type.kind == Inferred::kSuper && !output) {
      write(super_order(*item.value));
    } else if (compared && has_blanks(infer(*item.value)) && !is_output_alias(*item.value)) {
      write("rtrim(" + text_of(*item.value) + ", ' ')");
    } else if (insensitive) {
      operand(*item.value);
    } else {
      expression(*item.value);
    }
    write(order_of(item, insensitive));
  }
}

std::string Emitter::output_order(const OrderItem& item, const Select& select) {
  const Expression& key = *item.value;
  std::string text;
  if (key.kind == ExpressionKind::kNumber) {
    Expression made;
    const auto place = parse_number<std::size_t>(key.text).value_or(0);
    const Expression* value = place > 0 ? item_at(select, place, made) : nullptr;
    if (value == nullptr) return {};
    const bool aliases = std::exchange(scopes_.back().alias_first, false);
    text = text_of(*value);
    scopes_.back().alias_first = aliases;
  } else {
    const auto alias =
        std::ranges::find(scopes_.back().aliases, key.names[0], &LateralAlias::alias);
    text = alias->text;
  }
  return context_.function_schema + ".super_order(" + text + ")";
}

/// ORDER BY of a set operation sees output names only, and in the engine no expression over them:
/// SUPER values need a query around it.
void Emitter::order_set(const std::vector<OrderItem>& items, std::size_t begin,
                        const std::vector<ScopeColumn>& columns) {
  if (items.empty()) return;
  scopes_.emplace_back();
  ScopeTable outputs;
  outputs.columns = columns;
  scopes_.back().tables.push_back(std::move(outputs));
  std::vector<bool> super;
  for (const OrderItem& item : items)
    super.push_back(ordered_type(*item.value, &columns).kind == Inferred::kSuper);
  if (std::ranges::find(super, true) == super.end()) {
    order_by(items, false, &columns);
    scopes_.pop_back();
    return;
  }
  const auto cell = [](std::size_t i) { return "\"c" + std::to_string(i + 1) + "\""; };
  std::string shown;
  std::string names;
  std::string keys;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    shown += (i > 0 ? ", " : "") + cell(i) + " AS " + quote_identifier(columns[i].name);
    names += (i > 0 ? ", " : "") + cell(i);
  }
  const std::string rows = out_.substr(begin);
  out_.resize(begin);
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Expression& key = *items[i].value;
    std::size_t place =
        key.kind == ExpressionKind::kNumber ? parse_number<std::size_t>(key.text).value_or(0) : 0;
    for (std::size_t c = 0; c < columns.size() && place == 0; ++c) {
      if (key.kind == ExpressionKind::kColumn && key.names.size() == 1 &&
          columns[c].name == key.names[0])
        place = c + 1;
    }
    if (place == 0 || place > columns.size()) {
      fail("0A000",
           "ORDER BY on a UNION/INTERSECT/EXCEPT result must be on one of the result columns",
           key.span);
    }
    keys += i > 0 ? ", " : "";
    keys += super[i] ? context_.function_schema + ".super_order(" + cell(place - 1) + ")"
                     : cell(place - 1);
    keys += order_of(items[i], is_insensitive(columns[place - 1].type));
  }
  write("SELECT " + shown + " FROM (" + rows + ") AS \"rows\"(" + names + ") ORDER BY " + keys);
  scopes_.pop_back();
}

/// Blanks at the end count for nothing here as well.
void Emitter::null_if(const Expression& node) {
  const std::string equal = captured([&] {
    (void)(text_comparison("=", *node.children[0], *node.children[1]) ||
           text_pair("=", *node.children[0], *node.children[1]));
  });
  if (equal.empty()) return call_by_name("nullif", node);
  write("CASE WHEN " + equal + " THEN NULL ELSE ");
  expression(*node.children[0]);
  write(" END");
}

/// DECODE(e, s1, r1, ..., d): NULL equals NULL.
void Emitter::decode(const Expression& node) {
  write("CASE");
  std::size_t i = 1;
  for (; i + 1 < node.children.size(); i += 2) {
    write(" WHEN ");
    if (node.children[i]->kind == ExpressionKind::kString) {
      comparison("=", *node.children[0], *node.children[i]);
      write(" THEN ");
      expression(*node.children[i + 1]);
      continue;
    }
    if (infer(*node.children[0]).kind == Inferred::kText &&
        infer(*node.children[i]).kind == Inferred::kText) {
      const Collation collation =
          met(infer(*node.children[0]).collation, infer(*node.children[i]).collation, node.span);
      write(compared_value(*node.children[0], collation) + " IS NOT DISTINCT FROM " +
            compared_value(*node.children[i], collation) + " THEN ");
      expression(*node.children[i + 1]);
      continue;
    }
    operand(*node.children[0]);
    if (node.children[i]->kind == ExpressionKind::kNull) {
      write(" IS NULL");
    } else if (node.children[i]->kind == ExpressionKind::kNumber) {
      write(" = ");
      expression(*node.children[i]);
    } else {
      write(" IS NOT DISTINCT FROM ");
      operand(*node.children[i]);
    }
    write(" THEN ");
    expression(*node.children[i + 1]);
  }
  if (i < node.children.size()) {
    write(" ELSE ");
    expression(*node.children[i]);
  }
  write(" END");
}

}  // namespace leat::sql
