// The functions that check lengths, as translated SQL and COPY call them.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "warehouse/engine/blank_marks.h"
#include "warehouse/engine/function_fixture.h"

namespace leat::engine {
namespace {

class LengthCheck : public FunctionFixture {};

TEST_F(LengthCheck, EachRule) {
  const std::vector<std::pair<std::string, std::string>> table{
      {"leat_fit_varchar('abc', 3)", "[abc]"},
      {"leat_fit_varchar('', 3)", "[]"},
      {"leat_fit_varchar(NULL, 3)", "[NULL]"},
      {"leat_fit_varchar('abcd', 3)", "22001 value too long for type character varying(3)"},
      // Bytes, not characters.
      {"leat_fit_varchar('caf\u00e9', 5)", "[caf\u00e9]"},
      {"leat_fit_varchar('caf\u00e9', 4)", "22001 value too long for type character varying(4)"},
      // Blanks that do not fit are let go, those that fit are kept.
      {"leat_fit_varchar('ab   ', 3)", "[ab ]"},
      {"leat_fit_varchar('ab ', 3)", "[ab ]"},
      {"leat_fit_varchar('     ', 3)", "[   ]"},
      {"leat_fit_char('ab ', 3)", "[ab]"},
      {"leat_fit_char('ab     ', 3)", "[ab]"},
      {"leat_fit_char('   ', 3)", "[]"},
      {"leat_fit_char('abcd', 3)", "22001 value too long for type character(3)"},
      {"leat_fit_varbyte('ab'::blob, 2)", "[6162]"},
      {"leat_fit_varbyte('ab '::blob, 2)", "22001 value too long for type binary varying(2)"},
      {"leat_fit_loaded('abc', 3, 'c', 'f')", "[abc]"},
      {"leat_fit_loaded('ab ', 2, 'it''s', 's3://b/k')",
       "XX000 The length of the data column it's is longer than the length defined in the table. "
       "Table: 2, Data: 3, File name: s3://b/k"},
      {"leat_fit_loaded('abc'::blob, 2, 'c', 'f')",
       "XX000 The length of the data column c is longer than the length defined in the table. "
       "Table: 2, Data: 3, File name: f"},
  };
  for (const auto& [call, expected] : table) EXPECT_EQ(rows("SELECT " + call), expected) << call;
}

// Values of all rows of a vector: inlined and not, NULL, and one that makes the others be copied.
TEST_F(LengthCheck, AWholeVector) {
  const std::string source =
      "(VALUES ('short'), (NULL), ('longer than twelve bytes'), ('blank ')) t(x)";
  EXPECT_EQ(rows("SELECT leat_fit_varchar(x, 24) FROM " + source),
            "[short][NULL][longer than twelve bytes][blank ]");
  EXPECT_EQ(rows("SELECT leat_fit_char(x, 24) FROM " + source),
            "[short][NULL][longer than twelve bytes][blank]");
  EXPECT_EQ(rows("SELECT leat_fit_varchar(x, 23) FROM " + source),
            "22001 value too long for type character varying(23)");
  EXPECT_EQ(rows("SELECT count(leat_fit_varchar(repeat('x', (i % 100)::int), 99)) FROM range(5000) "
                 "t(i)"),
            "[5000]");
  EXPECT_EQ(rows("SELECT count(leat_fit_varchar(repeat('x', (i % 100)::int), 98)) FROM range(5000) "
                 "t(i)"),
            "22001 value too long for type character varying(98)");
}

// A value that a filter leaves out is not looked at; a limit may differ from row to row.
TEST_F(LengthCheck, OnlyWhatIsStored) {
  EXPECT_EQ(rows("SELECT leat_fit_varchar(x, 2) FROM (VALUES ('a'), ('abc')) t(x) WHERE x = 'a'"),
            "[a]");
  EXPECT_EQ(rows("SELECT leat_fit_varchar(x, n) FROM (VALUES ('a', 1), ('abc', 3)) t(x, n)"),
            "[a][abc]");
}

TEST_F(LengthCheck, NotesTextsThatEndInBlanks) {
  const BlankMarks& marks = connection->blank_marks();
  const std::vector<std::pair<std::string, bool>> table{
      {"leat_fit_varchar(x, 99, {})", true},
      {"leat_fit_loaded(x, 99, 'c', 'f', {})", true},
      {"leat_noted(x, {})", true},
      {"leat_noted(x || '!', {})", false},
      {"leat_noted(nullif(x, 'longer than twelve bytes '), {})", false},
      {"leat_noted(CASE WHEN length(x) < 2 THEN x END, {})", false},
  };
  std::uint32_t relation = 0;
  for (const auto& [call, noted] : table) {
    const std::string key = std::to_string(BlankMarks::key(++relation, 3));
    std::string written = call;
    written.replace(written.find("{}"), 2, key);
    rows("SELECT " + written +
         " FROM (VALUES ('a'), (NULL), (''), ('longer than twelve bytes ')) t(x)");
    EXPECT_EQ(!marks.columns(relation).empty(), noted) << call;
  }
  EXPECT_EQ(marks.version(), 3U);
  connection->blank_marks().forget(1);
  EXPECT_TRUE(marks.columns(1).empty());
  EXPECT_EQ(marks.columns(2), std::vector<std::int16_t>{3});
}

}  // namespace
}  // namespace leat::engine
