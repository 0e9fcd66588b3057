// What the policies make of values that do not fit, in the staged files.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "staged.h"

namespace leat::shape {
namespace {

std::vector<std::string> pages(const std::vector<std::string>& values) {
  std::vector<std::string> events;
  for (std::size_t i = 0; i < values.size(); ++i) {
    events.push_back(
        fmt::format(R"({{"type":"page","userId":"u","messageId":"m{}","properties":{{"v":{}}}}})",
                    i, values[i]));
  }
  return events;
}

KnownTable known_pages(const char* type) {
  return {"pages",
          {columns::column_from_sql_type("id", "varchar(512)"),
           columns::column_from_sql_type("v", type)}};
}

Options options_with(std::string_view all, std::string_view exceptions = "") {
  Options options;
  options.conflicts = *ConflictPolicies::parse(all, exceptions);
  return options;
}

TEST(ConflictPolicies, WidenKeepsEveryValueInAColumnOfItsType) {
  const struct {
    const char* type;
    const char* json;
    const char* column;
    const char* sql_type;
    const char* value;
  } cases[] = {
      {"bigint", "1.5", "v__double", "double precision", "1.5"},
      {"bigint", R"("many")", "v__varchar", "varchar(65535)", "many"},
      {"bigint", "9223372036854775808", "v__numeric", "numeric(38,0)", "9223372036854775808"},
      {"bigint", "1e400", "v__varchar", "varchar(65535)", "1e400"},
      {"bigint", "true", "v__boolean", "boolean", "true"},
      {"bigint", "[ 1 ]", "v__varchar", "varchar(65535)", "[1]"},
      {"smallint", "40000", "v__bigint", "bigint", "40000"},
      {"double precision", "9007199254740993", "v__bigint", "bigint", "9007199254740993"},
      {"real", "0.123456789", "v__double", "double precision", "0.123456789"},
      {"boolean", "7", "v__bigint", "bigint", "7"},
      {"timestamp", "1700000000", "v__bigint", "bigint", "1700000000"},
      {"date", R"("2024-02-29T10:00:00Z")", "v__varchar", "varchar(65535)", "2024-02-29T10:00:00Z"},
      {"varchar(5)", R"("123456")", "v__varchar", "varchar(65535)", "123456"},
      {"numeric(5,2)", "0.001", "v__double", "double precision", "0.001"},
      {"geometry", R"("x")", "v__varchar", "varchar(65535)", "x"},
  };
  for (const auto& c : cases) {
    StagedTables tables(to_lines(pages({c.json})), options_with("widen"), {known_pages(c.type)});
    const std::string where = std::string(c.type) + " <- " + c.json;
    EXPECT_EQ(tables.answer("select column_name, sql_type from staged_columns where column_name "
                            "like 'v%'"),
              fmt::format("{}|{}", c.column, c.sql_type))
        << where;
    EXPECT_EQ(tables.answer(fmt::format("select {} from pages", c.column)), c.value) << where;
    EXPECT_EQ(tables.staged.batches[0].rescued_values, 0U) << where;
    StagedTables super(to_lines(pages({c.json})), options_with("super"), {known_pages(c.type)});
    const bool is_huge =
        std::string_view(c.column) == "v__numeric" || std::string_view(c.json) == "1e400";
    if (is_huge) {  // no JSON number that SUPER keeps
      EXPECT_EQ(super.answer("select reason, value from leat_rescue"),
                fmt::format("out_of_range|{}", c.json));
      continue;
    }
    EXPECT_EQ(super.answer("select v__super from pages"),
              std::string_view(c.json) == "[ 1 ]" ? "[1]" : c.json)
        << where;
  }
}

TEST(ConflictPolicies, WhatHasNoPlaceBesideIsRescued) {
  // Text that no column holds, more text than the widest column, and a second value of one row.
  const std::string long_text = "\"" + std::string(70'000, 'x') + "\"";
  StagedTables tables(
      to_lines(
          {R"({"type":"page","userId":"u","messageId":"a","properties":{"v":"p\u0000q"}})",
           R"({"type":"page","userId":"u","messageId":"b","properties":{"v":)" + long_text + "}}",
           R"({"type":"page","userId":"u","messageId":"c","properties":{"v":"x","V":"y"}})",
           R"({"type":"page","userId":"u","messageId":"d","properties":{"v":"z","V":7}})"}),
      options_with("widen"), {known_pages("bigint")});
  EXPECT_EQ(tables.answer("select id, v, v__varchar from pages order by 1"),
            "a|NULL|NULL;b|NULL|NULL;c|NULL|x;d|7|z");
  EXPECT_EQ(tables.answer("select event_id, column_name, reason from leat_rescue where part = 1 "
                          "order by 1"),
            "a|v|not_storable_text;b|v|type_mismatch;c|v|type_mismatch");
}

TEST(ConflictPolicies, AreChosenByTableAndColumn) {
  const Options options = options_with("rescue", "pages.v=widen, *.w=super");
  StagedTables tables(
      to_lines({R"({"type":"page","userId":"u","messageId":"a","properties":{"v":1,"w":1,"x":1}})",
                R"({"type":"page","userId":"u","messageId":"b","properties":)"
                R"({"v":"a","w":"b","x":"c"}})"}),
      options);
  EXPECT_EQ(tables.answer("select v, w, x, v__varchar, w__super from pages where id = 'b'"),
            "NULL|NULL|NULL|a|\"b\"");
  EXPECT_EQ(tables.answer("select column_name, value from leat_rescue"), "x|\"c\"");
}

TEST(ConflictPolicies, UsersGetTheColumnsBesideToo) {
  StagedTables tables(
      to_lines({R"({"type":"identify","userId":"u","messageId":"a","traits":{"n":1}})",
                R"({"type":"identify","userId":"u","messageId":"b","traits":{"n":"many"}})"}),
      options_with("widen"));
  EXPECT_EQ(tables.answer("select n, n__varchar from users"), "1|many");
  EXPECT_EQ(tables.answer("select n, n__varchar from identifies order by id"), "1|NULL;NULL|many");
}

TEST(ConflictPolicies, ColumnsBesideAreUsedWhenTheyExist) {
  KnownTable known = known_pages("bigint");
  known.columns.push_back(columns::column_from_sql_type("v__varchar", "varchar(4)"));
  StagedTables tables(to_lines(pages({R"("many")", R"("too many")"})), options_with("widen"),
                      {known});
  EXPECT_EQ(tables.answer("select v__varchar from pages order by id"), "many;NULL");
  EXPECT_EQ(tables.answer("select value, reason from leat_rescue"), "\"too many\"|type_mismatch");
  EXPECT_EQ(tables.answer("select count(*) from staged_columns where is_new and table_name = "
                          "'pages' and column_name like "
                          "'v%'"),
            "0");
}

Result<Staged> shape(const Options& options, const std::vector<KnownTable>& known,
                     const std::vector<std::string>& values) {
  return shape_batches(options, known, 1, [&](std::size_t) -> Result<Batch> {
    return Batch{"web/2026112014/0-1-1", to_lines(pages(values))};
  });
}

TEST(ConflictPolicies, FailSaysWhichColumnAndWhatToDo) {
  const auto staged = shape(options_with("fail"), {known_pages("bigint")}, {"1", R"("secret")"});
  ASSERT_FALSE(staged);
  EXPECT_EQ(staged.error().code, Errc::kInvalid);
  const std::string& message = staged.error().message;
  for (const char* part : {"event m1", "pages.v (bigint)", "type_mismatch",
                           "line 2 of batch web/2026112014/0-1-1", "destination.conflicts"}) {
    EXPECT_NE(message.find(part), std::string::npos) << message;
  }
  EXPECT_EQ(message.find("secret"), std::string::npos) << "values are the customer's";
}

TEST(ConflictPolicies, FailLooksAtTheTypeThatAColumnGetsInTheEnd) {
  // A number that does not fit a timestamp column fits when later text makes it varchar; by then
  // the first rows are in the file.
  std::vector<std::string> values(2'000, R"("2026-01-02")");
  values[1'000] = "7";
  EXPECT_FALSE(shape(options_with("fail"), {}, values));
  values.push_back(R"("soon")");
  EXPECT_TRUE(shape(options_with("fail"), {}, values));
}

TEST(NestedValues, BecomeColumnsJsonOrSuper) {
  const std::string event =
      R"({"type":"identify","userId":"u","messageId":"m","context":{"a":{"b":1}},)"
      R"("traits":{"address":{ "city" : "Bonn" },"tags":["x", 1],"none":{}}})";
  StagedTables flat(to_lines({event}));
  EXPECT_EQ(flat.answer("select address_city, tags, context_a_b from users"), "Bonn|[\"x\",1]|1");
  Options options;
  options.objects = Nested::kJson;
  StagedTables json(to_lines({event}), options);
  EXPECT_EQ(json.answer("select address, tags, \"none\", context_a_b from users"),
            R"({"city":"Bonn"}|["x",1]|{}|1)");
  EXPECT_EQ(
      json.answer("select distinct sql_type from staged_columns where column_name = 'address'"),
      "varchar(65535)");
  options.objects = Nested::kSuper;
  options.arrays = Nested::kSuper;
  StagedTables super(to_lines({event}), options);
  EXPECT_EQ(super.answer("select address, tags, \"none\" from identifies"),
            R"({"city":"Bonn"}|["x",1]|{})");
  EXPECT_EQ(super.answer("select column_name, sql_type from staged_columns where table_name = "
                         "'users' and column_name in ('address', 'tags') order by 1"),
            "address|super;tags|super");
  // A SUPER column takes every later value.
  KnownTable known{"identifies",
                   {columns::column_from_sql_type("id", "varchar(512)"),
                    columns::column_from_sql_type("address", "super")}};
  StagedTables later(
      to_lines({R"({"type":"identify","userId":"u","messageId":"m","traits":{"address":"Rome"}})"}),
      options, {known});
  EXPECT_EQ(later.answer("select address from identifies"), "\"Rome\"");
}

}  // namespace
}  // namespace leat::shape
