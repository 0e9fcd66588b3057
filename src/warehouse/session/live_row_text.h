// What the relations that live in memory are written with. Inside of the module only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/text.h"
#include "base/time.h"

namespace leat::session {

struct SessionInfo;
struct WarehouseState;

/// Writes one array of objects.
class Rows {
 public:
  Rows& begin() {
    out_ += out_.size() > 1 ? ",{" : "{";
    first_ = true;
    return *this;
  }
  Rows& text(std::string_view name, std::string_view value) {
    key(name);
    append_json_string(out_, is_utf8(value) ? value : std::string_view("(not UTF-8)"));
    return *this;
  }
  Rows& number(std::string_view name, std::int64_t value) {
    key(name);
    out_ += std::to_string(value);
    return *this;
  }
  Rows& boolean(std::string_view name, bool value) {
    key(name);
    out_ += value ? "true" : "false";
    return *this;
  }
  Rows& time(std::string_view name, TimeUs value) {
    if (value.value == 0) return *this;
    return text(name, format_timestamp(value));
  }
  void end() { out_ += '}'; }
  [[nodiscard]] std::string finish() { return std::move(out_) + "]"; }

 private:
  void key(std::string_view name) {
    if (!first_) out_ += ',';
    first_ = false;
    append_json_string(out_, name);
    out_ += ':';
  }
  std::string out_ = "[";
  bool first_ = true;
};

/// A queue as Redshift calls it.
[[nodiscard]] std::string class_name(std::string_view queue);
/// The queues, what is in them, and what leads to them: stv_wlm_*.
[[nodiscard]] std::string queue_rows(const WarehouseState& state, std::string_view relation,
                                     const SessionInfo& viewer, bool sees_all);
/// Sessions that began since the start, as the connection log has them: stl_sessions,
/// sys_session_history.
[[nodiscard]] std::string past_session_rows(const WarehouseState& state, bool sys,
                                            const SessionInfo& viewer, bool sees_all);

// live_loads.cc
[[nodiscard]] std::string load_error_rows(const WarehouseState& state, std::string_view relation,
                                          const SessionInfo& viewer, bool sees_all);
[[nodiscard]] std::string load_rows(const WarehouseState& state, std::string_view relation,
                                    const SessionInfo& viewer, bool sees_all);
/// Of stl_s3client.
[[nodiscard]] std::string object_rows(const WarehouseState& state, const SessionInfo& viewer,
                                      bool sees_all);
[[nodiscard]] std::string unload_rows(const WarehouseState& state, std::string_view relation,
                                      const SessionInfo& viewer, bool sees_all);

}  // namespace leat::session
