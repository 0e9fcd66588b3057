// The shaper against its reference, on made-up events, random JSON and damaged lines. What the
// files hold is judged by DuckDB in tests/shape.
#include "pipeline/shape/shaper.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "base/text.h"
#include "pipeline/event/line.h"
#include "pipeline/event/sample_events.h"
#include "pipeline/shape/comparison.h"

namespace leat::shape {
namespace {

constexpr TimeUs kNow{1'793'196'185'123'456};

/// Random JSON that likes the edges of the rules.
class RandomEvents {
 public:
  explicit RandomEvents(std::uint64_t seed) : random_(seed) {}

  std::string event() {
    static constexpr std::array<std::string_view, 7> kTypes = {
        "track", "identify", "page", "screen", "group", "alias", "dance"};
    std::string out = space() + "{";
    bool first = true;
    const auto member = [&](std::string_view name, const std::string& value) {
      out += first ? "" : "," + space();
      first = false;
      out += json_string(name) + space() + ":" + space() + value + space();
    };
    if (chance(97)) member("type", json_string(kTypes[random_.below(chance(95) ? 6 : 7)]));
    if (chance(80)) member("userId", chance(85) ? text() : value(3));
    if (chance(80)) member("anonymousId", chance(90) ? text() : "null");
    if (chance(85)) member("messageId", chance(85) ? text() : value(3));
    if (chance(70)) member("event", chance(90) ? text() : value(3));
    if (chance(60)) member("properties", chance(92) ? object(0) : value(2));
    if (chance(50)) member("traits", chance(92) ? object(0) : value(2));
    if (chance(60)) member("context", chance(92) ? object(0) : value(2));
    if (chance(40)) member("timestamp", chance(80) ? time() : value(3));
    if (chance(20)) member("originalTimestamp", time());
    if (chance(50)) member("sentAt", chance(80) ? time() : value(3));
    if (chance(40)) member("name", text());
    if (chance(20)) member("category", text());
    if (chance(60)) member("groupId", text());
    if (chance(60)) member("previousId", text());
    if (chance(20))
      member("integrations",
             R"({"Warehouses":{"all":)" + std::string(chance(50) ? "false" : "true") + "}}");
    if (chance(20)) member("other", value(0));
    if (chance(3)) member("userId", text());
    return out + "}" + space();
  }

  std::string line() {
    std::string out = R"({"received_at":"2026-11-20T14:03:05.123456Z","source":"web")";
    if (chance(20)) out += R"(,"type":"track")";
    if (chance(20)) out += R"(,"ip":"203.0.113.9")";
    if (chance(60)) out += R"(,"message_id":"c-)" + std::to_string(random_.below(50)) + "\"";
    if (chance(20)) out += R"(,"sent_at":)" + time();
    if (chance(10)) out += R"(,"context":)" + object(0);
    if (chance(10)) out += R"(,"integrations":{"All":true})";
    if (chance(3)) {
      out += chance(70) ? R"(,"rejected":"bad_request")" : R"(,"rejected":"deleted")";
    }
    out += R"(,"event":)" + (chance(98) ? event() : value(1)) + "}";
    if (chance(4)) out[random_.below(out.size())] = static_cast<char>(random_.below(256));
    if (chance(2)) out.resize(random_.below(out.size()));
    for (char& c : out) {
      if (c == '\n') c = ' ';
    }
    return out + "\n";
  }

  std::uint64_t below(std::uint64_t bound) { return random_.below(bound); }
  bool chance(unsigned percent) { return random_.below(100) < percent; }

 private:
  std::string space() { return chance(90) ? "" : (chance(50) ? " " : "\t "); }

  std::string text() {
    static constexpr std::array<std::string_view, 16> kTexts = {
        R"("a")",
        R"("")",
        R"("caf\u00e9")",
        R"("\ud83d\ude80")",
        R"("\ud83d")",
        R"("a\u0000b")",
        R"("q\"\\\/\n")",
        R"("2024-02-29")",
        R"("2024-02-29T10:00:00.123+02:00")",
        R"("12")",
        R"("1.5")",
        R"("true")",
        R"("u1")",
        R"("u2")",
        R"("Order Completed")",
        R"("Users")"};
    if (chance(4)) return json_string(std::string(random_.below(700), 'x'));
    return std::string(kTexts[random_.below(kTexts.size())]);
  }

  std::string time() {
    static constexpr std::array<std::string_view, 7> kTimes = {R"("2026-11-20T14:03:05.100Z")",
                                                               R"("2026-11-20T14:03:59.999Z")",
                                                               R"("2026-11-20T14:03:6a.100Z")",
                                                               R"("2026-11-20 14:03")",
                                                               R"("0001-01-01")",
                                                               R"("9999-12-31T23:59:59Z")",
                                                               R"("soon")"};
    return std::string(kTimes[random_.below(kTimes.size())]);
  }

  std::string number() {
    static constexpr std::array<std::string_view, 14> kNumbers = {"0",
                                                                  "-0",
                                                                  "1",
                                                                  "-17",
                                                                  "9223372036854775807",
                                                                  "9223372036854775808",
                                                                  "-9223372036854775808",
                                                                  "1.0",
                                                                  "0.1",
                                                                  "-2.5e10",
                                                                  "1e400",
                                                                  "1e-400",
                                                                  "123456789012345678",
                                                                  "0.30000000000000004"};
    if (chance(30)) return std::to_string(random_.next() >> random_.below(64));
    return std::string(kNumbers[random_.below(kNumbers.size())]);
  }

  std::string value(std::size_t depth) {
    switch (random_.below(depth > 4 ? 5 : 7)) {
      case 0:
        return "null";
      case 1:
        return chance(50) ? "true" : "false";
      case 2:
      case 3:
        return number();
      case 4:
        return text();
      case 5: {
        std::string out = "[" + space();
        for (std::uint64_t i = random_.below(4); i > 0; --i) {
          out += value(depth + 1) + space() + (i > 1 ? "," + space() : "");
        }
        return out + "]";
      }
      default:
        return object(depth);
    }
  }

  std::string object(std::size_t depth) {
    static constexpr std::array<std::string_view, 22> kKeys = {
        "a",
        "b",
        "A",
        "orderId",
        "order_id",
        "id",
        "name",
        "category",
        "event",
        "context",
        "ip",
        "device",
        "advertisingId",
        "consent",
        "categoryPreferences",
        "version",
        "日本語",
        "group",
        "user_id",
        "timestamp",
        "aVeryLongKeyThatDoesNotFitIntoThirtyTwoBytes",
        "k"};
    std::string out = "{" + space();
    for (std::uint64_t i = random_.below(6); i > 0; --i) {
      std::string key = json_string(kKeys[random_.below(kKeys.size())]);
      if (chance(5)) key = R"("\u0061")";
      if (chance(5)) key = "\"k" + std::to_string(random_.below(40)) + "\"";
      out +=
          key + space() + ":" + space() + value(depth + 1) + space() + (i > 1 ? "," + space() : "");
    }
    return out + "}";
  }

  SeededRandom random_;
};

std::vector<KnownTable> odd_tables() {
  const auto table = [](const char* name,
                        std::vector<std::pair<const char*, const char*>> columns) {
    KnownTable out{.name = name, .columns = {}};
    for (const auto& [column, type] : columns) {
      out.columns.push_back(columns::column_from_sql_type(column, type));
    }
    return out;
  };
  return {
      table("tracks",
            {{"id", "varchar(20)"}, {"received_at", "timestamp"}, {"context_a", "smallint"}}),
      table("identifies", {{"a", "numeric(6,2)"},
                           {"b", "real"},
                           {"id", "varchar(600)"},
                           {"k", "date"},
                           {"order_id", "super"},
                           {"_extra", "varchar(20)"},
                           {"k__bigint", "smallint"}}),
      table("users", {{"id", "varchar(3)"}, {"a", "super"}, {"b", "geometry"}}),
      table(
          "pages",
          {{"id", "varchar(512)"}, {"name", "varchar(2)"}, {"a", "varchar(4)"}, {"b", "boolean"}})};
}

TEST(Shaper, AgreesWithItsReferenceOnSampleEvents) {
  event::SampleEvents sample(11, 300);
  event::LineWriter writer;
  std::vector<Batch> batches;
  for (int b = 0; b < 4; ++b) {
    Batch batch{"b" + std::to_string(b), ""};
    for (int i = 0; i < 400; ++i) {
      const TimeUs now{kNow.value + (b * 400 + i) * 250'000LL};
      writer.begin_request({.received_at = now, .source = "web", .ip = "203.0.113.9"});
      std::string event;
      sample.append(event, now);
      writer.append(batch.lines, {.event_json = event});
    }
    batches.push_back(std::move(batch));
  }
  EXPECT_EQ(compare_with_reference(batches, {}, {}), "");
}

TEST(Shaper, AgreesWithItsReferenceOnRandomEvents) {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    RandomEvents random(seed);
    std::vector<Batch> batches;
    for (std::uint64_t b = 0; b <= random.below(3); ++b) {
      Batch batch{"b" + std::to_string(b), ""};
      for (std::uint64_t i = random.below(60); i > 0; --i) batch.lines += random.line();
      if (random.chance(30) && !batch.lines.empty()) batch.lines.pop_back();
      batches.push_back(std::move(batch));
    }
    Options options;
    options.synced_at = kNow;
    if (random.chance(20)) options.types = TypeMode::kVarchar;
    if (random.chance(20)) options.varchar_length = 5;
    const std::string_view policies[] = {"rescue", "widen", "super", "fail"};
    const std::string_view policy = policies[random.below(random.chance(10) ? 4 : 3)];
    options.conflicts =
        *ConflictPolicies::parse(policy, "pages.a=widen, *.b=super, users.*=rescue");
    if (random.chance(30)) options.columns_max = static_cast<std::uint32_t>(8 + random.below(20));
    if (random.chance(30)) options.tables_max = static_cast<std::uint32_t>(random.below(12));
    options.objects = static_cast<Nested>(random.chance(50) ? 0 : random.below(3));
    options.arrays = static_cast<Nested>(1 + random.below(2));
    const auto known = random.chance(30) ? odd_tables() : std::vector<KnownTable>{};
    ASSERT_EQ(compare_with_reference(batches, options, known), "") << "seed " << seed;
  }
}

TEST(Shaper, DoesNotTrustItsLines) {
  const std::string head = R"({"received_at":"2026-11-20T14:03:05Z","source":"web","event":)";
  const std::string good = R"({"type":"page","userId":"u","messageId":"m","properties":{"a":1}})";
  std::vector<std::string> lines = {
      "{",
      "\"",
      "{\"",
      "{\"received_at\":\"",
      head,
      head + "{",
      head + good,
      head + good + "}}",
      head + "{\"a\":tru}}",
      head + "{\"a\":01}}",
      head + "{\"a\":1.}}",
      head + "{\"a\":\"\\x\"}}",
      head + "{\"a\":\"\\",
      head + "{\"a\":\"\t\"}}",
      head + "{\"a\" 1}}",
      head + "{\"a\":1,}}",
      head + "{,}}",
      head + "{\"a\":[1,]}}",
      head + "{\"a\":[1 2]}}",
      head + "{\"properties\":{\"a\":-}}}",
      head + "{\"properties\":{\"a\":nul}}}",
      head + "{\"properties\":{\"\\ud800\":1}}}",
      std::string(5000, '['),
      head + std::string(5000, '{'),
      head + "{\"properties\":{\"\\u00\":1}}}",
      head + "{\"properties\":" + std::string(300, '[') + std::string(300, ']') + "}}"};
  std::string deep = head + "{\"properties\":";
  for (int i = 0; i < 253; ++i) deep += "{\"a\":";
  lines.push_back(deep + "1" + std::string(253, '}') + "}}");
  lines.push_back(deep + "{}" + std::string(253, '}') + "}}");
  lines.push_back(deep + "{\"a\":1}" + std::string(253, '}') + "}}");
  for (const std::string& line : lines) {
    EXPECT_EQ(compare_with_reference({{"b", line}}, {}, {}), "") << line.substr(0, 200);
    EXPECT_EQ(compare_with_reference({{"b", line + "\n" + line + "\n"}}, {}, {}), "")
        << line.substr(0, 200);
  }
}

TEST(Shaper, KeepsBooksOfManyPaths) {
  // More keys than the tree of paths holds, and more than a table's columns: memory stays bounded,
  // nothing is lost.
  Options options;
  options.columns_max = 50;
  std::string lines;
  for (int i = 0; i < 40'000; ++i) {
    lines += R"({"received_at":"2026-11-20T14:03:05Z","source":"web","event":{"type":"page",)"
             R"("userId":"u",)"
             R"("messageId":"m)" +
             std::to_string(i) + R"(","properties":{"key)" + std::to_string(i) + "\":1}}}\n";
  }
  const auto staged = shape_batches(
      options, {}, 1, [&](std::size_t) -> Result<Batch> { return Batch{"b", lines}; });
  ASSERT_TRUE(staged);
  EXPECT_EQ(staged->batches[0].with_rows, 40'000U);
  EXPECT_EQ(staged->batches[0].rescued_values, 0U);
  ASSERT_EQ(staged->tables.size(), 1U);
  EXPECT_EQ(staged->tables[0].columns.size(), 50U + 2U);
}

// Thousands of names in one event for which the table has no room: all of them are kept.
TEST(Shaper, KeepsThousandsOfValuesThatHaveNoColumn) {
  constexpr int kNames = 6'000;
  Options options;
  options.columns_max = 50;
  std::string line =
      R"({"received_at":"2026-11-20T14:03:05Z","source":"web","event":{"type":"page",)"
      R"("userId":"u","messageId":"m","properties":{"n0":1)";
  for (int i = 1; i < kNames; ++i) line += ",\"n" + std::to_string(i) + "\":1";
  line += "}}}\n";
  const auto staged =
      shape_batches(options, {}, 1, [&](std::size_t) -> Result<Batch> { return Batch{"b", line}; });
  ASSERT_TRUE(staged);
  EXPECT_EQ(staged->batches[0].rescued_values, 0U);
  const auto pages = std::ranges::find(staged->tables, "pages", &StagedTable::name);
  ASSERT_NE(pages, staged->tables.end());
  EXPECT_EQ(pages->columns.size(), 50U + 2U);
  EXPECT_TRUE(std::ranges::any_of(
      pages->columns, [](const StagedColumn& each) { return each.column.name == "_extra"; }));
}

}  // namespace
}  // namespace leat::shape
