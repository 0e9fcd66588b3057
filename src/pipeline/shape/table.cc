#include "pipeline/shape/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>
#include <utility>

#include "base/digest.h"

namespace leat::shape {
namespace {

using columns::Cell;
using columns::Column;
using columns::Type;

struct StandardSchema {
  const char* name;
  Type type;
  std::uint32_t length;
};

constexpr std::array<StandardSchema, kStandardColumnCount> kStandardSchemas = {{
    {"id", Type::kVarchar, 512},
    {"received_at", Type::kTimestamp, 0},
    {"uuid", Type::kInt64, 0},
    {"uuid_ts", Type::kTimestamp, 0},
    {"anonymous_id", Type::kVarchar, 512},
    {"user_id", Type::kVarchar, 512},
    {"sent_at", Type::kTimestamp, 0},
    {"timestamp", Type::kTimestamp, 0},
    {"original_timestamp", Type::kTimestamp, 0},
    {"event", Type::kVarchar, 512},
    {"event_text", Type::kVarchar, 512},
    {"group_id", Type::kVarchar, 512},
    {"previous_id", Type::kVarchar, 512},
    {"name", Type::kVarchar, 512},
    {"category", Type::kVarchar, 512},
    {"event_id", Type::kVarchar, 512},
    {"table_name", Type::kVarchar, 127},
    {"column_name", Type::kVarchar, 127},
    {"reason", Type::kVarchar, 127},
    {"value", Type::kVarchar, 65'535},
    {"part", Type::kInt64, 0},
    {"encoding", Type::kVarchar, 16},
    {"batch_id", Type::kVarchar, 512},
    {"line", Type::kInt64, 0},
    {"detail", Type::kVarchar, 1'024},
    {"leat_batch", Type::kInt64, 0},
    {"leat_order", Type::kInt64, 0},
}};

/// Whether two of `hashes` are the same. An open table of twice their size: a fifth of what sorting
/// takes.
bool has_repeats(std::span<const std::uint64_t> hashes) {
  const std::size_t size = std::bit_ceil(hashes.size() * 2 + 1);
  const int shift = std::countl_zero(size) + 1;  // the table's index is the hash's upper bits
  std::vector<std::uint64_t> seen(size, 0);
  bool has_zero = false;
  for (const std::uint64_t hash : hashes) {
    if (hash == 0) {
      if (std::exchange(has_zero, true)) return true;
      continue;
    }
    std::size_t at = hash >> shift;
    while (seen[at] != 0) {
      if (seen[at] == hash) return true;
      at = (at + 1) & (size - 1);
    }
    seen[at] = hash;
  }
  return false;
}

/// The standard columns of a new table, in the order of docs/reference/tables-and-columns.md.
std::vector<StandardColumn> standard_columns_of(TableKind kind, event::EventType type) {
  using enum StandardColumn;
  std::vector<StandardColumn> columns;
  columns.reserve(kStandardColumnCount);
  columns.assign({kId, kReceivedAt});
  if (kind == TableKind::kRescue) {
    columns.insert(columns.end(), {kEventId, kTableName, kColumnName, kReason, kValue, kPart,
                                   kEncoding, kBatchId, kLine, kDetail});
    return columns;
  }
  columns.insert(columns.end(), {kUuid, kUuidTs});
  if (kind == TableKind::kEntities) return columns;
  columns.insert(columns.end(), {kUserId, kSentAt, kTimestamp, kOriginalTimestamp});
  switch (type) {
    case event::EventType::kTrack:
      columns.insert(columns.end(), {kAnonymousId, kEvent, kEventText});
      break;
    case event::EventType::kPage:
    case event::EventType::kScreen:
      columns.insert(columns.end(), {kAnonymousId, kName, kCategory});
      break;
    case event::EventType::kGroup:
      columns.insert(columns.end(), {kAnonymousId, kGroupId});
      break;
    case event::EventType::kAlias:
      columns.push_back(kPreviousId);
      break;
    default:
      columns.push_back(kAnonymousId);
  }
  return columns;
}

}  // namespace

Column standard_column(StandardColumn column) {
  const StandardSchema& schema = kStandardSchemas[static_cast<std::size_t>(column)];
  // The stage table says that an id is never NULL: its column can then be shared with tables that
  // were there before Leat and say nothing of it.
  const bool nullable =
      column != StandardColumn::kLeatBatch && column != StandardColumn::kLeatOrder;
  return {.name = schema.name, .type = schema.type, .length = schema.length, .nullable = nullable};
}

Table::Table(std::string name, TableKind kind, event::EventType type, const KnownTable* known,
             const Options& options)
    : name_(std::move(name)),
      kind_(kind),
      type_(type),
      options_(options),
      is_new_(known == nullptr),
      seed_(hash64(name_)) {
  standard_.fill(kUnresolved);
  if (known != nullptr) {
    for (const Column& column : known->columns) append_column(column, false, false);
    return;
  }
  for (const StandardColumn column : standard_columns_of(kind, type)) {
    put_in_file(columns_[static_cast<std::size_t>(standard(column))]);
  }
}

Table::Direct Table::direct_of(const Column& column) {
  switch (column.type) {
    case Type::kBoolean:
      return {.kind = ValueKind::kBoolean};
    case Type::kInt64:
      return {.kind = ValueKind::kInteger};
    case Type::kDouble:
      return {.kind = ValueKind::kReal};
    case Type::kVarchar:
      return {ValueKind::kText, column.length};
    case Type::kTimestamp:
    case Type::kTimestampTz:
      return {.kind = ValueKind::kTime};
    default:
      return {};
  }
}

int Table::append_column(Column column, bool is_new, bool is_internal) {
  const auto index = static_cast<int>(columns_.size());
  direct_.push_back(direct_of(column));
  by_name_.emplace(column.name, index);
  TableColumn& added = columns_.emplace_back();
  added.column = std::move(column);
  added.is_new = is_new;
  added.is_internal = is_internal;
  destination_columns_ += is_internal ? 0 : 1;
  valid_.push_back(0);
  if (columns_.size() > stride_) widen(std::max<std::size_t>(8, columns_.size() * 5 / 4));
  return index;
}

int Table::make_standard(StandardColumn column) {
  const bool is_internal =
      column == StandardColumn::kLeatBatch || column == StandardColumn::kLeatOrder;
  Column schema = standard_column(column);
  int index = is_internal ? kNoColumn : find(schema.name);
  if (index == kNoColumn) index = append_column(std::move(schema), true, is_internal);
  standard_[static_cast<std::size_t>(column)] = index;
  return index;
}

int Table::find(std::string_view name) const {
  const auto found = by_name_.find(std::string(name));
  return found == by_name_.end() ? kNoColumn : found->second;
}

/// Places that a new column must leave free. The last one is for the column that takes what has no
/// column. users and accounts leave as many more as identifies and groups have standard columns
/// more, so that the same traits have columns in both.
std::size_t Table::kept_places(std::string_view column) const {
  if (column == kOverflowColumn) return 0;
  std::size_t places = by_name_.contains(std::string(kOverflowColumn)) ? 0 : 1;
  if (kind_ == TableKind::kEntities) {
    places += standard_columns_of(TableKind::kEvents, type_).size() -
              standard_columns_of(TableKind::kEntities, type_).size();
  }
  return places;
}

int Table::add(Column column, ValueKind first) {
  if (destination_columns_ + kept_places(column.name) >= options_.columns_max) return kNoColumn;
  const int index = append_column(std::move(column), true, false);
  columns_[static_cast<std::size_t>(index)].first = first;
  // In the file even when its first value does not fit, so that the column comes to be.
  put_in_file(columns_[static_cast<std::size_t>(index)]);
  return index;
}

/// Calls `change` with every cell of a column that is not in the file yet.
template <class Change>
void Table::change_cells(int index, Change change) {
  const auto c = static_cast<std::size_t>(index);
  for (std::uint64_t bits = valid_[c]; bits != 0; bits &= bits - 1) {
    change(staged_[static_cast<std::size_t>(std::countr_zero(bits)) * stride_ + c]);
  }
  TableColumn& column = columns_[c];
  for (std::size_t word = 0; word < column.valid.size(); ++word) {
    for (std::uint64_t bits = column.valid[word]; bits != 0; bits &= bits - 1) {
      change(column.cells[word * 64 + static_cast<std::size_t>(std::countr_zero(bits))]);
    }
  }
  for (Entity& entity : entities_) {
    if (entity.cells.size() > c && entity.cells[c].has_value) change(entity.cells[c].cell);
  }
}

void Table::drop_values(int index) {
  const auto c = static_cast<std::size_t>(index);
  valid_[c] = 0;
  columns_[c].valid.fill(0);
  for (Entity& entity : entities_) {
    if (entity.cells.size() > c) entity.cells[c] = {};
  }
}

bool Table::retype(int index, Type type, std::uint32_t length) {
  const auto c = static_cast<std::size_t>(index);
  TableColumn& column = columns_[c];
  bool comes_along = type == Type::kDouble && column.column.type == Type::kInt64;
  comes_along = comes_along && !column.is_encoded;
  if (comes_along) {
    change_cells(index, [&](const Cell& cell) {
      comes_along = comes_along && is_exact_as_double(cell.integer);
    });
  }
  column.column.type = type;
  column.column.length = type == Type::kVarchar ? length : 0;
  direct_[c] = direct_of(column.column);
  if (!comes_along) {
    drop_values(index);
    return false;
  }
  change_cells(index, [](Cell& cell) { cell = Cell::of_real(static_cast<double>(cell.integer)); });
  writer_.retype_column(static_cast<std::size_t>(column.in_file), column.column);
  return true;
}

void Table::remember(std::uint32_t node, int index) {
  if (node >= node_columns_.size()) node_columns_.resize(node + node / 4 + 16, kUnresolved);
  node_columns_[node] = index;
}

/// Makes room for more columns in each staged row.
void Table::widen(std::size_t stride) {
  std::vector<Cell> wider(stride * (staged_rows_ + 1));
  if (stride_ != 0) {
    for (std::size_t row = 0; row <= staged_rows_ && (row + 1) * stride_ <= staged_.size(); ++row) {
      std::memcpy(wider.data() + row * stride, staged_.data() + row * stride_,
                  stride_ * sizeof(Cell));
    }
  }
  staged_ = std::move(wider);
  stride_ = stride;
  if (row_ != nullptr) row_ = staged_.data() + staged_rows_ * stride_;
}

void Table::begin_row(std::string_view id, TimeUs received_at) {
  if (kind_ == TableKind::kEntities) {
    entity_time_ = received_at.value;
    const auto found = entity_of_.find(id);
    if (found == entity_of_.end()) {
      const std::string_view copy = entity_text_.copy(id);
      entity_of_.emplace(copy, entities_.size());
      entities_.push_back({.id = copy, .cells = {}, .overflow = {}});
      entity_ = &entities_.back();
    } else {
      entity_ = &entities_[found->second];
    }
    return;
  }
  const std::size_t needed = (staged_rows_ + 1) * stride_;
  if (staged_.size() < needed) {
    staged_.resize(std::min(kStagedRows, (staged_rows_ + 1) * 4) * stride_);
  }
  row_ = staged_.data() + staged_rows_ * stride_;
  bit_ = 1ULL << staged_rows_;
}

void Table::set_entity(int index, Cell cell) {
  auto& cells = entity_->cells;
  if (cells.size() <= static_cast<std::size_t>(index)) cells.resize(columns_.size());
  EntityCell& old = cells[static_cast<std::size_t>(index)];
  if (old.has_value && old.received_at > entity_time_) return;
  if (columns::is_text(column(index).type)) {
    if (old.has_value && old.cell.as_text() == cell.as_text()) {
      cell = old.cell;
    } else {
      cell = Cell::of_text(entity_text_.copy(cell.as_text()));
    }
  }
  old = {.cell = cell, .received_at = entity_time_, .has_value = true};
}

bool Table::set_overflow(std::string_view name, std::string_view json) {
  if (!entity_->overflow) entity_->overflow = std::make_unique<EntityOverflow>();
  EntityOverflow& overflow = *entity_->overflow;
  const auto found = overflow.of_name.find(name);
  const bool is_known = found != overflow.of_name.end();
  if (is_known && overflow.members[found->second].received_at > entity_time_) return true;
  // Names of columns need no escapes: ,"name":json
  const std::size_t before = is_known ? overflow.members[found->second].json.size() : 0;
  const std::size_t bytes =
      overflow.bytes - before + json.size() + (is_known ? 0 : name.size() + 4);
  if (bytes > kEntityOverflowBytesMax) return false;
  overflow.bytes = bytes;
  if (!is_known) {
    const std::string_view copy = entity_text_.copy(name);
    overflow.of_name.emplace(copy, overflow.members.size());
    overflow.members.push_back({.name = copy, .json = {}});
  }
  auto& member = is_known ? overflow.members[found->second] : overflow.members.back();
  if (member.json != json) member.json = entity_text_.copy(json);
  member.received_at = entity_time_;
  return true;
}

Status Table::end_row() {
  if (kind_ == TableKind::kEntities) return {};
  if (options_.observer != nullptr) show_row();
  ++rows_;
  if (++staged_rows_ < kStagedRows) return {};
  return flush_staged();
}

void Table::show_row() const {
  std::vector<std::pair<std::string, std::string>> values;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    if ((valid_[c] & bit_) == 0) continue;
    const Column& column = columns_[c].column;
    const Cell& cell = row_[c];
    switch (column.type) {
      case Type::kVarchar:
      case Type::kSuper:
        values.emplace_back(column.name, cell.as_text());
        break;
      case Type::kFloat:
      case Type::kDouble:
        values.emplace_back(column.name, fmt::format("{}", cell.real));
        break;
      case Type::kDecimal:
        values.emplace_back(column.name, fmt::format("{}:{}", cell.high, cell.low));
        break;
      default:
        values.emplace_back(column.name, fmt::format("{}", cell.integer));
    }
  }
  options_.observer->row(name_, values);
}

void Table::put_in_file(TableColumn& column) {
  if (column.in_file >= 0) return;
  column.in_file = static_cast<int>(writer_.add_column(column.column));
  file_columns_.push_back(static_cast<std::size_t>(&column - columns_.data()));
}

/// Turns the staged rows into columns: 64 rows of one column after another.
Status Table::flush_staged() {
  if (staged_rows_ == 0) return {};
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    std::uint64_t bits = valid_[c];
    if (bits == 0) continue;
    TableColumn& column = columns_[c];
    valid_[c] = 0;
    column.valid[chunk_rows_ / 64] = bits;
    if (column.cells.size() < chunk_rows_ + 64) {
      // Most tables of many have few rows; the others fill the chunk.
      column.cells.resize(chunk_rows_ == 0 ? kStagedRows : kChunkRows);
    }
    Cell* to = column.cells.data() + chunk_rows_;
    const Cell* from = staged_.data() + c;
    if (bits == ~0ULL) {
      for (std::size_t row = 0; row < 64; ++row) to[row] = from[row * stride_];
    } else {
      for (; bits != 0; bits &= bits - 1) {
        const auto row = static_cast<std::size_t>(std::countr_zero(bits));
        to[row] = from[row * stride_];
      }
    }
  }
  // Only the last rows before a flush are fewer than 64, so that words of validity never need
  // shifting here.
  chunk_rows_ += staged_rows_;
  const bool is_partial = staged_rows_ != kStagedRows;
  staged_rows_ = 0;
  if (chunk_rows_ == kChunkRows || is_partial) return flush_chunk();
  return {};
}

Status Table::flush_chunk() {
  if (chunk_rows_ == 0) return {};
  for (TableColumn& column : columns_) {
    const bool has_value = std::ranges::any_of(column.valid, [](auto word) { return word != 0; });
    if (!has_value) continue;
    put_in_file(column);
    column.is_encoded = true;
  }
  std::vector<columns::ColumnView> views(file_columns_.size());
  for (std::size_t i = 0; i < file_columns_.size(); ++i) {
    const TableColumn& column = columns_[file_columns_[i]];
    if (!column.cells.empty())
      views[i] = {.values = column.cells.data(), .valid = column.valid.data()};
  }
  if (options_.write_files) {
    LEAT_TRY(writer_.append(views, chunk_rows_));
  }
  for (TableColumn& column : columns_) column.valid.fill(0);
  chunk_rows_ = 0;
  return {};
}

Status Table::flush() {
  LEAT_TRY(flush_staged());
  return flush_chunk();
}

Status Table::stage_entities() {
  kind_ = TableKind::kEvents;  // from here on rows are rows
  const int overflow_at = find(kOverflowColumn);
  for (const Entity& entity : entities_) {
    begin_row({}, {});
    for (std::size_t c = 0; c < entity.cells.size(); ++c) {
      if (entity.cells[c].has_value) set(static_cast<int>(c), entity.cells[c].cell);
    }
    if (entity.overflow) {
      std::string object;
      for (const auto& member : entity.overflow->members) {
        object += fmt::format("{}\"{}\":{}", object.empty() ? '{' : ',', member.name, member.json);
      }
      if (!object.empty()) set(overflow_at, Cell::of_text(entity_text_.copy(object + "}")));
    }
    LEAT_TRY(end_row());
  }
  const Status status = flush();
  kind_ = TableKind::kEntities;
  return status;
}

/// Columns in the order of the destination, or of creation: id, received_at, uuid, uuid_ts, then by
/// name; Leat's own columns of the stage table last.
std::vector<std::size_t> Table::file_order() const {
  std::vector<std::size_t> order(file_columns_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto rank = [&](std::size_t in_file) {
    const TableColumn& column = columns_[file_columns_[in_file]];
    if (column.is_internal) return 1000;
    if (!column.is_new) return 0;
    if (kind_ == TableKind::kRescue) return 1;
    if (!is_new_) return 10;
    static constexpr std::array<std::string_view, 4> kFirst = {"id", "received_at", "uuid",
                                                               "uuid_ts"};
    const auto found = std::ranges::find(kFirst, column.column.name);
    return found == kFirst.end() ? 10 : static_cast<int>(found - kFirst.begin()) + 1;
  };
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    const int rank_a = rank(a);
    const int rank_b = rank(b);
    if (rank_a != rank_b) return rank_a < rank_b;
    if (rank_a == 10) {
      return columns_[file_columns_[a]].column.name < columns_[file_columns_[b]].column.name;
    }
    return file_columns_[a] < file_columns_[b];
  });
  return order;
}

Result<StagedTable> Table::end_rows() {
  if (kind_ == TableKind::kEntities) {
    LEAT_TRY(stage_entities());
  }
  LEAT_TRY(flush());
  StagedTable staged{.name = name_,
                     .kind = kind_,
                     .is_new = is_new_,
                     .columns = {},
                     .rows = rows_,
                     .parquet = {},
                     .times = std::move(times_)};
  if (rows_ == 0 || !options_.write_files) return staged;
  staged.is_distinct = uuids_.size() == rows_ && !has_repeats(uuids_);
  order_ = file_order();
  for (const std::size_t in_file : order_) {
    const TableColumn& column = columns_[file_columns_[in_file]];
    staged.columns.push_back({.column = column.column, .is_new = column.is_new});
  }
  return staged;
}

bool Table::is_small() const {
  return kind_ == TableKind::kEvents && rows_ <= options_.shared_rows_max &&
         writer_.is_one_row_group();
}

Status Table::write_file(StagedTable& staged) {
  if (rows_ == 0 || !options_.write_files) return {};
  LEAT_TRY(writer_.finish(order_));
  staged.parquet = sink_.take();
  return {};
}

Status Table::share_file(StagedTable& staged, SharedFileWriter& shared, std::size_t position) {
  staged.shared_places = shared.places_of(staged.columns);
  std::vector<std::size_t> places(order_.size());
  for (std::size_t i = 0; i < order_.size(); ++i) places[order_[i]] = staged.shared_places[i];
  return shared.add(writer_, std::move(places), position);
}

}  // namespace leat::shape
