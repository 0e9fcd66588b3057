#include "warehouse/pgwire/auth.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <optional>

#include "base/digest.h"
#include "base/text.h"

namespace leat::pgwire {
namespace {

constexpr std::int64_t kWindowUs = 60'000'000;
constexpr std::size_t kEntriesMax = 10'000;

std::string key_of(std::string_view user, std::string_view address) {
  return std::string(address) + "\n" + std::string(user);
}

constexpr std::string_view kMappedPrefix("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
constexpr unsigned kMappedBits = 96;

/// 16 bytes; IPv4 as the IPv6 address that stands for it. Nothing for another text.
std::optional<std::string> address_bytes(const std::string& text) {
  std::string bytes(16, '\0');
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return bytes;
  std::string four(4, '\0');
  if (inet_pton(AF_INET, text.c_str(), four.data()) == 1) return std::string(kMappedPrefix) + four;
  return std::nullopt;
}

bool same_bits(std::string_view a, std::string_view b, unsigned bits) {
  const unsigned whole = bits / 8;
  if (a.substr(0, whole) != b.substr(0, whole)) return false;
  if (bits % 8 == 0) return true;
  const unsigned shift = 8 - bits % 8;
  return static_cast<unsigned char>(a[whole]) >> shift ==
         static_cast<unsigned char>(b[whole]) >> shift;
}

}  // namespace

Result<AddressRules> AddressRules::parse(std::string_view text) {
  AddressRules rules;
  if (trim(text).empty()) return rules;
  for (const std::string_view part : split(text, ',')) {
    const std::string_view rule = trim(part);
    const std::size_t equals = rule.find('=');
    const std::string user(trim(rule.substr(0, equals)));
    const std::string_view list =
        equals == std::string_view::npos ? "" : trim(rule.substr(equals + 1));
    if (user.empty() || list.empty())
      return fail(Errc::kInvalid, fmt::format("write USER=NETWORK, not \"{}\"", rule));
    for (const std::string_view written : split(list, ' ')) {
      if (written.empty()) continue;
      const std::size_t slash = written.find('/');
      const std::string address(written.substr(0, slash));
      std::optional<std::string> bytes = address_bytes(address);
      const bool four = address.find(':') == std::string::npos;
      const unsigned most = four ? 32 : 128;
      const auto length = slash == std::string_view::npos
                              ? std::optional(most)
                              : parse_number<unsigned>(written.substr(slash + 1));
      if (!bytes || !length || *length > most)
        return fail(Errc::kInvalid, fmt::format("\"{}\" is no address or network", written));
      rules.networks_[user].push_back(
          {.bytes = std::move(*bytes), .bits = *length + (four ? kMappedBits : 0)});
    }
  }
  return rules;
}

void AddressRules::allow_loopback(const std::string& user) {
  auto found = networks_.find(user);
  if (found == networks_.end()) {
    const auto others = networks_.find(std::string_view("*"));
    if (others == networks_.end()) return;
    found = networks_.emplace(user, others->second).first;
  }
  found->second.push_back({.bytes = *address_bytes("127.0.0.0"), .bits = kMappedBits + 8});
  found->second.push_back({.bytes = *address_bytes("::1"), .bits = 128});
}

bool AddressRules::allowed(std::string_view user, std::string_view address) const {
  auto found = networks_.find(user);
  if (found == networks_.end()) found = networks_.find(std::string_view("*"));
  if (found == networks_.end()) return true;
  const std::optional<std::string> bytes = address_bytes(std::string(address));
  if (!bytes) return false;
  for (const Network& network : found->second) {
    if (same_bits(*bytes, network.bytes, network.bits)) return true;
  }
  return false;
}

bool check_md5(std::string_view answer, std::string_view stored_hex, std::string_view salt) {
  const std::string expected = "md5" + to_hex(md5(std::string(stored_hex) + std::string(salt)));
  return equal_secret(answer, expected) && !stored_hex.empty();
}

bool check_digest(std::string_view answer, std::string_view stored_digest,
                  std::string_view server_nonce, std::string_view client_nonce) {
  const auto expected =
      sha256(std::string(stored_digest) + std::string(server_nonce) + std::string(client_nonce));
  const std::string_view bytes(reinterpret_cast<const char*>(expected.data()), expected.size());
  return equal_secret(answer, bytes) && !stored_digest.empty();
}

bool LoginThrottle::is_allowed(const std::string& key, std::int64_t now_us) {
  const auto found = failures_.find(key);
  if (found == failures_.end()) return true;
  if (now_us - found->second.since_us >= kWindowUs) {
    failures_.erase(found);
    return true;
  }
  return found->second.count < failures_max_;
}

bool LoginThrottle::allowed(std::string_view user, std::string_view address, std::int64_t now_us) {
  const std::lock_guard lock(mutex_);
  return is_allowed(key_of(user, address), now_us);
}

bool LoginThrottle::take_up(std::string_view user, std::string_view address, std::int64_t now_us) {
  const std::string key = key_of(user, address);
  const std::lock_guard lock(mutex_);
  if (!is_allowed(key, now_us)) return false;
  // A flood of made-up names must not grow the table for ever: old windows go first, then
  // everything.
  if (failures_.size() >= kEntriesMax) {
    std::erase_if(failures_,
                  [&](const auto& entry) { return now_us - entry.second.since_us >= kWindowUs; });
    if (failures_.size() >= kEntriesMax) failures_.clear();
  }
  Failures& entry = failures_[key];
  if (entry.count == 0) entry.since_us = now_us;
  ++entry.count;
  return true;
}

void LoginThrottle::succeeded(std::string_view user, std::string_view address) {
  const std::lock_guard lock(mutex_);
  failures_.erase(key_of(user, address));
}

}  // namespace leat::pgwire
