// Users, groups, roles, GRANT and REVOKE.
#include "warehouse/sql/parser_core.h"

namespace leat::sql {

bool Parser::user_option(UserOptions& options) {
  const Token& where = token();
  switch (where.word) {
    case "password"_w: {
      advance();
      if (accept("disable"_w)) {
        options.password_disable = true;
        return true;
      }
      if (at_kind(TokenKind::kQuotedIdentifier)) {
        options.password = any_case_name();
      } else {
        options.password = string_literal();
      }
      return true;
    }
    case "createdb"_w:
    case "nocreatedb"_w:
      options.create_database = at("createdb"_w);
      advance();
      return true;
    case "createuser"_w:
    case "nocreateuser"_w:
      options.create_user = at("createuser"_w);
      advance();
      return true;
    case "syslog"_w:
      advance();
      expect("access"_w);
      options.syslog_unrestricted = accept("unrestricted"_w);
      if (!*options.syslog_unrestricted) expect("restricted"_w);
      return true;
    case "in"_w:
      advance();
      expect("group"_w);
      do {
        options.in_groups.push_back(any_case_name());
      } while (accept_operator(","));
      return true;
    case "valid"_w:
      advance();
      expect("until"_w);
      options.valid_until = string_literal();
      return true;
    case "connection"_w:
      advance();
      expect("limit"_w);
      options.connection_limit = accept("unlimited"_w) ? -1 : integer();
      return true;
    case "session"_w:
      advance();
      expect("timeout"_w);
      options.session_timeout = integer();
      return true;
    case "externalid"_w:
      advance();
      (void)accept("to"_w);
      options.external_id = string_or_name();
      return true;
    default:
      return false;
  }
}

StatementNode Parser::create_user() {
  CreateUserStatement node;
  node.name = any_case_name();
  (void)accept("with"_w);
  while (user_option(node.options)) {
  }
  if (!node.options.password && !node.options.password_disable &&
      node.options.external_id.empty()) {
    if (at_end() || at_operator(";"))
      fail_at(token(), "42601", "CREATE USER requires a PASSWORD clause");
  }
  return node;
}

StatementNode Parser::alter_user() {
  AlterUserStatement node;
  node.name = any_case_name();
  (void)accept("with"_w);
  while (true) {
    if (accept("rename"_w)) {
      expect("to"_w);
      node.rename_to = any_case_name();
    } else if (accept("set"_w)) {
      node.set = set_assignment(SettingScope::kDefault);
    } else if (at("reset"_w) && at("session"_w, 1) && at("timeout"_w, 2)) {
      advance(3);
      node.options.session_timeout = 0;
    } else if (accept("reset"_w)) {
      node.reset = ResetStatement{label()};
    } else if (!user_option(node.options)) {
      return node;
    }
  }
}

StatementNode Parser::create_group() {
  CreateGroupStatement node;
  node.name = any_case_name();
  (void)accept("with"_w);
  if (accept("user"_w)) {
    do {
      node.users.push_back(any_case_name());
    } while (accept_operator(","));
  }
  return node;
}

StatementNode Parser::alter_group() {
  AlterGroupStatement node;
  node.name = any_case_name();
  if (accept("rename"_w)) {
    expect("to"_w);
    node.rename_to = any_case_name();
    return node;
  }
  node.add = accept("add"_w);
  if (!node.add) expect("drop"_w);
  expect("user"_w);
  do {
    node.users.push_back(any_case_name());
  } while (accept_operator(","));
  return node;
}

StatementNode Parser::create_role() {
  CreateRoleStatement node;
  node.name = any_case_name();
  if (accept("externalid"_w)) node.external_id = string_or_name();
  return node;
}

StatementNode Parser::alter_role() {
  AlterRoleStatement node;
  node.name = any_case_name();
  (void)accept("with"_w);
  if (accept("rename"_w)) {
    expect("to"_w);
    node.rename_to = any_case_name();
  } else if (accept("owner"_w)) {
    expect("to"_w);
    node.owner = any_case_name();
  } else {
    expect("externalid"_w);
    (void)accept("to"_w);
    node.external_id = string_or_name();
  }
  return node;
}

/// SELECT, INSERT (a, b), ALL PRIVILEGES, CREATE USER, ACCESS SYSTEM TABLE: words up to a comma,
/// ON, FOR or TO.
std::vector<Privilege> Parser::privileges() {
  std::vector<Privilege> list;
  do {
    Privilege privilege;
    while (at_kind(TokenKind::kWord) && !at_any({"on"_w, "for"_w, "to"_w, "from"_w})) {
      if (!privilege.name.empty()) privilege.name += ' ';
      privilege.name += token().text;
      advance();
    }
    if (privilege.name.empty()) syntax_error();
    if (privilege.name == "all privileges") privilege.name = "all";
    if (privilege.name == "temp") privilege.name = "temporary";
    if (at_operator("(")) privilege.columns = name_list();
    list.push_back(std::move(privilege));
  } while (accept_operator(","));
  return list;
}

GrantStatement Parser::grant_body(bool revoke) {
  advance();
  GrantStatement node;
  node.revoke = revoke;
  if (revoke && at_any({"grant"_w, "admin"_w}) && at("option"_w, 1)) {
    advance(2);
    expect("for"_w);
    node.grant_option_for = true;
  }
  if (at("role"_w)) {
    advance();
    node.target = GrantTarget::kRoles;
    do {
      const std::size_t first = at_;
      QualifiedName role;
      role.parts.push_back(any_case_name());
      if (at_operator(":")) unsupported(token(), "a role that the system defines");
      role.span = span_from(first);
      node.objects.push_back(std::move(role));
    } while (accept_operator(","));
    node.privileges.push_back({.name = "role", .columns = {}});
  } else {
    node.privileges = privileges();
    if (accept("on"_w)) {
      grant_target(node);
    } else if (accept("for"_w)) {
      grant_scope(node);
    } else {
      node.target = GrantTarget::kSystem;
    }
  }
  expect(revoke ? "from"_w : "to"_w);
  node.grantees = grantees();
  if (accept("for"_w)) {  // ASSUMEROLE ... FOR COPY, UNLOAD
    do {
      std::string what = label();
      while (at_kind(TokenKind::kWord) && !at_operator(",")) what += " " + label();
      node.assume_role_for.push_back(std::move(what));
    } while (accept_operator(","));
  }
  node.cascade = accept("cascade"_w);
  if (!node.cascade) (void)accept("restrict"_w);
  return node;
}

void Parser::grant_target(GrantStatement& node) {
  const Token& where = token();
  if (!node.privileges.empty() && node.privileges.front().name == "assumerole") {
    node.target = GrantTarget::kAssumeRole;
    do {
      QualifiedName role;
      role.parts.push_back(string_or_name());
      node.objects.push_back(std::move(role));
    } while (accept_operator(","));
    return;
  }
  if (accept("all"_w)) {
    if (accept("tables"_w)) {
      node.target = GrantTarget::kAllTablesInSchema;
    } else if (accept("functions"_w)) {
      node.target = GrantTarget::kAllFunctionsInSchema;
    } else {
      expect("procedures"_w);
      node.target = GrantTarget::kAllProceduresInSchema;
    }
    expect("in"_w);
    expect("schema"_w);
    node.objects = qualified_names();
    return;
  }
  const bool named = is_name(token(1)) || at("all"_w, 1);
  if (named && (at("database"_w) || at("schema"_w) || at("language"_w) || at("datashare"_w))) {
    node.target = at("database"_w)   ? GrantTarget::kDatabases
                  : at("schema"_w)   ? GrantTarget::kSchemas
                  : at("language"_w) ? GrantTarget::kLanguages
                                     : GrantTarget::kDatashares;
    advance();
    node.objects = qualified_names();
    return;
  }
  if (named && (at("function"_w) || at("procedure"_w))) {
    node.target = at("function"_w) ? GrantTarget::kFunctions : GrantTarget::kProcedures;
    advance();
    grant_routines(node);
    return;
  }
  if (named && at("external"_w)) unsupported(where, "GRANT on external objects");
  if (named && at("model"_w)) unsupported(where, "GRANT on MODEL");
  if (named && at("template"_w)) unsupported(where, "GRANT on TEMPLATE");
  if (at("copy"_w) && at("job"_w, 1)) unsupported(where, "GRANT on COPY JOB");
  (void)accept("table"_w);
  node.target = GrantTarget::kTables;
  node.objects = qualified_names();
}

void Parser::grant_routines(GrantStatement& node) {
  do {
    node.objects.push_back(qualified_name());
    node.argument_types.emplace_back();
    if (!accept_operator("(")) continue;
    while (!at_operator(")")) {
      if (!node.argument_types.back().empty()) expect_operator(",");
      if (!accept("in"_w) && !accept("out"_w)) (void)accept("inout"_w);
      if (is_name(token()) && is_name(token(1)) && !at("varying"_w, 1) && !at("precision"_w, 1))
        advance();
      node.argument_types.back().push_back(type_name());
    }
    expect_operator(")");
  } while (accept_operator(","));
}

/// FOR TABLES IN SCHEMA s DATABASE d, and the like.
void Parser::grant_scope(GrantStatement& node) {
  const Token& where = token();
  if (accept("schemas"_w)) {
    node.target = GrantTarget::kScopedSchemas;
  } else if (accept("tables"_w)) {
    node.target = GrantTarget::kScopedTables;
  } else if (accept("functions"_w) || accept("procedures"_w)) {
    node.target = GrantTarget::kScopedRoutines;
  } else if (accept("languages"_w)) {
    node.target = GrantTarget::kScopedLanguages;
  } else if (at("copy"_w) || at("templates"_w)) {
    unsupported(where, "this scoped permission");
  } else {
    syntax_error();
  }
  expect("in"_w);
  if (accept("schema"_w)) node.scope_schema = name();
  if (node.scope_schema.empty()) {
    expect("database"_w);
    node.scope_database = name();
  } else if (accept("database"_w)) {
    node.scope_database = name();
  }
}

std::vector<Grantee> Parser::grantees() {
  std::vector<Grantee> list;
  do {
    Grantee grantee;
    const Token& where = token();
    if (accept("public"_w)) {
      grantee.kind = GranteeKind::kPublic;
    } else if (at("group"_w)) {
      advance();
      grantee.kind = GranteeKind::kGroup;
      grantee.name = any_case_name();
    } else if (at("role"_w) && is_name(token(1))) {
      advance();
      grantee.kind = GranteeKind::kRole;
      grantee.name = any_case_name();
    } else if (at("iam_role"_w)) {
      unsupported(where, "GRANT to IAM_ROLE");
    } else if (at("rls"_w) && at("policy"_w, 1)) {
      unsupported(where, "RLS policy");
    } else if ((at("namespace"_w) || at("account"_w)) && at_kind(TokenKind::kString, 1)) {
      unsupported(where, "datashare");
    } else {
      (void)accept("user"_w);
      grantee.name = any_case_name();
    }
    if (at("with"_w) && at_any({"grant"_w, "admin"_w}, 1) && at("option"_w, 2)) {
      advance(3);
      grantee.with_grant_option = true;
    }
    list.push_back(std::move(grantee));
  } while (accept_operator(","));
  return list;
}

StatementNode Parser::alter_default_privileges() {
  expect("privileges"_w);
  AlterDefaultPrivilegesStatement node;
  while (true) {
    if (at("for"_w) && at_any({"user"_w, "role"_w}, 1)) {
      advance(2);
      do {
        node.users.push_back(any_case_name());
      } while (accept_operator(","));
    } else if (accept("in"_w)) {
      expect("schema"_w);
      node.schemas = names();
    } else {
      break;
    }
  }
  node.grant.revoke = at("revoke"_w);
  if (!accept("revoke"_w)) expect("grant"_w);
  if (node.grant.revoke && at("grant"_w) && at("option"_w, 1)) {
    advance(2);
    expect("for"_w);
    node.grant.grant_option_for = true;
  }
  node.grant.privileges = privileges();
  expect("on"_w);
  if (accept("tables"_w)) {
    node.grant.target = GrantTarget::kTables;
  } else if (accept("functions"_w)) {
    node.grant.target = GrantTarget::kFunctions;
  } else if (accept("procedures"_w)) {
    node.grant.target = GrantTarget::kProcedures;
  } else {
    expect("schemas"_w);
    node.grant.target = GrantTarget::kSchemas;
  }
  expect(node.grant.revoke ? "from"_w : "to"_w);
  node.grant.grantees = grantees();
  node.grant.cascade = accept("cascade"_w);
  if (!node.grant.cascade) (void)accept("restrict"_w);
  return node;
}

}  // namespace leat::sql
