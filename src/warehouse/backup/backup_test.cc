#include "warehouse/backup/backup.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "base/random.h"
#include "io/faulty_file_system.h"

namespace leat::backup {
namespace {

constexpr std::string_view kDatabase = "/data/dev.duckdb";
constexpr std::string_view kLog = "/data/dev.duckdb.wal";
constexpr std::string_view kOther = "/data/dev.databases/100123.duckdb";
constexpr std::string_view kBackup = "/safe/dev.leatbackup";

std::string noise(std::size_t bytes, std::uint64_t seed) {
  SeededRandom random(seed);
  std::string out;
  while (out.size() < bytes) out += static_cast<char>(random.next());
  return out;
}

/// A folder with a database file and its log, and one for backups.
struct World {
  explicit World(std::size_t database_bytes = 40'000, std::size_t log_bytes = 5000,
                 bool other_too = false)
      : database(noise(database_bytes, 1)), log(noise(log_bytes, 2)), with_other(other_too) {
    for (const char* folder : {"/data", "/data/dev.databases", "/safe"})
      EXPECT_TRUE(files.make_directories(folder));
    write(kDatabase, database);
    if (log_bytes > 0) write(kLog, log);
    if (other_too) write(kOther, other);
    if (other_too && log_bytes > 0) write(std::string(kOther) + ".wal", other_log);
  }

  void write(std::string_view path, std::string_view bytes) {
    const auto file = files.open(std::string(path), {.write = true, .create = true});
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->pwrite(bytes, 0));
    ASSERT_TRUE((*file)->sync());
    ASSERT_TRUE(files.sync_directory(io::parent_directory(path)));
  }

  [[nodiscard]] BackupOptions options() {
    return {
        .files = &files,
        .database_file = std::string(kDatabase),
        .other_files = with_other ? std::vector{std::string(kOther)} : std::vector<std::string>(),
        .backup_file = std::string(kBackup),
        .contents = {.database = "dev",
                     .made = TimeUs{1'795'000'000'000'000},
                     .leat_version = "0.1.0",
                     .engine_version = "1.5.6",
                     .key_id = "0123456789abcdef"},
        .chunk_bytes = 4096};
  }

  io::FaultyFileSystem files;
  std::string database;
  std::string log;
  bool with_other;
  std::string other = noise(9000, 3);
  std::string other_log = noise(700, 4);
};

std::string code_of(const auto& result) {
  return result ? "ok" : std::string(errc_name(result.error().code));
}

TEST(Backup, WhatIsUnpackedIsWhatWasThere) {
  for (const std::size_t log_bytes : {0UZ, 1UZ, 5000UZ, 8192UZ}) {
    World world(40'000, log_bytes);
    std::uint64_t told = 0;
    BackupOptions options = world.options();
    options.progress = [&](std::uint64_t done, std::uint64_t total) {
      EXPECT_GT(done, told);
      EXPECT_LE(done, total);
      told = done;
    };
    const auto made = write_backup(options);
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(told, 40'000 + log_bytes);
    EXPECT_EQ(made->log_bytes, log_bytes);

    const auto checked = check_backup(world.files, std::string(kBackup));
    ASSERT_TRUE(checked) << checked.error().message;
    EXPECT_EQ(checked->database, "dev");
    EXPECT_EQ(checked->leat_version, "0.1.0");
    EXPECT_EQ(checked->engine_version, "1.5.6");
    EXPECT_EQ(checked->made, options.contents.made);

    ASSERT_TRUE(unpack_backup(world.files, std::string(kBackup), "/new/unpacked"));
    EXPECT_EQ(world.files.content("/new/unpacked/dev.duckdb"), world.database);
    EXPECT_EQ(world.files.content("/new/unpacked/dev.duckdb.wal").value_or(""), world.log);
  }
}

TEST(Backup, SaysTheKeyOfEncryptedFiles) {
  for (const bool others : {false, true}) {
    World world(40'000, 5000, others);
    for (const bool encrypted : {false, true}) {
      world.database.replace(8, 4, "DUCK");
      world.database[20] = static_cast<char>(encrypted ? 1 : 0);
      world.files.set_content(std::string(kDatabase), world.database);
      const auto made = write_backup(world.options());
      ASSERT_TRUE(made) << made.error().message;
      const auto checked = check_backup(world.files, std::string(kBackup));
      ASSERT_TRUE(checked) << checked.error().message;
      EXPECT_EQ(checked->encrypted, encrypted);
      EXPECT_EQ(checked->key_id, encrypted ? "0123456789abcdef" : "");
      EXPECT_EQ(checked->others.size(), others ? 1U : 0U);
      EXPECT_EQ((*world.files.content(std::string(kBackup)))[8], encrypted ? 3 : others ? 2 : 1);
      ASSERT_TRUE(unpack_backup(world.files, std::string(kBackup), "/new/unpacked"));
      EXPECT_EQ(world.files.content("/new/unpacked/dev.duckdb"), world.database);
      ASSERT_TRUE(world.files.remove(std::string(kBackup)));
    }
  }
}

TEST(Backup, HoldsOtherDatabases) {
  for (const std::size_t log_bytes : {0UZ, 5000UZ}) {
    World world(40'000, log_bytes, true);
    const auto made = write_backup(world.options());
    ASSERT_TRUE(made) << made.error().message;
    const auto checked = check_backup(world.files, std::string(kBackup));
    ASSERT_TRUE(checked) << checked.error().message;
    EXPECT_EQ(checked->others, std::vector<std::string>{"100123.duckdb"});
    EXPECT_EQ(checked->other_bytes, 9000 + (log_bytes > 0 ? 700U : 0U));
    ASSERT_TRUE(unpack_backup(world.files, std::string(kBackup), "/new/unpacked"));
    EXPECT_EQ(world.files.content("/new/unpacked/dev.duckdb"), world.database);
    EXPECT_EQ(world.files.content("/new/unpacked/dev.duckdb.wal").value_or(""), world.log);
    EXPECT_EQ(world.files.content("/new/unpacked/dev.duckdb.100123.duckdb"), world.other);
    EXPECT_EQ(world.files.content("/new/unpacked/dev.duckdb.100123.duckdb.wal").value_or(""),
              log_bytes > 0 ? world.other_log : "");
  }
}

TEST(Backup, AFileThatExistsIsNotReplaced) {
  World world;
  world.write(kBackup, "precious");
  EXPECT_EQ(code_of(write_backup(world.options())), "conflict");
  EXPECT_EQ(world.files.content(std::string(kBackup)), "precious");
}

TEST(Backup, WithoutADatabaseThereIsNone) {
  World world;
  BackupOptions options = world.options();
  options.database_file = "/data/other.duckdb";
  EXPECT_EQ(code_of(write_backup(options)), "not found");
  EXPECT_FALSE(world.files.content(std::string(kBackup)));
  EXPECT_FALSE(world.files.content(std::string(kBackup) + ".new"));
}

// A checkpoint in the middle: blocks of the old state may have been written over.
TEST(Backup, BeginsAnewWhenTheLogWasMovedMeanwhile) {
  World world;
  BackupOptions options = world.options();
  int checkpoints = 0;
  int pauses = 0;
  options.progress = [&](std::uint64_t done, std::uint64_t) {
    if (done < 20'000 || checkpoints >= 3 || checkpoints > pauses) return;
    ++checkpoints;
    world.database = noise(40'000, 100 + static_cast<std::uint64_t>(checkpoints));
    world.log = noise(700, 200 + static_cast<std::uint64_t>(checkpoints));
    world.files.set_content(std::string(kDatabase), world.database);
    world.files.set_content(std::string(kLog), world.log);
  };
  options.pause = [&] { ++pauses; };
  const auto made = write_backup(options);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(checkpoints, 3);
  EXPECT_EQ(pauses, 3);
  ASSERT_TRUE(unpack_backup(world.files, std::string(kBackup), "/new"));
  EXPECT_EQ(world.files.content("/new/dev.duckdb"), world.database);
  EXPECT_EQ(world.files.content("/new/dev.duckdb.wal"), world.log);
}

TEST(Backup, GivesUpWhenTheLogIsMovedAgainAndAgain) {
  World world;
  world.write(std::string(kLog) + ".checkpoint", "x");
  EXPECT_EQ(code_of(write_backup(world.options())), "aborted");
  EXPECT_FALSE(world.files.content(std::string(kBackup)));
}

TEST(Backup, EveryBitOfItCounts) {
  World world(30'000, 900, true);
  ASSERT_TRUE(write_backup(world.options()));
  const std::string path(kBackup);
  const std::string whole = *world.files.content(path);
  for (std::size_t at = 0; at < whole.size(); at += at < 600 ? 7 : 501) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
    world.files.set_content(path, bytes);
    EXPECT_FALSE(check_backup(world.files, path)) << at;
  }
  for (std::size_t size = 0; size < whole.size(); size += 400) {
    world.files.set_content(path, whole.substr(0, size));
    EXPECT_EQ(code_of(check_backup(world.files, path)), size < 8 ? "invalid" : "corrupt") << size;
  }
  world.files.set_content(path, whole + "x");
  EXPECT_EQ(code_of(check_backup(world.files, path)), "corrupt");
}

// Whatever fails, and however the machine ends then: there is a whole backup or none, what is there
// already is untouched, and the next attempt makes one.
TEST(Backup, EveryOperationMayFail) {
  for (std::uint64_t n = 1;; ++n) {
    for (const bool power_cut : {false, true}) {
      World world(30'000, 900, true);
      world.files.fail_at(n, power_cut);
      const auto made = write_backup(world.options());
      const bool beyond = world.files.operations() < n;
      SeededRandom random(n);
      if (power_cut) {
        world.files.restart_machine(random, 50);
      } else {
        world.files.restart_process();
      }
      world.files.clear_faults();
      if (world.files.content(std::string(kBackup))) {
        EXPECT_TRUE(check_backup(world.files, std::string(kBackup))) << n;
        EXPECT_EQ(world.files.content(std::string(kDatabase)), world.database);
        ASSERT_TRUE(world.files.remove(std::string(kBackup)));
      } else {
        EXPECT_FALSE(made) << n;
      }
      ASSERT_TRUE(write_backup(world.options())) << n;
      if (beyond && power_cut) return;
    }
  }
}

TEST(Restore, EveryOperationMayFail) {
  for (std::uint64_t n = 1;; ++n) {
    World world(30'000, 0, true);
    ASSERT_TRUE(write_backup(world.options()));
    const auto restore = [&]() -> Status {
      LEAT_ASSIGN(const Contents contents,
                  unpack_backup(world.files, std::string(kBackup), "/new/restoring"));
      return install_databases(world.files, "/new/restoring", contents, "/new/warehouse");
    };
    const std::string other = "/new/warehouse/dev.databases/100123.duckdb";
    world.files.fail_at(n, true);
    const Status done = restore();
    const bool beyond = world.files.operations() < n;
    SeededRandom random(n);
    world.files.restart_machine(random, 50);
    world.files.clear_faults();
    const auto content = world.files.content("/new/warehouse/dev.duckdb");
    if (content) {
      EXPECT_EQ(*content, world.database) << n;
      EXPECT_EQ(world.files.content(other), world.other) << n;
      EXPECT_EQ(code_of(restore()), "conflict");
    } else {
      EXPECT_FALSE(done) << n;
      const Status again = restore();
      ASSERT_TRUE(again) << n << again.error().message;
      EXPECT_EQ(world.files.content("/new/warehouse/dev.duckdb"), world.database);
      EXPECT_EQ(world.files.content(other), world.other);
    }
    if (beyond) return;
  }
}

TEST(Restore, NothingThatIsThereIsTouched) {
  World world;
  ASSERT_TRUE(write_backup(world.options()));
  ASSERT_TRUE(world.files.make_directories("/new"));
  world.write("/new/notes.txt", "mine");
  EXPECT_EQ(code_of(unpack_backup(world.files, std::string(kBackup), "/new")), "conflict");
  const auto contents = unpack_backup(world.files, std::string(kBackup), "/restoring");
  ASSERT_TRUE(contents);
  // Its log must have been played into the file before.
  EXPECT_EQ(code_of(install_databases(world.files, "/restoring", *contents, "/data")), "bug");
  world.files.set_content("/restoring/dev.duckdb.wal", "");
  EXPECT_EQ(code_of(install_databases(world.files, "/restoring", *contents, "/data")), "conflict");
  EXPECT_EQ(world.files.content(std::string(kDatabase)), world.database);
}

TEST(Backup, TheFileOfTheFirstVersionIsStillRead) {
  std::ifstream in(std::string(LEAT_TESTDATA) + "/backup-v1.bin", std::ios::binary);
  const std::string golden{std::istreambuf_iterator<char>(in), {}};
  World world(600, 40);
  ASSERT_TRUE(write_backup(world.options()));
  EXPECT_EQ(world.files.content(std::string(kBackup)), golden);
}

}  // namespace
}  // namespace leat::backup
