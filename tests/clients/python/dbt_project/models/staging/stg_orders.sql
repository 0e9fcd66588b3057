-- The second time around one order has moved on and one is new.
select
    id,
    customer_id,
    {% if var('later') %}case when id = 10 then 'shipped' else status end{% else %}status{% endif %}::varchar(20) as status,
    amount,
    ordered_at,
    {% if var('later') %}case when id = 10 then '2026-03-01 10:00:00'::timestamp else updated_at end{% else %}updated_at{% endif %} as updated_at
from {{ ref('orders') }}
{% if var('later') %}
union all
select 14::bigint, 2::bigint, 'placed'::varchar(20), 55.00::numeric(12,2), '2026-03-01 11:00:00'::timestamp, '2026-03-01 11:00:00'::timestamp
{% endif %}
