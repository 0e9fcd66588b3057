#include "warehouse/dataapi/parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace leat::dataapi {
namespace {

using testing::ElementsAre;

const std::vector<SqlParameter> kTwo{{"id", "1"}, {"name", "x"}};

TEST(DataApiParameters, ReplacesNamesWhereValuesStand) {
  struct Case {
    std::string_view sql;
    std::string_view text;
  };
  const Case cases[] = {
      {"select :id", "select $1"},
      {"select :id, :id", "select $1, $1"},
      {"select :name,:id", "select $1,$2"},
      {"select :id::int", "select $1::int"},
      {"select '1'::int", "select '1'::int"},
      {"select ':id' , \":id\", :id", "select ':id' , \":id\", $1"},
      {"select 'a'':id', :id", "select 'a'':id', $1"},
      {R"(select 'a\':id', :id)", R"(select 'a\':id', $1)"},
      {"select 1 -- :id\n, :id", "select 1 -- :id\n, $1"},
      {"select /* :id /* :id */ :id */ :id", "select /* :id /* :id */ :id */ $1"},
      {"select $$:id$$, $t$ :id $$ $t$, :id", "select $$:id$$, $t$ :id $$ $t$, $1"},
      {"select a$b$c, :id, a$b$", "select a$b$c, $1, a$b$"},
      {"select :other", "select :other"},
      {"select a[1:2]", "select a[1:2]"},
      {"select :idx", "select :idx"},
      {"select ':id", "select ':id"},
      {"select /* :id", "select /* :id"},
      {"select :", "select :"},
      {"", ""},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(to_positional(each.sql, kTwo).text, each.text) << each.sql;
  }
}

TEST(DataApiParameters, TellsWhichParameterEachNumberIs) {
  EXPECT_THAT(to_positional("select :name, :id, :name", kTwo).order, ElementsAre(1, 0));
  EXPECT_THAT(to_positional("select 1", kTwo).order, ElementsAre());
}

TEST(DataApiParameters, LeavesTextAloneWithoutParameters) {
  EXPECT_EQ(to_positional("select :id", {}).text, "select :id");
}

TEST(DataApiParameters, FindsPositionsOfTheOriginalAgain) {
  const PositionalSql sql = to_positional("select :name, :id, nowhere", kTwo);
  EXPECT_EQ(sql.text, "select $1, $2, nowhere");
  EXPECT_EQ(sql.original_position(sql.text.find("nowhere")), 19U);
  EXPECT_EQ(sql.original_position(3), 3U);
}

}  // namespace
}  // namespace leat::dataapi
