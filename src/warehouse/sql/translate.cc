#include "warehouse/sql/translate.h"

#include <algorithm>

#include "warehouse/sql/emitter.h"

namespace leat::sql {
namespace {

template <class Rule>
auto guarded(Rule rule) -> SqlResult<decltype(rule())> {
  try {
    return rule();
  } catch (TranslateFailure& failure) {
    return std::unexpected(std::move(failure.error));
  }
}

/// Unqualified names that mean the catalog (redshift.md 7); pg_* ones need no list.
constexpr std::string_view kSystemPrefixes[] = {"svv_", "svl_", "svcs_", "stl_", "stv_", "stll_"};
constexpr std::string_view kSysRelations[] = {"sys_analyze_history",
                                              "sys_connection_log",
                                              "sys_copy_job",
                                              "sys_external_query_detail",
                                              "sys_load_detail",
                                              "sys_load_error_detail",
                                              "sys_load_history",
                                              "sys_mv_refresh_history",
                                              "sys_procedure_call",
                                              "sys_procedure_messages",
                                              "sys_query_detail",
                                              "sys_query_history",
                                              "sys_query_text",
                                              "sys_schema_quota_violations",
                                              "sys_serverless_usage",
                                              "sys_session_history",
                                              "sys_stream_scan_errors",
                                              "sys_stream_scan_states",
                                              "sys_transaction_history",
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
  return guarded([&] { return Translation{Emitter(context).statement(statement)}; });
}

SqlResult<std::string> translate_query(const Query& query, const TranslateContext& context) {
  return guarded([&] {
    Emitter emitter(context);
    emitter.query(query);
    return emitter.take();
  });
}

SqlResult<std::string> translate_expression(const Expression& expression,
                                            const TranslateContext& context) {
  return guarded([&] {
    Emitter emitter(context);
    emitter.expression(expression);
    return emitter.take();
  });
}

std::vector<std::string> required_settings() {
  return {"SET integer_division = true",
          "SET default_null_order = 'nulls_last_on_asc_first_on_desc'", "SET TimeZone = 'UTC'"};
}

std::vector<std::string> dialect_macros(const TranslateContext& context) {
  // name(parameters), body. "$m" is the schema of the macros themselves.
  static constexpr std::pair<std::string_view, std::string_view> kMacros[] = {
      {"divisor(x)", "CASE WHEN x = 0 THEN error('22012: division by zero') ELSE x END"},
      {"cast_varchar(x, n)",
       "CASE WHEN strlen(CAST(x AS VARCHAR)) <= n THEN CAST(x AS VARCHAR)"
       " WHEN strlen(CAST(x AS VARCHAR)) = length(CAST(x AS VARCHAR)) THEN left(CAST(x AS "
       "VARCHAR), n)"
       " ELSE left(CAST(x AS VARCHAR), list_max(list_filter(range(0, n + 1),"
       " lambda k: strlen(left(CAST(x AS VARCHAR), k)) <= n))) END"},
      {"cast_char(x, n)", "rtrim($m.cast_varchar(x, n), ' ')"},
      {"assign_varchar(x, n)",
       "CASE WHEN strlen(CAST(x AS VARCHAR)) <= n THEN CAST(x AS VARCHAR)"
       " WHEN strlen(rtrim(CAST(x AS VARCHAR), ' ')) <= n THEN $m.cast_varchar(x, n)"
       " WHEN x IS NULL THEN NULL"
       " ELSE error('22001: value too long for type character varying(' || CAST(n AS VARCHAR) || "
       "')') END"},
      {"assign_char(x, n)",
       "CASE WHEN x IS NULL OR strlen(rtrim(CAST(x AS VARCHAR), ' ')) <= n THEN rtrim(CAST(x AS "
       "VARCHAR), ' ')"
       " ELSE error('22001: value too long for type character(' || CAST(n AS VARCHAR) || ')') END"},
      {"substring(s, start)", "substring(s, greatest(start, 1))"},
      {"octet_length(x)",
       "CASE WHEN typeof(x) = 'BLOB' THEN octet_length(CAST(x AS BLOB)) ELSE strlen(CAST(x AS "
       "VARCHAR)) END"},
      {"octetindex(sub, s)",
       "CASE WHEN strpos(s, sub) = 0 THEN 0 ELSE strlen(left(s, strpos(s, sub) - 1)) + 1 END"},
      {"initcap(s)",
       "list_reduce(list_prepend('', list_transform(regexp_extract_all(lower(s), "
       "'[\\pL\\pN]+|[^\\pL\\pN]+'),"
       " lambda w: upper(left(w, 1)) || substring(w, 2))), lambda a, b: a || b)"},
      {"split_part(s, d, n)",
       "CASE WHEN n < 1 THEN error('22023: field position must be greater than zero') ELSE "
       "split_part(s, d, n) END"},
      {"quote_ident(s)",
       "CASE WHEN regexp_full_match(s, '[a-z_][a-z0-9_$]*') THEN s ELSE '\"' || replace(s, '\"', "
       "'\"\"') || '\"' END"},
      {"quote_literal(s)",
       "'''' || replace(replace(CAST(s AS VARCHAR), '\\', '\\\\'), '''', '''''') || ''''"},
      {"overlay(s, r, f)", "left(s, f - 1) || r || substring(s, f + length(r))"},
      {"strtol(s, b)",
       "CASE WHEN s IS NULL OR b IS NULL THEN NULL WHEN trim(s) = '' THEN 0"
       " WHEN b = 16 AND regexp_full_match(lower(trim(s)), '-?(0x)?[0-9a-f]{1,16}')"
       " THEN CASE WHEN trim(s) LIKE '-%' THEN -1 ELSE 1 END * CAST('0x' || "
       "replace(ltrim(lower(trim(s)), '-'), '0x', '') AS BIGINT)"
       " WHEN b = 10 THEN CAST(trim(s) AS BIGINT)"
       " WHEN b BETWEEN 2 AND 36 AND regexp_full_match(lower(trim(s)), '[0-9a-z]+')"
       " THEN list_reduce(list_prepend(CAST(0 AS BIGINT), "
       "list_transform(string_split(lower(trim(s)), ''),"
       " lambda c: CASE WHEN strpos('0123456789abcdefghijklmnopqrstuvwxyz', c) BETWEEN 1 AND b"
       " THEN CAST(strpos('0123456789abcdefghijklmnopqrstuvwxyz', c) - 1 AS BIGINT)"
       " ELSE error('22023: The input ' || s || ' is not valid to be converted to base ' || CAST(b "
       "AS VARCHAR)) END)),"
       " lambda a, d: a * b + d)"
       " ELSE error('22023: The input ' || s || ' is not valid to be converted to base ' || CAST(b "
       "AS VARCHAR)) END"},
      {"compare(a, b)", "CASE WHEN a < b THEN -1 WHEN a > b THEN 1 WHEN a = b THEN 0 END"},
      {"regexp_count(s, p, at)", "CAST(len(regexp_extract_all(substring(s, at), p)) AS INTEGER)"},
      {"regexp_instr(s, p, at)",
       "CASE WHEN s IS NULL OR p IS NULL THEN NULL WHEN NOT regexp_matches(substring(s, at), p) "
       "THEN 0"
       " ELSE CAST(at + length(regexp_extract(substring(s, at), '(?s)^(.*?)(?:' || p || ')', 1)) "
       "AS INTEGER) END"},
      {"regexp_replace(s, p, r, at)",
       "CASE WHEN at <= 1 THEN regexp_replace(s, p, r, 'g')"
       " ELSE left(s, at - 1) || regexp_replace(substring(s, at), p, r, 'g') END"},
      {"regexp_substr(s, p, at, n, g)",
       "CASE WHEN s IS NULL OR p IS NULL OR n < 1 THEN NULL"
       " ELSE coalesce(list_extract(regexp_extract_all(substring(s, at), p, g), n), '') END"},
      {"soundex_code(c)",
       "CASE WHEN c IN ('B','F','P','V') THEN '1' WHEN c IN ('C','G','J','K','Q','S','X','Z') THEN "
       "'2'"
       " WHEN c IN ('D','T') THEN '3' WHEN c = 'L' THEN '4' WHEN c IN ('M','N') THEN '5' WHEN c = "
       "'R' THEN '6'"
       " WHEN c IN ('H','W') THEN '' ELSE '0' END"},
      {"soundex(s)",
       "CASE WHEN regexp_replace(s, '[^A-Za-z]', '', 'g') = '' THEN '' ELSE"
       " rpad(left(upper(left(regexp_replace(s, '[^A-Za-z]', '', 'g'), 1)) || "
       "replace(substring(regexp_replace("
       "regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace("
       "translate(regexp_replace(upper(s), '[^A-Z]|[HW]', '', 'g'), 'AEIOUYBFPVCGJKQSXZDTLMNR', "
       "'000000111122222222334556'),"
       " '1+', '1', 'g'), '2+', '2', 'g'), '3+', '3', 'g'), '4+', '4', 'g'), '5+', '5', 'g'), "
       "'6+', '6', 'g'),"
       " CASE WHEN upper(left(regexp_replace(s, '[^A-Za-z]', '', 'g'), 1)) IN ('H', 'W') THEN 1 "
       "ELSE 2 END), '0', ''), 4), 4, '0') END"},
      {"difference(a, b)",
       "list_sum(list_transform(range(1, 5), lambda i: CASE WHEN substring($m.soundex(a), i, 1) = "
       "substring($m.soundex(b), i, 1) THEN 1 ELSE 0 END))"},
      {"add_years(d, n)",
       "CASE WHEN month(d) = 2 AND day(d) = 29 AND day(d + to_years(CAST(n AS INTEGER))) = 28"
       " THEN d + to_years(CAST(n AS INTEGER)) + to_days(1) ELSE d + to_years(CAST(n AS INTEGER)) "
       "END"},
      {"add_months(d, n)",
       "CASE WHEN last_day(CAST(d AS TIMESTAMP)) = CAST(CAST(d AS TIMESTAMP) AS DATE)"
       " THEN CAST(last_day(CAST(d AS TIMESTAMP) + to_months(CAST(n AS INTEGER))) AS TIMESTAMP)"
       " + (CAST(d AS TIMESTAMP) - date_trunc('day', CAST(d AS TIMESTAMP)))"
       " ELSE CAST(d AS TIMESTAMP) + to_months(CAST(n AS INTEGER)) END"},
      {"months_between(a, b)",
       "CASE WHEN day(CAST(a AS TIMESTAMP)) = day(CAST(b AS TIMESTAMP))"
       " OR (last_day(CAST(a AS TIMESTAMP)) = CAST(CAST(a AS TIMESTAMP) AS DATE) AND "
       "last_day(CAST(b AS TIMESTAMP)) = CAST(CAST(b AS TIMESTAMP) AS DATE))"
       " THEN CAST(date_diff('month', CAST(b AS TIMESTAMP), CAST(a AS TIMESTAMP)) AS DOUBLE)"
       " ELSE date_diff('month', CAST(b AS TIMESTAMP), CAST(a AS TIMESTAMP))"
       " + (day(CAST(a AS TIMESTAMP)) - day(CAST(b AS TIMESTAMP))"
       " + (epoch(CAST(a AS TIMESTAMP)) % 86400 - epoch(CAST(b AS TIMESTAMP)) % 86400) / 86400.0) "
       "/ 31.0 END"},
      {"next_day(d, w)",
       "CAST(CAST(CAST(d AS TIMESTAMP) AS DATE) + CAST(((list_position(['mo', 'tu', 'we', 'th', "
       "'fr', 'sa', 'su'], lower(left(w, 2)))"
       " - isodow(CAST(d AS TIMESTAMP)) + 6) % 7) + 1 AS INTEGER) AS DATE)"},
      {"is_valid_json(s)",
       "coalesce(json_valid(s) AND json_type(CASE WHEN json_valid(s) THEN s END) = 'OBJECT', "
       "false)"},
      {"is_valid_json_array(s)",
       "coalesce(json_valid(s) AND json_type(CASE WHEN json_valid(s) THEN s END) = 'ARRAY', "
       "false)"},
      {"json_typeof(j)",
       "CASE json_type(CAST(j AS JSON)) WHEN 'ARRAY' THEN 'array' WHEN 'OBJECT' THEN 'object' WHEN "
       "'VARCHAR' THEN 'string'"
       " WHEN 'BOOLEAN' THEN 'boolean' WHEN 'NULL' THEN 'null' WHEN NULL THEN NULL ELSE 'number' "
       "END"},
      {"json_element(j, n)",
       "CASE WHEN n < 0 THEN NULL ELSE json_extract_string(j, '$[' || CAST(n AS VARCHAR) || ']') "
       "END"},
      {"to_number(s, sample)",
       "CAST(CASE WHEN regexp_matches(s, '-|<') THEN '-' ELSE '' END || regexp_replace(s, "
       "'[^0-9.]', '', 'g') AS DECIMAL(38, 10))"},
      {"to_char_digits(v, fraction, zeros, comma)",
       "CASE WHEN abs(v) < 1 AND zeros = 0 AND fraction > 0 THEN '' ELSE"
       " CASE WHEN comma THEN format('{:,}', CAST(trunc(abs(v)) AS HUGEINT))"
       " ELSE lpad(CAST(CAST(trunc(abs(v)) AS HUGEINT) AS VARCHAR), greatest(zeros, "
       "length(CAST(CAST(trunc(abs(v)) AS HUGEINT) AS VARCHAR))), '0') END END"},
  };
  std::vector<std::string> statements;
  const auto expand = [&](std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '$' && i + 1 < text.size() && text[i + 1] == 'm' && i + 2 < text.size() &&
          text[i + 2] == '.') {
        result += context.function_schema;
        ++i;
      } else {
        result += text[i];
      }
    }
    return result;
  };
  const auto add = [&](std::string_view signature, std::string_view body) {
    statements.push_back("CREATE OR REPLACE MACRO " + context.function_schema + "." +
                         std::string(signature) + " AS " + expand(body));
  };
  for (const auto& [signature, body] : kMacros) {
    if (!signature.starts_with("substring(") && !signature.starts_with("overlay("))
      add(signature, body);
  }
  add("substring(s, start)",
      "substring(s, greatest(start, 1)), (s, start, size) AS CASE WHEN size < 0"
      " THEN error('22011: negative substring length not allowed')"
      " ELSE substring(s, greatest(start, 1), greatest(size - greatest(1 - start, 0), 0)) END");
  add("overlay(s, r, f)",
      "left(s, f - 1) || r || substring(s, f + length(r)), (s, r, f, n) AS left(s, f - 1) || r || "
      "substring(s, f + n)");
  add("to_char_number(v, whole, fraction, zeros, fixed, comma, fill, dollar, sign)",
      "CASE WHEN v IS NULL THEN NULL"
      " WHEN length(CAST(CAST(trunc(abs(v)) AS HUGEINT) AS VARCHAR)) > whole AND NOT (whole = 0 "
      "AND abs(v) < 1)"
      " THEN ' ' || repeat('#', whole) || CASE WHEN fraction > 0 THEN '.' || repeat('#', fraction) "
      "ELSE '' END"
      " ELSE CASE WHEN fill THEN lpad($m.to_char_body(v, fraction, zeros, fixed, comma, fill, "
      "dollar, sign),"
      " whole + CASE WHEN comma THEN (whole - 1) // 3 ELSE 0 END"
      " + CASE WHEN fraction > 0 THEN fraction + 1 ELSE 0 END + CASE WHEN dollar THEN 1 ELSE 0 END "
      "+ 1, ' ')"
      " ELSE $m.to_char_body(v, fraction, zeros, fixed, comma, fill, dollar, sign) END END");
  add("to_char_body(v, fraction, zeros, fixed, comma, fill, dollar, sign)",
      "CASE WHEN v < 0 AND sign IN ('lead', 's-first') THEN '-' WHEN sign = 's-first' THEN '+' "
      "ELSE '' END"
      " || CASE WHEN dollar THEN '$' ELSE '' END || $m.to_char_digits(v, fraction, zeros, comma)"
      " || CASE WHEN fraction = 0 THEN '' WHEN fill THEN '.' || right(CAST(abs(v) AS VARCHAR), "
      "fraction)"
      " ELSE '.' || rpad(rtrim(right(CAST(abs(v) AS VARCHAR), fraction), '0'),"
      " greatest(fixed, length(rtrim(right(CAST(abs(v) AS VARCHAR), fraction), '0'))), '0') END"
      " || CASE WHEN sign = 's-last' THEN CASE WHEN v < 0 THEN '-' ELSE '+' END"
      " WHEN sign = 'mi' THEN CASE WHEN v < 0 THEN '-' WHEN fill THEN ' ' ELSE '' END ELSE '' END");
  return statements;
}

}  // namespace leat::sql
