// The base of the system schema as tables of the engine: every schema, relation and column that a
// session sees, its own uncommitted changes and temporary tables among them. All views over the
// catalog read these, so that planning one costs little.
#include <fmt/format.h>

#include <memory>
#include <string>
#include <utility>

#include "base/error.h"
#include "warehouse/catalog/rights.h"
#include "warehouse/catalog/system_functions.h"
#include "warehouse/catalog/types.h"
#include "warehouse/engine/source.h"

namespace leat::catalog {
namespace {

using engine::ChunkWriter;
using engine::ColumnInfo;
using engine::SqlResult;
using engine::Type;

ColumnInfo column_info(const char* name, Type type) {
  return {.name = name, .type = {.type = type, .children = {}, .child_names = {}}};
}

/// The kinds that Redshift's catalog tells apart.
char shown_kind(RelationKind kind) {
  return kind == RelationKind::kTable ? 'r' : 'v';
}

/// A relation as the views need it.
struct VisibleRelation {
  RelationPointer relation;
  std::string schema_name;
  bool accessible = true;
  std::string database;
  std::string definition{};  ///< Of a view.
};

/// Owners see what is theirs, others what they have a privilege on, in schemas they may look into.
bool is_accessible(const CatalogSession& catalog, const User& user, const Relation& relation) {
  if (user.superuser || relation.temporary || relation.owner == user.id) return true;
  if (privileges_on(catalog, user, relation) == 0 &&
      !has_column_privileges(catalog, user, relation))
    return false;
  const SchemaPointer schema = catalog.schema(relation.schema);
  return schema == nullptr || (privileges_on(catalog, user, *schema) & kUsage) != 0;
}

void add_relations(const SessionFacts& facts, const CatalogSession& catalog,
                   const std::string& database, std::int64_t session,
                   std::vector<VisibleRelation>& out) {
  const UserPointer user = catalog.user(facts.user_id);
  const auto add = [&](RelationPointer relation, std::string schema_name) {
    if (facts.focus && !facts.focus->includes(schema_name, relation->name)) return;
    const bool accessible = user == nullptr || is_accessible(catalog, *user, *relation);
    std::string definition =
        relation->shown_definition([&](Oid oid) { return catalog.relation(oid); });
    out.push_back(
        {std::move(relation), std::move(schema_name), accessible, database, std::move(definition)});
  };
  for (const RelationPointer& relation : catalog.relations(0)) {
    add(relation, relation->schema_name);
  }
  for (const RelationPointer& relation : catalog.temporaries()) {
    add(relation, fmt::format("pg_temp_{}", session));
  }
}

std::vector<VisibleRelation> relations_of(const SessionFacts& facts, std::int64_t session) {
  std::vector<VisibleRelation> out;
  add_relations(facts, *facts.catalog, facts.database, session, out);
  return out;
}

std::vector<VisibleRelation> other_relations(const SessionFacts& facts, std::int64_t session) {
  std::vector<VisibleRelation> out;
  if (!facts.each_other) return out;
  facts.each_other([&](const std::string& database, const CatalogSession& catalog) {
    add_relations(facts, catalog, database, session, out);
  });
  return out;
}

/// Rows that are all there when the scan begins: a list of Row, each written by one function.
template <class Row>
class ListSource final : public engine::ChunkSource {
 public:
  using Write = void (*)(const Row&, ChunkWriter&, std::size_t row);
  ListSource(const std::vector<ColumnInfo>& columns, std::vector<Row> rows, Write write)
      : columns_(columns), rows_(std::move(rows)), write_(write) {}

  [[nodiscard]] const std::vector<ColumnInfo>& columns() const override { return columns_; }
  [[nodiscard]] SqlResult<std::size_t> fill(ChunkWriter& writer) override {
    std::size_t row = 0;
    for (; row < ChunkWriter::capacity() && next_ < rows_.size(); ++row, ++next_) {
      write_(rows_[next_], writer, row);
    }
    return row;
  }

 private:
  const std::vector<ColumnInfo>& columns_;
  std::vector<Row> rows_;
  Write write_;
  std::size_t next_ = 0;
};

/// Writes the cells of one row from left to right.
class Cells {
 public:
  Cells(ChunkWriter& writer, std::size_t row) : writer_(writer), row_(row) {}
  Cells& number(std::int64_t value) { return put(value); }
  Cells& integer(std::int32_t value) { return put(value); }
  Cells& small(std::int16_t value) { return put(value); }
  Cells& boolean(bool value) { return put(value); }
  Cells& text(std::string_view value) {
    writer_.set_text(column_++, row_, value);
    return *this;
  }
  Cells& text_or_null(std::string_view value) {
    if (!value.empty()) return text(value);
    writer_.set_null(column_++, row_);
    return *this;
  }

 private:
  template <class T>
  Cells& put(T value) {
    writer_.set(column_++, row_, value);
    return *this;
  }

  ChunkWriter& writer_;
  std::size_t row_;
  std::size_t column_ = 0;
};

/// Registers leat_list_NAME(session), whose rows `list` gathers while the session cannot vanish.
template <class Row>
engine::SqlStatus add_list(engine::Database& database, const SystemHost& host,
                           const std::string& name, const std::vector<ColumnInfo>& columns,
                           std::vector<Row> (*list)(const SessionFacts&, std::int64_t),
                           void (*write)(const Row&, ChunkWriter&, std::size_t)) {
  return database.add_table_function(
      {.name = name,
       .columns = columns,
       .open = [&host, &columns, list,
                write](std::int64_t session) -> SqlResult<std::unique_ptr<engine::ChunkSource>> {
         std::vector<Row> rows;
         host.with_session(session,
                           [&](const SessionFacts& facts) { rows = list(facts, session); });
         return std::make_unique<ListSource<Row>>(columns, std::move(rows), write);
       }});
}

struct SchemaRow {
  std::int64_t oid = 0;
  std::string name;
  std::int32_t owner = 0;
  std::string database;
};

const std::vector<ColumnInfo>& schema_columns() {
  static const std::vector<ColumnInfo> kColumns{
      column_info("oid", Type::kInt64), column_info("name", Type::kVarchar),
      column_info("owner", Type::kInt32), column_info("database", Type::kVarchar)};
  return kColumns;
}

void add_schemas(const CatalogSession& catalog, const std::string& database,
                 std::vector<SchemaRow>& rows) {
  for (const SchemaPointer& schema : catalog.schemas()) {
    rows.push_back({schema->oid, schema->name, schema->owner, database});
  }
  rows.push_back({kPgCatalogOid, "pg_catalog", kBootstrapUserId, database});
  rows.push_back({kInformationSchemaOid, "information_schema", kBootstrapUserId, database});
}

std::vector<SchemaRow> other_schemas(const SessionFacts& facts, std::int64_t /*session*/) {
  std::vector<SchemaRow> rows;
  if (!facts.each_other) return rows;
  facts.each_other([&](const std::string& database, const CatalogSession& catalog) {
    add_schemas(catalog, database, rows);
  });
  return rows;
}

std::vector<SchemaRow> list_schemas(const SessionFacts& facts, std::int64_t session) {
  std::vector<SchemaRow> rows;
  add_schemas(*facts.catalog, facts.database, rows);
  if (!facts.catalog->temporaries().empty()) {
    rows.push_back({kTemporarySchemaOid, fmt::format("pg_temp_{}", session), kBootstrapUserId,
                    facts.database});
  }
  return rows;
}

void write_schema_row(const SchemaRow& schema, ChunkWriter& writer, std::size_t row) {
  Cells(writer, row)
      .number(schema.oid)
      .text(schema.name)
      .integer(schema.owner)
      .text(schema.database);
}

const std::vector<ColumnInfo>& relation_columns() {
  static const std::vector<ColumnInfo> kColumns{
      column_info("oid", Type::kInt64),           column_info("schema", Type::kInt64),
      column_info("schema_name", Type::kVarchar), column_info("name", Type::kVarchar),
      column_info("kind", Type::kVarchar),        column_info("owner", Type::kInt32),
      column_info("distribution", Type::kInt32),  column_info("sort_automatic", Type::kBoolean),
      column_info("backup", Type::kBoolean),      column_info("definition", Type::kVarchar),
      column_info("comment", Type::kVarchar),     column_info("created", Type::kInt64),
      column_info("temporary", Type::kBoolean),   column_info("accessible", Type::kBoolean),
      column_info("database", Type::kVarchar),    column_info("engine_schema", Type::kVarchar),
      column_info("auto_refresh", Type::kBoolean)};
  return kColumns;
}

void write_relation_row(const VisibleRelation& each, ChunkWriter& writer, std::size_t row) {
  const Relation& relation = *each.relation;
  const char kind = shown_kind(relation.kind);
  Cells(writer, row)
      .number(relation.oid)
      .number(relation.temporary ? kTemporarySchemaOid : relation.schema)
      .text(each.schema_name)
      .text(relation.name)
      .text({&kind, 1})
      .integer(relation.owner)
      .integer(static_cast<std::int32_t>(relation.distribution))
      .boolean(relation.sort_automatic)
      .boolean(relation.backup)
      .text(each.definition)
      .text(relation.comment)
      .number(relation.created.value)
      .boolean(relation.temporary)
      .boolean(each.accessible)
      .text(each.database)
      .text(relation.temporary               ? "main"
            : relation.engine_schema.empty() ? relation.schema_name
                                             : relation.engine_schema)
      .boolean(relation.auto_refresh);
}

struct ColumnRow {
  std::shared_ptr<const VisibleRelation> relation;
  std::size_t index = 0;
};

const std::vector<ColumnInfo>& column_columns() {
  static const std::vector<ColumnInfo> kColumns{
      column_info("relation", Type::kInt64),        column_info("schema_name", Type::kVarchar),
      column_info("relation_name", Type::kVarchar), column_info("kind", Type::kVarchar),
      column_info("accessible", Type::kBoolean),    column_info("number", Type::kInt16),
      column_info("name", Type::kVarchar),          column_info("type", Type::kVarchar),
      column_info("type_oid", Type::kInt64),        column_info("type_modifier", Type::kInt32),
      column_info("not_null", Type::kBoolean),      column_info("default_text", Type::kVarchar),
      column_info("encoding", Type::kVarchar),      column_info("distribution_key", Type::kBoolean),
      column_info("sort_key", Type::kInt32),        column_info("comment", Type::kVarchar),
      column_info("database", Type::kVarchar),      column_info("insensitive", Type::kBoolean)};
  return kColumns;
}

std::vector<ColumnRow> columns_of(std::vector<VisibleRelation> relations) {
  std::vector<ColumnRow> rows;
  for (VisibleRelation& each : relations) {
    const auto relation = std::make_shared<const VisibleRelation>(std::move(each));
    for (std::size_t i = 0; i < relation->relation->columns.size(); ++i) {
      rows.push_back({relation, i});
    }
  }
  return rows;
}

std::vector<ColumnRow> list_columns(const SessionFacts& facts, std::int64_t session) {
  return columns_of(relations_of(facts, session));
}

std::vector<ColumnRow> other_columns(const SessionFacts& facts, std::int64_t session) {
  return columns_of(other_relations(facts, session));
}

std::string default_of(const Relation& relation, const Column& column) {
  if (!column.identity) return column.default_text;
  return fmt::format("{}({}, {}, '{},{}'::text)",
                     column.identity_by_default ? "default_identity" : "\"identity\"", relation.oid,
                     column.number, column.identity_seed, column.identity_step);
}

void write_column_row(const ColumnRow& each, ChunkWriter& writer, std::size_t row) {
  const Relation& relation = *each.relation->relation;
  const Column& column = relation.columns[each.index];
  const char kind = shown_kind(relation.kind);
  Cells(writer, row)
      .number(relation.oid)
      .text(each.relation->schema_name)
      .text(relation.name)
      .text({&kind, 1})
      .boolean(each.relation->accessible)
      .small(column.number)
      .text(column.name)
      .text(sql::format_type(column.type))
      .number(sql::type_oid(column.type))
      .integer(type_modifier(column.type))
      .boolean(column.not_null)
      .text_or_null(default_of(relation, column))
      .text(column.encoding)
      .boolean(column.distribution_key)
      .integer(column.sort_key)
      .text(column.comment)
      .text(each.relation->database)
      .boolean(column.insensitive);
}

}  // namespace

engine::SqlStatus add_system_tables(engine::Database& database, SystemHost& host) {
  LEAT_TRY(add_list(database, host, "leat_list_schemas", schema_columns(), list_schemas,
                    write_schema_row));
  LEAT_TRY(add_list(database, host, "leat_list_other_schemas", schema_columns(), other_schemas,
                    write_schema_row));
  LEAT_TRY(add_list(database, host, "leat_list_relations", relation_columns(), relations_of,
                    write_relation_row));
  LEAT_TRY(add_list(database, host, "leat_list_other_relations", relation_columns(),
                    other_relations, write_relation_row));
  LEAT_TRY(add_list(database, host, "leat_list_columns", column_columns(), list_columns,
                    write_column_row));
  return add_list(database, host, "leat_list_other_columns", column_columns(), other_columns,
                  write_column_row);
}

}  // namespace leat::catalog
