// The body of a data request: the first byte chooses route and coding, the rest is the body. Every
// line that comes out must be readable by the reader of the archive, which has a JSON parser of its
// own.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/random.h"
#include "net/http.h"
#include "pipeline/collect/intake.h"
#include "pipeline/collect/pixel.h"
#include "pipeline/event/line.h"

namespace {

using namespace leat;           // NOLINT(google-build-using-namespace): a program of one file
using namespace leat::collect;  // NOLINT(google-build-using-namespace)

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
                              .ip = "203.0.113.9",
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
