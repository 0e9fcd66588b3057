// ALTER and DROP.
#include "warehouse/sql/parser_core.h"

namespace leat::sql {

StatementNode Parser::alter() {
  const Token& where = token();
  advance();
  switch (token().word) {
    case "table"_w:
    case "view"_w:
      advance();
      return alter_table();
    case "materialized"_w: {
      advance();
      expect("view"_w);
      AlterMaterializedViewStatement node;
      node.name = qualified_name();
      expect("auto"_w);
      expect("refresh"_w);
      node.auto_refresh = accept("yes"_w);
      if (!node.auto_refresh) expect("no"_w);
      return node;
    }
    case "schema"_w:
      advance();
      return alter_schema();
    case "database"_w:
      advance();
      return alter_database();
    case "user"_w:
      advance();
      return alter_user();
    case "group"_w:
      advance();
      return alter_group();
    case "role"_w:
      advance();
      return alter_role();
    case "default"_w:
      advance();
      return alter_default_privileges();
    case "function"_w:
    case "procedure"_w:
      unsupported(where, "ALTER " + std::string(at("function"_w) ? "FUNCTION" : "PROCEDURE"));
    case "datashare"_w:
      unsupported(where, "ALTER DATASHARE");
    case "external"_w:
      unsupported(where, "ALTER EXTERNAL");
    case "system"_w:
      unsupported(where, "ALTER SYSTEM");
    default:
      syntax_error();
  }
}

StatementNode Parser::alter_table() {
  AlterTableStatement node;
  (void)accept("only"_w);
  node.table = qualified_name();
  do {
    node.actions.push_back(alter_table_action());
  } while (accept_operator(","));
  if (node.actions.size() > 1) {
    for (const AlterTableAction& action : node.actions) {
      if (action.kind != AlterTableKind::kColumnEncoding &&
          action.kind != AlterTableKind::kDistribution && action.kind != AlterTableKind::kSortKey) {
        fail_at(tokens_[at_ - 1], "0A000",
                "ALTER TABLE with several such actions is not supported");
      }
    }
  }
  return node;
}

AlterTableAction Parser::alter_table_action() {
  AlterTableAction action;
  if (at("add"_w)) return alter_add();
  if (at("drop"_w)) return alter_drop();
  if (at("alter"_w)) return alter_alter();
  if (accept("rename"_w)) {
    if (accept("to"_w)) {
      action.kind = AlterTableKind::kRenameTable;
      action.new_name = name();
      return action;
    }
    (void)accept("column"_w);
    action.kind = AlterTableKind::kRenameColumn;
    action.name = name();
    expect("to"_w);
    action.new_name = name();
    return action;
  }
  if (accept("owner"_w)) {
    expect("to"_w);
    action.kind = AlterTableKind::kOwner;
    action.new_name = any_case_name();
    return action;
  }
  if (accept("append"_w)) {
    expect("from"_w);
    action.kind = AlterTableKind::kAppend;
    action.source = qualified_name();
    action.ignore_extra = accept("ignoreextra"_w);
    if (!action.ignore_extra) action.fill_target = accept("filltarget"_w);
    return action;
  }
  if (accept("row"_w)) {
    expect("level"_w);
    expect("security"_w);
    action.kind = AlterTableKind::kRowLevelSecurity;
    const std::optional<bool> on = accept_on_off();
    if (!on) syntax_error();
    action.enable = *on;
    if (at_any({"conjunction"_w, "for"_w})) unsupported(token(), "row level security");
    return action;
  }
  if (at("masking"_w)) unsupported(token(), "MASKING of a table");
  if (at("set"_w) && at_any({"location"_w, "file"_w, "table"_w}, 1)) {
    unsupported(token(), "external table");
  }
  syntax_error();
}

/// At ADD.
AlterTableAction Parser::alter_add() {
  advance();
  AlterTableAction action;
  if (at_any({"constraint"_w, "unique"_w, "primary"_w, "foreign"_w, "check"_w})) {
    action.kind = AlterTableKind::kAddConstraint;
    action.constraint = table_constraint();
    return action;
  }
  if (at("partition"_w)) unsupported(token(), "external table");
  (void)accept("column"_w);
  const Token& where = token();
  if (at("if"_w) && at("not"_w, 1)) syntax_error(token());
  action.kind = AlterTableKind::kAddColumn;
  action.column = column_definition();
  const ColumnDefinition& column = *action.column;
  if (column.unique || column.primary_key || column.references) {
    fail_at(where, "0A000",
            "ALTER TABLE ADD COLUMN with a UNIQUE, PRIMARY KEY or REFERENCES constraint is not "
            "supported");
  }
  if (column.identity)
    fail_at(where, "0A000", "ALTER TABLE ADD COLUMN with IDENTITY is not supported");
  if (column.distribution_key || column.sort_key) {
    fail_at(where, "0A000", "ALTER TABLE ADD COLUMN with DISTKEY or SORTKEY is not supported");
  }
  if (column.not_null &&
      (!column.default_value || column.default_value->kind == ExpressionKind::kNull)) {
    fail_at(where, "42601",
            "ALTER TABLE ADD COLUMN defined as NOT NULL must have a non-null default expression");
  }
  return action;
}

/// At DROP.
AlterTableAction Parser::alter_drop() {
  advance();
  AlterTableAction action;
  if (at("partition"_w)) unsupported(token(), "external table");
  if (accept("constraint"_w)) {
    action.kind = AlterTableKind::kDropConstraint;
  } else {
    (void)accept("column"_w);
    action.kind = AlterTableKind::kDropColumn;
  }
  action.name = name();
  action.cascade = accept("cascade"_w);
  if (!action.cascade) (void)accept("restrict"_w);
  return action;
}

/// At ALTER.
AlterTableAction Parser::alter_alter() {
  advance();
  AlterTableAction action;
  if (accept("distkey"_w)) {
    action.kind = AlterTableKind::kDistribution;
    action.attributes.distribution = DistributionStyle::kKey;
    action.attributes.distribution_key = name();
    return action;
  }
  if (accept("diststyle"_w)) {
    action.kind = AlterTableKind::kDistribution;
    action.attributes.distribution = distribution_style();
    if (action.attributes.distribution == DistributionStyle::kKey) {
      expect("distkey"_w);
      action.attributes.distribution_key = name();
    }
    return action;
  }
  if (at_any({"sortkey"_w, "compound"_w, "interleaved"_w})) {
    action.kind = AlterTableKind::kSortKey;
    if (!sort_key_attribute(action.attributes)) syntax_error();
    return action;
  }
  if (accept("encode"_w)) {
    expect("auto"_w);
    action.kind = AlterTableKind::kEncodeAuto;
    return action;
  }
  (void)accept("column"_w);
  const Token& where = token();
  action.name = name();
  if (accept("encode"_w)) {
    action.kind = AlterTableKind::kColumnEncoding;
    action.new_name = encoding();
    return action;
  }
  if (accept("type"_w)) {
    action.kind = AlterTableKind::kColumnType;
    action.type = type_name();
    if (action.type.kind != TypeKind::kVarchar && action.type.kind != TypeKind::kVarbyte) {
      fail_at(where, "0A000", "ALTER COLUMN TYPE is only supported for varchar/varbyte columns");
    }
    return action;
  }
  if (at("set"_w) || at("drop"_w)) {
    unsupported(token(), "ALTER COLUMN " + std::string(at("set"_w) ? "SET" : "DROP"));
  }
  syntax_error();
}

StatementNode Parser::alter_schema() {
  AlterSchemaStatement node;
  node.name = name();
  if (accept("rename"_w)) {
    expect("to"_w);
    node.kind = AlterKind::kRename;
    node.value = name();
  } else if (accept("owner"_w)) {
    expect("to"_w);
    node.kind = AlterKind::kOwner;
    node.value = any_case_name();
  } else {
    expect("quota"_w);
    node.kind = AlterKind::kQuota;
    node.quota_mb = quota();
  }
  return node;
}

StatementNode Parser::alter_database() {
  AlterDatabaseStatement node;
  node.name = name();
  if (accept("rename"_w)) {
    expect("to"_w);
    node.kind = AlterKind::kRename;
    node.value = name();
  } else if (accept("owner"_w)) {
    expect("to"_w);
    node.kind = AlterKind::kOwner;
    node.value = any_case_name();
  } else if (accept("connection"_w)) {
    expect("limit"_w);
    node.kind = AlterKind::kConnectionLimit;
    node.connection_limit = accept("unlimited"_w) ? -1 : integer();
  } else if (accept("collate"_w)) {
    node.kind = AlterKind::kCollate;
    node.value = label();
  } else if (accept("isolation"_w)) {
    expect("level"_w);
    node.kind = AlterKind::kSet;
    node.value = label();
  } else {
    unsupported(token(), "this form of ALTER DATABASE");
  }
  return node;
}

std::optional<ObjectKind> Parser::accept_object_kind() {
  if (accept("table"_w)) return ObjectKind::kTable;
  if (accept("view"_w)) return ObjectKind::kView;
  if (accept("schema"_w)) return ObjectKind::kSchema;
  if (accept("database"_w)) return ObjectKind::kDatabase;
  if (!accept("materialized"_w)) return std::nullopt;
  expect("view"_w);
  return ObjectKind::kMaterializedView;
}

StatementNode Parser::drop() {
  const Token& where = token();
  advance();
  if (accept("function"_w)) return drop_function();
  DropStatement node;
  if (const auto kind = accept_object_kind()) {
    node.kind = *kind;
  } else {
    node.kind = dropped_person(where);
  }
  if (at("if"_w) && at("exists"_w, 1)) {
    advance(2);
    node.if_exists = true;
  }
  const bool people = node.kind == ObjectKind::kUser || node.kind == ObjectKind::kGroup ||
                      node.kind == ObjectKind::kRole;
  do {
    if (people) {
      const std::size_t first = at_;
      QualifiedName person;
      person.parts.push_back(any_case_name());
      person.span = span_from(first);
      node.names.push_back(std::move(person));
    } else {
      node.names.push_back(qualified_name());
    }
  } while (accept_operator(","));
  if (accept("drop"_w)) unsupported(tokens_[at_ - 1], "DROP EXTERNAL DATABASE");
  node.cascade = accept("cascade"_w);
  if (!node.cascade) (void)accept("restrict"_w);
  node.force = accept("force"_w);
  return node;
}

ObjectKind Parser::dropped_person(const Token& where) {
  if (accept("user"_w)) return ObjectKind::kUser;
  if (accept("group"_w)) return ObjectKind::kGroup;
  if (accept("role"_w)) return ObjectKind::kRole;
  switch (token().word) {
    case "procedure"_w:
    case "index"_w:
    case "sequence"_w:
    case "trigger"_w:
    case "type"_w:
    case "domain"_w:
    case "extension"_w:
    case "model"_w:
    case "library"_w:
    case "datashare"_w:
    case "external"_w:
    case "rls"_w:
    case "masking"_w: {
      std::string object(token().text);
      for (char& c : object) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
      unsupported(where, "DROP " + object);
    }
    default:
      syntax_error();
  }
}

}  // namespace leat::sql
