// The SQL of a load, as text: pure functions, one statement each. Everything here is Redshift SQL
// that the embedded warehouse runs too; every identifier is quoted.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/load/books.h"

namespace leat::load {

/// The two columns a staged file carries behind the table's own (kLatest: none, it has one row per
/// id).
inline constexpr std::string_view kBatchColumn =
    "leat_batch";  ///< index of the batch in the transaction
inline constexpr std::string_view kOrderColumn =
    "leat_order";  ///< order of the event in the transaction

enum class TableRole : std::uint8_t {
  kPrimary,  ///< One row per event of its type: tracks, identifies, pages, ... What the books
             ///< count. Where tracks is left out, the tables of track events.
  kDetail,   ///< Further rows of the same events: the table of a track event.
  kLatest,   ///< One row per user or group, newest non-null value of each column: users, accounts.
  kRescue,   ///< What did not fit.
};

struct StagedColumn {
  std::string name;
  std::string type;  ///< As written in DDL, such as "varchar(512)".
  bool is_new = false;
};

/// One table of a load: what is in its staged file and what the destination has of it.
struct StagedTable {
  std::string schema;
  std::string name;
  TableRole role = TableRole::kDetail;
  bool is_new = false;
  std::vector<StagedColumn> columns;  ///< In file order, without kBatchColumn and kOrderColumn.
  std::string manifest_uri;
  std::int64_t rows = 0;
  bool is_distinct = false;  ///< No two rows have the same id.
  /// kLatest: which of the load's tables has a row for each call, identifies or groups, and its
  /// column with this table's id.
  std::optional<std::size_t> home{};
  std::string home_key{};
  /// Where each of `columns` is in the shared stage; empty: the table has a file of its own.
  std::vector<std::size_t> shared_places{};
};

/// The rows of many small tables in one stage table: a COPY for each of them would take longer than
/// everything else. Which table a row is for stands in `leat_table`, its position in the load.
struct SharedStage {
  std::vector<StagedColumn> columns;  ///< In file order, all of them.
  std::string manifest_uri;
};

/// The ledger row that counts the deletions of a source's events (last_offset). A deletion raises
/// it in the transaction that deletes; a load that read the archive before that finds it raised,
/// inside the lock, and reads again: rows of events that are gone never come back.
[[nodiscard]] std::string deletions_row_id(std::string_view source);
/// The `shard` of that row: of no stream.
inline constexpr std::string_view kDeletionsShard = "(deletions)";
/// The table beside the ledger that says what each deletion removed.
inline constexpr std::string_view kDeletionsTable = "deletions";

/// "\"web\".\"tracks\"".
[[nodiscard]] std::string qualified(std::string_view schema, std::string_view table);

/// A staged value as the target takes it: COPY brings the JSON of a SUPER column as text. `prefix`:
/// of the stage, such as "s.".
[[nodiscard]] std::string staged_value(std::string_view prefix, const StagedColumn& column);

[[nodiscard]] std::string create_schema_sql(std::string_view schema);
/// Columns in the order of segment-warehouses 3.3: id, received_at, uuid, uuid_ts, then by name.
[[nodiscard]] std::string create_table_sql(const StagedTable& table);
/// One column per statement, as Redshift demands.
[[nodiscard]] std::string add_column_sql(const StagedTable& table, const StagedColumn& column);

/// The temporary tables of the load's `index`-th table.
[[nodiscard]] std::string create_stage_sql(const StagedTable& table, std::size_t index);
/// What COPY may read S3 with: "IAM_ROLE default", a role's ARN, or keys. kInvalid: keys that are
/// no plain text; the message does not hold them.
[[nodiscard]] std::string role_sql(std::string_view iam_role);
[[nodiscard]] Result<std::string> keys_sql(const CopyKeys& keys);
[[nodiscard]] std::string copy_sql(const StagedTable& table, std::size_t index,
                                   std::string_view authorization);

[[nodiscard]] std::string create_shared_sql(const SharedStage& shared);
[[nodiscard]] std::string copy_shared_sql(const SharedStage& shared,
                                          std::string_view authorization);
/// Of each table in the shared stage: table; rows.
[[nodiscard]] std::string count_shared_sql();
/// From the shared stage into the table's own stage, or into the target.
[[nodiscard]] std::string fill_stage_sql(const SharedStage& shared, const StagedTable& table,
                                         std::size_t index);
[[nodiscard]] std::string insert_shared_sql(const SharedStage& shared, const StagedTable& table,
                                            std::size_t index);
/// A load's table, its position there, and what of the target may have an id that is staged.
struct CountedTable {
  const StagedTable* table = nullptr;
  std::size_t index = 0;
  /// Every row of the target has the hash of its id in `uuid` (shape::row_uuid), or nothing there:
  /// rows of an id are found by eight bytes instead of its text.
  bool is_hashed = false;
  bool has_known = true;         ///< False: no row of the target has a staged id.
  bool has_duplicates = true;    ///< False: no two staged rows have the same id.
  std::string known_from = {};   ///< All rows with a staged id were received between these, ...
  std::string known_until = {};  ///< ... inclusive; empty: at any time, or never.
};

/// Looks which tables of events bring ids again, in one statement for all of them. Rows: table;
/// rows staged; different ids (or hashes) staged; rows of the target that may have a staged id; the
/// first and the last received_at of those; how many of them have none.
[[nodiscard]] std::string overlap_sql(std::span<const CountedTable> tables);
/// Looks which tables may have a row whose hash is in the shared stage, or a row without one. Rows:
/// table; how many of its rows.
[[nodiscard]] std::string overlap_shared_sql(std::span<const CountedTable> tables);
/// Some rows of each table: its index, id, uuid.
[[nodiscard]] std::string sample_sql(std::span<const CountedTable> tables);

/// Where ids repeat among the staged rows: makes the list of those that give way, by the newest
/// received_at, then the latest order. Drops it.
[[nodiscard]] std::string create_losers_sql(const CountedTable& counted);
[[nodiscard]] std::string drop_losers_sql(std::size_t index);

/// Counts what is staged of the tables in one statement. Rows: table; batch (kLatest: 0); rows
/// staged; rows with a new id (kLatest: ids); rows that replace one of the target (kLatest: ids
/// that the target has); rows with an id that the target has (kLatest: ids of which the load has a
/// call that is older than the target's newest).
[[nodiscard]] std::string count_sql(std::span<const CountedTable> tables);
/// Rows of the target that a staged row of the same id replaces: the newer received_at wins, the
/// later load on a tie.
[[nodiscard]] std::string delete_replaced_sql(const CountedTable& counted);

struct InsertShape {
  bool stage_has_duplicates = true;  ///< Two staged rows share an id: the newest is inserted.
  bool target_has_newer = true;      ///< Some staged rows give way to the target's.
};
[[nodiscard]] std::string insert_sql(const CountedTable& counted, InsertShape shape);

/// kLatest: into the target, where the newer row's values win and the other's fill its nulls; then
/// the ids the target has not.
[[nodiscard]] std::string update_latest_sql(const StagedTable& table, std::size_t index);
[[nodiscard]] std::string insert_latest_sql(const StagedTable& table, std::size_t index);

/// Drops the temporary tables of the load's tables at these positions, and the shared one.
[[nodiscard]] std::string drop_stages_sql(std::span<const std::size_t> tables, bool has_shared);

/// The ledger's columns, all that this version reads and writes.
inline constexpr std::array<std::string_view, 15> kLedgerColumns = {
    "batch_id", "source",         "shard",      "first_offset", "last_offset",
    "hour",     "received",       "loaded",     "deduplicated", "rescued",
    "excluded", "values_rescued", "table_rows", "sync_id",      "loaded_at"};
/// The names of the ledger's tables and view, when they are in `schema`: none of it is for events.
[[nodiscard]] std::vector<std::string> ledger_tables_in(std::string_view schema,
                                                        std::string_view ledger_schema);
[[nodiscard]] std::string create_ledger_sql(std::string_view ledger_schema);
/// The view `syncs` over it: what each sync brought in.
[[nodiscard]] std::string create_syncs_view_sql(std::string_view ledger_schema);
[[nodiscard]] std::string lock_ledger_sql(std::string_view ledger_schema);
[[nodiscard]] std::string insert_ledger_sql(std::string_view ledger_schema,
                                            const std::vector<BatchBooks>& batches);
[[nodiscard]] std::string delete_batches_sql(std::string_view ledger_schema,
                                             const std::vector<BatchBooks>& batches);
/// The ledger rows of those of `batch_ids` that are there.
[[nodiscard]] std::string find_batches_sql(std::string_view ledger_schema,
                                           const std::vector<std::string>& batch_ids);
/// shard, newest last_offset of one source.
[[nodiscard]] std::string positions_sql(std::string_view ledger_schema, std::string_view source);
/// A row when the schema exists.
[[nodiscard]] std::string schema_exists_sql(std::string_view schema);
/// Totals per source, and the newest batches; see books.cc for the order of columns.
[[nodiscard]] std::string ledger_totals_sql(std::string_view ledger_schema);
[[nodiscard]] std::string ledger_latest_sql(std::string_view ledger_schema, int limit);
/// Source and sum of events of the table of deletions, which need not exist.
[[nodiscard]] std::string deletion_totals_sql(std::string_view ledger_schema);
/// Name, column, type, length, precision, scale of a schema's columns in order; of `tables` only
/// when it is not empty.
[[nodiscard]] std::string columns_sql(std::string_view schema,
                                      const std::vector<std::string>& tables);

/// Name and kind (pg_class.relkind: 'r' for a table) of everything in a schema that an event's
/// table could be called.
[[nodiscard]] std::string relations_sql(std::string_view schema);

/// The manifest COPY reads: one file with its length.
[[nodiscard]] std::string manifest_json(std::string_view uri, std::int64_t bytes);

/// `table_rows` as JSON of at most 65,000 bytes: when it is longer, the smallest tables are summed
/// under "*".
[[nodiscard]] std::string table_rows_json(const std::map<std::string, std::int64_t>& table_rows);

}  // namespace leat::load
