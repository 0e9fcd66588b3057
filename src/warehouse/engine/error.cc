#include "warehouse/engine/error.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/text.h"

namespace leat::engine {

std::unexpected<SqlError> fail_sql(std::string_view sqlstate, std::string message,
                                   std::string detail, std::string hint) {
  return std::unexpected(SqlError{.sqlstate = std::string(sqlstate),
                                  .message = std::move(message),
                                  .detail = std::move(detail),
                                  .hint = std::move(hint)});
}

namespace {

// Fields of a packed error are separated by a control character that DuckDB passes through and that
// no message holds.
constexpr std::string_view kPackMark = "leat-error\x1f";
constexpr char kPackSeparator = '\x1f';

/// One kind of DuckDB error: what its first line looks like and what it becomes.
/// `{}` in `pattern` stands for any text; {0}, {1} and so on in `message` for what it stood for,
/// without the quotes around it. {type 0} in `message` is the SQL name of a DuckDB type, {call 0
/// does not exist} a call's fault, with the types of its arguments. An empty `message` keeps the
/// text.
struct Rule {
  std::string_view pattern;
  std::string_view sqlstate;
  std::string_view message;
};

constexpr std::string_view kNoFunctionHint =
    "No function matches the given name and argument types. You may need to add explicit type "
    "casts.";
constexpr std::string_view kDamagedHint =
    "Stop the warehouse, move the file away, and restore a backup with: leat warehouse restore "
    "FILE (or start without one: the archive is loaded again).";
constexpr std::string_view kFullHint =
    "Nothing of the statement was kept. Make room on the warehouse's disk, and run it again.";
constexpr std::string_view kDropHint = "Use DROP ... CASCADE to drop the dependent objects too.";

constexpr std::array kCatalogRules{
    Rule{"Table with name {} does not exist because schema {} does not exist", "3F000",
         "schema \"{1}\" does not exist"},
    Rule{"Table with name {} does not exist", "42P01", "relation \"{0}\" does not exist"},
    Rule{"View with name {} does not exist", "42P01", "relation \"{0}\" does not exist"},
    Rule{"Sequence with name {} does not exist", "42P01", "relation \"{0}\" does not exist"},
    Rule{"Scalar Function with name {} does not exist", "42883", "function {0} does not exist"},
    Rule{"Table Function with name {} does not exist", "42883", "function {0} does not exist"},
    Rule{"Aggregate Function with name {} does not exist", "42883", "function {0} does not exist"},
    Rule{"Macro Function with name {} does not exist", "42883", "function {0} does not exist"},
    Rule{"Schema with name {} does not exist", "3F000", "schema \"{0}\" does not exist"},
    Rule{"SET schema: No catalog + schema named {} found", "3F000",
         "schema \"{0}\" does not exist"},
    Rule{"Type with name {} does not exist", "42704", "type \"{0}\" does not exist"},
    Rule{"Catalog {} does not exist", "3D000", "database \"{0}\" does not exist"},
    Rule{"Table with name {} already exists", "42P07", "Relation \"{0}\" already exists"},
    Rule{"View with name {} already exists", "42P07", "Relation \"{0}\" already exists"},
    Rule{"Schema with name {} already exists", "42P06", "Schema \"{0}\" already exists"},
    Rule{"Column with name {} already exists", "42701", "column \"{0}\" already exists"},
    Rule{"Existing object {} is of type {}, trying to {} type {}", "42809", "\"{0}\" is not a {3}"},
    Rule{"Cannot drop {} because there are entries that depend on it", "2BP01",
         "cannot drop {0} because other objects depend on it"},
    Rule{"unrecognized configuration parameter {}", "42704",
         "unrecognized configuration parameter \"{0}\""},
    Rule{"write-write conflict on {}", "40001", "Serializable isolation violation on table - {0}"},
    Rule{"Catalog write-write conflict on {}", "40001",
         "Serializable isolation violation on table - {0}"},
    Rule{"{}write-write conflict{}", "40001",
         "Serializable isolation violation: another transaction changed the same object"},
    Rule{"", "42704", ""},
};

constexpr std::array kBinderRules{
    Rule{"Referenced column {} not found in FROM clause", "42703", "column \"{0}\" does not exist"},
    Rule{"Referenced column {} was not found because the FROM clause is missing", "42703",
         "column \"{0}\" does not exist"},
    Rule{"Referenced table {} not found", "42P01", "relation \"{0}\" does not exist"},
    Rule{"Referenced update column {} not found in table", "42703",
         "column \"{0}\" does not exist"},
    Rule{"Values list {} does not have a column named {}", "42703",
         "column \"{1}\" does not exist in {0}"},
    Rule{"Table {} does not have a column named {}", "42703",
         "column \"{1}\" does not exist in {0}"},
    Rule{"Table {} does not have a column with name {}", "42703",
         "column \"{1}\" does not exist in {0}"},
    Rule{"Column {} referenced that exists in the SELECT clause{}", "42703",
         "column \"{0}\" does not exist"},
    Rule{"Catalog {} does not exist", "3D000", "database \"{0}\" does not exist"},
    Rule{"Ambiguous reference to column name {} (", "42702",
         "column reference \"{0}\" is ambiguous"},
    Rule{"Duplicate column name {} in INSERT", "42701", "column \"{0}\" specified more than once"},
    Rule{"Duplicate column name {}", "42701", "column \"{0}\" specified more than once"},
    Rule{"column {} must appear in the GROUP BY clause", "42803",
         "column \"{0}\" must appear in the GROUP BY clause or be used in an aggregate function"},
    Rule{"No function matches the given name and argument types {}. You", "42883",
         "{call 0 does not exist}"},
    Rule{"Could not choose a best candidate function for the function call {}. In", "42725",
         "{call 0 is not unique}"},
    Rule{"Separator argument to StringAgg must be a constant", "0A000",
         "a separator that is not constant is not supported"},
    Rule{"Macro {}() does not support the supplied arguments{}", "42883",
         "function {0} with arguments of these types, or so many, does not exist"},
    Rule{"No matching aggregate function", "42883", "aggregate function does not exist"},
    Rule{"Aggregate with only constant parameters has to be bound in the root subquery", "0A000",
         "an aggregate of constants is not supported here"},
    Rule{"correlated columns in window functions not supported", "0A000",
         "columns of the outer query in a window function are not supported"},
    Rule{"QUANTILE argument must not be NULL", "22003", "percentile value must not be NULL"},
    Rule{"GROUPING function is not supported here", "42803", "GROUPING cannot stand here"},
    Rule{"GROUPING statement cannot be used without groups", "42803",
         "GROUPING needs a GROUP BY clause"},
    Rule{"json_object() requires an even number of arguments", "42883",
         "function object needs a value for every name"},
    Rule{"{} can only take constant parameters", "0A000",
         "an argument that is not constant is not supported here"},
    Rule{"aggregate function calls cannot contain window function calls", "42803",
         "aggregate function calls may not contain window function calls"},
    Rule{"window function calls cannot be nested", "42P20",
         "window function calls may not be nested"},
    Rule{"{}window {}not supported here", "42P20", "a window function cannot stand here"},
    Rule{"json_object() keys must be VARCHAR{}", "42883",
         "function object needs a text for every name"},
    Rule{"JSON path error near {}", "22023", "invalid path into JSON near {0}"},
    Rule{"subqueries in lambda expressions are not supported", "0A000",
         "a subquery is not supported as this argument"},
    Rule{"Cannot mix values of type {} and {} in {} operator", "42804",
         "{2} types {type 0} and {type 1} cannot be matched"},
    Rule{"Cannot mix values of type {} and {} in {} clause", "42804",
         "{2} types {type 0} and {type 1} cannot be matched"},
    Rule{"Cannot mix values of type {} and {} in {} expression", "42804",
         "{2} types {type 0} and {type 1} cannot be matched"},
    Rule{"Cannot combine types of {} and {} - an explicit cast", "42804",
         "types {type 0} and {type 1} cannot be matched"},
    Rule{"table {} has {} columns but {} values were supplied", "42601",
         "INSERT has {2} expressions for {1} target columns of {0}"},
    Rule{"Column name/value mismatch for insert on {}: expected {} columns but {} values", "42601",
         "INSERT has {2} expressions for {1} target columns of {0}"},
    Rule{"QUANTILE can only take parameters in the range {}", "22003",
         "percentile value is not between 0 and 1"},
    Rule{"Function {} is a table function but it was used as a scalar{}", "0A000",
         "function {0}() gives rows: it is supported in FROM only"},
    Rule{"UNNEST not supported here", "0A000",
         "an array is not supported here: ANY and ALL take a query or ARRAY[...], else write IN "
         "(...); UNNEST stands in FROM"},
    Rule{"Cannot compare values of type {} and {} in {} - an explicit cast", "42883",
         "operator does not exist: a {type 0} cannot be compared with a {type 1} without a cast"},
    Rule{"Cannot compare values of type {} and {} - an explicit cast", "42883",
         "operator does not exist: a {type 0} cannot be compared with a {type 1} without a cast"},
    Rule{"Cannot compare values of type {} and type {} - an explicit cast", "42883",
         "operator does not exist: a {type 0} cannot be compared with a {type 1} without a cast"},
    Rule{"GROUP BY clause cannot contain aggregates", "42803",
         "aggregates not allowed in GROUP BY clause"},
    Rule{"aggregate functions are not allowed in UPDATE", "42803",
         "cannot use aggregate function in UPDATE"},
    Rule{"Multiple assignments to same column {}", "42601",
         "multiple assignments to same column \"{0}\""},
    Rule{"DEFAULT value cannot contain subqueries", "0A000",
         "cannot use subquery in default expression"},
    Rule{"DEFAULT value cannot contain column names", "42P10",
         "cannot use column references in default expression"},
    Rule{"Could not ORDER BY column {}: add the", "0A000",
         "ORDER BY on a UNION/INTERSECT/EXCEPT result must be on one of the result columns"},
    Rule{"LIMIT/OFFSET cannot be negative", "2201W", "LIMIT and OFFSET must not be negative"},
    Rule{"at least one window function must appear in the SELECT column or QUALIFY", "42P20",
         "QUALIFY needs a window function in its condition or in the select list"},
    Rule{"Column {} in EXCLUDE list not found", "42703",
         "column \"{0}\" of the EXCLUDE list does not exist"},
    Rule{"Circular reference to CTE {}, use", "42P19",
         "recursive reference to query \"{0}\" must not appear within its non-recursive term"},
    Rule{"Ambiguous reference to table {} (duplicate", "42712",
         "table name \"{0}\" specified more than once"},
    Rule{"table {} has {} columns available but {} columns specified", "42P10",
         "table \"{0}\" has {1} columns available but {2} columns specified"},
    Rule{"Cannot extract field from expression {} because", "42809",
         "cannot read a field of {0}: it is no SUPER value"},
    Rule{"WHERE clause cannot contain aggregates", "42803",
         "aggregates not allowed in WHERE clause"},
    Rule{"WHERE clause cannot contain window functions", "42P20",
         "window functions not allowed in WHERE clause"},
    Rule{"aggregate function calls cannot be nested", "42803",
         "aggregate function calls may not be nested"},
    Rule{"ORDER term out of range {}", "42P10", "ORDER BY position is not in select list"},
    Rule{"GROUP BY term out of range {}", "42P10", "GROUP BY position is not in select list"},
    Rule{"Set operations can only apply to expressions with the same number of result columns",
         "42601", "each UNION, INTERSECT or EXCEPT query must have the same number of columns"},
    Rule{"Unimplemented type for cast ({} -> {})", "42846",
         "cannot cast type {type 0} to {type 1}"},
    Rule{"{} must return {} column{}", "42601", ""},
    Rule{"Subquery returns {} columns - expected {}", "42601",
         "subquery must return only {1} column"},
    Rule{"", "42000", ""},
};

constexpr std::array kConversionRules{
    Rule{"Could not convert string {} to INTERVAL", "22007",
         "invalid input syntax for type interval: \"{0}\""},
    Rule{"Could not convert string {} to {} when casting from source column{}", "22P02",
         "invalid input syntax for {type 1}: \"{0}\""},
    Rule{"Could not convert string {} to {}", "22P02",
         "invalid input syntax for {type 1}: \"{0}\""},
    Rule{"date field value out of range: {}, expected{}", "22008",
         "date/time field value out of range: \"{0}\""},
    Rule{"date field value out of range: {}", "22008",
         "date/time field value out of range: \"{0}\""},
    Rule{"timestamp field value out of range: {}, expected{}", "22008",
         "date/time field value out of range: \"{0}\""},
    Rule{"timestamp field value out of range: {}", "22008",
         "date/time field value out of range: \"{0}\""},
    Rule{"time field value out of range: {}, expected{}", "22008",
         "date/time field value out of range: \"{0}\""},
    Rule{"time field value out of range: {}", "22008",
         "date/time field value out of range: \"{0}\""},
    Rule{"invalid date field format: {}, expected{}", "22007",
         "invalid input syntax for type date: \"{0}\""},
    Rule{"invalid timestamp field format: {}, expected{}", "22007",
         "invalid input syntax for type timestamp: \"{0}\""},
    Rule{"invalid time field format: {}, expected{}", "22007",
         "invalid input syntax for type time: \"{0}\""},
    Rule{"Could not cast value {} to DECIMAL({})", "22003",
         "numeric field overflow: {0} does not fit numeric({1})"},
    Rule{"Casting value {} to type {} failed: value is out of range", "22003",
         "numeric field overflow: {0} does not fit {type 1}"},
    Rule{"Type {} with value {} can't be cast because the value is out of range for the "
         "destination type {}",
         "22003", "{type 2} out of range"},
    Rule{"Type {} with value {} can't be cast to the destination type {}", "22003",
         "{type 2} out of range"},
    Rule{"Unimplemented type for cast ({} -> {})", "42846",
         "cannot cast type {type 0} to {type 1}"},
    Rule{"Malformed JSON{} when casting from source column{}", "22P02", "invalid JSON {0}"},
    Rule{"Unable to cast '{}' to {} when casting from source column{}", "22P02",
         "cannot cast {0} to {type 1}"},
    Rule{"Invalid byte encountered in STRING -> BLOB conversion of string {}. All{}", "22P02",
         "cannot cast {0} to varbyte without an explicit cast: it has other characters than ASCII"},
    Rule{"Unable to cast '{}' to {}", "22P02", "cannot cast {0} to {type 1}"},
    Rule{"Malformed JSON{}", "22P02", "invalid JSON {0}"},
    Rule{"", "22P02", ""},
};

constexpr std::array kRangeRules{
    Rule{"Overflow in {} of INT16 {}", "22003", "smallint out of range"},
    Rule{"Overflow in {} of INT32 {}", "22003", "integer out of range"},
    Rule{"Overflow in {} of INT64 {}", "22003", "bigint out of range"},
    Rule{"Overflow in {} of {} ({}", "22003", "Numeric data overflow ({0})"},
    Rule{"Needed scale {} to accurately represent the multiplication result{}", "22003",
         "128 bit numeric data overflow (multiplication)"},
    Rule{"cannot take logarithm of {}", "2201E", "cannot take logarithm of {0}"},
    Rule{"cannot take square root of {}", "2201F", "cannot take square root of {0}"},
    Rule{"", "22003", ""},
};

constexpr std::array kConstraintRules{
    Rule{"NOT NULL constraint failed: {}.{}", "23502",
         "Cannot insert a NULL value into column {1}"},
    Rule{"CHECK constraint failed{}", "23514", ""},
    Rule{"{}oreign key{}", "23503", ""},
    Rule{"", "23505", ""},
};

constexpr std::array kParserRules{
    Rule{"syntax error at or near {}", "42601", "syntax error at or near \"{0}\""},
    Rule{"unterminated quoted {} at or near {}", "42601", "unterminated quoted {0}"},
    Rule{"zero-length delimited identifier at or near {}", "42601",
         "zero-length delimited identifier"},
    Rule{"", "42601", ""},
};

constexpr std::array kTransactionRules{
    Rule{"{}No space left on device{}", "53100", "could not write: the disk is full"},
    Rule{"Failed to commit: Could not {}", "58030", "could not commit: could not {0}"},
    Rule{"cannot start a transaction within a transaction", "25001",
         "there is already a transaction in progress"},
    Rule{"{}no transaction is active", "25P01", "there is no transaction in progress"},
    Rule{"Current transaction is aborted{}", "25P02",
         "current transaction is aborted, commands ignored until end of transaction block"},
    Rule{"Cannot write {} - transaction is launched in read-only mode", "25006",
         "transaction is read-only"},
    Rule{"{}transaction is launched in read-only mode{}", "25006", "transaction is read-only"},
    Rule{"Attempting to write to database {} in a transaction that has already modified database "
         "{} {}",
         "0A000",
         "a transaction can write to one database only, and this one has written to \"{1}\""},
    Rule{"", "40001",
         "Serializable isolation violation: another transaction changed the same rows or object"},
};

constexpr std::array kInputRules{
    Rule{"division by zero", "22012", "division by zero"},
    Rule{"Division by zero", "22012", "division by zero"},
    Rule{"Divide by zero", "22012", "Divide by zero"},
    Rule{"More than one row returned by a subquery used as an expression{}", "21000",
         "more than one row returned by a subquery used as an expression"},
    Rule{"Values were not provided for the following prepared statement parameters: {}", "08P01",
         "no value was given for parameter ${0}"},
    Rule{"Expected {} parameters, but none were supplied", "42P02", "there is no parameter $1"},
    Rule{"{}transaction is launched in read-only mode{}", "25006", "transaction is read-only"},
    Rule{"{} is undefined outside {}", "22003", "input is out of range"},
    Rule{"missing ]: {}", "2201B", "invalid regular expression: [ without ]: {0}"},
    Rule{"missing ): {}", "2201B", "invalid regular expression: ( without ): {0}"},
    Rule{"unexpected ): {}", "2201B", "invalid regular expression: ) without (: {0}"},
    Rule{"no argument for repetition operator: {}", "2201B",
         "invalid regular expression: nothing to repeat before {0}"},
    Rule{"bad repetition operator: {}", "2201B",
         "invalid regular expression: wrong repetition {0}"},
    Rule{"invalid {}: {}", "2201B", "invalid regular expression: {0} {1}"},
    Rule{"trailing \\{}", "2201B", "invalid regular expression: \\ at its end"},
    Rule{"Malformed JSON{}", "22P02", "invalid JSON {0}"},
    Rule{"", "22023", ""},
};

constexpr std::array kIoRules{
    Rule{"{}No space left on device{}", "53100", "could not write: the disk is full"},
    Rule{"Corrupt database file: {}", "XX001", "the warehouse's file is damaged: {0}"},
    Rule{"Could not read enough bytes from file {}", "XX001",
         "the warehouse's file is damaged: it ends too early: {0}"},
    Rule{"No files found that match the pattern {}", "58P01", "no file matches {0}"},
    Rule{"", "58030", ""},
};
constexpr std::array kMemoryRules{Rule{"", "53200", ""}};
constexpr std::array kDependencyRules{
    Rule{"Cannot drop {} because there are entries that depend on it", "2BP01",
         "cannot drop {0} because other objects depend on it"},
    Rule{"Cannot alter {} because there are entries that depend on it", "2BP01",
         "cannot alter {0} because other objects depend on it"},
    Rule{"", "2BP01", ""},
};
constexpr std::array kPermissionRules{Rule{"", "42501", ""}};
constexpr std::array kUnsupportedRules{
    Rule{"Unknown TimeZone '{}'{}", "22023", "time zone \"{0}\" not recognized"},
    Rule{"Cannot perform non-inner join on subquery", "0A000",
         "an outer join whose condition has a subquery over both its tables is not supported"},
    Rule{"Non-inner join on correlated columns", "0A000",
         "an outer join whose condition names a table outside of the join is not supported"},
    Rule{"Unsupported join type for flattening correlated subquery", "0A000",
         "This type of correlated subquery pattern is not supported yet"},
    Rule{"", "0A000", ""}};
constexpr std::array kInterruptRules{Rule{"", "57014", "Query cancelled on user's request"}};
constexpr std::array kSequenceRules{Rule{"", "55000", ""}};

struct Family {
  std::string_view prefix;
  std::span<const Rule> rules;
};

const std::array kFamilies{
    Family{"Catalog Error: ", kCatalogRules},
    Family{"Binder Error: ", kBinderRules},
    Family{"Conversion Error: ", kConversionRules},
    Family{"Mismatch Type Error: ", kConversionRules},
    Family{"Out of Range Error: ", kRangeRules},
    Family{"Constraint Error: ", kConstraintRules},
    Family{"Parser Error: ", kParserRules},
    Family{"Syntax Error: ", kParserRules},
    Family{"TransactionContext Error: ", kTransactionRules},
    Family{"Transaction Error: ", kTransactionRules},
    Family{"Invalid Input Error: ", kInputRules},
    Family{"IO Error: ", kIoRules},
    Family{"Out of Memory Error: ", kMemoryRules},
    Family{"Dependency Error: ", kDependencyRules},
    Family{"Permission Error: ", kPermissionRules},
    Family{"Not implemented Error: ", kUnsupportedRules},
    Family{"INTERRUPT Error: ", kInterruptRules},
    Family{"Sequence Error: ", kSequenceRules},
    Family{"Divide by Zero Error: ", kInputRules},
};

/// The texts that the `{}` of `pattern` stand for, or nothing when `text` does not begin like the
/// pattern. A `{}` at the pattern's end takes the whole rest.
std::optional<std::vector<std::string_view>> match(std::string_view pattern,
                                                   std::string_view text) {
  std::vector<std::string_view> holes;
  while (!pattern.empty()) {
    const std::size_t hole = pattern.find("{}");
    const std::string_view literal = pattern.substr(0, hole);
    if (!text.starts_with(literal)) return std::nullopt;
    text.remove_prefix(literal.size());
    if (hole == std::string_view::npos) return holes;
    pattern.remove_prefix(hole + 2);
    const std::string_view next = pattern.substr(0, pattern.find("{}"));
    const std::size_t end = next.empty() ? text.size() : text.find(next);
    if (end == std::string_view::npos) return std::nullopt;
    holes.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return holes;
}

std::string_view without_quotes(std::string_view text) {
  text = trim(text);
  if (text.size() >= 2 && (text.front() == '"' || text.front() == '\'') &&
      text.back() == text.front()) {
    text = text.substr(1, text.size() - 2);
  }
  while (text.ends_with('!') || text.ends_with('.')) text.remove_suffix(1);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    text = text.substr(1, text.size() - 2);
  }
  return text;
}

/// "integer" for "INT32": what PostgreSQL calls a DuckDB type in its messages.
std::string type_name(std::string_view duckdb_name) {
  duckdb_name = without_quotes(duckdb_name);
  constexpr std::array<std::pair<std::string_view, std::string_view>, 22> kNames{{
      {"BOOL", "boolean"},
      {"BOOLEAN", "boolean"},
      {"INT8", "smallint"},
      {"INT16", "smallint"},
      {"SMALLINT", "smallint"},
      {"INT32", "integer"},
      {"INTEGER", "integer"},
      {"INT64", "bigint"},
      {"BIGINT", "bigint"},
      {"INT128", "numeric"},
      {"HUGEINT", "numeric"},
      {"FLOAT", "real"},
      {"DOUBLE", "double precision"},
      {"VARCHAR", "character varying"},
      {"STRING_LITERAL", "character varying"},
      {"INTEGER_LITERAL", "integer"},
      {"\"NULL\"", "unknown"},
      {"SQLNULL", "unknown"},
      {"TIMESTAMP WITH TIME ZONE", "timestamp with time zone"},
      {"TIMESTAMP", "timestamp"},
      {"BLOB", "varbyte"},
      {"JSON", "super"},
  }};
  for (const auto& [from, to] : kNames) {
    if (from == duckdb_name) return std::string(to);
  }
  if (duckdb_name.starts_with("DECIMAL")) {
    // A pattern that ends its hole at the next ')' leaves the type's own behind.
    const bool open =
        duckdb_name.find('(') != std::string_view::npos && !duckdb_name.ends_with(')');
    return "numeric" + std::string(duckdb_name.substr(7)) + (open ? ")" : "");
  }
  return to_lower(duckdb_name);
}

/// The engine's functions that stand for others.
constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kWrittenNames{{
    {"json_type", "json_typeof"},
    {"string_agg", "listagg"},
    {"quantile_cont", "percentile_cont"},
    {"quantile_disc", "percentile_disc"},
    {"approx_quantile", "percentile_disc"},
    {"arg_max", "max_by"},
    {"arg_min", "min_by"},
    {"json_extract_string", "json_extract_path_text"},
    {"regexp_matches", "~"},
    {"finite", "*"},
}};

/// "function len(integer) does not exist" for "leat_len(INTEGER)", "operator does not exist:
/// integer
/// + character varying" for "+(INTEGER, VARCHAR)": types under their SQL names, functions under
/// those that were written. `fault`: "does not exist".
std::string call_fault(std::string_view call, std::string_view fault) {
  call = without_quotes(call);
  const std::size_t open = call.find('(');
  if (open == std::string_view::npos || !call.ends_with(')'))
    return fmt::format("function {} {}", call, fault);
  std::string_view name = call.substr(0, open);
  if (const std::size_t dot = name.rfind('.'); dot != std::string_view::npos)
    name.remove_prefix(dot + 1);
  for (const std::string_view own : {"leat_", "\""}) {
    if (name.starts_with(own)) name.remove_prefix(own.size());
  }
  if (name.ends_with('"')) name.remove_suffix(1);
  for (const auto& [engine, written] : kWrittenNames) {
    if (name == engine) name = written;
  }
  // Commas in the brackets of DECIMAL(18,2) stay.
  std::vector<std::string> types;
  std::string_view rest = call.substr(open + 1, call.size() - open - 2);
  while (!rest.empty()) {
    std::size_t end = 0;
    for (int depth = 0; end < rest.size() && (rest[end] != ',' || depth > 0); ++end)
      depth += rest[end] == '(' ? 1 : rest[end] == ')' ? -1 : 0;
    types.push_back(type_name(trim(rest.substr(0, end))));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  const bool word = !name.empty() && (name[0] == '_' || (name[0] | 32) >= 'a') && name != "~~";
  if (!word && types.size() == 2)
    return fmt::format("operator {}: {} {} {}", fault, types[0], name, types[1]);
  if (!word && types.size() == 1) return fmt::format("operator {}: {} {}", fault, name, types[0]);
  return fmt::format("function {}({}) {}", name, fmt::join(types, ", "), fault);
}

std::string fill(std::string_view message, const std::vector<std::string_view>& holes) {
  std::string out;
  for (std::size_t i = 0; i < message.size(); ++i) {
    if (message[i] != '{') {
      out += message[i];
      continue;
    }
    const std::size_t end = message.find('}', i);
    std::string_view name = message.substr(i + 1, end - i - 1);
    const bool is_type = name.starts_with("type ");
    const bool is_call = name.starts_with("call ");
    if (is_type || is_call) name.remove_prefix(5);
    const std::string_view fault = name.substr(std::min(name.find(' '), name.size() - 1) + 1);
    const std::size_t index =
        parse_number<std::size_t>(is_call ? name.substr(0, name.find(' ')) : name).value_or(0);
    if (index < holes.size()) {
      out += is_type   ? type_name(holes[index])
             : is_call ? call_fault(holes[index], fault)
                       : std::string(without_quotes(holes[index]));
    }
    i = end;
  }
  return out;
}

/// 1-based byte in `sql` that the "LINE n: ..." and caret lines at the end of `text` point at; 0
/// without them.
std::int64_t find_position(std::string_view text, std::string_view sql) {
  const std::size_t line_at = text.rfind("\nLINE ");
  if (line_at == std::string_view::npos || sql.empty()) return 0;
  const std::string_view tail = text.substr(line_at + 1);
  const std::size_t colon = tail.find(": ");
  const std::size_t line_end = tail.find('\n');
  if (colon == std::string_view::npos || line_end == std::string_view::npos || colon > line_end) {
    return 0;
  }
  const auto line_number = parse_number<std::size_t>(tail.substr(5, colon - 5));
  const std::size_t caret = tail.substr(line_end + 1).find('^');
  if (!line_number || *line_number == 0 || caret == std::string_view::npos || caret < colon + 2) {
    return 0;
  }
  std::size_t line_start = 0;
  for (std::size_t i = 1; i < *line_number; ++i) {
    line_start = sql.find('\n', line_start);
    if (line_start == std::string_view::npos) return 0;
    ++line_start;
  }
  const std::string_view line = sql.substr(line_start, sql.find('\n', line_start) - line_start);
  std::string_view shown = tail.substr(colon + 2, line_end - colon - 2);
  std::size_t column = caret - colon - 2;
  if (shown.starts_with("...") && !line.starts_with("...")) {
    shown.remove_prefix(3);
    if (column < 3) return 0;
    column -= 3;
    if (shown.ends_with("...")) shown.remove_suffix(3);
    const std::size_t at = line.find(shown);
    if (at == std::string_view::npos) return 0;
    column += at;
  }
  if (column > line.size()) return 0;
  return static_cast<std::int64_t>(line_start + column + 1);
}

/// The SQLSTATE at the head of "22001: value too long": how SQL of ours raises errors with
/// error('22001: ...').
std::optional<SqlError> read_state(std::string_view text) {
  constexpr std::string_view kPrefix = "Invalid Input Error: ";
  if (!text.starts_with(kPrefix)) return std::nullopt;
  text.remove_prefix(kPrefix.size());
  if (text.size() < 7 || text.substr(5, 2) != ": ") return std::nullopt;
  for (const char c : text.substr(0, 5)) {
    if ((c < '0' || c > '9') && (c < 'A' || c > 'Z')) return std::nullopt;
  }
  const std::string_view message = text.substr(7, text.find("\n\nLINE ") - 7);
  return SqlError{.sqlstate = std::string(text.substr(0, 5)), .message = std::string(message)};
}

std::string_view first_line(std::string_view text) {
  return text.substr(0, text.find('\n'));
}

std::optional<SqlError> unpack(std::string_view text) {
  const std::size_t at = text.find(kPackMark);
  if (at == std::string_view::npos) return std::nullopt;
  const auto fields = split(text.substr(at + kPackMark.size()), kPackSeparator);
  if (fields.size() < 4 || fields[0].size() != 5) return std::nullopt;
  return SqlError{.sqlstate = std::string(fields[0]),
                  .message = std::string(fields[1]),
                  .detail = std::string(fields[2]),
                  .hint = std::string(fields[3])};
}

void add_advice(SqlError& error, std::string_view text) {
  if (error.sqlstate == "42883" || error.sqlstate == "42725") error.hint = kNoFunctionHint;
  if (error.sqlstate == "2BP01") error.hint = kDropHint;
  if (error.sqlstate == "53200") {
    error.detail = error.message;
    error.message = "out of memory";
    error.hint = "Raise the warehouse's memory limit or let the statement touch less data at once.";
  }
  if (error.sqlstate == "53100") error.hint = kFullHint;
  if (error.sqlstate == "XX001") error.hint = kDamagedHint;
  if (error.sqlstate == "40001") error.hint = "Run the transaction again.";
  if (!error.hint.empty()) return;
  const std::size_t advice = text.find("\nDid you mean ");
  if (advice != std::string_view::npos) error.hint = first_line(text.substr(advice + 1));
}

}  // namespace

std::string pack_error(const SqlError& error) {
  const auto clean = [](std::string_view text) {
    std::string out(text);
    for (char& c : out) {
      if (c == kPackSeparator || c == '\0') c = ' ';
    }
    return out;
  };
  // The closing separator keeps what DuckDB appends (such as "LINE 1: ...") out of the last field.
  return fmt::format("{}{}{}{}{}{}{}{}{}", kPackMark, clean(error.sqlstate), kPackSeparator,
                     clean(error.message), kPackSeparator, clean(error.detail), kPackSeparator,
                     clean(error.hint), kPackSeparator);
}

SqlError map_duckdb_error(std::string_view text, std::string_view sql) {
  if (auto packed = unpack(text)) return *packed;
  if (auto raised = read_state(text)) return *raised;
  SqlError error;
  error.engine_position = find_position(text, sql);
  for (const Family& family : kFamilies) {
    if (!text.starts_with(family.prefix)) continue;
    const std::string_view line = first_line(text.substr(family.prefix.size()));
    for (const Rule& rule : family.rules) {
      const auto holes = match(rule.pattern, line);
      if (!holes) continue;
      error.sqlstate = rule.sqlstate;
      error.message = rule.message.empty() ? std::string(trim(line)) : fill(rule.message, *holes);
      add_advice(error, text);
      return error;
    }
  }
  error.sqlstate = "XX000";
  const bool is_fatal = text.starts_with("FATAL Error: ") || text.starts_with("INTERNAL Error: ");
  if (is_fatal) text.remove_prefix(text.find(": ") + 2);
  error.message = fmt::format("internal error of the engine: {}", first_line(text));
  return error;
}

}  // namespace leat::engine
