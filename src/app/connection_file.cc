#include "app/connection_file.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/data_directory.h"
#include "app/file_text.h"
#include "base/json_members.h"

namespace leat::app {
namespace {

using Json = nlohmann::ordered_json;

Json url_or_null(const std::string& url) {
  return url.empty() ? Json(nullptr) : Json(url);
}

Json data_api_of(const ConnectionFile& file) {
  if (file.data_api_url.empty()) return {{"url", nullptr}};
  return {{"url", file.data_api_url},
          {"access_key_id", file.data_api_access_key_id},
          {"secret_access_key", file.data_api_secret_access_key},
          {"region", file.data_api_region},
          {"cluster_identifier", file.data_api_cluster_identifier},
          {"workgroup_name", file.data_api_workgroup_name}};
}

}  // namespace

std::string to_json(const ConnectionFile& file) {
  Json sources = Json::array();
  for (const ConnectionSource& source : file.sources) {
    sources.push_back(
        {{"name", source.name}, {"write_key", source.write_key}, {"schema", source.schema}});
  }
  const Json json = {{"collect", {{"url", url_or_null(file.collect_url)}}},
                     {"console", {{"url", url_or_null(file.console_url)}}},
                     {"data_api", data_api_of(file)},
                     {"sources", sources},
                     {"warehouse",
                      {{"host", file.warehouse_host},
                       {"port", file.warehouse_port},
                       {"user", file.warehouse_user},
                       {"password", file.warehouse_password},
                       {"database", file.warehouse_database}}}};
  return json.dump(2) + "\n";
}

Result<ConnectionFile> parse_connection_file(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return fail(Errc::kCorrupt, "connection.json is no JSON object");
  ConnectionFile file;
  file.collect_url = member_text(member_object(json, "collect"), "url");
  file.console_url = member_text(member_object(json, "console"), "url");
  const Json data_api = member_object(json, "data_api");
  file.data_api_url = member_text(data_api, "url");
  file.data_api_access_key_id = member_text(data_api, "access_key_id");
  file.data_api_secret_access_key = member_text(data_api, "secret_access_key");
  file.data_api_region = member_text(data_api, "region");
  file.data_api_cluster_identifier = member_text(data_api, "cluster_identifier");
  file.data_api_workgroup_name = member_text(data_api, "workgroup_name");
  const auto sources = json.find("sources");
  if (sources != json.end() && sources->is_array()) {
    for (const Json& source : *sources) {
      if (!source.is_object())
        return fail(Errc::kCorrupt, "connection.json: a source is no object");
      file.sources.push_back({member_text(source, "name"), member_text(source, "write_key"),
                              member_text(source, "schema")});
    }
  }
  const Json warehouse = member_object(json, "warehouse");
  file.warehouse_host = member_text(warehouse, "host");
  file.warehouse_user = member_text(warehouse, "user");
  file.warehouse_password = member_text(warehouse, "password");
  file.warehouse_database = member_text(warehouse, "database");
  const auto port = warehouse.find("port");
  if (port == warehouse.end() || !port->is_number_unsigned() ||
      port->get<std::uint64_t>() > 65535) {
    return fail(Errc::kCorrupt, "connection.json: warehouse.port is no port");
  }
  file.warehouse_port = port->get<std::uint16_t>();
  return file;
}

Result<ConnectionFile> read_connection_file(const std::string& data) {
  const std::string path = DataPaths{data}.connection();
  const auto text = read_text_file(path);
  if (!text && text.error().code == Errc::kNotFound) {
    return fail(Errc::kUnavailable,
                fmt::format("nothing runs in {} (no {}); start it with: leat up --data {}", data,
                            path, data));
  }
  if (!text) return std::unexpected(text.error());
  auto file = parse_connection_file(*text);
  if (!file) return fail(file.error().code, fmt::format("{}: {}", path, file.error().message));
  return file;
}

}  // namespace leat::app
