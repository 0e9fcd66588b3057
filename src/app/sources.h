// The sources of one process as they run: configuration, made-up write keys and schema names
// brought together.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/config.h"
#include "app/connection_file.h"
#include "base/error.h"
#include "base/random.h"
#include "pipeline/shape/selection.h"
#include "pipeline/shape/tracking_plan.h"

namespace leat::app {

struct Source {
  std::string name;
  std::string write_key;
  std::string schema;
  bool enabled = true;
  std::int64_t events_per_second_max = 0;
  std::string tracking_plan{};  ///< Path; empty: none.
  bool sync = true;
  shape::Exclusion exclusion{};
};

/// Fills in what the configuration leaves open: the schema by the name, and a write key made once
/// and kept in the file `write_keys_path`. Errors: kInvalid when a schema's name is none or two
/// sources have one schema or one key; those of the file.
[[nodiscard]] Result<std::vector<Source>> resolve_sources(
    const std::vector<SourceConfig>& configured, const std::string& write_keys_path,
    Random& random);

/// The same without making or keeping anything: unset write keys stay empty. For `leat check`.
[[nodiscard]] Result<std::vector<Source>> name_sources(const std::vector<SourceConfig>& configured);

/// True for schemas that no table of Leat's may be in.
[[nodiscard]] bool is_schema_of_warehouse(std::string_view name);

/// Reads the tracking plan in the file `path`. Errors: kInvalid and those of the file, naming it.
[[nodiscard]] Result<std::unique_ptr<shape::TrackingPlan>> read_tracking_plan(
    const std::string& path);

}  // namespace leat::app
