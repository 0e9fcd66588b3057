// What people read about configuration, made from the table of keys so that it cannot drift from
// it.
#pragma once

#include <string>

namespace leat::app {

/// The commented leat.yml that `leat init` writes: every key at its default, each commented out, so
/// that a later version's defaults apply. Loading it gives the defaults. Pure; any thread.
[[nodiscard]] std::string sample_yaml();

/// The .env that `leat init` writes for the source `web`, whose key is `write_key`. Pure; any
/// thread.
[[nodiscard]] std::string sample_env_file(const std::string& write_key);

/// docs/reference/configuration.md. Pure; any thread.
[[nodiscard]] std::string configuration_page();

}  // namespace leat::app
