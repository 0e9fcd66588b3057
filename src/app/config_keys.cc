#include "app/config_keys.h"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <limits>
#include <utility>

#include "base/text.h"
#include "base/time.h"
#include "net/address.h"

namespace leat::app {
namespace {

constexpr std::int64_t kMs = 1000;
constexpr std::int64_t kKiB = 1024;
constexpr std::int64_t kMiB = 1024 * kKiB;
constexpr std::int64_t kGiB = 1024 * kMiB;

constexpr Key kKeys[] = {
    {"data", KeyType::kPath, "./leat-data", "", 0, 0,
     "The data directory: journal, archive, warehouse, secrets. Made when it is not there, for the "
     "user only.",
     false, [](Config& c, const KeyValue& v) { c.data = v.text; }},
    {"log_level", KeyType::kChoice, "info", "debug info warning error", 0, 0,
     "The least level of the log lines on stderr.", false,
     [](Config& c, const KeyValue& v) { c.log_level = v.text; }},

    {"collect.listen", KeyType::kAddress, "127.0.0.1:8080", "", 0, 0,
     "Where events are received over HTTP.", false,
     [](Config& c, const KeyValue& v) { c.collect_listen = v.text; }},
    {"collect.threads", KeyType::kCount, "0", "", 0, 256,
     "Event loops of the collector, each with its own journal shard; 0 takes one per core.", false,
     [](Config& c, const KeyValue& v) { c.collect_threads = v.number; }},
    {"collect.connections_max", KeyType::kCount, "10000", "", 1, 1000000,
     "Connections open at once, over all loops; further ones are closed at once.", false,
     [](Config& c, const KeyValue& v) { c.collect_connections_max = v.number; }},
    {"collect.request_timeout", KeyType::kDuration, "30s", "", 100 * kMs, kUsPerHour,
     "How long a client may take to send one whole request.", false,
     [](Config& c, const KeyValue& v) { c.collect_request_timeout_us = v.number; }},

    {"journal.segment_bytes", KeyType::kBytes, "64MiB", "", kMiB, kGiB,
     "Size of one journal segment file; each shard keeps at least two.", false,
     [](Config& c, const KeyValue& v) { c.journal_segment_bytes = v.number; }},

    {"archive.bucket", KeyType::kName, "leat", "", 0, 0,
     "The bucket of raw events and staged files: a folder below DATA/objects.", false,
     [](Config& c, const KeyValue& v) { c.archive_bucket = v.text; }},
    {"archive.seal_every", KeyType::kDuration, "5s", "", 10 * kMs, kUsPerDay,
     "How long received events wait in the journal before they are sealed into an archive object.",
     false, [](Config& c, const KeyValue& v) { c.archive_seal_every_us = v.number; }},
    {"archive.seal_bytes", KeyType::kBytes, "64MiB", "", 64 * kKiB, 4 * kGiB,
     "Raw events of one shard that are sealed at once, whatever their age.", false,
     [](Config& c, const KeyValue& v) { c.archive_seal_bytes = v.number; }},

    {"sync.every", KeyType::kDuration, "1m", "", 10 * kMs, 7 * kUsPerDay,
     "How often each source's new batches are loaded into the warehouse.", false,
     [](Config& c, const KeyValue& v) { c.sync_every_us = v.number; }},

    {"console.listen", KeyType::kAddress, "127.0.0.1:8081", "", 0, 0,
     "Where the status API listens: what `leat status` and `leat sync` ask.", false,
     [](Config& c, const KeyValue& v) { c.console_listen = v.text; }},

    {"warehouse.listen", KeyType::kAddress, "127.0.0.1:5439", "", 0, 0,
     "Where the embedded warehouse speaks the PostgreSQL protocol.", false,
     [](Config& c, const KeyValue& v) { c.warehouse_listen = v.text; }},
    {"warehouse.database", KeyType::kName, "dev", "", 0, 0,
     "Name of the embedded warehouse's database.", false,
     [](Config& c, const KeyValue& v) { c.warehouse_database = v.text; }},
    {"warehouse.memory_max", KeyType::kBytes, "0", "", 0, 1024 * kGiB * 16,
     "Memory that queries may use before they spill to disk; 0 takes half of the machine's.", false,
     [](Config& c, const KeyValue& v) { c.warehouse_memory_bytes_max = v.number; }},
    {"warehouse.threads", KeyType::kCount, "0", "", 0, 1024,
     "Threads of one query; 0 takes one per core.", false,
     [](Config& c, const KeyValue& v) { c.warehouse_threads = v.number; }},
    {"warehouse.sessions_max", KeyType::kCount, "500", "", 1, 10000,
     "Clients connected at once, as Redshift's 500.", false,
     [](Config& c, const KeyValue& v) { c.warehouse_sessions_max = v.number; }},

    {"data_api.listen", KeyType::kAddress, "127.0.0.1:8082", "", 0, 0,
     "Reserved for the Redshift Data API. This version does not serve it: nothing listens here, "
     "and "
     "connection.json says null.",
     false, [](Config& c, const KeyValue& v) { c.data_api_listen = v.text; }},
};

constexpr SourceKey kSourceKeys[] = {
    {"write_key", KeyType::kText, "",
     "What clients of this source authenticate with. Best set in the environment or .env. When "
     "empty, one is made once "
     "and kept in DATA/write-keys.json.",
     true, [](SourceConfig& s, const KeyValue& v) { s.write_key = v.text; }},
    {"schema", KeyType::kText, "",
     "Schema of the source's tables; when empty, the source's name in snake case.", false,
     [](SourceConfig& s, const KeyValue& v) { s.schema = v.text; }},
    {"enabled", KeyType::kBool, "true",
     "false answers this source's requests as for an unknown write key.", false,
     [](SourceConfig& s, const KeyValue& v) { s.enabled = v.number != 0; }},
};

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

// S3's rules for buckets in short, which also make a safe folder and database name.
bool is_plain_name(std::string_view text) {
  return !text.empty() && text.size() <= 63 &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") ==
             std::string_view::npos &&
         text.front() != '-' && text.front() != '_';
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
    case KeyType::kAddress:
      return "HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080; port 0 takes a free one";
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
    case KeyType::kAddress:
      return "an address";
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
    case KeyType::kAddress:
      return when(net::parse_endpoint(text).has_value());
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

std::span<const Key> config_keys() {
  return kKeys;
}
std::span<const SourceKey> source_keys() {
  return kSourceKeys;
}

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
  return type_text(key.type, "", 0, 0);
}

Result<KeyValue> parse_key_value(const Key& key, std::string_view text) {
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
  const auto number = read_value(key.type, "", text);
  if (number) return KeyValue{std::string(text), *number};
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
