// Rows of the relations about COPY and UNLOAD, as JSON for from_json (catalog/system_schema.cc has
// their columns).
#include "warehouse/session/live_row_text.h"
#include "warehouse/session/session_state.h"

namespace leat::session {
namespace {

/// The field that could not be loaded.
void detail_row(Rows& rows, const LoadErrorRecord& each) {
  rows.begin().number("userid", each.user).number("slice", 0).number("session", each.session);
  rows.number("query", each.query).text("filename", each.file).number("line_number", each.line);
  rows.text("colname", each.column).text("value", each.raw_value).number("is_null", 0);
  rows.text("type", each.type).text("col_length", each.length).end();
}

void history_row(Rows& rows, const LoadRecord& each) {
  rows.begin()
      .number("user_id", each.user)
      .number("query_id", each.query)
      .number("transaction_id", each.transaction);
  rows.number("session_id", each.session).text("database_name", each.database);
  rows.text("status", each.completed ? "completed" : "aborted").text("table_name", each.table);
  rows.time("start_time", each.start)
      .time("end_time", each.end)
      .number("duration", each.end.value - each.start.value);
  rows.text("data_source", each.source)
      .text("file_format", each.format)
      .number("loaded_rows", each.rows);
  rows.number("loaded_bytes", each.bytes)
      .number("source_file_count", static_cast<std::int64_t>(each.files.size()));
  rows.number("source_file_bytes", each.bytes)
      .number("file_count_scanned", static_cast<std::int64_t>(each.files.size()));
  rows.number("file_bytes_scanned", each.bytes)
      .number("error_count", each.error_count)
      .number("copy_job_id", 0)
      .end();
}

void replacement_rows(Rows& rows, const LoadRecord& each) {
  for (const LoadRecord::Replacement& replacement : each.replacements) {
    rows.begin().number("userid", each.user).number("query", each.query).number("slice", 0);
    rows.number("tbl", each.table_oid).time("starttime", each.start);
    rows.number("session", each.session).text("filename", replacement.file);
    rows.number("line_number", replacement.line).text("colname", replacement.column);
    rows.text("raw_line", replacement.raw_line).end();
  }
}

/// Of stl_load_commits, stl_file_scan or sys_load_detail.
void file_row(Rows& rows, std::string_view relation, const LoadRecord& each,
              const LoadRecord::File& file) {
  rows.begin();
  if (relation == "sys_load_detail") {
    rows.number("user_id", each.user).number("query_id", each.query).text("file_name", file.name);
    rows.number("bytes_scanned", file.bytes).number("lines_scanned", file.lines);
    rows.time("record_time", each.end).number("splits_scanned", 1);
    rows.time("start_time", each.start).time("end_time", each.end).end();
    return;
  }
  rows.number("userid", each.user).number("query", each.query).number("slice", 0);
  if (relation == "stl_file_scan") {
    rows.text("name", file.name).number("lines", file.lines).number("bytes", file.bytes);
    rows.number("loadtime", each.end.value - each.start.value).time("curtime", each.end);
  } else {
    rows.text("name", each.table).text("filename", file.name).number("byte_offset", 0);
    rows.number("lines_scanned", file.lines).number("errors", each.completed ? 0 : -1);
    rows.time("curtime", each.end).number("status", 1).text("file_format", each.format);
    rows.number("copy_job_id", 0);
  }
  rows.number("is_partial", 0).number("start_offset", 0).end();
}

void unload_file_row(Rows& rows, const UnloadRecord& each, const UnloadRecord::File& file,
                     bool sys) {
  rows.begin().number(sys ? "user_id" : "userid", each.user);
  rows.number(sys ? "query_id" : "query", each.query);
  if (sys) {
    rows.number("session_id", each.session).number("transaction_id", each.transaction);
    rows.text("file_name", file.name);
  } else {
    rows.number("slice", 0).number("pid", each.session).text("path", file.name);
  }
  rows.time("start_time", each.start).time("end_time", each.end);
  rows.number("line_count", file.rows).number("transfer_size", file.bytes);
  rows.text("file_format", each.format).end();
}

/// One object of a COPY or an UNLOAD, with the times of the whole statement: those of its objects
/// overlap.
template <class Record, class File>
void object_row(Rows& rows, std::string_view method, const Record& each, const File& file) {
  constexpr std::int64_t kYear2000Us = 946'684'800'000'000;
  std::string_view name = file.name;
  if (name.starts_with("s3://")) name.remove_prefix(5);
  const std::string_view bucket = name.substr(0, name.find('/'));
  rows.begin().number("userid", each.user).number("query", each.query).number("slice", 0);
  rows.time("recordtime", each.end).number("pid", each.session).text("http_method", method);
  rows.text("bucket", bucket).text("key", name.substr(std::min(bucket.size() + 1, name.size())));
  rows.number("transfer_size", file.bytes);
  rows.number("start_time", each.start.value - kYear2000Us);
  rows.number("end_time", each.end.value - kYear2000Us);
  rows.number("transfer_time", each.end.value - each.start.value);
  rows.number("is_partial", 0).number("start_offset", 0).end();
}

}  // namespace

std::string object_rows(const WarehouseState& state, const SessionInfo& viewer, bool sees_all) {
  Rows rows;
  for (const LoadRecord& each : state.history.loads()) {
    if (!sees_all && each.user != viewer.user_id) continue;
    for (const LoadRecord::File& file : each.files) object_row(rows, "GET", each, file);
  }
  for (const UnloadRecord& each : state.history.unloads()) {
    if (!sees_all && each.user != viewer.user_id) continue;
    for (const UnloadRecord::File& file : each.files) object_row(rows, "PUT", each, file);
  }
  return rows.finish();
}

std::string load_error_rows(const WarehouseState& state, std::string_view relation,
                            const SessionInfo& viewer, bool sees_all) {
  const bool sys = relation.starts_with("sys");
  Rows rows;
  for (const LoadErrorRecord& each : state.history.load_errors()) {
    if (!sees_all && each.user != viewer.user_id) continue;
    if (relation == "stl_loaderror_detail") {
      detail_row(rows, each);
      continue;
    }
    rows.begin()
        .number(sys ? "user_id" : "userid", each.user)
        .number(sys ? "query_id" : "query", each.query);
    rows.number(sys ? "table_id" : "tbl", each.table)
        .time(sys ? "start_time" : "starttime", each.start);
    rows.number(sys ? "session_id" : "session", each.session)
        .text(sys ? "file_name" : "filename", each.file);
    rows.number("line_number", each.line).text(sys ? "column_name" : "colname", each.column);
    rows.text(sys ? "column_type" : "type", each.type)
        .text(sys ? "column_length" : "col_length", each.length);
    rows.number("position", each.position);
    if (sys) {
      rows.number("transaction_id", each.transaction).text("database_name", each.database);
      rows.number("error_code", each.code).text("error_message", each.reason).end();
    } else {
      rows.number("slice", 0)
          .text("raw_line", each.raw_line)
          .text("raw_field_value", each.raw_value);
      rows.number("err_code", each.code).text("err_reason", each.reason).number("is_partial", 0);
      rows.number("start_offset", 0).number("copy_job_id", 0).end();
    }
  }
  return rows.finish();
}

std::string load_rows(const WarehouseState& state, std::string_view relation,
                      const SessionInfo& viewer, bool sees_all) {
  Rows rows;
  for (const LoadRecord& each : state.history.loads()) {
    if (!sees_all && each.user != viewer.user_id) continue;
    if (relation == "sys_load_history") {
      history_row(rows, each);
    } else if (relation == "stl_replacements") {
      replacement_rows(rows, each);
    } else {
      for (const LoadRecord::File& file : each.files) file_row(rows, relation, each, file);
    }
  }
  return rows.finish();
}

std::string unload_rows(const WarehouseState& state, std::string_view relation,
                        const SessionInfo& viewer, bool sees_all) {
  Rows rows;
  for (const UnloadRecord& each : state.history.unloads()) {
    if (!sees_all && each.user != viewer.user_id) continue;
    if (relation != "sys_unload_history") {
      for (const UnloadRecord::File& file : each.files) {
        unload_file_row(rows, each, file, relation.starts_with("sys"));
      }
      continue;
    }
    std::int64_t bytes = 0;
    for (const UnloadRecord::File& file : each.files) bytes += file.bytes;
    rows.begin().number("user_id", each.user).number("query_id", each.query);
    rows.number("transaction_id", each.transaction).number("session_id", each.session);
    rows.text("database_name", each.database)
        .text("status", each.completed ? "completed" : "aborted");
    rows.time("start_time", each.start).time("end_time", each.end);
    rows.number("duration", each.end.value - each.start.value).text("file_format", each.format);
    rows.text("compression_type", each.compression).text("unloaded_location", each.destination);
    rows.number("unloaded_rows", each.rows)
        .number("unloaded_files_count", static_cast<std::int64_t>(each.files.size()));
    rows.number("unloaded_files_size", bytes).text("error_message", each.error).end();
  }
  return rows.finish();
}

}  // namespace leat::session
