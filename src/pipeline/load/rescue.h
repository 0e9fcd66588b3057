// What is in leat_rescue (docs/formats/rescue.md), for people: counts and rows.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.h"
#include "pipeline/load/destination.h"
#include "pipeline/load/loader.h"
#include "pipeline/load/replay_state.h"

namespace leat::load {

/// Rescue rows of one source with table, column and reason in common.
struct RescueGroup {
  std::string source{};
  std::string table{};   ///< Empty when no table is known.
  std::string column{};  ///< Empty: whole events.
  std::string reason{};
  std::int64_t values = 0;          ///< Values, or whole events.
  std::int64_t events = 0;          ///< Lines of the archive that they are of.
  std::string first_received_at{};  ///< ISO 8601; empty when not known.
  std::string last_received_at{};
};

/// One rescued value or event, whole.
struct RescuedValue {
  std::string source{};
  std::string id{};
  std::string received_at{};
  std::string event_id{};
  std::string table{};
  std::string column{};
  std::string reason{};
  std::string value{};     ///< All parts of it.
  std::string encoding{};  ///< "json" or "base64".
  std::string batch_id{};
  std::int64_t line = 0;
};

struct Rescued {
  std::vector<RescueGroup> groups{};   ///< The largest first.
  std::vector<RescuedValue> values{};  ///< The newest first.
};

struct RescueQuery {
  RescueFilter filter{};
  int values_max = 0;  ///< 0 to 10000; 0: groups only.
};

/// Reads leat_rescue of the sources over a connection of its own, within a minute. A source without
/// the table has nothing rescued. Errors: kInvalid; as describe_failure. Any thread; blocks.
[[nodiscard]] Result<Rescued> read_rescued(const DestinationSettings& settings,
                                           const Connect& connect,
                                           const std::vector<SourceSettings>& sources,
                                           const RescueQuery& query, std::stop_token stop);

/// `{"groups":[...],"values":[...]}`
[[nodiscard]] std::string to_json(const Rescued& rescued);

[[nodiscard]] std::string rescue_groups_sql(std::string_view schema, const RescueFilter& filter);
[[nodiscard]] std::string rescue_values_sql(std::string_view schema, const RescueFilter& filter,
                                            int limit);

}  // namespace leat::load
