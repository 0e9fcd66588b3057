// Crashes the journal at every file operation, in every way, and holds it to its promises: what it
// called durable is there, unchanged, in order, and it goes on working.
#include <gtest/gtest.h>

#include <algorithm>

#include "pipeline/journal/format.h"
#include "pipeline/journal/inspect.h"
#include "pipeline/journal/journal_test_support.h"

namespace leat::journal {
namespace {

// Other seeds in every run; a failure says how to repeat it.
int run_seed() {
  static const int kSeed = GTEST_FLAG_GET(random_seed) != 0
                               ? GTEST_FLAG_GET(random_seed)
                               : static_cast<int>(secure_random().next() % 99'999 + 1);
  return kSeed;
}

std::uint64_t first_seed() {
  return static_cast<std::uint64_t>(run_seed()) * 1'000'003 + 1;
}

std::string how_to_repeat() {
  return "repeat with --gtest_random_seed=" + std::to_string(run_seed());
}

// A run of a shard that touches everything: rolls, releases, reuse, clean stops.
void work(JournalHarness& harness, SeededRandom& random, std::uint64_t steps) {
  for (std::uint64_t i = 0; i < steps; ++i) {
    switch (random.below(8)) {
      case 0:
        harness.journal->release(0, Offset{harness.journal->durable(0).value});
        break;
      case 1:
        harness.journal->run_once();
        break;
      default:
        // Refusals are fine; promises are what counts.
        static_cast<void>(harness.append(random.below(9000)));
        break;
    }
    if (random.below(2) == 0) {
      harness.journal->run_once();
    }
    harness.acknowledge();
  }
}

void verify_held(JournalHarness& harness) {
  const ShardStatus status = harness.journal->status(0);
  harness.verify(0, status.oldest.value);
}

// Every single operation fails once; the journal must shrug it off without a restart, or after one.
TEST(JournalCrash, FailsAtEveryOperationOnce) {
  std::uint64_t n = 1;
  for (bool beyond = false; !beyond; ++n) {
    JournalHarness harness(n);
    SeededRandom random(17);
    harness.files.fail_at(n);
    const bool opened = harness.open().has_value();
    if (opened) {
      work(harness, random, 60);
    }
    beyond = harness.files.operations() < n;
    harness.files.clear_faults();
    if (opened) {
      harness.journal->run_once();
      harness.journal->run_once();
      EXPECT_TRUE(harness.journal->shard(0).health().has_value()) << "operation " << n;
      harness.acknowledge();
      verify_held(harness);
      if (n % 2 == 0) {
        EXPECT_TRUE(harness.journal->close().has_value());
      }
    }
    harness.drop();
    harness.files.restart_machine(random, n % 3 == 0 ? 0 : 50);
    const Status again = harness.open();
    ASSERT_TRUE(again.has_value()) << "operation " << n << ": " << again.error().to_string();
    verify_held(harness);
    ASSERT_FALSE(testing::Test::HasFailure()) << "operation " << n;
  }
  EXPECT_GT(n, 100u);
}

// The process dies, or the power goes, at every single operation.
TEST(JournalCrash, DiesAtEveryOperation) {
  for (const bool power_cut : {false, true}) {
    for (const bool direct : {true, false}) {
      std::uint64_t n = 1;
      for (bool beyond = false; !beyond; ++n) {
        JournalHarness harness(n);
        SeededRandom random(23);
        harness.files.set_direct(direct);
        harness.files.fail_at(n, true);
        if (harness.open().has_value()) {
          work(harness, random, 60);
        }
        beyond = harness.files.operations() < n;
        harness.drop();
        if (power_cut) {
          harness.files.restart_machine(random, static_cast<unsigned>(n % 5) * 25);
        } else {
          harness.files.restart_process();
        }
        const Status again = harness.open();
        ASSERT_TRUE(again.has_value()) << "operation " << n << ": " << again.error().to_string();
        verify_held(harness);
        // And it works on, across one more power cut.
        harness.journal->run_once();
        ASSERT_TRUE(harness.append(100).has_value()) << "operation " << n;
        harness.journal->run_once();
        harness.acknowledge();
        harness.drop();
        harness.files.restart_machine(random, 0);
        ASSERT_TRUE(harness.open().has_value());
        verify_held(harness);
        ASSERT_FALSE(testing::Test::HasFailure()) << "operation " << n;
      }
      EXPECT_GT(n, 100u);
    }
  }
}

// Long lives with many crashes of every kind, transient faults and a filling disk.
TEST(JournalCrash, SurvivesManyCrashesInARow) {
  constexpr std::uint64_t kLives = 150;
  SCOPED_TRACE(how_to_repeat());
  for (std::uint64_t seed = first_seed(); seed < first_seed() + kLives; ++seed) {
    JournalHarness harness(seed);
    SeededRandom random(seed * 7919);
    harness.files.set_direct(seed % 4 != 0);
    for (int crash = 0; crash < 12; ++crash) {
      if (random.below(4) == 0) {
        harness.files.set_space(random.below(6) * 50'000);
      }
      harness.files.fail_at(1 + random.below(250), random.below(3) != 0);
      const Status opened = harness.open();
      if (opened) {
        work(harness, random, random.below(40));
        if (random.below(4) == 0 && harness.journal->close()) {
          harness.acknowledge();
        }
      }
      harness.drop();
      harness.files.set_space(std::nullopt);
      if (random.below(2) == 0) {
        harness.files.restart_process();
      } else {
        harness.files.restart_machine(random, static_cast<unsigned>(random.below(101)));
      }
      const Status again = harness.open();
      ASSERT_TRUE(again.has_value())
          << "seed " << seed << " crash " << crash << ": " << again.error().to_string();
      verify_held(harness);
      ASSERT_FALSE(testing::Test::HasFailure()) << "seed " << seed << " crash " << crash;
      harness.acknowledge();
      harness.drop();
      harness.files.restart_process();
    }
  }
}

// A file is full of what it held before. However a commit is torn over old records of the very same
// shape, the old ones are never taken for new ones.
TEST(JournalCrash, StaleRecordsAreNeverMistakenForNewOnes) {
  constexpr std::uint64_t kRounds = 400;
  SCOPED_TRACE(how_to_repeat());
  for (std::uint64_t seed = first_seed(); seed < first_seed() + kRounds; ++seed) {
    JournalHarness harness(seed);
    SeededRandom random(seed);
    ASSERT_TRUE(harness.open().has_value());
    // Two generations of equal sizes in the same place.
    for (int i = 0; i < 40; ++i) {
      ASSERT_TRUE(harness.append(3000).has_value());
      if (i % 4 == 3) {
        harness.journal->run_once();
        harness.acknowledge();
        harness.journal->release(0, harness.journal->durable(0));
      }
    }
    for (int attempt = 0; attempt < 3; ++attempt) {
      for (int i = 0; i < 4; ++i) {
        ASSERT_TRUE(harness.append(3000).has_value());
      }
      // The commit is written but its sync never ends.
      harness.files.fail_at(io::FileOperation::kSync, 1, true);
      harness.journal->run_once();
      harness.drop();
      harness.files.restart_machine(random, static_cast<unsigned>(random.below(101)));
      ASSERT_TRUE(harness.open().has_value());
      verify_held(harness);
      ASSERT_FALSE(testing::Test::HasFailure()) << "seed " << seed;
      harness.acknowledge();
    }
  }
}

// What a restart did not find was never there: a commit that lost one sector in a power cut is
// dropped, and then the next one is torn so that just this sector is put right.
TEST(JournalCrash, WhatARestartDroppedNeverComesBack) {
  constexpr std::size_t kSector = 512;
  const std::string path = std::string(kDirectory) + "/shard-0000/segment-000001.log";
  for (std::size_t lost = 0; lost < 24; ++lost) {
    JournalHarness harness;
    SeededRandom random(1);
    const auto append_four = [&] {
      for (int i = 0; i < 4; ++i) {
        ASSERT_TRUE(harness.append(3000).has_value());
      }
    };
    const auto cut_power_in_commit = [&] {
      append_four();
      harness.files.fail_at(io::FileOperation::kSync, 1, true);
      harness.journal->run_once();
      std::string written = *harness.files.content(path);
      harness.drop();
      harness.files.restart_machine(random, 0);
      return written;
    };
    ASSERT_TRUE(harness.open().has_value());
    append_four();
    harness.journal->run_once();
    harness.acknowledge();

    std::string first = cut_power_in_commit();
    const std::string durable = *harness.files.content(path);
    const std::size_t begin =
        round_up_to_block(kBlock + kCommitHeaderBytes + 4 * frame_bytes(3, 3000));
    const std::size_t at = begin + lost * kSector;
    ASSERT_EQ(first.compare(0, begin, durable, 0, begin), 0);
    ASSERT_NE(first.compare(begin, kSector, durable, begin, kSector), 0);
    first.replace(at, kSector, durable, at, kSector);
    harness.files.set_content(path, first);
    ASSERT_TRUE(harness.open().has_value());
    EXPECT_EQ(harness.journal->durable(0).value, 4u) << "sector " << lost;

    const std::string second = cut_power_in_commit();
    std::string torn = *harness.files.content(path);
    torn.replace(at, kSector, second, at, kSector);
    harness.files.set_content(path, torn);
    ASSERT_TRUE(harness.open().has_value());
    EXPECT_EQ(harness.journal->durable(0).value, 4u) << "sector " << lost;
    verify_held(harness);
    ASSERT_FALSE(testing::Test::HasFailure()) << "sector " << lost;
  }
}

}  // namespace
}  // namespace leat::journal
