// Refused signatures as the errors of each protocol.
#pragma once

#include <string>

#include "warehouse/dataapi/api_error.h"

namespace leat::aws {
struct Refusal;
}

namespace leat::dataapi {

/// Of the JSON services, of the query services, of S3. Pure; any thread.
[[nodiscard]] ApiError json_refusal(const aws::Refusal& refusal);
[[nodiscard]] ApiError query_refusal(const aws::Refusal& refusal);
[[nodiscard]] ApiError s3_refusal(const aws::Refusal& refusal);

/// The body of a JSON service's error.
[[nodiscard]] std::string error_json(const ApiError& error);

}  // namespace leat::dataapi
