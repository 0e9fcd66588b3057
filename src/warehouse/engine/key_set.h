// Sets of 64-bit keys that a filter asks for, in place of a hash join that would build and probe
// the same in a form for any type (docs/adr/0125).
//
//   leat_key_set(key)        aggregate: the different keys, as bytes; NULLs are left out
//   leat_kept_keys(bytes)    the number of the set, which lives until its connection's next
//                            statement begins
//   leat_among(key, number)  whether the key is in that set
//
// SQL: t.key IN (SELECT s.key FROM s) where only true counts, as
// leat_among(t.key, (SELECT leat_kept_keys(leat_key_set(s.key)) FROM s))
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace leat::engine {

/// Immutable. Any thread.
class KeySet {
 public:
  /// The keys as the bytes of little-endian 64-bit integers, in any order, repeated or not; what
  /// follows the last whole one is ignored.
  explicit KeySet(std::string_view keys);

  /// Sets `found[i]` to whether `keys[i]` is one of them. The spans are of one length.
  void look_up(std::span<const std::int64_t> keys, std::span<bool> found) const;

 private:
  [[nodiscard]] bool has(std::int64_t key) const;

  // Eight to sixteen bits a key, of which four are set: small enough to stay in the cache, and
  // turns away nearly all keys that are not there.
  std::vector<std::uint64_t> filter_;
  std::vector<std::int64_t> slots_;  // open addressing; 0: empty
  unsigned filter_shift_ = 0;        // of a hash, to its word in filter_
  unsigned slot_shift_ = 0;
  bool has_zero_ = false;
};

/// The sets of all connections of a database. Any thread.
class KeySets {
 public:
  /// The number of the new set; never 0.
  [[nodiscard]] std::int64_t add(std::uint64_t connection, std::shared_ptr<const KeySet> keys);
  /// Null: there is none of that number.
  [[nodiscard]] std::shared_ptr<const KeySet> find(std::int64_t number) const;
  /// Those of one connection.
  void forget(std::uint64_t connection);

 private:
  struct Entry {
    std::uint64_t connection;
    std::shared_ptr<const KeySet> keys;
  };
  mutable std::mutex mutex_;
  std::map<std::int64_t, Entry> entries_;  // guarded by mutex_
  std::int64_t next_ = 1;                  // guarded by mutex_
  std::atomic<std::size_t> size_{0};       // of entries_, so that nobody waits for an empty map
};

}  // namespace leat::engine
