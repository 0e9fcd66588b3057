// An archive, filled seal by seal, as the sealer would have left it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/directory_object_store.h"
#include "pipeline/archive/archive.h"

namespace leat::load_test {

/// Events of one source within a seal: JSON objects as a client sends them.
struct SourceEvents {
  std::string source;
  std::vector<std::string> events;
  std::string received_at =
      "2026-11-20T14:00:00Z";  ///< Of the first; each further one a second later.
};

/// Ends the test program when the disk fails. One thread.
class TestArchive {
 public:
  /// `store` is borrowed.
  explicit TestArchive(io::DirectoryObjectStore& store) : store_(store) {}

  /// Appends a seal to `stream`; each SourceEvents is one batch. Returns its batch ids.
  std::vector<std::string> add_seal(const std::vector<SourceEvents>& batches,
                                    const std::string& stream = "0123456789-0000");

  [[nodiscard]] io::DirectoryObjectStore& store() { return store_; }
  [[nodiscard]] archive::Archive& archive() { return archive_; }

 private:
  io::DirectoryObjectStore& store_;
  archive::Archive archive_{store_, "leat"};
  std::map<std::string, std::uint64_t> last_;
};

/// The store whose buckets are folders below `root`.
[[nodiscard]] std::unique_ptr<io::DirectoryObjectStore> open_store(const std::string& root);

/// A track call as JSON. `properties` is a JSON object.
[[nodiscard]] std::string track(std::string_view id, std::string_view event,
                                std::string_view properties = "{}", std::string_view user = "u1");
[[nodiscard]] std::string identify(std::string_view id, std::string_view user,
                                   std::string_view traits);
[[nodiscard]] std::string page(std::string_view id, std::string_view name);

}  // namespace leat::load_test
