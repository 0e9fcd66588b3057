#include <fmt/format.h>

#include "base/text.h"
#include "warehouse/transfer/copy_fixture.h"
#include "warehouse/transfer/remote_store.h"

namespace leat::transfer {
namespace {

using sql::TypeKind;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ParquetCopy : public CopyTest {
 protected:
  /// Writes the rows of `select` as an object.
  void write(const std::string& key, const std::string& select) {
    ASSERT_TRUE(store->put("s3://bucket/" + key, "x"));
    const auto written = connection->run("copy (" + select + ") to " +
                                         engine::quote_literal(root_ + "/store/bucket/" + key) +
                                         " (format parquet)");
    ASSERT_TRUE(written) << written.error().message;
  }

  sql::CopyStatement statement(const std::string& source) {
    sql::CopyStatement out;
    out.source = "s3://bucket/" + source;
    out.format = sql::FileFormat::kParquet;
    return out;
  }

  std::string detail_of(const CopyReport& report) {
    return report.error ? report.error->message + " " + report.error->detail : "no error";
  }
};

TEST_F(ParquetCopy, LoadsByPositionIntoTheColumnList) {
  create({{.name = "id", .type = varchar(32)},
          {.name = "n", .type = type_of(TypeKind::kBigint)},
          {.name = "at", .type = type_of(TypeKind::kTimestamp)},
          {.name = "price", .type = type_of(TypeKind::kDecimal, -1, 10, 2)}});
  write("a.parquet", "select 3.5::decimal(8,2) as x, 'one' as y union all select null, 'two'");
  auto copy_statement = statement("a.parquet");
  copy_statement.columns = {"PRICE", "id"};
  const CopyReport report = copy(copy_statement);
  ASSERT_FALSE(report.error) << report.error->message;
  EXPECT_EQ(report.rows, 2);
  EXPECT_THAT(report.notices,
              ElementsAre("Load into table 't' completed, 2 record(s) loaded successfully."));
  EXPECT_EQ(report.file_format, "parquet");
  ASSERT_EQ(report.files.size(), 1U);
  EXPECT_EQ(report.files[0].file, "s3://bucket/a.parquet");
  EXPECT_EQ(rows("select * from t order by id"), "one|NULL|NULL|3.50\ntwo|NULL|NULL|NULL\n");
}

TEST_F(ParquetCopy, NotesTheColumnsWithBlanksAtTheEndsOfTexts) {
  create({{.name = "a", .type = varchar(10), .blank_key = engine::BlankMarks::key(7, 1)},
          {.name = "b", .type = varchar(10), .blank_key = engine::BlankMarks::key(7, 2)},
          {.name = "c", .type = varchar(10)}});
  write("a.parquet", "select 'x' as a, 'y ' as b, 'z ' as c union all select null, 'y', 'z'");
  ASSERT_FALSE(copy(statement("a.parquet")).error);
  EXPECT_THAT(connection->blank_marks().columns(7), ElementsAre(2));
}

TEST_F(ParquetCopy, EveryTypeGoesIntoItsColumn) {
  create({{.name = "a", .type = type_of(TypeKind::kBoolean)},
          {.name = "b", .type = type_of(TypeKind::kSmallint)},
          {.name = "c", .type = type_of(TypeKind::kInteger)},
          {.name = "d", .type = type_of(TypeKind::kBigint)},
          {.name = "e", .type = type_of(TypeKind::kReal)},
          {.name = "f", .type = type_of(TypeKind::kDouble)},
          {.name = "g", .type = type_of(TypeKind::kDecimal, -1, 38, 4)},
          {.name = "h", .type = type_of(TypeKind::kChar, 5)},
          {.name = "i", .type = varchar(10)},
          {.name = "j", .type = type_of(TypeKind::kDate)},
          {.name = "k", .type = type_of(TypeKind::kTime)},
          {.name = "l", .type = type_of(TypeKind::kTimestamp)},
          {.name = "m", .type = type_of(TypeKind::kTimestampTz)},
          {.name = "n", .type = type_of(TypeKind::kSuper)},
          {.name = "o", .type = type_of(TypeKind::kVarbyte, 10)}});
  write("a.parquet",
        "select true, 1::int, 2::int, 3::bigint, 1.5::float, 2.5::double, 1.25::decimal(10,2), "
        "'ab   ', 'text', date '2026-11-20', time '01:02:03', timestamp_ns '2026-11-20 "
        "01:02:03.123456', timestamptz '2026-11-20 01:02:03+00', '{\"a\":1}', '\\x01'::blob");
  const CopyReport report = copy(statement("a.parquet"));
  ASSERT_FALSE(report.error) << detail_of(report);
  EXPECT_EQ(rows(),
            "t|1|2|3|1.5|2.5|1.2500|ab|text|2026-11-20|01:02:03|2026-11-20 01:02:03.123456|"
            "2026-11-20 01:02:03+00|{\"a\":1}|01\n");
}

TEST_F(ParquetCopy, ZonedAndPlainTimestampsGoBothWaysAsUtc) {
  create({{.name = "a", .type = type_of(TypeKind::kTimestamp)},
          {.name = "b", .type = type_of(TypeKind::kTimestampTz)}});
  write("a.parquet",
        "select timestamptz '2026-11-20 01:02:03+00', timestamp '2026-11-20 04:05:06'");
  ASSERT_TRUE(connection->run("set TimeZone = 'America/New_York'"));
  const CopyReport report = copy(statement("a.parquet"));
  ASSERT_FALSE(report.error) << detail_of(report);
  EXPECT_EQ(rows(), "2026-11-20 01:02:03|2026-11-20 04:05:06+00\n");
}

TEST_F(ParquetCopy, RefusesTypesThatDoNotGoTogether) {
  const std::vector<std::pair<sql::TypeName, std::string>> table{
      {type_of(TypeKind::kInteger), "1::bigint"},
      {type_of(TypeKind::kInteger), "'1'"},
      {type_of(TypeKind::kReal), "1::double"},
      {type_of(TypeKind::kBigint), "1.5::double"},
      {type_of(TypeKind::kDecimal, -1, 10, 2), "1::decimal(12,2)"},
      {type_of(TypeKind::kDecimal, -1, 10, 2), "1::decimal(10,3)"},
      {type_of(TypeKind::kBoolean), "1"},
      {type_of(TypeKind::kDate), "timestamp '2026-01-01 00:00:00'"},
      {type_of(TypeKind::kTimestamp), "date '2026-01-01'"},
      {varchar(10), "1"},
      {type_of(TypeKind::kSuper), "[1,2]"},
  };
  for (const auto& [type, expression] : table) {
    create({{.name = "a", .type = type}});
    write("a.parquet", "select " + expression + " as x");
    const CopyReport report = copy(statement("a.parquet"));
    ASSERT_TRUE(report.error) << expression;
    EXPECT_EQ(report.error->sqlstate, "XX000");
    EXPECT_THAT(report.error->detail,
                HasSubstr("File 's3://bucket/a.parquet' has an incompatible Parquet schema for "
                          "column 'a'. Column type: "));
    EXPECT_THAT(report.error->detail, HasSubstr("code:      15007"));
    EXPECT_EQ(rows("select count(*) from t"), "0\n");
  }
}

TEST_F(ParquetCopy, DecimalsOfNineteenDigitsFitEightBytes) {
  create({{.name = "a", .type = type_of(TypeKind::kDecimal, -1, 19, 2)}});
  write("a.parquet",
        "select 92233720368547758.07::decimal(19,2) as x union all select null union "
        "all select -92233720368547758.08");
  const CopyReport fits = copy(statement("a.parquet"));
  ASSERT_FALSE(fits.error) << detail_of(fits);
  EXPECT_EQ(rows("select min(a), max(a), count(*) from t"),
            "-92233720368547758.08|92233720368547758.07|3\n");
  write("b.parquet", "select 92233720368547758.08::decimal(19,2) as x");
  const CopyReport large = copy(statement("b.parquet"));
  ASSERT_TRUE(large.error);
  EXPECT_EQ(large.error->sqlstate, "22003");
  EXPECT_EQ(large.error->message, "Numeric data overflow (result precision), column \"a\"");
  EXPECT_EQ(rows("select count(*) from t"), "3\n");
}

TEST_F(ParquetCopy, NestedColumnsNeedSerializeToJson) {
  create({{.name = "a", .type = type_of(TypeKind::kSuper)}});
  write("a.parquet", "select {'x': [1, 2], 'y': 'z'} as s");
  auto copy_statement = statement("a.parquet");
  copy_statement.serialize_to_json = true;
  const CopyReport report = copy(copy_statement);
  ASSERT_FALSE(report.error) << detail_of(report);
  EXPECT_EQ(rows(), "{\"x\":[1,2],\"y\":\"z\"}\n");
}

TEST_F(ParquetCopy, ColumnCountsMustMatchUnlessFilled) {
  create({{.name = "a", .type = type_of(TypeKind::kInteger)},
          {.name = "b", .type = type_of(TypeKind::kInteger)}});
  write("one.parquet", "select 1 as x");
  write("three.parquet", "select 1 as x, 2 as y, 3 as z");
  EXPECT_THAT(detail_of(copy(statement("one.parquet"))),
              HasSubstr("Unmatched number of columns between table and file. Table columns: 2, "
                        "Data columns: 1, File name: s3://bucket/one.parquet"));
  EXPECT_THAT(detail_of(copy(statement("three.parquet"))), HasSubstr("Data columns: 3"));
  auto filled = statement("one.parquet");
  filled.fill_record = true;
  EXPECT_FALSE(copy(filled).error);
  EXPECT_EQ(rows(), "1|NULL\n");
  filled.source = "s3://bucket/three.parquet";
  EXPECT_TRUE(copy(filled).error);
}

TEST_F(ParquetCopy, LengthIsInBytesAndSaysWhere) {
  create({{.name = "a", .type = varchar(4)}, {.name = "b", .type = type_of(TypeKind::kChar, 2)}});
  write("good.parquet", "select '\u00e9\u00e9' as x, 'ab    ' as y");
  write("long.parquet", "select '\u00e9\u00e9e' as x, 'ab' as y");
  write("wide.parquet", "select 'x' as x, 'abc' as y");
  EXPECT_FALSE(copy(statement("good.parquet")).error);
  EXPECT_EQ(rows(), "\u00e9\u00e9|ab\n");
  const CopyReport report = copy(statement("long.parquet"));
  ASSERT_TRUE(report.error);
  EXPECT_EQ(report.error->sqlstate, "XX000");
  EXPECT_EQ(report.error->message,
            "The length of the data column a is longer than the length defined in the table. "
            "Table: 4, Data: 5, File name: s3://bucket/long.parquet");
  EXPECT_TRUE(copy(statement("wide.parquet")).error);
  EXPECT_EQ(rows("select count(*) from t"), "1\n");
  // Among several files the one that is wrong is named by its path in the store.
  EXPECT_THAT(copy(statement("")).error->message, HasSubstr("/bucket/"));
}

TEST_F(ParquetCopy, SmallintRangeIsChecked) {
  create({{.name = "a", .type = type_of(TypeKind::kSmallint)}});
  write("a.parquet", "select 40000::int as x");
  const CopyReport report = copy(statement("a.parquet"));
  ASSERT_TRUE(report.error);
  EXPECT_EQ(report.error->sqlstate, "22003");
}

TEST_F(ParquetCopy, NullInANotNullColumn) {
  create({{.name = "a", .type = type_of(TypeKind::kInteger), .nullable = false}});
  write("a.parquet", "select null::int as x");
  EXPECT_EQ(copy(statement("a.parquet")).error->sqlstate, "23502");
}

TEST_F(ParquetCopy, ManyFilesWithDifferentSchemas) {
  create({{.name = "a", .type = type_of(TypeKind::kBigint)}, {.name = "b", .type = varchar(20)}});
  for (int i = 0; i < 10; ++i) {
    write("p/" + std::to_string(i),
          fmt::format("select {}::{} as c{}, 'x{}' as other from range(100)", i,
                      i % 2 == 0 ? "bigint" : "int", i % 3, i));
  }
  const CopyReport report = copy(statement("p/"));
  ASSERT_FALSE(report.error) << detail_of(report);
  EXPECT_EQ(report.rows, 1000);
  EXPECT_EQ(report.files.size(), 10U);
  EXPECT_EQ(rows("select sum(a), count(distinct b) from t"), "4500|10\n");
}

TEST_F(ParquetCopy, ManifestNamesTheFiles) {
  create({{.name = "a", .type = type_of(TypeKind::kInteger)}});
  write("f1", "select 1 as x");
  write("f2", "select 2 as x");
  write("f3", "select 3 as x");
  const auto size = store->head("s3://bucket/f1")->size;
  put("ok.manifest",
      fmt::format(R"({{"entries":[{{"url":"s3://bucket/f1","mandatory":true,"meta":)"
                  R"({{"content_length":{},"record_count":1}}}},{{"url":"s3://bucket/gone"}},)"
                  R"({{"url":"s3://bucket/f3"}}],"author":{{"name":"x"}}}})",
                  size));
  auto copy_statement = statement("ok.manifest");
  copy_statement.manifest = true;
  const CopyReport report = copy(copy_statement);
  ASSERT_FALSE(report.error) << detail_of(report);
  EXPECT_EQ(rows("select a from t order by a"), "1\n3\n");

  const std::vector<std::pair<std::string, std::string>> bad{
      {R"({"entries":[{"url":"s3://bucket/gone","mandatory":true}]})",
       "the mandatory file s3://bucket/gone does not exist"},
      {R"({"entries":[{"url":"s3://bucket/gone"}]})", "names no file that exists"},
      {R"({"entries":[]})", "names no file that exists"},
      {R"({"entries":[{"url":"s3://bucket/f1","meta":{"content_length":5}}]})",
       "the manifest says 5"},
      {R"({"entries":[{"url":"bucket/f1"}]})", "a full object path is needed"},
      {R"({"entries":[{"url":"s3://bucket/"}]})", "a full object path is needed"},
      {R"({"entries":[{"mandatory":true}]})", "\"url\" is missing"},
      {R"({"entries":[{"url":"s3://bucket/f1","mandatory":"yes"}]})", "neither true nor false"},
      {R"({"files":[]})", "no list \"entries\""},
      {R"([1])", "no list \"entries\""},
      {"not json", "it is not JSON"},
  };
  for (const auto& [text, expected] : bad) {
    put("bad.manifest", text);
    copy_statement.source = "s3://bucket/bad.manifest";
    const CopyReport failed = copy(copy_statement);
    ASSERT_TRUE(failed.error) << text;
    EXPECT_THAT(failed.error->message, HasSubstr(expected)) << text;
  }
  copy_statement.source = "s3://bucket/none.manifest";
  EXPECT_THAT(copy(copy_statement).error->message, HasSubstr("Status 404"));
}

TEST_F(ParquetCopy, WhatIsNotThereOrNotParquet) {
  create({{.name = "a", .type = type_of(TypeKind::kInteger)}});
  EXPECT_EQ(copy(statement("none")).error->message,
            "The specified S3 prefix 's3://bucket/none' does not exist");
  put("text", "this is no parquet file at all, it only is long enough to look at");
  EXPECT_THAT(detail_of(copy(statement("text"))),
              HasSubstr("Not a valid Parquet file. File name: s3://bucket/text"));
  put("empty", "");
  const CopyReport empty = copy(statement("empty"));
  EXPECT_FALSE(empty.error);
  EXPECT_EQ(empty.rows, 0);
  auto elsewhere = statement("x");
  elsewhere.source = "file:///etc/passwd";
  EXPECT_EQ(copy(elsewhere).error->sqlstate, "0A000");
  elsewhere.source = "s3://bucket/../../etc/passwd";
  EXPECT_TRUE(copy(elsewhere).error);
}

TEST_F(ParquetCopy, AFailureFailsTheOpenBlockAndLeavesNothing) {
  create({{.name = "a", .type = varchar(3)}});
  write("p/1", "select 'abc' as x from range(5000)");
  write("p/2", "select 'abcd' as x");
  ASSERT_TRUE(connection->begin());
  EXPECT_TRUE(copy(statement("p/")).error);
  EXPECT_EQ(connection->transaction(), engine::TransactionState::kFailed);
  ASSERT_TRUE(connection->rollback());
  EXPECT_EQ(rows("select count(*) from t"), "0\n");
  ASSERT_TRUE(connection->begin());
  EXPECT_TRUE(copy(statement("none")).error);
  EXPECT_EQ(connection->transaction(), engine::TransactionState::kFailed);
  ASSERT_TRUE(connection->rollback());
  ASSERT_TRUE(connection->begin());
  EXPECT_FALSE(copy(statement("p/1")).error);
  ASSERT_TRUE(connection->rollback());
  EXPECT_EQ(rows("select count(*) from t"), "0\n");
}

TEST_F(ParquetCopy, NoLoadOnlyCounts) {
  create({{.name = "a", .type = varchar(3)}});
  write("1", "select 'abc' as x from range(50)");
  auto copy_statement = statement("1");
  copy_statement.no_load = true;
  const CopyReport report = copy(copy_statement);
  ASSERT_FALSE(report.error);
  EXPECT_EQ(report.rows, 50);
  EXPECT_EQ(rows("select count(*) from t"), "0\n");
}

TEST_F(ParquetCopy, TextOptionsAreRefused) {
  create({{.name = "a", .type = varchar(3)}});
  auto copy_statement = statement("1");
  copy_statement.delimiter = ",";
  EXPECT_EQ(copy(copy_statement).error->sqlstate, "0A000");
  copy_statement = statement("1");
  copy_statement.max_error = 5;
  EXPECT_EQ(copy(copy_statement).error->sqlstate, "0A000");
}

TEST_F(ParquetCopy, ReadsThroughScratchFilesAndFailsCleanlyAtEveryCall) {
  create({{.name = "a", .type = type_of(TypeKind::kBigint)}});
  write("p/1", "select range as x from range(20000)");
  write("p/2", "select range as x from range(20000)");
  options.scratch_directory = root_ + "/scratch";
  options.read_bytes = 16 << 10;
  int failures = 0;
  for (int n = 1;; ++n) {
    RemoteStore remote(*store, n);
    const CopyReport report = run_copy(statement("p/"), target, *connection, remote, options);
    EXPECT_TRUE(std::filesystem::is_empty(root_ + "/scratch"));
    if (!report.error) {
      EXPECT_EQ(report.rows, 40000);
      break;
    }
    ++failures;
    EXPECT_EQ(report.error->sqlstate, "58030");
    EXPECT_THAT(report.error->message, HasSubstr("the store is away"));
    EXPECT_EQ(rows("select count(*) from t"), "0\n");
  }
  EXPECT_GT(failures, 5);
  EXPECT_EQ(rows("select count(*) from t"), "40000\n");
}

}  // namespace
}  // namespace leat::transfer
