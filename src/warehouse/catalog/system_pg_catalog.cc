// pg_catalog as DuckDB views over what the session sees, the store (leat_catalog) and the list of
// the system relations themselves.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "warehouse/catalog/system_schema.h"

namespace leat::catalog {
namespace {

// What all others are made of (system_tables.cc).
constexpr std::string_view kBase[] = {
    R"sql(CREATE VIEW leat_system.leat_relations AS
SELECT * FROM leat_list_relations(leat_system.leat_session()))sql",
    R"sql(CREATE VIEW leat_system.leat_columns AS
SELECT * FROM leat_list_columns(leat_system.leat_session()))sql",
    // What reads and writes each type, by PostgreSQL's numbers and names: drivers choose by them
    // how they decode. The types that only Redshift has are not among them.
    R"sql(CREATE TABLE leat_system.leat_type_functions AS
SELECT CAST(f.oid AS BIGINT) AS oid, f.name, CAST(f.type AS BIGINT) AS type, f.kind
FROM (VALUES (1242, 'boolin', 16, 'input'), (1243, 'boolout', 16, 'output'),
  (2436, 'boolrecv', 16, 'receive'), (2437, 'boolsend', 16, 'send'),
  (1244, 'byteain', 17, 'input'), (31, 'byteaout', 17, 'output'),
  (2412, 'bytearecv', 17, 'receive'), (2413, 'byteasend', 17, 'send'),
  (1245, 'charin', 18, 'input'), (33, 'charout', 18, 'output'), (2434, 'charrecv', 18, 'receive'),
  (2435, 'charsend', 18, 'send'), (34, 'namein', 19, 'input'), (35, 'nameout', 19, 'output'),
  (2422, 'namerecv', 19, 'receive'), (2423, 'namesend', 19, 'send'), (460, 'int8in', 20, 'input'),
  (461, 'int8out', 20, 'output'), (2408, 'int8recv', 20, 'receive'),
  (2409, 'int8send', 20, 'send'), (38, 'int2in', 21, 'input'), (39, 'int2out', 21, 'output'),
  (2404, 'int2recv', 21, 'receive'), (2405, 'int2send', 21, 'send'),
  (40, 'int2vectorin', 22, 'input'), (41, 'int2vectorout', 22, 'output'),
  (2410, 'int2vectorrecv', 22, 'receive'), (2411, 'int2vectorsend', 22, 'send'),
  (42, 'int4in', 23, 'input'), (43, 'int4out', 23, 'output'), (2406, 'int4recv', 23, 'receive'),
  (2407, 'int4send', 23, 'send'), (44, 'regprocin', 24, 'input'),
  (45, 'regprocout', 24, 'output'), (2444, 'regprocrecv', 24, 'receive'),
  (2445, 'regprocsend', 24, 'send'), (46, 'textin', 25, 'input'), (47, 'textout', 25, 'output'),
  (2414, 'textrecv', 25, 'receive'), (2415, 'textsend', 25, 'send'), (1798, 'oidin', 26, 'input'),
  (1799, 'oidout', 26, 'output'), (2418, 'oidrecv', 26, 'receive'), (2419, 'oidsend', 26, 'send'),
  (50, 'xidin', 28, 'input'), (51, 'xidout', 28, 'output'), (2440, 'xidrecv', 28, 'receive'),
  (2441, 'xidsend', 28, 'send'), (54, 'oidvectorin', 30, 'input'),
  (55, 'oidvectorout', 30, 'output'), (2420, 'oidvectorrecv', 30, 'receive'),
  (2421, 'oidvectorsend', 30, 'send'), (200, 'float4in', 700, 'input'),
  (201, 'float4out', 700, 'output'), (2424, 'float4recv', 700, 'receive'),
  (2425, 'float4send', 700, 'send'), (214, 'float8in', 701, 'input'),
  (215, 'float8out', 701, 'output'), (2426, 'float8recv', 701, 'receive'),
  (2427, 'float8send', 701, 'send'), (109, 'unknownin', 705, 'input'),
  (110, 'unknownout', 705, 'output'), (2416, 'unknownrecv', 705, 'receive'),
  (2417, 'unknownsend', 705, 'send'), (1031, 'aclitemin', 1033, 'input'),
  (1032, 'aclitemout', 1033, 'output'), (1044, 'bpcharin', 1042, 'input'),
  (1045, 'bpcharout', 1042, 'output'), (2430, 'bpcharrecv', 1042, 'receive'),
  (2431, 'bpcharsend', 1042, 'send'), (1046, 'varcharin', 1043, 'input'),
  (1047, 'varcharout', 1043, 'output'), (2432, 'varcharrecv', 1043, 'receive'),
  (2433, 'varcharsend', 1043, 'send'), (1084, 'date_in', 1082, 'input'),
  (1085, 'date_out', 1082, 'output'), (2468, 'date_recv', 1082, 'receive'),
  (2469, 'date_send', 1082, 'send'), (1143, 'time_in', 1083, 'input'),
  (1144, 'time_out', 1083, 'output'), (2470, 'time_recv', 1083, 'receive'),
  (2471, 'time_send', 1083, 'send'), (1312, 'timestamp_in', 1114, 'input'),
  (1313, 'timestamp_out', 1114, 'output'), (2474, 'timestamp_recv', 1114, 'receive'),
  (2475, 'timestamp_send', 1114, 'send'), (1150, 'timestamptz_in', 1184, 'input'),
  (1151, 'timestamptz_out', 1184, 'output'), (2476, 'timestamptz_recv', 1184, 'receive'),
  (2477, 'timestamptz_send', 1184, 'send'), (1160, 'interval_in', 1186, 'input'),
  (1161, 'interval_out', 1186, 'output'), (2478, 'interval_recv', 1186, 'receive'),
  (2479, 'interval_send', 1186, 'send'), (1350, 'timetz_in', 1266, 'input'),
  (1351, 'timetz_out', 1266, 'output'), (2472, 'timetz_recv', 1266, 'receive'),
  (2473, 'timetz_send', 1266, 'send'), (1701, 'numeric_in', 1700, 'input'),
  (1702, 'numeric_out', 1700, 'output'), (2460, 'numeric_recv', 1700, 'receive'),
  (2461, 'numeric_send', 1700, 'send'), (2218, 'regclassin', 2205, 'input'),
  (2219, 'regclassout', 2205, 'output'), (2452, 'regclassrecv', 2205, 'receive'),
  (2453, 'regclasssend', 2205, 'send'), (2220, 'regtypein', 2206, 'input'),
  (2221, 'regtypeout', 2206, 'output'), (2454, 'regtyperecv', 2206, 'receive'),
  (2455, 'regtypesend', 2206, 'send'), (750, 'array_in', 2277, 'input'),
  (751, 'array_out', 2277, 'output'), (2400, 'array_recv', 2277, 'receive'),
  (2401, 'array_send', 2277, 'send')) AS f(oid, name, type, kind))sql",
    R"sql(CREATE MACRO leat_system.leat_type_function(wanted, element, of_kind) AS coalesce((SELECT
  f.oid FROM leat_system.leat_type_functions f WHERE f.kind = of_kind AND f.type = CASE WHEN element
  > 0 AND wanted NOT IN (19, 22, 30) THEN 2277 ELSE wanted END), 0))sql",
    R"sql(CREATE TABLE leat_system.leat_types AS
SELECT CAST(t.oid AS BIGINT) AS oid, t.name AS typname, CAST(11 AS BIGINT) AS typnamespace, 1 AS
  typowner,
  CAST(t.size AS SMALLINT) AS typlen, t.size BETWEEN 1 AND 8 AS typbyval, 'b' AS typtype, true AS
  typisdefined,
  ',' AS typdelim, CAST(0 AS BIGINT) AS typrelid, CAST(t.element AS BIGINT) AS typelem,
  leat_system.leat_type_function(t.oid, t.element, 'input') AS typinput,
  leat_system.leat_type_function(t.oid, t.element, 'output') AS typoutput,
  leat_system.leat_type_function(t.oid, t.element, 'receive') AS typreceive,
  leat_system.leat_type_function(t.oid, t.element, 'send') AS typsend,
  CAST(0 AS BIGINT) AS typanalyze, 'i' AS typalign, 'p' AS typstorage, false AS typnotnull, CAST(0
  AS BIGINT) AS
  typbasetype, CAST(-1 AS INTEGER) AS typtypmod, CAST(0 AS INTEGER) AS typndims, CAST(NULL AS
  VARCHAR) AS typdefaultbin,
  CAST(NULL AS VARCHAR) AS typdefault, CAST(t.array_oid AS BIGINT) AS typarray, t.category AS
  typcategory,
  false AS typispreferred, CAST(0 AS BIGINT) AS typcollation, CAST(NULL AS VARCHAR[]) AS typacl
FROM (VALUES (16, 'bool', 1, 0, 1000, 'B'), (17, 'bytea', -1, 0, 1001, 'U'), (18, 'char', 1, 0,
  1002, 'S'),
  (19, 'name', 128, 18, 1003, 'S'), (20, 'int8', 8, 0, 1016, 'N'), (21, 'int2', 2, 0, 1005, 'N'),
  (22, 'int2vector', -1, 21, 1006, 'A'), (23, 'int4', 4, 0, 1007, 'N'), (24, 'regproc', 4, 0, 1008,
  'N'),
  (25, 'text', -1, 0, 1009, 'S'), (26, 'oid', 4, 0, 1028, 'N'), (28, 'xid', 4, 0, 1011, 'U'),
  (30, 'oidvector', -1, 26, 1013, 'A'), (700, 'float4', 4, 0, 1021, 'N'), (701, 'float8', 8, 0,
  1022, 'N'),
  (702, 'abstime', 4, 0, 1023, 'D'), (705, 'unknown', -2, 0, 0, 'X'), (1033, 'aclitem', 12, 0,
  1034, 'U'),
  (1042, 'bpchar', -1, 0, 1014, 'S'), (1043, 'varchar', -1, 0, 1015, 'S'), (1082, 'date', 4, 0,
  1182, 'D'),
  (1083, 'time', 8, 0, 1183, 'D'), (1114, 'timestamp', 8, 0, 1115, 'D'), (1184, 'timestamptz', 8,
  0, 1185, 'D'),
  (1186, 'interval', 16, 0, 1187, 'T'), (1188, 'intervaly2m', 4, 0, 1189, 'T'), (1190,
  'intervald2s', 8, 0, 1191, 'T'),
  (1266, 'timetz', 12, 0, 1270, 'D'), (1700, 'numeric', -1, 0, 1231, 'N'), (1790, 'refcursor', -1,
  0, 2201, 'U'),
  (2205, 'regclass', 4, 0, 0, 'N'), (2206, 'regtype', 4, 0, 0, 'N'), (2935, 'hllsketch', -1, 0, 0,
  'U'),
  (3000, 'geometry', -1, 0, 0, 'U'), (3001, 'geography', -1, 0, 0, 'U'), (3999, 'geometryhex', -1,
  0, 0, 'U'),
  (4000, 'super', -1, 0, 0, 'U'), (6551, 'varbyte', -1, 0, 0, 'U'), (1000, '_bool', -1, 16, 0, 'A'),
  (1003, '_name', -1, 19, 0, 'A'), (1005, '_int2', -1, 21, 0, 'A'), (1007, '_int4', -1, 23, 0, 'A'),
  (1009, '_text', -1, 25, 0, 'A'), (1015, '_varchar', -1, 1043, 0, 'A'), (1016, '_int8', -1, 20, 0,
  'A'),
  (1021, '_float4', -1, 700, 0, 'A'), (1022, '_float8', -1, 701, 0, 'A'), (1028, '_oid', -1, 26, 0,
  'A'),
  (1034, '_aclitem', -1, 1033, 0, 'A'), (1115, '_timestamp', -1, 1114, 0, 'A'), (1182, '_date', -1,
  1082, 0, 'A'),
  (1231, '_numeric', -1, 1700, 0, 'A')) AS t(oid, name, size, element, array_oid, category))sql",
    // Filled at the end, when all system views exist.
    R"sql(CREATE TABLE IF NOT EXISTS leat_system.leat_system_relations (oid BIGINT, "schema"
  BIGINT, name VARCHAR,
  qualified VARCHAR, kind VARCHAR))sql",
    R"sql(CREATE TABLE IF NOT EXISTS leat_system.leat_system_columns (relation BIGINT, number
  SMALLINT, name VARCHAR,
  type_oid BIGINT))sql",
    R"sql(CREATE OR REPLACE MACRO leat_system.leat_relation_bytes(wanted) AS coalesce((SELECT
  CAST(max(t.estimated_size) AS
  BIGINT) * 64 FROM leat_system.leat_relations r
  JOIN duckdb_tables() t
  ON t.schema_name = r.engine_schema AND t.table_name = r.name AND t.database_name =
  leat_system.leat_alias() WHERE r.oid = CAST(wanted AS BIGINT)), CAST(0
  AS BIGINT)))sql",
};

constexpr std::string_view kViews[] = {
    // With the tables behind materialized views, which tools ask for keys and encodings. Their
    // numbers are the views' and 1000000000.
    R"sql(leat_shown_relations AS SELECT * FROM leat_system.leat_relations
UNION ALL SELECT r.* REPLACE (r.oid + 1000000000 AS oid, 'mv_tbl__' || r.name || '__0' AS name,
  'r' AS
  kind, '' AS definition)
FROM leat_system.leat_relations r WHERE r.oid IN (SELECT oid FROM leat_catalog.relations WHERE
  kind =
  'm'))sql",
    R"sql(leat_shown_columns AS SELECT * FROM leat_system.leat_columns
UNION ALL SELECT c.* REPLACE (c.relation + 1000000000 AS relation, 'mv_tbl__' || c.relation_name ||
  '__0' AS relation_name, 'r' AS kind)
FROM leat_system.leat_columns c WHERE c.relation IN (SELECT oid FROM leat_catalog.relations WHERE
  kind = 'm'))sql",
    R"sql(pg_namespace AS
SELECT oid, name AS nspname, owner AS nspowner, CAST(from_json(leat_acl(leat_system.leat_session(),
  'schema', oid), '["VARCHAR"]') AS VARCHAR[]) AS nspacl
FROM leat_list_schemas(leat_system.leat_session()))sql",
    R"sql(pg_class AS
SELECT * FROM (
SELECT r.oid, r.name AS relname, r."schema" AS relnamespace, CAST(0 AS BIGINT) AS reltype, r.owner
  AS relowner,
  CAST(0 AS BIGINT) AS relam, r.oid AS relfilenode, CAST(0 AS BIGINT) AS reltablespace, CAST(0 AS
  INTEGER) AS relpages,
  CAST(0.001 AS FLOAT) AS reltuples, CAST(0 AS BIGINT) AS reltoastrelid, CAST(0 AS BIGINT) AS
  reltoastidxid,
  r.oid IN (SELECT relation FROM leat_catalog.constraints WHERE index_oid > 0) AS relhasindex,
  false AS relisshared,
  r.kind AS relkind, CAST((SELECT count(*) FROM leat_system.leat_shown_columns c WHERE c.relation
  = r.oid) AS SMALLINT) AS
  relnatts, CAST(0 AS BIGINT) AS relexternid, false AS relisreplicated, false AS relispinned,
  CAST(r.distribution AS SMALLINT) AS reldiststyle, CAST(0 AS BIGINT) AS relprojbaseid, CAST(0 AS
  SMALLINT) AS relchecks,
  CAST(0 AS SMALLINT) AS reltriggers, CAST(0 AS SMALLINT) AS relukeys, CAST(0 AS SMALLINT) AS
  relfkeys,
  CAST(0 AS SMALLINT) AS relrefs, false AS relhasoids,
  r.oid IN (SELECT relation FROM leat_catalog.constraints WHERE kind = 'p') AS relhaspkey, r.kind =
  'v' AS relhasrules,
  false AS relhassubclass, CAST(from_json(leat_acl(leat_system.leat_session(), 'relation', r.oid),
  '["VARCHAR"]') AS
  VARCHAR[]) AS relacl, false AS relhastriggers, CASE WHEN r.temporary THEN 't' ELSE 'p' END AS
  relpersistence,
  CAST(0 AS BIGINT) AS reloftype, false AS relrowsecurity, false AS relforcerowsecurity, false AS
  relispartition,
  'n' AS relreplident, CAST(NULL AS VARCHAR) AS relpartbound, CAST(NULL AS VARCHAR[]) AS reloptions
FROM leat_system.leat_shown_relations r
UNION ALL
SELECT k.index_oid, k.name, r."schema", 0, r.owner, 403, k.index_oid, 0, 0, 0.001, 0, 0, false,
  false, 'i',
  CAST(len(string_split(k.columns, ' ')) AS SMALLINT), 0, false, false, 0, 0, 0, 0, 0, 0, 0, false,
  false, false, false,
  NULL, false, 'p', 0, false, false, false, 'n', NULL, NULL
FROM leat_catalog.constraints k JOIN leat_catalog.relations r ON r.oid = k.relation WHERE
  k.index_oid > 0
UNION ALL
SELECT s.oid, s.name, s."schema", 0, 1, 0, s.oid, 0, 0, 0.001, 0, 0, false, false, s.kind,
  CAST((SELECT count(*) FROM
  leat_system.leat_system_columns c WHERE c.relation = s.oid) AS SMALLINT), 0, false, false, 0, 0,
  0, 0, 0, 0, 0, false,
  false, false, false, NULL, false, 'p', 0, false, false, false, 'n', NULL, NULL
FROM leat_system.leat_system_relations s))sql",
    R"sql(pg_class_info AS SELECT c.*, make_timestamp(r.created) AS relcreationtime, c.reldiststyle
  AS
  releffectivediststyle FROM leat_system.pg_class c JOIN leat_system.leat_relations r ON r.oid =
  c.oid)sql",
    R"sql(pg_attribute AS
SELECT c.relation AS attrelid, c.name AS attname, c.type_oid AS atttypid, CAST(-1 AS INTEGER) AS
  attstattarget,
  CAST(CASE c.type_oid WHEN 16 THEN 1 WHEN 21 THEN 2 WHEN 23 THEN 4 WHEN 700 THEN 4 WHEN 1082 THEN
  4 WHEN 20 THEN 8
  WHEN 701 THEN 8 WHEN 1083 THEN 8 WHEN 1114 THEN 8 WHEN 1184 THEN 8 WHEN 1266 THEN 12 ELSE -1 END
  AS SMALLINT) AS attlen,
  c.number AS attnum, CAST(0 AS INTEGER) AS attndims, CAST(-1 AS INTEGER) AS attcacheoff,
  c.type_modifier AS atttypmod,
  false AS attbyval, 'p' AS attstorage, 'i' AS attalign, c.not_null AS attnotnull, c.default_text
  IS NOT NULL AS
  atthasdef, false AS attisdropped, true AS attislocal, CAST(0 AS INTEGER) AS attinhcount,
  c.distribution_key AS
  attisdistkey, false AS attispreloaded, c.sort_key AS attsortkeyord,
  CAST(list_position(['bytedict', 'delta',
  'delta32k', 'lzo', 'mostly8', 'mostly16', 'mostly32', 'runlength', 'text255', 'text32k', 'zstd',
  'az64'], c.encoding)
  AS SMALLINT) AS attencodingtype, CAST(0 AS SMALLINT) AS attencrypttype, CAST(NULL AS VARCHAR[])
  AS attacl,
  CAST(CASE WHEN c.insensitive THEN 101 ELSE 0 END AS BIGINT) AS attcollation, '' AS attidentity, '' AS attgenerated, false AS atthasmissing,
  CAST(NULL AS VARCHAR) AS attoptions, CAST(NULL AS VARCHAR) AS attfdwoptions, '' AS attcompression
FROM leat_system.leat_shown_columns c
UNION ALL
SELECT k.index_oid, c.name, c.type_oid, -1, -1, CAST(list_position(string_split(k.columns, ' '),
  CAST(c.number AS
  VARCHAR)) AS SMALLINT), 0, -1, c.type_modifier, false, 'p', 'i', c.not_null, false, false, true,
  0, false, false, 0, 0,
  0, NULL, 0, '', '', false, NULL, NULL, ''
FROM leat_catalog.constraints k JOIN leat_catalog.columns c ON c.relation = k.relation AND
  list_contains(string_split(k.columns, ' '), CAST(c.number AS VARCHAR)) WHERE k.index_oid > 0
UNION ALL
SELECT s.relation, s.name, s.type_oid, -1, -1, s.number, 0, -1, -1, false, 'p', 'i', false, false,
  false, true, 0, false,
  false, 0, 0, 0, NULL, 0, '', '', false, NULL, NULL, '' FROM leat_system.leat_system_columns
  s)sql",
    R"sql(pg_attribute_info AS SELECT * FROM leat_system.pg_attribute)sql",
    R"sql(pg_attrdef AS SELECT relation * 2048 + number AS oid, relation AS adrelid, number AS
  adnum, default_text AS
  adbin, default_text AS adsrc FROM leat_system.leat_columns WHERE default_text IS NOT NULL)sql",
    R"sql(pg_type AS SELECT * FROM leat_system.leat_types)sql",
    R"sql(pg_constraint AS
SELECT k.oid, k.name AS conname, r."schema" AS connamespace, k.kind AS contype, false AS
  condeferrable, false AS
  condeferred, k.relation AS conrelid, CAST(0 AS BIGINT) AS contypid, k.index_oid AS conindid,
  k.referenced AS confrelid,
  CASE WHEN k.kind = 'f' THEN 'a' ELSE ' ' END AS confupdtype, CASE WHEN k.kind = 'f' THEN 'a' ELSE
  ' ' END AS
  confdeltype, CASE WHEN k.kind = 'f' THEN 's' ELSE ' ' END AS confmatchtype,
  list_transform(string_split(k.columns, ' '), lambda x: CAST(x AS SMALLINT)) AS conkey,
  CASE WHEN k.referenced_columns <> '' THEN list_transform(string_split(k.referenced_columns, ' '),
  lambda x: CAST(x AS SMALLINT)) END AS confkey, CAST(NULL AS VARCHAR) AS conbin, CAST(NULL AS
  VARCHAR) AS consrc,
  true AS convalidated, CAST(0 AS BIGINT) AS conparentid
FROM leat_catalog.constraints k JOIN leat_catalog.relations r ON r.oid = k.relation)sql",
    R"sql(pg_index AS
SELECT k.index_oid AS indexrelid, k.relation AS indrelid,
  CAST(k.columns AS LEAT_SHORT_ELEMENT[]) AS indkey,
  CAST(regexp_replace(k.columns, '[0-9]+', '0', 'g') AS LEAT_OID_ELEMENT[]) AS indclass,
  CAST(len(string_split(k.columns, ' ')) AS SMALLINT) AS indnatts, true AS indisunique,
  k.kind = 'p' AS
  indisprimary, false AS indisclustered, true AS indisvalid, true AS indisready, true AS
  indimmediate, false AS
  indisexclusion, false AS indisreplident, CAST(NULL AS VARCHAR) AS indexprs, CAST(NULL AS VARCHAR)
  AS indpred,
  CAST(regexp_replace(k.columns, '[0-9]+', '0', 'g') AS LEAT_SHORT_ELEMENT[]) AS indoption
FROM leat_catalog.constraints k WHERE k.index_oid > 0)sql",
    R"sql(pg_indexes AS
SELECT n.nspname AS schemaname, c.relname AS tablename, x.relname AS indexname, CAST(NULL AS
  VARCHAR) AS tablespace, leat_system.leat_index_definition(i.indexrelid) AS indexdef
FROM leat_system.pg_index i JOIN leat_system.pg_class c ON c.oid = i.indrelid
  JOIN leat_system.pg_class x ON x.oid = i.indexrelid
  JOIN leat_system.pg_namespace n ON n.oid = c.relnamespace)sql",
    R"sql(pg_depend AS
SELECT CAST(1259 AS BIGINT) AS classid, d.oid AS objid, CAST(0 AS INTEGER) AS objsubid, CAST(1259
  AS BIGINT) AS refclassid, CAST(split_part(d.id, '.', 1) AS BIGINT) AS refobjid,
  CAST(coalesce(nullif(split_part(d.id, '.', 2), ''), '0') AS INTEGER) AS refobjsubid, 'n' AS
  deptype
FROM (SELECT oid, unnest(string_split(CASE WHEN uses <> '' THEN uses ELSE depends_on END, ' ')) AS id
  FROM leat_catalog.relations WHERE depends_on <> '') d
UNION ALL SELECT 1259, oid, 0, 1259, oid, 0, 'i' FROM leat_catalog.relations WHERE kind IN ('v',
  'm') AND depends_on <> ''
UNION ALL SELECT 2606, k.oid, 0, 1259, k.relation, CAST(c.number AS INTEGER), 'a'
FROM (SELECT oid, relation, unnest(string_split(columns, ' ')) AS number FROM
  leat_catalog.constraints) c JOIN leat_catalog.constraints k ON k.oid = c.oid
UNION ALL SELECT 1259, k.index_oid, 0, 2606, k.oid, 0, 'i' FROM leat_catalog.constraints k WHERE
  k.index_oid > 0
UNION ALL SELECT 2606, k.oid, 0, 1259, k.referenced, CAST(c.number AS INTEGER), 'n'
FROM (SELECT oid, unnest(string_split(referenced_columns, ' ')) AS number FROM
  leat_catalog.constraints WHERE kind = 'f') c JOIN leat_catalog.constraints k ON k.oid = c.oid
UNION ALL SELECT 2606, f.oid, 0, 1259, k.index_oid, 0, 'n' FROM leat_catalog.constraints f JOIN
  leat_catalog.constraints k ON k.relation = f.referenced AND k.columns = f.referenced_columns
  AND k.index_oid > 0 WHERE f.kind = 'f')sql",
    R"sql(pg_rewrite AS SELECT r.oid AS oid, '_RETURN' AS rulename, r.oid AS ev_class, CAST(-1 AS
  SMALLINT) AS ev_attr,
  '1' AS ev_type, true AS is_instead, CAST(NULL AS VARCHAR) AS ev_qual, CAST(NULL AS VARCHAR) AS
  ev_action
FROM leat_system.leat_relations r WHERE r.kind = 'v')sql",
    R"sql(pg_description AS
SELECT oid AS objoid, CAST(1259 AS BIGINT) AS classoid, CAST(0 AS INTEGER) AS objsubid, comment AS
  description
FROM leat_catalog.relations WHERE comment <> ''
UNION ALL SELECT relation, 1259, number, comment FROM leat_catalog.columns WHERE comment <> ''
UNION ALL SELECT oid, 2615, 0, comment FROM leat_catalog.schemas WHERE comment <> ''
UNION ALL SELECT oid, 2606, 0, comment FROM leat_catalog.constraints WHERE comment <> ''
UNION ALL SELECT oid, 1255, 0, comment FROM leat_catalog.functions WHERE comment <> ''
UNION ALL SELECT oid, 1262, 0, comment FROM leat_catalog.databases WHERE comment <> '' AND name =
  leat_system.current_database())sql",
    R"sql(pg_shdescription AS
SELECT oid AS objoid, CAST(1262 AS BIGINT) AS classoid, comment AS description
FROM leat_catalog.databases WHERE comment <> '')sql",
    R"sql(pg_database AS
SELECT d.oid, d.name AS datname, d.owner AS datdba, CAST(6 AS INTEGER) AS
  encoding, false AS
  datistemplate, true AS datallowconn, CAST(99999 AS BIGINT) AS datlastsysoid, CAST(0 AS BIGINT) AS
  datvacuumxid,
  CAST(0 AS BIGINT) AS datfrozenxid, CAST(1663 AS BIGINT) AS dattablespace, CAST(NULL AS VARCHAR)
  AS datconfig,
  CAST(from_json(leat_acl(leat_system.leat_session(), 'database', d.oid),
  '["VARCHAR"]') AS VARCHAR[]) AS
  datacl, 'C' AS datcollate, 'C' AS datctype, CAST(d.connection_limit AS INTEGER) AS
  datconnlimit FROM leat_catalog.databases d)sql",
    R"sql(pg_database_info AS SELECT p.oid AS datid, p.* EXCLUDE (oid), CASE WHEN d.insensitive THEN
  'Case insensitive' ELSE 'Case sensitive' END AS datcollation FROM leat_system.pg_database p JOIN
  leat_catalog.databases d ON d.oid = p.oid)sql",
    R"sql(pg_user AS
SELECT name AS usename, id AS usesysid, create_database AS usecreatedb, superuser AS usesuper,
  false AS usecatupd,
  '********' AS passwd, TRY_CAST(nullif(valid_until, '') AS TIMESTAMP) AS valuntil, CASE
  WHEN settings <> '' THEN string_split(settings, chr(10)) END AS useconfig
FROM leat_catalog.users)sql",
    R"sql(pg_user_info AS SELECT u.usename, u.usesysid, u.usecreatedb, u.usesuper, u.usecatupd,
  u.passwd, u.valuntil,
  u.useconfig, CASE WHEN s.connection_limit < 0 THEN 'UNLIMITED' ELSE CAST(s.connection_limit AS
  VARCHAR) END AS
  useconnlimit FROM leat_system.pg_user u JOIN leat_catalog.users s ON s.id = u.usesysid)sql",
    R"sql(pg_shadow AS SELECT * FROM leat_system.pg_user)sql",
    R"sql(pg_group AS SELECT name AS groname, id AS grosysid, CASE WHEN members <> '' THEN
  list_transform(
  string_split(members, ' '), lambda x: CAST(x AS INTEGER)) END AS grolist FROM
  leat_catalog.groups)sql",
    R"sql(pg_roles AS
SELECT name AS rolname, superuser AS rolsuper, true AS rolinherit, superuser AS rolcreaterole,
  create_database AS
  rolcreatedb, true AS rolcanlogin, CAST(connection_limit AS INTEGER) AS rolconnlimit, '********'
  AS rolpassword,
  TRY_CAST(nullif(valid_until, '') AS TIMESTAMP) AS rolvaliduntil, false AS rolreplication, false
  AS rolbypassrls,
  CAST(NULL AS VARCHAR) AS rolconfig, CAST(id AS BIGINT) AS oid FROM leat_catalog.users
UNION ALL SELECT name, false, true, false, false, false, -1, '********', NULL, false, false, NULL,
  id
FROM leat_catalog.groups
UNION ALL SELECT name, false, true, false, false, false, -1, '********', NULL, false, false, NULL,
  id
FROM leat_catalog.roles)sql",
    R"sql(pg_auth_members AS SELECT CAST(g.id AS BIGINT) AS roleid, CAST(m.id AS BIGINT) AS member,
  CAST(1 AS BIGINT) AS
  grantor, false AS admin_option FROM leat_catalog.groups g, (SELECT id AS gid,
  unnest(string_split(members, ' ')) AS id
  FROM leat_catalog.groups WHERE members <> '') m WHERE m.gid = g.id
UNION ALL SELECT CAST(h.role AS BIGINT), CAST(h.holder AS BIGINT), CAST(r.owner AS BIGINT), h.admin
FROM leat_catalog.role_holders h JOIN leat_catalog.roles r ON r.id = h.role)sql",
    R"sql(pg_tables AS
SELECT r.schema_name AS schemaname, r.name AS tablename, leat_user_name(leat_system.leat_session(),
  CAST(r.owner AS BIGINT))
  AS tableowner, CAST(NULL AS VARCHAR) AS tablespace, r.oid IN (SELECT relation FROM
  leat_catalog.constraints WHERE
  index_oid > 0) AS hasindexes, false AS hasrules, false AS hastriggers
FROM leat_system.leat_relations r WHERE
  r.kind = 'r'
UNION ALL SELECT 'pg_catalog', name, 'rdsdb', NULL, false, false, false FROM
  leat_system.leat_system_relations
WHERE "schema" = 11 AND kind = 'r')sql",
    R"sql(pg_views AS
SELECT r.schema_name AS schemaname, r.name AS viewname, leat_user_name(leat_system.leat_session(),
  CAST(r.owner AS BIGINT)) AS
  viewowner, r.definition || ';' AS definition
FROM leat_system.leat_relations r WHERE
  r.kind = 'v'
UNION ALL SELECT CASE WHEN "schema" = 12 THEN 'information_schema' ELSE 'pg_catalog' END, name,
  'rdsdb', ''
FROM leat_system.leat_system_relations WHERE kind = 'v')sql",
    R"sql(pg_table_def AS
SELECT c.schema_name AS schemaname, c.relation_name AS tablename, c.name AS "column", c.type AS
  type,
  c.encoding AS encoding, c.distribution_key AS distkey, c.sort_key AS sortkey, c.not_null AS
  "notnull"
FROM leat_system.leat_columns c
WHERE c.kind = 'r' AND (c.schema_name LIKE 'pg\_temp\_%' ESCAPE '\' OR
  list_contains(leat_system.current_schemas(false), c.schema_name)))sql",
    R"sql(pg_settings AS
SELECT s.key AS name, s.value AS setting, CAST(NULL AS VARCHAR) AS unit, 'Leat' AS category, '' AS
  short_desc, '' AS
  extra_desc, 'user' AS context, 'string' AS vartype, 'session' AS source, CAST(NULL AS VARCHAR) AS
  min_val,
  CAST(NULL AS VARCHAR) AS max_val, CAST(NULL AS VARCHAR) AS boot_val, CAST(NULL AS VARCHAR) AS
  reset_val
FROM (SELECT key, json_extract_string(value, '$') AS value FROM
  json_each(leat_rows(leat_system.leat_session(),
  'settings'))) s)sql",
    R"sql(pg_am AS SELECT CAST(403 AS BIGINT) AS oid, 'btree' AS amname, 'i' AS amtype, CAST(0 AS
  BIGINT) AS
  amhandler, CAST(1 AS SMALLINT) AS amorderstrategy, true AS amcanunique)sql",
    R"sql(pg_language AS SELECT CAST(v.oid AS BIGINT) AS oid, v.name AS lanname, false AS lanispl,
  true AS lanpltrusted,
  CAST(0 AS BIGINT) AS lanplcallfoid, CAST(0 AS BIGINT) AS lanvalidator, CAST(NULL AS VARCHAR[]) AS
  lanacl, 1 AS lanowner, CAST(0 AS BIGINT) AS laninline
FROM (VALUES (12, 'internal'), (13, 'c'), (14, 'sql')) AS v(oid, name))sql",
    R"sql(pg_collation AS SELECT CAST(101 AS BIGINT) AS oid, 'case_insensitive' AS collname, CAST(11
  AS BIGINT) AS collnamespace, 'C' AS collcollate, 'C' AS collctype, 'd' AS collprovider, CAST(-1 AS
  INTEGER) AS collencoding)sql",
    R"sql(pg_tablespace AS SELECT CAST(1663 AS BIGINT) AS oid, 'pg_default' AS spcname, 1 AS
  spcowner, '' AS
  spclocation, CAST(NULL AS VARCHAR[]) AS spcacl, CAST(NULL AS VARCHAR[]) AS spcoptions)sql",
    R"sql(pg_extension AS SELECT CAST(0 AS BIGINT) AS oid, '' AS extname, 1 AS extowner, CAST(11 AS
  BIGINT) AS extnamespace, false AS extrelocatable, '' AS extversion WHERE false)sql",
    // The conversions of redshift.md 3.4 between types that columns can have.
    R"sql(pg_cast AS SELECT CAST(s.type * 65536 + t.type AS BIGINT) AS oid, CAST(s.type AS
  BIGINT) AS
  castsource, CAST(t.type AS BIGINT) AS casttarget, CAST(0 AS BIGINT) AS castfunc, CASE WHEN
  s.rank <
  t.rank THEN 'i' ELSE 'a' END AS castcontext, 'f' AS castmethod
FROM (VALUES (21, 1), (23, 2), (20, 3), (1700, 4), (700, 5), (701, 6)) AS s(type, rank),
  (VALUES (21, 1), (23, 2), (20, 3), (1700, 4), (700, 5), (701, 6)) AS t(type, rank)
WHERE s.type <> t.type
UNION ALL
SELECT CAST(v.s * 65536 + v.t AS BIGINT), v.s, v.t, 0, v.context, 'f' FROM (VALUES (21, 1043, 'i'),
  (23, 1043, 'i'), (20, 1043, 'i'), (1700, 1043, 'i'), (700, 1043, 'i'), (701, 1043, 'i'),
  (23, 16, 'i'), (1042, 1043, 'i'), (1082, 1043, 'i'), (1082, 1114, 'i'), (1082, 1184, 'i'),
  (1114, 1043, 'i'), (1114, 1082, 'i'), (1114, 1083, 'a'), (1114, 1184, 'i'), (1184, 1043, 'i'),
  (1184, 1082, 'i'), (1184, 1114, 'i'), (1083, 1266, 'i'), (1266, 1083, 'i')) AS v(s, t,
  context))sql",
    R"sql(pg_operator AS SELECT CAST(row_number() OVER (ORDER BY oprname, type) + 90000 AS BIGINT)
  AS oid, oprname, CAST(11 AS BIGINT) AS oprnamespace, 1 AS oprowner, 'b' AS oprkind, oprname = '='
  AS oprcanhash, CAST(type AS BIGINT) AS oprleft, CAST(type AS BIGINT) AS oprright, CAST(result AS
  BIGINT) AS oprresult, CAST(0 AS BIGINT) AS oprcom, CAST(0 AS BIGINT) AS oprnegate, CAST(0 AS
  BIGINT) AS oprcode
FROM (SELECT o.oprname, t.type, 16 AS result FROM (VALUES ('='), ('<>'), ('<'), ('<='), ('>'),
  ('>=')) AS o(oprname), (VALUES (16), (20), (21), (23), (700), (701), (1042), (1043), (1082),
  (1083), (1114), (1184), (1266), (1700)) AS t(type)
UNION ALL
SELECT o.oprname, t.type, t.type FROM (VALUES ('+'), ('-'), ('*'), ('/'), ('%')) AS o(oprname),
  (VALUES (20), (21), (23), (700), (701), (1700)) AS t(type)
UNION ALL SELECT '||', 1043, 1043
UNION ALL SELECT o.oprname, 1043, 16 FROM (VALUES ('~'), ('!~'), ('~~'), ('!~~')) AS
  o(oprname)))sql",
    R"sql(pg_conf AS SELECT 'pg_class_backup_100_' || oid AS key, 'NO' AS value FROM
  leat_catalog.relations WHERE NOT
  backup)sql",
};

/// Columns that drivers must see as oid and "char", which ask for the types of what they read.
struct CatalogColumns {
  std::string_view view;
  std::string_view oids;
  std::string_view characters;
  int tableoid = 0;  ///< What pg_class knows the view by, for a column of that name; 0: none.
};
constexpr CatalogColumns kCatalogColumns[] = {
    {"pg_namespace", "oid", ""},
    {"pg_class", "oid relnamespace reltype relam relfilenode reltablespace reloftype",
     "relkind relpersistence relreplident", 1259},
    {"pg_attribute", "attrelid atttypid attcollation", "attstorage attalign attidentity"},
    {"pg_attrdef", "adrelid", ""},
    {"pg_type",
     "oid typnamespace typrelid typelem typinput typoutput typreceive typsend typanalyze "
     "typbasetype typcollation typarray",
     "typtype typdelim typalign typstorage typcategory"},
    {"pg_constraint", "oid connamespace conrelid contypid conindid confrelid",
     "contype confupdtype confdeltype confmatchtype", 2606},
    {"pg_index", "indexrelid indrelid", ""},
    {"pg_depend", "classid objid refclassid refobjid", "deptype"},
    {"pg_rewrite", "oid ev_class", "ev_type", 2618},
    {"pg_description", "objoid classoid", ""},
    {"pg_shdescription", "objoid classoid", ""},
    {"pg_database", "oid datlastsysoid dattablespace", ""},
    {"pg_am", "oid", ""},
    {"pg_language", "oid", "", 2612},
    {"pg_tablespace", "oid", ""},
};

std::string typed_view(std::string_view view) {
  const std::size_t space = view.find_first_of(" ");
  const std::string_view name = view.substr(0, space);
  const auto* columns = std::ranges::find(kCatalogColumns, name, &CatalogColumns::view);
  if (columns == std::end(kCatalogColumns)) return std::string(view);
  std::string list;
  const auto add = [&](std::string_view names, std::string_view type) {
    for (const std::string_view column : split(names, ' ')) {
      if (column.empty()) continue;
      list += fmt::format("{0}CAST({1} AS {2}) AS {1}", list.empty() ? "" : ", ", column, type);
    }
  };
  add(columns->oids, "LEAT_OID");
  add(columns->characters, "LEAT_CHARACTER");
  const std::size_t query = view.find("AS") + 2;
  const std::string own =
      columns->tableoid == 0 ? std::string()
                             : fmt::format(", CAST({} AS LEAT_OID) AS tableoid", columns->tableoid);
  return fmt::format("{} AS SELECT * REPLACE ({}){} FROM ({})", name, list, own,
                     view.substr(query));
}

}  // namespace

std::vector<std::string> pg_catalog_statements() {
  std::vector<std::string> statements(std::begin(kBase), std::end(kBase));
  for (const std::string_view view : kViews) {
    statements.push_back("CREATE OR REPLACE VIEW leat_system." + typed_view(view));
  }
  return statements;
}

}  // namespace leat::catalog
