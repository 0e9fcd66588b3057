// CREATE: tables, views, schemas, databases.
#include "base/text.h"
#include "warehouse/sql/parser_core.h"

namespace leat::sql {
namespace {

bool is_encoding(std::string_view name) {
  static constexpr std::string_view kEncodings[] = {
      "az64", "bytedict",  "delta",   "delta32k", "lzo",  "mostly8", "mostly16", "mostly32",
      "raw",  "runlength", "text255", "text32k",  "zstd", "auto",    "none"};
  for (const std::string_view encoding : kEncodings) {
    if (encoding == name) return true;
  }
  return false;
}

std::string_view unsupported_object(Word word) {
  switch (word) {
    case "index"_w:
      return "CREATE INDEX";
    case "sequence"_w:
      return "CREATE SEQUENCE";
    case "trigger"_w:
      return "CREATE TRIGGER";
    case "rule"_w:
      return "CREATE RULE";
    case "domain"_w:
      return "CREATE DOMAIN";
    case "type"_w:
      return "CREATE TYPE";
    case "cast"_w:
      return "CREATE CAST";
    case "extension"_w:
      return "CREATE EXTENSION";
    case "language"_w:
      return "CREATE LANGUAGE";
    case "operator"_w:
      return "CREATE OPERATOR";
    case "aggregate"_w:
      return "CREATE AGGREGATE";
    case "tablespace"_w:
      return "CREATE TABLESPACE";
    case "external"_w:
      return "CREATE EXTERNAL";
    case "library"_w:
      return "CREATE LIBRARY";
    case "model"_w:
      return "CREATE MODEL";
    case "datashare"_w:
      return "CREATE DATASHARE";
    case "masking"_w:
      return "CREATE MASKING POLICY";
    case "rls"_w:
      return "CREATE RLS POLICY";
    case "identity"_w:
      return "CREATE IDENTITY PROVIDER";
    case "template"_w:
      return "CREATE TEMPLATE";
    default:
      return {};
  }
}

}  // namespace

StatementNode Parser::create() {
  const std::size_t first = at_;
  advance();
  const bool or_replace = accept("or"_w, "replace"_w);
  if (at("unique"_w) && at("index"_w, 1)) unsupported(token(1), "CREATE INDEX");
  if (at("procedure"_w)) {
    throw ParseFailure{
        {.sqlstate = "0A000",
         .message = "CREATE PROCEDURE is not supported",
         .detail = {},
         .hint =
             "Send its statements in one transaction, or write an SQL function for an expression.",
         .position = character_position(script_, tokens_[first].begin)}};
  }
  if (const auto missing = unsupported_object(token().word); !missing.empty()) {
    unsupported(tokens_[first], std::string(missing));
  }
  if (at("function"_w)) {
    advance();
    return create_function(or_replace);
  }
  if (or_replace && !at("view"_w)) syntax_error();
  switch (token().word) {
    case "local"_w:
      advance();
      if (!accept("temp"_w)) expect("temporary"_w);
      expect("table"_w);
      return create_table(true);
    case "temp"_w:
    case "temporary"_w:
      advance();
      if (at("view"_w)) unsupported(token(), "CREATE TEMPORARY VIEW");
      expect("table"_w);
      return create_table(true);
    case "table"_w:
      advance();
      return create_table(false);
    case "view"_w:
      advance();
      return create_view(or_replace);
    case "materialized"_w:
      advance();
      expect("view"_w);
      return create_materialized_view();
    case "schema"_w:
      advance();
      return create_schema();
    case "database"_w:
      advance();
      return create_database();
    case "user"_w:
      advance();
      return create_user();
    case "group"_w:
      advance();
      return create_group();
    case "role"_w:
      advance();
      return create_role();
    default:
      syntax_error();
  }
}

bool Parser::if_not_exists() {
  if (!at("if"_w) || !at("not"_w, 1)) return false;
  advance(2);
  expect("exists"_w);
  return true;
}

StatementNode Parser::create_table(bool temporary) {
  const Token& where = token();
  CreateTableStatement node;
  node.if_not_exists = if_not_exists();
  node.name = qualified_name();
  node.temporary = temporary || node.name.is_hash_temporary();
  if (!at_operator("(")) return create_table_as(std::move(node), {});
  // "(a, b) AS" and "(select ...)" belong to CREATE TABLE AS; a definition has a type after its
  // name.
  if (at_query()) return create_table_as(std::move(node), {});
  if (is_name(token(1)) && (at_operator(",", 2) || at_operator(")", 2))) {
    return create_table_as(std::move(node), name_list());
  }
  advance();
  do {
    table_element(node);
  } while (accept_operator(","));
  expect_operator(")");
  while (table_attribute(node.attributes)) {
  }
  on_commit(node.temporary);
  if (at("inherits"_w)) unsupported(token(), "INHERITS");
  if (at("tablespace"_w)) unsupported(token(), "TABLESPACE");
  check_attributes(node, where);
  return node;
}

StatementNode Parser::create_table_as(CreateTableStatement head, std::vector<std::string> columns) {
  CreateTableAsStatement node;
  node.name = std::move(head.name);
  node.temporary = head.temporary;
  node.if_not_exists = head.if_not_exists;
  node.columns = std::move(columns);
  while (table_attribute(node.attributes)) {
  }
  on_commit(node.temporary);
  const bool as_written = accept("as"_w);
  if (!as_written || !at_query()) syntax_error();
  node.query_span = query_with_span(node.query);
  if (at("with"_w) && at("no"_w, 1) && at("data"_w, 2)) unsupported(token(), "WITH NO DATA");
  return node;
}

/// ON COMMIT PRESERVE ROWS is what temporary tables do anyway.
void Parser::on_commit(bool temporary) {
  const Token& where = token();
  if (!accept("on"_w)) return;
  expect("commit"_w);
  if (!temporary) fail_at(where, "42P16", "ON COMMIT can only be used on temporary tables");
  if (at("drop"_w)) unsupported(where, "ON COMMIT DROP");
  if (at("delete"_w)) unsupported(where, "ON COMMIT DELETE ROWS");
  expect("preserve"_w);
  expect("rows"_w);
}

void Parser::table_element(CreateTableStatement& node) {
  if (accept("like"_w)) {
    LikeClause like;
    like.table = qualified_name();
    while (at_any({"including"_w, "excluding"_w})) {
      like.including_defaults = at("including"_w);
      advance();
      expect("defaults"_w);
    }
    node.likes.push_back(std::move(like));
    return;
  }
  if (at_any({"constraint"_w, "unique"_w, "primary"_w, "foreign"_w, "check"_w})) {
    node.constraints.push_back(table_constraint());
    return;
  }
  node.columns.push_back(column_definition());
}

ColumnDefinition Parser::column_definition() {
  const std::size_t first = at_;
  ColumnDefinition column;
  column.name = name();
  if (column.name == "oid" || column.name == "tableoid" || column.name == "xmin" ||
      column.name == "cmin" || column.name == "xmax" || column.name == "cmax" ||
      column.name == "ctid") {
    fail_at(tokens_[first], "42701",
            "column name \"" + column.name + "\" conflicts with a system column name");
  }
  column.type = type_name();
  check_column_type(column, tokens_[first]);
  while (column_attribute(column)) {
  }
  column.span = span_from(first);
  return column;
}

void Parser::check_column_type(const ColumnDefinition& column, const Token& where) const {
  const TypeName& type = column.type;
  const bool catalog_only =
      type.kind == TypeKind::kName || type.kind == TypeKind::kOid ||
      type.kind == TypeKind::kInternalChar || type.kind == TypeKind::kRegClass ||
      type.kind == TypeKind::kRegType || type.kind == TypeKind::kRegProc ||
      type.kind == TypeKind::kRegNamespace || type.kind == TypeKind::kInterval;
  static constexpr std::string_view kKnown[] = {
      "json",      "jsonb",     "uuid",    "xml",     "bytea",   "serial",  "bigserial",
      "money",     "inet",      "cidr",    "bit",     "hstore",  "point",   "enum",
      "array",     "tsvector",  "tsquery", "macaddr", "serial4", "serial8", "smallserial",
      "int4range", "daterange", "box",     "circle",  "polygon"};
  bool known = catalog_only || type.array_dimensions > 0;
  for (const std::string_view name : kKnown) known = known || name == type.spelling;
  if (known) {
    fail_at(where, "0A000",
            "Column \"" + column.name + "\" has unsupported type \"" + format_type(type) + "\".");
  }
  if (type.kind == TypeKind::kOther) {
    fail_at(where, "42704", "type \"" + type.spelling + "\" does not exist");
  }
}

bool Parser::column_attribute(ColumnDefinition& column) {
  switch (token().word) {
    case "default"_w: {
      advance();
      const std::size_t first = at_;
      column.default_value = expression(31);
      // COLLATE behind a default is the column's: back to that word.
      if (column.default_value->kind == ExpressionKind::kCollate &&
          tokens_[at_ - 1].kind != TokenKind::kOperator) {
        at_ -= 2 * column.default_value->names.size();
        ExpressionPtr value = std::move(column.default_value->children[0]);
        column.default_value = std::move(value);
      }
      const SourceSpan span = span_from(first);
      column.default_text = script_.substr(span.begin, span.end - span.begin);
      return true;
    }
    case "identity"_w:
      advance();
      column.identity = identity_arguments();
      return true;
    case "generated"_w:
      advance();
      if (at("always"_w)) unsupported(token(), "GENERATED ALWAYS");
      expect("by"_w);
      expect("default"_w);
      expect("as"_w);
      expect("identity"_w);
      column.identity = identity_arguments();
      column.identity->by_default = true;
      return true;
    case "encode"_w:
      advance();
      column.encoding = encoding();
      return true;
    case "distkey"_w:
      advance();
      column.distribution_key = true;
      return true;
    case "sortkey"_w:
      advance();
      column.sort_key = true;
      return true;
    case "collate"_w:
      advance();
      column.case_insensitive = at_any({"case_insensitive"_w, "ci"_w});
      if (!*column.case_insensitive && !at_any({"case_sensitive"_w, "cs"_w})) syntax_error();
      advance();
      return true;
    case "not"_w:
      advance();
      expect("null"_w);
      column.not_null = true;
      return true;
    case "null"_w:
      advance();
      return true;
    case "unique"_w:
      advance();
      column.unique = true;
      return true;
    case "primary"_w:
      advance();
      expect("key"_w);
      column.primary_key = true;
      return true;
    case "references"_w:
      column.references = foreign_key();
      return true;
    case "constraint"_w:
      advance();
      (void)name();
      return true;
    case "check"_w:
      unsupported(token(), "CHECK constraint");
    default:
      return false;
  }
}

std::string Parser::encoding() {
  if (!is_label(token()) || !is_encoding(token().text)) syntax_error();
  std::string name = label();
  return name == "none" ? "raw" : name;
}

/// (seed, step); 1 and 1 without them.
Identity Parser::identity_arguments() {
  if (!at_operator("(")) return {.by_default = false, .seed = 1, .step = 1};
  advance();
  Identity identity;
  identity.seed = integer();
  expect_operator(",");
  identity.step = integer();
  expect_operator(")");
  return identity;
}

/// At REFERENCES.
ForeignKey Parser::foreign_key() {
  expect("references"_w);
  ForeignKey key;
  key.table = qualified_name();
  key.columns = optional_name_list();
  while (at("on"_w) && at_any({"delete"_w, "update"_w}, 1)) {
    advance(2);
    if (accept("no"_w)) {
      expect("action"_w);
    } else {
      (void)accept("set"_w);
      advance();
    }
  }
  return key;
}

TableConstraint Parser::table_constraint() {
  TableConstraint constraint;
  if (accept("constraint"_w)) constraint.name = name();
  if (accept("unique"_w)) {
    constraint.kind = ConstraintKind::kUnique;
    constraint.columns = name_list();
  } else if (accept("primary"_w)) {
    expect("key"_w);
    constraint.kind = ConstraintKind::kPrimaryKey;
    constraint.columns = name_list();
  } else if (accept("foreign"_w)) {
    expect("key"_w);
    constraint.kind = ConstraintKind::kForeignKey;
    constraint.columns = name_list();
    constraint.references = foreign_key();
  } else if (at("check"_w)) {
    unsupported(token(), "CHECK constraint");
  } else {
    syntax_error();
  }
  return constraint;
}

/// A column, or in CREATE TABLE AS its number.
std::string Parser::key_name() {
  if (at_kind(TokenKind::kNumber)) return std::to_string(integer());
  return name();
}

bool Parser::table_attribute(TableAttributes& attributes) {
  if (accept("backup"_w)) {
    if (accept("yes"_w)) {
      attributes.backup = true;
    } else {
      expect("no"_w);
      attributes.backup = false;
    }
    return true;
  }
  if (accept("diststyle"_w)) {
    attributes.distribution = distribution_style();
    return true;
  }
  if (at("distkey"_w)) {
    const Token& where = token();
    advance();
    expect_operator("(");
    if (!attributes.distribution_key.empty()) {
      fail_at(where, "42601", "cannot specify more than one distkey");
    }
    attributes.distribution_key = key_name();
    expect_operator(")");
    return true;
  }
  if (at("encode"_w) && at("auto"_w, 1)) {
    advance(2);
    attributes.encode_auto = true;
    return true;
  }
  return sort_key_attribute(attributes);
}

DistributionStyle Parser::distribution_style() {
  if (accept("auto"_w)) return DistributionStyle::kAuto;
  if (accept("even"_w)) return DistributionStyle::kEven;
  if (accept("all"_w)) return DistributionStyle::kAll;
  expect("key"_w);
  return DistributionStyle::kKey;
}

bool Parser::sort_key_attribute(TableAttributes& attributes) {
  SortStyle style = SortStyle::kCompound;
  if (at("interleaved"_w) && at("sortkey"_w, 1)) {
    style = SortStyle::kInterleaved;
    advance();
  } else if (at("compound"_w) && at("sortkey"_w, 1)) {
    advance();
  }
  if (!accept("sortkey"_w)) return false;
  if (accept("auto"_w)) {
    attributes.sort = SortStyle::kAuto;
    return true;
  }
  if (accept("none"_w)) {
    attributes.sort = SortStyle::kNone;
    return true;
  }
  attributes.sort = style;
  const bool bracketed = accept_operator("(");
  attributes.sort_keys.clear();
  do {
    attributes.sort_keys.push_back(key_name());
  } while (bracketed && accept_operator(","));
  if (bracketed) expect_operator(")");
  return true;
}

/// What contradicts itself inside one CREATE TABLE.
void Parser::check_attributes(const CreateTableStatement& node, const Token& where) const {
  std::size_t keys = node.attributes.distribution_key.empty() ? 0 : 1;
  for (const ColumnDefinition& column : node.columns) keys += column.distribution_key ? 1 : 0;
  if (keys > 1) fail_at(where, "42601", "cannot specify more than one distkey");
  const DistributionStyle style = node.attributes.distribution;
  if (keys > 0 && style != DistributionStyle::kUnset && style != DistributionStyle::kKey) {
    fail_at(where, "42601", "cannot specify a distkey with a diststyle other than KEY");
  }
  if (keys == 0 && style == DistributionStyle::kKey) {
    fail_at(where, "42601", "diststyle KEY needs a distkey");
  }
  if (node.columns.size() > 1600) fail_at(where, "54011", "tables can have at most 1600 columns");
  std::vector<std::string_view> names;
  for (const ColumnDefinition& column : node.columns) names.push_back(column.name);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) {
    fail_at(where, "42701", "column \"" + std::string(*twice) + "\" specified more than once");
  }
}

StatementNode Parser::create_view(bool or_replace) {
  CreateViewStatement node;
  node.or_replace = or_replace;
  node.name = qualified_name();
  node.columns = optional_name_list();
  expect("as"_w);
  node.query_span = query_with_span(node.query);
  if (accept("with"_w)) {
    expect("no"_w);
    expect("schema"_w);
    expect("binding"_w);
    node.no_schema_binding = true;
  }
  return node;
}

StatementNode Parser::create_materialized_view() {
  CreateMaterializedViewStatement node;
  node.name = qualified_name();
  while (true) {
    if (accept("auto"_w)) {
      expect("refresh"_w);
      node.auto_refresh = accept("yes"_w);
      if (!*node.auto_refresh) expect("no"_w);
    } else if (!table_attribute(node.attributes)) {
      break;
    }
  }
  expect("as"_w);
  node.query_span = query_with_span(node.query);
  return node;
}

std::int64_t Parser::quota() {
  if (accept("unlimited"_w)) return -1;
  constexpr std::int64_t kMax = std::int64_t{1} << 31;  // in terabytes, and more than anybody has
  const std::int64_t value = std::clamp(integer(), std::int64_t{0}, kMax);
  if (accept("mb"_w)) return value;
  if (accept("tb"_w)) return value * 1024 * 1024;
  (void)accept("gb"_w);
  return value * 1024;
}

StatementNode Parser::create_schema() {
  CreateSchemaStatement node;
  node.if_not_exists = if_not_exists();
  if (!at("authorization"_w)) {
    node.name = name();
    if (at_operator(".")) {  // database.schema
      advance();
      node.name = label();
    }
  }
  if (accept("authorization"_w)) node.owner = any_case_name();
  if (node.name.empty()) node.name = to_lower(node.owner);
  if (accept("quota"_w)) node.quota_mb = quota();
  while (at_any({"create"_w, "grant"_w})) node.elements.push_back(schema_element());
  return node;
}

StatementPtr Parser::schema_element() {
  const Token& where = token();
  auto element = std::make_unique<Statement>();
  element->node = at("grant"_w) ? grant_body(false) : create();
  const auto* table = get_if<CreateTableStatement>(*element);
  const auto* filled = get_if<CreateTableAsStatement>(*element);
  const bool temporary =
      (table != nullptr && table->temporary) || (filled != nullptr && filled->temporary);
  const bool known = table != nullptr || filled != nullptr ||
                     get_if<CreateViewStatement>(*element) != nullptr ||
                     get_if<GrantStatement>(*element) != nullptr;
  if (!known || temporary)
    unsupported(where, "CREATE SCHEMA with elements other than tables, views and grants");
  return element;
}

StatementNode Parser::create_database() {
  CreateDatabaseStatement node;
  node.name = name();
  if (at("from"_w)) unsupported(token(), "CREATE DATABASE FROM");
  (void)accept("with"_w);
  while (true) {
    if (accept("owner"_w)) {
      (void)accept_operator("=");
      node.owner = any_case_name();
    } else if (accept("connection"_w)) {
      expect("limit"_w);
      node.connection_limit = accept("unlimited"_w) ? -1 : integer();
    } else if (accept("collate"_w)) {
      node.case_insensitive = at_any({"case_insensitive"_w, "ci"_w});
      if (!node.case_insensitive && !at_any({"case_sensitive"_w, "cs"_w})) syntax_error();
      advance();
    } else if (accept("isolation"_w)) {
      expect("level"_w);
      if (!at_any({"snapshot"_w, "serializable"_w})) syntax_error();
      node.isolation = label();
    } else if (at_any({"permissions"_w})) {
      unsupported(token(), "WITH PERMISSIONS");
    } else {
      return node;
    }
  }
}

}  // namespace leat::sql
