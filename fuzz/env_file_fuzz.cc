// .env files and values of keys: any bytes give settings or mistakes, never a crash; what is
// written quoted reads back.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "app/config_keys.h"
#include "app/env_file.h"
#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const leat::app::EnvFile file = leat::app::parse_env_file(text);
  for (const leat::app::EnvLine& setting : file.settings) {
    LEAT_CHECK(!setting.name.empty() && setting.line >= 1);
    if (setting.value.find_first_of("'\r\n") != std::string::npos) continue;
    const auto again = leat::app::parse_env_file(setting.name + "='" + setting.value + "'");
    LEAT_CHECK(again.settings.size() == 1 && again.settings[0].value == setting.value);
  }
  for (const leat::app::Key& key : leat::app::config_keys()) {
    (void)leat::app::parse_key_value(key, text);
  }
  const auto us = leat::app::parse_duration_us(text);
  if (us)
    LEAT_CHECK(leat::app::parse_duration_us(leat::app::duration_text(*us)).value_or(*us) == *us);
  return 0;
}
