// What a deletion asks of the journal: released segments are written over, nothing else is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/journal/journal.h"
#include "pipeline/journal/journal_test_support.h"

namespace leat::journal {
namespace {

// The files that hold `text`.
std::vector<std::string> files_with(const JournalHarness& harness, std::string_view text) {
  std::vector<std::string> out;
  for (const std::string& path : harness.files.paths()) {
    if (harness.files.content(path).value_or("").contains(text)) out.push_back(path);
  }
  return out;
}

TEST(JournalErase, ErasesWhatIsReleased) {
  JournalHarness harness;
  ASSERT_TRUE(harness.open().has_value());
  ASSERT_TRUE(harness.fill(60));
  // Records of every segment are there still, and the newest one would stay.
  harness.journal->release(0, Offset{60});
  harness.journal->run_once();
  EXPECT_FALSE(files_with(harness, "\"n\":").empty());
  ASSERT_TRUE(harness.journal->begin_segments(1'000'000).has_value());
  ASSERT_TRUE(harness.append(100).has_value());
  harness.journal->run_once();
  const auto erased = harness.journal->erase_released();
  ASSERT_TRUE(erased.has_value()) << erased.error().to_string();
  EXPECT_GE(*erased, 64u << 10);
  EXPECT_EQ(files_with(harness, "\"n\":").size(), 1u) << "only the record that is not released";
  EXPECT_EQ(files_with(harness, "\"n\":61").size(), 1u);
  EXPECT_EQ(harness.journal->erase_released().value_or(1), 0u) << "nothing is left to erase";
  harness.verify(0, 61);
  // A fresh segment is not left for another one.
  ASSERT_TRUE(harness.journal->begin_segments(1'000'000).has_value());
  const std::uint64_t bytes = harness.journal->status(0).disk_bytes;
  ASSERT_TRUE(harness.journal->begin_segments(1'000'000).has_value());
  EXPECT_EQ(harness.journal->status(0).disk_bytes, bytes);
}

// A journal may be opened with fewer shards than it had: a person's events are in those as well.
TEST(JournalErase, ErasesShardsThatNobodyWritesTo) {
  JournalHarness harness;
  harness.shard_count = 3;
  ASSERT_TRUE(harness.open().has_value());
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(harness.append(100, 2).has_value());
  ASSERT_TRUE(harness.journal->close().has_value());
  harness.drop();
  harness.shard_count = 1;
  ASSERT_TRUE(harness.open().has_value());
  ASSERT_TRUE(harness.journal->begin_segments(1'000'000).has_value());
  ASSERT_TRUE(harness.journal->erase_released().has_value());
  EXPECT_EQ(harness.verify(2), 4u) << "nothing of it is released yet";
  harness.journal->release(2, Offset{4});
  EXPECT_FALSE(files_with(harness, "\"n\":").empty());
  EXPECT_EQ(harness.journal->erase_released().value_or(0), 64u << 10);
  EXPECT_TRUE(files_with(harness, "\"n\":").empty());
  const std::uint64_t bytes = harness.journal->status(2).disk_bytes;
  ASSERT_TRUE(harness.journal->begin_segments(1'000'000).has_value());
  EXPECT_EQ(harness.journal->status(2).disk_bytes, bytes) << "an empty one is not left";
  ASSERT_TRUE(harness.journal->close().has_value());
  harness.drop();
  harness.shard_count = 3;
  ASSERT_TRUE(harness.open().has_value());
  EXPECT_EQ(harness.append(100, 2)->value, 5u) << "a shard goes on where it stopped";
}

// Whatever fails while files are erased, and wherever the process or the machine dies: no record
// that is still needed is lost, and the next try erases the rest. True when nothing failed.
bool erase_failing_at(std::uint64_t operation, std::size_t shard, bool is_machine) {
  JournalHarness harness(operation);
  harness.shard_count = shard + 1;
  EXPECT_TRUE(harness.open().has_value());
  for (int record = 0; record < 40; ++record) {
    EXPECT_TRUE(harness.append(3000, shard).has_value());
    harness.journal->run_once();
  }
  harness.acknowledge(shard);
  EXPECT_TRUE(harness.journal->close().has_value());
  harness.drop();
  harness.shard_count = 1;  // nobody writes to the second shard any more
  EXPECT_TRUE(harness.open().has_value());
  harness.journal->release(shard, Offset{39});
  harness.files.fail_at(operation);
  const Status begun = harness.journal->begin_segments(1'000'000);
  const auto erased = harness.journal->erase_released();
  const bool has_failed = !begun || !erased;
  harness.drop();
  harness.files.clear_faults();
  is_machine ? harness.files.restart_machine(harness.random, 50) : harness.files.restart_process();
  EXPECT_TRUE(harness.open().has_value()) << "operation " << operation;
  harness.verify(shard, harness.journal->status(shard).oldest.value);
  harness.journal->release(shard, Offset{40});
  EXPECT_TRUE(harness.journal->begin_segments(1'000'000).has_value());
  EXPECT_TRUE(harness.journal->erase_released().has_value()) << "operation " << operation;
  EXPECT_TRUE(files_with(harness, "\"n\":").empty()) << "operation " << operation;
  return !has_failed;
}

TEST(JournalErase, ErasingMayFailAtEveryOperation) {
  for (const std::size_t shard : {0U, 1U}) {
    bool is_done = false;
    for (std::uint64_t operation = 1; !is_done && !HasFailure(); ++operation) {
      for (const bool is_machine : {false, true}) {
        is_done = erase_failing_at(operation, shard, is_machine) && operation > 1;
      }
    }
  }
}

}  // namespace
}  // namespace leat::journal
