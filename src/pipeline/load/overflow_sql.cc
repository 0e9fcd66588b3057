#include "pipeline/load/overflow_sql.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "pipeline/shape/shaper.h"

namespace leat::load {
namespace {

// The members of the objects in `rows` (id, received_at, place, _extra), whose `rank` says which of
// two sources goes first. `place` orders rows of one time.
std::string members_of(std::string_view rows, int rank) {
  return fmt::format(
      R"(SELECT m."id", n AS "name", json_serialize(object(n, v)) AS "object", m."received_at", )"
      R"(m."place", {} AS "rank" FROM ({}) m, UNPIVOT m."_extra" AS v AT n)",
      rank, rows);
}

std::string existing_rows(const StagedTable& table, std::string_view key, std::string_view place,
                          std::string_view staged_ids) {
  return fmt::format(
      R"(SELECT t.{0} AS "id", t."received_at", {1} AS "place", t."_extra" FROM {2} t WHERE t.{0} IN ({3}))",
      quote_identifier(key), place, qualified(table.schema, table.name), staged_ids);
}

}  // namespace

bool is_overflow(const StagedColumn& column) {
  return column.name == shape::kOverflowColumn && column.type == "super";
}

bool has_overflow(const StagedTable& table) {
  return table.role == TableRole::kLatest && std::ranges::any_of(table.columns, is_overflow);
}

std::string merge_overflow_sql(const StagedTable& table, std::size_t index, OverflowOrder order,
                               const StagedTable* home) {
  const bool by_calls = order == OverflowOrder::kCalls;
  const std::string staged = fmt::format(
      R"(SELECT s."id", s."received_at", 'b' AS "place", json_parse(s."_extra") AS "_extra" )"
      R"(FROM "leat_stage_{}" s WHERE s."_extra" IS NOT NULL)",
      index);
  const std::string ids = fmt::format(R"(SELECT s."id" FROM "leat_stage_{}" s{})", index,
                                      by_calls ? "" : R"( WHERE s."_extra" IS NOT NULL)");
  std::string members = members_of(existing_rows(table, "id", "'a'", ids), 1) + " UNION ALL " +
                        members_of(staged, by_calls ? 0 : 1);
  if (by_calls && home != nullptr) {
    members +=
        " UNION ALL " + members_of(existing_rows(*home, table.home_key, R"(t."id")", ids), 2);
  }
  constexpr std::string_view kNewest = R"("rank" DESC, a."received_at" DESC, a."place" DESC)";
  return fmt::format(
      R"(UPDATE {0} SET "_extra" = r."_extra" FROM (SELECT w."id", json_parse('{{' || )"
      R"(listagg(w."member", ',') WITHIN GROUP (ORDER BY w."name") || '}}') AS "_extra" FROM )"
      R"((SELECT k."id", k."name", k."member", sum(octet_length(k."member") + 1) OVER )"
      R"((PARTITION BY k."id" ORDER BY k."rank" DESC, k."received_at" DESC, )"
      R"(octet_length(k."member"), k."name" ROWS UNBOUNDED PRECEDING) AS "bytes" FROM (SELECT a."id", a."name", a."rank", )"
      R"(a."received_at", substring(a."object", 2, len(a."object") - 2) AS "member", )"
      R"(row_number() OVER (PARTITION BY a."id", a."name" ORDER BY a.{1}) AS "newest" FROM ({2}) a) k )"
      R"(WHERE k."newest" = 1) w WHERE w."bytes" <= {3} GROUP BY w."id") r WHERE {4}."id" = r."id")",
      qualified(table.schema, table.name), kNewest, members, shape::kEntityOverflowBytesMax,
      quote_identifier(table.name));
}

}  // namespace leat::load
