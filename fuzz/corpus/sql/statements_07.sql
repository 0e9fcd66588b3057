set time zone 'UTC';
set session authorization 'bob';
set session characteristics as transaction isolation level read committed;
set role r;
set seed to .25;
set extra_float_digits = -15;
set readonly=1;
reset all;
