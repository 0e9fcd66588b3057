// Every worked example of the Segment rules (tables, columns and values, types over time, time and
// identity, wire), one row each. Where Leat decides differently from a mark that is not documented
// behaviour, or keeps what Segment loses, the note says so; docs/reference/tables-and-columns.md
// explains it.
#include <gtest/gtest.h>

#include <set>

#include "staged.h"

namespace leat::shape {
namespace {

struct Example {
  int number;
  std::vector<std::string>
      events;       ///< a track event's or another call's members; ids are added when missing
  const char* sql;  ///< over the tables of the batch
  const char* answer;
  const char* elsewhere = nullptr;  ///< the module whose tests hold the example instead
};

/// The members that every event needs, where `event` does not give them.
std::string complete(const std::string& event, int number) {
  std::string head = "{";
  if (event.find("\"messageId\"") == std::string::npos) {
    head += "\"messageId\":\"m" + std::to_string(number) + "\",";
  }
  if (event.find("\"userId\"") == std::string::npos &&
      event.find("\"anonymousId\"") == std::string::npos) {
    head += "\"anonymousId\":\"a1\",";
  }
  if (event.find("\"type\":\"track\"") == std::string::npos &&
      event.find("\"type\":\"identify\"") == std::string::npos &&
      event.find("\"type\":\"page\"") == std::string::npos &&
      event.find("\"type\":\"screen\"") == std::string::npos &&
      event.find("\"type\":\"group\"") == std::string::npos &&
      event.find("\"type\":\"alias\"") == std::string::npos) {
    head += "\"type\":\"track\",\"event\":\"E\",";
  }
  return head + event.substr(1);
}

const char* const kTables =
    "select string_agg(distinct table_name, ',' order by table_name) from staged_columns";

std::vector<Example> table_examples() {
  return {
      {1,
       {R"({"type":"track","event":"Order Completed"})"},
       "select t.event, o.event, o.event_text from tracks t join order_completed o using (id)",
       "order_completed|order_completed|Order Completed"},
      {2, {R"({"type":"track","event":"Signed Up!"})"}, kTables, "signed_up,tracks"},
      {3,
       {R"({"type":"track","event":"orderCompleted"})",
        R"({"type":"track","event":"ORDER_COMPLETED"})"},
       "select event_text from order_completed order by leat_order",
       "orderCompleted;ORDER_COMPLETED"},
      {4,
       {R"({"type":"track","event":"101 account update"})"},
       kTables,
       "_101_account_update,tracks"},
      {5, {R"({"type":"track","event":"2FA Enabled"})"}, kTables, "_2fa_enabled,tracks"},
      {6, {R"({"type":"track","event":"Open"})"}, kTables, "_open,tracks"},
      {7, {R"({"type":"track","event":"Group"})"}, kTables, "_group,tracks"},
      {8, {R"({"type":"track","event":"select"})"}, kTables, "_select,tracks"},
      {9, {R"({"type":"track","event":"Users"})"}, kTables, "_users,tracks"},
      {10, {R"({"type":"track","event":"Tracks"})"}, kTables, "_tracks,tracks"},
      {11, {R"({"type":"track","event":"Café Visité"})"}, kTables, "caf_visit,tracks"},
      {12,
       {R"({"type":"track","event":"日本語"})"},
       "select event, event_text from tracks",
       "_u_77710aed|日本語"},
      {13,
       {R"({"type":"track","event":"product.list.viewed"})"},
       kTables,
       "product_list_viewed,tracks"},
      {14, {R"({"type":"track","event":"HTTPServerError"})"}, kTables, "httpserver_error,tracks"},
      {15, {R"({"type":"track","event":"🚀 Launch"})"}, kTables, "launch,tracks"},
      {16, {R"({"type":"track","event":"Signed Up"})"}, kTables, "signed_up,tracks"},
      {17, {R"x({"type":"track","event":"Page View (v2)"})x"}, kTables, "page_view_v2,tracks"},
      {18,
       {R"({"type":"page","name":"Home"})"},
       "select table_name, name from pages, (select distinct table_name from staged_columns)",
       "pages|Home"},
      {19, {R"({"type":"screen","name":"Cart"})"}, kTables, "screens"},
      {20,
       {R"({"type":"identify","userId":"u1"})"},
       "select i.user_id, u.id from identifies i, users u",
       "u1|u1"},
      {21, {R"({"type":"identify","anonymousId":"a"})"}, kTables, "identifies"},
      {22,
       {R"({"type":"group","groupId":"g1"})"},
       "select g.group_id, a.id from groups g, accounts a",
       "g1|g1"},
      {23,
       {R"({"type":"alias","previousId":"a","userId":"b"})"},
       "select previous_id, user_id from aliases",
       "a|b"},
      {24,
       {R"({"type":"track"})"},
       "select reason, table_name, column_name from leat_rescue",
       "event_not_defined|tracks|NULL"},
  };
}

std::vector<Example> value_examples() {
  const auto properties = [](const std::string& json) {
    return std::vector<std::string>{R"({"properties":)" + json + "}"};
  };
  const auto context = [](const std::string& json) {
    return std::vector<std::string>{R"({"context":)" + json + "}"};
  };
  return {
      {25, properties(R"({"plan":"Pro Annual","accountType":"Facebook"})"),
       "select plan, account_type, (select sql_type from staged_columns where column_name = "
       "'plan') from e",
       "Pro Annual|Facebook|varchar(512)"},
      {26, properties(R"({"product_id":{"sku":"G-32"}})"), "select product_id_sku from e", "G-32"},
      {27,
       {R"({"type":"identify","userId":"u","traits":{"address":{"street":"6th Street"}}})"},
       "select i.address_street, u.address_street from identifies i, users u",
       "6th Street|6th Street"},
      {28, context(R"({"app":{"version":"1.0.0"}})"), "select context_app_version from e", "1.0.0"},
      {29, context(R"({"device":{"adTrackingEnabled":true}})"),
       "select typeof(context_device_ad_tracking_enabled), context_device_ad_tracking_enabled from "
       "tracks",
       "BOOLEAN|true"},
      {30, context(R"({"page":{"url":"https://x/"}})"), "select context_page_url from tracks",
       "https://x/"},
      {31, context(R"({"screen":{"width":320,"density":2.5}})"),
       "select typeof(context_screen_width), context_screen_width, typeof(context_screen_density), "
       "context_screen_density from e",
       "BIGINT|320|DOUBLE|2.5"},
      {32, context(R"({"campaign":{"medq_ium":"email"}})"),
       "select context_campaign_medq_ium from e", "email"},
      {33, context(R"({"traits":{"firstName":"Ann"}})"),
       "select context_traits_first_name from tracks", "Ann"},
      {34, properties(R"({"revenue":14.99})"), "select typeof(revenue), revenue from e",
       "DOUBLE|14.99"},
      {35, properties(R"({"quantity":3})"), "select typeof(quantity), quantity from e", "BIGINT|3"},
      {36, properties(R"({"isGift":false})"), "select typeof(is_gift), is_gift from e",
       "BOOLEAN|false"},
      {37, properties(R"({"dob":"1990-05-01"})"), "select typeof(dob), dob from e",
       "TIMESTAMP|1990-05-01 00:00:00"},
      {38, properties(R"({"shippedAt":"2024-02-29T10:00:00+02:00"})"),
       "select typeof(shipped_at), shipped_at from e", "TIMESTAMP|2024-02-29 08:00:00"},
      {39, properties(R"({"zip":"02139"})"), "select typeof(zip), zip from e", "VARCHAR|02139"},
      {40, properties(R"({"tags":["a", "b"]})"), "select tags from e", R"(["a","b"])"},
      {41, properties(R"({"products":[{"sku":"x","price":2}]})"), "select products from e",
       R"([{"sku":"x","price":2}])"},
      {42, properties(R"({"a":{"b":{"c":{"d":1}}}})"), "select a_b_c_d from e", "1"},
      {43, properties(R"({"meta":{}})"),
       "select count(*) from staged_columns where column_name like '%meta%'", "0"},
      {44, properties(R"({"coupon":null})"),
       "select count(*) from staged_columns where column_name = 'coupon'", "0"},
      {45,
       {R"({"properties":{"coupon":null}})", R"({"properties":{"coupon":"X"}})"},
       "select coupon, (select is_new and sql_type = 'varchar(512)' from staged_columns where "
       "column_name = 'coupon') "
       "from e order by leat_order",
       "NULL|true;X|true"},
      {46, properties(R"({"id":7})"), "select id, _id from e", "m46|7"},
      {47,
       {R"({"type":"identify","userId":"u","traits":{"uuid":"z"}})"},
       "select i._uuid, u._uuid from identifies i, users u",
       "z|z"},
      {48, properties(R"({"user_id":"z"})"), "select _user_id from e", "z"},  // kept, not discarded
      {49, properties(R"({"timestamp":"2020-01-01"})"), "select _timestamp from e",
       "2020-01-01 00:00:00"},
      {50, properties(R"({"event":"birthday","type":"cake"})"), "select event, _event, type from e",
       "e|birthday|cake"},
      {51, properties(R"({"order":"A"})"), "select _order from e", "A"},
      {52, properties(R"({"tag":"n","user":"y","default":"z"})"),
       "select _tag, _user, _default from e", "n|y|z"},
      {53, properties(R"({"date":"2024-01-01"})"), "select typeof(date), date from e",
       "TIMESTAMP|2024-01-01 00:00:00"},
      {54, properties(R"({"2faCode":"1"})"), "select _2fa_code from e", "1"},
      {55, properties(R"x({"load time (ms)":12})x"), "select load_time_ms from e", "12"},
      {56, properties(R"({"_id":"q"})"), "select _id from e", "q"},
      {57, properties(R"({"orderId":1,"order_id":2})"),  // the last wins, the other is rescued
       "select order_id, r.value, r.reason from e, leat_rescue r", "2|1|overwritten"},
      {58, properties(R"({"properties":{"price":5}})"), "select properties_price from e", "5"},
      {59,
       properties(R"({"note":")" + std::string(600, 'x') +
                  "\"}"),  // never cut: NULL, and whole in the rescue table
       "select e.note, r.reason, length(r.value), r.table_name, r.column_name from e, leat_rescue "
       "r",
       "NULL|too_long|602|e|note"},
      {60, properties(R"({"big":9223372036854775808})"),
       "select r.column_name, r.reason, r.value, (select count(*) from staged_columns where "
       "column_name = 'big') "
       "from leat_rescue r",
       "big|out_of_range|9223372036854775808|1"},
      {61,
       {R"({"type":"page","name":"Home","properties":{"name":"Ann"}})"},
       "select p.name, r.value, r.reason from pages p, leat_rescue r",
       "Home|\"Ann\"|overwritten"},
      {62, context(R"({"protocols":{"omitted":["foo"]}})"),
       "select context_protocols_omitted from e", "[\"foo\"]"},
      {63, context(R"({"consent":{"categoryPreferences":{"Ads":true}}})"),
       "select context_consent_category_preferences_ads from e", "true"},
  };
}

std::vector<Example> type_examples() {
  const auto two = [](const std::string& first, const std::string& second) {
    return std::vector<std::string>{R"({"messageId":"one","properties":)" + first + "}",
                                    R"({"messageId":"two","properties":)" + second + "}"};
  };
  return {
      // Segment truncates; Leat looks at all values before it makes the column.
      {64, two(R"({"qty":1})", R"({"qty":1.5})"),
       "select typeof(qty), qty, (select count(*) from staged_columns where table_name = "
       "'leat_rescue') from e order by leat_order",
       "DOUBLE|1.0|0;DOUBLE|1.5|0"},
      {65, two(R"({"qty":1})", R"({"qty":"many"})"),
       "select e.qty, r.value, r.reason from e, leat_rescue r order by e.leat_order",
       "1|\"many\"|type_mismatch;NULL|\"many\"|type_mismatch"},
      {66, two(R"({"qty":1})", R"({"qty":"12"})"), "select qty from e order by leat_order", "1;12"},
      {67, two(R"({"price":1.5})", R"({"price":2})"), "select price from e order by leat_order",
       "1.5;2.0"},
      {68, two(R"({"code":"A1"})", R"({"code":17})"), "select code from e order by leat_order",
       "A1;17"},
      {69, two(R"({"at":"2024-01-01"})", R"({"at":"soon"})"),
       "select typeof(e.at), e.at from e order by e.leat_order", "VARCHAR|2024-01-01;VARCHAR|soon"},
      {70, two(R"({"flag":true})", R"({"flag":"yes"})"),
       "select e.flag, r.value from e, leat_rescue r order by e.leat_order",
       "true|\"yes\";NULL|\"yes\""},
      {71, {}, "", "", "TypesOverTime.TextModeKeepsTheTextOfEveryValue, below"},
  };
}

std::vector<Example> time_examples() {
  return {
      {72, {}, "", "", "TimesAndWire.CorrectsTheClock, below"},
      {73, {}, "", "", "TimesAndWire.CorrectsTheClock, below"},
      {74, {}, "", "", "TimesAndWire.CorrectsTheClock, below"},
      {75, {}, "", "", "TimesAndWire.CorrectsTheClock, below"},
      {76, {}, "", "", "TimesAndWire.CorrectsTheClock, below"},
      {77, {}, "", "", "TimesAndWire.CorrectsTheClock, below"},
      {78, {}, "", "", "load: deduplication of the stage table and against the target"},
      {79, {}, "", "", "load: the newest row of an id wins"},
      {80, {}, "", "", "load: deduplication"},
      {81,
       {R"({"type":"identify","userId":"u1","traits":{"email":"a","plan":"x"}})",
        R"({"type":"identify","userId":"u1","traits":{"plan":"y"}})"},
       "select id, email, plan, (select count(*) from identifies) from users",
       "u1|a|y|2"},
      {82,
       {R"({"type":"identify","userId":"u1","traits":{"plan":"x"}})",
        R"({"type":"identify","userId":"u1","traits":{"plan":null}})"},
       "select plan from users",
       "x"},
      {83, {}, "", "", "load: Leat never expires a user, so the row keeps its older traits"},
      {84, {}, "", "", "collect: 200, good items stored, bad ones with their code"},
      {85,
       {},
       "",
       "",
       "collect: assigns message ids; TimesAndWire.UsesTheCollectorsMessageId, below"},
  };
}

std::vector<Example> wire_examples() {
  const auto elsewhere = [](int number, const char* where) {
    return Example{number, {}, "", "", where};
  };
  return {
      elsewhere(86, "collect: Basic authentication"),
      elsewhere(87, "collect: gzip and text/plain"),
      elsewhere(88, "collect: routes with a trailing slash"),
      elsewhere(89, "collect: pixel"),
      elsewhere(90, "collect: pixel"),
      elsewhere(91, "collect: limits"),
      elsewhere(92, "collect: limits"),
      elsewhere(93, "collect: invalid JSON"),
      {94, {R"({"integrations":{"All":false}})"}, "select count(*) from tracks", "1"},
      {95,
       {R"({"integrations":{"Warehouses":{"all":false}}})"},
       "select count(*) from staged_columns",
       "0"},
      {96, {R"({"userId":42})"}, "select reason from leat_rescue", "id_not_string"},
      {97, {R"({"userId":""})"}, "select reason from leat_rescue", "id_not_string"},
      elsewhere(98, "collect: writes ip; TimesAndWire.FillsContextIp, below"),
  };
}

TEST(WorkedExamples, AllGiveTheirRowsAndValues) {
  std::set<int> seen;
  for (const auto& group :
       {table_examples(), value_examples(), type_examples(), time_examples(), wire_examples()}) {
    for (const Example& example : group) {
      EXPECT_TRUE(seen.insert(example.number).second) << example.number;
      if (example.elsewhere != nullptr) continue;
      std::vector<std::string> events;
      for (const std::string& event : example.events) {
        events.push_back(complete(event, example.number));
      }
      StagedTables tables(to_lines(events));
      EXPECT_EQ(tables.answer(example.sql), example.answer) << "example " << example.number;
    }
  }
  EXPECT_EQ(seen.size(), 98U);
  EXPECT_EQ(*seen.rbegin(), 98);
}

TEST(WorkedExamples, SchemasAreNamedAfterTheirSource) {
  EXPECT_EQ(schema_name_of("3doctors"), "_3doctors");  // 16
  EXPECT_EQ(schema_name_of("My-Shop"), "my_shop");     // 17
}

TEST(TypesOverTime, TextModeKeepsTheTextOfEveryValue) {
  Options options;
  options.types = TypeMode::kVarchar;
  StagedTables tables(
      to_lines(
          {complete(R"({"properties":{"qty":1,"at":"2024-01-01","flag":true,"x":1.50,)"
                    R"("huge":123456789012345678901}})",
                    1),
           complete(
               R"({"properties":{"qty":"many","at":"soon","flag":"yes","x":["a"],"huge":"h"}})",
               2)}),
      options);
  EXPECT_EQ(tables.answer("select qty, \"at\", flag, x, huge from e order by leat_order"),
            "1|2024-01-01|true|1.50|123456789012345678901;many|soon|yes|[\"a\"]|h");
  EXPECT_EQ(tables.answer("select count(*) from staged_columns where table_name = 'leat_rescue'"),
            "0");
}

TEST(TimesAndWire, CorrectsTheClock) {
  const struct {
    int number;
    const char* times;
    const char* received;
    const char* corrected;
  } cases[] = {{72, R"("timestamp":"2024-01-01T19:11:01.152Z","sentAt":"2024-01-01T19:11:01.169Z")",
                "2024-01-01T19:11:01.266Z", "2024-01-01 19:11:01.249"},
               {73, R"("timestamp":"2024-01-01T09:00:00Z","sentAt":"2024-01-01T09:00:05Z")",
                "2024-01-01T10:00:05.000Z", "2024-01-01 10:00:00"},
               {74, R"("context":{})", "2024-01-01T12:00:00.000Z", "2024-01-01 12:00:00"},
               {75, R"("timestamp":"2012-12-02T00:30:08.276Z","sentAt":"2024-01-01T12:00:00.000Z")",
                "2024-01-01T12:00:00.000Z", "2012-12-02 00:30:08.276"},
               {76, R"("timestamp":"2036-01-01T00:00:00Z","sentAt":"2036-01-01T00:00:02Z")",
                "2024-01-01T00:00:02.000Z", "2024-01-01 00:00:00"},
               {77, R"("timestamp":"2025-01-01T00:00:00Z","sentAt":"2024-01-01T00:00:00Z")",
                "2024-01-01T00:00:00.000Z", "2025-01-01 00:00:00"}};
  for (const auto& c : cases) {
    StagedTables tables(to_lines({complete("{" + std::string(c.times) + "}", 1)}, "", c.received));
    EXPECT_EQ(tables.answer("select timestamp from e"), c.corrected) << c.number;
  }
}

TEST(TimesAndWire, TakesTimesAsSent) {
  StagedTables tables(to_lines({complete(
      R"({"timestamp":"2024-01-01T10:00:00+02:00","sentAt":"2024-01-01 08:00:01.123456789"})",
      1)}));
  EXPECT_EQ(tables.answer("select original_timestamp, sent_at, received_at from e"),
            "2024-01-01 08:00:00|2024-01-01 08:00:01.123456|2026-11-20 14:03:05.123");
  StagedTables batch(to_lines({complete(R"({"timestamp":"2024-01-01T10:00:00Z"})", 1)},
                              R"("sent_at":"2024-01-01T10:00:01Z",)"));
  EXPECT_EQ(batch.answer("select sent_at, timestamp from e"),
            "2024-01-01 10:00:01|2026-11-20 14:03:04.123");
  StagedTables bad(to_lines({complete(R"({"timestamp":1700000000,"sentAt":"now"})", 1)}));
  EXPECT_EQ(bad.answer("select original_timestamp, sent_at, timestamp from e"),
            "NULL|NULL|2026-11-20 14:03:05.123");
  EXPECT_EQ(bad.answer("select table_name, column_name, value from leat_rescue order by 1, 2"),
            "e|original_timestamp|1700000000;e|sent_at|\"now\";"
            "tracks|original_timestamp|1700000000;tracks|sent_at|\"now\"");
}

TEST(TimesAndWire, UsesTheCollectorsMessageId) {
  StagedTables tables(to_lines({R"({"type":"page","userId":"u"})"}, R"("message_id":"c-1",)"));
  EXPECT_EQ(tables.answer("select id from pages"), "c-1");
  StagedTables kept(
      to_lines({R"({"type":"page","userId":"u","messageId":42})"}, R"("message_id":"c-1",)"));
  EXPECT_EQ(kept.answer("select p.id, r.column_name, r.value from pages p, leat_rescue r"),
            "c-1|id|42");
}

TEST(TimesAndWire, FillsContextIp) {
  StagedTables tables(
      to_lines({complete(R"({"context":{"direct":true}})", 1)}, R"("ip":"203.0.113.9",)"));
  EXPECT_EQ(tables.answer("select context_ip, context_direct from e"), "203.0.113.9|true");
  StagedTables own(
      to_lines({complete(R"({"context":{"ip":"198.51.100.1"}})", 1)}, R"("ip":"203.0.113.9",)"));
  EXPECT_EQ(own.answer("select context_ip from e"), "198.51.100.1");
}

}  // namespace
}  // namespace leat::shape
