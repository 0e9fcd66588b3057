// An archive, a warehouse, and loaders between them. Opening a warehouse costs more than most
// cases, so that each suite has one, emptied before every case.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <ostream>
#include <string>

#include "base/random.h"
#include "breaking_connection.h"
#include "pipeline/load/loader.h"
#include "test_archive.h"
#include "test_warehouse.h"

namespace leat::load {
/// For failure messages of GoogleTest.
inline void PrintTo(const EventCounts& counts, std::ostream* out) {
  *out << to_json(counts);
}
}  // namespace leat::load

namespace leat::load_test {

/// A folder that is gone with it.
class ScratchFolder {
 public:
  ScratchFolder()
      : path_(std::filesystem::temp_directory_path() /
              ("leat_load_" + random_token(secure_random(), 12))) {
    std::filesystem::create_directories(path_);
  }
  ~ScratchFolder() { std::filesystem::remove_all(path_); }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

class LoadFixture : public testing::Test {
 protected:
  static void SetUpTestSuite() { suite_ = std::make_unique<Suite>(); }
  static void TearDownTestSuite() { suite_.reset(); }

  load::LoaderOptions options(const TestWarehouse& warehouse,
                              load::Connect connect = load::connect_postgres) {
    load::LoaderOptions out;
    out.destination = warehouse.settings();
    out.store = &archive_.store();
    out.archive = &archive_.archive();
    out.clock = &clock_;
    out.connect = std::move(connect);
    return out;
  }

  /// A sync by a loader of its own: what a fresh process would do.
  std::expected<load::SyncReport, load::SyncFailure> sync(const TestWarehouse& warehouse,
                                                          const std::string& source = "web") {
    load::Loader loader(options(warehouse));
    return loader.sync({source, source}, {});
  }
  load::SyncReport sync_well(const TestWarehouse& warehouse, const std::string& source = "web") {
    auto report = sync(warehouse, source);
    EXPECT_TRUE(report.has_value()) << report.error().error.message;
    return report.value_or(load::SyncReport{});
  }

  static load::SyncReport sync_with(load::Loader& loader, const std::string& source = "web") {
    auto report = loader.sync({source, source}, {});
    EXPECT_TRUE(report.has_value()) << report.error().error.message;
    return report.value_or(load::SyncReport{});
  }

  [[nodiscard]] std::size_t staged_objects() {
    const auto page = archive_.store().list("s3://leat/staging/");
    return page ? page->objects.size() : 999;
  }

  struct Suite {
    ScratchFolder folder;
    std::unique_ptr<io::DirectoryObjectStore> store = open_store(folder.path());
    TestWarehouse warehouse{*store, folder.path()};
  };
  static inline std::unique_ptr<Suite> suite_;

  /// Removes everything that a case before left in the archive and the warehouse.
  static TestWarehouse& emptied(Suite& suite) {
    for (const char* schema : {"web", "app"}) suite.warehouse.reset(schema);
    for (bool more = true; more;) {
      const auto page = suite.store->list("s3://leat/");
      more = page && page->truncated;
      for (const io::ObjectInfo& object : page->objects) {
        EXPECT_TRUE(suite.store->remove(object.uri).has_value());
      }
    }
    return suite.warehouse;
  }

  FakeClock clock_{*parse_iso8601("2026-11-20T15:00:00Z")};
  TestWarehouse& warehouse_ = emptied(*suite_);
  TestArchive archive_{*suite_->store};
};

}  // namespace leat::load_test
