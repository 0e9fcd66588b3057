// The whole way of an event up to the staged file, each part on its own, against the same tables
// made by DuckDB's SQL of the events alone. Collector, loader and DuckDB work in processes of their
// own, and each gets every event once.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "child_process.h"
#include "duckdb_etl.h"
#include "http_load.h"
#include "io/directory_object_store.h"
#include "load_scene.h"
#include "measure.h"
#include "pipeline/archive/sealer.h"
#include "pipeline/collect/server.h"
#include "pipeline/event/line.h"
#include "pipeline/event/sample_events.h"
#include "pipeline/load/staging.h"

namespace leat::bench {
namespace {

constexpr std::size_t kBatch = 100;
constexpr std::size_t kEtlBatch = 20'000;
constexpr std::string_view kWriteKey = "bench-write-key";

struct Requests {
  std::vector<std::string> requests;  // of kBatch events each
  std::vector<std::string> events;    // the same events, one a line, kEtlBatch in each
  std::size_t count = 0;
};

Requests make_requests(std::size_t count) {
  Requests out;
  event::SampleEvents sample(7);
  std::string body;
  for (; out.count < count; ++out.count) {
    const TimeUs now{1'793'196'185'123'456 + static_cast<std::int64_t>(out.count) * 700};
    std::string event;
    sample.append(event, now);
    if (out.count % kEtlBatch == 0) out.events.emplace_back();
    out.events.back() += event + "\n";
    body += (body.empty() ? R"({"batch":[)" : ",") + event;
    if ((out.count + 1) % kBatch != 0) continue;
    body += fmt::format(R"(],"writeKey":"{}"}})", kWriteKey);
    out.requests.push_back(
        fmt::format("POST /v1/batch HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: "
                    "application/json\r\nContent-Length: {}\r\n\r\n{}",
                    body.size(), body));
    body.clear();
  }
  return out;
}

int serve(const std::string& directory, const std::function<void(std::uint16_t)>& tell,
          const std::function<void()>& wait) {
  auto journal = journal::Journal::open({.directory = directory});
  require(journal, "opening the journal");
  net::HttpOptions http;
  http.listen = {"127.0.0.1", 0};
  auto server = collect::Server::start(
      http, {.sources = {{.name = "web", .write_keys = {std::string(kWriteKey)}}},
             .journal = journal->get()});
  require(server, "starting the collector");
  tell((*server)->local().port);
  wait();
  (*server)->stop(net::Deadline::after_us(1'000'000));
  return (*journal)->close() ? 0 : 1;
}

/// CPU microseconds an event.
struct PathFigures {
  double archive = 0;
  double stage = 0;
  std::uint64_t events = 0;

  [[nodiscard]] double accepted() const { return archive + stage; }
};

/// Sends all requests to a collector of its own and returns its CPU microseconds an event.
double send(const std::string& folder, const Requests& requests) {
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  const Child child(
      [&](const auto& tell, const auto& wait) { return serve(folder + "/journal", tell, wait); });
  HttpLoad load(child.port(), 16, requests.requests);
  const double before = cpu_us(child.pid());
  const LoadResult result = load.run_once();
  const double used = cpu_us(child.pid()) - before;
  if (result.answers != requests.requests.size()) {
    fmt::print(stderr, "load_bench: only {} of {} requests were taken\n", result.answers,
               requests.requests.size());
    std::exit(1);
  }
  return used / static_cast<double>(requests.count);
}

/// What `folder` has in its journal goes into the archive, and from there into staged files.
PathFigures walk(const std::string& folder) {
  PathFigures out;
  const auto store = load_test::open_store(folder + "/store");
  // Opening it again reads all of it, which a collector does at its start only.
  auto journal = journal::Journal::open({.directory = folder + "/journal"});
  require(journal, "opening the journal");
  const double archiving = cpu_seconds([&] {
    auto sealer = archive::Sealer::open({.journal = journal->get(),
                                         .store = store.get(),
                                         .bucket = "leat",
                                         .state_directory = folder + "/seals"});
    require(sealer, "opening the sealer");
    require((*sealer)->seal_now(60'000'000), "archiving");
  });
  require((*journal)->close(), "closing the journal");
  const archive::Archive archive(*store, "leat");
  const auto seals = archive.list_after({}, 100'000);
  require(seals, "listing the archive");
  const double staging = cpu_seconds([&] {
    std::vector<const archive::Batch*> batches;
    for (const archive::Seal& seal : *seals) {
      for (const archive::Batch& batch : seal.batches) {
        batches.push_back(&batch);
        out.events += batch.events;
      }
    }
    const auto staged =
        shape::shape_batches({}, {}, batches.size(), [&](std::size_t i) -> Result<shape::Batch> {
          LEAT_ASSIGN(std::string lines, archive.read(*batches[i]));
          return shape::Batch{batches[i]->id, std::move(lines)};
        });
    require(staged, "shaping");
    load::Staging files(*store, "leat", "web", "bench", 1);
    for (const shape::StagedTable& table : staged->tables) {
      require(files.write(table.name, table.parquet), "staging");
    }
  });
  const auto count = static_cast<double>(out.events);
  out.archive = archiving * 1e6 / count;
  out.stage = staging * 1e6 / count;
  return out;
}

/// What the ETL is to make: the tables that shape makes of the same events.
shape::Staged tables_of(const Requests& requests) {
  event::LineWriter writer;
  std::vector<std::string> batches;
  for (const std::string& events : requests.events) {
    std::string& lines = batches.emplace_back();
    for (const std::string_view event : split(events, '\n')) {
      if (event.empty()) continue;
      writer.begin_request({.received_at = TimeUs{1'793'196'185'123'456}, .source = "web"});
      writer.append(lines, {.event_json = event});
    }
  }
  auto staged =
      shape::shape_batches({}, {}, batches.size(), [&](std::size_t i) -> Result<shape::Batch> {
        return shape::Batch{std::to_string(i), batches[i]};
      });
  require(staged, "shaping");
  return std::move(*staged);
}

}  // namespace

void measure_path(const LoadBenchOptions& options) {
  const Requests requests = make_requests(options.events);
  const DuckDbEtl etl(requests.events, tables_of(requests));
  const ChildWork<double> etl_process([&] { return cpu_seconds([&] { etl.run(); }); });
  const ChildWork<PathFigures> loader_process([&] { return walk(options.folder); });
  std::vector<double> collect;
  std::vector<double> archive;
  std::vector<double> stage;
  std::vector<double> sql;
  std::vector<double> accepted_ratio;
  std::vector<double> ratio;
  // The first round only warms both up: loaders run for months.
  for (int round = 0; round <= options.rounds; ++round) {
    const double sql_us = etl_process.run() * 1e6 / static_cast<double>(requests.count);
    const double collect_us = send(options.folder, requests);
    const PathFigures figures = loader_process.run();
    std::filesystem::remove_all(options.folder);
    if (figures.events != requests.count) {
      fmt::print(stderr, "load_bench: {} of {} events were archived\n", figures.events,
                 requests.count);
      std::exit(1);
    }
    if (round == 0) continue;
    sql.push_back(sql_us);
    collect.push_back(collect_us);
    archive.push_back(figures.archive);
    stage.push_back(figures.stage);
    accepted_ratio.push_back(sql_us / figures.accepted());
    ratio.push_back(sql_us / (figures.accepted() + collect_us));
  }
  fmt::print(
      "path: CPU microseconds an event: over HTTP into the journal {:.2f}, journal to archive "
      "{:.2f}, archive to staged Parquet {:.2f}; DuckDB's SQL ETL alone {:.2f}\n"
      "      archive to staged {:.1f} x the ETL, accepted to staged {:.1f} x (goal 6.0), with "
      "HTTP {:.1f} x\n",
      median(collect), median(archive), median(stage), median(sql), median(sql) / median(stage),
      median(accepted_ratio), median(ratio));
}

}  // namespace leat::bench
