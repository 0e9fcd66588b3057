// How the configuration wants events shaped.
#pragma once

#include "app/config.h"
#include "pipeline/shape/shaper.h"

namespace leat::app {

/// The Shaper's options from the destination's keys. Pure.
[[nodiscard]] shape::Options shape_options(const Config& config);

}  // namespace leat::app
