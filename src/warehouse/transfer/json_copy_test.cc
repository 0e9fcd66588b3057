#include "warehouse/transfer/avro_stream.h"
#include "warehouse/transfer/copy_fixture.h"
#include "warehouse/transfer/json_reader.h"

namespace leat::transfer {
namespace {

using sql::TypeKind;
using ::testing::HasSubstr;

class JsonCopy : public FileCopyTest {
 protected:
  void SetUp() override {
    CopyTest::SetUp();
    create({{.name = "id", .type = type_of(TypeKind::kInteger)},
            {.name = "name", .type = varchar(40)},
            {.name = "price", .type = type_of(TypeKind::kDecimal, -1, 8, 2)},
            {.name = "more", .type = type_of(TypeKind::kSuper)}});
  }

  std::string load(std::string_view bytes, const Change& change = {}) {
    return load_file(bytes, sql::FileFormat::kJson, change);
  }
  std::string load_paths(std::string_view bytes, const std::string& paths) {
    put("paths.json", paths);
    return load(bytes, [](auto& s) { s.format_argument = "s3://bucket/paths.json"; });
  }
};

TEST_F(JsonCopy, Auto) {
  EXPECT_EQ(load(R"({"id": 1, "name": "one", "price": 1.255, "more": {"a": [1, "x"]}, "other": 5}
{"name":"t\u00fc\n\"q\"","id":2}{"id":null}

{
  "id": "4",
  "more": [ 1 ]
}
)"),
            "1|one|1.25|{\"a\":[1,\"x\"]}\n2|t\u00fc\n\"q\"|NULL|NULL\nNULL|NULL|NULL|NULL\n4|NULL|"
            "NULL|[1]\n");
  EXPECT_EQ(report.rows, 4);
  EXPECT_EQ(load(R"({"id":1,"id":2,"ID":3})"), "2|NULL|NULL|NULL\n");
  EXPECT_EQ(load(R"({"Id":1,"NAME":"x"})", [](auto& s) { s.format_argument = "auto ignorecase"; }),
            "1|x|NULL|NULL\n");
  EXPECT_EQ(load(R"({"name": {"a": [1, 2.5, true, null]}})"),
            "NULL|{\"a\":[1,2.5,true,null]}|NULL|NULL\n");
  EXPECT_EQ(load(R"({"name": 12.5, "more": "text"}{"name": true, "more": 7})"),
            "NULL|12.5|NULL|\"text\"\nNULL|true|NULL|7\n");
  EXPECT_EQ(load(R"({"id": "", "name": ""})"), "NULL||NULL|NULL\n");
  EXPECT_EQ(load(R"({"id": "", "name": ""})", [](auto& s) { s.empty_as_null = true; }),
            "NULL|NULL|NULL|NULL\n");
  EXPECT_EQ(load("header\nheader\n{\"id\":1}", [](auto& s) { s.ignore_header = 2; }),
            "1|NULL|NULL|NULL\n");
  EXPECT_EQ(load(""), "");
  EXPECT_EQ(load("  \n \n"), "");
}

TEST_F(JsonCopy, Errors) {
  EXPECT_EQ(load("{\"id\":1}\n{\"id\":\"x\",\n\"name\":\"y\"}\n"),
            "3:id:1207 Invalid digit, Value 'x', Pos 0, Type: Integer\n");
  EXPECT_EQ(report.errors[0].raw_field_value, "x");
  EXPECT_EQ(report.errors[0].raw_line, "{\"id\":\"x\",.\"name\":\"y\"}");
  EXPECT_THAT(load("{\"id\":01}"), HasSubstr("1::1216 Invalid JSON"));
  EXPECT_THAT(load("[{\"id\":1}]"), HasSubstr("1::1216 Invalid JSON: an object was expected"));
  EXPECT_THAT(load("{\"id\":1"), HasSubstr("1216 Invalid JSON: the object is not closed"));
  EXPECT_THAT(load("{\"name\":\"\xff\"}"), HasSubstr("1216 Invalid JSON"));
  EXPECT_THAT(load("{\"name\":\"" + std::string(50, 'x') + "\"}"),
              HasSubstr("1:name:1204 String length exceeds DDL length"));
  const auto tolerant = [](auto& s) { s.max_error = 10; };
  EXPECT_EQ(load("garbage here\n{\"id\":1}\nmore garbage {\"id\":2}\n{\"id\":3}x\n", tolerant),
            "1|NULL|NULL|NULL\n3|NULL|NULL|NULL\n");
  EXPECT_EQ(report.error_count, 3);
  EXPECT_EQ(report.errors[1].line_number, 3);
}

TEST_F(JsonCopy, ObjectsLongerThanTheLimitCostOneRow) {
  options.row_bytes_max = 100000;
  const auto tolerant = [](auto& s) { s.max_error = 10; };
  const std::string large =
      "{\"id\":1}\n{\"name\":\"" + std::string(900000, '{') + "\"}\n{\"id\":3}\n";
  EXPECT_EQ(load(large, tolerant), "1|NULL|NULL|NULL\n3|NULL|NULL|NULL\n");
  EXPECT_EQ(report.error_count, 1);
  EXPECT_EQ(report.errors[0].line_number, 2);
  // Never closed: everything behind it is part of it, read once.
  std::string open;
  for (int i = 0; i < 200000; ++i) open += "{\n";
  EXPECT_EQ(load("{\"id\":1}\n" + open, tolerant), "1|NULL|NULL|NULL\n");
  EXPECT_EQ(report.error_count, 1);
}

TEST_F(JsonCopy, Paths) {
  const std::string paths = R"({"jsonpaths": ["$.key", "$['deep']['name']", "$.list[1]", "$"]})";
  EXPECT_THAT(load_paths("{}", paths), HasSubstr("NULL|NULL"));
  EXPECT_EQ(load_paths(R"({"key": 1, "deep": {"name": "x"}, "list": [1, 2.5]})", paths),
            "1|x|2.50|{\"key\":1,\"deep\":{\"name\":\"x\"},\"list\":[1,2.5]}\n");
  EXPECT_EQ(
      load_paths(R"([5, "a", 1, null][6])", R"({"jsonpaths": ["$[0]", "$[1]", "$[2]", "$[3]"]})"),
      "1:name:1216 Invalid JSONPath format: Not an array or index out of range.\n");
  EXPECT_EQ(load_paths(R"({"deep": 5})", paths),
            "1:name:1216 Invalid JSONPath format: Member is not an object.\n");
  // Another name than jsonpaths: as with 'auto'.
  EXPECT_EQ(load_paths(R"({"id": 7})", R"({"paths": []})"), "7|NULL|NULL|NULL\n");
  for (const char* bad :
       {R"({"jsonpaths": ["$.a"]})", R"({"jsonpaths": "x"})", "[]", "nothing",
        R"({"jsonpaths": ["$.a", "$.b", "$.c", ""]})", R"({"jsonpaths": ["$.a", "$.b", "$.c", 5]})",
        R"({"jsonpaths": ["$.a", "$.b", "$.c", "$.*"]})",
        R"({"jsonpaths": ["$.a", "$.b", "$.c", "$.a['b']"]})",
        R"({"jsonpaths": ["$.a", "$.b", "$.c", "a.b"]})",
        R"({"jsonpaths": ["$.a", "$.b", "$.c", "$['a'"]})",
        R"({"jsonpaths": ["$.a", "$.b", "$.c", "$[x]"]})"}) {
    EXPECT_EQ(load_paths("{}", bad).substr(0, 5), "XX000") << bad;
  }
  EXPECT_THAT(load("{}", [](auto& s) { s.format_argument = "s3://bucket/none"; }),
              HasSubstr("Status 404"));
}

TEST_F(JsonCopy, NoShred) {
  const auto whole = [](auto& s) {
    s.format_argument = "noshred";
    s.columns = {"more"};
  };
  EXPECT_EQ(load("{\"a\": 1}\n[1, 2]\n", whole),
            "NULL|NULL|NULL|{\"a\":1}\nNULL|NULL|NULL|[1,2]\n");
  EXPECT_EQ(load("{}", [](auto& s) { s.format_argument = "noshred"; }).substr(0, 5), "42601");
}

TEST_F(JsonCopy, OptionsThatAreNotForJson) {
  EXPECT_EQ(load("{}", [](auto& s) { s.delimiter = ","; }).substr(0, 5), "42601");
  EXPECT_EQ(load("{}", [](auto& s) { s.null_as = "x"; }).substr(0, 5), "42601");
  EXPECT_EQ(load("{}", [](auto& s) { s.fill_record = true; }).substr(0, 5), "42601");
}

TEST_F(JsonCopy, ValuesAcrossBufferEnds) {
  std::string bytes;
  for (int i = 0; i < 3000; ++i) {
    bytes += fmt::format("{{\"id\": {}, \"more\": \"{}\\\"{{\"}}", i,
                         std::string(static_cast<std::size_t>(i % 700), 'x'));
    bytes += i % 3 == 0 ? "\n" : " ";
  }
  options.read_bytes = 777;
  load(bytes);
  ASSERT_FALSE(report.error) << report.error->message;
  EXPECT_EQ(rows("select count(*), sum(id) from t"), "3000|4498500\n");
}

std::unique_ptr<ByteStream> avro(std::string bytes) {
  return open_avro_as_json(open_bytes(std::move(bytes), sql::FileCompression::kNone));
}

// The files were written by fastavro.
TEST_F(JsonCopy, AvroFiles) {
  for (const std::string codec : {"null", "deflate", "snappy"}) {
    const auto change = [](auto& s) {
      s.format = sql::FileFormat::kAvro;
      s.format_argument = "auto ignorecase";
    };
    EXPECT_EQ(
        load(testdata("orders_" + codec + ".avro"), change),
        "-2|name 0 name name name name|0.25|{\"tags\":[],\"counts\":{\"x\":0},\"state\":\"NEW\","
        "\"flag\":true,\"code\":\"ab\",\"next\":null,\"f\":0.5,\"raw\":\"raw\"}\n"
        "-1|name 1 name name name name|1.25|{\"tags\":[\"a\\\"b\"],\"counts\":{\"x\":-1},"
        "\"state\":\"DONE\",\"flag\":false,\"code\":\"ab\",\"next\":{\"tags\":[\"a\\\"b\","
        "\"t\u00fc\"],\"counts\":{\"x\":-2},\"state\":\"NEW\",\"flag\":true,\"code\":\"ab\","
        "\"next\":null,\"f\":0.5,\"raw\":\"raw\"},\"f\":0.5,\"raw\":\"raw\"}\n"
        "0|name 2 name name name "
        "name|2.25|{\"tags\":[\"a\\\"b\",\"t\u00fc\"],\"counts\":{\"x\":-2},"
        "\"state\":\"NEW\",\"flag\":true,\"code\":\"ab\",\"next\":null,\"f\":0.5,\"raw\":\"raw\"}\n"
        "1|NULL|3.25|{\"tags\":[],\"counts\":{\"x\":-3},\"state\":\"DONE\",\"flag\":false,"
        "\"code\":\"ab\",\"next\":null,\"f\":0.5,\"raw\":\"raw\"}\n"
        "2|name 4 name name name name|4.25|{\"tags\":[\"a\\\"b\"],\"counts\":{\"x\":-4},"
        "\"state\":\"NEW\",\"flag\":true,\"code\":\"ab\",\"next\":null,\"f\":0.5,\"raw\":\"raw\"}"
        "\n")
        << codec;
    EXPECT_EQ(report.rows, 5);
  }
}

TEST_F(JsonCopy, AvroByPaths) {
  put("paths.json", R"({"jsonpaths": ["$.id", "$.more.state", "$.more.counts.x", "$.more.tags"]})");
  EXPECT_THAT(load(testdata("orders_null.avro"),
                   [](auto& s) {
                     s.format = sql::FileFormat::kAvro;
                     s.format_argument = "s3://bucket/paths.json";
                   }),
              HasSubstr("-1|DONE|-1.00|[\"a\\\"b\"]\n"));
}

TEST_F(JsonCopy, AvroThatIsBroken) {
  const std::string whole = testdata("orders_snappy.avro");
  ASSERT_TRUE(drained(avro(whole)));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    // Between its header and its only block a file may end.
    const auto made = drained(avro(whole.substr(0, size)));
    EXPECT_TRUE(!made || made->empty()) << size;
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string other = whole;
    other[at] = static_cast<char>(other[at] ^ 0x11);
    static_cast<void>(drained(avro(std::move(other))));
  }
  const auto change = [](auto& s) { s.format = sql::FileFormat::kAvro; };
  EXPECT_THAT(load("{\"id\": 1}", change), HasSubstr("XX000 The file is not valid Avro"));
  EXPECT_THAT(load("{\"id\": 1}",
                   [](auto& s) {
                     s.format = sql::FileFormat::kAvro;
                     s.ignore_header = 1;
                   }),
              HasSubstr("42601"));
}

}  // namespace
}  // namespace leat::transfer
