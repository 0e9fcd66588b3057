// Persons whose events are not to be kept. The list holds salted hashes only: who has it cannot
// read from it who asked not to be remembered.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "base/time.h"
#include "pipeline/event/person.h"

namespace leat::event {

/// One person, in one source or in all.
struct Suppression {
  std::string hash;  ///< 64 hexadecimal digits.
  PersonKey key = PersonKey::kUserId;
  std::string source;  ///< Empty: all.
  TimeUs since;
  bool operator==(const Suppression&) const = default;
};

/// A value. Any thread as long as nobody changes it.
class SuppressionList {
 public:
  /// An empty list with a salt of its own.
  [[nodiscard]] static SuppressionList make(Random& random);
  /// Reads text(). kCorrupt; kUnsupported for another version.
  [[nodiscard]] static Result<SuppressionList> parse(std::string_view text);
  /// docs/formats/suppressions.md
  [[nodiscard]] std::string text() const;

  /// Whether an event of `source` with these ids is a suppressed person's; empty ids are none.
  /// Hashes each id once or twice.
  [[nodiscard]] bool matches(std::string_view source, std::string_view user_id,
                             std::string_view anonymous_id, std::string_view previous_id) const;

  /// False when the person is suppressed already (in that source or in all).
  bool add(const Person& person, std::string_view source, TimeUs now);
  /// Removes the entry of exactly that source; false when there is none.
  bool remove(const Person& person, std::string_view source);
  [[nodiscard]] std::string hash_of(const Person& person, std::string_view source) const;
  /// The oldest first.
  [[nodiscard]] std::vector<Suppression> entries() const;
  [[nodiscard]] bool empty() const { return entries_.empty(); }

 private:
  [[nodiscard]] bool holds(PersonKey key, std::string_view source, std::string_view id) const;

  std::string salt_;
  std::unordered_map<std::string, Suppression> entries_;  // by hash
  bool of_sources_ = false;                               // some entries are of one source only
};

/// Hands the newest list to those who ask often. Any thread.
class SuppressionFeed {
 public:
  void publish(std::shared_ptr<const SuppressionList> list);
  /// Changes with every publish; cheap.
  [[nodiscard]] std::uint64_t generation() const { return generation_.load(); }
  /// Null before the first publish.
  [[nodiscard]] std::shared_ptr<const SuppressionList> get() const;

 private:
  std::atomic<std::uint64_t> generation_{0};
  mutable std::mutex mutex_;  // guards list_
  std::shared_ptr<const SuppressionList> list_;
};

}  // namespace leat::event
