// The strict JSON tree: never crashes, agrees with simdjson on what is JSON, and its compact text
// reads back the same.
#include <simdjson.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/json_compact.h"
#include "pipeline/event/json_tree.h"
#include "pipeline/event/line.h"
#include "pipeline/event/merge.h"
#include "pipeline/event/person.h"
#include "pipeline/event/suppression.h"
#include "pipeline/event/validate.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto tree = leat::event::parse_json(text);
  simdjson::dom::parser parser;
  simdjson::dom::element element;
  const simdjson::error_code error = parser.parse(text.data(), text.size()).get(element);
  // Numbers beyond 64 bits and lone surrogates are JSON, but simdjson refuses them; it allows
  // deeper nesting.
  const bool may_differ = error == simdjson::NUMBER_ERROR || error == simdjson::STRING_ERROR ||
                          error == simdjson::DEPTH_ERROR ||
                          (!tree && tree.error().code == leat::Errc::kExhausted);
  if (!may_differ && tree.has_value() != (error == simdjson::SUCCESS)) std::abort();
  if (error == simdjson::SUCCESS) {
    (void)leat::event::validate(leat::event::EventType::kNone, element);
    (void)leat::event::needs_message_id(element);
  }
  (void)leat::event::parse_line(text);
  (void)leat::event::SuppressionList::parse(text);
  // Taking a person out moves no line.
  const auto redacted = leat::event::redact(text, {leat::event::PersonKey::kUserId, "u1"});
  if (redacted && std::ranges::count(redacted->lines, '\n') < std::ranges::count(text, '\n')) {
    std::abort();
  }
  (void)leat::event::merge_batch_members(text, R"({"a":{"b":1},"ip":null})", text);
  if (!tree) return 0;
  std::string compact;
  leat::append_compact_json(compact, tree->raw);
  const auto again = leat::event::parse_json(compact);
  if (!again) std::abort();
  std::string twice;
  leat::append_compact_json(twice, again->raw);
  if (twice != compact) std::abort();
  return 0;
}
