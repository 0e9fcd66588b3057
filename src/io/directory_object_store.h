// The object store that needs no cloud: s3://bucket/key is the file <root>/bucket/key, so that
// people and the embedded warehouse read objects with ordinary tools. Published by temporary file,
// sync, rename and directory sync; the temporary files live in <root>/.tmp, which no bucket can be
// called.
//
// Two limits beside S3's: a key has no empty, "." or ".." part and no part over 255 bytes
// (kInvalid), and one key may not be a folder of another ("a" and "a/b": kConflict).
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>

#include "io/file_system.h"
#include "io/object_store.h"

namespace leat::io {

class DirectoryObjectStore final : public ObjectStore {
 public:
  struct Options {
    FileSystem* files = nullptr;  ///< Borrowed; posix_file_system() when null.
    std::string root;             ///< Made when missing.
  };

  /// Opens the store and removes temporary files that no writer of the last day can own. Several
  /// processes may use one root at once.
  [[nodiscard]] static Result<std::unique_ptr<DirectoryObjectStore>> open(Options options);

  /// Path of the file that is, or would be, the object. kInvalid.
  [[nodiscard]] Result<std::string> local_path(std::string_view uri) const;

  [[nodiscard]] Result<ObjectInfo> put(std::string_view uri, std::string_view bytes,
                                       PutOptions options = {}) override;
  [[nodiscard]] Result<std::string> get(std::string_view uri,
                                        std::uint64_t bytes_max = std::uint64_t{1} << 32) override;
  [[nodiscard]] Result<std::string> get_range(std::string_view uri, std::uint64_t offset,
                                              std::uint64_t length) override;
  [[nodiscard]] Result<ObjectInfo> head(std::string_view uri) override;
  [[nodiscard]] Result<ListPage> list(std::string_view prefix_uri,
                                      const ListOptions& options = {}) override;
  [[nodiscard]] Status remove(std::string_view uri) override;
  [[nodiscard]] Status remove_all(std::span<const std::string> uris) override;

 private:
  explicit DirectoryObjectStore(Options options);
  [[nodiscard]] Status publish(const std::string& temporary, const std::string& path,
                               std::string_view bytes, PutOptions options);
  /// Removes the file; its folder, which is to be synced, or nothing when there is no object.
  [[nodiscard]] Result<std::optional<std::string>> unlink(std::string_view uri);
  [[nodiscard]] Status ensure_directory(const std::string& directory);
  void remove_old_temporaries();

  FileSystem& files_;
  std::string root_;
  std::string process_token_;  // makes temporary names unique among processes
  std::atomic<std::uint64_t> next_temporary_{0};
  std::mutex mutex_;  // guards known_directories_
  std::unordered_set<std::string> known_directories_;
};

}  // namespace leat::io
