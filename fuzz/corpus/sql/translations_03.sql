select sum(id) over (order by at) from web.orders;
select last_value(id) over (order by at) from web.orders;
select dateadd(m, 5, at), dateadd(year, -1, day), datediff(hr, day, '2020-01-01'), date_trunc('mon', at), date_part(dow, day), extract(epoch from at) from web.orders;
select getdate(), sysdate, current_date, to_char(at, 'YYYY-MM-DD HH24:MI:SS'), to_char(at, 'Mon DD, YYYY'), to_date('x', 'YYYYMMDD') from web.orders;
select to_char(at, name) from web.orders;
select dateadd(nonsense, 1, at) from web.orders;
select nvl(a, b), nvl2(a, b, c), decode(a, 1, 'x', null, 'y', b, 'z', 'd'), isnull(a, b) from t;
select substring(a, 2, 3), substring(a, b), left(a, 3), len(a), charindex('x', a), trim(a), concat(a, b), a || b from t;
