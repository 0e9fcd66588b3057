#include "warehouse/dataapi/s3_uploads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aws/xml.h"
#include "base/clock.h"
#include "io/faulty_file_system.h"

namespace leat::dataapi {
namespace {

class S3UploadsTest : public testing::Test {
 protected:
  std::unique_ptr<S3Uploads> open(S3Uploads::Options options = {}) {
    options.files = &files_;
    options.directory = "/uploads";
    options.clock = &clock_;
    auto uploads = S3Uploads::open(options);
    EXPECT_TRUE(uploads) << uploads.error().message;
    return std::move(*uploads);
  }
  std::vector<std::string> files() const {
    std::vector<std::string> found;
    for (const std::string& path : files_.paths()) {
      if (path.starts_with("/uploads/")) found.push_back(path);
    }
    return found;
  }

  io::FaultyFileSystem files_;
  FakeClock clock_{TimeUs{1'000'000'000'000'000}};
};

TEST_F(S3UploadsTest, PutsPartsTogether) {
  const auto uploads = open();
  const std::string id = *uploads->begin("bucket", "key");
  const std::string second = *uploads->put(id, "bucket", "key", 2, "world");
  const std::string first = *uploads->put(id, "bucket", "key", 1, "hallo ");
  const std::string again = *uploads->put(id, "bucket", "key", 1, "hello ");
  EXPECT_NE(first, again);
  EXPECT_EQ(files().size(), 2U);  // the replaced part's file is gone
  const auto upload = uploads->find(id, "bucket", "key");
  ASSERT_TRUE(upload);
  const std::vector<aws::UploadedPart> parts = {{1, again}, {2, second}};
  EXPECT_EQ(*uploads->join(*upload, parts, 100), "hello world");
  EXPECT_EQ(uploads->join(*upload, parts, 10).error().code, Errc::kExhausted);
  const std::vector<aws::UploadedPart> old = {{1, first}, {2, second}};
  EXPECT_EQ(uploads->join(*upload, old, 100).error().code, Errc::kInvalid);
  const std::vector<aws::UploadedPart> missing = {{3, second}};
  EXPECT_EQ(uploads->join(*upload, missing, 100).error().code, Errc::kInvalid);
  EXPECT_EQ(uploads->list("bucket").size(), 1U);
  EXPECT_TRUE(uploads->list("other").empty());
  EXPECT_TRUE(uploads->remove(id, "bucket", "key"));
  EXPECT_TRUE(files().empty());
  EXPECT_EQ(uploads->find(id, "bucket", "key").error().code, Errc::kNotFound);
}

TEST_F(S3UploadsTest, KnowsAnUploadByItsKeyToo) {
  const auto uploads = open();
  const std::string id = *uploads->begin("bucket", "key");
  EXPECT_EQ(uploads->put(id, "bucket", "other", 1, "x").error().code, Errc::kNotFound);
  EXPECT_EQ(uploads->find(id, "other", "key").error().code, Errc::kNotFound);
  EXPECT_EQ(uploads->remove("none", "bucket", "key").error().code, Errc::kNotFound);
  EXPECT_TRUE(files().empty());
}

TEST_F(S3UploadsTest, HasLimits) {
  const auto uploads = open({.uploads_max = 2, .bytes_max = 10});
  const std::string id = *uploads->begin("bucket", "key");
  EXPECT_TRUE(uploads->begin("bucket", "key"));
  EXPECT_EQ(uploads->begin("bucket", "key").error().code, Errc::kExhausted);
  EXPECT_TRUE(uploads->put(id, "bucket", "key", 1, "123456"));
  EXPECT_EQ(uploads->put(id, "bucket", "key", 2, "12345").error().code, Errc::kExhausted);
  EXPECT_TRUE(uploads->put(id, "bucket", "key", 2, "1234"));
  EXPECT_TRUE(uploads->remove(id, "bucket", "key"));
  // Nobody came back for the other one.
  clock_.advance_us(25 * kUsPerHour);
  const std::string late = *uploads->begin("bucket", "key");
  EXPECT_TRUE(uploads->put(late, "bucket", "key", 1, "1234567890"));
  EXPECT_EQ(uploads->list("bucket").size(), 1U);
}

TEST_F(S3UploadsTest, EmptiesItsFolderAtTheStart) {
  {
    const auto uploads = open();
    ASSERT_TRUE(uploads->put(*uploads->begin("bucket", "key"), "bucket", "key", 1, "x"));
  }
  EXPECT_EQ(files().size(), 1U);
  const auto uploads = open();
  EXPECT_TRUE(files().empty());
}

// Whatever operation fails: the part is the old one or the new one, and the books stay right.
TEST_F(S3UploadsTest, SurvivesEveryFailure) {
  for (std::uint64_t n = 1; n < 100; ++n) {
    const auto uploads = open({.bytes_max = 8});
    const std::string id = *uploads->begin("bucket", "key");
    ASSERT_TRUE(uploads->put(id, "bucket", "key", 1, "old"));
    files_.fail_at(n);
    const auto put = uploads->put(id, "bucket", "key", 1, "12345");
    const bool all_done = files_.operations() < n;
    files_.clear_faults();
    const auto upload = uploads->find(id, "bucket", "key");
    ASSERT_TRUE(upload);
    const std::string wanted = put ? *put : upload->parts.at(1).etag;
    const std::vector<aws::UploadedPart> parts = {{1, wanted}};
    EXPECT_EQ(*uploads->join(*upload, parts, 100), put ? "12345" : "old") << n;
    // 8 bytes in all: fits only when the failed part was taken off again.
    EXPECT_EQ(uploads->put(id, "bucket", "key", 2, put ? "123" : "12345").has_value(), true) << n;
    if (all_done) return;
  }
  FAIL() << "never succeeded";
}

}  // namespace
}  // namespace leat::dataapi
