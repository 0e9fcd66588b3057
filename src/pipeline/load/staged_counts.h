// What a merge will do to each table, counted after COPY and before the first row is changed. Used
// by load_transaction.cc only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/load/load_sql.h"
#include "pipeline/load/load_transaction.h"

namespace leat::load {

/// Of one table; what added and replaced are for kLatest: count_sql.
struct TableCounts {
  std::int64_t staged = 0;
  std::int64_t added = 0;
  std::int64_t replaced = 0;
  std::int64_t late = 0;
};

/// Most loads bring no id again, and rows are told apart by their hash: a look at eight bytes of
/// each row says so. Only tables that may have some of the ids are counted in full, and only in the
/// time in which the rows in question were received. One thread.
class StagedCounts {
 public:
  StagedCounts(Session& session, const LoadPlan& plan);

  /// Adds loaded and deduplicated to `batches`, or what a replay counts to `replayed`; both are in
  /// the order of the plan. kBug when the stage tables hold not what was staged.
  [[nodiscard]] Step<void> count(std::vector<BatchBooks>& batches,
                                 std::vector<ReplayCounts>& replayed);

  /// Of the plan's tables, by position.
  [[nodiscard]] const TableCounts& of(std::size_t index) const { return counts_[index]; }
  [[nodiscard]] const CountedTable& table(std::size_t index) const { return tables_[index]; }
  /// True when the rows of the table, all new ones, are in the shared stage only.
  [[nodiscard]] bool is_shared(std::size_t index) const { return is_shared_[index]; }
  /// True when staged rows of events share an id; create_losers_sql has listed those that give way.
  [[nodiscard]] bool has_losers(std::size_t table) const;
  /// True when there is a list to drop once the table is merged: of losers, or of known rows.
  [[nodiscard]] bool has_lists(std::size_t table) const {
    return has_losers(table) || tables_[table].lists_known;
  }
  /// The tables that have a stage of their own.
  [[nodiscard]] std::vector<std::size_t> own_stages() const;

 private:
  [[nodiscard]] Step<void> ask(const std::vector<CountedTable>& tables, std::string_view action,
                               std::string (*to_sql)(std::span<const CountedTable>),
                               const std::function<Step<void>(const Row&)>& add);
  [[nodiscard]] Step<void> find_hashed();
  [[nodiscard]] Step<void> find_shared();
  [[nodiscard]] Step<void> find_overlaps();
  [[nodiscard]] Step<void> make_lists(CountedTable& counted);
  [[nodiscard]] bool count_plainly(const CountedTable& counted, std::vector<BatchBooks>& batches);
  [[nodiscard]] std::int64_t rows_in_batches(const std::string& table) const;
  [[nodiscard]] Step<CountedTable*> table_of(const Row& row);
  [[nodiscard]] Step<void> add_counts(const Row& row, std::vector<BatchBooks>& batches,
                                      std::vector<ReplayCounts>& replayed);

  Session& session_;
  const LoadPlan& plan_;
  std::vector<TableCounts> counts_;
  std::vector<CountedTable> tables_;
  std::vector<bool> is_shared_;
  std::map<std::string, bool> no_memory_;
  std::map<std::string, bool>& hashed_;
};

}  // namespace leat::load
