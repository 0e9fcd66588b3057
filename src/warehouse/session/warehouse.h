// The embedded Redshift-compatible warehouse: its databases, its users, and the sessions on it.
//
//   auto warehouse = Warehouse::open({.data_directory = "data/warehouse", .admin_password = secret,
//   ...}); auto session = (*warehouse)->open_session({.user = "leat", .database = "dev"});
//   session->get()->simple_query("select 1", sink);
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "warehouse/session/result.h"
#include "warehouse/session/session.h"

namespace leat {
class Clock;
class Random;
namespace metrics {
class Registry;
}
namespace io {
class ObjectStore;
}
}  // namespace leat

namespace leat::transfer {
struct ObjectKeys;
}

namespace leat::session {

struct WarehouseOptions {
  /// Folder of the database files (databases.h), made when absent. Empty: in memory, gone at
  /// close (tests).
  std::string data_directory{};
  /// The first database, which is always there.
  std::string database = "dev";
  /// Superuser, made at the first open; its password is set again at every open.
  std::string admin_user = "leat";
  std::string admin_password{};
  int threads = 0;  ///< Workers of all statements together; 0: one a core.
  std::uint64_t memory_bytes_max =
      0;                         ///< Buffers of all statements together; 0: 80 % of the machine.
  std::string temp_directory{};  ///< Where big sorts spill; empty: beside the file.
  /// Of all database files, with their logs and temporary files; empty: they are plain.
  std::string key{};
  /// Folders whose files COPY may read directly (a directory-backed object store's root).
  std::vector<std::string> directories{};
  io::ObjectStore* object_store =
      nullptr;  ///< Of COPY and UNLOAD; borrowed. Null: they fail with 0A000.
  /// The store that keys in a COPY or UNLOAD open, in place of object_store. kDenied: the keys are
  /// not known. Empty: such keys are not looked at.
  std::function<Result<std::shared_ptr<io::ObjectStore>>(const transfer::ObjectKeys&)>
      store_for_keys{};
  /// Longest wait for another transaction's table lock before 55P03; statement_timeout may end it
  /// sooner.
  std::int64_t lock_timeout_us = 10LL * 60 * 1'000'000;
  std::size_t sessions_max = 500;  ///< 53300 beyond.
  /// How long after a change a materialized view with AUTO REFRESH YES is refreshed
  /// (auto_refresh.h).
  std::int64_t auto_refresh_delay_us = 2'000'000;
  std::string queues{};  ///< "load=2, default=8": queues.h; empty: nothing waits.
  /// The audit log's file (audit.h); empty: none. And whether all statements go into it.
  std::string audit_file{};
  bool audit_statements = false;
  const Clock* clock = nullptr;  ///< Null: the machine's.
  Random* random = nullptr;      ///< Null: the operating system's.
  metrics::Registry* metrics = nullptr;
};

/// A password that was given out for a time (IAM authentication), in the forms of LoginVerifier.
struct TemporaryVerifier {
  std::string md5_hex{};        ///< md5(password || login name).
  std::string sha256_digest{};  ///< 32 raw bytes, with the salt of the LoginVerifier.
};

/// What the server knows of a user's password. A login that names nobody gets one that never
/// matches, so that the exchange does not tell who exists.
struct LoginVerifier {
  std::string user{};           ///< As stored: prefixes such as IAM: are gone.
  std::string md5_hex{};        ///< md5(password || user); empty: not stored.
  std::string sha256_digest{};  ///< 32 raw bytes, SHA256(password || salt); empty: not stored.
  std::string sha256_salt{};    ///< Raw bytes.
  std::vector<TemporaryVerifier> temporary{};  ///< Any of them is right as well.
};

struct UserFacts {
  std::string name{};
  bool superuser = false;
};

struct SessionRequest {
  std::string user{};
  std::string database{};
  std::vector<std::pair<std::string, std::string>>
      settings{};                ///< Startup parameters; unknown ones are ignored.
  std::string remote_address{};  ///< For the connection log.
  bool encrypted = false;
};

struct WarehouseState;

/// Shared by all threads.
class Warehouse {
 public:
  /// Opens or creates. Errors: kCorrupt for a damaged file, kConflict when another process has it
  /// open, kDenied when its key is another one.
  [[nodiscard]] static Result<std::unique_ptr<Warehouse>> open(WarehouseOptions options);
  Warehouse(const Warehouse&) = delete;
  Warehouse& operator=(const Warehouse&) = delete;
  /// Every Session must be gone. Checkpoints the file.
  ~Warehouse();

  [[nodiscard]] LoginVerifier login_verifier(std::string_view user) const;
  /// Compares a clear-text password with what is stored, in a time that does not depend on it.
  /// True: may log in.
  [[nodiscard]] bool check_password(std::string_view user, std::string_view password) const;
  /// Lets `login` ("IAM:name", "IAMA:name" or "IAMR:name", of an existing user) log in with
  /// `password` until `expires`, beside what it has. In memory: gone with the process. At most 16
  /// of one login name are known, the newest.
  void add_temporary_password(std::string_view login, std::string_view password, TimeUs expires);
  /// Nothing when there is no such user. `name` without a prefix.
  [[nodiscard]] std::optional<UserFacts> user_facts(std::string_view name) const;
  /// Notes a refused login for the connection log.
  void record_refused_login(const SessionRequest& request, std::string_view method);

  /// Opens a session of an authenticated user. Errors: 28000 no such user or its time is over,
  /// 3D000 no such database, 53300 too many sessions, 57P03 closing.
  [[nodiscard]] SqlResult<std::unique_ptr<Session>> open_session(const SessionRequest& request);

  /// Cancels the running statement of session `id` when the key is right; else does nothing. Any
  /// thread.
  void cancel(std::int32_t id, std::int32_t secret_key);
  /// Ends every session: running statements are stopped. New sessions are refused.
  void terminate_sessions();
  [[nodiscard]] std::size_t session_count() const;
  /// The one that it was opened with.
  [[nodiscard]] const std::string& database() const;
  [[nodiscard]] bool has_database(std::string_view name) const;

 private:
  explicit Warehouse(std::shared_ptr<WarehouseState> state);
  std::shared_ptr<WarehouseState> state_;
};

}  // namespace leat::session
