// Where AWS's services are.
#pragma once

#include <string>
#include <string_view>

namespace leat::aws {

/// "amazonaws.com", or what the region's partition has instead. Pure; any thread.
[[nodiscard]] std::string_view dns_suffix(std::string_view region);

/// "https://sts.eu-west-1.amazonaws.com". Pure; any thread.
[[nodiscard]] std::string service_endpoint(std::string_view service, std::string_view region);

}  // namespace leat::aws
