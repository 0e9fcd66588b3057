#include "pipeline/load/seal_feed.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

namespace leat::load {
namespace {

/// Objects in memory; counts what is read.
class CountingStore final : public io::ObjectStore {
 public:
  Result<io::ObjectInfo> put(std::string_view uri, std::string_view bytes,
                             io::PutOptions) override {
    objects_[std::string(uri)] = bytes;
    return io::ObjectInfo{};
  }
  Result<std::string> get(std::string_view uri, std::uint64_t) override {
    const auto found = objects_.find(std::string(uri));
    if (found == objects_.end()) return fail(Errc::kNotFound, "no such object");
    if (uri.find("/seals/") != std::string_view::npos) ++seals_read;
    return found->second;
  }
  Result<std::string> get_range(std::string_view, std::uint64_t, std::uint64_t) override {
    return fail(Errc::kUnsupported, "not needed");
  }
  Result<io::ObjectInfo> head(std::string_view) override {
    return fail(Errc::kUnsupported, "not needed");
  }
  Result<io::ListPage> list(std::string_view prefix, const io::ListOptions&) override {
    io::ListPage page;
    for (const auto& [uri, bytes] : objects_) {
      if (!uri.starts_with(prefix)) continue;
      page.objects.emplace_back();
      page.objects.back().uri = uri;
    }
    return page;
  }
  Status remove(std::string_view) override { return {}; }

  int seals_read = 0;

 private:
  std::map<std::string, std::string> objects_;
};

class SealFeedTest : public testing::Test {
 protected:
  /// Seals of ten records each.
  void add_seals(const std::string& stream, int count) {
    std::uint64_t& last = last_[stream];
    ASSERT_TRUE(store_.put(archive::stream_uri("b", stream), R"({"first":1})", {}));
    for (int i = 0; i < count; ++i, last += 10) {
      archive::Seal seal;
      seal.stream = stream;
      seal.first = journal::Offset{last + 1};
      seal.last = journal::Offset{last + 10};
      ASSERT_TRUE(
          store_.put(archive::seal_uri("b", stream, seal.first), archive::format_seal(seal), {}));
    }
  }

  /// What a source sees that reads from `positions` on to the end, in pages.
  static std::string read_all(SealFeed& feed, archive::Positions& positions, std::size_t page) {
    std::map<std::string, std::string> out;
    for (;;) {
      const auto seals = feed.list_after(positions, page);
      if (!seals) return seals.error().message;
      if (seals->empty()) break;
      EXPECT_LE(seals->size(), page);
      for (const archive::Seal& seal : *seals) {
        out[seal.stream] += fmt::format(" {}", seal.first.value);
        positions[seal.stream] = seal.last;
      }
    }
    std::string text;
    for (const auto& [stream, firsts] : out) text += stream + ":" + firsts + ";";
    return text;
  }

  CountingStore store_;
  archive::Archive archive_{store_, "b"};
  std::map<std::string, std::uint64_t> last_;
};

TEST_F(SealFeedTest, ReadsEachSealOnceForAllSources) {
  add_seals("one", 7);
  add_seals("two", 3);
  SealFeed feed(archive_);
  std::vector<archive::Positions> sources(5);
  for (archive::Positions& source : sources) {
    EXPECT_EQ(read_all(feed, source, 4), "one: 1 11 21 31 41 51 61;two: 1 11 21;");
  }
  EXPECT_EQ(store_.seals_read, 10);
  add_seals("two", 2);
  add_seals("three", 1);
  for (archive::Positions& source : sources) {
    EXPECT_EQ(read_all(feed, source, 256), "three: 1;two: 31 41;");
    EXPECT_EQ(read_all(feed, source, 256), "");
  }
  EXPECT_EQ(store_.seals_read, 13);
}

TEST_F(SealFeedTest, ServesSourcesThatAreElsewhere) {
  add_seals("one", 6);
  SealFeed feed(archive_);
  archive::Positions late{{"one", journal::Offset{40}}};
  EXPECT_EQ(read_all(feed, late, 256), "one: 41 51;");
  archive::Positions start;
  EXPECT_EQ(read_all(feed, start, 256), "one: 1 11 21 31 41 51;");
  archive::Positions middle{{"one", journal::Offset{20}}};
  EXPECT_EQ(read_all(feed, middle, 1), "one: 21 31 41 51;");
}

TEST_F(SealFeedTest, ForgetsTheOldestAndStaysRight) {
  add_seals("one", 20);
  SealFeed feed(archive_, 5);
  for (int round = 0; round < 3; ++round) {
    archive::Positions start;
    const std::string all = read_all(feed, start, 3);
    EXPECT_TRUE(all.starts_with("one: 1 11 21 ") && all.ends_with(" 191;")) << all;
  }
  EXPECT_GE(store_.seals_read, 3 * 15);
}

}  // namespace
}  // namespace leat::load
