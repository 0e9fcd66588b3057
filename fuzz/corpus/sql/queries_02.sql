select case when a then 1 else 2 end, case a when 1 then 'x' when 2 then 'y' end;
select a::int, cast(b as varchar(10)), convert(date, c), try_cast(d as super), e::numeric(10, 2)::text, f::pg_catalog."char", g::int[];
select 'x'::regclass, 'x'::pg_catalog.text, "x"::timestamp without time zone;
select date '2020-01-01', timestamp with time zone 'x', interval '1 day', interval '1' day, interval '1-2' year to month, int '5', time 'x';
select $1, $2::int;
select count(*), count(distinct a), count(all a), sum(a) over (partition by b order by c desc nulls last rows between unbounded preceding and 1 following);
select lag(a, 1) ignore nulls over (order by b), first_value(a ignore nulls) over (order by b rows unbounded preceding);
select listagg(distinct a, ',') within group (order by b desc), approximate count(distinct a), approximate percentile_disc(0.5) within group (order by a);
