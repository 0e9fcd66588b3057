// Passwords given out for a time, as GetClusterCredentials does. In memory only.
#pragma once

#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace leat::session {

/// Any thread.
class TemporaryPasswords {
 public:
  static constexpr std::size_t kOfOneLogin = 16;
  static constexpr std::size_t kOfAll = 4096;

  /// The oldest ones go when there are too many.
  void add(std::string_view login, std::string_view password, TimeUs expires);
  /// Those of a user who is gone, under every login name, so that another of that name has none.
  void forget(std::string_view user);
  /// Those of `login` that are good at `now`.
  [[nodiscard]] std::vector<std::string> of(std::string_view login, TimeUs now) const;

 private:
  struct Entry {
    std::string login;
    std::string password;
    TimeUs expires;
  };
  mutable std::mutex mutex_;   // guards entries_
  std::deque<Entry> entries_;  // by age
};

}  // namespace leat::session
