// CREATE and DROP FUNCTION.
#include "base/text.h"
#include "warehouse/sql/parser_core.h"

namespace leat::sql {

std::vector<TypeName> Parser::parameter_types() {
  std::vector<TypeName> types;
  expect_operator("(");
  while (!at_operator(")")) {
    if (!types.empty()) expect_operator(",");
    types.push_back(type_name());
  }
  expect_operator(")");
  return types;
}

StatementNode Parser::create_function(bool or_replace) {
  CreateFunctionStatement node;
  node.or_replace = or_replace;
  node.name = qualified_name();
  // A named parameter belongs to the other languages.
  const bool named = at_operator("(") && is_name(token(1)) && is_name(token(2)) &&
                     !at_operator(",", 2) && !at_operator(")", 2) && !at("varying"_w, 2) &&
                     !at("precision"_w, 2) && !at("with"_w, 2) && !at("without"_w, 2);
  if (named) unsupported(token(1), "a function with named parameters");
  node.parameters = parameter_types();
  if (node.parameters.size() > 32) fail_at(token(), "54023", "functions take at most 32 arguments");
  expect("returns"_w);
  node.returns = type_name();
  const Token& volatility = token();
  if (!at_any({"volatile"_w, "stable"_w, "immutable"_w})) syntax_error();
  node.volatility = volatility.text;
  advance();
  expect("as"_w);
  node.body = string_literal();
  expect("language"_w);
  const Token& language = token();
  const std::string written = to_lower(string_or_name());
  if (written != "sql") unsupported(language, "CREATE FUNCTION ... LANGUAGE " + written);
  return node;
}

StatementNode Parser::drop_function() {
  DropFunctionStatement node;
  node.if_exists = at("if"_w) && at("exists"_w, 1);
  if (node.if_exists) advance(2);
  node.name = qualified_name();
  node.parameters = parameter_types();
  node.cascade = accept("cascade"_w);
  if (!node.cascade) (void)accept("restrict"_w);
  return node;
}

}  // namespace leat::sql
