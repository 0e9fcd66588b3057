// The macros translated SQL calls: what DuckDB has no function for, written in DuckDB SQL. An error
// text begins with its SQLSTATE. "$m" is the schema the macros live in.
#include "warehouse/sql/names.h"
#include "warehouse/sql/translate.h"
#include "warehouse/sql/words.h"

namespace leat::sql {
namespace {

struct Macro {
  std::string_view signature;
  std::string_view body;
};

constexpr Macro kMacros[] = {
    {"divisor(x)", R"sql(CASE WHEN x = 0 THEN error('22012: division by zero') ELSE x END)sql"},
    {"finite(x)",
     R"sql(CASE WHEN isinf(x) THEN error('22003: value out of range: overflow') ELSE x END)sql"},
    {"decimal_text(x, beyond)",
     R"sql(CASE WHEN abs(x) >= beyond
  THEN error('22003: Numeric data overflow (result precision)') ELSE leat_text(x) END)sql"},
    {"power(x, y)",
     R"sql(CASE WHEN (x < 0 AND y <> floor(y)) OR (x = 0 AND y < 0)
  THEN error('2201F: invalid argument for power function') ELSE $m.finite(power(x, y)) END)sql"},
    // What is negative counts as none; NULL stays.
    {"natural(n)", R"sql(CASE WHEN n < 0 THEN 0 ELSE n END)sql"},
    // A text of gigabytes would take the memory of everybody, and cannot be interrupted.
    {"bounded(n)",
     R"sql(CASE WHEN n > 16777216 THEN error('54000: requested length too large') ELSE n END)sql"},
    {"padded(s, n, fill, front)",
     R"sql(CASE WHEN fill = '' THEN left(s, $m.natural(n))
  WHEN front THEN lpad(s, $m.bounded(n), fill) ELSE rpad(s, $m.bounded(n), fill) END)sql"},
    {"repeated(s, n)",
     R"sql(repeat(s, CASE WHEN n < 0 THEN 0 WHEN length(s) * n > 16777216
  THEN error('54000: requested length too large') ELSE n END))sql"},
    // A series in a select list is in memory as a whole; in FROM it is not.
    {"series_end(a, b, step)",
     R"sql(CASE WHEN abs(CAST(b AS DOUBLE) - CAST(a AS DOUBLE)) > 1e7 * abs(CAST(step AS DOUBLE))
  THEN error('54000: generate_series in a select list gives at most 10000000 rows: write it in FROM')
  ELSE b END)sql"},
    {"to_varbyte(x, f)",
     R"sql(CASE lower(f) WHEN 'hex' THEN unhex(x) WHEN 'base64' THEN from_base64(x) WHEN 'utf8' THEN encode(x)
  WHEN 'utf-8' THEN encode(x) WHEN 'utf_8' THEN encode(x) WHEN 'binary' THEN CAST(CAST(x AS BIT) AS BLOB)
  ELSE CASE WHEN f IS NULL THEN NULL ELSE error('22023: TO_VARBYTE: unknown format ' || f) END END)sql"},
    {"from_varbyte(x, f)",
     R"sql(CASE lower(f) WHEN 'hex' THEN lower(hex(x)) WHEN 'base64' THEN base64(x) WHEN 'utf8' THEN decode(x)
  WHEN 'utf-8' THEN decode(x) WHEN 'utf_8' THEN decode(x)
  WHEN 'binary' THEN CAST(CAST(CAST(x AS BLOB) AS BIT) AS VARCHAR)
  ELSE CASE WHEN f IS NULL THEN NULL ELSE error('22023: FROM_VARBYTE: unknown format ' || f) END END)sql"},
    {"narrow_decimal(x, least, most)",
     R"sql(CASE WHEN x < least OR x > most
  THEN error('22003: Numeric data overflow (result precision)') ELSE x END)sql"},
    // The unscaled value, in the 32 bits of an INTEGER.
    {"checksum(x)",
     R"sql(CAST(((CAST(x AS HUGEINT) + 2147483648) % 4294967296 + 4294967296) % 4294967296
  - 2147483648 AS INTEGER))sql"},
    {"cast_varchar(x, n)",
     R"sql(CASE
  WHEN strlen(CAST(x AS VARCHAR)) <= n THEN CAST(x AS VARCHAR)
  WHEN strlen(CAST(x AS VARCHAR)) = length(CAST(x AS VARCHAR)) THEN left(CAST(x AS VARCHAR), n)
  ELSE left(CAST(x AS VARCHAR), list_max(list_filter(range(0, n + 1),
    lambda k: strlen(left(CAST(x AS VARCHAR), k)) <= n))) END)sql"},
    {"cast_char(x, n)", R"sql(rtrim($m.cast_varchar(x, n), ' '))sql"},
    {"substring(s, start)",
     R"sql(substring(s, CASE WHEN start < 1 THEN 1 ELSE start END),
(s, start, size) AS CASE
  WHEN size < 0 THEN error('22011: negative substring length not allowed')
  WHEN start < 1 THEN substring(s, 1, $m.natural(size - 1 + start))
  ELSE substring(s, start, size) END)sql"},
    {"overlay(s, r, f)",
     R"sql(left(s, f - 1) || r || substring(s, f + length(r)),
(s, r, f, n) AS left(s, f - 1) || r || substring(s, f + n))sql"},
    {"octet_length(x)",
     R"sql(CASE WHEN typeof(x) = 'BLOB' THEN octet_length(CAST(x AS BLOB))
  ELSE strlen(CAST(x AS VARCHAR)) END)sql"},
    {"octetindex(sub, s)",
     R"sql(CASE WHEN strpos(s, sub) = 0 THEN 0 ELSE strlen(left(s, strpos(s, sub) - 1)) + 1
       END)sql"},
    {"initcap(s)",
     R"sql(CASE WHEN s IS NOT NULL THEN list_reduce(list_prepend('', list_transform(
  regexp_extract_all(lower(s), '[\pL\pN]+|[^\pL\pN]+'),
  lambda w: upper(left(w, 1)) || substring(w, 2))), lambda a, b: a || b) END)sql"},
    {"split_part(s, d, n)",
     R"sql(CASE WHEN n < 1 THEN error('22023: field position must be greater than zero')
  WHEN d = '' THEN CASE WHEN n = 1 THEN s ELSE left(s, 0) END
  ELSE split_part(s, d, n) END)sql"},
    {"quote_ident(s)",
     R"sql(CASE WHEN regexp_full_match(s, '[a-z_][a-z0-9_$]*')
    AND NOT list_contains([$words], s) THEN s
  ELSE '"' || replace(s, '"', '""') || '"' END)sql"},
    {"quote_literal(s)",
     R"sql('''' || replace(replace(CAST(s AS VARCHAR), '\', '\\'), '''', '''''') || '''')sql"},
    {"compare(a, b)", R"sql(CASE WHEN a < b THEN -1 WHEN a > b THEN 1 WHEN a = b THEN 0 END)sql"},
    {"regexp_count(s, p, start)",
     R"sql(CAST(len(regexp_extract_all(substring(s, start), p)) AS INTEGER))sql"},
    // The n-th match begins behind the n pieces before it and the n - 1 matches among them.
    {"regexp_instr(s, p, start, n, after)",
     R"sql(CASE
  WHEN s IS NULL OR p IS NULL THEN NULL
  WHEN n < 1 OR len(regexp_extract_all(substring(s, start), p)) < n THEN 0
  ELSE CAST(start
    + length(array_to_string(string_split_regex(substring(s, start), p)[1:n], ''))
    + length(array_to_string(regexp_extract_all(substring(s, start), p)[1:n - 1 + after], ''))
       AS INTEGER) END)sql"},
    {"regexp_replace(s, p, r, start)",
     R"sql(CASE
  WHEN start <= 1 THEN regexp_replace(s, p, r, 'g')
  ELSE left(s, start - 1) || regexp_replace(substring(s, start), p, r, 'g') END)sql"},
    {"regexp_substr(s, p, start, n, g)",
     R"sql(CASE
  WHEN s IS NULL OR p IS NULL OR n < 1 THEN NULL
  ELSE coalesce(list_extract(regexp_extract_all(substring(s, start), p, g), n), '') END)sql"},
    {"soundex_letters(s)", R"sql(regexp_replace(upper(s), '[^A-Z]', '', 'g'))sql"},
    {"soundex_squeeze(s)",
     R"sql(regexp_replace(regexp_replace(regexp_replace(
       regexp_replace(regexp_replace(regexp_replace(
  s, '1+', '1', 'g'), '2+', '2', 'g'), '3+', '3', 'g'), '4+', '4', 'g'), '5+', '5', 'g'), '6+',
       '6', 'g'))sql"},
    {"soundex(s)",
     R"sql(CASE WHEN $m.soundex_letters(s) = '' THEN '' ELSE
       rpad(left(left($m.soundex_letters(s), 1)
  || replace(substring($m.soundex_squeeze(translate(left($m.soundex_letters(s), 1)
    || regexp_replace(substring($m.soundex_letters(s), 2), '[HW]', '', 'g'),
    'AEIOUYHWBFPVCGJKQSXZDTLMNR', '00000000111122222222334556')), 2), '0', ''), 4), 4, '0')
       END)sql"},
    {"difference(a, b)",
     R"sql(CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN a = '' OR b = '' THEN 0
  WHEN $m.soundex(a) = '' AND $m.soundex(b) = '' THEN 1 ELSE CAST(list_sum(list_transform(range(1, 5), lambda i:
  CASE WHEN substring($m.soundex(a), i, 1) = substring($m.soundex(b), i, 1) THEN 1 ELSE 0 END))
       AS INTEGER) END)sql"},
    {"add_years(d, n)",
     R"sql(CASE
  WHEN month(d) = 2 AND day(d) = 29 AND day(d + to_years(CAST(n AS INTEGER))) = 28
  THEN d + to_years(CAST(n AS INTEGER)) + to_days(1)
  ELSE d + to_years(CAST(n AS INTEGER)) END)sql"},
    // The years 1901 to 2000 are the 20th century; DuckDB's begins in 1900.
    {"date_trunc_by(part, written, t)",
     R"sql(CASE WHEN written IS NULL THEN NULL
  WHEN part IN ('century', 'millennium') THEN date_trunc(part, t - to_years(1)) + to_years(1)
  WHEN part IS NULL THEN error('22023: timestamp units "' || written || '" not recognized')
  ELSE date_trunc(part, t) END)sql"},
    {"zoned_time(x, today, zone)",
     R"sql(CASE WHEN typeof(x) = 'TIME' THEN CAST(((today + CAST(x AS TIME)) AT TIME ZONE zone) AS TIMETZ)
  ELSE CAST(x AS TIMETZ) END)sql"},
    {"is_month_end(t)", R"sql(last_day(t) = CAST(t AS DATE))sql"},
    {"add_months_to(t, n)",
     R"sql(CASE
  WHEN $m.is_month_end(t)
  THEN CAST(last_day(t + to_months(CAST(n AS INTEGER))) AS TIMESTAMP) + (t - date_trunc('day', t))
  ELSE t + to_months(CAST(n AS INTEGER)) END)sql"},
    {"add_months(d, n)", R"sql($m.add_months_to(CAST(d AS TIMESTAMP), n))sql"},
    {"months_between_times(a, b)",
     R"sql(CASE
  WHEN day(a) = day(b) OR ($m.is_month_end(a) AND $m.is_month_end(b))
  THEN CAST(date_diff('month', b, a) AS DOUBLE)
  ELSE date_diff('month', b, a)
    + (day(a) - day(b) + (epoch(a) % 86400 - epoch(b) % 86400) / 86400.0) / 31.0 END)sql"},
    {"months_between(a, b)",
     R"sql($m.months_between_times(CAST(a AS TIMESTAMP), CAST(b AS TIMESTAMP)))sql"},
    // 1 is Monday.
    {"weekday(w)",
     R"sql(CASE WHEN w IS NULL THEN NULL
  WHEN regexp_full_match(lower(w), 'su|sun|sunday|m|mo|mon|monday|tu|tue|tues|tuesday|w|we|wed|wednesday'
    || '|th|thu|thurs|thursday|f|fr|fri|friday|sa|sat|saturday')
  THEN (strpos('m tuw thf sasu', CASE WHEN regexp_matches(lower(w), '^[mwf]') THEN left(lower(w), 1)
    ELSE left(lower(w), 2) END) + 1) // 2
  ELSE error('22023: NEXT_DAY: "' || w || '" is no name of a day') END)sql"},
    {"next_day(d, w)",
     R"sql(CAST(CAST(CAST(d AS TIMESTAMP) AS DATE)
  + CAST((($m.weekday(w) - isodow(CAST(d AS TIMESTAMP)) + 6) % 7) + 1 AS INTEGER) AS DATE))sql"},
    {"is_valid_json(s)",
     R"sql(coalesce(json_valid(s) AND json_type(CASE WHEN json_valid(s) THEN s END) = 'OBJECT',
       false))sql"},
    {"is_valid_json_array(s)",
     R"sql(coalesce(json_valid(s) AND json_type(CASE WHEN json_valid(s) THEN s END) = 'ARRAY',
       false))sql"},
    {"json_typeof(j)",
     R"sql(CASE json_type(CAST(j AS JSON))
  WHEN 'ARRAY' THEN 'array' WHEN 'OBJECT' THEN 'object' WHEN 'VARCHAR' THEN 'string'
  WHEN 'BOOLEAN' THEN 'boolean' WHEN 'NULL' THEN 'null'
  ELSE CASE WHEN j IS NOT NULL THEN 'number' END END)sql"},
    {"array_length(j)",
     R"sql(CASE WHEN json_type(CAST(j AS JSON)) = 'ARRAY'
  THEN CAST(json_array_length(CAST(j AS JSON)) AS INTEGER) END)sql"},
    {"is_whole(j, cast_value)",
     R"sql((json_type(CAST(j AS JSON)) IN ('BIGINT', 'UBIGINT') AND cast_value IS NOT NULL))sql"},
    // What columns of the two kinds of INTERVAL hold.
    {"interval_months(v)",
     R"sql(CASE WHEN v = to_months(CAST(date_part('year', v) * 12 + date_part('month', v) AS INTEGER))
  THEN v WHEN v IS NULL THEN NULL ELSE error('22015: an INTERVAL YEAR TO MONTH holds no days, hours, minutes or seconds')
  END)sql"},
    {"interval_days(v)",
     R"sql(CASE WHEN date_part('year', v) = 0 AND date_part('month', v) = 0 THEN v
  WHEN v IS NULL THEN NULL
  ELSE error('22015: an INTERVAL DAY TO SECOND holds no years or months') END)sql"},
    {"super_text(j)",
     R"sql(CASE WHEN json_type(j) = 'VARCHAR' THEN json_extract_string(j, '$') END)sql"},
    {"super_number(j)",
     R"sql(CASE WHEN json_type(j) IN ('BIGINT', 'UBIGINT', 'HUGEINT', 'UHUGEINT', 'DOUBLE')
  THEN CAST(json_extract_string(j, '$') AS DOUBLE) END)sql"},
    // What SUPER values are ordered and compared by: numbers as numbers, texts without the blanks
    // at their ends; whole numbers that DOUBLE cannot tell apart by their digits too.
    {"super_order(j)",
     R"sql(CASE WHEN coalesce(json_type(j), 'NULL') = 'NULL' THEN NULL
  WHEN json_type(j) IN ('BIGINT', 'UBIGINT', 'HUGEINT', 'UHUGEINT', 'DOUBLE')
  THEN {'kind': 2, 'number': CAST(json_extract_string(j, '$') AS DOUBLE), 'text':
    CASE WHEN abs(CAST(json_extract_string(j, '$') AS DOUBLE)) >= 9007199254740992
      THEN json_extract_string(j, '$') ELSE '' END}
  WHEN json_type(j) = 'VARCHAR'
  THEN {'kind': 3, 'number': 0.0::DOUBLE, 'text': rtrim(json_extract_string(j, '$'), ' ')}
  ELSE {'kind': CASE json_type(j) WHEN 'BOOLEAN' THEN 1 WHEN 'ARRAY' THEN 4 ELSE 5 END,
    'number': 0.0::DOUBLE, 'text': CAST(json(j) AS VARCHAR)} END)sql"},
    {"json_array_length(j)",
     R"sql(CASE WHEN j IS NULL THEN NULL WHEN json_type(j) = 'ARRAY'
  THEN CAST(json_array_length(j) AS INTEGER)
  ELSE error('22023: JSON_ARRAY_LENGTH: the text is JSON, but no array') END)sql"},
    {"json_element(j, n)",
     R"sql(CASE WHEN n < 0 THEN NULL ELSE json_extract_string(j, '$[' || CAST(n AS VARCHAR) ||
       ']') END)sql"},
    // SUPER arrays as lists of their elements' JSON texts; NULL for what is no array. A parameter
    // stands for the text of its argument: what is needed twice is given to a lambda, or nested
    // calls would grow by that power.
    {"json_item(v)", R"sql(coalesce(CAST(to_json(v) AS VARCHAR), 'null'))sql"},
    {"json_items(a)",
     R"sql(list_transform([CAST(a AS JSON)], lambda j: CASE WHEN json_type(j) = 'ARRAY'
  THEN list_transform(CAST(j AS JSON[]),
    lambda x: coalesce(CAST(x AS VARCHAR), 'null')) END)[1])sql"},
    {"json_of_items(l)", R"sql(CAST('[' || array_to_string(l, ',') || ']' AS JSON))sql"},
    {"array_flatten(a)",
     R"sql($m.json_of_items(flatten(list_transform($m.json_items(a), lambda x:
  CASE WHEN x LIKE '[%' THEN $m.json_items(CAST(x AS JSON)) ELSE [x] END))))sql"},
    {"array_contains(a, v)", R"sql(list_contains($m.json_items(a), $m.json_item(v)))sql"},
    {"array_position(a, v)",
     R"sql(list_transform([{'l': $m.json_items(a), 'v': $m.json_item(v)}], lambda s:
  CASE WHEN s.l IS NOT NULL
    THEN CAST(coalesce(list_position(s.l, s.v), 0) - 1 AS INTEGER) END)[1])sql"},
    {"array_positions(a, v)",
     R"sql(list_transform([{'l': $m.json_items(a), 'v': $m.json_item(v)}], lambda s:
  to_json(list_filter(range(0, len(s.l)), lambda i: s.l[i + 1] = s.v)))[1])sql"},
    {"arrays_overlap(a, b)", R"sql(list_has_any($m.json_items(a), $m.json_items(b)))sql"},
    // How often the i-th element occurs in a list.
    {"item_count(l, x)", R"sql(len(list_filter(l, lambda y: y = x)))sql"},
    {"items_except(a, b, once)",
     R"sql(list_transform([{'a': a, 'b': b}], lambda s: list_transform(list_filter(
  range(1, len(s.a) + 1), lambda i: CASE WHEN once
    THEN $m.item_count(s.a[1:i], s.a[i]) = 1 AND $m.item_count(s.b, s.a[i]) = 0
    ELSE $m.item_count(s.a[1:i], s.a[i]) > $m.item_count(s.b, s.a[i]) END),
  lambda i: s.a[i]))[1])sql"},
    {"items_in_both(a, b, once)",
     R"sql(list_transform([{'a': a, 'b': b}], lambda s: list_transform(list_filter(
  range(1, len(s.a) + 1), lambda i: CASE WHEN once
    THEN $m.item_count(s.a[1:i], s.a[i]) = 1 AND $m.item_count(s.b, s.a[i]) > 0
    ELSE $m.item_count(s.a[1:i], s.a[i]) <= $m.item_count(s.b, s.a[i]) END),
  lambda i: s.a[i]))[1])sql"},
    {"array_except(a, b, once)",
     R"sql($m.json_of_items($m.items_except($m.json_items(a), $m.json_items(b), once)))sql"},
    {"array_intersection(a, b, once)",
     R"sql($m.json_of_items($m.items_in_both($m.json_items(a), $m.json_items(b), once)))sql"},
    {"array_distinct(a)",
     R"sql($m.json_of_items($m.items_except($m.json_items(a), CAST([] AS VARCHAR[]), true)))sql"},
    {"json_sort_key(x)",
     R"sql({'kind': CASE json_type(CAST(x AS JSON)) WHEN 'BOOLEAN' THEN 1 WHEN 'VARCHAR' THEN 3
    WHEN 'ARRAY' THEN 4 WHEN 'OBJECT' THEN 5 ELSE 2 END,
  'number': TRY_CAST(x AS DOUBLE),
  'text': CASE WHEN x LIKE '"%' THEN json_extract_string(CAST(x AS JSON), '$') ELSE x END,
  'item': x})sql"},
    {"items_sorted(l)",
     R"sql(list_transform(list_sort(list_transform(list_filter(l, lambda x: x <> 'null'),
  lambda x: $m.json_sort_key(x))), lambda k: k.item))sql"},
    {"array_sort(a, up, nulls_first)",
     R"sql(list_transform([$m.json_items(a)], lambda l: $m.json_of_items(list_concat(
  CASE WHEN nulls_first THEN list_filter(l, lambda x: x = 'null') ELSE CAST([] AS VARCHAR[]) END,
  CASE WHEN up THEN $m.items_sorted(l) ELSE list_reverse($m.items_sorted(l)) END,
  CASE WHEN nulls_first THEN CAST([] AS VARCHAR[])
    ELSE list_filter(l, lambda x: x = 'null') END)))[1])sql"},
    {"json_digits(x)", R"sql(ltrim(CAST(CAST(x AS JSON) AS VARCHAR), '-'))sql"},
    {"decimal_precision(x)",
     R"sql(CASE WHEN regexp_full_match($m.json_digits(x), '[0-9]+([.][0-9]+)?')
  THEN CAST(length(replace($m.json_digits(x), '.', '')) AS INTEGER) END)sql"},
    {"decimal_scale(x)",
     R"sql(CASE WHEN regexp_full_match($m.json_digits(x), '[0-9]+([.][0-9]+)?')
  THEN CAST(length(split_part($m.json_digits(x), '.', 2)) AS INTEGER) END)sql"},
    {"get_number_attributes(x)",
     R"sql(CASE WHEN json_type(CAST(x AS JSON)) = 'OBJECT'
  THEN CAST(len(json_keys(CAST(x AS JSON))) AS INTEGER) END)sql"},
    {"getbit(b, i)",
     R"sql(CAST(get_bit(CAST(CAST(b AS BLOB) AS BIT),
  CAST(octet_length(CAST(b AS BLOB)) * 8 - 1 - i AS INTEGER)) AS INTEGER))sql"},
};

}  // namespace

bool may_raise(std::string_view emitted) {
  static const std::vector<std::string> kCalls = [] {
    std::vector<std::string> made = {"error("};
    // A macro stands behind those that it calls; one round finds all.
    for (const Macro& macro : kMacros) {
      for (const std::string& call : made) {
        if (macro.body.find(call) == std::string_view::npos) continue;
        made.push_back("." + std::string(macro.signature.substr(0, macro.signature.find('('))) +
                       "(");
        break;
      }
    }
    return made;
  }();
  for (const std::string& call : kCalls) {
    if (emitted.find(call) != std::string_view::npos) return true;
  }
  return false;
}

namespace {

/// 'select', 'table', ...
std::string reserved_words() {
  std::string list;
  for (const auto& word : words_detail::kTable) {
    if (!is_reserved_word(word.text)) continue;
    list += (list.empty() ? "" : ", ") + quote_literal(word.text);
  }
  return list;
}

}  // namespace

std::vector<std::string> dialect_macros(const TranslateContext& context) {
  std::vector<std::string> statements;
  for (const Macro& macro : kMacros) {
    std::string body;
    std::string_view rest = macro.body;
    for (std::size_t at = rest.find("$m."); at != std::string_view::npos; at = rest.find("$m.")) {
      body += rest.substr(0, at);
      body += context.function_schema;
      rest.remove_prefix(at + 2);
    }
    body += rest;
    if (const std::size_t at = body.find("$words"); at != std::string::npos)
      body.replace(at, std::string_view("$words").size(), reserved_words());
    statements.push_back("CREATE OR REPLACE MACRO " + context.function_schema + "." +
                         std::string(macro.signature) + " AS " + body);
  }
  return statements;
}

}  // namespace leat::sql
