// The tree of queries and expressions, as the parser builds it. Owned top-down by unique_ptr; depth
// is bounded by the parser (kTreeDepthMax), so recursive walks and destructors are stack-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "warehouse/sql/names.h"

namespace leat::sql {

struct Expression;
struct Query;
struct TableReference;
using ExpressionPtr = std::unique_ptr<Expression>;
using QueryPtr = std::unique_ptr<Query>;
using TablePtr = std::unique_ptr<TableReference>;

inline constexpr int kTreeDepthMax = 1000;  ///< deepest tree, else SQLSTATE 54001
inline constexpr int kNestingDepthMax =
    500;  ///< deepest brackets and subqueries, else SQLSTATE 54001

enum class NullOrder : std::uint8_t { kDefault, kFirst, kLast };

struct OrderItem {
  ExpressionPtr value;
  bool descending = false;
  bool direction_written = false;
  NullOrder nulls = NullOrder::kDefault;
};

enum class FrameBound : std::uint8_t {
  kUnboundedPreceding,
  kPreceding,
  kCurrentRow,
  kFollowing,
  kUnboundedFollowing
};

struct WindowFrame {
  bool range = false;  ///< RANGE instead of ROWS
  bool between = false;
  FrameBound start = FrameBound::kUnboundedPreceding;
  FrameBound end = FrameBound::kCurrentRow;
  ExpressionPtr start_offset;
  ExpressionPtr end_offset;
};

struct Window {
  std::vector<ExpressionPtr> partition_by;
  std::vector<OrderItem> order_by;
  std::unique_ptr<WindowFrame> frame;
};

/// Layout of `children` and `text` by kind; "names" and other fields are empty unless named.
enum class ExpressionKind : std::uint8_t {
  kNull,
  kBoolean,       ///< text "true" | "false"
  kNumber,        ///< text as written
  kString,        ///< text decoded
  kTypedLiteral,  ///< type, text: DATE '...'
  kInterval,      ///< text decoded; names: field words, such as {"day"} or {"year", "to", "month"}
  kParameter,     ///< number: 1 for $1
  kColumn,        ///< names: a | a.b | a.b.c ...; resolution of SUPER paths happens in translation;
                  ///< flag: marked (+)
  kStar,          ///< names: qualifier, may be empty
  kDefault,       ///< DEFAULT inside VALUES or SET
  kUnary,         ///< text: operator; children: operand
  kBinary,        ///< text: operator; children: left, right
  kAnd,           ///< children: two or more
  kOr,            ///< children: two or more
  kNot,           ///< children: operand
  kIs,       ///< text: null | true | false | unknown | distinct from; negated; children: operand[,
             ///< other]
  kBetween,  ///< negated; children: value, low, high
  kIn,       ///< negated; children: value, items...; or children: value, and query
  kLike,     ///< text: like | ilike | similar to; negated; children: value, pattern[, escape]
  kQuantified,  ///< text: operator; names: {"any" | "all"}; children: left[, array]; or query
  kCase,      ///< flag: has operand; children: [operand,] when, then, ...[, else] (flag2: has else)
  kCast,      ///< type; children: value; text: "cast" | "::" | "convert" | "try_cast"
  kFunction,  ///< see Call
  kSubquery,  ///< query
  kExists,    ///< query
  kArray,     ///< children: elements
  kArrayQuery,    ///< query: ARRAY(SELECT ...)
  kRow,           ///< children: two or more fields, or any number after the word ROW
  kSubscript,     ///< children: value, index
  kField,         ///< names: {field}; children: value: `(x).y`, `x[0].y`
  kAtTimeZone,    ///< children: value, zone
  kCollate,       ///< names: collation; children: value
  kGroupingSets,  ///< text: grouping sets | rollup | cube; children: kRow or single expressions
                  ///< (GROUP BY only)
};

/// The parts of a function call beyond its arguments.
struct Call {
  bool distinct = false;
  bool all = false;
  bool star = false;                      ///< count(*)
  bool approximate = false;               ///< APPROXIMATE COUNT(DISTINCT ...)
  bool bare = false;                      ///< written without parentheses: SYSDATE, CURRENT_DATE
  NullOrder nulls = NullOrder::kDefault;  ///< kFirst: IGNORE NULLS, kLast: RESPECT NULLS
  std::vector<OrderItem> within_group;
  std::vector<OrderItem> order_by;  ///< inside the parentheses
  ExpressionPtr filter;
  std::unique_ptr<Window> window;
};

struct Expression {
  /// From a pool of the calling thread (expression.cc); a node may be freed on any thread.
  static void* operator new(std::size_t bytes);
  static void operator delete(void* memory);

  ExpressionKind kind = ExpressionKind::kNull;
  bool negated = false;
  bool flag = false;
  bool flag2 = false;
  std::uint16_t depth = 1;
  std::int32_t number = 0;
  SourceSpan span;
  std::string text;                ///< kFunction: unused; the name is in `names`
  std::vector<std::string> names;  ///< kFunction: [schema,] name, lower case
  std::vector<ExpressionPtr> children;
  std::unique_ptr<TypeName> type;
  std::unique_ptr<Call> call;  ///< kFunction only, never null there
  QueryPtr query;
};

struct SelectItem {
  ExpressionPtr value;
  std::string alias;  ///< empty: none written
  SourceSpan span;
};

enum class JoinType : std::uint8_t { kInner, kLeft, kRight, kFull, kCross };
enum class TableKind : std::uint8_t {
  kName,  ///< a table, view, CTE, or (when its first part is an earlier alias) a SUPER path to
          ///< unnest
  kSubquery,
  kFunction,
  kJoin,
  kPivot,
  kUnpivot,
  kSuperUnpivot,  ///< UNPIVOT expression AS value AT attribute
};

struct PivotValue {
  ExpressionPtr value;  ///< UNPIVOT: a column
  std::string alias;
};

struct ColumnDefinitionAlias {
  std::string name;
  TypeName type;
};

struct TableReference {
  TableKind kind = TableKind::kName;
  SourceSpan span;
  std::uint16_t depth = 1;
  QualifiedName name;   ///< kName
  ExpressionPtr value;  ///< kFunction: the call; kSuperUnpivot and kName with subscripts: the path
  QueryPtr query;       ///< kSubquery
  bool lateral = false;
  bool only = false;
  std::string alias;
  std::vector<std::string> column_aliases;
  std::vector<ColumnDefinitionAlias> column_definitions;  ///< f() AS a(name type, ...)
  std::string at_alias;  ///< AS x AT idx; UNNEST(...) WITH OFFSET: the offset's column

  TablePtr left;  ///< kJoin; kPivot and kUnpivot: the source
  TablePtr right;
  JoinType join_type = JoinType::kInner;
  bool natural = false;
  std::vector<std::string> using_columns;
  ExpressionPtr on;

  // kPivot: aggregates FOR column IN (values); kUnpivot: value column FOR name column IN (columns).
  std::vector<SelectItem> pivot_aggregates;
  ExpressionPtr pivot_for;
  std::vector<PivotValue> pivot_values;
  std::string unpivot_value;
  std::string unpivot_name;
  bool unpivot_include_nulls = false;
};

struct Select {
  SourceSpan span;
  bool distinct = false;
  std::vector<ExpressionPtr> distinct_on;
  ExpressionPtr top;
  std::vector<SelectItem> items;
  std::vector<std::string> exclude;  ///< SELECT * EXCLUDE (...)
  std::vector<TablePtr> from;
  ExpressionPtr where;
  ExpressionPtr start_with;  ///< with connect_by only; may be null
  ExpressionPtr connect_by;  ///< holds kUnary "prior"
  bool no_cycle = false;
  std::vector<ExpressionPtr> group_by;
  bool group_by_all = false;
  ExpressionPtr having;
  ExpressionPtr qualify;
};

enum class QueryKind : std::uint8_t { kSelect, kSetOperation, kValues, kNested };
enum class SetOperator : std::uint8_t { kUnion, kIntersect, kExcept };

struct CommonTable {
  std::string name;
  std::vector<std::string> columns;
  QueryPtr query;
  SourceSpan span;
};

struct Query {
  QueryKind kind = QueryKind::kSelect;
  SourceSpan span;
  std::uint16_t depth = 1;
  bool recursive = false;
  std::vector<CommonTable> with;
  std::unique_ptr<Select> select;                  ///< kSelect
  std::vector<std::vector<ExpressionPtr>> values;  ///< kValues
  SetOperator set_operator = SetOperator::kUnion;  ///< kSetOperation
  bool set_all = false;
  QueryPtr left;   ///< kSetOperation; kNested: the query in parentheses
  QueryPtr right;  ///< kSetOperation
  std::vector<OrderItem> order_by;
  ExpressionPtr limit;
  ExpressionPtr offset;
};

}  // namespace leat::sql
