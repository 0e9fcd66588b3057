merge into t using s as x on t.id = x.id when matched then update set a = x.a when not matched then insert (id, a) values (x.id, x.a);
merge into t using (select 1 as id) x on t.id = x.id when matched then delete when not matched then insert values (1);
merge into t using s on t.id = s.id remove duplicates;
