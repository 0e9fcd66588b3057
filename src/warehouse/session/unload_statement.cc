// UNLOAD: the query is planned as any other, transfer writes its rows; what happened goes to the
// unload history.
#include "base/error.h"
#include "warehouse/catalog/types.h"
#include "warehouse/session/session_state.h"
#include "warehouse/transfer/unload.h"

namespace leat::session {

SqlStatus SessionState::run_unload(Running& running, const sql::UnloadStatement& statement) {
  LEAT_TRY(check_access(running.statement));
  LEAT_ASSIGN(const auto store, store_for(statement.credentials, catalog::kIamUnload));
  LEAT_TRY(lock_tables(running.statement));
  LEAT_ASSIGN(Plan plan, make_plan(running.statement, statement.query_text, {}));
  std::vector<transfer::UnloadColumn> columns;
  for (const Field& field : plan.fields) {
    columns.push_back(
        {.name = field.name, .type = catalog::type_from_oid(field.type_oid, field.type_modifier)});
  }
  LEAT_TRY(transfer::check_unload(statement, columns));
  UnloadRecord record;
  record.query = current_query;
  record.user = user_id;
  record.database = request.database;
  record.session = id;
  record.transaction = transaction_id;
  record.destination = statement.destination;
  record.compression = statement.compression == sql::FileCompression::kGzip    ? "gzip"
                       : statement.compression == sql::FileCompression::kBzip2 ? "bzip2"
                       : statement.compression == sql::FileCompression::kZstd  ? "zstd"
                                                                               : "";
  record.start = shared->now();
  LEAT_TRY(prepare_engine(plan));
  focus.store(plan.focus);
  transfer::UnloadReport report = transfer::run_unload(statement, columns, *plan.last, *store);
  focus.store(nullptr);
  record.end = shared->now();
  record.format = report.file_format;
  record.completed = !report.error;
  record.rows = report.rows;
  if (report.error) record.error = report.error->message;
  for (const transfer::UnloadedFile& file : report.files) {
    record.files.push_back(
        {.name = file.file, .rows = file.rows, .bytes = static_cast<std::int64_t>(file.bytes)});
  }
  shared->history.add(std::move(record));
  last_unload = current_query;
  last_unload_rows = report.rows;
  if (report.error) {
    connection->fail_block();
    return std::unexpected(std::move(*report.error));
  }
  for (const std::string& notice : report.notices)
    running.sink.on_notice(Severity::kInfo, "00000", notice);
  running.rows = report.rows;
  running.tag = "UNLOAD";
  return {};
}

}  // namespace leat::session
