"""What the tests of encrypted database files share."""

import json
import os

from leat import FREE_PORTS, ROOT, LeatTest, run

MARKER = "MARKERofplaintext"
SETTING = "LEAT_WAREHOUSE_ENCRYPTION_KEY_FILE"
EXTENSION = os.path.join(ROOT, "build/deps/duckdb/httpfs.duckdb_extension")

OBJECTS = f"""
create table keys (id bigint identity(5,3), v varchar(20) default upper('{MARKER}'),
  made timestamp default getdate(), n numeric(9,2) not null default 1.5) distkey(id) sortkey(v);
insert into keys (n) values (1), (2), (3);
create schema app;
create table app.named ("Select" int, t varchar(30));
insert into app.named values (1, '{MARKER}'), (2, null);
create view app.inner_view as select id, v from keys;
create view outer_view as select count(*) as c from app.inner_view;
create view late_view as select * from app.named with no schema binding;
create materialized view kept as select max(id) as m from keys;
create function twice(int) returns int immutable as $$ select $1 * 2 $$ language sql;
create user alice password 'Secret1234';
grant select on keys to alice;
"""
QUESTIONS = [
    "select id, v, n from keys order by 1",
    "select * from outer_view",
    'select "Select", t from late_view order by 1',
    "select m, twice(21) from kept",
    "select count(*) from app.named where t like 'MARKER%'",
    "select usename from pg_user order by 1",
    "select has_table_privilege('alice', 'keys', 'select')",
    "select \"column\", type, distkey, sortkey, \"notnull\" from pg_table_def where tablename = 'keys'",
]


def files_with(folder, text):
    found = []
    for directory, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(directory, name), "rb") as file:
                if text.encode() in file.read():
                    found.append(os.path.join(directory, name))
    return found


class EncryptedTest(LeatTest):
    def setUp(self):
        super().setUp()
        self.assertTrue(
            os.path.exists(EXTENSION), "DuckDB's extension httpfs is missing: run tools/fetch-duckdb"
        )
        self.key = self.new_key("first.key")
        self.files = os.path.join(self.data, "warehouse")

    def new_key(self, name):
        path = os.path.join(self.folder, name)
        made = run(["warehouse", "key", path])
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        return path

    def key_id(self, path):
        checked = run(["check", "--data", self.data, "--json"], {SETTING: path, **FREE_PORTS})
        details = {c["name"]: c["detail"] for c in json.loads(checked.stdout)["checks"]}
        return details["warehouse.encryption_key_file"].split()[-1]

    def secret(self, path):
        with open(path, encoding="ascii") as file:
            return file.read().strip()

    def start(self, key=None, command="warehouse"):
        return self.up(environment={SETTING: key} if key else {}, command=command)

    def refused(self, key=None):
        """What a start says that cannot be."""
        done = run(
            ["warehouse", "--data", self.data], {**FREE_PORTS, **({SETTING: key} if key else {})}
        )
        self.assertEqual(done.returncode, 1, done.stderr)
        for path in filter(None, [key, self.key]):
            if os.path.isfile(path):
                self.assertNotIn(self.secret(path), done.stderr)
        return done.stderr

    def change(self, verb, key=None, *arguments):
        return run(
            ["warehouse", verb, "--data", self.data, *arguments],
            {SETTING: key} if key else {},
            seconds=200,
        )

    def is_encrypted(self):
        """As DuckDB's first header says."""
        flags = set()
        for directory, _, names in os.walk(self.files):
            for name in names:
                if name.endswith(".duckdb"):
                    with open(os.path.join(directory, name), "rb") as file:
                        flags.add(file.read(24)[20] & 1)
        self.assertEqual(len(flags), 1)
        return flags == {1}

    def fill(self, leat):
        leat.psql(OBJECTS)
        leat.psql("create database second")
        leat.psql(f"create table inside as select '{MARKER}'::varchar as t", "-d", "second")

    def answers(self, leat):
        others = [option for question in QUESTIONS[1:] for option in ("-c", question)]
        return leat.psql(QUESTIONS[0], *others) + leat.psql("select t from inside", "-d", "second")
