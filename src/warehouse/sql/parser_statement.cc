// The first word decides the statement; rows (INSERT, UPDATE, DELETE, MERGE), transactions,
// settings, cursors.
#include "base/text.h"
#include "warehouse/sql/parser_core.h"

namespace leat::sql {
namespace {

/// Statements PostgreSQL has and Redshift does not, or that need a feature Leat does not have yet.
std::string_view unsupported_statement(Word word) {
  switch (word) {
    case "savepoint"_w:
      return "SAVEPOINT";
    case "release"_w:
      return "RELEASE SAVEPOINT";
    case "listen"_w:
      return "LISTEN";
    case "notify"_w:
      return "NOTIFY";
    case "unlisten"_w:
      return "UNLISTEN";
    case "do"_w:
      return "DO";
    case "discard"_w:
      return "DISCARD";
    case "cluster"_w:
      return "CLUSTER";
    case "reindex"_w:
      return "REINDEX";
    case "load"_w:
      return "LOAD";
    case "import"_w:
      return "IMPORT";
    case "checkpoint"_w:
      return "CHECKPOINT";
    case "move"_w:
      return "MOVE";
    case "attach"_w:
      return "ATTACH";
    case "detach"_w:
      return "DETACH";
    case "desc"_w:
      return "DESC";
    case "describe"_w:
      return "DESCRIBE";
    default:
      return {};
  }
}

}  // namespace

StatementNode Parser::statement() {
  const NestingGuard guard = nest();
  deepest_ = 0;
  if (const auto missing = unsupported_statement(token().word); !missing.empty()) {
    unsupported(token(), std::string(missing));
  }
  if (at_operator("(") && at_query()) return select_statement();
  switch (token().word) {
    case "select"_w:
    case "values"_w:
      return select_statement();
    case "with"_w:
      return dml_with();
    case "insert"_w:
      return insert({}, false);
    case "update"_w:
      return update({}, false);
    case "delete"_w:
      return delete_rows({}, false);
    case "merge"_w:
      return merge();
    case "create"_w:
      return create();
    case "alter"_w:
      return alter();
    case "drop"_w:
      return drop();
    case "truncate"_w:
    case "comment"_w:
    case "copy"_w:
    case "unload"_w:
    case "grant"_w:
    case "revoke"_w:
    case "analyze"_w:
    case "analyse"_w:
    case "vacuum"_w:
    case "refresh"_w:
      return object_statement();
    default:
      return session_statement();
  }
}

StatementNode Parser::object_statement() {
  switch (token().word) {
    case "truncate"_w:
      advance();
      (void)accept("table"_w);
      return TruncateStatement{qualified_name()};
    case "comment"_w:
      return comment();
    case "copy"_w:
      return copy();
    case "unload"_w:
      return unload();
    case "grant"_w:
      return grant_body(false);
    case "revoke"_w:
      return grant_body(true);
    case "vacuum"_w:
      return vacuum();
    case "refresh"_w: {
      advance();
      expect("materialized"_w);
      expect("view"_w);
      RefreshMaterializedViewStatement node;
      node.name = qualified_name();
      node.cascade = accept("cascade"_w);
      if (!node.cascade) (void)accept("restrict"_w);
      return node;
    }
    default:
      return analyze();
  }
}

StatementNode Parser::session_statement() {
  switch (token().word) {
    case "begin"_w:
    case "start"_w:
    case "commit"_w:
    case "end"_w:
    case "rollback"_w:
    case "abort"_w:
      return transaction();
    case "lock"_w:
      advance();
      (void)accept("table"_w);
      return LockStatement{qualified_names()};
    case "set"_w:
      return set();
    case "reset"_w:
      return reset();
    case "show"_w:
      return show();
    case "use"_w:
      advance();
      return UseStatement{name()};
    case "prepare"_w:
      return prepare();
    case "execute"_w:
      return execute();
    case "deallocate"_w:
      return deallocate();
    case "declare"_w:
      return declare_cursor();
    case "fetch"_w:
      return fetch();
    case "close"_w:
      advance();
      if (accept("all"_w)) return CloseCursorStatement{};
      return CloseCursorStatement{name()};
    case "cancel"_w: {
      advance();
      CancelStatement node;
      node.process = integer();
      if (at_kind(TokenKind::kString)) node.message = string_literal();
      return node;
    }
    case "explain"_w:
      return explain();
    case "call"_w: {
      advance();
      CallStatement node;
      node.procedure = qualified_name();
      expect_operator("(");
      if (!at_operator(")")) node.arguments = expressions();
      expect_operator(")");
      return node;
    }
    default:
      syntax_error();
  }
}

StatementNode Parser::reset() {
  advance();
  if (accept("all"_w)) return ResetStatement{"all"};
  if (accept("session"_w)) {
    expect("authorization"_w);
    return ResetStatement{"session_authorization"};
  }
  return ResetStatement{label()};
}

StatementNode Parser::select_statement() {
  const std::size_t first = at_;
  into_.reset();
  into_allowed_ = at("select"_w);
  SelectStatement node;
  node.query = query();
  into_allowed_ = false;
  if (!into_) return node;
  CreateTableAsStatement created = std::move(*into_);
  into_.reset();
  created.query = std::move(node.query);
  created.query_span = span_from(first);
  return created;
}

StatementNode Parser::dml_with() {
  const std::size_t first = at_;
  const int parameters = parameter_count_;
  std::vector<CommonTable> with;
  bool recursive = false;
  with_clause(with, recursive);
  if (at("insert"_w)) return insert(std::move(with), recursive);
  if (at("update"_w)) return update(std::move(with), recursive);
  if (at("delete"_w)) return delete_rows(std::move(with), recursive);
  into_.reset();
  into_allowed_ = at("select"_w);
  SelectStatement node;
  node.query = query();
  into_allowed_ = false;
  parameter_count_ = std::max(parameters, parameter_count_);
  if (!node.query->with.empty()) {
    auto wrapped = std::make_unique<Query>();
    wrapped->kind = QueryKind::kNested;
    wrapped->depth = static_cast<std::uint16_t>(node.query->depth + 1);
    wrapped->left = std::move(node.query);
    node.query = std::move(wrapped);
  }
  node.query->with = std::move(with);
  node.query->recursive = recursive;
  node.query->span = span_from(first);
  if (!into_) return node;
  CreateTableAsStatement created = std::move(*into_);
  into_.reset();
  created.query = std::move(node.query);
  created.query_span = span_from(first);
  return created;
}

StatementNode Parser::insert(std::vector<CommonTable> with, bool recursive) {
  expect("insert"_w);
  expect("into"_w);
  InsertStatement node;
  node.with = std::move(with);
  node.recursive = recursive;
  node.table = qualified_name();
  if (at_operator("(") && !at_query()) node.columns = name_list();
  if (accept("default"_w)) {
    expect("values"_w);
  } else {
    if (!at_query()) syntax_error();
    node.query = query();
  }
  if (at("returning"_w)) unsupported(token(), "RETURNING");
  if (at("on"_w) && at("conflict"_w, 1)) {
    fail_at(token(), "0A000", "INSERT ... ON CONFLICT is not supported; use MERGE");
  }
  return node;
}

std::vector<Assignment> Parser::assignments() {
  std::vector<Assignment> list;
  do {
    const std::size_t first = at_;
    Assignment assignment;
    assignment.column = name();
    if (at_operator(".") && is_label(token(1))) {
      fail_at(token(), "42703",
              "column \"" + assignment.column +
                  "\" does not exist in the table that is changed: a column stands in SET without "
                  "its table's name");
    }
    expect_operator("=");
    assignment.value = expression();
    assignment.span = span_from(first);
    list.push_back(std::move(assignment));
  } while (accept_operator(","));
  return list;
}

StatementNode Parser::update(std::vector<CommonTable> with, bool recursive) {
  expect("update"_w);
  UpdateStatement node;
  node.with = std::move(with);
  node.recursive = recursive;
  (void)accept("only"_w);
  node.table = qualified_name();
  if (accept("as"_w) || is_bare_alias(token())) node.alias = name();
  expect("set"_w);
  node.assignments = assignments();
  if (accept("from"_w)) node.from = table_list();
  if (accept("where"_w)) node.where = expression();
  if (at("returning"_w)) unsupported(token(), "RETURNING");
  return node;
}

StatementNode Parser::delete_rows(std::vector<CommonTable> with, bool recursive) {
  expect("delete"_w);
  (void)accept("from"_w);
  DeleteStatement node;
  node.with = std::move(with);
  node.recursive = recursive;
  (void)accept("only"_w);
  node.table = qualified_name();
  if (accept("as"_w) || is_bare_alias(token())) node.alias = name();
  if (accept("using"_w)) node.using_tables = table_list();
  if (accept("where"_w)) node.where = expression();
  if (at("returning"_w)) unsupported(token(), "RETURNING");
  return node;
}

StatementNode Parser::merge() {
  expect("merge"_w);
  expect("into"_w);
  MergeStatement node;
  node.target = qualified_name();
  expect("using"_w);
  node.source = table_primary();
  expect("on"_w);
  node.on = expression();
  if (accept("remove"_w)) {
    expect("duplicates"_w);
    node.remove_duplicates = true;
    return node;
  }
  expect("when"_w);
  expect("matched"_w);
  expect("then"_w);
  if (accept("delete"_w)) {
    node.matched_delete = true;
  } else {
    expect("update"_w);
    expect("set"_w);
    node.matched_update = assignments();
  }
  expect("when"_w);
  expect("not"_w);
  expect("matched"_w);
  expect("then"_w);
  expect("insert"_w);
  node.insert_columns = optional_name_list();
  expect("values"_w);
  expect_operator("(");
  node.insert_values = expressions();
  expect_operator(")");
  return node;
}

StatementNode Parser::transaction() {
  TransactionStatement node;
  node.verb = token().text;
  const Word verb = token().word;
  advance();
  if (verb == "start"_w) {
    expect("transaction"_w);
    node.verb = "start transaction";
  } else if (!accept("work"_w)) {
    (void)accept("transaction"_w);
  }
  if (verb == "commit"_w || verb == "end"_w) {
    node.kind = TransactionKind::kCommit;
    if (at("prepared"_w)) unsupported(token(), "COMMIT PREPARED");
    return node;
  }
  if (verb == "rollback"_w || verb == "abort"_w) {
    node.kind = TransactionKind::kRollback;
    if (at("to"_w)) unsupported(token(), "SAVEPOINT");
    if (at("prepared"_w)) unsupported(token(), "ROLLBACK PREPARED");
    return node;
  }
  node.kind = TransactionKind::kBegin;
  transaction_modes(node.isolation, node.read_only);
  return node;
}

void Parser::transaction_modes(std::string& isolation, std::optional<bool>& read_only) {
  while (true) {
    if (accept("isolation"_w, "level"_w)) {
      isolation = label();
      if (isolation == "read" || isolation == "repeatable") isolation += " " + label();
      if (isolation != "serializable" && isolation != "read committed" &&
          isolation != "read uncommitted" && isolation != "repeatable read" &&
          isolation != "snapshot") {
        syntax_error(tokens_[at_ - 1]);
      }
    } else if (accept("read"_w, "only"_w)) {
      read_only = true;
    } else if (accept("read"_w, "write"_w)) {
      read_only = false;
    } else if (!accept_operator(",")) {
      return;
    }
  }
}

StatementNode Parser::prepare() {
  advance();
  if (at("transaction"_w)) unsupported(token(), "PREPARE TRANSACTION");
  PrepareStatement node;
  node.name = name();
  if (accept_operator("(")) {
    do {
      node.types.push_back(type_name());
    } while (accept_operator(","));
    expect_operator(")");
  }
  expect("as"_w);
  const std::size_t first = at_;
  if (!at_query() && !at_any({"insert"_w, "update"_w, "delete"_w, "with"_w})) syntax_error();
  node.statement = std::make_unique<Statement>();
  node.statement->node = statement();
  node.statement_span = span_from(first);
  return node;
}

StatementNode Parser::execute() {
  advance();
  ExecuteStatement node;
  node.name = name();
  if (accept_operator("(")) {
    if (!at_operator(")")) node.arguments = expressions();
    expect_operator(")");
  }
  return node;
}

StatementNode Parser::deallocate() {
  advance();
  (void)accept("prepare"_w);
  if (accept("all"_w)) return DeallocateStatement{};
  return DeallocateStatement{name()};
}

StatementNode Parser::declare_cursor() {
  advance();
  DeclareCursorStatement node;
  node.name = name();
  while (at_any({"binary"_w, "insensitive"_w, "scroll"_w, "no"_w})) {
    if (at("scroll"_w)) unsupported(token(), "SCROLL cursor");
    if (at("binary"_w)) unsupported(token(), "BINARY cursor");
    if (accept("no"_w)) {
      expect("scroll"_w);
    } else {
      advance();
    }
  }
  expect("cursor"_w);
  if (at("with"_w) && at("hold"_w, 1)) {
    unsupported(token(), "WITH HOLD cursor");
  } else if (accept("without"_w)) {
    expect("hold"_w);
  }
  expect("for"_w);
  node.query_span = query_with_span(node.query);
  return node;
}

StatementNode Parser::fetch() {
  advance();
  FetchStatement node;
  if (accept("next"_w)) {
    node.count = 1;
  } else if (accept("all"_w)) {
    node.count = -1;
  } else if (accept("forward"_w)) {
    if (accept("all"_w)) {
      node.count = -1;
    } else if (at_kind(TokenKind::kNumber)) {
      node.count = integer();
    }
  } else if (at_kind(TokenKind::kNumber)) {
    node.count = integer();
  } else if (at_any({"prior"_w, "backward"_w, "absolute"_w, "relative"_w}) ||
             ((at("first"_w) || at("last"_w)) && at_any({"from"_w, "in"_w}, 1))) {
    fail_at(token(), "0A000", "cursor can only scan forward");
  }
  if (!accept("from"_w)) (void)accept("in"_w);
  node.cursor = name();
  return node;
}

StatementNode Parser::explain() {
  advance();
  ExplainStatement node;
  node.analyze = accept("analyze"_w);
  node.verbose = accept("verbose"_w);
  if (!at_query() && !at_any({"insert"_w, "update"_w, "delete"_w, "with"_w, "create"_w, "execute"_w,
                              "declare"_w, "merge"_w})) {
    syntax_error();
  }
  node.statement = std::make_unique<Statement>();
  node.statement->node = statement();
  return node;
}

StatementNode Parser::analyze() {
  advance();
  AnalyzeStatement node;
  node.compression = accept("compression"_w);
  node.verbose = accept("verbose"_w);
  if (is_name(token()) && !at_any({"predicate"_w}) && !at("comprows"_w)) {
    node.table = qualified_name();
    node.columns = optional_name_list();
  }
  if (accept("predicate"_w) || accept("all"_w)) expect("columns"_w);
  if (accept("comprows"_w)) node.compression_rows = integer();
  return node;
}

StatementNode Parser::vacuum() {
  advance();
  VacuumStatement node;
  if (accept("full"_w)) {
    node.mode = "full";
  } else if (accept("sort"_w, "only"_w)) {
    node.mode = "sort only";
  } else if (accept("delete"_w, "only"_w)) {
    node.mode = "delete only";
  } else if (accept("reindex"_w)) {
    node.mode = "reindex";
  } else if (accept("recluster"_w)) {
    node.mode = "recluster";
  }
  if (is_name(token())) node.table = qualified_name();
  if (accept("to"_w)) {
    node.to_percent = number();
    expect("percent"_w);
  }
  node.boost = accept("boost"_w);
  return node;
}

}  // namespace leat::sql
