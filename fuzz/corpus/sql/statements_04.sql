create schema authorization bob;
alter schema s rename to t;
alter schema s quota unlimited;
create database d with owner bob connection limit 10 collate ci isolation level snapshot;
alter database d owner to bob;
create or replace view v (a, b) as select 1, 2 with no schema binding;
create materialized view m backup yes diststyle even auto refresh no as (select a from t);
refresh materialized view s.m;
