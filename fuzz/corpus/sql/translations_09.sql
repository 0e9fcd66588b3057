explain select 1;
call p(1);
set x to 1;
copy t from 's3://b/k' iam_role default;
unload ('select id from web.orders') to 's3://b/k' iam_role default;
declare c cursor for select id from web.orders;
select * from web.orders pivot (sum(id) as s for name in ('a' as x, 'b')) p;
select * from t unpivot (v for n in (a as 'x', b)) u;
