#include "pipeline/event/suppression.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/digest.h"
#include "base/text.h"
#include "pipeline/event/json_tree.h"

namespace leat::event {
namespace {

constexpr std::size_t kSaltLength = 32;
constexpr std::size_t kHashDigits = 64;

std::string hash_with(std::string_view salt, PersonKey key, std::string_view source,
                      std::string_view id) {
  // No two of the parts can run together: the salt's length is fixed, and neither a key's name nor
  // a source holds a NUL.
  std::string text;
  for (const std::string_view part : {salt, person_key_name(key), source}) {
    text += part;
    text += '\0';
  }
  text += id;
  return to_hex(sha256(text));
}

std::string text_of(const JsonValue& object, std::string_view name) {
  const JsonValue* member = object.find(name);
  return member != nullptr && member->kind == JsonKind::kString ? member->text : std::string();
}

std::unexpected<Error> corrupt(std::string_view what) {
  return fail(Errc::kCorrupt, fmt::format("not a list of suppressions: {}", what));
}

}  // namespace

SuppressionList SuppressionList::make(Random& random) {
  SuppressionList list;
  list.salt_ = random_token(random, kSaltLength);
  return list;
}

Result<SuppressionList> SuppressionList::parse(std::string_view text) {
  const auto json = parse_json(text);
  if (!json || json->kind != JsonKind::kObject) return corrupt("no JSON object");
  const JsonValue* version = json->find("leat_suppressions");
  if (version == nullptr) return corrupt("no version");
  if (version->raw != "1") {
    return fail(Errc::kUnsupported, fmt::format("the list of suppressions has version {}, this "
                                                "program knows 1",
                                                version->raw));
  }
  SuppressionList list;
  list.salt_ = text_of(*json, "salt");
  const JsonValue* entries = json->find("entries");
  if (list.salt_.size() != kSaltLength || entries == nullptr || entries->kind != JsonKind::kArray) {
    return corrupt("no salt or no entries");
  }
  for (const JsonValue& entry : entries->items) {
    const auto since = parse_iso8601(text_of(entry, "since"));
    const std::string hash = text_of(entry, "hash");
    const std::string key = text_of(entry, "subject_type");
    const auto key_known = make_person(key, "x");
    if (hash.size() != kHashDigits || !since || !key_known) return corrupt("a broken entry");
    Suppression made{
        .hash = hash, .key = key_known->key, .source = text_of(entry, "source"), .since = *since};
    list.of_sources_ |= !made.source.empty();
    list.entries_.insert_or_assign(hash, std::move(made));
  }
  return list;
}

std::string SuppressionList::text() const {
  std::string out =
      fmt::format(R"({{"leat_suppressions":1,"salt":{},"entries":[)", json_string(salt_));
  bool is_first = true;
  for (const Suppression& entry : entries()) {
    out +=
        fmt::format("{}\n{{\"hash\":\"{}\",\"subject_type\":\"{}\",{}\"since\":\"{}\"}}",
                    is_first ? "" : ",", entry.hash, person_key_name(entry.key),
                    entry.source.empty() ? std::string()
                                         : fmt::format("\"source\":{},", json_string(entry.source)),
                    format_iso8601(entry.since));
    is_first = false;
  }
  return out + "]}\n";
}

bool SuppressionList::holds(PersonKey key, std::string_view source, std::string_view id) const {
  if (id.empty()) return false;
  if (entries_.contains(hash_with(salt_, key, "", id))) return true;
  return of_sources_ && entries_.contains(hash_with(salt_, key, source, id));
}

bool SuppressionList::matches(std::string_view source, std::string_view user_id,
                              std::string_view anonymous_id, std::string_view previous_id) const {
  if (entries_.empty()) return false;
  return holds(PersonKey::kUserId, source, user_id) ||
         holds(PersonKey::kAnonymousId, source, anonymous_id) ||
         holds(PersonKey::kUserId, source, previous_id) ||
         holds(PersonKey::kAnonymousId, source, previous_id);
}

std::string SuppressionList::hash_of(const Person& person, std::string_view source) const {
  return hash_with(salt_, person.key, source, person.id);
}

bool SuppressionList::add(const Person& person, std::string_view source, TimeUs now) {
  if (holds(person.key, source, person.id)) return false;
  std::string hash = hash_of(person, source);
  of_sources_ |= !source.empty();
  entries_.emplace(
      hash,
      Suppression{.hash = hash, .key = person.key, .source = std::string(source), .since = now});
  return true;
}

bool SuppressionList::remove(const Person& person, std::string_view source) {
  return entries_.erase(hash_of(person, source)) > 0;
}

std::vector<Suppression> SuppressionList::entries() const {
  std::vector<Suppression> out;
  out.reserve(entries_.size());
  for (const auto& [hash, entry] : entries_) out.push_back(entry);
  std::ranges::sort(out, [](const Suppression& a, const Suppression& b) {
    return a.since.value != b.since.value ? a.since.value < b.since.value : a.hash < b.hash;
  });
  return out;
}

void SuppressionFeed::publish(std::shared_ptr<const SuppressionList> list) {
  const std::scoped_lock lock(mutex_);
  list_ = std::move(list);
  generation_.fetch_add(1);
}

std::shared_ptr<const SuppressionList> SuppressionFeed::get() const {
  const std::scoped_lock lock(mutex_);
  return list_;
}

}  // namespace leat::event
