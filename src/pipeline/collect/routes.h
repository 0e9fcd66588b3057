// Which of the collector's answers a path asks for. Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "pipeline/event/validate.h"

namespace leat::collect {

enum class RouteKind : std::uint8_t {
  kUnknown,
  kEvent,      ///< one event, whose type the path tells
  kBatch,      ///< {"batch":[...]}
  kTelemetry,  ///< the browser library's own metrics: answered and dropped
  kPixel,      ///< GET, one event in the query, answered with an image
  kSettings,   ///< GET /v1/projects/<write key>/settings
  kHealth,
  kReady,
  kMetrics,
};

struct Route {
  RouteKind kind = RouteKind::kUnknown;
  event::EventType type = event::EventType::kNone;
  std::string_view write_key{};  ///< kSettings, as in the path
  bool client_side = false;      ///< only devices use it: the peer's address is the user's
};

/// Reads a path, with or without "/v1" in front and a slash at the end.
[[nodiscard]] Route route_of(std::string_view path);

}  // namespace leat::collect
