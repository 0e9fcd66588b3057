select a from t, u as v, s.w x (c, d), (select 1) y, (select 2), f(1) g, pg_get_late_binding_view_cols() z(a name, b int);
select a from t join u on t.id = u.id left outer join v using (a, b) natural full join w cross join x;
select a from t join u join v on u.a = v.a on t.a = u.a;
select a from (t join u on true) left join v on true;
select a from ((select 1) union (select 2)) x;
select a from ((select 1 as b) x join t on true);
select a from t c, c.items i, i.sub[0] as s at idx, unpivot c.obj as v at k;
select * from t pivot (sum(a) as s, count(*) for b in ('x' as x, 'y')) p;
