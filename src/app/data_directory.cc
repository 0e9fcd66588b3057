#include "app/data_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "app/file_text.h"
#include "base/text.h"

namespace leat::app {
namespace {

Status make_private_directory(const std::string& path) {
  std::error_code error;
  const auto parent = std::filesystem::path(path).parent_path();
  if (!parent.empty()) std::filesystem::create_directories(parent, error);
  if (error) return fail_errno(error.value(), fmt::format("cannot make {}", parent.string()));
  if (::mkdir(path.c_str(), 0700) == 0) return {};
  if (errno != EEXIST)
    return fail_errno(errno, fmt::format("cannot make the data directory {}", path));
  if (!std::filesystem::is_directory(path, error)) {
    return fail(Errc::kConflict,
                fmt::format("the data directory {} is a file; choose another with --data", path));
  }
  return {};
}

// Best effort: tells the next process who has the directory.
void note_process(int lock) {
  const std::string text = fmt::format("{}\n", ::getpid());
  if (::ftruncate(lock, 0) == 0) (void)!::pwrite(lock, text.data(), text.size(), 0);
}

}  // namespace

Result<DataDirectory> DataDirectory::open(const std::string& root) {
  LEAT_TRY(make_private_directory(root));
  // Absolute, so that nothing depends on the working directory later.
  std::error_code error;
  const auto absolute = std::filesystem::canonical(root, error);
  if (error) return fail_errno(error.value(), root);
  DataPaths paths{absolute.string()};
  const int lock = ::open(paths.lock().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return fail_errno(errno, fmt::format("cannot use the data directory {}", root));
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    const int reason = errno;
    ::close(lock);
    if (reason != EWOULDBLOCK) return fail_errno(reason, paths.lock());
    const auto holder = read_text_file(paths.lock());
    return fail(
        Errc::kConflict,
        fmt::format(
            "the data directory {} is in use by process {}; stop that one, or choose another "
            "directory with --data",
            root, holder ? trim(*holder) : std::string_view("?")));
  }
  note_process(lock);
  return DataDirectory(std::move(paths), lock);
}

DataDirectory::DataDirectory(DataDirectory&& other) noexcept
    : paths_(std::move(other.paths_)), lock_(std::exchange(other.lock_, -1)) {}

DataDirectory::~DataDirectory() {
  if (lock_ >= 0) ::close(lock_);
}

Result<std::string> keep_secret(const std::string& path, std::size_t length, Random& random) {
  auto text = read_text_file(path);
  if (text) {
    std::string secret(trim(*text));
    if (secret.empty()) {
      return fail(Errc::kCorrupt,
                  fmt::format("{} is empty; remove it to have a new secret made", path));
    }
    return secret;
  }
  if (text.error().code != Errc::kNotFound) return std::unexpected(text.error());
  std::string secret = random_token(random, length);
  LEAT_TRY(publish_text_file(path, secret + "\n", 0600));
  return secret;
}

Result<std::map<std::string, std::string>> read_write_keys(const std::string& path) {
  const auto text = read_text_file(path);
  std::map<std::string, std::string> keys;
  if (!text && text.error().code == Errc::kNotFound) return keys;
  if (!text) return std::unexpected(text.error());
  const auto json = nlohmann::json::parse(*text, nullptr, false);
  if (!json.is_object())
    return fail(Errc::kCorrupt, fmt::format("{} is no JSON object of write keys", path));
  for (const auto& [source, key] : json.items()) {
    if (!key.is_string())
      return fail(Errc::kCorrupt, fmt::format("{}: the key of '{}' is no text", path, source));
    keys.emplace(source, key.get<std::string>());
  }
  return keys;
}

Status write_write_keys(const std::string& path, const std::map<std::string, std::string>& keys) {
  return publish_text_file(path, nlohmann::json(keys).dump(2) + "\n", 0600);
}

}  // namespace leat::app
