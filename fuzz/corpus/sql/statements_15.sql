prepare p (int, varchar(10)) as select $1, $2;
execute p (1, 'x');
deallocate prepare p;
deallocate all;
declare c cursor without hold for select 1;
fetch next from c;
fetch forward 37 from c;
fetch all in c;
