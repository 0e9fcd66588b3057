// The warehouse that this module's tests share, and a sink that keeps what a session says.
//
// Opening a warehouse costs seconds with the sanitizers on, so one is opened for the whole program;
// every test uses names of its own.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "warehouse/session/warehouse.h"

namespace leat::session {

inline constexpr std::string_view kAdminPassword = "Secret123";
/// The time at which the shared warehouse stands.
inline constexpr std::string_view kWarehouseTime = "2026-11-20T12:00:00Z";

/// Everything that one call said.
struct Reply {
  std::vector<Field> fields{};
  std::string rows{};  ///< "1|a" lines joined with ';'; NULL is "~".
  std::size_t row_count = 0;
  std::vector<std::string> tags{};
  std::vector<std::string> notices{};
  std::vector<std::pair<std::string, std::string>> settings{};
  bool empty = false;
  SqlError error{};  ///< sqlstate "" when all went well.

  [[nodiscard]] std::string tag() const { return tags.empty() ? std::string() : tags.back(); }
  [[nodiscard]] const std::string& sqlstate() const { return error.sqlstate; }
};

class ReplySink final : public ResultSink {
 public:
  bool on_fields(std::span<const Field> fields) override {
    reply.fields.assign(fields.begin(), fields.end());
    return true;
  }
  bool on_rows(const engine::Chunk& chunk, std::size_t first, std::size_t count) override {
    for (std::size_t row = first; row < first + count; ++row) {
      if (reply.row_count++ > 0) reply.rows += ';';
      for (std::size_t i = 0; i < chunk.columns().size(); ++i) {
        if (i > 0) reply.rows += '|';
        reply.rows += engine::cell_text(chunk.column(i), row).value_or("~");
      }
    }
    return true;
  }
  bool on_complete(std::string_view tag) override {
    reply.tags.emplace_back(tag);
    return true;
  }
  bool on_empty() override {
    reply.empty = true;
    return true;
  }
  void on_notice(Severity, std::string_view, std::string_view message) override {
    reply.notices.emplace_back(message);
  }
  void on_setting(std::string_view name, std::string_view value) override {
    reply.settings.emplace_back(name, value);
  }
  Reply reply;
};

inline Reply run(Session& session, std::string_view sql) {
  ReplySink sink;
  SqlStatus done = session.simple_query(sql, sink);
  if (!done) sink.reply.error = std::move(done).error();
  return std::move(sink.reply);
}

/// The rows, or "SQLSTATE message" of the error: what most tests compare.
inline std::string ask(Session& session, std::string_view sql) {
  Reply reply = run(session, sql);
  if (!reply.sqlstate().empty()) return reply.sqlstate() + " " + reply.error.message;
  return std::move(reply.rows);
}

/// The SQLSTATE of the error; empty when there was none.
inline std::string state_of(Session& session, std::string_view sql) {
  return run(session, sql).sqlstate();
}

/// Opens the shared warehouse before the first test that asks for it, and closes it after the last.
class SharedWarehouse final : public testing::Environment {
 public:
  static SharedWarehouse& instance() {
    static auto* const kMade =
        static_cast<SharedWarehouse*>(testing::AddGlobalTestEnvironment(new SharedWarehouse));
    return *kMade;
  }
  Warehouse& warehouse() {
    if (warehouse_ == nullptr) {
      auto opened = Warehouse::open({.admin_password = std::string(kAdminPassword),
                                     .threads = 2,
                                     .lock_timeout_us = 60'000'000,
                                     .clock = &clock_});
      if (!opened) throw std::runtime_error(opened.error().message);
      warehouse_ = std::move(*opened);
    }
    return *warehouse_;
  }
  FakeClock& clock() { return clock_; }
  void TearDown() override { warehouse_.reset(); }

 private:
  FakeClock clock_{*parse_iso8601(kWarehouseTime)};
  std::unique_ptr<Warehouse> warehouse_;
};

inline SqlResult<std::unique_ptr<Session>> try_open(
    std::string user, std::vector<std::pair<std::string, std::string>> settings = {},
    std::string database = "dev") {
  return SharedWarehouse::instance().warehouse().open_session({.user = std::move(user),
                                                               .database = std::move(database),
                                                               .settings = std::move(settings),
                                                               .remote_address = "127.0.0.1:1"});
}

/// A session of the administrator, or of `user`.
inline std::unique_ptr<Session> open_session(std::string user = "leat") {
  auto opened = try_open(std::move(user));
  if (!opened) throw std::runtime_error(opened.error().message);
  return std::move(*opened);
}

/// Waits, in `observer`'s eyes, until `count` sessions wait for locks: nothing else tells that they
/// do.
inline void await_lock_waiters(Session& observer, std::string_view count) {
  while (ask(observer, "select count(*) from pg_locks where not granted") != count) {
    std::this_thread::yield();
  }
}

/// Waits until session `id` runs a statement.
inline void await_active(Session& observer, std::int32_t id) {
  const std::string question =
      "select count(*) from stv_inflight where pid = " + std::to_string(id);
  while (ask(observer, question) != "1") std::this_thread::yield();
}

}  // namespace leat::session
