#include "pipeline/load/loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "columns/types.h"
#include "io/object_store.h"
#include "pipeline/archive/archive.h"
#include "pipeline/load/load_sql.h"
#include "pipeline/load/load_transaction.h"
#include "pipeline/load/seal_feed.h"
#include "pipeline/load/staging.h"

namespace leat::load {
namespace {

constexpr std::size_t kSealsPerPage = 256;

constexpr std::array<std::string_view, 6> kPrimaryTables = {"aliases", "groups",  "identifies",
                                                            "pages",   "screens", "tracks"};

TableRole role_of(const shape::StagedTable& table) {
  switch (table.kind) {
    case shape::TableKind::kEntities:
      return TableRole::kLatest;
    case shape::TableKind::kRescue:
      return TableRole::kRescue;
    case shape::TableKind::kEvents:
      break;
  }
  const bool primary = std::ranges::find(kPrimaryTables, table.name) != kPrimaryTables.end();
  return primary ? TableRole::kPrimary : TableRole::kDetail;
}

StepFailure local_failure(Error error) {
  return StepFailure{std::move(error), FailureKind::kOther};
}

template <class T>
Step<T> as_step(Result<T> result) {
  if (!result) return std::unexpected(local_failure(std::move(result).error()));
  if constexpr (std::is_void_v<T>) {
    return {};
  } else {
    return std::move(*result);
  }
}

// Waits `ms` or until stopped.
void pause(std::int64_t ms, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any condition;
  std::unique_lock lock(mutex);
  condition.wait_for(lock, stop, std::chrono::milliseconds(ms), [] { return false; });
}

// Batches of one source that go into one transaction, and how far the archive was read to find
// them.
struct Group {
  struct Item {
    archive::Batch batch;
    std::string stream;
    journal::Offset first;
    journal::Offset last;
  };
  std::vector<Item> items;
  archive::Positions scanned;
  std::map<std::string, std::int64_t> quiet_seals;  // per stream, since the last one with a batch
  bool archive_has_more = false;

  [[nodiscard]] std::vector<std::string> batch_ids() const {
    std::vector<std::string> ids;
    ids.reserve(items.size());
    for (const Item& item : items) ids.push_back(item.batch.id);
    return ids;
  }
};

// What is remembered of a source between syncs. All of it can be read again.
struct Cursor {
  bool known = false;                             // the three below are read
  std::map<std::string, std::int64_t> positions;  // as the ledger has them
  archive::Positions scanned;                     // seals up to here hold nothing unloaded
  std::map<std::string, std::int64_t> quiet_seals;
  std::optional<TableColumns> tables;  // of the source's schema
  bool leftovers_removed = false;
};

archive::Positions to_archive(const std::map<std::string, std::int64_t>& positions) {
  archive::Positions out;
  for (const auto& [stream, offset] : positions) {
    out[stream] = journal::Offset{static_cast<std::uint64_t>(offset)};
  }
  return out;
}

// Everything of one transaction that can be made before it.
struct Prepared {
  LoadPlan plan;
  std::unique_ptr<Staging> staging;
};

}  // namespace

struct Loader::Impl {
  explicit Impl(LoaderOptions loader_options)
      : options(std::move(loader_options)), feed(*options.archive) {
    if (options.metrics == nullptr) return;
    const metrics::Labels labels = {{"destination", options.destination.name}};
    transaction_time =
        &options.metrics->histogram("leat_load_transaction_duration_seconds",
                                    "Duration of load transactions, failed ones too", labels);
    retries = &options.metrics->counter("leat_load_retries_total", "Load transactions tried again",
                                        labels);
  }

  metrics::Histogram* transaction_time = nullptr;
  metrics::Counter* retries = nullptr;
  LoaderOptions options;
  SealFeed feed;
  std::unique_ptr<Connection> connection;  // open during a sync only
  bool ledger_ready = false;
  std::map<std::string, Cursor> cursors;

  // Of the running sync.
  SyncReport report;
  std::stop_token stop;
  std::int64_t parts = 0;
  bool positions_fresh = false;  // the cursor's positions were read from the ledger in this sync

  Step<void> open_session() {
    if (connection && connection->is_open()) return {};
    auto opened = options.connect(options.destination, stop);
    if (!opened) {
      return std::unexpected(
          StepFailure{.error = describe_failure(opened.error(), "connecting", options.destination),
                      .kind = opened.error().kind});
    }
    connection = std::move(*opened);
    return {};
  }

  Session session() { return Session(*connection, options.destination, stop); }

  Step<void> read_cursor(const SourceSettings& source, Cursor& cursor) {
    LEAT_TRY(open_session());
    Session on = session();
    if (!ledger_ready) {
      LEAT_TRY(ensure_ledger(on));
      ledger_ready = true;
    }
    LEAT_ASSIGN(auto positions, read_positions(on, source.name));
    positions_fresh = true;
    if (cursor.known && positions == cursor.positions) return {};
    cursor.known = true;
    cursor.scanned = to_archive(positions);
    cursor.positions = std::move(positions);
    cursor.quiet_seals.clear();
    return {};
  }

  // Reads seals from the cursor on until a transaction's worth of batches is found or the archive
  // ends. All batches of a seal go together: the position of a shard is the newest seal that has a
  // ledger row.
  Step<Group> next_group(const SourceSettings& source, const Cursor& cursor) {
    Group group;
    group.scanned = cursor.scanned;
    group.quiet_seals = cursor.quiet_seals;
    std::int64_t bytes = 0;
    std::int64_t events = 0;
    while (!stop.stop_requested()) {
      LEAT_ASSIGN(const auto seals, as_step(feed.list_after(group.scanned, kSealsPerPage)));
      if (seals.empty()) return group;
      for (const archive::Seal& seal : seals) {
        LEAT_TRY(check_seal(seal));
        std::int64_t seal_bytes = 0;
        std::int64_t seal_events = 0;
        std::vector<Group::Item> found;
        for (const archive::Batch& batch : seal.batches) {
          if (batch.source != source.name) continue;
          seal_bytes += static_cast<std::int64_t>(batch.raw_bytes);
          seal_events += static_cast<std::int64_t>(batch.events);
          found.push_back(Group::Item{batch, seal.stream, seal.first, seal.last});
        }
        const bool full = bytes + seal_bytes > options.transaction_bytes_max ||
                          events + seal_events > options.transaction_events_max;
        if (!group.items.empty() && !found.empty() && full) {
          group.archive_has_more = true;
          return group;
        }
        bytes += seal_bytes;
        events += seal_events;
        group.scanned[seal.stream] = seal.last;
        group.quiet_seals[seal.stream] = found.empty() ? group.quiet_seals[seal.stream] + 1 : 0;
        std::ranges::move(found, std::back_inserter(group.items));
      }
    }
    return group;
  }

  // The first line of the books: what the journal received is what was archived.
  static Step<void> check_seal(const archive::Seal& seal) {
    std::uint64_t events = 0;
    for (const archive::Batch& batch : seal.batches) events += batch.events;
    if (events == seal.events) return {};
    return std::unexpected(local_failure(Error{
        Errc::kCorrupt,
        fmt::format(
            "the books of seal {} {}-{} do not balance: {} events were received, {} archived; "
            "nothing of it was loaded; please report this and keep journal and archive",
            seal.stream, seal.first.value, seal.last.value, seal.events, events)}));
  }

  Step<void> read_tables(const SourceSettings& source, Cursor& cursor) {
    if (cursor.tables) return {};
    Session on = session();
    LEAT_ASSIGN(cursor.tables, read_columns(on, source.schema, {}));
    return {};
  }

  Step<shape::Staged> shape_group(const SourceSettings& source, const Group& group,
                                  const Cursor& cursor) {
    std::vector<shape::KnownTable> known;
    known.reserve(cursor.tables->size());
    for (const auto& [name, table_columns] : *cursor.tables) {
      shape::KnownTable table;
      table.name = name;
      for (const StagedColumn& column : table_columns) {
        table.columns.push_back(columns::column_from_sql_type(column.name, column.type));
      }
      known.push_back(std::move(table));
    }
    shape::Options shape_options = options.shape;
    shape_options.synced_at = report.started_at;
    shape_options.tracking_plan = source.tracking_plan;
    auto staged = shape::shape_batches(
        shape_options, known, group.items.size(),
        [&](std::size_t position) { return read_batch(group.items[position].batch); });
    if (!staged && stop.stop_requested()) return std::unexpected(stopped());
    if (!staged && staged.error().code == Errc::kInvalid) {
      staged.error().message =
          fmt::format("schema {} of source \"{}\": {}", quote_identifier(source.schema),
                      source.name, staged.error().message);
    }
    return as_step(std::move(staged));
  }

  Result<shape::Batch> read_batch(const archive::Batch& batch) {
    if (stop.stop_requested()) return fail(Errc::kUnavailable, "stopped");
    auto lines = options.archive->read(batch);
    if (!lines) {
      return fail(
          lines.error().code,
          fmt::format(
              "cannot read batch {} from {}: {}; later batches of source \"{}\" wait for it",
              batch.id, batch.uri, lines.error().message, batch.source));
    }
    return shape::Batch{batch.id, std::move(*lines)};
  }

  [[nodiscard]] StepFailure stopped() const {
    return StepFailure{
        .error = Error{Errc::kUnavailable, "the sync was stopped; the next one goes on"},
        .kind = FailureKind::kStopped};
  }

  // Shapes and stages a group against the tables as they are known.
  Step<Prepared> prepare(const SourceSettings& source, const Group& group, Cursor& cursor) {
    Prepared prepared;
    prepared.plan.schema = source.schema;
    prepared.plan.checkpoints = checkpoints_of(source, group);
    prepared.staging = std::make_unique<Staging>(*options.store, options.bucket, source.schema,
                                                 report.sync_id, ++parts);
    if (group.items.empty()) return prepared;
    LEAT_TRY(read_tables(source, cursor));
    LEAT_ASSIGN(shape::Staged staged, shape_group(source, group, cursor));
    LEAT_TRY(fill_batches(group, staged, prepared.plan));
    for (shape::StagedTable& table : staged.tables) {
      LEAT_ASSIGN(StagedTable planned, plan_table(source, table));
      LEAT_ASSIGN(planned.manifest_uri,
                  as_step(prepared.staging->write(table.name, table.parquet)));
      table.parquet = std::string();  // the memory is needed by the warehouse
      prepared.plan.tables.push_back(std::move(planned));
    }
    return prepared;
  }

  static Step<StagedTable> plan_table(const SourceSettings& source,
                                      const shape::StagedTable& table) {
    StagedTable planned;
    planned.schema = source.schema;
    planned.name = table.name;
    planned.role = role_of(table);
    planned.is_new = table.is_new;
    planned.rows = static_cast<std::int64_t>(table.rows);
    std::size_t count = table.columns.size();
    if (planned.role != TableRole::kLatest) {
      // The file's last two columns exist in the stage only.
      const bool ordered = count > 2 && table.columns[count - 2].column.name == kBatchColumn &&
                           table.columns[count - 1].column.name == kOrderColumn;
      if (!ordered) {
        return std::unexpected(local_failure(Error{
            Errc::kBug,
            fmt::format("the staged rows of table {} carry no batch and order", table.name)}));
      }
      count -= 2;
    }
    for (std::size_t i = 0; i < count; ++i) {
      const shape::StagedColumn& column = table.columns[i];
      planned.columns.push_back(StagedColumn{.name = column.column.name,
                                             .type = columns::sql_type(column.column),
                                             .is_new = column.is_new && !table.is_new});
    }
    return planned;
  }

  Step<void> fill_batches(const Group& group, const shape::Staged& staged, LoadPlan& plan) {
    if (staged.batches.size() != group.items.size()) {
      return std::unexpected(
          local_failure(Error{Errc::kBug, fmt::format("shaping {} batches gave the books of {}",
                                                      group.items.size(), staged.batches.size())}));
    }
    for (std::size_t i = 0; i < group.items.size(); ++i) {
      const Group::Item& item = group.items[i];
      const shape::BatchCounts& counts = staged.batches[i];
      BatchBooks books;
      books.batch_id = item.batch.id;
      books.source = item.batch.source;
      books.shard = item.stream;
      books.first_offset = static_cast<std::int64_t>(item.first.value);
      books.last_offset = static_cast<std::int64_t>(item.last.value);
      books.hour = item.batch.hour;
      books.events.received = static_cast<std::int64_t>(item.batch.events);
      books.events.rescued = static_cast<std::int64_t>(counts.rescued_events);
      books.events.excluded = static_cast<std::int64_t>(counts.excluded);
      books.values_rescued = static_cast<std::int64_t>(counts.rescued_values);
      for (const auto& [table, rows] : counts.rows)
        books.table_rows[table] = static_cast<std::int64_t>(rows);
      books.sync_id = report.sync_id;
      books.loaded_at = options.clock->now();
      plan.batches.push_back(std::move(books));
    }
    return {};
  }

  // Shards that had long nothing for the source get their position stored, or every restart would
  // read all their seals.
  std::vector<BatchBooks> checkpoints_of(const SourceSettings& source, const Group& group) {
    std::vector<BatchBooks> rows;
    if (group.archive_has_more) return rows;
    for (const auto& [stream, seals] : group.quiet_seals) {
      if (seals < options.checkpoint_seals) continue;
      rows.push_back(checkpoint_row(source.name, stream,
                                    static_cast<std::int64_t>(group.scanned.at(stream).value),
                                    report.sync_id, options.clock->now()));
    }
    return rows;
  }

  // Loads one group, trying again what may pass by itself.
  Step<void> load_group(const SourceSettings& source, const Group& group, Cursor& cursor) {
    LEAT_ASSIGN(const Prepared prepared, prepare(source, group, cursor));
    for (int attempt = 1;; ++attempt) {
      if (stop.stop_requested()) return std::unexpected(stopped());
      LEAT_TRY(open_session());
      Session on = session();
      const std::int64_t started_us = options.clock->monotonic_us();
      auto loaded = run_load(on, prepared.plan);
      if (transaction_time != nullptr) {
        transaction_time->observe_us(options.clock->monotonic_us() - started_us);
      }
      if (loaded) {
        commit_cursor(group, prepared.plan, *loaded, cursor);
        add_to_report(*loaded, prepared.staging->bytes());
        return {};
      }
      StepFailure failure = std::move(loaded).error();
      if (failure.commit_uncertain && failure.kind != FailureKind::kStopped) {
        LEAT_ASSIGN(auto outcome, ask_ledger(group, prepared.plan));
        if (outcome) {
          commit_cursor(group, prepared.plan, *outcome, cursor);
          add_to_report(*outcome, prepared.staging->bytes());
          return {};
        }
      }
      const bool passing =
          failure.kind == FailureKind::kSerialization || failure.kind == FailureKind::kUnreachable;
      if (failure.plan_is_stale || !passing || attempt >= options.attempts_max) {
        return std::unexpected(std::move(failure));
      }
      log::info("load", "source \"{}\": trying again after: {}", source.name,
                failure.error.message);
      if (retries != nullptr) retries->add();
      if (failure.kind == FailureKind::kSerialization)
        pause(std::int64_t{25} << std::min(attempt, 5), stop);
    }
  }

  // After a connection was lost during COMMIT: the result if the transaction is in the ledger,
  // nothing if it is not.
  Step<std::optional<LoadResult>> ask_ledger(const Group& group, const LoadPlan& plan) {
    if (group.items.empty()) return std::nullopt;
    LEAT_TRY(open_session());
    Session on = session();
    // The lost session may still be committing; it holds the ledger's lock until it has.
    LEAT_TRY(on.run("BEGIN", "asking the ledger what became of a commit"));
    LEAT_TRY(on.run(lock_ledger_sql(options.destination.ledger_schema),
                    "asking the ledger what became of a commit"));
    auto batches = read_batches(on, group.batch_ids());
    on.roll_back();
    if (!batches) return std::unexpected(std::move(batches).error());
    if (batches->size() != plan.batches.size()) return std::nullopt;
    LoadResult result;
    result.batches = std::move(*batches);
    return result;
  }

  void commit_cursor(const Group& group, const LoadPlan& plan, const LoadResult& result,
                     Cursor& cursor) {
    for (const BatchBooks& batch : result.batches) {
      std::int64_t& position = cursor.positions[batch.shard];
      position = std::max(position, batch.last_offset);
    }
    cursor.scanned = group.scanned;
    cursor.quiet_seals = group.quiet_seals;
    for (const BatchBooks& checkpoint : plan.checkpoints) {
      cursor.positions[checkpoint.shard] = checkpoint.last_offset;
      cursor.quiet_seals[checkpoint.shard] = 0;
    }
    if (!cursor.tables) return;
    for (const StagedTable& table : plan.tables) {
      std::vector<StagedColumn>& known = (*cursor.tables)[table.name];
      for (const StagedColumn& column : table.columns) {
        if (table.is_new || column.is_new)
          known.push_back(StagedColumn{column.name, column.type, false});
      }
    }
  }

  void add_to_report(const LoadResult& result, std::int64_t staged_bytes) {
    if (!result.batches.empty()) ++report.transactions;
    report.batches += static_cast<std::int64_t>(result.batches.size());
    report.staged_bytes += staged_bytes;
    for (const BatchBooks& batch : result.batches) {
      report.events += batch.events;
      report.values_rescued += batch.values_rescued;
      for (const auto& [table, rows] : batch.table_rows) report.table_rows[table] += rows;
    }
    report.tables_created.insert(report.tables_created.end(), result.tables_created.begin(),
                                 result.tables_created.end());
    report.columns_added.insert(report.columns_added.end(), result.columns_added.begin(),
                                result.columns_added.end());
  }

  // One pass from the cursor to the end of the archive.
  Step<void> sync_once(const SourceSettings& source, Cursor& cursor) {
    positions_fresh = false;
    if (!cursor.known) LEAT_TRY(read_cursor(source, cursor));
    while (true) {
      if (stop.stop_requested()) return std::unexpected(stopped());
      LEAT_ASSIGN(Group group, next_group(source, cursor));
      const bool checkpoint_due = std::ranges::any_of(group.quiet_seals, [this](const auto& entry) {
        return entry.second >= options.checkpoint_seals;
      });
      if (group.items.empty() && !checkpoint_due) {
        cursor.scanned = std::move(group.scanned);
        cursor.quiet_seals = std::move(group.quiet_seals);
        return {};
      }
      if (!positions_fresh) {
        // The ledger is the truth: it may have gone on (another loader) or back (a restored
        // warehouse) since the last sync.
        const auto before = cursor.positions;
        LEAT_TRY(read_cursor(source, cursor));
        if (before != cursor.positions) continue;
      }
      LEAT_TRY(load_group(source, group, cursor));
    }
  }

  Step<void> sync(const SourceSettings& source) {
    Cursor& cursor = cursors[source.name];
    if (!cursor.leftovers_removed) {
      cursor.leftovers_removed = true;
      const auto removed =
          remove_leftovers(*options.store, options.bucket, source.schema, options.clock->now());
      if (!removed) {
        log::warning("load", "cannot remove old staged files: {}", removed.error().message);
      }
    }
    for (int attempt = 1;; ++attempt) {
      auto done = sync_once(source, cursor);
      if (done) return {};
      // Whatever failed, what was remembered may be wrong now.
      cursor.known = false;
      cursor.tables.reset();
      ledger_ready = ledger_ready && !done.error().plan_is_stale;
      if (!done.error().plan_is_stale || attempt >= options.attempts_max) return done;
      log::info("load", "source \"{}\": planning again: {}", source.name,
                done.error().error.message);
      pause(std::int64_t{10} << std::min(attempt, 5), stop);
    }
  }
};

Loader::Loader(LoaderOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Loader::~Loader() = default;

std::expected<SyncReport, SyncFailure> Loader::sync(const SourceSettings& source,
                                                    std::stop_token stop) {
  const TimeUs now = impl_->options.clock->now();
  impl_->report = SyncReport{};
  impl_->report.source = source.name;
  impl_->report.started_at = now;
  std::string digits;
  for (const char c : format_timestamp(now).substr(0, 19)) {
    if (c >= '0' && c <= '9') digits += c;
  }
  impl_->report.sync_id = digits + "-" + to_lower(random_token(*impl_->options.random, 10));
  impl_->stop = std::move(stop);
  impl_->parts = 0;
  auto done = impl_->sync(source);
  impl_->connection.reset();
  impl_->report.finished_at = impl_->options.clock->now();
  if (!done) {
    return std::unexpected(
        SyncFailure{std::move(done.error().error), done.error().kind, std::move(impl_->report)});
  }
  return std::move(impl_->report);
}

}  // namespace leat::load
