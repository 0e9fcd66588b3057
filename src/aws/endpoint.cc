#include "aws/endpoint.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace leat::aws {

std::string_view dns_suffix(std::string_view region) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kPartitions = {{
      {"cn-", "amazonaws.com.cn"},
      {"eusc-", "amazonaws.eu"},
      {"us-iso-", "c2s.ic.gov"},
      {"us-isob-", "sc2s.sgov.gov"},
      {"eu-isoe-", "cloud.adc-e.uk"},
      {"us-isof-", "csp.hci.ic.gov"},
  }};
  for (const auto& [prefix, suffix] : kPartitions) {
    if (region.starts_with(prefix)) return suffix;
  }
  return "amazonaws.com";
}

std::string service_endpoint(std::string_view service, std::string_view region) {
  return fmt::format("https://{}.{}.{}", service, region, dns_suffix(region));
}

}  // namespace leat::aws
