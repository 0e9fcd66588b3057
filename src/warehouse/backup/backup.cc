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
constexpr std::uint32_t kVersion = 1;        // one database
constexpr std::uint32_t kVersionOthers = 2;  // and others
constexpr std::uint32_t kVersionKey = 3;     // encrypted ones
constexpr std::size_t kHeaderBytes = 512;
constexpr std::size_t kEndBytes = 24;
constexpr std::size_t kChunkHeadBytes = 8;
constexpr std::uint32_t kChunkBytesMax = 16U << 20U;
constexpr std::size_t kNameBytes = 128;
constexpr std::size_t kVersionBytes = 32;
constexpr std::size_t kKeyIdBytes = 16;
constexpr std::size_t kPartNameBytes = 32;
constexpr std::size_t kPartHeadBytes = kPartNameBytes + 8;
constexpr std::uint32_t kOthersMax = 100'000;
// DuckDB's three headers, of which a checkpoint writes one.
constexpr std::size_t kDatabaseHeadersBytes = 3 * 4096;
// In the first header: what it is, and flags, of which the lowest says that the file is encrypted.
constexpr std::size_t kDatabaseMagicAt = 8;
constexpr std::string_view kDatabaseMagic = "DUCK";
constexpr std::size_t kDatabaseFlagsAt = 20;

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
  const std::uint32_t plain = contents.others.empty() ? kVersion : kVersionOthers;
  put(header, 8, contents.encrypted ? kVersionKey : plain);
  put(header, 12, chunk_bytes);
  put(header, 16, contents.made.value);
  put(header, 24, contents.database_bytes);
  put(header, 32, contents.log_bytes);
  put_text(header, 40, kNameBytes, contents.database);
  put_text(header, 168, kVersionBytes, contents.leat_version);
  put_text(header, 200, kVersionBytes, contents.engine_version);
  put(header, 232, static_cast<std::uint32_t>(contents.others.size()));
  put(header, 240, contents.other_bytes);
  if (contents.encrypted) contents.key_id.copy(header.data() + 248, kKeyIdBytes);
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
    for (std::uint64_t at = 0; at < bytes;) {
      const std::size_t wanted =
          static_cast<std::size_t>(std::min<std::uint64_t>(chunk_bytes_, bytes - at));
      chunk_.assign(kChunkHeadBytes + wanted, '\0');
      LEAT_ASSIGN(const std::size_t got,
                  from.pread(std::span(chunk_).subspan(kChunkHeadBytes), at));
      if (got < wanted) return moved(path);
      LEAT_TRY(write_chunk());
      at += wanted;
      done_ += wanted;
      if (progress_) progress_(done_, std::max(done_, total_));
    }
    return {};
  }

  /// Says what the next copy is: a file of another database, or its log.
  Status begin_part(std::string_view name, std::uint64_t bytes) {
    chunk_.assign(kChunkHeadBytes + kPartHeadBytes, '\0');
    put_text(chunk_, kChunkHeadBytes, kPartNameBytes, name);
    put(chunk_, kChunkHeadBytes + kPartNameBytes, bytes);
    return write_chunk();
  }

  Status finish(const Contents& contents) {
    LEAT_TRY(file_.pwrite(end_of(chunks_, all_), at_));
    return file_.pwrite(header_of(contents, chunk_bytes_), 0);
  }

 private:
  Status write_chunk() {
    const std::string_view bytes = std::string_view(chunk_).substr(kChunkHeadBytes);
    const std::uint32_t checksum = chunk_checksum(chunks_, bytes);
    put(chunk_, 0, static_cast<std::uint32_t>(bytes.size()));
    put(chunk_, 4, checksum);
    LEAT_TRY(file_.pwrite(chunk_, at_));
    all_ = crc32c(number_bytes(checksum), all_);
    ++chunks_;
    at_ += chunk_.size();
    return {};
  }

  io::File& file_;
  const Progress& progress_;
  std::uint32_t chunk_bytes_;
  std::string chunk_;
  std::uint64_t at_ = kHeaderBytes;
  std::uint64_t chunks_ = 0;
  std::uint32_t all_ = 0;
  std::uint64_t done_ = 0;
  std::uint64_t total_ = 0;
};

/// A database on its way into a backup.
struct Copied {
  std::string path;
  Marks before;
  std::unique_ptr<io::File> file;
  std::unique_ptr<io::File> log;  ///< Null: there is none.
  std::uint64_t log_bytes = 0;
};

/// Fixes the moment: what the log holds by now.
Result<Copied> begin_copy(io::FileSystem& files, const std::string& path) {
  Copied copied{.path = path, .before = {}, .file = {}, .log = {}};
  LEAT_ASSIGN(copied.before, read_marks(files, path));
  if (copied.before.moving) return moved(path);
  LEAT_ASSIGN(copied.file, files.open(path, {}));
  if (auto log = files.open(path + ".wal", {})) {
    copied.log = std::move(*log);
    LEAT_ASSIGN(copied.log_bytes, copied.log->size());
  } else if (log.error().code != Errc::kNotFound) {
    return std::unexpected(log.error());
  }
  return copied;
}

/// The log goes first: what it names of the file's blocks is in the file by then. Returns the
/// file's bytes. A part that is `named` gets a head.
Result<std::uint64_t> copy_database(Copied& copied, Writer& writer, std::string_view named) {
  if (!named.empty()) LEAT_TRY(writer.begin_part(std::string(named) + ".wal", copied.log_bytes));
  if (copied.log != nullptr) LEAT_TRY(writer.copy(*copied.log, copied.log_bytes, copied.path));
  LEAT_ASSIGN(const std::uint64_t bytes, copied.file->size());
  if (!named.empty()) LEAT_TRY(writer.begin_part(named, bytes));
  LEAT_TRY(writer.copy(*copied.file, bytes, copied.path));
  return bytes;
}

/// One attempt. The first database is the last whose moment is fixed: it knows every user that an
/// object of another one belongs to.
Result<Contents> copy_once(const BackupOptions& options, io::File& backup) {
  io::FileSystem& files = *options.files;
  Contents contents = options.contents;
  std::vector<Copied> others;
  std::uint64_t total = 0;
  for (const std::string& path : options.other_files) {
    LEAT_ASSIGN(Copied other, begin_copy(files, path));
    contents.others.push_back(path.substr(path.rfind('/') + 1));
    LEAT_ASSIGN(const std::uint64_t bytes, other.file->size());
    total += other.log_bytes + bytes;
    others.push_back(std::move(other));
  }
  LEAT_ASSIGN(Copied first, begin_copy(files, options.database_file));
  LEAT_ASSIGN(const std::uint64_t bytes, first.file->size());
  const std::string& head = first.before.headers;
  contents.encrypted =
      head.size() > kDatabaseFlagsAt &&
      std::string_view(head).substr(kDatabaseMagicAt).starts_with(kDatabaseMagic) &&
      (head[kDatabaseFlagsAt] & 1) != 0;
  if (!contents.encrypted) contents.key_id.clear();
  LEAT_TRY(backup.truncate(0));
  Writer writer(backup, options);
  writer.expect(total + first.log_bytes + bytes);
  contents.log_bytes = first.log_bytes;
  LEAT_ASSIGN(contents.database_bytes, copy_database(first, writer, {}));
  for (std::size_t i = 0; i < others.size(); ++i) {
    LEAT_ASSIGN(const std::uint64_t other_bytes,
                copy_database(others[i], writer, contents.others[i]));
    contents.other_bytes += others[i].log_bytes + other_bytes;
  }
  others.push_back(std::move(first));
  for (const Copied& copied : others) {
    LEAT_ASSIGN(const Marks after, read_marks(files, copied.path));
    if (after != copied.before) return moved(copied.path);
  }
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
  const auto version = get<std::uint32_t>(header, 8);
  if (version < kVersion || version > kVersionKey) {
    return fail(Errc::kUnsupported, fmt::format("{}: a newer Leat wrote this backup (version {}); "
                                                "restore it with that one",
                                                path, version));
  }
  Contents contents{.database = get_text(header, 40, kNameBytes),
                    .made = TimeUs{get<std::int64_t>(header, 16)},
                    .leat_version = get_text(header, 168, kVersionBytes),
                    .engine_version = get_text(header, 200, kVersionBytes),
                    .database_bytes = get<std::uint64_t>(header, 24),
                    .log_bytes = get<std::uint64_t>(header, 32)};
  contents.encrypted = version == kVersionKey;
  if (contents.encrypted) contents.key_id = get_text(header, 248, kKeyIdBytes);
  if (version != kVersion) {
    const auto others = get<std::uint32_t>(header, 232);
    if ((others == 0 && version == kVersionOthers) || others > kOthersMax)
      return damaged(path, 232, "the number of databases is wrong");
    contents.others.resize(others);
    contents.other_bytes = get<std::uint64_t>(header, 240);
  }
  return contents;
}

/// "100123.duckdb": no other name can stand in a path.
bool is_other_name(std::string_view name) {
  constexpr std::string_view kSuffix = ".duckdb";
  if (!name.ends_with(kSuffix)) return false;
  name.remove_suffix(kSuffix.size());
  return !name.empty() && name.size() <= 10 &&
         name.find_first_not_of("0123456789") == std::string_view::npos;
}

/// Reads the chunks in their order, from after the header.
class Reader {
 public:
  Reader(io::File& file, const std::string& path, const Progress& progress, std::uint64_t total)
      : file_(file), path_(path), progress_(progress), total_(total) {}

  [[nodiscard]] std::uint64_t at() const { return at_; }

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

  struct Part {
    std::string name;
    std::uint64_t bytes = 0;
  };

  Result<Part> read_part() {
    const std::uint64_t at = at_;
    std::string head;
    const std::uint64_t done = done_;
    LEAT_TRY(read(kPartHeadBytes, [&](std::string_view bytes, std::uint64_t) -> Status {
      head += bytes;
      return {};
    }));
    done_ = done;
    if (head.size() != kPartHeadBytes) return damaged(path_, at, "a database's head is wrong");
    return Part{.name = get_text(head, 0, kPartNameBytes),
                .bytes = get<std::uint64_t>(head, kPartNameBytes)};
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

/// What is told of the files of a backup.
struct Takers {
  std::function<Status(const Contents&)> begin{};
  Take log{};
  Take database{};
  /// Begins a file of another database, "100123.duckdb" or "100123.duckdb.wal".
  std::function<Result<Take>(const std::string& name)> other{};
};

Status read_others(Reader& reader, Contents& contents, const std::string& path,
                   const Takers& takers) {
  std::uint64_t bytes = 0;
  for (std::string& other : contents.others) {
    LEAT_ASSIGN(const Reader::Part log, reader.read_part());
    if (!log.name.ends_with(".wal")) return damaged(path, reader.at(), "a log's name is wrong");
    other = log.name.substr(0, log.name.size() - 4);
    if (!is_other_name(other)) return damaged(path, reader.at(), "a database's name is wrong");
    Take take;
    if (takers.other && log.bytes > 0) {
      LEAT_ASSIGN(take, takers.other(log.name));
    }
    LEAT_TRY(reader.read(log.bytes, take));
    LEAT_ASSIGN(const Reader::Part database, reader.read_part());
    if (database.name != other) return damaged(path, reader.at(), "a database's name is wrong");
    if (takers.other) {
      LEAT_ASSIGN(take, takers.other(database.name));
    }
    LEAT_TRY(reader.read(database.bytes, take));
    bytes += log.bytes + database.bytes;
  }
  if (bytes != contents.other_bytes)
    return damaged(path, 240, "the size of the other databases is wrong");
  return {};
}

Result<Contents> read_all(io::FileSystem& files, const std::string& path, const Progress& progress,
                          const Takers& takers) {
  LEAT_ASSIGN(const auto file, files.open(path, {}));
  LEAT_ASSIGN(Contents contents, read_header(*file, path));
  if (takers.begin) LEAT_TRY(takers.begin(contents));
  Reader reader(*file, path, progress, contents.bytes());
  LEAT_TRY(reader.read(contents.log_bytes, takers.log));
  LEAT_TRY(reader.read(contents.database_bytes, takers.database));
  LEAT_TRY(read_others(reader, contents, path, takers));
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
    LEAT_ASSIGN(Contents contents, copy_until_whole(options, *file));
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
  return read_all(files, backup_file, progress, {});
}

std::string unpacked_other(const std::string& directory, const Contents& contents,
                           std::string_view other) {
  return fmt::format("{}/{}.duckdb.{}", directory, contents.database, other);
}

Result<Contents> unpack_backup(io::FileSystem& files, const std::string& backup_file,
                               const std::string& directory, const Progress& progress) {
  const io::OpenOptions writing{.write = true, .create = true, .truncate = true};
  std::unique_ptr<io::File> database;
  std::unique_ptr<io::File> log;
  std::unique_ptr<io::File> other;
  Contents first;
  Takers takers;
  takers.begin = [&](const Contents& contents) -> Status {
    first = contents;
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
    LEAT_ASSIGN(database, files.open(directory + "/" + name, writing));
    if (contents.log_bytes > 0) {
      LEAT_ASSIGN(log, files.open(directory + "/" + name + ".wal", writing));
    }
    return {};
  };
  takers.log = [&](std::string_view bytes, std::uint64_t at) { return log->pwrite(bytes, at); };
  takers.database = [&](std::string_view bytes, std::uint64_t at) {
    return database->pwrite(bytes, at);
  };
  takers.other = [&](const std::string& name) -> Result<Take> {
    if (other != nullptr) LEAT_TRY(close_synced(*other));
    LEAT_ASSIGN(other, files.open(unpacked_other(directory, first, name), writing));
    return Take([&](std::string_view bytes, std::uint64_t at) { return other->pwrite(bytes, at); });
  };
  LEAT_ASSIGN(Contents contents, read_all(files, backup_file, progress, takers));
  LEAT_TRY(close_synced(*database));
  if (log != nullptr) LEAT_TRY(close_synced(*log));
  if (other != nullptr) LEAT_TRY(close_synced(*other));
  LEAT_TRY(files.sync_directory(directory));
  return contents;
}

namespace {

/// The log has been played into its file.
Status remove_empty_log(io::FileSystem& files, const std::string& log) {
  if (const auto info = files.stat(log)) {
    if (info->size > 0)
      return fail(Errc::kBug, log + " is not empty: the database was not opened and closed");
    return files.remove(log);
  } else if (info.error().code != Errc::kNotFound) {
    return std::unexpected(info.error());
  }
  return {};
}

std::unexpected<Error> in_the_way(const std::string& path) {
  return fail(Errc::kConflict,
              path + " exists; a backup is restored where no warehouse is: move it away");
}

/// Marks each file as pending before it comes, as CREATE DATABASE does: until the first database
/// lists it, nobody misses it, and another attempt may replace it.
Status install_others(io::FileSystem& files, const std::string& unpacked_in,
                      const Contents& contents, const std::string& directory) {
  for (const std::string& other : contents.others) {
    const std::string path = directory + "/" + other;
    const std::string mark =
        fmt::format("{}/{}.pending", directory, other.substr(0, other.find('.')));
    LEAT_ASSIGN(const bool taken, exists(files, path));
    LEAT_ASSIGN(const bool marked, exists(files, mark));
    if (taken && !marked) return in_the_way(path);
    if (!marked) {
      LEAT_ASSIGN(const auto file, files.open(mark, {.write = true, .create = true}));
      LEAT_TRY(close_synced(*file));
      LEAT_TRY(files.sync_directory(directory));
    }
    const std::string unpacked = unpacked_other(unpacked_in, contents, other);
    LEAT_TRY(remove_empty_log(files, unpacked + ".wal"));
    LEAT_TRY(files.rename(unpacked, path));
  }
  return files.sync_directory(directory);
}

}  // namespace

Status install_databases(io::FileSystem& files, const std::string& unpacked_in,
                         const Contents& contents, const std::string& directory) {
  const std::string name = contents.database + ".duckdb";
  LEAT_TRY(remove_empty_log(files, unpacked_in + "/" + name + ".wal"));
  LEAT_TRY(files.make_directories(directory));
  for (const char* suffix : {"", ".wal"}) {
    const std::string path = fmt::format("{}/{}{}", directory, name, suffix);
    LEAT_ASSIGN(const bool taken, exists(files, path));
    if (taken) return in_the_way(path);
  }
  if (!contents.others.empty()) {
    const std::string others = fmt::format("{}/{}.databases", directory, contents.database);
    LEAT_TRY(files.make_directories(others));
    LEAT_TRY(install_others(files, unpacked_in, contents, others));
  }
  LEAT_TRY(files.rename_new(unpacked_in + "/" + name, directory + "/" + name));
  LEAT_TRY(files.sync_directory(directory));
  LEAT_TRY(files.sync_directory(unpacked_in));
  // Empty now, or with what the engine left in it: in nobody's way.
  static_cast<void>(files.remove(unpacked_in));
  return {};
}

}  // namespace leat::backup
