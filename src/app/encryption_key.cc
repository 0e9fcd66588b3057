#include "app/encryption_key.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "app/file_text.h"
#include "base/digest.h"
#include "base/text.h"

namespace leat::app {
namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kKeyBytesMax = 1024;

int digit_of(char letter) {
  if (letter >= '0' && letter <= '9') return letter - '0';
  if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
  if (letter >= 'A' && letter <= 'F') return letter - 'A' + 10;
  return -1;
}

/// Bytes of hexadecimal digits, or of base64.
std::optional<std::string> key_bytes(std::string_view text) {
  const bool digits = text.size() % 2 == 0 &&
                      std::ranges::all_of(text, [](char letter) { return digit_of(letter) >= 0; });
  if (!digits) return from_base64(text);
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 2)
    bytes += static_cast<char>(digit_of(text[i]) * 16 + digit_of(text[i + 1]));
  return bytes;
}

EncryptionKey key_of(const std::string& bytes) {
  return {.text = to_base64(bytes),
          .id = to_hex(sha256("leat encryption key\n" + bytes)).substr(0, 16)};
}

}  // namespace

Result<EncryptionKey> read_encryption_key(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0)
    return fail_errno(errno, "cannot read the encryption key's file " + path);
  if (!S_ISREG(info.st_mode)) return fail(Errc::kInvalid, path + " is no file with a key");
  if ((info.st_mode & 077U) != 0) {
    return fail(Errc::kDenied,
                fmt::format("{0} holds the encryption key, and others than its owner "
                            "may use it (mode {1:04o}); run chmod 600 {0}",
                            path, info.st_mode & 07777U));
  }
  LEAT_ASSIGN(const std::string text, read_text_file(path));
  const auto bytes = key_bytes(trim(text));
  if (!bytes || bytes->size() < kKeyBytes || bytes->size() > kKeyBytesMax) {
    return fail(Errc::kInvalid,
                fmt::format("{} holds no key of 32 bytes or more as base64 or hexadecimal digits; "
                            "leat warehouse key FILE makes one",
                            path));
  }
  return key_of(*bytes);
}

Result<EncryptionKey> configured_key(const Config& config) {
  if (config.warehouse_encryption_key_file.empty()) return EncryptionKey{};
  return read_encryption_key(config.warehouse_encryption_key_file);
}

Result<EncryptionKey> make_encryption_key(const std::string& path, Random& random) {
  std::string bytes(kKeyBytes, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.next());
  EncryptionKey key = key_of(bytes);
  // Never over a key that files may need.
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0 && errno == EEXIST)
    return fail(Errc::kConflict, path + " exists; a key is never replaced: choose another name");
  if (file < 0) return fail_errno(errno, "cannot make " + path);
  ::close(file);
  if (Status written = publish_text_file(path, key.text + "\n", 0600); !written) {
    ::unlink(path.c_str());
    return std::unexpected(std::move(written).error());
  }
  return key;
}

}  // namespace leat::app
