// Random tables of every type, written by columns::ParquetWriter, read back by DuckDB value by
// value.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <optional>

#include "base/random.h"
#include "base/time.h"
#include "columns/parquet_writer.h"
#include "judge/duckdb_query.h"
#include "judge/temp_file.h"

namespace leat::columns {
namespace {

__extension__ using Int128 = __int128;
__extension__ using UInt128 = unsigned __int128;
using Texts = std::vector<std::optional<std::string>>;

using judge::TempFile;

/// One column: its values as cells, and as the text that DuckDB prints.
struct SampleColumn {
  Column column;
  std::string duckdb_type;
  std::vector<Cell> cells{};
  std::vector<std::uint64_t> valid{};
  Texts texts{};
  std::size_t first_row = 0;  // added to the file after so many rows
};

struct Value {
  Cell cell;
  std::string text;
};

std::string date_text(std::int64_t days) {
  return format_timestamp(TimeUs{days * kUsPerDay}).substr(0, 10);
}

std::string decimal_text(Int128 unscaled, unsigned scale) {
  const bool negative = unscaled < 0;
  std::string digits;
  for (UInt128 rest = static_cast<UInt128>(negative ? -unscaled : unscaled);
       rest != 0 || digits.size() <= scale; rest /= 10) {
    digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(rest % 10)));
  }
  if (scale != 0) digits.insert(digits.size() - scale, ".");
  return (negative ? "-" : "") + digits;
}

Value make_value(const Column& column, SeededRandom& random, std::vector<std::string>& storage,
                 bool few) {
  const std::uint64_t r = few ? random.below(7) : random.next();
  switch (column.type) {
    case Type::kBoolean:
      return {Cell::of_integer(r & 1), (r & 1) != 0 ? "true" : "false"};
    case Type::kInt16: {
      const auto v = static_cast<std::int16_t>(r);
      return {Cell::of_integer(v), std::to_string(v)};
    }
    case Type::kInt32: {
      const auto v = static_cast<std::int32_t>(r);
      return {Cell::of_integer(v), std::to_string(v)};
    }
    case Type::kInt64: {
      const auto v = static_cast<std::int64_t>(r);
      return {Cell::of_integer(v), std::to_string(v)};
    }
    case Type::kFloat:
    case Type::kDouble: {
      const double v =
          static_cast<double>(static_cast<std::int64_t>(r % 2'000'001) - 1'000'000) / 8;
      return {Cell::of_real(v),
              v == static_cast<std::int64_t>(v) ? fmt::format("{:.1f}", v) : fmt::format("{}", v)};
    }
    case Type::kDecimal: {
      const auto bound = column.precision <= 18 ? 999'999'999'999'999'999LL : 0LL;
      Int128 v = static_cast<std::int64_t>(r);
      if (bound != 0) v %= bound;
      if (bound == 0) v *= 1'000'000'007;
      return {Cell::of_decimal(static_cast<std::uint64_t>(v), static_cast<std::int64_t>(v >> 64)),
              decimal_text(v, column.scale)};
    }
    case Type::kDate: {
      const auto v = static_cast<std::int64_t>(r % 60'000) - 20'000;
      return {Cell::of_integer(v), date_text(v)};
    }
    case Type::kTimestamp:
    case Type::kTimestampTz: {
      const auto v = static_cast<std::int64_t>(r % 4'000'000'000'000'000) - 1'000'000'000'000'000;
      return {Cell::of_integer(v),
              format_timestamp(TimeUs{v}) + (column.type == Type::kTimestampTz ? "+00" : "")};
    }
    default: {
      storage.push_back(fmt::format("{}{}", std::string(r % 40, 'x'), few ? r : random.next()));
      if (r % 11 == 0) storage.back() = "";
      if (r % 13 == 0) storage.back() = "caf\xc3\xa9 \xf0\x9f\x9a\x80";
      return {Cell::of_text(storage.back()), storage.back()};
    }
  }
}

SampleColumn make_column(Column column, std::string duckdb_type, std::size_t rows, unsigned nulls,
                         SeededRandom& random, std::vector<std::string>& storage, bool few) {
  SampleColumn out{.column = std::move(column), .duckdb_type = std::move(duckdb_type)};
  out.valid.resize(rows / 64 + 1);
  for (std::size_t row = 0; row < rows; ++row) {
    const bool is_null = out.column.nullable && random.below(100) < nulls;
    Value value = make_value(out.column, random, storage, few);
    out.cells.push_back(value.cell);
    out.texts.push_back(is_null ? std::nullopt : std::optional(value.text));
    if (!is_null) out.valid[row / 64] |= 1ULL << (row % 64);
  }
  return out;
}

std::vector<SampleColumn> make_columns(std::size_t rows, SeededRandom& random,
                                       std::vector<std::string>& storage) {
  storage.reserve(rows * 20);
  const std::vector<std::pair<Column, std::string>> kinds = {
      {{.name = "", .type = Type::kBoolean}, "BOOLEAN"},
      {{.name = "", .type = Type::kInt16}, "SMALLINT"},
      {{.name = "", .type = Type::kInt32}, "INTEGER"},
      {{.name = "", .type = Type::kInt64}, "BIGINT"},
      {{.name = "", .type = Type::kFloat}, "FLOAT"},
      {{.name = "", .type = Type::kDouble}, "DOUBLE"},
      {{.name = "", .type = Type::kDecimal, .precision = 18, .scale = 4}, "DECIMAL(18,4)"},
      {{.name = "", .type = Type::kDecimal, .precision = 38, .scale = 10}, "DECIMAL(38,10)"},
      {{.name = "", .type = Type::kVarchar, .length = 100}, "VARCHAR"},
      {{.name = "", .type = Type::kDate}, "DATE"},
      {{.name = "", .type = Type::kTimestamp}, "TIMESTAMP"},
      {{.name = "", .type = Type::kTimestampTz}, "TIMESTAMP WITH TIME ZONE"}};
  std::vector<SampleColumn> columns;
  for (const auto& [column, duckdb_type] : kinds) {
    for (const unsigned nulls : {0U, 30U, 100U}) {
      Column named = column;
      named.name = fmt::format("c{}", columns.size());
      named.nullable = nulls != 0;
      const bool few = random.below(2) == 0;
      columns.push_back(make_column(named, duckdb_type, rows, nulls, random, storage, few));
    }
  }
  return columns;
}

/// Writes `rows` rows in appends of random sizes; nullable columns with first_row > 0 are added
/// late.
std::string write(std::vector<SampleColumn>& columns, std::size_t rows, ParquetOptions options,
                  SeededRandom& random) {
  StringSink sink;
  ParquetWriter writer(sink, options);
  std::size_t added = 0;
  for (std::size_t at = 0; at < rows;) {
    while (added < columns.size() && columns[added].first_row <= at) {
      writer.add_column(columns[added++].column);
    }
    const std::size_t count = std::min(rows - at, random.below(5) * 64 + 64);
    std::vector<ColumnView> views;
    for (std::size_t c = 0; c < added; ++c) {
      views.push_back({columns[c].cells.data() + at, columns[c].valid.data() + at / 64});
    }
    EXPECT_TRUE(writer.append(views, count));
    at += count;
  }
  while (added < columns.size()) writer.add_column(columns[added++].column);
  EXPECT_TRUE(writer.finish());
  return sink.take();
}

void expect_equal(const std::vector<SampleColumn>& columns, std::size_t rows,
                  const std::string& path) {
  judge::DuckDb duckdb;
  const judge::Table types = duckdb.query(fmt::format("describe select * from '{}'", path));
  ASSERT_EQ(types.rows.size(), columns.size());
  const judge::Table table =
      duckdb.query(fmt::format("select columns(*)::varchar from '{}'", path));
  ASSERT_EQ(table.rows.size(), rows);
  for (std::size_t c = 0; c < columns.size(); ++c) {
    EXPECT_EQ(types.rows[c][0], columns[c].column.name);
    EXPECT_EQ(types.rows[c][1], columns[c].duckdb_type);
    for (std::size_t r = 0; r < rows; ++r) {
      const auto expected = r < columns[c].first_row ? std::nullopt : columns[c].texts[r];
      ASSERT_EQ(table.rows[r][c], expected) << columns[c].duckdb_type << " row " << r;
    }
  }
}

TEST(ParquetWriter, DuckDbReadsEveryTypeBack) {
  const struct {
    std::size_t rows;
    ParquetOptions options;
  } cases[] = {{1, {}},
               {64, {}},
               {1000, {}},
               {3000, {.row_group_rows = 700, .page_rows = 64}},
               {3000, {.row_group_rows = 2000, .page_rows = 500, .page_bytes = 300}},
               {3000, {.row_group_rows = 700, .page_rows = 64, .codec = Codec::kSnappy}},
               {6000, {.page_bytes = 2000, .codec = Codec::kSnappy}}};
  std::uint64_t seed = 1;
  for (const auto& c : cases) {
    SeededRandom random(seed++);
    std::vector<std::string> storage;
    auto columns = make_columns(c.rows, random, storage);
    const TempFile file(write(columns, c.rows, c.options, random));
    expect_equal(columns, c.rows, file.path());
  }
}

// Texts that differ from another in one byte only, at every place and of every size, again and
// again in one dictionary.
TEST(ParquetWriter, TextsThatLookAlikeStayApart) {
  SampleColumn column{.column = {.name = "c0", .type = Type::kVarchar, .length = 200},
                      .duckdb_type = "VARCHAR"};
  std::vector<std::string> storage;
  for (std::size_t size = 0; size <= 80; ++size) {
    storage.emplace_back(size, 'a');
    for (std::size_t at = 0; at < size; at += size < 20 ? 1 : 5) {
      storage.emplace_back(size, 'a');
      storage.back()[at] = 'b';
    }
  }
  SeededRandom random(7);
  constexpr std::size_t kRows = 9000;
  column.valid.resize(kRows / 64 + 1, ~0ULL);
  for (std::size_t row = 0; row < kRows; ++row) {
    const std::string& text = storage[row < 2000 ? random.below(20) : random.below(storage.size())];
    column.cells.push_back(Cell::of_text(text));
    column.texts.emplace_back(text);
  }
  std::vector<SampleColumn> columns{std::move(column)};
  const TempFile file(write(columns, kRows, {}, random));
  expect_equal(columns, kRows, file.path());
}

TEST(ParquetWriter, ColumnsAddedLateAreNullBefore) {
  SeededRandom random(42);
  std::vector<std::string> storage;
  storage.reserve(100'000);
  constexpr std::size_t kRows = 2000;
  std::vector<SampleColumn> columns;
  for (const std::size_t first_row : {0U, 64U, 640U, 1472U, 3000U}) {
    const Column column{
        .name = fmt::format("c{}", first_row), .type = Type::kVarchar, .length = 100};
    columns.push_back(make_column(column, "VARCHAR", kRows, 20, random, storage, true));
  }
  // Appends are of random size, so the true first row is found while writing: one size for all.
  StringSink sink;
  ParquetWriter writer(sink, {.row_group_rows = 512, .page_rows = 128});
  std::size_t added = 0;
  const std::size_t firsts[] = {0, 64, 640, 1472, 3000};
  for (std::size_t at = 0; at < kRows; at += 64) {
    while (added < columns.size() && firsts[added] <= at) {
      columns[added].first_row = firsts[added];
      writer.add_column(columns[added++].column);
    }
    std::vector<ColumnView> views;
    for (std::size_t c = 0; c < added; ++c) {
      views.push_back({columns[c].cells.data() + at, columns[c].valid.data() + at / 64});
    }
    ASSERT_TRUE(writer.append(views, std::min<std::size_t>(64, kRows - at)));
  }
  columns.back().first_row = 3000;
  writer.add_column(columns.back().column);
  ASSERT_TRUE(writer.finish());
  const TempFile file(sink.take());
  expect_equal(columns, kRows, file.path());
}

TEST(ParquetWriter, StatisticsBoundEveryRowGroupAndPruneRightly) {
  SeededRandom random(7);
  std::vector<std::string> storage;
  constexpr std::size_t kRows = 4000;
  auto columns = make_columns(kRows, random, storage);
  const TempFile file(write(columns, kRows, {.row_group_rows = 512}, random));
  judge::DuckDb duckdb;
  const judge::Table bounds = duckdb.query(
      fmt::format("select count(*), count(stats_min_value), count(stats_null_count) from "
                  "parquet_metadata('{}') where path_in_schema not in ('c21', 'c22', 'c23') and "
                  "stats_null_count < num_values",
                  file.path()));
  EXPECT_EQ(bounds.rows[0][0], bounds.rows[0][1]);
  EXPECT_EQ(bounds.rows[0][0], bounds.rows[0][2]);
  duckdb.run(fmt::format("create table t as select * from '{}'", file.path()));
  for (const SampleColumn& column : columns) {
    for (const std::size_t row : {0UL, 1234UL, 3999UL}) {
      if (!column.texts[row]) continue;
      for (const auto* op : {"=", "<", ">"}) {
        const std::string where = fmt::format("where \"{}\" {} '{}'::{}", column.column.name, op,
                                              *column.texts[row], column.duckdb_type);
        EXPECT_EQ(
            duckdb.query(fmt::format("select count(*) from '{}' {}", file.path(), where)).rows,
            duckdb.query("select count(*) from t " + where).rows)
            << where;
      }
    }
  }
}

TEST(ParquetWriter, ReportsNoRangeForLongText) {
  StringSink sink;
  ParquetWriter writer(sink);
  writer.add_column({.name = "c", .type = Type::kVarchar, .length = 65535});
  const std::string value(5000, 'y');
  const Cell cell = Cell::of_text(value);
  const ColumnView view{.values = &cell};
  ASSERT_TRUE(writer.append({&view, 1}, 1));
  ASSERT_TRUE(writer.finish());
  const TempFile file(sink.take());
  judge::DuckDb duckdb;
  const auto table = duckdb.query(fmt::format(
      "select c, (select stats_max_value from parquet_metadata('{0}')) from '{0}'", file.path()));
  EXPECT_EQ(table.rows[0][0], value);
  EXPECT_EQ(table.rows[0][1], std::nullopt);
}

}  // namespace
}  // namespace leat::columns
