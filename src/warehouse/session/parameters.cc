// Values of Bind: text as it is, binary by the PostgreSQL formats of each type.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "base/time.h"
#include "warehouse/catalog/types.h"
#include "warehouse/session/session_state.h"
#include "warehouse/sql/datetime.h"

namespace leat::session {
namespace {

constexpr std::int64_t kEpoch2000Us = 946'684'800'000'000;
constexpr std::int32_t kEpoch2000Days = 10'957;

template <class Integer>
Integer big_endian(std::string_view bytes) {
  using Unsigned = std::make_unsigned_t<Integer>;
  Unsigned value = 0;
  for (const char c : bytes) {
    value = static_cast<Unsigned>(static_cast<std::uint64_t>(value) << 8U |
                                  static_cast<unsigned char>(c));
  }
  return static_cast<Integer>(value);
}

std::unexpected<SqlError> bad_binary(std::uint32_t oid) {
  return engine::fail_sql(
      "22P03", "incorrect binary data format in bind parameter of type " + std::to_string(oid));
}

/// PostgreSQL's base-10000 digits to decimal text.
SqlResult<engine::Value> read_numeric(std::string_view bytes, std::uint32_t oid) {
  if (bytes.size() < 8 || bytes.size() % 2 != 0) return bad_binary(oid);
  const auto at = [&](std::size_t index) {
    return big_endian<std::int16_t>(bytes.substr(index * 2, 2));
  };
  const int digits = at(0);
  const int weight = at(1);
  const auto sign = static_cast<std::uint16_t>(at(2));
  const int scale = at(3);
  if (digits < 0 || static_cast<std::size_t>(digits) * 2 + 8 != bytes.size() || scale < 0 ||
      scale > 1000) {
    return bad_binary(oid);
  }
  if (sign == 0xc000) return engine::Value(engine::UntypedText{"NaN"});
  if (sign != 0 && sign != 0x4000) return bad_binary(oid);
  const auto digit = [&](int power) {
    const int index = weight - power;
    return index < 0 || index >= digits ? 0
                                        : static_cast<int>(at(static_cast<std::size_t>(index) + 4));
  };
  const auto four = [](int value) {
    std::string text = std::to_string(value);
    return std::string(4 - std::min<std::size_t>(text.size(), 4), '0') + text;
  };
  std::string text;
  for (int power = std::max(weight, 0); power >= 0; --power) text += four(digit(power));
  text.erase(0, std::min(text.find_first_not_of('0'), text.size() - 1));
  if (scale > 0) {
    std::string fraction;
    for (int power = -1; static_cast<int>(fraction.size()) < scale; --power)
      fraction += four(digit(power));
    text += "." + fraction.substr(0, static_cast<std::size_t>(scale));
  }
  if (sign == 0x4000) text.insert(0, "-");
  return engine::Value(engine::UntypedText{text});
}

SqlResult<engine::Value> read_time_like(std::string_view bytes, std::uint32_t oid) {
  if (oid == 1082) {
    if (bytes.size() != 4) return bad_binary(oid);
    return engine::Value(engine::DateValue{big_endian<std::int32_t>(bytes) + kEpoch2000Days});
  }
  if (bytes.size() != 8) return bad_binary(oid);
  const auto us = big_endian<std::int64_t>(bytes);
  if (oid == 1083) return engine::Value(engine::TimeValue{us});
  const std::int64_t since_1970 = us > INT64_MAX - kEpoch2000Us ? INT64_MAX : us + kEpoch2000Us;
  if (oid == 1114) return engine::Value(engine::TimestampValue{since_1970});
  return engine::Value(engine::TimestampTzValue{since_1970});
}

/// A local time and the seconds that its zone is west of UTC.
SqlResult<engine::Value> read_time_tz(std::string_view bytes, std::uint32_t oid) {
  if (bytes.size() != 12) return bad_binary(oid);
  const auto us = big_endian<std::int64_t>(bytes.substr(0, 8));
  const auto west = big_endian<std::int32_t>(bytes.substr(8));
  constexpr std::int32_t kZoneMax = 16 * 60 * 60;
  constexpr std::int64_t kDayUs = 86'400'000'000;
  if (us < 0 || us > kDayUs || west <= -kZoneMax || west >= kZoneMax) return bad_binary(oid);
  const std::int32_t size = std::abs(west);
  return engine::Value(engine::UntypedText{fmt::format(
      "{:02}:{:02}:{:02}.{:06}{}{:02}:{:02}", us / 3'600'000'000, us / 60'000'000 % 60,
      us / 1'000'000 % 60, us % 1'000'000, west > 0 ? '-' : '+', size / 3600, size / 60 % 60)});
}

/// 1188 is months, 1190 microseconds, 1186 both with days between.
SqlResult<engine::Value> read_interval(std::string_view bytes, std::uint32_t oid) {
  const std::size_t size = oid == 1188 ? 4 : oid == 1190 ? 8 : 16;
  if (bytes.size() != size) return bad_binary(oid);
  std::int64_t us = 0;
  std::int32_t days = 0;
  std::int32_t months = 0;
  if (oid == 1188) {
    months = big_endian<std::int32_t>(bytes);
  } else {
    us = big_endian<std::int64_t>(bytes.substr(0, 8));
  }
  if (oid == 1186) {
    days = big_endian<std::int32_t>(bytes.substr(8, 4));
    months = big_endian<std::int32_t>(bytes.substr(12));
  }
  return engine::Value(
      engine::UntypedText{fmt::format("{} months {} days {} microseconds", months, days, us)});
}

constexpr std::uint32_t kUuid = 2950;

/// Redshift has no such type: the parameter is its text, as PostgreSQL writes it.
engine::UntypedText uuid_of_text(std::string_view text) {
  std::string written(text);
  if (written.size() == 32) {
    for (const std::size_t at : {20U, 16U, 12U, 8U}) written.insert(at, "-");
  }
  return {std::move(written)};
}

SqlResult<engine::Value> read_uuid(std::string_view bytes, std::uint32_t oid) {
  if (bytes.size() != 16) return bad_binary(oid);
  std::string digits;
  for (const char byte : bytes) digits += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return engine::Value(uuid_of_text(digits));
}

/// The instant of a normal timestamp (sql::normal_timestamp), which is the session's local time
/// when it has no zone. Nothing for what TimeUs does not hold.
std::optional<TimeUs> instant(std::string_view normal, const TimeZone& session_zone) {
  const sql::LocalMoment local = sql::split_moment(normal);
  if (!local.zone.empty()) return parse_iso8601(normal);
  const auto time = parse_iso8601(local.date + local.clock);
  return time ? session_zone.to_utc(time->value) : time;
}

/// Text where a date or timestamp belongs, read as a literal of that type is: in any of Redshift's
/// forms, without the zone where the type has none, at the session's where it has one and the text
/// does not say. What it cannot read stays as it is: the engine says what is wrong.
SqlResult<engine::Value> read_moment(std::string_view text, engine::Type type,
                                     const TimeZone& session_zone) {
  const engine::Value as_it_is = engine::UntypedText{std::string(text)};
  const auto normal = sql::normal_timestamp(text);
  if (!normal) {
    if (!sql::has_moment_shape(text)) return as_it_is;
    return engine::fail_sql("22008",
                            fmt::format("date/time field value out of range: \"{}\"", text));
  }
  const sql::LocalMoment local = sql::split_moment(*normal);
  if (type == engine::Type::kTimestampTz) {
    if (local.zone.starts_with(' ')) return engine::Value(*normal);  // the engine knows the names
    const auto time = instant(*normal, session_zone);
    return time ? engine::Value(engine::TimestampTzValue{time->value}) : as_it_is;
  }
  return engine::Value(engine::UntypedText{local.date + local.clock});
}

/// The types of arrays that a parameter may have, and their elements'.
struct ArrayType {
  std::uint32_t oid;
  std::uint32_t element;
};
constexpr ArrayType kArrayTypes[] = {{1005, 21}, {1007, 23}, {1009, 25},  {1015, 1043},
                                     {1016, 20}, {1028, 26}, {1021, 700}, {1022, 701}};

/// The number or text in a decoded element, as it stands in the engine's text of a list.
std::string element_text(const engine::Value& value) {
  return std::visit(
      [](const auto& each) -> std::string {
        using T = std::decay_t<decltype(each)>;
        if constexpr (std::is_same_v<T, engine::UntypedText>) {
          std::string text = "\"";
          for (const char c : each.text) {
            if (c == '"' || c == '\\') text += '\\';
            text += c;
          }
          return text + '"';
        } else if constexpr (std::is_arithmetic_v<T>) {
          return fmt::format("{}", each);
        } else {
          return "NULL";
        }
      },
      value);
}

/// Dimensions (one, or none of an empty array), whether there are NULLs, the elements' type, their
/// number, the first index; then each behind its length. Becomes the engine's text of a list.
SqlResult<engine::Value> read_array(std::string_view bytes, const ArrayType& type) {
  const auto number = [&] {
    const auto value = big_endian<std::int32_t>(bytes.substr(0, 4));
    bytes.remove_prefix(4);
    return value;
  };
  if (bytes.size() < 12) return bad_binary(type.oid);
  const std::int32_t dimensions = number();
  bytes.remove_prefix(8);
  if (dimensions == 0) return engine::Value(engine::UntypedText{"[]"});
  if (dimensions != 1 || bytes.size() < 8) return bad_binary(type.oid);
  const std::int32_t count = number();
  bytes.remove_prefix(4);
  std::string text = "[";
  for (std::int32_t i = 0; i < count; ++i) {
    if (bytes.size() < 4) return bad_binary(type.oid);
    const std::int32_t size = number();
    if (size > 0 && bytes.size() < static_cast<std::size_t>(size)) return bad_binary(type.oid);
    Parameter element{.bytes = std::nullopt, .binary = true};
    if (size >= 0) {
      element.bytes = bytes.substr(0, static_cast<std::size_t>(size));
      bytes.remove_prefix(static_cast<std::size_t>(size));
    }
    LEAT_ASSIGN(const engine::Value value, decode_parameter(element, type.element));
    text += (i > 0 ? ", " : "") + element_text(value);
  }
  return engine::Value(engine::UntypedText{text + "]"});
}

}  // namespace

SqlStatus SessionState::read_moments(const engine::Prepared& statement,
                                     std::vector<engine::Value>& values) {
  for (std::size_t i = 0; i < std::min(values.size(), statement.parameter_count()); ++i) {
    const auto* untyped = std::get_if<engine::UntypedText>(&values[i]);
    const engine::Type type = statement.parameter_type(i).type;
    if (untyped == nullptr || (type != engine::Type::kDate && type != engine::Type::kTimestamp &&
                               type != engine::Type::kTimestampTz)) {
      continue;
    }
    LEAT_ASSIGN(values[i], read_moment(std::string(untyped->text), type, time_zone()));
  }
  return {};
}

namespace {

constexpr int kDigitsMax = 38;

/// How many digits a number has before and behind its point.
struct Digits {
  int before = 0;
  int behind = 0;
};

/// Nothing for a text that is no number, or one beyond any NUMERIC.
std::optional<Digits> digits_of(std::string_view text) {
  text = trim(text);
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  int exponent = 0;
  if (const std::size_t at = text.find_first_of("eE"); at != std::string_view::npos) {
    std::string_view written = text.substr(at + 1);
    if (written.starts_with('+')) written.remove_prefix(1);
    const auto read = parse_number<int>(written);
    if (!read || std::abs(*read) > kDigitsMax) return std::nullopt;
    exponent = *read;
    text = text.substr(0, at);
  }
  const std::size_t point = std::min(text.find('.'), text.size());
  std::string_view before = text.substr(0, point);
  std::string_view behind = point < text.size() ? text.substr(point + 1) : std::string_view();
  constexpr std::string_view kDigits = "0123456789";
  if (before.size() + behind.size() == 0 || before.size() + behind.size() > 2 * kDigitsMax ||
      before.find_first_not_of(kDigits) != std::string_view::npos ||
      behind.find_first_not_of(kDigits) != std::string_view::npos) {
    return std::nullopt;
  }
  before.remove_prefix(std::min(before.find_first_not_of('0'), before.size()));
  while (behind.ends_with('0')) behind.remove_suffix(1);
  return Digits{.before = std::max(static_cast<int>(before.size()) + exponent, 0),
                .behind = std::max(static_cast<int>(behind.size()) - exponent, 0)};
}

constexpr std::uint32_t kNumericOid = 1700;

/// What a parameter that is declared as NUMERIC is cast to: with that modifier, if it has one.
engine::ColumnType declared_numeric(std::int32_t modifier) {
  constexpr std::uint8_t kScale = 10;
  const sql::TypeName type = catalog::type_from_oid(kNumericOid, modifier);
  return {.type = engine::Type::kDecimal,
          .width = kDigitsMax,
          .scale = type.precision < 0 ? kScale : static_cast<std::uint8_t>(type.scale)};
}

/// The modifier of a NUMERIC that keeps the value and, as well as it can, those that `type` keeps.
/// Nothing when `type` keeps it, or no NUMERIC does.
std::optional<std::int32_t> wider_modifier(const engine::ColumnType& type,
                                           const engine::Value& value) {
  const auto* text = std::get_if<engine::UntypedText>(&value);
  if (text == nullptr || type.type != engine::Type::kDecimal) return std::nullopt;
  const auto digits = digits_of(text->text);
  if (!digits || (digits->behind <= type.scale && digits->before <= type.width - type.scale))
    return std::nullopt;
  const int scale =
      std::max(digits->behind, std::min<int>(type.scale, kDigitsMax - digits->before));
  if (scale >= kDigitsMax || digits->before + scale > kDigitsMax) return std::nullopt;
  sql::TypeName wide;
  wide.kind = sql::TypeKind::kDecimal;
  wide.precision = kDigitsMax;
  wide.scale = scale;
  return catalog::type_modifier(wide);
}

}  // namespace

SqlStatus SessionState::keep_digits(PreparedStatement& statement,
                                    std::span<const engine::Value> values) {
  if (statement.modifiers_kept || !statement.plan) return {};
  const engine::Prepared& last = *statement.plan->last;
  std::vector<std::int32_t> wider = statement.modifiers;
  wider.resize(values.size(), -1);
  for (std::size_t i = 0; i < std::min(values.size(), last.parameter_count()); ++i) {
    const bool declared =
        i < statement.declared_types.size() && statement.declared_types[i] == kNumericOid;
    const engine::ColumnType type = declared ? declared_numeric(wider[i]) : last.parameter_type(i);
    if (const auto modifier = wider_modifier(type, values[i])) wider[i] = *modifier;
  }
  const bool changed = std::ranges::any_of(wider, [](std::int32_t each) { return each >= 0; }) &&
                       wider != statement.modifiers;
  if (!changed) return {};
  const std::vector<std::int32_t> before = std::exchange(statement.modifiers, std::move(wider));
  statement.plan.reset();
  const SqlStatus planned = plan_statement(statement);
  if (planned || planned.error().message != kOutdatedStatement) return planned;
  // The columns' types follow from the parameters': the client reads them as it was told.
  statement.modifiers = before;
  statement.modifiers_kept = true;
  return plan_statement(statement);
}

SqlResult<engine::Value> decode_parameter(const Parameter& parameter, std::uint32_t type_oid) {
  if (!parameter.bytes) return engine::Value();
  const std::string_view bytes = *parameter.bytes;
  if (!parameter.binary && (!is_utf8(bytes) || bytes.find('\0') != std::string_view::npos)) {
    return engine::fail_sql("22021", "invalid byte sequence for encoding \"UTF8\" in a parameter",
                            {}, "Send bytes in hexadecimal digits, or in binary.");
  }
  if (!parameter.binary && type_oid == kUuid) return engine::Value(uuid_of_text(bytes));
  if (!parameter.binary) return engine::Value(engine::UntypedText{std::string(bytes)});
  if (const auto* array = std::ranges::find(kArrayTypes, type_oid, &ArrayType::oid);
      array != std::end(kArrayTypes)) {
    return read_array(bytes, *array);
  }
  switch (type_oid) {
    case 16:
      if (bytes.size() != 1) return bad_binary(type_oid);
      return engine::Value(bytes[0] != 0);
    case 21:
      if (bytes.size() != 2) return bad_binary(type_oid);
      return engine::Value(big_endian<std::int16_t>(bytes));
    case 23:
      if (bytes.size() != 4) return bad_binary(type_oid);
      return engine::Value(big_endian<std::int32_t>(bytes));
    case 26:
      if (bytes.size() != 4) return bad_binary(type_oid);
      return engine::Value(static_cast<std::int64_t>(big_endian<std::uint32_t>(bytes)));
    case 20:
      if (bytes.size() != 8) return bad_binary(type_oid);
      return engine::Value(big_endian<std::int64_t>(bytes));
    case 700:
      if (bytes.size() != 4) return bad_binary(type_oid);
      return engine::Value(std::bit_cast<float>(big_endian<std::uint32_t>(bytes)));
    case 701:
      if (bytes.size() != 8) return bad_binary(type_oid);
      return engine::Value(std::bit_cast<double>(big_endian<std::uint64_t>(bytes)));
    case 1082:
    case 1083:
    case 1114:
    case 1184:
      return read_time_like(bytes, type_oid);
    case 1700:
      return read_numeric(bytes, type_oid);
    case 1266:
      return read_time_tz(bytes, type_oid);
    case 1186:
    case 1188:
    case 1190:
      return read_interval(bytes, type_oid);
    case kUuid:
      return read_uuid(bytes, type_oid);
    case 3802:  // JSON of PostgreSQL, behind a version
      if (bytes.empty() || bytes[0] != 1) return bad_binary(type_oid);
      return engine::Value(engine::UntypedText{std::string(bytes.substr(1))});
    case 17:
    case 6551:
      return engine::Value(engine::BlobValue{std::string(bytes)});
    case 0:
    case 18:
    case 19:
    case 25:
    case 114:
    case 705:
    case 1042:
    case 1043:
    case 4000:
      return engine::Value(engine::UntypedText{std::string(bytes)});
    default:
      return engine::fail_sql(
          "0A000", "binary parameters of type " + std::to_string(type_oid) + " are not supported",
          {}, "Send the parameter as text.");
  }
}

}  // namespace leat::session
