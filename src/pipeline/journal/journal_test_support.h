// What the journal's tests share: a journal in a file system that breaks on command, and a memory
// of what was promised.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "io/faulty_file_system.h"
#include "pipeline/journal/journal.h"

namespace leat::journal {

inline constexpr std::string_view kDirectory = "/data/journal";

class JournalHarness {
 public:
  explicit JournalHarness(std::uint64_t seed = 1) : random(seed) {}

  Options options() {
    Options result;
    result.files = &files;
    result.directory = kDirectory;
    result.segment_bytes = 64 << 10;
    result.buffer_bytes = 16 << 10;
    result.disk_max = disk_max;
    result.shard_count = shard_count;
    result.retry_us = 1000;
    result.background = false;
    result.clock = &clock;
    result.random = &random;
    return result;
  }

  /// Opens the journal and holds it to what was promised before.
  Status open() {
    auto opened = Journal::open(options());
    if (!opened) {
      return std::unexpected(opened.error());
    }
    journal = std::move(*opened);
    return {};
  }

  /// The process dies: nothing more is written.
  void drop() { journal.reset(); }

  /// Appends a record of about `bytes` bytes with content of its own; remembers it.
  Result<Offset> append(std::size_t bytes, std::size_t shard = 0) {
    std::string lines = "{\"n\":" + std::to_string(next_content++) + "}";
    lines.resize(std::max(lines.size(), bytes), 'x');
    clock.advance_us(10);
    auto offset = journal->shard(shard).append(
        {.source = "web", .received_at = clock.now(), .event_count = 1}, lines);
    if (offset) {
      appended[{shard, offset->value}] = lines;
    }
    return offset;
  }

  /// Commits so many records of about 3,000 bytes one by one; false when one is refused.
  bool fill(int records) {
    for (int i = 0; i < records; ++i) {
      if (!append(3000)) return false;
      journal->run_once();
    }
    return true;
  }

  /// Records what the journal says is durable.
  void acknowledge(std::size_t shard = 0) {
    acknowledged[shard] = std::max(acknowledged[shard], journal->durable(shard).value);
  }

  /// Every promised record is there, unchanged, in order; returns the number of records read.
  std::uint64_t verify(std::size_t shard = 0, std::uint64_t from = 1) {
    const std::uint64_t durable = journal->durable(shard).value;
    EXPECT_GE(durable, acknowledged[shard]) << "acknowledged records are lost";
    Reader reader(*journal, shard, Offset{from});
    Record record;
    std::uint64_t expected = from;
    while (true) {
      const auto more = reader.next(record);
      EXPECT_TRUE(more.has_value()) << more.error().to_string();
      if (!more || !*more) {
        break;
      }
      EXPECT_EQ(record.offset.value, expected);
      EXPECT_EQ(record.source, "web");
      const std::string& wanted = appended[{shard, expected}];
      EXPECT_EQ(record.lines, wanted) << "record " << expected;
      if (testing::Test::HasFailure()) {
        break;
      }
      ++expected;
    }
    EXPECT_EQ(expected, durable + 1);
    return expected - from;
  }

  io::FaultyFileSystem files;
  FakeClock clock{TimeUs{1'795'183'385'000'000}};
  SeededRandom random;
  std::uint64_t disk_max = 64 << 20;
  std::size_t shard_count = 1;
  std::unique_ptr<Journal> journal;
  std::map<std::pair<std::size_t, std::uint64_t>, std::string> appended;
  std::map<std::size_t, std::uint64_t> acknowledged;
  std::uint64_t next_content = 1;
};

}  // namespace leat::journal
