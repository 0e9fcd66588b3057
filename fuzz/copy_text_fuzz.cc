// COPY's readers of delimited, CSV and fixed-width text, and the conversion of fields into every
// column type.
//
// Input: byte 0 chooses the format, byte 1 and 2 the options, the rest is the file.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "warehouse/transfer/field.h"
#include "warehouse/transfer/record_reader.h"

namespace {

using leat::sql::TypeKind;
using leat::transfer::TargetColumn;

void require(bool condition) {
  if (!condition) std::abort();
}

std::vector<TargetColumn> columns() {
  std::vector<TargetColumn> out;
  for (const TypeKind kind :
       {TypeKind::kVarchar, TypeKind::kInteger, TypeKind::kDecimal, TypeKind::kTimestamp,
        TypeKind::kDate, TypeKind::kBoolean, TypeKind::kChar, TypeKind::kDouble, TypeKind::kSuper,
        TypeKind::kVarbyte, TypeKind::kTimeTz, TypeKind::kTimestampTz, TypeKind::kSmallint}) {
    TargetColumn column{.name = "c"};
    column.type.kind = kind;
    column.type.length = 16;
    column.type.precision = 20;
    column.type.scale = 5;
    out.push_back(column);
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  leat::sql::CopyStatement statement;
  constexpr std::array kFormats{leat::sql::FileFormat::kDelimited, leat::sql::FileFormat::kCsv,
                                leat::sql::FileFormat::kFixedWidth};
  statement.format = kFormats[data[0] % kFormats.size()];
  statement.format_argument = "a:3,b:1,c:7";
  statement.escape = (data[1] & 1) != 0;
  statement.remove_quotes = (data[1] & 2) != 0;
  statement.ignore_blank_lines = (data[1] & 4) != 0;
  statement.ignore_header = data[1] >> 6;
  statement.truncate_columns = (data[1] & 8) != 0;
  statement.round_decimals = (data[1] & 16) != 0;
  if ((data[1] & 32) != 0) statement.accept_invalid_characters = "?";
  if ((data[2] & 1) != 0) statement.date_format = statement.time_format = "auto";
  if ((data[2] & 2) != 0) statement.delimiter = " ";
  const std::string bytes(reinterpret_cast<const char*>(data) + 3, size - 3);

  const auto format = *leat::transfer::TextFormat::read(statement);
  const auto options = *leat::transfer::FieldOptions::read(statement);
  const auto targets = columns();
  std::vector<leat::transfer::FieldConverter> converters;
  converters.reserve(targets.size());
  for (const TargetColumn& target : targets) converters.emplace_back(target, options);
  leat::transfer::RecordReader reader(
      leat::transfer::open_bytes(bytes, leat::sql::FileCompression::kNone), format, 4096);
  require(reader.skip_lines(statement.ignore_header).has_value());
  leat::transfer::Record record;
  std::size_t records = 0;
  while (true) {
    const auto more = reader.next(record);
    require(more.has_value());
    if (!*more) break;
    // Every record takes at least one byte of the file.
    require(++records <= bytes.size());
    // Only an empty line of fixed-width text has no field at all.
    require(record.error || !record.fields.empty() || record.raw.empty());
    for (std::size_t i = 0; i < record.fields.size() && !record.error; ++i) {
      require(record.fields[i].at <= record.raw.size());
      for (auto& converter : converters) {
        const auto error = converter.set(record.fields[i].text);
        require(!error || (error->code >= 1200 && !error->reason.empty()));
      }
    }
  }
  return 0;
}
