select a || b || 'c', a & b, a | b, a # b, a << 1, a >> 2;
select a = b, a <> b, a != b, a < b, a <= b, a > b, a >= b;
select a ~ 'x', a !~ 'x', a ~* 'x', a operator(pg_catalog.~) 'x', a ~~ 'x';
select a is null, a is not null, a isnull, a notnull, a is true, a is not unknown, a is distinct from b;
select a between 1 and 2 and b, a not between symmetric_a and 3;
select a in (1, 2), a not in (select b from t), (a, b) in ((1, 2));
select a like 'x%', a not ilike 'y' escape '\\', a similar to 'z';
select a = any (array[1, 2]), a > all (select b from t), a <> some (select 1);
