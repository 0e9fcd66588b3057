// Staged files of one transaction: a Parquet file and a COPY manifest per table, in the object
// store.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"

namespace leat::io {
class ObjectStore;
}

namespace leat::load {

/// Writes staged files and removes them when it dies, whatever became of the transaction: they can
/// be made again. A process that is killed leaves them; remove_leftovers finds those.
class Staging {
 public:
  /// Files go under s3://<bucket>/staging/<schema>/<sync_id>-<part>/. `store` is borrowed.
  Staging(io::ObjectStore& store, std::string_view bucket, std::string_view schema,
          std::string_view sync_id, std::int64_t part);
  ~Staging();
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  /// Writes one table's file and manifest; returns the manifest's URI. Errors: those of the store,
  /// naming the object.
  [[nodiscard]] Result<std::string> write(std::string_view table, std::string_view parquet);
  [[nodiscard]] std::int64_t bytes() const { return bytes_; }

 private:
  io::ObjectStore& store_;
  std::string prefix_;
  std::vector<std::string> written_;
  std::int64_t bytes_ = 0;
};

/// Removes staged files of `schema` that were written before `before`. Returns how many.
[[nodiscard]] Result<std::size_t> remove_staged(io::ObjectStore& store, std::string_view bucket,
                                                std::string_view schema, TimeUs before);

/// Removes staged files of `schema` that are older than a day: no living sync owns them. Returns
/// how many.
[[nodiscard]] Result<std::size_t> remove_leftovers(io::ObjectStore& store, std::string_view bucket,
                                                   std::string_view schema, TimeUs now);

}  // namespace leat::load
