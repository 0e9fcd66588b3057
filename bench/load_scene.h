// An archive, a warehouse on the disk and loaders between them, for load_bench; and what each
// statement of a load costs.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "pipeline/load/loader.h"
#include "test_archive.h"
#include "test_warehouse.h"

namespace leat::bench {

struct LoadBenchOptions {
  std::string folder = "build/bench";
  int rounds = 3;
  std::size_t events = 50'000;
  std::int64_t rows = 10'000'000;  ///< Of the table that is merged into; a tenth is staged.
  std::vector<std::size_t> tables = {10, 100, 1'000, 5'000};
  bool detail = false;  ///< Print what the statements cost.
};

/// CPU of the whole process, loader and warehouse, while statements of one kind ran.
struct StatementCost {
  std::int64_t statements = 0;
  double cpu_us = 0;
};
/// By the first words of a statement.
using StatementCosts = std::map<std::string, StatementCost>;

/// Connects with libpq and adds what every statement costs to `costs`, which must outlive the
/// connections.
[[nodiscard]] load::Connect counting(StatementCosts& costs);
[[nodiscard]] std::int64_t statements_of(const StatementCosts& costs);
void print_costs(const StatementCosts& costs);

/// Removed with everything in it at the end. One thread.
class Scene {
 public:
  explicit Scene(const std::string& folder);
  ~Scene();
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;

  [[nodiscard]] load_test::TestArchive& archive() { return *archive_; }
  [[nodiscard]] load_test::TestWarehouse& warehouse() { return *warehouse_; }
  [[nodiscard]] io::DirectoryObjectStore& store() { return *store_; }
  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] load::LoaderOptions options(load::Connect connect = load::connect_postgres);

  /// Track calls of `tables` event names in turn, sealed in batches of 10,000. All ids are new
  /// ones.
  void add_events(std::size_t events, std::size_t tables);
  /// Answers of a query; ends the program when it fails.
  std::vector<std::string> ask(const std::string& sql) const;

 private:
  std::string folder_;
  std::unique_ptr<io::DirectoryObjectStore> store_;
  std::unique_ptr<load_test::TestArchive> archive_;
  std::unique_ptr<load_test::TestWarehouse> warehouse_;
  std::uint64_t made_ = 0;
};

/// One sync of source "web" that must succeed.
load::SyncReport sync(load::Loader& loader);

/// A web event as the browser library sends it, of about 900 bytes. `number` makes its id.
[[nodiscard]] std::string make_event(std::uint64_t number, std::size_t table);

// The parts of load_bench; each prints its figures.
void measure_tables(const LoadBenchOptions& options);
void measure_ledger(const LoadBenchOptions& options);
void measure_idle(const LoadBenchOptions& options);
void measure_merge(const LoadBenchOptions& options);
void measure_path(const LoadBenchOptions& options);
void measure_replay(const LoadBenchOptions& options);

}  // namespace leat::bench
