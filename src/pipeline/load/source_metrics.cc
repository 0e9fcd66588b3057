#include "pipeline/load/source_metrics.h"

#include <algorithm>

namespace leat::load {

SourceMetrics SourceMetrics::make(metrics::Registry& registry, const std::string& source) {
  const auto syncs = [&](const char* result) {
    return &registry.counter("leat_load_syncs_total", "Syncs by result",
                             {{"source", source}, {"result", result}});
  };
  const auto events = [&](const char* outcome) {
    return &registry.counter("leat_load_events_total", "Events by what became of them",
                             {{"source", source}, {"outcome", outcome}});
  };
  const metrics::Labels labels = {{"source", source}};
  return SourceMetrics{
      .succeeded = syncs("success"),
      .failed = syncs("failure"),
      .batches = &registry.counter("leat_load_batches_total", "Batches loaded", labels),
      .loaded = events("loaded"),
      .deduplicated = events("deduplicated"),
      .rescued = events("rescued"),
      .excluded = events("excluded"),
      .values_rescued = &registry.counter("leat_load_values_rescued_total",
                                          "Single values kept in the rescue table", labels),
      .staged_bytes =
          &registry.counter("leat_load_staged_bytes_total", "Bytes of staged files", labels),
      .duration =
          &registry.histogram("leat_load_sync_duration_seconds", "Duration of syncs", labels),
      .last_success =
          &registry.gauge("leat_load_last_success_timestamp_seconds",
                          "Start of the last successful sync: every event sealed before it is "
                          "in the warehouse",
                          labels),
      .failures_in_a_row = &registry.gauge("leat_load_consecutive_failures",
                                           "Failed syncs since the last good one", labels),
      .paused = &registry.gauge("leat_load_paused", "1 while a source is paused", labels),
  };
}

void SourceMetrics::count(const SyncReport& report) const {
  const auto add = [](metrics::Counter* counter, std::int64_t n) {
    counter->add(static_cast<std::uint64_t>(std::max<std::int64_t>(n, 0)));
  };
  add(batches, report.batches);
  add(loaded, report.events.loaded);
  add(deduplicated, report.events.deduplicated);
  add(rescued, report.events.rescued);
  add(excluded, report.events.excluded);
  add(values_rescued, report.values_rescued);
  add(staged_bytes, report.staged_bytes);
}

}  // namespace leat::load
