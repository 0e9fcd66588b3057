#include "io/object_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "io/directory_object_store.h"
#include "io/faulty_file_system.h"
#include "io/object_store_conformance.h"

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

// A store in a folder of the machine, or of a file system in memory.
class Directory final : public StoreUnderTest {
 public:
  explicit Directory(bool posix) {
    FileSystem* files = &faulty_;
    if (posix) {
      root_ = std::filesystem::temp_directory_path() / "leat-store-XXXXXX";
      EXPECT_NE(::mkdtemp(root_.data()), nullptr);
      temporary_ = root_;
      files = &posix_file_system();
    }
    auto store = DirectoryObjectStore::open({.files = files, .root = root_});
    EXPECT_TRUE(store.has_value()) << store.error().to_string();
    store_ = std::move(*store);
  }
  ~Directory() override {
    if (!temporary_.empty()) std::filesystem::remove_all(temporary_);
  }
  ObjectStore& store() override { return *store_; }
  DirectoryObjectStore& directory_store() { return *store_; }
  const std::string& root() const { return root_; }

 private:
  FaultyFileSystem faulty_;
  std::string root_ = "/objects";
  std::string temporary_;
  std::unique_ptr<DirectoryObjectStore> store_;
};

const StoreKind kPosix = {"Posix", [] { return std::make_unique<Directory>(true); }};
const StoreKind kFaulty = {"Faulty", [] { return std::make_unique<Directory>(false); }};
const auto kName = [](const auto& chosen) { return chosen.param.name; };

INSTANTIATE_TEST_SUITE_P(Directory, ObjectStoreConformance, testing::Values(kPosix, kFaulty),
                         kName);

// What only directories do.
class DirectoryObjectStoreTest : public ObjectStoreConformance {};

TEST_P(DirectoryObjectStoreTest, TellsWhereTheFileIs) {
  auto& directory = dynamic_cast<Directory&>(*made_);
  EXPECT_EQ(directory.directory_store().local_path("s3://leat/raw/a.zst").value(),
            directory.root() + "/leat/raw/a.zst");
}

TEST_P(DirectoryObjectStoreTest, ABucketIsMadeByItsFirstObject) {
  EXPECT_THAT(list("s3://absent/"), ElementsAre());
  EXPECT_TRUE(store_->put("s3://absent/a", "x").has_value());
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

INSTANTIATE_TEST_SUITE_P(All, DirectoryObjectStoreTest, testing::Values(kPosix, kFaulty), kName);

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

// What can be made again need not wait for the disk, and many objects go with one wait.
TEST(DirectoryObjectStore, WaitsForTheDiskNoMoreThanItMust) {
  FaultyFileSystem files;
  int syncs = 0;
  files.set_fault([&](FileOperation kind, const std::string&, auto...) -> std::optional<Error> {
    syncs += kind == FileOperation::kSync || kind == FileOperation::kSyncDirectory ? 1 : 0;
    return std::nullopt;
  });
  auto store = DirectoryObjectStore::open({.files = &files, .root = "/objects"});
  ASSERT_TRUE((*store)->put("s3://leat/staging/kept", "x").has_value());
  EXPECT_GE(syncs, 2);
  syncs = 0;
  std::vector<std::string> uris;
  for (int i = 0; i < 5; ++i) {
    uris.push_back("s3://leat/staging/" + std::to_string(i));
    ASSERT_TRUE((*store)->put(uris.back(), "x", {.durable = false}).has_value());
    EXPECT_EQ((*store)->get(uris.back()).value(), "x");
  }
  EXPECT_EQ(syncs, 0);
  ASSERT_TRUE((*store)->remove_all(uris).has_value());
  EXPECT_EQ(syncs, 1);
  EXPECT_EQ((*store)->list("s3://leat/").value().objects.size(), 1U);
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
