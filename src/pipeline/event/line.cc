#include "pipeline/event/line.h"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <iterator>

#include "base/text.h"
#include "pipeline/event/json_tree.h"

namespace leat::event {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

/// `text` as a JSON string; header bytes come from strangers and need not be UTF-8.
void append_text(std::string& out, std::string_view text) {
  if (is_utf8(text)) return append_json_string(out, text);
  std::string repaired;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t length = 1;
    while (length < 4 && at + length <= text.size() && !is_utf8(text.substr(at, length))) ++length;
    if (at + length <= text.size() && is_utf8(text.substr(at, length))) {
      repaired.append(text, at, length);
      at += length;
    } else {
      repaired += kReplacement;
      ++at;
    }
  }
  append_json_string(out, repaired);
}

/// Raw JSON on one line: CR and LF can stand only between tokens, where a space means the same.
void append_raw(std::string& out, std::string_view json) {
  const std::size_t start = out.size();
  out.append(json);
  for (const char bad : {'\n', '\r'}) {
    if (std::memchr(json.data(), bad, json.size()) == nullptr) continue;
    for (std::size_t i = start; i < out.size(); ++i) {
      if (out[i] == bad) out[i] = ' ';
    }
  }
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
  if (text.empty()) return;
  out += name;
  append_text(out, text);
}

void append_raw_member(std::string& out, std::string_view name, std::string_view json) {
  if (json.empty()) return;
  out += name;
  append_raw(out, json);
}

// The members of a line in their order; the first and the last are always there.
constexpr std::array<std::string_view, 11> kMembers = {
    "received_at", "source",  "type",         "ip",       "user_agent", "message_id",
    "sent_at",     "context", "integrations", "rejected", "event"};

Status bad(std::string_view what) {
  return fail(Errc::kInvalid, fmt::format("not a line of the event log: {}", what));
}

Status read_member(Line& line, std::size_t index, const JsonValue& value) {
  switch (index) {
    case 7:
      line.context_json = value.raw;
      return {};
    case 8:
      line.integrations_json = value.raw;
      return {};
    case 10:
      line.event_json = value.raw;
      return {};
    default:
      break;
  }
  if (value.kind != JsonKind::kString) {
    return bad(fmt::format("member '{}' is not a string", kMembers[index]));
  }
  if (index == 0) {
    const auto time = parse_iso8601(value.text);
    if (!time) return bad("received_at is not a time");
    line.received_at = *time;
    return {};
  }
  std::string* const targets[] = {nullptr,          &line.source,     &line.type,    &line.ip,
                                  &line.user_agent, &line.message_id, &line.sent_at, nullptr,
                                  nullptr,          &line.rejected};
  *targets[index] = value.text;
  return {};
}

}  // namespace

void LineWriter::begin_request(const RequestPartsView& request) {
  head_.clear();
  common_.clear();
  head_ += R"({"received_at":")";
  head_ += format_iso8601(request.received_at);
  head_ += '"';
  append_member(head_, R"(,"source":)", request.source);
  append_member(head_, R"(,"type":)", request.type);
  append_member(head_, R"(,"ip":)", request.ip);
  append_member(head_, R"(,"user_agent":)", request.user_agent);
  append_member(common_, R"(,"sent_at":)", request.sent_at);
  append_raw_member(common_, R"(,"context":)", request.context_json);
  append_raw_member(common_, R"(,"integrations":)", request.integrations_json);
}

void LineWriter::append(std::string& out, const EventPartsView& event) const {
  out += head_;
  append_member(out, R"(,"message_id":)", event.message_id);
  out += common_;
  append_member(out, R"(,"rejected":)", event.rejected);
  out += R"(,"event":)";
  append_raw(out, event.event_json);
  out += "}\n";
}

std::size_t LineWriter::bound(const EventPartsView& event) const {
  // A byte of text becomes at most six ("\u0000").
  return head_.size() + common_.size() + 6 * (event.message_id.size() + event.rejected.size()) +
         event.event_json.size() + 64;
}

Result<Line> parse_line(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  LEAT_ASSIGN(const JsonValue value, parse_json(text));
  if (value.kind != JsonKind::kObject || value.raw.size() != text.size()) {
    return std::unexpected(bad("not one object").error());
  }
  Line line;
  std::size_t next = 0;
  for (const auto& [name, member] : value.members) {
    std::size_t index = next;
    while (index < kMembers.size() && kMembers[index] != name) ++index;
    if (index == kMembers.size()) {
      return std::unexpected(
          bad(fmt::format("member '{}' is unknown or out of order", name)).error());
    }
    if (next == 0 && index != 0) break;
    LEAT_TRY(read_member(line, index, member));
    next = index + 1;
  }
  if (next != kMembers.size()) {
    return std::unexpected(bad("received_at must be first and event last").error());
  }
  return line;
}

}  // namespace leat::event
