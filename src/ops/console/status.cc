#include "ops/console/status.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "pipeline/load/sync_report.h"

namespace leat::console {
namespace {

std::string optional_time(const std::optional<TimeUs>& time) {
  return time ? json_string(format_iso8601(*time)) : "null";
}

std::string optional_number(const std::optional<std::int64_t>& number) {
  return number ? std::to_string(*number) : "null";
}

std::string optional_bool(const std::optional<bool>& value) {
  if (!value) return "null";
  return *value ? "true" : "false";
}

// 1234567 as "1,234,567".
std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  const std::size_t first = digits.starts_with('-') ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

std::string sum_text(const load::EventCounts& events) {
  return fmt::format("{} received = {} loaded + {} deduplicated + {} rescued + {} excluded",
                     grouped(events.received), grouped(events.loaded), grouped(events.deduplicated),
                     grouped(events.rescued), grouped(events.excluded));
}

std::string paused_by(const load::SourceState& state) {
  if (state.source.is_paused) return R"("configuration")";
  return state.paused_since ? R"("request")" : "null";
}

std::string sync_json(const load::SourceState& state) {
  return fmt::format(
      R"({{"running":{},"last_started":{},"last_success":{},"last_failure":{},"last_error":{},)"
      R"("last_error_kind":{},"consecutive_failures":{},"next_run":{},"paused_by":{},)"
      R"("paused_since":{}}})",
      state.running, optional_time(state.last_started), optional_time(state.last_success),
      optional_time(state.last_failure), json_string(state.last_error),
      json_string(state.last_error_kind), state.consecutive_failures, optional_time(state.next_run),
      paused_by(state), optional_time(state.paused_since));
}

// How fresh the tables were after the last sync that loaded something.
std::string freshness_json(const load::SourceState& state) {
  if (!state.last_report || state.last_report->freshness.rows == 0) return "null";
  const load::SyncReport& report = *state.last_report;
  std::string tables;
  for (const auto& [table, freshness] : report.table_freshness) {
    tables += fmt::format("{}{}:{}", tables.empty() ? "" : ",", json_string(table),
                          load::to_json(freshness));
  }
  return fmt::format(R"({{"sync_id":{},"finished_at":{},"all":{},"tables":{{{}}}}})",
                     json_string(report.sync_id), json_string(format_iso8601(report.finished_at)),
                     load::to_json(report.freshness), tables);
}

std::string source_json(const SourceView& source) {
  const Verdict verdict = judge(source);
  const load::SourceBooks books = source.ledger.value_or(load::SourceBooks{});
  const bool known = source.ledger.has_value();
  const auto number = [known](std::int64_t value) {
    return known ? std::to_string(value) : "null";
  };
  return fmt::format(
      R"({{"name":{},"schema":{},"received":{},"archived":{},"in_journal":{},)"
      R"("waiting_for_sync":{},"batches":{},)"
      R"("loaded":{},"deduplicated":{},"rescued":{},"excluded":{},"deleted":{},)"
      R"("values_rescued":{},)"
      R"("last_loaded_at":{},)"
      R"("balanced":{},"verdict":{},"sync":{},"freshness":{}}})",
      json_string(source.name), json_string(source.schema), optional_number(source.received),
      optional_number(source.archived), optional_number(source.in_journal()),
      optional_number(source.waiting_for_sync()), number(books.batches),
      number(books.events.loaded), number(books.events.deduplicated), number(books.events.rescued),
      number(books.events.excluded), number(books.deleted), number(books.values_rescued),
      books.batches > 0 ? json_string(format_iso8601(books.last_loaded_at)) : "null",
      optional_bool(verdict.balanced), json_string(verdict.sentence),
      source.state != nullptr ? sync_json(*source.state) : "null",
      source.state != nullptr ? freshness_json(*source.state) : "null");
}

std::string shard_json(const ShardPosition& shard) {
  return fmt::format(
      R"({{"shard":{},"durable_offset":{},"archived_offset":{},"records_to_archive":{},)"
      R"("health":{}}})",
      json_string(shard.shard), shard.durable_offset, shard.archived_offset,
      std::max<std::int64_t>(shard.durable_offset - shard.archived_offset, 0),
      json_string(shard.health));
}

std::string connection_json(const ConnectionHints& hints) {
  return fmt::format(
      R"({{"collect_url":{},"warehouse":{{"host":{},"port":{},"database":{},"user":{},)"
      R"("encrypted":{}}},)"
      R"("password_hint":{},)"
      R"("token_hint":{}}})",
      json_string(hints.collect_url), json_string(hints.warehouse_host), hints.warehouse_port,
      json_string(hints.warehouse_database), json_string(hints.warehouse_user),
      hints.warehouse_encrypted, json_string(hints.password_hint), json_string(hints.token_hint));
}

template <class List, class Function>
std::string json_list(const List& list, Function to_text) {
  std::string out = "[";
  for (const auto& entry : list) {
    if (out.size() > 1) out += ',';
    out += to_text(entry);
  }
  return out + "]";
}

}  // namespace

std::optional<std::int64_t> SourceView::in_journal() const {
  if (!received || !archived) return std::nullopt;
  return *received - *archived;
}

std::optional<std::int64_t> SourceView::waiting_for_sync() const {
  if (!archived || !ledger) return std::nullopt;
  return *archived - ledger->events.received;
}

std::int64_t SourceView::events_for_nobody() const {
  if (is_configured) return 0;
  return in_journal().value_or(0) + waiting_for_sync().value_or(0);
}

std::vector<SourceView> source_views(const Snapshot& snapshot) {
  std::map<std::string, SourceView> views;
  const auto view = [&views](const std::string& name) -> SourceView& {
    SourceView& found = views[name];
    found.name = name;
    return found;
  };
  for (const load::SourceState& state : snapshot.states) {
    SourceView& source = view(state.source.name);
    source.schema = state.source.schema;
    source.state = &state;
  }
  if (snapshot.received) {
    for (const SourceReceived& counts : *snapshot.received) {
      SourceView& source = view(counts.source);
      source.received = counts.received_events;
      source.archived = counts.archived_events;
    }
  }
  if (snapshot.ledger) {
    for (const load::SourceBooks& books : snapshot.ledger->sources)
      view(books.source).ledger = books;
    // A readable ledger without a row of the source is a known zero.
    for (auto& [name, source] : views) {
      if (!source.ledger)
        source.ledger = load::SourceBooks{.source = name, .events = {}, .last_loaded_at = {}};
    }
  }
  std::vector<SourceView> out;
  for (auto& [name, source] : views) {
    source.archive_is_readable = snapshot.received.has_value();
    source.is_configured = source.state != nullptr || snapshot.states.empty();
    out.push_back(std::move(source));
  }
  return out;
}

Verdict judge(const SourceView& source) {
  const std::string who = fmt::format("source \"{}\"", source.name);
  if (!source.ledger)
    return {std::nullopt, fmt::format("{}: cannot tell, the ledger cannot be read", who)};
  const load::EventCounts& events = source.ledger->events;
  if (!events.balanced()) {
    return {
        false,
        fmt::format(
            "{}: the ledger does NOT balance: {} received, but {} loaded + {} deduplicated + {} "
            "rescued + {} excluded; report this and keep the archive",
            who, grouped(events.received), grouped(events.loaded), grouped(events.deduplicated),
            grouped(events.rescued), grouped(events.excluded))};
  }
  if (!source.archive_is_readable)
    return {std::nullopt, fmt::format("{}: cannot tell, the archive cannot be read", who)};
  if (const auto in_journal = source.in_journal(); in_journal && *in_journal < 0) {
    return {
        false,
        fmt::format(
            "{}: the archive holds {} events MORE than the journal received; report this and keep "
            "both",
            who, grouped(-*in_journal))};
  }
  if (const auto waiting = source.waiting_for_sync(); waiting && *waiting < 0) {
    return {
        false,
        fmt::format(
            "{}: the ledger has {} events MORE than this archive: objects were deleted from the "
            "archive, or another archive loads the same source",
            who, grouped(-*waiting))};
  }
  std::string sentence = fmt::format("{}: balanced, {}", who, sum_text(events));
  if (source.ledger->deleted > 0) {
    sentence +=
        fmt::format("; {} of all these deleted on request", grouped(source.ledger->deleted));
  }
  const std::int64_t in_journal = source.in_journal().value_or(0);
  const std::int64_t waiting = source.waiting_for_sync().value_or(0);
  if (source.events_for_nobody() > 0) {
    sentence += fmt::format(
        "; {} more that nobody loads, because the configuration does not name the source; add it "
        "to sources",
        grouped(in_journal + waiting));
  } else if (in_journal + waiting > 0) {
    sentence +=
        fmt::format("; {} more on the way ({} in the journal, {} archived and waiting for a sync)",
                    grouped(in_journal + waiting), grouped(in_journal), grouped(waiting));
  }
  return {true, std::move(sentence)};
}

Verdict judge(const Snapshot& snapshot) {
  if (snapshot.ledger) {
    for (const load::BatchBooks& batch : snapshot.ledger->latest) {
      if (const auto status = load::check_balance(batch); !status)
        return {false, status.error().message};
    }
  }
  std::optional<std::string> unknown;
  std::optional<std::string> forgotten;
  for (const SourceView& source : source_views(snapshot)) {
    Verdict verdict = judge(source);
    if (source.events_for_nobody() > 0) forgotten = verdict.sentence;
    if (!verdict.balanced) {
      unknown = verdict.sentence;
    } else if (!*verdict.balanced) {
      return verdict;
    }
  }
  if (unknown) return {std::nullopt, *unknown};
  if (!snapshot.ledger) return {std::nullopt, "cannot tell: there is no ledger to read here"};
  if (!snapshot.received) return {std::nullopt, "cannot tell: the archive cannot be read"};
  if (forgotten) return {true, *forgotten};
  return {true,
          "the books balance: every received event is loaded, deduplicated, rescued, excluded or "
          "on the way"};
}

std::string status_json(const Snapshot& snapshot) {
  const Verdict verdict = judge(snapshot);
  const std::vector<load::BatchBooks> no_batches;
  const std::vector<ShardPosition> no_shards;
  return fmt::format(
      R"({{"version":{},"time":{},"started_at":{},"balanced":{},"verdict":{},"sources":{},)"
      R"("journal":{},)"
      R"("batches":{},"syncs":{},"problems":{},"connection":{}}})",
      json_string(snapshot.version), json_string(format_iso8601(snapshot.now)),
      json_string(format_iso8601(snapshot.started_at)), optional_bool(verdict.balanced),
      json_string(verdict.sentence), json_list(source_views(snapshot), source_json),
      json_list(snapshot.journal.value_or(no_shards), shard_json),
      json_list(snapshot.ledger ? snapshot.ledger->latest : no_batches,
                [](const load::BatchBooks& batch) { return load::to_json(batch); }),
      json_list(snapshot.syncs,
                [](const load::SyncHistoryEntry& entry) { return load::to_json(entry); }),
      json_list(snapshot.problems,
                [](const Problem& problem) {
                  return fmt::format(R"({{"part":{},"message":{}}})", json_string(problem.part),
                                     json_string(problem.message));
                }),
      connection_json(snapshot.connection));
}

std::string error_json(const Error& error) {
  return fmt::format(R"({{"error":{{"code":{},"message":{}}}}})",
                     json_string(errc_name(error.code)), json_string(error.message));
}

}  // namespace leat::console
