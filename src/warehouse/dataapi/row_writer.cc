#include "warehouse/dataapi/row_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/digest.h"
#include "base/text.h"

namespace leat::dataapi {
namespace {

using engine::Column;

enum Oid : std::uint32_t {
  kBool = 16,
  kBytea = 17,
  kInt8 = 20,
  kInt2 = 21,
  kInt4 = 23,
  kText = 25,
  kOid = 26,
  kFloat4 = 700,
  kFloat8 = 701,
  kBpchar = 1042,
  kVarchar = 1043,
  kDate = 1082,
  kTime = 1083,
  kTimestamp = 1114,
  kTimestampTz = 1184,
  kTimeTz = 1266,
  kNumeric = 1700,
  kSuper = 4000,
  kVarbyte = 6551,
};

struct TypeFacts {
  std::uint32_t oid;
  std::string_view name;
  std::int64_t precision;
  std::int64_t scale;
  bool is_signed;
  bool is_case_sensitive;
};

// Names and numbers as Amazon's own driver gives them.
constexpr TypeFacts kTypes[] = {
    {kBool, "bool", 1, 0, false, false},
    {kBytea, "bytea", 2147483647, 0, false, false},
    {18, "char", 1, 0, false, true},
    {19, "name", 63, 0, false, true},
    {kInt8, "int8", 19, 0, true, false},
    {kInt2, "int2", 5, 0, true, false},
    {22, "int2vector", 2147483647, 0, false, false},
    {kInt4, "int4", 10, 0, true, false},
    {kText, "text", 65535, 0, false, true},
    {kOid, "oid", 10, 0, false, false},
    {30, "oidvector", 2147483647, 0, false, false},
    {kFloat4, "float4", 8, 8, true, false},
    {kFloat8, "float8", 17, 17, true, false},
    {705, "unknown", 65535, 0, false, true},
    {kBpchar, "bpchar", 65535, 0, false, true},
    {kVarchar, "varchar", 65535, 0, false, true},
    {kDate, "date", 13, 0, false, false},
    {kTime, "time", 15, 6, false, false},
    {kTimestamp, "timestamp", 29, 6, false, false},
    {kTimestampTz, "timestamptz", 35, 6, false, false},
    {1186, "interval", 49, 0, false, false},
    {1188, "intervaly2m", 49, 0, false, false},
    {1190, "intervald2s", 49, 6, false, false},
    {kTimeTz, "timetz", 21, 6, false, false},
    {kNumeric, "numeric", 38, 37, true, false},
    {2935, "hllsketch", 0, 0, false, true},
    {kSuper, "super", 0, 0, false, true},
    {kVarbyte, "varbyte", 64000, 0, false, false},
};

const TypeFacts* facts_of(std::uint32_t oid) {
  const auto* found = std::ranges::find(kTypes, oid, &TypeFacts::oid);
  return found == std::end(kTypes) ? nullptr : found;
}

bool has_length(std::uint32_t oid) {
  return oid == kBpchar || oid == kVarchar || oid == kVarbyte;
}

/// Text as Redshift's driver reads it: a timestamp always has a fraction.
void append_plain(const Column& column, std::size_t row, std::uint32_t type, std::string& out) {
  const std::size_t at = out.size();
  engine::append_text(column, row, out, {.extra_float_digits = 1});
  if (type == kTimestamp && out.find('.', at) == std::string::npos && out.size() > at &&
      out.back() >= '0' && out.back() <= '9') {
    out += ".0";
  }
}

void append_double_json(std::string& out, std::string_view text) {
  if (text == "NaN" || text == "Infinity" || text == "-Infinity") {
    append_json_string(out, text);
  } else {
    out += text;
  }
}

void append_json_cell(const Column& column, std::size_t row, std::uint32_t type, std::string& cell,
                      std::string& out) {
  if (column.is_null(row)) {
    out += R"({"isNull":true})";
    return;
  }
  switch (type) {
    case kBool:
      out += column.integer(row) != 0 ? R"({"booleanValue":true})" : R"({"booleanValue":false})";
      return;
    case kInt2:
    case kInt4:
    case kInt8:
    case kOid:
      fmt::format_to(std::back_inserter(out), R"({{"longValue":{}}})", column.integer(row));
      return;
    case kFloat4:
    case kFloat8:
      append_plain(column, row, type, cell);
      out += R"({"doubleValue":)";
      append_double_json(out, cell);
      break;
    case kBytea:
    case kVarbyte:
      cell = to_base64(column.text(row));
      out += R"({"blobValue":")" + cell + '"';
      break;
    default:
      append_plain(column, row, type, cell);
      out += R"({"stringValue":)";
      append_json_string(out, cell);
      break;
  }
  out += '}';
}

/// RFC 4180; a NULL is nothing, an empty string "".
void append_csv_cell(const Column& column, std::size_t row, std::uint32_t type, std::string& cell,
                     std::string& out) {
  if (column.is_null(row)) return;
  append_plain(column, row, type, cell);
  if (!cell.empty() && cell.find_first_of(",\"\r\n") == std::string::npos) {
    out += cell;
    return;
  }
  out += '"';
  for (const char c : cell) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

}  // namespace

ColumnMetadata metadata_of(const session::Field& field) {
  ColumnMetadata column;
  column.name = field.name;
  const TypeFacts* facts = facts_of(field.type_oid);
  if (facts == nullptr) {
    column.type_name = "varchar";
    column.precision = 65535;
    column.is_case_sensitive = true;
    return column;
  }
  column.type_name = facts->name;
  column.precision = facts->precision;
  column.scale = facts->scale;
  column.is_signed = facts->is_signed;
  column.is_case_sensitive = facts->is_case_sensitive;
  if (field.type_modifier >= 4) {
    const std::int32_t modifier = field.type_modifier - 4;
    if (field.type_oid == kNumeric) {
      column.precision = modifier >> 16;
      column.scale = modifier & 0xffff;
    } else if (has_length(field.type_oid)) {
      column.precision = modifier;
    }
  }
  return column;
}

std::string metadata_json(std::span<const ColumnMetadata> columns) {
  std::string out = "[";
  for (const ColumnMetadata& column : columns) {
    if (out.size() > 1) out += ',';
    out += R"({"isCaseSensitive":)";
    out += column.is_case_sensitive ? "true" : "false";
    out += R"(,"isCurrency":false,"isSigned":)";
    out += column.is_signed ? "true" : "false";
    out += R"(,"label":)" + json_string(column.name) + R"(,"name":)" + json_string(column.name);
    out += fmt::format(R"(,"nullable":{},"precision":{},"scale":{},"length":{})", column.nullable,
                       column.precision, column.scale, column.length);
    out += R"(,"schemaName":)" + json_string(column.schema_name);
    out += R"(,"tableName":)" + json_string(column.table_name);
    out += R"(,"typeName":)" + json_string(column.type_name);
    if (!column.column_default.empty()) {
      out += R"(,"columnDefault":)" + json_string(column.column_default);
    }
    out += '}';
  }
  return out + "]";
}

RowWriter::RowWriter(ResultFormat format, std::span<const session::Field> fields,
                     ResultPages* pages)
    : format_(format), pages_(pages) {
  static_cast<void>(on_fields(fields));
}

bool RowWriter::on_fields(std::span<const session::Field> fields) {
  types_.clear();
  for (const session::Field& field : fields) types_.push_back(field.type_oid);
  return true;
}

bool RowWriter::on_rows(const engine::Chunk& chunk, std::size_t first, std::size_t count) {
  if (pages_ == nullptr) return true;
  const std::size_t columns = std::min(chunk.columns().size(), types_.size());
  for (std::size_t row = first; row < first + count; ++row) {
    row_.clear();
    std::size_t value_bytes = 0;
    if (format_ == ResultFormat::kJson) row_ += '[';
    for (std::size_t i = 0; i < columns; ++i) {
      if (i > 0) row_ += ',';
      cell_.clear();
      if (format_ == ResultFormat::kJson) {
        append_json_cell(chunk.column(i), row, types_[i], cell_, row_);
      } else {
        append_csv_cell(chunk.column(i), row, types_[i], cell_, row_);
      }
      value_bytes += cell_.size();
    }
    row_ += format_ == ResultFormat::kJson ? "]" : "\r\n";
    if (Status added = pages_->add_row(row_, value_bytes); !added) {
      error_ = std::move(added).error();
      return false;
    }
  }
  return true;
}

bool RowWriter::on_complete(std::string_view tag) {
  tag_ = tag;
  return true;
}

void RowWriter::on_notice(session::Severity, std::string_view, std::string_view) {}

void RowWriter::on_setting(std::string_view, std::string_view) {}

std::int64_t rows_of_tag(std::string_view tag) {
  const std::size_t space = tag.rfind(' ');
  if (space == std::string_view::npos) return 0;
  return parse_number<std::int64_t>(tag.substr(space + 1)).value_or(0);
}

}  // namespace leat::dataapi
