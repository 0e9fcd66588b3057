// Which transactions of SERIALIZABLE databases depend on each other, by table: one that would close
// a circle could not have run before or after the others, and is refused.
//
// The engine gives every transaction a snapshot, so that only reads of what another has written
// since are in question. Between two transactions A comes before B when
//
//   A read a table that B writes, and does not see B        (B commits after A's snapshot)
//   A wrote a table that B reads, and B sees it             (A committed before B's snapshot)
//   A wrote a table that B writes, and A committed first
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "warehouse/catalog/model.h"
#include "warehouse/session/result.h"

namespace leat::session {

/// Any thread.
class Serialization {
 public:
  /// Tables by what a statement did with them.
  struct Use {
    std::set<catalog::Oid> reads{};
    std::set<catalog::Oid> writes{};
  };

  /// Notes the transaction, whose snapshot `take` takes. Nobody's snapshot or commit comes between.
  [[nodiscard]] SqlStatus begin(std::int64_t transaction, const std::function<SqlStatus()>& take);
  /// Adds what a statement of it used; `session`, for the message. Errors: 40001 (1023) when that
  /// closes a circle.
  [[nodiscard]] SqlStatus add(std::int64_t transaction, std::int32_t session, const Use& use);
  /// Ends it: with a commit when `commit` returns true.
  [[nodiscard]] SqlResult<bool> commit(std::int64_t transaction,
                                       const std::function<SqlResult<bool>()>& commit);
  void rolled_back(std::int64_t transaction);
  /// How many are remembered.
  [[nodiscard]] std::size_t size() const;

 private:
  struct Entry {
    std::uint64_t snapshot = 0;
    std::uint64_t committed = 0;  ///< 0: still open
    Use use{};
  };
  using Entries = std::map<std::int64_t, Entry>;

  [[nodiscard]] static bool before(const Entry& a, const Entry& b);
  /// The transactions on a way from `from` back to it; empty: there is none.
  [[nodiscard]] std::vector<std::int64_t> circle(std::int64_t from) const;
  /// Forgets committed ones that no open transaction can come before any more.
  void forget();

  mutable std::mutex mutex_;  // guards all below
  std::uint64_t time_ = 0;    // counts snapshots and commits
  Entries entries_;
};

}  // namespace leat::session
