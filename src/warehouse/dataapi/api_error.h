// An error as the AWS protocols carry it: a name that clients key on, an HTTP status, a text.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace leat::dataapi {

struct ApiError {
  int status = 400;       ///< HTTP status.
  std::string name = {};  ///< "ValidationException"; of query services: the Code.
  std::string message = {};
  /// Further members of the answer, such as ResourceId.
  std::vector<std::pair<std::string, std::string>> members = {};
};

template <class T>
using ApiResult = std::expected<T, ApiError>;
using ApiStatus = std::expected<void, ApiError>;

[[nodiscard]] inline std::unexpected<ApiError> fail_api(int status, std::string_view name,
                                                        std::string message) {
  return std::unexpected(ApiError{
      .status = status, .name = std::string(name), .message = std::move(message), .members = {}});
}

[[nodiscard]] inline std::unexpected<ApiError> invalid(std::string message) {
  return fail_api(400, "ValidationException", std::move(message));
}

[[nodiscard]] inline std::unexpected<ApiError> no_resource(std::string message, std::string id) {
  return std::unexpected(ApiError{.status = 400,
                                  .name = "ResourceNotFoundException",
                                  .message = std::move(message),
                                  .members = {{"ResourceId", std::move(id)}}});
}

}  // namespace leat::dataapi
