#include "warehouse/pgwire/auth.h"

#include "base/digest.h"

namespace leat::pgwire {
namespace {

constexpr std::int64_t kWindowUs = 60'000'000;
constexpr std::size_t kEntriesMax = 10'000;

std::string key_of(std::string_view user, std::string_view address) {
  return std::string(address) + "\n" + std::string(user);
}

}  // namespace

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

bool LoginThrottle::allowed(std::string_view user, std::string_view address, std::int64_t now_us) {
  const std::lock_guard lock(mutex_);
  const auto found = failures_.find(key_of(user, address));
  if (found == failures_.end()) return true;
  if (now_us - found->second.since_us >= kWindowUs) {
    failures_.erase(found);
    return true;
  }
  return found->second.count < failures_max_;
}

void LoginThrottle::failed(std::string_view user, std::string_view address, std::int64_t now_us) {
  const std::lock_guard lock(mutex_);
  // A flood of made-up names must not grow the table for ever: old windows go first, then
  // everything.
  if (failures_.size() >= kEntriesMax) {
    std::erase_if(failures_,
                  [&](const auto& entry) { return now_us - entry.second.since_us >= kWindowUs; });
    if (failures_.size() >= kEntriesMax) failures_.clear();
  }
  Failures& entry = failures_[key_of(user, address)];
  if (entry.count == 0 || now_us - entry.since_us >= kWindowUs)
    entry = {.count = 0, .since_us = now_us};
  ++entry.count;
}

void LoginThrottle::succeeded(std::string_view user, std::string_view address) {
  const std::lock_guard lock(mutex_);
  failures_.erase(key_of(user, address));
}

}  // namespace leat::pgwire
