// The audit log: who came, who was turned away, who changed rights, and, if wanted, every
// statement; one JSON object a line, appended to a file.
//
// A line is written with one write() and not synced. A file of 64 MiB becomes FILE.1, in place of
// the one before. What cannot be written is said once in the program's log and never stops a
// session.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace leat::session {

struct ConnectionRecord;
struct QueryRecord;

/// Any thread.
class AuditLog {
 public:
  /// Logins, refusals, ends of sessions, and statements about users and rights go into it; with
  /// `all_statements` the others too. Errors: as fail_errno when the file cannot be opened.
  [[nodiscard]] static Result<std::unique_ptr<AuditLog>> open(const std::string& path,
                                                              bool all_statements,
                                                              std::uint64_t bytes_max = 64U << 20U);
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;
  ~AuditLog();

  void write(const ConnectionRecord& record);
  /// `user`, `database`: names; `about_people`: of users, groups, roles and rights.
  void write(const QueryRecord& record, std::string_view user, std::string_view database,
             bool about_people);

 private:
  AuditLog(std::string path, bool all_statements, std::uint64_t bytes_max)
      : path_(std::move(path)), all_statements_(all_statements), bytes_max_(bytes_max) {}
  Status reopen();
  void append(std::string line);

  const std::string path_;
  const bool all_statements_;
  const std::uint64_t bytes_max_;
  std::mutex mutex_;  // guards all below
  int file_ = -1;
  std::uint64_t bytes_ = 0;
  bool failing_ = false;
};

}  // namespace leat::session
