// <data>/connection.json: how to reach a running Leat, for scripts and for the other commands.
// Holds secrets (0600), exists while the process is ready, and is described in
// docs/reference/connection-file.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace leat::app {

struct ConnectionSource {
  std::string name;
  std::string write_key;
  std::string schema;
};

struct ConnectionFile {
  std::string collect_url;
  std::string console_url;
  std::string data_api_url;  ///< Empty: not served, written as null, without the next ones.
  std::string data_api_access_key_id;
  std::string data_api_secret_access_key;
  std::string data_api_region;
  std::string data_api_cluster_identifier;
  std::string data_api_workgroup_name;
  std::vector<ConnectionSource> sources;
  std::string warehouse_host;
  std::uint16_t warehouse_port = 0;
  std::string warehouse_user;
  std::string warehouse_password;
  std::string warehouse_database;
};

/// One JSON object with a newline. Pure; any thread.
[[nodiscard]] std::string to_json(const ConnectionFile& file);

/// Reads what to_json wrote. Errors: kCorrupt. Pure; any thread.
[[nodiscard]] Result<ConnectionFile> parse_connection_file(std::string_view text);

/// Reads <data>/connection.json. Errors: kUnavailable when there is none: nothing runs there, and
/// the message says how to start it.
[[nodiscard]] Result<ConnectionFile> read_connection_file(const std::string& data);

}  // namespace leat::app
