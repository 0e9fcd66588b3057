#include "app/privacy_api.h"

#include <fmt/format.h>

#include "base/text.h"
#include "net/http.h"

namespace leat::app {
namespace {

std::string regulations_json(const std::vector<privacy::Regulation>& regulations) {
  std::string out = "[";
  for (const privacy::Regulation& regulation : regulations) {
    if (out.size() > 1) out += ',';
    out += to_json(regulation);
  }
  return out + "]";
}

std::string suppressions_json(const std::vector<event::Suppression>& suppressions) {
  std::string out = "[";
  for (const event::Suppression& each : suppressions) {
    if (out.size() > 1) out += ',';
    out += fmt::format(R"({{"hash":"{}","subject_type":"{}","source":{},"since":"{}"}})", each.hash,
                       event::person_key_name(each.key), json_string(each.source),
                       format_iso8601(each.since));
  }
  return out + "]";
}

}  // namespace

Result<privacy::Request> read_privacy_query(std::string_view query) {
  privacy::Request request;
  std::string type;
  std::string subject_type;
  std::string subject_id;
  for (const auto& [name, value] : net::parse_query(query, 16)) {
    if (name == "regulation_type") {
      type = value;
    } else if (name == "subject_type") {
      subject_type = value;
    } else if (name == "subject_id") {
      subject_id = value;
    } else if (name == "source") {
      request.source = value;
    } else if (name == "dry_run" && (value == "true" || value == "false")) {
      request.is_dry = value == "true";
    } else {
      return fail(Errc::kInvalid,
                  fmt::format("unknown parameter {}={}; allowed: regulation_type, subject_type, "
                              "subject_id, source, dry_run=true",
                              name, value));
    }
  }
  LEAT_ASSIGN(request.type, privacy::regulation_type_of(type));
  LEAT_ASSIGN(request.person, event::make_person(subject_type, subject_id));
  if (request.is_dry && !deletes(request.type)) {
    return fail(Errc::kInvalid, "dry_run is for regulations that delete");
  }
  return request;
}

Result<std::string> answer_privacy(privacy::Service& service, bool is_post,
                                   const std::string& query) {
  if (is_post) {
    LEAT_ASSIGN(const privacy::Request request, read_privacy_query(query));
    LEAT_ASSIGN(const privacy::Regulation regulation, service.submit(request));
    return fmt::format(R"({{"regulations":{}}})", regulations_json({regulation}));
  }
  std::string id;
  for (const auto& [name, value] : net::parse_query(query, 8)) {
    if (name != "id") {
      return fail(Errc::kInvalid, fmt::format("unknown parameter \"{}\"; allowed: id", name));
    }
    id = value;
  }
  std::vector<privacy::Regulation> regulations = service.regulations();
  if (!id.empty()) std::erase_if(regulations, [&](const auto& each) { return each.id != id; });
  if (!id.empty() && regulations.empty()) {
    return fail(Errc::kNotFound, fmt::format("there is no regulation {}", id));
  }
  return fmt::format(R"({{"regulations":{},"suppressions":{}}})", regulations_json(regulations),
                     suppressions_json(service.suppressions()));
}

}  // namespace leat::app
