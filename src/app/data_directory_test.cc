#include "app/data_directory.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "app/file_text.h"
#include "app/folder_test.h"

namespace leat::app {
namespace {

class DataDirectoryTest : public FolderTest {};

TEST_F(DataDirectoryTest, IsMadeForTheUserOnlyAndHeldByOne) {
  const std::string root = folder_ + "/a/b";
  {
    const auto held = DataDirectory::open(root);
    ASSERT_TRUE(held.has_value()) << held.error().message;
    struct stat status{};
    ASSERT_EQ(::stat(root.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0700U);

    const auto second = DataDirectory::open(root);
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code, Errc::kConflict);
    EXPECT_EQ(second.error().message, fmt::format("the data directory {} is in use by process {}; "
                                                  "stop that one, or choose another directory "
                                                  "with --data",
                                                  root, ::getpid()));
  }
  EXPECT_TRUE(DataDirectory::open(root).has_value());
}

TEST_F(DataDirectoryTest, SaysThatItIsAFile) {
  const std::string path = folder_ + "/file";
  std::ofstream(path) << "x";
  const auto held = DataDirectory::open(path);
  ASSERT_FALSE(held.has_value());
  EXPECT_EQ(held.error().message,
            fmt::format("the data directory {} is a file; choose another with --data", path));
}

TEST_F(DataDirectoryTest, KeepsSecrets) {
  SeededRandom random(1);
  const std::string path = folder_ + "/secret";
  const auto first = keep_secret(path, 32, random);
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->size(), 32U);
  EXPECT_EQ(keep_secret(path, 32, random).value(), *first);
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  ASSERT_TRUE(publish_text_file(path, "\n", 0600).has_value());
  EXPECT_EQ(keep_secret(path, 32, random).error().code, Errc::kCorrupt);
}

TEST_F(DataDirectoryTest, KeepsWriteKeys) {
  const std::string path = folder_ + "/write-keys.json";
  EXPECT_TRUE(read_write_keys(path).value().empty());
  const std::map<std::string, std::string> keys = {{"shop", "b"}, {"web", "a\"b"}};
  ASSERT_TRUE(write_write_keys(path, keys).has_value());
  EXPECT_EQ(read_write_keys(path).value(), keys);
  for (const char* bad : {"", "[]", "{\"web\":1}"}) {
    ASSERT_TRUE(publish_text_file(path, bad, 0600).has_value());
    EXPECT_EQ(read_write_keys(path).error().code, Errc::kCorrupt) << bad;
  }
}

}  // namespace
}  // namespace leat::app
