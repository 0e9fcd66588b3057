// The one place that makes file system calls.
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "io/file_system.h"

namespace leat::io {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] int release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }

 private:
  int fd_;
};

// As fail_errno(), with what these mean for a path: a folder where a file is meant, or the other
// way round.
std::unexpected<Error> fail_path(int error_number, const std::string& what) {
  switch (error_number) {
    case ENOTDIR:
      return fail(Errc::kNotFound, what + ": a part of the path is a file");
    case EISDIR:
      return fail(Errc::kConflict, what + ": it is a folder");
    case ENOTEMPTY:
      return fail(Errc::kConflict, what + ": the folder is not empty");
    default:
      return fail_errno(error_number, what);
  }
}

int open_retrying(const char* path, int flags, mode_t mode) {
  int fd = -1;
  do {
    fd = ::open(path, flags, mode);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

class PosixFile final : public File {
 public:
  PosixFile(int fd, std::string path, bool direct)
      : descriptor_(fd), path_(std::move(path)), direct_(direct) {}

  Result<std::size_t> pread(std::span<char> into, std::uint64_t offset) override {
    std::size_t done = 0;
    while (done < into.size()) {
      const ssize_t count = ::pread(descriptor_.get(), into.data() + done, into.size() - done,
                                    static_cast<off_t>(offset + done));
      if (count < 0) {
        if (errno == EINTR) {
          continue;
        }
        return fail_path(errno, "cannot read " + path_);
      }
      done += static_cast<std::size_t>(count);
      // A direct read may not go on from an odd place; it stops there only at the end of the file.
      if (count == 0 || (direct_ && done % kDirectAlignment != 0)) {
        break;
      }
    }
    return done;
  }

  Status pwrite(std::string_view bytes, std::uint64_t offset) override {
    std::size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t count = ::pwrite(descriptor_.get(), bytes.data() + done, bytes.size() - done,
                                     static_cast<off_t>(offset + done));
      if (count < 0) {
        if (errno == EINTR) {
          continue;
        }
        return fail_errno(errno, "cannot write " + path_);
      }
      if (count == 0) {
        return fail_errno(ENOSPC, "cannot write " + path_);
      }
      done += static_cast<std::size_t>(count);
    }
    return {};
  }

  Status sync() override {
    if (::fdatasync(descriptor_.get()) != 0) {
      return fail_errno(errno, "cannot sync " + path_);
    }
    return {};
  }

  Status truncate(std::uint64_t size) override {
    if (::ftruncate(descriptor_.get(), static_cast<off_t>(size)) != 0) {
      return fail_errno(errno, "cannot resize " + path_);
    }
    return {};
  }

  Status reserve(std::uint64_t size) override {
    int failed = 0;
    do {
      failed = ::fallocate(descriptor_.get(), 0, 0, static_cast<off_t>(size)) == 0 ? 0 : errno;
    } while (failed == EINTR);
    if (failed != 0 && failed != EOPNOTSUPP && failed != ENOSYS) {
      return fail_errno(failed, "cannot reserve space for " + path_);
    }
    return {};
  }

  Result<std::uint64_t> size() override {
    struct ::stat info{};
    if (::fstat(descriptor_.get(), &info) != 0) {
      return fail_errno(errno, "cannot examine " + path_);
    }
    return static_cast<std::uint64_t>(info.st_size);
  }

  [[nodiscard]] bool direct() const override { return direct_; }

  Status close() override {
    if (::close(descriptor_.release()) != 0 && errno != EINTR) {
      return fail_errno(errno, "cannot close " + path_);
    }
    return {};
  }

 private:
  Descriptor descriptor_;
  std::string path_;
  bool direct_;
};

class PosixFileLock final : public FileLock {
 public:
  explicit PosixFileLock(int fd) : descriptor_(fd) {}

 private:
  Descriptor descriptor_;  // the lock belongs to it
};

int open_flags(const OpenOptions& options) {
  int flags = O_CLOEXEC | (options.write ? O_RDWR : O_RDONLY);
  flags |= options.create ? O_CREAT : 0;
  flags |= options.exclusive ? O_EXCL : 0;
  flags |= options.truncate ? O_TRUNC : 0;
  return flags;
}

// mkdir() failed: fine when there is a folder.
Status check_existing_directory(const std::string& directory, int error_number) {
  struct ::stat info{};
  if (::stat(directory.c_str(), &info) == 0) {
    if (S_ISDIR(info.st_mode)) {
      return {};
    }
    return fail(Errc::kConflict, "cannot make folder, a file has its name; " + directory);
  }
  if (error_number == ENOTDIR) {
    return fail(Errc::kConflict, "cannot make folder, a part of the path is a file; " + directory);
  }
  return fail_errno(error_number, "cannot make folder " + directory);
}

class PosixFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenOptions options) override {
    const int flags = open_flags(options);
    if (options.direct) {
      const int fd = open_retrying(path.c_str(), flags | O_DIRECT, 0600);
      if (fd >= 0) {
        return std::make_unique<PosixFile>(fd, path, true);
      }
      if (errno != EINVAL) {
        return fail_path(errno, "cannot open " + path);
      }
      // Some kernels make the file before they refuse O_DIRECT, so it may exist by now and that is
      // fine.
      options.exclusive = false;
    }
    const int fd = open_retrying(path.c_str(), open_flags(options), 0600);
    if (fd < 0) {
      return fail_path(errno, "cannot open " + path);
    }
    return std::make_unique<PosixFile>(fd, path, false);
  }

  Status rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) {
      return fail_path(errno, "cannot rename " + from + " to " + to);
    }
    return {};
  }

  Status rename_new(const std::string& from, const std::string& to) override {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
      return {};
    }
    if (errno != EINVAL && errno != ENOSYS) {
      return fail_path(errno, "cannot rename " + from + " to " + to);
    }
    // The file system does not know the flag: a hard link refuses an existing name as well.
    if (::link(from.c_str(), to.c_str()) != 0) {
      return fail_path(errno, "cannot link " + from + " to " + to);
    }
    ::unlink(from.c_str());
    return {};
  }

  Status remove(const std::string& path) override {
    if (::remove(path.c_str()) != 0) {
      return fail_path(errno, "cannot remove " + path);
    }
    return {};
  }

  Result<std::vector<DirectoryEntry>> list(const std::string& directory) override {
    DIR* stream = ::opendir(directory.c_str());
    if (stream == nullptr) {
      return fail_path(errno, "cannot list " + directory);
    }
    std::vector<DirectoryEntry> entries;
    errno = 0;
    while (const dirent* entry = ::readdir(stream)) {
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") {
        continue;
      }
      bool is_directory = entry->d_type == DT_DIR;
      if (entry->d_type == DT_UNKNOWN || entry->d_type == DT_LNK) {
        struct ::stat info{};
        is_directory =
            ::fstatat(::dirfd(stream), entry->d_name, &info, 0) == 0 && S_ISDIR(info.st_mode);
      }
      entries.push_back({std::string(name), is_directory});
      errno = 0;
    }
    const int error_number = errno;
    ::closedir(stream);
    if (error_number != 0) {
      return fail_errno(error_number, "cannot list " + directory);
    }
    std::ranges::sort(entries, {}, &DirectoryEntry::name);
    return entries;
  }

  Status make_directories(const std::string& directory) override {
    const std::string parent = parent_directory(directory);
    if (parent == directory || directory == ".") {
      return {};
    }
    LEAT_TRY(make_directories(parent));
    const bool made = ::mkdir(directory.c_str(), 0700) == 0;
    if (!made) {
      LEAT_TRY(check_existing_directory(directory, errno));
    }
    // Also the name of a folder that exists: whoever made it may have died before this.
    Status synced = sync_directory(parent);
    if (!synced && !made && synced.error().code == Errc::kDenied) {
      return {};  // a folder of somebody else's, which is not ours to sync
    }
    return synced;
  }

  Status sync_directory(const std::string& directory) override {
    const Descriptor descriptor(
        open_retrying(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0));
    if (descriptor.get() < 0) {
      return fail_errno(errno, "cannot open folder " + directory);
    }
    if (::fsync(descriptor.get()) != 0) {
      return fail_errno(errno, "cannot sync folder " + directory);
    }
    return {};
  }

  Result<FileInfo> stat(const std::string& path) override {
    struct ::stat info{};
    if (::stat(path.c_str(), &info) != 0) {
      return fail_path(errno, "cannot examine " + path);
    }
    FileInfo result;
    result.directory = S_ISDIR(info.st_mode);
    result.size = result.directory ? 0 : static_cast<std::uint64_t>(info.st_size);
    result.identity = info.st_ino;
    result.modified = TimeUs{info.st_mtim.tv_sec * kUsPerSecond + info.st_mtim.tv_nsec / 1000};
    return result;
  }

  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override {
    Descriptor descriptor(open_retrying(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (descriptor.get() < 0) {
      return fail_path(errno, "cannot open " + path);
    }
    if (::flock(descriptor.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK) {
        return fail(Errc::kConflict, "another process holds the lock; " + path);
      }
      return fail_errno(errno, "cannot lock " + path);
    }
    return std::make_unique<PosixFileLock>(descriptor.release());
  }
};

}  // namespace

FileSystem& posix_file_system() {
  static PosixFileSystem files;
  return files;
}

}  // namespace leat::io
