// The extended protocol: named statements and portals.
#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "warehouse/session/session_state.h"

namespace leat::session {
namespace {

constexpr std::size_t kStatementsMax = 10'000;
constexpr std::size_t kPortalsMax = 1'000;
constexpr std::size_t kRecentMax = 64;
constexpr std::size_t kRecentTextMax = 8'192;
/// A plan is made from what the tables hold: after this it is made anew.
constexpr std::int64_t kRecentAgeUs = 60'000'000;

/// Statements that the engine plans and runs itself: these can take parameters and be described.
bool is_planned(const sql::Statement& statement) {
  return sql::get_if<sql::SelectStatement>(statement) != nullptr ||
         sql::get_if<sql::InsertStatement>(statement) != nullptr ||
         sql::get_if<sql::UpdateStatement>(statement) != nullptr ||
         sql::get_if<sql::DeleteStatement>(statement) != nullptr ||
         sql::get_if<sql::MergeStatement>(statement) != nullptr;
}

bool is_same_column(const Field& told, const Field& now) {
  return told.name == now.name && told.type_oid == now.type_oid &&
         told.type_modifier == now.type_modifier;
}

Field text_field(std::string name) {
  return {.name = std::move(name), .type_oid = 1043, .type_size = -1, .type_modifier = -1};
}

/// Collects the fields of statements that only running describes (SHOW).
class FieldSink final : public ResultSink {
 public:
  bool on_fields(std::span<const Field> described) override {
    fields.assign(described.begin(), described.end());
    return true;
  }
  bool on_rows(const engine::Chunk&, std::size_t, std::size_t) override { return true; }
  bool on_complete(std::string_view) override { return true; }
  bool on_empty() override { return true; }
  void on_notice(Severity, std::string_view, std::string_view) override {}
  void on_setting(std::string_view, std::string_view) override {}
  std::vector<Field> fields;
};

}  // namespace

std::shared_ptr<PreparedStatement> SessionState::recall(std::string_view text,
                                                        std::span<const std::uint32_t> types) {
  const auto found = recent.find(text);
  if (found == recent.end()) return nullptr;
  const PreparedStatement& statement = *found->second;
  const bool changed = !statement.plan || statement.plan->stamp != stamp();
  if (changed || shared->clock.monotonic_us() - statement.seen_us > kRecentAgeUs) {
    recent.erase(found);
    return nullptr;
  }
  if (!std::ranges::equal(statement.declared_types, types)) return nullptr;
  return found->second;
}

void SessionState::remember(const std::shared_ptr<PreparedStatement>& statement) {
  if (!statement->parsed || statement->text.size() > kRecentTextMax ||
      sql::get_if<sql::SelectStatement>(statement->parsed->statement) == nullptr) {
    return;
  }
  if (recent.size() >= kRecentMax) recent.clear();
  statement->seen_us = shared->clock.monotonic_us();
  recent.insert_or_assign(statement->text, statement);
}

SqlStatus SessionState::parse(std::string_view name, std::string_view text,
                              std::span<const std::uint32_t> types) {
  if (!name.empty() && statements.contains(name)) {
    return engine::fail_sql("42P05",
                            "prepared statement \"" + std::string(name) + "\" already exists");
  }
  if (statements.size() >= kStatementsMax) {
    return engine::fail_sql(
        "54000", fmt::format("more than {} prepared statements in one session", kStatementsMax));
  }
  std::shared_ptr<PreparedStatement> prepared = recall(text, types);
  if (prepared == nullptr) {
    prepared = std::make_shared<PreparedStatement>();
    prepared->text = text;
    sql::SqlResult<std::optional<sql::ParsedStatement>> parsed =
        sql::parse_statement(prepared->text);
    if (!parsed) return std::unexpected(from_sql(std::move(parsed).error()));
    prepared->parsed = std::move(*parsed);
    prepared->declared_types.assign(types.begin(), types.end());
  }
  if (failed && prepared->parsed) {
    const auto* transaction = sql::get_if<sql::TransactionStatement>(prepared->parsed->statement);
    if (transaction == nullptr || transaction->kind == sql::TransactionKind::kBegin) {
      return engine::fail_sql(
          "25P02",
          "current transaction is aborted, commands ignored until end of transaction block");
    }
  }
  if (prepared->parsed) {
    if (const auto* call = sql::get_if<sql::CallStatement>(prepared->parsed->statement);
        call != nullptr && prepared->parsed->parameter_count > 0)
      return no_procedure(*call);
  }
  // What cannot be planned is no statement: its name stays free.
  if (prepared->parsed && is_planned(prepared->parsed->statement))
    LEAT_TRY(plan_statement(*prepared));
  remember(prepared);
  statements.insert_or_assign(std::string(name), std::move(prepared));
  return {};
}

SqlStatus SessionState::plan_statement(PreparedStatement& statement) {
  if (!statement.plan || statement.plan->stamp != stamp()) {
    statement.plan.reset();
    if (home != nullptr) {
      LEAT_TRY(plan_here(statement));
    } else {
      LEAT_TRY(visit_written(statement.parsed->statement, false));
      const SqlStatus planned = plan_here(statement);
      leave_visited();
      if (!planned) return planned;
    }
  }
  if (!statement.promised) {
    statement.promised = statement.plan->fields;
  } else if (!std::ranges::equal(*statement.promised, statement.plan->fields, is_same_column)) {
    // Who has the old description would read the new rows as something else.
    statement.plan.reset();
    return engine::fail_sql("0A000", std::string(kOutdatedStatement), {},
                            "Prepare the statement again.");
  }
  return {};
}

SqlStatus SessionState::plan_here(PreparedStatement& statement) {
  LEAT_TRY(check_access(statement.parsed->statement));
  LEAT_ASSIGN(statement.plan, make_plan(statement.parsed->statement, statement.text,
                                        statement.declared_types, statement.modifiers));
  // A parameter whose type does not follow from its place is text, and then the columns made of
  // it have types as well.
  Plan& plan = *statement.plan;
  std::vector<std::uint32_t> types = plan.parameter_types;
  bool open = false;
  for (std::size_t i = 0; i < plan.last->parameter_count(); ++i) {
    const bool known = plan.last->parameter_type(i).type != engine::Type::kNull ||
                       (i < statement.declared_types.size() && statement.declared_types[i] != 0 &&
                        statement.declared_types[i] != 705);
    open = open || !known;
  }
  if (!open || !sql::returns_rows(statement.parsed->statement)) return {};
  SqlResult<Plan> typed =
      make_plan(statement.parsed->statement, statement.text, types, statement.modifiers);
  if (typed) statement.plan = std::move(*typed);
  return {};
}

SqlResult<std::vector<Field>> SessionState::fields_of(PreparedStatement& statement) {
  const sql::Statement& node = statement.parsed->statement;
  if (is_planned(node)) {
    LEAT_TRY(plan_statement(statement));
    if (!sql::returns_rows(node)) return std::vector<Field>();
    return statement.plan->fields;
  }
  if (const auto* fetch = sql::get_if<sql::FetchStatement>(node)) {
    const auto cursor = cursors.find(fetch->cursor);
    if (cursor == cursors.end()) {
      return engine::fail_sql("34000", "cursor \"" + fetch->cursor + "\" does not exist");
    }
    return cursor->second.rows->fields;
  }
  if (const auto* execute = sql::get_if<sql::ExecuteStatement>(node)) {
    const auto prepared = sql_prepared.find(execute->name);
    if (prepared == sql_prepared.end()) {
      return engine::fail_sql("26000",
                              "prepared statement \"" + execute->name + "\" does not exist");
    }
    return fields_of(*prepared->second);
  }
  if (sql::get_if<sql::ExplainStatement>(node) != nullptr)
    return std::vector<Field>{text_field("QUERY PLAN")};
  if (sql::returns_rows(node)) {
    FieldSink sink;
    Running running{
        .statement = node, .text = statement.text, .span = statement.parsed->span, .sink = sink};
    LEAT_TRY(dispatch(running));
    return sink.fields;
  }
  return std::vector<Field>();
}

SqlResult<StatementDescription> SessionState::describe_statement(std::string_view name) {
  const auto found = statements.find(name);
  if (found == statements.end()) {
    return engine::fail_sql("26000",
                            "prepared statement \"" + std::string(name) + "\" does not exist");
  }
  StatementDescription description;
  PreparedStatement& statement = *found->second;
  if (!statement.parsed) return description;
  LEAT_ASSIGN(description.fields, fields_of(statement));
  description.returns_rows = !description.fields.empty();
  if (statement.plan) {
    description.parameter_types = statement.plan->parameter_types;
  } else {
    description.parameter_types = statement.declared_types;
    if (sql::get_if<sql::DeclareCursorStatement>(statement.parsed->statement) != nullptr) {
      description.parameter_types.resize(
          static_cast<std::size_t>(statement.parsed->parameter_count), 0);
      std::ranges::replace(description.parameter_types, 0U, 1043U);
    }
  }
  return description;
}

SqlStatus SessionState::bind(std::string_view portal, std::string_view name,
                             std::span<const Parameter> parameters) {
  const auto found = statements.find(name);
  if (found == statements.end()) {
    return engine::fail_sql("26000",
                            "prepared statement \"" + std::string(name) + "\" does not exist");
  }
  if (!portal.empty() && portals.contains(portal)) {
    return engine::fail_sql("42P03", "portal \"" + std::string(portal) + "\" already exists");
  }
  if (portals.size() >= kPortalsMax) {
    return engine::fail_sql("54000",
                            fmt::format("more than {} open portals in one session", kPortalsMax));
  }
  auto made = std::make_unique<Portal>();
  made->statement = found->second;
  PreparedStatement& statement = *made->statement;
  if (statement.parsed && (failed || ended)) {
    const auto* transaction = sql::get_if<sql::TransactionStatement>(statement.parsed->statement);
    if (ended) LEAT_TRY(check_stopped());
    if (transaction == nullptr || transaction->kind == sql::TransactionKind::kBegin) {
      return engine::fail_sql(
          "25P02",
          "current transaction is aborted, commands ignored until end of transaction block");
    }
  }
  std::size_t expected = 0;
  std::vector<std::uint32_t> types = statement.declared_types;
  if (statement.parsed && is_planned(statement.parsed->statement)) {
    // Text goes in as it is; only binary values need the types, which the plan knows.
    expected = static_cast<std::size_t>(statement.parsed->parameter_count);
    if (expected > 0) {
      LEAT_TRY(plan_statement(statement));
      types = statement.plan->parameter_types;
      expected = types.size();
    }
  }
  // A cursor's query gets its values when it is declared.
  if (statement.parsed &&
      sql::get_if<sql::DeclareCursorStatement>(statement.parsed->statement) != nullptr)
    expected = static_cast<std::size_t>(statement.parsed->parameter_count);
  if (parameters.size() != expected) {
    return engine::fail_sql(
        "08P01", fmt::format("bind message supplies {} parameters, but prepared statement \"{}\" "
                             "requires {}",
                             parameters.size(), name, expected));
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    LEAT_ASSIGN(engine::Value value,
                decode_parameter(parameters[i], i < types.size() ? types[i] : 0));
    made->parameters.push_back(std::move(value));
  }
  if (statement.plan) {
    LEAT_TRY(read_moments(*statement.plan->last, made->parameters));
    LEAT_TRY(keep_digits(statement, made->parameters));
  }
  if (const auto old = portals.find(portal); old != portals.end()) {
    forget(old->second->rows.get());
    portals.erase(old);
  }
  portals.insert_or_assign(std::string(portal), std::move(made));
  return {};
}

SqlResult<std::vector<Field>> SessionState::describe_portal(std::string_view name) {
  const auto found = portals.find(name);
  if (found == portals.end()) {
    // DECLARE makes a portal too.
    if (const auto cursor = cursors.find(name); cursor != cursors.end())
      return cursor->second.rows->fields;
    return engine::fail_sql("34000", "portal \"" + std::string(name) + "\" does not exist");
  }
  Portal& portal = *found->second;
  if (portal.rows) return portal.rows->fields;
  if (!portal.statement->parsed) return std::vector<Field>();
  return fields_of(*portal.statement);
}

SqlResult<ExecuteOutcome> SessionState::execute(std::string_view name, std::int64_t row_limit,
                                                ResultSink& sink) {
  const auto found = portals.find(name);
  if (found == portals.end()) {
    return engine::fail_sql("34000", "portal \"" + std::string(name) + "\" does not exist");
  }
  Portal& portal = *found->second;
  const std::shared_ptr<PreparedStatement> prepared = portal.statement;
  if (!prepared->parsed) {
    sink.on_empty();
    return ExecuteOutcome::kEmpty;
  }
  const sql::Statement& statement = prepared->parsed->statement;
  if (sql::writes(statement) && block == Block::kNone &&
      !sql::forbidden_in_transaction(statement)) {
    start_block(Block::kImplicit, false);
  }
  Running running{.statement = statement,
                  .text = prepared->text,
                  .span = prepared->parsed->span,
                  .sink = sink,
                  .parameters = portal.parameters,
                  .send_fields = false};
  bool suspended = false;
  SqlStatus done = guarded(running, block != Block::kExplicit, [&]() -> SqlStatus {
    if (sql::get_if<sql::SelectStatement>(statement) != nullptr) {
      if (portal.done) return {};
      if (!portal.rows) {
        LEAT_TRY(check_and_lock(statement, *prepared));
        LEAT_ASSIGN(portal.rows, open_planned(*prepared, portal.parameters));
      }
      const std::int64_t before = portal.rows->rows_sent;
      if (SqlStatus sent = pump(*portal.rows, row_limit, sink); !sent) {
        return std::unexpected(
            found_reason(std::move(sent).error(), *prepared->plan, portal.parameters));
      }
      running.rows = portal.rows->rows_sent - before;
      suspended = row_limit > 0 && !portal.rows->at_end && running.rows == row_limit;
      portal.done = portal.rows->at_end;
      return {};
    }
    if (is_planned(statement)) {
      LEAT_TRY(check_and_lock(statement, *prepared));
      LEAT_TRY(plan_statement(*prepared));
      return run_change_plan(running, *prepared->plan);
    }
    return dispatch(running);
  });
  if (!done) return std::unexpected(std::move(done).error());
  if (suspended) return ExecuteOutcome::kSuspended;
  LEAT_TRY(finish(running));
  // A change runs once: Amazon's JDBC driver leaves a portal behind for each row of a batch.
  const auto ran = portals.find(name);  // COMMIT has ended them all
  if (!name.empty() && ran != portals.end() && !sql::returns_rows(statement)) portals.erase(ran);
  return ExecuteOutcome::kComplete;
}

SqlStatus SessionState::sync(ResultSink& sink) {
  if (block != Block::kExplicit) {
    portals.clear();
    streaming = nullptr;
  }
  if (block == Block::kImplicit) return commit_block(&sink);
  return {};
}

}  // namespace leat::session
