select n, sum(n) from (select id as n from web.orders) group by 1 order by 2 desc nulls last;
select 1 as a union select 2 minus select 3 order by 1;
select top 3 a from t;
(select a from t order by a limit 1) union all (select 2) limit 5;
select * exclude (a, b) from t;
select listagg(name, ',') within group (order by id), approximate count(distinct id) from web.orders;
select percentile_cont(0.5) within group (order by id desc), median(id) over (partition by name) from web.orders;
select first_value(id) ignore nulls over (order by at rows unbounded preceding), ratio_to_report(id) over () from web.orders;
