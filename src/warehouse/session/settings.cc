#include "warehouse/session/settings.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "base/text.h"

namespace leat::session {
namespace {

enum class Kind : std::uint8_t { kText, kBoolean, kInteger, kReal, kReadOnly };

struct Definition {
  std::string_view name;
  Kind kind;
  std::string_view value;
  std::int64_t low = 0;
  std::int64_t high = 0;
  std::string_view reported = {};
};

// redshift.md 7.6, by name.
constexpr std::array kDefinitions = {
    Definition{"analyze_threshold_percent", Kind::kReal, "10", 0, 100},
    Definition{"application_name", Kind::kText, "", 0, 0, "application_name"},
    Definition{"autocommit", Kind::kBoolean, "on"},
    Definition{"cast_super_null_on_error", Kind::kBoolean, "on"},
    Definition{"client_encoding", Kind::kText, "UTF8", 0, 0, "client_encoding"},
    Definition{"datashare_break_glass_session_var", Kind::kText, ""},
    Definition{"datestyle", Kind::kText, "ISO, MDY", 0, 0, "DateStyle"},
    Definition{"default_geometry_encoding", Kind::kInteger, "2", 1, 4},
    Definition{"default_transaction_isolation", Kind::kText, "serializable"},
    Definition{"default_transaction_read_only", Kind::kBoolean, "off"},
    Definition{"describe_field_name_in_uppercase", Kind::kBoolean, "off"},
    Definition{"downcase_delimited_identifier", Kind::kBoolean, "on"},
    Definition{"enable_case_sensitive_identifier", Kind::kBoolean, "false"},
    Definition{"enable_case_sensitive_super_attribute", Kind::kBoolean, "false"},
    Definition{"enable_numeric_rounding", Kind::kBoolean, "off"},
    Definition{"enable_result_cache_for_session", Kind::kBoolean, "on"},
    Definition{"enable_spectrum_oid", Kind::kBoolean, "true"},
    Definition{"enable_vacuum_boost", Kind::kBoolean, "false"},
    Definition{"error_on_nondeterministic_update", Kind::kBoolean, "false"},
    Definition{"extra_float_digits", Kind::kInteger, "0", -15, 3},
    Definition{"integer_datetimes", Kind::kReadOnly, "on", 0, 0, "integer_datetimes"},
    Definition{"interval_forbid_composite_literals", Kind::kBoolean, "false"},
    Definition{"is_superuser", Kind::kReadOnly, "off", 0, 0, "is_superuser"},
    Definition{"json_serialization_enable", Kind::kBoolean, "false"},
    Definition{"json_serialization_parse_nested_strings", Kind::kBoolean, "false"},
    Definition{"max_concurrency_scaling_clusters", Kind::kInteger, "1", 0, 10},
    Definition{"max_cursor_result_set_size", Kind::kInteger, "0", 0, 14'400'000},
    Definition{"max_identifier_length", Kind::kReadOnly, "127"},
    Definition{"max_index_keys", Kind::kReadOnly, "32"},
    Definition{"mv_enable_aqmv_for_session", Kind::kBoolean, "true"},
    Definition{"navigate_super_null_on_error", Kind::kBoolean, "on"},
    Definition{"parse_super_null_on_error", Kind::kBoolean, "off"},
    Definition{"pg_federation_repeatable_read", Kind::kBoolean, "true"},
    Definition{"query_group", Kind::kText, ""},
    Definition{"readonly", Kind::kBoolean, "off"},
    Definition{"search_path", Kind::kText, "\"$user\", public"},
    Definition{"server_encoding", Kind::kReadOnly, "UNICODE", 0, 0, "server_encoding"},
    Definition{"server_version", Kind::kReadOnly, "8.0.2", 0, 0, "server_version"},
    Definition{"session_authorization", Kind::kReadOnly, "", 0, 0, "session_authorization"},
    Definition{"spectrum_enable_pseudo_columns", Kind::kBoolean, "true"},
    Definition{"spectrum_query_maxerror", Kind::kInteger, "-1", -1, 100'000},
    Definition{"standard_conforming_strings", Kind::kReadOnly, "off"},
    Definition{"statement_timeout", Kind::kInteger, "0", 0, 2'147'483'647},
    Definition{"stored_proc_log_min_messages", Kind::kText, "LOG"},
    Definition{"timezone", Kind::kText, "UTC", 0, 0, "TimeZone"},
    Definition{"transaction_isolation", Kind::kText, "serializable"},
    Definition{"transaction_read_only", Kind::kBoolean, "off"},
    Definition{"use_fips_ssl", Kind::kBoolean, "false"},
    Definition{"wlm_query_slot_count", Kind::kInteger, "1", 1, 50},
};

// Parameters of PostgreSQL that clients set by habit and that change nothing about answers here.
constexpr std::array<std::string_view, 12> kIgnored = {
    "bytea_output", "client_min_messages",    "escape_string_warning",
    "geqo",         "gin_fuzzy_search_limit", "idle_in_transaction_session_timeout",
    "jit",          "lock_timeout",           "quote_all_identifiers",
    "row_security", "synchronize_seqscans",   "intervalstyle"};

const Definition* find_definition(std::string_view name) {
  const auto* const found = std::ranges::find(kDefinitions, name, &Definition::name);
  return found == kDefinitions.end() ? nullptr : found;
}

std::optional<bool> read_boolean(std::string_view value) {
  const std::string word = to_lower(trim(value));
  for (const std::string_view yes : {"on", "true", "t", "yes", "y", "1"}) {
    if (word == yes) return true;
  }
  for (const std::string_view no : {"off", "false", "f", "no", "n", "0"}) {
    if (word == no) return false;
  }
  return std::nullopt;
}

std::unexpected<SqlError> not_allowed(const Definition& definition, std::string_view value) {
  return engine::fail_sql("22023", "invalid value for parameter \"" + std::string(definition.name) +
                                       "\": \"" + std::string(value) + "\"");
}

/// Keeps the spelling of the default: on/off or true/false.
std::string boolean_text(const Definition& definition, bool value) {
  const bool words = definition.value == "true" || definition.value == "false";
  if (words) return value ? "true" : "false";
  return value ? "on" : "off";
}

SqlResult<std::string> read_datestyle(const Definition& definition, std::string_view value) {
  std::string order = "MDY";
  for (const std::string_view part : split(value, ',')) {
    const std::string word = to_lower(trim(part));
    if (word == "iso") continue;
    if (word == "mdy" || word == "us") {
      order = "MDY";
    } else if (word == "dmy" || word == "ymd") {
      order = word == "dmy" ? "DMY" : "YMD";
    } else if (word == "postgres" || word == "sql" || word == "german") {
      return engine::fail_sql(
          "0A000", "DateStyle " + std::string(trim(part)) + " is not supported: only ISO");
    } else {
      return not_allowed(definition, value);
    }
  }
  return "ISO, " + order;
}

SqlResult<std::string> read_text(const Definition& definition, std::string_view value) {
  if (definition.name == "datestyle") return read_datestyle(definition, value);
  if (definition.name == "client_encoding") {
    std::string word = to_lower(trim(value));
    std::erase_if(word, [](char c) { return c == '-' || c == '_'; });
    if (word == "utf8" || word == "unicode") return std::string("UTF8");
    return engine::fail_sql(
        "22023", "client_encoding \"" + std::string(value) + "\" is not supported: only UTF8");
  }
  if (definition.name == "query_group" && value.size() > 320) {
    return engine::fail_sql("22023", "query_group is longer than 320 characters");
  }
  if (definition.name == "timezone") {
    const std::string word = to_lower(trim(value));
    if (word == "utc" || word == "gmt" || word == "etc/utc" || word == "0")
      return std::string("UTC");
    // Hours east of UTC; the names of such zones count to the west.
    if (const auto hours = parse_number<double>(word)) {
      if (*hours != static_cast<int>(*hours) || std::abs(*hours) > 14)
        return not_allowed(definition, value);
      if (*hours == 0) return std::string("UTC");
      return "Etc/GMT" + std::string(*hours < 0 ? "+" : "-") +
             std::to_string(std::abs(static_cast<int>(*hours)));
    }
  }
  if (definition.name == "query_group" && value == "default") return std::string();
  return std::string(value);
}

}  // namespace

Settings::Settings() {
  for (const Definition& definition : kDefinitions)
    values_.emplace(definition.name, definition.value);
  defaults_ = values_;
}

SqlStatus Settings::set(std::string_view name, std::string_view value) {
  const Definition* definition = find_definition(name);
  if (definition == nullptr) {
    if (is_ignored(name)) return {};
    return engine::fail_sql("42704",
                            "unrecognized configuration parameter \"" + std::string(name) + "\"");
  }
  std::string stored;
  switch (definition->kind) {
    case Kind::kReadOnly:
      if (values_.at(std::string(name)) == value) return {};
      return engine::fail_sql("55P02", "parameter \"" + std::string(name) + "\" cannot be changed");
    case Kind::kBoolean: {
      const auto boolean = read_boolean(value);
      if (!boolean) return not_allowed(*definition, value);
      stored = boolean_text(*definition, *boolean);
      break;
    }
    case Kind::kInteger: {
      const auto number = parse_number<std::int64_t>(trim(value));
      if (!number) return not_allowed(*definition, value);
      if (*number < definition->low || *number > definition->high) {
        return engine::fail_sql(
            "22023", std::to_string(*number) + " is outside the valid range for parameter \"" +
                         std::string(name) + "\" (" + std::to_string(definition->low) + " .. " +
                         std::to_string(definition->high) + ")");
      }
      stored = std::to_string(*number);
      break;
    }
    case Kind::kReal: {
      const auto number = parse_number<double>(trim(value));
      if (!number || *number < static_cast<double>(definition->low) ||
          *number > static_cast<double>(definition->high)) {
        return not_allowed(*definition, value);
      }
      stored = std::string(trim(value));
      break;
    }
    case Kind::kText: {
      LEAT_ASSIGN(stored, read_text(*definition, value));
      break;
    }
  }
  values_.find(name)->second = std::move(stored);
  return {};
}

SqlStatus Settings::reset(std::string_view name) {
  const auto found = defaults_.find(name);
  if (found == defaults_.end()) {
    if (is_ignored(name)) return {};
    return engine::fail_sql("42704",
                            "unrecognized configuration parameter \"" + std::string(name) + "\"");
  }
  values_.find(name)->second = found->second;
  return {};
}

void Settings::reset_all() {
  values_ = defaults_;
}

SqlResult<std::string> Settings::show(std::string_view name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) {
    return engine::fail_sql("42704",
                            "unrecognized configuration parameter \"" + std::string(name) + "\"");
  }
  return found->second;
}

std::vector<std::pair<std::string, std::string>> Settings::list() const {
  return {values_.begin(), values_.end()};
}

const std::string& Settings::get(std::string_view name) const {
  return values_.find(name)->second;
}

bool Settings::is_on(std::string_view name) const {
  return read_boolean(get(name)).value_or(false);
}

std::vector<std::string> Settings::search_path() const {
  std::vector<std::string> names;
  for (const std::string_view part : split(get("search_path"), ',')) {
    std::string_view name = trim(part);
    if (name.size() >= 2 && name.front() == '"' && name.back() == '"')
      name = name.substr(1, name.size() - 2);
    if (!name.empty()) names.push_back(to_lower(name));
  }
  return names;
}

std::int64_t Settings::statement_timeout_us() const {
  return parse_number<std::int64_t>(get("statement_timeout")).value_or(0) * 1000;
}

void Settings::force(std::string_view name, std::string value) {
  defaults_.find(name)->second = value;
  values_.find(name)->second = std::move(value);
}

bool Settings::is_ignored(std::string_view name) {
  return std::ranges::find(kIgnored, name) != kIgnored.end();
}

std::string_view Settings::reported_name(std::string_view name) {
  const Definition* definition = find_definition(name);
  return definition == nullptr ? std::string_view() : definition->reported;
}

}  // namespace leat::session
