// Bytes of an object in order, decompressed.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "io/object_store.h"
#include "warehouse/engine/error.h"
#include "warehouse/sql/ast.h"

namespace leat::transfer {

/// A stream that is read once, by one thread.
class ByteStream {
 public:
  ByteStream() = default;
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;
  virtual ~ByteStream() = default;

  /// Fills the start of `out` and returns how much; 0 only at the end.
  [[nodiscard]] virtual engine::SqlResult<std::size_t> read(std::span<char> out) = 0;
};

/// The object `uri`, asked for in pieces of `read_bytes`, decompressed as its bytes say it must be.
/// Memory: one piece and the codec's window (at most 8 MiB for zstd). Errors: the store's
/// (store_error), XX000 for broken compressed data.
[[nodiscard]] std::unique_ptr<ByteStream> open_object(io::ObjectStore& store, std::string uri,
                                                      sql::FileCompression compression,
                                                      std::uint64_t read_bytes);

/// Bytes in memory: for tests and fuzzing.
[[nodiscard]] std::unique_ptr<ByteStream> open_bytes(std::string bytes,
                                                     sql::FileCompression compression);

}  // namespace leat::transfer
