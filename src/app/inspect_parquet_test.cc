#include "app/inspect_parquet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "app/folder_test.h"
#include "columns/parquet_writer.h"

namespace leat::app {
namespace {

using ::testing::HasSubstr;

class InspectParquetTest : public FolderTest {
 protected:
  std::string file(std::string_view bytes) {
    const std::string path = folder_ + "/it's one.parquet";
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }

  static std::string three_rows() {
    columns::StringSink sink;
    columns::ParquetWriter writer(sink);
    writer.add_column({.name = "id", .type = columns::Type::kVarchar, .length = 10});
    writer.add_column({.name = "n", .type = columns::Type::kInt64});
    const std::array ids = {columns::Cell::of_text("a"), columns::Cell::of_text("b"),
                            columns::Cell::of_text("c")};
    const std::array numbers = {columns::Cell::of_integer(1), columns::Cell::of_integer(0),
                                columns::Cell::of_integer(3)};
    const std::uint64_t valid = 0b101;
    const std::array views = {columns::ColumnView{.values = ids.data()},
                              columns::ColumnView{.values = numbers.data(), .valid = &valid}};
    EXPECT_TRUE(writer.append(views, ids.size()).has_value());
    EXPECT_TRUE(writer.finish().has_value());
    return sink.take();
  }
};

TEST_F(InspectParquetTest, NamesRowsAndColumns) {
  const std::string path = file(three_rows());
  const auto text = describe_parquet(path, false);
  ASSERT_TRUE(text.has_value()) << text.error().message;
  EXPECT_THAT(*text, HasSubstr("3 rows in 1 row groups"));
  const auto json = describe_parquet(path, true);
  ASSERT_TRUE(json.has_value()) << json.error().message;
  EXPECT_THAT(*json, HasSubstr(R"("kind":"parquet","rows":3,"row_groups":1,)"));
  EXPECT_THAT(*json, HasSubstr(R"({"name":"id","type":"BYTE_ARRAY")"));
  EXPECT_THAT(*json, HasSubstr(R"("name":"n","type":"INT64")"));
  EXPECT_THAT(*json, HasSubstr(R"("nulls":1)"));
}

TEST_F(InspectParquetTest, SaysThatAFileIsCut) {
  const std::string whole = three_rows();
  const auto cut = describe_parquet(file(whole.substr(0, whole.size() / 2)), false);
  ASSERT_FALSE(cut.has_value());
  EXPECT_EQ(cut.error().code, Errc::kCorrupt);
  EXPECT_THAT(cut.error().message, HasSubstr("no sound Parquet footer"));
}

}  // namespace
}  // namespace leat::app
