#include "warehouse/dataapi/s3_listing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/directory_object_store.h"
#include "io/faulty_file_system.h"

namespace leat::dataapi {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class S3Listing : public testing::Test {
 protected:
  void SetUp() override {
    auto store = io::DirectoryObjectStore::open({.files = &files_, .root = "/objects"});
    ASSERT_TRUE(store);
    store_ = std::move(*store);
    for (const char* key : {"a/1", "a/2", "a/b/3", "b", "c d/4", "c d/5", "e", "f/6"}) {
      ASSERT_TRUE(store_->put("s3://bucket/" + std::string(key), "x"));
    }
  }

  // Names of all pages, a folded prefix with a star behind it.
  std::vector<std::string> all(ListingRequest asked, std::size_t* pages = nullptr) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < 100; ++i) {
      const auto page = list_page(*store_, asked);
      EXPECT_TRUE(page) << page.error().message;
      if (!page) break;
      EXPECT_LE(page->objects.size() + page->prefixes.size(), asked.limit);
      for (const auto& object : page->objects) names.push_back(object.uri.substr(12));
      for (const auto& prefix : page->prefixes) names.push_back(prefix + "*");
      if (pages != nullptr) *pages = i + 1;
      if (!page->truncated) break;
      asked.after = page->last;
    }
    return names;
  }

  io::FaultyFileSystem files_;
  std::unique_ptr<io::DirectoryObjectStore> store_;
};

TEST_F(S3Listing, ListsAllInPages) {
  EXPECT_THAT(all({.bucket = "bucket"}),
              ElementsAre("a/1", "a/2", "a/b/3", "b", "c d/4", "c d/5", "e", "f/6"));
  EXPECT_THAT(all({.bucket = "bucket", .prefix = "a/"}), ElementsAre("a/1", "a/2", "a/b/3"));
  EXPECT_THAT(all({.bucket = "bucket", .after = "c d/4"}), ElementsAre("c d/5", "e", "f/6"));
  std::size_t pages = 0;
  EXPECT_EQ(all({.bucket = "bucket", .limit = 3}, &pages).size(), 8U);
  EXPECT_EQ(pages, 3U);
  EXPECT_THAT(all({.bucket = "bucket", .limit = 0}), IsEmpty());
  EXPECT_THAT(all({.bucket = "nothing-there"}), IsEmpty());
}

TEST_F(S3Listing, FoldsAtTheDelimiter) {
  for (const std::size_t limit : {std::size_t{1}, std::size_t{2}, std::size_t{1000}}) {
    auto names = all({.bucket = "bucket", .delimiter = "/", .limit = limit});
    std::ranges::sort(names);
    EXPECT_THAT(names, ElementsAre("a/*", "b", "c d/*", "e", "f/*")) << limit;
    names = all({.bucket = "bucket", .prefix = "a/", .delimiter = "/", .limit = limit});
    std::ranges::sort(names);
    EXPECT_THAT(names, ElementsAre("a/1", "a/2", "a/b/*")) << limit;
  }
}

TEST_F(S3Listing, ReadsManyKeysInFewCalls) {
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(store_->put("s3://flat-bucket/key-" + std::to_string(1000 + i), "x"));
  }
  files_.clear_faults();
  EXPECT_EQ(all({.bucket = "flat-bucket", .delimiter = "/"}).size(), 300U);
  EXPECT_LT(files_.operations(io::FileOperation::kList), 10U);
}

TEST_F(S3Listing, TellsWhenTheStoreFails) {
  files_.fail_at(io::FileOperation::kList, 1);
  EXPECT_EQ(list_page(*store_, {.bucket = "bucket"}).error().code, Errc::kUnavailable);
}

}  // namespace
}  // namespace leat::dataapi
