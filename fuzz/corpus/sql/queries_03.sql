select extract(year from a), extract('dow' from a), position('a' in b), substring(a from 2 for 3), substring(a, 2), substring(a for 3);
select trim(a), trim(both 'x' from a), trim(leading from a), trim(trailing 'y' from a), trim('x' from a), overlay(a placing b from 1 for 2);
select sysdate, current_date, current_user, user, getdate(), pg_catalog.version(), left(a, 1), right(b, 2);
select array[1, 2], array(1, 2), array(select a from t), (a).b, a[0].b['c'], (f(x))[1], row(1, 2), (1, 2);
select exists (select 1), not exists (select 1), (select a from t), a at time zone 'UTC';
select dateadd(day, 1, a), datediff(m, a, b), date_trunc('week', c);
select a.b.c.d from t;
select timestamp, tag, open, new from t;
