// The dump of every statement that is no query.
#include "warehouse/sql/dumper.h"
#include "warehouse/sql/translate.h"

namespace leat::sql {
namespace {

std::string_view object_name(ObjectKind kind) {
  static constexpr std::string_view kNames[] = {"table",         "view",      "materialized-view",
                                                "schema",        "database",  "user",
                                                "group",         "role",      "function",
                                                "procedure",     "language",  "column",
                                                "constraint",    "datashare", "model",
                                                "external-table"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string_view alter_name(AlterKind kind) {
  static constexpr std::string_view kNames[] = {"rename", "owner", "quota",  "connection-limit",
                                                "set",    "reset", "collate"};
  return kNames[static_cast<std::size_t>(kind)];
}

class StatementDump {
 public:
  explicit StatementDump(Dumper& out) : out_(out) {}

  void operator()(const SelectStatement& node) { out_.query(*node.query); }
  void operator()(const InsertStatement& node) {
    out_.open("insert");
    out_.word(node.table.to_string());
    out_.common_tables(node.with, node.recursive);
    out_.name_list("columns", node.columns);
    if (node.query) {
      out_.query(*node.query);
    } else {
      out_.word("default-values");
    }
    out_.close();
  }
  void assignments(const std::vector<Assignment>& list) {
    for (const Assignment& assignment : list) {
      out_.open("set");
      out_.word(assignment.column);
      out_.expression(*assignment.value);
      out_.close();
    }
  }
  void operator()(const UpdateStatement& node) {
    out_.open("update");
    out_.word(node.table.to_string());
    out_.entry("as", node.alias);
    out_.common_tables(node.with, node.recursive);
    assignments(node.assignments);
    for (const TablePtr& table : node.from) out_.table(*table);
    out_.optional_expression("where", node.where);
    out_.close();
  }
  void operator()(const DeleteStatement& node) {
    out_.open("delete");
    out_.word(node.table.to_string());
    out_.entry("as", node.alias);
    out_.common_tables(node.with, node.recursive);
    for (const TablePtr& table : node.using_tables) out_.table(*table);
    out_.optional_expression("where", node.where);
    out_.close();
  }
  void operator()(const MergeStatement& node) {
    out_.open("merge");
    out_.word(node.target.to_string());
    out_.table(*node.source);
    out_.optional_expression("on", node.on);
    out_.flag("remove-duplicates", node.remove_duplicates);
    out_.flag("matched-delete", node.matched_delete);
    assignments(node.matched_update);
    out_.name_list("columns", node.insert_columns);
    out_.list("values", node.insert_values);
    out_.close();
  }

  void attributes(const TableAttributes& node) {
    static constexpr std::string_view kStyles[] = {"", "auto", "even", "key", "all"};
    static constexpr std::string_view kSorts[] = {"", "sortkey-auto", "sortkey-none", "sortkey",
                                                  "interleaved-sortkey"};
    out_.entry("backup", node.backup);
    out_.entry("diststyle", kStyles[static_cast<std::size_t>(node.distribution)]);
    out_.entry("distkey", node.distribution_key);
    if (node.sort != SortStyle::kUnset) {
      const std::string_view sort = kSorts[static_cast<std::size_t>(node.sort)];
      if (node.sort_keys.empty()) {
        out_.word(sort);
      } else {
        out_.name_list(sort, node.sort_keys);
      }
    }
    out_.flag("encode-auto", node.encode_auto);
  }
  void column(const ColumnDefinition& node) {
    out_.open("column");
    out_.word(node.name);
    out_.word(format_type(node.type));
    out_.optional_expression("default", node.default_value);
    if (node.identity) {
      out_.open(node.identity->by_default ? "default-identity" : "identity");
      out_.word(std::to_string(node.identity->seed));
      out_.word(std::to_string(node.identity->step));
      out_.close();
    }
    out_.entry("encode", node.encoding);
    out_.flag("distkey", node.distribution_key);
    out_.flag("sortkey", node.sort_key);
    out_.flag("case-insensitive", node.case_insensitive == true);
    out_.flag("case-sensitive", node.case_insensitive == false);
    out_.flag("not-null", node.not_null);
    out_.flag("primary-key", node.primary_key);
    out_.flag("unique", node.unique);
    if (node.references) foreign_key(*node.references);
    out_.close();
  }
  void foreign_key(const ForeignKey& key) {
    out_.open("references");
    out_.word(key.table.to_string());
    for (const std::string& column : key.columns) out_.word(column);
    out_.close();
  }
  void constraint(const TableConstraint& node) {
    static constexpr std::string_view kKinds[] = {"primary-key", "unique", "foreign-key"};
    out_.open(kKinds[static_cast<std::size_t>(node.kind)]);
    out_.entry("name", node.name);
    for (const std::string& column : node.columns) out_.word(column);
    if (node.kind == ConstraintKind::kForeignKey) foreign_key(node.references);
    out_.close();
  }
  void operator()(const CreateTableStatement& node) {
    out_.open("create-table");
    out_.word(node.name.to_string());
    out_.flag("temporary", node.temporary);
    out_.flag("if-not-exists", node.if_not_exists);
    for (const ColumnDefinition& definition : node.columns) column(definition);
    for (const TableConstraint& entry : node.constraints) constraint(entry);
    for (const LikeClause& like : node.likes) {
      out_.open("like");
      out_.word(like.table.to_string());
      out_.flag("including-defaults", like.including_defaults);
      out_.close();
    }
    attributes(node.attributes);
    out_.close();
  }
  void operator()(const CreateTableAsStatement& node) {
    out_.open("create-table-as");
    out_.word(node.name.to_string());
    out_.flag("temporary", node.temporary);
    out_.flag("if-not-exists", node.if_not_exists);
    out_.name_list("columns", node.columns);
    attributes(node.attributes);
    out_.query(*node.query);
    out_.close();
  }
  void operator()(const AlterTableStatement& node) {
    static constexpr std::string_view kKinds[] = {
        "add-column",     "drop-column",     "rename-to",   "rename-column",     "owner",
        "add-constraint", "drop-constraint", "column-type", "column-encoding",   "distribution",
        "sort-key",       "encode-auto",     "append",      "row-level-security"};
    out_.open("alter-table");
    out_.word(node.table.to_string());
    for (const AlterTableAction& action : node.actions) {
      out_.open(kKinds[static_cast<std::size_t>(action.kind)]);
      if (!action.name.empty()) out_.word(action.name);
      if (!action.new_name.empty()) out_.word(action.new_name);
      if (action.column) column(*action.column);
      if (action.constraint) constraint(*action.constraint);
      if (action.kind == AlterTableKind::kColumnType) out_.word(format_type(action.type));
      if (!action.source.empty()) out_.word(action.source.to_string());
      attributes(action.attributes);
      out_.flag("cascade", action.cascade);
      out_.flag("ignore-extra", action.ignore_extra);
      out_.flag("fill-target", action.fill_target);
      out_.flag("on", action.enable);
      out_.close();
    }
    out_.close();
  }
  void operator()(const DropStatement& node) {
    out_.open("drop");
    out_.word(object_name(node.kind));
    names(node.names);
    out_.flag("if-exists", node.if_exists);
    out_.flag("cascade", node.cascade);
    out_.flag("force", node.force);
    out_.close();
  }
  void names(const std::vector<QualifiedName>& list) {
    for (const QualifiedName& name : list) out_.word(name.to_string());
  }
  void operator()(const TruncateStatement& node) { simple("truncate", node.table.to_string()); }
  void simple(std::string_view head, std::string_view value) {
    out_.open(head);
    if (!value.empty()) out_.word(value);
    out_.close();
  }
  void operator()(const CreateSchemaStatement& node) {
    out_.open("create-schema");
    out_.word(node.name);
    out_.flag("if-not-exists", node.if_not_exists);
    out_.entry("owner", node.owner);
    out_.entry("quota-mb", node.quota_mb);
    for (const StatementPtr& element : node.elements) std::visit(*this, element->node);
    out_.close();
  }
  void operator()(const AlterSchemaStatement& node) {
    out_.open("alter-schema");
    out_.word(node.name);
    out_.entry(alter_name(node.kind),
               node.kind == AlterKind::kQuota ? std::to_string(node.quota_mb) : node.value);
    out_.close();
  }
  void operator()(const CreateDatabaseStatement& node) {
    out_.open("create-database");
    out_.word(node.name);
    out_.entry("owner", node.owner);
    out_.entry("connection-limit", node.connection_limit);
    out_.flag("case-insensitive", node.case_insensitive);
    out_.entry("isolation", node.isolation);
    out_.close();
  }
  void operator()(const AlterDatabaseStatement& node) {
    out_.open("alter-database");
    out_.word(node.name);
    out_.entry(alter_name(node.kind), node.kind == AlterKind::kConnectionLimit
                                          ? std::to_string(node.connection_limit)
                                          : node.value);
    out_.close();
  }
  void operator()(const CreateViewStatement& node) {
    out_.open("create-view");
    out_.word(node.name.to_string());
    out_.flag("or-replace", node.or_replace);
    out_.name_list("columns", node.columns);
    out_.flag("no-schema-binding", node.no_schema_binding);
    out_.query(*node.query);
    out_.close();
  }
  void operator()(const CreateMaterializedViewStatement& node) {
    out_.open("create-materialized-view");
    out_.word(node.name.to_string());
    attributes(node.attributes);
    out_.entry("auto-refresh", node.auto_refresh);
    out_.query(*node.query);
    out_.close();
  }
  void operator()(const RefreshMaterializedViewStatement& node) {
    simple("refresh", node.name.to_string());
  }
  void operator()(const AlterMaterializedViewStatement& node) {
    out_.open("alter-materialized-view");
    out_.word(node.name.to_string());
    out_.entry("auto-refresh", node.auto_refresh ? "yes" : "no");
    out_.close();
  }
  void operator()(const CommentStatement& node) {
    out_.open("comment");
    out_.word(object_name(node.kind));
    out_.word(node.name.to_string());
    for (const TypeName& type : node.parameters) out_.entry("type", format_type(type));
    if (!node.on_table.empty()) out_.entry("on", node.on_table.to_string());
    out_.word(node.text ? Dumper::quoted(*node.text) : "null");
    out_.close();
  }
  void operator()(const TransactionStatement& node) {
    static constexpr std::string_view kKinds[] = {"begin", "commit", "rollback"};
    out_.open(kKinds[static_cast<std::size_t>(node.kind)]);
    out_.entry("isolation", node.isolation);
    out_.entry("read-only", node.read_only);
    out_.close();
  }
  void operator()(const LockStatement& node) {
    out_.open("lock");
    names(node.tables);
    out_.close();
  }
  void operator()(const SetStatement& node) {
    static constexpr std::string_view kScopes[] = {"set", "set-session", "set-local"};
    out_.open(kScopes[static_cast<std::size_t>(node.scope)]);
    out_.word(node.name);
    for (const std::string& value : node.values) out_.word(Dumper::quoted(value));
    out_.flag("default", node.to_default);
    out_.close();
  }
  void operator()(const ResetStatement& node) { simple("reset", node.name); }
  void operator()(const ShowStatement& node) {
    static constexpr std::string_view kKinds[] = {
        "setting",    "table",     "view",       "procedure",  "databases",
        "schemas",    "tables",    "columns",    "grants",     "column-grants",
        "procedures", "functions", "parameters", "constraints"};
    out_.open("show");
    out_.word(kKinds[static_cast<std::size_t>(node.kind)]);
    if (!node.setting.empty()) out_.word(node.setting);
    if (!node.name.empty()) out_.word(node.name.to_string());
    for (const TypeName& type : node.types) out_.word(format_type(type));
    out_.entry("like", node.like);
    out_.entry("limit", node.limit);
    out_.close();
  }
  void operator()(const UseStatement& node) { simple("use", node.database); }

  void credentials(const Credentials& node) {
    out_.flag("iam-role-default", node.iam_role_default);
    out_.flag("iam-session", node.iam_session);
    out_.name_list("iam-role", node.iam_roles);
    out_.flag("access-key", !node.access_key_id.empty());  // the values are secrets
    out_.flag("credentials", !node.credentials.empty());
    out_.flag("session-token", !node.session_token.empty());
  }
  static std::string_view format_name(FileFormat format) {
    static constexpr std::string_view kNames[] = {"delimited", "csv", "fixedwidth", "json", "avro",
                                                  "parquet",   "orc", "shapefile"};
    return kNames[static_cast<std::size_t>(format)];
  }
  static std::string_view compression_name(FileCompression compression) {
    static constexpr std::string_view kNames[] = {"", "gzip", "bzip2", "lzop", "zstd"};
    return kNames[static_cast<std::size_t>(compression)];
  }
  void operator()(const CopyStatement& node) {
    out_.open("copy");
    out_.word(node.table.to_string());
    out_.name_list("columns", node.columns);
    out_.word(Dumper::quoted(node.source));
    credentials(node.credentials);
    out_.entry("region", node.region);
    out_.flag("manifest", node.manifest);
    out_.flag("encrypted", node.encrypted);
    out_.flag("ssh", node.ssh);
    out_.entry("readratio", node.read_ratio);
    out_.entry("format", format_name(node.format));
    if (!node.format_argument.empty()) out_.word(Dumper::quoted(node.format_argument));
    out_.flag("serializetojson", node.serialize_to_json);
    out_.entry("compression", compression_name(node.compression));
    out_.entry("delimiter", node.delimiter);
    out_.entry("quote", node.quote);
    out_.flag("escape", node.escape);
    out_.flag("removequotes", node.remove_quotes);
    out_.entry("null", node.null_as);
    if (node.ignore_header > 0) out_.entry("ignoreheader", std::to_string(node.ignore_header));
    out_.flag("ignoreblanklines", node.ignore_blank_lines);
    out_.flag("blanksasnull", node.blanks_as_null);
    out_.flag("emptyasnull", node.empty_as_null);
    out_.flag("fillrecord", node.fill_record);
    out_.flag("trimblanks", node.trim_blanks);
    out_.flag("truncatecolumns", node.truncate_columns);
    out_.flag("roundec", node.round_decimals);
    out_.flag("acceptanydate", node.accept_any_date);
    out_.flag("explicit-ids", node.explicit_ids);
    out_.entry("acceptinvchars", node.accept_invalid_characters);
    out_.entry("dateformat", node.date_format);
    out_.entry("timeformat", node.time_format);
    out_.entry("encoding", node.encoding);
    out_.entry("maxerror", node.max_error);
    out_.flag("ignoreallerrors", node.ignore_all_errors);
    out_.flag("noload", node.no_load);
    out_.entry("compupdate", node.compression_update);
    out_.entry("statupdate", node.statistics_update);
    out_.entry("comprows", node.compression_rows);
    out_.close();
  }
  void operator()(const UnloadStatement& node) {
    out_.open("unload");
    out_.query(*node.query);
    out_.word(Dumper::quoted(node.destination));
    credentials(node.credentials);
    out_.entry("format", format_name(node.format));
    out_.name_list("partition-by", node.partition_by);
    out_.flag("include", node.partition_include);
    out_.flag("manifest", node.manifest);
    out_.flag("verbose", node.manifest_verbose);
    out_.flag("header", node.header);
    out_.entry("delimiter", node.delimiter);
    out_.entry("fixedwidth", node.fixed_width);
    out_.flag("encrypted", node.encrypted);
    out_.flag("auto", node.encrypted_auto);
    out_.entry("kms-key-id", node.kms_key_id);
    out_.entry("compression", compression_name(node.compression));
    out_.flag("addquotes", node.add_quotes);
    out_.entry("null", node.null_as);
    out_.flag("escape", node.escape);
    out_.flag("allowoverwrite", node.allow_overwrite);
    out_.flag("cleanpath", node.clean_path);
    out_.flag("parallel-off", !node.parallel);
    if (node.max_file_size_mb) out_.entry("maxfilesize-mb", megabytes(*node.max_file_size_mb));
    if (node.row_group_size_mb) out_.entry("rowgroupsize-mb", megabytes(*node.row_group_size_mb));
    out_.entry("region", node.region);
    out_.entry("extension", node.extension);
    out_.close();
  }
  static std::string megabytes(double size) {
    return std::to_string(static_cast<std::int64_t>(size));
  }

  void user_options(const UserOptions& node) {
    out_.flag("password", node.password.has_value());  // never the text
    out_.flag("password-disable", node.password_disable);
    out_.entry("createdb", node.create_database);
    out_.entry("createuser", node.create_user);
    out_.entry("syslog-unrestricted", node.syslog_unrestricted);
    out_.name_list("in-group", node.in_groups);
    out_.entry("valid-until", node.valid_until);
    out_.entry("connection-limit", node.connection_limit);
    out_.entry("session-timeout", node.session_timeout);
    out_.entry("external-id", node.external_id);
  }
  void operator()(const CreateUserStatement& node) {
    out_.open("create-user");
    out_.word(node.name);
    user_options(node.options);
    out_.close();
  }
  void operator()(const AlterUserStatement& node) {
    out_.open("alter-user");
    out_.word(node.name);
    user_options(node.options);
    out_.entry("rename-to", node.rename_to);
    if (node.set) (*this)(*node.set);
    if (node.reset) (*this)(*node.reset);
    out_.close();
  }
  void operator()(const CreateGroupStatement& node) {
    out_.open("create-group");
    out_.word(node.name);
    out_.name_list("users", node.users);
    out_.close();
  }
  void operator()(const AlterGroupStatement& node) {
    out_.open("alter-group");
    out_.word(node.name);
    out_.name_list(node.add ? "add" : "drop", node.users);
    out_.entry("rename-to", node.rename_to);
    out_.close();
  }
  void operator()(const CreateRoleStatement& node) {
    out_.open("create-role");
    out_.word(node.name);
    out_.entry("external-id", node.external_id);
    out_.close();
  }
  void operator()(const AlterRoleStatement& node) {
    out_.open("alter-role");
    out_.word(node.name);
    out_.entry("rename-to", node.rename_to);
    out_.entry("owner", node.owner);
    out_.entry("external-id", node.external_id);
    out_.close();
  }
  void grant(const GrantStatement& node) {
    static constexpr std::string_view kTargets[] = {"tables",          "all-tables-in-schema",
                                                    "databases",       "schemas",
                                                    "functions",       "all-functions-in-schema",
                                                    "procedures",      "all-procedures-in-schema",
                                                    "languages",       "roles",
                                                    "system",          "assumerole",
                                                    "scoped-schemas",  "scoped-tables",
                                                    "scoped-routines", "scoped-languages",
                                                    "datashares"};
    for (const Privilege& privilege : node.privileges) {
      out_.open("privilege");
      out_.word(privilege.name);
      for (const std::string& name : privilege.columns) out_.word(name);
      out_.close();
    }
    out_.open(kTargets[static_cast<std::size_t>(node.target)]);
    names(node.objects);
    out_.close();
    out_.entry("schema", node.scope_schema);
    out_.entry("database", node.scope_database);
    static constexpr std::string_view kGrantees[] = {"user", "group", "role", "public"};
    for (const Grantee& grantee : node.grantees) {
      out_.open(kGrantees[static_cast<std::size_t>(grantee.kind)]);
      if (!grantee.name.empty()) out_.word(grantee.name);
      out_.flag("with-option", grantee.with_grant_option);
      out_.close();
    }
    out_.name_list("for", node.assume_role_for);
    out_.flag("option-only", node.grant_option_for);
    out_.flag("cascade", node.cascade);
  }
  void operator()(const GrantStatement& node) {
    out_.open(node.revoke ? "revoke" : "grant");
    grant(node);
    out_.close();
  }
  void operator()(const AlterDefaultPrivilegesStatement& node) {
    out_.open(node.grant.revoke ? "default-revoke" : "default-grant");
    out_.name_list("for-users", node.users);
    out_.name_list("in-schemas", node.schemas);
    grant(node.grant);
    out_.close();
  }
  void operator()(const AnalyzeStatement& node) {
    out_.open("analyze");
    if (!node.table.empty()) out_.word(node.table.to_string());
    out_.name_list("columns", node.columns);
    out_.flag("compression", node.compression);
    out_.flag("verbose", node.verbose);
    out_.entry("comprows", node.compression_rows);
    out_.close();
  }
  void operator()(const VacuumStatement& node) {
    out_.open("vacuum");
    out_.entry("mode", node.mode);
    if (!node.table.empty()) out_.word(node.table.to_string());
    if (node.to_percent) out_.entry("to-percent", megabytes(*node.to_percent));
    out_.flag("boost", node.boost);
    out_.close();
  }
  void operator()(const PrepareStatement& node) {
    out_.open("prepare");
    out_.word(node.name);
    for (const TypeName& type : node.types) out_.entry("type", format_type(type));
    out_.statement(*node.statement);
    out_.close();
  }
  void operator()(const ExecuteStatement& node) {
    out_.open("execute");
    out_.word(node.name);
    for (const ExpressionPtr& argument : node.arguments) out_.expression(*argument);
    out_.close();
  }
  void operator()(const DeallocateStatement& node) {
    simple("deallocate", node.name.empty() ? "all" : node.name);
  }
  void operator()(const DeclareCursorStatement& node) {
    out_.open("declare");
    out_.word(node.name);
    out_.query(*node.query);
    out_.close();
  }
  void operator()(const FetchStatement& node) {
    out_.open("fetch");
    out_.word(node.cursor);
    out_.word(node.count < 0 ? "all" : std::to_string(node.count));
    out_.close();
  }
  void operator()(const CloseCursorStatement& node) {
    simple("close", node.cursor.empty() ? "all" : node.cursor);
  }
  void operator()(const CancelStatement& node) {
    out_.open("cancel");
    out_.word(std::to_string(node.process));
    if (!node.message.empty()) out_.word(Dumper::quoted(node.message));
    out_.close();
  }
  void operator()(const ExplainStatement& node) {
    out_.open("explain");
    out_.flag("analyze", node.analyze);
    out_.flag("verbose", node.verbose);
    out_.statement(*node.statement);
    out_.close();
  }
  void operator()(const CreateFunctionStatement& node) {
    out_.open("create-function");
    out_.word(node.name.to_string());
    out_.flag("or-replace", node.or_replace);
    for (const TypeName& type : node.parameters) out_.entry("type", format_type(type));
    out_.entry("returns", format_type(node.returns));
    out_.entry("volatility", node.volatility);
    out_.entry("body", node.body);
    out_.close();
  }
  void operator()(const DropFunctionStatement& node) {
    out_.open("drop-function");
    out_.word(node.name.to_string());
    for (const TypeName& type : node.parameters) out_.entry("type", format_type(type));
    out_.flag("if-exists", node.if_exists);
    out_.flag("cascade", node.cascade);
    out_.close();
  }
  void operator()(const CallStatement& node) {
    out_.open("call-procedure");
    out_.word(node.procedure.to_string());
    for (const ExpressionPtr& argument : node.arguments) out_.expression(*argument);
    out_.close();
  }

 private:
  Dumper& out_;
};

}  // namespace

void Dumper::statement(const Statement& node) {
  std::visit(StatementDump(*this), node.node);
}

}  // namespace leat::sql
