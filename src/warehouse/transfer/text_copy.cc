#include "warehouse/transfer/text_copy.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "warehouse/engine/blank_marks.h"
#include "warehouse/transfer/avro_stream.h"
#include "warehouse/transfer/byte_stream.h"
#include "warehouse/transfer/encoded_stream.h"
#include "warehouse/transfer/field.h"
#include "warehouse/transfer/json_reader.h"
#include "warehouse/transfer/record_reader.h"
#include "warehouse/transfer/target_type.h"

namespace leat::transfer {

using engine::fail_sql;
using engine::SqlError;
using engine::SqlResult;
using engine::SqlStatus;

namespace {

constexpr std::size_t kRawBytesMax = 1023;
constexpr std::size_t kReasonBytesMax = 100;
constexpr std::size_t kReplacementsMax = 100;
constexpr std::uint64_t kJsonPathsBytesMax = 4 << 20;

/// As STL_LOAD_ERRORS keeps raw text: bytes that are not printable ASCII become '.'.
std::string raw_text(std::string_view text) {
  std::string out(text.substr(0, kRawBytesMax));
  for (char& c : out) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 32 || byte > 126) c = '.';
  }
  return out;
}

SqlError load_failed(const CopyTarget& target) {
  return {.sqlstate = "XX000",
          .message = fmt::format("Load into table '{}' failed.  Check 'stl_load_errors' system "
                                 "table for details.",
                                 target.name)};
}

/// Rows of all files, one after the other. What is the same for all formats; the derived classes
/// read.
class RowSource : public engine::ChunkSource {
 public:
  RowSource(const sql::CopyStatement& statement, const CopyTarget& target,
            const std::vector<const TargetColumn*>& columns, const FieldOptions& field_options,
            const std::vector<InputFile>& files, io::ObjectStore& store, const CopyOptions& options,
            CopyReport& report, engine::BlankMarks& blank_marks)
      : blank_marks_(blank_marks),
        statement_(statement),
        target_(target),
        options_(options),
        report_(report),
        files_(files),
        store_(store) {
    for (const TargetColumn* column : columns) {
      if (column->blank_key != 0) watched_.push_back(converters_.size());
      converters_.emplace_back(*column, field_options);
      infos_.push_back(
          {.name = fmt::format("c{}", infos_.size()), .type = engine_column_type(column->type)});
    }
    errors_max_ = statement.ignore_all_errors
                      ? std::numeric_limits<std::int64_t>::max()
                      : std::max<std::int64_t>(1, statement.max_error.value_or(0));
  }

  const std::vector<engine::ColumnInfo>& columns() const override { return infos_; }

  SqlResult<std::size_t> fill(engine::ChunkWriter& writer) override {
    std::size_t row = 0;
    while (row < engine::ChunkWriter::capacity()) {
      LEAT_ASSIGN(const bool more, next_row());
      if (!more) break;
      for (std::size_t i = 0; i < converters_.size(); ++i) converters_[i].store(writer, i, row);
      note_blanks();
      ++row;
    }
    report_.rows += static_cast<std::int64_t>(row);
    return row;
  }

 protected:
  virtual SqlStatus open(std::unique_ptr<ByteStream> stream) = 0;
  /// Reads one row of the open file into the converters: 1 for a row, 0 for one that was reported
  /// as an error, -1 at the end.
  virtual SqlResult<int> read_row() = 0;
  virtual std::int64_t lines() const = 0;
  virtual void close() = 0;

  struct Place {
    std::int64_t line_number = 0;
    std::string_view raw_line;
    std::size_t position = 0;
    std::optional<std::size_t> column;
    std::string_view value;
  };

  /// Notes a row that is not loaded; an error when there are too many.
  SqlStatus reject(const FieldError& error, const Place& place) {
    ++report_.error_count;
    ++report_.files.back().errors;
    if (report_.errors.size() < kLoadErrorsMax) {
      LoadError out{.file = report_.files.back().file,
                    .line_number = place.line_number,
                    .position = static_cast<std::int32_t>(place.position),
                    .raw_line = raw_text(place.raw_line),
                    .raw_field_value = raw_text(place.value),
                    .code = error.code,
                    .reason = error.reason.substr(0, kReasonBytesMax)};
      if (place.column) {
        const TargetColumn& column = converters_[*place.column].column();
        out.column_name = column.name;
        out.column_type = catalog_type(column.type);
        out.column_length = catalog_length(column.type);
      }
      report_.errors.push_back(std::move(out));
    }
    if (report_.error_count >= errors_max_) return std::unexpected(load_failed(target_));
    return {};
  }

  void note_replacements(std::int64_t line_number, std::string_view raw_line) {
    bool any = false;
    for (const FieldConverter& converter : converters_) {
      if (!converter.replaced()) continue;
      any = true;
      if (report_.replacements.size() < kReplacementsMax) {
        report_.replacements.push_back({.file = report_.files.back().file,
                                        .line_number = line_number,
                                        .column_name = converter.column().name,
                                        .raw_line = raw_text(raw_line)});
      }
    }
    if (any) ++report_.replacement_count;
  }

  engine::BlankMarks& blank_marks_;
  const sql::CopyStatement& statement_;
  const CopyTarget& target_;
  const CopyOptions& options_;
  CopyReport& report_;
  std::vector<FieldConverter> converters_;

 private:
  void note_blanks() {
    std::erase_if(watched_, [&](std::size_t column) {
      const bool blank = converters_[column].ends_in_blank();
      if (blank) blank_marks_.note(converters_[column].column().blank_key);
      return blank;
    });
  }

  SqlResult<bool> next_row() {
    while (true) {
      if (!open_) {
        if (file_ == files_.size()) return false;
        const InputFile& file = files_[file_++];
        report_.files.push_back({.file = file.uri, .bytes = file.size});
        LEAT_TRY(open(
            open_as_utf8(open_object(store_, file.uri, statement_.compression, options_.read_bytes),
                         // Known to be good: copy_text checks it.
                         file_encoding(statement_.encoding).value_or(FileEncoding::kUtf8))));
        open_ = true;
      }
      auto read = read_row();
      report_.files.back().lines = lines();
      if (!read) {
        if (read.error().message.find("s3://") == std::string::npos && report_.errors.empty()) {
          read.error().detail = fmt::format("File name: {}", report_.files.back().file);
        }
        return std::unexpected(std::move(read).error());
      }
      if (*read > 0) return true;
      if (*read < 0) {
        close();
        open_ = false;
      }
    }
  }

  const std::vector<InputFile>& files_;
  io::ObjectStore& store_;
  std::vector<std::size_t> watched_;  // columns whose texts have not ended in a blank so far
  std::vector<engine::ColumnInfo> infos_;
  std::int64_t errors_max_ = 1;
  std::size_t file_ = 0;
  bool open_ = false;
};

class TextSource final : public RowSource {
 public:
  template <class... Args>
  explicit TextSource(const TextFormat& format, Args&&... args)
      : RowSource(std::forward<Args>(args)...), format_(format) {}

 protected:
  SqlStatus open(std::unique_ptr<ByteStream> stream) override {
    reader_.emplace(std::move(stream), format_, options_.row_bytes_max);
    return reader_->skip_lines(statement_.ignore_header);
  }
  void close() override { reader_.reset(); }
  std::int64_t lines() const override { return reader_ ? reader_->lines() : 0; }

  SqlResult<int> read_row() override {
    LEAT_ASSIGN(const bool more, reader_->next(record_));
    if (!more) return -1;
    Place place{.line_number = record_.line_number,
                .raw_line = record_.raw,
                .position = 0,
                .column = std::nullopt,
                .value = {}};
    if (record_.error) {
      place.position = record_.error_at;
      if (!record_.fields.empty() || record_.error->code == 1214) {
        place.column = std::min(record_.fields.size(), converters_.size() - 1);
      }
      LEAT_TRY(reject(*record_.error, place));
      return 0;
    }
    if (const auto error = convert(place)) {
      LEAT_TRY(reject(*error, place));
      return 0;
    }
    if (statement_.accept_invalid_characters) note_replacements(record_.line_number, record_.raw);
    return 1;
  }

 private:
  /// Fields of the record into the converters; sets `place` to the field that does not go in.
  std::optional<FieldError> convert(Place& place) {
    const std::size_t count = converters_.size();
    std::size_t given = record_.fields.size();
    // A line may end in a delimiter.
    if (given == count + 1 && format_.kind == TextKind::kDelimited &&
        record_.fields.back().text.empty())
      --given;
    if (given > count) {
      place.column = count - 1;
      place.position = record_.fields[count].at;
      place.value = record_.fields[count].text;
      return FieldError{.code = 1202, .reason = "Extra column(s) found"};
    }
    const bool blank_line = record_.raw.empty();
    for (std::size_t i = 0; i < count; ++i) {
      if (i >= given || (blank_line && count > 1)) {
        if (auto error = convert_missing(i, blank_line)) {
          place.column = i;
          place.position = record_.raw.size();
          return error;
        }
        continue;
      }
      const Field& field = record_.fields[i];
      auto error = field.is_null ? converters_[i].set_null() : converters_[i].set(field.text);
      if (error) {
        place.column = i;
        place.position = field.at;
        place.value = field.text;
        return error;
      }
    }
    return std::nullopt;
  }

  std::optional<FieldError> convert_missing(std::size_t index, bool blank_line) {
    if (!statement_.fill_record) {
      if (blank_line) return FieldError{.code = 1211, .reason = "Input line has no data"};
      return FieldError{.code = 1214, .reason = "Delimiter not found"};
    }
    FieldConverter& converter = converters_[index];
    const bool empty_text =
        converter.column().type.kind == sql::TypeKind::kVarchar && !statement_.empty_as_null;
    return empty_text ? converter.set("") : converter.set_null();
  }

  const TextFormat& format_;
  std::optional<RecordReader> reader_;
  Record record_;
};

class JsonSource final : public RowSource {
 public:
  template <class... Args>
  explicit JsonSource(const JsonMapping& mapping, Args&&... args)
      : RowSource(std::forward<Args>(args)...), row_(mapping, converters_) {}

 protected:
  SqlStatus open(std::unique_ptr<ByteStream> stream) override {
    if (statement_.format == sql::FileFormat::kAvro) stream = open_avro_as_json(std::move(stream));
    splitter_.emplace(std::move(stream), options_.row_bytes_max);
    return splitter_->skip_lines(statement_.ignore_header);
  }
  void close() override { splitter_.reset(); }
  std::int64_t lines() const override { return splitter_ ? splitter_->line_number() : 0; }

  SqlResult<int> read_row() override {
    std::string_view value;
    std::optional<FieldError> error;
    LEAT_ASSIGN(const bool more, splitter_->next(value, error));
    if (!more) return -1;
    Place place{.line_number = splitter_->line_number(),
                .raw_line = value,
                .position = 0,
                .column = std::nullopt,
                .value = {}};
    if (error) {
      LEAT_TRY(reject(*error, place));
      return 0;
    }
    if (const auto failure = row_.read(value)) {
      place.column = failure->column;
      place.value = failure->value;
      LEAT_TRY(reject(failure->error, place));
      return 0;
    }
    if (statement_.accept_invalid_characters) note_replacements(place.line_number, value);
    return 1;
  }

 private:
  JsonRow row_;
  std::optional<JsonSplitter> splitter_;
};

SqlResult<JsonMapping> read_mapping(const sql::CopyStatement& statement,
                                    const std::vector<const TargetColumn*>& columns,
                                    io::ObjectStore& store) {
  JsonMapping out;
  const std::string argument = to_lower(trim(statement.format_argument));
  if (argument.empty() || argument == "auto") return out;
  if (argument == "auto ignorecase") {
    out.ignore_case = true;
    return out;
  }
  if (argument == "noshred") {
    if (columns.size() != 1 || columns[0]->type.kind != sql::TypeKind::kSuper) {
      return fail_sql("42601", "JSON 'noshred' needs a table or column list of one SUPER column");
    }
    out.whole = true;
    return out;
  }
  const auto text = store.get(statement.format_argument, kJsonPathsBytesMax);
  if (!text) return std::unexpected(store_error(text.error(), statement.format_argument));
  LEAT_ASSIGN(out.paths, parse_json_paths(*text));
  if (out.paths && out.paths->size() != columns.size()) {
    return fail_sql("XX000",
                    fmt::format("Number of jsonpaths and the number of columns should match. "
                                "JSONPath size: {}, Number of columns in table or column list: {}",
                                out.paths->size(), columns.size()));
  }
  return out;
}

SqlStatus insert(const sql::CopyStatement& statement, const CopyTarget& target,
                 const std::vector<const TargetColumn*>& columns, engine::Connection& connection,
                 RowSource& source) {
  if (statement.no_load) {
    LEAT_TRY(connection.run_with("SELECT count(*) FROM leat_rows", source));
    return {};
  }
  std::string names;
  for (const TargetColumn* column : columns) {
    names += (names.empty() ? "" : ", ") + engine::quote_identifier(column->name);
  }
  LEAT_TRY(connection.run_with(
      fmt::format("INSERT INTO {}({}) SELECT * FROM leat_rows", target.engine_name, names),
      source));
  return {};
}

}  // namespace

SqlStatus copy_text(const sql::CopyStatement& statement, const CopyTarget& target,
                    const std::vector<const TargetColumn*>& columns,
                    const std::vector<InputFile>& files, engine::Connection& connection,
                    io::ObjectStore& store, const CopyOptions& options, CopyReport& report) {
  LEAT_TRY(file_encoding(statement.encoding));
  LEAT_ASSIGN(const FieldOptions field_options, FieldOptions::read(statement));
  if (statement.format == sql::FileFormat::kJson || statement.format == sql::FileFormat::kAvro) {
    LEAT_ASSIGN(const JsonMapping mapping, read_mapping(statement, columns, store));
    JsonSource source(mapping, statement, target, columns, field_options, files, store, options,
                      report, connection.blank_marks());
    return insert(statement, target, columns, connection, source);
  }
  LEAT_ASSIGN(const TextFormat format, TextFormat::read(statement));
  if (format.kind == TextKind::kFixedWidth && format.widths.size() != columns.size()) {
    return fail_sql("42601", fmt::format("FIXEDWIDTH describes {} fields, the column list has {}",
                                         format.widths.size(), columns.size()));
  }
  TextSource source(format, statement, target, columns, field_options, files, store, options,
                    report, connection.blank_marks());
  return insert(statement, target, columns, connection, source);
}

}  // namespace leat::transfer
