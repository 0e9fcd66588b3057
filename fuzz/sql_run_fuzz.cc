// Expressions of Redshift's functions, operators and casts over small tables, translated and run:
// no internal error, crash or hang, and no message that names the engine or its functions. Input:
// the choices of a generator, one byte each; when they are used up, it takes the simplest.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/time.h"
#include "warehouse/session/warehouse.h"
#include "warehouse/sql/function_table.h"

namespace {

using namespace std::string_view_literals;

constexpr std::array kColumns{"i"sv,  "s"sv,  "b"sv,  "d"sv,   "f"sv,  "r"sv,  "bo"sv, "c"sv, "v"sv,
                              "da"sv, "ti"sv, "tz"sv, "ttz"sv, "ts"sv, "su"sv, "vb"sv, "iv"sv};
constexpr std::array kLiterals{"1"sv,
                               "NULL"sv,
                               "0"sv,
                               "-1"sv,
                               "2147483647"sv,
                               "9223372036854775807"sv,
                               "1.5"sv,
                               "12345678901234567890.123"sv,
                               "1e300"sv,
                               "'abc'"sv,
                               "''"sv,
                               "'é'"sv,
                               "'-7'"sv,
                               "'2008-01-31'"sv,
                               "'day'"sv,
                               "'YYYY-MM-DD'"sv,
                               "'99.9'"sv,
                               "'{\"a\":1}'"sv,
                               "'[1,2]'"sv,
                               "'('"sv,
                               "'%'"sv,
                               "'US/Pacific'"sv,
                               "true"sv,
                               "date '2008-01-31'"sv,
                               "timestamp '2008-01-31 10:00'"sv,
                               "time '10:00'"sv,
                               "interval '1 day'"sv,
                               "timestamptz '2008-01-31 10:00+00'"sv,
                               "'hex'"sv,
                               "getdate()"sv,
                               "array(1, 2)"sv,
                               "json_parse('[1]')"sv,
                               "'abc'::varbyte"sv,
                               "1::smallint"sv,
                               "2.5::real"sv,
                               "'x'::char(3)"sv};
constexpr std::array kTypes{
    "int"sv,     "bigint"sv,     "smallint"sv,    "decimal(10,2)"sv, "float8"sv,  "real"sv,
    "varchar"sv, "varchar(5)"sv, "char(3)"sv,     "boolean"sv,       "date"sv,    "time"sv,
    "timetz"sv,  "timestamp"sv,  "timestamptz"sv, "super"sv,         "varbyte"sv, "interval"sv};
constexpr std::array kOperators{"+"sv, "-"sv,   "*"sv,  "/"sv,    "%"sv, "||"sv, "="sv, "<>"sv,
                                "<"sv, "and"sv, "or"sv, "like"sv, "^"sv, "&"sv,  "#"sv, "~"sv};
/// What no message may hold.
constexpr std::array kLeaks{"leat_"sv,
                            "duckdb"sv,
                            "DuckDB"sv,
                            "_LITERAL"sv,
                            " Error:"sv,
                            "INTERNAL"sv,
                            "internal error"sv,
                            "lambda"sv,
                            "STRUCT("sv,
                            "Macro "sv,
                            "does not support the supplied"sv};
constexpr std::string_view kMade =
    "create table t(i int, s smallint, b bigint, d decimal(10,2), f float8, r real, bo boolean, "
    "c char(5), v varchar(50), da date, ti time, tz timestamptz, ttz timetz, ts timestamp, "
    "su super, vb varbyte(20), iv interval day to second);"
    "insert into t select 1, 2, 3, 4.5, 5.5, 6.5, true, 'abc', 'héllo', date '2008-02-29', "
    "time '10:11:12', timestamptz '2008-02-29 10:11:12+00', timetz '10:11:12+02', "
    "timestamp '2008-02-29 10:11:12.345', "
    "json_parse('{\"a\":[1,{\"b\":\"x\"}],\"c\":null}'), "
    "'abc'::varbyte, interval '1 day 2 hours';"
    "insert into t(i) values (null);"
    "create table e as select * from t where 1 = 2";

class Generator {
 public:
  explicit Generator(std::span<const std::uint8_t> choices) : choices_(choices) {}

  std::string statement() {
    const bool empty = pick(4) == 3;
    return "select " + expression(3) + " from " + (empty ? "e" : "t");
  }

 private:
  std::size_t pick(std::size_t count) {
    if (at_ >= choices_.size()) return 0;
    std::size_t value = choices_[at_++];
    if (count > 256 && at_ < choices_.size()) value = value * 256 + choices_[at_++];
    return value % count;
  }
  template <std::size_t kSize>
  std::string one_of(const std::array<std::string_view, kSize>& texts) {
    return std::string(texts[pick(kSize)]);
  }

  std::string expression(int depth) {
    const std::size_t kind = depth <= 0 ? pick(2) : pick(10);
    switch (kind) {
      case 0:
        return one_of(kLiterals);
      case 1:
        return one_of(kColumns);
      case 2:
      case 3:
      case 4:
      case 5:
        return call(depth);
      case 6:
        return "(" + expression(depth - 1) + " " + one_of(kOperators) + " " +
               expression(depth - 1) + ")";
      case 7:
        return "(" + expression(depth - 1) + ")::" + one_of(kTypes);
      case 8:
        return "case when " + expression(depth - 1) + " then " + expression(depth - 1) + " else " +
               expression(depth - 1) + " end";
      default:
        return "(" + expression(depth - 1) + " in (" + expression(depth - 1) + ", " +
               expression(depth - 1) + "))";
    }
  }

  std::string call(int depth) {
    const auto table = leat::sql::function_table();
    const leat::sql::FunctionEntry& entry = table[pick(table.size())];
    // These end or fill sessions, or give rows without end.
    for (const std::string_view left_out :
         {"pg_terminate_backend"sv, "pg_cancel_backend"sv, "generate_series"sv, "unnest"sv}) {
      if (entry.name == left_out) return one_of(kLiterals);
    }
    const int most = entry.arguments_max < 0 ? entry.arguments_min + 3 : entry.arguments_max;
    const auto more = static_cast<std::size_t>(most - entry.arguments_min);
    const std::size_t count = static_cast<std::size_t>(entry.arguments_min) + pick(more + 1);
    std::string text(entry.name);
    for (std::size_t i = 0; i < count; ++i) text += (i == 0 ? "(" : ", ") + expression(depth - 1);
    text += count == 0 ? "()" : ")";
    if (entry.group == "Window" || (entry.group == "Aggregate" && pick(4) == 3))
      text += pick(2) == 0 ? " over ()" : " over (order by i rows unbounded preceding)";
    return text;
  }

  std::span<const std::uint8_t> choices_;
  std::size_t at_ = 0;
};

class Silent final : public leat::session::ResultSink {
 public:
  bool on_fields(std::span<const leat::session::Field>) override { return true; }
  bool on_rows(const leat::engine::Chunk&, std::size_t, std::size_t) override { return true; }
  bool on_complete(std::string_view) override { return true; }
  bool on_empty() override { return true; }
  void on_notice(leat::session::Severity, std::string_view, std::string_view) override {}
  void on_setting(std::string_view, std::string_view) override {}
};

leat::session::Session& session() {
  static leat::FakeClock clock(*leat::parse_iso8601("2026-11-20T12:00:00Z"));
  static std::unique_ptr<leat::session::Warehouse> warehouse =
      std::move(*leat::session::Warehouse::open(
          {.admin_password = "Secret123", .threads = 1, .clock = &clock}));
  static std::unique_ptr<leat::session::Session> opened = [] {
    auto made = std::move(*warehouse->open_session({.user = "leat",
                                                    .database = "dev",
                                                    .settings = {{"statement_timeout", "20000"}},
                                                    .remote_address = "127.0.0.1:1"}));
    Silent sink;
    if (!made->simple_query(kMade, sink)) std::abort();
    return made;
  }();
  return *opened;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = Generator({data, size}).statement();
  Silent sink;
  const auto done = session().simple_query(text, sink);
  if (done) return 0;
  const leat::engine::SqlError& error = done.error();
  bool wrong = error.sqlstate == "XX000" || error.sqlstate == "42000" || error.sqlstate == "57014";
  for (const std::string_view leak : kLeaks)
    wrong = wrong || error.message.find(leak) != std::string::npos;
  if (!wrong) return 0;
  (void)std::fprintf(stderr, "%s\n%s %s\n", text.c_str(), error.sqlstate.c_str(),
                     error.message.c_str());
  std::abort();
}
