#include "columns/parquet_writer.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <vector>

#include "base/check.h"
#include "columns/column_encoder.h"
#include "columns/thrift_writer.h"

namespace leat::columns {
namespace {

constexpr std::string_view kMagic = "PAR1";

/// Where one column chunk went, for the footer.
struct ChunkPlace {
  ColumnChunk chunk;  // without its bytes
  std::uint64_t dictionary_offset = 0;
  std::uint64_t data_offset = 0;
  std::uint64_t compressed_bytes = 0;
  bool has_dictionary = false;
};

struct RowGroup {
  std::uint64_t rows = 0;
  std::vector<ChunkPlace>
      chunks;  // may be fewer than the columns: later ones were added afterwards
};

// Numbers of ConvertedType and of the LogicalType union in parquet.thrift.
constexpr std::int32_t kConvertedUtf8 = 0;
constexpr std::int32_t kConvertedDecimal = 5;
constexpr std::int32_t kConvertedDate = 6;
constexpr std::int32_t kConvertedTimestampMicros = 10;
constexpr std::int32_t kConvertedInt16 = 16;
constexpr int kLogicalString = 1;
constexpr int kLogicalDecimal = 5;
constexpr int kLogicalDate = 6;
constexpr int kLogicalTimestamp = 8;
constexpr int kLogicalInteger = 10;

void append_logical(ThriftWriter& thrift, const Column& column) {
  const auto empty = [&](int id) {
    thrift.begin_struct(id);
    thrift.end_struct();
  };
  const auto begin = [&] { thrift.begin_struct(10); };
  switch (column.type) {
    case Type::kVarchar:
    case Type::kSuper:
    case Type::kUnsupported:
      begin();
      empty(kLogicalString);
      break;
    case Type::kDate:
      begin();
      empty(kLogicalDate);
      break;
    case Type::kTimestamp:
    case Type::kTimestampTz:
      begin();
      thrift.begin_struct(kLogicalTimestamp);
      thrift.boolean(1, column.type == Type::kTimestampTz);
      thrift.begin_struct(2);
      empty(2);  // MICROS
      thrift.end_struct();
      thrift.end_struct();
      break;
    case Type::kDecimal:
      begin();
      thrift.begin_struct(kLogicalDecimal);
      thrift.i32(1, column.scale);
      thrift.i32(2, column.precision);
      thrift.end_struct();
      break;
    case Type::kInt16:
      begin();
      thrift.begin_struct(kLogicalInteger);
      thrift.i8(1, 16);
      thrift.boolean(2, true);
      thrift.end_struct();
      break;
    default:
      return;
  }
  thrift.end_struct();
}

void append_schema_element(ThriftWriter& thrift, const Column& column) {
  const Physical physical = physical_type(column);
  thrift.begin_element();
  thrift.i32(1, static_cast<std::int32_t>(physical));
  if (physical == Physical::kFixed16) thrift.i32(2, 16);
  thrift.i32(3, column.nullable ? 1 : 0);
  thrift.binary(4, column.name);
  switch (column.type) {
    case Type::kVarchar:
    case Type::kSuper:
    case Type::kUnsupported:
      thrift.i32(6, kConvertedUtf8);
      break;
    case Type::kDate:
      thrift.i32(6, kConvertedDate);
      break;
    case Type::kTimestamp:
    case Type::kTimestampTz:
      thrift.i32(6, kConvertedTimestampMicros);
      break;
    case Type::kInt16:
      thrift.i32(6, kConvertedInt16);
      break;
    case Type::kDecimal:
      thrift.i32(6, kConvertedDecimal);
      thrift.i32(7, column.scale);
      thrift.i32(8, column.precision);
      break;
    default:
      break;
  }
  append_logical(thrift, column);
  thrift.end_struct();
}

void append_chunk_metadata(ThriftWriter& thrift, const Column& column, const ChunkPlace& place,
                           Codec codec) {
  thrift.begin_element();
  thrift.i64(2, 0);
  thrift.begin_struct(3);
  thrift.i32(1, static_cast<std::int32_t>(physical_type(column)));
  std::vector<std::int32_t> encodings = {3};
  if (place.chunk.has_plain_pages || place.has_dictionary) encodings.push_back(0);
  if (place.has_dictionary) encodings.push_back(8);
  thrift.i32_list(2, encodings);
  thrift.binary_list(3, {column.name});
  thrift.i32(4, static_cast<std::int32_t>(codec));
  thrift.i64(5, static_cast<std::int64_t>(place.chunk.rows));
  thrift.i64(6, static_cast<std::int64_t>(place.chunk.uncompressed_bytes));
  thrift.i64(7, static_cast<std::int64_t>(place.compressed_bytes));
  thrift.i64(9, static_cast<std::int64_t>(place.data_offset));
  if (place.has_dictionary) thrift.i64(11, static_cast<std::int64_t>(place.dictionary_offset));
  thrift.begin_struct(12);
  thrift.i64(3, static_cast<std::int64_t>(place.chunk.nulls));
  if (place.chunk.has_range) {
    thrift.binary(5, place.chunk.max);
    thrift.binary(6, place.chunk.min);
  }
  thrift.end_struct();
  thrift.end_struct();
  thrift.end_struct();
}

}  // namespace

struct ParquetWriter::State {
  State(ByteSink& sink_in, ParquetOptions options_in) : sink(sink_in), options(options_in) {}

  Status put(std::string_view bytes) {
    if (bytes.empty()) return {};
    LEAT_TRY(sink.write(bytes));
    offset += bytes.size();
    return {};
  }

  Status begin() {
    if (begun) return {};
    begun = true;
    return put(kMagic);
  }

  Result<ChunkPlace> write_chunk(ColumnEncoder& encoder) {
    ChunkPlace place;
    LEAT_ASSIGN(place.chunk, encoder.finish_chunk());
    place.has_dictionary = !place.chunk.dictionary_page.empty();
    place.dictionary_offset = offset;
    LEAT_TRY(put(place.chunk.dictionary_page));
    place.data_offset = offset;
    LEAT_TRY(put(place.chunk.data_pages));
    place.compressed_bytes = offset - place.dictionary_offset;
    place.chunk.dictionary_page = {};
    place.chunk.data_pages = {};
    return place;
  }

  [[nodiscard]] bool is_group_full() const {
    if (group_rows >= options.row_group_rows) return true;
    if (options.row_group_bytes == kNoBytesMax) return false;
    std::uint64_t bytes = 0;
    for (const auto& encoder : encoders) bytes += encoder->bytes();
    return bytes >= options.row_group_bytes;
  }

  /// A chunk without a value, of the column at `position`.
  Result<ChunkPlace> write_nulls(std::size_t position, std::uint64_t rows) {
    ColumnEncoder nulls(encoders[position]->column(), options);
    LEAT_TRY(nulls.fill_nulls_to(rows));
    return write_chunk(nulls);
  }

  Status close_row_group() {
    if (group_rows == 0) return {};
    LEAT_TRY(begin());
    RowGroup group;
    group.rows = group_rows;
    for (const auto& encoder : encoders) {
      LEAT_TRY(encoder->fill_nulls_to(group_rows));
      LEAT_ASSIGN(ChunkPlace place, write_chunk(*encoder));
      group.chunks.push_back(std::move(place));
    }
    groups.push_back(std::move(group));
    group_rows = 0;
    return {};
  }

  /// Columns that came after a row group was written are NULL in it.
  Status complete_row_groups() {
    for (RowGroup& group : groups) {
      while (group.chunks.size() < encoders.size()) {
        LEAT_ASSIGN(ChunkPlace place, write_nulls(group.chunks.size(), group.rows));
        group.chunks.push_back(std::move(place));
      }
    }
    return {};
  }

  std::string footer(std::span<const std::size_t> order) const {
    std::string out;
    ThriftWriter thrift(out);
    thrift.begin_element();
    thrift.i32(1, 1);
    thrift.begin_struct_list(2, encoders.size() + 1);
    thrift.begin_element();
    thrift.binary(4, "leat");
    thrift.i32(5, static_cast<std::int32_t>(encoders.size()));
    thrift.end_struct();
    for (const std::size_t i : order) append_schema_element(thrift, encoders[i]->column());
    thrift.i64(3, static_cast<std::int64_t>(total_rows));
    thrift.begin_struct_list(4, groups.size());
    for (const RowGroup& group : groups) append_row_group(thrift, group, order);
    thrift.binary(6, "leat");
    thrift.begin_struct_list(7, encoders.size());
    for (std::size_t i = 0; i < encoders.size(); ++i) {
      thrift.begin_element();
      thrift.begin_struct(1);  // TypeDefinedOrder: min_value and max_value may be trusted
      thrift.end_struct();
      thrift.end_struct();
    }
    thrift.end_struct();
    return out;
  }

  void append_row_group(ThriftWriter& thrift, const RowGroup& group,
                        std::span<const std::size_t> order) const {
    std::uint64_t uncompressed = 0;
    std::uint64_t compressed = 0;
    thrift.begin_element();
    thrift.begin_struct_list(1, group.chunks.size());
    for (const std::size_t i : order) {
      append_chunk_metadata(thrift, encoders[i]->column(), group.chunks[i], options.codec);
      uncompressed += group.chunks[i].chunk.uncompressed_bytes;
      compressed += group.chunks[i].compressed_bytes;
    }
    thrift.i64(2, static_cast<std::int64_t>(uncompressed));
    thrift.i64(3, static_cast<std::int64_t>(group.rows));
    thrift.i64(6, static_cast<std::int64_t>(compressed));
    thrift.end_struct();
  }

  ByteSink& sink;
  ParquetOptions options;
  std::vector<std::unique_ptr<ColumnEncoder>> encoders;
  std::vector<RowGroup> groups;
  std::uint64_t group_rows = 0;
  std::uint64_t total_rows = 0;
  std::uint64_t offset = 0;
  bool begun = false;
};

ParquetWriter::ParquetWriter(ByteSink& sink, ParquetOptions options)
    : state_(std::make_unique<State>(sink, options)) {}
ParquetWriter::~ParquetWriter() = default;

std::size_t ParquetWriter::add_column(const Column& column) {
  LEAT_CHECK(column.type != Type::kUnsupported);
  state_->encoders.push_back(std::make_unique<ColumnEncoder>(column, state_->options));
  return state_->encoders.size() - 1;
}

void ParquetWriter::retype_column(std::size_t position, const Column& column) {
  LEAT_CHECK(column.type != Type::kUnsupported);
  auto& encoder = state_->encoders[position];
  LEAT_CHECK(encoder->rows() == 0);  // row groups before hold NULLs, which look alike in all types
  encoder = std::make_unique<ColumnEncoder>(column, state_->options);
}

Status ParquetWriter::append(std::span<const ColumnView> views, std::size_t rows) {
  State& s = *state_;
  LEAT_CHECK(views.size() <= s.encoders.size());
  for (std::size_t i = 0; i < views.size(); ++i) {
    if (views[i].values == nullptr && s.encoders[i]->column().nullable) continue;  // filled later
    LEAT_TRY(s.encoders[i]->fill_nulls_to(s.group_rows));
    LEAT_TRY(s.encoders[i]->append(views[i], rows));
  }
  s.group_rows += rows;
  s.total_rows += rows;
  return s.is_group_full() ? s.close_row_group() : Status{};
}

Status ParquetWriter::finish(std::span<const std::size_t> order) {
  State& s = *state_;
  LEAT_CHECK(!s.encoders.empty());
  std::vector<std::size_t> as_added(s.encoders.size());
  std::iota(as_added.begin(), as_added.end(), std::size_t{0});
  if (order.empty()) order = as_added;
  LEAT_CHECK(std::ranges::is_permutation(order, as_added));
  LEAT_TRY(s.begin());
  LEAT_TRY(s.close_row_group());
  LEAT_TRY(s.complete_row_groups());
  std::string footer = s.footer(order);
  const auto length = static_cast<std::uint32_t>(footer.size());
  footer.append(reinterpret_cast<const char*>(&length), 4);
  footer.append(kMagic);
  return s.put(footer);
}

Status ParquetWriter::add_constant_column(const Column& column, const Cell& value) {
  State& s = *state_;
  LEAT_CHECK(s.groups.empty());
  ColumnEncoder& encoder = *s.encoders[add_column(column)];
  const std::vector<Cell> cells(std::min<std::uint64_t>(s.group_rows, s.options.page_rows), value);
  for (std::uint64_t done = 0; done < s.group_rows; done += cells.size()) {
    const std::uint64_t rows = std::min<std::uint64_t>(cells.size(), s.group_rows - done);
    LEAT_TRY(encoder.append({cells.data(), nullptr}, rows));
  }
  return {};
}

Status ParquetWriter::finish_into(ParquetWriter& other, std::span<const std::size_t> places) {
  State& s = *state_;
  State& to = *other.state_;
  LEAT_CHECK(s.groups.empty() && to.group_rows == 0 && places.size() == s.encoders.size());
  std::vector<ColumnEncoder*> sources(to.encoders.size(), nullptr);
  for (std::size_t i = 0; i < places.size(); ++i) {
    const Column& column = to.encoders.at(places[i])->column();
    LEAT_CHECK(physical_type(column) == physical_type(s.encoders[i]->column()) &&
               column.nullable == s.encoders[i]->column().nullable);
    sources[places[i]] = s.encoders[i].get();
  }
  LEAT_TRY(to.begin());
  RowGroup group;
  group.rows = s.group_rows;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (sources[i] != nullptr) LEAT_TRY(sources[i]->fill_nulls_to(s.group_rows));
    LEAT_ASSIGN(ChunkPlace place, sources[i] == nullptr ? to.write_nulls(i, s.group_rows)
                                                        : to.write_chunk(*sources[i]));
    group.chunks.push_back(std::move(place));
  }
  to.groups.push_back(std::move(group));
  to.total_rows += s.group_rows;
  return {};
}

bool ParquetWriter::is_one_row_group() const {
  return state_->groups.empty();
}
std::uint64_t ParquetWriter::rows() const {
  return state_->total_rows;
}
std::uint64_t ParquetWriter::bytes_written() const {
  return state_->offset;
}

}  // namespace leat::columns
