#include "pipeline/load/sync_history.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/faulty_file_system.h"
#include "pipeline/load/sync_memory.h"

namespace leat::load {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr TimeUs kStart{1'790'000'000'123'456};

SyncHistoryEntry entry_of(int number, const std::string& source = "web",
                          const std::string& error = "") {
  SyncHistoryEntry out;
  out.report.sync_id = fmt::format("s{}", number);
  out.report.source = source;
  out.report.started_at = TimeUs{kStart.value + number * kUsPerMinute};
  out.report.finished_at = TimeUs{out.report.started_at.value + kUsPerSecond};
  out.report.batches = error.empty() ? 1 : 0;
  out.error = error;
  out.outcome = error.empty() ? SyncOutcome::kSuccess : SyncOutcome::kFailure;
  out.error_kind = error.empty() ? "" : "unreachable";
  return out;
}

std::vector<std::string> ids_of(const std::vector<SyncHistoryEntry>& entries) {
  std::vector<std::string> out;
  for (const SyncHistoryEntry& entry : entries) {
    out.push_back(entry.times == 1 ? entry.report.sync_id
                                   : fmt::format("{}x{}", entry.report.sync_id, entry.times));
  }
  return out;
}

class SyncHistoryTest : public testing::Test {
 protected:
  std::unique_ptr<SyncHistory> open(std::uint64_t bytes_max = 1U << 20U) {
    auto out =
        SyncHistory::open({.files = &files_, .directory = "/data/syncs", .bytes_max = bytes_max});
    EXPECT_TRUE(out.has_value()) << out.error().message;
    return out ? std::move(*out) : nullptr;
  }
  static std::vector<std::string> all_of(const SyncHistory& history, std::string_view source = "") {
    const auto read = history.read(source, 100'000);
    EXPECT_TRUE(read.has_value()) << read.error().message;
    return read ? ids_of(*read) : std::vector<std::string>{};
  }
  io::FaultyFileSystem files_;
};

TEST_F(SyncHistoryTest, AnEntryReadsBackAsItWas) {
  SyncHistoryEntry entry = entry_of(1, "we\"b", "away;\nstart it");
  entry.report.batches = 3;
  entry.report.transactions = 2;
  entry.report.events = {
      .received = 9, .loaded = 4, .deduplicated = 3, .rescued = 1, .excluded = 1};
  entry.report.values_rescued = 7;
  entry.report.staged_bytes = 12'345;
  entry.report.phases = {.find_us = 1, .shape_us = 2'000'001, .stage_us = 3, .load_us = 4};
  entry.report.freshness = {
      .rows = 7,
      .arrival = {.p50_us = 1'500'000, .p99_us = 2'000'000, .max_us = 3'000},
      // The oldest says that it happened in 1970.
      .event = {.p50_us = 4'500'000, .p99_us = 5'000'000, .max_us = 1'795'000'000'000'000}};
  entry.report.refused_events = 1;
  entry.report.table_rows = {{"tracks", 5}, {"a", 4}};
  entry.report.tables_created = {"a"};
  entry.report.columns_added = {"tracks.x"};
  entry.outcome = SyncOutcome::kPartial;
  entry.times = 4;
  entry.first_sync_id = "s0";
  entry.first_started_at = kStart;
  const std::string json = to_json(entry);
  EXPECT_EQ(json.find('\n'), std::string::npos);
  const auto back = sync_history_entry(json);
  ASSERT_TRUE(back.has_value()) << back.error().message;
  EXPECT_EQ(to_json(*back), json);
  EXPECT_EQ(back->report.phases.shape_us, 2'000'001);
  EXPECT_EQ(back->report.started_at, entry.report.started_at);
  EXPECT_EQ(back->outcome, SyncOutcome::kPartial);
  for (const char* bad : {"", "[]", "{}", R"({"report":1})", R"({"report":{},"outcome":"odd"})"}) {
    EXPECT_FALSE(sync_history_entry(bad).has_value()) << bad;
  }
}

TEST_F(SyncHistoryTest, SurvivesARestart) {
  auto history = open();
  for (int i = 0; i < 300; ++i) history->add(entry_of(i, i % 2 == 0 ? "web" : "app"));
  EXPECT_EQ(history->latest(1000).size(), SyncHistory::kInMemory);
  history.reset();
  files_.restart_process();
  history = open();
  EXPECT_THAT(ids_of(history->latest(2)), ElementsAre("s299", "s298"));
  EXPECT_EQ(all_of(*history).size(), 300U);
  const auto some = history->read("app", 120);
  ASSERT_TRUE(some.has_value());
  EXPECT_EQ(some->size(), 120U);
  EXPECT_EQ(some->front().report.sync_id, "s299");
  EXPECT_EQ(some->back().report.sync_id, "s61");
}

TEST_F(SyncHistoryTest, FailuresInARowAreOneEntryAndFewLines) {
  auto history = open();
  history->add(entry_of(0));
  for (int i = 1; i <= 100; ++i) {
    history->add(entry_of(2 * i, "web", "away"));
    history->add(entry_of(2 * i + 1, "app", "denied"));
  }
  EXPECT_THAT(ids_of(history->latest(10)), ElementsAre("s201x100", "s200x100", "s0"));
  EXPECT_EQ(history->latest(10)[1].first_started_at, entry_of(2).report.started_at);
  const std::string text = files_.content("/data/syncs/history.ndjson").value_or("");
  EXPECT_LE(std::ranges::count(text, '\n'), 1 + 2 * 7);
  history->add(entry_of(500));
  history->add(entry_of(501, "web", "away"));
  history.reset();
  history = open();
  EXPECT_THAT(all_of(*history), ElementsAre("s501", "s500", "s201x100", "s200x100", "s0"));
}

TEST_F(SyncHistoryTest, ACountThatStillGrowsIsWrittenAtTheEnd) {
  auto history = open();
  for (int i = 1; i <= 5; ++i) history->add(entry_of(i, "web", "away"));
  EXPECT_TRUE(history->flush().has_value());
  EXPECT_TRUE(history->flush().has_value());
  history.reset();
  EXPECT_THAT(all_of(*open()), ElementsAre("s5x5"));
}

TEST_F(SyncHistoryTest, IsBoundedAndKeepsTheNewest) {
  constexpr std::uint64_t kBytes = 20'000;
  auto history = open(kBytes);
  for (int i = 0; i < 1000; ++i) history->add(entry_of(i));
  std::size_t bytes = 0;
  for (const std::string& path : files_.paths()) bytes += files_.content(path).value_or("").size();
  EXPECT_LE(bytes, kBytes);
  EXPECT_GE(bytes, kBytes / 2);
  history.reset();
  history = open(kBytes);
  EXPECT_EQ(history->latest(1)[0].report.sync_id, "s999");
  EXPECT_GE(all_of(*history).size(), 10U);
}

TEST_F(SyncHistoryTest, AnyOperationMayFailAndNothingIsLostForGood) {
  for (std::uint64_t n = 1;; ++n) {
    io::FaultyFileSystem files;
    auto opened = SyncHistory::open({.files = &files, .directory = "/d", .bytes_max = 4000});
    ASSERT_TRUE(opened.has_value());
    files.fail_at(n);
    for (int i = 0; i < 8; ++i) (*opened)->add(entry_of(i));
    const bool was_reached = files.operations() >= n;
    files.clear_faults();
    (*opened)->add(entry_of(8));
    EXPECT_EQ((*opened)->latest(100).size(), 9U) << "operation " << n;
    opened->reset();
    opened = SyncHistory::open({.files = &files, .directory = "/d", .bytes_max = 4000});
    ASSERT_TRUE(opened.has_value());
    const auto ids = all_of(**opened);
    ASSERT_FALSE(ids.empty());
    EXPECT_EQ(ids.front(), "s8");
    for (std::size_t i = 0; i + 1 < ids.size(); ++i) EXPECT_GT(ids[i], ids[i + 1]) << n;
    EXPECT_GE(ids.size(), 3U) << "operation " << n;
    if (!was_reached) break;
  }
}

TEST_F(SyncHistoryTest, ATornLineIsNotReadAndSpoilsNoOther) {
  auto history = open();
  for (int i = 0; i < 3; ++i) history->add(entry_of(i));
  history.reset();
  const std::string path = "/data/syncs/history.ndjson";
  std::string text = files_.content(path).value_or("");
  text.resize(text.size() - 20);
  files_.set_content(path, text + "garbage");
  history = open();
  history->add(entry_of(3));
  EXPECT_THAT(all_of(*history), ElementsAre("s3", "s1", "s0"));
}

TEST_F(SyncHistoryTest, WithoutFilesItIsInMemory) {
  const auto history = SyncHistory::open({});
  ASSERT_TRUE(history.has_value());
  (*history)->add(entry_of(1));
  EXPECT_THAT(all_of(**history), ElementsAre("s1"));
  EXPECT_THAT(all_of(**history, "app"), IsEmpty());
}

TEST(SyncMemoryTest, IsKeptWholeOrAsItWas) {
  const SyncMemory before{.paused_since = {{"web", kStart}}, .last_starts = {}};
  const SyncMemory after{.paused_since = {{"we\"b", kStart}}, .last_starts = {{"app", kStart}}};
  bool was_reached = true;
  for (std::uint64_t n = 1; was_reached; ++n) {
    io::FaultyFileSystem files;
    EXPECT_EQ(*read_sync_memory(files, "/d/syncs/memory.json"), SyncMemory{});
    ASSERT_TRUE(write_sync_memory(files, "/d/syncs/memory.json", before).has_value());
    files.fail_at(n);
    const Status written = write_sync_memory(files, "/d/syncs/memory.json", after);
    was_reached = files.operations() >= n;
    files.clear_faults();
    const auto read = read_sync_memory(files, "/d/syncs/memory.json");
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_TRUE(*read == after || (!written && *read == before)) << n;
  }
}

TEST(SyncMemoryTest, RefusesWhatItDidNotWrite) {
  for (const char* bad : {"", "[]", R"({"paused_since":[]})", R"({"last_starts":{"web":1}})",
                          R"({"paused_since":{"web":"noon"}})"}) {
    EXPECT_EQ(sync_memory(bad).error().code, Errc::kCorrupt) << bad;
  }
  EXPECT_EQ(*sync_memory("{}"), SyncMemory{});
}

}  // namespace
}  // namespace leat::load
