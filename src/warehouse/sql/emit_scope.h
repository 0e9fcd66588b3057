// What the emitter knows of an expression's type, and of the names that a query's FROM gives.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "warehouse/sql/ast.h"
#include "warehouse/sql/translate.h"

namespace leat::sql {

struct TranslateFailure {
  SqlError error;
};

/// What the translator believes an expression's type is; kUnknown costs only exactness.
enum class Inferred : std::uint8_t {
  kUnknown,
  kSmallint,
  kInteger,
  kBigint,
  kDecimal,
  kDouble,
  kText,
  kBoolean,
  kDate,
  kTimestamp,
  kInterval,
  kOtherKnown,
  kSuper,
  kSketch,  ///< HLLSKETCH
  kList
};

/// How texts are compared. What is open (literals, parameters, results of functions of other types)
/// takes the collation of what it meets, or else the database's.
enum class Collation : std::uint8_t {
  kOpen,
  kSensitive,
  kInsensitive,
  kMixed  ///< of two that differ: an error as soon as it matters
};

struct InferredType {
  Inferred kind = Inferred::kUnknown;
  std::int32_t precision = 18;  ///< kDecimal
  std::int32_t scale = 0;
  std::int32_t length = -1;                ///< kText of a declared length
  bool padded = false;                     ///< kText: CHAR
  bool trimmed = false;                    ///< kText: no value ends in a blank
  Collation collation = Collation::kOpen;  ///< kText
  bool collated =
      false;  ///< kText: a column that has the engine's own collation (note_cut_columns)
};

/// A numeric parameter has no precision of its own: NUMERIC's default would cut the decimals off.
inline constexpr InferredType kAnyDecimal{Inferred::kDecimal, 38, 10};
[[nodiscard]] inline bool is_any_decimal(const TypeName& type) {
  return type.kind == TypeKind::kDecimal && type.precision < 0;
}
[[nodiscard]] InferredType inferred_of(const TypeName& type);
[[nodiscard]] InferredType inferred_of(const Relation& relation, const RelationColumn& column);
/// The way back, as far as there is one.
[[nodiscard]] TypeName type_of(const InferredType& type);
[[nodiscard]] InferredType merged(const InferredType& a, const InferredType& b);
[[nodiscard]] Collation merged(Collation a, Collation b);
/// True for decimals that have no common type with all digits of both: 38 are too few, and those
/// before the point give way, as in Redshift, not those behind it.
[[nodiscard]] bool exceeds_digits(const InferredType& a, const InferredType& b);
/// "character varying": the type in a message.
[[nodiscard]] std::string type_words(const InferredType& type);

/// True for text whose values may end in blanks.
[[nodiscard]] bool has_blanks(const InferredType& type);
/// True for what does not end in a blank when it is text or becomes text.
[[nodiscard]] bool ends_in_no_blank(const InferredType& type);
[[nodiscard]] bool is_numeric(Inferred kind);

/// ASCII letters in upper case: names of functions in messages.
[[nodiscard]] std::string upper_case(std::string_view text);
/// True for the text of a finite number.
[[nodiscard]] bool is_number_text(std::string_view text);
/// True for AND, OR, NOT and the tests (IS, IN, LIKE, ...): written without brackets of their own,
/// boolean as values.
[[nodiscard]] bool is_condition(ExpressionKind kind);
/// True for a call of an aggregate, also as a window function.
[[nodiscard]] bool calls_aggregate(const Expression& node);
/// True when columns of several tables become one there: NATURAL, USING.
[[nodiscard]] bool joins_by_name(const TableReference& table);
/// True for emitted text that calls a macro which can end the statement (macros.cc).
[[nodiscard]] bool may_raise(std::string_view emitted);

/// What stands around a SUPER value, and so what is taken of it: a function of strings gets NULL
/// for a number, arithmetic gets NULL for a string.
enum class SuperUse : std::uint8_t { kValue, kText, kNumber };

/// What an argument of a call is turned into where it is written.
enum class Recast : std::uint8_t { kText, kDouble, kSuper };

struct ScopeColumn {
  std::string name;
  InferredType type;
  const Relation* relation = nullptr;      ///< where it is a plain column of; null: computed
  const RelationColumn* origin = nullptr;  ///< in `relation`
  std::string emitted{};  ///< where it is not its name in its table: an unnested element
};

/// A column that a star stands for.
struct StarColumn {
  ScopeColumn column;
  std::string text;  ///< as emitted
};

/// A relation named in FROM, under the name that columns use.
struct ScopeTable {
  std::string alias;          ///< as written (or the table's own name), lower case
  std::string schema;         ///< when no alias was written: schema.table.column is allowed
  std::string emitted_alias;  ///< differs from `alias` when two tables of one name meet
  bool columns_known = false;
  bool system = false;   ///< catalog relation: x[1] is an array element there, not a SUPER path
  bool element = false;  ///< an unnested SUPER array: the alias itself is the value
  const Relation* restricted = nullptr;  ///< some of its columns may not be read
  const Relation* relation = nullptr;    ///< it is that one itself, no query over it
  std::vector<ScopeColumn> columns;
  /// Where it stands in the output while FROM is written, and elements may be put into it.
  std::size_t begin = 0;
  std::size_t end = 0;   ///< 0: no element may be
  std::size_t host = 0;  ///< of elements put into a table: its number in FROM
};

/// True when the star, of all tables or of one, stands for the table's columns.
[[nodiscard]] bool covers(const Expression& star, const ScopeTable& table);

/// An alias of the select list, for the items behind it (Redshift's lateral aliases).
struct LateralAlias {
  std::string alias;
  std::string text;  ///< the expression as emitted
  InferredType type;
};

/// A key of GROUP BY whose equal values may be written differently: they are grouped by their
/// text_key(), and one of them stands for all.
struct KeyedGroup {
  const ScopeColumn* column = nullptr;  ///< null: an expression
  std::string text;                     ///< as emitted
  std::string key;                      ///< what is grouped by
  std::string shown;                    ///< what stands for it where groups are seen
};

struct Scope {
  std::vector<ScopeTable> tables;
  std::vector<LateralAlias> aliases{};  ///< of the items emitted so far
  bool by_alias = false;                ///< GROUP BY, ORDER BY: DuckDB knows every alias there
  bool alias_first = false;             ///< ORDER BY: an alias hides a column of FROM
  bool has_elements = false;            ///< a table gives unnested elements beside its own columns
  bool reordered = false;  ///< joined in another order than FROM has: * is written table by table
  std::string level{};     ///< with CONNECT BY: what stands for LEVEL
  std::vector<KeyedGroup> groups{};
  bool grouped = false;  ///< what is written now sees groups: `groups` are represented in it
  bool by_key = false;   ///< ... by their keys: the arguments of GROUPING
  /// Of GROUP BY: what is made of such a path must be made of the key, as the engine compares
  /// texts.
  std::set<std::pair<std::string, std::string>> grouped_paths{};
};

/// The key of a text (Emitter::text_key): of a literal, or of what stands for a parameter.
struct ConstantText {
  std::string sql;
  std::optional<std::string> literal{};
};

}  // namespace leat::sql
