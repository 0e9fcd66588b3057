alter table t alter column c encode zstd, alter column d encode az64;
alter table t alter distkey c;
alter table t alter diststyle key distkey c;
alter table t alter compound sortkey (a, b);
alter table t alter sortkey none;
alter table t append from s ignoreextra;
alter table t row level security on;
drop table if exists a, s.b cascade;
