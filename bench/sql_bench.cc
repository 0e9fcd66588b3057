// How long one statement takes from text to DuckDB SQL. The goal is under 100 us for a 2 kB query.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

#include "warehouse/sql/translate.h"

namespace {

/// A dashboard's query: common tables, joins, CASE, windows, date functions; about 2 kB.
std::string two_kilobyte_query() {
  return R"sql(
with sessions as (
  select user_id, anonymous_id, date_trunc('day', received_at) as day, context_page_path,
         count(*) as views, min(received_at) as started_at, max(received_at) as ended_at,
         count(distinct case when context_campaign_source is not null then id end) as campaign_views
  from web.pages
  where received_at >= dateadd(day, -30, getdate()) and nvl(context_ip, '') not like '10.%'
  group by 1, 2, 3, 4
), orders as (
  select o.user_id, o.order_id, o.received_at, o.revenue::decimal(12, 2) as revenue,
         row_number() over (partition by o.user_id order by o.received_at) as order_number,
         lag(o.received_at) over (partition by o.user_id order by o.received_at) as
      previous_order_at,
         sum(o.revenue) over (partition by o.user_id order by o.received_at
                              rows between unbounded preceding and current row) as running_revenue,
         json_extract_path_text(o.properties, 'coupon', 'code') as coupon
  from web.order_completed o
  where o.received_at between '2026-01-01' and '2026-12-31' and o.currency in ('EUR', 'USD', 'GBP')
)
select s.day, coalesce(u.country, 'unknown') as country,
       case when s.views = 1 then 'bounce' when s.views < 5 then 'short' else 'long' end as kind,
       count(distinct s.user_id) as users, sum(s.views) as views, sum(o.revenue) as revenue,
       avg(datediff(minute, s.started_at, s.ended_at)) as minutes,
       listagg(distinct o.coupon, ', ') within group (order by o.coupon) as coupons,
       sum(case when o.order_number = 1 then 1 else 0 end)::float / nullif(count(*), 0) as
      first_order_share
from sessions s
left join orders o on o.user_id = s.user_id and date_trunc('day', o.received_at) = s.day
left join web.users u on u.id = s.user_id
where s.context_page_path ~ '^/(shop|checkout)' and u.email not ilike '%@example.com'
group by 1, 2, 3
having sum(s.views) > 10
order by 1 desc, revenue desc nulls last
limit 1000
)sql";
}

double microseconds_per_run(const std::string& text, bool translate) {
  constexpr int kRounds = 15;
  constexpr int kRuns = 400;
  std::vector<double> rounds;
  std::size_t sink = 0;
  for (int round = 0; round < kRounds; ++round) {
    const std::clock_t begin = std::clock();  // CPU time: the machine may be busy
    for (int run = 0; run < kRuns; ++run) {
      const auto script = leat::sql::parse_script(text);
      if (!script) return -1;
      sink += script->size();
      if (!translate) continue;
      const auto translation = leat::sql::translate(script->front().statement, {});
      if (!translation) return -1;
      sink += translation->statements.front().size();
    }
    const double taken = static_cast<double>(std::clock() - begin) * 1e6 / CLOCKS_PER_SEC;
    rounds.push_back(taken / kRuns);
  }
  std::sort(rounds.begin(), rounds.end());
  return sink == 0 ? -1 : rounds[rounds.size() / 2];
}

}  // namespace

int main() {
  const std::string query = two_kilobyte_query();
  const double parse = microseconds_per_run(query, false);
  const double both = microseconds_per_run(query, true);
  const double one = microseconds_per_run("select 1", true);
  std::printf(
      "sql: parse %zu bytes: %.1f us; parse and translate: %.1f us (goal 100); select 1: %.2f us\n",
      query.size(), parse, both, one);
  return parse > 0 && both > 0 && one > 0 ? 0 : 1;
}
