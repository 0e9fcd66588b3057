// The beginning of the engine's log: whatever is there, it is judged, and a longer log never makes
// a good beginning a bad one.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "warehouse/engine/log_header.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using leat::engine::is_log_beginning;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view head = input.substr(0, leat::engine::kLogHeaderBytesMax);
  if (!is_log_beginning(head)) return 0;
  for (std::size_t bytes = 0; bytes < head.size(); ++bytes) {
    if (!is_log_beginning(head.substr(0, bytes))) std::abort();
  }
  return 0;
}
