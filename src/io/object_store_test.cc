#include "io/object_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "io/directory_object_store.h"
#include "io/faulty_file_system.h"

namespace leat::io {
namespace {

using testing::ElementsAre;

TEST(ParseObjectUri, Table) {
  struct Case {
    std::string uri;
    bool good;
    std::string bucket;
    std::string key;
  };
  const std::vector<Case> cases = {
      {"s3://leat/raw/a.zst", true, "leat", "raw/a.zst"},
      {"s3://leat/", true, "leat", ""},
      {"s3://leat", true, "leat", ""},
      {"s3://my.bucket-1/k k", true, "my.bucket-1", "k k"},
      {"s3://leat/h\xc3\xa9", true, "leat", "h\xc3\xa9"},
      {"s3://leat//a", true, "leat", "/a"},
      {"http://leat/a", false, "", ""},
      {"", false, "", ""},
      {"s3://ab/a", false, "", ""},
      {"s3://Leat/a", false, "", ""},
      {"s3://-leat/a", false, "", ""},
      {"s3://leat./a", false, "", ""},
      {"s3://.tmp/a", false, "", ""},
      {"s3:///a", false, "", ""},
      {"s3://leat/a\nb", false, "", ""},
      {std::string("s3://leat/a\0b", 13), false, "", ""},
      {"s3://leat/\xff", false, "", ""},
      {"s3://leat/" + std::string(1024, 'k'), true, "leat", std::string(1024, 'k')},
      {"s3://leat/" + std::string(1025, 'k'), false, "", ""},
  };
  for (const Case& c : cases) {
    const auto name = parse_object_uri(c.uri);
    ASSERT_EQ(name.has_value(), c.good) << c.uri;
    if (c.good) {
      EXPECT_EQ(name->bucket, c.bucket);
      EXPECT_EQ(name->key, c.key);
    } else {
      EXPECT_EQ(name.error().code, Errc::kInvalid);
    }
  }
}

class DirectoryObjectStoreTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    root_ = "/objects";
    FileSystem* files = &faulty_;
    if (GetParam()) {
      root_ = std::filesystem::temp_directory_path() / "leat-store-XXXXXX";
      ASSERT_NE(::mkdtemp(root_.data()), nullptr);
      files = &posix_file_system();
    }
    auto store = DirectoryObjectStore::open({.files = files, .root = root_});
    ASSERT_TRUE(store.has_value()) << store.error().to_string();
    store_ = std::move(*store);
  }
  void TearDown() override {
    if (GetParam()) {
      std::filesystem::remove_all(root_);
    }
  }
  std::vector<std::string> list(std::string_view prefix, const ListOptions& options = {}) {
    const auto page = store_->list(prefix, options);
    EXPECT_TRUE(page.has_value()) << page.error().to_string();
    std::vector<std::string> uris;
    for (const ObjectInfo& info : page->objects) {
      uris.push_back(info.uri);
    }
    return uris;
  }

  FaultyFileSystem faulty_;
  std::string root_;
  std::unique_ptr<DirectoryObjectStore> store_;
};

TEST_P(DirectoryObjectStoreTest, PutsGetsReplacesRemoves) {
  const std::string uri = "s3://leat/raw/source=web/date=2026-11-20/a.zst";
  EXPECT_EQ(store_->get(uri).error().code, Errc::kNotFound);
  EXPECT_EQ(store_->head(uri).error().code, Errc::kNotFound);
  const auto put = store_->put(uri, "hello world");
  ASSERT_TRUE(put.has_value()) << put.error().to_string();
  EXPECT_EQ(put->size, 11u);
  EXPECT_EQ(store_->get(uri).value(), "hello world");
  EXPECT_EQ(store_->get(uri, 5).error().code, Errc::kExhausted);
  EXPECT_EQ(store_->get_range(uri, 6, 100).value(), "world");
  EXPECT_EQ(store_->get_range(uri, 0, 5).value(), "hello");
  EXPECT_EQ(store_->get_range(uri, 11, 5).value(), "");
  EXPECT_EQ(store_->head(uri).value().size, 11u);
  EXPECT_EQ(store_->head(uri).value().etag, put->etag);
  EXPECT_EQ(store_->local_path(uri).value(), root_ + "/leat/raw/source=web/date=2026-11-20/a.zst");
  ASSERT_TRUE(store_->put(uri, "new").has_value());
  EXPECT_EQ(store_->get(uri).value(), "new");
  EXPECT_NE(store_->head(uri).value().etag, put->etag);
  ASSERT_TRUE(store_->remove(uri).has_value());
  ASSERT_TRUE(store_->remove(uri).has_value());
  EXPECT_EQ(store_->get(uri).error().code, Errc::kNotFound);
}

TEST_P(DirectoryObjectStoreTest, RefusesToReplaceWhenAsked) {
  ASSERT_TRUE(store_->put("s3://leat/a", "1", {.if_none_match = true}).has_value());
  EXPECT_EQ(store_->put("s3://leat/a", "2", {.if_none_match = true}).error().code, Errc::kConflict);
  EXPECT_EQ(store_->get("s3://leat/a").value(), "1");
}

TEST_P(DirectoryObjectStoreTest, KeepsToItsRoot) {
  for (const char* uri :
       {"s3://leat/../x", "s3://leat/a/../../x", "s3://leat/./a", "s3://leat//a", "s3://leat/a//b",
        "s3://leat/a/", "s3://leat/", "s3://leat/..", "file:///etc/passwd"}) {
    EXPECT_EQ(store_->put(uri, "x").error().code, Errc::kInvalid) << uri;
    EXPECT_EQ(store_->get(uri).error().code, Errc::kInvalid) << uri;
    EXPECT_EQ(store_->remove(uri).error().code, Errc::kInvalid) << uri;
  }
  EXPECT_EQ(store_->put("s3://leat/" + std::string(256, 'k'), "x").error().code, Errc::kInvalid);
  EXPECT_EQ(store_->list("s3://leat/../").error().code, Errc::kInvalid);
}

TEST_P(DirectoryObjectStoreTest, OneKeyIsNoFolderOfAnother) {
  ASSERT_TRUE(store_->put("s3://leat/a", "x").has_value());
  ASSERT_TRUE(store_->put("s3://leat/b/c", "x").has_value());
  EXPECT_EQ(store_->put("s3://leat/a/b", "x").error().code, Errc::kConflict);
  EXPECT_EQ(store_->put("s3://leat/b", "x").error().code, Errc::kConflict);
  EXPECT_EQ(store_->get("s3://leat/b").error().code, Errc::kNotFound);
  EXPECT_EQ(store_->get("s3://leat/a/b").error().code, Errc::kNotFound);
  EXPECT_EQ(store_->get_range("s3://leat/a/b", 0, 1).error().code, Errc::kNotFound);
  EXPECT_EQ(store_->head("s3://leat/b").error().code, Errc::kNotFound);
  EXPECT_TRUE(store_->remove("s3://leat/b").has_value());
  EXPECT_EQ(store_->get("s3://leat/b/c").value(), "x");
}

TEST_P(DirectoryObjectStoreTest, ListsBytewiseAtAnyDepth) {
  for (const char* key : {"a/b", "a-b", "a.b", "a0", "z", "a/a/a", "b/1", "b/2"}) {
    ASSERT_TRUE(store_->put("s3://leat/" + std::string(key), key).has_value());
  }
  ASSERT_TRUE(store_->put("s3://other/a", "x").has_value());
  EXPECT_THAT(list("s3://leat/"),
              ElementsAre("s3://leat/a-b", "s3://leat/a.b", "s3://leat/a/a/a", "s3://leat/a/b",
                          "s3://leat/a0", "s3://leat/b/1", "s3://leat/b/2", "s3://leat/z"));
  EXPECT_THAT(list("s3://leat/a/"), ElementsAre("s3://leat/a/a/a", "s3://leat/a/b"));
  EXPECT_THAT(list("s3://leat/a/a"), ElementsAre("s3://leat/a/a/a"));
  EXPECT_THAT(list("s3://leat/b", {.start_after = "s3://leat/b/1"}), ElementsAre("s3://leat/b/2"));
  EXPECT_THAT(list("s3://leat/", {.start_after = "s3://leat/a0"}),
              ElementsAre("s3://leat/b/1", "s3://leat/b/2", "s3://leat/z"));
  EXPECT_THAT(list("s3://leat/none/"), ElementsAre());
  EXPECT_THAT(list("s3://absent/"), ElementsAre());
  EXPECT_EQ(store_->list("s3://leat/", {.start_after = "s3://other/a"}).error().code,
            Errc::kInvalid);
  const auto page = store_->list("s3://leat/", {.start_after = {}, .limit = 3});
  EXPECT_EQ(page->objects.size(), 3u);
  EXPECT_TRUE(page->truncated);
  EXPECT_FALSE(store_->list("s3://leat/", {.start_after = {}, .limit = 8})->truncated);
}

// Pages of every size, put together, are the sorted set of keys.
TEST_P(DirectoryObjectStoreTest, PagesAgreeWithASortedSet) {
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
      ASSERT_TRUE(page.has_value());
      for (const ObjectInfo& info : page->objects) {
        all.push_back(info.uri);
      }
      if (!page->truncated) {
        break;
      }
      options.start_after = all.back();
    }
    EXPECT_EQ(all, std::vector<std::string>(uris.begin(), uris.end())) << limit;
  }
}

INSTANTIATE_TEST_SUITE_P(All, DirectoryObjectStoreTest, testing::Bool(),
                         [](const auto& chosen) { return chosen.param ? "Posix" : "Faulty"; });

// Whatever fails, a reader sees the old object or the new one, whole; and what put() acknowledged
// survives power cuts.
TEST(DirectoryObjectStore, PutIsAtomicAtEveryFailure) {
  const std::string uri = "s3://leat/deep/folder/object";
  const std::string old_bytes(5000, 'o');
  const std::string new_bytes(7000, 'n');
  for (const bool existing : {false, true}) {
    bool reached_end = false;
    for (std::uint64_t n = 1; !reached_end; ++n) {
      for (std::uint64_t seed = 0; seed < 20; ++seed) {
        FaultyFileSystem files;
        SeededRandom random(seed * 1000 + n);
        {
          auto store = DirectoryObjectStore::open({.files = &files, .root = "/objects"});
          ASSERT_TRUE(store.has_value());
          if (existing) {
            ASSERT_TRUE((*store)->put(uri, old_bytes).has_value());
          }
          files.fail_at(n, seed % 2 == 0);
          const bool put = (*store)->put(uri, new_bytes).has_value();
          reached_end = files.operations() < n;
          ASSERT_EQ(put, reached_end) << n;
        }
        files.restart_machine(random, static_cast<unsigned>(random.below(101)));
        auto store = DirectoryObjectStore::open({.files = &files, .root = "/objects"});
        ASSERT_TRUE(store.has_value());
        const auto bytes = (*store)->get(uri);
        if (reached_end) {
          ASSERT_EQ(bytes.value(), new_bytes);
        } else if (existing) {
          ASSERT_TRUE(bytes.has_value());
          ASSERT_TRUE(*bytes == old_bytes || *bytes == new_bytes);
        } else {
          ASSERT_TRUE(bytes.has_value() ? *bytes == new_bytes
                                        : bytes.error().code == Errc::kNotFound);
        }
        ASSERT_TRUE((*store)->put(uri, new_bytes).has_value()) << "not usable after a restart";
      }
    }
  }
}

TEST(DirectoryObjectStore, FullDiskIsExhausted) {
  FaultyFileSystem files;
  auto store = DirectoryObjectStore::open({.files = &files, .root = "/objects"});
  files.set_space(100);
  EXPECT_EQ((*store)->put("s3://leat/a", std::string(200, 'x')).error().code, Errc::kExhausted);
  EXPECT_EQ((*store)->head("s3://leat/a").error().code, Errc::kNotFound);
  EXPECT_TRUE((*store)->put("s3://leat/a", std::string(100, 'x')).has_value())
      << "the failed put left its bytes";
}

}  // namespace
}  // namespace leat::io
