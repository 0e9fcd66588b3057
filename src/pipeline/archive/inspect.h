// Describes the archive's objects for a person: `leat inspect FILE`. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "pipeline/archive/archive.h"

namespace leat::archive {

struct ObjectReport {
  std::uint64_t object_bytes = 0;
  std::uint64_t raw_bytes = 0;  ///< Decompressed, up to the first problem.
  std::uint64_t lines = 0;
  std::string xxh128;
  std::string sha256;
  std::string first_line;  ///< At most 200 bytes of it.
  std::string problem;     ///< Empty when the object is whole.
};

/// Whether they begin as an archive object does, whatever follows.
[[nodiscard]] bool is_object(std::string_view bytes);
/// Describes the bytes of a `.ndjson.zst` object. kInvalid when they are no zstd stream.
[[nodiscard]] Result<ObjectReport> inspect_object(std::string_view bytes);
/// All lines of the bytes of a `.ndjson.zst` object. kInvalid when they are no zstd stream of known
/// size, kCorrupt when it is damaged, kExhausted above 4 GiB.
[[nodiscard]] Result<std::string> decompress_object(std::string_view bytes);
/// The same for a seal's text: parse_seal() plus a check that its batches add up (kCorrupt).
[[nodiscard]] Result<Seal> inspect_seal(std::string_view bytes);

[[nodiscard]] std::string to_text(const ObjectReport& report);
[[nodiscard]] std::string to_json(const ObjectReport& report);
[[nodiscard]] std::string to_text(const Seal& seal);

}  // namespace leat::archive
