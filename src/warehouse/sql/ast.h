// Statements of the Redshift dialect, typed. `Statement::node` holds exactly one of the structs
// below. Nothing here is checked against a catalog: names may not exist, options may contradict the
// table.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "warehouse/sql/ast_transfer.h"
#include "warehouse/sql/query.h"

namespace leat::sql {

struct Statement;
using StatementPtr = std::unique_ptr<Statement>;

// ---------------------------------------------------------------- queries and changes of rows

/// SELECT, WITH ... SELECT, VALUES. SELECT ... INTO becomes CreateTableAsStatement.
struct SelectStatement {
  QueryPtr query;
};

struct InsertStatement {
  std::vector<CommonTable> with;
  bool recursive = false;
  QualifiedName table;
  std::vector<std::string> columns;
  QueryPtr query;  ///< null: DEFAULT VALUES. A kValues query may hold kDefault expressions.
};

struct Assignment {
  std::string column;
  ExpressionPtr value;  ///< kDefault possible
  SourceSpan span;
};

struct UpdateStatement {
  std::vector<CommonTable> with;
  bool recursive = false;
  QualifiedName table;
  std::string alias;
  std::vector<Assignment> assignments;
  std::vector<TablePtr> from;
  ExpressionPtr where;
};

struct DeleteStatement {
  std::vector<CommonTable> with;
  bool recursive = false;
  QualifiedName table;
  std::string alias;
  std::vector<TablePtr> using_tables;
  ExpressionPtr where;
};

struct MergeStatement {
  QualifiedName target;
  TablePtr source;
  ExpressionPtr on;
  bool remove_duplicates = false;
  bool matched_delete = false;              ///< WHEN MATCHED THEN DELETE
  std::vector<Assignment> matched_update;   ///< WHEN MATCHED THEN UPDATE SET ...
  std::vector<std::string> insert_columns;  ///< WHEN NOT MATCHED THEN INSERT
  std::vector<ExpressionPtr> insert_values;
};

// ---------------------------------------------------------------- tables

enum class DistributionStyle : std::uint8_t { kUnset, kAuto, kEven, kKey, kAll };
enum class SortStyle : std::uint8_t { kUnset, kAuto, kNone, kCompound, kInterleaved };

struct TableAttributes {
  std::optional<bool> backup;
  DistributionStyle distribution = DistributionStyle::kUnset;
  std::string distribution_key;  ///< column, or for CTAS possibly an ordinal "1"
  SortStyle sort = SortStyle::kUnset;
  std::vector<std::string> sort_keys;  ///< columns, or for CTAS possibly ordinals
  bool encode_auto = false;
};

struct ForeignKey {
  QualifiedName table;
  std::vector<std::string> columns;  ///< may be empty: the primary key
};

struct Identity {
  bool by_default = false;
  std::int64_t seed = 0;
  std::int64_t step = 1;
};

struct ColumnDefinition {
  std::string name;
  TypeName type;  ///< as written; column_type() gives the effective one
  SourceSpan span;
  bool not_null = false;
  bool primary_key = false;
  bool unique = false;
  bool distribution_key = false;
  bool sort_key = false;
  std::optional<bool> case_insensitive;  ///< COLLATE; nothing: as the database
  std::string encoding;                  ///< lower case: "zstd", "az64"; empty: automatic
  std::optional<Identity> identity;
  std::optional<ForeignKey> references;
  ExpressionPtr default_value;
  std::string default_text;  ///< source text of the DEFAULT expression
};

enum class ConstraintKind : std::uint8_t { kPrimaryKey, kUnique, kForeignKey };

struct TableConstraint {
  ConstraintKind kind = ConstraintKind::kPrimaryKey;
  std::string name;  ///< empty: none written
  std::vector<std::string> columns;
  ForeignKey references;  ///< kForeignKey
};

struct LikeClause {
  QualifiedName table;
  bool including_defaults = false;
};

struct CreateTableStatement {
  QualifiedName name;
  bool temporary = false;  ///< TEMP, or a name that begins with '#'
  bool if_not_exists = false;
  std::vector<ColumnDefinition> columns;
  std::vector<TableConstraint> constraints;
  std::vector<LikeClause> likes;
  TableAttributes attributes;
};

/// CREATE TABLE ... AS query, and SELECT ... INTO.
struct CreateTableAsStatement {
  QualifiedName name;
  bool temporary = false;
  bool if_not_exists = false;
  std::vector<std::string> columns;
  TableAttributes attributes;
  QueryPtr query;
  SourceSpan query_span;
};

enum class AlterTableKind : std::uint8_t {
  kAddColumn,       ///< column
  kDropColumn,      ///< name, cascade
  kRenameTable,     ///< new_name
  kRenameColumn,    ///< name, new_name
  kOwner,           ///< new_name
  kAddConstraint,   ///< constraint
  kDropConstraint,  ///< name, cascade
  kColumnType,      ///< name, type
  kColumnEncoding,  ///< name, new_name: encoding
  kDistribution,    ///< attributes
  kSortKey,         ///< attributes
  kEncodeAuto,
  kAppend,           ///< source, ignore_extra, fill_target
  kRowLevelSecurity  ///< enable
};

struct AlterTableAction {
  AlterTableKind kind = AlterTableKind::kAddColumn;
  std::string name;
  std::string new_name;
  std::optional<ColumnDefinition> column;
  std::optional<TableConstraint> constraint;
  TypeName type;
  TableAttributes attributes;
  QualifiedName source;
  bool cascade = false;
  bool ignore_extra = false;
  bool fill_target = false;
  bool enable = false;
};

struct AlterTableStatement {
  QualifiedName table;
  std::vector<AlterTableAction> actions;  ///< at least one
};

enum class ObjectKind : std::uint8_t {
  kTable,
  kView,
  kMaterializedView,
  kSchema,
  kDatabase,
  kUser,
  kGroup,
  kRole,
  kFunction,
  kProcedure,
  kLanguage,
  kColumn,
  kConstraint,
  kDatashare,
  kModel,
  kExternalTable
};

struct DropStatement {
  ObjectKind kind = ObjectKind::kTable;
  std::vector<QualifiedName> names;
  bool if_exists = false;
  bool cascade = false;
  bool force = false;
};

struct TruncateStatement {
  QualifiedName table;
};

// ---------------------------------------------------------------- schemas, databases, views

struct CreateSchemaStatement {
  std::string name;
  bool if_not_exists = false;
  std::string owner;
  std::optional<std::int64_t> quota_mb;  ///< -1: UNLIMITED
  std::vector<StatementPtr> elements;    ///< CREATE TABLE, CREATE VIEW, GRANT: run inside of it
};

enum class AlterKind : std::uint8_t {
  kRename,
  kOwner,
  kQuota,
  kConnectionLimit,
  kSet,
  kReset,
  kCollate
};

struct AlterSchemaStatement {
  std::string name;
  AlterKind kind = AlterKind::kRename;
  std::string value;  ///< kRename, kOwner
  std::int64_t quota_mb = -1;
};

struct CreateDatabaseStatement {
  std::string name;
  std::string owner;
  std::optional<std::int64_t> connection_limit;  ///< -1: UNLIMITED
  bool case_insensitive = false;
  std::string isolation;  ///< "", "snapshot", "serializable"
};

struct AlterDatabaseStatement {
  std::string name;
  AlterKind kind = AlterKind::kRename;
  std::string value;
  std::int64_t connection_limit = -1;
};

struct CreateViewStatement {
  QualifiedName name;
  bool or_replace = false;
  std::vector<std::string> columns;
  QueryPtr query;
  SourceSpan query_span;  ///< text of the query in the script
  bool no_schema_binding = false;
};

struct CreateMaterializedViewStatement {
  QualifiedName name;
  TableAttributes attributes;
  std::optional<bool> auto_refresh;
  QueryPtr query;
  SourceSpan query_span;
};

struct RefreshMaterializedViewStatement {
  QualifiedName name;
  bool cascade = false;
};

struct AlterMaterializedViewStatement {
  QualifiedName name;
  bool auto_refresh = false;
};

/// CREATE FUNCTION ... LANGUAGE sql: one expression over $1 ... $n.
struct CreateFunctionStatement {
  QualifiedName name;
  bool or_replace = false;
  std::vector<TypeName> parameters;
  TypeName returns;
  std::string volatility;  ///< "volatile", "stable", "immutable"
  std::string body;        ///< "select ...", decoded
};

struct DropFunctionStatement {
  QualifiedName name;
  std::vector<TypeName> parameters;
  bool if_exists = false;
  bool cascade = false;
};

struct CommentStatement {
  ObjectKind kind = ObjectKind::kTable;
  QualifiedName name;                ///< kColumn: the last part is the column
  std::vector<TypeName> parameters;  ///< kFunction
  QualifiedName on_table;            ///< kConstraint
  std::optional<std::string> text;   ///< nothing: NULL
};

// ---------------------------------------------------------------- transactions and settings

enum class TransactionKind : std::uint8_t { kBegin, kCommit, kRollback };

struct TransactionStatement {
  TransactionKind kind = TransactionKind::kBegin;
  std::string verb;       ///< "begin", "start transaction", "commit", "end", "rollback", "abort"
  std::string isolation;  ///< "", "serializable", "read committed", ...
  std::optional<bool> read_only;
};

struct LockStatement {
  std::vector<QualifiedName> tables;
};

enum class SettingScope : std::uint8_t { kDefault, kSession, kLocal };

/// SET x TO v. Also, with these names: SET SESSION AUTHORIZATION ("session_authorization"), SET
/// ROLE ("role"), SET TIME ZONE ("timezone"), SET SEED ("seed"), SET [SESSION CHARACTERISTICS AS]
/// TRANSACTION
/// ("transaction_isolation" or "transaction_read_only").
struct SetStatement {
  SettingScope scope = SettingScope::kDefault;
  std::string name;                 ///< lower case
  std::vector<std::string> values;  ///< several for a list such as search_path
  bool to_default = false;
};

struct ResetStatement {
  std::string name;  ///< "all" for RESET ALL
};

enum class ShowKind : std::uint8_t {
  kSetting,  ///< setting; "all" for SHOW ALL
  kTable,
  kView,
  kProcedure,
  kDatabases,
  kSchemas,  ///< FROM DATABASE name
  kTables,   ///< FROM SCHEMA name
  kColumns,  ///< FROM TABLE name
  kGrants,   ///< setting: "table" | "schema" | "database" | "function" (ON name), "user" |
             ///< "role" | "public" (FOR name)
  kColumnGrants,
  kProcedures,  ///< FROM SCHEMA name
  kFunctions,   ///< FROM SCHEMA name
  kParameters,  ///< setting: "procedure" | "function"; name, types
  kConstraints  ///< setting: "primary keys" | "foreign keys" | "foreign keys exported"
};

struct ShowStatement {
  ShowKind kind = ShowKind::kSetting;
  std::string setting;
  QualifiedName name;
  std::vector<TypeName> types{};  ///< of a function's arguments
  std::optional<std::string> like;
  std::optional<std::int64_t> limit;
};

struct UseStatement {
  std::string database;
};

// ---------------------------------------------------------------- people and rights

struct UserOptions {
  std::optional<std::string> password;  ///< case kept, also when written in double quotes
  bool password_disable = false;
  std::optional<bool> create_database;
  std::optional<bool> create_user;  ///< superuser
  std::optional<bool> syslog_unrestricted;
  std::vector<std::string> in_groups;
  std::optional<std::string> valid_until;
  std::optional<std::int64_t> connection_limit;  ///< -1: UNLIMITED
  std::optional<std::int64_t> session_timeout;   ///< seconds; 0: RESET SESSION TIMEOUT
  std::string external_id;
};

struct CreateUserStatement {
  std::string name;
  UserOptions options;
};

struct AlterUserStatement {
  std::string name;
  UserOptions options;
  std::string rename_to;
  std::optional<SetStatement> set;
  std::optional<ResetStatement> reset;
};

struct CreateGroupStatement {
  std::string name;
  std::vector<std::string> users;
};

struct AlterGroupStatement {
  std::string name;
  bool add = false;
  std::vector<std::string> users;  ///< ADD USER or DROP USER
  std::string rename_to;
};

struct CreateRoleStatement {
  std::string name;
  std::string external_id;
};

struct AlterRoleStatement {
  std::string name;
  std::string rename_to;
  std::string owner;
  std::string external_id;
};

struct Privilege {
  std::string name;                  ///< lower case: "select", "all", "create user", ...
  std::vector<std::string> columns;  ///< column-level SELECT and UPDATE
};

enum class GranteeKind : std::uint8_t { kUser, kGroup, kRole, kPublic };

struct Grantee {
  GranteeKind kind = GranteeKind::kUser;
  std::string name;
  bool with_grant_option = false;  ///< WITH GRANT OPTION, or WITH ADMIN OPTION for roles
};

enum class GrantTarget : std::uint8_t {
  kTables,
  kAllTablesInSchema,
  kDatabases,
  kSchemas,
  kFunctions,
  kAllFunctionsInSchema,
  kProcedures,
  kAllProceduresInSchema,
  kLanguages,
  kRoles,           ///< GRANT ROLE r TO ...: names are the roles granted
  kSystem,          ///< system privilege to a role: no object
  kAssumeRole,      ///< names: role ARNs or "all" | "default"
  kScopedSchemas,   ///< FOR SCHEMAS IN DATABASE d
  kScopedTables,    ///< FOR TABLES IN {SCHEMA s [DATABASE d] | DATABASE d}
  kScopedRoutines,  ///< FOR FUNCTIONS | PROCEDURES IN ...
  kScopedLanguages,
  kDatashares
};

struct GrantStatement {
  bool revoke = false;
  bool grant_option_for = false;  ///< REVOKE GRANT OPTION FOR (or ADMIN OPTION FOR)
  std::vector<Privilege> privileges;
  GrantTarget target = GrantTarget::kTables;
  std::vector<QualifiedName> objects;
  std::vector<std::vector<TypeName>>
      argument_types;          ///< kFunctions, kProcedures: one list per object
  std::string scope_schema;    ///< kScopedTables, kScopedRoutines
  std::string scope_database;  ///< kScoped...
  std::vector<std::string> assume_role_for;
  std::vector<Grantee> grantees;
  bool cascade = false;
};

struct AlterDefaultPrivilegesStatement {
  std::vector<std::string> users;    ///< FOR USER
  std::vector<std::string> schemas;  ///< IN SCHEMA
  GrantStatement grant;  ///< objects empty; target kTables, kFunctions, kProcedures or kSchemas
};

// ---------------------------------------------------------------- the rest

struct AnalyzeStatement {
  QualifiedName table;  ///< may be empty: the whole database
  std::vector<std::string> columns;
  bool verbose = false;
  bool compression = false;  ///< ANALYZE COMPRESSION: returns rows
  std::optional<std::int64_t> compression_rows;
};

struct VacuumStatement {
  std::string mode;  ///< "full", "sort only", "delete only", "reindex", "recluster"
  QualifiedName table;
  std::optional<double> to_percent;
  bool boost = false;
};

struct PrepareStatement {
  std::string name;
  std::vector<TypeName> types;
  StatementPtr statement;
  SourceSpan statement_span;
};

struct ExecuteStatement {
  std::string name;
  std::vector<ExpressionPtr> arguments;
};

struct DeallocateStatement {
  std::string name;  ///< empty: ALL
};

struct DeclareCursorStatement {
  std::string name;
  bool with_hold = false;
  QueryPtr query;
  SourceSpan query_span;
};

struct FetchStatement {
  std::string cursor;
  std::int64_t count = 1;  ///< rows; -1: ALL; 0: the current row again
};

struct CloseCursorStatement {
  std::string cursor;  ///< empty: ALL
};

struct CancelStatement {
  std::int64_t process = 0;
  std::string message;
};

struct ExplainStatement {
  bool verbose = false;
  bool analyze = false;
  StatementPtr statement;
};

/// CALL procedure(...): parsed, so that the answer can name the procedure; stored procedures are
/// not supported.
struct CallStatement {
  QualifiedName procedure;
  std::vector<ExpressionPtr> arguments;
};

using StatementNode =
    std::variant<SelectStatement, InsertStatement, UpdateStatement, DeleteStatement, MergeStatement,
                 CreateTableStatement, CreateTableAsStatement, AlterTableStatement, DropStatement,
                 TruncateStatement, CreateSchemaStatement, AlterSchemaStatement,
                 CreateDatabaseStatement, AlterDatabaseStatement, CreateViewStatement,
                 CreateMaterializedViewStatement, RefreshMaterializedViewStatement,
                 AlterMaterializedViewStatement, CommentStatement, TransactionStatement,
                 LockStatement, SetStatement, ResetStatement, ShowStatement, UseStatement,
                 CopyStatement, UnloadStatement, CreateUserStatement, AlterUserStatement,
                 CreateGroupStatement, AlterGroupStatement, CreateRoleStatement, AlterRoleStatement,
                 GrantStatement, AlterDefaultPrivilegesStatement, AnalyzeStatement, VacuumStatement,
                 PrepareStatement, ExecuteStatement, DeallocateStatement, DeclareCursorStatement,
                 FetchStatement, CloseCursorStatement, CancelStatement, ExplainStatement,
                 CallStatement, CreateFunctionStatement, DropFunctionStatement>;

struct Statement {
  StatementNode node;
};

/// The statement as a T, or null: `if (const auto* copy = get_if<CopyStatement>(statement))`.
template <class T>
[[nodiscard]] const T* get_if(const Statement& statement) {
  return std::get_if<T>(&statement.node);
}

}  // namespace leat::sql
