#include "base/time_zone.h"

#include <date/tz.h>

#include <chrono>
#include <exception>
#include <vector>

#include "base/text.h"

namespace leat {
namespace {

using std::chrono::microseconds;

const date::time_zone& as_zone(const void* zone) {
  return *static_cast<const date::time_zone*>(zone);
}

// The database has no sub-second offsets.
std::int64_t to_us(std::chrono::seconds seconds) {
  return microseconds(seconds).count();
}

std::string unknown_zone(std::string_view name, const date::tzdb& database) {
  std::vector<std::string> names;
  for (const date::time_zone& zone : database.zones) names.push_back(zone.name());
  std::string out = "unknown time zone '" + std::string(name) + "'";
  if (const auto near = near_miss(name, names)) out += "; did you mean '" + *near + "'?";
  return out + "; allowed: a name of the IANA database, such as Europe/Berlin or UTC";
}

}  // namespace

TimeZone::TimeZone() : name_("UTC") {}

Result<TimeZone> TimeZone::find(std::string_view name) {
  TimeZone out;
  if (name == "UTC") return out;
  try {
    const date::tzdb& database = date::get_tzdb();
    try {
      const date::time_zone* zone = date::locate_zone(name);
      out.zone_ = zone;
      out.name_ = zone->name();
      return out;
    } catch (const std::exception&) {
      return fail(Errc::kInvalid, unknown_zone(name, database));
    }
  } catch (const std::exception& error) {
    return fail(Errc::kNotFound, std::string("no time zone database: ") + error.what() +
                                     "; install the package tzdata");
  }
}

std::int64_t TimeZone::offset_us(TimeUs time) const {
  if (zone_ == nullptr) return 0;
  const date::sys_seconds second{
      std::chrono::floor<std::chrono::seconds>(microseconds(time.value))};
  return to_us(as_zone(zone_).get_info(second).offset);
}

TimeUs TimeZone::to_utc(std::int64_t local_us) const {
  if (zone_ == nullptr) return TimeUs{local_us};
  const microseconds local(local_us);
  const date::local_seconds second{std::chrono::floor<std::chrono::seconds>(local)};
  const date::local_info info = as_zone(zone_).get_info(second);
  if (info.result == date::local_info::nonexistent) {
    return TimeUs{to_us(info.first.end.time_since_epoch())};
  }
  return TimeUs{local_us - to_us(info.first.offset)};
}

}  // namespace leat
