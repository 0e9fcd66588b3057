#include "pipeline/load/staged_counts.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/digest.h"
#include "pipeline/load/rows.h"
#include "pipeline/shape/rules.h"

namespace leat::load {

StagedCounts::StagedCounts(Session& session, const LoadPlan& plan)
    : session_(session),
      plan_(plan),
      hashed_(plan.hashed_tables == nullptr ? no_memory_ : *plan.hashed_tables) {}

// Asks of `tables` what `to_sql` makes of them. One statement for many tables: a round trip and a
// plan for each would cost more than what is asked.
Step<void> StagedCounts::ask(const std::vector<CountedTable>& tables, std::string_view action,
                             std::string (*to_sql)(std::span<const CountedTable>),
                             const std::function<Step<void>(const Row&)>& add) {
  // A table takes up to two kilobytes.
  const std::size_t bytes_max = session_.settings().statement_bytes_max;
  const std::size_t per_statement =
      bytes_max == 0 ? 64 : std::max<std::size_t>(bytes_max / 4000, 1);
  for (std::size_t first = 0; first < tables.size(); first += per_statement) {
    const std::size_t count = std::min(per_statement, tables.size() - first);
    LEAT_ASSIGN(const Rows rows, session_.run(to_sql(std::span(tables).subspan(first, count)),
                                              fmt::format("{} of {} tables of schema {}", action,
                                                          count, quote_identifier(plan_.schema))));
    for (const Row& row : rows.rows) LEAT_TRY(add(row));
  }
  return {};
}

// Counts what the merge will do to each table. Most loads bring no id again; of those tables a
// look that reads no text is enough.
Step<void> StagedCounts::count(std::vector<BatchBooks>& batches,
                               std::vector<ReplayCounts>& replayed) {
  counts_.resize(plan_.tables.size());
  tables_.reserve(plan_.tables.size());
  is_shared_.resize(plan_.tables.size());
  LEAT_TRY(find_hashed());
  LEAT_TRY(find_shared());
  LEAT_TRY(find_overlaps());
  std::vector<CountedTable> counted;
  for (std::size_t i = 0; i < tables_.size(); ++i) {
    if (is_shared_[i] || count_plainly(tables_[i], batches)) continue;
    LEAT_TRY(make_lists(tables_[i]));
    counted.push_back(tables_[i]);
  }
  LEAT_TRY(ask(counted, "counting the staged rows", count_sql,
               [&](const Row& row) { return add_counts(row, batches, replayed); }));
  for (std::size_t i = 0; i < plan_.tables.size(); ++i) {
    const StagedTable& table = plan_.tables[i];
    if (counts_[i].staged == table.rows) continue;
    return bug(fmt::format(
        "COPY brought {} of {} rows from {} into the stage table of {}; nothing was loaded",
        counts_[i].staged, table.rows, table.manifest_uri, qualified(table.schema, table.name)));
  }
  return {};
}

Step<void> StagedCounts::make_lists(CountedTable& counted) {
  const StagedTable& table = *counted.table;
  const std::string name = qualified(plan_.schema, table.name);
  if (has_losers(counted.index)) {
    LEAT_TRY(session_.run(create_losers_sql(counted),
                          fmt::format("ranking staged rows of {} with the same id", name)));
  }
  const bool is_event = table.role == TableRole::kPrimary || table.role == TableRole::kDetail;
  const bool is_large = table.rows >= session_.settings().listed_rows;
  if (!is_event || table.is_new || !counted.has_known || !is_large) return {};
  LEAT_TRY(session_.run(create_known_sql(counted),
                        fmt::format("listing staged rows of {} with a known id", name)));
  counted.lists_known = true;
  return {};
}

// Which tables of the destination have our hash in `uuid`. Some rows of each are looked at, once
// in the life of a loader: tables that were there before Leat, or were renamed, have none or
// another, and are searched by id.
Step<void> StagedCounts::find_hashed() {
  std::vector<CountedTable> unknown;
  for (std::size_t i = 0; i < plan_.tables.size(); ++i) {
    const StagedTable& table = plan_.tables[i];
    CountedTable& counted = tables_.emplace_back(
        CountedTable{.table = &table, .index = i, .has_duplicates = !table.is_distinct});
    const auto uuid = std::ranges::find(table.columns, "uuid", &StagedColumn::name);
    const bool has_uuid = uuid != table.columns.end() && uuid->type == "bigint" && !uuid->is_new;
    if (!has_uuid || table.role == TableRole::kLatest) continue;
    const auto known = hashed_.find(qualified(table.schema, table.name));
    counted.is_hashed = table.is_new || known == hashed_.end() || known->second;
    if (!table.is_new && known == hashed_.end()) unknown.push_back(counted);
  }
  LEAT_TRY(ask(unknown, "looking at rows", sample_sql, [this](const Row& row) -> Step<void> {
    LEAT_ASSIGN(CountedTable * counted, table_of(row));
    const std::int64_t hash = shape::row_uuid(hash64(counted->table->name), text_at(row, 1));
    if (!text_at(row, 2).empty() && number_at(row, 2) != hash) counted->is_hashed = false;
    return {};
  }));
  for (const CountedTable& each : unknown) {
    hashed_[qualified(each.table->schema, each.table->name)] = tables_[each.index].is_hashed;
  }
  return {};
}

// Of most small tables every staged row is a new one, and nothing more has to be asked. The others
// get a stage of their own from the shared one, and go the way of large tables.
Step<void> StagedCounts::find_shared() {
  if (!plan_.shared) return {};
  LEAT_ASSIGN(const Rows rows,
              session_.run(count_shared_sql(), "counting the staged rows of small tables"));
  for (const Row& row : rows.rows) {
    LEAT_ASSIGN(const CountedTable* counted, table_of(row));
    const std::int64_t staged = number_at(row, 1);
    TableCounts& counts = counts_[counted->index];
    counts.staged = counts.added = staged;
    is_shared_[counted->index] = counted->is_hashed && staged == counted->table->rows &&
                                 !counted->has_duplicates && !counted->table->shared_places.empty();
  }
  std::vector<CountedTable> wanted;
  for (const CountedTable& counted : tables_) {
    if (is_shared_[counted.index] && !counted.table->is_new) wanted.push_back(counted);
  }
  LEAT_TRY(ask(wanted, "looking for known ids", overlap_shared_sql,
               [this](const Row& row) -> Step<void> {
                 LEAT_ASSIGN(const CountedTable* counted, table_of(row));
                 is_shared_[counted->index] = false;
                 return {};
               }));
  for (std::size_t i = 0; i < tables_.size(); ++i) {
    const StagedTable& table = plan_.tables[i];
    if (is_shared_[i] || table.shared_places.empty()) continue;
    const std::string action = "filling the stage table of " + qualified(table.schema, table.name);
    LEAT_TRY(session_.run(create_stage_sql(table, i), action));
    LEAT_TRY(session_.run(fill_stage_sql(*plan_.shared, table, i), action));
    counts_[i] = {};
  }
  return {};
}

bool StagedCounts::has_losers(std::size_t table) const {
  const bool is_event = plan_.tables[table].role == TableRole::kPrimary ||
                        plan_.tables[table].role == TableRole::kDetail;
  return is_event && !is_shared_[table] && tables_[table].has_duplicates;
}

std::vector<std::size_t> StagedCounts::own_stages() const {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < is_shared_.size(); ++i) {
    if (!is_shared_[i]) out.push_back(i);
  }
  return out;
}

Step<void> StagedCounts::find_overlaps() {
  std::vector<CountedTable> wanted;
  for (const CountedTable& counted : tables_) {
    if (is_shared_[counted.index]) continue;
    if (counted.table->role != TableRole::kLatest) wanted.push_back(counted);
  }
  return ask(wanted, "looking for known ids", overlap_sql, [this](const Row& row) -> Step<void> {
    LEAT_ASSIGN(CountedTable * counted, table_of(row));
    counts_[counted->index].staged = number_at(row, 1);
    if (counted->table->role == TableRole::kRescue) {
      counted->has_duplicates = number_at(row, 2) != number_at(row, 1);
    }
    counted->has_known = number_at(row, 3) > 0;
    const bool all_timed = number_at(row, 6) == 0;
    if (counted->has_known && all_timed) {
      counted->known_from = text_at(row, 4);
      counted->known_until = text_at(row, 5);
    }
    return {};
  });
}

// True when every staged row is a new one, and what the batches brought is known without asking.
bool StagedCounts::count_plainly(const CountedTable& counted, std::vector<BatchBooks>& batches) {
  const StagedTable& table = *counted.table;
  TableCounts& counts = counts_[counted.index];
  bool is_plain = table.role != TableRole::kLatest && !counted.has_duplicates &&
                  !counted.has_known && counts.staged == table.rows;
  if (table.role == TableRole::kPrimary) {
    // A part of the batches, as replays and trials take it, has other counts than the batches.
    is_plain = is_plain && !plan_.replay && rows_in_batches(table.name) == table.rows;
  }
  if (!is_plain) {
    counts.staged = 0;
    return false;
  }
  counts.added = counts.staged;
  if (table.role != TableRole::kPrimary) return true;
  for (BatchBooks& batch : batches) {
    const auto rows = batch.table_rows.find(table.name);
    if (rows != batch.table_rows.end()) batch.events.loaded += rows->second;
  }
  return true;
}

std::int64_t StagedCounts::rows_in_batches(const std::string& table) const {
  std::int64_t sum = 0;
  for (const BatchBooks& batch : plan_.batches) {
    const auto rows = batch.table_rows.find(table);
    if (rows != batch.table_rows.end()) sum += rows->second;
  }
  return sum;
}

Step<CountedTable*> StagedCounts::table_of(const Row& row) {
  const auto index = static_cast<std::size_t>(number_at(row, 0));
  if (index < tables_.size()) return &tables_[index];
  return bug(
      fmt::format("counting staged rows gave table {} of {}", text_at(row, 0), tables_.size()));
}

Step<void> StagedCounts::add_counts(const Row& row, std::vector<BatchBooks>& batches,
                                    std::vector<ReplayCounts>& replayed) {
  LEAT_ASSIGN(const CountedTable* counted, table_of(row));
  const StagedTable& table = *counted->table;
  const std::size_t index = counted->index;
  const std::int64_t staged = number_at(row, 2);
  const std::int64_t added = number_at(row, 3);
  counts_[index].staged += staged;
  counts_[index].added += added;
  counts_[index].replaced += number_at(row, 4);
  if (table.role == TableRole::kLatest) {
    counts_[index].late += number_at(row, 5);
    return {};
  }
  const std::int64_t batch = number_at(row, 1);
  if (batch < 0 || batch >= static_cast<std::int64_t>(batches.size())) {
    return bug(fmt::format("a staged row of {} names batch {} of {}",
                           qualified(table.schema, table.name), text_at(row, 1), batches.size()));
  }
  if (table.role != TableRole::kPrimary) return {};
  if (plan_.replay) {
    ReplayCounts& counts = replayed[static_cast<std::size_t>(batch)];
    counts.staged += staged;
    counts.added += added;
    counts.known += number_at(row, 5);
  } else {
    EventCounts& events = batches[static_cast<std::size_t>(batch)].events;
    events.loaded += added;
    events.deduplicated += staged - added;
  }
  return {};
}

}  // namespace leat::load
