#include "app/shaping.h"

#include <string_view>

namespace leat::app {

shape::Options shape_options(const Config& config) {
  const auto nested_of = [](std::string_view name) {
    if (name == "super") return shape::Nested::kSuper;
    return name == "json" ? shape::Nested::kJson : shape::Nested::kFlatten;
  };
  shape::Options options;
  options.types = config.destination_types == "varchar" ? shape::TypeMode::kVarchar
                                                        : shape::TypeMode::kInferred;
  options.varchar_length = static_cast<std::uint32_t>(config.destination_varchar_length);
  options.objects = nested_of(config.destination_objects);
  options.arrays = nested_of(config.destination_arrays);
  // The texts were checked when the configuration was read.
  options.conflicts = shape::ConflictPolicies::parse(config.destination_conflicts,
                                                     config.destination_column_conflicts)
                          .value_or(shape::ConflictPolicies());
  options.columns_max = static_cast<std::uint32_t>(config.destination_columns_max);
  options.tables_max = static_cast<std::uint32_t>(config.destination_tables_max);
  options.warehouse_id = config.destination_warehouse_id;
  return options;
}

}  // namespace leat::app
