select interval '1 day 2 hours', interval '1' month, interval 'nonsense';
select interval '7 days, 3 hours, 59 minutes';
select crc32('a');
select no_such_function(1, 2);
select len('a', 'b');
insert into web.orders values (1, 'short', 'abc', 1.5, 2.5, 3, '20200102', 'now', null, 'yes');
insert into web.orders (id, name) values (1, 'much too long'), (2, default);
insert into web.orders (id, name) select id, name || 'x' from orders;
