#include "pipeline/load/books.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "pipeline/load/load_sql.h"
#include "pipeline/load/rows.h"

namespace leat::load {
namespace {

constexpr std::int64_t kBooksTimeoutMs = 5'000;

std::map<std::string, std::int64_t> parse_table_rows(const std::string& text) {
  std::map<std::string, std::int64_t> out;
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return out;
  for (const auto& [table, rows] : json.items()) {
    if (rows.is_number_integer()) out[table] = rows.get<std::int64_t>();
  }
  return out;
}

SourceBooks source_of(const Row& row) {
  SourceBooks source;
  source.source = text_at(row, 0);
  source.batches = number_at(row, 1);
  source.events = EventCounts{.received = number_at(row, 2),
                              .loaded = number_at(row, 3),
                              .deduplicated = number_at(row, 4),
                              .rescued = number_at(row, 5),
                              .excluded = number_at(row, 6)};
  source.values_rescued = number_at(row, 7);
  source.last_loaded_at = time_at(row, 8);
  return source;
}

std::expected<void, DestinationFailure> add_deletions(Ledger& ledger, Connection& connection,
                                                      const std::string& schema,
                                                      const std::stop_token& stop) {
  // Asked for first, so that the warehouse's log of failed statements stays clean.
  LEAT_ASSIGN(const Rows columns,
              connection.run(columns_sql(schema, {std::string(kDeletionsTable)}), stop));
  if (columns.rows.empty()) return {};
  LEAT_ASSIGN(const Rows totals, connection.run(deletion_totals_sql(schema), stop));
  for (const Row& row : totals.rows) {
    const auto found = std::ranges::find(ledger.sources, text_at(row, 0), &SourceBooks::source);
    if (found != ledger.sources.end()) found->deleted = number_at(row, 1);
  }
  return {};
}

}  // namespace

BatchBooks batch_from_row(const Row& row) {
  BatchBooks batch;
  batch.batch_id = text_at(row, 0);
  batch.source = text_at(row, 1);
  batch.shard = text_at(row, 2);
  batch.first_offset = number_at(row, 3);
  batch.last_offset = number_at(row, 4);
  for (const char c : text_at(row, 5).substr(0, 13)) {
    if (c >= '0' && c <= '9') batch.hour += c;
  }
  batch.events = EventCounts{.received = number_at(row, 6),
                             .loaded = number_at(row, 7),
                             .deduplicated = number_at(row, 8),
                             .rescued = number_at(row, 9),
                             .excluded = number_at(row, 10)};
  batch.values_rescued = number_at(row, 11);
  batch.table_rows = parse_table_rows(text_at(row, 12));
  batch.sync_id = text_at(row, 13);
  batch.loaded_at = time_at(row, 14);
  return batch;
}

EventCounts& EventCounts::operator+=(const EventCounts& other) {
  received += other.received;
  loaded += other.loaded;
  deduplicated += other.deduplicated;
  rescued += other.rescued;
  excluded += other.excluded;
  return *this;
}

Status check_balance(const BatchBooks& books) {
  if (books.events.balanced()) return {};
  const EventCounts& events = books.events;
  return fail(
      Errc::kBug,
      fmt::format(
          "the books of batch {} do not balance: received {} is not loaded {} + deduplicated {} + "
          "rescued {} + excluded {} = {}; nothing of it was loaded, its events stay in the "
          "archive; "
          "please report this",
          books.batch_id, events.received, events.loaded, events.deduplicated, events.rescued,
          events.excluded, events.loaded + events.deduplicated + events.rescued + events.excluded));
}

Result<Ledger> read_ledger(const DestinationSettings& settings, const Connect& connect, int latest,
                           std::stop_token stop) {
  if (latest < 0 || latest > 10'000) {
    return fail(Errc::kInvalid, fmt::format("cannot show {} batches; allowed: 0 to 10000", latest));
  }
  constexpr std::string_view kAction = "reading the ledger";
  auto connection = connect(within(settings, kBooksTimeoutMs), stop);
  if (!connection) return std::unexpected(describe_failure(connection.error(), kAction, settings));
  Ledger ledger;
  const auto totals = (*connection)->run(ledger_totals_sql(settings.ledger_schema), stop);
  if (!totals) {
    // Before the first load there is none.
    if (totals.error().kind == FailureKind::kObjectMissing) return ledger;
    return std::unexpected(describe_failure(totals.error(), kAction, settings));
  }
  for (const Row& row : totals->rows) ledger.sources.push_back(source_of(row));
  if (const auto added = add_deletions(ledger, **connection, settings.ledger_schema, stop);
      !added) {
    return std::unexpected(describe_failure(added.error(), kAction, settings));
  }
  if (latest == 0) return ledger;
  const auto batches = (*connection)->run(ledger_latest_sql(settings.ledger_schema, latest), stop);
  if (!batches) return std::unexpected(describe_failure(batches.error(), kAction, settings));
  for (const Row& row : batches->rows) ledger.latest.push_back(batch_from_row(row));
  return ledger;
}

std::string to_json(const EventCounts& counts) {
  return fmt::format(
      R"({{"received":{},"loaded":{},"deduplicated":{},"rescued":{},"excluded":{},"balanced":{}}})",
      counts.received, counts.loaded, counts.deduplicated, counts.rescued, counts.excluded,
      counts.balanced());
}

std::string to_json(const BatchBooks& books) {
  return fmt::format(
      R"({{"batch_id":{},"source":{},"shard":{},"first_offset":{},"last_offset":{},"hour":{},)"
      R"("events":{},)"
      R"("values_rescued":{},"table_rows":{},"sync_id":{},"loaded_at":{}}})",
      json_string(books.batch_id), json_string(books.source), json_string(books.shard),
      books.first_offset, books.last_offset, json_string(books.hour), to_json(books.events),
      books.values_rescued, table_rows_json(books.table_rows), json_string(books.sync_id),
      json_string(format_iso8601(books.loaded_at)));
}

}  // namespace leat::load
