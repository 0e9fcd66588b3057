// The warehouse that the configuration names: how to reach it, and as whom.
#pragma once

#include <memory>
#include <optional>

#include "app/config.h"
#include "app/connection_file.h"
#include "aws/redshift_data.h"
#include "aws/redshift_login.h"
#include "io/http_client.h"
#include "net/ssh_tunnel.h"
#include "pipeline/load/destination.h"

namespace leat::app {

/// Settings and a way to connect, with what that stands on. `connect` borrows from the object.
struct Destination {
  load::DestinationSettings settings = {};
  load::Connect connect = {};

  std::unique_ptr<io::HttpClient> http = {};
  std::unique_ptr<aws::CredentialSource> credentials = {};
  /// With destination.copy_authorization: keys.
  std::unique_ptr<aws::CredentialSource> copy_credentials = {};
  std::unique_ptr<aws::RedshiftLogin> login = {};    ///< With destination.authentication: iam.
  std::unique_ptr<aws::RedshiftData> data_api = {};  ///< With destination.protocol: data_api.
  std::optional<net::SshOptions> ssh = {};           ///< With destination.ssh_server.
};

/// Errors: kInvalid, keys of the destination that contradict each other, or that mean nothing
/// without another.
[[nodiscard]] Status check_destination_keys(const Config& config);

/// `connection` has the embedded warehouse's address and password, when no destination.host is set.
/// Asks nobody yet. Errors: kInvalid (keys that contradict each other), kNotFound (CA bundle).
[[nodiscard]] Result<std::unique_ptr<Destination>> open_destination(
    const Config& config, const Environment& environment, const ConnectionFile& connection);

/// Settings that are good now, and what they stand on until the connection is closed.
struct Access {
  load::DestinationSettings settings = {};
  std::unique_ptr<net::SshTunnel> tunnel = {};
};
/// A user and password that are good now, and the tunnel where there is one: for those who connect
/// without `connect`. Errors: kUnsupported through the Data API, RedshiftLogin::get()'s and
/// SshTunnel::open()'s.
[[nodiscard]] Result<Access> access_now(const Destination& destination);

/// Connects as the user that `login` gives, with `connect`. A refused login is asked for once more:
/// it may have been taken back. Errors of AWS come out as kLoginRefused, or kUnreachable when it
/// did not answer. Any thread.
[[nodiscard]] std::expected<std::unique_ptr<load::Connection>, load::DestinationFailure>
connect_with_login(aws::RedshiftLogin& login, const load::Connect& connect,
                   const load::DestinationSettings& settings, std::stop_token stop);

}  // namespace leat::app
