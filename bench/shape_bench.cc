// Shape against its anchors, on the same events, one thread, CPU time, interleaved, medians:
//   columns  = shape without files            beside simdjson's DOM parse + walk of the events
//   parquet  = shape with staged files        beside the same ETL in DuckDB's SQL (read_json_auto,
//   one CTAS and one
//                                             COPY TO Parquet zstd per table)
//   size     = bytes of our files             beside DuckDB's files of the very same rows
// usage: shape_bench [events] [rounds] [columns | parquet]: the last runs only that part, for a
// profiler
#include <fmt/format.h>
#include <malloc.h>
#include <simdjson.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "child_process.h"
#include "duckdb_etl.h"
#include "judge/duckdb_query.h"
#include "judge/temp_file.h"
#include "measure.h"
#include "pipeline/event/line.h"
#include "pipeline/event/sample_events.h"
#include "pipeline/shape/shaper.h"

namespace leat {
namespace {

constexpr std::size_t kBatchEvents = 20'000;

struct Data {
  std::vector<std::string> lines;   // batches, as the archive holds them
  std::vector<std::string> events;  // the same events alone, one per line
  std::size_t count = 0;
  std::size_t bytes = 0;  // of the events
};

Data make_data(std::size_t count) {
  Data data;
  event::SampleEvents sample(7);
  event::LineWriter writer;
  for (; data.count < count; ++data.count) {
    if (data.count % kBatchEvents == 0) {
      data.lines.emplace_back();
      data.events.emplace_back();
    }
    const TimeUs now{1'793'196'185'123'456 + static_cast<std::int64_t>(data.count) * 700};
    std::string event;
    sample.append(event, now);
    data.bytes += event.size() + 1;
    writer.begin_request({.received_at = now, .source = "web", .ip = "203.0.113.9"});
    writer.append(data.lines.back(), {.event_json = event});
    data.events.back() += event + "\n";
  }
  return data;
}

/// Reads every key and value, decodes every number and string.
std::uint64_t walk(const simdjson::dom::element& value) {
  using simdjson::dom::element_type;
  switch (value.type()) {
    case element_type::OBJECT: {
      std::uint64_t sum = 0;
      for (const auto field : simdjson::dom::object(value)) {
        sum += field.key.size() + walk(field.value);
      }
      return sum;
    }
    case element_type::ARRAY: {
      std::uint64_t sum = 1;
      for (const auto item : simdjson::dom::array(value)) sum += walk(item);
      return sum;
    }
    case element_type::STRING:
      return std::string_view(value).size();
    case element_type::INT64:
      return static_cast<std::uint64_t>(std::int64_t(value));
    case element_type::UINT64:
      return std::uint64_t(value);
    case element_type::DOUBLE:
      return static_cast<std::uint64_t>(double(value) != 0);
    case element_type::BOOL:
      return bool(value) ? 1 : 0;
    case element_type::NULL_VALUE:
      return 0;
  }
  return 0;
}

std::uint64_t walk_all(const Data& data) {
  simdjson::dom::parser parser;
  std::uint64_t sum = 0;
  for (const std::string& batch : data.events) {
    for (std::size_t at = 0; at < batch.size();) {
      const std::size_t end = batch.find('\n', at);
      // The document is followed by more of the batch (or by the string's spare room), so no copy
      // is needed.
      const bool has_padding = batch.size() - end > simdjson::SIMDJSON_PADDING;
      const simdjson::dom::element event = parser.parse(batch.data() + at, end - at, !has_padding);
      sum += walk(event);
      at = end + 1;
    }
  }
  return sum;
}

/// `lines`: taken as a loader hands them over, which reads each batch into memory of its own.
shape::Staged shape_all(std::vector<std::string> lines, bool write_files) {
  shape::Options options;
  options.write_files = write_files;
  auto staged =
      shape::shape_batches(options, {}, lines.size(), [&](std::size_t i) -> Result<shape::Batch> {
        if (lines[i].empty()) std::abort();  // a second pass would be measured with no lines
        return shape::Batch{.id = std::to_string(i), .lines = std::move(lines[i])};
      });
  if (!staged) std::abort();
  return std::move(*staged);
}

double measure_shape(const Data& data, bool write_files) {
  std::vector<std::string> lines = data.lines;  // not measured
  std::size_t tables = 0;
  const double seconds =
      bench::cpu_seconds([&] { tables = shape_all(std::move(lines), write_files).tables.size(); });
  return tables == 0 ? 0 : seconds;
}

/// Bytes of DuckDB's own zstd Parquet of the rows that our files hold, and a check that it reads
/// them row for row.
std::size_t duckdb_size(const shape::Staged& staged) {
  judge::DuckDb duckdb;
  std::size_t bytes = 0;
  for (const shape::StagedTable& table : staged.tables) {
    const judge::TempFile ours(table.parquet);
    const judge::TempFile theirs("");
    duckdb.run(fmt::format("create or replace table t as select * from '{}'", ours.path()));
    duckdb.run(fmt::format("copy t to '{}' (format parquet, codec zstd)", theirs.path()));
    bytes += std::filesystem::file_size(theirs.path());
    const auto equal = duckdb.query(
        fmt::format("select (select (count(*), sum(hash(t)::hugeint)) from '{}' t) = (select "
                    "(count(*), sum(hash(t)::hugeint)) from '{}' t)",
                    ours.path(), theirs.path()));
    if (equal.rows[0][0] != "true") {
      fmt::print(stderr, "table {} differs between our file and DuckDB's\n", table.name);
      std::exit(1);
    }
  }
  return bytes;
}

int run(std::size_t count, int rounds) {
  const Data data = make_data(count);
  fmt::print(
      "{} events, {:.1f} MB, {:.0f} bytes each; {} rounds, medians of CPU time, one thread\n",
      data.count, static_cast<double>(data.bytes) / 1e6,
      static_cast<double>(data.bytes) / static_cast<double>(data.count), rounds);
  const shape::Staged like = shape_all(data.lines, true);
  std::size_t ours = 0;
  std::size_t rows = 0;
  for (const shape::StagedTable& table : like.tables) {
    ours += table.parquet.size();
    rows += table.rows;
  }
  const bench::DuckDbEtl etl(data.events, like);
  const bench::ChildWork<double> etl_process(
      [&] { return bench::cpu_seconds([&] { etl.run(); }); });
  std::vector<double> dom, columns, parquet, sql;
  std::uint64_t sum = 0;
  for (int i = 0; i < rounds; ++i) {
    dom.push_back(bench::cpu_seconds([&] { sum += walk_all(data); }));
    columns.push_back(measure_shape(data, false));
    parquet.push_back(measure_shape(data, true));
    sql.push_back(etl_process.run());
  }
  const auto rate = [&](const std::vector<double>& times) {
    return static_cast<double>(data.count) / bench::median(times) / 1000;
  };
  fmt::print("simdjson DOM parse + walk   {:8.0f} k events/s/core\n", rate(dom));
  fmt::print(
      "shape to columns            {:8.0f} k events/s/core   {:.2f} x DOM (floor 0.35, goal 0.6)\n",
      rate(columns), rate(columns) / rate(dom));
  fmt::print("DuckDB SQL ETL to Parquet   {:8.1f} k events/s/core\n", rate(sql));
  fmt::print(
      "shape + stage to Parquet    {:8.0f} k events/s/core   {:.1f} x DuckDB (floor 4, goal 10)\n",
      rate(parquet), rate(parquet) / rate(sql));
  const std::size_t theirs = duckdb_size(like);
  fmt::print(
      "staged {} tables, {} rows: {:.2f} MB, DuckDB's zstd Parquet {:.2f} MB: {:.3f} x (floor and "
      "goal 1.0)\n",
      like.tables.size(), rows, static_cast<double>(ours) / 1e6, static_cast<double>(theirs) / 1e6,
      static_cast<double>(ours) / static_cast<double>(theirs));
  fmt::print("every staged table equals DuckDB's copy of it, row for row\n");
  return sum == 0 ? 1 : 0;
}

/// Columns whose chunks differ most in size from DuckDB's, summed over all tables.
int run_sizes(std::size_t count) {
  const shape::Staged staged = shape_all(make_data(count).lines, true);
  judge::DuckDb duckdb;
  duckdb.run("create table sizes(name text, ours bigint, theirs bigint, encodings text)");
  for (const shape::StagedTable& table : staged.tables) {
    const judge::TempFile ours(table.parquet);
    const judge::TempFile theirs("");
    duckdb.run(fmt::format("copy (from '{}') to '{}' (format parquet, codec zstd)", ours.path(),
                           theirs.path()));
    duckdb.run(
        fmt::format("insert into sizes select '{}.' || a.path_in_schema, a.s, b.s, a.e || ' / ' || "
                    "b.e from (select "
                    "path_in_schema, sum(total_compressed_size) s, first(encodings) e from "
                    "parquet_metadata('{}') group "
                    "by 1) a join (select path_in_schema, sum(total_compressed_size) s, "
                    "first(encodings) e from "
                    "parquet_metadata('{}') group by 1) b using (path_in_schema)",
                    table.name, ours.path(), theirs.path()));
  }
  for (const auto& row : duckdb
                             .query("select name, ours, theirs, encodings from sizes order by ours "
                                    "- theirs desc limit 25")
                             .rows) {
    fmt::print("{:50} {:>9} {:>9}  {}\n", *row[0], *row[1], *row[2], *row[3]);
  }
  return 0;
}

int run_part(std::size_t count, int rounds, std::string_view part) {
  const Data data = make_data(count);
  std::vector<double> times, dom;
  std::uint64_t sum = 0;
  for (int i = 0; i < rounds; ++i) {
    times.push_back(measure_shape(data, part == "parquet"));
    dom.push_back(bench::cpu_seconds([&] { sum += walk_all(data); }));
  }
  fmt::print("{}: {:.0f} k events/s/core, {:.2f} x DOM parse + walk\n", part,
             static_cast<double>(count) / bench::median(times) / 1000,
             bench::median(dom) / bench::median(times));
  return sum == 0 ? 1 : 0;
}

}  // namespace
}  // namespace leat

int main(int count, char** arguments) {
  // As the program does at its start: memory once used is kept, fresh pages are dear.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 2'000'000'000);
  mallopt(M_TOP_PAD, 64 << 20);
  const std::size_t events = count > 1 ? std::strtoull(arguments[1], nullptr, 10) : 200'000;
  const int rounds = count > 2 ? std::atoi(arguments[2]) : 5;
  if (count > 3 && std::string_view(arguments[3]) == "sizes") return leat::run_sizes(events);
  return count > 3 ? leat::run_part(events, rounds, arguments[3]) : leat::run(events, rounds);
}
