// The engine through the real DuckDB: types, text, parameters, transactions, errors, functions,
// sources, files.
#include "warehouse/engine/database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "warehouse/engine/function.h"
#include "warehouse/engine/source.h"

namespace leat::engine {
namespace {

using ::testing::HasSubstr;

class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "leat-engine-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string operator/(std::string_view name) const {
    return (path_ / name).string();
  }

 private:
  std::filesystem::path path_;
};

TEST(EngineFile, KeepsWhatWasCommittedAcrossKill) {
  const TempDir dir;
  const std::string path = dir / "warehouse.db";
  for (int round = 0; round < 3; ++round) {
    const pid_t child = fork();
    if (child == 0) {
      auto opened = Database::open({.path = path, .threads = 1});
      auto connection = opened ? (*opened)->connect() : SqlResult<std::unique_ptr<Connection>>();
      const bool good = opened && (*connection)->run("create table if not exists t(a int)") &&
                        (*connection)->run("insert into t values (1)") && (*connection)->begin() &&
                        (*connection)->run("insert into t select range::int from range(100000)");
      // Dies in the middle of a transaction, without closing anything.
      if (good) kill(getpid(), SIGKILL);
      _exit(1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
  }
  auto opened = Database::open({.path = path});
  ASSERT_TRUE(opened) << opened.error().message;
  auto connection = std::move(*(*opened)->connect());
  EXPECT_EQ(connection->query("select count(*) from t")->front().front(), "3");
}

TEST(EngineFile, TornWalTailIsCutOff) {
  const TempDir dir;
  const std::string path = dir / "warehouse.db";
  const pid_t child = fork();
  if (child == 0) {
    auto opened = Database::open({.path = path, .threads = 1});
    auto connection = std::move(*(*opened)->connect());
    const bool good = connection->run("create table t(a int); insert into t values (1)") &&
                      connection->run("insert into t values (2)");
    if (good) kill(getpid(), SIGKILL);
    _exit(1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  const std::string wal = path + ".wal";
  ASSERT_TRUE(std::filesystem::exists(wal));
  std::filesystem::resize_file(wal, std::filesystem::file_size(wal) - 3);
  auto opened = Database::open({.path = path});
  ASSERT_TRUE(opened) << opened.error().message;
  auto connection = std::move(*(*opened)->connect());
  EXPECT_EQ(connection->query("select count(*) from t")->front().front(), "1");
}

TEST(EngineFile, SecondOpenIsAConflict) {
  const TempDir dir;
  const std::string path = dir / "warehouse.db";
  auto first = Database::open({.path = path, .threads = 1});
  ASSERT_TRUE(first);
  const pid_t child = fork();
  if (child == 0) {
    auto second = Database::open({.path = path, .threads = 1});
    _exit(!second && second.error().code == Errc::kConflict ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(EngineFile, DamageIsSaidAtOpen) {
  const TempDir dir;
  const std::string path = dir / "warehouse.db";
  {
    auto opened = Database::open({.path = path});
    ASSERT_TRUE(opened);
    auto connection = std::move(*(*opened)->connect());
    ASSERT_TRUE(connection->run("create table t as select range as a from range(200000)"));
  }
  const auto size = std::filesystem::file_size(path);
  ASSERT_GT(size, 100000U);
  const auto open_code = [&] {
    auto opened = Database::open({.path = path});
    if (opened) return std::string("opened");
    EXPECT_THAT(opened.error().message, HasSubstr(path));
    return std::string(errc_name(opened.error().code));
  };
  EXPECT_EQ(open_code(), "opened");
  const auto damage = [&](std::streamoff at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(at);
    file << "damage damage damage damage";
  };
  std::filesystem::copy_file(path, dir / "copy.db");
  damage(4096 + 16);
  damage(8192 + 16);
  EXPECT_EQ(open_code(), "corrupt");
  std::filesystem::copy_file(dir / "copy.db", path,
                             std::filesystem::copy_options::overwrite_existing);
  damage(0);
  EXPECT_EQ(open_code(), "corrupt");
  std::ofstream(path, std::ios::trunc) << "this is not a database at all, only some text";
  EXPECT_EQ(open_code(), "corrupt");
  std::filesystem::remove(path);
  EXPECT_EQ(Database::open({.path = dir / "missing/warehouse.db"}).error().code, Errc::kNotFound);
}

TEST(EngineFile, DirectoriesAreOpenAndOthersNot) {
  const TempDir dir;
  std::filesystem::create_directory(dir / "store");
  auto opened = Database::open({.path = dir / "warehouse.db", .directories = {dir / "store"}});
  ASSERT_TRUE(opened) << opened.error().message;
  auto connection = std::move(*(*opened)->connect());
  const std::string inside = quote_literal(dir / "store/a.parquet");
  ASSERT_TRUE(connection->run("copy (select 42 as a) to " + inside));
  EXPECT_EQ(connection->query("select a from read_parquet(" + inside + ")")->front().front(), "42");
  const std::string outside = quote_literal(dir / "store/../b.parquet");
  EXPECT_EQ(connection->run("copy (select 42 as a) to " + outside).error().sqlstate, "42501");
}

TEST(EngineFile, AttachesOtherFilesInItsDirectories) {
  const TempDir dir;
  auto opened = Database::open({.path = dir / "one.db", .directories = {dir / ""}});
  ASSERT_TRUE(opened) << opened.error().message;
  ASSERT_TRUE((*opened)->attach("other", dir / "two.db"));
  auto connection = std::move(*(*opened)->connect());
  ASSERT_TRUE(connection->run("create table other.t(a int); insert into other.t values (5)"));
  EXPECT_EQ(connection->query("select a from other.t")->front().front(), "5");
  connection.reset();
  ASSERT_TRUE((*opened)->checkpoint());
  ASSERT_TRUE((*opened)->detach("other"));
  EXPECT_TRUE(std::filesystem::exists(dir / "two.db"));
}

TEST(EngineFile, ManyConnectionsAtOnce) {
  const TempDir dir;
  auto opened = Database::open({.path = dir / "warehouse.db", .threads = 2});
  ASSERT_TRUE(opened);
  Database& database = **opened;
  ASSERT_TRUE((*database.connect())->run("create table t(a int)"));
  std::atomic<int> failures = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      auto connection = std::move(*database.connect());
      for (int j = 0; j < 20; ++j) {
        if (!connection->run("insert into t values (" + std::to_string(i) + ")")) ++failures;
        if (!connection->query("select count(*) from t")) ++failures;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ((*database.connect())->query("select count(*) from t")->front().front(), "160");
}

TEST(EngineOptions, BadSettingIsInvalid) {
  auto opened = Database::open({.settings = {{"no_such_setting", "1"}}});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::kInvalid);
}

}  // namespace
}  // namespace leat::engine
