grant execute on all procedures in schema s to public;
grant usage on language plpgsql to u;
grant role a, b to u with admin option;
grant create user, access system table to role r;
grant select for tables in schema s database d to role r;
grant assumerole on 'arn:x' to u for copy, unload;
revoke all on t from u restrict;
revoke grant option for select on t from u;
