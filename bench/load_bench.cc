// What loading costs, and what it does not depend on. CPU time of loader and warehouse together,
// which are one process here, medians, each figure beside what it is to be judged by.
//
//   load_bench [--only PART] [--rounds N] [--events N] [--rows N] [--tables N] [--dir FOLDER]
//   [--detail yes]
//
// - tables: the same events over 10 to 5,000 tables, and into 10 of as many tables
// - ledger: the same sync with 0 to 100,000 rows in the ledger
// - idle:   a sync that has nothing to do, against 50 ms
// - merge:  a tenth as many rows as a table has, merged into it, against a plain anti-join
// - path:   events accepted over HTTP, journalled, archived, read back, shaped and staged, against
//           the same ETL in DuckDB's SQL alone
// - replay: events from the archive into tables that have them, against their first load
//
// FOLDER (default: build/bench) must be on the disk to be judged, not in memory.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/text.h"
#include "load_scene.h"
#include "warehouse/engine/database.h"

int main(int argc, char** argv) {
  using namespace leat;  // NOLINT(google-build-using-namespace): a program of its own
  bench::LoadBenchOptions options;
  std::string only;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view flag = argv[i];
    const std::string_view value = argv[i + 1];
    if (flag == "--only") only = value;
    if (flag == "--dir") options.folder = value;
    if (flag == "--detail") options.detail = value == "yes";
    if (flag == "--rounds") options.rounds = parse_number<int>(value).value_or(options.rounds);
    if (flag == "--events") {
      options.events = parse_number<std::size_t>(value).value_or(options.events);
    }
    if (flag == "--tables") options.tables = {10, parse_number<std::size_t>(value).value_or(5'000)};
    if (flag == "--rows") options.rows = parse_number<std::int64_t>(value).value_or(options.rows);
  }
  options.folder = std::filesystem::absolute(options.folder).string() + "/load";
  engine::tune_allocator();
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // a part takes its time
  const std::vector<std::pair<std::string, std::function<void(const bench::LoadBenchOptions&)>>>
      parts = {{"path", bench::measure_path},     {"tables", bench::measure_tables},
               {"ledger", bench::measure_ledger}, {"idle", bench::measure_idle},
               {"merge", bench::measure_merge},   {"replay", bench::measure_replay}};
  bool found = false;
  for (const auto& [name, measure] : parts) {
    if (!only.empty() && only != name) continue;
    found = true;
    measure(options);
  }
  if (!found) fmt::print(stderr, "load_bench: no part is called '{}'\n", only);
  return found ? 0 : 2;
}
