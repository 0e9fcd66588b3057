// Time zones of the IANA database, as the machine's tzdata package has it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"

namespace leat {

/// One zone. Cheap to copy; shared by all threads; lives as long as the process.
class TimeZone {
 public:
  /// "UTC".
  TimeZone();
  /// The zone called `name`, such as "Europe/Berlin". Errors: kInvalid for an unknown name (with
  /// the near miss), kNotFound when the machine has no zone database.
  [[nodiscard]] static Result<TimeZone> find(std::string_view name);

  [[nodiscard]] const std::string& name() const { return name_; }
  /// What is added to UTC to give local time at `time`.
  [[nodiscard]] std::int64_t offset_us(TimeUs time) const;
  /// The instant of a local time, given as microseconds of the local calendar since 1970. A time
  /// that clocks skip gives the first instant after the gap; one that occurs twice, the first.
  [[nodiscard]] TimeUs to_utc(std::int64_t local_us) const;

 private:
  std::string name_;
  const void* zone_ = nullptr;  // date::time_zone; nullptr: UTC
};

}  // namespace leat
