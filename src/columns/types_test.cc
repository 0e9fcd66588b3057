#include "columns/types.h"

#include <gtest/gtest.h>

namespace leat::columns {
namespace {

TEST(Types, ReadsWhatRedshiftCatalogsWrite) {
  const struct {
    const char* text;
    const char* sql;
  } cases[] = {{"bigint", "bigint"},
               {"int8", "bigint"},
               {"INTEGER", "integer"},
               {"smallint", "smallint"},
               {"boolean", "boolean"},
               {"real", "real"},
               {"float(10)", "real"},
               {"float(53)", "double precision"},
               {"double precision", "double precision"},
               {"character varying(512)", "varchar(512)"},
               {"varchar", "varchar(256)"},
               {"varchar(max)", "varchar(65535)"},
               {"character(10)", "varchar(10)"},
               {"bpchar", "varchar(256)"},
               {"char", "varchar(1)"},
               {"numeric(18, 2)", "numeric(18,2)"},
               {"decimal", "numeric(18,0)"},
               {"date", "date"},
               {"timestamp without time zone", "timestamp"},
               {"timestamp(6) without time zone", "timestamp"},
               {"timestamp with time zone", "timestamptz"},
               {"super", "super"},
               {"geometry", "unsupported"},
               {"time", "unsupported"},
               {"numeric(40,2)", "unsupported"},
               {"numeric(4,5)", "unsupported"},
               {"varchar(0)", "unsupported"},
               {"varchar(x)", "unsupported"},
               {"varchar(", "unsupported"},
               {"", "unsupported"}};
  for (const auto& c : cases) {
    EXPECT_EQ(sql_type(column_from_sql_type("c", c.text)), c.sql) << c.text;
  }
  EXPECT_EQ(column_from_sql_type("a b", "date").name, "a b");
}

}  // namespace
}  // namespace leat::columns
