// ListDatabases, ListSchemas, ListTables, DescribeTable: questions to the catalog, answered at
// once.
#include <fmt/format.h>

#include <memory>

#include "base/text.h"
#include "warehouse/dataapi/api.h"
#include "warehouse/dataapi/json_text.h"
#include "warehouse/dataapi/row_writer.h"
#include "warehouse/session/warehouse.h"

namespace leat::dataapi {
namespace {

using Rows = std::vector<std::vector<std::string>>;

constexpr std::size_t kRowsMax = 100'000;

/// Takes rows as texts.
class TextRows final : public session::ResultSink {
 public:
  bool on_fields(std::span<const session::Field>) override { return true; }
  bool on_rows(const engine::Chunk& chunk, std::size_t first, std::size_t count) override {
    for (std::size_t row = first; row < first + count; ++row) {
      if (rows.size() >= kRowsMax) return false;
      std::vector<std::string>& out = rows.emplace_back();
      for (const engine::Column& column : chunk.columns()) {
        out.push_back(engine::cell_text(column, row).value_or(std::string()));
      }
    }
    return true;
  }
  bool on_complete(std::string_view) override { return true; }
  bool on_empty() override { return true; }
  void on_notice(session::Severity, std::string_view, std::string_view) override {}
  void on_setting(std::string_view, std::string_view) override {}
  Rows rows{};
};

ApiError from_session(const session::SqlError& error) {
  if (error.sqlstate == "57014") {
    return {.status = 400,
            .name = "QueryTimeoutException",
            .message = "The Data API operation failed due to timeout.",
            .members = {}};
  }
  if (error.sqlstate == "53300" || error.sqlstate == "57P03") {
    return {.status = 500,
            .name = "DatabaseConnectionException",
            .message = "FATAL: " + error.message,
            .members = {}};
  }
  const std::string_view prefix =
      error.sqlstate.starts_with("28") || error.sqlstate == "3D000" ? "FATAL: " : "ERROR: ";
  return {.status = 400,
          .name = "ValidationException",
          .message = std::string(prefix) + error.message,
          .members = {}};
}

/// The rows of one page, and the token of the next one.
struct Slice {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string next{};
};

ApiResult<Slice> slice_of(const Rows& rows, const CatalogMembers& members, std::string_view of) {
  const std::string key = fmt::format("{}|{}|{}|{}|{}", of, members.schema_pattern,
                                      members.table_pattern, members.schema, members.table);
  Slice slice;
  if (!members.next_token.empty()) {
    LEAT_ASSIGN(const std::uint64_t begin, read_token(key, members.next_token));
    slice.begin = std::min<std::size_t>(begin, rows.size());
  }
  slice.end = std::min(rows.size(), slice.begin + static_cast<std::size_t>(members.results_max));
  if (slice.end < rows.size()) slice.next = make_token(key, slice.end);
  return slice;
}

ColumnMetadata column_of(const std::vector<std::string>& row) {
  session::Field field;
  field.name = row[2];
  field.type_oid = parse_number<std::uint32_t>(row[3]).value_or(1043);
  field.type_modifier = parse_number<std::int32_t>(row[4]).value_or(-1);
  ColumnMetadata column = metadata_of(field);
  column.schema_name = row[0];
  column.table_name = row[1];
  column.nullable = row[5] == "t" ? 0 : 1;
  column.column_default = row[6];
  column.length = column.precision;
  return column;
}

/// One page of `rows` as the list `name`, each row added by `add`, and the token of the next page.
template <class Add>
ApiResult<std::string> page_json(const Rows& rows, const CatalogMembers& members,
                                 std::string_view operation, std::string_view name,
                                 const Add& add) {
  LEAT_ASSIGN(const Slice slice, slice_of(rows, members, operation));
  JsonArray list;
  for (std::size_t i = slice.begin; i < slice.end; ++i) add(list, rows[i]);
  JsonObject out;
  out.raw(name, list.take());
  out.text_if("NextToken", slice.next);
  return out.take();
}

}  // namespace

ApiResult<Rows> DataApi::query(const CatalogMembers& members, const Caller& caller,
                               std::string_view sql, const std::vector<std::string>& values) const {
  LEAT_ASSIGN(const Target target, target_of(members.target, caller));
  session::SessionRequest request;
  request.user = target.login_user;
  request.database = target.database;
  request.remote_address = caller.remote_address;
  request.encrypted = caller.encrypted;
  request.settings = {{"application_name", "RedshiftDataAPI"}, {"statement_timeout", "25000"}};
  if (!members.connected_database.empty() && !warehouse_.has_database(members.connected_database)) {
    return invalid(fmt::format("Database {} does not exist", members.connected_database));
  }
  auto session = warehouse_.open_session(request);
  if (!session) return std::unexpected(from_session(session.error()));
  TextRows sink;
  std::vector<session::Parameter> parameters;
  for (const std::string& value : values) parameters.push_back({.bytes = value, .binary = false});
  if (auto done = (*session)->parse("", sql, {}, sink); !done) {
    return std::unexpected(from_session(done.error()));
  }
  if (auto done = (*session)->bind("", "", parameters, sink); !done) {
    return std::unexpected(from_session(done.error()));
  }
  if (auto done = (*session)->execute("", 0, sink); !done && sink.rows.size() < kRowsMax) {
    return std::unexpected(from_session(done.error()));
  }
  return std::move(sink.rows);
}

ApiResult<std::string> DataApi::list_names(std::string_view body, std::string_view operation,
                                           const Caller& caller) {
  LEAT_ASSIGN(const CatalogMembers members, parse_catalog(body));
  const bool databases = operation == "ListDatabases";
  std::vector<std::string> values;
  if (!databases) values.push_back(members.schema_pattern.empty() ? "%" : members.schema_pattern);
  LEAT_ASSIGN(const Rows rows,
              query(members, caller,
                    databases ? "select datname from pg_catalog.pg_database order by 1"
                              : "select nspname from pg_catalog.pg_namespace where nspname like $1 "
                                "order by 1",
                    values));
  return page_json(rows, members, operation, databases ? "Databases" : "Schemas",
                   [](JsonArray& names, const Rows::value_type& row) { names.add_text(row[0]); });
}

ApiResult<std::string> DataApi::list_tables(std::string_view body, const Caller& caller) {
  LEAT_ASSIGN(const CatalogMembers members, parse_catalog(body));
  LEAT_ASSIGN(
      const Rows rows,
      query(members, caller,
            "select n.nspname, c.relname, "
            "case when n.nspname in ('pg_catalog', 'information_schema', 'pg_internal') "
            "  then case when c.relkind = 'v' then 'SYSTEM VIEW' else 'SYSTEM TABLE' end "
            "  when n.nspname like 'pg_temp%' then 'LOCAL TEMPORARY' "
            "  when c.relkind = 'v' then 'VIEW' else 'TABLE' end "
            "from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace "
            "where c.relkind in ('r', 'v') and n.nspname like $1 and c.relname like $2 "
            "order by 1, 2",
            {members.schema_pattern.empty() ? "%" : members.schema_pattern,
             members.table_pattern.empty() ? "%" : members.table_pattern}));
  return page_json(rows, members, "tables", "Tables",
                   [](JsonArray& tables, const Rows::value_type& row) {
                     JsonObject table;
                     table.text("name", row[1]);
                     table.text("schema", row[0]);
                     table.text("type", row[2]);
                     tables.add(table.take());
                   });
}

ApiResult<std::string> DataApi::describe_table(std::string_view body, const Caller& caller) {
  LEAT_ASSIGN(const CatalogMembers members, parse_catalog(body));
  LEAT_ASSIGN(
      const Rows rows,
      query(members, caller,
            "select n.nspname, c.relname, a.attname, a.atttypid, a.atttypmod, a.attnotnull, "
            "d.adsrc "
            "from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid "
            "join pg_catalog.pg_namespace n on n.oid = c.relnamespace "
            "left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum "
            "where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'v') "
            "and ($1 = '' or n.nspname = $1) and ($2 = '' or c.relname = $2) "
            "order by n.nspname, c.relname, a.attnum",
            {members.schema, members.table}));
  LEAT_ASSIGN(const Slice slice, slice_of(rows, members, "columns"));
  std::vector<ColumnMetadata> columns;
  for (std::size_t i = slice.begin; i < slice.end; ++i) columns.push_back(column_of(rows[i]));
  JsonObject out;
  out.text_if("TableName", members.table);
  out.raw("ColumnList", metadata_json(columns));
  out.text_if("NextToken", slice.next);
  return out.take();
}

}  // namespace leat::dataapi
