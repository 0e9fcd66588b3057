// The tree of JSON paths seen so far. Each path is a node; a node remembers which keys came next
// the last times, so that a reader confirms a key with one comparison instead of hashing it. Used
// by event_reader.cc and shaper.cc only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/event/validate.h"
#include "pipeline/shape/names.h"

namespace leat::shape {

/// Paths that the rules look at, beside becoming columns.
enum class SpecialPath : std::uint8_t {
  kNone,
  kIp,                   ///< context.ip
  kAdvertisingId,        ///< context.device.advertisingId
  kCategoryPreferences,  ///< context.consent.categoryPreferences
  kCategoryPreference,   ///< a member of it
  kConsentVersion,       ///< context.consent.version
};

/// One thread at a time.
class Paths {
 public:
  using Id = std::uint32_t;
  static constexpr Id kNone = 0;
  // The roots are always there.
  static constexpr Id kLine = 1;
  static constexpr Id kEvent = 2;
  static constexpr Id kContext = 3;
  static constexpr Id kProperties = 4;
  static constexpr Id kTraits = 5;
  /// The path context.ip, which is always there too.
  static constexpr Id kContextIp = 6;

  struct Node {
    alignas(
        16) char key[32] = {};   ///< first bytes of the raw key and its closing quote, then zeros
    std::uint32_t mask = 0;      ///< which bytes of `key` must match; 0 for a long key
    std::uint32_t key_size = 0;  ///< of the raw key
    Id first[2] = {};            ///< keys that came first inside this object lately
    Id next[2] = {};             ///< keys that followed this one lately
    Id parent = kNone;
    std::uint8_t role = 0xff;  ///< in a line: index of the member; in an event: its event::Member
    SpecialPath special = SpecialPath::kNone;
    std::uint32_t name = 0;  ///< index into names_
  };

  Paths();

  [[nodiscard]] const Node& node(Id id) const { return nodes_[id]; }
  [[nodiscard]] Node& node(Id id) { return nodes_[id]; }
  [[nodiscard]] std::size_t size() const { return nodes_.size(); }

  /// The child of `parent` with that raw key, made if it is new. `raw_key`: the bytes between the
  /// quotes, valid JSON.
  [[nodiscard]] Id child(Id parent, std::string_view raw_key);

  /// The column that a path below a scope gets in tables of that type.
  [[nodiscard]] std::string column_name(Id id, event::EventType type) const;

  /// Forgets all but the roots.
  void reset();

 private:
  struct Name {
    std::string raw;
    std::string decoded;
  };
  Id add(Id parent, std::string_view raw_key, std::uint64_t hash);
  void grow();
  [[nodiscard]] SpecialPath special_of(Id parent, std::string_view key) const;
  [[nodiscard]] std::uint64_t hash_of(Id parent, std::string_view raw_key) const;

  std::vector<Node> nodes_;
  std::vector<Name> names_;
  std::vector<Id> slots_;  // open addressing by hash_of
};

}  // namespace leat::shape
