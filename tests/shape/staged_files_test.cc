// Staged files as a whole: order of columns, existing tables, every way a value does not fit,
// books, limits.
#include <gtest/gtest.h>

#include <algorithm>

#include "pipeline/event/line.h"
#include "pipeline/event/sample_events.h"
#include "staged.h"

namespace leat::shape {
namespace {

using columns::column_from_sql_type;

std::string track(const std::string& id, const std::string& properties) {
  return R"({"type":"track","event":"E","userId":"u","messageId":")" + id + R"(","properties":)" +
         properties + "}";
}

std::vector<std::string> column_names(const StagedTables& tables, std::string_view table) {
  std::vector<std::string> names;
  for (const StagedTable& each : tables.staged.tables) {
    if (each.name != table) continue;
    for (const StagedColumn& column : each.columns) names.push_back(column.column.name);
  }
  return names;
}

TEST(StagedFiles, NewTablesStartWithIdAndGoOnByName) {
  StagedTables tables(to_lines({track("m", R"({"zeta":1,"alpha":2})")}));
  EXPECT_EQ(
      column_names(tables, "e"),
      (std::vector<std::string>{"id", "received_at", "uuid", "uuid_ts", "alpha", "anonymous_id",
                                "event", "event_text", "original_timestamp", "sent_at", "timestamp",
                                "user_id", "zeta", "leat_batch", "leat_order"}));
  EXPECT_EQ(tables.answer("select leat_batch, leat_order, uuid is not null from e"), "0|0|true");
}

TEST(StagedFiles, KnownTablesStageOnlyTouchedColumnsInTheirOrder) {
  const KnownTable known{
      "e",
      {column_from_sql_type("zeta", "bigint"), column_from_sql_type("id", "varchar(512)"),
       column_from_sql_type("untouched", "varchar(10)"),
       column_from_sql_type("received_at", "timestamp")}};
  StagedTables tables(to_lines({track("m", R"({"zeta":1,"fresh":2})")}), {}, {known});
  const auto names = column_names(tables, "e");
  ASSERT_GE(names.size(), 3U);
  EXPECT_EQ(names[0], "zeta");
  EXPECT_EQ(names[1], "id");
  EXPECT_EQ(names[2], "received_at");
  EXPECT_EQ(std::ranges::count(names, "untouched"), 0);
  EXPECT_EQ(tables.answer("select is_new from staged_columns where table_name = 'e' and "
                          "column_name in ('zeta', 'fresh') order by 1"),
            "false;true");
  for (const StagedTable& table : tables.staged.tables) EXPECT_EQ(table.is_new, table.name != "e");
}

TEST(StagedFiles, EveryColumnTypeTakesWhatFitsAndRescuesTheRest) {
  const struct {
    const char* type;
    const char* json;
    const char* value;   // in the row, or nullptr
    const char* reason;  // of the rescue row, or nullptr
  } cases[] = {
      {"smallint", "32767", "32767", nullptr},
      {"smallint", "32768", nullptr, "out_of_range"},
      {"integer", "-2147483648", "-2147483648", nullptr},
      {"integer", "2147483648", nullptr, "out_of_range"},
      {"bigint", "9223372036854775807", "9223372036854775807", nullptr},
      {"bigint", "9223372036854775808", nullptr, "out_of_range"},
      {"bigint", "2.0", "2", nullptr},
      {"bigint", "2.5", nullptr, "precision_loss"},
      {"bigint", "1e3", "1000", nullptr},
      {"bigint", "1e300", nullptr, "out_of_range"},
      {"bigint", "\"12\"", "12", nullptr},
      {"bigint", "\"012\"", nullptr, "type_mismatch"},
      {"bigint", "\"\"", nullptr, "type_mismatch"},
      {"bigint", "true", nullptr, "type_mismatch"},
      {"bigint", "[1]", nullptr, "type_mismatch"},
      {"double precision", "2", "2.0", nullptr},
      {"double precision", "\"14.99\"", "14.99", nullptr},
      {"double precision", "\"x\"", nullptr, "type_mismatch"},
      {"double precision", "9007199254740993", nullptr, "precision_loss"},
      {"double precision", "1e999", nullptr, "out_of_range"},
      {"double precision", "-0.125", "-0.125", nullptr},
      {"double precision", "1.7976931348623157e308", "1.7976931348623157e+308", nullptr},
      {"real", "14.99", "14.99", nullptr},
      {"real", "0.123456789", nullptr, "precision_loss"},
      {"real", "1e300", nullptr, "out_of_range"},
      {"numeric(5,2)", "123.45", "123.45", nullptr},
      {"numeric(5,2)", "123.4500", "123.45", nullptr},
      {"numeric(5,2)", "-7", "-7.00", nullptr},
      {"numeric(5,2)", "1.234e2", "123.40", nullptr},
      {"numeric(5,2)", "0.001", nullptr, "precision_loss"},
      {"numeric(5,2)", "1234", nullptr, "out_of_range"},
      {"numeric(5,2)", "0", "0.00", nullptr},
      {"numeric(5,2)", "0.000", "0.00", nullptr},
      {"numeric(5,2)", "\"1.5\"", "1.50", nullptr},
      {"numeric(5,2)", "\"1,5\"", nullptr, "type_mismatch"},
      {"numeric(38,0)", "99999999999999999999999999999999999999",
       "99999999999999999999999999999999999999", nullptr},
      {"numeric(38,0)", "-12345678901234567890123", "-12345678901234567890123", nullptr},
      {"boolean", "true", "true", nullptr},
      {"boolean", "0", "false", nullptr},
      {"boolean", "\"true\"", "true", nullptr},
      {"boolean", "2", nullptr, "type_mismatch"},
      {"boolean", "\"yes\"", nullptr, "type_mismatch"},
      {"varchar(5)", "\"12345\"", "12345", nullptr},
      {"varchar(5)", "\"123456\"", nullptr, "too_long"},
      {"varchar(5)", "\"\u00e9\u00e9\u00e9\"", nullptr, "too_long"},
      {"varchar(5)", "\"\"", "", nullptr},
      {"varchar(5)", "12.50", "12.50", nullptr},
      {"varchar(5)", "false", "false", nullptr},
      {"varchar(5)", "[ 1 ]", "[1]", nullptr},
      {"varchar(5)", "123456", nullptr, "too_long"},
      {"varchar(5)", R"("a\u0000b")", nullptr, "not_storable_text"},
      {"varchar(50)", R"("a\ud83d")", nullptr, "not_storable_text"},
      {"varchar(50)", R"("a\ud83d\ude80\n\"")", "a\xf0\x9f\x9a\x80\n\"", nullptr},
      {"date", "\"2024-02-29\"", "2024-02-29", nullptr},
      {"date", "\"2024-02-29T10:00:00Z\"", nullptr, "precision_loss"},
      {"date", "\"2023-02-29\"", nullptr, "type_mismatch"},
      {"timestamp", "\"1969-12-31T23:59:59.5Z\"", "1969-12-31 23:59:59.5", nullptr},
      {"timestamp", "1700000000", nullptr, "type_mismatch"},
      {"timestamp", "\"2024-01-01T00:00:00.1234560Z\"", "2024-01-01 00:00:00.123456", nullptr},
      {"timestamp", "\"2024-01-01T00:00:00.123456789Z\"", nullptr, "precision_loss"},
      {"timestamp", "\"2024-01-01T00:00:00.000000001+02:00\"", nullptr, "precision_loss"},
      {"timestamptz", "\"2024-01-01\"", "2024-01-01 00:00:00+00", nullptr},
      {"super", "\"x\"", "\"x\"", nullptr},
      {"super", "14.990", "14.990", nullptr},
      {"super", "true", "true", nullptr},
      {"super", "[ 1, \"a b\" ]", "[1,\"a b\"]", nullptr},
      {"super", "1e400", nullptr, "out_of_range"},
      {"super", "12345678901234567890", nullptr, "out_of_range"},
      {"super", "[1,1e400]", nullptr, "out_of_range"},
      {"super", R"(["a\u0000b"])", nullptr, "not_storable_text"},
      {"super", R"([{"\ud83d":1}])", nullptr, "not_storable_text"},
      {"geometry", "\"x\"", nullptr, "unsupported_column_type"},
  };
  for (const auto& c : cases) {
    const KnownTable known{
        "e", {column_from_sql_type("id", "varchar(512)"), column_from_sql_type("x", c.type)}};
    StagedTables tables(to_lines({track("m", std::string(R"({"keep":1,"x":)") + c.json + "}")}), {},
                        {known});
    const std::string where = std::string(c.type) + " <- " + c.json;
    ASSERT_EQ(tables.answer("select keep from e"), "1") << where;
    if (c.value != nullptr) {
      EXPECT_EQ(tables.answer("select x from e"), c.value) << where;
    } else {
      EXPECT_EQ(
          tables.answer(
              "select count(*) from staged_columns where table_name = 'e' and column_name = 'x'"),
          "0")
          << where;
      EXPECT_EQ(tables.answer("select event_id, table_name, column_name, reason, value, batch_id, "
                              "line, part, encoding "
                              "from leat_rescue"),
                std::string("m|e|x|") + c.reason + "|" + c.json + "|web/2026112014/0-1-1|1|1|json")
          << where;
    }
    EXPECT_EQ(tables.staged.batches[0].rescued_values, c.value == nullptr ? 1U : 0U) << where;
  }
}

TEST(StagedFiles, BooksBalanceOverEveryFate) {
  std::vector<std::string> events = {
      track("good", "{}"),
      track("value", R"({"a":1})"),
      track("misfit", R"({"a":"x"})"),
      R"({"type":"track","event":"E","userId":"u","messageId":"out",)"
      R"("integrations":{"Warehouses":{"all":false}}})",
      R"({"type":"track","userId":"u","messageId":"bad"})",
      R"({"type":"page","userId":"u"})",
      R"({"type":"identify","userId":"u","messageId":"i","traits":{"a":1}})"};
  std::string lines = to_lines(events);
  lines += to_lines({"[1,2]"}, R"("rejected":"bad_request",)");
  lines += "this is no line\n";
  lines +=
      "{\"received_at\":\"2026-11-20T14:03:05Z\",\"source\":\"web\",\"event\":{\"a\":\"\xff\"}}\n";
  lines += to_lines({track("last", "{}")});
  lines.pop_back();  // the last line feed is not needed
  StagedTables tables(lines);
  const BatchCounts& counts = tables.staged.batches[0];
  EXPECT_EQ(counts.events, 11U);
  EXPECT_EQ(counts.with_rows, 5U);
  EXPECT_EQ(counts.excluded, 1U);
  EXPECT_EQ(counts.rescued_events, 5U);
  EXPECT_EQ(counts.rescued_values, 1U);
  EXPECT_EQ(counts.rows.at("tracks"), 4U);
  EXPECT_EQ(counts.rows.at("e"), 4U);
  EXPECT_EQ(counts.rows.at("identifies"), 1U);
  EXPECT_EQ(counts.rows.at("leat_rescue"), 6U);
  EXPECT_EQ(
      tables.answer("select reason, event_id, line, encoding, table_name from leat_rescue where "
                    "column_name is null order by line"),
      "event_not_defined|bad|5|json|tracks;id_missing|NULL|6|json|pages;bad_request|NULL|8|json|"
      "NULL;"
      "unreadable_line|NULL|9|json|NULL;unreadable_line|NULL|10|base64|NULL");
  EXPECT_EQ(tables.answer("select value from leat_rescue where line = 9"), "this is no line");
}

// Bytes are checked many lines at a time: one bad line must not take its neighbours along.
TEST(StagedFiles, BytesThatAreNoTextCostTheirOwnLineOnly) {
  const std::string good = R"({"a":")" + std::string(1000, 'x') + "\"}";
  std::string lines;
  for (int i = 1; i <= 400; ++i) {
    const bool is_bad = i == 1 || i == 64 || i == 65 || i == 66 || i == 200 || i == 400;
    const std::string id = "m" + std::to_string(i);
    lines += to_lines({track(id, is_bad ? "{\"a\":\"\xff\"}" : good)});
  }
  StagedTables tables(lines);
  EXPECT_EQ(tables.staged.batches[0].with_rows, 394U);
  EXPECT_EQ(tables.answer("select string_agg(line, ',' order by line) from leat_rescue where "
                          "reason = 'unreadable_line'"),
            "1,64,65,66,200,400");
}

TEST(StagedFiles, RescueRowsHaveStableIds) {
  const std::string lines =
      to_lines({track("m1", R"({"a":1,"b":1})"), track("m2", R"({"a":"x","b":"y"})"), "7"});
  StagedTables first(lines);
  StagedTables again(lines);
  const char* sql = "select id from leat_rescue order by leat_order, column_name";
  EXPECT_EQ(first.answer(sql), again.answer(sql));
  EXPECT_EQ(first.answer(
                "select count(distinct id) = count(*) and min(length(id)) = 32 from leat_rescue"),
            "true");
}

TEST(StagedFiles, LongValuesAreRescuedInParts) {
  std::string value;
  for (int i = 0; i < 60'000; ++i) value += "\xc3\xa9";
  StagedTables tables(to_lines({track("m", R"({"note":")" + value + "\"}")}));
  EXPECT_EQ(
      tables.answer(
          "select count(*), max(part), count(distinct id), max(strlen(value)) from leat_rescue"),
      "2|2|2|65535");
  EXPECT_EQ(tables.answer("select string_agg(value, '' order by part) from leat_rescue"),
            "\"" + value + "\"");
}

TEST(StagedFiles, LimitsOfColumnsAndTables) {
  Options options;
  options.columns_max = 13;  // 11 standard columns in an event table, one more, and _extra
  options.tables_max = 2;
  StagedTables tables(
      to_lines({track("m", R"({"a":1,"b":[ 2 ],"c":"x","C":1e400,"d":null})"), track("k", "{}"),
                R"({"type":"track","event":"Far Out","userId":"u","messageId":"n",)"
                R"("properties":{"order":"A","id":7}})"}),
      options);
  EXPECT_EQ(tables.answer("select id, a, _extra from e order by id"),
            R"(k|NULL|NULL;m|1|{"b":[2]})");
  EXPECT_EQ(tables.answer("select event, event_text, _extra from tracks where id = 'n'"),
            R"(far_out|Far Out|{"_order":"A","_id":7})");
  EXPECT_EQ(
      tables.answer("select event_id, column_name, reason, value, table_name from leat_rescue "
                    "order by leat_order, reason"),
      "m|c|out_of_range|1e400|e;m|c|overwritten|\"x\"|e");
  EXPECT_EQ(tables.answer("select sql_type from staged_columns where column_name = '_extra'"),
            "super;super");
  EXPECT_EQ(tables.staged.batches[0].rescued_events, 0U);
  EXPECT_EQ(tables.staged.batches[0].with_rows, 3U);
}

TEST(StagedFiles, MergesBatchMembers) {
  StagedTables tables(
      to_lines({R"({"type":"page","userId":"u","messageId":"m","context":{"a":{"b":1}}})"},
               R"("context":{"a":{"b":9,"c":2},"locale":"de"},)"));
  EXPECT_EQ(tables.answer("select context_a_b, context_a_c, context_locale from pages"), "1|2|de");
  StagedTables excluded(to_lines({R"({"type":"page","userId":"u","messageId":"m"})"},
                                 R"("integrations":{"Warehouses":{"all":false}},)"));
  EXPECT_EQ(excluded.staged.batches[0].excluded, 1U);
}

TEST(StagedFiles, EntitiesKeepTheNewestValueOfEachColumn) {
  const auto identify = [](const char* id, const char* traits) {
    return std::string(R"({"type":"identify","userId":"u","messageId":")") + id + R"(","traits":)" +
           traits + "}";
  };
  std::vector<Batch> batches = {
      {"b2", to_lines({identify("2", R"({"a":"new","b":1})")}, "", "2026-11-20T14:00:00.000Z")},
      {"b1", to_lines({identify("1", R"({"a":"old","c":true})")}, "", "2026-11-20T13:00:00.000Z")}};
  StagedTables tables(batches, {}, {});
  EXPECT_EQ(tables.answer("select id, received_at, a, b, c from users"),
            "u|2026-11-20 14:00:00|new|1|true");
  EXPECT_EQ(tables.answer("select count(*) from identifies"), "2");
  EXPECT_EQ(tables.answer("select leat_batch, leat_order from identifies order by 1"), "0|0;1|1");
}

std::vector<Batch> sample_batches(int count, int events) {
  event::SampleEvents sample(3, 500);
  event::LineWriter writer;
  std::vector<Batch> batches;
  for (int b = 0; b < count; ++b) {
    Batch batch{"b" + std::to_string(b), ""};
    for (int i = 0; i < events; ++i) {
      const TimeUs now{1'793'196'185'000'000 + (b * events + i) * 1'000'000LL};
      writer.begin_request({.received_at = now, .source = "web"});
      std::string event;
      sample.append(event, now);
      writer.append(batch.lines, {.event_json = event});
    }
    batches.push_back(std::move(batch));
  }
  return batches;
}

TEST(StagedFiles, TablesThatShareAFileHaveTheSameRows) {
  const std::vector<Batch> batches = sample_batches(2, 300);
  // Tables that were there: fewer columns, another order, types of somebody else.
  const std::vector<KnownTable> known = {
      {"cart_viewed",
       {{.name = "uuid", .type = columns::Type::kInt64},
        {.name = "received_at", .type = columns::Type::kTimestamp},
        {.name = "products", .type = columns::Type::kSuper},
        {.name = "user_id", .type = columns::Type::kVarchar, .length = 64},
        {.name = "id", .type = columns::Type::kVarchar, .length = 512}}},
      {"signed_up",
       {{.name = "id", .type = columns::Type::kVarchar, .length = 512},
        {.name = "received_at", .type = columns::Type::kTimestampTz}}}};
  constexpr std::uint64_t kRowsMax = 30;
  StagedTables apart(batches, {}, known);
  Options sharing;
  sharing.shared_rows_max = kRowsMax;
  StagedTables together(batches, sharing, known);
  ASSERT_EQ(apart.staged.tables.size(), together.staged.tables.size());
  EXPECT_EQ(apart.staged.batches, together.staged.batches);
  std::uint64_t shared_rows = 0;
  for (const StagedTable& table : together.staged.tables) {
    const std::string all =
        "select count(*), sum(hash(t)) from (select * from \"" + table.name + "\") t";
    EXPECT_EQ(apart.answer(all), together.answer(all)) << table.name;
    const bool shares = !table.shared_places.empty();
    if (shares) shared_rows += table.rows;
    EXPECT_EQ(table.parquet.empty(), shares) << table.name;
    EXPECT_FALSE(shares && (table.is_home || table.rows > kRowsMax || table.name == "signed_up"))
        << table.name;
  }
  EXPECT_GT(shared_rows, 0U);
  EXPECT_EQ(shared_rows, together.staged.shared.rows);
}

TEST(StagedFiles, TellsWhetherAnIdRepeats) {
  const auto event = [](std::string_view id) {
    return R"({"type":"page","userId":"u","messageId":")" + std::string(id) + R"("})";
  };
  const auto is_distinct = [](const std::vector<std::string>& events) {
    return StagedTables(to_lines(events)).staged.tables.at(0).is_distinct;
  };
  EXPECT_TRUE(is_distinct({event("a")}));
  EXPECT_FALSE(is_distinct({event("a"), event("b"), event("a")}));
  std::vector<std::string> many;
  for (int i = 0; i < 5'000; ++i) many.push_back(event(std::to_string(i)));
  EXPECT_TRUE(is_distinct(many));
  many.push_back(event("4999"));
  EXPECT_FALSE(is_distinct(many));
}

TEST(StagedFiles, ASharedFileHasNoMoreColumnsThanATable) {
  // Six tables of 300 columns, each of another type: together they would have 1,800.
  const char* const values[] = {"1",     "1.5", "true", R"("text")", R"("2026-11-20T10:00:00Z")",
                                R"([1])"};
  std::vector<std::string> events;
  for (std::size_t table = 0; table < std::size(values); ++table) {
    std::string properties;
    for (int i = 0; i < 300; ++i) {
      properties += (i == 0 ? "\"c" : ",\"c") + std::to_string(i) + "\":" + values[table];
    }
    events.push_back(R"({"type":"track","userId":"u","messageId":"m)" + std::to_string(table) +
                     R"(","event":"E )" + std::to_string(table) + R"(","properties":{)" +
                     properties + "}}");
  }
  Options options;
  options.shared_rows_max = 10;
  options.arrays = Nested::kSuper;
  const auto staged = shape_batches(
      options, {}, 1, [&](std::size_t) -> Result<Batch> { return Batch{"b", to_lines(events)}; });
  ASSERT_TRUE(staged.has_value()) << staged.error().message;
  EXPECT_LE(staged->shared.columns.size(), 1'500U);
  EXPECT_EQ(staged->shared.rows, 4U);
  std::size_t alone = 0;
  for (const StagedTable& table : staged->tables) alone += table.parquet.empty() ? 0 : 1;
  EXPECT_EQ(alone, 3U) << "tracks, and two tables for which there is no room";
}

TEST(StagedFiles, ManySampleEventsComeBackWhole) {
  constexpr int kBatches = 7;
  constexpr int kEvents = 900;
  StagedTables tables(sample_batches(kBatches, kEvents), {}, {});
  std::uint64_t rows = 0;
  for (const BatchCounts& counts : tables.staged.batches) {
    EXPECT_EQ(counts.events, static_cast<std::uint64_t>(kEvents));
    EXPECT_EQ(counts.events, counts.with_rows + counts.rescued_events + counts.excluded);
    for (const auto& [name, count] : counts.rows) {
      if (name != "leat_rescue") rows += count;
    }
  }
  EXPECT_GT(rows, static_cast<std::uint64_t>(kBatches * kEvents));
  EXPECT_EQ(
      tables.answer("select count(*) from tracks"),
      tables.answer(
          "select sum(n) from (select count(*) n from order_completed union all select count(*) "
          "from "
          "product_viewed union all select count(*) from product_list_viewed union all select "
          "count(*) "
          "from product_added union all select count(*) from products_searched union all select "
          "count(*) "
          "from cart_viewed union all select count(*) from checkout_started union all select "
          "count(*) "
          "from coupon_applied union all select count(*) from promotion_clicked union all select "
          "count(*) from product_added_to_wishlist union all select count(*) from "
          "email_link_clicked "
          "union all select count(*) from signed_up)"));
  EXPECT_EQ(
      tables.answer(
          "select count(*) > 100 and bool_and(revenue > 0) and count(distinct country) > 3 from "
          "order_completed"),
      "true");
}

}  // namespace
}  // namespace leat::shape
