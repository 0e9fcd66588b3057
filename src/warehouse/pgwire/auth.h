// Password exchanges: what is asked of a client, and whether its answer is right. And the brake on
// guessing.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace leat::pgwire {

/// Checks an MD5 answer: "md5" || hex(md5(stored_hex || salt)). False when `stored_hex` is empty.
/// Pure; any thread.
[[nodiscard]] bool check_md5(std::string_view answer, std::string_view stored_hex,
                             std::string_view salt);

/// Checks a Redshift driver's digest: SHA256(stored_digest || server_nonce || client_nonce), raw
/// bytes. False when `stored_digest` is empty. Pure; any thread.
[[nodiscard]] bool check_digest(std::string_view answer, std::string_view stored_digest,
                                std::string_view server_nonce, std::string_view client_nonce);

/// Counts failed logins per user and address within a minute. Any thread.
class LoginThrottle {
 public:
  explicit LoginThrottle(std::uint32_t failures_max) : failures_max_(failures_max) {}
  /// False: too many failures lately; do not even look at the password.
  [[nodiscard]] bool allowed(std::string_view user, std::string_view address, std::int64_t now_us);
  void failed(std::string_view user, std::string_view address, std::int64_t now_us);
  void succeeded(std::string_view user, std::string_view address);

 private:
  struct Failures {
    std::uint32_t count = 0;
    std::int64_t since_us = 0;
  };
  std::uint32_t failures_max_;
  std::mutex mutex_;  // guards all below
  std::map<std::string, Failures, std::less<>> failures_;
};

}  // namespace leat::pgwire
