// Writing the JSON of answers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "base/time.h"

namespace leat::dataapi {

/// One JSON object, written member by member. Texts must be UTF-8.
class JsonObject {
 public:
  void text(std::string_view name, std::string_view value) {
    begin(name);
    append_json_string(out_, value);
  }
  /// Nothing when `value` is empty.
  void text_if(std::string_view name, std::string_view value) {
    if (!value.empty()) text(name, value);
  }
  void number(std::string_view name, std::int64_t value) { raw(name, std::to_string(value)); }
  void boolean(std::string_view name, bool value) { raw(name, value ? "true" : "false"); }
  /// Epoch seconds with milliseconds.
  void time(std::string_view name, TimeUs value);
  /// `json` is a JSON value.
  void raw(std::string_view name, std::string_view json) {
    begin(name);
    out_ += json;
  }
  [[nodiscard]] std::string take() {
    out_ += '}';
    return std::move(out_);
  }

 private:
  void begin(std::string_view name) {
    if (out_.size() > 1) out_ += ',';
    append_json_string(out_, name);
    out_ += ':';
  }
  std::string out_ = "{";
};

/// A JSON array of JSON values.
class JsonArray {
 public:
  void add(std::string_view json) {
    if (out_.size() > 1) out_ += ',';
    out_ += json;
  }
  void add_text(std::string_view value) { add(json_string(value)); }
  [[nodiscard]] std::string take() {
    out_ += ']';
    return std::move(out_);
  }

 private:
  std::string out_ = "[";
};

}  // namespace leat::dataapi
