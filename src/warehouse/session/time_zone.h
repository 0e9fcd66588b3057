// A time zone's offsets from UTC, for the text form of TIMESTAMPTZ.
//
// They are read from the engine's time zone database once, so that writing a value costs a look-up
// and no statement.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "warehouse/engine/connection.h"
#include "warehouse/session/result.h"

namespace leat::session {

/// Immutable; any thread.
class TimeZone {
 public:
  /// Reads the offsets of `name`, which SET TIMEZONE has accepted, from 1850 on.
  [[nodiscard]] static SqlResult<std::shared_ptr<const TimeZone>> load(
      engine::Connection& connection, const std::string& name);

  /// Seconds east of UTC at `us` microseconds since 1970. After 2437 the rules repeat every 400
  /// years; before 1850 the first offset holds.
  [[nodiscard]] std::int32_t offset_at(std::int64_t us) const;

 private:
  struct Change {
    std::int64_t at = 0;  ///< Seconds since 1970.
    std::int32_t offset = 0;
  };
  std::vector<Change> changes_;  // never empty, by time; the first one's time does not matter
};

}  // namespace leat::session
