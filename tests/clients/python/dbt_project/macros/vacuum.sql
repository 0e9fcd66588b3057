{% macro tidy_up() %}
  {% do run_query('vacuum ' ~ ref('customer_orders')) %}
  {% do run_query('analyze ' ~ ref('customer_orders')) %}
{% endmacro %}
