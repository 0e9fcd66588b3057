insert into web.orders (nope) values (1);
insert into t values (1), (2);
insert into t default values;
update web.orders set name = upper(name), amount = 2 from orders o where o.id = web.orders.id;
update web.orders o set code = 'abcd';
delete from web.orders using orders o where web.orders.id = o.id;
delete web.orders;
merge into web.orders using orders s on orders.id = s.id when matched then update set name = s.name when not matched then insert (id, name) values (s.id, s.name);
