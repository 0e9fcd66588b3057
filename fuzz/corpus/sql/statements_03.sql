drop view v;
drop materialized view if exists m;
drop schema a, b restrict;
drop user if exists "Bob", alice;
drop database d force;
truncate table s.t;
truncate t;
create schema if not exists s authorization bob quota 10 gb;
