#include "warehouse/sql/lexer.h"

#include <array>
#include <optional>

#include "base/text.h"

namespace leat::sql {
namespace {

// What a byte may be, as bits: one look in a table instead of a row of comparisons per byte.
constexpr std::uint8_t kStart = 1;  // begins an identifier
constexpr std::uint8_t kPart = 2;   // goes on with one
constexpr std::uint8_t kDigit = 4;
constexpr std::uint8_t kSpace = 8;
constexpr std::uint8_t kOperator = 16;
constexpr std::uint8_t kPunctuation = 32;
constexpr std::uint8_t kUpper = 64;  // a letter that is folded

constexpr std::array<std::uint8_t, 256> make_byte_classes() {
  std::array<std::uint8_t, 256> classes{};
  for (std::size_t c = 0; c < 256; ++c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
    const bool digit = c >= '0' && c <= '9';
    if (letter) classes[c] |= kStart;
    if (letter || digit || c == '$') classes[c] |= kPart;
    if (digit) classes[c] |= kDigit;
    if (c >= 'A' && c <= 'Z') classes[c] |= kUpper;
  }
  const auto mark = [&classes](std::string_view bytes, std::uint8_t bit) {
    for (const char byte : bytes) classes[static_cast<unsigned char>(byte)] |= bit;
  };
  mark(" \t\n\r\f\v", kSpace);
  mark("+-*/<>=~!@#%^&|?", kOperator);
  mark("()[],;.:", kPunctuation);
  return classes;
}

constexpr auto kByteClasses = make_byte_classes();

bool has_class(unsigned char c, std::uint8_t bits) {
  return (kByteClasses[c] & bits) != 0;
}
bool is_identifier_start(unsigned char c) {
  return has_class(c, kStart);
}
bool is_digit(unsigned char c) {
  return has_class(c, kDigit);
}
bool is_identifier_part(unsigned char c) {
  return has_class(c, kPart);
}

constexpr std::size_t kIdentifierBytesMax = 127;

// The room of one list is kept for the next one of the thread: a block of that size, taken and
// given back for every statement, would have the C library join all small free blocks each time.
constexpr std::size_t kSpareTokensMax = 2048;
thread_local std::vector<Token> spare_tokens;

class Lexer {
 public:
  explicit Lexer(std::string_view script) : script_(script) {}

  SqlResult<TokenList> run() {
    list_.tokens.reserve(script_.size() / 4 + 8);
    while (skip_blanks() && at_ < script_.size() && next_token()) {
    }
    if (error_) return std::unexpected(std::move(*error_));
    push(TokenKind::kEnd, at_, {});
    return std::move(list_);
  }

 private:
  // What reads a piece of the text returns false when it has set error_: an error is too large to
  // be handed up for every token.

  [[nodiscard]] unsigned char peek(std::size_t ahead = 0) const {
    return at_ + ahead < script_.size() ? static_cast<unsigned char>(script_[at_ + ahead]) : 0;
  }

  void push(TokenKind kind, std::size_t begin, std::string_view text, Word word = kNoWord) {
    list_.tokens.push_back({.kind = kind,
                            .word = word,
                            .begin = static_cast<std::uint32_t>(begin),
                            .end = static_cast<std::uint32_t>(at_),
                            .text = text});
  }

  bool error_at(std::size_t offset, std::string message, std::string sqlstate = "42601") {
    error_ = {.sqlstate = std::move(sqlstate),
              .message = std::move(message),
              .detail = {},
              .hint = {},
              .position = character_position(script_, offset)};
    return false;
  }

  std::string_view keep(std::string text) { return list_.decoded.emplace_back(std::move(text)); }

  bool skip_blanks() {
    while (true) {
      std::size_t at = at_;
      while (at < script_.size() && has_class(static_cast<unsigned char>(script_[at]), kSpace))
        ++at;
      at_ = at;
      const unsigned char c = peek();
      if (c == '-' && peek(1) == '-') {
        const std::size_t line_end = script_.find('\n', at_);
        at_ = line_end == std::string_view::npos ? script_.size() : line_end;
      } else if (c == '/' && peek(1) == '*') {
        if (!skip_block_comment()) return false;
      } else {
        return true;
      }
    }
  }

  bool skip_block_comment() {
    const std::size_t begin = at_;
    std::size_t depth = 0;
    do {
      if (at_ >= script_.size()) {
        return error_at(begin, "unterminated /* comment at or near \"" +
                                   std::string(utf8_prefix(script_.substr(begin), 40)) + "\"");
      }
      if (peek() == '/' && peek(1) == '*') {
        ++depth;
        at_ += 2;
      } else if (peek() == '*' && peek(1) == '/') {
        --depth;
        at_ += 2;
      } else {
        ++at_;
      }
    } while (depth > 0);
    return true;
  }

  bool next_token() {
    const unsigned char c = peek();
    if ((c == 'e' || c == 'E') && peek(1) == '\'') {
      ++at_;
      return read_string(at_ - 1);
    }
    if (is_identifier_start(c) || (c == '#' && is_identifier_start(peek(1)))) return read_word();
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return read_number();
    if (c == '\'') return read_string(at_);
    if (c == '"') return read_quoted_identifier();
    if (c == '$') return read_dollar();
    return read_operator();
  }

  bool read_word() {
    const std::size_t begin = at_;
    std::uint8_t seen = 0;
    std::size_t end = begin + (script_[begin] == '#' ? 1 : 0);
    for (; end < script_.size(); ++end) {
      const std::uint8_t classes = kByteClasses[static_cast<unsigned char>(script_[end])];
      if ((classes & kPart) == 0) break;
      seen |= classes;
    }
    at_ = end;
    std::string_view text(script_.data() + begin, end - begin);
    if ((seen & kUpper) != 0) text = keep(to_lower(text));
    const Word word = find_word(text);
    if (text.size() > kIdentifierBytesMax) text = utf8_prefix(text, kIdentifierBytesMax);
    push(TokenKind::kWord, begin, text, word);
    return true;
  }

  bool read_number() {
    const std::size_t begin = at_;
    while (is_digit(peek())) ++at_;
    if (peek() == '.' && !(peek(1) == '.')) {
      ++at_;
      while (is_digit(peek())) ++at_;
    }
    if (peek() == 'e' || peek() == 'E') {
      const std::size_t sign = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
      if (is_digit(peek(1 + sign))) {
        at_ += 1 + sign;
        while (is_digit(peek())) ++at_;
      }
    }
    push(TokenKind::kNumber, begin, script_.substr(begin, at_ - begin));
    return true;
  }

  /// At the opening quote. Literals with nothing but blanks and a line break between them are one.
  bool read_string(std::size_t begin) {
    std::string_view text;
    if (!read_quoted(begin, text)) return false;
    if (!is_continued()) return finish_string(begin, text);
    std::string whole(text);
    do {
      if (!read_quoted(begin, text)) return false;
      whole += text;
    } while (is_continued());
    return finish_string(begin, keep(std::move(whole)));
  }

  /// Goes on to the next quote when it continues the literal just read.
  bool is_continued() {
    bool line_ended = false;
    for (std::size_t at = at_; at < script_.size(); ++at) {
      const char c = script_[at];
      if (c == '\'' && line_ended) return at_ = at, true;
      if (!has_class(static_cast<unsigned char>(c), kSpace)) return false;
      line_ended = line_ended || c == '\n' || c == '\r';
    }
    return false;
  }

  /// At an opening quote. Backslash escapes are live, as in PostgreSQL 8.0.
  bool read_quoted(std::size_t begin, std::string_view& content) {
    ++at_;
    const std::size_t plain_end = script_.find_first_of("'\\", at_);
    if (plain_end != std::string_view::npos && script_[plain_end] == '\'' &&
        (plain_end + 1 >= script_.size() || script_[plain_end + 1] != '\'')) {
      content = script_.substr(at_, plain_end - at_);
      at_ = plain_end + 1;
      return true;
    }
    std::string text;
    while (true) {
      if (at_ >= script_.size()) return unterminated(begin, "unterminated quoted string");
      const char c = script_[at_++];
      if (c == '\'') {
        if (peek() != '\'') break;
        text += '\'';
        ++at_;
      } else if (c == '\\') {
        if (at_ >= script_.size()) return unterminated(begin, "unterminated quoted string");
        read_escape(text);
      } else {
        text += c;
      }
    }
    content = keep(std::move(text));
    return true;
  }

  bool finish_string(std::size_t begin, std::string_view text) {
    // NULL AS '\0' of COPY: a field that is one zero byte.
    const std::vector<Token>& before = list_.tokens;
    const bool null_as =
        text.size() == 1 && !before.empty() &&
        (before.back().text == "null" || (before.back().text == "as" && before.size() > 1 &&
                                          before[before.size() - 2].text == "null"));
    if (text.find('\0') != std::string_view::npos && !null_as) {
      return error_at(begin, "invalid byte sequence for encoding \"UTF8\": 0x00", "22021");
    }
    push(TokenKind::kString, begin, text);
    return true;
  }

  void read_escape(std::string& text) {
    const char c = script_[at_++];
    switch (c) {
      case 'b':
        text += '\b';
        return;
      case 'f':
        text += '\f';
        return;
      case 'n':
        text += '\n';
        return;
      case 'r':
        text += '\r';
        return;
      case 't':
        text += '\t';
        return;
      default:
        break;
    }
    if (c < '0' || c > '7') {
      text += c;
      return;
    }
    unsigned value = static_cast<unsigned>(c - '0');
    for (int i = 0; i < 2 && peek() >= '0' && peek() <= '7'; ++i) {
      value = value * 8 + (peek() - static_cast<unsigned>('0'));
      ++at_;
    }
    // A byte above 127 alone would not be UTF-8: take it as the Latin-1 character of that number.
    value &= 0xffU;
    if (value < 0x80) {
      text += static_cast<char>(value);
    } else {
      text += static_cast<char>(0xc0U | (value >> 6U));
      text += static_cast<char>(0x80U | (value & 0x3fU));
    }
  }

  bool unterminated(std::size_t begin, std::string_view what) {
    return error_at(begin, std::string(what) + " at or near \"" +
                               std::string(utf8_prefix(script_.substr(begin), 40)) + "\"");
  }

  bool read_quoted_identifier() {
    const std::size_t begin = at_;
    ++at_;
    while (true) {
      const std::size_t quote = script_.find('"', at_);
      if (quote == std::string_view::npos)
        return unterminated(begin, "unterminated quoted identifier");
      at_ = quote + 1;
      if (peek() != '"') break;
      ++at_;
    }
    std::string text = to_lower(quoted_identifier_text(script_.substr(begin, at_ - begin)));
    if (text.empty())
      return error_at(begin, "zero-length delimited identifier at or near \"\"\"\"");
    text.resize(utf8_prefix(text, kIdentifierBytesMax).size());
    push(TokenKind::kQuotedIdentifier, begin, keep(std::move(text)));
    return true;
  }

  bool read_dollar() {
    const std::size_t begin = at_;
    if (is_digit(peek(1))) {
      ++at_;
      while (is_digit(peek())) ++at_;
      push(TokenKind::kParameter, begin, script_.substr(begin + 1, at_ - begin - 1));
      return true;
    }
    std::size_t tag_end = at_ + 1;
    if (tag_end < script_.size() &&
        is_identifier_start(static_cast<unsigned char>(script_[tag_end]))) {
      while (tag_end < script_.size() && script_[tag_end] != '$' &&
             is_identifier_part(static_cast<unsigned char>(script_[tag_end]))) {
        ++tag_end;
      }
    }
    if (tag_end >= script_.size() || script_[tag_end] != '$') return unexpected_character(begin);
    const std::string_view tag = script_.substr(begin, tag_end + 1 - begin);
    const std::size_t close = script_.find(tag, tag_end + 1);
    if (close == std::string_view::npos)
      return unterminated(begin, "unterminated dollar-quoted string");
    at_ = close + tag.size();
    return finish_string(begin, script_.substr(tag_end + 1, close - tag_end - 1));
  }

  bool unexpected_character(std::size_t begin) {
    return error_at(begin, "syntax error at or near \"" +
                               std::string(utf8_prefix(script_.substr(begin), 4).substr(0, 1)) +
                               "\"");
  }

  bool read_operator() {
    const std::size_t begin = at_;
    const char c = script_[at_];
    if (has_class(static_cast<unsigned char>(c), kPunctuation)) {
      ++at_;
      if (c == ':' && peek() == ':') ++at_;
      push(TokenKind::kOperator, begin, script_.substr(begin, at_ - begin));
      return true;
    }
    if (!has_class(static_cast<unsigned char>(c), kOperator)) return unexpected_character(begin);
    // The longest operator of the dialect; PostgreSQL would take the longest run of operator
    // characters, which differs only for operators nobody can define here ("<-1" is "<" and "-1" in
    // both).
    static constexpr std::string_view kOperators[] = {
        "!~~*", "!~~", "!~*", "~~*", "||/", "!~", "~*", "~~",
        "||",   "|/",  "<=",  ">=",  "<>",  "!=", "<<", ">>"};
    const bool longer = has_class(peek(1), kOperator);
    for (const std::string_view candidate : kOperators) {
      if (longer && script_.substr(at_).starts_with(candidate)) {
        at_ += candidate.size();
        push(TokenKind::kOperator, begin, candidate);
        return true;
      }
    }
    ++at_;
    push(TokenKind::kOperator, begin, script_.substr(begin, 1));
    return true;
  }

  std::string_view script_;
  std::size_t at_ = 0;
  TokenList list_;
  std::optional<SqlError> error_;
};

}  // namespace

TokenList::TokenList() : tokens(std::move(spare_tokens)) {
  tokens.clear();
}

TokenList::~TokenList() {
  if (tokens.capacity() <= kSpareTokensMax && tokens.capacity() > spare_tokens.capacity()) {
    spare_tokens = std::move(tokens);
  }
}

SqlResult<TokenList> tokenize(std::string_view script) {
  return Lexer(script).run();
}

std::string quoted_identifier_text(std::string_view source) {
  std::string text;
  for (std::size_t i = 1; i + 1 < source.size(); ++i) {
    text += source[i];
    if (source[i] == '"') ++i;
  }
  return text;
}

std::size_t character_position(std::string_view script, std::size_t offset) {
  std::size_t position = 1;
  for (const char byte : script.substr(0, offset)) {
    if ((static_cast<unsigned char>(byte) & 0xc0U) != 0x80U) ++position;
  }
  return position;
}

}  // namespace leat::sql
