// What the names in a stored query are. A bound view keeps its query as it was written, and beside
// it the numbers of the relations, columns and functions that the names meant then: a renaming
// changes the row of what is renamed alone, never that of a view.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "warehouse/catalog/catalog.h"
#include "warehouse/engine/error.h"
#include "warehouse/sql/mentions.h"

namespace leat::catalog {

/// A relation with its names when the view was made.
struct BoundRelation {
  Oid oid = 0;
  std::string schema{};
  std::string name{};
  std::vector<std::pair<std::int16_t, std::string>> columns{};  ///< All that there were.
  bool operator==(const BoundRelation&) const = default;

  /// Null: it had no column of that number.
  [[nodiscard]] const std::string* column(std::int16_t number) const;
};

struct BoundFunction {
  Oid oid = 0;
  std::string schema{};  ///< As written; empty: without.
  std::string name{};
  bool operator==(const BoundFunction&) const = default;
};

enum class BoundPlaceKind : char {
  kRelation = 'r',  ///< "schema"."name"
  kAliased = 'a',   ///< the same with an alias after it
  kSchema = 's',    ///< the schema of a relation, before a column
  kColumn = 'c',
  kOutput = 'o'  ///< a column that gives its name to the result's
};

/// A place of the definition to be shown otherwise when what is named there has another name.
struct BoundPlace {
  BoundPlaceKind kind = BoundPlaceKind::kRelation;
  std::uint32_t begin = 0;  ///< In bytes.
  std::uint32_t length = 0;
  Oid relation = 0;
  std::int16_t column = 0;
  bool operator==(const BoundPlace&) const = default;
};

struct Binding {
  std::vector<BoundRelation> relations{};
  std::vector<BoundFunction> functions{};
  std::vector<BoundPlace> places{};
  bool operator==(const Binding&) const = default;

  /// Null: none of that name was bound.
  [[nodiscard]] const BoundRelation* relation(std::string_view schema, std::string_view name) const;
  [[nodiscard]] const BoundRelation* relation(Oid oid) const;
};

/// Binds the names of `query`, parsed from `definition`, in which relations are named by schema and
/// name. `find` and `context.relations` answer for the same names.
/// Errors: those of both.
[[nodiscard]] engine::SqlResult<Binding> bind_names(
    std::string_view definition, const sql::Query& query, const sql::TranslateContext& context,
    const std::function<engine::SqlResult<RelationPointer>(const sql::QualifiedName&)>& find);

/// As the store keeps it, and back; null for an empty text.
[[nodiscard]] std::string binding_text(const Binding* binding);
[[nodiscard]] std::shared_ptr<const Binding> parse_binding(std::string_view text);

/// Binds the views of a file that an older version wrote, once, and takes the engine's views away
/// that it made for them. A view that cannot be bound stays as it is: using it says why.
[[nodiscard]] engine::SqlStatus bind_older_views(engine::Connection& connection, Changes& changes);

}  // namespace leat::catalog
