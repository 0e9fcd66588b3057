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

#include "warehouse/engine/encryption.h"
#include "warehouse/engine/function.h"
#include "warehouse/engine/log_header.h"
#include "warehouse/engine/source.h"

namespace leat::engine {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

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

constexpr std::string_view kMarker = "MARKER-of-plain-text-";

/// Of all files below, by name.
bool holds_marker(const std::filesystem::path& folder) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    if (bytes.find(kMarker) != std::string::npos) return true;
  }
  return false;
}

class EngineEncryption : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(check_encryption_extension())
        << "no " << encryption_extension() << ": run tools/fetch-duckdb";
  }

  /// "opened", or what open() says.
  std::string open_code(const std::string& key, const std::string& path) {
    auto opened = Database::open({.path = path, .threads = 1, .key = key});
    if (opened) return "opened";
    EXPECT_THAT(opened.error().message, HasSubstr(path));
    if (!key.empty()) {
      EXPECT_THAT(opened.error().message, Not(HasSubstr(key)));
    }
    return std::string(errc_name(opened.error().code));
  }

  const TempDir dir_;
  const std::string path_ = dir_ / "warehouse.db";
  const std::string key_ = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
  const std::string fill_ =
      "create table t as select '" + std::string(kMarker) + "' || range as a from range(5000)";
};

TEST_F(EngineEncryption, NoFileHoldsPlainText) {
  for (const std::string& key : {std::string(), key_}) {
    const TempDir folder;
    const std::string path = folder / "warehouse.db";
    const pid_t child = fork();
    if (child == 0) {
      auto opened =
          Database::open({.path = path, .threads = 1, .key = key, .directories = {folder / ""}});
      auto connection = opened ? (*opened)->connect() : SqlResult<std::unique_ptr<Connection>>();
      // Compressed texts would not be found in a plain file either.
      const bool good = opened && (*connection)->run("set force_compression = 'uncompressed'") &&
                        (*connection)->run(fill_) &&
                        (*opened)->attach("other", folder / "other.db") &&
                        (*connection)->run("create table other.t as from t");
      // Both logs stay.
      if (good) kill(getpid(), SIGKILL);
      _exit(1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    ASSERT_TRUE(std::filesystem::exists(path + ".wal"));
    ASSERT_TRUE(std::filesystem::exists(folder / "other.db.wal"));
    EXPECT_EQ(holds_marker(folder / ""), key.empty());
    {
      auto opened = Database::open({.path = path, .threads = 1, .key = key});
      ASSERT_TRUE(opened) << opened.error().message;
      auto connection = std::move(*(*opened)->connect());
      ASSERT_TRUE(connection->run("set force_compression = 'uncompressed'; checkpoint"));
      EXPECT_EQ(connection->query("select count(*) from t")->front().front(), "5000");
      EXPECT_THAT(*connection->query("select database_name, path from duckdb_databases() where "
                                     "encrypted"),
                  ::testing::SizeIs(key.empty() ? 0 : 1));
    }
    EXPECT_FALSE(std::filesystem::exists(path + ".wal"));
    EXPECT_EQ(holds_marker(folder / ""), key.empty());
  }
}

TEST_F(EngineEncryption, OnlyTheKeyOpensTheFile) {
  EXPECT_EQ(open_code(key_, path_), "opened");
  EXPECT_EQ(open_code(key_, path_), "opened");
  EXPECT_EQ(open_code(key_ + "x", path_), "denied");
  EXPECT_EQ(open_code({}, path_), "denied");
  EXPECT_EQ(open_code({}, dir_ / "plain.db"), "opened");
  EXPECT_EQ(open_code(key_, dir_ / "plain.db"), "denied");
  EXPECT_EQ(Database::open({.path = dir_ / "memory.db", .key = key_}).error().code, Errc::kInvalid);
  auto opened =
      Database::open({.path = path_, .threads = 1, .key = key_, .directories = {dir_ / ""}});
  ASSERT_TRUE(opened);
  EXPECT_EQ((*opened)->attach("plain", dir_ / "plain.db").error().code, Errc::kDenied);
  ASSERT_TRUE((*opened)->attach("plain", dir_ / "plain.db", {}));
}

TEST_F(EngineEncryption, DamageIsSaidAtOpen) {
  {
    auto opened = Database::open({.path = path_, .threads = 1, .key = key_});
    ASSERT_TRUE(opened);
    ASSERT_TRUE((*(*opened)->connect())->run(fill_));
  }
  std::ifstream in(path_, std::ios::binary);
  const std::string whole{std::istreambuf_iterator<char>(in), {}};
  // The first header; both of the others, of which one counts; the first block.
  using Places = std::vector<std::size_t>;
  for (const Places& places : {Places{8}, Places{200}, Places{4156, 8252}, Places{12388}}) {
    std::string damaged = whole;
    for (const std::size_t at : places) damaged[at] ^= 1;
    std::ofstream(path_, std::ios::binary) << damaged;
    EXPECT_EQ(open_code(key_, path_), "corrupt") << places[0];
  }
  std::ofstream(path_, std::ios::binary) << whole.substr(0, whole.size() / 2);
  EXPECT_EQ(open_code(key_, path_), "corrupt");
}

// The engine takes a log that begins wrongly for an unfinished one, and drops what is in it.
TEST_F(EngineEncryption, DamageAtTheLogsBeginningIsSaidAtOpen) {
  for (const std::string& key : {std::string(), key_}) {
    const TempDir folder;
    const std::string path = folder / "warehouse.db";
    const std::string log = path + ".wal";
    {
      auto opened = Database::open({.path = path_, .threads = 1, .key = key});
      ASSERT_TRUE(opened);
      ASSERT_TRUE((*(*opened)->connect())->run(fill_));
      std::filesystem::copy_file(path_, path);
      std::filesystem::copy_file(path_ + ".wal", log);
    }
    std::filesystem::remove(path_);
    std::ifstream in(log, std::ios::binary);
    const std::string whole{std::istreambuf_iterator<char>(in), {}};
    const auto end_of_header = whole.find("\xff\xff");
    ASSERT_LT(end_of_header, kLogHeaderBytesMax);
    for (std::size_t at = 0; at < end_of_header + 2; ++at) {
      std::string damaged = whole;
      damaged[at] ^= 1;
      std::ofstream(log, std::ios::binary) << damaged;
      EXPECT_EQ(open_code(key, path), "corrupt") << at;
    }
    std::ofstream(log, std::ios::binary) << whole;
    EXPECT_EQ(open_code(key, path), "opened");
  }
  // What a crash leaves of a log that was never written to.
  EXPECT_TRUE(is_log_beginning(""));
  EXPECT_TRUE(is_log_beginning("d"));
  EXPECT_TRUE(is_log_beginning(std::string(64, '\0')));
  EXPECT_FALSE(is_log_beginning(std::string(64, 'd')));
}

TEST_F(EngineEncryption, WhatIsSpilledIsEncrypted) {
  for (const std::string& key : {std::string(), key_}) {
    const TempDir folder;
    auto opened = Database::open({.path = folder / "warehouse.db",
                                  .threads = 1,
                                  .memory_bytes_max = 30U << 20U,
                                  .temp_directory = folder / "spilled",
                                  .key = key});
    ASSERT_TRUE(opened) << opened.error().message;
    auto connection = std::move(*(*opened)->connect());
    // In the rows, for keys of a sort are written in a form of their own.
    auto cursor = connection->execute("select '" + std::string(kMarker) +
                                      "' || md5((range + 1)::varchar) as a from range(250000) "
                                      "order by md5(range::varchar)");
    ASSERT_TRUE(cursor) << cursor.error().message;
    ASSERT_TRUE(cursor->next());
    ASSERT_FALSE(std::filesystem::is_empty(folder / "spilled"));
    EXPECT_EQ(holds_marker(folder / "spilled"), key.empty());
  }
}

// The extension reads over HTTP; nobody's SQL does.
TEST_F(EngineEncryption, NothingElseOfTheExtensionIsOpen) {
  auto opened =
      Database::open({.path = path_, .threads = 1, .key = key_, .directories = {dir_ / ""}});
  ASSERT_TRUE(opened) << opened.error().message;
  auto connection = std::move(*(*opened)->connect());
  for (const char* sql :
       {"from read_text('http://127.0.0.1:1/a')", "from read_csv('https://127.0.0.1:1/a')",
        "from read_parquet('s3://bucket/a')", "copy (select 1) to 's3://bucket/a'",
        "attach 'http://127.0.0.1:1/a.db' as a", "create persistent secret s (type s3)",
        "set global enable_external_access = true"}) {
    EXPECT_FALSE(connection->run(sql)) << sql;
  }
}

TEST(EngineOptions, BadSettingIsInvalid) {
  auto opened = Database::open({.settings = {{"no_such_setting", "1"}}});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::kInvalid);
}

}  // namespace
}  // namespace leat::engine
