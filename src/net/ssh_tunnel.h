// A TCP connection through an SSH server (a bastion), for destinations that no open port leads to:
// what `ssh -L` does, for one client. libssh2 underneath.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"
#include "net/address.h"
#include "net/deadline.h"

namespace leat::net {

struct SshOptions {
  Endpoint server;  ///< The bastion.
  std::string user;
  /// Private key file (OpenSSH or PEM). Empty: the keys of the agent at SSH_AUTH_SOCK.
  std::string key_file = {};
  std::string passphrase = {};  ///< Of the key file. Never part of a message.
  /// File of hosts' keys as OpenSSH writes it. A server that is not in it is refused.
  std::string known_hosts_file = {};
};

/// One tunnel. A local port takes one connection, within half a minute; its bytes go to the target,
/// both ways, until either side closes. While it lasts the port takes a few more, each with a way
/// of its own to the target: cancelling a statement needs a second connection. One thread does it.
class SshTunnel {
 public:
  /// Logs in and connects to `target` from the bastion. Errors, with the next step: kUnavailable
  /// (the bastion or, from it, the target cannot be reached), kDenied (the host's key is unknown or
  /// has changed, the login is refused), kNotFound (a file is not there), kExhausted (deadline).
  [[nodiscard]] static Result<std::unique_ptr<SshTunnel>> open(const SshOptions& options,
                                                               const Endpoint& target,
                                                               Deadline deadline);
  /// Closes the connection and waits for the thread.
  ~SshTunnel();
  SshTunnel(const SshTunnel&) = delete;
  SshTunnel& operator=(const SshTunnel&) = delete;

  /// Where to connect to, on 127.0.0.1.
  [[nodiscard]] std::uint16_t port() const;

 private:
  struct Impl;
  explicit SshTunnel(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace leat::net
