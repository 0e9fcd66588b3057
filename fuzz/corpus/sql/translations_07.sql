create table s.t (id int identity(1,1), name varchar(10) not null default 'x' encode zstd, amount decimal, primary key (amount), unique (name)) distkey(id) sortkey(name);
create temp table if not exists #t (a date default '20200101', b super);
create table t as select id, sum(amount) as s from web.orders group by id;
create table t (like web.orders);
select id into temp x from web.orders;
alter table web.orders add column c varchar(3) default 'x';
alter table web.orders drop column c cascade;
alter table web.v rename to w;
