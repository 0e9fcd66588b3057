select 1;
select distinct a as x, b y, t.*, "Quoted Name" from t;
select top 5 * from t;
select distinct on (a) a, b from t;
select * exclude (a, b) from t;
select a from t where a = 1 and b = 2 and c = 3 or not d;
select a + b * c - d / e % f ^ g;
select -a, +a, - -a, ~a, @a, |/ a, ||/ a;
