#include <bzlib.h>
#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include "warehouse/transfer/copy_fixture.h"

namespace leat::transfer {
namespace {

using sql::TypeKind;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::string_literals;

class TextCopy : public FileCopyTest {
 protected:
  void abc() {
    create({{.name = "a", .type = type_of(TypeKind::kInteger)},
            {.name = "b", .type = varchar(10)},
            {.name = "c", .type = type_of(TypeKind::kDate)}});
  }

  std::string load(std::string_view bytes, const Change& change = {}) {
    return load_file(bytes, sql::FileFormat::kDelimited, change);
  }
  std::string csv(std::string_view bytes, const Change& change = {}) {
    return load_file(bytes, sql::FileFormat::kCsv, change);
  }
};

TEST_F(TextCopy, Delimited) {
  abc();
  EXPECT_EQ(load("1|one|2026-11-20\n2||\n|three|2026-01-02\n\\N|\\N|\\N\n"),
            "1|one|2026-11-20\n2||NULL\nNULL|three|2026-01-02\nNULL|NULL|NULL\n");
  EXPECT_EQ(report.rows, 4);
  EXPECT_THAT(report.notices,
              ElementsAre("Load into table 't' completed, 4 record(s) loaded successfully."));
  ASSERT_EQ(report.files.size(), 1U);
  EXPECT_EQ(report.files[0].lines, 4);
  EXPECT_EQ(load("1|one|2026-11-20"), "1|one|2026-11-20\n");
  EXPECT_EQ(load("1|one|2026-11-20\r\n2|two|\r\n"), "1|one|2026-11-20\n2|two|NULL\n");
  EXPECT_EQ(load("\xEF\xBB\xBF"
                 "1|one|2026-11-20\n"),
            "1|one|2026-11-20\n");
  EXPECT_EQ(load(""), "");
  EXPECT_EQ(load("1\t\"q\"\t\n", [](auto& s) { s.delimiter = "\t"; }), "1|\"q\"|NULL\n");
}

TEST_F(TextCopy, DelimitersOfSeveralBytes) {
  create({{.name = "a", .type = type_of(TypeKind::kInteger)},
          {.name = "b", .type = varchar(10)},
          {.name = "c", .type = varchar(10)}});
  // Each read ends somewhere else within a delimiter.
  for (const std::size_t bytes : {1, 2, 3, 4, 5, 1000}) {
    options.read_bytes = bytes;
    const auto with = [](auto& s) { s.delimiter = "|~|"; };
    EXPECT_EQ(load("1|~|a|b|~|~x\n2|~||~|\n3|~|\xC3\xA9|~|y|~|\n", with),
              "1|a|b|~x\n2||\n3|\u00e9|y\n");
    EXPECT_EQ(load("1|~|a\\|~|b|~|'x|~|y'|~|\n2|~|\"q\"|~|z",
                   [](auto& s) {
                     s.delimiter = "|~|";
                     s.escape = s.remove_quotes = true;
                   }),
              "1|a|~|b|x|~|y\n2|q|z\n");
    EXPECT_EQ(csv("1|~| \"a|~|b\" |~|x|y\n2|~|\"q\"|~|z", with), "1|a|~|b|x|y\n2|q|z\n");
    EXPECT_EQ(load("1|~|a|b\n", with), "1:c:1214 Delimiter not found\n");
  }
}

TEST_F(TextCopy, NotesTheColumnsWithBlanksAtTheEndsOfTexts) {
  const auto make = [&](std::uint32_t relation) {
    create({{.name = "a", .type = varchar(10), .blank_key = engine::BlankMarks::key(relation, 1)},
            {.name = "b", .type = varchar(10), .blank_key = engine::BlankMarks::key(relation, 2)},
            {.name = "c", .type = varchar(10)}});
  };
  make(7);
  load("x|y|z \nx||z\n\\N|y |z\n");
  EXPECT_THAT(connection->blank_marks().columns(7), ElementsAre(2));
  make(8);
  csv("x ,y,z\n");
  EXPECT_THAT(connection->blank_marks().columns(8), ElementsAre(1));
  make(9);
  load("x|y|z \n");
  EXPECT_THAT(connection->blank_marks().columns(9), testing::IsEmpty());
}

TEST_F(TextCopy, DelimitedStructureErrors) {
  abc();
  EXPECT_EQ(load("1|one\n"), "1:c:1214 Delimiter not found\n");
  EXPECT_EQ(load("1|one|2026-11-20|x\n"), "1:c:1202 Extra column(s) found\n");
  EXPECT_EQ(load("1|one|2026-11-20\n\n"), "2:a:1211 Input line has no data\n");
  EXPECT_EQ(load("\n1|one|\n\n", [](auto& s) { s.ignore_blank_lines = true; }), "1|one|NULL\n");
  EXPECT_EQ(load("1\n2|two\n", [](auto& s) { s.fill_record = true; }), "1||NULL\n2|two|NULL\n");
  EXPECT_EQ(load("1\n", [](auto& s) { s.fill_record = s.empty_as_null = true; }), "1|NULL|NULL\n");
  EXPECT_EQ(load("h|h|h\nh\n1|one|\n", [](auto& s) { s.ignore_header = 2; }), "1|one|NULL\n");
  EXPECT_EQ(load("h\n", [](auto& s) { s.ignore_header = 5; }), "");
}

TEST_F(TextCopy, NullAsAndBlanks) {
  abc();
  EXPECT_EQ(load("1|NULL|NULL\n", [](auto& s) { s.null_as = "NULL"; }), "1|NULL|NULL\n");
  EXPECT_EQ(load("1||\n", [](auto& s) { s.null_as = ""; }), "1|NULL|NULL\n");
  EXPECT_EQ(load("1||\n", [](auto& s) { s.empty_as_null = true; }), "1|NULL|NULL\n");
  EXPECT_EQ(load("1|  |  \n"), "1|  |NULL\n");
  EXPECT_EQ(load("1|  |\n", [](auto& s) { s.blanks_as_null = true; }), "1|NULL|NULL\n");
  EXPECT_EQ(load(" 1 | x  | 2026-11-20 \n"), "1| x  |2026-11-20\n");
  EXPECT_EQ(load("1| x  |\n", [](auto& s) { s.trim_blanks = true; }), "1| x|NULL\n");
}

TEST_F(TextCopy, EscapeAndRemoveQuotes) {
  abc();
  const auto escape = [](auto& s) { s.escape = true; };
  EXPECT_EQ(load("1|a\\|b|\n2|a\\\nb|\n3|a\\\\b|\n4|\\N|\n5|\\n|\n", escape),
            "1|a|b|NULL\n2|a\nb|NULL\n3|a\\b|NULL\n4|NULL|NULL\n5|n|NULL\n");
  EXPECT_EQ(load("1|x|2026-11-20\r\n", escape), "1|x|2026-11-20\n");
  EXPECT_EQ(load("1|x|2026-11-20\\", escape), "1|x|2026-11-20\n");
  const auto quotes = [](auto& s) { s.remove_quotes = true; };
  EXPECT_EQ(load("\"1\"|\"a|b\"|'2026-11-20'\r\n2|\"it's\"|\n3|'say \"x\"'|\n", quotes),
            "1|a|b|2026-11-20\n2|it's|NULL\n3|say \"x\"|NULL\n");
  EXPECT_EQ(load("1|\"open|\n2|ok|\n", quotes), "1:b:1214 Delimited value missing end quote\n");
  EXPECT_EQ(load("1|\"a\\\"|b\"|\n", [](auto& s) { s.escape = s.remove_quotes = true; }),
            "1|a\"|b|NULL\n");
}

TEST_F(TextCopy, Csv) {
  abc();
  EXPECT_EQ(csv("1,one,2026-11-20\n2,\"a,b\",\n3,\"say \"\"x\"\"\",\n4,\"two\nlines\",\n5,\"\",\n"),
            "1|one|2026-11-20\n2|a,b|NULL\n3|say \"x\"|NULL\n4|two\nlines|NULL\n5||NULL\n");
  EXPECT_EQ(report.files[0].lines, 6);
  EXPECT_EQ(csv("1,  \"x\"  ,\r\n2,y,2026-11-20\r\n"), "1|x|NULL\n2|y|2026-11-20\n");
  EXPECT_EQ(csv("1,\"x\",\"2026-11-20\"\r\n"), "1|x|2026-11-20\n");
  EXPECT_EQ(csv("1;'it''s';\n",
                [](auto& s) {
                  s.delimiter = ";";
                  s.quote = "'";
                }),
            "1|it's|NULL\n");
  EXPECT_EQ(csv("1,\"\\N\",\\N\n"), "1|NULL|NULL\n");
  EXPECT_EQ(csv("a,b,c\n1,x,\n", [](auto& s) { s.ignore_header = 1; }), "1|x|NULL\n");
  // The line of an error is the first of its record.
  EXPECT_EQ(csv("1,\"a\nb\",\nx,y,\n"),
            "3:a:1207 Invalid digit, Value 'x', Pos 0, Type: Integer\n");
}

TEST_F(TextCopy, CsvQuoteErrorsCostOneRecord) {
  abc();
  const auto tolerant = [](auto& s) { s.max_error = 100; };
  EXPECT_EQ(csv("1,\"a\"b,\n2,ok,\n3,a\"b,\n4,ok,\n", tolerant), "2|ok|NULL\n4|ok|NULL\n");
  ASSERT_EQ(report.errors.size(), 2U);
  EXPECT_EQ(report.errors[0].reason, "Invalid quote formatting for CSV");
  EXPECT_EQ(report.errors[0].code, 1214);
  EXPECT_EQ(report.errors[1].line_number, 3);
  EXPECT_EQ(csv("1,\"open,\n2,ok,\n", tolerant), "2|ok|NULL\n");
  EXPECT_EQ(report.errors[0].reason, "Delimited value missing end quote");
}

TEST_F(TextCopy, FixedWidth) {
  abc();
  const auto widths = [](auto& s) {
    s.format = sql::FileFormat::kFixedWidth;
    s.format_argument = "a:3,b:6,c:10";
  };
  EXPECT_EQ(load("  1caf\u00e9  2026-11-20\n22 x\n",
                 [&](auto& s) {
                   widths(s);
                   s.fill_record = true;
                 }),
            "1|caf\u00e9|2026-11-20\n22|x|NULL\n");
  EXPECT_EQ(load("  1three 2026-11-20x\n", widths), "1:c:1202 Extra column(s) found\n");
  EXPECT_EQ(load("x",
                 [](auto& s) {
                   s.format = sql::FileFormat::kFixedWidth;
                   s.format_argument = "a:3,b";
                 })
                .substr(0, 5),
            "42601");
}

TEST_F(TextCopy, ValuesOfEveryType) {
  const auto kind = [](TypeKind k) { return type_of(k); };
  const auto decimal = type_of(TypeKind::kDecimal, -1, 8, 2);
  const std::vector<std::tuple<sql::TypeName, std::string, std::string>> table{
      {kind(TypeKind::kSmallint), "-32768", "-32768"},
      {kind(TypeKind::kSmallint), "+5", "5"},
      {kind(TypeKind::kSmallint), "32768", "1204 Overflow (Short valid range -32768 to 32767)"},
      {kind(TypeKind::kInteger), "2147483648",
       "1204 Overflow (Integer valid range -2147483648 to 2147483647)"},
      {kind(TypeKind::kInteger), "1.0", "1207 Invalid digit, Value '.', Pos 1, Type: Integer"},
      {kind(TypeKind::kInteger), "a", "1207 Invalid digit, Value 'a', Pos 0, Type: Integer"},
      {kind(TypeKind::kInteger), "-", "1207 Invalid digit, Value '-', Pos 0, Type: Integer"},
      {kind(TypeKind::kInteger), "1 2", "1207 Invalid digit, Value ' ', Pos 1, Type: Integer"},
      {kind(TypeKind::kBigint), "9223372036854775807", "9223372036854775807"},
      {kind(TypeKind::kBigint), "9223372036854775808",
       "1204 Overflow (Long valid range -9223372036854775808 to 9223372036854775807)"},
      {kind(TypeKind::kReal), "1.5", "1.5"},
      {kind(TypeKind::kReal), "1e39", "1204 Overflow, the value is out of the range of the type"},
      {kind(TypeKind::kDouble), "-1.5e300", "-1.5e+300"},
      {kind(TypeKind::kDouble), "1e400",
       "1204 Overflow, the value is out of the range of the type"},
      {kind(TypeKind::kDouble), "NaN", "NaN"},
      {kind(TypeKind::kDouble), "1,5", "1208 Invalid Float value"},
      {decimal, "20.259", "20.25"},
      {decimal, "-1e3", "-1000.00"},
      {decimal, "1234567", "1204 Numeric data overflow (result precision)"},
      {decimal, "12a", "1209 Invalid numeric, Value 'a', Pos 2, Type: Decimal"},
      {type_of(TypeKind::kDecimal, -1, 4, 1), "12.3", "12.3"},
      {type_of(TypeKind::kDecimal, -1, 18, 0), "123456789012345678", "123456789012345678"},
      {type_of(TypeKind::kDecimal, -1, 19, 4), "922337203685477.5807", "922337203685477.5807"},
      {type_of(TypeKind::kDecimal, -1, 19, 4), "922337203685477.5808",
       "1204 Numeric data overflow (result precision)"},
      {type_of(TypeKind::kDecimal, -1, 19, 0), "-9223372036854775808", "-9223372036854775808"},
      {type_of(TypeKind::kDecimal, -1, 19, 0), "-9223372036854775809",
       "1204 Numeric data overflow (result precision)"},
      {type_of(TypeKind::kDecimal, -1, 38, 37), "1.5", "1.5000000000000000000000000000000000000"},
      {kind(TypeKind::kBoolean), "TRUE", "t"},
      {kind(TypeKind::kBoolean), "n", "f"},
      {kind(TypeKind::kBoolean), "0", "f"},
      {kind(TypeKind::kBoolean), "on", "1210 Unknown boolean format"},
      {kind(TypeKind::kDate), "2026-11-20 10:00:00", "2026-11-20"},
      {kind(TypeKind::kDate), "1969-12-31", "1969-12-31"},
      {kind(TypeKind::kDate), "20-11-2026", "1205 Error in Date value or format [YYYY-MM-DD]"},
      {kind(TypeKind::kDate), "2026", "1205 Invalid Date Format - length must be 10 or more"},
      {kind(TypeKind::kTimestamp), "2026-11-20 01:02:03.5", "2026-11-20 01:02:03.5"},
      {kind(TypeKind::kTimestamp), "2026-11-20 01:02:03+05", "2026-11-20 01:02:03"},
      {kind(TypeKind::kTimestamp), "2026-11-20T01:02:03Z",
       "1206 Invalid timestamp format or value [YYYY-MM-DD HH24:MI:SS]"},
      {kind(TypeKind::kTimestampTz), "2026-11-20 01:02:03+05", "2026-11-19 20:02:03+00"},
      {kind(TypeKind::kTimestampTz), "2026-11-20 01:02:03", "2026-11-20 01:02:03+00"},
      {kind(TypeKind::kTime), "01:02:03.5", "01:02:03.5"},
      {kind(TypeKind::kTime), "x", "1206 Invalid time format or value [HH24:MI:SS]"},
      {kind(TypeKind::kTimeTz), "01:02:03+02", "01:02:03+02"},
      {kind(TypeKind::kSuper), "{\"a\": [1, 2]}", "{\"a\":[1,2]}"},
      {kind(TypeKind::kSuper),
       "{\"a\":", "1224 Invalid JSON format. Value of a SUPER column is not valid JSON"},
      {kind(TypeKind::kIntervalDayToSecond), "2 days 03:04:05.5", "2 days 03:04:05.5"},
      {kind(TypeKind::kIntervalDayToSecond), "-1 day", "-1 days"},
      {kind(TypeKind::kIntervalDayToSecond), "1 month",
       "1206 An INTERVAL DAY TO SECOND holds no years or months"},
      {kind(TypeKind::kIntervalYearToMonth), "1 year 2 months", "1 year 2 mons"},
      {kind(TypeKind::kIntervalYearToMonth), "3 days",
       "1206 An INTERVAL YEAR TO MONTH holds no days, hours, minutes or seconds"},
      {kind(TypeKind::kIntervalYearToMonth), "soon", "1206 Invalid interval format or value"},
      {type_of(TypeKind::kVarbyte, 4), "00fF", "00ff"},
      {type_of(TypeKind::kVarbyte, 4), "0g", "1219 Invalid hex digit, Pos 1"},
      {type_of(TypeKind::kVarbyte, 4), "0011223344", "1204 Varbyte length exceeds DDL length"},
      {varchar(4), "caf\u00e9", "1204 String length exceeds DDL length"},
      {varchar(5), "caf\u00e9", "caf\u00e9"},
      {varchar(5), "abc   ", "1204 String length exceeds DDL length"},
      {type_of(TypeKind::kChar, 5), "abc     ", "abc"},
      {type_of(TypeKind::kChar, 5), "abcdef", "1204 Char length exceeds DDL length"},
      {type_of(TypeKind::kChar, 9), "caf\u00e9",
       "1220 Multibyte character not supported for CHAR (Hint: Try using VARCHAR). Invalid char: "
       "c3 a9"},
      {varchar(9),
       "a\xa4"
       "b",
       "1220 String contains invalid or unsupported UTF8 codepoints. Bad UTF8 hex sequence: a4 "
       "(error 3)"},
      {varchar(9), "a\xe2\x82",
       "1220 String contains invalid or unsupported UTF8 codepoints. Bad UTF8 hex sequence: e2 82 "
       "(error 2)"},
      {varchar(9), "\xed\xa0\x80",
       "1220 String contains invalid or unsupported UTF8 codepoints. Bad UTF8 hex sequence: ed a0 "
       "80 (error 5)"},
      {varchar(9), std::string("a\0b", 3), "1218 NUL in the middle of a text field"},
  };
  for (const auto& [type, text, expected] : table) {
    create({{.name = "a", .type = type}});
    const std::string loaded = load(text + "\n");
    const std::string shown = report.errors.empty() ? loaded
                                                    : fmt::format("{} {}\n", report.errors[0].code,
                                                                  report.errors[0].reason);
    // Reasons are kept to 100 bytes.
    EXPECT_EQ(shown, (report.errors.empty() ? expected : expected.substr(0, 105)) + "\n") << text;
  }
}

TEST_F(TextCopy, ConversionParameters) {
  create({{.name = "a", .type = type_of(TypeKind::kDecimal, -1, 8, 2)},
          {.name = "b", .type = varchar(4)},
          {.name = "c", .type = type_of(TypeKind::kDate)},
          {.name = "d", .type = type_of(TypeKind::kTimestamp)}});
  EXPECT_EQ(load("20.259|x||\n", [](auto& s) { s.round_decimals = true; }), "20.26|x|NULL|NULL\n");
  EXPECT_EQ(load("1|caf\u00e9|||\n", [](auto& s) { s.truncate_columns = true; }),
            "1.00|caf|NULL|NULL\n");  // a line may end in a delimiter
  EXPECT_EQ(load("1|caf\u00e9||||\n", [](auto& s) { s.truncate_columns = true; }),
            "1:d:1202 Extra column(s) found\n");
  EXPECT_EQ(load("1|caf\u00e9||\n", [](auto& s) { s.truncate_columns = true; }),
            "1.00|caf|NULL|NULL\n");
  EXPECT_EQ(load("1|x|11/20/2026|1700000000\n",
                 [](auto& s) {
                   s.date_format = "MM/DD/YYYY";
                   s.time_format = "epochsecs";
                 }),
            "1.00|x|2026-11-20|2023-11-14 22:13:20\n");
  EXPECT_EQ(load("1|x|Jan 8, 1999|12/17/1997 07:37:16.00 PST\n",
                 [](auto& s) { s.date_format = s.time_format = "auto"; }),
            "1.00|x|1999-01-08|1997-12-17 07:37:16\n");
  EXPECT_EQ(load("1|x|soon|later\n", [](auto& s) { s.accept_any_date = true; }),
            "1.00|x|NULL|NULL\n");
  EXPECT_EQ(load("1|x||\n", [](auto& s) { s.date_format = "QQ"; }).substr(0, 5), "22007");
}

TEST_F(TextCopy, AcceptInvalidCharacters) {
  create({{.name = "a", .type = varchar(20)}});
  const auto accept = [](auto& s) { s.accept_invalid_characters = "^"; };
  EXPECT_EQ(load("ok\nx\xa4y\n\xe2\x82\n\xef\xbf\xbe\n", accept), "ok\nx^y\n^^\n^^^\n");
  EXPECT_EQ(report.replacement_count, 3);
  ASSERT_EQ(report.replacements.size(), 3U);
  EXPECT_EQ(report.replacements[0].line_number, 2);
  EXPECT_EQ(report.replacements[0].column_name, "a");
  EXPECT_EQ(report.replacements[0].raw_line, "x.y");
  EXPECT_EQ(report.notices.size(), 2U);
}

TEST_F(TextCopy, ErrorRowsTellEverything) {
  abc();
  EXPECT_EQ(load("1|one|\n2|two|nodate\n", [](auto& s) { s.columns = {"a", "b", "c"}; }),
            "2:c:1205 Invalid Date Format - length must be 10 or more\n");
  ASSERT_EQ(report.errors.size(), 1U);
  const LoadError& error = report.errors[0];
  EXPECT_EQ(error.file, "s3://bucket/file");
  EXPECT_EQ(error.column_type, "date");
  EXPECT_EQ(error.column_length, "");
  EXPECT_EQ(error.position, 6);
  EXPECT_EQ(error.raw_line, "2|two|nodate");
  EXPECT_EQ(error.raw_field_value, "nodate");
  EXPECT_EQ(report.error->sqlstate, "XX000");
  EXPECT_EQ(report.error->message,
            "Load into table 't' failed.  Check 'stl_load_errors' system table for details.");
  EXPECT_EQ(rows("select count(*) from t"), "0\n");
}

TEST_F(TextCopy, MaxError) {
  create({{.name = "a", .type = type_of(TypeKind::kInteger)}});
  const std::string bytes = "1\nx\n2\ny\n3\n";
  const auto with = [](std::int64_t n) { return [n](auto& s) { s.max_error = n; }; };
  load(bytes, with(0));
  EXPECT_EQ(report.errors.size(), 1U);
  EXPECT_TRUE(report.error);
  load(bytes, with(1));
  EXPECT_TRUE(report.error);
  load(bytes, with(2));
  EXPECT_TRUE(report.error);
  EXPECT_EQ(report.errors.size(), 2U);
  EXPECT_EQ(load(bytes, with(3)), "1\n2\n3\n");
  EXPECT_EQ(report.error_count, 2);
  EXPECT_THAT(report.notices,
              ElementsAre("Load into table 't' completed, 3 record(s) loaded successfully.",
                          "Load into table 't' completed, 2 record(s) could not be loaded.  Check "
                          "'stl_load_errors' system table for details."));
  EXPECT_EQ(load(bytes, [](auto& s) { s.ignore_all_errors = true; }), "1\n2\n3\n");
  EXPECT_EQ(load(bytes, with(100001)).substr(0, 5), "42601");
  EXPECT_EQ(load(bytes,
                 [](auto& s) {
                   s.max_error = 3;
                   s.no_load = true;
                 }),
            "");
  EXPECT_EQ(report.rows, 3);
  // More errors than are kept.
  std::string many;
  for (int i = 0; i < 5000; ++i) many += "x\n";
  load(many + "1\n", with(100000));
  EXPECT_EQ(report.rows, 1);
  EXPECT_EQ(report.error_count, 5000);
  EXPECT_EQ(report.errors.size(), kLoadErrorsMax);
}

TEST_F(TextCopy, NotNullAndDefaults) {
  ASSERT_TRUE(connection->run(
      "create or replace table t(a integer not null, b varchar default 'd', c integer)"));
  target = {.name = "t",
            .engine_name = "t",
            .columns = {{.name = "a", .type = type_of(TypeKind::kInteger), .nullable = false},
                        {.name = "b", .type = varchar(5)},
                        {.name = "c", .type = type_of(TypeKind::kInteger)}}};
  EXPECT_EQ(load("1|2\n", [](auto& s) { s.columns = {"a", "c"}; }), "1|d|2\n");
  EXPECT_EQ(load("|2\n", [](auto& s) { s.columns = {"a", "c"}; }),
            "1:a:1213 Missing data for not-null field\n");
  EXPECT_EQ(load("x\n", [](auto& s) { s.columns = {"b"}; }).substr(0, 5), "23502");
  EXPECT_EQ(load("x\n", [](auto& s) { s.columns = {"nope"}; }),
            "42703 column \"nope\" of relation \"t\" does not exist");
  EXPECT_EQ(load("x\n", [](auto& s) { s.columns = {"b", "B"}; }).substr(0, 5), "42701");
}

TEST_F(TextCopy, IdentityColumns) {
  abc();
  target.columns[0].identity = true;
  EXPECT_EQ(load("x|2026-01-01\n"), "NULL|x|2026-01-01\n");
  EXPECT_EQ(load("1|x|\n", [](auto& s) { s.explicit_ids = true; }), "1|x|NULL\n");
  EXPECT_EQ(load("1\n", [](auto& s) { s.columns = {"a"}; }).substr(0, 5), "0A000");
  EXPECT_EQ(load("1\n",
                 [](auto& s) {
                   s.columns = {"b"};
                   s.explicit_ids = true;
                 })
                .substr(0, 5),
            "42601");
  target.columns[0].identity_by_default = true;
  EXPECT_EQ(load("1\n", [](auto& s) { s.columns = {"a"}; }), "1|NULL|NULL\n");
}

TEST_F(TextCopy, PrefixLoadsEveryFileAndNamesTheBadOne) {
  create({{.name = "a", .type = type_of(TypeKind::kInteger)}});
  put("in/custdata.txt", "1\n");
  put("in/custdata.txt.1", "2\n");
  put("in/custdata.txt.bak", "3");
  put("in/other", "4\n");
  put("in/custdata.empty", "");
  sql::CopyStatement statement;
  statement.source = "s3://bucket/in/custdata";
  report = copy(statement);
  ASSERT_FALSE(report.error);
  EXPECT_EQ(rows("select a from t order by a"), "1\n2\n3\n");
  EXPECT_EQ(report.bytes, 5U);
  put("in/custdata.txt.2", "5\nbad\n");
  report = copy(statement);
  ASSERT_TRUE(report.error);
  EXPECT_EQ(report.errors.at(0).file, "s3://bucket/in/custdata.txt.2");
  EXPECT_EQ(report.errors.at(0).line_number, 2);
  EXPECT_EQ(rows("select count(*) from t"), "3\n");
}

std::string gzip(std::string_view bytes) {
  z_stream state{};
  EXPECT_EQ(deflateInit2(&state, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&state, bytes.size()) + 64, '\0');
  state.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  state.avail_in = static_cast<uInt>(bytes.size());
  state.next_out = reinterpret_cast<Bytef*>(out.data());
  state.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&state, Z_FINISH), Z_STREAM_END);
  out.resize(out.size() - state.avail_out);
  deflateEnd(&state);
  return out;
}

std::string zstd(std::string_view bytes) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  out.resize(ZSTD_compress2(context, out.data(), out.size(), bytes.data(), bytes.size()));
  ZSTD_freeCCtx(context);
  return out;
}

std::string bzip2(std::string_view bytes) {
  std::string out(bytes.size() + 1024, '\0');
  auto size = static_cast<unsigned>(out.size());
  EXPECT_EQ(BZ2_bzBuffToBuffCompress(out.data(), &size, const_cast<char*>(bytes.data()),
                                     static_cast<unsigned>(bytes.size()), 1, 0, 0),
            BZ_OK);
  out.resize(size);
  return out;
}

TEST_F(TextCopy, CompressedFiles) {
  create({{.name = "a", .type = type_of(TypeKind::kInteger)}});
  std::string bytes;
  for (int i = 0; i < 200000; ++i) bytes += std::to_string(i) + "\n";
  const auto sum = [&](const std::string& compressed, sql::FileCompression compression) {
    load(compressed, [&](auto& s) { s.compression = compression; });
    if (report.error) return report.error->message;
    return rows("select count(*), sum(a) from t");
  };
  using enum sql::FileCompression;
  EXPECT_EQ(sum(gzip(bytes), kGzip), "200000|19999900000\n");
  EXPECT_EQ(sum(zstd(bytes), kZstd), "200000|19999900000\n");
  EXPECT_EQ(sum(bzip2(bytes), kBzip2), "200000|19999900000\n");
  // Several members behind each other are one file.
  EXPECT_EQ(sum(gzip("1\n") + gzip("2\n"), kGzip), "2|3\n");
  EXPECT_EQ(sum(zstd("1\n") + zstd("2\n"), kZstd), "2|3\n");
  EXPECT_EQ(sum(bzip2("1\n") + bzip2("2\n"), kBzip2), "2|3\n");
  const std::vector<std::pair<sql::FileCompression, std::string>> all{
      {kGzip, gzip(bytes)}, {kZstd, zstd(bytes)}, {kBzip2, bzip2(bytes)}};
  for (const auto& [compression, good] : all) {
    EXPECT_THAT(sum(good.substr(0, good.size() - 5), compression), HasSubstr("cut off"));
    EXPECT_THAT(sum(bytes, compression), HasSubstr("is not valid"));
    EXPECT_EQ(report.error->detail, "File name: s3://bucket/file");
    // Damage shows as bad rows or by the checksum; either way nothing is loaded.
    std::string damaged = good;
    damaged[good.size() / 2] = static_cast<char>(damaged[good.size() / 2] ^ 0x55);
    sum(damaged, compression);
    EXPECT_TRUE(report.error);
    EXPECT_EQ(rows("select count(*) from t"), "0\n");
  }
  EXPECT_EQ(sum("", kGzip), "0|NULL\n");
}

TEST_F(TextCopy, RowsLongerThanTheLimitAreErrors) {
  create({{.name = "a", .type = varchar(65535)}});
  options.row_bytes_max = 300000;
  const auto tolerant = [](auto& s) { s.max_error = 10; };
  const std::string bytes = "ok\n" + std::string(2000000, 'x') + "\nalso\n";
  EXPECT_EQ(load(bytes, tolerant), "ok\nalso\n");
  ASSERT_EQ(report.errors.size(), 1U);
  EXPECT_EQ(report.errors[0].line_number, 2);
  EXPECT_EQ(report.errors[0].reason, "The row is longer than 300000 bytes");
  EXPECT_EQ(csv(bytes, tolerant), "ok\nalso\n");
  EXPECT_EQ(load(bytes,
                 [](auto& s) {
                   s.max_error = 10;
                   s.escape = true;
                 }),
            "ok\nalso\n");
}

TEST_F(TextCopy, RecordsAcrossBufferEnds) {
  create({{.name = "a", .type = varchar(65535)}, {.name = "b", .type = varchar(65535)}});
  std::string bytes;
  std::size_t expected = 0;
  for (std::size_t i = 0; i < 600; ++i) {
    const std::string text(i * 3, static_cast<char>('a' + i % 26));
    bytes += fmt::format("\"{0}\"\"\n\",\"{0}\"\r\n", text);
    expected += 2 * text.size() + 2;
  }
  options.read_bytes = 1000;
  csv(bytes);
  ASSERT_FALSE(report.error) << report.error->message;
  EXPECT_EQ(rows("select count(*), sum(length(a) + length(b)) from t"),
            fmt::format("600|{}\n", expected));
}

TEST_F(TextCopy, OptionsThatExcludeEachOther) {
  abc();
  EXPECT_EQ(csv("", [](auto& s) { s.escape = true; }).substr(0, 5), "42601");
  EXPECT_EQ(csv("", [](auto& s) { s.remove_quotes = true; }).substr(0, 5), "42601");
  EXPECT_EQ(csv("", [](auto& s) { s.delimiter = "\""; }).substr(0, 5), "42601");
  EXPECT_EQ(csv("", [](auto& s) { s.delimiter = ""; }).substr(0, 5), "42601");
  EXPECT_EQ(csv("", [](auto& s) { s.delimiter = "a\nb"; }).substr(0, 5), "42601");
  EXPECT_EQ(load("",
                 [](auto& s) {
                   s.delimiter = "\\x";
                   s.escape = true;
                 })
                .substr(0, 5),
            "42601");
  EXPECT_EQ(load("", [](auto& s) { s.quote = "x"; }).substr(0, 5), "42601");
  EXPECT_EQ(load("", [](auto& s) { s.format = sql::FileFormat::kOrc; }).substr(0, 5), "0A000");
  EXPECT_EQ(load("", [](auto& s) { s.encoding = "KOI8R"; }).substr(0, 5), "0A000");
  EXPECT_EQ(load("1|x|\n",
                 [](auto& s) {
                   s.encoding = "UTF8";
                   s.region = "eu-west-1";
                   s.compression_update = "off";
                   s.statistics_update = false;
                 }),
            "1|x|NULL\n");
}

TEST_F(TextCopy, CredentialsNeverShow) {
  abc();
  load("bad\n", [](auto& s) {
    s.credentials.secret_access_key = "TOPSECRET";
    s.credentials.credentials = "aws_secret_access_key=TOPSECRET";
  });
  std::string all = report.error->message + report.error->detail + report.error->hint;
  for (const LoadError& error : report.errors) all += error.reason + error.raw_line;
  EXPECT_EQ(all.find("TOPSECRET"), std::string::npos);
}

// lines.lzo was made by lzop.
TEST_F(TextCopy, LzopFiles) {
  create({{.name = "a", .type = type_of(TypeKind::kInteger)},
          {.name = "b", .type = varchar(60)},
          {.name = "c", .type = type_of(TypeKind::kDecimal, -1, 8, 2)}});
  const auto lzop = [](auto& s) { s.compression = sql::FileCompression::kLzop; };
  const std::string whole = testdata("lines.lzo");
  EXPECT_EQ(load(whole, lzop), load(testdata("lines.txt")));
  EXPECT_EQ(report.rows, 60);
  load(whole + whole, lzop);
  EXPECT_EQ(report.rows, 120);
  EXPECT_THAT(load("1|x|2\n", lzop), HasSubstr("XX000 The file is not valid LZOP data"));
  const auto unpacked = [](std::string bytes) {
    return drained(open_bytes(std::move(bytes), sql::FileCompression::kLzop));
  };
  EXPECT_EQ(unpacked(whole), testdata("lines.txt"));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(unpacked(whole.substr(0, size))) << size;
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string other = whole;
    other[at] = static_cast<char>(other[at] ^ 0x11);
    const auto made = unpacked(std::move(other));
    // The header's dates and names may be anything.
    EXPECT_TRUE(!made || made == testdata("lines.txt")) << at;
  }
}

TEST_F(TextCopy, Encodings) {
  abc();
  const std::u16string text = u"1|t\u00fc|\n2|\U0001F600|\n";
  const auto bytes = [&](bool big, bool mark) {
    std::string out;
    for (const char16_t unit : (mark ? u"\uFEFF" + text : text)) {
      const auto high = static_cast<char>(unit >> 8);
      const auto low = static_cast<char>(unit & 0xFF);
      out += big ? high : low;
      out += big ? low : high;
    }
    return out;
  };
  const auto in = [](const std::string& encoding) {
    return [encoding](auto& s) { s.encoding = encoding; };
  };
  const std::string rows = "1|t\u00fc|NULL\n2|\U0001F600|NULL\n";
  EXPECT_EQ(load(bytes(false, true), in("UTF16")), rows);
  EXPECT_EQ(load(bytes(true, true), in("UTF16")), rows);
  EXPECT_EQ(load(bytes(false, false), in("UTF16LE")), rows);
  EXPECT_EQ(load(bytes(true, false), in("utf16be")), rows);
  EXPECT_EQ(load(bytes(true, true), in("UTF16BE")), rows);
  EXPECT_THAT(load(bytes(true, false), in("UTF16")), HasSubstr("no byte order mark"));
  EXPECT_THAT(load(bytes(true, true), in("UTF16LE")), HasSubstr("differs from ENCODING"));
  EXPECT_THAT(load("1\0|"s, in("UTF16LE")), HasSubstr("ends within"));
  EXPECT_EQ(load("1\0|\0\0\xD8|\0\n\0"s, in("UTF16LE")).substr(0, 9), "1:b:1220 ");
  EXPECT_EQ(load("1|t\xFC|\n", in("ISO88591")), "1|t\u00fc|NULL\n");
}

}  // namespace
}  // namespace leat::transfer
