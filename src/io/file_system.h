// Everything the program does with files goes through FileSystem, so that tests can fail any
// operation and cut the power at any moment (io/faulty_file_system.h). Paths are absolute or
// relative to the working directory.
//
// Durability: bytes written to a file are durable after File::sync(); a file's name, a rename or a
// removal is durable after sync_directory() of the folder that holds the name. Nothing else is
// promised.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"

namespace leat::io {

/// Reads and writes with FileSystem::open(direct) start at, end at and use memory at multiples of
/// this many bytes.
inline constexpr std::size_t kDirectAlignment = 4096;

struct OpenOptions {
  bool write = false;      ///< Reading is always allowed.
  bool create = false;     ///< Makes the file when it does not exist. Needs `write`.
  bool exclusive = false;  ///< With `create`: kConflict when the file exists.
  bool truncate = false;   ///< Empties the file. Needs `write`.
  /// Passes by the page cache (O_DIRECT). Where the file system refuses, the file is opened
  /// without; File::direct() tells. The caller keeps to kDirectAlignment in both cases.
  bool direct = false;
};

/// An open file. Positional calls may come from any thread; closing is the destructor or close(),
/// by one owner.
class File {
 public:
  File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  virtual ~File() = default;

  /// Reads at `offset` until `into` is full or the file ends; returns the bytes read.
  [[nodiscard]] virtual Result<std::size_t> pread(std::span<char> into, std::uint64_t offset) = 0;
  /// Writes all of `bytes` at `offset`. After an error any part may have been written. kExhausted:
  /// disk full.
  [[nodiscard]] virtual Status pwrite(std::string_view bytes, std::uint64_t offset) = 0;
  /// Makes all written bytes and the size durable (fdatasync). After an error no bytes written
  /// since the last good sync may be trusted, and a later good sync does not change that.
  [[nodiscard]] virtual Status sync() = 0;
  [[nodiscard]] virtual Status truncate(std::uint64_t size) = 0;
  /// Takes disk space for the first `size` bytes and grows the file to it, so that a full disk
  /// shows now (kExhausted). Where the file system cannot, nothing happens.
  [[nodiscard]] virtual Status reserve(std::uint64_t size) = 0;
  [[nodiscard]] virtual Result<std::uint64_t> size() = 0;
  /// True when reads and writes pass by the page cache.
  [[nodiscard]] virtual bool direct() const = 0;
  /// Closes early to learn of an error; the file must not be used after.
  [[nodiscard]] virtual Status close() = 0;
};

/// Held for as long as the object lives; the system gives it up when the process dies.
class FileLock {
 public:
  FileLock() = default;
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  virtual ~FileLock() = default;
};

struct FileInfo {
  std::uint64_t size = 0;  ///< Bytes; zero for a folder.
  bool directory = false;
  TimeUs modified;             ///< Last change of the content.
  std::uint64_t identity = 0;  ///< Differs between files that exist at once.
};

struct DirectoryEntry {
  std::string name;  ///< Within its folder; never "." or "..".
  bool directory = false;
};

/// The system's files. Any thread. Errors beside those named: kNotFound, kConflict (a folder
/// where a file is meant or the reverse), kDenied, kExhausted (disk
/// or quota full), kUnavailable (the device failed).
class FileSystem {
 public:
  FileSystem() = default;
  FileSystem(const FileSystem&) = delete;
  FileSystem& operator=(const FileSystem&) = delete;
  virtual ~FileSystem() = default;

  [[nodiscard]] virtual Result<std::unique_ptr<File>> open(const std::string& path,
                                                           OpenOptions options) = 0;
  /// Replaces `to` when it exists; atomic for every reader and across a crash.
  [[nodiscard]] virtual Status rename(const std::string& from, const std::string& to) = 0;
  /// The same, but kConflict when `to` exists, also when another process makes it at the same
  /// moment.
  [[nodiscard]] virtual Status rename_new(const std::string& from, const std::string& to) = 0;
  /// Removes a file, or an empty folder.
  [[nodiscard]] virtual Status remove(const std::string& path) = 0;
  /// Entries of a folder, ordered bytewise by name.
  [[nodiscard]] virtual Result<std::vector<DirectoryEntry>> list(const std::string& directory) = 0;
  /// Makes a folder and its missing parents (mode 0700), and the names of all of them durable. Fine
  /// when it exists.
  [[nodiscard]] virtual Status make_directories(const std::string& directory) = 0;
  /// Makes the names in a folder durable.
  [[nodiscard]] virtual Status sync_directory(const std::string& directory) = 0;
  [[nodiscard]] virtual Result<FileInfo> stat(const std::string& path) = 0;
  /// Makes and locks the file at `path` for this process alone. kConflict when somebody else holds
  /// it.
  [[nodiscard]] virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
};

/// The machine's files. Lives for ever.
[[nodiscard]] FileSystem& posix_file_system();

/// Reads a whole file. kExhausted when it is larger than `bytes_max`.
[[nodiscard]] Result<std::string> read_file(FileSystem& files, const std::string& path,
                                            std::uint64_t bytes_max = std::uint64_t{1} << 30);

/// Puts `bytes` at `path`, whole or not at all, durable when it returns: temporary file
/// `<path>.new`, sync, rename, directory sync. One writer per path at a time.
[[nodiscard]] Status write_file_atomically(FileSystem& files, const std::string& path,
                                           std::string_view bytes);

/// "a/b" -> "a"; "b" -> "."; "/b" -> "/". Pure.
[[nodiscard]] std::string parent_directory(std::string_view path);

}  // namespace leat::io
