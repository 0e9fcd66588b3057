#include "app/destination.h"

#include <fmt/format.h>

#include <array>
#include <string_view>

#include "app/object_storage.h"
#include "app/sources.h"
#include "aws/credential_chain.h"
#include "aws/service_call.h"
#include "base/text.h"
#include "net/address.h"
#include "pipeline/load/data_api_connection.h"

namespace leat::app {
namespace {

constexpr std::string_view kUsualUser = "leat";

load::DestinationSettings settings_of(const Config& config, const ConnectionFile& connection) {
  load::DestinationSettings settings;
  if (is_embedded(config)) {
    settings.host = connection.warehouse_host;
    settings.port = connection.warehouse_port;
    settings.database = connection.warehouse_database;
    settings.user = connection.warehouse_user;
    settings.password = connection.warehouse_password;
  } else {
    settings.host = config.destination_host;
    settings.port = static_cast<std::uint16_t>(config.destination_port);
    settings.database = config.destination_database;
    settings.user =
        config.destination_user.empty() ? std::string(kUsualUser) : config.destination_user;
    settings.password = config.destination_password;
    // "auto" is the settings' own rule.
    if (config.destination_sslmode != "auto") settings.sslmode = config.destination_sslmode;
    settings.ssl_root_certificate = config.destination_ssl_root_certificate;
  }
  settings.iam_role = config.destination_iam_role;
  settings.query_group = config.destination_query_group;
  settings.ledger_schema = config.destination_ledger_schema;
  return settings;
}

Result<std::unique_ptr<net::SshTunnel>> open_tunnel(const net::SshOptions& options,
                                                    const load::DestinationSettings& settings) {
  return net::SshTunnel::open(options, {settings.host, settings.port},
                              net::Deadline::after_us(settings.connect_timeout_ms * 1000));
}

void lead_through(const net::SshTunnel& tunnel, load::DestinationSettings& settings) {
  settings.host_address = "127.0.0.1";
  settings.port = tunnel.port();
}

// A connection with the tunnel below it.
class TunnelledConnection final : public load::Connection {
 public:
  TunnelledConnection(std::unique_ptr<net::SshTunnel> tunnel,
                      std::unique_ptr<load::Connection> connection)
      : tunnel_(std::move(tunnel)), connection_(std::move(connection)) {}

  std::expected<load::Rows, load::DestinationFailure> run(std::string_view sql,
                                                          std::stop_token stop) override {
    return connection_->run(sql, std::move(stop));
  }
  [[nodiscard]] bool is_open() const override { return connection_->is_open(); }

 private:
  std::unique_ptr<net::SshTunnel> tunnel_;
  std::unique_ptr<load::Connection> connection_;  // goes first
};

std::expected<std::unique_ptr<load::Connection>, load::DestinationFailure> connect_through(
    const net::SshOptions& options, const load::DestinationSettings& settings,
    std::stop_token stop) {
  auto tunnel = open_tunnel(options, settings);
  if (!tunnel) {
    const bool refused = tunnel.error().code == Errc::kDenied;
    return std::unexpected(load::DestinationFailure{
        .kind = refused ? load::FailureKind::kLoginRefused : load::FailureKind::kUnreachable,
        .sqlstate = {},
        .message = tunnel.error().message});
  }
  load::DestinationSettings through = settings;
  lead_through(**tunnel, through);
  auto connection = load::connect_postgres(through, std::move(stop));
  if (!connection) return connection;
  return std::make_unique<TunnelledConnection>(std::move(*tunnel), std::move(*connection));
}

Result<std::optional<net::SshOptions>> ssh_of(const Config& config,
                                              const Environment& environment) {
  if (config.destination_ssh_server.empty()) return std::nullopt;
  if (config.destination_host.empty() || config.destination_ssh_user.empty()) {
    return fail(Errc::kInvalid,
                "destination.ssh_server needs destination.host and destination.ssh_user; set them");
  }
  net::SshOptions ssh;
  LEAT_ASSIGN(ssh.server, net::parse_endpoint(config.destination_ssh_server));
  ssh.user = config.destination_ssh_user;
  ssh.key_file = config.destination_ssh_key;
  ssh.passphrase = config.destination_ssh_passphrase;
  ssh.known_hosts_file = config.destination_ssh_known_hosts.empty()
                             ? aws::variable(environment, "HOME") + "/.ssh/known_hosts"
                             : config.destination_ssh_known_hosts;
  return ssh;
}

// Keys of a warehouse that is not the embedded one.
constexpr std::array<std::string_view, 18> kKeysOfOthers = {"port",
                                                            "database",
                                                            "user",
                                                            "password",
                                                            "cluster",
                                                            "region",
                                                            "profile",
                                                            "groups",
                                                            "workgroup",
                                                            "create_user",
                                                            "sslmode",
                                                            "api_endpoint",
                                                            "ssl_root_certificate",
                                                            "ssh_server",
                                                            "ssh_user",
                                                            "ssh_key",
                                                            "ssh_passphrase",
                                                            "ssh_known_hosts"};

Status check_embedded(const Config& config) {
  for (const std::string_view key : kKeysOfOthers) {
    const auto origin = config.origins.find(fmt::format("destination.{}", key));
    if (origin == config.origins.end()) continue;
    return fail(Errc::kInvalid,
                fmt::format("destination.{} ({}) is for a warehouse that destination.host names, "
                            "and there is none: events go into the embedded one; set "
                            "destination.host, or take the key out",
                            key, origin->second));
  }
  return {};
}

// A role's name may hold much, but nothing that ends the literal it stands in.
Status check_role(const std::string& role) {
  const bool is_arn = role.starts_with("arn:aws") && role.find(":role/") != std::string::npos &&
                      role.find_first_of("'\"\\ \t\r\n") == std::string::npos;
  if (role == "default" || is_arn) return {};
  return fail(Errc::kInvalid,
              fmt::format("destination.iam_role '{}' is no role; write default, or an ARN such as "
                          "arn:aws:iam::123456789012:role/leat-copy",
                          role));
}

// Names with other letters would have to be quoted, and the warehouse folds them all the same.
Status check_ledger_schema(const std::string& name) {
  constexpr std::size_t kNameBytesMax = 127;
  const bool is_name =
      name.size() <= kNameBytesMax && !(name[0] >= '0' && name[0] <= '9') &&
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
  if (!is_name) {
    return fail(Errc::kInvalid,
                fmt::format("destination.ledger_schema '{}' is no name of a schema; write a-z, 0-9 "
                            "and _, not beginning with a digit, such as leat",
                            name));
  }
  if (!is_schema_of_warehouse(name)) return {};
  return fail(Errc::kInvalid, fmt::format("destination.ledger_schema '{}' is a name that the "
                                          "warehouse keeps for itself; set another",
                                          name));
}

Status open_http(const Environment& environment, Destination& out) {
  if (out.http) return {};
  LEAT_ASSIGN(out.http,
              io::HttpClient::open({.ca_bundle = aws::variable(environment, "AWS_CA_BUNDLE")}));
  return {};
}

Status open_copy_keys(const Config& config, const Environment& environment, Destination& out) {
  LEAT_TRY(open_http(environment, out));
  LEAT_ASSIGN(out.copy_credentials, open_store_credentials(config, environment, *out.http));
  out.settings.copy_keys = [source = out.copy_credentials.get()]() -> Result<load::CopyKeys> {
    LEAT_ASSIGN(aws::Credentials given, source->get());
    return load::CopyKeys{.access_key_id = std::move(given.secret.access_key_id),
                          .secret_access_key = std::move(given.secret.secret_access_key),
                          .session_token = std::move(given.secret.session_token)};
  };
  return {};
}

// The region, with the HTTP client and the credentials made that calls to AWS take.
Result<std::string> open_credentials(const Config& config, const Environment& environment,
                                     Destination& out) {
  LEAT_TRY(open_http(environment, out));
  aws::CredentialChainOptions chain{
      .environment = environment, .profile = config.destination_profile, .http = out.http.get()};
  std::string region = config.destination_region;
  if (region.empty()) {
    LEAT_ASSIGN(region, aws::resolve_region(chain));
  }
  chain.region = region;
  out.credentials = std::make_unique<aws::CredentialChain>(chain);
  return region;
}

// What every kind of call to a warehouse of AWS takes.
template <class Options>
Result<Options> warehouse_options(const Config& config, const Environment& environment,
                                  Destination& out) {
  Options options;
  LEAT_ASSIGN(options.region, open_credentials(config, environment, out));
  options.cluster_identifier = config.destination_cluster;
  options.workgroup_name = config.destination_workgroup;
  options.database = config.destination_database;
  options.user = config.destination_user;
  options.endpoint = config.destination_api_endpoint;
  options.environment = environment;
  options.http = out.http.get();
  options.credentials = out.credentials.get();
  return options;
}

Status open_data_api(const Config& config, const Environment& environment, Destination& out) {
  LEAT_ASSIGN(auto api, warehouse_options<aws::RedshiftDataOptions>(config, environment, out));
  api.secret_arn = config.destination_secret;
  out.settings.host = fmt::format(
      "Data API of {} in {}",
      api.cluster_identifier.empty() ? api.workgroup_name : api.cluster_identifier, api.region);
  out.settings.port = 443;
  out.settings.statement_bytes_max = load::kDataApiStatementBytesMax;
  auto opened = aws::RedshiftData::open(std::move(api));
  if (!opened) {
    return fail(opened.error().code,
                opened.error().message +
                    " (keys destination.cluster, .workgroup, .user, .secret, .region)");
  }
  out.data_api = std::move(*opened);
  out.connect = [service = out.data_api.get()](const load::DestinationSettings& settings,
                                               std::stop_token stop) {
    return load::connect_data_api(*service, settings, std::move(stop));
  };
  return {};
}

Status open_login(const Config& config, const Environment& environment, Destination& out) {
  LEAT_ASSIGN(auto login, warehouse_options<aws::RedshiftLoginOptions>(config, environment, out));
  login.create_user = config.destination_create_user;
  for (const std::string_view group : split(config.destination_groups, ',')) {
    if (!trim(group).empty()) login.groups.emplace_back(trim(group));
  }
  auto opened = aws::RedshiftLogin::open(std::move(login));
  if (!opened) {
    return fail(opened.error().code,
                opened.error().message +
                    " (keys destination.cluster, .workgroup, .user, .groups, .region)");
  }
  out.login = std::move(*opened);
  return {};
}

}  // namespace

Status check_destination_keys(const Config& config) {
  const bool iam = config.destination_authentication == "iam";
  const bool data_api = config.destination_protocol == "data_api";
  if (data_api &&
      (iam || !config.destination_host.empty() || !config.destination_password.empty() ||
       !config.destination_ssh_server.empty())) {
    return fail(Errc::kInvalid,
                "destination.protocol: data_api needs no host, password, authentication or "
                "ssh_server; take them out");
  }
  if (data_api && config.destination_copy_authorization == "keys") {
    return fail(Errc::kInvalid,
                "destination.copy_authorization: keys would leave the keys in the statements that "
                "the Data API keeps for a day; use a role (destination.iam_role)");
  }
  if (!data_api && !config.destination_secret.empty()) {
    return fail(Errc::kInvalid,
                "destination.secret is for destination.protocol: data_api; set that, or take it "
                "out");
  }
  if (iam && config.destination_host.empty()) {
    return fail(Errc::kInvalid,
                "destination.authentication: iam is for a warehouse of AWS; set destination.host, "
                "or take the key out for the embedded one");
  }
  if (iam && !config.destination_password.empty()) {
    return fail(Errc::kInvalid,
                "destination.password and destination.authentication: iam exclude each other; take "
                "one out");
  }
  if (!iam && !data_api &&
      !(config.destination_cluster.empty() && config.destination_workgroup.empty())) {
    return fail(
        Errc::kInvalid,
        "destination.cluster and destination.workgroup are for logins by AWS credentials; "
        "set destination.authentication: iam or destination.protocol: data_api, or take them "
        "out");
  }
  LEAT_TRY(check_role(config.destination_iam_role));
  LEAT_TRY(check_ledger_schema(config.destination_ledger_schema));
  return is_embedded(config) ? check_embedded(config) : Status();
}

Result<Access> access_now(const Destination& destination) {
  if (destination.data_api) {
    return fail(Errc::kUnsupported,
                "the warehouse is reached through the Data API only (destination.protocol), which "
                "this command cannot ask; use the query editor of AWS, or aws redshift-data");
  }
  Access access{.settings = destination.settings};
  if (destination.login) {
    LEAT_ASSIGN(aws::IssuedLogin given, destination.login->get());
    access.settings.user = std::move(given.user);
    access.settings.password = std::move(given.password);
  }
  if (destination.ssh) {
    LEAT_ASSIGN(access.tunnel, open_tunnel(*destination.ssh, access.settings));
    lead_through(*access.tunnel, access.settings);
  }
  return access;
}

std::expected<std::unique_ptr<load::Connection>, load::DestinationFailure> connect_with_login(
    aws::RedshiftLogin& login, const load::Connect& connect,
    const load::DestinationSettings& settings, std::stop_token stop) {
  for (bool again = false;; again = true) {
    const auto given = login.get();
    if (!given) {
      const bool passing = given.error().code == Errc::kUnavailable;
      return std::unexpected(load::DestinationFailure{
          .kind = passing ? load::FailureKind::kUnreachable : load::FailureKind::kLoginRefused,
          .sqlstate = {},
          .message = fmt::format("no login by AWS credentials: {}", given.error().message)});
    }
    load::DestinationSettings as = settings;
    as.user = given->user;
    as.password = given->password;
    auto connection = connect(as, stop);
    const bool refused = !connection && connection.error().kind == load::FailureKind::kLoginRefused;
    if (!refused || again) return connection;
    login.expire(*given);
  }
}

Result<std::unique_ptr<Destination>> open_destination(const Config& config,
                                                      const Environment& environment,
                                                      const ConnectionFile& connection) {
  LEAT_TRY(check_destination_keys(config));
  auto out = std::make_unique<Destination>();
  out->settings = settings_of(config, connection);
  if (config.destination_copy_authorization == "keys") {
    LEAT_TRY(open_copy_keys(config, environment, *out));
  }
  LEAT_ASSIGN(out->ssh, ssh_of(config, environment));
  out->connect = load::connect_postgres;
  if (out->ssh) {
    out->connect = [ssh = *out->ssh](const load::DestinationSettings& settings,
                                     std::stop_token stop) {
      return connect_through(ssh, settings, std::move(stop));
    };
  }
  if (config.destination_protocol == "data_api") {
    LEAT_TRY(open_data_api(config, environment, *out));
    return out;
  }
  if (config.destination_authentication == "iam") {
    LEAT_TRY(open_login(config, environment, *out));
    out->connect = [login = out->login.get(), way = std::move(out->connect)](
                       const load::DestinationSettings& settings, std::stop_token stop) {
      return connect_with_login(*login, way, settings, std::move(stop));
    };
  }
  return out;
}

}  // namespace leat::app
