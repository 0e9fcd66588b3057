// Session parameters: what SET accepts, what SHOW says, which of them clients are told of.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "warehouse/session/result.h"

namespace leat::session {

/// One session's values. Copying it is how a transaction remembers them. One thread at a time.
class Settings {
 public:
  Settings();

  /// Checks and stores. `name` in lower case. Errors: 42704 unknown name, 22023 value not allowed,
  /// 0A000 not supported value, 55P02 for read-only ones. Unknown PostgreSQL parameters that do no
  /// harm are accepted (is_ignored()).
  [[nodiscard]] SqlStatus set(std::string_view name, std::string_view value);
  [[nodiscard]] SqlStatus reset(std::string_view name);
  void reset_all();
  /// Makes the current values those that RESET goes back to: after the startup packet.
  void make_default() { defaults_ = values_; }

  /// Errors: 42704.
  [[nodiscard]] SqlResult<std::string> show(std::string_view name) const;
  /// Name and value of all, by name.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> list() const;

  /// The value of a parameter that exists.
  [[nodiscard]] const std::string& get(std::string_view name) const;
  [[nodiscard]] bool is_on(std::string_view name) const;
  /// Names of search_path, unquoted; "$user" as such.
  [[nodiscard]] std::vector<std::string> search_path() const;
  [[nodiscard]] std::int64_t statement_timeout_us() const;

  /// Sets what clients cannot: server_version's kin, user names.
  void force(std::string_view name, std::string value);

  /// True for parameters that are accepted and do nothing, with a NOTICE.
  [[nodiscard]] static bool is_ignored(std::string_view name);
  /// The name under which clients are told of a change ("DateStyle"); empty: they are not.
  [[nodiscard]] static std::string_view reported_name(std::string_view name);

 private:
  std::map<std::string, std::string, std::less<>> values_;
  std::map<std::string, std::string, std::less<>> defaults_;
};

}  // namespace leat::session
