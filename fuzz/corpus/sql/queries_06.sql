((select 1));
with a as (select 1), b (x, y) as (select 2, 3) select * from a, b;
with recursive c (n) as (select 1 union all select n + 1 from c) select n from c;
values (1, 2), (3, 4);
select /* a /* nested */ comment */ 1 -- end;
select 'it''s', 'a\'b\\c\n', e'x\ty', $$dollar ' quoted$$, $tag$x$$y$tag$, '\101\060';
select 1., .5, 1e3, 1.5e-3, 007;
select a as from_x, b as "select" from t;
