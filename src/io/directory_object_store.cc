#include "io/directory_object_store.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"

namespace leat::io {
namespace {

constexpr std::string_view kTemporaryDirectory = ".tmp";
constexpr std::size_t kPartBytesMax = 255;

// From what stat() tells, so that head() and list() need not read the object.
std::string etag_of(const FileInfo& info) {
  return fmt::format("{:x}-{:x}-{:x}", info.modified.value, info.size, info.identity);
}

bool is_plain_part(std::string_view part) {
  return !part.empty() && part != "." && part != ".." && part.size() <= kPartBytesMax;
}

// Walks one bucket in the order of its keys. A folder sorts as its name with a slash behind it,
// because that is how the keys under it begin.
class Lister {
 public:
  Lister(FileSystem& files, std::string bucket_path, std::string bucket_uri, std::string prefix,
         std::string start_after, std::size_t limit)
      : files_(files),
        bucket_path_(std::move(bucket_path)),
        bucket_uri_(std::move(bucket_uri)),
        prefix_(std::move(prefix)),
        start_after_(std::move(start_after)),
        limit_(limit) {}

  Status walk(const std::string& folder_key) {
    std::string path = bucket_path_ + "/" + folder_key;
    path.pop_back();
    auto entries = files_.list(path);
    if (!entries) {
      // Nothing was ever put there, or it was removed meanwhile.
      return entries.error().code == Errc::kNotFound ? Status{} : std::unexpected(entries.error());
    }
    std::vector<std::pair<std::string, bool>> keys;
    keys.reserve(entries->size());
    for (const DirectoryEntry& entry : *entries) {
      keys.emplace_back(folder_key + entry.name + (entry.directory ? "/" : ""), entry.directory);
    }
    std::ranges::sort(keys);
    for (const auto& [key, directory] : keys) {
      if (page.truncated) {
        return {};
      }
      if (directory) {
        if (may_hold_wanted(key)) {
          LEAT_TRY(walk(key));
        }
      } else if (key.starts_with(prefix_) && key > start_after_) {
        LEAT_TRY(add(key));
      }
    }
    return {};
  }

  ListPage page;

 private:
  [[nodiscard]] bool may_hold_wanted(const std::string& folder_key) const {
    const std::size_t common = std::min(folder_key.size(), prefix_.size());
    if (folder_key.compare(0, common, prefix_, 0, common) != 0) {
      return false;
    }
    // All keys under it are below start_after_ unless that one lies under it too, or sorts before
    // it.
    return folder_key > start_after_ || start_after_.starts_with(folder_key);
  }

  Status add(const std::string& key) {
    if (page.objects.size() == limit_) {
      page.truncated = true;
      return {};
    }
    const auto info = files_.stat(bucket_path_ + "/" + key);
    if (!info) {
      return info.error().code == Errc::kNotFound ? Status{} : std::unexpected(info.error());
    }
    page.objects.push_back({bucket_uri_ + key, info->size, etag_of(*info), info->modified});
    return {};
  }

  FileSystem& files_;
  std::string bucket_path_;
  std::string bucket_uri_;
  std::string prefix_;
  std::string start_after_;
  std::size_t limit_;
};

// A key that is a folder of other keys is no object either.
bool is_absent(const Error& error) {
  return error.code == Errc::kNotFound || error.code == Errc::kConflict;
}

std::unexpected<Error> not_found(std::string_view uri) {
  return fail(Errc::kNotFound, fmt::format("no such object; {}", uri));
}

}  // namespace

DirectoryObjectStore::DirectoryObjectStore(Options options)
    : files_(options.files != nullptr ? *options.files : posix_file_system()),
      root_(std::move(options.root)),
      process_token_(random_token(secure_random(), 12)) {}

Result<std::unique_ptr<DirectoryObjectStore>> DirectoryObjectStore::open(Options options) {
  if (options.root.empty()) {
    return fail(Errc::kInvalid, "object store needs a root folder");
  }
  std::unique_ptr<DirectoryObjectStore> store(new DirectoryObjectStore(std::move(options)));
  LEAT_TRY(store->files_.make_directories(store->root_ + "/" + std::string(kTemporaryDirectory)));
  store->remove_old_temporaries();
  return store;
}

void DirectoryObjectStore::remove_old_temporaries() {
  const std::string folder = root_ + "/" + std::string(kTemporaryDirectory);
  const auto entries = files_.list(folder);
  if (!entries) {
    return;
  }
  const TimeUs now = system_clock().now();
  for (const DirectoryEntry& entry : *entries) {
    const std::string path = folder + "/" + entry.name;
    const auto info = files_.stat(path);
    if (info && now.value - info->modified.value > kUsPerDay) {
      if (const Status removed = files_.remove(path); !removed) {
        log::warning("store", "left-over temporary file stays: {}", removed.error().to_string());
      }
    }
  }
}

Result<std::string> DirectoryObjectStore::local_path(std::string_view uri) const {
  LEAT_ASSIGN(const ObjectName name, parse_object_uri(uri));
  for (const std::string_view part : split(name.key, '/')) {
    if (!is_plain_part(part)) {
      return fail(
          Errc::kInvalid,
          fmt::format("bad object key for a store in a folder: {}; no part between slashes may be "
                      "empty, \".\", \"..\" or longer than {} bytes",
                      uri, kPartBytesMax));
    }
  }
  return root_ + "/" + name.bucket + "/" + name.key;
}

Result<ObjectInfo> DirectoryObjectStore::put(std::string_view uri, std::string_view bytes,
                                             PutOptions options) {
  LEAT_ASSIGN(const std::string path, local_path(uri));
  const std::string temporary =
      fmt::format("{}/{}/{}-{}", root_, kTemporaryDirectory, process_token_, next_temporary_++);
  if (const Status published = publish(temporary, path, bytes, options); !published) {
    const Status removed = files_.remove(temporary);
    if (!removed && removed.error().code != Errc::kNotFound) {
      log::debug("store", "temporary file stays for a day: {}", removed.error().to_string());
    }
    const std::lock_guard lock(mutex_);
    known_directories_.clear();  // somebody may have removed the folder
    return std::unexpected(published.error());
  }
  LEAT_ASSIGN(const FileInfo info, files_.stat(path));
  return ObjectInfo{std::string(uri), info.size, etag_of(info), info.modified};
}

Status DirectoryObjectStore::publish(const std::string& temporary, const std::string& path,
                                     std::string_view bytes, PutOptions options) {
  const std::string directory = parent_directory(path);
  LEAT_TRY(ensure_directory(directory));
  {
    LEAT_ASSIGN(const auto file,
                files_.open(temporary, {.write = true, .create = true, .exclusive = true}));
    LEAT_TRY(file->pwrite(bytes, 0));
    if (options.durable) LEAT_TRY(file->sync());
    LEAT_TRY(file->close());
  }
  if (options.if_none_match) {
    if (Status renamed = files_.rename_new(temporary, path); !renamed) {
      if (renamed.error().code == Errc::kConflict) {
        return fail(Errc::kConflict, "object exists; " + path);
      }
      return renamed;
    }
  } else {
    LEAT_TRY(files_.rename(temporary, path));
  }
  return options.durable ? files_.sync_directory(directory) : Status{};
}

Status DirectoryObjectStore::ensure_directory(const std::string& directory) {
  {
    const std::lock_guard lock(mutex_);
    if (known_directories_.contains(directory)) {
      return {};
    }
  }
  LEAT_TRY(files_.make_directories(directory));
  const std::lock_guard lock(mutex_);
  if (known_directories_.size() >= 4096) {
    known_directories_.clear();
  }
  known_directories_.insert(directory);
  return {};
}

Result<std::string> DirectoryObjectStore::get(std::string_view uri, std::uint64_t bytes_max) {
  LEAT_ASSIGN(const std::string path, local_path(uri));
  auto bytes = read_file(files_, path, bytes_max);
  if (!bytes && is_absent(bytes.error())) {
    return not_found(uri);
  }
  return bytes;
}

Result<std::string> DirectoryObjectStore::get_range(std::string_view uri, std::uint64_t offset,
                                                    std::uint64_t length) {
  LEAT_ASSIGN(const std::string path, local_path(uri));
  auto file = files_.open(path, {});
  if (!file) {
    return is_absent(file.error()) ? not_found(uri) : std::unexpected(file.error());
  }
  LEAT_ASSIGN(const std::uint64_t size, (*file)->size());
  if (offset >= size || length == 0) {
    return std::string();
  }
  std::string bytes(std::min(length, size - offset), '\0');
  LEAT_ASSIGN(const std::size_t count, (*file)->pread({bytes.data(), bytes.size()}, offset));
  bytes.resize(count);
  return bytes;
}

Result<ObjectInfo> DirectoryObjectStore::head(std::string_view uri) {
  LEAT_ASSIGN(const std::string path, local_path(uri));
  const auto info = files_.stat(path);
  if (!info) {
    return info.error().code == Errc::kNotFound ? not_found(uri) : std::unexpected(info.error());
  }
  if (info->directory) {
    return not_found(uri);
  }
  return ObjectInfo{std::string(uri), info->size, etag_of(*info), info->modified};
}

Result<ListPage> DirectoryObjectStore::list(std::string_view prefix_uri,
                                            const ListOptions& options) {
  LEAT_ASSIGN(const ObjectName prefix, parse_object_uri(prefix_uri));
  std::string start_after;
  if (!options.start_after.empty()) {
    LEAT_ASSIGN(const ObjectName after, parse_object_uri(options.start_after));
    if (after.bucket != prefix.bucket) {
      return fail(Errc::kInvalid,
                  fmt::format("start_after names another bucket: {}", options.start_after));
    }
    start_after = after.key;
  }
  for (const std::string_view part : split(prefix.key, '/')) {
    if (part == "." || part == "..") {
      return fail(Errc::kInvalid,
                  fmt::format("bad prefix for a store in a folder: {}", prefix_uri));
    }
  }
  // Only the folder that the prefix names down to its last slash can hold matches.
  const std::size_t slash = prefix.key.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : prefix.key.substr(0, slash + 1);
  Lister lister(files_, root_ + "/" + prefix.bucket, "s3://" + prefix.bucket + "/", prefix.key,
                std::move(start_after), options.limit);
  LEAT_TRY(lister.walk(folder));
  return std::move(lister.page);
}

Status DirectoryObjectStore::remove(std::string_view uri) {
  LEAT_ASSIGN(const std::optional<std::string> directory, unlink(uri));
  return directory ? files_.sync_directory(*directory) : Status{};
}

Status DirectoryObjectStore::remove_all(std::span<const std::string> uris) {
  std::set<std::string> directories;
  for (const std::string& uri : uris) {
    LEAT_ASSIGN(std::optional<std::string> directory, unlink(uri));
    if (directory) directories.insert(std::move(*directory));
  }
  for (const std::string& directory : directories) LEAT_TRY(files_.sync_directory(directory));
  return {};
}

Result<std::optional<std::string>> DirectoryObjectStore::unlink(std::string_view uri) {
  LEAT_ASSIGN(const std::string path, local_path(uri));
  const auto info = files_.stat(path);
  if (!info || info->directory) {
    const bool absent = info.has_value() || info.error().code == Errc::kNotFound;
    if (absent) return std::nullopt;
    return std::unexpected(info.error());
  }
  const Status removed = files_.remove(path);
  if (!removed && removed.error().code != Errc::kNotFound) {
    return std::unexpected(removed.error());
  }
  // The folder stays: an empty one is no object.
  return parent_directory(path);
}

}  // namespace leat::io
