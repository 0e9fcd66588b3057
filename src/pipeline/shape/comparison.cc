#include "pipeline/shape/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "pipeline/shape/reference.h"

namespace leat::shape {
namespace {

class Collector final : public RowObserver {
 public:
  void row(std::string_view table,
           const std::vector<std::pair<std::string, std::string>>& values) override {
    rows[std::string(table)].emplace_back(values.begin(), values.end());
  }
  void restart() override { rows.clear(); }

  /// Writes whole numbers that were seen before their column became one of doubles as doubles.
  void write_doubles(const StagedTable& table) {
    for (const StagedColumn& column : table.columns) {
      if (column.column.type != columns::Type::kDouble) continue;
      for (auto& row : rows[table.name]) {
        const auto found = row.find(column.column.name);
        if (found == row.end()) continue;
        if (const auto whole = parse_number<std::int64_t>(found->second)) {
          found->second = fmt::format("{}", static_cast<double>(*whole));
        }
      }
    }
  }

  std::map<std::string, ReferenceRows> rows;
};

std::string show(const std::map<std::string, std::string>& row) {
  std::string out;
  for (const auto& [name, value] : row) out += fmt::format("  {} = {}\n", name, value);
  return out;
}

std::string difference(const std::string& table, const ReferenceRows& fast,
                       const ReferenceRows& slow) {
  for (std::size_t i = 0; i < std::max(fast.size(), slow.size()); ++i) {
    if (i < fast.size() && i < slow.size() && fast[i] == slow[i]) continue;
    return fmt::format("{} row {}: shaper\n{}reference\n{}", table, i,
                       i < fast.size() ? show(fast[i]) : "  no row\n",
                       i < slow.size() ? show(slow[i]) : "  no row\n");
  }
  return "";
}

std::string column_difference(const StagedTable& table,
                              const std::map<std::string, columns::Column>& expected) {
  for (const StagedColumn& column : table.columns) {
    const std::string& name = column.column.name;
    if (name == "leat_batch" || name == "leat_order" || table.kind == TableKind::kRescue) continue;
    const auto found = expected.find(name);
    if (found == expected.end() ||
        columns::sql_type(found->second) != columns::sql_type(column.column)) {
      return fmt::format("{}.{} has type {}, reference {}", table.name, name,
                         columns::sql_type(column.column),
                         found == expected.end() ? "none" : columns::sql_type(found->second));
    }
  }
  return "";
}

}  // namespace

std::string compare_with_reference(const std::vector<Batch>& batches, const Options& options,
                                   const std::vector<KnownTable>& known) {
  Collector collector;
  Options observed = options;
  observed.observer = &collector;
  const auto staged =
      shape_batches(observed, known, batches.size(),
                    [&](std::size_t position) -> Result<Batch> { return batches[position]; });
  Reference reference(options, known);
  reference.shape(batches);
  if (!staged && reference.has_conflict()) {
    return staged.error().code == Errc::kInvalid ? "" : staged.error().to_string();
  }
  if (!staged) return staged.error().to_string();
  if (reference.has_conflict()) return "the reference has a conflict whose policy is fail";
  for (const StagedTable& table : staged->tables) collector.write_doubles(table);
  std::map<std::string, ReferenceRows> tables = collector.rows;
  for (const auto& [name, rows] : reference.rows()) tables.try_emplace(name);
  static const ReferenceRows kNone;
  for (const auto& [name, fast] : tables) {
    const auto slow = reference.rows().find(name);
    std::string found =
        difference(name, fast, slow == reference.rows().end() ? kNone : slow->second);
    if (!found.empty()) return found;
  }
  for (std::size_t i = 0; i < batches.size(); ++i) {
    if (staged->batches[i] != reference.batches()[i]) return fmt::format("books of batch {}", i);
    const BatchCounts& books = staged->batches[i];
    if (books.events != books.with_rows + books.rescued_events + books.excluded) {
      return fmt::format("books of batch {} do not balance", i);
    }
  }
  for (const StagedTable& table : staged->tables) {
    std::string found = column_difference(table, reference.columns_of(table.name));
    if (!found.empty()) return found;
  }
  return "";
}

}  // namespace leat::shape
