select * from current_database();
select * from generate_series(1, 3) as s(r);
select a from t group by grouping sets ((a, b), ()), rollup (c);
select (current_schemas(true))[1], a.attnum = any (array[1, 2]), array(select 1);
select case (1 = 1) when 'true' then 1 end;
select a collate pg_catalog.default, a at time zone 'UTC', a::timestamptz at time zone b from t;
select timestamp '2008-01-02 03:04:05+02', timestamptz '2008-01-02 03:04:05+02', time '04:05 PM';
select count(1) filter (where a) from t;
