#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>

#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"
#include "io/directory_object_store.h"
#include "load_scene.h"
#include "measure.h"
#include "pipeline/load/load_sql.h"
#include "pipeline/load/replay.h"
#include "pipeline/load/staging.h"
#include "warehouse/engine/connection.h"
#include "warehouse/engine/database.h"

namespace leat::bench {
namespace {

constexpr std::size_t kBatchEvents = 10'000;

/// "COPY \"leat_stage_#\"" and the like: what is alike of statements of one kind.
std::string kind_of(std::string_view sql) {
  std::string kind;
  int words = 0;
  for (const char c : sql.substr(0, 60)) {
    if (c == ' ' && ++words == 2) break;
    const bool is_digit = c >= '0' && c <= '9';
    if (!is_digit) {
      kind += c;
    } else if (!kind.ends_with('#')) {
      kind += '#';
    }
  }
  return kind;
}

class CountingConnection final : public load::Connection {
 public:
  CountingConnection(std::unique_ptr<load::Connection> connection, StatementCosts& costs)
      : connection_(std::move(connection)), costs_(costs) {}
  std::expected<load::Rows, load::DestinationFailure> run(std::string_view sql,
                                                          std::stop_token stop) override {
    const double before = process_cpu_us();
    auto rows = connection_->run(sql, std::move(stop));
    StatementCost& cost = costs_[kind_of(sql)];
    ++cost.statements;
    cost.cpu_us += process_cpu_us() - before;
    return rows;
  }
  [[nodiscard]] bool is_open() const override { return connection_->is_open(); }

 private:
  std::unique_ptr<load::Connection> connection_;
  StatementCosts& costs_;
};

/// CPU microseconds an event of reading what was sealed last, shaping it and staging it, where the
/// source has no tables yet.
double stage_us(Scene& scene, std::size_t events) {
  const auto seals = scene.archive().archive().list_after({}, 100'000);
  require(seals, "listing the archive");
  const double seconds = cpu_seconds([&] {
    const auto staged =
        shape::shape_batches({}, {}, seals->size(), [&](std::size_t i) -> Result<shape::Batch> {
          const archive::Batch& batch = (*seals)[i].batches[0];
          LEAT_ASSIGN(std::string lines, scene.archive().archive().read(batch));
          return shape::Batch{batch.id, std::move(lines)};
        });
    require(staged, "shaping");
    load::Staging staging(scene.store(), "leat", "web", "bench", 1);
    for (const shape::StagedTable& table : staged->tables) {
      require(staging.write(table.name, table.parquet), "staging");
    }
  });
  return seconds * 1e6 / static_cast<double>(events);
}

struct TablesFigures {
  double stage = 0;         // CPU microseconds an event
  double first = 0;         // of a sync that makes the tables
  double later = 0;         // of one that finds them
  double few = 0;           // of one that touches ten of them
  double fresh = 0;         // the same by a loader that has seen no tables yet
  double statements = 0;    // a table, of `later`
  std::size_t columns = 0;  // of a table
};

TablesFigures measure_with(const LoadBenchOptions& options, std::size_t tables) {
  Scene scene(options.folder);
  TablesFigures out;
  StatementCosts costs;
  const auto events = static_cast<double>(options.events);
  load::Loader loader(scene.options(counting(costs)));
  const auto measured_sync = [&](std::size_t touched, load::Loader& by) {
    scene.add_events(options.events, touched);
    costs.clear();
    return cpu_seconds([&] { sync(by); }) * 1e6 / events;
  };
  scene.add_events(options.events, tables);
  out.stage = stage_us(scene, options.events);
  out.first = cpu_seconds([&] { sync(loader); }) * 1e6 / events;
  if (options.detail) print_costs(costs);
  std::vector<double> later;
  std::vector<double> few;
  std::vector<double> fresh;
  for (int round = 0; round < options.rounds; ++round) {
    later.push_back(measured_sync(tables, loader));
    out.statements = static_cast<double>(statements_of(costs)) / static_cast<double>(tables);
    if (options.detail) print_costs(costs);
    few.push_back(measured_sync(10, loader));
    load::Loader other(scene.options(counting(costs)));
    fresh.push_back(measured_sync(10, other));
    if (options.detail) print_costs(costs);
  }
  const auto rows = scene.ask(
      "SELECT count(*) FROM svv_columns WHERE table_schema = 'web' AND table_name = 'event_0000'");
  out.columns = parse_number<std::size_t>(rows.at(0)).value_or(1);
  out.later = median(later);
  out.few = median(few);
  out.fresh = median(fresh);
  return out;
}

struct LedgerFigures {
  double work = 0;   // CPU milliseconds of a sync that loads 1,000 events
  double idle = 0;   // of one that finds nothing, by a fresh loader
  double books = 0;  // of reading the whole ledger's totals, as leat status does
};

void fill_ledger(Scene& scene, std::int64_t rows) {
  constexpr std::int64_t kRowsPerStatement = 500;
  for (std::int64_t first = 1; first <= rows; first += kRowsPerStatement) {
    std::vector<load::BatchBooks> books;
    for (std::int64_t i = first; i < first + kRowsPerStatement && i <= rows; ++i) {
      load::BatchBooks batch;
      batch.batch_id = fmt::format("web/2026100112/fedcba9876-0000-{:020}-{:020}", i, i);
      batch.source = "web";
      batch.shard = "fedcba9876-0000";
      batch.first_offset = i;
      batch.last_offset = i;
      batch.hour = "2026100112";
      batch.events = {.received = 1000, .loaded = 1000};
      for (int table = 0; table < 10; ++table) {
        batch.table_rows[fmt::format("event_{:04}", table)] = 100;
      }
      batch.sync_id = fmt::format("20261001120000-{:010}", i);
      batch.loaded_at = TimeUs{1'790'856'000'000'000 + i};
      books.push_back(std::move(batch));
    }
    scene.ask(load::insert_ledger_sql("leat", books));
  }
}

LedgerFigures measure_ledger_with(const LoadBenchOptions& options, std::int64_t rows) {
  Scene scene(options.folder);
  LedgerFigures out;
  scene.add_events(1000, 10);
  {
    load::Loader first(scene.options());
    sync(first);
  }
  // One row of the other stream at least, so that all have as many streams.
  fill_ledger(scene, std::max<std::int64_t>(rows, 1));
  std::vector<double> work;
  std::vector<double> idle;
  std::vector<double> books;
  load::Loader loader(scene.options());
  for (int round = 0; round < 5 * options.rounds; ++round) {
    scene.add_events(1000, 10);
    work.push_back(cpu_seconds([&] { sync(loader); }) * 1e3);
    load::Loader fresh(scene.options());
    idle.push_back(cpu_seconds([&] { sync(fresh); }) * 1e3);
    books.push_back(
        cpu_seconds([&] {
          require(load::read_ledger(scene.warehouse().settings(), load::connect_postgres, 50, {}),
                  "reading the ledger");
        }) *
        1e3);
  }
  out.work = median(work);
  out.idle = median(idle);
  out.books = median(books);
  return out;
}

}  // namespace

load::Connect counting(StatementCosts& costs) {
  return [&costs](const load::DestinationSettings& settings, std::stop_token stop)
             -> std::expected<std::unique_ptr<load::Connection>, load::DestinationFailure> {
    auto connection = load::connect_postgres(settings, std::move(stop));
    if (!connection) return std::unexpected(std::move(connection).error());
    return std::make_unique<CountingConnection>(std::move(*connection), costs);
  };
}

std::int64_t statements_of(const StatementCosts& costs) {
  std::int64_t statements = 0;
  for (const auto& [kind, cost] : costs) statements += cost.statements;
  return statements;
}

void print_costs(const StatementCosts& costs) {
  for (const auto& [kind, cost] : costs) {
    fmt::print("    {:<40} {:>7} statements {:>10.1f} ms {:>9.1f} us each\n", kind, cost.statements,
               cost.cpu_us / 1e3, cost.cpu_us / static_cast<double>(cost.statements));
  }
}

Scene::Scene(const std::string& folder) : folder_(folder) {
  std::filesystem::remove_all(folder_);
  std::filesystem::create_directories(folder_ + "/store");
  store_ = load_test::open_store(folder_ + "/store");
  archive_ = std::make_unique<load_test::TestArchive>(*store_);
  warehouse_ = std::make_unique<load_test::TestWarehouse>(*store_, folder_ + "/store",
                                                          folder_ + "/warehouse");
}

Scene::~Scene() {
  warehouse_.reset();
  std::filesystem::remove_all(folder_);
}

load::LoaderOptions Scene::options(load::Connect connect) {
  load::LoaderOptions out;
  out.destination = warehouse_->settings();
  out.store = store_.get();
  out.archive = &archive_->archive();
  out.connect = std::move(connect);
  return out;
}

void Scene::add_events(std::size_t events, std::size_t tables) {
  for (std::size_t first = 0; first < events; first += kBatchEvents) {
    load_test::SourceEvents batch;
    batch.source = "web";
    for (std::size_t i = first; i < std::min(events, first + kBatchEvents); ++i) {
      batch.events.push_back(make_event(++made_, i % tables));
    }
    archive_->add_seal({batch});
  }
}

std::vector<std::string> Scene::ask(const std::string& sql) const {
  auto rows = warehouse_->ask(sql);
  if (!rows.empty() && rows[0].starts_with("ERROR ")) {
    fmt::print(stderr, "load_bench: {}: {}\n", sql.substr(0, 80), rows[0]);
    std::exit(1);
  }
  return rows;
}

load::SyncReport sync(load::Loader& loader) {
  auto report = loader.sync({"web", "web"}, {});
  if (!report) {
    fmt::print(stderr, "load_bench: {}\n", report.error().error.message);
    std::exit(1);
  }
  return std::move(*report);
}

std::string make_event(std::uint64_t number, std::size_t table) {
  const std::string digest = to_hex(sha256(std::to_string(number)));
  return fmt::format(
      R"({{"type":"track","messageId":"ajs-next-1763641385123-{}","anonymousId":"{}",)"
      R"("userId":"user-{}","event":"Event {:04}","properties":{{"product_id":"sku-{}",)"
      R"("price":{}.{:02},"quantity":{},"in_stock":{},"label":"Chair {}","currency":"EUR",)"
      R"("position":{},"field_{}":{}}},"context":{{"page":{{"path":"/products/{}",)"
      R"("referrer":"https://www.example.com/search","title":"Chairs - Example Shop",)"
      R"("url":"https://shop.example.com/products/{}"}},"locale":"de-DE",)"
      R"("userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) )"
      R"(Chrome/126.0.0.0 Safari/537.36","library":{{"name":"analytics.js",)"
      R"("version":"npm:next-1.84.3"}},"campaign":{{"source":"news","medium":"email"}},)"
      R"("timezone":"Europe/Berlin"}},"timestamp":"2026-11-20T14:03:{:02}.{:03}Z"}})",
      digest.substr(0, 32), digest.substr(32), number % 5000, table, number % 977,
      10 + number % 490, number % 100, 1 + number % 4, number % 3 == 0, number % 500, number % 40,
      table % 7, number, number % 977, number % 977, number % 60, number % 1000);
}

// CPU milliseconds that DuckDB alone takes for an INSERT of ten rows out of many into one of 300
// tables of `columns` columns, its share of the commit included.
double engine_insert_ms(const LoadBenchOptions& options, std::size_t columns) {
  constexpr int kTables = 300;
  std::string names;
  std::string types;
  std::string values;
  for (std::size_t i = 0; i < columns; ++i) {
    names += fmt::format("{}c{}", i == 0 ? "" : ", ", i);
    types += fmt::format("{}c{} VARCHAR", i == 0 ? "" : ", ", i);
    values += fmt::format(", 'value ' || range % 100 AS c{}", i);
  }
  std::filesystem::create_directories(options.folder);
  const std::string path = options.folder + "/anchor.duckdb";
  auto database = engine::Database::open({.path = path, .threads = 2});
  require(database, "opening DuckDB");
  auto connection = (*database)->connect();
  require(connection, "connecting");
  const auto run = [&](const std::string& sql) { require((*connection)->run(sql), "inserting"); };
  run(fmt::format("CREATE TEMP TABLE rows AS SELECT range // 10 AS n{} FROM range({})", values,
                  kTables * 10));
  for (int i = 0; i < kTables; ++i) run(fmt::format("CREATE TABLE t{} ({})", i, types));
  const double seconds = cpu_seconds([&] {
    require((*connection)->begin(), "beginning");
    for (int i = 0; i < kTables; ++i) {
      run(fmt::format("INSERT INTO t{0} ({1}) SELECT {1} FROM rows WHERE n = {0}", i, names));
    }
    require((*connection)->commit(), "committing");
  });
  connection->reset();
  database->reset();
  std::filesystem::remove_all(options.folder);
  return seconds * 1e3 / kTables;
}

void measure_tables(const LoadBenchOptions& options) {
  fmt::print("tables: {} events a sync, CPU microseconds an event, loader and warehouse\n",
             options.events);
  fmt::print("{:>8} {:>13} {:>12} {:>12} {:>14} {:>14} {:>12}\n", "tables", "shape + stage",
             "first sync", "later sync", "10 of them", "fresh loader", "statements");
  std::optional<TablesFigures> least;
  std::size_t least_tables = 0;
  for (const std::size_t tables : options.tables) {
    const TablesFigures figures = measure_with(options, tables);
    fmt::print("{:>8} {:>13.1f} {:>12.1f} {:>12.1f} {:>14.1f} {:>14.1f} {:>10.1f}/t\n", tables,
               figures.stage, figures.first, figures.later, figures.few, figures.fresh,
               figures.statements);
    if (!least) {
      least = figures;
      least_tables = tables;
      continue;
    }
    if (tables != options.tables.back()) continue;
    fmt::print("{:>8} {:>12.2f}x {:>11.2f}x {:>11.2f}x {:>13.2f}x {:>13.2f}x\n", "ratio",
               figures.stage / least->stage, figures.first / least->first,
               figures.later / least->later, figures.few / least->few,
               figures.fresh / least->fresh);
    const double per_table =
        static_cast<double>(options.events) / 1e3 / static_cast<double>(tables - least_tables);
    fmt::print(
        "each table that a sync touches: {:.2f} ms to shape and stage, {:.2f} ms in all; "
        "{:.2f} ms when it is made\n",
        (figures.stage - least->stage) * per_table, (figures.later - least->later) * per_table,
        (figures.first - least->first) * per_table);
    fmt::print("DuckDB alone, an INSERT into a table of {} columns: {:.2f} ms\n", figures.columns,
               engine_insert_ms(options, figures.columns));
  }
}

void measure_ledger(const LoadBenchOptions& options) {
  fmt::print("ledger: CPU milliseconds, loader and warehouse\n");
  fmt::print("{:>8} {:>18} {:>18} {:>18}\n", "rows", "load 1,000 events", "nothing, fresh",
             "all its totals");
  std::optional<LedgerFigures> least;
  for (const std::int64_t rows : {0, 1'000, 100'000}) {
    const LedgerFigures figures = measure_ledger_with(options, rows);
    fmt::print("{:>8} {:>18.1f} {:>18.2f} {:>18.2f}\n", rows, figures.work, figures.idle,
               figures.books);
    if (!least) least = figures;
    if (rows != 100'000) continue;
    fmt::print("{:>8} {:>17.2f}x {:>17.2f}x {:>17.2f}x\n", "ratio", figures.work / least->work,
               figures.idle / least->idle, figures.books / least->books);
  }
}

void measure_idle(const LoadBenchOptions& options) {
  Scene scene(options.folder);
  scene.add_events(1000, 10);
  load::Loader loader(scene.options());
  sync(loader);
  const auto median_ms = [&](auto work) {
    std::vector<double> times;
    for (int i = 0; i < 20 * options.rounds; ++i) {
      const std::int64_t before = system_clock().monotonic_us();
      work();
      times.push_back(static_cast<double>(system_clock().monotonic_us() - before) / 1e3);
    }
    return median(times);
  };
  const double known = median_ms([&] { sync(loader); });
  const double fresh = median_ms([&] {
    load::Loader other(scene.options());
    sync(other);
  });
  fmt::print(
      "a sync with nothing to do, milliseconds that pass (limit 50): {:.3f}; the first one "
      "of a process {:.2f}\n",
      known, fresh);
}

void measure_replay(const LoadBenchOptions& options) {
  std::vector<double> loads;
  std::vector<double> replays;
  for (int round = 0; round < options.rounds; ++round) {
    Scene scene(options.folder);
    scene.add_events(options.events, 10);
    load::Loader loader(scene.options());
    loads.push_back(cpu_seconds([&] { sync(loader); }));
    replays.push_back(cpu_seconds([&] {
      load::Replayer replayer(scene.options());
      const load::SourceSettings source{"web", "web"};
      auto state = replayer.begin(source, {.selection = {.source = "web"}},
                                  TimeUs{system_clock().now().value + kUsPerSecond}, {});
      while (state && state->status == "running") {
        if (auto step = replayer.step(source, *state, {}); !step) {
          fmt::print(stderr, "load_bench: {}\n", step.error().error.message);
          std::exit(1);
        }
      }
      if (!state || state->events.received != static_cast<std::int64_t>(options.events)) {
        fmt::print(stderr, "load_bench: the replay took not all events\n");
        std::exit(1);
      }
    }));
  }
  const auto rate = [&](const std::vector<double>& seconds) {
    return static_cast<double>(options.events) / median(seconds) / 1000;
  };
  fmt::print(
      "first load of {} events: {:.1f} k events/s of CPU; replay over them: {:.1f} k, {:.2f} "
      "x its time\n",
      options.events, rate(loads), rate(replays), median(replays) / median(loads));
}

}  // namespace leat::bench
