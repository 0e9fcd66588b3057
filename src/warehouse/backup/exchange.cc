#include "warehouse/backup/exchange.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string_view>

#include "base/digest.h"
#include "io/file_system.h"

namespace leat::backup {
namespace {

constexpr std::string_view kHead = "leat exchange 1\n";
constexpr std::size_t kMarkBytesMax = 64UL << 20U;

std::string mark_of(const std::string& directory) {
  return exchange_directory(directory) + "/exchange";
}

Result<bool> is_there(io::FileSystem& files, const std::string& path) {
  const auto info = files.stat(path);
  if (info) return true;
  if (info.error().code == Errc::kNotFound) return false;
  return std::unexpected(info.error());
}

Status remove_if_there(io::FileSystem& files, const std::string& path) {
  LEAT_ASSIGN(const bool there, is_there(files, path));
  return there ? files.remove(path) : Status();
}

/// All files below, and the folders.
Status remove_all(io::FileSystem& files, const std::string& directory) {
  const auto entries = files.list(directory);
  if (!entries) {
    if (entries.error().code == Errc::kNotFound) return {};
    return std::unexpected(entries.error());
  }
  for (const io::DirectoryEntry& entry : *entries) {
    const std::string path = directory + "/" + entry.name;
    LEAT_TRY(entry.directory ? remove_all(files, path) : files.remove(path));
  }
  return files.remove(directory);
}

Status refuse_log(io::FileSystem& files, const std::string& path) {
  const auto info = files.stat(path + ".wal");
  if (info && info->size > 0)
    return fail(Errc::kConflict, path + ".wal is not empty: its file may not be replaced");
  if (!info && info.error().code != Errc::kNotFound) return std::unexpected(info.error());
  return {};
}

Status sync_file(io::FileSystem& files, const std::string& path) {
  LEAT_ASSIGN(const auto file, files.open(path, {.write = true}));
  LEAT_TRY(file->sync());
  return file->close();
}

std::unexpected<Error> unreadable(const std::string& mark) {
  return fail(Errc::kCorrupt,
              fmt::format("{} cannot be read: look which of the files beside it are whole, with "
                          "leat check, and put them into the warehouse's folder by hand",
                          mark));
}

Result<std::vector<std::string>> read_mark(io::FileSystem& files, const std::string& mark) {
  LEAT_ASSIGN(const auto file, files.open(mark, {}));
  LEAT_ASSIGN(const std::uint64_t size, file->size());
  if (size > kMarkBytesMax) return unreadable(mark);
  std::string text(size, '\0');
  LEAT_ASSIGN(const std::size_t got, file->pread(text, 0));
  const std::size_t sum_at = text.rfind('\n', text.size() < 2 ? 0 : text.size() - 2);
  if (got != size || !text.starts_with(kHead) || sum_at == std::string::npos)
    return unreadable(mark);
  const std::string body = text.substr(0, sum_at + 1);
  if (text != body + fmt::format("{:08x}\n", crc32c(body))) return unreadable(mark);
  std::vector<std::string> names;
  for (std::size_t at = kHead.size(); at < body.size();) {
    const std::size_t end = body.find('\n', at);
    names.push_back(body.substr(at, end - at));
    at = end + 1;
  }
  return names;
}

Status take_place(io::FileSystem& files, const std::string& from, const std::string& to) {
  LEAT_ASSIGN(const bool there, is_there(files, from));
  // Else an earlier call has done it.
  if (!there) return {};
  // Empty, as begin_exchange() has found it; it belongs to the old file.
  LEAT_TRY(remove_if_there(files, to + ".wal"));
  LEAT_TRY(files.rename(from, to));
  LEAT_TRY(files.sync_directory(io::parent_directory(to)));
  // What a process that was killed had spilled of the old file.
  return remove_all(files, to + ".tmp");
}

}  // namespace

std::string exchange_directory(const std::string& directory) {
  return directory + ".new";
}

Status prepare_exchange(io::FileSystem& files, const std::string& directory) {
  LEAT_TRY(remove_all(files, exchange_directory(directory)));
  return files.make_directories(exchange_directory(directory));
}

Status begin_exchange(io::FileSystem& files, const std::string& directory,
                      const std::vector<std::string>& names) {
  const std::string from = exchange_directory(directory);
  std::string body(kHead);
  for (const std::string& name : names) {
    LEAT_TRY(refuse_log(files, directory + "/" + name));
    LEAT_TRY(refuse_log(files, from + "/" + name));
    LEAT_TRY(sync_file(files, from + "/" + name));
    LEAT_TRY(files.sync_directory(io::parent_directory(from + "/" + name)));
    body += name + "\n";
  }
  const std::string making = mark_of(directory) + ".making";
  LEAT_ASSIGN(const auto mark,
              files.open(making, {.write = true, .create = true, .truncate = true}));
  LEAT_TRY(mark->pwrite(body + fmt::format("{:08x}\n", crc32c(body)), 0));
  LEAT_TRY(mark->sync());
  LEAT_TRY(mark->close());
  LEAT_TRY(files.sync_directory(io::parent_directory(from)));
  LEAT_TRY(files.rename(making, mark_of(directory)));
  return files.sync_directory(from);
}

Status finish_exchange(io::FileSystem& files, const std::string& directory) {
  const std::string mark = mark_of(directory);
  LEAT_ASSIGN(const bool begun, is_there(files, mark));
  if (!begun) return {};
  LEAT_ASSIGN(const std::vector<std::string> names, read_mark(files, mark));
  const std::string from = exchange_directory(directory);
  for (const std::string& name : names)
    LEAT_TRY(take_place(files, from + "/" + name, directory + "/" + name));
  LEAT_TRY(files.remove(mark));
  LEAT_TRY(files.sync_directory(from));
  // In nobody's way if it stays.
  static_cast<void>(remove_all(files, from));
  return {};
}

}  // namespace leat::backup
