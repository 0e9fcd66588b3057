// What every object store must do, as one suite of tests: io/object_store_test.cc runs it on
// directories, tests/s3 on a real S3 server. The store has the buckets "leat" and "other", both
// empty when a test begins.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "io/object_store.h"

namespace leat::io {

/// Owns a store and what it stands on.
class StoreUnderTest {
 public:
  StoreUnderTest() = default;
  StoreUnderTest(const StoreUnderTest&) = delete;
  StoreUnderTest& operator=(const StoreUnderTest&) = delete;
  virtual ~StoreUnderTest() = default;
  [[nodiscard]] virtual ObjectStore& store() = 0;
};

struct StoreKind {
  std::string name;
  std::function<std::unique_ptr<StoreUnderTest>()> make;
};

/// GoogleTest prints parameters it knows nothing of as bytes, which are not the same every time.
// NOLINTNEXTLINE(readability-identifier-naming): GoogleTest's name
inline void PrintTo(const StoreKind& kind, std::ostream* out) {
  *out << kind.name;
}

class ObjectStoreConformance : public testing::TestWithParam<StoreKind> {
 protected:
  void SetUp() override {
    made_ = GetParam().make();
    ASSERT_NE(made_, nullptr);
    store_ = &made_->store();
  }
  std::vector<std::string> list(std::string_view prefix, const ListOptions& options = {}) {
    const auto page = store_->list(prefix, options);
    EXPECT_TRUE(page.has_value()) << page.error().to_string();
    std::vector<std::string> uris;
    if (!page) return uris;
    for (const ObjectInfo& info : page->objects) uris.push_back(info.uri);
    return uris;
  }

  std::unique_ptr<StoreUnderTest> made_;
  ObjectStore* store_ = nullptr;
};

TEST_P(ObjectStoreConformance, PutsGetsReplacesRemoves) {
  const std::string uri = "s3://leat/raw/source=web/date=2026-11-20/a.zst";
  EXPECT_EQ(store_->get(uri).error().code, Errc::kNotFound);
  EXPECT_EQ(store_->head(uri).error().code, Errc::kNotFound);
  EXPECT_EQ(store_->get_range(uri, 0, 1).error().code, Errc::kNotFound);
  const auto put = store_->put(uri, "hello world");
  ASSERT_TRUE(put.has_value()) << put.error().to_string();
  EXPECT_EQ(put->uri, uri);
  EXPECT_EQ(put->size, 11u);
  EXPECT_EQ(store_->get(uri).value(), "hello world");
  EXPECT_EQ(store_->get(uri, 11).value(), "hello world");
  EXPECT_EQ(store_->get(uri, 5).error().code, Errc::kExhausted);
  EXPECT_EQ(store_->get_range(uri, 6, 100).value(), "world");
  EXPECT_EQ(store_->get_range(uri, 0, 5).value(), "hello");
  EXPECT_EQ(store_->get_range(uri, 3, 0).value(), "");
  EXPECT_EQ(store_->get_range(uri, 11, 5).value(), "");
  EXPECT_EQ(store_->get_range(uri, 100, 5).value(), "");
  EXPECT_EQ(store_->head(uri).value().size, 11u);
  EXPECT_EQ(store_->head(uri).value().etag, put->etag);
  ASSERT_TRUE(store_->put(uri, "new").has_value());
  EXPECT_EQ(store_->get(uri).value(), "new");
  EXPECT_NE(store_->head(uri).value().etag, put->etag);
  ASSERT_TRUE(store_->remove(uri).has_value());
  ASSERT_TRUE(store_->remove(uri).has_value());
  EXPECT_EQ(store_->get(uri).error().code, Errc::kNotFound);
}

TEST_P(ObjectStoreConformance, KeepsEveryByteOfEverySize) {
  SeededRandom random(5);
  for (const std::size_t size : {0u, 1u, 4096u, 1'000'003u, 6'000'000u, 23'000'001u}) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; i += 8) {
      const std::uint64_t eight = random.next();
      std::memcpy(bytes.data() + i, &eight, std::min<std::size_t>(8, size - i));
    }
    const std::string uri = "s3://leat/size/" + std::to_string(size);
    const auto put = store_->put(uri, bytes);
    ASSERT_TRUE(put.has_value()) << put.error().to_string();
    EXPECT_EQ(put->size, size);
    EXPECT_EQ(store_->head(uri).value().size, size);
    const auto got = store_->get(uri);
    ASSERT_TRUE(got.has_value()) << got.error().to_string();
    EXPECT_TRUE(*got == bytes) << size;
    const auto middle = store_->get_range(uri, size / 3, size / 2);
    ASSERT_TRUE(middle.has_value()) << middle.error().to_string();
    EXPECT_TRUE(*middle == bytes.substr(size / 3, size / 2)) << size;
    EXPECT_EQ(store_->get_range(uri, size, 10).value(), "");
  }
}

TEST_P(ObjectStoreConformance, RefusesToReplaceWhenAsked) {
  ASSERT_TRUE(store_->put("s3://leat/a", "1", {.if_none_match = true}).has_value());
  EXPECT_EQ(store_->put("s3://leat/a", "2", {.if_none_match = true}).error().code, Errc::kConflict);
  EXPECT_EQ(store_->get("s3://leat/a").value(), "1");
  ASSERT_TRUE(store_->remove("s3://leat/a").has_value());
  ASSERT_TRUE(store_->put("s3://leat/a", "3", {.if_none_match = true}).has_value());
}

TEST_P(ObjectStoreConformance, OneOfManyWritersWins) {
  for (int round = 0; round < 5; ++round) {
    const std::string uri = "s3://leat/race/" + std::to_string(round);
    std::atomic<int> won{0};
    std::atomic<int> winner{-1};
    {
      std::vector<std::jthread> writers;
      for (int i = 0; i < 6; ++i) {
        writers.emplace_back([&, i] {
          const auto put = store_->put(uri, std::to_string(i), {.if_none_match = true});
          if (put) {
            ++won;
            winner = i;
          } else {
            EXPECT_EQ(put.error().code, Errc::kConflict) << put.error().to_string();
          }
        });
      }
    }
    EXPECT_EQ(won, 1);
    EXPECT_EQ(store_->get(uri).value(), std::to_string(winner));
  }
}

TEST_P(ObjectStoreConformance, RefusesBadNames) {
  for (const char* uri : {"s3://leat/", "s3://leat", "file:///etc/passwd", "s3://L/a", "",
                          "s3://leat/a\nb", "s3://leat/\xff"}) {
    EXPECT_EQ(store_->put(uri, "x").error().code, Errc::kInvalid) << uri;
    EXPECT_EQ(store_->get(uri).error().code, Errc::kInvalid) << uri;
    EXPECT_EQ(store_->get_range(uri, 0, 1).error().code, Errc::kInvalid) << uri;
    EXPECT_EQ(store_->head(uri).error().code, Errc::kInvalid) << uri;
    EXPECT_EQ(store_->remove(uri).error().code, Errc::kInvalid) << uri;
  }
  EXPECT_EQ(store_->put("s3://leat/" + std::string(1025, 'k'), "x").error().code, Errc::kInvalid);
}

TEST_P(ObjectStoreConformance, KeysMayHoldWhatUrlsMayNot) {
  std::vector<std::string> uris;
  for (const char* key :
       {"source=web/date=2026-11-20/x", "a b", "a+b", "a%2Fb", "q?x=1&y#z",
        "h\xc3\xa9/\xe2\x82\xac", "~'*(),;:@$!", "c&<d>\"e\"", "100%", "plus + space"}) {
    uris.push_back("s3://leat/" + std::string(key));
    const auto put = store_->put(uris.back(), key);
    ASSERT_TRUE(put.has_value()) << put.error().to_string();
    EXPECT_EQ(store_->get(uris.back()).value(), key);
    EXPECT_THAT(list(uris.back()), testing::ElementsAre(uris.back()));
  }
  std::sort(uris.begin(), uris.end());
  EXPECT_EQ(list("s3://leat/"), uris);
  EXPECT_TRUE(store_->remove_all(uris).has_value());
  EXPECT_THAT(list("s3://leat/"), testing::ElementsAre());
}

TEST_P(ObjectStoreConformance, ListsBytewiseAtAnyDepth) {
  for (const char* key : {"a/b", "a-b", "a.b", "a0", "z", "a/a/a", "b/1", "b/2"}) {
    ASSERT_TRUE(store_->put("s3://leat/" + std::string(key), key).has_value());
  }
  ASSERT_TRUE(store_->put("s3://other/a", "x").has_value());
  using testing::ElementsAre;
  EXPECT_THAT(list("s3://leat/"),
              ElementsAre("s3://leat/a-b", "s3://leat/a.b", "s3://leat/a/a/a", "s3://leat/a/b",
                          "s3://leat/a0", "s3://leat/b/1", "s3://leat/b/2", "s3://leat/z"));
  EXPECT_THAT(list("s3://leat/a/"), ElementsAre("s3://leat/a/a/a", "s3://leat/a/b"));
  EXPECT_THAT(list("s3://leat/a/a"), ElementsAre("s3://leat/a/a/a"));
  EXPECT_THAT(list("s3://leat/b", {.start_after = "s3://leat/b/1"}), ElementsAre("s3://leat/b/2"));
  EXPECT_THAT(list("s3://leat/", {.start_after = "s3://leat/a0"}),
              ElementsAre("s3://leat/b/1", "s3://leat/b/2", "s3://leat/z"));
  EXPECT_THAT(list("s3://leat/none/"), ElementsAre());
  EXPECT_EQ(store_->list("s3://leat/", {.start_after = "s3://other/a"}).error().code,
            Errc::kInvalid);
  const auto page = store_->list("s3://leat/", {.start_after = {}, .limit = 3});
  ASSERT_EQ(page->objects.size(), 3u);
  EXPECT_TRUE(page->truncated);
  EXPECT_EQ(page->objects[0].size, 3u);
  EXPECT_FALSE(store_->list("s3://leat/", {.start_after = {}, .limit = 8})->truncated);
}

// Pages of every size, put together, are the sorted set of keys.
TEST_P(ObjectStoreConformance, PagesAgreeWithASortedSet) {
  SeededRandom random(3);
  std::set<std::string> uris;
  const std::string alphabet = "ab-.0";
  for (int i = 0; i < 60; ++i) {
    std::string key;
    const std::uint64_t depth = 1 + random.below(3);
    for (std::uint64_t part = 0; part < depth; ++part) {
      // A part's first letter tells its depth's role, so that no key is a folder of another.
      key += (part == 0 ? "" : "/") + std::string(part + 1 == depth ? "f" : "d") +
             alphabet[random.below(alphabet.size())] + alphabet[random.below(alphabet.size())];
    }
    const std::string uri = "s3://leat/" + key;
    ASSERT_TRUE(store_->put(uri, "x").has_value()) << uri;
    uris.insert(uri);
  }
  for (const std::size_t limit : {1u, 2u, 7u, 1000u}) {
    std::vector<std::string> all;
    ListOptions options{.start_after = {}, .limit = limit};
    while (true) {
      const auto page = store_->list("s3://leat/", options);
      ASSERT_TRUE(page.has_value()) << page.error().to_string();
      for (const ObjectInfo& info : page->objects) all.push_back(info.uri);
      if (!page->truncated) break;
      ASSERT_FALSE(all.empty());
      options.start_after = all.back();
    }
    EXPECT_EQ(all, std::vector<std::string>(uris.begin(), uris.end())) << limit;
  }
}

TEST_P(ObjectStoreConformance, RemovesManyAtOnce) {
  std::vector<std::string> uris;
  for (int i = 0; i < 20; ++i) {
    uris.push_back("s3://leat/many/" + std::to_string(i));
    ASSERT_TRUE(store_->put(uris.back(), "x").has_value());
  }
  uris.emplace_back("s3://leat/many/absent");
  ASSERT_TRUE(store_->put("s3://leat/kept", "x").has_value());
  EXPECT_TRUE(store_->remove_all({}).has_value());
  const Status removed = store_->remove_all(uris);
  EXPECT_TRUE(removed.has_value()) << removed.error().to_string();
  EXPECT_THAT(list("s3://leat/"), testing::ElementsAre("s3://leat/kept"));
  const std::vector<std::string> bad = {"s3://leat/kept", "s3://leat/"};
  EXPECT_EQ(store_->remove_all(bad).error().code, Errc::kInvalid);
}

}  // namespace leat::io
