// Runs the shaper and its reference over the same batches and tells the first difference. For
// property tests and fuzzing.
#pragma once

#include <string>
#include <vector>

#include "pipeline/shape/shaper.h"

namespace leat::shape {

/// "" when both show the same rows, books and columns; else what differs, for a person.
[[nodiscard]] std::string compare_with_reference(const std::vector<Batch>& batches,
                                                 const Options& options,
                                                 const std::vector<KnownTable>& known);

}  // namespace leat::shape
