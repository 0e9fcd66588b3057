#include "warehouse/sql/parser.h"

#include <charconv>

#include "base/error.h"
#include "base/text.h"
#include "warehouse/sql/parser_core.h"

namespace leat::sql {
namespace {

template <class Rule>
auto guarded(std::string_view text, Rule rule)
    -> SqlResult<decltype(rule(std::declval<Parser&>()))> {
  if (text.size() > kStatementBytesMax) {
    return sql_fail("54000", "statement is too large, limit is 16777216 bytes");
  }
  if (!is_utf8(text)) return sql_fail("22021", "invalid byte sequence for encoding \"UTF8\"");
  LEAT_ASSIGN(const TokenList list, tokenize(text));
  Parser parser(text, list.tokens);
  try {
    return rule(parser);
  } catch (ParseFailure& failure) {
    return std::unexpected(std::move(failure.error));
  }
}

}  // namespace

SqlResult<std::vector<ParsedStatement>> parse_script(std::string_view script) {
  return guarded(script, [](Parser& parser) {
    std::vector<ParsedStatement> statements;
    while (true) {
      while (parser.accept_semicolon()) {
      }
      if (parser.at_end()) return statements;
      statements.push_back(parser.parsed_statement());
    }
  });
}

SqlResult<std::optional<ParsedStatement>> parse_statement(std::string_view text) {
  LEAT_ASSIGN(std::vector<ParsedStatement> statements, parse_script(text));
  if (statements.empty()) return std::nullopt;
  if (statements.size() > 1) {
    return sql_fail("42601", "cannot insert multiple commands into a prepared statement");
  }
  return std::move(statements.front());
}

SqlResult<ExpressionPtr> parse_expression(std::string_view text) {
  return guarded(text, [](Parser& parser) {
    ExpressionPtr value = parser.expression();
    parser.expect_end();
    return value;
  });
}

TypeName parse_type_name(std::string_view text) {
  auto type = guarded(text, [](Parser& parser) {
    TypeName parsed = parser.type_name();
    parser.expect_end();
    return parsed;
  });
  return type ? std::move(*type) : TypeName{};
}

void NestingGuard::refuse(std::string_view script, const Token& token) {
  --nesting_;
  throw ParseFailure{{.sqlstate = "54001",
                      .message = "statement is nested too deeply, limit is " +
                                 std::to_string(kNestingDepthMax) + " levels",
                      .detail = {},
                      .hint = {},
                      .position = character_position(script, token.begin)}};
}

void Parser::fail_at(const Token& where, std::string sqlstate, std::string message) const {
  throw ParseFailure{{.sqlstate = std::move(sqlstate),
                      .message = std::move(message),
                      .detail = {},
                      .hint = {},
                      .position = character_position(script_, where.begin)}};
}

void Parser::syntax_error(const Token& where) const {
  if (where.kind == TokenKind::kEnd) fail_at(where, "42601", "syntax error at end of input");
  const std::string_view source = script_.substr(where.begin, where.end - where.begin);
  fail_at(where, "42601", "syntax error at or near \"" + std::string(source) + "\"");
}

bool Parser::at_any(std::initializer_list<Word> words, std::size_t ahead) const {
  const Word word = token(ahead).word;
  for (const Word candidate : words) {
    if (word == candidate) return true;
  }
  return false;
}

SourceSpan Parser::span_from(std::size_t first_token) const {
  const std::uint32_t begin = tokens_[first_token].begin;
  return {begin, at_ > first_token ? tokens_[at_ - 1].end : begin};
}

void Parser::expect_end() {
  if (!at_end()) syntax_error();
}

ParsedStatement Parser::parsed_statement() {
  const std::size_t first = at_;
  parameter_count_ = 0;
  nesting_ = 0;
  ParsedStatement parsed;
  parsed.statement.node = statement();
  parsed.span = span_from(first);
  parsed.parameter_count = parameter_count_;
  if (!at_operator(";") && !at_end()) syntax_error();
  return parsed;
}

bool Parser::is_name(const Token& token) {
  return token.kind == TokenKind::kQuotedIdentifier ||
         (token.kind == TokenKind::kWord && word_class(token.word) == WordClass::kNone);
}

bool Parser::is_label(const Token& token) {
  return token.kind == TokenKind::kQuotedIdentifier || token.kind == TokenKind::kWord;
}

bool Parser::is_bare_alias(const Token& token) {
  if (!is_name(token)) return false;
  switch (token.word) {
    case "qualify"_w:
    case "exclude"_w:
    case "window"_w:
    case "fetch"_w:
    case "connect"_w:
    case "start"_w:
    case "set"_w:
    case "at"_w:
    case "tablesample"_w:
      return false;
    default:
      return true;
  }
}

std::string Parser::name() {
  if (!is_name(token())) syntax_error();
  std::string text(token().text);
  advance();
  return text;
}

std::string Parser::label() {
  if (!is_label(token())) syntax_error();
  std::string text(token().text);
  advance();
  return text;
}

/// User, group and role names keep their case inside double quotes.
std::string Parser::any_case_name() {
  const Token& current = token();
  if (current.kind == TokenKind::kQuotedIdentifier) {
    advance();
    return quoted_identifier_text(script_.substr(current.begin, current.end - current.begin));
  }
  if (at("current_user"_w) || at("session_user"_w)) return label();
  return name();
}

/// database.schema.name, and in FROM a path into a SUPER value.
QualifiedName Parser::qualified_name(std::size_t parts_max) {
  const std::size_t first = at_;
  QualifiedName qualified;
  qualified.parts.push_back(name());
  while (at_operator(".") && is_label(token(1))) {
    advance();
    qualified.parts.push_back(label());
    if (qualified.parts.size() > parts_max) syntax_error(token());
  }
  qualified.span = span_from(first);
  return qualified;
}

std::vector<QualifiedName> Parser::qualified_names() {
  std::vector<QualifiedName> list;
  do {
    list.push_back(qualified_name());
  } while (accept_operator(","));
  return list;
}

std::vector<std::string> Parser::names() {
  std::vector<std::string> list;
  do {
    list.push_back(name());
  } while (accept_operator(","));
  return list;
}

std::vector<std::string> Parser::name_list() {
  expect_operator("(");
  std::vector<std::string> list = names();
  expect_operator(")");
  return list;
}

std::vector<std::string> Parser::optional_name_list() {
  if (!at_operator("(")) return {};
  return name_list();
}

std::string Parser::string_literal() {
  if (!at_kind(TokenKind::kString)) syntax_error();
  std::string text(token().text);
  advance();
  return text;
}

std::string Parser::string_or_name() {
  if (at_kind(TokenKind::kString)) return string_literal();
  return label();
}

std::int64_t Parser::integer() {
  const bool negative = accept_operator("-");
  if (!negative) (void)accept_operator("+");
  if (!at_kind(TokenKind::kNumber)) syntax_error();
  const auto value = parse_number<std::int64_t>(token().text);
  if (!value)
    fail_at(token(), "22003", "value \"" + std::string(token().text) + "\" is out of range");
  advance();
  return negative ? -*value : *value;
}

double Parser::number() {
  const bool negative = accept_operator("-");
  if (!at_kind(TokenKind::kNumber)) syntax_error();
  const auto value = parse_number<double>(token().text);
  if (!value)
    fail_at(token(), "22003", "value \"" + std::string(token().text) + "\" is out of range");
  advance();
  return negative ? -*value : *value;
}

std::optional<bool> Parser::accept_on_off() {
  if (accept("on"_w) || accept("true"_w)) return true;
  if (accept("off"_w) || accept("false"_w)) return false;
  return std::nullopt;
}

}  // namespace leat::sql
