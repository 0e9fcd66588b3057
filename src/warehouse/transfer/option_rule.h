// Rules about which options of COPY and UNLOAD go together.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "warehouse/engine/error.h"

namespace leat::transfer {

struct OptionRule {
  bool broken;
  std::string_view message;
};

/// The first rule that is broken, as an error with `sqlstate`.
inline engine::SqlStatus first_broken(std::initializer_list<OptionRule> rules,
                                      std::string_view sqlstate) {
  for (const OptionRule& rule : rules) {
    if (rule.broken) return engine::fail_sql(sqlstate, std::string(rule.message));
  }
  return {};
}

}  // namespace leat::transfer
