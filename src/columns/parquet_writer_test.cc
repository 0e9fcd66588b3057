#include "columns/parquet_writer.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

// What the bytes mean is judged by DuckDB in tests/parquet; here: the writer's own contract.
namespace leat::columns {
namespace {

/// Fails its n-th write.
class FailingSink final : public ByteSink {
 public:
  explicit FailingSink(int fail_at) : fail_at_(fail_at) {}
  Status write(std::string_view) override {
    if (++writes_ == fail_at_) return fail(Errc::kUnavailable, "no");
    return {};
  }
  [[nodiscard]] int writes() const { return writes_; }

 private:
  int fail_at_;
  int writes_ = 0;
};

Status write_sample(ByteSink& sink) {
  ParquetWriter writer(sink, {.row_group_rows = 3, .page_rows = 64});
  writer.add_column({.name = "id", .type = Type::kVarchar, .length = 10, .nullable = false});
  const std::array cells = {Cell::of_text("a"), Cell::of_text("b"), Cell::of_text("c")};
  const ColumnView view{.values = cells.data()};
  LEAT_TRY(writer.append({&view, 1}, 3));
  writer.add_column({.name = "n", .type = Type::kInt64});
  const std::array numbers = {Cell::of_integer(1), Cell::of_integer(2), Cell::of_integer(3)};
  const std::array views = {view, ColumnView{.values = numbers.data()}};
  LEAT_TRY(writer.append(views, 3));
  LEAT_TRY(writer.finish());
  EXPECT_EQ(writer.rows(), 6U);
  return {};
}

TEST(ParquetWriter, FramesTheFileWithItsMagic) {
  StringSink sink;
  ASSERT_TRUE(write_sample(sink));
  const std::string bytes = sink.take();
  EXPECT_TRUE(bytes.starts_with("PAR1"));
  EXPECT_TRUE(bytes.ends_with("PAR1"));
}

TEST(ParquetWriter, ReportsEveryFailedWrite) {
  FailingSink counting(0);
  ASSERT_TRUE(write_sample(counting));
  ASSERT_GT(counting.writes(), 4);
  for (int n = 1; n <= counting.writes(); ++n) {
    FailingSink sink(n);
    const Status status = write_sample(sink);
    ASSERT_FALSE(status) << "write " << n;
    EXPECT_EQ(status.error().code, Errc::kUnavailable);
  }
}

TEST(ParquetWriter, RefusesNullWhereNoneMayBe) {
  StringSink sink;
  ParquetWriter writer(sink);
  writer.add_column({.name = "id", .type = Type::kInt64, .nullable = false});
  const std::uint64_t valid = 0b01;
  const std::array cells = {Cell::of_integer(1), Cell::of_integer(2)};
  const ColumnView view{.values = cells.data(), .valid = &valid};
  const Status status = writer.append({&view, 1}, 2);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Errc::kInvalid);
}

TEST(ParquetWriter, ReportsMemoryAndProgress) {
  StringSink sink;
  ParquetWriter writer(sink);
  writer.add_column({.name = "id", .type = Type::kInt64});
  EXPECT_EQ(writer.bytes_written(), 0U);
  std::vector<Cell> cells(10'000, Cell::of_integer(7));
  const ColumnView view{.values = cells.data()};
  ASSERT_TRUE(writer.append({&view, 1}, cells.size()));
  ASSERT_TRUE(writer.finish());
  EXPECT_EQ(writer.bytes_written(), sink.take().size());
}

}  // namespace
}  // namespace leat::columns
