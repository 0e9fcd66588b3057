// The one table of configuration keys. Parsing, environment names, command line flags, the leat.yml
// that `leat init` writes and docs/reference/configuration.md are all made from it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "app/config.h"
#include "base/error.h"

namespace leat::app {

enum class KeyType : std::uint8_t {
  kText,
  kPath,
  kChoice,
  kName,
  kBucket,
  kNetworks,
  kAddress,
  kCron,
  kHours,
  kTimeZone,
  kConflicts,
  kQueues,
  kAddressRules,
  kDuration,
  kBytes,
  kCount,
  kBool
};

/// A value after its text was checked. `number` holds microseconds, bytes, a count, or 0 and 1.
struct KeyValue {
  std::string text;
  std::int64_t number = 0;
};

/// One key of a group ("collect", "listen") or of the top level ("data").
struct Key {
  std::string_view path;
  KeyType type;
  std::string_view fallback;  ///< The default, written as a user would.
  std::string_view choices;   ///< kChoice: "debug info warning error".
  std::int64_t min;           ///< kDuration (us), kBytes, kCount: smallest allowed.
  std::int64_t max;           ///< And largest.
  std::string_view about;     ///< One or two sentences for the documentation.
  bool secret;                ///< Never a command line flag, never printed.
  void (*store)(Config&, const KeyValue&);
};

/// One key below sources.NAME.
struct SourceKey {
  std::string_view name;
  KeyType type;
  std::string_view fallback;
  std::int64_t min;  ///< kCount: smallest allowed.
  std::int64_t max;  ///< And largest.
  std::string_view about;
  bool secret;
  void (*store)(SourceConfig&, const KeyValue&);
};

/// In the order of the documentation, groups together.
[[nodiscard]] std::span<const Key> config_keys();
[[nodiscard]] std::span<const SourceKey> source_keys();

/// "collect.listen" gives "LEAT_COLLECT_LISTEN"; every character that is no letter or digit becomes
/// "_".
[[nodiscard]] std::string env_name(std::string_view path);
/// "collect.listen" gives "--collect-listen".
[[nodiscard]] std::string flag_name(std::string_view path);

/// What values a key takes, as the tail of an error: "a duration such as 5s, from 100ms to 1d
/// (units ms, s, m, h, d)".
[[nodiscard]] std::string allowed_text(const Key& key);
[[nodiscard]] std::string allowed_text(const SourceKey& key);

/// Checks `text` against the key's type and range. Errors: kInvalid, "'soon' is not a duration;
/// allowed: ...". Pure.
[[nodiscard]] Result<KeyValue> parse_key_value(const Key& key, std::string_view text);
[[nodiscard]] Result<KeyValue> parse_key_value(const SourceKey& key, std::string_view text);

/// A number and a unit without space: ms, s, m, h, d. Nothing when it is no duration or over 10 000
/// days. Pure.
[[nodiscard]] std::optional<std::int64_t> parse_duration_us(std::string_view text);
/// A number and B, KB, KiB, MB, MiB, GB, GiB, TB, TiB or nothing. Nothing on other text or
/// overflow. Pure.
[[nodiscard]] std::optional<std::int64_t> parse_bytes(std::string_view text);
/// The largest unit that gives a whole number: 300000000 gives "5m", 1024 gives "1KiB".
[[nodiscard]] std::string duration_text(std::int64_t us);
[[nodiscard]] std::string bytes_text(std::int64_t bytes);

/// A name of a source: letters, digits, "-" and "_", at most 64.
[[nodiscard]] bool is_source_name(std::string_view name);

}  // namespace leat::app
