#include "app/file_text.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "app/folder_test.h"

namespace leat::app {
namespace {

class FileText : public FolderTest {};

TEST_F(FileText, PublishesWithItsPermissions) {
  const std::string path = folder_ + "/secret";
  ASSERT_TRUE(publish_text_file(path, "one", 0600).has_value());
  ASSERT_TRUE(publish_text_file(path, "two", 0600).has_value());
  EXPECT_EQ(read_text_file(path).value(), "two");
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_FALSE(std::filesystem::exists(path + ".new"));
}

TEST_F(FileText, LeavesNothingBehindWhenItCannotPublish) {
  const std::string path = folder_ + "/taken";
  std::filesystem::create_directories(path + "/inside");  // rename over a directory fails
  EXPECT_FALSE(publish_text_file(path, "x", 0600).has_value());
  EXPECT_FALSE(std::filesystem::exists(path + ".new"));
  EXPECT_FALSE(publish_text_file(folder_ + "/none/x", "x", 0600).has_value());
  EXPECT_EQ(read_text_file(folder_ + "/absent").error().code, Errc::kNotFound);
}

}  // namespace
}  // namespace leat::app
