#include "pipeline/load/rights.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "pipeline/load/load_sql.h"
#include "pipeline/load/rows.h"

namespace leat::load {
namespace {

constexpr std::string_view kUserSql =
    "select current_user, current_database(), has_database_privilege(current_database(), "
    "'create'), has_database_privilege(current_database(), 'temp')";

std::string list_of(const std::set<std::string>& schemas) {
  std::string out;
  for (const std::string& schema : schemas) {
    if (!out.empty()) out += ", ";
    out += quote_literal(schema);
  }
  return out;
}

struct SchemaRights {
  bool usage = false;
  bool create = false;
};

// One query's answers, gathered into what is missing.
class Missing {
 public:
  Missing(std::string user, std::string database)
      : user_(std::move(user)), database_(std::move(database)) {}

  void check_database(bool may_create, bool may_use_temporary_tables) {
    may_create_schemas_ = may_create;
    if (!may_use_temporary_tables) {
      add(fmt::format("may not make temporary tables in database {}", database_),
          fmt::format("GRANT TEMP ON DATABASE {} TO {}", quote_identifier(database_), user()));
    }
  }

  void check_schema(const std::string& schema, const SchemaRights* found) {
    if (found == nullptr) {
      if (may_create_schemas_) return;
      add(fmt::format("may not create schema {}, which is not there", schema),
          fmt::format("GRANT CREATE ON DATABASE {} TO {}", quote_identifier(database_), user()));
      return;
    }
    if (found->usage && found->create) return;
    add(fmt::format("may not create tables in schema {}", schema),
        fmt::format("GRANT USAGE, CREATE ON SCHEMA {} TO {}", quote_identifier(schema), user()));
  }

  // Loads read and write rows of the ledger's tables, and never change the tables.
  void check_ledger_table(const std::string& schema, const std::string& table,
                          const std::string& owner, bool may_use) {
    if (may_use) return;
    add(fmt::format("may not read and write the ledger's table {}.{}, which belongs to {}", schema,
                    table, owner),
        fmt::format("GRANT SELECT, INSERT, DELETE ON TABLE {}.{} TO {}", quote_identifier(schema),
                    quote_identifier(table), user()));
  }

  // Only a table's owner may add columns to it.
  void check_owner(const std::string& schema, const std::string& table, const std::string& owner) {
    add(fmt::format("may not add columns to table {}.{}, which belongs to {}", schema, table,
                    owner),
        fmt::format("ALTER TABLE {}.{} OWNER TO {}", quote_identifier(schema),
                    quote_identifier(table), user()));
  }

  std::vector<MissingRight> take() { return std::move(rights_); }

 private:
  [[nodiscard]] std::string user() const { return quote_identifier(user_); }
  void add(const std::string& what, std::string grant) {
    rights_.push_back({fmt::format("user {} {}", user_, what), std::move(grant)});
  }

  std::string user_;
  std::string database_;
  bool may_create_schemas_ = false;
  std::vector<MissingRight> rights_;
};

}  // namespace

std::expected<std::vector<MissingRight>, DestinationFailure> missing_rights(
    Connection& connection, const DestinationSettings& settings,
    const std::vector<std::string>& schemas, std::stop_token stop) {
  std::set<std::string> wanted(schemas.begin(), schemas.end());
  wanted.insert(settings.ledger_schema);
  const std::string list = list_of(wanted);

  LEAT_ASSIGN(const Rows who, connection.run(kUserSql, stop));
  if (who.rows.size() != 1) {
    return std::unexpected(DestinationFailure{.kind = FailureKind::kUnsupported,
                                              .sqlstate = {},
                                              .message = "the warehouse does not say who loads"});
  }
  const auto& self = who.rows.front();
  Missing missing(text_at(self, 0), text_at(self, 1));
  missing.check_database(text_at(self, 2) == "t", text_at(self, 3) == "t");

  LEAT_ASSIGN(const Rows found,
              connection.run(fmt::format("select nspname, has_schema_privilege(nspname, 'usage'), "
                                         "has_schema_privilege(nspname, 'create') "
                                         "from pg_namespace where nspname in ({})",
                                         list),
                             stop));
  std::map<std::string, SchemaRights> rights;
  for (const auto& row : found.rows) {
    rights[text_at(row, 0)] = {.usage = text_at(row, 1) == "t", .create = text_at(row, 2) == "t"};
  }
  for (const std::string& schema : wanted) {
    const auto at = rights.find(schema);
    missing.check_schema(schema, at == rights.end() ? nullptr : &at->second);
  }

  // A superuser may do all of it to any table.
  LEAT_ASSIGN(const Rows foreign,
              connection.run(fmt::format("select schemaname, tablename, tableowner, "
                                         "has_table_privilege(quote_ident(schemaname) || '.' || "
                                         "quote_ident(tablename), 'select') and "
                                         "has_table_privilege(quote_ident(schemaname) || '.' || "
                                         "quote_ident(tablename), 'insert') and "
                                         "has_table_privilege(quote_ident(schemaname) || '.' || "
                                         "quote_ident(tablename), 'delete') from pg_tables "
                                         "where schemaname in ({}) and tableowner <> current_user "
                                         "and not exists (select 1 from pg_user where usename = "
                                         "current_user and usesuper) order by 1, 2",
                                         list),
                             stop));
  for (const auto& row : foreign.rows) {
    const std::string schema = text_at(row, 0);
    const std::string table = text_at(row, 1);
    const auto ledgers = ledger_tables_in(schema, settings.ledger_schema);
    if (std::ranges::find(ledgers, table) != ledgers.end()) {
      missing.check_ledger_table(schema, table, text_at(row, 2), text_at(row, 3) == "t");
    } else if (std::ranges::find(schemas, schema) != schemas.end()) {
      missing.check_owner(schema, table, text_at(row, 2));
    }
  }
  return missing.take();
}

}  // namespace leat::load
