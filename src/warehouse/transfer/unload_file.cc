#include "warehouse/transfer/unload_file.h"

#include <bzlib.h>
#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "columns/parquet_writer.h"

namespace leat::transfer {

using engine::Column;
using engine::fail_sql;
using engine::SqlResult;
using engine::SqlStatus;
using engine::Type;
using sql::FileCompression;
using sql::FileFormat;

namespace {

/// Compresses what is written into a string; the codec's calls are the derived classes'.
class Compressor {
 public:
  Compressor() = default;
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;
  virtual ~Compressor() = default;
  /// Takes `bytes`; `last` ends the stream.
  virtual bool write(std::string_view bytes, bool last, std::string& out) = 0;
};

class Gzip final : public Compressor {
 public:
  Gzip() {
    constexpr int kGzipWindow = 15 + 16;
    good_ = deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, 8,
                         Z_DEFAULT_STRATEGY) == Z_OK;
  }
  ~Gzip() override { deflateEnd(&stream_); }
  bool write(std::string_view bytes, bool last, std::string& out) override {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): written before it is read
    std::array<char, 65536> buffer;
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(buffer.data());
      stream_.avail_out = buffer.size();
      good_ = good_ && deflate(&stream_, last ? Z_FINISH : Z_NO_FLUSH) != Z_STREAM_ERROR;
      out.append(buffer.data(), buffer.size() - stream_.avail_out);
    } while (good_ && stream_.avail_out == 0);
    return good_;
  }

 private:
  z_stream stream_{};
  bool good_ = false;
};

class Bzip2 final : public Compressor {
 public:
  Bzip2() { good_ = BZ2_bzCompressInit(&stream_, 9, 0, 0) == BZ_OK; }
  ~Bzip2() override { BZ2_bzCompressEnd(&stream_); }
  bool write(std::string_view bytes, bool last, std::string& out) override {
    stream_.next_in = const_cast<char*>(bytes.data());
    stream_.avail_in = static_cast<unsigned>(bytes.size());
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): written before it is read
    std::array<char, 65536> buffer;
    while (good_ && (last || stream_.avail_in > 0)) {
      stream_.next_out = buffer.data();
      stream_.avail_out = buffer.size();
      const int result = BZ2_bzCompress(&stream_, last ? BZ_FINISH : BZ_RUN);
      out.append(buffer.data(), buffer.size() - stream_.avail_out);
      if (result == BZ_STREAM_END) break;
      good_ = result == BZ_RUN_OK || result == BZ_FINISH_OK;
    }
    return good_;
  }

 private:
  bz_stream stream_{};
  bool good_ = false;
};

class Zstd final : public Compressor {
 public:
  Zstd() : context_(ZSTD_createCCtx()) {}
  ~Zstd() override { ZSTD_freeCCtx(context_); }
  bool write(std::string_view bytes, bool last, std::string& out) override {
    ZSTD_inBuffer in{.src = bytes.data(), .size = bytes.size(), .pos = 0};
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): written before it is read
    std::array<char, 65536> buffer;
    for (;;) {
      ZSTD_outBuffer piece{.dst = buffer.data(), .size = buffer.size(), .pos = 0};
      const std::size_t left =
          ZSTD_compressStream2(context_, &piece, &in, last ? ZSTD_e_end : ZSTD_e_continue);
      if (ZSTD_isError(left) != 0) return false;
      out.append(buffer.data(), piece.pos);
      if (last ? left == 0 : in.pos == in.size) return true;
    }
  }

 private:
  ZSTD_CCtx* context_;
};

std::unique_ptr<Compressor> make_compressor(FileCompression compression) {
  if (compression == FileCompression::kGzip) return std::make_unique<Gzip>();
  if (compression == FileCompression::kBzip2) return std::make_unique<Bzip2>();
  if (compression == FileCompression::kZstd) return std::make_unique<Zstd>();
  return nullptr;
}

/// JSON numbers are written as they are; all else is a string, or JSON already. The kinds of
/// numbers stand together in the enumeration.
bool is_json_number(Type type) {
  return type >= Type::kInt8 && type <= Type::kDecimal;
}

bool is_json(Type type) {
  return type == Type::kJson || type == Type::kList || type == Type::kArray ||
         type == Type::kStruct || type == Type::kMap;
}

class TextFile final : public UnloadFile {
 public:
  explicit TextFile(const UnloadLayout& layout)
      : layout_(layout),
        statement_(layout.statement),
        compressor_(make_compressor(layout.statement.compression)),
        delimiter_(
            statement_.delimiter.value_or(statement_.format == FileFormat::kCsv ? "," : "|")),
        null_text_(statement_.null_as.value_or("")) {
    if (statement_.header) append_header();
  }

  SqlStatus append(const engine::Chunk& chunk, std::span<const std::uint32_t> rows) override {
    for (const std::uint32_t row : rows) {
      if (statement_.format == FileFormat::kJson) {
        append_object(chunk, row);
      } else {
        LEAT_TRY(append_line(chunk, row));
      }
      ++lines_;
    }
    return flush(false);
  }

  std::uint64_t bytes() const override { return out_.size() + pending_.size(); }

  SqlResult<std::string> finish() override {
    LEAT_TRY(flush(true));
    return compressor_ == nullptr ? std::move(pending_) : std::move(out_);
  }

 private:
  static constexpr std::size_t kPieceBytes = 262'144;

  SqlStatus flush(bool last) {
    if (compressor_ == nullptr || (!last && pending_.size() < kPieceBytes)) return {};
    if (!compressor_->write(pending_, last, out_)) {
      return fail_sql("XX000", "the file could not be compressed");
    }
    pending_.clear();
    return {};
  }

  void append_header() {
    for (std::size_t i = 0; i < layout_.names.size(); ++i) {
      if (i > 0) pending_ += delimiter_;
      append_field(layout_.names[i], true);
    }
    pending_ += '\n';
    ++lines_;
  }

  /// A field by the rules of CSV, or of ADDQUOTES and ESCAPE.
  void append_field(std::string_view text, bool may_quote) {
    if (statement_.format == FileFormat::kCsv) {
      const bool quote = may_quote && (text.find_first_of("\"\r\n") != std::string_view::npos ||
                                       text.find(delimiter_) != std::string_view::npos);
      if (!quote) {
        pending_ += text;
        return;
      }
      pending_ += '"';
      for (const char c : text) {
        if (c == '"') pending_ += '"';
        pending_ += c;
      }
      pending_ += '"';
      return;
    }
    if (statement_.add_quotes) pending_ += '"';
    if (statement_.escape) {
      for (const char c : text) {
        const bool special = c == '\n' || c == '\r' || c == '\\' || c == delimiter_.front() ||
                             (statement_.add_quotes && (c == '"' || c == '\''));
        if (special) pending_ += '\\';
        pending_ += c;
      }
    } else {
      pending_ += text;
    }
    if (statement_.add_quotes) pending_ += '"';
  }

  SqlStatus append_line(const engine::Chunk& chunk, std::uint32_t row) {
    for (std::size_t i = 0; i < layout_.positions.size(); ++i) {
      const Column& column = chunk.column(layout_.positions[i]);
      const bool null = column.is_null(row);
      cell_.clear();
      if (!null) engine::append_text(column, row, cell_);
      if (statement_.format == FileFormat::kFixedWidth) {
        LEAT_TRY(append_fixed(null ? fixed_null(i) : std::string_view(cell_), i));
        continue;
      }
      if (i > 0) pending_ += delimiter_;
      if (null) {
        pending_ += null_text_;
      } else {
        append_field(cell_, true);
      }
    }
    pending_ += '\n';
    return {};
  }

  /// A NULL text that is too wide is left out, but for a text column, where it is an error.
  std::string_view fixed_null(std::size_t column) const {
    const bool fits = null_text_.size() <= layout_.widths[column];
    const bool is_text = layout_.types[column].type == Type::kVarchar;
    return fits || is_text ? std::string_view(null_text_) : std::string_view();
  }

  SqlStatus append_fixed(std::string_view text, std::size_t column) {
    const std::size_t width = layout_.widths[column];
    const auto characters = static_cast<std::size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
    if (characters > width) {
      return fail_sql("22001", fmt::format("value of column \"{}\" has {} characters, its fixed "
                                           "width is {}",
                                           layout_.names[column], characters, width));
    }
    pending_ += text;
    pending_.append(width - characters, ' ');
    return {};
  }

  void append_object(const engine::Chunk& chunk, std::uint32_t row) {
    pending_ += '{';
    for (std::size_t i = 0; i < layout_.positions.size(); ++i) {
      if (i > 0) pending_ += ',';
      append_json_string(pending_, layout_.names[i]);
      pending_ += ':';
      append_json_cell(chunk.column(layout_.positions[i]), row);
    }
    pending_ += "}\n";
  }

  void append_json_cell(const Column& column, std::uint32_t row) {
    const Type type = column.type().type;
    if (column.is_null(row)) {
      pending_ += "null";
    } else if (type == Type::kBoolean) {
      pending_ += column.integer(row) != 0 ? "true" : "false";
    } else {
      cell_.clear();
      engine::append_text(column, row, cell_, {.extra_float_digits = 3});
      const bool finite = !cell_.ends_with('N') && !cell_.ends_with('y');  // NaN, Infinity
      if (is_json(type) || (is_json_number(type) && finite)) {
        pending_ += cell_;
      } else {
        append_json_string(pending_, cell_);
      }
    }
  }

  const UnloadLayout& layout_;
  const sql::UnloadStatement& statement_;
  std::unique_ptr<Compressor> compressor_;
  std::string delimiter_;
  std::string null_text_;
  std::string pending_;  // text not compressed yet
  std::string out_;
  std::string cell_;
};

columns::Column parquet_column(const std::string& name, const engine::ColumnType& type) {
  columns::Column out{.name = name};
  switch (type.type) {
    case Type::kBoolean:
      out.type = columns::Type::kBoolean;
      break;
    case Type::kInt8:
    case Type::kInt16:
    case Type::kUInt8:
      out.type = columns::Type::kInt16;
      break;
    case Type::kInt32:
    case Type::kUInt16:
      out.type = columns::Type::kInt32;
      break;
    case Type::kInt64:
    case Type::kUInt32:
      out.type = columns::Type::kInt64;
      break;
    case Type::kFloat:
      out.type = columns::Type::kFloat;
      break;
    case Type::kDouble:
      out.type = columns::Type::kDouble;
      break;
    case Type::kUInt64:
    case Type::kHugeInt:
      out.type = columns::Type::kDecimal;
      out.precision = 38;
      break;
    case Type::kDecimal:
      out.type = columns::Type::kDecimal;
      out.precision = type.width;
      out.scale = type.scale;
      break;
    case Type::kDate:
      out.type = columns::Type::kDate;
      break;
    case Type::kTimestamp:
    case Type::kTimestampTz:  // Redshift writes it without a zone, in UTC
      out.type = columns::Type::kTimestamp;
      break;
    default:
      break;
  }
  return out;
}

/// Row groups as large as Redshift's, which are measured in bytes.
columns::ParquetOptions parquet_options(const sql::UnloadStatement& statement) {
  constexpr double kMegabytes = 32;
  const double bytes = statement.row_group_size_mb.value_or(kMegabytes) * (1 << 20);
  return {.row_group_rows = std::numeric_limits<std::uint32_t>::max(),
          .row_group_bytes = static_cast<std::uint64_t>(bytes),
          .codec = columns::Codec::kSnappy};
}

/// How DuckDB's cells lie in memory, for the kinds that the Parquet writer can read so.
std::optional<columns::Layout> layout_in_place(const engine::ColumnType& type) {
  using columns::Layout;
  switch (type.type) {
    case Type::kBoolean:
      return Layout::kBytes;
    case Type::kInt16:
      return Layout::kInt16;
    case Type::kInt32:
    case Type::kDate:
      return Layout::kInt32;
    case Type::kInt64:
    case Type::kTimestamp:
    case Type::kTimestampTz:
      return Layout::kInt64;
    case Type::kFloat:
      return Layout::kFloat;
    case Type::kDouble:
      return Layout::kDouble;
    case Type::kDecimal:
      if (type.width <= 4) return Layout::kInt16;
      if (type.width <= 9) return Layout::kInt32;
      return type.width <= 18 ? Layout::kInt64 : Layout::kCells;
    case Type::kHugeInt:
      return Layout::kCells;  // the two halves of a decimal's Cell
    case Type::kVarchar:
    case Type::kJson:
      return Layout::kShortText;
    default:
      return std::nullopt;
  }
}
static_assert(sizeof(engine::HugeInt) == sizeof(columns::Cell));

class ParquetFile final : public UnloadFile {
 public:
  explicit ParquetFile(const UnloadLayout& layout)
      : layout_(layout), writer_(sink_, parquet_options(layout.statement)) {
    for (std::size_t i = 0; i < layout.names.size(); ++i) {
      writer_.add_column(parquet_column(layout.names[i], layout.types[i]));
    }
    cells_.resize(layout.names.size());
    valid_.resize(layout.names.size());
    texts_.resize(layout.names.size());
  }

  SqlStatus append(const engine::Chunk& chunk, std::span<const std::uint32_t> rows) override {
    std::vector<columns::ColumnView> views;
    views.reserve(layout_.positions.size());
    const bool all_rows = rows.size() == chunk.rows();
    for (std::size_t i = 0; i < layout_.positions.size(); ++i) {
      const Column& column = chunk.column(layout_.positions[i]);
      const auto in_place = all_rows ? layout_in_place(column.type()) : std::nullopt;
      views.push_back(in_place ? columns::ColumnView{.values = column.data(),
                                                     .valid = column.validity(),
                                                     .layout = *in_place}
                               : view_of(column, rows, i));
    }
    if (const Status written = writer_.append(views, rows.size()); !written) {
      return fail_sql("XX000", written.error().message);
    }
    lines_ += static_cast<std::int64_t>(rows.size());
    return {};
  }

  std::uint64_t bytes() const override { return writer_.bytes_written(); }

  SqlResult<std::string> finish() override {
    if (const Status done = writer_.finish(); !done) {
      return fail_sql("XX000", done.error().message);
    }
    return sink_.take();
  }

 private:
  columns::ColumnView view_of(const Column& column, std::span<const std::uint32_t> rows,
                              std::size_t index) {
    std::vector<columns::Cell>& cells = cells_[index];
    std::vector<std::uint64_t>& valid = valid_[index];
    cells.resize(rows.size());
    valid.assign((rows.size() + 63) / 64, ~std::uint64_t{0});
    bool any_null = false;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (!column.is_null(rows[i])) continue;
      valid[i >> 6] &= ~(std::uint64_t{1} << (i & 63));
      any_null = true;
    }
    fill(column, rows, index);
    return {.values = cells.data(), .valid = any_null ? valid.data() : nullptr};
  }

  template <class Make>
  void each(const Column& column, std::span<const std::uint32_t> rows, std::size_t index,
            Make make) {
    columns::Cell* cell = cells_[index].data();
    for (const std::uint32_t row : rows) {
      if (!column.is_null(row)) *cell = make(row);
      ++cell;
    }
  }

  template <class T>
  void each_integer(const Column& column, std::span<const std::uint32_t> rows, std::size_t index) {
    const std::span<const T> values = column.cells<T>();
    each(column, rows, index, [&](std::uint32_t row) {
      return columns::Cell::of_integer(static_cast<std::int64_t>(values[row]));
    });
  }

  void fill(const Column& column, std::span<const std::uint32_t> rows, std::size_t index) {
    switch (column.type().type) {
      case Type::kInt32:
      case Type::kDate:
        return each_integer<std::int32_t>(column, rows, index);
      case Type::kInt64:
      case Type::kTimestamp:
      case Type::kTimestampTz:
        return each_integer<std::int64_t>(column, rows, index);
      case Type::kBoolean:
      case Type::kInt8:
      case Type::kInt16:
      case Type::kUInt8:
      case Type::kUInt16:
      case Type::kUInt32:
        return each(column, rows, index, [&](std::uint32_t row) {
          return columns::Cell::of_integer(column.integer(row));
        });
      case Type::kFloat:
        return each(column, rows, index, [&](std::uint32_t row) {
          return columns::Cell::of_real(column.cells<float>()[row]);
        });
      case Type::kDouble:
        return each(column, rows, index, [&](std::uint32_t row) {
          return columns::Cell::of_real(column.cells<double>()[row]);
        });
      case Type::kUInt64:
      case Type::kHugeInt:
      case Type::kDecimal:
        return each(column, rows, index, [&](std::uint32_t row) {
          const engine::HugeInt value = column.huge_integer(row);
          return columns::Cell::of_decimal(value.low, value.high);
        });
      case Type::kVarchar:
      case Type::kJson:
        return each(column, rows, index,
                    [&](std::uint32_t row) { return columns::Cell::of_text(column.text(row)); });
      default:
        return fill_text(column, rows, index);
    }
  }

  /// Kinds that are shown as text: it is kept until the writer has taken it.
  void fill_text(const Column& column, std::span<const std::uint32_t> rows, std::size_t index) {
    std::string& texts = texts_[index];
    texts.clear();
    std::vector<std::size_t> ends;
    for (const std::uint32_t row : rows) {
      if (!column.is_null(row)) engine::append_text(column, row, texts);
      ends.push_back(texts.size());
    }
    std::size_t at = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      cells_[index][i] = columns::Cell::of_text(std::string_view(texts).substr(at, ends[i] - at));
      at = ends[i];
    }
  }

  const UnloadLayout& layout_;
  columns::StringSink sink_;
  columns::ParquetWriter writer_;
  std::vector<std::vector<columns::Cell>> cells_;
  std::vector<std::vector<std::uint64_t>> valid_;
  std::vector<std::string> texts_;
};

}  // namespace

std::unique_ptr<UnloadFile> open_unload_file(const UnloadLayout& layout) {
  if (layout.statement.format == FileFormat::kParquet) return std::make_unique<ParquetFile>(layout);
  return std::make_unique<TextFile>(layout);
}

std::string unload_extension(const sql::UnloadStatement& statement) {
  if (statement.extension) {
    return (statement.extension->starts_with('.') ? "" : ".") + *statement.extension;
  }
  if (statement.format == FileFormat::kParquet) return ".parquet";
  switch (statement.compression) {
    case FileCompression::kGzip:
      return ".gz";
    case FileCompression::kBzip2:
      return ".bz2";
    case FileCompression::kZstd:
      return ".zst";
    default:
      return {};
  }
}

}  // namespace leat::transfer
