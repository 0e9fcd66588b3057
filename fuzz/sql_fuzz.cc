// SQL text: parsing and translating never crash or hang, and the canonical text of what was parsed
// parses to the same tree.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "warehouse/sql/translate.h"

namespace {

void check_stable(const leat::sql::Statement& statement) {
  const std::string canonical = leat::sql::redshift_text(statement);
  if (canonical.empty()) return;
  const auto again = leat::sql::parse_script(canonical);
  // More brackets may nest too deep; nothing else may fail.
  if (!again && again.error().sqlstate == "54001") return;
  const std::string before = leat::sql::dump(statement);
  const std::string after = again && again->size() == 1
                                ? leat::sql::dump(again->front().statement)
                                : (again ? "several" : again.error().message);
  if (before == after) return;
  (void)std::fprintf(stderr, "%s\n%s\n%s\n", canonical.c_str(), before.c_str(), after.c_str());
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto script = leat::sql::parse_script(text);
  if (!script) {
    if (script.error().sqlstate.size() != 5 || script.error().message.empty()) std::abort();
    return 0;
  }
  leat::sql::TranslateContext context;
  for (const auto& parsed : *script) {
    if (parsed.span.begin > parsed.span.end || parsed.span.end > size) std::abort();
    (void)leat::sql::referenced_tables(parsed.statement);
    (void)leat::sql::command_tag(parsed.statement);
    const auto translation = leat::sql::translate(parsed.statement, context);
    if (!translation && translation.error().sqlstate == "XX000") std::abort();
    check_stable(parsed.statement);
  }
  return 0;
}
