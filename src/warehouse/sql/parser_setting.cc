// SET, RESET's companions, SHOW, COMMENT.
#include "base/text.h"
#include "warehouse/sql/parser_core.h"

namespace leat::sql {

StatementNode Parser::set() {
  advance();
  SettingScope scope = SettingScope::kDefault;
  if (at("session"_w) && at("authorization"_w, 1)) {
    advance(2);
    SetStatement node;
    node.name = "session_authorization";
    if (accept("default"_w)) {
      node.to_default = true;
    } else {
      node.values.push_back(at_kind(TokenKind::kString) ? string_literal() : any_case_name());
    }
    return node;
  }
  if (at("session"_w) && at("characteristics"_w, 1)) {
    advance(2);
    expect("as"_w);
    expect("transaction"_w);
    return set_transaction(SettingScope::kSession);
  }
  if (at("session"_w) && !at("to"_w, 1) && !at_operator("=", 1)) {
    advance();
    scope = SettingScope::kSession;
  } else if (at("local"_w) && !at("to"_w, 1) && !at_operator("=", 1)) {
    advance();
    scope = SettingScope::kLocal;
  }
  if (at("transaction"_w) && !at("to"_w, 1) && !at_operator("=", 1)) {
    advance();
    return set_transaction(scope);
  }
  return set_assignment(scope);
}

StatementNode Parser::set_transaction(SettingScope scope) {
  SetStatement node;
  node.scope = scope;
  std::string isolation;
  std::optional<bool> read_only;
  const Token& where = token();
  transaction_modes(isolation, read_only);
  if (!isolation.empty()) {
    node.name = "transaction_isolation";
    node.values.push_back(isolation);
  } else if (read_only) {
    node.name = "transaction_read_only";
    node.values.emplace_back(*read_only ? "on" : "off");
  } else {
    syntax_error(where);
  }
  return node;
}

SetStatement Parser::set_assignment(SettingScope scope) {
  SetStatement node;
  node.scope = scope;
  if (at("time"_w) && at("zone"_w, 1)) {
    advance(2);
    node.name = "timezone";
    if (accept("default"_w) || accept("local"_w)) {
      node.to_default = true;
    } else if (at_kind(TokenKind::kNumber) || at_operator("-") || at_operator("+")) {
      node.values.push_back(std::to_string(integer()));
    } else {
      node.values.push_back(string_or_name());
    }
    return node;
  }
  if (at("role"_w) && !at("to"_w, 1) && !at_operator("=", 1)) {
    advance();
    node.name = "role";
    if (accept("none"_w) || accept("default"_w)) {
      node.to_default = true;
    } else {
      node.values.push_back(at_kind(TokenKind::kString) ? string_literal() : any_case_name());
    }
    return node;
  }
  node.name = label();
  while (accept_operator(".")) node.name += "." + label();
  if (!accept("to"_w)) expect_operator("=");
  node.values = setting_values(node.to_default);
  return node;
}

std::vector<std::string> Parser::setting_values(bool& to_default) {
  std::vector<std::string> values;
  if (accept("default"_w)) {
    to_default = true;
    return values;
  }
  do {
    if (at_kind(TokenKind::kString)) {
      values.push_back(string_literal());
    } else if (at_kind(TokenKind::kNumber) || at_operator("-") || at_operator("+")) {
      const std::size_t first = at_;
      (void)number_after_sign();
      const SourceSpan span = span_from(first);
      std::string text(script_.substr(span.begin, span.end - span.begin));
      std::erase(text, ' ');
      values.push_back(std::move(text));
    } else {
      values.push_back(label());
    }
  } while (accept_operator(","));
  return values;
}

double Parser::number_after_sign() {
  if (accept_operator("+")) return number();
  return number();
}

StatementNode Parser::show() {
  advance();
  ShowStatement node;
  if (accept("all"_w)) {
    node.setting = "all";
    return node;
  }
  const Word what = token().word;
  const bool plain = token(1).kind == TokenKind::kEnd || at_operator(";", 1);
  if (!plain && (what == "table"_w || what == "view"_w || what == "procedure"_w)) {
    advance();
    node.kind = what == "table"_w ? ShowKind::kTable
                                  : (what == "view"_w ? ShowKind::kView : ShowKind::kProcedure);
    node.name = qualified_name();
    if (accept_operator("(")) {
      while (!at_operator(")") && !at_end()) advance();
      expect_operator(")");
    }
    return node;
  }
  if (what == "databases"_w || what == "schemas"_w || what == "tables"_w || what == "columns"_w ||
      what == "grants"_w || what == "constraints"_w || what == "procedures"_w ||
      what == "functions"_w || what == "parameters"_w ||
      (what == "column"_w && at("grants"_w, 1))) {
    return show_discovery(node);
  }
  for (const Word missing : {"datashares"_w, "external"_w, "identity"_w, "masking"_w, "model"_w,
                             "models"_w, "policies"_w, "rls"_w, "template"_w, "templates"_w}) {
    if (what == missing) unsupported(token(), "SHOW " + std::string(word_text(what)));
  }
  if (accept("time"_w, "zone"_w)) {
    node.setting = "timezone";
    return node;
  }
  if (at("transaction"_w) && at("isolation"_w, 1)) {
    advance(2);
    expect("level"_w);
    node.setting = "transaction_isolation";
    return node;
  }
  if (accept("session"_w, "authorization"_w)) {
    node.setting = "session_authorization";
    return node;
  }
  node.setting = label();
  while (accept_operator(".")) node.setting += "." + label();
  return node;
}

/// name(types)
void Parser::show_signature(ShowStatement& node) {
  node.name = qualified_name();
  if (!accept_operator("(") || accept_operator(")")) return;
  do {
    node.types.push_back(type_name());
  } while (accept_operator(","));
  expect_operator(")");
}

/// SHOW GRANTS ON an object or FOR somebody.
void Parser::show_grants(ShowStatement& node) {
  node.kind = ShowKind::kGrants;
  if (accept("for"_w)) {
    node.setting = accept("role"_w) ? "role" : accept("public"_w) ? "public" : "user";
    if (node.setting != "public") node.name = qualified_name();
    return;
  }
  expect("on"_w);
  if (accept("function"_w)) {
    node.setting = "function";
    return show_signature(node);
  }
  node.setting = accept("schema"_w) ? "schema" : accept("database"_w) ? "database" : "table";
  if (node.setting == "table") (void)accept("table"_w);
  node.name = qualified_name();
}

StatementNode Parser::show_discovery(ShowStatement node) {
  const Word what = token().word;
  advance();
  if (what == "databases"_w) {
    node.kind = ShowKind::kDatabases;
  } else if (what == "grants"_w) {
    show_grants(node);
  } else if (what == "column"_w) {
    advance();
    expect("on"_w);
    expect("table"_w);
    node.kind = ShowKind::kColumnGrants;
    node.name = qualified_name();
  } else if (what == "parameters"_w) {
    expect("of"_w);
    node.kind = ShowKind::kParameters;
    node.setting = accept("procedure"_w) ? "procedure" : "function";
    if (node.setting == "function") expect("function"_w);
    show_signature(node);
  } else if (what == "procedures"_w || what == "functions"_w) {
    node.kind = what == "procedures"_w ? ShowKind::kProcedures : ShowKind::kFunctions;
    if (accept("from"_w)) {
      (void)accept("schema"_w);
      node.name = qualified_name();
    }
  } else if (what == "constraints"_w) {
    node.kind = ShowKind::kConstraints;
    if (accept("primary"_w)) {
      expect("keys"_w);
      node.setting = "primary keys";
    } else {
      expect("foreign"_w);
      expect("keys"_w);
      node.setting = accept("exported"_w) ? "foreign keys exported" : "foreign keys";
    }
    expect("from"_w);
    expect("table"_w);
    node.name = qualified_name();
  } else {
    node.kind = what == "schemas"_w ? ShowKind::kSchemas
                                    : (what == "tables"_w ? ShowKind::kTables : ShowKind::kColumns);
    // Without FROM: of the session's own database, or of its current schema.
    if (what == "columns"_w) {
      expect("from"_w);
      expect("table"_w);
      node.name = qualified_name();
    } else if (accept("from"_w)) {
      (void)accept(what == "schemas"_w ? "database"_w : "schema"_w);
      node.name = qualified_name();
    }
  }
  if (accept("like"_w)) node.like = string_literal();
  if (accept("limit"_w)) node.limit = integer();
  return node;
}

StatementNode Parser::comment() {
  advance();
  expect("on"_w);
  CommentStatement node;
  if (const auto kind = accept_object_kind()) {
    node.kind = *kind;
  } else if (accept("column"_w)) {
    node.kind = ObjectKind::kColumn;
  } else if (accept("function"_w)) {
    node.kind = ObjectKind::kFunction;
  } else {
    expect("constraint"_w);
    node.kind = ObjectKind::kConstraint;
  }
  node.name = qualified_name();
  if (node.kind == ObjectKind::kFunction) node.parameters = parameter_types();
  if (node.kind == ObjectKind::kConstraint) {
    expect("on"_w);
    node.on_table = qualified_name();
  }
  expect("is"_w);
  if (!accept("null"_w)) node.text = string_literal();
  return node;
}

}  // namespace leat::sql
