// What the warehouse knows about its users and objects: plain values, shared as immutable pointers.
//
// DuckDB keeps the data; this is Redshift's side of it: declared types with lengths, distribution
// and sort keys, encodings, informational constraints, owners, rights.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "warehouse/sql/names.h"

namespace leat::catalog {

using Oid = std::uint32_t;

inline constexpr Oid kPgCatalogOid = 11;
inline constexpr Oid kInformationSchemaOid = 12;
inline constexpr Oid kTemporarySchemaOid = 13;  ///< Shown as pg_temp_<session>.
inline constexpr Oid kPublicOid = 2200;
inline constexpr Oid kDatabaseOid = 100;  ///< The one that the warehouse is opened with.
inline constexpr Oid kFirstObjectOid = 100'000;
inline constexpr std::int32_t kBootstrapUserId =
    1;  ///< Owner of the system relations; nobody can log in as it.
inline constexpr std::int32_t kFirstUserId = 100;

struct User {
  std::int32_t id = 0;
  std::string name{};
  bool superuser = false;
  bool create_database = false;
  bool password_disabled = false;
  bool unrestricted_log = false;  ///< SYSLOG ACCESS UNRESTRICTED
  std::string md5_hex{};          ///< md5(password || name); empty: not known
  std::string sha256_digest{};    ///< 32 raw bytes; empty: not known
  std::string sha256_salt{};      ///< raw bytes
  std::string valid_until{};      ///< as written; empty: for ever
  std::optional<TimeUs> valid_until_time{};
  std::int64_t connection_limit = -1;  ///< -1: none
  std::int64_t session_timeout_s = 0;  ///< Idle sessions end after it; 0: the server's own limit.
  std::string external_id{};           ///< What an identity provider calls the user.
  /// ALTER USER ... SET: what the user's sessions begin with, by name.
  std::map<std::string, std::string> settings{};
};

struct Group {
  std::int32_t id = 0;
  std::string name{};
  std::vector<std::int32_t> members{};  ///< user ids
};

enum class GranteeKind : std::uint8_t { kPublic = 0, kUser = 1, kGroup = 2, kRole = 3 };

/// Who holds a role: a user, or another role, which then has all that this one has.
struct RoleHolder {
  GranteeKind kind = GranteeKind::kUser;  ///< kUser or kRole
  std::int32_t id = 0;
  bool admin = false;  ///< WITH ADMIN OPTION: may grant the role to others.
  bool operator==(const RoleHolder&) const = default;
};

struct Role {
  std::int32_t id = 0;
  std::string name{};
  std::int32_t owner = 0;
  std::string external_id{};
  std::vector<std::string> privileges{};  ///< Of the system: "create user", ...
  std::vector<RoleHolder> holders{};
};

/// Bits of AclEntry::privileges.
enum Privilege : std::uint32_t {
  kSelect = 1U << 0U,
  kInsert = 1U << 1U,
  kUpdate = 1U << 2U,
  kDelete = 1U << 3U,
  kReferences = 1U << 4U,
  kDrop = 1U << 5U,
  kTruncate = 1U << 6U,
  kAlter = 1U << 7U,
  kUsage = 1U << 8U,
  kCreate = 1U << 9U,
  kTemporary = 1U << 10U,
  kExecute = 1U << 11U,
};
inline constexpr std::uint32_t kAllOnTable =
    kSelect | kInsert | kUpdate | kDelete | kReferences | kDrop | kTruncate | kAlter;
inline constexpr std::uint32_t kAllOnSchema = kUsage | kCreate | kAlter | kDrop;
inline constexpr std::uint32_t kAllOnDatabase = kCreate | kUsage | kTemporary | kAlter;

inline constexpr std::uint32_t kAllOnColumn = kSelect | kUpdate;

struct AclEntry {
  GranteeKind kind = GranteeKind::kPublic;
  std::int32_t grantee = 0;  ///< User, group or role id; 0 for PUBLIC.
  std::int32_t grantor = 0;
  std::uint32_t privileges = 0;
  std::uint32_t grantable = 0;  ///< Subset given WITH GRANT OPTION.
  std::int16_t column = 0;      ///< Of one column of a relation; 0: of the whole object.
  bool operator==(const AclEntry&) const = default;
};
using Acl = std::vector<AclEntry>;

/// What a list of standing privileges is about. The first three are given to objects made later by
/// `owner` (ALTER DEFAULT PRIVILEGES); the scoped ones hold for all objects, now and later.
enum class StandingTarget : char {
  kTables = 'r',
  kFunctions = 'f',
  kProcedures = 'p',
  kSchemas = 'n',
  kScopedTables = 'R',
  kScopedSchemas = 'N'
};

struct StandingAcl {
  StandingTarget target = StandingTarget::kTables;
  std::int32_t owner = 0;  ///< Whose new objects; 0 for scoped ones.
  Oid schema = 0;          ///< 0: every schema.
  Acl acl{};
};
using StandingPrivileges = std::vector<StandingAcl>;

/// Bits of IamGrant::commands.
enum IamCommand : std::uint32_t {
  kIamCopy = 1U << 0U,
  kIamUnload = 1U << 1U,
  kIamExternalFunction = 1U << 2U,
  kIamCreateModel = 1U << 3U,
};
inline constexpr std::uint32_t kAllIamCommands =
    kIamCopy | kIamUnload | kIamExternalFunction | kIamCreateModel;

/// ASSUMEROLE: who may name a role of IAM, and in which statements. Of the whole warehouse.
struct IamGrant {
  std::string role{};  ///< Its ARN, or "default"; empty: every role.
  GranteeKind kind = GranteeKind::kPublic;
  std::int32_t grantee = 0;  ///< User, group or role (of the warehouse) id; 0 for PUBLIC.
  std::uint32_t commands = 0;
  bool operator==(const IamGrant&) const = default;
};
using IamGrants = std::vector<IamGrant>;

struct Database {
  Oid oid = kDatabaseOid;
  std::string name{};
  std::int32_t owner = 0;
  std::int64_t connection_limit = -1;  ///< -1: none
  bool insensitive = false;            ///< COLLATE CASE_INSENSITIVE
  bool serializable = false;           ///< ISOLATION LEVEL SERIALIZABLE; else SNAPSHOT.
  Acl acl{};
  std::string comment{};
};

struct Schema {
  Oid oid = 0;
  std::string name{};
  std::int32_t owner = 0;
  Acl acl{};
  std::string comment{};
  /// The engine's schema, which keeps its name when this one is renamed; empty: `name`.
  std::string stored_as{};
  std::int64_t quota_mb = -1;  ///< -1: none

  [[nodiscard]] const std::string& engine_name() const {
    return stored_as.empty() ? name : stored_as;
  }
};

struct Column {
  std::int16_t number = 0;  ///< From 1; a dropped column's number is not used again.
  std::string name{};
  sql::TypeName type{};  ///< Effective: VARCHAR(256), never VARCHAR.
  bool not_null = false;
  std::string default_text{};  ///< Redshift SQL; empty: none.
  bool identity = false;
  bool identity_by_default = false;
  std::int64_t identity_seed = 0;
  std::int64_t identity_step = 1;
  std::string encoding{};  ///< "az64", "lzo", "none", ...: never empty.
  bool distribution_key = false;
  std::int32_t sort_key = 0;  ///< 1 ... n compound; alternating sign for interleaved; 0: none.
  std::string comment{};
  bool insensitive = false;  ///< Text: COLLATE CASE_INSENSITIVE, its own or the database's.
};

enum class ConstraintKind : char { kPrimaryKey = 'p', kUnique = 'u', kForeignKey = 'f' };

struct Constraint {
  Oid oid = 0;
  Oid index_oid = 0;  ///< Of the index that tools expect for keys; 0 for foreign keys.
  ConstraintKind kind = ConstraintKind::kPrimaryKey;
  std::string name{};
  std::vector<std::int16_t> columns{};
  Oid references = 0;
  std::vector<std::int16_t> references_columns{};
  std::string comment{};
};

enum class RelationKind : char {
  kTable = 'r',
  kView = 'v',
  kLateBindingView = 'l',  ///< shown as a view
  kMaterializedView = 'm'  ///< shown as a view; its rows are a table of the engine
};

/// pg_class.reldiststyle
enum class DistributionStyle : std::uint8_t { kEven = 0, kKey = 1, kAll = 8, kAutoAll = 10 };

struct ColumnReference {
  Oid relation = 0;
  std::int16_t number = 0;  ///< 0: the relation as a whole
  bool operator==(const ColumnReference&) const = default;
};

struct Binding;  // view_binding.h
struct Relation;
using RelationPointer = std::shared_ptr<const Relation>;

struct Relation {
  Oid oid = 0;
  Oid schema = 0;
  std::string schema_name{};
  std::string engine_schema{};  ///< Schema::stored_as: empty as long as the schema keeps its name.
  std::string name{};
  RelationKind kind = RelationKind::kTable;
  std::string database{};  ///< The engine's name of the database that it is in.
  bool temporary = false;
  std::int32_t owner = 0;
  DistributionStyle distribution = DistributionStyle::kAutoAll;
  bool sort_automatic = true;
  bool backup = true;
  bool auto_refresh = false;  ///< Materialized views: AUTO REFRESH YES.
  std::vector<Column> columns{};
  std::vector<Constraint> constraints{};
  std::string definition{};  ///< Views: the query as written; see `binding`.
  /// Bound and materialized views: what the names in the definition are, whatever they are called
  /// by now. Null: of tables, of late-binding views.
  std::shared_ptr<const Binding> binding{};
  std::vector<Oid> depends_on{};  ///< Views: what they read.
  /// Views: the columns of it, for pg_depend; empty for those that older versions made.
  std::vector<ColumnReference> uses{};
  Acl acl{};
  std::string comment{};
  TimeUs created{};

  [[nodiscard]] const Column* find_column(std::string_view column) const;
  /// The DuckDB name, quoted: "dev"."public"."t", or temp."main"."t".
  [[nodiscard]] std::string duckdb_name() const;
  /// True when its rows are a table of the engine.
  [[nodiscard]] bool stored() const {
    return kind == RelationKind::kTable || kind == RelationKind::kMaterializedView;
  }
  /// A view's definition as pg_views shows it, with the names that things have now, without the
  /// semicolon; empty for tables. `relation`: the one of that number, null when there is none.
  [[nodiscard]] std::string shown_definition(
      const std::function<RelationPointer(Oid)>& relation) const;
};

/// A function of a user's, in SQL: one expression over $1 ... $n.
struct Function {
  Oid oid = 0;
  Oid schema = 0;
  std::string schema_name{};
  std::string name{};
  std::int32_t owner = 0;
  std::vector<sql::TypeName> parameters{};
  sql::TypeName returns{};
  std::string volatility{};  ///< "volatile", "stable", "immutable"
  std::string body{};        ///< "select ..."
  Acl acl{};
  std::string comment{};

  /// "f(integer, character varying)".
  [[nodiscard]] std::string signature() const;
};

/// The same with the names of its schema.
[[nodiscard]] std::shared_ptr<const Relation> placed_in(const Schema& schema, Relation relation);
[[nodiscard]] std::shared_ptr<const Function> placed_in(const Schema& schema, Function function);

using UserPointer = std::shared_ptr<const User>;
using GroupPointer = std::shared_ptr<const Group>;
using SchemaPointer = std::shared_ptr<const Schema>;
using DatabasePointer = std::shared_ptr<const Database>;
using FunctionPointer = std::shared_ptr<const Function>;
using RolePointer = std::shared_ptr<const Role>;
using StandingPointer = std::shared_ptr<const StandingPrivileges>;
using IamGrantsPointer = std::shared_ptr<const IamGrants>;

}  // namespace leat::catalog
