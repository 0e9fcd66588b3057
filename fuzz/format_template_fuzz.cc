// Templates of TO_CHAR and TO_DATE: any template formats any moment and number, any text is read or
// refused, and what a full template writes reads back as the same moment.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "warehouse/engine/format_template.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using leat::engine::format_moment;
  using leat::engine::parse_moment;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t line = std::min(input.find('\n'), input.size());
  const std::string_view format = input.substr(0, line);
  const std::string_view text = input.substr(std::min(line + 1, input.size()));
  (void)leat::engine::format_number(text, format);
  for (const bool strict : {false, true}) {
    const auto moment = parse_moment(text, format, strict);
    if (!moment) continue;
    (void)format_moment(*moment, format);
    constexpr std::string_view kFull = "YYYY-MM-DD HH24:MI:SS.US";
    const std::string written = format_moment(*moment, kFull);
    if (written.size() != 26) continue;  // before the common era, or beyond the year 9999
    const auto again = parse_moment(written, kFull, true);
    if (again && (*again == *moment || *moment < -62'135'596'800'000'000)) continue;
    (void)std::fprintf(stderr, "%s\n", written.c_str());
    std::abort();
  }
  return 0;
}
