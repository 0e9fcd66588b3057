create user u password disable;
alter user u with password 'x' valid until 'infinity';
alter user u rename to v;
alter user u set search_path to a, b;
alter user u reset session timeout;
create group g with user a, b;
alter group g add user a;
alter group g rename to h;
