alter table web.orders owner to bob;
alter table web.orders alter column name type varchar(20);
drop table if exists web.orders, t cascade;
drop view web.v;
truncate web.orders;
create schema if not exists s;
drop schema s cascade;
create or replace view v (a) as select id from web.orders;
