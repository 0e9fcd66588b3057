select 1, 'a', a, A."B", t.*, count(*), x.y::int, case when a then b end from t;
select sum(id), avg(id), sum(amount), avg(amount), avg(ratio), sum(x) from web.orders;
select amount / 3, amount / amount, id / 2, id / small, ratio / 0, id % small, 7 / 2 from web.orders;
select day - day, day + 1, id + '2', '3' * amount from web.orders;
select name like 'a\\_%', at like '2020%', name ilike name, name similar to '(a|b)_%' from web.orders;
select name ~ '^a', name !~* 'b', name operator(pg_catalog.~) 'c' from web.orders;
select orders.id, web.orders.name from web.orders where web.orders.id = 1;
select o.id, p.id from web.orders o, public.orders p where o.id = p.id;
