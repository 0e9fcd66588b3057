end;
rollback transaction;
abort;
lock table a, s.b;
set query_group to 'x';
set search_path to a, 'B', "$user";
set session search_path to default;
set local statement_timeout = 1000;
