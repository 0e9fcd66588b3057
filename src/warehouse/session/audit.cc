#include "warehouse/session/audit.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/log.h"
#include "base/text.h"
#include "warehouse/session/history.h"

namespace leat::session {
namespace {

std::string text_member(std::string_view name, std::string_view value) {
  return fmt::format(",\"{}\":{}", name,
                     json_string(is_utf8(value) ? value : std::string_view("(not UTF-8)")));
}

}  // namespace

Result<std::unique_ptr<AuditLog>> AuditLog::open(const std::string& path, bool all_statements,
                                                 std::uint64_t bytes_max) {
  std::unique_ptr<AuditLog> log(new AuditLog(path, all_statements, bytes_max));
  LEAT_TRY(log->reopen());
  return log;
}

AuditLog::~AuditLog() {
  if (file_ >= 0) ::close(file_);
}

Status AuditLog::reopen() {
  if (file_ >= 0) ::close(file_);
  file_ = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  struct stat info{};
  if (file_ < 0 || ::fstat(file_, &info) != 0)
    return fail_errno(errno, "cannot open the audit log " + path_);
  bytes_ = static_cast<std::uint64_t>(info.st_size);
  return {};
}

void AuditLog::append(std::string line) {
  line += "}\n";
  const std::lock_guard lock(mutex_);
  if (bytes_ > 0 && bytes_ + line.size() > bytes_max_) {
    // Both may fail; then the file grows on, which is better than a lost line.
    static_cast<void>(std::rename(path_.c_str(), (path_ + ".1").c_str()));
    static_cast<void>(reopen());
  }
  const ssize_t written = file_ < 0 ? -1 : ::write(file_, line.data(), line.size());
  const bool whole = written == static_cast<ssize_t>(line.size());
  if (written > 0) bytes_ += static_cast<std::uint64_t>(written);
  if (!whole && !failing_) {
    log::error("warehouse", "cannot write the audit log {}: {}", path_, std::strerror(errno));
  }
  failing_ = !whole;
}

void AuditLog::write(const ConnectionRecord& record) {
  std::string line = fmt::format("{{\"time\":\"{}\"", format_iso8601(record.time));
  line += text_member("event", record.event);
  line += text_member("user", record.user);
  line += text_member("database", record.database);
  line += text_member("remote", record.remote);
  line += fmt::format(",\"session\":{},\"tls\":{}", record.session, record.encrypted);
  if (!record.method.empty()) line += text_member("method", record.method);
  if (!record.application.empty()) line += text_member("application", record.application);
  if (record.duration_us > 0) line += fmt::format(",\"duration_us\":{}", record.duration_us);
  append(std::move(line));
}

void AuditLog::write(const QueryRecord& record, std::string_view user, std::string_view database,
                     bool about_people) {
  if (!all_statements_ && !about_people) return;
  std::string line = fmt::format("{{\"time\":\"{}\"", format_iso8601(record.start));
  line += text_member("event", about_people ? "user change" : "statement");
  line += text_member("user", user);
  line += text_member("database", database);
  line += fmt::format(",\"session\":{},\"transaction\":{},\"query\":{}", record.session,
                      record.transaction, record.id);
  line += text_member("statement", record.text);
  line += fmt::format(",\"duration_us\":{},\"rows\":{}", record.end.value - record.start.value,
                      record.rows);
  if (record.failed) {
    line += text_member("sqlstate", record.sqlstate);
    line += text_member("error", record.error);
  }
  append(std::move(line));
}

}  // namespace leat::session
