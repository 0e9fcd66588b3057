#include "base/check.h"

#include <fmt/core.h>

#include <cstdio>
#include <cstdlib>

namespace leat {

void check_failed(const char* condition, std::source_location where) {
  fmt::print(stderr, "leat: broken invariant `{}` at {}:{} in {}\n", condition, where.file_name(),
             where.line(), where.function_name());
  (void)std::fflush(stderr);
  std::abort();
}

}  // namespace leat
