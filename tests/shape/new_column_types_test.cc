// The type of a new column follows from all its values, whatever their order, and none of them is
// lost (docs/adr/0032).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "staged.h"

namespace leat::shape {
namespace {

/// A page event for each value of the property `v`.
std::vector<std::string> pages(const std::vector<std::string>& values) {
  std::vector<std::string> events;
  for (std::size_t i = 0; i < values.size(); ++i) {
    events.push_back(
        fmt::format(R"({{"type":"page","userId":"u","messageId":"m{}","properties":{{"v":{}}}}})",
                    i, values[i]));
  }
  return events;
}

struct Case {
  const char* name;
  std::vector<std::string> values;
  const char* type;
  const char* sorted;   // values of the column, NULLs left out, in the order of their text
  const char* rescued;  // reasons, or empty
};

std::vector<Case> cases() {
  return {
      {"whole numbers", {"1", "2", "3"}, "bigint", "1;2;3", ""},
      {"whole numbers and fractions",
       {"1", "2.5", "-3", "4e0"},
       "double precision",
       "-3.0;1.0;2.5;4.0",
       ""},
      {"a fraction without a fraction", {"1", "2.0"}, "double precision", "1.0;2.0", ""},
      {"times",
       {R"("2026-01-02")", R"("2026-01-01T10:00:00Z")"},
       "timestamp",
       "2026-01-01 10:00:00;2026-01-02 00:00:00",
       ""},
      {"times and other text",
       {R"("2026-01-02")", R"("soon")", R"("1-1")"},
       "varchar(512)",
       "1-1;2026-01-02;soon",
       ""},
      {"times and a finer one than columns keep",
       {R"("2026-01-02T00:00:00Z")", R"("2026-01-02T00:00:00.000000001Z")"},
       "varchar(512)",
       "2026-01-02T00:00:00.000000001Z;2026-01-02T00:00:00Z",
       ""},
      {"times and arrays",
       {R"("2026-01-02")", R"([1, 2])"},
       "varchar(512)",
       "2026-01-02;[1,2]",
       ""},
      {"text and arrays", {R"("a")", "[1]"}, "varchar(512)", "[1];a", ""},
      {"booleans", {"true", "false"}, "boolean", "false;true", ""},
      {"large whole numbers", {"1", "9007199254740993"}, "bigint", "1;9007199254740993", ""},
      {"nulls and objects have no say",
       {"1", "null", "{}", "2.5"},
       "double precision",
       "1.0;2.5",
       ""},
  };
}

TEST(NewColumnTypes, AreTheSameInEveryOrderOfTheValues) {
  std::mt19937 random(7);
  for (const Case& each : cases()) {
    std::vector<std::string> values = each.values;
    for (int round = 0; round < 6; ++round) {
      StagedTables tables(to_lines(pages(values)));
      EXPECT_EQ(tables.answer("select sql_type from staged_columns where column_name = 'v'"),
                each.type)
          << each.name;
      EXPECT_EQ(tables.answer("select v from pages where v is not null order by v::varchar"),
                each.sorted)
          << each.name;
      EXPECT_EQ(tables.answer("select count(*) from pages"), std::to_string(values.size()));
      EXPECT_EQ(tables.staged.batches[0].rescued_values, 0U) << each.name;
      std::ranges::shuffle(values, random);
    }
  }
}

TEST(NewColumnTypes, OfKindsThatConflictFollowTheFirstValue) {
  const std::vector<Case> conflicts = {
      {"a number, then text",
       {"1", R"("many")", "2.5"},
       "double precision",
       "1.0;2.5",
       "type_mismatch"},
      {"a number, then a number as text", {"1", R"("12")"}, "bigint", "1;12", ""},
      {"a number, text that fits the type it gets later, and a fraction",
       {"1", R"("1.5")", "2.5"},
       "double precision",
       "1.0;1.5;2.5",
       ""},
      {"text, then a number", {R"("many")", "1"}, "varchar(512)", "1;many", ""},
      {"a time, then a number",
       {R"("2026-01-02")", "1"},
       "timestamp",
       "2026-01-02 00:00:00",
       "type_mismatch"},
      {"a boolean, then text",
       {"true", R"("yes")", R"("false")"},
       "boolean",
       "false;true",
       "type_mismatch"},
      {"a large whole number, then a fraction",
       {"9007199254740993", "1.5"},
       "bigint",
       "9007199254740993",
       "precision_loss"},
      {"a fraction, then a large whole number",
       {"1.5", "9007199254740993"},
       "double precision",
       "1.5",
       "precision_loss"},
      {"whole numbers, a fraction, and a large one last",
       {"1", "1.5", "9007199254740993", "2"},
       "bigint",
       "1;2;9007199254740993",
       "precision_loss"},
      {"a number that is no bigint, then text",
       {"92233720368547758080", R"("a")"},
       "bigint",
       "",
       "out_of_range;type_mismatch"},
  };
  for (const Case& each : conflicts) {
    StagedTables tables(to_lines(pages(each.values)));
    EXPECT_EQ(tables.answer("select sql_type from staged_columns where column_name = 'v'"),
              each.type)
        << each.name;
    EXPECT_EQ(tables.answer("select v from pages where v is not null order by v::varchar"),
              each.sorted)
        << each.name;
    const bool has_rescue = each.rescued[0] != '\0';
    EXPECT_EQ(tables.staged.tables.size(), has_rescue ? 2U : 1U) << each.name;
    if (!has_rescue) continue;
    EXPECT_EQ(tables.answer("select reason from leat_rescue order by 1"), each.rescued)
        << each.name;
  }
}

TEST(NewColumnTypes, AreDecidedOverAllBatchesHoweverLateAValueComes) {
  // Values of the early batches are in the file long before the last one comes.
  std::vector<Batch> batches;
  for (int b = 0; b < 3; ++b) {
    std::vector<std::string> events;
    for (int i = 0; i < 700; ++i) {
      const bool is_last = b == 2 && i == 699;
      events.push_back(fmt::format(
          R"({{"type":"identify","userId":"u{0}","messageId":"m{1}-{0}","traits":{{"n":{2},)"
          R"("at":{3}}}}})",
          i, b, is_last ? "0.5" : std::to_string(i), is_last ? R"("soon")" : R"("2026-01-02")"));
    }
    batches.push_back({"b" + std::to_string(b), to_lines(events)});
  }
  StagedTables tables(batches, {}, {});
  for (const char* table : {"identifies", "users"}) {
    EXPECT_EQ(tables.answer(fmt::format("select typeof(n), typeof(\"at\"), count(*), sum(n), "
                                        "count(distinct \"at\") from {} group by all",
                                        table)),
              table == std::string("users") ? "DOUBLE|VARCHAR|700|243951.5|2"
                                            : "DOUBLE|VARCHAR|2100|733251.5|2");
  }
  EXPECT_EQ(tables.staged.batches[2].rescued_values, 0U);
}

TEST(NewColumnTypes, LeaveColumnsOfTheDestinationAlone) {
  KnownTable known{"pages", {}};
  known.columns.push_back(columns::column_from_sql_type("id", "varchar(512)"));
  known.columns.push_back(columns::column_from_sql_type("v", "bigint"));
  StagedTables tables(to_lines(pages({"1", "2.5"})), {}, {known});
  EXPECT_EQ(tables.answer("select sql_type from staged_columns where column_name = 'v'"), "bigint");
  EXPECT_EQ(tables.answer("select reason from leat_rescue"), "precision_loss");
}

}  // namespace
}  // namespace leat::shape
