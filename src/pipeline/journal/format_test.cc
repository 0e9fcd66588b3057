#include "pipeline/journal/format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "pipeline/journal/inspect.h"
#include "pipeline/journal/journal_test_support.h"

namespace leat::journal {
namespace {

std::string golden_file() {
  std::ifstream in(std::string(LEAT_TESTDATA) + "/segment-v1.log", std::ios::binary);
  std::ostringstream bytes;
  bytes << in.rdbuf();
  return bytes.str();
}

// The run whose segment is the golden file: two commits, then a clean stop.
std::string golden_run() {
  JournalHarness harness(42);
  EXPECT_TRUE(harness.open().has_value());
  Shard& shard = harness.journal->shard(0);
  const auto append = [&](std::string_view source, std::string_view lines, std::uint32_t events) {
    harness.clock.advance_us(1'500'000);
    EXPECT_TRUE(
        shard
            .append({.source = source, .received_at = harness.clock.now(), .event_count = events},
                    lines)
            .has_value());
  };
  append("web", "{\"event\":{\"type\":\"track\",\"event\":\"Order Completed\"}}\n", 1);
  append("ios", "{\"event\":{\"type\":\"page\"}}\n{\"event\":{\"type\":\"screen\"}}\n", 2);
  harness.journal->run_once();
  append("web", "{\"event\":{\"type\":\"identify\",\"userId\":\"u1\"}}\n", 1);
  harness.journal->run_once();
  EXPECT_TRUE(harness.journal->close().has_value());
  std::string bytes =
      *harness.files.content(std::string(kDirectory) + "/shard-0000/segment-000001.log");
  bytes.resize(bytes.find_last_not_of('\0') + 1);  // the rest is zeros
  return bytes;
}

TEST(Format, GoldenFileIsStillWrittenAndRead) {
  const std::string golden = golden_file();
  const std::string written = golden_run();
  if (written != golden) {
    const std::string path = testing::TempDir() + "segment.log";
    std::ofstream(path, std::ios::binary) << written;
    FAIL()
        << "the format changed: it needs a new version, and beside the old golden file a new one, "
           "such as "
        << path;
  }
  io::FaultyFileSystem files;
  std::string whole = golden;
  whole.resize(64 << 10);
  files.set_content("/golden.log", whole);
  const auto report = inspect_segment(files, "/golden.log");
  ASSERT_TRUE(report.has_value()) << report.error().to_string();
  EXPECT_EQ(report->version, 1u);
  EXPECT_EQ(report->sequence, 1u);
  EXPECT_EQ(report->first.value, 1u);
  ASSERT_EQ(report->commits.size(), 3u);
  EXPECT_EQ(report->commits[0].records, 2u);
  EXPECT_EQ(report->commits[0].events, 3u);
  EXPECT_EQ(report->commits[1].first.value, 3u);
  EXPECT_EQ(report->commits[2].records, 0u);
  EXPECT_EQ(report->end, SegmentEnd::kClosed);
}

TEST(Format, SegmentHeaderRoundTripsAndEveryBitCounts) {
  SegmentHeader header{.nonce = 7,
                       .sequence = 9,
                       .previous_sequence = 8,
                       .oldest_sequence = 5,
                       .first = Offset{1234},
                       .segment_bytes = 65536,
                       .created_at = TimeUs{55},
                       .shard = 3,
                       .journal_id = "0123456789"};
  std::string block(kBlock, 'x');
  encode_segment_header(header, std::span<char, kBlock>(block.data(), kBlock));
  const auto back = decode_segment_header(block);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->nonce, 7u);
  EXPECT_EQ(back->sequence, 9u);
  EXPECT_EQ(back->previous_sequence, 8u);
  EXPECT_EQ(back->oldest_sequence, 5u);
  EXPECT_EQ(back->first.value, 1234u);
  EXPECT_EQ(back->segment_bytes, 65536u);
  EXPECT_EQ(back->created_at.value, 55);
  EXPECT_EQ(back->shard, 3u);
  EXPECT_EQ(back->journal_id, "0123456789");
  for (std::size_t bit = 0; bit < 128 * 8; ++bit) {
    std::string damaged = block;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(decode_segment_header(damaged).has_value()) << "bit " << bit;
  }
  EXPECT_EQ(decode_segment_header("").error().code, Errc::kNotFound);
}

TEST(Format, FramesRoundTripAndEveryBitCounts) {
  std::string bytes(frame_bytes(3, 11), '\0');
  const std::uint32_t checksum = encode_frame(
      bytes.data(), Offset{77}, {.source = "web", .received_at = TimeUs{-1}, .event_count = 2},
      "{}\n{\"a\":1}\n");
  const std::string followed = bytes + "what follows";
  const auto frame = decode_frame(followed);
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->checksum, checksum);
  EXPECT_EQ(frame->bytes, bytes.size());
  EXPECT_EQ(frame->record.offset.value, 77u);
  EXPECT_EQ(frame->record.received_at.value, -1);
  EXPECT_EQ(frame->record.event_count, 2u);
  EXPECT_EQ(frame->record.source, "web");
  EXPECT_EQ(frame->record.lines, "{}\n{\"a\":1}\n");
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(decode_frame(damaged).has_value()) << "bit " << bit;
  }
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_frame(bytes.substr(0, size)).has_value()) << size;
  }
}

TEST(Format, CommitHeaderRoundTripsAndEveryBitCounts) {
  const CommitHeader header{.nonce = 1,
                            .sequence = 2,
                            .first = Offset{3},
                            .records = 4,
                            .data_bytes = 5,
                            .events = 6,
                            .digest = 7,
                            .committed_at = TimeUs{8},
                            .number = 9,
                            .closed = true};
  std::string bytes(kCommitHeaderBytes, 'x');
  encode_commit_header(header,
                       std::span<char, kCommitHeaderBytes>(bytes.data(), kCommitHeaderBytes));
  const auto back = decode_commit_header(bytes);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->nonce, 1u);
  EXPECT_EQ(back->sequence, 2u);
  EXPECT_EQ(back->first.value, 3u);
  EXPECT_EQ(back->records, 4u);
  EXPECT_EQ(back->data_bytes, 5u);
  EXPECT_EQ(back->events, 6u);
  EXPECT_EQ(back->digest, 7u);
  EXPECT_EQ(back->committed_at.value, 8);
  EXPECT_EQ(back->number, 9u);
  EXPECT_TRUE(back->closed);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(decode_commit_header(damaged).has_value()) << "bit " << bit;
  }
}

TEST(Inspect, DescribesSparesAndStrangers) {
  JournalHarness harness;
  ASSERT_TRUE(harness.open().has_value());
  harness.journal->run_once();
  const auto spare =
      inspect_segment(harness.files, std::string(kDirectory) + "/shard-0000/segment-000002.log");
  ASSERT_TRUE(spare.has_value()) << spare.error().to_string();
  EXPECT_FALSE(spare->used);
  EXPECT_THAT(to_text(*spare), testing::HasSubstr("spare"));
  EXPECT_THAT(to_json(*spare), testing::HasSubstr("\"used\":false"));
  harness.files.set_content("/notes.txt", "hello");
  EXPECT_EQ(inspect_segment(harness.files, "/notes.txt").error().code, Errc::kInvalid);
  EXPECT_EQ(inspect_segment(harness.files, "/none").error().code, Errc::kNotFound);
}

}  // namespace
}  // namespace leat::journal
