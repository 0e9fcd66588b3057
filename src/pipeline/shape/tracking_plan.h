// A tracking plan: a JSON Schema for each event, as Segment exports it. Events that break it are
// kept whole in the rescue table (docs/guides/tracking-plan.md). Pure.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "pipeline/event/validate.h"

namespace leat::shape {

/// Longest text of an event whose schema matches text against patterns or formats, in bytes: the
/// memory that matching needs grows with it.
inline constexpr std::size_t kPatternTextBytesMax = 4'096;

/// One thread at a time.
class TrackingPlan {
 public:
  /// How an event breaks the plan.
  struct Violation {
    std::string_view reason;  ///< Segment's code: "schema_violation", "unplanned", ...
    std::string detail;       ///< where and why, for a person: at most 1,024 bytes
  };

  /// Reads {"rules": {"events": [{"name", "rules": SCHEMA}], "global": SCHEMA, "identify": SCHEMA,
  /// ...}}. A schema (draft 7) speaks of the whole event. Errors: kInvalid, naming the place.
  [[nodiscard]] static Result<std::unique_ptr<TrackingPlan>> parse(std::string_view json);

  TrackingPlan(const TrackingPlan&) = delete;
  TrackingPlan& operator=(const TrackingPlan&) = delete;
  ~TrackingPlan();

  /// The first way in which the event breaks the plan. `event_name`: of a track call, matched byte
  /// for byte. `event_json`: the whole event, valid JSON.
  [[nodiscard]] std::optional<Violation> check(event::EventType type, std::string_view event_name,
                                               std::string_view event_json);

  /// Track events that have a schema.
  [[nodiscard]] std::size_t event_count() const;

 private:
  struct Impl;
  explicit TrackingPlan(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace leat::shape
