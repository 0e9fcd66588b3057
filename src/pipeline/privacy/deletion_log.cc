#include "pipeline/privacy/deletion_log.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace leat::privacy {
namespace {

using Json = nlohmann::json;

std::string line_of(const DeletionRequest& request) {
  return fmt::format(
      "{{\"leat_deletion\":1,\"id\":{},\"regulation_type\":\"{}\",\"subject_type\":\"{}\","
      "\"subject_id\":{},\"source\":{},\"requested_at\":\"{}\"}}\n",
      json_string(request.id), regulation_type_name(request.type),
      event::person_key_name(request.person.key), json_string(request.person.id),
      json_string(request.source), format_iso8601(request.requested_at));
}

std::string line_of(const RewrittenObject& object) {
  return fmt::format(
      "{{\"batch_id\":{},\"events_deleted\":{},\"lines\":[{}],\"uri_before\":{},"
      "\"sha256_before\":\"{}\",\"uri_after\":{},\"sha256_after\":\"{}\"}}\n",
      json_string(object.batch_id), object.events_deleted, fmt::join(object.lines, ","),
      json_string(object.uri_before), object.sha256_before, json_string(object.uri_after),
      object.sha256_after);
}

Result<DeletionRequest> request_of(const Json& json) {
  DeletionRequest request;
  request.id = json.at("id");
  LEAT_ASSIGN(request.type, regulation_type_of(std::string(json.at("regulation_type"))));
  LEAT_ASSIGN(request.person, event::make_person(std::string(json.at("subject_type")),
                                                 std::string(json.at("subject_id"))));
  request.source = json.at("source");
  request.requested_at = parse_iso8601(std::string(json.at("requested_at"))).value_or(TimeUs{});
  return request;
}

RewrittenObject object_of(const Json& json) {
  return {.batch_id = json.at("batch_id"),
          .events_deleted = json.at("events_deleted"),
          .uri_before = json.at("uri_before"),
          .sha256_before = json.at("sha256_before"),
          .uri_after = json.at("uri_after"),
          .sha256_after = json.at("sha256_after"),
          .lines = json.at("lines")};
}

}  // namespace

Result<std::unique_ptr<DeletionLog>> DeletionLog::create(io::FileSystem& files,
                                                         const std::string& path,
                                                         const DeletionRequest& request) {
  LEAT_TRY(io::write_file_atomically(files, path, line_of(request)));
  return open(files, path);
}

Result<std::unique_ptr<DeletionLog>> DeletionLog::open(io::FileSystem& files,
                                                       const std::string& path) {
  LEAT_ASSIGN(const std::string text, io::read_file(files, path));
  std::unique_ptr<DeletionLog> log(new DeletionLog());
  std::string_view rest = text;
  try {
    for (std::size_t end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
      const Json json = Json::parse(rest.substr(0, end));
      if (log->end_ == 0) {
        if (json.at("leat_deletion") != 1) return fail(Errc::kUnsupported, path);
        LEAT_ASSIGN(log->request_, request_of(json));
      } else {
        RewrittenObject object = object_of(json);
        log->objects_.insert_or_assign(object.batch_id, std::move(object));
      }
      rest.remove_prefix(end + 1);
      log->end_ = text.size() - rest.size();
    }
  } catch (const Json::exception& error) {
    return fail(Errc::kCorrupt,
                fmt::format("cannot read the log of a deletion: {}; {}", error.what(), path));
  }
  if (log->end_ == 0) {
    return fail(Errc::kCorrupt, fmt::format("the log of a deletion has no beginning; {}", path));
  }
  LEAT_ASSIGN(log->file_, files.open(path, {.write = true}));
  LEAT_TRY(log->file_->truncate(log->end_));
  return log;
}

Status DeletionLog::append(const std::string& line) {
  LEAT_TRY(file_->pwrite(line, end_));
  LEAT_TRY(file_->sync());
  end_ += line.size();
  return {};
}

Status DeletionLog::add(const RewrittenObject& object) {
  LEAT_TRY(append(line_of(object)));
  objects_.insert_or_assign(object.batch_id, object);
  return {};
}

}  // namespace leat::privacy
