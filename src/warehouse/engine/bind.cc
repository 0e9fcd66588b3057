// Parameters of prepared statements.
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <type_traits>

#include "base/error.h"
#include "base/text.h"
#include "base/time.h"
#include "warehouse/engine/duckdb_bridge.h"
#include "warehouse/engine/number.h"

namespace leat::engine {

namespace {

SqlStatus bound(duckdb_state state) {
  if (state == DuckDBSuccess) return {};
  return fail_sql("08P01", "the parameter could not be bound");
}

std::unexpected<SqlError> bad_text(std::string_view type, std::string_view text) {
  return fail_sql("22P02", fmt::format("invalid input syntax for {}: \"{}\"", type, text));
}

duckdb_hugeint to_duckdb(HugeInt value) {
  return {.lower = value.low, .upper = value.high};
}

SqlStatus bind_decimal(duckdb_prepared_statement statement, idx_t index, std::string_view text,
                       const ColumnType& type) {
  const DecimalText parsed =
      parse_decimal(text, type.width, type.scale, DecimalRounding::kHalfAwayFromZero);
  if (parsed.error == NumberError::kRange) {
    return fail_sql("22003", fmt::format("numeric field overflow: {} does not fit numeric({},{})",
                                         text, type.width, type.scale));
  }
  if (parsed.error) return bad_text("numeric", text);
  return bound(duckdb_bind_decimal(
      statement, index,
      {.width = type.width, .scale = type.scale, .value = to_duckdb(parsed.unscaled)}));
}

template <class T>
SqlResult<T> read_integer(std::string_view text, std::string_view type) {
  std::string_view digits = trim(text);
  if (digits.starts_with('+')) digits.remove_prefix(1);
  if (const auto value = parse_number<T>(digits)) return *value;
  const std::string_view rest = digits.starts_with('-') ? digits.substr(1) : digits;
  const bool is_number =
      !rest.empty() && rest.find_first_not_of("0123456789") == std::string_view::npos;
  if (is_number) return fail_sql("22003", fmt::format("{} out of range", type));
  return bad_text(type, text);
}

SqlResult<double> read_double(std::string_view text, std::string_view type) {
  std::string_view number = trim(text);
  if (number.starts_with('+')) number.remove_prefix(1);
  if (equal_ignore_case(number, "nan")) return std::numeric_limits<double>::quiet_NaN();
  if (equal_ignore_case(number, "infinity")) return std::numeric_limits<double>::infinity();
  if (equal_ignore_case(number, "-infinity")) return -std::numeric_limits<double>::infinity();
  const auto value = parse_number<double>(number);
  if (!value) return bad_text(type, text);
  return *value;
}

SqlResult<bool> read_boolean(std::string_view text) {
  const std::string word = to_lower(trim(text));
  for (const std::string_view yes : {"t", "true", "y", "yes", "1", "on"}) {
    if (word == yes) return true;
  }
  for (const std::string_view no : {"f", "false", "n", "no", "0", "off"}) {
    if (word == no) return false;
  }
  return bad_text("type boolean", text);
}

SqlResult<std::int64_t> read_timestamp(std::string_view text, std::string_view type) {
  if (const auto time = parse_iso8601(trim(text))) return time->value;
  return fail_sql("22007", fmt::format("invalid input syntax for type {}: \"{}\"", type, text));
}

/// Text for a parameter of a known type. Kinds without a form of their own here go to DuckDB as
/// VARCHAR.
SqlStatus bind_text(duckdb_prepared_statement statement, idx_t index, std::string_view text,
                    const ColumnType& type) {
  switch (type.type) {
    case Type::kBoolean: {
      LEAT_ASSIGN(const bool value, read_boolean(text));
      return bound(duckdb_bind_boolean(statement, index, value));
    }
    case Type::kInt8:
    case Type::kInt16: {
      LEAT_ASSIGN(const std::int16_t value, read_integer<std::int16_t>(text, "smallint"));
      return bound(duckdb_bind_int16(statement, index, value));
    }
    case Type::kInt32: {
      LEAT_ASSIGN(const std::int32_t value, read_integer<std::int32_t>(text, "integer"));
      return bound(duckdb_bind_int32(statement, index, value));
    }
    case Type::kInt64: {
      LEAT_ASSIGN(const std::int64_t value, read_integer<std::int64_t>(text, "bigint"));
      return bound(duckdb_bind_int64(statement, index, value));
    }
    case Type::kHugeInt:
      return bind_decimal(statement, index, text, {.type = Type::kDecimal, .width = 38});
    case Type::kDecimal:
      return bind_decimal(statement, index, text, type);
    case Type::kFloat: {
      LEAT_ASSIGN(const double value, read_double(text, "real"));
      return bound(duckdb_bind_float(statement, index, static_cast<float>(value)));
    }
    case Type::kDouble: {
      LEAT_ASSIGN(const double value, read_double(text, "double precision"));
      return bound(duckdb_bind_double(statement, index, value));
    }
    case Type::kDate: {
      LEAT_ASSIGN(const std::int64_t us, read_timestamp(text, "date"));
      const auto days = static_cast<std::int32_t>(us >= 0 ? us / kUsPerDay
                                                          : -((-us + kUsPerDay - 1) / kUsPerDay));
      return bound(duckdb_bind_date(statement, index, {.days = days}));
    }
    case Type::kTimestamp: {
      LEAT_ASSIGN(const std::int64_t us, read_timestamp(text, "timestamp"));
      return bound(duckdb_bind_timestamp(statement, index, {.micros = us}));
    }
    case Type::kTimestampTz: {
      LEAT_ASSIGN(const std::int64_t us, read_timestamp(text, "timestamp with time zone"));
      return bound(duckdb_bind_timestamp_tz(statement, index, {.micros = us}));
    }
    default:
      return bound(duckdb_bind_varchar_length(statement, index, text.data(), text.size()));
  }
}

struct Binder {
  duckdb_prepared_statement statement;
  idx_t index;
  const ColumnType& type;

  SqlStatus operator()(std::monostate) const { return bound(duckdb_bind_null(statement, index)); }
  SqlStatus operator()(bool value) const {
    return bound(duckdb_bind_boolean(statement, index, value));
  }
  SqlStatus operator()(std::int16_t value) const {
    return bound(duckdb_bind_int16(statement, index, value));
  }
  SqlStatus operator()(std::int32_t value) const {
    return bound(duckdb_bind_int32(statement, index, value));
  }
  SqlStatus operator()(std::int64_t value) const {
    return bound(duckdb_bind_int64(statement, index, value));
  }
  SqlStatus operator()(float value) const {
    return bound(duckdb_bind_float(statement, index, value));
  }
  SqlStatus operator()(double value) const {
    return bound(duckdb_bind_double(statement, index, value));
  }
  SqlStatus operator()(const std::string& value) const {
    return bound(duckdb_bind_varchar_length(statement, index, value.data(), value.size()));
  }
  SqlStatus operator()(const UntypedText& value) const {
    return bind_text(statement, index, value.text, type);
  }
  SqlStatus operator()(const BlobValue& value) const {
    return bound(duckdb_bind_blob(statement, index, value.bytes.data(), value.bytes.size()));
  }
  SqlStatus operator()(DateValue value) const {
    return bound(duckdb_bind_date(statement, index, {.days = value.days}));
  }
  SqlStatus operator()(TimeValue value) const {
    return bound(duckdb_bind_time(statement, index, {.micros = value.us}));
  }
  SqlStatus operator()(TimestampValue value) const {
    return bound(duckdb_bind_timestamp(statement, index, {.micros = value.us}));
  }
  SqlStatus operator()(TimestampTzValue value) const {
    return bound(duckdb_bind_timestamp_tz(statement, index, {.micros = value.us}));
  }
  SqlStatus operator()(Interval value) const {
    return bound(duckdb_bind_interval(
        statement, index, {.months = value.months, .days = value.days, .micros = value.us}));
  }
  SqlStatus operator()(const DecimalValue& value) const {
    return bound(duckdb_bind_decimal(
        statement, index,
        {.width = value.width, .scale = value.scale, .value = to_duckdb(value.unscaled)}));
  }
};

}  // namespace

SqlStatus bind_value(duckdb_prepared_statement statement, std::size_t index, const Value& value,
                     const ColumnType& type) {
  return std::visit(Binder{.statement = statement, .index = index + 1, .type = type}, value);
}

}  // namespace leat::engine
