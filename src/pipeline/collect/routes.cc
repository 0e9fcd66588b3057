#include "pipeline/collect/routes.h"

#include <utility>

namespace leat::collect {
namespace {

using event::EventType;

constexpr std::pair<std::string_view, Route> kRoutes[] = {
    {"track", {RouteKind::kEvent, EventType::kTrack}},
    {"identify", {RouteKind::kEvent, EventType::kIdentify}},
    {"page", {RouteKind::kEvent, EventType::kPage}},
    {"screen", {RouteKind::kEvent, EventType::kScreen}},
    {"group", {RouteKind::kEvent, EventType::kGroup}},
    {"alias", {RouteKind::kEvent, EventType::kAlias}},
    {"t", {RouteKind::kEvent, EventType::kTrack}},
    {"i", {RouteKind::kEvent, EventType::kIdentify}},
    {"p", {RouteKind::kEvent, EventType::kPage}},
    {"s", {RouteKind::kEvent, EventType::kScreen}},
    {"g", {RouteKind::kEvent, EventType::kGroup}},
    {"a", {RouteKind::kEvent, EventType::kAlias}},
    {"batch", {RouteKind::kBatch}},
    {"b", {RouteKind::kBatch}},
    {"import", {RouteKind::kBatch}},
    {"m", {RouteKind::kTelemetry}},
    {"beacon/v1/batch", {.kind = RouteKind::kBatch, .client_side = true}},
    {"beacon/batch", {.kind = RouteKind::kBatch, .client_side = true}},
    {"health", {RouteKind::kHealth}},
    {"ready", {RouteKind::kReady}},
    {"metrics", {RouteKind::kMetrics}},
};

constexpr std::string_view kProjects = "projects/";
constexpr std::string_view kSettings = "/settings";

bool remove_prefix(std::string_view& path, std::string_view prefix) {
  if (!path.starts_with(prefix)) return false;
  path.remove_prefix(prefix.size());
  return true;
}

}  // namespace

Route route_of(std::string_view path) {
  if (!remove_prefix(path, "/")) return {};
  if (path.ends_with('/')) path.remove_suffix(1);
  remove_prefix(path, "v1/");
  if (remove_prefix(path, "pixel/")) {
    remove_prefix(path, "v1/");
    const EventType type = event::event_type_of(path);
    if (type == EventType::kNone) return {};
    return {.kind = RouteKind::kPixel, .type = type, .client_side = true};
  }
  for (const auto& [name, route] : kRoutes) {
    if (path == name) return route;
  }
  if (path.starts_with(kProjects) && path.ends_with(kSettings) &&
      path.size() > kProjects.size() + kSettings.size()) {
    path.remove_prefix(kProjects.size());
    path.remove_suffix(kSettings.size());
    if (path.find('/') == std::string_view::npos)
      return {.kind = RouteKind::kSettings, .write_key = path};
  }
  return {};
}

}  // namespace leat::collect
