// Splits Redshift SQL text into tokens: comments (nested) gone, literals decoded, identifiers
// folded to lower case. Linear time; the tokens point into the text or into memory the TokenList
// owns.
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/sql/sql_error.h"
#include "warehouse/sql/words.h"

namespace leat::sql {

enum class TokenKind : std::uint8_t {
  kWord,              ///< unquoted identifier or keyword; text lower case
  kQuotedIdentifier,  ///< text lower case; quoted_text() has the case written
  kString,            ///< text decoded
  kNumber,            ///< text as written
  kParameter,         ///< $n; text: the digits
  kOperator,          ///< text: the operator or punctuation mark
  kEnd                ///< end of the script
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  Word word = kNoWord;  ///< kWord only
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::string_view text;
};

/// Movable; tokens stay valid as long as the list and the script live.
struct TokenList {
  TokenList();
  ~TokenList();
  TokenList(TokenList&&) = default;
  TokenList& operator=(TokenList&&) = default;

  std::vector<Token> tokens;  ///< the last one is kEnd
  std::list<std::string> decoded;
};

/// Errors: 42601 for unterminated literals and comments and for bytes no token can begin with,
/// 22P02-like bad escapes do not exist (an unknown \x means x).
[[nodiscard]] SqlResult<TokenList> tokenize(std::string_view script);

/// Text of a double-quoted identifier (including the quotes in `source`) with its case kept.
[[nodiscard]] std::string quoted_identifier_text(std::string_view source);

/// 1-based character position of byte `offset`.
[[nodiscard]] std::size_t character_position(std::string_view script, std::size_t offset);

}  // namespace leat::sql
