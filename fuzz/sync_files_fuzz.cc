// The two files that syncs keep: what is read is written again as the same.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "pipeline/load/sync_history.h"
#include "pipeline/load/sync_memory.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto entry = leat::load::sync_history_entry(text)) {
    const std::string json = to_json(*entry);
    const auto again = leat::load::sync_history_entry(json);
    LEAT_CHECK(again.has_value());
    LEAT_CHECK(to_json(*again) == json);
  }
  if (const auto memory = leat::load::sync_memory(text)) {
    const auto again = leat::load::sync_memory(to_json(*memory));
    LEAT_CHECK(again.has_value());
    LEAT_CHECK(*again == *memory);
  }
  return 0;
}
