#include "pipeline/shape/conflicts.h"

#include <gtest/gtest.h>

#include "pipeline/shape/names.h"

namespace leat::shape {
namespace {

std::string type_of(std::string_view token, const char* type, ConflictPolicy policy) {
  Value value = make_value(ValueKind::kNever, columns::Cell::of_integer(0), token);
  if (token.starts_with('"')) {
    value.kind = ValueKind::kText;
    value.cell = columns::Cell::of_text(token.substr(1, token.size() - 2));
  } else if (token.starts_with('[')) {
    value.kind = ValueKind::kJson;
    value.cell = columns::Cell::of_text(token);
  } else if (token == "true") {
    value.kind = ValueKind::kBoolean;
  } else {
    read_number(token, value);
  }
  const auto beside = column_beside(columns::column_from_sql_type("price", type), value, policy);
  return beside ? beside->name + " " + columns::sql_type(*beside) : "";
}

TEST(Conflicts, ColumnsBesideHaveTheTypeOfTheValue) {
  const auto widen = ConflictPolicy::kWiden;
  EXPECT_EQ(type_of("1", "boolean", widen), "price__bigint bigint");
  EXPECT_EQ(type_of("1.5", "bigint", widen), "price__double double precision");
  EXPECT_EQ(type_of("true", "timestamp", widen), "price__boolean boolean");
  EXPECT_EQ(type_of("\"many\"", "bigint", widen), "price__varchar varchar(65535)");
  EXPECT_EQ(type_of("[1]", "bigint", widen), "price__varchar varchar(65535)");
  EXPECT_EQ(type_of("9223372036854775808", "bigint", widen), "price__numeric numeric(38,0)");
  EXPECT_EQ(type_of("-" + std::string(38, '9'), "bigint", widen), "price__numeric numeric(38,0)");
  EXPECT_EQ(type_of(std::string(39, '9'), "bigint", widen), "price__varchar varchar(65535)");
  EXPECT_EQ(type_of("1e400", "double precision", widen), "price__varchar varchar(65535)");
  EXPECT_EQ(type_of("1", "boolean", ConflictPolicy::kSuper), "price__super super");
  EXPECT_EQ(type_of("1e400", "super", ConflictPolicy::kSuper), "");
  EXPECT_EQ(type_of("1", "boolean", ConflictPolicy::kRescue), "");
  EXPECT_EQ(type_of("1", "boolean", ConflictPolicy::kFail), "");
}

TEST(Conflicts, LongNamesKeepApart) {
  const std::string longest(127, 'a');
  const std::string beside = name_beside(longest, "__timestamp");
  EXPECT_EQ(beside.size(), kNameBytesMax);
  EXPECT_TRUE(beside.ends_with("__timestamp"));
  EXPECT_NE(beside, name_beside(std::string(126, 'a') + "b", "__timestamp"));
  EXPECT_EQ(name_beside("a", "__bigint"), "a__bigint");
}

TEST(Conflicts, TheMostExactEntryCounts) {
  const auto policies = ConflictPolicies::parse(
      "widen", "orders.price=fail, *.price = super ,orders.*=rescue,*.note=rescue");
  ASSERT_TRUE(policies) << policies.error().message;
  EXPECT_EQ(policies->of("orders", "price"), ConflictPolicy::kFail);
  EXPECT_EQ(policies->of("pages", "price"), ConflictPolicy::kSuper);
  EXPECT_EQ(policies->of("orders", "color"), ConflictPolicy::kRescue);
  EXPECT_EQ(policies->of("pages", "color"), ConflictPolicy::kWiden);
  EXPECT_EQ(ConflictPolicies().of("pages", "color"), ConflictPolicy::kRescue);
  EXPECT_EQ(ConflictPolicies::parse("fail", "")->of("a", "b"), ConflictPolicy::kFail);
}

TEST(Conflicts, NamesThatNoEventGivesAreToldWithTheNearest) {
  const struct {
    const char* entry;
    const char* nearest;  // "" when it is reachable
  } cases[] = {{"order_completed.price", ""},
               {"tracks.context_ip", ""},
               {"users.plan", ""},
               {"*.timestamp", ""},
               {"pages._timestamp", ""},
               {"_users.n", ""},
               {"_orders._order", ""},
               {"_2fa_enabled._2fa", ""},
               {"_u_0123abcd._u_0123abcd", ""},
               {"a._event", ""},
               {"a._group_id", ""},
               {"order__completed.price", "order_completed.price"},
               {"orders.price_", "orders.price"},
               {"*.price__varchar", "*.price_varchar"},
               {"orders.order", "orders._order"},
               {"2fa.*", "_2fa.*"},
               {"select.price", "_select.price"},
               {"leat_rescue.value", "_leat_rescue.value"},
               {"a._extra", "a.extra"},
               {"a._price", "a.price"}};
  for (const auto& c : cases) {
    const auto policies = ConflictPolicies::parse("rescue", std::string(c.entry) + "=fail");
    ASSERT_TRUE(policies) << policies.error().message;
    const auto found = policies->unreachable();
    if (*c.nearest == 0) {
      EXPECT_TRUE(found.empty()) << c.entry << ": " << found[0].nearest;
      continue;
    }
    ASSERT_EQ(found.size(), 1U) << c.entry;
    EXPECT_EQ(found[0].entry, c.entry);
    EXPECT_EQ(found[0].nearest, c.nearest);
  }
}

TEST(Conflicts, ListsSayWhatIsWrongWithThem) {
  const struct {
    const char* all;
    const char* exceptions;
    const char* mistake;
  } cases[] = {{"drop", "", "'drop' is no conflict policy"},
               {"rescue", "price=fail", "'price=fail' is not TABLE.COLUMN=POLICY"},
               {"rescue", "a.b", "'a.b' is not TABLE.COLUMN=POLICY"},
               {"rescue", "a.b=drop", "'a.b=drop' is not TABLE.COLUMN=POLICY"},
               {"rescue", "A.b=fail", "'A.b=fail' is not TABLE.COLUMN=POLICY"},
               {"rescue", ".b=fail", "'.b=fail' is not TABLE.COLUMN=POLICY"},
               {"rescue", "a.=fail", "'a.=fail' is not TABLE.COLUMN=POLICY"},
               {"rescue", "a.b.c=fail", "'a.b.c=fail' is not TABLE.COLUMN=POLICY"},
               {"rescue", "*.*=fail", "'*.*=fail' is not TABLE.COLUMN=POLICY"},
               {"rescue", "a.b=fail,a.b=super", "'a.b' is there twice"}};
  for (const auto& c : cases) {
    const auto policies = ConflictPolicies::parse(c.all, c.exceptions);
    ASSERT_FALSE(policies) << c.exceptions;
    EXPECT_EQ(policies.error().message, c.mistake);
  }
}

}  // namespace
}  // namespace leat::shape
