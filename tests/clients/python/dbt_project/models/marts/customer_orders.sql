{{ config(dist='customer_id', sort=['country', 'customer_id'], sort_type='compound') }}
select
    c.id as customer_id,
    c.name,
    c.country,
    count(o.id) as orders,
    coalesce(sum(o.amount), 0)::numeric(14,2) as amount,
    max(o.ordered_at) as last_ordered_at,
    datediff(day, c.joined, max(o.ordered_at)) as days_to_last_order
from {{ ref('stg_customers') }} c
left join {{ ref('paid_orders') }} o on o.customer_id = c.id
group by 1, 2, 3, c.joined
