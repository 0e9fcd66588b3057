// Where a query names relations and their columns: for stored queries, which must stay as long as
// what they read, and whose text must follow when that is renamed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "warehouse/sql/ast.h"
#include "warehouse/sql/translate.h"

namespace leat::sql {

struct RelationMention {
  QualifiedName table;  ///< With its span in the text that was parsed.
  bool aliased = false;
};

/// Every place where `query` names a relation, from the last to the first in the text; names of
/// common table expressions and paths into SUPER values are none. Pure; any thread.
[[nodiscard]] std::vector<RelationMention> mentioned_relations(const Query& query);

/// What a query does with a column.
enum class ColumnMentionKind : std::uint8_t {
  kNamed,   ///< names it, in text that can follow when it is renamed
  kCounted  ///< relies on its place or on its name where no other name can stand: *, USING, PIVOT
};

struct ColumnMention {
  ColumnMentionKind kind = ColumnMentionKind::kCounted;
  std::uint32_t relation = 0;  ///< Its oid; 0: of any relation with a column of that name.
  std::string column;
  // kNamed:
  SourceSpan span{};                 ///< of the names in the text that was parsed
  std::vector<std::string> names{};  ///< as written there
  std::size_t part = 0;              ///< which of them is the column
  bool outer_mark = false;           ///< the span ends in (+)
  bool output = false;               ///< the select list's item has its name from it
};

/// A star of a select list, and the same written as columns.
struct StarText {
  SourceSpan span{};
  std::string columns;
};

/// A function of a user's.
struct FunctionCall {
  std::uint32_t oid = 0;
  std::vector<std::string> names{};  ///< as written
  bool operator==(const FunctionCall&) const = default;
};

struct ColumnUse {
  std::vector<ColumnMention> columns{};
  std::vector<StarText> stars{};  ///< Those that can be written so.
  std::vector<FunctionCall> calls{};
};

/// Every use that `query` makes of columns of relations with an oid, and of functions. Errors:
/// those of translate_query(). Pure; any thread.
[[nodiscard]] SqlResult<ColumnUse> used_columns(const Query& query,
                                                const TranslateContext& context);

}  // namespace leat::sql
