#include "app/shaping.h"

namespace leat::app {

shape::Options shape_options(const Config& config) {
  shape::Options options;
  options.types = config.destination_types == "varchar" ? shape::TypeMode::kVarchar
                                                        : shape::TypeMode::kInferred;
  options.varchar_length = static_cast<std::uint32_t>(config.destination_varchar_length);
  return options;
}

}  // namespace leat::app
