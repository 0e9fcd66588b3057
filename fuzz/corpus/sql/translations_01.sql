select web.orders.id, orders.name from orders, web.orders;
select doc.a.b, o.doc.items[0].name, o.doc['k'] from web.orders o;
select o.doc.n = 1, o.doc.s = 'x', o.doc.a::varchar(5), o.doc.n::int, o.doc.x in ('a', 'b') from web.orders o;
select i.name, idx from web.orders o, o.doc.items i at idx;
select nope.x from web.orders;
select * from missing;
select * from pg_class, pg_catalog.pg_namespace n, information_schema.tables, svv_tables;
with web as (select id from web.orders) select sum(id) from web;
