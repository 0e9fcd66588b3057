// What ran: the most recent statements, loads, load errors and connections, for the stl_, stv_ and
// sys_ relations.
//
// In memory only, bounded by count; the oldest go first. Texts come in without secrets (see
// statement_text.h).
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "base/time.h"

namespace leat::session {

enum class QueryClass : std::uint8_t { kQuery, kDdl, kUtility };

/// What a statement did with a table, as far as that is known without a profile.
struct TableStep {
  const char* name = "scan";  ///< "scan", "insert" or "delete"
  std::uint32_t table = 0;
  std::string table_name{};  ///< database.schema.table
  bool operator==(const TableStep&) const = default;
};

struct QueryRecord {
  std::int64_t id = 0;
  std::int32_t user = 0;
  std::string database{};
  std::int32_t session = 0;
  std::int64_t transaction = 0;
  QueryClass kind = QueryClass::kQuery;
  std::string type{};  ///< SELECT, INSERT, COPY, DDL, ...: sys_query_history.query_type
  std::string label{};
  std::string text{};  ///< At most 4000 bytes.
  TimeUs start{};
  TimeUs end{};
  std::int64_t lock_wait_us = 0;
  std::int64_t queue_wait_us = 0;
  std::int32_t service_class = 0;  ///< Of its queue; 0: it went through none.
  std::string queue{};
  std::int64_t slots = 0;
  std::int64_t rows = 0;
  std::vector<TableStep> steps{};
  bool finished = false;
  bool failed = false;
  bool cancelled = false;
  std::string sqlstate{};
  std::string error{};
};

struct LoadErrorRecord {
  std::int64_t query = 0;
  std::int32_t user = 0;
  std::string database{};
  std::int32_t session = 0;
  std::int64_t transaction = 0;
  std::uint32_t table = 0;
  TimeUs start{};
  std::string file{};
  std::int64_t line = 0;
  std::string column{};
  std::string type{};
  std::string length{};
  std::int64_t position = 0;
  std::string raw_line{};
  std::string raw_value{};
  std::int32_t code = 0;
  std::string reason{};
};

struct LoadRecord {
  std::int64_t query = 0;
  std::int32_t user = 0;
  std::string database{};
  std::int32_t session = 0;
  std::int64_t transaction = 0;
  std::string table{};
  std::string source{};
  std::string format{};
  TimeUs start{};
  TimeUs end{};
  bool completed = false;
  std::int64_t rows = 0;
  std::int64_t bytes = 0;
  std::int64_t error_count = 0;
  std::uint32_t table_oid = 0;
  struct File {
    std::string name{};
    std::int64_t lines = 0;
    std::int64_t bytes = 0;
  };
  std::vector<File> files{};
  /// Of ACCEPTINVCHARS.
  struct Replacement {
    std::string file{};
    std::int64_t line = 0;
    std::string column{};
    std::string raw_line{};
  };
  std::vector<Replacement> replacements{};
};

struct UnloadRecord {
  std::int64_t query = 0;
  std::int32_t user = 0;
  std::string database{};
  std::int32_t session = 0;
  std::int64_t transaction = 0;
  std::string destination{};
  std::string format{};
  std::string compression{};
  TimeUs start{};
  TimeUs end{};
  bool completed = false;
  std::string error{};
  std::int64_t rows = 0;
  struct File {
    std::string name{};
    std::int64_t rows = 0;
    std::int64_t bytes = 0;
  };
  std::vector<File> files{};
};

struct ConnectionRecord {
  std::string event{};  ///< "initiating session", "disconnecting session", "authentication failure"
  TimeUs time{};
  std::string remote{};
  std::int32_t session = 0;
  std::string database{};
  std::string user{};
  std::string method{};
  std::int64_t duration_us = 0;
  std::int64_t timeout_s = 0;  ///< The session's; 0: none
  bool timed_out = false;      ///< At its end.
  bool encrypted = false;
  std::string application{};
};

/// A transaction that was undone because of a schema's quota.
struct QuotaRecord {
  std::int32_t owner = 0;  ///< Of the schema.
  std::int64_t transaction = 0;
  std::int32_t session = 0;
  std::int32_t user = 0;
  std::string database{};
  std::uint32_t schema = 0;
  std::string schema_name{};
  std::int64_t quota_mb = 0;
  std::int64_t used_mb = 0;
  TimeUs time{};
};

/// An attempt to refresh a materialized view.
struct RefreshRecord {
  std::int32_t user = 0;
  std::string database{};
  std::int32_t session = 0;
  std::int64_t transaction = 0;
  std::uint32_t view = 0;
  std::string schema_name{};
  std::string name{};
  std::string status{};
  bool automatic = false;
  TimeUs start{};
  TimeUs end{};
};

/// Any thread.
class History {
 public:
  /// Notes a statement that begins; finish() completes it by its id.
  void start(QueryRecord record);
  void finish(QueryRecord record);
  void add(LoadErrorRecord record);
  void add(LoadRecord record);
  void add(UnloadRecord record);
  void add(ConnectionRecord record);
  void add(QuotaRecord record);
  void add(RefreshRecord record);

  [[nodiscard]] std::vector<QueryRecord> queries() const;
  [[nodiscard]] std::vector<LoadErrorRecord> load_errors() const;
  [[nodiscard]] std::vector<LoadRecord> loads() const;
  [[nodiscard]] std::vector<UnloadRecord> unloads() const;
  [[nodiscard]] std::vector<ConnectionRecord> connections() const;
  [[nodiscard]] std::vector<QuotaRecord> quota_violations() const;
  [[nodiscard]] std::vector<RefreshRecord> refreshes() const;

 private:
  mutable std::mutex mutex_;  // guards all below
  std::deque<QueryRecord> queries_;
  std::deque<LoadErrorRecord> load_errors_;
  std::deque<LoadRecord> loads_;
  std::deque<UnloadRecord> unloads_;
  std::deque<ConnectionRecord> connections_;
  std::deque<QuotaRecord> quota_violations_;
  std::deque<RefreshRecord> refreshes_;
};

}  // namespace leat::session
