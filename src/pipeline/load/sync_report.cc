#include "pipeline/load/sync_report.h"

#include <fmt/format.h>

#include "base/text.h"
#include "pipeline/load/load_sql.h"

namespace leat::load {

std::string to_json(const Freshness& freshness) {
  const auto seconds = [](std::int64_t us) { return static_cast<double>(us) / 1e6; };
  const auto members = [&](std::string_view prefix, const Lateness& lateness) {
    return fmt::format(
        R"("{0}p50_seconds":{1:.3f},"{0}p99_seconds":{2:.3f},"{0}max_seconds":{3:.3f})", prefix,
        seconds(lateness.p50_us), seconds(lateness.p99_us), seconds(lateness.max_us));
  };
  return fmt::format(R"({{"rows":{},{},{}}})", freshness.rows, members("", freshness.arrival),
                     members("event_", freshness.event));
}

std::string to_json(const SyncReport& report) {
  const auto texts = [](const std::vector<std::string>& list) {
    std::string out = "[";
    for (const std::string& text : list) {
      if (out.size() > 1) out += ',';
      out += json_string(text);
    }
    return out + "]";
  };
  const auto seconds = [](std::int64_t us) { return static_cast<double>(us) / 1e6; };
  return fmt::format(R"({{"sync_id":{},"source":{},"started_at":{},"finished_at":{},"batches":{},)"
                     R"("transactions":{},"events":{},)"
                     R"("values_rescued":{},"refused_events":{},"staged_bytes":{},)"
                     R"("seconds":{{"find":{:.6f},"shape":{:.6f},"stage":{:.6f},"load":{:.6f}}},)"
                     R"("table_rows":{},"tables_created":{},)"
                     R"("columns_added":{},"freshness":{}}})",
                     json_string(report.sync_id), json_string(report.source),
                     json_string(format_iso8601(report.started_at)),
                     json_string(format_iso8601(report.finished_at)), report.batches,
                     report.transactions, to_json(report.events), report.values_rescued,
                     report.refused_events, report.staged_bytes, seconds(report.phases.find_us),
                     seconds(report.phases.shape_us), seconds(report.phases.stage_us),
                     seconds(report.phases.load_us), table_rows_json(report.table_rows),
                     texts(report.tables_created), texts(report.columns_added),
                     to_json(report.freshness));
}

}  // namespace leat::load
