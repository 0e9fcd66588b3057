// Writing XML.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace leat::dataapi {

/// One XML document, written element by element.
class XmlWriter {
 public:
  void open(std::string_view name, std::string_view attributes = {});
  void close(std::string_view name);
  /// Character data; what a reader would take for markup is escaped.
  void characters(std::string_view value);
  /// An element with nothing but `value` in it.
  void text(std::string_view name, std::string_view value);
  void number(std::string_view name, long long value) { text(name, std::to_string(value)); }
  void boolean(std::string_view name, bool value) { text(name, value ? "true" : "false"); }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  std::string out_ = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
};

}  // namespace leat::dataapi
