// Time zones by abbreviation and by offset.
#include "base/text.h"
#include "warehouse/sql/datetime.h"

namespace leat::sql {
namespace {

/// Minutes east of UTC: always that offset, whatever the season.
struct ZoneName {
  std::string_view name;
  int minutes;
};
constexpr ZoneName kZones[] = {
    {"acdt", 630},  {"acst", 570}, {"adt", -180}, {"aedt", 660}, {"aest", 600}, {"akdt", -480},
    {"akst", -540}, {"ast", -240}, {"awst", 480}, {"bst", 60},   {"cat", 120},  {"cdt", -300},
    {"cest", 120},  {"cet", 60},   {"cst", -360}, {"eat", 180},  {"edt", -240}, {"eest", 180},
    {"eet", 120},   {"est", -300}, {"gmt", 0},    {"hkt", 480},  {"hst", -600}, {"jst", 540},
    {"kst", 540},   {"mdt", -360}, {"msk", 180},  {"mst", -420}, {"ndt", -150}, {"nst", -210},
    {"nzdt", 780},  {"nzst", 720}, {"pdt", -420}, {"pkt", 300},  {"pst", -480}, {"sast", 120},
    {"sgt", 480},   {"ut", 0},     {"utc", 0},    {"uct", 0},    {"wat", 60},   {"west", 60},
    {"wet", 0},     {"z", 0},      {"zulu", 0}};

}  // namespace

std::optional<std::int32_t> named_zone_minutes(std::string_view lower_case) {
  for (const ZoneName& zone : kZones) {
    if (zone.name == lower_case) return zone.minutes;
  }
  return std::nullopt;
}

std::optional<std::int32_t> zone_offset_minutes(std::string_view zone) {
  zone = trim(zone);
  if (const auto named = named_zone_minutes(to_lower(zone))) return *named;
  // NAME+2, NAME-2:15, +2: to the west, as in POSIX. The name means nothing.
  const std::size_t sign = zone.find_last_of("+-");
  if (sign == std::string_view::npos) return std::nullopt;
  const std::string_view offset = zone.substr(sign + 1);
  const std::size_t colon = std::min(offset.find(':'), offset.size());
  const auto hours = parse_number<std::uint8_t>(offset.substr(0, colon));
  const auto minutes = colon < offset.size() ? parse_number<std::uint8_t>(offset.substr(colon + 1))
                                             : std::optional<std::uint8_t>(0);
  if (!hours || !minutes || *hours > 14 || *minutes > 59) return std::nullopt;
  // Etc/GMT+5 is a zone of that name, with the same meaning.
  const int west = *hours * 60 + *minutes;
  return zone[sign] == '+' ? -west : west;
}

}  // namespace leat::sql
