select * from t unpivot include nulls (v for n in (a as 'x', b)) u;
select a from t group by a, 2 having count(*) > 1 qualify row_number() over (order by a) = 1;
select a from t group by all;
select a from t group by rollup (a, b), cube (c), grouping sets ((a, b), a, ());
select a from t order by a, 2 desc nulls first limit 10 offset 5;
select a from t limit all offset 2;
select 1 union select 2 union all select 3 intersect select 4 except select 5 minus select 6;
(select 1 limit 1) union (select 2 order by 1) order by 1;
