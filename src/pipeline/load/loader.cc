#include "pipeline/load/loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/log.h"
#include "pipeline/load/group_load.h"
#include "pipeline/load/load_sql.h"
#include "pipeline/load/load_transaction.h"
#include "pipeline/load/seal_feed.h"
#include "pipeline/load/staging.h"

namespace leat::load {
namespace {

constexpr std::size_t kSealsPerPage = 256;

// Batches of one source that go into one transaction, and how far the archive was read to find
// them.
struct Group {
  std::vector<SealedBatch> items;
  archive::Positions scanned;
  std::map<std::string, std::int64_t> quiet_seals;  // per stream, since the last one with a batch
  bool archive_has_more = false;
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

}  // namespace

struct Loader::Impl {
  explicit Impl(LoaderOptions loader_options)
      : work(std::move(loader_options)),
        options(work.options()),
        feed(*options.archive),
        freshness(options.metrics) {}

  GroupLoad work;
  const LoaderOptions& options;
  SealFeed feed;
  FreshnessMeter freshness;
  std::map<std::string, Cursor> cursors;
  bool view_offered = false;

  // Of the running sync.
  SyncReport report;
  bool positions_fresh = false;  // the cursor's positions were read from the ledger in this sync

  Step<void> read_cursor(const SourceSettings& source, Cursor& cursor) {
    const std::int64_t started_us = options.clock->monotonic_us();
    LEAT_TRY(work.open());
    Session on = work.session();
    // Where the ledger is among a source's tables, an event may be called so.
    if (!view_offered && source.schema != options.destination.ledger_schema) {
      view_offered = true;
      offer_syncs_view(on);
    }
    LEAT_ASSIGN(auto positions, read_positions(on, source.name));
    positions_fresh = true;
    report.phases.find_us += options.clock->monotonic_us() - started_us;
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
    while (!work.stop_requested()) {
      LEAT_ASSIGN(const auto seals, as_step(feed.list_after(group.scanned, kSealsPerPage)));
      if (seals.empty()) return group;
      for (const archive::Seal& seal : seals) {
        LEAT_TRY(check_seal(seal));
        std::int64_t seal_bytes = 0;
        std::int64_t seal_events = 0;
        std::vector<SealedBatch> found;
        for (const archive::Batch& batch : seal.batches) {
          if (batch.source != source.name) continue;
          seal_bytes += static_cast<std::int64_t>(batch.raw_bytes);
          seal_events += static_cast<std::int64_t>(batch.events);
          found.push_back(SealedBatch{batch, seal.stream, seal.first, seal.last});
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
    LEAT_TRY(work.open());
    Session on = work.session();
    LEAT_ASSIGN(cursor.tables, load::read_tables(on, source.schema));
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

  Step<void> load_group(const SourceSettings& source, const Group& group, Cursor& cursor) {
    static const TableColumns kNone;
    if (!group.items.empty()) LEAT_TRY(read_tables(source, cursor));
    const auto complete = [&](Prepared& prepared) {
      prepared.plan.checkpoints = checkpoints_of(source, group);
      const auto deletions = cursor.positions.find(std::string(kDeletionsShard));
      prepared.plan.deletions = deletions == cursor.positions.end() ? 0 : deletions->second;
    };
    const auto ask = [&](const LoadPlan& plan, Session& on) -> Step<std::optional<LoadResult>> {
      if (plan.batches.empty()) return std::nullopt;
      LEAT_ASSIGN(auto batches, read_batches(on, ids_of(group.items)));
      if (batches.size() != plan.batches.size()) return std::nullopt;
      LoadResult result;
      result.batches = std::move(batches);
      return result;
    };
    LEAT_ASSIGN(const GroupLoad::Loaded loaded,
                work.run({.source = source,
                          .batches = group.items,
                          .tables = cursor.tables ? *cursor.tables : kNone},
                         complete, ask));
    const Prepared& prepared = loaded.prepared;
    commit_cursor(group, prepared.plan, loaded.result, cursor);
    add_to_report(loaded.result, prepared.staging ? prepared.staging->bytes() : 0, report);
    report.refused_events += prepared.refused_events;
    freshness.add(source.name, prepared.times, options.clock->now());
    return {};
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
    if (cursor.tables) add_planned_tables(plan, *cursor.tables);
  }

  // One pass from the cursor to the end of the archive.
  Step<void> sync_once(const SourceSettings& source, Cursor& cursor) {
    positions_fresh = false;
    if (!cursor.known) LEAT_TRY(read_cursor(source, cursor));
    while (true) {
      if (work.stop_requested()) return std::unexpected(work.stopped());
      const std::int64_t started_us = options.clock->monotonic_us();
      LEAT_ASSIGN(Group group, next_group(source, cursor));
      report.phases.find_us += options.clock->monotonic_us() - started_us;
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
      if (done.error().plan_is_stale) work.forget_ledger();
      if (!done.error().plan_is_stale || attempt >= options.attempts_max) return done;
      log::info("load", "source \"{}\": planning again: {}", source.name,
                done.error().error.message);
      pause(std::int64_t{10} << std::min(attempt, 5), work.stop());
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
  impl_->report.sync_id = make_run_id(now, *impl_->options.random);
  impl_->freshness.begin();
  impl_->work.begin(impl_->report.sync_id, now, std::move(stop));
  auto done = impl_->sync(source);
  impl_->work.end();
  impl_->freshness.end(impl_->report);
  const SyncPhases& phases = impl_->work.phases();
  impl_->report.phases.shape_us = phases.shape_us;
  impl_->report.phases.stage_us = phases.stage_us;
  impl_->report.phases.load_us = phases.load_us;
  impl_->report.finished_at = impl_->options.clock->now();
  if (!done) {
    return std::unexpected(
        SyncFailure{std::move(done.error().error), done.error().kind, std::move(impl_->report)});
  }
  return std::move(impl_->report);
}

}  // namespace leat::load
