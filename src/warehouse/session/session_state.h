// The inside of a session. Only this module's files include it.
//
// A block is a transaction: implicit (one simple query, or the extended messages up to Sync) or
// explicit (BEGIN). The engine's transaction is begun by the first statement that needs it, so that
// a LOCK at the start of a block is waited for before the snapshot is taken.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time_zone.h"
#include "warehouse/catalog/catalog_session.h"
#include "warehouse/catalog/view_binding.h"
#include "warehouse/engine/connection.h"
#include "warehouse/session/history.h"
#include "warehouse/session/session.h"
#include "warehouse/session/settings.h"
#include "warehouse/session/warehouse_state.h"
#include "warehouse/sql/translate.h"

namespace leat::session {

/// A result being read: at most one of a session streams from the engine, the others are in memory.
struct RowStream {
  engine::Cursor cursor;
  std::vector<Field> fields;
  std::shared_ptr<const engine::Chunk> chunk;
  std::size_t next_row = 0;  ///< In `chunk`.
  bool only_chunk = false;   ///< `chunk` is all there is: the engine was not asked.
  std::int64_t rows_sent = 0;
  bool at_end = false;
};

/// Says whether translated SQL is still right: when any part differs, the statement is translated
/// anew.
struct PlanStamp {
  std::uint64_t catalog_version = 0;
  std::uint64_t catalog_epoch = 0;
  std::uint64_t settings_epoch = 0;
  std::uint64_t blank_marks = 0;
  bool operator==(const PlanStamp&) const = default;
};

struct Plan {
  std::vector<std::string> before;  ///< DuckDB statements that come first, without parameters.
  std::optional<engine::Prepared> last;
  std::vector<Field> fields;
  std::vector<std::uint32_t> parameter_types;
  PlanStamp stamp;
  /// What the statement writes rows into; null: nothing.
  catalog::RelationPointer target;
  /// The tables that it reads, with the number of their columns that had a mark
  /// (engine::BlankMarks) when it was translated.
  std::map<catalog::Oid, std::size_t> marks;
  bool constant = false;  ///< The answer is always the same, and kept once it is known.
  std::shared_ptr<const engine::Chunk> answer;
  std::shared_ptr<const sql::CatalogFocus> focus;  ///< Null: none.
};

/// A statement of the extended protocol, or of PREPARE.
struct PreparedStatement {
  std::string text;
  std::optional<sql::ParsedStatement> parsed;  ///< Nothing: the text was empty.
  std::vector<std::uint32_t> declared_types;
  std::optional<Plan> plan;
  /// The columns that clients were told of: a plan with others does not replace the first.
  std::optional<std::vector<Field>> promised;
  /// NUMERIC parameters that had a value with more digits than the plan's type: the type's modifier
  /// that keeps them all; -1 of others. Empty: of none.
  std::vector<std::int32_t> modifiers;
  bool modifiers_kept = false;  ///< Others would give other columns than were told.
  std::int64_t seen_us = 0;     ///< When it came first (monotonic).
};

struct Portal {
  std::shared_ptr<PreparedStatement> statement;
  std::vector<engine::Value> parameters;
  std::unique_ptr<RowStream> rows;  ///< Set by the first execute of a query.
  bool done = false;
};

struct NamedCursor {
  std::unique_ptr<RowStream> rows;
  std::optional<engine::Chunk> last_chunk;  ///< FETCH FORWARD 0 shows its row again.
  std::size_t last_row = 0;
};

enum class Block : std::uint8_t { kNone, kImplicit, kExplicit };

/// One statement on its way through.
struct Running {
  const sql::Statement& statement;
  std::string_view text;  ///< The script; spans and positions are in it.
  sql::SourceSpan span;
  ResultSink& sink;
  std::span<const engine::Value> parameters = {};
  std::int64_t rows = 0;    ///< Returned, changed or loaded: for the history.
  std::string tag = {};     ///< Set when the statement completes with another tag than its kind's.
  bool send_fields = true;  ///< False within the extended protocol.
  PreparedStatement* known = nullptr;  ///< Keeps its plan for the next time, when there is one.
};

struct SessionState {
  SessionState(std::shared_ptr<WarehouseState> shared, std::shared_ptr<catalog::Catalog> database,
               std::unique_ptr<engine::Connection> opened);
  SessionState(const SessionState&) = delete;
  SessionState& operator=(const SessionState&) = delete;
  ~SessionState();

  // session.cc
  SqlStatus simple_query(std::string_view script, ResultSink& sink);
  SqlStatus run_one(const sql::ParsedStatement& parsed, std::string_view script, ResultSink& sink,
                    bool alone, PreparedStatement* known = nullptr);
  /// Checks, notes in the history, runs `body`, fails the block on an error.
  SqlStatus guarded(Running& running, bool alone, const std::function<SqlStatus()>& body);
  /// Waits for a slot, if the statement needs one, and notes which.
  SqlStatus enter_queue(const sql::Statement& statement, QueryRecord& record);
  SqlStatus dispatch(Running& running);
  SqlStatus finish(Running& running);  ///< Sends the tag.

  // extended.cc
  SqlStatus parse(std::string_view name, std::string_view text,
                  std::span<const std::uint32_t> types);
  SqlResult<StatementDescription> describe_statement(std::string_view name);
  SqlStatus bind(std::string_view portal, std::string_view name,
                 std::span<const Parameter> parameters);
  SqlResult<std::vector<Field>> describe_portal(std::string_view name);
  SqlResult<ExecuteOutcome> execute(std::string_view portal, std::int64_t row_limit,
                                    ResultSink& sink);
  SqlStatus sync(ResultSink& sink);
  SqlResult<std::vector<Field>> fields_of(PreparedStatement& statement);
  SqlStatus plan_statement(PreparedStatement& statement);
  SqlStatus plan_here(PreparedStatement& statement);  ///< In the database that is visited.
  /// Reads texts where the statement takes dates and timestamps, by the session's time zone.
  /// Plans anew when NUMERIC values have more digits than the plan's parameters keep.
  SqlStatus keep_digits(PreparedStatement& statement, std::span<const engine::Value> values);
  SqlStatus read_moments(const engine::Prepared& statement, std::vector<engine::Value>& values);
  /// A query that came before as the same text, with its plan; nothing when it is to be parsed.
  std::shared_ptr<PreparedStatement> recall(std::string_view text,
                                            std::span<const std::uint32_t> types);
  /// Keeps a query for recall(); other statements and long texts are not kept.
  void remember(const std::shared_ptr<PreparedStatement>& statement);

  // transaction.cc
  void start_block(Block kind, bool read_only);
  SqlStatus open_engine();
  /// Makes the engine follow the setting timezone.
  SqlStatus follow_time_zone();
  const TimeZone& time_zone();
  SqlStatus commit_block(ResultSink* sink);
  void rollback_block(ResultSink* sink);
  /// After an error: rolls back; an explicit block stays, failed.
  void fail_block();
  void end_block();
  SqlStatus run_transaction(Running& running);
  /// Has the engine take the transaction's snapshot, noted in a SERIALIZABLE database.
  SqlStatus begin_engine();
  /// Notes the tables that a statement used; 1023 when that cannot be serialized.
  SqlStatus check_serializable();
  SqlStatus lock_table(const std::string& schema, const std::string& name,
                       LockMode mode = LockMode::kWrite, std::string_view database = {});
  /// Gives back what a statement outside of a block has locked.
  void unlock_statement();
  SqlStatus check_stopped() const;
  SqlError dress(SqlError error) const;

  // query.cc
  [[nodiscard]] PlanStamp stamp() const;
  /// `script`: what the statement was parsed from, for the positions of errors.
  sql::TranslateContext translate_context(std::string_view script = {}) const;
  SqlStatus check_access(const sql::Statement& statement);
  /// The rights, unless its plan still proves them, and then the locks.
  SqlStatus check_and_lock(const sql::Statement& statement, const PreparedStatement& prepared);
  /// Every table that the statement names, as strongly as it uses it.
  SqlStatus lock_tables(const sql::Statement& statement, int depth = 0);
  SqlStatus lock_late_binding(const catalog::Relation& view, int depth);
  /// For the history.
  void note_step(const char* name, const catalog::Relation& relation);
  SqlStatus lock_read(const catalog::Relation& relation, int depth = 0);
  SqlResult<Plan> make_plan(const sql::Statement& statement, std::string_view script,
                            std::span<const std::uint32_t> declared,
                            std::span<const std::int32_t> modifiers = {});
  /// open_rows() for a client that reads; a constant answer is not asked of the engine again, which
  /// takes ten times as long as sending it (connection pools ask `select 1` all day).
  SqlResult<std::unique_ptr<RowStream>> open_answer(Plan& plan,
                                                    std::span<const engine::Value> parameters);
  /// Has the engine ready for the plan's last statement.
  SqlStatus prepare_engine(const Plan& plan);
  SqlResult<std::unique_ptr<RowStream>> open_rows(Plan& plan,
                                                  std::span<const engine::Value> parameters);
  /// True when a table that the plan reads has got a mark since. Asked when the snapshot is taken:
  /// a mark is set before the rows are there to be seen.
  [[nodiscard]] bool marks_changed(const Plan& plan) const;
  /// Plans and opens; a query anew when a mark came between.
  SqlResult<std::unique_ptr<RowStream>> open_planned(PreparedStatement& prepared,
                                                     std::span<const engine::Value> parameters);
  SqlStatus run_query(Running& running);
  SqlStatus run_change(Running& running);
  SqlStatus run_change_plan(Running& running, Plan& plan);
  /// Sends rows to the sink, at most `limit` (0: all). False inside: the client is gone. Sets
  /// at_end at the end.
  SqlStatus pump(RowStream& rows, std::int64_t limit, ResultSink& sink);
  /// With several workers the engine sometimes loses the error that ended a stream: the query is
  /// run again, in memory, to find it.
  SqlError found_reason(SqlError lost, Plan& plan, std::span<const engine::Value> parameters);
  SqlStatus quiet_engine();  ///< Takes the streaming result, if any, into memory.
  void forget(const RowStream* rows);
  SqlStatus send_query(Running& running,
                       const std::string& engine_sql);  ///< A result of our own making.
  SqlStatus run_lock(Running& running, const sql::LockStatement& statement);
  SqlStatus run_deallocate(Running& running, const sql::DeallocateStatement& statement);

  // schemas.cc
  SqlStatus run_create_schema(Running& running, const sql::CreateSchemaStatement& statement);
  SqlStatus run_alter_schema(Running& running, const sql::AlterSchemaStatement& statement);
  SqlStatus drop_schemas(Running& running, const sql::DropStatement& statement);
  /// Has the quota of the table's schema, if any, checked by COMMIT.
  void note_growth(const catalog::Relation& relation);
  /// Errors: 53100 when a schema with new rows is larger than its quota.
  SqlStatus check_quotas();
  SqlStatus check_visited_quotas();

  // database_statements.cc
  SqlStatus run_create_database(Running& running, const sql::CreateDatabaseStatement& statement);
  SqlStatus run_alter_database(Running& running, const sql::AlterDatabaseStatement& statement);
  SqlStatus run_use(Running& running, const sql::UseStatement& statement);
  /// USE, and RESET USE with the database that the session connected to.
  SqlStatus use_database(const std::string& name);
  SqlStatus drop_databases(Running& running, const sql::DropStatement& statement);
  // visits.cc
  /// Has the statement run in the database that it writes to by a name of three parts; `locks`: it
  /// runs now. Names without a database are then those of the session's own. Errors: 3D000, 0A000
  /// when the transaction has changed another.
  SqlStatus visit_written(const sql::Statement& statement, bool locks);
  void leave_visited();
  /// A relation's name as it is looked for in the database that is visited.
  [[nodiscard]] sql::QualifiedName at_home(const sql::QualifiedName& name) const;
  /// The session's own database, whichever is visited.
  [[nodiscard]] const catalog::CatalogSession& home_catalog() const {
    return home == nullptr ? catalog : home->view;
  }
  [[nodiscard]] const std::string& home_database() const {
    return home == nullptr ? request.database : home->database;
  }
  /// With the names of databases in place of the engine's.
  SqlError one_database_error(SqlError error) const;

  /// The catalog of the database that `relation` is in, as the session may look at it.
  [[nodiscard]] catalog::CatalogSession catalog_of(const catalog::Relation& relation) const;
  SqlStatus run_call(Running& running, const sql::CallStatement& statement);
  // functions.cc
  SqlResult<catalog::FunctionPointer> find_function_written(
      const sql::QualifiedName& name, const std::vector<sql::TypeName>& types) const;
  SqlStatus run_create_function(Running& running, const sql::CreateFunctionStatement& statement);
  SqlStatus run_drop_function(Running& running, const sql::DropFunctionStatement& statement);
  SqlStatus run_explain(Running& running, const sql::ExplainStatement& statement);
  SqlStatus run_declare(Running& running, const sql::DeclareCursorStatement& statement);
  SqlStatus run_fetch(Running& running, const sql::FetchStatement& statement);
  SqlStatus run_close(Running& running, const sql::CloseCursorStatement& statement);
  SqlStatus run_prepare(Running& running, const sql::PrepareStatement& statement);
  SqlStatus run_execute(Running& running, const sql::ExecuteStatement& statement);

  // relations.cc
  /// Of the session's database; 0A000 for another one.
  SqlResult<catalog::RelationPointer> find_relation(const sql::QualifiedName& written) const;
  /// Of any database, to be read: see in_other_database().
  SqlResult<catalog::RelationPointer> find_readable(const sql::QualifiedName& written) const;
  [[nodiscard]] bool in_other_database(const catalog::Relation& relation) const {
    return !relation.temporary && relation.database != own_catalog->alias();
  }
  SqlResult<catalog::SchemaPointer> creation_schema(const sql::QualifiedName& name) const;
  /// The schemas of search_path that exist and that the user may look into; `with_catalog`: and
  /// pg_catalog where it is named.
  std::vector<std::string> resolved_search_path(bool with_catalog = false) const;
  [[nodiscard]] catalog::UserPointer user() const;
  SqlStatus require(const catalog::Relation& relation, std::uint32_t privileges) const;
  SqlStatus require_of(const catalog::User& who, const catalog::Relation& relation,
                       std::uint32_t privileges) const;
  /// `system`: a privilege of the system that does as well; empty: none.
  SqlStatus require_owner(const catalog::Relation& relation, std::uint32_t privileges,
                          std::string_view system = {}) const;
  /// The view's owner must still be allowed to read what the view reads, and so on below it.
  SqlStatus check_view(const catalog::Relation& view, int depth = 0) const;
  SqlStatus require_superuser(std::string_view what) const;
  /// For superusers and for holders of a role with that privilege.
  SqlStatus require_system_privilege(std::string_view privilege, std::string_view what) const;
  [[nodiscard]] bool has_system_privilege(std::string_view privilege) const;
  SqlStatus require_schema(const catalog::Schema& schema, std::uint32_t privileges) const;

  // ddl.cc, alter.cc, people.cc, show.cc, copy_statement.cc, unload_statement.cc,
  // setting_statements.cc
  SqlStatus run_create_table(Running& running, const sql::CreateTableStatement& statement);
  SqlStatus run_create_table_as(Running& running, const sql::CreateTableAsStatement& statement);
  SqlStatus run_create_view(Running& running, const sql::CreateViewStatement& statement);
  SqlStatus run_create_late_binding_view(Running& running,
                                         const sql::CreateViewStatement& statement,
                                         catalog::Relation relation,
                                         const catalog::RelationPointer& before);
  SqlStatus run_create_materialized_view(Running& running,
                                         const sql::CreateMaterializedViewStatement& statement);
  SqlStatus run_refresh(Running& running, const sql::RefreshMaterializedViewStatement& statement);
  SqlStatus run_alter_materialized_view(Running& running,
                                        const sql::AlterMaterializedViewStatement& statement);
  SqlStatus run_drop(Running& running, const sql::DropStatement& statement);
  SqlStatus run_truncate(Running& running, const sql::TruncateStatement& statement);
  SqlStatus run_alter_table(Running& running, const sql::AlterTableStatement& statement);
  SqlStatus run_comment(Running& running, const sql::CommentStatement& statement);
  SqlStatus run_create_user(Running& running, const sql::CreateUserStatement& statement);
  SqlStatus run_alter_user(Running& running, const sql::AlterUserStatement& statement);
  SqlStatus run_create_group(Running& running, const sql::CreateGroupStatement& statement);
  SqlStatus run_alter_group(Running& running, const sql::AlterGroupStatement& statement);
  SqlStatus run_grant(Running& running, const sql::GrantStatement& statement);
  SqlStatus drop_people(Running& running, const sql::DropStatement& statement);
  SqlStatus run_create_role(Running& running, const sql::CreateRoleStatement& statement);
  SqlStatus run_alter_role(Running& running, const sql::AlterRoleStatement& statement);
  SqlStatus drop_roles(Running& running, const sql::DropStatement& statement);
  SqlStatus run_alter_default_privileges(Running& running,
                                         const sql::AlterDefaultPrivilegesStatement& statement);
  /// Acts as another user from now on, which a superuser may do.
  SqlStatus become(const catalog::User& other, ResultSink& sink);
  SqlStatus run_set(Running& running, const sql::SetStatement& statement);
  SqlStatus run_reset(Running& running, const sql::ResetStatement& statement);
  SqlStatus run_show(Running& running, const sql::ShowStatement& statement);
  /// What COPY and UNLOAD work on: the warehouse's store, or what their keys open.
  SqlResult<std::shared_ptr<io::ObjectStore>> store_for(const sql::Credentials& credentials,
                                                        catalog::IamCommand command);
  SqlStatus run_copy(Running& running, const sql::CopyStatement& statement);
  SqlStatus run_unload(Running& running, const sql::UnloadStatement& statement);
  SqlStatus run_maintenance(Running& running);
  SqlStatus run_cancel(Running& running, const sql::CancelStatement& statement);
  void report_setting(std::string_view name, ResultSink& sink) const;

  void cancel(bool because_of_timeout);
  void terminate();
  [[nodiscard]] catalog::SessionFacts facts() const;

  std::shared_ptr<WarehouseState> shared;
  std::unique_ptr<engine::Connection> connection;
  std::shared_ptr<catalog::Catalog> own_catalog;  ///< Of the session's database.
  catalog::CatalogSession catalog;
  std::int32_t id = 0;
  std::int32_t secret_key = 0;
  std::int32_t user_id = 0;
  std::int32_t login_user_id = 0;  ///< Before SET SESSION AUTHORIZATION.
  SessionRequest request;          ///< `database`: the one in use.
  std::string connected_database;  ///< Before USE.
  bool uses_database = false;      ///< USE has named one since the start, or since RESET USE.
  /// While a statement runs in another database.
  struct Home {
    std::string database;
    std::shared_ptr<catalog::Catalog> own;
    catalog::CatalogSession view;
  };
  std::unique_ptr<Home> home;                         ///< Null: the session is in its own.
  std::shared_ptr<catalog::Catalog> visited_catalog;  ///< By the block, the last time; or null.
  TimeUs started{};

  Settings settings;
  std::uint64_t settings_epoch = 0;
  std::string engine_zone = "UTC";  ///< What the engine's connection is set to.
  TimeZone zone;                    ///< Of the setting, found when it was needed last.
  Settings settings_before;         ///< Restored by a rollback.
  std::map<std::string, std::string> local_before;  ///< SET LOCAL: restored at the block's end.

  Block block = Block::kNone;
  bool failed = false;
  bool engine_open = false;
  bool block_read_only = false;
  std::int64_t transaction_id = 0;
  std::int64_t idle_timeout_us = 0;  ///< SESSION TIMEOUT of the user when it began; 0: none.
  bool idled_out = false;
  std::set<catalog::Oid> grown_schemas;  ///< Those with a quota where the block adds rows.
  std::set<catalog::Oid> rows_changed;   ///< Tables with rows that the block updates or deletes.
  std::set<catalog::Oid> changed_relations;  ///< Those whose rows the block changes in any way.
  bool automatic = false;   ///< A session of the warehouse's own, which gives way to all others.
  bool serialized = false;  ///< The block is one of a SERIALIZABLE database.
  Serialization::Use tables_used;  ///< By the statement.

  std::map<std::string, std::shared_ptr<PreparedStatement>, std::less<>> statements;
  std::map<std::string, std::unique_ptr<Portal>, std::less<>> portals;
  std::map<std::string, std::shared_ptr<PreparedStatement>, std::less<>> sql_prepared;
  std::map<std::string, std::shared_ptr<PreparedStatement>, std::less<>> recent;  ///< By text.
  std::map<std::string, NamedCursor, std::less<>> cursors;
  /// Of the statement that is being started; threads of the engine read it.
  std::atomic<std::shared_ptr<const sql::CatalogFocus>> focus;
  RowStream* streaming = nullptr;  ///< The one whose rows still come from the engine.

  std::int64_t current_query = 0;
  std::vector<TableStep> steps;  ///< Of that one.
  std::int64_t lock_wait_us = 0;
  bool holds_locks = false;  ///< Perhaps.
  bool holds_checkpoints = false;
  std::int64_t last_query = -1;
  std::int64_t last_copy = -1;
  std::int64_t last_copy_rows = 0;
  std::int64_t last_unload = -1;
  std::int64_t last_unload_rows = 0;

  std::atomic<bool> cancelled{false};
  std::atomic<bool> timed_out{false};
  std::atomic<bool> ended{false};
  std::mutex wake_mutex;  // guards wake
  std::function<void()> wake;
};

/// Finds relations for the translator; keeps what it found alive.
class SessionLookup final : public sql::RelationLookup {
 public:
  /// `view`: the bound or materialized view whose query is translated, if any, whose names are what
  /// they were when it was made.
  explicit SessionLookup(const SessionState& session, const catalog::Relation* view = nullptr)
      : session_(session),
        view_(view),
        depth_(view == nullptr ? 0 : 1),
        reader_(view == nullptr ? 0 : view->owner) {}
  [[nodiscard]] sql::SqlResult<const sql::Relation*> find(
      const sql::QualifiedName& name) const override;
  [[nodiscard]] sql::SqlResult<std::vector<const sql::DefinedFunction*>> find_functions(
      const std::vector<std::string>& name, std::size_t parameters) const override;
  [[nodiscard]] bool holds_few_rows(const sql::Relation& relation) const override;
  /// As Plan::marks.
  [[nodiscard]] const std::map<catalog::Oid, std::size_t>& marks() const { return marks_; }

 private:
  /// A relation as it is seen from here, with the key that it is kept under.
  struct Found {
    catalog::RelationPointer relation;
    const catalog::BoundRelation* bound = nullptr;  ///< Its names in the view; null: its own.
    bool elsewhere = false;                         ///< in another database
  };
  SqlStatus check_known(const catalog::Relation& relation) const;
  SqlStatus check_system(const sql::QualifiedName& name) const;
  [[nodiscard]] SqlResult<Found> find_seen(const sql::QualifiedName& name) const;
  [[nodiscard]] sql::SqlResult<std::unique_ptr<sql::Relation>> describe(
      const Found& found, const sql::QualifiedName& name) const;
  /// Adds the functions of `schema`.
  SqlStatus add_functions(std::string_view schema, std::string_view name, std::size_t parameters,
                          std::vector<const sql::DefinedFunction*>& list) const;
  void add_function(const catalog::Function& function,
                    std::vector<const sql::DefinedFunction*>& list) const;
  /// The columns of `made`, and which of them may hold blanks at the ends of texts.
  void add_columns(const catalog::CatalogSession& in, const catalog::Relation& relation,
                   sql::Relation& made) const;
  /// What stands for a view: its query.
  SqlStatus add_view(const catalog::Relation& view, bool elsewhere, std::string_view database,
                     sql::Relation& made) const;

  const SessionState& session_;
  mutable std::map<std::string, std::unique_ptr<sql::Relation>> found_;
  mutable std::vector<std::unique_ptr<sql::DefinedFunction>> functions_;
  mutable std::map<catalog::Oid, std::size_t> marks_;  // of the tables that were found
  mutable const catalog::Relation* view_ = nullptr;    // bound, innermost of those being expanded
  mutable int depth_ = 0;                              // of views being expanded
  mutable std::int32_t reader_ = 0;  // with a depth: the owner of the innermost of them
  mutable std::string database_{};   // where the innermost of them is, unless in the session's
};

// Small shared pieces (support in relations.cc).
[[nodiscard]] SqlError from_sql(sql::SqlError error);
[[nodiscard]] Field field_of(const engine::ColumnInfo& column);
/// Tells the engine's connection who asks (warehouse.cc).
[[nodiscard]] SqlStatus enter_user(engine::Connection& connection, std::string_view name,
                                   std::int32_t id);
/// Has the engine's connection look into the session's database (warehouse.cc).
[[nodiscard]] SqlStatus enter_database(engine::Connection& connection, const SessionState& session);
/// What LockTable knows a table by; `database`: the engine's name of it (transaction.cc).
[[nodiscard]] std::string lock_name(std::string_view database, std::string_view schema,
                                    std::string_view name);
/// Appends nothing, or runs SQL of our own whose rows nobody needs.
[[nodiscard]] SqlStatus run_engine(SessionState& session, const std::string& engine_sql);
/// `name` with the database in front, when it has a schema and no database. Empty: as it is.
[[nodiscard]] sql::QualifiedName in_database(const sql::QualifiedName& name,
                                             const std::string& database);
/// A bound view's query in the engine's SQL, and its columns (views.cc).
struct ViewQuery {
  std::string text;
  std::vector<sql::ResultColumn> columns;
};
[[nodiscard]] SqlResult<ViewQuery> view_query(const SessionState& session,
                                              const catalog::Relation& view,
                                              const sql::RelationLookup& lookup);
/// The same of a late-binding view; checks its owner's rights. `database`: where it is, unless in
/// the session's.
[[nodiscard]] SqlResult<ViewQuery> late_binding_query(const SessionState& session,
                                                      const catalog::Relation& view,
                                                      const std::string& database,
                                                      const sql::RelationLookup& lookup);
/// INSERT of a query's rows into a new table or a materialized view, with its marks; the number of
/// rows (views.cc).
[[nodiscard]] SqlResult<std::int64_t> fill_relation(SessionState& session,
                                                    const catalog::Relation& relation,
                                                    const std::string& query);
/// True when the user's rights on columns allow what those on the table do not
/// (column_rights.cc). A query may then read the readable columns only, which the translator sees
/// to.
[[nodiscard]] bool columns_suffice(const SessionState& session, const sql::Statement& statement,
                                   const catalog::Relation& relation,
                                   const sql::TableAccess& access);
/// True when `user` has rights on those columns of `source` that `view` uses.
[[nodiscard]] bool used_columns_suffice(const catalog::CatalogSession& in,
                                        const catalog::User& user, const catalog::Relation& view,
                                        const catalog::Relation& source);
/// The value that SET gives, as one text (setting_statements.cc).
[[nodiscard]] std::string setting_text(const sql::SetStatement& statement);
/// The rights on a new function of the session's user (functions.cc).
[[nodiscard]] catalog::Acl new_function_acl(const SessionState& session, catalog::Oid schema);
/// What CALL of a procedure that does not exist is answered with: none does (session.cc).
[[nodiscard]] std::unexpected<SqlError> no_procedure(const sql::CallStatement& call);
/// Value of a Bind parameter (parameters.cc).
[[nodiscard]] SqlResult<engine::Value> decode_parameter(const Parameter& parameter,
                                                        std::uint32_t type_oid);
/// The statement's text for the history: without passwords and keys, at most 4000 bytes
/// (statement_text.cc).
[[nodiscard]] std::string history_text(const sql::Statement& statement, std::string_view text);

}  // namespace leat::session
