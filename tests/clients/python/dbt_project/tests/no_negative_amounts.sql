select id from {{ ref('orders_by_key') }} where amount < 0
