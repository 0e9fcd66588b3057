// What was asked for about a person, and the report of what became of it. Names follow Segment's
// Public API ("regulations"). Pure; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "pipeline/event/person.h"

namespace leat::privacy {

enum class RegulationType : std::uint8_t {
  kDeleteOnly,
  kSuppressWithDelete,
  kSuppressOnly,
  kUnsuppress,
};
/// "DELETE_ONLY", "SUPPRESS_WITH_DELETE", "SUPPRESS_ONLY", "UNSUPPRESS".
[[nodiscard]] std::string_view regulation_type_name(RegulationType type);
/// kInvalid for any other text.
[[nodiscard]] Result<RegulationType> regulation_type_of(std::string_view name);
[[nodiscard]] bool deletes(RegulationType type);

enum class RegulationStatus : std::uint8_t { kInitialized, kRunning, kFinished, kFailed };
/// "INITIALIZED", "RUNNING", "FINISHED", "FAILED".
[[nodiscard]] std::string_view regulation_status_name(RegulationStatus status);

/// A batch of the archive that held events of the person.
struct RewrittenObject {
  std::string batch_id;
  std::int64_t events_deleted = 0;
  std::string uri_before;
  std::string sha256_before;
  std::string uri_after;
  std::string sha256_after;
  std::vector<std::uint64_t> lines;  ///< From 1.
  bool operator==(const RewrittenObject&) const = default;
};

/// What was looked at and removed of one source.
struct SourceReport {
  std::string source;
  std::string schema;
  std::int64_t objects_read = 0;
  std::int64_t events_read = 0;
  std::int64_t events_deleted = 0;
  std::vector<RewrittenObject> objects{};
  std::map<std::string, std::int64_t> table_rows{};  ///< Rows removed; every table looked at.
  std::int64_t staged_files_removed = 0;
};

struct Regulation {
  std::string id;
  RegulationType type = RegulationType::kDeleteOnly;
  RegulationStatus status = RegulationStatus::kInitialized;
  event::PersonKey subject_type = event::PersonKey::kUserId;
  std::string subject_hash;  ///< subject_hash()
  std::string source;        ///< Empty: all.
  bool is_dry = false;
  TimeUs requested_at;
  TimeUs finished_at;  ///< Zero until then.
  std::string error;   ///< Why it failed, or why the last try did.
  std::vector<SourceReport> sources;
  std::uint64_t journal_bytes_erased = 0;  ///< Of files whose events are sealed, written over.
};

/// SHA-256 of "<regulation id>:<subject type>:<person's id>", hexadecimal: who knows the id can
/// tell that the report is about it, who does not learns nothing.
[[nodiscard]] std::string subject_hash(std::string_view regulation_id, const event::Person& person);

/// The report: docs/formats/privacy.md. And back: kCorrupt.
[[nodiscard]] std::string to_json(const Regulation& regulation);
[[nodiscard]] Result<Regulation> regulation_from_json(std::string_view text);

}  // namespace leat::privacy
