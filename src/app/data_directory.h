// The one folder that a Leat process owns: where each part keeps its files, who holds it now, and
// the secrets that are made once. Layout: docs/internals/data-directory.md.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/random.h"

namespace leat::app {

/// Paths below a data directory; pure, so that commands which hold nothing can use it too.
struct DataPaths {
  std::string root;

  [[nodiscard]] std::string lock() const { return root + "/lock"; }
  [[nodiscard]] std::string connection() const { return root + "/connection.json"; }
  [[nodiscard]] std::string admin_password() const { return root + "/warehouse-password"; }
  [[nodiscard]] std::string pgpass() const { return root + "/pgpass"; }
  [[nodiscard]] std::string write_keys() const { return root + "/write-keys.json"; }
  [[nodiscard]] std::string console_token() const { return root + "/console-token"; }
  [[nodiscard]] std::string access_keys() const { return root + "/access-keys"; }
  [[nodiscard]] std::string results() const { return root + "/data-api-results"; }
  [[nodiscard]] std::string uploads() const { return root + "/s3-uploads"; }
  [[nodiscard]] std::string journal() const { return root + "/journal"; }
  [[nodiscard]] std::string privacy() const { return root + "/privacy"; }
  [[nodiscard]] std::string seals() const { return root + "/seals"; }
  [[nodiscard]] std::string syncs() const { return root + "/syncs"; }
  [[nodiscard]] std::string objects() const { return root + "/objects"; }
  [[nodiscard]] std::string audit() const { return root + "/audit.log"; }
  [[nodiscard]] std::string warehouse() const { return root + "/warehouse"; }
};

/// A data directory held by this process. One thread.
class DataDirectory {
 public:
  /// Makes `root` (for this user only) when it is not there, and takes it. Errors: kConflict when
  /// another process has it (the message names the process), else as fail_errno.
  [[nodiscard]] static Result<DataDirectory> open(const std::string& root);
  DataDirectory(DataDirectory&& other) noexcept;
  DataDirectory& operator=(DataDirectory&&) = delete;
  ~DataDirectory();

  [[nodiscard]] const DataPaths& paths() const { return paths_; }

 private:
  DataDirectory(DataPaths paths, int lock) : paths_(std::move(paths)), lock_(lock) {}
  DataPaths paths_;
  int lock_;
};

/// The secret in the file `path`; made of `length` random characters and kept there (0600) when the
/// file does not exist. Errors: kCorrupt for an empty file, else as fail_errno.
[[nodiscard]] Result<std::string> keep_secret(const std::string& path, std::size_t length,
                                              Random& random);

/// The write keys kept in the file `path`, by source. Nothing when there is no file. Errors:
/// kCorrupt.
[[nodiscard]] Result<std::map<std::string, std::string>> read_write_keys(const std::string& path);
[[nodiscard]] Status write_write_keys(const std::string& path,
                                      const std::map<std::string, std::string>& keys);

}  // namespace leat::app
