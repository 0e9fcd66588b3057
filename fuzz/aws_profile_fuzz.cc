// The files in ~/.aws, and the command lines in them.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "aws/profile_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace leat::aws;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto sections = parse_profile_text(text, "f");
  if (sections) {
    for (const auto& [name, settings] : *sections) {
      for (const auto& [setting, value] : settings) {
        if (setting.empty() || value.size() > size) std::abort();
      }
    }
  } else if (!sections.error().message.starts_with("f:")) {
    std::abort();
  }
  const auto words = split_command(text);
  if (words) {
    std::size_t bytes = 0;
    for (const auto& word : *words) bytes += word.size();
    if (bytes > size) std::abort();
  }
  return 0;
}
