// A request of the AWS protocols as it was received, kept beyond the loop's turn.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "net/http.h"

namespace leat::dataapi {

struct HttpRequest {
  net::Method method = net::Method::kOther;
  std::string method_text{};
  std::string path{};   ///< Not decoded.
  std::string query{};  ///< Not decoded.
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string body{};
  std::string peer{};
  bool tls = false;

  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (equal_ignore_case(key, name)) return std::string_view(value);
    }
    return std::nullopt;
  }
  [[nodiscard]] std::string_view header_or(std::string_view name, std::string_view none) const {
    return header(name).value_or(none);
  }
};

}  // namespace leat::dataapi
