#include "warehouse/transfer/copy.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "warehouse/transfer/input_files.h"
#include "warehouse/transfer/option_rule.h"
#include "warehouse/transfer/parquet_copy.h"
#include "warehouse/transfer/text_copy.h"

namespace leat::transfer {

using engine::fail_sql;
using engine::SqlResult;
using engine::SqlStatus;
using sql::FileCompression;
using sql::FileFormat;

namespace {

using Columns = std::vector<const TargetColumn*>;

SqlStatus check_supported(const sql::CopyStatement& copy) {
  return first_broken(
      {{copy.format == FileFormat::kOrc, "COPY from ORC is not supported; use Parquet"},
       {copy.format == FileFormat::kShapefile, "COPY from SHAPEFILE is not supported"},
       {copy.ssh, "COPY over SSH is not supported; put the files under s3://"},
       {copy.read_ratio.has_value(), "COPY from DynamoDB is not supported"},
       {copy.encrypted || !copy.master_symmetric_key.empty(),
        "client-side encryption is not supported"}},
      "0A000");
}

SqlStatus check_columnar(const sql::CopyStatement& copy) {
  const bool text_option = copy.delimiter || copy.quote || copy.escape || copy.remove_quotes ||
                           copy.null_as || copy.ignore_header > 0 || copy.ignore_blank_lines ||
                           copy.blanks_as_null || copy.empty_as_null || copy.trim_blanks ||
                           copy.truncate_columns || copy.round_decimals || copy.accept_any_date ||
                           !copy.date_format.empty() || !copy.time_format.empty() ||
                           !copy.encoding.empty() || copy.max_error || copy.ignore_all_errors ||
                           copy.compression != FileCompression::kNone;
  return first_broken({{text_option,
                        "COPY from PARQUET takes only FILLRECORD, MANIFEST, SERIALIZETOJSON, "
                        "EXPLICIT_IDS, STATUPDATE and ACCEPTINVCHARS beside the credentials"}},
                      "0A000");
}

SqlStatus check_json(const sql::CopyStatement& copy) {
  return first_broken({{copy.delimiter.has_value(), "DELIMITER is not allowed with JSON"},
                       {copy.escape, "ESCAPE is not allowed with JSON"},
                       {copy.fill_record, "FILLRECORD is not allowed with JSON"},
                       {copy.ignore_blank_lines, "IGNOREBLANKLINES is not allowed with JSON"},
                       {copy.null_as.has_value(), "NULL AS is not allowed with JSON"},
                       {copy.remove_quotes, "REMOVEQUOTES is not allowed with JSON"},
                       {copy.quote.has_value(), "QUOTE is allowed with CSV only"}},
                      "42601");
}

bool is_one_ascii(const std::optional<std::string>& text) {
  return !text || (text->size() == 1 && static_cast<unsigned char>(text->front()) < 128);
}

constexpr std::size_t kDelimiterBytesMax = 64;

SqlStatus check_text(const sql::CopyStatement& copy) {
  const bool csv = copy.format == FileFormat::kCsv;
  const bool fixed = copy.format == FileFormat::kFixedWidth;
  return first_broken(
      {{copy.delimiter && (copy.delimiter->empty() || copy.delimiter->size() > kDelimiterBytesMax),
        "DELIMITER must have 1 to 64 bytes"},
       {!is_one_ascii(copy.quote), "QUOTE must be one ASCII character"},
       {copy.quote && !csv, "QUOTE is allowed with CSV only"},
       {csv && copy.escape, "ESCAPE is not allowed with CSV"},
       {csv && copy.remove_quotes, "REMOVEQUOTES is not allowed with CSV"},
       {fixed && copy.delimiter.has_value(), "DELIMITER is not allowed with FIXEDWIDTH"},
       {fixed && copy.escape, "ESCAPE is not allowed with FIXEDWIDTH"},
       {fixed && copy.remove_quotes, "REMOVEQUOTES is not allowed with FIXEDWIDTH"},
       {copy.null_as == "\n", "NULL AS cannot be a line end"},
       {copy.delimiter && copy.delimiter->find_first_of("\n\r") != std::string::npos,
        "DELIMITER cannot hold a line end"},
       {copy.escape && copy.delimiter && copy.delimiter->starts_with('\\'),
        "DELIMITER cannot begin with a backslash beside ESCAPE"},
       {csv && copy.delimiter &&
            copy.delimiter->find(copy.quote.value_or("\"")) != std::string::npos,
        "DELIMITER cannot hold the QUOTE character"}},
      "42601");
}

SqlStatus check_options(const sql::CopyStatement& copy) {
  LEAT_TRY(check_supported(copy));
  if (copy.format == FileFormat::kParquet) return check_columnar(copy);
  LEAT_TRY(first_broken({{copy.serialize_to_json, "SERIALIZETOJSON is allowed with PARQUET only"},
                         {copy.max_error && (*copy.max_error < 0 || *copy.max_error > 100000),
                          "MAXERROR must be between 0 and 100000"},
                         {copy.max_error && copy.ignore_all_errors,
                          "MAXERROR and IGNOREALLERRORS exclude each other"},
                         {!is_one_ascii(copy.accept_invalid_characters) ||
                              copy.accept_invalid_characters == std::string(1, '\0'),
                          "ACCEPTINVCHARS must be one ASCII character"}},
                        "42601"));
  if (copy.format == FileFormat::kAvro) {
    LEAT_TRY(first_broken({{!copy.encoding.empty(), "ENCODING is not allowed with AVRO"},
                           {copy.ignore_header > 0, "IGNOREHEADER is not allowed with AVRO"}},
                          "42601"));
  }
  const bool members = copy.format == FileFormat::kJson || copy.format == FileFormat::kAvro;
  return members ? check_json(copy) : check_text(copy);
}

SqlResult<Columns> resolve_columns(const sql::CopyStatement& copy, const CopyTarget& target) {
  Columns out;
  if (copy.columns.empty()) {
    for (const TargetColumn& column : target.columns) {
      if (!column.identity || copy.explicit_ids) out.push_back(&column);
    }
    return out;
  }
  for (const std::string& name : copy.columns) {
    const auto found = std::ranges::find_if(target.columns, [&](const TargetColumn& column) {
      return equal_ignore_case(column.name, name);
    });
    if (found == target.columns.end()) {
      return fail_sql("42703", fmt::format("column \"{}\" of relation \"{}\" does not exist", name,
                                           target.name));
    }
    if (std::ranges::find(out, &*found) != out.end()) {
      return fail_sql("42701", fmt::format("column \"{}\" specified more than once", name));
    }
    if (found->identity && !found->identity_by_default && !copy.explicit_ids) {
      return fail_sql("0A000",
                      fmt::format("cannot set an identity column to a value: \"{}\"", name), {},
                      "Leave the column out of the list or add EXPLICIT_IDS.");
    }
    out.push_back(&*found);
  }
  const bool missing_identity =
      copy.explicit_ids && std::ranges::any_of(target.columns, [&](const TargetColumn& column) {
        return column.identity && std::ranges::find(out, &column) == out.end();
      });
  if (missing_identity) {
    return fail_sql("42601", "EXPLICIT_IDS needs every identity column in the column list");
  }
  return out;
}

std::string_view format_name(FileFormat format) {
  switch (format) {
    case FileFormat::kParquet:
      return "parquet";
    case FileFormat::kJson:
      return "json";
    case FileFormat::kAvro:
      return "avro";
    case FileFormat::kCsv:
      return "csv";
    default:
      return "txt";
  }
}

void add_notices(const sql::CopyStatement& copy, const CopyTarget& target, CopyReport& report) {
  if (copy.no_load) {
    report.notices.push_back(
        fmt::format("Load into table '{}' completed, {} record(s) could be loaded successfully.",
                    target.name, report.rows));
  } else {
    report.notices.push_back(
        fmt::format("Load into table '{}' completed, {} record(s) loaded successfully.",
                    target.name, report.rows));
  }
  if (report.error_count > 0) {
    report.notices.push_back(
        fmt::format("Load into table '{}' completed, {} record(s) could not be loaded.  Check "
                    "'stl_load_errors' system table for details.",
                    target.name, report.error_count));
  }
  if (!report.replacements.empty()) {
    report.notices.push_back(
        fmt::format("Load into table '{}' completed, {} record(s) had replacements made for "
                    "ACCEPTINVCHARS.  Check 'stl_replacements' system table for details.",
                    target.name, report.replacement_count));
  }
}

SqlStatus load(const sql::CopyStatement& copy, const CopyTarget& target,
               engine::Connection& connection, io::ObjectStore& store, const CopyOptions& options,
               CopyReport& report) {
  LEAT_TRY(check_options(copy));
  LEAT_ASSIGN(const Columns columns, resolve_columns(copy, target));
  if (columns.empty()) return fail_sql("42601", "COPY needs at least one column to load");
  LEAT_ASSIGN(const std::vector<InputFile> files, find_input_files(copy, store));
  for (const InputFile& file : files) report.bytes += file.size;
  if (copy.format == FileFormat::kParquet) {
    return copy_parquet(copy, target, columns, files, connection, store, options, report);
  }
  return copy_text(copy, target, columns, files, connection, store, options, report);
}

}  // namespace

CopyReport run_copy(const sql::CopyStatement& statement, const CopyTarget& target,
                    engine::Connection& connection, io::ObjectStore& store,
                    const CopyOptions& options) {
  CopyReport report;
  report.file_format = format_name(statement.format);
  SqlStatus loaded = load(statement, target, connection, store, options, report);
  if (loaded) {
    add_notices(statement, target, report);
    return report;
  }
  report.error = std::move(loaded).error();
  report.rows = 0;
  connection.fail_block();
  return report;
}

}  // namespace leat::transfer
