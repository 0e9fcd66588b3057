#include "pipeline/load/sync_report.h"

#include <fmt/format.h>

#include "base/text.h"
#include "pipeline/load/load_sql.h"

namespace leat::load {

std::string to_json(const SyncReport& report) {
  const auto texts = [](const std::vector<std::string>& list) {
    std::string out = "[";
    for (const std::string& text : list) {
      if (out.size() > 1) out += ',';
      out += json_string(text);
    }
    return out + "]";
  };
  return fmt::format(R"({{"sync_id":{},"source":{},"started_at":{},"finished_at":{},"batches":{},)"
                     R"("transactions":{},"events":{},)"
                     R"("values_rescued":{},"staged_bytes":{},"table_rows":{},"tables_created":{},)"
                     R"("columns_added":{}}})",
                     json_string(report.sync_id), json_string(report.source),
                     json_string(format_iso8601(report.started_at)),
                     json_string(format_iso8601(report.finished_at)), report.batches,
                     report.transactions, to_json(report.events), report.values_rescued,
                     report.staged_bytes, table_rows_json(report.table_rows),
                     texts(report.tables_created), texts(report.columns_added));
}

}  // namespace leat::load
