create role r;
alter role r owner to bob;
grant select, insert on table a, s.b to u with grant option, group g, role r, public;
grant all privileges on all tables in schema s to u;
grant create on database "d" to "u";
grant usage on schema s to u;
grant select (a, b), update (c) on t to u;
grant execute on function f(int, varchar(10)), g() to u;
