#include "app/sources.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "app/data_directory.h"
#include "app/file_text.h"
#include "base/log.h"
#include "base/text.h"
#include "pipeline/shape/names.h"
#include "pipeline/shape/shaper.h"

namespace leat::app {
namespace {

constexpr std::size_t kWriteKeyLength = 32;

Status check_unique(const std::vector<Source>& sources, std::string Source::* member,
                    std::string_view what) {
  std::map<std::string, std::string> seen;
  for (const Source& source : sources) {
    if ((source.*member).empty()) continue;
    const auto [at, fresh] = seen.emplace(source.*member, source.name);
    if (!fresh) {
      return fail(Errc::kInvalid,
                  fmt::format("sources: '{}' and '{}' have the same {}; allowed: one of each",
                              at->second, source.name, what));
    }
  }
  return {};
}

// The patterns of one key.
Result<std::vector<std::string>> patterns_of(const std::string& source, std::string_view key,
                                             const std::string& text) {
  std::vector<std::string> patterns;
  for (const std::string_view piece : split(text, ',')) {
    const std::string_view pattern = trim(piece);
    if (pattern.empty() && trim(text).empty()) continue;
    if (pattern.empty() || pattern == "*" || pattern == "*.*") {
      return fail(Errc::kInvalid,
                  fmt::format("sources.{}.{}: '{}' {}; allowed: names separated by commas, with * "
                              "for any characters",
                              source, key, pattern,
                              pattern.empty() ? "is no name"
                                              : "leaves nothing; to load nothing set sync: false"));
    }
    patterns.emplace_back(pattern);
  }
  return patterns;
}

// A name that no table or column can have would leave nothing out, silently.
Status check_name(const std::string& source, std::string_view key, std::string_view name) {
  const bool is_pattern = name.find('*') != std::string_view::npos;
  if (is_pattern || name.starts_with('_') || name.find("__") != std::string_view::npos) return {};
  const std::string right = shape::identifier_of(name);
  if (right == name) return {};
  return fail(Errc::kInvalid, fmt::format("sources.{}.{}: nothing is called '{}'; did you mean "
                                          "'{}'?",
                                          source, key, name, right));
}

Status check_names(const std::string& source, const shape::Exclusion& exclusion) {
  for (const std::string& table : exclusion.tables) {
    LEAT_TRY(check_name(source, "exclude_tables", table));
  }
  for (const std::string& pattern : exclusion.columns) {
    const auto parts = split(pattern, '.');
    if (parts.size() > 2) {
      return fail(Errc::kInvalid, fmt::format("sources.{}.exclude_columns: '{}' is no column; "
                                              "allowed: TABLE.COLUMN or COLUMN, with * for any "
                                              "characters",
                                              source, pattern));
    }
    if (shape::is_common_column_name(parts.back())) {
      return fail(Errc::kInvalid, fmt::format("sources.{}.exclude_columns: {} cannot be left out; "
                                              "allowed: columns of context, properties and traits",
                                              source, parts.back()));
    }
    for (const std::string_view part : parts) {
      LEAT_TRY(check_name(source, "exclude_columns", part));
    }
  }
  return {};
}

Result<shape::Exclusion> exclusion_of(const SourceConfig& config) {
  shape::Exclusion out;
  LEAT_ASSIGN(out.events, patterns_of(config.name, "exclude_events", config.exclude_events));
  LEAT_ASSIGN(out.tables, patterns_of(config.name, "exclude_tables", config.exclude_tables));
  LEAT_ASSIGN(out.columns, patterns_of(config.name, "exclude_columns", config.exclude_columns));
  if (out.leaves_out_table(shape::kRescueTable)) {
    return fail(Errc::kInvalid,
                fmt::format("sources.{}.exclude_tables: leat_rescue cannot be left out: it keeps "
                            "what the other tables cannot take",
                            config.name));
  }
  LEAT_TRY(check_names(config.name, out));
  // Segment's loader breaks without them; here they are simply always there.
  for (const std::string_view column : {"id", "received_at"}) {
    if (!out.leaves_out_column("tracks", column)) continue;
    return fail(Errc::kInvalid,
                fmt::format("sources.{}.exclude_columns: {} cannot be left out: rows are told "
                            "apart and ordered by it",
                            config.name, column));
  }
  return out;
}

}  // namespace

bool is_schema_of_warehouse(std::string_view name) {
  return name.starts_with("pg_") || name == "information_schema";
}

Result<std::vector<Source>> name_sources(const std::vector<SourceConfig>& configured) {
  std::vector<Source> sources;
  for (const SourceConfig& config : configured) {
    Source source{config.name,
                  config.write_key,
                  config.schema,
                  config.enabled,
                  config.events_per_second_max,
                  config.tracking_plan,
                  config.sync};
    LEAT_ASSIGN(source.exclusion, exclusion_of(config));
    if (source.schema.empty()) source.schema = shape::schema_name_of(config.name);
    if (const std::string right = shape::schema_name_of(source.schema); right != source.schema) {
      return fail(Errc::kInvalid, fmt::format("sources.{}.schema: '{}' is not a schema's name; "
                                              "allowed: a-z, 0-9 and _, no reserved word, "
                                              "such as '{}'",
                                              source.name, source.schema, right));
    }
    if (is_schema_of_warehouse(source.schema)) {
      return fail(Errc::kInvalid,
                  fmt::format("sources.{}.schema: '{}' is a name that the warehouse keeps for "
                              "itself; set another",
                              source.name, source.schema));
    }
    sources.push_back(std::move(source));
  }
  LEAT_TRY(check_unique(sources, &Source::schema, "schema"));
  LEAT_TRY(check_unique(sources, &Source::write_key, "write_key"));
  return sources;
}

Result<std::vector<Source>> resolve_sources(const std::vector<SourceConfig>& configured,
                                            const std::string& write_keys_path, Random& random) {
  LEAT_ASSIGN(auto sources, name_sources(configured));
  LEAT_ASSIGN(auto kept, read_write_keys(write_keys_path));
  bool made = false;
  for (Source& source : sources) {
    if (!source.write_key.empty()) continue;
    std::string& key = kept[source.name];
    if (key.empty()) {
      key = random_token(random, kWriteKeyLength);
      made = true;
    }
    source.write_key = key;
  }
  for (const auto& [name, key] : kept) {
    if (std::ranges::find(sources, name, &Source::name) != sources.end()) continue;
    log::warning("sources",
                 "{} has a write key of source \"{}\", which the configuration does not name: "
                 "requests with it are answered 401; add it to sources, or take the key out",
                 write_keys_path, name);
  }
  if (made) LEAT_TRY(write_write_keys(write_keys_path, kept));
  LEAT_TRY(check_unique(sources, &Source::write_key, "write_key"));
  return sources;
}

Result<std::unique_ptr<shape::TrackingPlan>> read_tracking_plan(const std::string& path) {
  auto text = read_text_file(path);
  if (!text) {
    return fail(text.error().code,
                fmt::format("cannot read the tracking plan: {}", text.error().message));
  }
  auto plan = shape::TrackingPlan::parse(*text);
  if (!plan) {
    return fail(plan.error().code,
                fmt::format("tracking plan {}: {}; see docs/guides/tracking-plan.md", path,
                            plan.error().message));
  }
  return plan;
}

}  // namespace leat::app
