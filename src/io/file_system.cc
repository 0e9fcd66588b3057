#include "io/file_system.h"

#include <fmt/core.h>

namespace leat::io {

Result<std::string> read_file(FileSystem& files, const std::string& path, std::uint64_t bytes_max) {
  LEAT_ASSIGN(const auto file, files.open(path, {}));
  LEAT_ASSIGN(const std::uint64_t size, file->size());
  if (size > bytes_max) {
    return fail(Errc::kExhausted, fmt::format("file too large: {} bytes, at most {} are read; {}",
                                              size, bytes_max, path));
  }
  std::string bytes(size, '\0');
  LEAT_ASSIGN(const std::size_t count, file->pread({bytes.data(), bytes.size()}, 0));
  bytes.resize(count);
  return bytes;
}

Status write_file_atomically(FileSystem& files, const std::string& path, std::string_view bytes) {
  const std::string temporary = path + ".new";
  {
    LEAT_ASSIGN(const auto file,
                files.open(temporary, {.write = true, .create = true, .truncate = true}));
    LEAT_TRY(file->pwrite(bytes, 0));
    LEAT_TRY(file->sync());
    LEAT_TRY(file->close());
  }
  LEAT_TRY(files.rename(temporary, path));
  return files.sync_directory(parent_directory(path));
}

std::string parent_directory(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) {
    path.remove_suffix(1);
  }
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) {
    return ".";
  }
  return std::string(slash == 0 ? "/" : path.substr(0, slash));
}

}  // namespace leat::io
