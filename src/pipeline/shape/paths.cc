#include "pipeline/shape/paths.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/digest.h"
#include "pipeline/event/json_tree.h"

namespace leat::shape {
namespace {

// Members of a line in their order (docs/formats/event-line.md).
constexpr std::array<std::string_view, 11> kLineMembers = {
    "received_at", "source",  "type",         "ip",       "user_agent", "message_id",
    "sent_at",     "context", "integrations", "rejected", "event"};

constexpr std::size_t kFirstSlots = 1024;

}  // namespace

Paths::Paths() {
  reset();
}

void Paths::reset() {
  nodes_.clear();
  names_.clear();
  slots_.assign(kFirstSlots, kNone);
  nodes_.resize(kTraits + 1);
  names_.resize(1);
  [[maybe_unused]] const Id ip = child(kContext, "ip");
  LEAT_CHECK(ip == kContextIp);
}

std::uint64_t Paths::hash_of(Id parent, std::string_view raw_key) const {
  return hash64(raw_key, parent);
}

Paths::Id Paths::child(Id parent, std::string_view raw_key) {
  const std::uint64_t hash = hash_of(parent, raw_key);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash & mask; slots_[at] != kNone; at = (at + 1) & mask) {
    const Node& node = nodes_[slots_[at]];
    if (node.parent == parent && names_[node.name].raw == raw_key) return slots_[at];
  }
  return add(parent, raw_key, hash);
}

Paths::Id Paths::add(Id parent, std::string_view raw_key, std::uint64_t hash) {
  if (nodes_.size() * 2 >= slots_.size()) grow();
  Name name{.raw = std::string(raw_key), .decoded = {}};
  event::TextFlaws flaws;
  (void)event::decode_json_text(raw_key, name.decoded, flaws);
  Node node;
  node.parent = parent;
  node.key_size = static_cast<std::uint32_t>(raw_key.size());
  node.name = static_cast<std::uint32_t>(names_.size());
  raw_key.substr(0, sizeof node.key).copy(node.key, sizeof node.key);
  if (raw_key.size() < sizeof node.key) {
    node.key[raw_key.size()] = '"';
    node.mask = static_cast<std::uint32_t>((std::uint64_t{2} << raw_key.size()) - 1);
  }
  if (parent == kLine) {
    const auto at = std::ranges::find(kLineMembers, name.decoded);
    if (at != kLineMembers.end()) node.role = static_cast<std::uint8_t>(at - kLineMembers.begin());
  } else if (parent == kEvent) {
    node.role = static_cast<std::uint8_t>(event::member_named(name.decoded));
  }
  node.special = special_of(parent, name.decoded);
  const auto id = static_cast<Id>(nodes_.size());
  nodes_.push_back(node);
  names_.push_back(std::move(name));
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  while (slots_[at] != kNone) at = (at + 1) & mask;
  slots_[at] = id;
  return id;
}

void Paths::grow() {
  slots_.assign(slots_.size() * 4, kNone);
  const std::size_t mask = slots_.size() - 1;
  for (Id id = kTraits + 1; id < nodes_.size(); ++id) {
    std::size_t at = hash_of(nodes_[id].parent, names_[nodes_[id].name].raw) & mask;
    while (slots_[at] != kNone) at = (at + 1) & mask;
    slots_[at] = id;
  }
}

SpecialPath Paths::special_of(Id parent, std::string_view key) const {
  if (nodes_[parent].special == SpecialPath::kCategoryPreferences) {
    return SpecialPath::kCategoryPreference;
  }
  if (parent == kContext) {
    return key == "ip" ? SpecialPath::kIp : SpecialPath::kNone;
  }
  if (nodes_[parent].parent != kContext) return SpecialPath::kNone;
  const std::string& outer = names_[nodes_[parent].name].decoded;
  if (outer == "device" && key == "advertisingId") return SpecialPath::kAdvertisingId;
  if (outer == "consent" && key == "categoryPreferences") return SpecialPath::kCategoryPreferences;
  if (outer == "consent" && key == "version") return SpecialPath::kConsentVersion;
  return SpecialPath::kNone;
}

std::string Paths::column_name(Id id, event::EventType type) const {
  std::vector<std::string_view> path;
  for (; id > kTraits; id = nodes_[id].parent) path.push_back(names_[nodes_[id].name].decoded);
  std::ranges::reverse(path);
  const Scope scope = id == kContext      ? Scope::kContext
                      : id == kProperties ? Scope::kProperties
                                          : Scope::kTraits;
  return column_name_of(scope, type, path);
}

}  // namespace leat::shape
