// TLS 1.2 and 1.3 on the server side, through OpenSSL: the settings and keys that connections
// share, and self-signed certificates for machines that have none.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"

struct ssl_ctx_st;

namespace leat::net {

/// A certificate chain (leaf first) and its private key, both PEM text. The key is a secret: store
/// it 0600, never log it.
struct Certificate {
  std::string chain_pem;
  std::string private_key_pem;
};

struct SelfSignedOptions {
  std::string common_name = "localhost";
  /// Names and addresses the certificate is good for; "127.0.0.1" and "::1" become IP entries.
  std::vector<std::string> alternative_names = {"localhost", "127.0.0.1", "::1"};
  TimeUs valid_from;               ///< usually the clock's now()
  std::uint32_t valid_days = 825;  ///< 1 to 36500
};

/// Makes an ECDSA P-256 key and a certificate signed with it. Errors: kInvalid, kBug. Any thread.
[[nodiscard]] Result<Certificate> make_self_signed_certificate(const SelfSignedOptions& options);

/// Settings and keys shared by all TLS connections of one listener. Immutable once made; any
/// thread.
class TlsContext {
 public:
  /// Server side, TLS 1.2 or newer, no renegotiation, no compression. Errors: kInvalid when the
  /// certificate or key does not parse or they do not belong together.
  [[nodiscard]] static Result<TlsContext> for_server(const Certificate& certificate);
  /// Client side. `trusted_pem`: certificates to trust besides nothing else; empty trusts any peer
  /// (for tests and tools on loopback only). Errors: kInvalid.
  [[nodiscard]] static Result<TlsContext> for_client(std::string_view trusted_pem);

  [[nodiscard]] ssl_ctx_st* native() const { return context_.get(); }

 private:
  explicit TlsContext(std::shared_ptr<ssl_ctx_st> context) : context_(std::move(context)) {}
  std::shared_ptr<ssl_ctx_st> context_;
};

}  // namespace leat::net
