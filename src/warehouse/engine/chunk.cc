#include "warehouse/engine/chunk.h"

#include <cstring>
#include <utility>

#include "warehouse/engine/duckdb_bridge.h"

namespace leat::engine {

static_assert(sizeof(HugeInt) == sizeof(duckdb_hugeint));
static_assert(sizeof(Interval) == sizeof(duckdb_interval));

Chunk::Chunk(Chunk&& other) noexcept {
  *this = std::move(other);
}

Chunk& Chunk::operator=(Chunk&& other) noexcept {
  if (this == &other) return *this;
  std::swap(handle_, other.handle_);
  std::swap(owned_, other.owned_);
  std::swap(rows_, other.rows_);
  std::swap(info_, other.info_);
  std::swap(columns_, other.columns_);
  return *this;
}

Column::Elements Column::elements(std::size_t row) const {
  struct Entry {
    std::uint64_t offset;
    std::uint64_t length;
  };
  const Entry entry = cells<Entry>()[row];
  return {.column = &children_[0], .first = entry.offset, .count = entry.length};
}

bool is_plain_list(const ColumnType& type) {
  if (type.type != Type::kList) return false;
  switch (type.children[0].type) {
    case Type::kBoolean:
    case Type::kInt16:
    case Type::kInt32:
    case Type::kInt64:
    case Type::kFloat:
    case Type::kDouble:
    case Type::kVarchar:
    case Type::kDate:
    case Type::kTimestamp:
      return true;
    default:
      return false;
  }
}

bool is_catalog_vector(const ColumnType& type) {
  if (type.type != Type::kList) return false;
  const CatalogType element = type.children[0].catalog;
  return element == CatalogType::kShortElement || element == CatalogType::kOidElement;
}

Chunk::~Chunk() {
  if (handle_ == nullptr || !owned_) return;
  auto* chunk = static_cast<duckdb_data_chunk>(handle_);
  duckdb_destroy_data_chunk(&chunk);
}

Column ChunkReader::column(duckdb_vector vector, const ColumnType& type, std::size_t size) {
  Column out;
  out.type_ = &type;
  out.size_ = size;
  out.data_ = duckdb_vector_get_data(vector);
  out.validity_ = duckdb_vector_get_validity(vector);
  switch (type.type) {
    case Type::kList:
    case Type::kMap: {
      duckdb_vector child = duckdb_list_vector_get_child(vector);
      const std::size_t child_size = duckdb_list_vector_get_size(vector);
      if (type.type == Type::kList) {
        out.children_.push_back(column(child, type.children[0], child_size));
      } else {
        // A map is a list of structs of a key and a value.
        for (idx_t i = 0; i < 2; ++i) {
          out.children_.push_back(
              column(duckdb_struct_vector_get_child(child, i), type.children[i], child_size));
        }
      }
      break;
    }
    case Type::kArray:
      out.children_.push_back(column(duckdb_array_vector_get_child(vector), type.children[0],
                                     size * static_cast<std::size_t>(type.length)));
      break;
    case Type::kStruct:
      for (std::size_t i = 0; i < type.children.size(); ++i) {
        out.children_.push_back(
            column(duckdb_struct_vector_get_child(vector, i), type.children[i], size));
      }
      break;
    default:
      break;
  }
  return out;
}

Chunk ChunkReader::read(duckdb_data_chunk chunk,
                        std::shared_ptr<const std::vector<ColumnInfo>> info, bool owned) {
  Chunk out;
  out.handle_ = chunk;
  out.owned_ = owned;
  out.rows_ = duckdb_data_chunk_get_size(chunk);
  out.info_ = std::move(info);
  const std::size_t count = duckdb_data_chunk_get_column_count(chunk);
  out.columns_.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    out.columns_.push_back(
        column(duckdb_data_chunk_get_vector(chunk, i), (*out.info_)[i].type, out.rows_));
  }
  return out;
}

namespace {

template <class T>
std::int64_t read_integer(const void* data, std::size_t row) {
  return static_cast<std::int64_t>(static_cast<const T*>(data)[row]);
}

}  // namespace

std::int64_t Column::integer(std::size_t row) const {
  switch (type_->type) {
    case Type::kBoolean:
    case Type::kUInt8:
      return read_integer<std::uint8_t>(data_, row);
    case Type::kInt8:
      return read_integer<std::int8_t>(data_, row);
    case Type::kInt16:
      return read_integer<std::int16_t>(data_, row);
    case Type::kUInt16:
      return read_integer<std::uint16_t>(data_, row);
    case Type::kInt32:
    case Type::kDate:
      return read_integer<std::int32_t>(data_, row);
    case Type::kUInt32:
      return read_integer<std::uint32_t>(data_, row);
    case Type::kEnum:
      if (type_->width == 1) return read_integer<std::uint8_t>(data_, row);
      if (type_->width == 2) return read_integer<std::uint16_t>(data_, row);
      return read_integer<std::uint32_t>(data_, row);
    default:
      return read_integer<std::int64_t>(data_, row);
  }
}

HugeInt Column::huge_integer(std::size_t row) const {
  const auto widened = [](std::int64_t value) {
    return HugeInt{.low = static_cast<std::uint64_t>(value), .high = value < 0 ? -1 : 0};
  };
  if (type_->type == Type::kHugeInt) return static_cast<const HugeInt*>(data_)[row];
  if (type_->type == Type::kUInt64) {
    return {.low = static_cast<const std::uint64_t*>(data_)[row], .high = 0};
  }
  if (type_->type != Type::kDecimal) return widened(integer(row));
  if (type_->width <= 4) return widened(read_integer<std::int16_t>(data_, row));
  if (type_->width <= 9) return widened(read_integer<std::int32_t>(data_, row));
  if (type_->width <= 18) return widened(read_integer<std::int64_t>(data_, row));
  return static_cast<const HugeInt*>(data_)[row];
}

std::string_view Column::text(std::size_t row) const {
  const auto& string = static_cast<const duckdb_string_t*>(data_)[row];
  const std::uint32_t size = string.value.inlined.length;
  // DuckDB keeps up to 12 bytes in place.
  return size <= 12 ? std::string_view(string.value.inlined.inlined, size)
                    : std::string_view(string.value.pointer.ptr, size);
}

}  // namespace leat::engine
