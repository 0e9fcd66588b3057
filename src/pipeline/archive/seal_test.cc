// What seals and names say, as text.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/digest.h"
#include "pipeline/archive/archive.h"
#include "pipeline/archive/inspect.h"
#include "pipeline/archive/line_buffer.h"
#include "pipeline/archive/names.h"

namespace leat::archive {
namespace {

using journal::Offset;
using testing::HasSubstr;

TEST(Names, HourAndEscape) {
  EXPECT_EQ(hour_text(TimeUs{1'795'183'385'000'000}), "2026112014");
  EXPECT_EQ(hour_text(TimeUs{0}), "1970010100");
  EXPECT_EQ(hour_text(TimeUs{-1}), "1969123123");
  EXPECT_EQ(hour_folder("2026112014"), "date=2026-11-20/hour=14/");
  EXPECT_EQ(escape_source("web"), "web");
  EXPECT_EQ(escape_source("my app/../x%"), "my%20app%2F..%2Fx%25");
  EXPECT_EQ(escape_source(std::string(255, 's')).size(), 183u);
  EXPECT_NE(escape_source(std::string(254, 's')), escape_source(std::string(255, 's')));
}

TEST(Names, BatchIdsRoundTrip) {
  const std::string id = batch_id("a/b", "2026112014", "0123456789-0003", Offset{7}, Offset{12});
  EXPECT_EQ(id, "a/b/2026112014/0123456789-0003-00000000000000000007-00000000000000000012");
  const auto name = parse_batch_id(id);
  ASSERT_TRUE(name.has_value());
  EXPECT_EQ(name->hour, "2026112014");
  EXPECT_EQ(name->stream, "0123456789-0003");
  EXPECT_EQ(name->first.value, 7u);
  EXPECT_EQ(name->last.value, 12u);
  for (const char* bad : {"", "web", "web/2026112014", "web/2026112014/x",
                          "web/202611201x/s-00000000000000000007-00000000000000000012",
                          "web/2026112014/-00000000000000000007-00000000000000000012",
                          "web/2026112014/s-00000000000000000012-00000000000000000007",
                          "web/2026112014/s-99999999999999999999-99999999999999999999",
                          "/s-00000000000000000007-00000000000000000012"}) {
    EXPECT_FALSE(parse_batch_id(bad).has_value()) << bad;
  }
}

TEST(Seal, TextRoundTripsAndIsChecked) {
  Seal seal{.stream = "s-0000", .first = Offset{1}, .last = Offset{9}, .events = 12, .batches = {}};
  seal.batches.push_back({.id = batch_id("w\"b", "2026112014", "s-0000", Offset{1}, Offset{9}),
                          .source = "w\"b",
                          .hour = "2026112014",
                          .uri = "s3://leat/x",
                          .events = 12,
                          .raw_bytes = 100,
                          .object_bytes = 50,
                          .sha256 = std::string(64, 'a')});
  const std::string text = format_seal(seal);
  const auto parsed = parse_seal(text);
  ASSERT_TRUE(parsed.has_value()) << parsed.error().to_string();
  EXPECT_EQ(*parsed, seal);
  EXPECT_THAT(to_text(seal), HasSubstr("12 events"));
  Seal unbalanced = seal;
  unbalanced.events = 13;
  EXPECT_EQ(parse_seal(format_seal(unbalanced)).error().code, Errc::kCorrupt);
  Seal renamed = seal;
  renamed.batches[0].id = "other";
  EXPECT_EQ(parse_seal(format_seal(renamed)).error().code, Errc::kCorrupt);
  for (std::size_t size = 0; size + 1 < text.size(); ++size) {
    EXPECT_FALSE(parse_seal(text.substr(0, size)).has_value()) << size;
  }
  for (const char* version : {":0,", ":3,"}) {
    std::string other = text;
    other.replace(other.find(":1,"), 3, version);
    EXPECT_EQ(parse_seal(other).error().code, Errc::kUnsupported) << version;
  }
}

// What programs before the second version wrote must be read for ever, byte for byte.
TEST(Seal, HasOneDigestForEachBatch) {
  Seal seal{.stream = "s", .first = Offset{1}, .last = Offset{1}, .events = 1, .batches = {}};
  seal.batches.push_back({.id = batch_id("web", "2026112014", "s", Offset{1}, Offset{1}),
                          .source = "web",
                          .hour = "2026112014",
                          .uri = "s3://leat/x",
                          .events = 1,
                          .sha256 = to_hex(sha256("object"))});
  const std::string id = seal.batches[0].id;
  const std::string members =
      R"(","source":"web","hour":"2026112014","uri":"s3://leat/x","events":1,)"
      R"("raw_bytes":0,"object_bytes":)";
  const std::string head = R"(,"stream":"s","first":1,"last":1,"events":1,"batches":[)" +
                           ("\n{\"id\":\"" + id) + members;
  seal.batches[0].object_bytes = 6;
  const std::string first =
      R"({"leat_seal":1)" + head + R"(6,"sha256":")" + to_hex(sha256("object")) + "\"}]}\n";
  EXPECT_EQ(format_seal(seal), first);
  EXPECT_EQ(parse_seal(first).value(), seal);
  EXPECT_TRUE(is_object_of(seal.batches[0], "object"));
  EXPECT_FALSE(is_object_of(seal.batches[0], "objecT"));

  seal.batches[0].sha256.clear();
  seal.batches[0].xxh128 = to_hex(xxh128("object"));
  const std::string second =
      R"({"leat_seal":2)" + head + R"(6,"xxh128":")" + to_hex(xxh128("object")) + "\"}]}\n";
  EXPECT_EQ(format_seal(seal), second);
  EXPECT_EQ(parse_seal(second).value(), seal);
  EXPECT_TRUE(is_object_of(seal.batches[0], "object"));
  EXPECT_FALSE(is_object_of(seal.batches[0], "objecT"));
  EXPECT_FALSE(is_object_of(seal.batches[0], "object "));

  for (const std::string& digests :
       {std::string(R"("xxh128":"")"), std::string(R"("sha256":"")"), std::string(R"("other":1)"),
        R"("xxh128":")" + std::string(32, 'a') + R"(","sha256":")" + std::string(64, 'a') + "\"",
        R"("xxh128":")" + std::string(64, 'a') + "\""}) {
    std::string bad = R"({"leat_seal":2)";
    bad += head;
    bad += "6,";
    bad += digests;
    bad += "}]}\n";
    EXPECT_EQ(parse_seal(bad).error().code, Errc::kCorrupt) << digests;
  }
}

TEST(LineBuffer, KeepsWhatItIsGiven) {
  LineBuffer buffer;
  EXPECT_EQ(buffer.view(), "");
  std::string expected;
  // Past the size of a large page, in pieces of all sizes.
  for (std::size_t size = 1; expected.size() < (std::size_t{5} << 20); size = size * 3 % 65'521) {
    const std::string piece(size, static_cast<char>('a' + size % 26));
    buffer.append(piece);
    expected += piece;
  }
  EXPECT_EQ(buffer.size(), expected.size());
  EXPECT_TRUE(buffer.view() == expected);
}

}  // namespace
}  // namespace leat::archive
