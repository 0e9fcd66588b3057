// COPY: the target and its rights, then transfer does the work; what happened goes to the load
// history.
#include <fmt/format.h>

#include <algorithm>

#include "warehouse/catalog/rights.h"
#include "warehouse/engine/blank_marks.h"
#include "warehouse/session/rights_support.h"
#include "warehouse/session/session_state.h"
#include "warehouse/transfer/copy.h"
#include "warehouse/transfer/object_keys.h"

namespace leat::session {
namespace {

/// Columns with a mark need no looking at.
transfer::CopyTarget target_of(const catalog::Relation& relation,
                               const engine::BlankMarks& blank_marks) {
  const std::vector<std::int16_t> marks = blank_marks.columns(relation.oid);
  transfer::CopyTarget target{
      .name = relation.name, .engine_name = relation.duckdb_name(), .columns = {}};
  for (const catalog::Column& column : relation.columns) {
    target.columns.push_back({.name = column.name,
                              .type = column.type,
                              .nullable = !column.not_null,
                              .identity = column.identity,
                              .identity_by_default = column.identity_by_default});
    if (column.type.kind == sql::TypeKind::kVarchar &&
        !std::ranges::binary_search(marks, column.number)) {
      target.columns.back().blank_key = engine::BlankMarks::key(relation.oid, column.number);
    }
  }
  return target;
}

LoadErrorRecord error_record(const transfer::LoadError& error) {
  LoadErrorRecord record;
  record.file = error.file;
  record.line = error.line_number;
  record.column = error.column_name;
  record.type = error.column_type;
  record.length = error.column_length;
  record.position = error.position;
  record.raw_line = error.raw_line;
  record.raw_value = error.raw_field_value;
  record.code = error.code;
  record.reason = error.reason;
  return record;
}

}  // namespace

SqlResult<std::shared_ptr<io::ObjectStore>> SessionState::store_for(
    const sql::Credentials& credentials, catalog::IamCommand command) {
  const std::string_view verb = command == catalog::kIamCopy ? "COPY from" : "UNLOAD to";
  io::ObjectStore* const own = shared->options.object_store;
  if (own == nullptr) {
    return engine::fail_sql("0A000", fmt::format("this warehouse has no object store to {}", verb));
  }
  LEAT_ASSIGN(const auto keys, transfer::object_keys(credentials));
  if (keys && shared->options.store_for_keys) {
    auto store = shared->options.store_for_keys(*keys);
    if (store) return std::move(*store);
    const bool denied = store.error().code == Errc::kDenied;
    return engine::fail_sql("XX000", fmt::format("S3ServiceException:{},{}", store.error().message,
                                                 denied ? "Status 403,Error InvalidAccessKeyId"
                                                        : "Status 503,Error ServiceUnavailable"));
  }
  LEAT_TRY(require_iam_roles(*this, transfer::iam_roles(credentials), command));
  return std::shared_ptr<io::ObjectStore>(std::shared_ptr<void>(), own);  // borrowed
}

SqlStatus SessionState::run_copy(Running& running, const sql::CopyStatement& statement) {
  LEAT_ASSIGN(const catalog::RelationPointer found, find_relation(statement.table));
  if (found->kind != catalog::RelationKind::kTable) {
    return engine::fail_sql("42809", "\"" + found->name + "\" is not a table");
  }
  LEAT_TRY(require(*found, catalog::kInsert));
  LEAT_ASSIGN(const auto store, store_for(statement.credentials, catalog::kIamCopy));
  if (!found->temporary) LEAT_TRY(lock_table(found->schema_name, found->name));
  note_growth(*found);
  changed_relations.insert(found->oid);
  note_step("insert", *found);
  const catalog::RelationPointer relation = catalog.relation(found->oid);
  if (relation == nullptr) {
    return engine::fail_sql("42P01",
                            "relation \"" + statement.table.to_string() + "\" does not exist");
  }
  LEAT_TRY(quiet_engine());
  LEAT_TRY(open_engine());
  LoadRecord load;
  load.query = current_query;
  load.user = user_id;
  load.database = request.database;
  load.session = id;
  load.transaction = transaction_id;
  load.table = relation->name;
  load.table_oid = relation->oid;
  load.source = statement.source;
  load.start = shared->now();
  transfer::CopyOptions options;
  if (!shared->options.data_directory.empty())
    options.scratch_directory = shared->options.data_directory + "/scratch";
  transfer::CopyReport report = transfer::run_copy(
      statement, target_of(*relation, connection->blank_marks()), *connection, *store, options);
  load.end = shared->now();
  load.format = report.file_format;
  load.completed = !report.error;
  load.rows = report.rows;
  load.bytes = static_cast<std::int64_t>(report.bytes);
  load.error_count = report.error_count;
  for (const transfer::LoadedFile& file : report.files) {
    load.files.push_back(
        {.name = file.file, .lines = file.lines, .bytes = static_cast<std::int64_t>(file.bytes)});
  }
  for (transfer::Replacement& each : report.replacements) {
    load.replacements.push_back({.file = std::move(each.file),
                                 .line = each.line_number,
                                 .column = std::move(each.column_name),
                                 .raw_line = std::move(each.raw_line)});
  }
  for (const transfer::LoadError& error : report.errors) {
    LoadErrorRecord record = error_record(error);
    record.query = current_query;
    record.user = user_id;
    record.database = request.database;
    record.session = id;
    record.transaction = transaction_id;
    record.table = relation->oid;
    record.start = load.start;
    shared->history.add(std::move(record));
  }
  const std::int64_t loaded = report.rows;
  shared->history.add(std::move(load));
  last_copy = current_query;
  last_copy_rows = report.error ? 0 : loaded;
  if (report.error) return std::unexpected(std::move(*report.error));
  LEAT_TRY(catalog.put_blanks(*relation));
  for (const std::string& notice : report.notices)
    running.sink.on_notice(Severity::kInfo, "00000", notice);
  running.rows = loaded;
  running.tag = "COPY";
  return {};
}

}  // namespace leat::session
