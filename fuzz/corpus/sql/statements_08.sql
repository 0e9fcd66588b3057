reset query_group;
show all;
show search_path;
show transaction isolation level;
show table s.t;
show databases like 'd%' limit 5;
show schemas from database d;
show tables from schema d.s like 't%';
