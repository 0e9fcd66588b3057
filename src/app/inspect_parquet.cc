#include "app/inspect_parquet.h"

#include <fmt/format.h>

#include <filesystem>
#include <vector>

#include "app/table_text.h"
#include "base/text.h"
#include "warehouse/engine/database.h"

namespace leat::app {
namespace {

constexpr std::string_view kFileSql =
    "SELECT num_rows, num_row_groups, coalesce(created_by, '') FROM parquet_file_metadata($1)";

// Column chunks of all row groups, put together per column.
constexpr std::string_view kColumnSql =
    "SELECT path_in_schema, min(type), string_agg(DISTINCT compression, ' '), "
    "string_agg(DISTINCT encodings, ' '), sum(stats_null_count), sum(total_compressed_size) "
    "FROM parquet_metadata($1) GROUP BY column_id, path_in_schema ORDER BY column_id";

std::string cell(const engine::TextRow& row, std::size_t index) {
  return row[index].value_or("");
}

std::string json_number(const engine::TextRow& row, std::size_t index) {
  return row[index].value_or("null");
}

std::string to_json(std::uintmax_t bytes, const engine::TextRow& file,
                    const std::vector<engine::TextRow>& columns) {
  std::string out = fmt::format(
      R"({{"kind":"parquet","rows":{},"row_groups":{},"bytes":{},"created_by":{},"columns":[)",
      json_number(file, 0), json_number(file, 1), bytes, json_string(cell(file, 2)));
  for (const engine::TextRow& column : columns) {
    if (&column != columns.data()) out += ',';
    out += fmt::format(R"({{"name":{},"type":{},"compression":{},"encodings":{},"nulls":{},)"
                       R"("compressed_bytes":{}}})",
                       json_string(cell(column, 0)), json_string(cell(column, 1)),
                       json_string(cell(column, 2)), json_string(cell(column, 3)),
                       json_number(column, 4), json_number(column, 5));
  }
  return out + "]}\n";
}

std::string to_text(std::uintmax_t bytes, const engine::TextRow& file,
                    const std::vector<engine::TextRow>& columns) {
  TableText table{.columns = {"column", "type", "compression", "encodings", "nulls", "bytes"},
                  .numeric = {false, false, false, false, true, true},
                  .rows = {}};
  for (const engine::TextRow& column : columns) {
    auto& row = table.rows.emplace_back();
    for (std::size_t i = 0; i < table.columns.size(); ++i) row.push_back(cell(column, i));
  }
  return fmt::format("Parquet file, {} bytes: {} rows in {} row groups, written by {}\n\n{}",
                     count_text(static_cast<std::int64_t>(bytes)), cell(file, 0), cell(file, 1),
                     cell(file, 2), app::to_text(table));
}

Error corrupt(const engine::SqlError& error) {
  return Error{.code = Errc::kCorrupt,
               .message = "no sound Parquet footer: " + error.message +
                          "; the archive still has the events: sync again to stage them anew"};
}

}  // namespace

Result<std::string> describe_parquet(const std::string& path, bool json) {
  std::error_code ignored;
  const auto file_path = std::filesystem::canonical(path, ignored);
  const std::uintmax_t bytes = std::filesystem::file_size(file_path, ignored);
  LEAT_ASSIGN(const auto database,
              engine::Database::open({.threads = 1,
                                      .memory_bytes_max = 256ULL << 20,
                                      .directories = {file_path.parent_path().string()}}));
  auto connection = database->connect();
  if (!connection) return fail(Errc::kUnavailable, connection.error().message);
  const std::vector<engine::Value> name = {file_path.string()};
  const auto file = (*connection)->query(kFileSql, name);
  if (!file) return std::unexpected(corrupt(file.error()));
  const auto columns = (*connection)->query(kColumnSql, name);
  if (!columns) return std::unexpected(corrupt(columns.error()));
  if (file->empty()) return fail(Errc::kCorrupt, "a Parquet file without a footer");
  return json ? to_json(bytes, file->front(), *columns) : to_text(bytes, file->front(), *columns);
}

}  // namespace leat::app
