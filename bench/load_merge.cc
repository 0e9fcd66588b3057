// The loader's own merge statements against a plain anti-join of the same rows.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "load_scene.h"
#include "measure.h"
#include "pipeline/load/load_sql.h"
#include "pipeline/load/load_transaction.h"
#include "warehouse/engine/database.h"

namespace leat::bench {
namespace {

/// Which part of the staged rows have the ids of the target's rows, or of other staged rows.
struct Share {
  std::string_view name;
  double known;
  double repeated;
};

/// CPU seconds of a merge, and of them those of writing rows.
struct Cost {
  double all = 0;
  double writing = 0;
};

load::StagedTable table_of(std::int64_t rows) {
  load::StagedTable table{.schema = "web",
                          .name = "events",
                          .role = load::TableRole::kPrimary,
                          .columns = {{"id", "varchar(512)"},
                                      {"received_at", "timestamp"},
                                      {"uuid", "bigint"},
                                      {"user_id", "varchar(512)"},
                                      {"n", "bigint"},
                                      {"price", "numeric(10,2)"},
                                      {"ok", "boolean"},
                                      {"score", "double precision"},
                                      {"path", "varchar(512)"}},
                          .manifest_uri = {},
                          .rows = rows};
  return table;
}

class Merge {
 public:
  Merge(Scene& scene, std::int64_t rows) : scene_(scene), rows_(rows) {
    auto database = engine::Database::open({.threads = 2, .directories = {scene.folder()}});
    require(database, "opening DuckDB");
    files_ = std::move(*database);
    const std::string target = write("target", 0, rows, 0, 0, "");
    scene.ask("CREATE SCHEMA web");
    scene.ask(load::create_table_sql(table_of(rows)));
    scene.ask(fmt::format("COPY web.events ({}) FROM '{}' IAM_ROLE default FORMAT AS PARQUET",
                          columns(), target));
    auto opened = load::connect_postgres(scene.warehouse().settings(), {});
    if (!opened) std::exit(1);
    load::Session session(**opened, settings_ = scene.warehouse().settings(), {});
    if (!load::ensure_ledger(session)) std::exit(1);
  }

  /// Stages rows of which some are in the target already, the newest of them, and some come twice.
  void stage(const Share& share) {
    staged_ = rows_ / 10;
    const auto part = [&](double of) {
      return static_cast<std::int64_t>(static_cast<double>(staged_) * of);
    };
    is_distinct_ = share.repeated == 0;
    uri_ = write("staged", rows_ - part(share.known), staged_, rows_, part(share.repeated),
                 ", 0::bigint as leat_batch, range as leat_order");
    const std::string path = *scene_.store().local_path(uri_);
    manifest_ = "s3://leat/bench/staged.manifest";
    require(scene_.store().put(
                manifest_, load::manifest_json(
                               uri_, static_cast<std::int64_t>(std::filesystem::file_size(path)))),
            "writing the manifest");
  }

  /// CPU seconds of what is not bringing the rows into the stage, rolled back.
  Cost by_loader(const LoadBenchOptions& options) {
    StatementCosts costs;
    auto connection = counting(costs)(settings_, {});
    if (!connection) std::exit(1);
    load::Session session(**connection, settings_, {});
    load::LoadPlan plan;
    plan.schema = "web";
    plan.is_trial = true;
    plan.hashed_tables = &hashed_;
    plan.batches.resize(1);
    plan.batches[0].batch_id = "web/bench";
    plan.batches[0].source = "web";
    plan.batches[0].events.received = staged_;
    plan.batches[0].table_rows["events"] = staged_;
    plan.tables = {table_of(staged_)};
    plan.tables[0].manifest_uri = manifest_;
    plan.tables[0].is_distinct = is_distinct_;  // as the shaper says
    const auto result = load::run_load(session, plan);
    if (!result) {
      fmt::print(stderr, "load_bench: {}\n", result.error().error.message);
      std::exit(1);
    }
    Cost out;
    for (const auto& [kind, cost] : costs) {
      const bool is_writing = kind.starts_with("DELETE ") || kind.starts_with("INSERT ");
      if (is_writing) out.writing += cost.cpu_us / 1e6;
      if (is_writing || kind.starts_with("SELECT #") || kind.starts_with("CREATE TEMP")) {
        out.all += cost.cpu_us / 1e6;
      }
    }
    if (options.detail) print_costs(costs);
    return out;
  }

  /// CPU seconds of a plain INSERT of the rows whose id is not there, rolled back.
  double by_anti_join() {
    return by_insert(" WHERE NOT EXISTS (SELECT 1 FROM web.events t WHERE t.id = s.id)");
  }

  /// The same of an INSERT that looks for nothing: less than that no merge can take.
  double by_plain_insert() { return by_insert(""); }

 private:
  double by_insert(std::string_view condition) {
    const load::StagedTable table = table_of(staged_);
    scene_.ask("BEGIN");
    scene_.ask(load::create_stage_sql(table, 0));
    load::StagedTable staged = table;
    staged.manifest_uri = manifest_;
    scene_.ask(load::copy_sql(staged, 0, load::role_sql("default")));
    const double seconds = cpu_seconds([&] {
      scene_.ask(fmt::format("INSERT INTO web.events ({0}) SELECT {0} FROM leat_stage_0 s{1}",
                             columns(), condition));
    });
    scene_.ask("ROLLBACK");
    return seconds;
  }

  static std::string columns() {
    return "id, received_at, uuid, user_id, n, price, ok, score, path";
  }

  // Rows `first` to `first + count`; received one a second from `second` on. The last `repeated`
  // of them have the ids of the first.
  std::string write(std::string_view name, std::int64_t first, std::int64_t count,
                    std::int64_t second, std::int64_t repeated, std::string_view more) {
    const std::string uri = fmt::format("s3://leat/bench/{}.parquet", name);
    const std::string path = *scene_.store().local_path(uri);
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    auto connection = files_->connect();
    require(connection, "connecting");
    require(
        (*connection)
            ->run(fmt::format(
                "COPY (SELECT md5((range % {5} + {0})::varchar) AS id, timestamp '2026-01-01' + "
                "to_seconds(range + {1}) AS received_at, (hash(range % {5} + {0}) // 2)::bigint AS "
                "uuid, 'user-' || (hash(range) % 100000) AS user_id, (hash(range) % "
                "1000000)::bigint AS "
                "n, ((hash(range + 1) % 1000000) / 100.0)::decimal(10,2) AS price, range % 3 = 0 "
                "AS "
                "ok, (hash(range) % 99991) / 7.0::double AS score, '/products/' || (hash(range) % "
                "500) || '/view' AS path{2} FROM range({3})) TO '{4}' (FORMAT parquet, COMPRESSION "
                "zstd)",
                first, second, more, count, path, count - repeated)),
        "making rows");
    return uri;
  }

  Scene& scene_;
  std::int64_t rows_;
  std::unique_ptr<engine::Database> files_;
  load::DestinationSettings settings_;
  std::int64_t staged_ = 0;
  std::string uri_;
  bool is_distinct_ = true;
  // The uuids here are made by DuckDB: as good as ours, but not ours.
  std::map<std::string, bool> hashed_ = {{load::qualified("web", "events"), true}};
  std::string manifest_;
};

}  // namespace

void measure_merge(const LoadBenchOptions& options) {
  Scene scene(options.folder);
  Merge merge(scene, options.rows);
  fmt::print(
      "merge: {} rows into {}, CPU seconds, medians of {}; beside it an INSERT of an anti-join, "
      "and what of both is not writing the rows\n",
      options.rows / 10, options.rows, options.rounds);
  for (const Share& share : {Share{"none known", 0, 0}, Share{"1 % known", 0.01, 0},
                             Share{"half known", 0.5, 0}, Share{"0.5 % twice", 0, 0.005}}) {
    merge.stage(share);
    std::vector<double> anchor;
    std::vector<double> subject;
    std::vector<double> least;
    std::vector<double> looking;
    for (int round = 0; round < options.rounds; ++round) {
      anchor.push_back(merge.by_anti_join());
      least.push_back(merge.by_plain_insert());
      const Cost cost = merge.by_loader(options);
      subject.push_back(cost.all);
      looking.push_back(cost.all - cost.writing);
    }
    // Of the half that is known the anti-join writes nothing.
    const double anchor_looking = median(anchor) - median(least) * (1 - share.known);
    fmt::print(
        "{:<12} the loader's statements {:.3f}; INSERT of an anti-join {:.3f}; {:.2f} x "
        "(goal 0.50; an INSERT of all rows that looks for none {:.2f} x); "
        "looking alone {:.3f}, {:.3f}: {:.2f} x\n",
        share.name, median(subject), median(anchor), median(subject) / median(anchor),
        median(least) / median(anchor), median(looking), anchor_looking,
        median(looking) / anchor_looking);
  }
}

}  // namespace leat::bench
