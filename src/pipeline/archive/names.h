// Names of the archive's objects, built and read back. docs/formats/archive.md is the table. Pure;
// any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "pipeline/journal/journal.h"

namespace leat::archive {

inline constexpr std::string_view kJsonSuffix = ".json";
inline constexpr std::string_view kBatchSuffix = ".ndjson.zst";

/// "2026112014".
[[nodiscard]] std::string hour_text(TimeUs time);
/// "2026112014" -> "date=2026-11-20/hour=14/".
[[nodiscard]] std::string hour_folder(std::string_view hour);

[[nodiscard]] std::string streams_prefix(std::string_view bucket);
[[nodiscard]] std::string source_prefix(std::string_view bucket, std::string_view source);

/// A source's name as a part of a key: letters, digits, '.', '_' and '-' stay, other bytes become
/// %XX; beyond 150 bytes the rest is replaced by '~' and a digest.
[[nodiscard]] std::string escape_source(std::string_view source);

struct BatchName {
  std::string hour;
  std::string stream;
  journal::Offset first;
  journal::Offset last;
  std::uint64_t revision = 0;  ///< Of a raw object: how often it was redacted.
};
[[nodiscard]] std::optional<BatchName> parse_batch_id(std::string_view id);
/// Of the part of a raw object's URI behind source_prefix().
[[nodiscard]] std::optional<BatchName> parse_batch_uri(std::string_view rest);
/// A raw object's URI with another revision in it; 0: the name that its seal first gave it.
[[nodiscard]] std::string with_revision(std::string_view uri, std::uint64_t revision);
/// That of a raw object's URI.
[[nodiscard]] std::uint64_t revision_of(std::string_view uri);

}  // namespace leat::archive
