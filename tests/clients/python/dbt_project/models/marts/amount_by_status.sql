{{ config(materialized='materialized_view', auto_refresh=false, dist='all') }}
select status, count(*) as orders, sum(amount) as amount
from {{ ref('orders') }}
group by status
