#include "warehouse/transfer/unload.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "warehouse/engine/sink.h"
#include "warehouse/transfer/input_files.h"
#include "warehouse/transfer/option_rule.h"
#include "warehouse/transfer/unload_file.h"

namespace leat::transfer {

using engine::fail_sql;
using engine::SqlError;
using engine::SqlResult;
using engine::SqlStatus;
using sql::FileCompression;
using sql::FileFormat;
using sql::TypeKind;

namespace {

constexpr double kMegabyte = 1 << 20;
constexpr double kFileMegabytesMin = 5;
constexpr double kFileMegabytesMax = 6.2 * 1024;
constexpr double kRowGroupMegabytesMin = 32;
constexpr double kRowGroupMegabytesMax = 128;

SqlStatus check_options(const sql::UnloadStatement& unload) {
  const bool csv = unload.format == FileFormat::kCsv;
  const bool json = unload.format == FileFormat::kJson;
  const bool parquet = unload.format == FileFormat::kParquet;
  const bool fixed = unload.format == FileFormat::kFixedWidth;
  const bool text_option = unload.delimiter || unload.add_quotes || unload.escape ||
                           unload.null_as || unload.header || !unload.fixed_width.empty();
  LEAT_TRY(first_broken(
      {{!unload.master_symmetric_key.empty(), "client-side encryption is not supported"},
       {!unload.kms_key_id.empty(),
        "KMS_KEY_ID is not supported: set the encryption on the bucket"}},
      "0A000"));
  return first_broken(
      {{parquet && (text_option || unload.compression != FileCompression::kNone),
        "PARQUET takes no DELIMITER, FIXEDWIDTH, ADDQUOTES, ESCAPE, NULL AS, HEADER, GZIP, BZIP2 "
        "or ZSTD"},
       {json && text_option,
        "JSON takes no DELIMITER, HEADER, FIXEDWIDTH, ADDQUOTES, ESCAPE or NULL AS"},
       {csv && (unload.escape || unload.add_quotes || !unload.fixed_width.empty()),
        "CSV takes no ESCAPE, FIXEDWIDTH or ADDQUOTES"},
       {fixed && (unload.delimiter || unload.header || unload.add_quotes || unload.escape),
        "FIXEDWIDTH takes no DELIMITER, HEADER, ADDQUOTES or ESCAPE"},
       {unload.allow_overwrite && unload.clean_path,
        "ALLOWOVERWRITE and CLEANPATH exclude each other"},
       {unload.row_group_size_mb.has_value() && !parquet,
        "ROWGROUPSIZE is allowed with PARQUET only"},
       {unload.row_group_size_mb && (*unload.row_group_size_mb < kRowGroupMegabytesMin ||
                                     *unload.row_group_size_mb > kRowGroupMegabytesMax),
        "ROWGROUPSIZE must be between 32 MB and 128 MB"},
       {unload.delimiter && unload.delimiter->size() != 1, "DELIMITER must be one ASCII character"},
       {unload.max_file_size_mb && (*unload.max_file_size_mb < kFileMegabytesMin ||
                                    *unload.max_file_size_mb > kFileMegabytesMax),
        "MAXFILESIZE must be between 5 MB and 6.2 GB"}},
      "42601");
}

SqlStatus check_types(const sql::UnloadStatement& unload,
                      const std::vector<UnloadColumn>& columns) {
  const bool parquet = unload.format == FileFormat::kParquet;
  const bool fixed = unload.format == FileFormat::kFixedWidth;
  std::set<std::string> names;
  for (const UnloadColumn& column : columns) {
    const TypeKind kind = column.type.kind;
    const bool no_parquet = kind == TypeKind::kVarbyte || kind == TypeKind::kHllSketch ||
                            kind == TypeKind::kTime || kind == TypeKind::kTimeTz ||
                            kind == TypeKind::kInterval || kind == TypeKind::kIntervalYearToMonth ||
                            kind == TypeKind::kIntervalDayToSecond;
    if (parquet && no_parquet) {
      return fail_sql("0A000",
                      fmt::format("column \"{}\" of type {} cannot be unloaded to PARQUET",
                                  column.name, sql::format_type(column.type)),
                      {}, "Cast it to VARCHAR.");
    }
    if ((fixed || unload.add_quotes) && kind == TypeKind::kVarbyte) {
      return fail_sql("0A000", fmt::format("VARBYTE column \"{}\" cannot be unloaded with {}",
                                           column.name, fixed ? "FIXEDWIDTH" : "ADDQUOTES"));
    }
    if (unload.format == FileFormat::kJson && kind == TypeKind::kVarbyte) {
      return fail_sql("0A000",
                      fmt::format("VARBYTE column \"{}\" cannot be unloaded to JSON", column.name),
                      {}, "Cast it to VARCHAR, or unload to CSV or text.");
    }
    if ((fixed || unload.format == FileFormat::kJson) && kind == TypeKind::kHllSketch) {
      return fail_sql("0A000",
                      fmt::format("HLLSKETCH column \"{}\" cannot be unloaded {}", column.name,
                                  fixed ? "with FIXEDWIDTH" : "to JSON"),
                      {}, "Unload it to CSV or text.");
    }
    const bool named = parquet || unload.format == FileFormat::kJson;
    if (named && !names.insert(column.name).second) {
      return fail_sql("42701",
                      fmt::format("column name \"{}\" is specified more than once", column.name));
    }
  }
  return {};
}

bool may_partition(TypeKind kind) {
  switch (kind) {
    case TypeKind::kDouble:
    case TypeKind::kTime:
    case TypeKind::kTimeTz:
    case TypeKind::kTimestampTz:
    case TypeKind::kInterval:
    case TypeKind::kIntervalYearToMonth:
    case TypeKind::kIntervalDayToSecond:
    case TypeKind::kSuper:
    case TypeKind::kVarbyte:
    case TypeKind::kHllSketch:
    case TypeKind::kGeometry:
    case TypeKind::kGeography:
      return false;
    default:
      return true;
  }
}

SqlResult<std::vector<std::size_t>> partition_columns(const sql::UnloadStatement& unload,
                                                      const std::vector<UnloadColumn>& columns) {
  std::vector<std::size_t> out;
  for (const std::string& name : unload.partition_by) {
    const auto found = std::ranges::find_if(
        columns, [&](const UnloadColumn& column) { return equal_ignore_case(column.name, name); });
    if (found == columns.end()) {
      return fail_sql("42703",
                      fmt::format("partition column \"{}\" is not in the query's result", name));
    }
    if (!may_partition(found->type.kind)) {
      return fail_sql("0A000", fmt::format("column \"{}\" of type {} cannot be a partition column",
                                           name, sql::format_type(found->type)));
    }
    out.push_back(static_cast<std::size_t>(found - columns.begin()));
  }
  if (!unload.partition_include && !out.empty() && out.size() >= columns.size()) {
    return fail_sql("42601", "PARTITION BY leaves no column for the files", {}, "Add INCLUDE.");
  }
  return out;
}

/// "id:4,name:10": labels are the user's own, widths go by position.
SqlResult<std::vector<std::size_t>> fixed_widths(const sql::UnloadStatement& unload,
                                                 std::size_t columns) {
  std::vector<std::size_t> widths;
  if (unload.format != FileFormat::kFixedWidth) return widths;
  for (const std::string_view part : split(unload.fixed_width, ',')) {
    const std::size_t colon = part.rfind(':');
    const auto width = colon == std::string_view::npos
                           ? std::nullopt
                           : parse_number<std::uint32_t>(trim(part.substr(colon + 1)));
    if (!width || *width == 0) {
      return fail_sql("42601", fmt::format("FIXEDWIDTH needs 'label:width', not '{}'", part));
    }
    widths.push_back(*width);
  }
  if (widths.size() != columns) {
    return fail_sql("42601",
                    fmt::format("FIXEDWIDTH has {} widths for {} columns", widths.size(), columns));
  }
  return widths;
}

SqlResult<UnloadLayout> make_layout(const sql::UnloadStatement& unload,
                                    const std::vector<UnloadColumn>& columns) {
  LEAT_ASSIGN(const std::vector<std::size_t> partitions, partition_columns(unload, columns));
  UnloadLayout layout{.statement = unload, .positions = {}, .names = {}, .types = {}, .widths = {}};
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const bool left_out =
        !unload.partition_include && std::ranges::find(partitions, i) != partitions.end();
    if (left_out) continue;
    layout.positions.push_back(i);
    layout.names.push_back(columns[i].name);
  }
  LEAT_ASSIGN(layout.widths, fixed_widths(unload, layout.positions.size()));
  return layout;
}

/// As Hive writes a partition's value: what cannot stand in a path as "%2F".
std::string path_value(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool special =
        byte < 32 || byte == 127 || std::string_view("\"#%'*/:=?\\{}[]^").contains(c);
    if (special) {
      out += fmt::format("%{:02X}", byte);
    } else {
      out += c;
    }
  }
  return out;
}

/// One UNLOAD on its way.
class Unload final : public engine::ChunkSink {
 public:
  Unload(const sql::UnloadStatement& statement, const std::vector<UnloadColumn>& columns,
         io::ObjectStore& store, const UnloadOptions& options, UnloadReport& report)
      : statement_(statement),
        columns_(columns),
        store_(store),
        options_(options),
        report_(report),
        extension_(unload_extension(statement)) {
    prefix_ = statement.destination;
    if (!statement.partition_by.empty() && !prefix_.ends_with('/')) prefix_ += '/';
    bytes_max_ = options.file_bytes_max;
    if (statement.max_file_size_mb) {
      bytes_max_ =
          std::min(bytes_max_, static_cast<std::uint64_t>(*statement.max_file_size_mb * kMegabyte));
    }
  }

  SqlStatus run(engine::Prepared& query) {
    LEAT_ASSIGN(UnloadLayout layout, make_layout(statement_, columns_));
    layout_ = std::make_unique<UnloadLayout>(std::move(layout));
    LEAT_ASSIGN(partitions_, partition_columns(statement_, columns_));
    if (statement_.clean_path) LEAT_TRY(list_old());
    LEAT_TRY(query.run_into(*this));
    while (!open_.empty()) LEAT_TRY(close(open_.begin()));
    if (statement_.manifest) LEAT_TRY(put(prefix_ + "manifest", manifest()));
    published_ = true;
    return clean();
  }

  SqlStatus take(const engine::Chunk& chunk) override {
    if (report_.rows == 0) LEAT_TRY(note_types(chunk));
    LEAT_TRY(add(chunk));
    report_.rows += static_cast<std::int64_t>(chunk.rows());
    return {};
  }

  /// Takes back what was written, unless all of it is there: then only the old files stayed.
  void undo() {
    if (published_) return;
    for (const std::string& uri : written_) static_cast<void>(store_.remove(uri));
    report_.files.clear();
  }

 private:
  using Open = std::map<std::string, std::unique_ptr<UnloadFile>>;

  SqlStatus note_types(const engine::Chunk& chunk) {
    if (chunk.columns().size() != columns_.size()) {
      return fail_sql("XX000", "the query gives other columns than it was planned with");
    }
    for (const std::size_t position : layout_->positions) {
      layout_->types.push_back(chunk.column(position).type());
    }
    return {};
  }

  SqlStatus add(const engine::Chunk& chunk) {
    if (partitions_.empty()) {
      rows_.resize(chunk.rows());
      for (std::uint32_t i = 0; i < rows_.size(); ++i) rows_[i] = i;
      return add_rows("", chunk, rows_);
    }
    std::map<std::string, std::vector<std::uint32_t>> by_folder;
    for (std::uint32_t row = 0; row < chunk.rows(); ++row) {
      by_folder[folder_of(chunk, row)].push_back(row);
    }
    for (const auto& [folder, rows] : by_folder) LEAT_TRY(add_rows(folder, chunk, rows));
    return {};
  }

  /// "region=eu/day=2026-11-20/"
  std::string folder_of(const engine::Chunk& chunk, std::uint32_t row) {
    std::string folder;
    for (const std::size_t position : partitions_) {
      const engine::Column& column = chunk.column(position);
      folder += columns_[position].name + "=";
      if (column.is_null(row)) {
        folder += "__HIVE_DEFAULT_PARTITION__/";
        continue;
      }
      value_.clear();
      engine::append_text(column, row, value_);
      folder += path_value(value_) + "/";
    }
    return folder;
  }

  SqlStatus add_rows(const std::string& folder, const engine::Chunk& chunk,
                     std::span<const std::uint32_t> rows) {
    auto found = open_.find(folder);
    if (found == open_.end()) {
      if (open_.size() >= options_.open_files_max) LEAT_TRY(close(largest()));
      found = open_.emplace(folder, open_unload_file(*layout_)).first;
    }
    // In pieces, so that a file is closed near its size.
    constexpr std::size_t kRowsAtOnce = 256;
    const std::size_t step = statement_.format == FileFormat::kParquet ? rows.size() : kRowsAtOnce;
    for (std::size_t at = 0; at < rows.size(); at += step) {
      const std::size_t count = std::min(step, rows.size() - at);
      if (found == open_.end()) {
        found = open_.emplace(folder, open_unload_file(*layout_)).first;
      }
      LEAT_TRY(found->second->append(chunk, rows.subspan(at, count)));
      if (found->second->bytes() < bytes_max_) continue;
      LEAT_TRY(close(found));
      found = open_.end();
    }
    return {};
  }

  Open::iterator largest() {
    return std::ranges::max_element(open_, {},
                                    [](const auto& entry) { return entry.second->lines(); });
  }

  SqlStatus close(Open::iterator entry) {
    const std::string folder = entry->first;
    const std::unique_ptr<UnloadFile> file = std::move(entry->second);
    open_.erase(entry);
    const std::int64_t rows = file->lines();
    LEAT_ASSIGN(const std::string bytes, file->finish());
    const std::uint32_t part = parts_[folder]++;
    std::string uri = prefix_ + folder;
    uri += statement_.parallel ? fmt::format("0000_part_{:02}", part) : fmt::format("{:03}", part);
    uri += extension_;
    LEAT_TRY(put(uri, bytes));
    report_.files.push_back({.file = std::move(uri), .bytes = bytes.size(), .rows = rows});
    return {};
  }

  SqlStatus put(const std::string& uri, std::string_view bytes) {
    const bool replaces = statement_.allow_overwrite || statement_.clean_path;
    const auto stored = store_.put(uri, bytes, {.if_none_match = !replaces});
    if (stored) {
      if (!old_.contains(uri)) written_.push_back(uri);
      return {};
    }
    if (stored.error().code == Errc::kConflict) {
      return fail_sql(
          "XX000",
          "Specified unload destination on S3 is not empty. Consider using a different bucket / "
          "prefix, manually removing the target files in S3, or using the ALLOWOVERWRITE option.",
          "There is an object " + uri + " already.");
    }
    return std::unexpected(store_error(stored.error(), uri));
  }

  SqlStatus list_old() {
    io::ListOptions page_options;
    for (;;) {
      const auto page = store_.list(prefix_, page_options);
      if (!page) return std::unexpected(store_error(page.error(), prefix_));
      for (const io::ObjectInfo& object : page->objects) old_.insert(object.uri);
      if (!page->truncated || page->objects.empty()) return {};
      page_options.start_after = page->objects.back().uri;
    }
  }

  /// Removes what was below the prefix, or below the partitions written, and is not ours.
  SqlStatus clean() {
    std::set<std::string> ours;
    for (const UnloadedFile& file : report_.files) ours.insert(file.file);
    ours.insert(prefix_ + "manifest");
    for (const std::string& uri : old_) {
      if (ours.contains(uri) || !is_cleaned(uri)) continue;
      if (const Status removed = store_.remove(uri); !removed) {
        return std::unexpected(store_error(removed.error(), uri));
      }
    }
    return {};
  }

  bool is_cleaned(const std::string& uri) const {
    if (partitions_.empty()) return true;
    return std::ranges::any_of(
        parts_, [&](const auto& entry) { return uri.starts_with(prefix_ + entry.first); });
  }

  std::string manifest() const {
    std::string out = "{\n  \"entries\": [";
    std::uint64_t bytes = 0;
    std::int64_t rows = 0;
    for (const UnloadedFile& file : report_.files) {
      out += &file == &report_.files.front() ? "\n    {\"url\":" : ",\n    {\"url\":";
      append_json_string(out, file.file);
      out += fmt::format(",\"meta\":{{\"content_length\":{}", file.bytes);
      if (statement_.manifest_verbose) out += fmt::format(",\"record_count\":{}", file.rows);
      out += "}}";
      bytes += file.bytes;
      rows += file.rows;
    }
    out += "\n  ]";
    if (statement_.manifest_verbose) {
      out += ",\n  \"schema\": {\"elements\": [";
      for (const std::size_t position : layout_->positions) {
        out += position == layout_->positions.front() ? "\n    " : ",\n    ";
        append_element(columns_[position], out);
      }
      out += fmt::format(
          "\n  ]}},\n  \"meta\": {{\"content_length\":{},\"record_count\":{}}},\n  \"author\": "
          "{{\"name\":\"Leat\",\"version\":\"1.0.0\"}}",
          bytes, rows);
    }
    return out + "\n}\n";
  }

  static void append_element(const UnloadColumn& column, std::string& out) {
    out += "{\"name\":";
    append_json_string(out, column.name);
    const std::string spelled = sql::format_type(column.type);
    out += ",\"type\":{\"base\":";
    append_json_string(out, std::string_view(spelled).substr(0, spelled.find('(')));
    if (column.type.length >= 0) out += fmt::format(",\"max_length\":{}", column.type.length);
    if (column.type.precision >= 0) {
      out += fmt::format(",\"precision\":{},\"scale\":{}", column.type.precision,
                         std::max(column.type.scale, 0));
    }
    out += "}}";
  }

  const sql::UnloadStatement& statement_;
  const std::vector<UnloadColumn>& columns_;
  io::ObjectStore& store_;
  const UnloadOptions& options_;
  UnloadReport& report_;
  std::string extension_;
  std::string prefix_;
  std::uint64_t bytes_max_ = 0;
  std::unique_ptr<UnloadLayout> layout_;
  std::vector<std::size_t> partitions_;
  Open open_;                                   // by folder
  std::map<std::string, std::uint32_t> parts_;  // files closed, by folder
  std::vector<std::string> written_;            // what was not there before
  std::set<std::string> old_;                   // CLEANPATH only: what was there
  bool published_ = false;
  std::vector<std::uint32_t> rows_;
  std::string value_;
};

std::string_view format_name(FileFormat format) {
  switch (format) {
    case FileFormat::kParquet:
      return "Parquet";
    case FileFormat::kCsv:
      return "CSV";
    case FileFormat::kJson:
      return "JSON";
    default:
      return "Text";
  }
}

}  // namespace

SqlStatus check_unload(const sql::UnloadStatement& statement,
                       const std::vector<UnloadColumn>& columns) {
  LEAT_TRY(check_options(statement));
  if (const auto name = io::parse_object_uri(statement.destination); !name) {
    return fail_sql("22023",
                    "UNLOAD needs a destination like s3://bucket/prefix: " + name.error().message);
  }
  LEAT_TRY(check_types(statement, columns));
  LEAT_TRY(make_layout(statement, columns));
  return {};
}

UnloadReport run_unload(const sql::UnloadStatement& statement,
                        const std::vector<UnloadColumn>& columns, engine::Prepared& query,
                        io::ObjectStore& store, const UnloadOptions& options) {
  UnloadReport report;
  report.file_format = format_name(statement.format);
  Unload unload(statement, columns, store, options, report);
  if (SqlStatus done = unload.run(query); !done) {
    unload.undo();
    report.error = std::move(done).error();
    report.rows = 0;
    return report;
  }
  report.notices.push_back(
      fmt::format("UNLOAD completed, {} record(s) unloaded successfully.", report.rows));
  return report;
}

}  // namespace leat::transfer
