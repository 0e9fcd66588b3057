// Objects by name, with the semantics every S3 kind of store shares. `s3://bucket/key` is the only
// name of an object in configuration, manifests and SQL; without AWS, buckets are folders
// (io/directory_object_store.h).
//
// An object is whole or absent: a reader never sees a part of one, and after put() returns it
// survives a crash. A put over an existing object replaces it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"

namespace leat::io {

/// The two halves of `s3://bucket/key`. The key may be empty where a prefix is meant.
struct ObjectName {
  std::string bucket;
  std::string key;

  [[nodiscard]] std::string uri() const { return "s3://" + bucket + "/" + key; }
  bool operator==(const ObjectName&) const = default;
};

/// Splits a URI. kInvalid: another scheme; bucket not 3 to 63 of [a-z0-9.-] starting and ending
/// with [a-z0-9]; key longer than 1024 bytes, not UTF-8 or with control characters. Pure; any
/// thread.
[[nodiscard]] Result<ObjectName> parse_object_uri(std::string_view uri);

struct ObjectInfo {
  std::string uri;
  std::uint64_t size = 0;
  std::string
      etag;  ///< Opaque; changes when the content does. Without quotes. May be empty in a list.
  TimeUs modified;
};

struct PutOptions {
  bool if_none_match = false;  ///< kConflict when the object exists.
  /// False: for what can be made again, a crash of the machine may take it or leave a part of it.
  bool durable = true;
};

struct ListOptions {
  std::string start_after;  ///< URI: only names bytewise greater. Empty: from the start.
  std::size_t limit = 1000;
};

struct ListPage {
  std::vector<ObjectInfo> objects;  ///< Ordered bytewise by URI.
  bool truncated = false;           ///< More names follow; pass the last URI as start_after.
};

/// A store. Any thread. Errors beside those named: kInvalid (name), kDenied, kExhausted (store full
/// or throttling), kUnavailable (retry with a budget).
class ObjectStore {
 public:
  ObjectStore() = default;
  ObjectStore(const ObjectStore&) = delete;
  ObjectStore& operator=(const ObjectStore&) = delete;
  virtual ~ObjectStore() = default;

  /// Stores `bytes` under `uri`, atomically and, unless the options say otherwise, durably.
  [[nodiscard]] virtual Result<ObjectInfo> put(std::string_view uri, std::string_view bytes,
                                               PutOptions options = {}) = 0;
  /// The whole object. kNotFound; kExhausted when it is larger than `bytes_max`.
  [[nodiscard]] virtual Result<std::string> get(std::string_view uri,
                                                std::uint64_t bytes_max = std::uint64_t{1}
                                                                          << 32) = 0;
  /// At most `length` bytes from `offset`; fewer at the object's end, none beyond it. kNotFound.
  [[nodiscard]] virtual Result<std::string> get_range(std::string_view uri, std::uint64_t offset,
                                                      std::uint64_t length) = 0;
  [[nodiscard]] virtual Result<ObjectInfo> head(std::string_view uri) = 0;
  /// Objects whose URI starts with `prefix_uri`, at any depth ("s3://bucket/" for all of a bucket).
  [[nodiscard]] virtual Result<ListPage> list(std::string_view prefix_uri,
                                              const ListOptions& options = {}) = 0;
  /// Fine when the object does not exist.
  [[nodiscard]] virtual Status remove(std::string_view uri) = 0;
  /// Removes many, in as few requests as the store can; ends at the first error, when any of the
  /// others may still be there.
  [[nodiscard]] virtual Status remove_all(std::span<const std::string> uris);
};

}  // namespace leat::io
