#include "warehouse/backup/exchange.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "io/faulty_file_system.h"

namespace leat::backup {
namespace {

const std::vector<std::string> kNames{"dev.duckdb", "dev.databases/100123.duckdb"};

/// A warehouse of two databases, and new files for both.
struct Replaced {
  Replaced() {
    for (const char* folder : {"/data/dev.databases", "/data.new/dev.databases"})
      EXPECT_TRUE(files.make_directories(folder));
    for (const std::string& name : kNames) {
      write("/data/" + name, "old " + name);
      write("/data.new/" + name, "new " + name);
    }
    write("/data/dev.duckdb.wal", "");
  }

  void write(const std::string& path, std::string_view bytes) {
    const auto file = files.open(path, {.write = true, .create = true});
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->pwrite(bytes, 0));
    ASSERT_TRUE((*file)->sync());
    ASSERT_TRUE(files.sync_directory(io::parent_directory(path)));
  }

  Status exchange() {
    LEAT_TRY(begin_exchange(files, "/data", kNames));
    return finish_exchange(files, "/data");
  }

  /// "old", "new" or "mixed".
  [[nodiscard]] std::string state() const {
    std::string seen;
    for (const std::string& name : kNames) {
      const auto content = files.content("/data/" + name);
      if (!content) return "gone";
      const std::string one = content->substr(0, 3);
      EXPECT_EQ(*content, one + " " + name);
      if (!seen.empty() && seen != one) return "mixed";
      seen = one;
    }
    return seen;
  }

  io::FaultyFileSystem files;
};

TEST(Exchange, PutsAllNewFilesInPlace) {
  Replaced world;
  ASSERT_TRUE(finish_exchange(world.files, "/data"));
  EXPECT_EQ(world.state(), "old");
  ASSERT_TRUE(world.exchange());
  EXPECT_EQ(world.state(), "new");
  EXPECT_FALSE(world.files.content("/data/dev.duckdb.wal"));
  EXPECT_FALSE(world.files.content("/data.new/exchange"));
  ASSERT_TRUE(finish_exchange(world.files, "/data"));
  EXPECT_EQ(world.state(), "new");
}

TEST(Exchange, RemovesWhatTheOldFileHadSpilled) {
  Replaced world;
  ASSERT_TRUE(world.files.make_directories("/data/dev.duckdb.tmp"));
  world.write("/data/dev.duckdb.tmp/block", "plain");
  ASSERT_TRUE(world.exchange());
  EXPECT_FALSE(world.files.content("/data/dev.duckdb.tmp/block"));
}

TEST(Exchange, RefusesAFileWhoseLogHoldsSomething) {
  Replaced world;
  world.write("/data/dev.duckdb.wal", "committed");
  const Status begun = begin_exchange(world.files, "/data", kNames);
  ASSERT_FALSE(begun);
  EXPECT_EQ(begun.error().code, Errc::kConflict);
  ASSERT_TRUE(finish_exchange(world.files, "/data"));
  EXPECT_EQ(world.state(), "old");
}

TEST(Exchange, RefusesADamagedMark) {
  Replaced world;
  ASSERT_TRUE(begin_exchange(world.files, "/data", kNames));
  const std::string whole = world.files.content("/data.new/exchange").value_or("");
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string other = whole;
    other[i] = static_cast<char>(other[i] ^ 1);
    for (const std::string& text : {whole.substr(0, i), other}) {
      world.files.set_content("/data.new/exchange", text);
      EXPECT_FALSE(finish_exchange(world.files, "/data")) << i;
      EXPECT_EQ(world.state(), "old") << i;
    }
  }
  world.files.set_content("/data.new/exchange", whole);
  ASSERT_TRUE(finish_exchange(world.files, "/data"));
  EXPECT_EQ(world.state(), "new");
}

// Whatever fails, and however the machine ends then: whoever comes next finds all old or all new
// files, and new ones when the exchange said that it was done.
TEST(Exchange, EveryOperationMayFail) {
  for (std::uint64_t n = 1;; ++n) {
    for (const bool power_cut : {false, true}) {
      Replaced world;
      world.files.fail_at(n, power_cut);
      const Status done = world.exchange();
      const bool beyond = world.files.operations() < n;
      SeededRandom random(n);
      if (power_cut) {
        world.files.restart_machine(random, 50);
      } else {
        world.files.restart_process();
      }
      world.files.clear_faults();
      ASSERT_TRUE(finish_exchange(world.files, "/data")) << n;
      EXPECT_EQ(world.state(), done ? "new" : world.state()) << n;
      EXPECT_TRUE(world.state() == "old" || world.state() == "new") << n << world.state();
      // An attempt from the start works too.
      ASSERT_TRUE(prepare_exchange(world.files, "/data")) << n;
      for (const std::string& name : kNames) {
        ASSERT_TRUE(world.files.make_directories(io::parent_directory("/data.new/" + name)));
        world.write("/data.new/" + name, "new " + name);
      }
      ASSERT_TRUE(world.exchange()) << n;
      EXPECT_EQ(world.state(), "new") << "operation " << n;
      if (beyond && power_cut) return;
    }
  }
}

}  // namespace
}  // namespace leat::backup
