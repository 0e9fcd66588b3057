#include "pipeline/collect/intake.h"

#include <simdjson.h>

#include <array>
#include <vector>

#include "base/text.h"
#include "net/http.h"
#include "pipeline/collect/inflate.h"
#include "pipeline/collect/item_facts.h"
#include "pipeline/collect/slices.h"
#include "pipeline/event/event_parser.h"
#include "pipeline/event/line.h"
#include "pipeline/event/suppression.h"

namespace leat::collect {
namespace {

namespace dom = simdjson::dom;
using event::EventType;

constexpr IntakeRefusal kMalformed{400, "invalid_request", "malformed JSON"};
constexpr IntakeRefusal kNotUtf8{400, "invalid_request", "the body is not valid UTF-8"};
constexpr IntakeRefusal kTooDeep{400, "invalid_request", "the JSON is nested too deeply"};
constexpr IntakeRefusal kNotAnObject{400, "bad_request", "the body must be a JSON object"};
constexpr IntakeRefusal kNoBatch{400, "bad_request",
                                 "the body needs one member \"batch\" that is an array"};
constexpr IntakeRefusal kBadGzip{400, "bad_request", "the body is not valid gzip"};
constexpr IntakeRefusal kBadCoding{415, "bad_request", "Content-Encoding must be gzip or identity"};
constexpr IntakeRefusal kEventTooLarge{400, "exceed_payload_limit",
                                       "Exceed payload limit: the event is too large"};
constexpr IntakeRefusal kBodyTooLarge{413, "exceed_payload_limit",
                                      "Exceed payload limit: the body is too large"};
constexpr IntakeRefusal kLinesTooLarge{
    413, "exceed_payload_limit",
    "Exceed payload limit: the batch's context, repeated for each event, is too large"};
constexpr IntakeRefusal kUnknownSource{401, "unknown_source",
                                       "the write key is missing or unknown"};

constexpr IntakeRefusal kBadMember{400, "bad_request",
                                   "the batch's context and integrations must be objects"};

// Why an event of a batch is kept as a rejected line, beside the codes of event/validate.h.
constexpr std::string_view kBatchLimit = "exceed_batch_limit";
constexpr std::string_view kUnknownKey = "unknown_source";
constexpr std::string_view kSourceDisabled = "source_disabled";

// The one member that is not kept: it is a secret, and the source's name says the same.
constexpr std::string_view kWriteKey = "writeKey";

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

static_assert(net::kBodyPadding >= event::kJsonPadding);

IntakeRefusal refusal_of(simdjson::error_code error) {
  switch (error) {
    case simdjson::UTF8_ERROR:
      return kNotUtf8;
    case simdjson::DEPTH_ERROR:
      return kTooDeep;
    case simdjson::CAPACITY:
      return kBodyTooLarge;
    default:
      return kMalformed;
  }
}

/// The string `value`, or empty when it is anything else.
std::string_view text_of(const dom::element& value) {
  std::string_view text;
  return value.get(text) == simdjson::SUCCESS ? text : std::string_view();
}

/// The raw bytes of an item of a batch, and where a walk over them begins.
struct ItemSlice {
  std::string_view bytes;
  std::size_t place = 0;
};

/// The members of a batch body that matter. Views and elements die with the parser's next use.
struct Batch {
  bool found = false;
  std::string_view write_key;
  std::string_view sent_at;
  std::string_view context_json;
  std::string_view integrations_json;
  ContextFacts context;
  dom::array items;
};

}  // namespace

struct Intake::State {
  State(const Limits& given_limits, const Sources& given_sources, Random& given_random,
        const event::SuppressionFeed* given_suppressions)
      : limits(given_limits),
        sources(given_sources),
        random(given_random),
        suppressions(given_suppressions),
        inflater(given_limits.body_bytes_max),
        parser(given_limits.body_bytes_max, given_limits.depth_max) {
    item_slices.reserve(limits.batch_events_max);
  }

  const Limits limits;
  const Sources& sources;
  Random& random;
  const event::SuppressionFeed* const suppressions;
  std::shared_ptr<const event::SuppressionList> suppressed;  // as of suppressed_generation
  std::uint64_t suppressed_generation = 0;
  Inflater inflater;
  event::EventParser parser;
  std::vector<SourceLines>
      lines;  // the first sources_used are of this request, the rest is memory to be used again
  std::size_t sources_used = 0;
  std::size_t lines_bytes = 0;
  std::vector<ItemSlice> item_slices;
  std::string without_key;
  std::array<event::LineWriter, 2> writers;  // without and with the address
  std::array<const Source*, 2> begun{};      // whose lines each of them writes
  event::RequestPartsView parts;

  std::optional<IntakeRefusal> decode(const IntakeRequest& request, std::string_view& body);
  std::optional<IntakeRefusal> parse(std::string_view body, dom::element& root);
  std::optional<IntakeRefusal> read_event(const IntakeRequest& request, std::string_view body,
                                          const dom::element& root);
  std::optional<IntakeRefusal> read_batch(const IntakeRequest& request, std::string_view body,
                                          const dom::element& root);
  std::optional<IntakeRefusal> read_batch_members(std::string_view body, const dom::object& root,
                                                  Batch& batch);
  std::string_view without_write_key(std::string_view body, std::size_t place,
                                     const dom::element& event);
  void begin(const IntakeRequest& request, const Batch* batch);
  const Source* find_source(const IntakeRequest& request, std::string_view body_key) const;
  const Source* source_of_items(const Batch& batch) const;
  SourceLines& lines_of(const Source& source);
  bool suppress(const IntakeRequest& request, const Source& source, const ItemFacts& facts);
  void add(const IntakeRequest& request, const Source& source, std::string_view rejected,
           const ItemFacts& facts, std::string_view raw);
};

std::optional<IntakeRefusal> Intake::State::decode(const IntakeRequest& request,
                                                   std::string_view& body) {
  body = request.body;
  const std::string_view coding = trim(request.content_encoding);
  // Some libraries compress without saying so; no JSON text begins with these bytes.
  const bool looks_like_gzip = body.starts_with("\x1f\x8b");
  if (looks_like_gzip || equal_ignore_case(coding, "gzip") || equal_ignore_case(coding, "x-gzip")) {
    const auto inflated = inflater.gunzip(body);
    if (!inflated) return inflated.error().code == Errc::kExhausted ? kBodyTooLarge : kBadGzip;
    body = *inflated;
  } else if (!coding.empty() && !equal_ignore_case(coding, "identity")) {
    return kBadCoding;
  }
  if (body.size() > limits.body_bytes_max) return kBodyTooLarge;
  if (body.starts_with(kByteOrderMark)) body.remove_prefix(kByteOrderMark.size());
  body = trim(body);
  return std::nullopt;
}

std::optional<IntakeRefusal> Intake::State::parse(std::string_view body, dom::element& root) {
  if (body.empty()) return kMalformed;
  if (const auto error = parser.parse(body, root)) return refusal_of(error);
  return std::nullopt;
}

const Source* Intake::State::find_source(const IntakeRequest& request,
                                         std::string_view body_key) const {
  for (const std::string_view key : {body_key, request.basic_key, request.query_key}) {
    if (!key.empty()) return sources.find(key);
  }
  return nullptr;
}

/// The first source that an item of the batch names. Items without one are kept there as rejected,
/// so that they do not cost the good ones.
const Source* Intake::State::source_of_items(const Batch& batch) const {
  for (const dom::element item : batch.items) {
    const ItemFacts facts = read_item(EventType::kNone, item, batch.context);
    if (facts.write_key.empty()) continue;
    if (const Source* const found = sources.find(facts.write_key)) return found;
  }
  return nullptr;
}

SourceLines& Intake::State::lines_of(const Source& source) {
  for (std::size_t i = 0; i < sources_used; ++i) {
    if (lines[i].source == &source) return lines[i];
  }
  if (sources_used == lines.size()) lines.emplace_back();
  SourceLines& made = lines[sources_used++];
  made.source = &source;
  made.lines.clear();
  made.events = made.rejected = made.suppressed = 0;
  return made;
}

/// The object `event`, which begins at `place` of `body`, without its write keys. Nothing else
/// changes: a member goes with the white space around it and one comma.
std::string_view Intake::State::without_write_key(std::string_view body, std::size_t place,
                                                  const dom::element& event) {
  const auto& indexes = parser.structure();
  SliceWalk walk(body, indexes.structural_indexes.get(), indexes.n_structural_indexes);
  walk.go_to(place);
  std::size_t from = walk.position() + 1;
  walk.enter();
  without_key = '{';
  for (const auto field : dom::object(event)) {
    walk.skip_key();
    const std::string_view value = walk.take_value();
    const auto value_end = static_cast<std::size_t>(value.data() + value.size() - body.data());
    const std::size_t end = body.find_first_of(",}", value_end);
    if (field.key != kWriteKey) {
      if (without_key.size() > 1) without_key += ',';
      without_key.append(body, from, end - from);
    }
    from = end + 1;
  }
  without_key += '}';
  return without_key;
}

void Intake::State::begin(const IntakeRequest& request, const Batch* batch) {
  parts = {.received_at = request.received_at,
           .type = event::event_type_name(request.type),
           .user_agent = request.user_agent};
  if (batch != nullptr) {
    parts.sent_at = batch->sent_at;
    parts.context_json = batch->context_json;
    parts.integrations_json = batch->integrations_json;
  }
  begun = {};
}

// Nothing of the event is kept but that there was one, so that the books say how many there were.
// Here, before the journal, is the one place that all copies of an event come from.
bool Intake::State::suppress(const IntakeRequest& request, const Source& source,
                             const ItemFacts& facts) {
  if (!suppressed) [[likely]]
    return false;
  // A number breaks the protocol, and is a person's id all the same.
  std::array<std::string, 3> numbers;
  const auto id_of = [&](std::size_t which, std::string_view text) -> std::string_view {
    if (!facts.id_numbers[which]) return text;
    return numbers[which] = std::to_string(*facts.id_numbers[which]);
  };
  if (!suppressed->matches(source.name, id_of(0, facts.user_id), id_of(1, facts.anonymous_id),
                           id_of(2, facts.previous_id))) [[likely]] {
    return false;
  }
  SourceLines& target = lines_of(source);
  const std::string line =
      event::removed_line(request.received_at, source.name, event::kSuppressed);
  target.lines += line;
  lines_bytes += line.size();
  ++target.events;
  ++target.suppressed;
  return true;
}

void Intake::State::add(const IntakeRequest& request, const Source& source,
                        std::string_view rejected, const ItemFacts& facts, std::string_view raw) {
  if (suppress(request, source, facts)) return;
  const bool with_ip = request.ip != nullptr && (request.client_side || facts.takes_ip);
  const std::size_t which = with_ip ? 1 : 0;
  event::LineWriter& writer = writers[which];
  if (begun[which] != &source) {
    const std::string ip = with_ip ? request.ip->to_string() : std::string();
    parts.source = source.name;
    parts.ip = ip;
    writer.begin_request(parts);
    begun[which] = &source;
  }
  const std::string message_id = facts.needs_message_id ? uuid4(random) : std::string();
  SourceLines& target = lines_of(source);
  const std::size_t before = target.lines.size();
  writer.append(target.lines, {.message_id = message_id, .rejected = rejected, .event_json = raw});
  lines_bytes += target.lines.size() - before;
  ++target.events;
  if (!rejected.empty()) ++target.rejected;
}

std::optional<IntakeRefusal> Intake::State::read_event(const IntakeRequest& request,
                                                       std::string_view body,
                                                       const dom::element& root) {
  if (!root.is_object()) return kNotAnObject;
  if (body.size() > limits.event_bytes_max) return kEventTooLarge;
  const ItemFacts facts = read_item(request.type, root, {});
  const Source* source = find_source(request, facts.write_key);
  if (source == nullptr) return kUnknownSource;
  begin(request, nullptr);
  const std::string_view rejected =
      source->enabled ? event::validate(facts.rules) : kSourceDisabled;
  add(request, *source, rejected, facts,
      facts.has_write_key ? without_write_key(body, 0, root) : body);
  return std::nullopt;
}

std::optional<IntakeRefusal> Intake::State::read_batch_members(std::string_view body,
                                                               const dom::object& root,
                                                               Batch& batch) {
  const auto& indexes = parser.structure();
  SliceWalk walk(body, indexes.structural_indexes.get(), indexes.n_structural_indexes);
  item_slices.clear();
  walk.enter();
  for (const auto field : root) {
    walk.skip_key();
    if (field.key == "batch") {
      if (batch.found || field.value.get(batch.items) != simdjson::SUCCESS) return kNoBatch;
      batch.found = true;
      walk.enter();
      for ([[maybe_unused]] const auto item : batch.items) {
        const std::size_t place = walk.place();
        item_slices.push_back({.bytes = walk.take_value(), .place = place});
      }
      walk.leave();
      continue;
    }
    const std::string_view raw = walk.take_value();
    if (field.value.is_null()) continue;
    if (field.key == kWriteKey) {
      batch.write_key = text_of(field.value);
    } else if (field.key == "sentAt") {
      batch.sent_at = text_of(field.value);
    } else if (field.key == "context" || field.key == "integrations") {
      if (!field.value.is_object()) return kBadMember;
      (field.key == "context" ? batch.context_json : batch.integrations_json) = raw;
      if (field.key == "context") batch.context = read_context(field.value);
    }
  }
  if (!batch.found) return kNoBatch;
  return std::nullopt;
}

std::optional<IntakeRefusal> Intake::State::read_batch(const IntakeRequest& request,
                                                       std::string_view body,
                                                       const dom::element& root) {
  dom::object object;
  if (root.get(object) != simdjson::SUCCESS) return kNotAnObject;
  Batch batch;
  if (auto refusal = read_batch_members(body, object, batch)) return refusal;
  const Source* const named = find_source(request, batch.write_key);
  const Source* const batch_source = named != nullptr ? named : source_of_items(batch);
  if (batch_source == nullptr) return kUnknownSource;
  begin(request, &batch);
  std::size_t index = 0;
  for (const dom::element item : batch.items) {
    const ItemSlice& slice = item_slices[index++];
    const ItemFacts facts = read_item(EventType::kNone, item, batch.context);
    const Source* source = batch_source;
    std::string_view rejected = named == nullptr ? kUnknownKey : std::string_view();
    if (!facts.write_key.empty() && facts.write_key != batch.write_key) {
      const Source* const own = sources.find(facts.write_key);
      rejected = own == nullptr ? kUnknownKey : std::string_view();
      if (own != nullptr) source = own;
    }
    if (index > limits.batch_events_max) {
      rejected = kBatchLimit;
    } else if (slice.bytes.size() > limits.event_bytes_max) {
      rejected = event::kPayloadLimit;
    } else if (rejected.empty()) {
      rejected = source->enabled ? event::validate(facts.rules) : kSourceDisabled;
    }
    add(request, *source, rejected, facts,
        facts.has_write_key ? without_write_key(body, slice.place, item) : slice.bytes);
    if (lines_bytes > limits.lines_bytes_max) return kLinesTooLarge;
  }
  return std::nullopt;
}

Intake::Intake(const Limits& limits, const Sources& sources, Random& random,
               const event::SuppressionFeed* suppressions)
    : state_(std::make_unique<State>(limits, sources, random, suppressions)) {}

Intake::~Intake() = default;
Intake::Intake(Intake&&) noexcept = default;
Intake& Intake::operator=(Intake&&) noexcept = default;

std::optional<IntakeRefusal> Intake::read(const IntakeRequest& request) {
  State& state = *state_;
  state.sources_used = 0;
  state.lines_bytes = 0;
  if (state.suppressions != nullptr &&
      state.suppressions->generation() != state.suppressed_generation) {
    state.suppressed_generation = state.suppressions->generation();
    state.suppressed = state.suppressions->get();
  }
  std::string_view body;
  auto refusal = state.decode(request, body);
  dom::element root;
  if (!refusal) refusal = state.parse(body, root);
  if (!refusal) {
    refusal = request.type == EventType::kNone ? state.read_batch(request, body, root)
                                               : state.read_event(request, body, root);
  }
  if (refusal) state.sources_used = 0;
  return refusal;
}

std::span<const SourceLines> Intake::lines() const {
  return {state_->lines.data(), state_->sources_used};
}

}  // namespace leat::collect
