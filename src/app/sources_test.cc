#include "app/sources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace leat::app {
namespace {

using testing::HasSubstr;

std::string refusal(SourceConfig source) {
  source.name = "web";
  const auto named = name_sources({source});
  return named ? "taken" : named.error().message;
}

TEST(Sources, NamesThatNothingCanHaveAreRefused) {
  SourceConfig source;
  source.exclude_tables = "users, _order, tmp_*, _u_77710aed";
  source.exclude_columns = "_order.coupon, context_ip, price__bigint, *.note, user_*";
  EXPECT_EQ(refusal(source), "taken");
  source.exclude_tables = "Order Completed";
  EXPECT_THAT(refusal(source), HasSubstr("did you mean 'order_completed'?"));
  source.exclude_tables = "";
  source.exclude_columns = "order.coupon";
  EXPECT_THAT(refusal(source), HasSubstr("nothing is called 'order'; did you mean '_order'?"));
  for (const char* column : {"user_id", "orders.anonymous_id", "timestamp", "*.sent_at"}) {
    source.exclude_columns = column;
    EXPECT_THAT(refusal(source), HasSubstr("cannot be left out")) << column;
  }
  source.exclude_columns = "a.b.c";
  EXPECT_THAT(refusal(source), HasSubstr("TABLE.COLUMN or COLUMN"));
}

TEST(Sources, SchemasOfTheWarehouseItselfAreRefused) {
  for (const char* schema : {"pg_catalog", "information_schema", "pg_app"}) {
    SourceConfig source;
    source.schema = schema;
    EXPECT_THAT(refusal(source), HasSubstr("keeps for itself")) << schema;
  }
}

}  // namespace
}  // namespace leat::app
