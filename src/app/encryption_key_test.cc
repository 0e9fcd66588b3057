#include "app/encryption_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "app/folder_test.h"
#include "base/digest.h"

namespace leat::app {
namespace {

using ::testing::HasSubstr;

class EncryptionKeyTest : public FolderTest {};

TEST_F(EncryptionKeyTest, IsReadInEveryForm) {
  const std::string path = folder_ + "/key";
  const std::string bytes = "0123456789abcdef0123456789ABCDEF";
  std::string hex = to_hex(bytes);
  const auto read = [&](const std::string& text) {
    std::ofstream(path, std::ios::trunc) << text;
    EXPECT_EQ(::chmod(path.c_str(), 0600), 0);
    return read_encryption_key(path);
  };
  const auto key = read(hex);
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_EQ(key->text, to_base64(bytes));
  EXPECT_EQ(key->id.size(), 16U);
  for (const std::string& text : {to_base64(bytes), to_base64(bytes) + "\n", "  " + hex + "\r\n"})
    EXPECT_EQ(read(text)->id, key->id) << text;
  EXPECT_NE(read(to_base64(bytes + "x"))->id, key->id);
  for (const std::string& text : {std::string(), std::string("secret"), hex.substr(2), hex + "0",
                                  hex + " " + hex, to_base64(std::string(1025, 'a'))}) {
    const auto none = read(text);
    ASSERT_FALSE(none) << text;
    EXPECT_EQ(none.error().code, Errc::kInvalid);
    EXPECT_THAT(none.error().message, HasSubstr(path));
    if (!text.empty()) {
      EXPECT_THAT(none.error().message, ::testing::Not(HasSubstr(text)));
    }
  }
}

TEST_F(EncryptionKeyTest, IsForItsOwnerOnly) {
  const std::string path = folder_ + "/key";
  SeededRandom random(1);
  const auto made = make_encryption_key(path, random);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(read_encryption_key(path)->text, made->text);
  EXPECT_EQ(make_encryption_key(path, random).error().code, Errc::kConflict);
  EXPECT_EQ(read_encryption_key(path)->text, made->text);
  for (const mode_t mode : {0640, 0604, 0660, 0601}) {
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    const auto open = read_encryption_key(path);
    ASSERT_FALSE(open);
    EXPECT_EQ(open.error().code, Errc::kDenied);
    EXPECT_THAT(open.error().message, HasSubstr("chmod 600 " + path));
  }
  EXPECT_EQ(read_encryption_key(folder_ + "/none").error().code, Errc::kNotFound);
  EXPECT_EQ(read_encryption_key(folder_).error().code, Errc::kInvalid);
  EXPECT_EQ(make_encryption_key(folder_ + "/none/key", random).error().code, Errc::kNotFound);
}

}  // namespace
}  // namespace leat::app
