// Lines of the event log, whole or broken: the shaper never crashes, keeps its books, and shows the
// same rows as its slow reference. An input without a line's head is taken as the event of one.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "pipeline/shape/comparison.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string lines(text);
  if (!text.starts_with("{\"received_at\"")) {
    lines =
        R"({"received_at":"2026-11-20T14:03:05.123456Z","source":"web","message_id":"c","event":)";
    lines += text;
    lines += "}\n";
  }
  const std::vector<leat::shape::KnownTable> known = {
      {"pages",
       {leat::columns::column_from_sql_type("id", "varchar(512)"),
        leat::columns::column_from_sql_type("a", "numeric(6,2)"),
        leat::columns::column_from_sql_type("b", "smallint")}}};
  // The settings follow from the input, so that it alone says what happens.
  leat::shape::Options options;
  constexpr std::string_view kPolicies[] = {"rescue", "widen", "super", "fail"};
  options.conflicts = *leat::shape::ConflictPolicies::parse(kPolicies[size % 4], "");
  options.objects = static_cast<leat::shape::Nested>(size / 4 % 3);
  options.arrays = static_cast<leat::shape::Nested>(1 + size / 12 % 2);
  if (size / 24 % 2 == 1) options.columns_max = 16;
  if (size / 48 % 2 == 1) options.tables_max = 2;
  const std::string difference =
      leat::shape::compare_with_reference({{"b", lines}}, options, known);
  if (!difference.empty()) {
    std::fprintf(stderr, "%s\n", difference.c_str());
    std::abort();
  }
  return 0;
}
