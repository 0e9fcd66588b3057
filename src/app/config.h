// What one Leat process is told: the value of every configuration key, where each came from, and
// how the layers are laid over each other (flag > environment > .env > leat.yml > default).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace leat::app {

/// One write key and the schema its events become tables of.
struct SourceConfig {
  std::string name{};
  std::string write_key{};  ///< Empty: made once and kept in the data directory.
  std::string schema{};     ///< Empty: the name itself.
  bool enabled = true;
  std::int64_t events_per_second_max = 0;
  std::string tracking_plan{};  ///< Path; empty: none.
  bool sync = true;
  std::string exclude_events{};  ///< Patterns, separated by commas, as the two below.
  std::string exclude_tables{};
  std::string exclude_columns{};
};

/// Every key of docs/reference/configuration.md, with the units in the names. `config_keys()` fills
/// it; the values in here before that are never seen.
struct Config {
  std::string data;
  std::string log_level;

  std::string collect_listen;
  std::int64_t collect_threads = 0;
  std::int64_t collect_connections_max = 0;
  std::int64_t collect_request_timeout_us = 0;
  std::int64_t collect_hold_timeout_us = 0;
  std::int64_t collect_body_bytes_max = 0;
  std::int64_t collect_event_bytes_max = 0;
  std::int64_t collect_batch_events_max = 0;
  std::string collect_trusted_proxies;
  std::string collect_tls_certificate;
  std::string collect_tls_key;

  std::int64_t journal_segment_bytes = 0;
  std::int64_t journal_disk_bytes_max = 0;

  std::string store_kind;       ///< "directory" or "s3".
  std::string store_directory;  ///< Empty: DATA/objects.
  std::string store_region;     ///< Empty: what AWS's own tools would use.
  std::string store_endpoint;   ///< Empty: AWS's.
  std::string store_addressing;
  std::string store_encryption;
  std::string store_kms_key;
  std::string store_profile;
  std::string store_access_key_id;
  std::string store_secret_access_key;
  std::string store_ca_bundle;

  std::string archive_bucket;
  std::int64_t archive_seal_every_us = 0;
  std::int64_t archive_seal_bytes = 0;

  std::int64_t sync_every_us = 0;
  std::string sync_cron;   ///< Empty: by sync_every_us.
  std::string sync_hours;  ///< Empty: all.
  std::string sync_time_zone;
  bool sync_manual = false;
  std::int64_t sync_transaction_bytes_max = 0;

  std::string destination_protocol;  ///< "postgres" or "data_api".
  std::string destination_host;      ///< With postgres, empty: the embedded warehouse.
  std::int64_t destination_port = 0;
  std::string destination_database;
  std::string destination_user;
  std::string destination_password;
  std::string destination_authentication;  ///< "password" or "iam".
  std::string destination_cluster;
  std::string destination_workgroup;
  std::string destination_secret;
  std::string destination_region;
  std::string destination_profile;
  std::string destination_groups;
  bool destination_create_user = false;
  std::string destination_api_endpoint;
  std::string destination_sslmode;
  std::string destination_ssl_root_certificate;
  std::string destination_ssh_server;  ///< Empty: no tunnel.
  std::string destination_ssh_user;
  std::string destination_ssh_key;
  std::string destination_ssh_passphrase;
  std::string destination_ssh_known_hosts;
  std::string destination_iam_role;
  std::string destination_copy_authorization;  ///< "role" or "keys".
  std::string destination_query_group;
  std::string destination_ledger_schema;
  std::string destination_types;
  std::int64_t destination_varchar_length = 0;
  std::string destination_conflicts;
  std::string destination_column_conflicts;  ///< As shape::ConflictPolicies::parse takes it.
  std::string destination_objects;           ///< "flatten", "json" or "super".
  std::string destination_arrays;            ///< "json" or "super".
  std::int64_t destination_columns_max = 0;
  std::int64_t destination_tables_max = 0;
  std::string destination_warehouse_id;

  std::string notify_webhook;
  std::string notify_webhook_token;
  std::string notify_mail_server;
  std::string notify_mail_user;
  std::string notify_mail_password;
  std::string notify_mail_from;
  std::string notify_mail_to;
  std::string notify_mail_ca_bundle;
  std::int64_t notify_after_us = 0;
  std::int64_t notify_every_us = 0;

  std::string console_listen;

  std::string warehouse_listen;
  std::string warehouse_database;
  std::int64_t warehouse_memory_bytes_max = 0;
  std::int64_t warehouse_threads = 0;
  std::int64_t warehouse_sessions_max = 0;
  std::string warehouse_queues;
  std::string warehouse_audit;
  std::string warehouse_allowed_addresses;
  bool warehouse_require_tls = false;
  std::string warehouse_tls_certificate;
  std::string warehouse_tls_key;
  std::string warehouse_encryption_key_file;

  std::string data_api_listen;
  std::string data_api_access_key_id;
  std::string data_api_secret_access_key;
  std::string data_api_region;
  std::string data_api_cluster_identifier;
  std::string data_api_workgroup_name;
  std::int64_t data_api_statements_active_max = 0;
  std::int64_t data_api_statements_running_max = 0;
  std::int64_t data_api_sessions_max = 0;
  std::int64_t data_api_results_bytes_max = 0;
  std::int64_t data_api_body_bytes_max = 0;
  std::int64_t data_api_connections_max = 0;
  std::string data_api_tls_certificate;
  std::string data_api_tls_key;

  std::vector<SourceConfig> sources;  ///< In the order of leat.yml; never empty.

  /// Where each key that is not at its default came from, such as "leat.yml:4" or "environment".
  std::map<std::string, std::string> origins;
};

/// Whether events are loaded into Leat's own warehouse.
[[nodiscard]] inline bool is_embedded(const Config& config) {
  return config.destination_host.empty() && config.destination_protocol != "data_api";
}

/// The environment's variables, name to value.
using Environment = std::map<std::string, std::string>;

/// That of this process.
[[nodiscard]] Environment process_environment();

/// Where the layers come from.
struct ConfigInputs {
  std::string
      yaml_path{};  ///< Name of the configuration file in messages; empty when there is none.
  std::string yaml_text{};
  std::string env_file_path{};  ///< Name of the .env file in messages; empty when there is none.
  std::string env_file_text{};
  Environment environment{};
  std::vector<std::pair<std::string, std::string>>
      flags{};  ///< Key path to value, already known to be keys.
};

/// What loading gives: a whole configuration, and remarks for stderr that stop nothing (an unknown
/// LEAT_ variable of the environment, which may belong to another program).
struct LoadedConfig {
  Config config;
  std::vector<std::string> warnings;
};

/// Lays the layers over each other. Errors: kInvalid with one line per mistake, each as
/// "PLACE: KEY: what is wrong; allowed: ...", where PLACE is "leat.yml:LINE", ".env:LINE",
/// "environment" or "command line". Pure; any thread.
[[nodiscard]] Result<LoadedConfig> load_config(const ConfigInputs& inputs);

/// Reads the layers from the machine: `yaml_path` (must exist when not empty; else ./leat.yml if
/// there is one), the .env file beside it, and the process environment.
[[nodiscard]] Result<ConfigInputs> read_config_inputs(const std::string& yaml_path);

}  // namespace leat::app
