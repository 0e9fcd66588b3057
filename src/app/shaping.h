// What the configuration says about rows, tables and columns.
#pragma once

#include "app/config.h"
#include "pipeline/shape/shaper.h"

namespace leat::app {

/// The settings of the destination for shaping; without a tracking plan, which is each source's
/// own. `config`: as load_config gives it. Pure; any thread.
[[nodiscard]] shape::Options shape_options(const Config& config);

}  // namespace leat::app
