select sum(a) over (order by b range unbounded preceding) from t;
