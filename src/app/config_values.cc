// Texts of values into values and back: units, ranges, and what an error says of them.
#include <fmt/format.h>

#include <array>
#include <cctype>
#include <limits>
#include <utility>

#include "app/config_keys.h"
#include "base/text.h"
#include "base/time.h"
#include "base/time_zone.h"
#include "io/object_store.h"
#include "net/address.h"
#include "pipeline/load/sync_times.h"
#include "pipeline/shape/conflicts.h"
#include "warehouse/pgwire/auth.h"
#include "warehouse/session/queues.h"

namespace leat::app {
namespace {

constexpr std::int64_t kMs = 1000;
constexpr std::int64_t kKiB = 1024;
constexpr std::int64_t kMiB = 1024 * kKiB;
constexpr std::int64_t kGiB = 1024 * kMiB;

struct Unit {
  std::string_view name;
  std::int64_t size;
};
constexpr std::array kDurationUnits = {Unit{"d", kUsPerDay}, Unit{"h", kUsPerHour},
                                       Unit{"m", kUsPerMinute}, Unit{"s", kUsPerSecond},
                                       Unit{"ms", kMs}};
constexpr std::array kByteUnits = {
    Unit{"TiB", 1024 * kGiB}, Unit{"GiB", kGiB},         Unit{"MiB", kMiB},
    Unit{"KiB", kKiB},        Unit{"TB", 1000000000000}, Unit{"GB", 1000000000},
    Unit{"MB", 1000000},      Unit{"KB", 1000},          Unit{"B", 1}};

// Splits "64MiB" into its number and unit and multiplies; the number may not have a fraction.
std::optional<std::int64_t> number_with_unit(std::string_view text, std::span<const Unit> units,
                                             std::int64_t unit_when_none) {
  const std::size_t end = text.find_first_not_of("0123456789");
  const auto number = parse_number<std::int64_t>(text.substr(0, end));
  if (!number) return std::nullopt;
  std::int64_t size = unit_when_none;
  if (end != std::string_view::npos) {
    size = 0;
    for (const Unit& unit : units) {
      if (unit.name == text.substr(end)) size = unit.size;
    }
  }
  if (size == 0) return std::nullopt;
  std::int64_t product = 0;
  if (__builtin_mul_overflow(*number, size, &product)) return std::nullopt;
  return product;
}

std::string text_with_unit(std::int64_t value, std::span<const Unit> units) {
  for (const Unit& unit : units) {
    if (value != 0 && value % unit.size == 0)
      return fmt::format("{}{}", value / unit.size, unit.name);
  }
  return fmt::format("{}", value);
}

// What needs no quotes as a name in SQL and is a safe name of a file.
bool is_plain_name(std::string_view text) {
  return !text.empty() && text.size() <= 63 &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") ==
             std::string_view::npos &&
         text.front() != '-' && text.front() != '_';
}

bool are_networks(std::string_view text) {
  for (const std::string_view network : split(text, ',')) {
    if (!net::parse_ip_network(trim(network))) return false;
  }
  return true;
}

std::string range_text(KeyType type, std::int64_t min, std::int64_t max) {
  if (type == KeyType::kDuration) {
    return fmt::format("a duration from {} to {}, written with ms, s, m, h or d",
                       duration_text(min), duration_text(max));
  }
  if (type == KeyType::kBytes) {
    return fmt::format("a size from {} to {}, written with B, KB, KiB, MB, MiB, GB, GiB, TB or TiB",
                       bytes_text(min), bytes_text(max));
  }
  return fmt::format("a whole number from {} to {}", min, max);
}

std::string type_text(KeyType type, std::string_view choices, std::int64_t min, std::int64_t max) {
  switch (type) {
    case KeyType::kText:
    case KeyType::kPath:
      return "any text that is not empty";
    case KeyType::kChoice: {
      std::string out;
      for (const std::string_view choice : split(choices, ' ')) {
        if (!out.empty()) out += ", ";
        out += choice;
      }
      return "one of " + out;
    }
    case KeyType::kName:
      return "1 to 63 of a-z, 0-9, - and _, starting with a letter or digit";
    case KeyType::kBucket:
      return "3 to 63 of a-z, 0-9, . and -, starting and ending with a letter or digit";
    case KeyType::kNetworks:
      return "addresses and networks, such as 10.0.0.0/8, 2001:db8::/32";
    case KeyType::kAddress:
      return "HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080; port 0 takes a free one";
    case KeyType::kCron:
      return "minute hour day month week-day, such as '15 * * * *', or @hourly, @daily, @weekly, "
             "@monthly";
    case KeyType::kHours:
      return "hours from 0 to 23, such as 6-22 or, over midnight, 22-23,0-5";
    case KeyType::kTimeZone:
      return "a name of the IANA database, such as Europe/Berlin or UTC";
    case KeyType::kConflicts:
      return "TABLE.COLUMN=POLICY, separated by commas, where * stands for all tables or all "
             "columns and POLICY is rescue, widen, super or fail, such as 'orders.price=fail, "
             "*.note=super'";
    case KeyType::kQueues:
      return "QUEUE=STATEMENTS, separated by commas, such as 'load=2, default=8'";
    case KeyType::kAddressRules:
      return "USER=NETWORKS, separated by commas, where * stands for every user that is not named, "
             "such as 'alice=10.0.0.0/8 192.168.1.7, *=10.1.0.0/16'";
    case KeyType::kBool:
      return "true or false";
    case KeyType::kDuration:
    case KeyType::kBytes:
    case KeyType::kCount:
      return range_text(type, min, max);
  }
  std::unreachable();
}

std::string_view type_name(KeyType type) {
  switch (type) {
    case KeyType::kText:
      return "a text";
    case KeyType::kPath:
      return "a path";
    case KeyType::kChoice:
      return "one of the choices";
    case KeyType::kName:
      return "a name";
    case KeyType::kBucket:
      return "a name of a bucket";
    case KeyType::kNetworks:
      return "a list of networks";
    case KeyType::kAddress:
      return "an address";
    case KeyType::kCron:
      return "a cron expression";
    case KeyType::kHours:
      return "a list of hours";
    case KeyType::kTimeZone:
      return "a time zone";
    case KeyType::kConflicts:
      return "a list of policies";
    case KeyType::kQueues:
      return "a list of queues";
    case KeyType::kAddressRules:
      return "a list of users and networks";
    case KeyType::kDuration:
      return "a duration";
    case KeyType::kBytes:
      return "a size";
    case KeyType::kCount:
      return "a whole number";
    case KeyType::kBool:
      return "true or false";
  }
  std::unreachable();
}

bool is_choice(std::string_view choices, std::string_view text) {
  for (const std::string_view choice : split(choices, ' ')) {
    if (choice == text) return true;
  }
  return false;
}

// The number of a value of `type`, or nothing when the text is not of that type.
std::optional<std::int64_t> read_value(KeyType type, std::string_view choices,
                                       std::string_view text) {
  const auto when = [](bool good) { return good ? std::optional<std::int64_t>(0) : std::nullopt; };
  switch (type) {
    case KeyType::kText:
    case KeyType::kPath:
      return when(!text.empty() && text.find('\0') == std::string_view::npos);
    case KeyType::kChoice:
      return when(is_choice(choices, text));
    case KeyType::kName:
      return when(is_plain_name(text));
    case KeyType::kBucket:
      return when(io::parse_object_uri(fmt::format("s3://{}/", text)).has_value());
    case KeyType::kNetworks:
      return when(are_networks(text));
    case KeyType::kAddress:
      return when(net::parse_endpoint(text).has_value());
    case KeyType::kCron:
      return when(load::SyncTimes::parse({.cron = std::string(text)}).has_value());
    case KeyType::kHours:
      return when(load::SyncTimes::parse({.hours = std::string(text)}).has_value());
    case KeyType::kTimeZone:
      return when(TimeZone::find(text).has_value());
    case KeyType::kConflicts:
      return when(shape::ConflictPolicies::parse("rescue", text).has_value());
    case KeyType::kQueues:
      return when(session::parse_queues(text).has_value());
    case KeyType::kAddressRules:
      return when(pgwire::AddressRules::parse(text).has_value());
    case KeyType::kDuration:
      return parse_duration_us(text);
    case KeyType::kBytes:
      return parse_bytes(text);
    case KeyType::kCount:
      return parse_number<std::int64_t>(text);
    case KeyType::kBool:
      if (text == "true") return 1;
      return when(text == "false");
  }
  std::unreachable();
}

}  // namespace

std::string env_name(std::string_view path) {
  std::string out = "LEAT_";
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    out += std::isalnum(byte) != 0 ? static_cast<char>(std::toupper(byte)) : '_';
  }
  return out;
}

std::string flag_name(std::string_view path) {
  std::string out = "--";
  for (const char c : path) out += c == '.' || c == '_' ? '-' : c;
  return out;
}

std::string allowed_text(const Key& key) {
  return type_text(key.type, key.choices, key.min, key.max);
}
std::string allowed_text(const SourceKey& key) {
  return type_text(key.type, "", key.min, key.max);
}

Result<KeyValue> parse_key_value(const Key& key, std::string_view text) {
  if (text.empty() && key.fallback.empty()) return KeyValue{};  // not set
  const auto number = read_value(key.type, key.choices, text);
  if (!number) {
    return fail(Errc::kInvalid, fmt::format("'{}' is not {}; allowed: {}", text,
                                            type_name(key.type), allowed_text(key)));
  }
  const bool ranged =
      key.type == KeyType::kDuration || key.type == KeyType::kBytes || key.type == KeyType::kCount;
  if (ranged && (*number < key.min || *number > key.max)) {
    return fail(Errc::kInvalid,
                fmt::format("'{}' is out of range; allowed: {}", text, allowed_text(key)));
  }
  return KeyValue{std::string(text), *number};
}

Result<KeyValue> parse_key_value(const SourceKey& key, std::string_view text) {
  if (text.empty() && key.fallback.empty()) return KeyValue{};  // not set
  const auto number = read_value(key.type, "", text);
  const bool in_range =
      number && (key.type != KeyType::kCount || (*number >= key.min && *number <= key.max));
  if (in_range) return KeyValue{std::string(text), *number};
  if (key.secret) {  // a secret's text stays out of messages
    return fail(Errc::kInvalid,
                fmt::format("is not {}; allowed: {}", type_name(key.type), allowed_text(key)));
  }
  return fail(Errc::kInvalid, fmt::format("'{}' is not {}; allowed: {}", text, type_name(key.type),
                                          allowed_text(key)));
}

std::optional<std::int64_t> parse_duration_us(std::string_view text) {
  return number_with_unit(text, kDurationUnits, 0);
}

std::optional<std::int64_t> parse_bytes(std::string_view text) {
  return number_with_unit(text, kByteUnits, 1);
}

std::string duration_text(std::int64_t us) {
  return text_with_unit(us, kDurationUnits);
}
std::string bytes_text(std::int64_t bytes) {
  return text_with_unit(bytes, std::span(kByteUnits).first(4));
}

bool is_source_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 &&
         name.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") ==
             std::string_view::npos;
}

}  // namespace leat::app
