#include "warehouse/backup/backup.h"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/text.h"
#include "io/file_system.h"

namespace leat::backup {
namespace {

constexpr std::string_view kMagic = "leatbkup";
constexpr std::string_view kEndMagic = "leatbend";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kHeaderBytes = 512;
constexpr std::size_t kEndBytes = 24;
constexpr std::size_t kChunkHeadBytes = 8;
constexpr std::uint32_t kChunkBytesMax = 16U << 20U;
constexpr std::size_t kNameBytes = 128;
constexpr std::size_t kVersionBytes = 32;
// DuckDB's three headers, of which a checkpoint writes one.
constexpr std::size_t kDatabaseHeadersBytes = 3 * 4096;

template <class Number>
void put(std::string& out, std::size_t at, Number number) {
  for (std::size_t i = 0; i < sizeof number; ++i) {
    out[at + i] = static_cast<char>(static_cast<std::uint64_t>(number) >> (8 * i));
  }
}

template <class Number>
Number get(std::string_view bytes, std::size_t at) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < sizeof(Number); ++i) {
    number |= std::uint64_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
  }
  return static_cast<Number>(number);
}

void put_text(std::string& out, std::size_t at, std::size_t room, std::string_view text) {
  const std::string_view kept = text.substr(0, room - 1);
  std::memcpy(out.data() + at, kept.data(), kept.size());
}

std::string get_text(std::string_view bytes, std::size_t at, std::size_t room) {
  const std::string_view field = bytes.substr(at, room);
  return std::string(field.substr(0, field.find('\0')));
}

std::string header_of(const Contents& contents, std::uint32_t chunk_bytes) {
  std::string header(kHeaderBytes, '\0');
  std::memcpy(header.data(), kMagic.data(), kMagic.size());
  put(header, 8, kVersion);
  put(header, 12, chunk_bytes);
  put(header, 16, contents.made.value);
  put(header, 24, contents.database_bytes);
  put(header, 32, contents.log_bytes);
  put_text(header, 40, kNameBytes, contents.database);
  put_text(header, 168, kVersionBytes, contents.leat_version);
  put_text(header, 200, kVersionBytes, contents.engine_version);
  put(header, kHeaderBytes - 4, crc32c(std::string_view(header).substr(0, kHeaderBytes - 4)));
  return header;
}

std::string number_bytes(std::uint64_t number) {
  std::string bytes(8, '\0');
  put(bytes, 0, number);
  return bytes;
}

/// A chunk's checksum covers its number too, so that none can stand in another's place.
std::uint32_t chunk_checksum(std::uint64_t number, std::string_view bytes) {
  return crc32c(bytes, crc32c(number_bytes(number)));
}

std::string end_of(std::uint64_t chunks, std::uint32_t all) {
  std::string end(kEndBytes, '\0');
  std::memcpy(end.data(), kEndMagic.data(), kEndMagic.size());
  put(end, 8, chunks);
  put(end, 16, all);
  put(end, 20, crc32c(std::string_view(end).substr(0, 20)));
  return end;
}

/// What stands at the beginning of the database file, and whether a checkpoint is under way: DuckDB
/// keeps the log of the moment under other names then.
struct Marks {
  std::string headers;
  bool moving = false;
  bool operator==(const Marks&) const = default;
};

Result<bool> exists(io::FileSystem& files, const std::string& path) {
  const auto info = files.stat(path);
  if (info) return true;
  if (info.error().code == Errc::kNotFound) return false;
  return std::unexpected(info.error());
}

Result<Marks> read_marks(io::FileSystem& files, const std::string& database_file) {
  Marks marks;
  for (const char* suffix : {".wal.checkpoint", ".wal.recovery"}) {
    LEAT_ASSIGN(const bool there, exists(files, database_file + suffix));
    marks.moving = marks.moving || there;
  }
  LEAT_ASSIGN(const auto file, files.open(database_file, {}));
  marks.headers.resize(kDatabaseHeadersBytes);
  LEAT_ASSIGN(const std::size_t got, file->pread(marks.headers, 0));
  marks.headers.resize(got);
  return marks;
}

std::unexpected<Error> moved(const std::string& database_file) {
  return fail(Errc::kAborted,
              fmt::format("the warehouse moved its log while {} was copied; try again when less is "
                          "written to it",
                          database_file));
}

/// Appends to the backup: chunks one after the other.
class Writer {
 public:
  Writer(io::File& file, const BackupOptions& options)
      : file_(file), progress_(options.progress), chunk_bytes_(options.chunk_bytes) {}

  void expect(std::uint64_t total) { total_ = total; }

  /// Copies the first `bytes` of `from`; kAborted when it has become shorter.
  Status copy(io::File& from, std::uint64_t bytes, const std::string& path) {
    std::string chunk;
    for (std::uint64_t at = 0; at < bytes;) {
      const std::size_t wanted =
          static_cast<std::size_t>(std::min<std::uint64_t>(chunk_bytes_, bytes - at));
      chunk.assign(kChunkHeadBytes + wanted, '\0');
      LEAT_ASSIGN(const std::size_t got, from.pread(std::span(chunk).subspan(kChunkHeadBytes), at));
      if (got < wanted) return moved(path);
      const std::uint32_t checksum =
          chunk_checksum(chunks_, std::string_view(chunk).substr(kChunkHeadBytes));
      put(chunk, 0, static_cast<std::uint32_t>(wanted));
      put(chunk, 4, checksum);
      LEAT_TRY(file_.pwrite(chunk, at_));
      all_ = crc32c(number_bytes(checksum), all_);
      ++chunks_;
      at_ += chunk.size();
      at += wanted;
      done_ += wanted;
      if (progress_) progress_(done_, std::max(done_, total_));
    }
    return {};
  }

  Status finish(const Contents& contents) {
    LEAT_TRY(file_.pwrite(end_of(chunks_, all_), at_));
    return file_.pwrite(header_of(contents, chunk_bytes_), 0);
  }

 private:
  io::File& file_;
  const Progress& progress_;
  std::uint32_t chunk_bytes_;
  std::uint64_t at_ = kHeaderBytes;
  std::uint64_t chunks_ = 0;
  std::uint32_t all_ = 0;
  std::uint64_t done_ = 0;
  std::uint64_t total_ = 0;
};

/// One attempt. The log goes first: what it names of the file's blocks is in the file by then.
Result<Contents> copy_once(const BackupOptions& options, io::File& backup) {
  io::FileSystem& files = *options.files;
  LEAT_ASSIGN(const Marks before, read_marks(files, options.database_file));
  if (before.moving) return moved(options.database_file);
  Contents contents = options.contents;
  LEAT_TRY(backup.truncate(0));
  Writer writer(backup, options);
  const std::string log_file = options.database_file + ".wal";
  LEAT_ASSIGN(const auto database, files.open(options.database_file, {}));
  LEAT_ASSIGN(const std::uint64_t bytes_before, database->size());
  if (const auto log = files.open(log_file, {})) {
    LEAT_ASSIGN(contents.log_bytes, (*log)->size());
    writer.expect(contents.log_bytes + bytes_before);
    LEAT_TRY(writer.copy(**log, contents.log_bytes, options.database_file));
  } else if (log.error().code != Errc::kNotFound) {
    return std::unexpected(log.error());
  }
  LEAT_ASSIGN(contents.database_bytes, database->size());
  writer.expect(contents.log_bytes + contents.database_bytes);
  LEAT_TRY(writer.copy(*database, contents.database_bytes, options.database_file));
  LEAT_ASSIGN(const Marks after, read_marks(files, options.database_file));
  if (after != before) return moved(options.database_file);
  LEAT_TRY(writer.finish(contents));
  return contents;
}

Result<Contents> copy_until_whole(const BackupOptions& options, io::File& backup) {
  for (int attempt = 1;; ++attempt) {
    Result<Contents> copied = copy_once(options, backup);
    if (copied || copied.error().code != Errc::kAborted || attempt >= options.attempts_max)
      return copied;
    if (options.pause) options.pause();
  }
}

std::unexpected<Error> damaged(const std::string& path, std::uint64_t at, std::string_view what) {
  return fail(
      Errc::kCorrupt,
      fmt::format("{}: the backup is damaged at byte {}: {}; use another backup", path, at, what));
}

/// Where the bytes of a backup go to.
using Take = std::function<Status(std::string_view bytes, std::uint64_t at)>;

Result<Contents> read_header(io::File& file, const std::string& path) {
  std::string header(kHeaderBytes, '\0');
  LEAT_ASSIGN(const std::size_t got, file.pread(header, 0));
  header.resize(got);
  if (!is_backup(header)) return fail(Errc::kInvalid, path + " is no backup of a warehouse");
  if (header.size() < kHeaderBytes) return damaged(path, header.size(), "it ends in its header");
  if (crc32c(std::string_view(header).substr(0, kHeaderBytes - 4)) !=
      get<std::uint32_t>(header, kHeaderBytes - 4)) {
    return damaged(path, 0, "the header's checksum is wrong");
  }
  if (get<std::uint32_t>(header, 8) != kVersion) {
    return fail(Errc::kUnsupported, fmt::format("{}: a newer Leat wrote this backup (version {}); "
                                                "restore it with that one",
                                                path, get<std::uint32_t>(header, 8)));
  }
  return Contents{.database = get_text(header, 40, kNameBytes),
                  .made = TimeUs{get<std::int64_t>(header, 16)},
                  .leat_version = get_text(header, 168, kVersionBytes),
                  .engine_version = get_text(header, 200, kVersionBytes),
                  .database_bytes = get<std::uint64_t>(header, 24),
                  .log_bytes = get<std::uint64_t>(header, 32)};
}

/// Reads the chunks in their order, from after the header.
class Reader {
 public:
  Reader(io::File& file, const std::string& path, const Progress& progress, std::uint64_t total)
      : file_(file), path_(path), progress_(progress), total_(total) {}

  Status read(std::uint64_t bytes, const Take& take) {
    std::string chunk;
    for (std::uint64_t at = 0; at < bytes;) {
      std::array<char, kChunkHeadBytes> head{};
      LEAT_ASSIGN(const std::size_t got_head, file_.pread(head, at_));
      if (got_head < head.size()) return damaged(path_, at_, "it ends here");
      const std::string_view head_bytes(head.data(), head.size());
      const auto length = get<std::uint32_t>(head_bytes, 0);
      if (length == 0 || length > kChunkBytesMax || length > bytes - at)
        return damaged(path_, at_, "a chunk's length is wrong");
      chunk.resize(length);
      LEAT_ASSIGN(const std::size_t got, file_.pread(chunk, at_ + kChunkHeadBytes));
      if (got < length) return damaged(path_, at_, "it ends here");
      const auto checksum = get<std::uint32_t>(head_bytes, 4);
      if (chunk_checksum(chunks_, chunk) != checksum)
        return damaged(path_, at_, "a chunk's checksum is wrong");
      if (take) LEAT_TRY(take(chunk, at));
      all_ = crc32c(number_bytes(checksum), all_);
      ++chunks_;
      at_ += kChunkHeadBytes + length;
      at += length;
      done_ += length;
      if (progress_) progress_(done_, total_);
    }
    return {};
  }

  Status finish() {
    std::string end(kEndBytes + 1, '\0');
    LEAT_ASSIGN(const std::size_t got, file_.pread(end, at_));
    end.resize(got);
    if (end != end_of(chunks_, all_)) return damaged(path_, at_, "its end is wrong");
    return {};
  }

 private:
  io::File& file_;
  const std::string& path_;
  const Progress& progress_;
  std::uint64_t total_;
  std::uint64_t at_ = kHeaderBytes;
  std::uint64_t chunks_ = 0;
  std::uint32_t all_ = 0;
  std::uint64_t done_ = 0;
};

Result<Contents> read_all(io::FileSystem& files, const std::string& path, const Progress& progress,
                          const std::function<Status(const Contents&)>& begin, const Take& take_log,
                          const Take& take_database) {
  LEAT_ASSIGN(const auto file, files.open(path, {}));
  LEAT_ASSIGN(Contents contents, read_header(*file, path));
  if (begin) LEAT_TRY(begin(contents));
  Reader reader(*file, path, progress, contents.log_bytes + contents.database_bytes);
  LEAT_TRY(reader.read(contents.log_bytes, take_log));
  LEAT_TRY(reader.read(contents.database_bytes, take_database));
  LEAT_TRY(reader.finish());
  return contents;
}

Status close_synced(io::File& file) {
  LEAT_TRY(file.sync());
  return file.close();
}

}  // namespace

bool is_backup(std::string_view bytes) {
  return bytes.starts_with(kMagic);
}

Result<Contents> write_backup(const BackupOptions& options) {
  io::FileSystem& files = *options.files;
  if (options.contents.database.empty() || options.contents.database.size() >= kNameBytes)
    return fail(Errc::kInvalid, "a database's name has 1 to 127 bytes");
  LEAT_ASSIGN(const bool taken, exists(files, options.backup_file));
  if (taken) {
    return fail(Errc::kConflict,
                options.backup_file + " exists; backups never replace a file: choose another name");
  }
  const std::string temporary = options.backup_file + ".new";
  const auto attempt = [&]() -> Result<Contents> {
    LEAT_ASSIGN(const auto file,
                files.open(temporary, {.write = true, .create = true, .truncate = true}));
    LEAT_ASSIGN(const Contents contents, copy_until_whole(options, *file));
    LEAT_TRY(close_synced(*file));
    LEAT_TRY(files.rename_new(temporary, options.backup_file));
    LEAT_TRY(files.sync_directory(io::parent_directory(options.backup_file)));
    return contents;
  };
  Result<Contents> made = attempt();
  // What is left of an attempt helps nobody; the error that counts is the first one.
  if (!made) static_cast<void>(files.remove(temporary));
  return made;
}

Result<Contents> check_backup(io::FileSystem& files, const std::string& backup_file,
                              const Progress& progress) {
  return read_all(files, backup_file, progress, {}, {}, {});
}

Result<Contents> unpack_backup(io::FileSystem& files, const std::string& backup_file,
                               const std::string& directory, const Progress& progress) {
  std::unique_ptr<io::File> database;
  std::unique_ptr<io::File> log;
  const auto begin = [&](const Contents& contents) -> Status {
    const std::string name = contents.database + ".duckdb";
    if (name.find('/') != std::string::npos) return damaged(backup_file, 40, "a database's name");
    LEAT_TRY(files.make_directories(directory));
    LEAT_ASSIGN(const auto entries, files.list(directory));
    for (const io::DirectoryEntry& entry : entries) {
      if (!entry.name.starts_with(name)) {
        return fail(Errc::kConflict,
                    fmt::format("{} holds {}; move it away", directory, entry.name));
      }
      LEAT_TRY(files.remove(directory + "/" + entry.name));
    }
    const io::OpenOptions writing{.write = true, .create = true, .truncate = true};
    LEAT_ASSIGN(database, files.open(directory + "/" + name, writing));
    if (contents.log_bytes > 0) {
      LEAT_ASSIGN(log, files.open(directory + "/" + name + ".wal", writing));
    }
    return {};
  };
  LEAT_ASSIGN(
      const Contents contents,
      read_all(
          files, backup_file, progress, begin,
          [&](std::string_view bytes, std::uint64_t at) { return log->pwrite(bytes, at); },
          [&](std::string_view bytes, std::uint64_t at) { return database->pwrite(bytes, at); }));
  LEAT_TRY(close_synced(*database));
  if (log != nullptr) LEAT_TRY(close_synced(*log));
  LEAT_TRY(files.sync_directory(directory));
  return contents;
}

Status install_database(io::FileSystem& files, const std::string& unpacked_in,
                        const std::string& database, const std::string& directory) {
  const std::string name = database + ".duckdb";
  const std::string log = unpacked_in + "/" + name + ".wal";
  if (const auto info = files.stat(log)) {
    if (info->size > 0)
      return fail(Errc::kBug, log + " is not empty: the database was not opened and closed");
    LEAT_TRY(files.remove(log));
  } else if (info.error().code != Errc::kNotFound) {
    return std::unexpected(info.error());
  }
  LEAT_TRY(files.make_directories(directory));
  for (const std::string& path : {directory + "/" + name, directory + "/" + name + ".wal"}) {
    LEAT_ASSIGN(const bool taken, exists(files, path));
    if (taken) {
      return fail(Errc::kConflict,
                  path + " exists; a backup is restored where no warehouse is: move it away");
    }
  }
  LEAT_TRY(files.rename_new(unpacked_in + "/" + name, directory + "/" + name));
  LEAT_TRY(files.sync_directory(directory));
  LEAT_TRY(files.sync_directory(unpacked_in));
  // Empty now, or with what the engine left in it: in nobody's way.
  static_cast<void>(files.remove(unpacked_in));
  return {};
}

}  // namespace leat::backup
