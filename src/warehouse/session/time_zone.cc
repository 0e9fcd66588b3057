#include "warehouse/session/time_zone.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace leat::session {
namespace {

constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kFrom = -43'830 * kDay;   // 1850-01-01
constexpr std::int64_t kTo = 170'571 * kDay;     // 2437-01-01
constexpr std::int64_t kCycle = 146'097 * kDay;  // 400 years, whole weeks

/// Seconds east of UTC at `second`, an SQL expression.
std::string offset_sql(const std::string& zone, std::string_view second) {
  return fmt::format(
      "((epoch_us(timezone({}, make_timestamptz({} * 1000000))) - {} * 1000000) // 1000000)",
      engine::quote_literal(zone), second, second);
}

}  // namespace

SqlResult<std::shared_ptr<const TimeZone>> TimeZone::load(engine::Connection& connection,
                                                          const std::string& name) {
  // The days on which the offset is another than on the day before; the hour of each change; its
  // minute.
  LEAT_ASSIGN(
      const auto rows,
      connection.query(fmt::format(
          "WITH days AS (SELECT s, {} AS o FROM range({}, {}, {}) AS t(s)), "
          "changes AS (SELECT s, o FROM (SELECT s, o, lag(o) OVER (ORDER BY s) AS before "
          "FROM days) WHERE before IS NULL OR before <> o), "
          "hours AS (SELECT s, o, min(h) AS h FROM (SELECT s, o, s - {} + k * 3600 AS h FROM "
          "changes, range(1, 25) AS r(k)) WHERE {} = o GROUP BY s, o) "
          "SELECT min(m), o FROM (SELECT s, o, h - 3600 + k * 60 AS m FROM hours, "
          "range(1, 61) AS r(k)) WHERE {} = o GROUP BY s, o ORDER BY 1",
          offset_sql(name, "s"), kFrom, kTo, kDay, kDay, offset_sql(name, "h"),
          offset_sql(name, "m"))));
  auto zone = std::make_shared<TimeZone>();
  for (const engine::TextRow& row : rows) {
    zone->changes_.push_back(
        {.at = parse_number<std::int64_t>(row.at(0).value_or("")).value_or(kFrom),
         .offset = parse_number<std::int32_t>(row.at(1).value_or("")).value_or(0)});
  }
  if (zone->changes_.empty()) zone->changes_.push_back({});
  return zone;
}

std::int32_t TimeZone::offset_at(std::int64_t us) const {
  std::int64_t second = us / 1'000'000 - (us % 1'000'000 < 0 ? 1 : 0);
  if (second >= kTo) second -= ((second - kTo) / kCycle + 1) * kCycle;
  const auto after =
      std::ranges::upper_bound(changes_, second, std::less<>(), &TimeZone::Change::at);
  return after == changes_.begin() ? after->offset : std::prev(after)->offset;
}

}  // namespace leat::session
