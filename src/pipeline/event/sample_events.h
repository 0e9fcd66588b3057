// Made-up clickstream events of a web shop, as three client libraries would send them. For `leat
// simulate`, benchmarks and tests: the same seed and times give the same bytes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/time.h"

namespace leat::event {

/// 60 % track over 12 event names, 26 % page, 8 % identify, 5 % screen, the rest group and alias;
/// 72 % from browsers, 20 % from iOS, 8 % from Node, each with its own order of keys; nested
/// context, arrays, optional members, escapes, UTF-8, nulls; 1 % is delivered again with the same
/// messageId. About 1.2 KB and 57 values each. One thread at a time.
class SampleEvents {
 public:
  /// `users`: how many people visit the shop; at least 1.
  explicit SampleEvents(std::uint64_t seed, std::uint32_t users = 5'000);

  /// Appends one event, a JSON object without line feed, that happened at about `now` and is sent
  /// at `now`.
  void append(std::string& out, TimeUs now);

 private:
  enum class Library : std::uint8_t { kBrowser, kIos, kNode };
  struct Visitor;

  void append_event(std::string& out, Library library, TimeUs now);
  void append_ids(std::string& out, const Visitor& visitor);
  void append_call(std::string& out, std::string_view type, const Visitor& visitor);
  void append_track(std::string& out, const Visitor& visitor);
  void append_order(std::string& out, const Visitor& visitor, bool completed);
  void append_product(std::string& out, std::uint64_t product);
  void append_page(std::string& out, bool is_screen);
  void append_traits(std::string& out, const Visitor& visitor);
  void append_browser_context(std::string& out, const Visitor& visitor);
  void append_ios_context(std::string& out, const Visitor& visitor);
  void append_node_context(std::string& out);
  void append_page_context(std::string& out);
  [[nodiscard]] bool chance(unsigned percent) { return random_.below(100) < percent; }
  [[nodiscard]] Visitor visitor();

  SeededRandom random_;
  std::uint32_t users_;
  std::uint64_t orders_ = 0;
  std::string last_;
};

}  // namespace leat::event
