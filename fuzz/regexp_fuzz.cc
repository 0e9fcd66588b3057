// Patterns of Perl's kind on texts: the matches lie in the text, from left to right, and no pattern
// takes more than its limit. Input: the pattern, a line feed, the text.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/text.h"
#include "warehouse/engine/pattern_function.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t line = input.find('\n');
  if (line == std::string_view::npos || !leat::is_utf8(input)) return 0;
  const std::string_view text = input.substr(line + 1);
  std::size_t before = 0;
  std::size_t matches = 0;
  const auto status = leat::engine::each_match(
      input.substr(0, line), text, [&](const std::vector<leat::engine::PatternSpan>& spans) {
        if (spans.empty() || spans[0].begin > spans[0].end || spans[0].end > text.size() ||
            spans[0].end < before || ++matches > 2 * text.size() + 2) {
          std::abort();
        }
        before = spans[0].end;
        return true;
      });
  if (!status && status.error().sqlstate != "2201B" && status.error().sqlstate != "54001")
    std::abort();
  return 0;
}
