// Which columns may hold text that ends in a blank. Whoever compares such texts must trim them;
// beside all others that would cost time for nothing (docs/adr/0133).
//
// A mark is set when such a value is written, before its transaction ends, and stays when that is
// rolled back: a column without a mark holds no such value in any snapshot.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <set>
#include <vector>

namespace leat::engine {

/// Of one warehouse. Any thread.
class BlankMarks {
 public:
  /// What names a column in SQL (leat_fit_varchar and leat_noted take it); never 0.
  [[nodiscard]] static constexpr std::int64_t key(std::uint32_t relation, std::int16_t column) {
    return (static_cast<std::int64_t>(relation) << 16) | static_cast<std::uint16_t>(column);
  }

  void note(std::int64_t key);
  /// The numbers of the relation's columns with a mark, in order.
  [[nodiscard]] std::vector<std::int16_t> columns(std::uint32_t relation) const;
  /// For a relation that is gone.
  void forget(std::uint32_t relation);
  /// Grows with every new mark.
  [[nodiscard]] std::uint64_t version() const { return version_.load(); }

 private:
  mutable std::mutex mutex_;
  std::set<std::int64_t> keys_;  // guarded by mutex_
  std::atomic<std::uint64_t> version_{0};
};

}  // namespace leat::engine
