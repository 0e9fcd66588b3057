// The text of a HyperLogLog sketch: read, written anew, read again, merged with itself.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "warehouse/engine/hll_sketch.h"

namespace {

std::string text_of(const leat::engine::HllSketch& sketch) {
  std::string text;
  sketch.append_text(text);
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using leat::engine::HllSketch;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  auto sketch = HllSketch::parse(input);
  if (!sketch) return 0;
  if (sketch->cardinality() < 0) std::abort();
  const std::string text = text_of(*sketch);
  const auto again = HllSketch::parse(text);
  if (!again || text_of(*again) != text) std::abort();
  if (again->cardinality() != sketch->cardinality()) std::abort();
  sketch->merge(*again);
  if (text_of(*sketch) != text) std::abort();
  return 0;
}
