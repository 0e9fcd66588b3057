// Password exchanges: what is asked of a client, and whether its answer is right. And the brake on
// guessing.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace leat::pgwire {

/// Checks an MD5 answer: "md5" || hex(md5(stored_hex || salt)). False when `stored_hex` is empty.
/// Pure; any thread.
[[nodiscard]] bool check_md5(std::string_view answer, std::string_view stored_hex,
                             std::string_view salt);

/// Checks a Redshift driver's digest: SHA256(stored_digest || server_nonce || client_nonce), raw
/// bytes. False when `stored_digest` is empty. Pure; any thread.
[[nodiscard]] bool check_digest(std::string_view answer, std::string_view stored_digest,
                                std::string_view server_nonce, std::string_view client_nonce);

/// From which addresses users may log in: what a security group is in Redshift. Any thread.
class AddressRules {
 public:
  /// Reads "alice=10.0.0.0/8 192.168.1.7, bob=::1, *=10.1.0.0/16": users with networks, each of
  /// IPv4 or IPv6 with or without the length of its prefix; * is every user not named. Empty: any
  /// user from anywhere. Errors: kInvalid, naming the part. Pure.
  [[nodiscard]] static Result<AddressRules> parse(std::string_view text);
  /// Lets `user` in from this machine's own addresses too, if a rule would keep it out.
  void allow_loopback(const std::string& user);
  /// `address`: without a port. True for users that neither are named nor have a rule of *.
  [[nodiscard]] bool allowed(std::string_view user, std::string_view address) const;

 private:
  struct Network {
    std::string bytes;  ///< 16, as IPv6.
    unsigned bits = 0;  ///< 0 to 128.
  };
  std::map<std::string, std::vector<Network>, std::less<>> networks_;
};

/// Counts failed logins per user and address within a minute. Any thread.
class LoginThrottle {
 public:
  explicit LoginThrottle(std::uint32_t failures_max) : failures_max_(failures_max) {}
  /// False: too many failures lately; do not even ask for the password.
  [[nodiscard]] bool allowed(std::string_view user, std::string_view address, std::int64_t now_us);
  /// Before an answer is looked at: counts it as failed, until succeeded() says otherwise, so that
  /// many at once are no more guesses than one after the other. False: do not look at it.
  [[nodiscard]] bool take_up(std::string_view user, std::string_view address, std::int64_t now_us);
  void succeeded(std::string_view user, std::string_view address);

 private:
  struct Failures {
    std::uint32_t count = 0;
    std::int64_t since_us = 0;
  };
  [[nodiscard]] bool is_allowed(const std::string& key, std::int64_t now_us);  // locked

  std::uint32_t failures_max_;
  std::mutex mutex_;  // guards all below
  std::map<std::string, Failures, std::less<>> failures_;
};

}  // namespace leat::pgwire
