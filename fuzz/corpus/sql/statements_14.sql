alter default privileges for user u in schema s grant select on tables to group g;
alter default privileges revoke all on functions from public;
analyze;
analyze verbose t (a, b) predicate columns;
analyze compression t comprows 1000;
vacuum;
vacuum full s.t to 75 percent boost;
vacuum delete only t;
