copy t from 's3://b/k' iam_role 'a' delimiter '\t' removequotes escape lzop comprows 1000 compupdate preset ignoreallerrors;
copy t from 's3://b/k' iam_role 'a' format json as 'auto ignorecase';
unload ('select * from t where a = ''x''') to 's3://b/p' iam_role 'a';
unload ($$select 1 as a$$) to 's3://b/p' iam_role default format as parquet partition by (a) include manifest verbose allowoverwrite parallel off maxfilesize 100 mb;
unload ('select 1') to 's3://b/p' iam_role 'a' csv header delimiter as '|' null as 'x' gzip encrypted kms_key_id 'k' extension 'csv.gz' maxfilesize as 1.5 gb;
unload ('select 1') to 's3://b/p' iam_role 'a' addquotes escape fixedwidth '0:3' bzip2 cleanpath region 'x';
create user segment password "S3cret!";
create user u with password 'md5abc' createdb nocreateuser syslog access unrestricted in group a, b valid until '2030-01-01' connection limit unlimited session timeout 300;
