// Where a query names relations: for stored queries, whose text must follow when one is renamed.
#pragma once

#include <vector>

#include "warehouse/sql/ast.h"

namespace leat::sql {

struct RelationMention {
  QualifiedName table;  ///< With its span in the text that was parsed.
  bool aliased = false;
};

/// Every place where `query` names a relation, from the last to the first in the text; names of
/// common table expressions and paths into SUPER values are none. Pure; any thread.
[[nodiscard]] std::vector<RelationMention> mentioned_relations(const Query& query);

}  // namespace leat::sql
