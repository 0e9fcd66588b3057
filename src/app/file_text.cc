#include "app/file_text.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace leat::app {
namespace {

// Closes a descriptor when left, whatever the way.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

Status write_and_sync(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_errno(errno, "write");
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(file) != 0) return fail_errno(errno, "fsync");
  return {};
}

Status write_new_file(const std::string& path, std::string_view text, unsigned mode) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
  if (file.number() < 0) return fail_errno(errno, path);
  if (::fchmod(file.number(), mode) != 0) return fail_errno(errno, path);
  const Status written = write_and_sync(file.number(), text);
  if (!written)
    return fail(written.error().code, fmt::format("{}: {}", path, written.error().message));
  return {};
}

Status sync_directory(const std::string& path) {
  const Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.number() < 0 || ::fsync(directory.number()) != 0) return fail_errno(errno, path);
  return {};
}

}  // namespace

Result<std::string> read_text_file(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number() < 0) return fail_errno(errno, path);
  std::string text;
  char buffer[16384];
  while (true) {
    const ssize_t got = ::read(file.number(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(errno, path);
    if (got == 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
  }
}

Status publish_text_file(const std::string& path, std::string_view text, unsigned mode) {
  const std::string temporary = path + ".new";
  const auto discard = [&](const Error& error) {
    ::unlink(temporary.c_str());
    return std::unexpected(error);
  };
  if (auto written = write_new_file(temporary, text, mode); !written)
    return discard(written.error());
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    return discard(fail_errno(errno, path).error());
  }
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return sync_directory(parent.empty() ? "." : parent);
}

}  // namespace leat::app
