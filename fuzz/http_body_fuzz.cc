// The body of a data request: the first byte chooses route and coding, the rest is the body. Every
// line that comes out must be readable by the reader of the archive, which has a JSON parser of its
// own.
#include <simdjson.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/random.h"
#include "net/http.h"
#include "pipeline/collect/intake.h"
#include "pipeline/collect/pixel.h"
#include "pipeline/event/line.h"
#include "pipeline/event/validate.h"

namespace {

using namespace leat;           // NOLINT(google-build-using-namespace): a program of one file
using namespace leat::collect;  // NOLINT(google-build-using-namespace)

/// The collector's one-walk reading must give the verdict that event's own reading gives.
void check_verdict(const event::Line& line) {
  static simdjson::dom::parser parser;
  static simdjson::dom::parser context_parser;
  simdjson::dom::element item;
  simdjson::dom::element context;
  if (parser.parse(std::string(line.event_json)).get(item) != simdjson::SUCCESS)
    return;  // large numbers
  simdjson::dom::object members;
  if (item.get(members) == simdjson::SUCCESS)
    LEAT_CHECK(members["writeKey"].error() != simdjson::SUCCESS);
  const bool has_context = !line.context_json.empty();
  if (has_context &&
      context_parser.parse(std::string(line.context_json)).get(context) != simdjson::SUCCESS)
    return;
  LEAT_CHECK(line.message_id.empty() == !event::needs_message_id(item));
  if (line.rejected == "unknown_source" || line.rejected.starts_with("exceed_")) return;
  LEAT_CHECK(line.rejected == event::validate(event::event_type_of(line.type), item,
                                              has_context ? &context : nullptr));
}

void check_lines(const SourceLines& entry) {
  std::string_view rest = entry.lines;
  std::uint32_t events = 0;
  std::uint32_t rejected = 0;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    LEAT_CHECK(end != std::string_view::npos);
    const auto line = event::parse_line(rest.substr(0, end));
    LEAT_CHECK(line.has_value());
    LEAT_CHECK(line->source == entry.source->name);
    check_verdict(*line);
    ++events;
    rejected += line->rejected.empty() ? 0 : 1;
    rest.remove_prefix(end + 1);
  }
  LEAT_CHECK(events == entry.events && rejected == entry.rejected && events > 0);
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Sources kSources =
      *Sources::make({{.name = "web", .write_keys = {"k"}}, {.name = "app", .write_keys = {"a"}}});
  static const net::IpAddress kClient = *net::parse_ip_address("203.0.113.9");
  static SeededRandom random(1);
  static Intake intake({.body_bytes_max = 16'384, .event_bytes_max = 4'096, .batch_events_max = 20},
                       kSources, random);
  if (size == 0) return 0;
  const std::uint8_t choice = data[0];
  std::string body(reinterpret_cast<const char*>(data + 1), size - 1);
  if ((choice & 0x40) != 0) {
    auto event = event_of_query(body);
    if (!event) return 0;
    body = std::move(*event);
  }
  const std::size_t body_bytes = body.size();
  body.append(net::kBodyPadding, '\xff');
  const IntakeRequest request{.type = static_cast<event::EventType>(choice % 7),
                              .body = std::string_view(body).substr(0, body_bytes),
                              .content_encoding = (choice & 0x20) != 0 ? "gzip" : "",
                              .basic_key = (choice & 0x10) != 0 ? "k" : "",
                              .received_at = TimeUs{1'700'000'000'000'000},
                              .ip = &kClient,
                              .client_side = (choice & 0x08) != 0,
                              .user_agent = "\xff\"agent\n"};
  const auto refusal = intake.read(request);
  if (refusal) {
    LEAT_CHECK(intake.lines().empty());
    LEAT_CHECK(refusal->status >= 400 && refusal->status < 500);
    return 0;
  }
  for (const SourceLines& entry : intake.lines()) check_lines(entry);
  return 0;
}
