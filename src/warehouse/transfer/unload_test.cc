#include "warehouse/transfer/unload.h"

#include <fmt/format.h>

#include <functional>
#include <map>

#include "warehouse/transfer/byte_stream.h"
#include "warehouse/transfer/copy_fixture.h"
#include "warehouse/transfer/remote_store.h"

namespace leat::transfer {
namespace {

using sql::FileCompression;
using sql::FileFormat;
using sql::TypeKind;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class UnloadTest : public CopyTest {
 protected:
  using Change = std::function<void(sql::UnloadStatement&)>;

  void SetUp() override {
    CopyTest::SetUp();
    statement.destination = "s3://bucket/out/";
    columns = {{.name = "id", .type = type_of(TypeKind::kInteger)},
               {.name = "name", .type = varchar(20)},
               {.name = "ok", .type = type_of(TypeKind::kBoolean)}};
  }

  /// "code message", or "" when all went well; the report stays in `report`.
  std::string unload(const std::string& select, io::ObjectStore* other_store = nullptr) {
    if (const auto checked = check_unload(statement, columns); !checked) {
      return checked.error().sqlstate + " " + checked.error().message;
    }
    auto query = connection->prepare(select);
    if (!query) return query.error().sqlstate + " " + query.error().message;
    io::ObjectStore& into = other_store == nullptr ? *store : *other_store;
    report = run_unload(statement, columns, *query, into, unload_options);
    return report.error ? report.error->sqlstate + " " + report.error->message : std::string();
  }

  std::string content(const std::string& key,
                      FileCompression compression = FileCompression::kNone) {
    auto stream = open_object(*store, "s3://bucket/" + key, compression, 1 << 20);
    std::string out;
    std::array<char, 4096> piece{};
    for (;;) {
      const auto got = stream->read(piece);
      if (!got) return got.error().message;
      if (*got == 0) return out;
      out.append(piece.data(), *got);
    }
  }

  std::vector<std::string> keys() {
    std::vector<std::string> out;
    const auto page = store->list("s3://bucket/", {});
    if (!page) return {page.error().message};
    for (const io::ObjectInfo& object : page->objects) {
      out.push_back(object.uri.substr(std::string_view("s3://bucket/").size()));
    }
    return out;
  }

  std::string parquet(const std::string& key, const std::string& select = "*") {
    return rows(fmt::format("select {} from read_parquet({})", select,
                            engine::quote_literal(root_ + "/store/bucket/" + key)));
  }

  sql::UnloadStatement statement;
  std::vector<UnloadColumn> columns;
  UnloadOptions unload_options;
  UnloadReport report;
};

constexpr std::string_view kRows =
    "select * from (values (1, 'a|b\\\"', true), (2, null, false), (null, 'c,\nd', null)) "
    "t(id, name, ok)";

TEST_F(UnloadTest, TextFormats) {
  const std::vector<std::pair<Change, std::string>> table{
      {[](auto&) {}, "1|a|b\\\"|t\n2||f\n|c,\nd|\n"},
      {[](auto& s) { s.null_as = "NIL"; }, "1|a|b\\\"|t\n2|NIL|f\nNIL|c,\nd|NIL\n"},
      {[](auto& s) { s.escape = true; }, "1|a\\|b\\\\\"|t\n2||f\n|c,\\\nd|\n"},
      {[](auto& s) { s.escape = s.add_quotes = true; },
       "\"1\"|\"a\\|b\\\\\\\"\"|\"t\"\n\"2\"||\"f\"\n|\"c,\\\nd\"|\n"},
      {[](auto& s) {
         s.delimiter = "\t";
         s.header = true;
       },
       "id\tname\tok\n1\ta|b\\\"\tt\n2\t\tf\n\tc,\nd\t\n"},
      {[](auto& s) {
         s.format = FileFormat::kCsv;
         s.header = true;
       },
       "id,name,ok\n1,\"a|b\\\"\"\",t\n2,,f\n,\"c,\nd\",\n"},
      {[](auto& s) {
         s.format = FileFormat::kFixedWidth;
         s.fixed_width = "a:3,b:6,c:1";
       },
       "1  a|b\\\" t\n2        f\n   c,\nd   \n"},
      {[](auto& s) { s.format = FileFormat::kJson; },
       "{\"id\":1,\"name\":\"a|b\\\\\\\"\",\"ok\":true}\n{\"id\":2,\"name\":null,\"ok\":false}\n"
       "{\"id\":null,\"name\":\"c,\\nd\",\"ok\":null}\n"},
  };
  for (const auto& [change, expected] : table) {
    statement = {};
    statement.destination = "s3://bucket/out/";
    statement.allow_overwrite = true;
    change(statement);
    EXPECT_EQ(unload(std::string(kRows)), "");
    EXPECT_EQ(content("out/0000_part_00"), expected);
    EXPECT_EQ(report.rows, 3);
  }
  EXPECT_THAT(keys(), ElementsAre("out/0000_part_00"));
  EXPECT_THAT(report.notices, ElementsAre("UNLOAD completed, 3 record(s) unloaded successfully."));
}

TEST_F(UnloadTest, CompressesAndNamesFiles) {
  const std::vector<std::pair<FileCompression, std::string>> table{{FileCompression::kGzip, "gz"},
                                                                   {FileCompression::kBzip2, "bz2"},
                                                                   {FileCompression::kZstd, "zst"}};
  columns = {{.name = "n", .type = type_of(TypeKind::kBigint)}};
  std::string expected;
  for (int i = 0; i < 100000; ++i) expected += std::to_string(i) + "\n";
  for (const auto& [compression, extension] : table) {
    statement.compression = compression;
    statement.parallel = false;
    EXPECT_EQ(unload("select range from range(100000)"), "");
    EXPECT_EQ(content("out/000." + extension, compression), expected) << extension;
    EXPECT_LT(report.files[0].bytes, expected.size() / 2);
  }
  statement.compression = FileCompression::kNone;
  statement.extension = "txt";
  EXPECT_EQ(unload("select 1"), "");
  EXPECT_EQ(content("out/000.txt"), "1\n");
}

TEST_F(UnloadTest, ParquetReadsBackAsItWas) {
  statement.format = FileFormat::kParquet;
  columns.clear();
  const std::string select =
      "select i % 2 = 0 as a, i::smallint as b, i::integer as c, i::bigint as d, i::float as e, "
      "i / 3.0::double as f, (i / 7.0)::decimal(12,3) as g, (i * 1e20)::decimal(38,4) as h, 'v' || "
      "i as i, date '2026-11-20' + i::integer as j, timestamp '2026-11-20 01:02:03.456789' + "
      "to_seconds(i) as k, case when i % 3 = 0 then null else i end as l, md5(i::varchar) as m, "
      "case when i % 5 <> 0 "
      "then 'a text of more than twelve bytes, ' || i % 700 end as n, (i % 999)::decimal(4,1) as "
      "o, (i / 7.0)::decimal(9,2) as p from range(30000) t(i)";
  for (const auto& [name, kind] :
       std::initializer_list<std::pair<const char*, TypeKind>>{{"a", TypeKind::kBoolean},
                                                               {"b", TypeKind::kSmallint},
                                                               {"c", TypeKind::kInteger},
                                                               {"d", TypeKind::kBigint},
                                                               {"e", TypeKind::kReal},
                                                               {"f", TypeKind::kDouble},
                                                               {"g", TypeKind::kDecimal},
                                                               {"h", TypeKind::kDecimal},
                                                               {"i", TypeKind::kVarchar},
                                                               {"j", TypeKind::kDate},
                                                               {"k", TypeKind::kTimestamp},
                                                               {"l", TypeKind::kBigint},
                                                               {"m", TypeKind::kVarchar},
                                                               {"n", TypeKind::kVarchar},
                                                               {"o", TypeKind::kDecimal},
                                                               {"p", TypeKind::kDecimal}}) {
    columns.push_back({.name = name, .type = type_of(kind)});
  }
  const auto expect_same = [&](const std::string& pattern) {
    const std::string file = "read_parquet(" +
                             engine::quote_literal(root_ + "/store/bucket/out/" + pattern) +
                             ", hive_partitioning = false)";
    EXPECT_EQ(rows("select count(*) from " + file), "30000\n");
    EXPECT_EQ(rows("(" + select + ") except (select * from " + file + ")"), "");
    EXPECT_EQ(rows("(select * from " + file + ") except (" + select + ")"), "");
  };
  EXPECT_EQ(unload(select), "");
  EXPECT_THAT(keys(), ElementsAre("out/0000_part_00.parquet"));
  expect_same("0000_part_00.parquet");
  statement.partition_by = {"a"};
  statement.partition_include = true;
  EXPECT_EQ(unload(select), "");
  expect_same("a=*/0000_part_00.parquet");
}

TEST_F(UnloadTest, RollsFilesAtTheirSize) {
  columns = {{.name = "n", .type = type_of(TypeKind::kBigint)}};
  unload_options.file_bytes_max = 20000;
  statement.manifest = true;
  EXPECT_EQ(unload("select 100000 + range from range(10000)"), "");
  EXPECT_THAT(keys(), ElementsAre("out/0000_part_00", "out/0000_part_01", "out/0000_part_02",
                                  "out/0000_part_03", "out/manifest"));
  std::string all;
  std::int64_t total = 0;
  for (const UnloadedFile& file : report.files) {
    EXPECT_LE(file.bytes, 22000U);
    total += file.rows;
    all += content(file.file.substr(std::string_view("s3://bucket/").size()));
  }
  EXPECT_EQ(total, 10000);
  EXPECT_EQ(all.size(), 70000U);
  EXPECT_TRUE(all.starts_with("100000\n100001\n"));
  EXPECT_TRUE(all.ends_with("109999\n"));
}

TEST_F(UnloadTest, PartitionsAndManifest) {
  statement.destination = "s3://bucket/p";
  statement.partition_by = {"NAME", "ok"};
  statement.manifest = statement.manifest_verbose = true;
  EXPECT_EQ(unload("select * from (values (1, 'x/y', true), (2, null, false), (3, 'x/y', true)) "
                   "t(id, name, ok)"),
            "");
  EXPECT_THAT(keys(),
              ElementsAre("p/manifest", "p/name=__HIVE_DEFAULT_PARTITION__/ok=f/0000_part_00",
                          "p/name=x%2Fy/ok=t/0000_part_00"));
  EXPECT_EQ(content("p/name=x%2Fy/ok=t/0000_part_00"), "1\n3\n");
  const std::string manifest = content("p/manifest");
  EXPECT_THAT(manifest,
              HasSubstr("{\"url\":\"s3://bucket/p/name=x%2Fy/ok=t/0000_part_00\",\"meta\":"
                        "{\"content_length\":4,\"record_count\":2}}"));
  EXPECT_THAT(manifest, HasSubstr("\"schema\": {\"elements\": [\n    {\"name\":\"id\",\"type\":{"
                                  "\"base\":\"integer\"}}\n  ]}"));
  EXPECT_THAT(manifest, HasSubstr("\"meta\": {\"content_length\":6,\"record_count\":3}"));
  statement.partition_include = statement.allow_overwrite = true;
  EXPECT_EQ(unload("select 1 as id, 'a' as name, true as ok"), "");
  EXPECT_EQ(content("p/name=a/ok=t/0000_part_00"), "1|a|t\n");
}

// More partitions than files may be open at the same time.
TEST_F(UnloadTest, ManyPartitions) {
  columns = {{.name = "n", .type = type_of(TypeKind::kBigint)},
             {.name = "part", .type = type_of(TypeKind::kBigint)}};
  statement.partition_by = {"part"};
  unload_options.open_files_max = 3;
  EXPECT_EQ(unload("select range, range % 10 from range(5000)"), "");
  std::map<std::string, std::int64_t> by_folder;
  for (const UnloadedFile& file : report.files) {
    by_folder[file.file.substr(0, file.file.rfind('/'))] += file.rows;
  }
  EXPECT_EQ(by_folder.size(), 10U);
  for (const auto& [folder, count] : by_folder) EXPECT_EQ(count, 500) << folder;
}

TEST_F(UnloadTest, WhatIsThereAlready) {
  columns = {{.name = "n", .type = type_of(TypeKind::kBigint)}};
  EXPECT_EQ(unload("select 1"), "");
  EXPECT_THAT(unload("select 2"), HasSubstr("destination on S3 is not empty"));
  EXPECT_EQ(content("out/0000_part_00"), "1\n");
  put("out/old", "x");
  put("elsewhere", "x");
  statement.allow_overwrite = true;
  EXPECT_EQ(unload("select 3"), "");
  EXPECT_EQ(content("out/0000_part_00"), "3\n");
  EXPECT_THAT(keys(), ElementsAre("elsewhere", "out/0000_part_00", "out/old"));
  statement.allow_overwrite = false;
  statement.clean_path = true;
  EXPECT_EQ(unload("select 4"), "");
  EXPECT_EQ(content("out/0000_part_00"), "4\n");
  EXPECT_THAT(keys(), ElementsAre("elsewhere", "out/0000_part_00"));
}

TEST_F(UnloadTest, RowGroupsAreMeasuredInBytes) {
  statement.format = FileFormat::kParquet;
  statement.allow_overwrite = true;
  columns = {{.name = "n", .type = varchar(2000)}};
  const std::string count =
      "select count(distinct row_group_id) from parquet_metadata(" +
      engine::quote_literal(root_ + "/store/bucket/out/0000_part_00.parquet") + ")";
  const std::string forty_megabytes =
      "select repeat(md5(range::varchar), 32) as n from range(40000)";
  EXPECT_EQ(unload(forty_megabytes), "");
  EXPECT_EQ(rows(count), "2\n");
  statement.row_group_size_mb = 64;
  EXPECT_EQ(unload(forty_megabytes), "");
  EXPECT_EQ(rows(count), "1\n");
}

TEST_F(UnloadTest, RefusesTypesThatAFormatCannotHold) {
  const struct {
    FileFormat format;
    TypeKind kind;
    bool as_partition;
  } cases[] = {{FileFormat::kParquet, TypeKind::kVarbyte, false},
               {FileFormat::kParquet, TypeKind::kTime, false},
               {FileFormat::kJson, TypeKind::kVarbyte, false},
               {FileFormat::kFixedWidth, TypeKind::kVarbyte, false},
               {FileFormat::kCsv, TypeKind::kVarbyte, true},
               {FileFormat::kCsv, TypeKind::kIntervalDayToSecond, true},
               {FileFormat::kCsv, TypeKind::kSuper, true}};
  for (const auto& c : cases) {
    statement = {};
    statement.destination = "s3://bucket/out/";
    statement.format = c.format;
    statement.fixed_width = c.format == FileFormat::kFixedWidth ? "a:4,n:4" : "";
    columns = {{.name = "a", .type = type_of(c.kind)},
               {.name = "n", .type = type_of(TypeKind::kBigint)}};
    if (c.as_partition) statement.partition_by = {"a"};
    EXPECT_EQ(unload("select 'x' as a, 1 as n").substr(0, 5), "0A000");
  }
  EXPECT_THAT(keys(), IsEmpty());
}

TEST_F(UnloadTest, AWideNullTextIsLeftOutOfNumbersAndRefusedInTexts) {
  statement.format = FileFormat::kFixedWidth;
  statement.fixed_width = "id:2,name:5,ok:1";
  statement.null_as = "NIL";
  EXPECT_EQ(unload("select null::integer as id, 'x' as name, null::boolean as ok"), "");
  EXPECT_EQ(content("out/0000_part_00"), "  x     \n");
  statement.allow_overwrite = true;
  statement.fixed_width = "id:2,name:2,ok:1";
  EXPECT_EQ(unload("select 1 as id, null::varchar as name, true as ok").substr(0, 5), "22001");
}

TEST_F(UnloadTest, LeavesEncryptionToTheStore) {
  columns = {{.name = "n", .type = type_of(TypeKind::kBigint)}};
  statement.encrypted = true;
  EXPECT_EQ(unload("select 1"), "");
  EXPECT_EQ(content("out/0000_part_00"), "1\n");
}

TEST_F(UnloadTest, RefusesWhatDoesNotGoTogether) {
  const std::vector<std::pair<Change, std::string>> table{
      {[](auto& s) { s.kms_key_id = "k"; }, "0A000"},
      {[](auto& s) { s.master_symmetric_key = "k"; }, "0A000"},
      {[](auto& s) { s.allow_overwrite = s.clean_path = true; }, "42601"},
      {[](auto& s) { s.max_file_size_mb = 1; }, "42601"},
      {[](auto& s) { s.row_group_size_mb = 32; }, "42601"},
      {[](auto& s) {
         s.format = FileFormat::kParquet;
         s.row_group_size_mb = 31;
       },
       "42601"},
      {[](auto& s) {
         s.format = FileFormat::kParquet;
         s.row_group_size_mb = 129;
       },
       "42601"},
      {[](auto& s) {
         s.format = FileFormat::kParquet;
         s.header = true;
       },
       "42601"},
      {[](auto& s) {
         s.format = FileFormat::kCsv;
         s.escape = true;
       },
       "42601"},
      {[](auto& s) {
         s.format = FileFormat::kFixedWidth;
         s.fixed_width = "a:1,b:2";
       },
       "42601"},
      {[](auto& s) {
         s.format = FileFormat::kFixedWidth;
         s.fixed_width = "a:1,b:x,c:2";
       },
       "42601"},
      {[](auto& s) { s.partition_by = {"nope"}; }, "42703"},
      {[](auto& s) { s.partition_by = {"id", "name", "ok"}; }, "42601"},
      {[](auto& s) { s.destination = "file:///x"; }, "22023"},
  };
  for (const auto& [change, expected] : table) {
    statement = {};
    statement.destination = "s3://bucket/out/";
    change(statement);
    EXPECT_EQ(unload(std::string(kRows)).substr(0, 5), expected);
  }
  EXPECT_THAT(keys(), IsEmpty());
  statement = {};
  statement.destination = "s3://bucket/out/";
  statement.format = FileFormat::kFixedWidth;
  statement.fixed_width = "a:3,b:3,c:1";
  EXPECT_EQ(unload(std::string(kRows)),
            "22001 value of column \"name\" has 5 characters, its fixed width is 3");
  EXPECT_THAT(keys(), IsEmpty());
}

TEST_F(UnloadTest, FailsCleanlyAtEveryCallOfTheStore) {
  columns = {{.name = "n", .type = type_of(TypeKind::kBigint)}};
  unload_options.file_bytes_max = 20000;
  statement.manifest = true;
  int failures = 0;
  for (int n = 1;; ++n) {
    RemoteStore remote(*store, n);
    const std::string error = unload("select 100000 + range from range(10000)", &remote);
    if (error.empty()) break;
    ++failures;
    EXPECT_THAT(error, HasSubstr("the store is away"));
    EXPECT_THAT(keys(), IsEmpty());
    EXPECT_EQ(report.rows, 0);
  }
  EXPECT_EQ(failures, 5);
  EXPECT_EQ(keys().size(), 5U);
}

// An error of the query's later rows leaves no file either.
TEST_F(UnloadTest, AFailingQueryLeavesNothing) {
  columns = {{.name = "n", .type = type_of(TypeKind::kBigint)}};
  unload_options.file_bytes_max = 20000;
  EXPECT_THAT(unload("select case when range = 99999 then error('22012: division by zero') else "
                     "range end from range(100000)"),
              HasSubstr("22012"));
  EXPECT_THAT(keys(), IsEmpty());
}

}  // namespace
}  // namespace leat::transfer
