#include "warehouse/sql/translate.h"

#include <algorithm>

#include "warehouse/sql/emitter.h"
#include "warehouse/sql/lexer.h"

namespace leat::sql {
namespace {

/// The emitter knows bytes; a client counts characters.
template <class Rule>
auto guarded(const TranslateContext& context, Rule rule) -> SqlResult<decltype(rule())> {
  try {
    return rule();
  } catch (TranslateFailure& failure) {
    SqlError& error = failure.error;
    if (error.position > 0 && !context.script.empty()) {
      error.position = character_position(context.script, error.position - 1);
    }
    return std::unexpected(std::move(error));
  }
}

/// Unqualified names that mean the catalog (redshift.md 7); pg_* ones need no list.
constexpr std::string_view kSystemPrefixes[] = {"svv_", "svl_", "svcs_", "stl_", "stv_", "stll_"};
constexpr std::string_view kSysRelations[] = {"sys_analyze_history",
                                              "sys_child_query_text",
                                              "sys_connection_log",
                                              "sys_copy_job",
                                              "sys_copy_replacements",
                                              "sys_datashare_change_log",
                                              "sys_datashare_cross_region_usage",
                                              "sys_datashare_usage_consumer",
                                              "sys_datashare_usage_producer",
                                              "sys_external_query_detail",
                                              "sys_external_query_error",
                                              "sys_load_detail",
                                              "sys_load_error_detail",
                                              "sys_load_history",
                                              "sys_mv_refresh_history",
                                              "sys_mv_state",
                                              "sys_procedure_call",
                                              "sys_procedure_messages",
                                              "sys_query_detail",
                                              "sys_query_explain",
                                              "sys_query_history",
                                              "sys_query_text",
                                              "sys_restore_state",
                                              "sys_schema_quota_violations",
                                              "sys_serverless_usage",
                                              "sys_session_history",
                                              "sys_stream_scan_errors",
                                              "sys_stream_scan_states",
                                              "sys_transaction_history",
                                              "sys_udf_log",
                                              "sys_unload_detail",
                                              "sys_unload_history",
                                              "sys_userlog",
                                              "sys_vacuum_history"};

}  // namespace

bool is_system_relation(const QualifiedName& name) {
  const std::string_view schema = name.schema();
  if (schema == "pg_catalog" || schema == "information_schema") return true;
  if (!schema.empty()) return false;
  const std::string_view relation = name.name();
  if (relation.starts_with("pg_")) return true;
  for (const std::string_view prefix : kSystemPrefixes) {
    if (relation.starts_with(prefix)) return true;
  }
  return std::binary_search(std::begin(kSysRelations), std::end(kSysRelations), relation);
}

SqlResult<Translation> translate(const Statement& statement, const TranslateContext& context) {
  return guarded(context, [&] {
    Emitter emitter(context);
    Translation translation{.statements = emitter.statement(statement)};
    if (get_if<SelectStatement>(statement) != nullptr ||
        get_if<UnloadStatement>(statement) != nullptr)
      translation.columns = emitter.result_columns();
    return translation;
  });
}

SqlResult<std::string> translate_query(const Query& query, const TranslateContext& context) {
  return guarded(context, [&] {
    Emitter emitter(context);
    emitter.query(query);
    return emitter.take();
  });
}

SqlResult<std::vector<ResultColumn>> query_columns(const Query& query,
                                                   const TranslateContext& context) {
  return guarded(context, [&] {
    Emitter emitter(context);
    emitter.query(query);
    return emitter.result_columns();
  });
}

SqlResult<std::string> translate_expression(const Expression& expression,
                                            const TranslateContext& context) {
  return guarded(context, [&] {
    Emitter emitter(context);
    emitter.expression(expression);
    return emitter.take();
  });
}

SqlResult<std::string> translate_default(const Expression& value, const TypeName& type,
                                         const TranslateContext& context) {
  return guarded(context, [&] {
    Emitter emitter(context);
    emitter.stored_default(value, type);
    return emitter.take();
  });
}

std::vector<std::string> required_settings() {
  return {"SET integer_division = true",
          "SET default_null_order = 'nulls_last_on_asc_first_on_desc'", "SET TimeZone = 'UTC'"};
}

}  // namespace leat::sql
