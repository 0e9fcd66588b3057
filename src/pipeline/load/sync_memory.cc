#include "pipeline/load/sync_memory.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace leat::load {
namespace {

using Json = nlohmann::json;
using Times = std::map<std::string, TimeUs>;

Json to_object(const Times& times) {
  Json out = Json::object();
  for (const auto& [source, time] : times) out[source] = format_iso8601(time);
  return out;
}

Result<Times> times_at(const Json& object, const char* member) {
  Times out;
  const auto found = object.find(member);
  if (found == object.end()) return out;
  if (!found->is_object()) return fail(Errc::kCorrupt, fmt::format("{} is no object", member));
  for (const auto& [source, value] : found->items()) {
    const auto time = value.is_string() ? parse_iso8601(value.get<std::string>()) : std::nullopt;
    if (!time) return fail(Errc::kCorrupt, fmt::format("{} of '{}' is no time", member, source));
    out[source] = *time;
  }
  return out;
}

}  // namespace

std::string to_json(const SyncMemory& memory) {
  const Json object = {{"paused_since", to_object(memory.paused_since)},
                       {"last_starts", to_object(memory.last_starts)}};
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<SyncMemory> sync_memory(std::string_view json) {
  const Json object = Json::parse(json, nullptr, false);
  if (!object.is_object()) return fail(Errc::kCorrupt, "it is no JSON object");
  SyncMemory out;
  LEAT_ASSIGN(out.paused_since, times_at(object, "paused_since"));
  LEAT_ASSIGN(out.last_starts, times_at(object, "last_starts"));
  return out;
}

Result<SyncMemory> read_sync_memory(io::FileSystem& files, const std::string& path) {
  const auto text = io::read_file(files, path);
  if (!text && text.error().code == Errc::kNotFound) return SyncMemory{};
  if (!text) return std::unexpected(text.error());
  auto memory = sync_memory(*text);
  if (memory) return memory;
  return fail(memory.error().code,
              fmt::format("{}: {}; mend it, or remove it: then no source is paused", path,
                          memory.error().message));
}

Status write_sync_memory(io::FileSystem& files, const std::string& path, const SyncMemory& memory) {
  LEAT_TRY(files.make_directories(io::parent_directory(path)));
  return io::write_file_atomically(files, path, to_json(memory));
}

}  // namespace leat::load
