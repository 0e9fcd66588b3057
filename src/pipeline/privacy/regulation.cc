#include "pipeline/privacy/regulation.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "base/text.h"

namespace leat::privacy {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 4> kTypes = {"DELETE_ONLY", "SUPPRESS_WITH_DELETE",
                                                    "SUPPRESS_ONLY", "UNSUPPRESS"};
constexpr std::array<std::string_view, 4> kStatuses = {"INITIALIZED", "RUNNING", "FINISHED",
                                                       "FAILED"};

std::string time_text(TimeUs time) {
  return time.value == 0 ? std::string() : format_iso8601(time);
}

Json json_of(const SourceReport& source) {
  Json objects = Json::array();
  for (const RewrittenObject& object : source.objects) {
    objects.push_back({{"batch_id", object.batch_id},
                       {"events_deleted", object.events_deleted},
                       {"lines", object.lines},
                       {"uri_before", object.uri_before},
                       {"sha256_before", object.sha256_before},
                       {"uri_after", object.uri_after},
                       {"sha256_after", object.sha256_after}});
  }
  return {{"source", source.source},
          {"schema", source.schema},
          {"objects_read", source.objects_read},
          {"events_read", source.events_read},
          {"events_deleted", source.events_deleted},
          {"objects_rewritten", source.objects.size()},
          {"objects", std::move(objects)},
          {"table_rows", source.table_rows},
          {"staged_files_removed", source.staged_files_removed}};
}

SourceReport source_of(const Json& json) {
  SourceReport source{.source = json.at("source"),
                      .schema = json.at("schema"),
                      .objects_read = json.at("objects_read"),
                      .events_read = json.at("events_read"),
                      .events_deleted = json.at("events_deleted"),
                      .objects = {},
                      .table_rows = json.at("table_rows"),
                      .staged_files_removed = json.at("staged_files_removed")};
  for (const Json& object : json.at("objects")) {
    source.objects.push_back({.batch_id = object.at("batch_id"),
                              .events_deleted = object.at("events_deleted"),
                              .uri_before = object.at("uri_before"),
                              .sha256_before = object.at("sha256_before"),
                              .uri_after = object.at("uri_after"),
                              .sha256_after = object.at("sha256_after"),
                              .lines = object.at("lines")});
  }
  return source;
}

template <std::size_t N>
std::size_t place_of(const std::array<std::string_view, N>& names, std::string_view name) {
  std::size_t at = 0;
  while (at < N && names[at] != name) ++at;
  return at;
}

}  // namespace

std::string_view regulation_type_name(RegulationType type) {
  return kTypes[static_cast<std::size_t>(type)];
}

Result<RegulationType> regulation_type_of(std::string_view name) {
  const std::size_t at = place_of(kTypes, name);
  if (at < kTypes.size()) return static_cast<RegulationType>(at);
  return fail(Errc::kInvalid,
              fmt::format("there is no regulation {}; allowed: DELETE_ONLY, SUPPRESS_WITH_DELETE, "
                          "SUPPRESS_ONLY, UNSUPPRESS",
                          json_string(name)));
}

bool deletes(RegulationType type) {
  return type == RegulationType::kDeleteOnly || type == RegulationType::kSuppressWithDelete;
}

std::string_view regulation_status_name(RegulationStatus status) {
  return kStatuses[static_cast<std::size_t>(status)];
}

std::string subject_hash(std::string_view regulation_id, const event::Person& person) {
  return to_hex(sha256(
      fmt::format("{}:{}:{}", regulation_id, event::person_key_name(person.key), person.id)));
}

std::string to_json(const Regulation& regulation) {
  Json sources = Json::array();
  for (const SourceReport& source : regulation.sources) sources.push_back(json_of(source));
  const Json json = {{"leat_privacy_report", 1},
                     {"id", regulation.id},
                     {"regulation_type", regulation_type_name(regulation.type)},
                     {"status", regulation_status_name(regulation.status)},
                     {"subject_type", event::person_key_name(regulation.subject_type)},
                     {"subject_hash", regulation.subject_hash},
                     {"source", regulation.source},
                     {"dry_run", regulation.is_dry},
                     {"requested_at", time_text(regulation.requested_at)},
                     {"finished_at", time_text(regulation.finished_at)},
                     {"error", regulation.error},
                     {"sources", std::move(sources)},
                     {"journal_bytes_erased", regulation.journal_bytes_erased}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Regulation> regulation_from_json(std::string_view text) {
  try {
    const Json json = Json::parse(text);
    Regulation out;
    out.id = json.at("id");
    const std::string type = json.at("regulation_type");
    const std::string status = json.at("status");
    out.type = static_cast<RegulationType>(place_of(kTypes, type));
    out.status = static_cast<RegulationStatus>(place_of(kStatuses, status));
    if (place_of(kTypes, type) == kTypes.size() ||
        place_of(kStatuses, status) == kStatuses.size() || json.at("leat_privacy_report") != 1) {
      return fail(Errc::kCorrupt, "the privacy report has an unknown version, type or status");
    }
    const std::string key = json.at("subject_type");
    LEAT_ASSIGN(const event::Person person, event::make_person(key, "x"));
    out.subject_type = person.key;
    out.subject_hash = json.at("subject_hash");
    out.source = json.at("source");
    out.is_dry = json.at("dry_run");
    out.requested_at = parse_iso8601(std::string(json.at("requested_at"))).value_or(TimeUs{});
    out.finished_at = parse_iso8601(std::string(json.at("finished_at"))).value_or(TimeUs{});
    out.error = json.at("error");
    for (const Json& source : json.at("sources")) out.sources.push_back(source_of(source));
    out.journal_bytes_erased = json.value("journal_bytes_erased", std::uint64_t{0});
    return out;
  } catch (const Json::exception& error) {
    return fail(Errc::kCorrupt, fmt::format("not a privacy report: {}", error.what()));
  }
}

}  // namespace leat::privacy
