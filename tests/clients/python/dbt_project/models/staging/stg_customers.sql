{{ config(bind=false) }}
select id, trim(name) as name, upper(country) as country, joined
from {{ ref('customers') }}
