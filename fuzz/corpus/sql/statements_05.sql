alter materialized view m auto refresh yes;
comment on table t is $x$it's$x$;
comment on column s.t.c is null;
comment on constraint c on t is 'x';
begin;
begin transaction isolation level serializable read write;
start transaction read only;
commit work;
