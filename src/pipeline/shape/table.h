// One table of a sync: its columns, the rows staged for it, and its Parquet file. Rows are first
// written side by side, 64 at a time, and then turned into columns. Used by shaper.cc only.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "columns/parquet_writer.h"
#include "pipeline/event/validate.h"
#include "pipeline/shape/fit.h"
#include "pipeline/shape/shaper.h"
#include "pipeline/shape/shared_file.h"

namespace leat::shape {

/// Columns that Leat fills itself.
enum class StandardColumn : std::uint8_t {
  kId,
  kReceivedAt,
  kUuid,
  kUuidTs,
  kAnonymousId,
  kUserId,
  kSentAt,
  kTimestamp,
  kOriginalTimestamp,
  kEvent,
  kEventText,
  kGroupId,
  kPreviousId,
  kName,
  kCategory,
  // leat_rescue only:
  kEventId,
  kTableName,
  kColumnName,
  kReason,
  kValue,
  kPart,
  kEncoding,
  kBatchId,
  kLine,
  kDetail,
  // stage tables only:
  kLeatBatch,
  kLeatOrder,
};
inline constexpr std::size_t kStandardColumnCount = 27;

/// The schema of a standard column in a new table.
[[nodiscard]] columns::Column standard_column(StandardColumn column);

/// One thread at a time. Text cells must stay valid until flush.
class Table {
 public:
  static constexpr int kUnresolved = -1;
  static constexpr int kNoColumn = -2;
  static constexpr int kLeftOut = -3;  ///< by Options::exclusion

  /// `known`: the table in the destination, or nullptr for a new one. `type`: calls whose rows it
  /// takes.
  Table(std::string name, TableKind kind, event::EventType type, const KnownTable* known,
        const Options& options);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] TableKind kind() const { return kind_; }
  [[nodiscard]] event::EventType type() const { return type_; }
  [[nodiscard]] std::uint64_t seed() const { return seed_; }
  [[nodiscard]] std::uint64_t rows() const { return rows_; }
  [[nodiscard]] const columns::Column& column(int index) const {
    return columns_[static_cast<std::size_t>(index)].column;
  }
  [[nodiscard]] std::size_t column_count() const { return columns_.size(); }

  /// Position of a standard column, made when it is missing.
  [[nodiscard]] int standard(StandardColumn column) {
    const int index = standard_[static_cast<std::size_t>(column)];
    return index >= 0 ? index : make_standard(column);
  }
  /// Position of the column of a path: >= 0, kUnresolved before remember, kNoColumn, or kLeftOut.
  [[nodiscard]] int of_node(std::uint32_t node) const {
    return node < node_columns_.size() ? node_columns_[node] : kUnresolved;
  }
  void remember(std::uint32_t node, int index);
  void forget_nodes() { node_columns_.clear(); }
  /// Position of a column by its name, or kNoColumn.
  [[nodiscard]] int find(std::string_view name) const;
  /// Adds a column that the destination does not have, or returns kNoColumn when the table is full.
  /// `first`: the kind of value that makes it, kNever when later values have no say in its type.
  [[nodiscard]] int add(columns::Column column, ValueKind first);
  /// What add was told.
  [[nodiscard]] ValueKind first_kind(int index) const {
    return columns_[static_cast<std::size_t>(index)].first;
  }
  /// Gives a new column another type, and `length` if it is text. True: the values that it has came
  /// along. False: they could not and are gone; the table has to be made again from the start.
  [[nodiscard]] bool retype(int index, columns::Type type, std::uint32_t length);
  /// Remembers that a value did not fit the type which the column has now.
  void note_misfit(int index) { columns_[static_cast<std::size_t>(index)].has_misfits = true; }
  [[nodiscard]] bool has_misfits(int index) const {
    return columns_[static_cast<std::size_t>(index)].has_misfits;
  }
  /// From now on later values have no say in the type.
  void settle(int index) { columns_[static_cast<std::size_t>(index)].first = ValueKind::kNever; }

  /// True when `value` can go into the column as it is: the usual case.
  [[nodiscard]] bool fits_directly(int index, const Value& value) const {
    const Direct& direct = direct_[static_cast<std::size_t>(index)];
    return value.kind == direct.kind && value.cell.text_size <= direct.text_size_max;
  }

  /// Starts a row; kEntities: the row of `id`, new or not. `received_at` says which value of an
  /// entity is newer.
  void begin_row(std::string_view id, TimeUs received_at);
  [[nodiscard]] bool has(int index) const {
    return (valid_[static_cast<std::size_t>(index)] & bit_) != 0;
  }
  void set(int index, columns::Cell cell) {
    if (kind_ == TableKind::kEntities) return set_entity(index, cell);
    valid_[static_cast<std::size_t>(index)] |= bit_;
    row_[index] = cell;
  }
  /// kEntities: keeps a member of the object of what has no column, the newest of each name. False:
  /// the object has no room for it.
  [[nodiscard]] bool set_overflow(std::string_view name, std::string_view json);
  /// When the event of the row was received.
  void note_times(RowTimes::Taken row) { times_.add(row); }
  /// The row's hash, kEvents only.
  void note_uuid(std::int64_t uuid) { uuids_.push_back(static_cast<std::uint64_t>(uuid)); }
  /// Ends the row. Errors: those of the Parquet writer.
  [[nodiscard]] Status end_row();

  /// Moves all staged rows into the file, so that text they point to may go.
  [[nodiscard]] Status flush();
  /// Ends the rows: what was staged, without a file yet.
  [[nodiscard]] Result<StagedTable> end_rows();
  /// True when the rows are few enough for the shared file.
  [[nodiscard]] bool is_small() const;
  /// Gives `staged` a file of its own.
  [[nodiscard]] Status write_file(StagedTable& staged);
  /// Puts the rows into the shared file instead, as those of the table at `position`.
  [[nodiscard]] Status share_file(StagedTable& staged, SharedFileWriter& shared,
                                  std::size_t position);

 private:
  static constexpr std::size_t kStagedRows = 64;
  static constexpr std::size_t kChunkRows =
      512;  // small: the columns of all tables share the cache

  struct TableColumn {
    columns::Column column;
    bool is_new = false;
    bool is_internal = false;
    bool is_encoded = false;  // the file has values of it
    bool has_misfits = false;
    ValueKind first = ValueKind::kNever;
    int in_file = -1;  // position in the Parquet file, once it has a value
    std::vector<columns::Cell> cells;
    std::array<std::uint64_t, kChunkRows / 64> valid{};
  };
  struct Direct {
    ValueKind kind = ValueKind::kNever;
    std::uint64_t text_size_max = 0;
  };
  struct EntityCell {
    columns::Cell cell{};
    std::int64_t received_at = INT64_MIN;
    bool has_value = false;
  };
  /// An entity's members that have no column.
  struct EntityOverflow {
    struct Member {
      std::string_view name;
      std::string_view json;
      std::int64_t received_at = INT64_MIN;
    };
    std::vector<Member> members;
    std::unordered_map<std::string_view, std::size_t> of_name;
    std::size_t bytes = 1;  // of the object: its braces, less the comma of the first member
  };
  struct Entity {
    std::string_view id;
    std::vector<EntityCell> cells;
    std::unique_ptr<EntityOverflow> overflow;  // few have one
  };

  [[nodiscard]] static Direct direct_of(const columns::Column& column);
  int append_column(columns::Column column, bool is_new, bool is_internal);
  template <class Change>
  void change_cells(int index, Change change);
  void drop_values(int index);
  int make_standard(StandardColumn column);
  void widen(std::size_t stride);
  void set_entity(int index, columns::Cell cell);
  [[nodiscard]] Status flush_staged();
  [[nodiscard]] Status flush_chunk();
  [[nodiscard]] std::size_t kept_places(std::string_view column) const;
  [[nodiscard]] Status stage_entities();
  void put_in_file(TableColumn& column);
  void show_row() const;
  [[nodiscard]] std::vector<std::size_t> file_order() const;

  std::string name_;
  TableKind kind_;
  event::EventType type_;
  const Options& options_;
  bool is_new_;
  std::uint64_t seed_;

  std::vector<TableColumn> columns_;
  std::size_t destination_columns_ = 0;  // all but those of the stage table
  std::vector<Direct> direct_;
  std::vector<int> node_columns_;
  std::array<int, kStandardColumnCount> standard_{};
  std::unordered_map<std::string, int> by_name_;

  RowTimes times_;
  std::vector<std::uint64_t> uuids_;  // of all rows of events

  // Rows side by side; valid_ has one word for each column, one bit for each row.
  std::vector<columns::Cell> staged_;
  std::vector<std::uint64_t> valid_;
  columns::Cell* row_ = nullptr;
  std::uint64_t bit_ = 0;
  std::size_t stride_ = 0;
  std::size_t staged_rows_ = 0;
  std::size_t chunk_rows_ = 0;
  std::uint64_t rows_ = 0;

  std::unordered_map<std::string_view, std::size_t> entity_of_;
  std::vector<Entity> entities_;
  Entity* entity_ = nullptr;
  std::int64_t entity_time_ = 0;
  Arena entity_text_;

  columns::StringSink sink_;
  columns::ParquetWriter writer_{sink_, kStagedFile};
  std::vector<std::size_t> file_columns_;  // columns_ by their position in the file
  std::vector<std::size_t> order_;         // of the file's columns, once the rows have ended
};

}  // namespace leat::shape
