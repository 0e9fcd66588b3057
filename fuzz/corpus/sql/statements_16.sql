fetch c;
close c;
cancel 123 'why';
explain verbose select 1;
explain analyze delete from t;
call p(1, 'x');
insert into t default values;
insert into s.t (a, b) values (1, default), (2, 'x');
