insert into t (select * from u);
insert into t with x as (select 1) select * from x;
with x as (select 1 as a) insert into t select a from x;
update t set a = 1, b = default from u x where t.id = x.id;
update s.t as x set a = x.a + 1;
delete from t;
delete t where a = 1;
delete from s.t x using u, v where x.a = u.a;
