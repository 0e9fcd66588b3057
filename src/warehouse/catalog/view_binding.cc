#include "warehouse/catalog/view_binding.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/text.h"
#include "warehouse/engine/value.h"
#include "warehouse/sql/lexer.h"

namespace leat::catalog {
namespace {

using engine::quote_identifier;
using engine::SqlResult;

template <class T>
SqlResult<T> unwrapped(sql::SqlResult<T> result) {
  if (result) return std::move(*result);
  return engine::fail_sql(std::move(result.error().sqlstate), std::move(result.error().message));
}

/// Where the identifiers are that begin in a span.
std::vector<sql::SourceSpan> identifiers_in(const sql::TokenList& list, sql::SourceSpan span) {
  std::vector<sql::SourceSpan> places;
  for (const sql::Token& token : list.tokens) {
    const bool identifier =
        token.kind == sql::TokenKind::kWord || token.kind == sql::TokenKind::kQuotedIdentifier;
    if (identifier && token.begin >= span.begin && token.end <= span.end)
      places.push_back({.begin = token.begin, .end = token.end});
  }
  return places;
}

BoundPlace place_at(BoundPlaceKind kind, sql::SourceSpan span, Oid relation,
                    std::int16_t column = 0) {
  return {.kind = kind,
          .begin = static_cast<std::uint32_t>(span.begin),
          .length = static_cast<std::uint32_t>(span.end - span.begin),
          .relation = relation,
          .column = column};
}

void place_columns(const sql::TokenList& tokens, const sql::ColumnUse& use, Binding& binding) {
  for (const sql::ColumnMention& mention : use.columns) {
    const BoundRelation* relation = binding.relation(mention.relation);
    if (mention.kind != sql::ColumnMentionKind::kNamed || relation == nullptr) continue;
    const auto column = std::ranges::find(relation->columns, mention.column,
                                          &std::pair<std::int16_t, std::string>::second);
    const std::vector<sql::SourceSpan> parts = identifiers_in(tokens, mention.span);
    if (column == relation->columns.end() || mention.part >= parts.size()) continue;
    const auto kind = mention.output ? BoundPlaceKind::kOutput : BoundPlaceKind::kColumn;
    binding.places.push_back(place_at(kind, parts[mention.part], relation->oid, column->first));
    if (mention.part == 2 && mention.names[0] == relation->schema)
      binding.places.push_back(place_at(BoundPlaceKind::kSchema, parts[0], relation->oid));
  }
}

/// What stands at a place now; nothing: what was written.
std::optional<std::string> shown_at(const BoundPlace& place, const BoundRelation& bound,
                                    const Relation& now) {
  switch (place.kind) {
    case BoundPlaceKind::kRelation:
    case BoundPlaceKind::kAliased: {
      if (now.schema_name == bound.schema && now.name == bound.name) return std::nullopt;
      std::string text = quote_identifier(now.schema_name) + "." + quote_identifier(now.name);
      // Columns may be named by the old name.
      if (place.kind == BoundPlaceKind::kRelation && now.name != bound.name)
        text += " AS " + quote_identifier(bound.name);
      return text;
    }
    case BoundPlaceKind::kSchema:
      if (now.schema_name == bound.schema) return std::nullopt;
      return quote_identifier(now.schema_name);
    case BoundPlaceKind::kColumn:
    case BoundPlaceKind::kOutput:
      break;
  }
  const std::string* before = bound.column(place.column);
  const auto column = std::ranges::find(now.columns, place.column, &Column::number);
  if (before == nullptr || column == now.columns.end() || column->name == *before)
    return std::nullopt;
  std::string text = quote_identifier(column->name);
  if (place.kind == BoundPlaceKind::kOutput) text += " AS " + quote_identifier(*before);
  return text;
}

std::string with_current_names(const Relation& view,
                               const std::function<RelationPointer(Oid)>& relation) {
  std::string text = view.definition;
  if (view.binding == nullptr) return text;
  // From the last to the first, so that the places before stay where they are.
  std::vector<BoundPlace> places = view.binding->places;
  std::ranges::sort(places, std::greater<>(), &BoundPlace::begin);
  for (const BoundPlace& place : places) {
    const BoundRelation* bound = view.binding->relation(place.relation);
    const RelationPointer now = bound == nullptr ? nullptr : relation(place.relation);
    if (now == nullptr || place.begin + place.length > text.size()) continue;
    if (const auto shown = shown_at(place, *bound, *now))
      text.replace(place.begin, place.length, *shown);
  }
  return text;
}

/// Reads binding_text(): numbers, letters and quoted names with a blank between.
class Words {
 public:
  explicit Words(std::string_view text) : left_(text) {}

  [[nodiscard]] bool at_end() const { return left_.empty(); }
  [[nodiscard]] bool at_name() const { return left_.starts_with('"'); }
  std::string name() {
    std::size_t end = 1;
    while (end < left_.size() && (left_[end] != '"' || left_.substr(end, 2) == "\"\""))
      end += left_[end] == '"' ? 2 : 1;
    std::string out;
    for (std::size_t i = 1; i < std::min(end, left_.size()); ++i) {
      out += left_[i];
      if (left_[i] == '"') ++i;
    }
    skip(end + 1);
    return out;
  }
  std::string_view word() {
    const std::string_view out = left_.substr(0, left_.find(' '));
    skip(out.size());
    return out;
  }
  template <class Number>
  Number number() {
    return parse_number<Number>(word()).value_or(Number{});
  }
  /// True when a number comes: the next column of a relation.
  [[nodiscard]] bool at_number() const {
    return !left_.empty() && left_.front() >= '0' && left_.front() <= '9';
  }

 private:
  void skip(std::size_t bytes) {
    left_.remove_prefix(std::min(bytes, left_.size()));
    if (left_.starts_with(' ')) left_.remove_prefix(1);
  }

  std::string_view left_;
};

}  // namespace

const std::string* BoundRelation::column(std::int16_t number) const {
  const auto found =
      std::ranges::find(columns, number, &std::pair<std::int16_t, std::string>::first);
  return found == columns.end() ? nullptr : &found->second;
}

const BoundRelation* Binding::relation(std::string_view schema, std::string_view name) const {
  const auto found = std::ranges::find_if(relations, [&](const BoundRelation& each) {
    return each.schema == schema && each.name == name;
  });
  return found == relations.end() ? nullptr : &*found;
}

const BoundRelation* Binding::relation(Oid oid) const {
  const auto found = std::ranges::find(relations, oid, &BoundRelation::oid);
  return found == relations.end() ? nullptr : &*found;
}

SqlResult<Binding> bind_names(
    std::string_view definition, const sql::Query& query, const sql::TranslateContext& context,
    const std::function<SqlResult<RelationPointer>(const sql::QualifiedName&)>& find) {
  Binding binding;
  for (const sql::RelationMention& mention : sql::mentioned_relations(query)) {
    if (sql::is_system_relation(mention.table)) continue;
    LEAT_ASSIGN(const RelationPointer relation, find(mention.table));
    const auto kind = mention.aliased ? BoundPlaceKind::kAliased : BoundPlaceKind::kRelation;
    binding.places.push_back(place_at(kind, mention.table.span, relation->oid));
    if (binding.relation(relation->oid) != nullptr) continue;
    BoundRelation bound{
        .oid = relation->oid, .schema = relation->schema_name, .name = relation->name};
    for (const Column& column : relation->columns)
      bound.columns.emplace_back(column.number, column.name);
    binding.relations.push_back(std::move(bound));
  }
  LEAT_ASSIGN(const sql::ColumnUse use, unwrapped(sql::used_columns(query, context)));
  LEAT_ASSIGN(const sql::TokenList tokens, unwrapped(sql::tokenize(definition)));
  place_columns(tokens, use, binding);
  for (const sql::FunctionCall& call : use.calls) {
    const std::size_t parts = call.names.size();
    binding.functions.push_back({.oid = call.oid,
                                 .schema = parts > 1 ? call.names[parts - 2] : std::string(),
                                 .name = call.names.back()});
  }
  return binding;
}

std::string binding_text(const Binding* binding) {
  std::string out;
  if (binding == nullptr) return out;
  const auto to = std::back_inserter(out);
  for (const BoundRelation& relation : binding->relations) {
    fmt::format_to(to, "R {} {} {} ", relation.oid, quote_identifier(relation.schema),
                   quote_identifier(relation.name));
    for (const auto& [number, name] : relation.columns)
      fmt::format_to(to, "{} {} ", number, quote_identifier(name));
  }
  for (const BoundFunction& function : binding->functions) {
    fmt::format_to(to, "F {} {} {} ", function.oid, quote_identifier(function.schema),
                   quote_identifier(function.name));
  }
  for (const BoundPlace& place : binding->places) {
    fmt::format_to(to, "{} {} {} {} {} ", static_cast<char>(place.kind), place.begin, place.length,
                   place.relation, place.column);
  }
  // A view of nothing is bound as well.
  if (out.empty()) return ".";
  out.pop_back();
  return out;
}

std::shared_ptr<const Binding> parse_binding(std::string_view text) {
  if (text.empty()) return nullptr;
  auto binding = std::make_shared<Binding>();
  for (Words words(text); !words.at_end();) {
    const std::string_view kind = words.word();
    if (kind == "R") {
      BoundRelation relation{.oid = words.number<Oid>()};
      relation.schema = words.name();
      relation.name = words.name();
      while (words.at_number()) {
        const auto number = words.number<std::int16_t>();
        relation.columns.emplace_back(number, words.name());
      }
      binding->relations.push_back(std::move(relation));
    } else if (kind == "F") {
      BoundFunction function{.oid = words.number<Oid>()};
      function.schema = words.name();
      function.name = words.name();
      binding->functions.push_back(std::move(function));
    } else if (kind != ".") {
      BoundPlace place{.kind = static_cast<BoundPlaceKind>(kind.empty() ? '?' : kind.front())};
      place.begin = words.number<std::uint32_t>();
      place.length = words.number<std::uint32_t>();
      place.relation = words.number<Oid>();
      place.column = words.number<std::int16_t>();
      binding->places.push_back(place);
    }
  }
  return binding;
}

std::string Relation::shown_definition(const std::function<RelationPointer(Oid)>& relation) const {
  if (kind == RelationKind::kTable) return {};
  if (kind == RelationKind::kLateBindingView) return definition + " with no schema binding";
  std::string text = with_current_names(*this, relation);
  if (kind == RelationKind::kMaterializedView)
    return "create materialized view " + name + (auto_refresh ? " auto refresh yes" : "") + " as " +
           text;
  return text;
}

}  // namespace leat::catalog
