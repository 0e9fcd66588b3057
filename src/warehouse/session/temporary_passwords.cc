#include "warehouse/session/temporary_passwords.h"

#include <algorithm>

namespace leat::session {

void TemporaryPasswords::add(std::string_view login, std::string_view password, TimeUs expires) {
  const std::lock_guard lock(mutex_);
  const auto mine = std::ranges::count(entries_, login, &Entry::login);
  if (static_cast<std::size_t>(mine) >= kOfOneLogin) {
    entries_.erase(std::ranges::find(entries_, login, &Entry::login));
  } else if (entries_.size() >= kOfAll) {
    entries_.pop_front();
  }
  entries_.push_back({std::string(login), std::string(password), expires});
}

void TemporaryPasswords::forget(std::string_view user) {
  const std::lock_guard lock(mutex_);
  std::erase_if(entries_, [&](const Entry& entry) {
    return std::string_view(entry.login).substr(entry.login.find(':') + 1) == user;
  });
}

std::vector<std::string> TemporaryPasswords::of(std::string_view login, TimeUs now) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> good;
  for (const Entry& entry : entries_) {
    if (entry.login == login && entry.expires > now) good.push_back(entry.password);
  }
  return good;
}

}  // namespace leat::session
