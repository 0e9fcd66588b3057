show columns from table d.s.t;
show constraints foreign keys exported from table t;
use d;
copy t from 's3://b/k' iam_role default;
copy s.t (a, b) from 's3://b/m.manifest' iam_role 'arn:aws:iam::1:role/r,arn:aws:iam::1:role/s' format as parquet manifest;
copy t from 's3://b/k' access_key_id 'x' secret_access_key 'y' session_token 'z' csv quote as '''' delimiter ';' ignoreheader 1 gzip region 'eu-west-1' maxerror as 10 null as '\\N' acceptinvchars '^' blanksasnull emptyasnull;
copy t from 's3://b/k' with credentials as 'aws_iam_role=arn' json 's3://b/paths' timeformat 'epochmillisecs' dateformat as 'auto' truncatecolumns compupdate off statupdate on zstd;
copy t from 's3://b/k' credentials 'x' fixedwidth 'a:3,b:4' fillrecord trimblanks rounddec explicit_ids noload encoding utf16 ignoreblanklines acceptanydate;
