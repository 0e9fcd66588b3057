// Queries and changes of rows: rights, locks, translation, plans, rows to the client, cursors.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/log.h"
#include "warehouse/catalog/rights.h"
#include "warehouse/catalog/types.h"
#include "warehouse/engine/blank_marks.h"
#include "warehouse/session/session_state.h"

namespace leat::session {
namespace {

constexpr std::uint64_t kDetachedBytesMax = 1ULL << 30;

std::uint32_t needed_privilege(sql::Access access) {
  switch (access) {
    case sql::Access::kSelect:
      return catalog::kSelect;
    case sql::Access::kInsert:
      return catalog::kInsert;
    case sql::Access::kUpdate:
      return catalog::kUpdate;
    case sql::Access::kDelete:
      return catalog::kDelete;
    case sql::Access::kReference:
      return catalog::kSelect;
    default:
      return 0;
  }
}

std::unexpected<SqlError> client_gone() {
  return engine::fail_sql("08006", "the client closed the connection or stopped reading");
}

/// What the engine does not know of a result's column.
void add_declaration(Field& field, const sql::ResultColumn& column) {
  // Of columns with the same name in a subquery the engine numbers all but the first.
  if (field.name.starts_with(column.name + "_")) field.name = column.name;
  if (column.character != sql::TypeKind::kOther && field.type_oid == 1043) {
    sql::TypeName type;
    type.kind = column.character;
    type.length = column.length;
    field.type_oid = sql::type_oid(type);
    field.type_modifier = catalog::type_modifier(type);
  }
  field.table_oid = column.table_oid;
  field.column_number = column.column_number;
  field.schema = column.schema;
  field.table = column.table;
  field.column = column.column;
  field.not_null = column.not_null;
  field.identity = column.identity;
}

/// PREPARE, cursors, EXPLAIN and views run an inner query; the others themselves.
bool changes_rows(const sql::Statement& statement) {
  return sql::get_if<sql::InsertStatement>(statement) != nullptr ||
         sql::get_if<sql::UpdateStatement>(statement) != nullptr ||
         sql::get_if<sql::DeleteStatement>(statement) != nullptr ||
         sql::get_if<sql::MergeStatement>(statement) != nullptr;
}

constexpr std::string_view kMarksChanged =
    "a table that is read got its first text that ends in a blank";

/// Plans and opens; where `may_repeat`, once more when a mark came between the two.
template <class MakePlan>
SqlResult<std::unique_ptr<RowStream>> open_answer_of(SessionState& session,
                                                     PreparedStatement& prepared,
                                                     std::span<const engine::Value> parameters,
                                                     bool may_repeat, MakePlan make_plan) {
  LEAT_TRY(make_plan());
  auto rows = session.open_answer(*prepared.plan, parameters);
  if (rows || !may_repeat || rows.error().message != kMarksChanged) return rows;
  LEAT_TRY(make_plan());
  return session.open_answer(*prepared.plan, parameters);
}

bool adds_rows(sql::Access access) {
  return access == sql::Access::kInsert || access == sql::Access::kUpdate;
}

/// What the statement puts rows into; null: nothing that has marks.
catalog::RelationPointer written_relation(const SessionState& session,
                                          const sql::Statement& statement) {
  if (!changes_rows(statement)) return nullptr;
  for (const sql::TableAccess& access : sql::referenced_tables(statement)) {
    if (adds_rows(access.access)) return session.find_relation(access.table).value_or(nullptr);
  }
  return nullptr;
}

}  // namespace

PlanStamp SessionState::stamp() const {
  return {.catalog_version = catalog.catalog().version(),
          .catalog_epoch = catalog.epoch(),
          .settings_epoch = settings_epoch,
          .blank_marks = connection->blank_marks().version()};
}

sql::TranslateContext SessionState::translate_context(std::string_view script) const {
  sql::TranslateContext context;
  context.script = script;
  context.current_database = request.database;
  context.search_path = resolved_search_path();
  context.system_schema = catalog::kSystemSchema;
  context.function_schema = catalog::kDialectSchema;
  context.time_zone = settings.get("timezone");
  context.insensitive = catalog.database()->insensitive;
  context.numeric_rounding = settings.get("enable_numeric_rounding") == "on";
  context.case_sensitive_attributes = settings.is_on("enable_case_sensitive_super_attribute");
  context.one_match = settings.is_on("error_on_nondeterministic_update");
  return context;
}

SqlStatus SessionState::check_access(const sql::Statement& statement) {
  for (const sql::TableAccess& access : sql::referenced_tables(statement)) {
    const sql::QualifiedName table = at_home(access.table);
    const bool elsewhere = !table.database().empty() && table.database() != request.database;
    if (sql::is_system_relation(access.table) && !elsewhere) {
      if (access.access != sql::Access::kSelect && access.access != sql::Access::kReference) {
        return engine::fail_sql(
            "42501",
            "permission denied: \"" + std::string(access.table.name()) + "\" is a system catalog");
      }
      continue;
    }
    SqlResult<catalog::RelationPointer> relation = access.access == sql::Access::kSelect
                                                       ? find_readable(access.table)
                                                       : find_relation(access.table);
    if (!relation) {
      if (relation.error().sqlstate == "42P01")
        continue;  // the translator says it, with the position
      return std::unexpected(std::move(relation).error());
    }
    if (const std::uint32_t privilege = needed_privilege(access.access); privilege != 0) {
      const SqlStatus allowed = require(**relation, privilege);
      if (!allowed && !columns_suffice(*this, statement, **relation, access)) return allowed;
    }
    if ((*relation)->kind == catalog::RelationKind::kView) LEAT_TRY(check_view(**relation));
    const bool writes =
        access.access != sql::Access::kSelect && access.access != sql::Access::kReference;
    if (writes && changes_rows(statement) && (*relation)->kind != catalog::RelationKind::kTable) {
      return engine::fail_sql("42809", "cannot change view \"" + (*relation)->name + "\"");
    }
  }
  return {};
}

void SessionState::note_step(const char* name, const catalog::Relation& relation) {
  const bool at_home = home != nullptr && relation.database == home->own->alias();
  TableStep step{.name = name,
                 .table = relation.oid,
                 .table_name = fmt::format("{}.{}.{}", at_home ? home->database : request.database,
                                           relation.schema_name, relation.name)};
  if (std::ranges::find(steps, step) == steps.end()) steps.push_back(std::move(step));
}

SqlStatus SessionState::lock_read(const catalog::Relation& relation, int depth) {
  constexpr int kDepthMax = 100;     // as of views that depend on each other
  if (depth > kDepthMax) return {};  // using it will say so
  if (relation.kind == catalog::RelationKind::kTable ||
      relation.kind == catalog::RelationKind::kMaterializedView) {
    note_step("scan", relation);
    if (!in_other_database(relation)) tables_used.reads.insert(relation.oid);
    return lock_table(relation.schema_name, relation.name, LockMode::kRead, relation.database);
  }
  if (relation.kind == catalog::RelationKind::kLateBindingView)
    return lock_late_binding(relation, depth + 1);
  for (const catalog::Oid oid : relation.depends_on) {
    const catalog::RelationPointer below = catalog.relation(oid);
    if (below != nullptr) LEAT_TRY(lock_read(*below, depth + 1));
  }
  return {};
}

SqlStatus SessionState::lock_tables(const sql::Statement& statement, int depth) {
  for (const sql::TableAccess& access : sql::referenced_tables(statement)) {
    if (access.access == sql::Access::kReference || sql::is_system_relation(access.table)) continue;
    const SqlResult<catalog::RelationPointer> relation = find_readable(access.table);
    const bool changes =
        access.access == sql::Access::kUpdate || access.access == sql::Access::kDelete;
    const bool grows = adds_rows(access.access);
    if (relation && grows) note_growth(**relation);
    if (relation && changes) note_step("delete", **relation);
    if (relation && grows) note_step("insert", **relation);
    if (relation && changes && block != Block::kNone) rows_changed.insert((*relation)->oid);
    if (!relation || (*relation)->temporary) continue;
    if (access.access == sql::Access::kSelect) {
      LEAT_TRY(lock_read(**relation, depth));
    } else {
      if (access.access != sql::Access::kLock) tables_used.writes.insert((*relation)->oid);
      LEAT_TRY(lock_table(
          (*relation)->schema_name, (*relation)->name,
          access.access == sql::Access::kLock ? LockMode::kExclusive : LockMode::kWrite));
      if (access.access != sql::Access::kLock) changed_relations.insert((*relation)->oid);
    }
  }
  return {};
}

SqlResult<Plan> SessionState::make_plan(const sql::Statement& statement, std::string_view script,
                                        std::span<const std::uint32_t> declared,
                                        std::span<const std::int32_t> modifiers) {
  const PlanStamp made_at = stamp();
  const SessionLookup lookup(*this);
  sql::TranslateContext context = translate_context(script);
  context.relations = &lookup;
  for (const std::uint32_t oid : declared)
    context.parameter_types.push_back(catalog::type_from_oid(oid));
  context.parameter_types.resize(std::max(declared.size(), modifiers.size()));
  for (std::size_t i = 0; i < modifiers.size(); ++i) {
    constexpr std::uint32_t kNumeric = 1700;
    if (modifiers[i] >= 0)
      context.parameter_types[i] = catalog::type_from_oid(kNumeric, modifiers[i]);
  }
  Plan plan;
  plan.stamp = made_at;
  plan.constant = sql::is_constant(statement);
  if (auto found = sql::catalog_focus(statement)) {
    plan.focus = std::make_shared<const sql::CatalogFocus>(std::move(*found));
  }
  sql::SqlResult<sql::Translation> translation = sql::translate(statement, context);
  if (!translation) return std::unexpected(from_sql(std::move(translation).error()));
  if (translation->statements.empty()) {
    return engine::fail_sql("XX000", "the statement has no translation");
  }
  plan.marks = lookup.marks();
  plan.target = written_relation(*this, statement);
  if (plan.target != nullptr) plan.marks.erase(plan.target->oid);
  plan.before.assign(translation->statements.begin(), std::prev(translation->statements.end()));
  LEAT_TRY(quiet_engine());
  LEAT_TRY(follow_time_zone());
  // The engine's transaction is not begun for a description: the snapshot must follow the locks.
  LEAT_ASSIGN(plan.last, connection->prepare(translation->statements.back()));
  for (const engine::ColumnInfo& column : plan.last->columns())
    plan.fields.push_back(field_of(column));
  if (translation->columns.size() == plan.fields.size()) {
    for (std::size_t i = 0; i < plan.fields.size(); ++i)
      add_declaration(plan.fields[i], translation->columns[i]);
  }
  for (std::size_t i = 0; i < plan.last->parameter_count(); ++i) {
    const bool known = i < declared.size() && declared[i] != 0 && declared[i] != 705;
    const engine::ColumnType& type = plan.last->parameter_type(i);
    if (known) {
      plan.parameter_types.push_back(declared[i]);
    } else {
      // What the engine leaves open is text to drivers: they can bind it.
      const std::uint32_t oid = field_of({.name = {}, .type = type}).type_oid;
      plan.parameter_types.push_back(oid == 705 || type.type == engine::Type::kNull ? 1043 : oid);
    }
  }
  return plan;
}

SqlError SessionState::found_reason(SqlError lost, Plan& plan,
                                    std::span<const engine::Value> parameters) {
  if (lost.message != engine::kLostReason) return lost;
  static_cast<void>(connection->rollback());
  constexpr int kAttemptsMax = 3;
  for (int attempt = 0; attempt < kAttemptsMax && check_stopped(); ++attempt) {
    const SqlResult<engine::Cursor> again = plan.last->execute(parameters, {.streaming = false});
    if (again) break;
    if (again.error().message != engine::kLostReason) return again.error();
  }
  return lost;
}

SqlStatus SessionState::quiet_engine() {
  if (streaming == nullptr) return {};
  RowStream* stream = std::exchange(streaming, nullptr);
  if (stream->at_end) return {};
  return stream->cursor.detach(kDetachedBytesMax);
}

void SessionState::forget(const RowStream* rows) {
  if (streaming == rows) streaming = nullptr;
}

SqlStatus SessionState::prepare_engine(const Plan& plan) {
  LEAT_TRY(quiet_engine());
  LEAT_TRY(open_engine());
  for (const std::string& statement : plan.before) LEAT_TRY(connection->run(statement));
  return {};
}

SqlResult<std::unique_ptr<RowStream>> SessionState::open_rows(
    Plan& plan, std::span<const engine::Value> parameters) {
  LEAT_TRY(prepare_engine(plan));
  auto rows = std::make_unique<RowStream>();
  focus.store(plan.focus);
  SqlResult<engine::Cursor> cursor = plan.last->execute(parameters);
  focus.store(nullptr);
  if (!cursor) return std::unexpected(std::move(cursor).error());
  if (marks_changed(plan)) return engine::fail_sql("40001", std::string(kMarksChanged));
  rows->cursor = std::move(*cursor);
  rows->fields = plan.fields;
  // A statement whose parameters had no types is planned anew with its values.
  if (rows->cursor.columns().size() != rows->fields.size()) {
    rows->fields.clear();
    for (const engine::ColumnInfo& column : rows->cursor.columns())
      rows->fields.push_back(field_of(column));
  }
  streaming = rows.get();
  return rows;
}

bool SessionState::marks_changed(const Plan& plan) const {
  const engine::BlankMarks& marks = connection->blank_marks();
  return marks.version() != plan.stamp.blank_marks &&
         std::ranges::any_of(plan.marks, [&](const auto& table) {
           return marks.columns(table.first).size() != table.second;
         });
}

SqlResult<std::unique_ptr<RowStream>> SessionState::open_planned(
    PreparedStatement& prepared, std::span<const engine::Value> parameters) {
  return open_answer_of(*this, prepared, parameters, sql::returns_rows(prepared.parsed->statement),
                        [&] { return plan_statement(prepared); });
}

SqlResult<std::unique_ptr<RowStream>> SessionState::open_answer(
    Plan& plan, std::span<const engine::Value> parameters) {
  if (!plan.constant) return open_rows(plan, parameters);
  if (plan.answer == nullptr) {
    LEAT_ASSIGN(const auto made, open_rows(plan, parameters));
    forget(made.get());
    LEAT_ASSIGN(std::optional<engine::Chunk> chunk, made->cursor.next());
    if (!chunk) return engine::fail_sql("XX000", "a constant has no row");
    plan.answer = std::make_shared<const engine::Chunk>(std::move(*chunk));
  }
  auto rows = std::make_unique<RowStream>();
  rows->fields = plan.fields;
  rows->chunk = plan.answer;
  rows->only_chunk = true;
  return rows;
}

SqlStatus SessionState::pump(RowStream& rows, std::int64_t limit, ResultSink& sink) {
  std::int64_t left = limit == 0 ? -1 : limit;
  while (left != 0) {
    if (!rows.chunk || rows.next_row >= rows.chunk->rows()) {
      rows.chunk.reset();
      if (rows.only_chunk) {
        rows.at_end = true;
        return {};
      }
      SqlResult<std::optional<engine::Chunk>> next = rows.cursor.next();
      if (!next) return std::unexpected(std::move(next).error());
      if (!*next) {
        rows.at_end = true;
        forget(&rows);
        return {};
      }
      rows.chunk = std::make_shared<const engine::Chunk>(std::move(**next));
      rows.next_row = 0;
    }
    std::size_t count = rows.chunk->rows() - rows.next_row;
    if (left > 0) count = std::min(count, static_cast<std::size_t>(left));
    if (!sink.on_rows(*rows.chunk, rows.next_row, count)) return client_gone();
    rows.next_row += count;
    rows.rows_sent += static_cast<std::int64_t>(count);
    if (left > 0) left -= static_cast<std::int64_t>(count);
  }
  return {};
}

SqlStatus SessionState::check_and_lock(const sql::Statement& statement,
                                       const PreparedStatement& prepared) {
  // Who may not read a table does not wait for its lock either.
  const bool checked = prepared.plan && prepared.plan->stamp == stamp();
  if (!checked) LEAT_TRY(check_access(statement));
  return lock_tables(statement);
}

SqlStatus SessionState::run_query(Running& running) {
  // Without a place for it the plan goes with the statement.
  PreparedStatement once;
  PreparedStatement& prepared = running.known != nullptr ? *running.known : once;
  LEAT_TRY(check_and_lock(running.statement, prepared));
  std::unique_ptr<RowStream> rows;
  if (running.known == nullptr) {
    const auto plan_once = [&]() -> SqlStatus {
      LEAT_ASSIGN(prepared.plan, make_plan(running.statement, running.text, {}));
      return {};
    };
    LEAT_ASSIGN(rows, open_answer_of(*this, prepared, running.parameters, true, plan_once));
  } else {
    LEAT_ASSIGN(rows, open_planned(prepared, running.parameters));
  }
  Plan& plan = *prepared.plan;
  if (running.send_fields && !running.sink.on_fields(rows->fields)) return client_gone();
  SqlStatus sent = pump(*rows, 0, running.sink);
  forget(rows.get());
  running.rows = rows->rows_sent;
  if (!sent)
    sent = std::unexpected(found_reason(std::move(sent).error(), plan, running.parameters));
  return sent;
}

SqlStatus SessionState::run_change(Running& running) {
  LEAT_TRY(check_access(running.statement));
  LEAT_TRY(lock_tables(running.statement));
  LEAT_ASSIGN(Plan plan, make_plan(running.statement, running.text, {}));
  return run_change_plan(running, plan);
}

SqlStatus SessionState::run_change_plan(Running& running, Plan& plan) {
  LEAT_ASSIGN(const auto rows, open_rows(plan, running.parameters));
  forget(rows.get());
  running.rows = rows->cursor.rows_changed();
  if (plan.target != nullptr) LEAT_TRY(catalog.put_blanks(*plan.target));
  const std::string_view tag = sql::command_tag(running.statement);
  running.tag = tag == "MERGE" ? std::string(tag) : fmt::format("{} {}", tag, running.rows);
  return {};
}

SqlStatus SessionState::send_query(Running& running, const std::string& engine_sql) {
  LEAT_TRY(quiet_engine());
  LEAT_TRY(open_engine());
  RowStream rows;
  LEAT_ASSIGN(rows.cursor, connection->execute(engine_sql, {.streaming = false}));
  for (const engine::ColumnInfo& column : rows.cursor.columns())
    rows.fields.push_back(field_of(column));
  if (running.send_fields && !running.sink.on_fields(rows.fields)) return client_gone();
  LEAT_TRY(pump(rows, 0, running.sink));
  running.rows = rows.rows_sent;
  return {};
}

SqlStatus SessionState::run_explain(Running& running, const sql::ExplainStatement& statement) {
  LEAT_TRY(check_access(*statement.statement));
  LEAT_ASSIGN(const Plan plan, make_plan(*statement.statement, running.text, {}));
  const SessionLookup lookup(*this);
  sql::TranslateContext context = translate_context();
  context.relations = &lookup;
  sql::SqlResult<sql::Translation> translation = sql::translate(*statement.statement, context);
  if (!translation) return std::unexpected(from_sql(std::move(translation).error()));
  LEAT_ASSIGN(const auto rows, connection->query("EXPLAIN " + translation->statements.back()));
  std::string list;
  for (const engine::TextRow& row : rows) {
    const std::string& text = row.back().value_or(std::string());
    std::size_t from = 0;
    while (from < text.size()) {
      const std::size_t end = std::min(text.find('\n', from), text.size());
      list += (list.empty() ? "" : ",") + engine::quote_literal(text.substr(from, end - from));
      from = end + 1;
    }
  }
  return send_query(running, "SELECT unnest([" + list + "]) AS \"QUERY PLAN\"");
}

SqlStatus SessionState::run_declare(Running& running,
                                    const sql::DeclareCursorStatement& statement) {
  if (block != Block::kExplicit) {
    return engine::fail_sql("25P01", "DECLARE CURSOR may only be used in transaction blocks");
  }
  if (statement.with_hold) {
    return engine::fail_sql("0A000", "DECLARE CURSOR ... WITH HOLD is not supported", {},
                            "Read the cursor within its transaction.");
  }
  if (cursors.contains(statement.name)) {
    return engine::fail_sql("42P03", "cursor \"" + statement.name + "\" already exists");
  }
  if (!cursors.empty()) {
    return engine::fail_sql("0A000", "only one cursor may be open at a time", {},
                            "Close the open cursor first.");
  }
  LEAT_TRY(check_access(running.statement));
  LEAT_TRY(lock_tables(running.statement));
  // The query belongs to the statement's tree; translating needs no Statement around it.
  const SessionLookup lookup(*this);
  sql::TranslateContext context = translate_context(running.text);
  context.relations = &lookup;
  sql::SqlResult<std::string> text = sql::translate_query(*statement.query, context);
  if (!text) return std::unexpected(from_sql(std::move(text).error()));
  Plan plan;
  LEAT_TRY(quiet_engine());
  LEAT_TRY(open_engine());
  LEAT_ASSIGN(plan.last, connection->prepare(*text));
  for (const engine::ColumnInfo& column : plan.last->columns())
    plan.fields.push_back(field_of(column));
  NamedCursor cursor;
  if (plan.last->parameter_count() != running.parameters.size()) {
    return engine::fail_sql("08P01", "the cursor's query has parameters without values", {},
                            "Bind them to DECLARE, or write the values into it.");
  }
  std::vector<engine::Value> values(running.parameters.begin(), running.parameters.end());
  LEAT_TRY(read_moments(*plan.last, values));
  LEAT_ASSIGN(cursor.rows, open_rows(plan, values));
  // The plan's statement dies here, so the rows must not depend on it.
  LEAT_TRY(quiet_engine());
  cursors[statement.name] = std::move(cursor);
  return {};
}

SqlStatus SessionState::run_fetch(Running& running, const sql::FetchStatement& statement) {
  const auto found = cursors.find(statement.cursor);
  if (found == cursors.end()) {
    return engine::fail_sql("34000", "cursor \"" + statement.cursor + "\" does not exist");
  }
  RowStream& rows = *found->second.rows;
  if (running.send_fields && !running.sink.on_fields(rows.fields)) return client_gone();
  const std::int64_t before = rows.rows_sent;
  if (statement.count == 0) {
    // The row fetched last, again; none before the first and after the last.
    if (rows.chunk && rows.next_row > 0 && !rows.at_end) {
      if (!running.sink.on_rows(*rows.chunk, rows.next_row - 1, 1)) return client_gone();
      running.rows = 1;
    }
  } else {
    if (!rows.at_end) LEAT_TRY(pump(rows, statement.count < 0 ? 0 : statement.count, running.sink));
    running.rows = rows.rows_sent - before;
  }
  running.tag = fmt::format("FETCH {}", running.rows);
  return {};
}

SqlStatus SessionState::run_close(Running&, const sql::CloseCursorStatement& statement) {
  if (statement.cursor.empty()) {
    cursors.clear();
    streaming = nullptr;
    return {};
  }
  const auto found = cursors.find(statement.cursor);
  if (found == cursors.end()) {
    return engine::fail_sql("34000", "cursor \"" + statement.cursor + "\" does not exist");
  }
  forget(found->second.rows.get());
  cursors.erase(found);
  return {};
}

SqlStatus SessionState::run_prepare(Running& running, const sql::PrepareStatement& statement) {
  if (sql_prepared.contains(statement.name)) {
    return engine::fail_sql("42P05",
                            "prepared statement \"" + statement.name + "\" already exists");
  }
  const std::string text(
      running.text.substr(statement.statement_span.begin,
                          statement.statement_span.end - statement.statement_span.begin));
  auto prepared = std::make_shared<PreparedStatement>();
  prepared->text = text;
  sql::SqlResult<std::optional<sql::ParsedStatement>> parsed = sql::parse_statement(text);
  if (!parsed) return std::unexpected(from_sql(std::move(parsed).error()));
  prepared->parsed = std::move(*parsed);
  for (const sql::TypeName& type : statement.types)
    prepared->declared_types.push_back(sql::type_oid(type));
  LEAT_TRY(plan_statement(*prepared));
  sql_prepared[statement.name] = std::move(prepared);
  return {};
}

SqlStatus SessionState::run_execute(Running& running, const sql::ExecuteStatement& statement) {
  const auto found = sql_prepared.find(statement.name);
  if (found == sql_prepared.end()) {
    return engine::fail_sql("26000",
                            "prepared statement \"" + statement.name + "\" does not exist");
  }
  const std::shared_ptr<PreparedStatement> prepared = found->second;
  // The arguments are expressions: the engine computes them, their text is bound.
  std::string list;
  const sql::TranslateContext context = translate_context(running.text);
  for (const sql::ExpressionPtr& argument : statement.arguments) {
    if (sql::parts_of(*argument).query) {
      return engine::fail_sql("0A000", "cannot use a subquery in an argument of EXECUTE", {},
                              "Read the value first, and give it as it is.");
    }
    sql::SqlResult<std::string> text = sql::translate_expression(*argument, context);
    if (!text) return std::unexpected(from_sql(std::move(text).error()));
    list += (list.empty() ? "" : ", ") + ("CAST(" + *text + " AS VARCHAR)");
  }
  std::vector<engine::Value> values;
  if (!list.empty()) {
    LEAT_TRY(quiet_engine());
    LEAT_TRY(open_engine());
    LEAT_ASSIGN(const auto rows, connection->query("SELECT " + list));
    for (const auto& cell : rows.front()) {
      values.push_back(cell ? engine::Value(engine::UntypedText{*cell}) : engine::Value());
    }
  }
  const sql::Statement& inner = prepared->parsed->statement;
  // The rows and the marks of their columns commit together.
  if (block == Block::kNone && sql::writes(inner)) start_block(Block::kImplicit, false);
  LEAT_TRY(check_and_lock(inner, *prepared));
  LEAT_TRY(plan_statement(*prepared));
  const catalog::RelationPointer target = prepared->plan->target;
  LEAT_TRY(read_moments(*prepared->plan->last, values));
  if (values.size() != prepared->plan->last->parameter_count()) {
    return engine::fail_sql(
        "42601",
        fmt::format("wrong number of parameters for prepared statement \"{}\"", statement.name),
        fmt::format("Expected {} parameters but got {}.", prepared->plan->last->parameter_count(),
                    values.size()));
  }
  LEAT_TRY(keep_digits(*prepared, values));
  LEAT_ASSIGN(const auto rows, open_planned(*prepared, values));
  if (target != nullptr) LEAT_TRY(catalog.put_blanks(*target));
  if (!sql::returns_rows(inner)) {
    forget(rows.get());
    running.rows = rows->cursor.rows_changed();
    running.tag = fmt::format("{} {}", sql::command_tag(inner), running.rows);
    return {};
  }
  if (running.send_fields && !running.sink.on_fields(rows->fields)) return client_gone();
  const SqlStatus sent = pump(*rows, 0, running.sink);
  forget(rows.get());
  running.rows = rows->rows_sent;
  running.tag = "SELECT";
  return sent;
}

}  // namespace leat::session
