#include "pipeline/journal/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include "pipeline/journal/inspect.h"
#include "pipeline/journal/journal_test_support.h"

namespace leat::journal {
namespace {

using testing::HasSubstr;

TEST(Journal, AppendsCommitsAndReadsBack) {
  JournalHarness harness;
  ASSERT_TRUE(harness.open().has_value());
  Shard& shard = harness.journal->shard(0);
  EXPECT_EQ(shard.durable().value, 0u);
  EXPECT_EQ(harness.append(100)->value, 1u);
  EXPECT_EQ(harness.append(5000)->value, 2u);
  EXPECT_EQ(shard.durable().value, 0u) << "nothing is durable before its commit";
  harness.journal->run_once();
  EXPECT_EQ(shard.durable().value, 2u);
  EXPECT_EQ(harness.verify(), 2u);
  eventfd_t count = 0;
  EXPECT_EQ(::eventfd_read(shard.notify_fd(), &count), 0);
  EXPECT_NE(::eventfd_read(shard.notify_fd(), &count), 0) << "readable again without news";
}

TEST(Journal, ReaderKeepsHeaderFieldsAndFollows) {
  JournalHarness harness;
  ASSERT_TRUE(harness.open().has_value());
  Reader reader(*harness.journal, 0, Offset{1});
  Record record;
  EXPECT_FALSE(reader.next(record).value());
  ASSERT_TRUE(harness.journal->shard(0)
                  .append({.source = "mobile app", .received_at = TimeUs{-5}, .event_count = 3},
                          "a\nb\nc\n")
                  .has_value());
  EXPECT_FALSE(reader.next(record).value()) << "not durable yet";
  harness.journal->run_once();
  ASSERT_TRUE(reader.next(record).value());
  EXPECT_EQ(record.offset.value, 1u);
  EXPECT_EQ(record.source, "mobile app");
  EXPECT_EQ(record.received_at.value, -5);
  EXPECT_EQ(record.event_count, 3u);
  EXPECT_EQ(record.lines, "a\nb\nc\n");
  EXPECT_FALSE(reader.next(record).value());
  EXPECT_EQ(reader.position().value, 2u);
}

TEST(Journal, RollsOverManySegmentsAndReadsFromAnywhere) {
  JournalHarness harness;
  ASSERT_TRUE(harness.open().has_value());
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(harness.append(static_cast<std::size_t>(50 + i * 20)).has_value());
    if (i % 3 == 0) {
      harness.journal->run_once();
    }
  }
  harness.journal->run_once();
  EXPECT_GT(harness.journal->status(0).segments, 5u);
  EXPECT_EQ(harness.verify(), 200u);
  for (const std::uint64_t from : {1, 2, 3, 77, 123, 199, 200, 201}) {
    EXPECT_EQ(harness.verify(0, from), 201 - from);
  }
}

TEST(Journal, RefusesWhatItCannotTake) {
  JournalHarness harness;
  ASSERT_TRUE(harness.open().has_value());
  Shard& shard = harness.journal->shard(0);
  EXPECT_EQ(shard.append({.source = "", .received_at = {}, .event_count = 1}, "x").error().code,
            Errc::kInvalid);
  EXPECT_EQ(
      shard.append({.source = std::string(256, 's'), .received_at = {}, .event_count = 1}, "x")
          .error()
          .code,
      Errc::kInvalid);
  EXPECT_TRUE(
      shard.append({.source = std::string(255, 's'), .received_at = {}, .event_count = 1}, "")
          .has_value());
  harness.journal->run_once();
  EXPECT_EQ(shard
                .append({.source = "s", .received_at = {}, .event_count = 1},
                        std::string(shard.record_bytes_max() + 1, 'x'))
                .error()
                .code,
            Errc::kInvalid);
  EXPECT_TRUE(shard
                  .append({.source = std::string(255, 's'), .received_at = {}, .event_count = 1},
                          std::string(shard.record_bytes_max(), 'x'))
                  .has_value());
  EXPECT_EQ(shard.append({.source = "s", .received_at = {}, .event_count = 1}, "x").error().code,
            Errc::kExhausted)
      << "the buffer is full";
  EXPECT_TRUE(shard.health().has_value()) << "a full buffer passes by itself";
  harness.journal->run_once();
  EXPECT_TRUE(shard.append({.source = "s", .received_at = {}, .event_count = 1}, "x").has_value());
}

TEST(Journal, AppendsSeveralRecordsOrNoneAndTellsWhenThereIsRoom) {
  JournalHarness harness;
  ASSERT_TRUE(harness.open().has_value());
  Shard& shard = harness.journal->shard(0);
  const std::string half(shard.record_bytes_max() * 3 / 5, 'x');
  const RecordHeader header{.source = "web", .received_at = TimeUs{1}, .event_count = 1};
  const NewRecord two[] = {{header, half}, {header, "second"}};
  ASSERT_EQ(shard.append(two)->value, 2u);
  eventfd_t count = 0;
  EXPECT_NE(::eventfd_read(shard.notify_fd(), &count), 0);
  const NewRecord larger[] = {{header, "fits"}, {header, half}};
  EXPECT_EQ(shard.append(larger).error().code, Errc::kExhausted);
  EXPECT_TRUE(shard.health().has_value());
  const NewRecord hopeless[] = {{header, half}, {header, half}};
  EXPECT_EQ(shard.append(hopeless).error().code, Errc::kInvalid);

  // Room comes when the flusher takes the buffer, before that commit ends or even when it fails.
  harness.files.fail_at(io::FileOperation::kSync, 1, true);
  harness.journal->run_once();
  EXPECT_EQ(::eventfd_read(shard.notify_fd(), &count), 0);
  harness.files.clear_faults();
  harness.journal->run_once();
  ASSERT_EQ(shard.durable().value, 2u) << "nothing of the refused records";
  EXPECT_EQ(shard.append(larger)->value, 4u);
  harness.journal->run_once();
  Reader reader(*harness.journal, 0, Offset{1});
  Record record;
  for (const std::string_view lines :
       {two[0].lines, two[1].lines, larger[0].lines, larger[1].lines}) {
    ASSERT_TRUE(reader.next(record).value());
    EXPECT_EQ(record.lines, lines);
  }
  EXPECT_FALSE(reader.next(record).value());
}

TEST(Journal, GoesOnAfterCleanStopAndAfterCrash) {
  JournalHarness harness;
  for (int run = 0; run < 10; ++run) {
    ASSERT_TRUE(harness.open().has_value());
    EXPECT_EQ(harness.journal->durable(0).value, static_cast<std::uint64_t>(run) * 2);
    EXPECT_EQ(harness.append(300)->value, static_cast<std::uint64_t>(run) * 2 + 1);
    harness.journal->run_once();
    ASSERT_TRUE(harness.append(300).has_value());
    if (run % 2 == 0) {
      ASSERT_TRUE(harness.journal->close().has_value());
    } else {
      harness.journal->run_once();
    }
    harness.drop();
    harness.files.restart_process();
  }
  ASSERT_TRUE(harness.open().has_value());
  EXPECT_EQ(harness.verify(), 20u);
  EXPECT_LE(harness.journal->status(0).segments, 2u)
      << "each run goes on in the segment of the last";
}

TEST(Journal, ClosedRefusesAppends) {
  JournalHarness harness;
  ASSERT_TRUE(harness.open().has_value());
  ASSERT_TRUE(harness.journal->close().has_value());
  EXPECT_EQ(harness.append(10).error().code, Errc::kUnavailable);
  EXPECT_FALSE(harness.journal->shard(0).health().has_value());
  EXPECT_TRUE(harness.journal->close().has_value());
}

TEST(Journal, OneProcessAtATime) {
  JournalHarness harness;
  ASSERT_TRUE(harness.open().has_value());
  const auto second = Journal::open(harness.options());
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Errc::kConflict);
}

TEST(Journal, ChecksItsOptions) {
  JournalHarness harness;
  Options options = harness.options();
  options.shard_count = 0;
  EXPECT_EQ(Journal::open(options).error().code, Errc::kInvalid);
  options = harness.options();
  options.segment_bytes = 100'000;
  EXPECT_EQ(Journal::open(options).error().code, Errc::kInvalid);
  options = harness.options();
  options.buffer_bytes = options.segment_bytes;
  EXPECT_EQ(Journal::open(options).error().code, Errc::kInvalid);
  options = harness.options();
  options.disk_max = 2 * options.segment_bytes;
  EXPECT_EQ(Journal::open(options).error().code, Errc::kInvalid);
}

TEST(Journal, ShardsAreIndependentAndTheirNumberMayChange) {
  JournalHarness harness;
  harness.shard_count = 3;
  ASSERT_TRUE(harness.open().has_value());
  const std::string id = harness.journal->id();
  EXPECT_EQ(harness.journal->stream(2), id + "-0002");
  for (std::size_t shard = 0; shard < 3; ++shard) {
    for (std::size_t i = 0; i <= shard; ++i) {
      ASSERT_TRUE(harness.append(100, shard).has_value());
    }
  }
  ASSERT_TRUE(harness.journal->close().has_value());
  harness.drop();
  harness.shard_count = 1;
  ASSERT_TRUE(harness.open().has_value());
  EXPECT_EQ(harness.journal->id(), id);
  EXPECT_EQ(harness.journal->shard_count(), 1u);
  EXPECT_EQ(harness.journal->readable_shard_count(), 3u);
  EXPECT_EQ(harness.verify(2), 3u);
  EXPECT_FALSE(harness.journal->status(2).writable);
  harness.journal->release(2, Offset{3});
  ASSERT_TRUE(harness.journal->close().has_value());
  harness.drop();
  harness.shard_count = 4;
  ASSERT_TRUE(harness.open().has_value());
  EXPECT_EQ(harness.append(100, 2)->value, 4u) << "a shard goes on where it stopped";
  EXPECT_EQ(harness.append(100, 3)->value, 1u);
}

TEST(Journal, ReusesReleasedSegments) {
  JournalHarness harness;
  ASSERT_TRUE(harness.open().has_value());
  std::uint64_t most_disk = 0;
  for (int i = 0; i < 2000; ++i) {
    ASSERT_TRUE(harness.append(3000).has_value());
    harness.journal->run_once();
    harness.journal->release(0, Offset{harness.journal->durable(0).value - 1});
    most_disk = std::max(most_disk, harness.journal->status(0).disk_bytes);
  }
  EXPECT_LE(most_disk, 4u * (64 << 10)) << "the journal grows though its records are released";
  const ShardStatus status = harness.journal->status(0);
  EXPECT_EQ(status.durable.value, 2000u);
  EXPECT_GT(status.oldest.value, 1900u);
  EXPECT_EQ(harness.verify(0, status.oldest.value), 2001 - status.oldest.value);
  Reader reader(*harness.journal, 0, Offset{1});
  Record record;
  EXPECT_EQ(reader.next(record).error().code, Errc::kNotFound);
  harness.acknowledge();
  harness.drop();
  harness.files.restart_process();
  ASSERT_TRUE(harness.open().has_value());
  harness.verify(0, harness.journal->status(0).oldest.value);
}

TEST(Journal, EverySegmentFileHasTheSizeAskedFor) {
  JournalHarness harness;
  Options options = harness.options();
  options.segment_bytes = 256 << 10;
  auto journal = Journal::open(options);
  ASSERT_TRUE(journal.has_value());
  (*journal)->run_once();
  std::size_t segments = 0;
  for (const std::string& path : harness.files.paths()) {
    if (!path.ends_with(".log")) continue;
    ++segments;
    EXPECT_EQ(harness.files.content(path)->size(), std::size_t{256} << 10) << path;
  }
  EXPECT_EQ(segments, 2U);
}

TEST(Journal, SurplusSpareFilesAreRemoved) {
  JournalHarness harness;
  ASSERT_TRUE(harness.open().has_value());
  ASSERT_TRUE(harness.fill(400));
  const std::uint64_t full = harness.journal->status(0).disk_bytes;
  EXPECT_GT(full, 20u * (64 << 10));
  harness.journal->release(0, Offset{400});
  harness.journal->run_once();
  EXPECT_LE(harness.journal->status(0).disk_bytes, 4u * (64 << 10));
  std::uint64_t on_disk = 0;
  for (const std::string& path : harness.files.paths()) {
    on_disk += path.ends_with(".log") ? harness.files.content(path)->size() : 0;
  }
  EXPECT_EQ(on_disk, harness.journal->status(0).disk_bytes);
  EXPECT_LT(on_disk, full);
}

TEST(Journal, KeepsItsSegmentWhenThereIsNoRoomForAnother) {
  JournalHarness harness;
  harness.disk_max = 3 * (64 << 10);
  ASSERT_TRUE(harness.open().has_value());
  while (harness.journal->status(0).segments < 3) {
    ASSERT_TRUE(harness.append(3000).has_value());
    harness.journal->run_once();
  }
  EXPECT_EQ(harness.journal->begin_segments(1'000'000).error().code, Errc::kExhausted);
  ASSERT_TRUE(harness.append(100).has_value());
  harness.journal->run_once();
  EXPECT_TRUE(harness.journal->shard(0).health().has_value());
  harness.acknowledge();
  harness.verify();
}

TEST(Journal, DiskMaxRefusesAndRecovers) {
  JournalHarness harness;
  harness.disk_max = 4 * (64 << 10);
  ASSERT_TRUE(harness.open().has_value());
  Status health;
  int taken = 0;
  while (health && taken < 1000) {
    ASSERT_TRUE(harness.append(10'000).has_value());
    ++taken;
    harness.journal->run_once();
    health = harness.journal->shard(0).health();
  }
  ASSERT_FALSE(health.has_value());
  EXPECT_EQ(health.error().code, Errc::kExhausted);
  EXPECT_THAT(health.error().message, HasSubstr("disk_max"));
  EXPECT_LE(harness.journal->status(0).disk_bytes, harness.disk_max);
  EXPECT_EQ(harness.append(10).error().code, Errc::kExhausted);
  harness.journal->run_once();
  EXPECT_FALSE(harness.journal->shard(0).health().has_value());
  harness.journal->release(0, harness.journal->durable(0));
  harness.journal->run_once();
  EXPECT_TRUE(harness.journal->shard(0).health().has_value()) << harness.journal->status(0).health;
  EXPECT_EQ(harness.journal->durable(0).value, static_cast<std::uint64_t>(taken))
      << "the waiting record is kept";
  EXPECT_TRUE(harness.append(10).has_value());
}

TEST(Journal, FullDiskRefusesAndRecovers) {
  JournalHarness harness;
  harness.files.set_space(3 * (64 << 10) + 10'000);
  ASSERT_TRUE(harness.open().has_value());
  while (harness.journal->shard(0).health()) {
    ASSERT_TRUE(harness.append(10'000).has_value());
    harness.journal->run_once();
  }
  EXPECT_EQ(harness.journal->shard(0).health().error().code, Errc::kExhausted);
  EXPECT_EQ(harness.append(10).error().code, Errc::kExhausted);
  const std::uint64_t durable = harness.journal->durable(0).value;
  harness.verify();
  // Nobody gives space back, but the archive took the records: the journal lives on what it has.
  harness.journal->release(0, Offset{durable});
  harness.journal->run_once();
  EXPECT_TRUE(harness.journal->shard(0).health().has_value()) << harness.journal->status(0).health;
  while (harness.journal->shard(0).health()) {
    ASSERT_TRUE(harness.append(10'000).has_value());
    harness.journal->run_once();
  }
  // And with space it goes on without a release.
  harness.files.set_space(1 << 20);
  harness.journal->run_once();
  EXPECT_TRUE(harness.journal->shard(0).health().has_value());
  ASSERT_TRUE(harness.append(10).has_value());
  harness.journal->run_once();
  harness.acknowledge();
  harness.verify(0, harness.journal->status(0).oldest.value);
}

TEST(Journal, FullDiskAtOpenIsNoError) {
  JournalHarness harness;
  harness.files.set_space(1000);
  ASSERT_TRUE(harness.open().has_value());
  EXPECT_EQ(harness.append(10).error().code, Errc::kExhausted);
  harness.files.set_space(1 << 20);
  harness.journal->run_once();
  EXPECT_TRUE(harness.append(10).has_value());
}

TEST(Journal, FailedSyncPoisonsTheSegmentAndKeepsTheRecords) {
  for (const auto kind : {io::FileOperation::kSync, io::FileOperation::kWrite}) {
    JournalHarness harness;
    ASSERT_TRUE(harness.open().has_value());
    ASSERT_TRUE(harness.append(500).has_value());
    harness.journal->run_once();
    harness.acknowledge();
    ASSERT_TRUE(harness.append(9000).has_value());
    harness.files.fail_at(kind, 1);
    harness.journal->run_once();
    EXPECT_TRUE(harness.journal->shard(0).health().has_value())
        << "a fresh segment takes over at once";
    EXPECT_EQ(harness.journal->durable(0).value, 2u);
    EXPECT_EQ(harness.journal->status(0).segments, 2u);
    ASSERT_TRUE(harness.append(500).has_value());
    harness.journal->run_once();
    harness.acknowledge();
    EXPECT_EQ(harness.verify(), 3u);
    // Whatever the failed sync left in the first segment, the second one decides.
    SeededRandom random(5);
    harness.drop();
    harness.files.restart_machine(random, 50);
    ASSERT_TRUE(harness.open().has_value());
    EXPECT_EQ(harness.verify(), 3u);
    // The poisoned file is removed once it is released, not used again.
    harness.journal->release(0, Offset{2});
    harness.journal->run_once();
    EXPECT_EQ(harness.verify(0, harness.journal->status(0).oldest.value), 2u);
  }
}

TEST(Journal, FailingDiskRefusesUntilItWorksAgain) {
  JournalHarness harness;
  ASSERT_TRUE(harness.open().has_value());
  ASSERT_TRUE(harness.append(500).has_value());
  harness.files.fail_at(io::FileOperation::kSync, 1, true);
  harness.journal->run_once();
  const Status health = harness.journal->shard(0).health();
  ASSERT_FALSE(health.has_value());
  EXPECT_EQ(health.error().code, Errc::kUnavailable);
  EXPECT_EQ(harness.append(500).error().code, Errc::kUnavailable);
  EXPECT_EQ(harness.journal->durable(0).value, 0u) << "acknowledged what was not synced";
  eventfd_t count = 0;
  EXPECT_EQ(::eventfd_read(harness.journal->shard(0).notify_fd(), &count), 0)
      << "health changes wake the loop";
  harness.files.clear_faults();
  harness.journal->run_once();
  EXPECT_EQ(harness.journal->durable(0).value, 1u);
  EXPECT_TRUE(harness.append(500).has_value());
  harness.journal->run_once();
  EXPECT_EQ(harness.verify(), 2u);
}

// ---- torn is told from corrupt

struct Damage {
  std::string path;
  SegmentReport report;
};

Damage committed_segment(JournalHarness& harness) {
  EXPECT_TRUE(harness.open().has_value());
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(harness.append(6000).has_value());
    harness.journal->run_once();
  }
  harness.drop();
  harness.files.restart_process();
  Damage damage;
  for (const std::string& path : harness.files.paths()) {
    if (path.ends_with(".log")) {
      const auto report = inspect_segment(harness.files, path);
      if (report && report->used) {
        damage.path = path;
        damage.report = *report;
      }
    }
  }
  EXPECT_EQ(damage.report.commits.size(), 5u);
  return damage;
}

TEST(Journal, TornTailIsCutSilently) {
  JournalHarness harness;
  const Damage damage = committed_segment(harness);
  const std::string whole = *harness.files.content(damage.path);
  const CommitReport last = damage.report.commits.back();
  for (std::uint64_t at = last.position; at < last.position + last.bytes; at += 61) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x40);
    harness.files.set_content(damage.path, bytes);
    const auto report = inspect_segment(harness.files, damage.path);
    ASSERT_TRUE(report.has_value());
    EXPECT_TRUE(report->end == SegmentEnd::kTorn || report->end == SegmentEnd::kClean);
    ASSERT_TRUE(harness.open().has_value());
    EXPECT_EQ(harness.verify(), 4u) << at;
    harness.drop();
  }
}

TEST(Journal, DamageBeforeGoodCommitsIsReported) {
  JournalHarness harness;
  const Damage damage = committed_segment(harness);
  const std::string whole = *harness.files.content(damage.path);
  for (std::size_t i = 0; i + 1 < damage.report.commits.size(); ++i) {
    const CommitReport commit = damage.report.commits[i];
    for (std::uint64_t at = commit.position; at < commit.position + commit.bytes; at += 397) {
      std::string bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ 0x01);
      harness.files.set_content(damage.path, bytes);
      const Status opened = harness.open();
      ASSERT_FALSE(opened.has_value()) << "byte " << at;
      EXPECT_EQ(opened.error().code, Errc::kCorrupt);
      EXPECT_THAT(opened.error().message, HasSubstr(damage.path));
      EXPECT_THAT(opened.error().message, HasSubstr("byte " + std::to_string(commit.position)));
      EXPECT_EQ(inspect_segment(harness.files, damage.path)->end, SegmentEnd::kCorrupt);
    }
  }
}

TEST(Journal, MarkOfACleanStopProtectsTheLastCommit) {
  JournalHarness harness;
  ASSERT_TRUE(harness.open().has_value());
  ASSERT_TRUE(harness.append(6000).has_value());
  ASSERT_TRUE(harness.journal->close().has_value());
  harness.drop();
  const std::string path = std::string(kDirectory) + "/shard-0000/segment-000001.log";
  EXPECT_EQ(inspect_segment(harness.files, path)->end, SegmentEnd::kClosed);
  std::string bytes = *harness.files.content(path);
  bytes[5000] = '!';
  harness.files.set_content(path, bytes);
  EXPECT_EQ(harness.open().error().code, Errc::kCorrupt);
}

TEST(Journal, MissingOrDamagedSegmentIsReported) {
  JournalHarness harness;
  ASSERT_TRUE(harness.open().has_value());
  for (int i = 0; i < 60; ++i) {
    ASSERT_TRUE(harness.append(6000).has_value());
    harness.journal->run_once();
  }
  ASSERT_GT(harness.journal->status(0).segments, 4u);
  harness.drop();
  harness.files.restart_process();
  std::map<std::string, std::string> used;
  for (const std::string& path : harness.files.paths()) {
    if (path.ends_with(".log") && inspect_segment(harness.files, path)->used) {
      used[path] = *harness.files.content(path);
    }
  }
  for (const auto& [path, bytes] : used) {
    std::string damaged = bytes;
    damaged[20] = static_cast<char>(damaged[20] ^ 1);
    harness.files.set_content(path, damaged);
    EXPECT_EQ(harness.open().error().code, Errc::kCorrupt) << path;
    EXPECT_EQ(inspect_segment(harness.files, path)->end, SegmentEnd::kCorrupt);
    ASSERT_TRUE(harness.files.remove(path).has_value());
    const bool newest = inspect_segment(harness.files, used.rbegin()->first).has_value() == false;
    if (!newest) {
      EXPECT_EQ(harness.open().error().code, Errc::kCorrupt) << path;
    }
    harness.files.set_content(path, bytes);
    ASSERT_TRUE(harness.open().has_value());
    EXPECT_EQ(harness.verify(), 60u);
    harness.drop();
  }
}

TEST(Journal, DamageWhileRunningIsReportedByTheReader) {
  JournalHarness harness;
  ASSERT_TRUE(harness.open().has_value());
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(harness.append(6000).has_value());
    harness.journal->run_once();
  }
  const std::string path = std::string(kDirectory) + "/shard-0000/segment-000001.log";
  std::string bytes = *harness.files.content(path);
  bytes[17'000] = static_cast<char>(bytes[17'000] ^ 1);
  harness.files.set_content(path, bytes);
  Reader reader(*harness.journal, 0, Offset{1});
  Record record;
  std::uint64_t read = 0;
  while (true) {
    const auto more = reader.next(record);
    if (!more) {
      EXPECT_EQ(more.error().code, Errc::kCorrupt);
      EXPECT_THAT(more.error().message, HasSubstr(path));
      break;
    }
    ASSERT_TRUE(*more);
    ++read;
  }
  EXPECT_GT(read, 0u);
  EXPECT_LT(read, 40u);
}

TEST(Journal, RefusesForeignAndNewerFiles) {
  JournalHarness harness;
  const Damage damage = committed_segment(harness);
  const std::string whole = *harness.files.content(damage.path);
  std::string newer = whole;
  newer[8] = 2;
  harness.files.set_content(damage.path, newer);
  EXPECT_EQ(harness.open().error().code, Errc::kUnsupported);
  harness.files.set_content(damage.path, whole);
  harness.files.set_content(std::string(kDirectory) + "/journal.json",
                            "{\"leat_journal\":1,\"id\":\"0123456789\"}\n");
  EXPECT_EQ(harness.open().error().code, Errc::kCorrupt) << "segments of another journal";
  harness.files.set_content(std::string(kDirectory) + "/journal.json", "{}");
  EXPECT_EQ(harness.open().error().code, Errc::kCorrupt);
  ASSERT_TRUE(harness.files.remove(std::string(kDirectory) + "/journal.json").has_value());
  EXPECT_EQ(harness.open().error().code, Errc::kCorrupt);
}

TEST(Journal, WorksWhereDirectAccessIsRefused) {
  JournalHarness harness;
  harness.files.set_direct(false);
  ASSERT_TRUE(harness.open().has_value());
  ASSERT_TRUE(harness.fill(50));
  EXPECT_EQ(harness.verify(), 50u);
}

TEST(Journal, CountsInMetrics) {
  JournalHarness harness;
  metrics::Registry registry;
  Options options = harness.options();
  options.metrics = &registry;
  auto journal = Journal::open(options);
  ASSERT_TRUE(journal.has_value());
  ASSERT_TRUE((*journal)
                  ->shard(0)
                  .append({.source = "s", .received_at = {}, .event_count = 7}, "x")
                  .has_value());
  (*journal)->run_once();
  EXPECT_EQ(registry.counter("leat_journal_appended_events_total", "", {{"shard", "0"}}).value(),
            7u);
  EXPECT_EQ(registry.gauge("leat_journal_durable_offset", "", {{"shard", "0"}}).value(), 1);
}

}  // namespace
}  // namespace leat::journal
