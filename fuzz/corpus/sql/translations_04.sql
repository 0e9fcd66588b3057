select regexp_replace(a, '([a-z])', '<$1>'), regexp_substr(a, 'x', 2, 1, 'e'), regexp_count(a, 'X', 1, 'i') from t;
select regexp_replace(a, '(?=x)', '', 1, 'p') from t;
select json_extract_path_text(a, 'b', 'c'), json_extract_path_text(a, b, true), json_extract_array_element_text(a, 1) from t;
select pg_get_userbyid(1), pg_catalog.format_type(23, -1), current_user, version(), pg_something(1);
select 'pg_class'::regclass, c.oid::regclass, c.relname::text, 23::oid, 'a'::name, ''::"char" from pg_class c;
select '2008-01-02'::date, date '20080102', '01/02/2008'::timestamp, 'x'::varchar(3), 'abc'::char(2), 1::super, 't'::bool, '12'::int;
select 'nonsense'::date;
select '12.7'::int;
