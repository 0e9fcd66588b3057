// Events to rows: names, types, flattening, schema evolution, rescue. Pure: no clock, file, thread
// or random source. What comes out is described in docs/reference/tables-and-columns.md; how it is
// made in docs/internals/shape.md.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "columns/types.h"
#include "pipeline/shape/conflicts.h"
#include "pipeline/shape/selection.h"
#include "pipeline/shape/tracking_plan.h"

namespace leat::shape {

/// SUPER column of a table that may have no more columns: an object of the values whose columns
/// could not be made, by the names that these would have. No name of an event gives this one.
inline constexpr std::string_view kOverflowColumn = "_extra";
/// Bytes of that object's text in users and accounts, where loads merge it: less than
/// columns::kTextBytesMax, with room for numbers that a warehouse writes longer than they came.
inline constexpr std::size_t kEntityOverflowBytesMax = 65'000;

/// Name of the rescue table in every source's schema (docs/formats/rescue.md).
inline constexpr std::string_view kRescueTable = "leat_rescue";

/// Schema, table or event-table name of a source: snake case, `_` before a digit or reserved word,
/// at most 127 bytes.
[[nodiscard]] std::string schema_name_of(std::string_view source);

/// How the type of a new column is chosen.
enum class TypeMode : std::uint8_t {
  kInferred,  ///< from its values (docs/adr/0032)
  kVarchar,   ///< every column of context, properties and traits is text
};

/// What becomes of an object or an array that is a value of properties or traits.
enum class Nested : std::uint8_t {
  kFlatten,  ///< a column for each leaf; objects only
  kJson,     ///< its JSON in a varchar column
  kSuper,    ///< its JSON in a SUPER column; varchar with TypeMode::kVarchar
};

/// Sees every row as it is staged; for tests and fuzzing.
class RowObserver {
 public:
  virtual ~RowObserver() = default;
  /// `values`: column name and value of every column of the row that is not NULL, in no order;
  /// numbers in decimal, times in microseconds.
  virtual void row(std::string_view table,
                   const std::vector<std::pair<std::string, std::string>>& values) = 0;
  /// Says that shaping starts again with other types: the rows seen so far do not count.
  virtual void restart() = 0;
};

struct Options {
  TypeMode types = TypeMode::kInferred;
  std::uint32_t varchar_length = 512;  ///< bytes of new text columns, 1 to 65535
  Nested objects = Nested::kFlatten;   ///< of properties and traits; context is always flattened
  Nested arrays = Nested::kJson;       ///< kJson or kSuper
  ConflictPolicies conflicts;          ///< what happens to values that do not fit their column
  /// Columns of one table; values for more go to kOverflowColumn, which is one of them. Redshift's
  /// limit is 1,600, of which the stage table needs two itself.
  std::uint32_t columns_max = 1'598;
  /// Tables of the schema. A new event's rows are only in tracks then, its properties in
  /// kOverflowColumn.
  std::uint32_t tables_max = 9'000;
  std::string
      warehouse_id;  ///< matched against integrations.Warehouses.warehouseIds when not empty
  TrackingPlan* tracking_plan = nullptr;  ///< of the source, or none; borrowed
  TimeUs synced_at;                       ///< fills uuid_ts
  Selection selection;                    ///< events that become rows; others are only counted
  /// Tables of the schema that hold something else: an event of such a name gets `_` in front.
  std::vector<std::string> taken_tables;
  Refusals refusals;    ///< events that become rescue rows
  Exclusion exclusion;  ///< what is not loaded; an event without rows is excluded
  /// Tables of events with at most so many rows are staged in one file together; 0: none.
  std::uint64_t shared_rows_max = 0;
  bool write_files = true;          ///< false: columns are made and dropped; for measuring
  RowObserver* observer = nullptr;  ///< borrowed
};

/// A table that exists in the destination.
struct KnownTable {
  std::string name;
  std::vector<columns::Column> columns;
};

/// One batch of the archive. `lines` is the decompressed NDJSON (event/line.h).
struct Batch {
  std::string id;
  std::string lines;
};

/// Books of one batch: events = with_rows + rescued_events + excluded. Events that are not selected
/// count as what they would be.
struct BatchCounts {
  std::string batch_id;
  std::uint64_t events = 0;
  std::uint64_t with_rows = 0;       ///< became rows of their home tables
  std::uint64_t rescued_events = 0;  ///< kept whole in the rescue table
  std::uint64_t refused = 0;         ///< of rescued_events: by Options::refusals
  std::uint64_t excluded = 0;  ///< left out by integrations.Warehouses or by the settings, or gone
  std::uint64_t rescued_values = 0;  ///< single values of events with rows
  std::map<std::string, std::uint64_t>
      rows;  ///< rows per table, before deduplication; users and accounts not counted
  bool operator==(const BatchCounts&) const = default;
};

enum class TableKind : std::uint8_t {
  kEvents,    ///< rows keyed by `id`, the newest wins
  kEntities,  ///< users, accounts: one staged row per `id`, to be merged column by column, newest
              ///< non-NULL wins
  kRescue,    ///< leat_rescue, keyed by `id` as well
};

struct StagedColumn {
  columns::Column column;
  bool is_new =
      false;  ///< does not exist in the destination: ALTER TABLE ADD COLUMN (or CREATE TABLE)
};

/// One table with rows to load. The Parquet file holds exactly `columns`, in this order. Tables of
/// kind kEvents and kRescue end with two columns for the stage table only, both BIGINT NOT NULL:
/// `leat_batch`, the position of the batch in the order of add, and `leat_order`, the position of
/// the event among all events of the shaper.
/// When the events of a table's rows happened, and when they were received: of all rows, or evenly
/// of some of them.
struct RowTimes {
  static constexpr std::size_t kKept = 256;
  struct Taken {
    TimeUs received;
    TimeUs happened;  ///< As the column `timestamp` has it: the device's clock, corrected.
  };
  std::vector<Taken> times;
  std::uint64_t stride = 1;  ///< Of so many rows one is kept.
  std::uint64_t rows = 0;

  void add(Taken row);
};

struct StagedTable {
  std::string name;
  TableKind kind = TableKind::kEvents;
  bool is_new = false;
  bool is_home = false;  ///< one row for each event of its kind: what books count
  std::vector<StagedColumn> columns;
  std::uint64_t rows = 0;
  std::string parquet;  ///< Empty: the rows are in the shared file.
  /// kEvents: no two rows have the same id, so that nobody needs to look for such.
  bool is_distinct = false;
  /// Where each of `columns` is in the shared file; empty: the table has a file of its own.
  std::vector<std::size_t> shared_places{};
  RowTimes times;  ///< kEvents only
};

/// The rows of many small tables in one file, because a COPY for each of them would take longer
/// than everything else. Its columns are made for any table: `leat_table`, which says whose row it
/// is (the table's position in Staged::tables), then `v1`, `v2`, ... of the types that are needed.
struct SharedFile {
  std::vector<columns::Column> columns;
  std::uint64_t rows = 0;
  std::string parquet;  ///< Empty: no table has its rows here.
};

struct Staged {
  std::vector<StagedTable> tables;  ///< sorted by name; tables without rows are left out
  SharedFile shared;
  std::vector<BatchCounts> batches;      ///< in the order of add; of all events, selected or not
  std::vector<SelectedCounts> selected;  ///< of each of them
};

/// Gives the batch at a position, whenever it is asked for.
using ReadBatch = std::function<Result<Batch>(std::size_t position)>;

/// Shapes the batches of one source for one sync. `known`: every table of the source's schema as it
/// is in the destination. Bad lines become rescue rows, never an error. Batches are read once, or
/// again from the first on when later values gave a new column another type than the values that
/// are written already. Errors: those of `read`; kInvalid for a conflict whose policy is
/// ConflictPolicy::kFail; kExhausted, kBug from the Parquet writer. Any
/// thread.
[[nodiscard]] Result<Staged> shape_batches(const Options& options,
                                           const std::vector<KnownTable>& known,
                                           std::size_t batches, const ReadBatch& read);

}  // namespace leat::shape
