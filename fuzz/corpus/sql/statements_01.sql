alter table t add column c varchar(10) default 'x' not null encode lzo;
alter table s.t drop column c cascade;
alter table t rename to u;
alter table t rename column a to b;
alter table t owner to "Bob";
alter table t add constraint pk primary key (a);
alter table t drop constraint pk;
alter table t alter column c type varchar(300);
