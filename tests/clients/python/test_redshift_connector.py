"""Amazon's Python driver, with a password and with temporary ones."""

import datetime
import decimal

import pytest
import redshift_connector


@pytest.fixture(scope="module")
def connect(warehouse):
    opened = []

    def make(**more):
        options = {
            "host": warehouse["host"],
            "port": warehouse["port"],
            "database": warehouse["database"],
            "user": warehouse["user"],
            "password": warehouse["password"],
            "ssl": False,
            "timeout": 30,
        }
        options.update(more)
        given = {name: value for name, value in options.items() if value is not None}
        opened.append(redshift_connector.connect(**given))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


@pytest.fixture(scope="module")
def cursor(connect):
    connection = connect()
    connection.autocommit = True
    return connection.cursor()


def test_parameters_and_types(cursor):
    cursor.execute(
        "select %s::int, %s::varchar, %s::numeric(10,2), %s::timestamp, %s::date, %s::boolean,"
        " %s::float8, null::int",
        (
            42,
            "O'Hara",
            decimal.Decimal("12.34"),
            datetime.datetime(2026, 11, 20, 14, 3, 5, 123456),
            datetime.date(2026, 11, 20),
            True,
            1.5,
        ),
    )
    assert list(cursor.fetchone()) == [
        42,
        "O'Hara",
        decimal.Decimal("12.34"),
        datetime.datetime(2026, 11, 20, 14, 3, 5, 123456),
        datetime.date(2026, 11, 20),
        True,
        1.5,
        None,
    ]


@pytest.mark.parametrize("protocol", [0, 1, 2])
def test_protocol_versions(connect, protocol):
    rows = connect(client_protocol_version=protocol).cursor()
    rows.execute("select 12.50::numeric(18,4), 7::smallint, '2026-11-20 01:02:03+02'::timestamptz")
    number, small, moment = rows.fetchone()
    assert number == decimal.Decimal("12.5000") and small == 7
    assert moment.astimezone(datetime.timezone.utc).hour == 23


def test_transactions(connect):
    first = connect()
    rows = first.cursor()
    rows.execute("create table rc_tx (a int)")
    first.commit()
    rows.execute("insert into rc_tx values (1), (2)")
    first.rollback()
    rows.execute("insert into rc_tx values (3)")
    first.commit()
    second = connect().cursor()
    second.execute("select a from rc_tx")
    assert [list(row) for row in second.fetchall()] == [[3]]


def test_executemany_and_row_counts(cursor):
    cursor.execute("create table rc_many (a int, b varchar(10))")
    cursor.executemany("insert into rc_many values (%s, %s)", [(1, "a"), (2, "b"), (3, None)])
    cursor.execute("update rc_many set b = 'x' where a > 1")
    assert cursor.rowcount == 2
    cursor.execute("select a, b from rc_many order by a")
    assert [list(row) for row in cursor.fetchall()] == [[1, "a"], [2, "x"], [3, "x"]]


def test_many_rows(cursor):
    cursor.execute("select n, 'row ' || n from generate_series(1, 20000) as g(n) order by n")
    rows = cursor.fetchall()
    assert len(rows) == 20000 and list(rows[-1]) == [20000, "row 20000"]


def test_errors_carry_sqlstate(cursor):
    with pytest.raises(redshift_connector.ProgrammingError) as caught:
        cursor.execute("select nothing from nowhere")
    assert caught.value.args[0]["C"] == "42P01"
    cursor.execute("select 1")
    assert list(cursor.fetchone()) == [1]


def test_tls_with_a_trusted_certificate(connect):
    rows = connect(ssl=True, sslmode="verify-full").cursor()
    rows.execute("select 1")
    assert list(rows.fetchone()) == [1]


def test_wrong_password_is_refused(connect):
    with pytest.raises(redshift_connector.InterfaceError):
        connect(password="wrong")


def test_data_frames(cursor):
    cursor.execute("select 1 as a, 'x' as b union all select 2, 'y' order by 1")
    frame = cursor.fetch_dataframe()
    assert list(frame.columns) == ["a", "b"] and frame["b"].tolist() == ["x", "y"]
    cursor.execute("create table rc_frame (a int, b varchar(10))")
    cursor.write_dataframe(frame, "rc_frame")
    cursor.execute("select count(*) from rc_frame")
    assert list(cursor.fetchone()) == [2]


def test_insert_data_bulk(cursor, tmp_path):
    cursor.execute("create table rc_bulk (a int, b varchar(10))")
    path = tmp_path / "rows.csv"
    path.write_text("a,b\n1,x\n2,y\n", encoding="utf-8")
    cursor.insert_data_bulk(str(path), "rc_bulk", [0, 1], ["a", "b"], ",", batch_size=2)
    cursor.execute("select a, b from rc_bulk order by a")
    assert [list(row) for row in cursor.fetchall()] == [[1, "x"], [2, "y"]]


def test_metadata(cursor):
    cursor.execute("create schema rc_meta")
    cursor.execute(
        "create table rc_meta.items (id bigint not null, name varchar(20), price numeric(8,2),"
        " primary key (id))"
    )
    cursor.execute("create view rc_meta.names as select name from rc_meta.items")
    tables = {(row[2], row[3]) for row in cursor.get_tables(schema_pattern="rc_meta")}
    assert {("items", "TABLE"), ("names", "VIEW")} <= tables
    columns = cursor.get_columns(schema_pattern="rc_meta", tablename_pattern="items")
    assert [(row[3], row[5]) for row in columns] == [
        ("id", "int8"),
        ("name", "varchar"),
        ("price", "numeric"),
    ]
    keys = cursor.get_primary_keys(schema="rc_meta", table="items")
    assert [row[3] for row in keys] == ["id"]
    assert ["rc_meta"] in [[row[0]] for row in cursor.get_schemas(schema_pattern="rc%")]
    assert cursor.get_catalogs()


def test_super_and_binary(cursor):
    cursor.execute("select json_parse('{\"a\": [1, 2]}') as s, to_varbyte('ff00', 'hex') as b")
    document, raw = cursor.fetchone()
    assert document.replace(" ", "") == '{"a":[1,2]}'
    assert raw in (b"\xff\x00", b"ff00", "ff00")


def iam(data_api, **more):
    return {
        "iam": True,
        # Its cache takes a workgroup's credentials for a cluster's.
        "iam_disable_cache": True,
        "ssl": True,
        "region": data_api["region"],
        "access_key_id": data_api["access_key_id"],
        "secret_access_key": data_api["secret_access_key"],
        "user": None,
        "password": None,
        **more,
    }


def test_iam_of_a_cluster(connect, data_api):
    rows = connect(**iam(data_api, cluster_identifier="leat", db_user="leat")).cursor()
    rows.execute("select current_user")
    assert list(rows.fetchone()) == ["leat"]


def test_iam_finds_the_cluster(connect, data_api):
    options = iam(data_api, cluster_identifier="leat", db_user="leat", host=None, port=None)
    rows = connect(**options).cursor()
    rows.execute("select current_user")
    assert list(rows.fetchone()) == ["leat"]


def test_iam_creates_users(connect, data_api):
    options = iam(data_api, cluster_identifier="leat", db_user="fresh", auto_create=True)
    rows = connect(**options).cursor()
    rows.execute("select current_user")
    assert list(rows.fetchone()) == ["fresh"]


def test_iam_with_the_identity_itself(connect, data_api):
    options = iam(data_api, cluster_identifier="leat", group_federation=True)
    rows = connect(**options).cursor()
    rows.execute("select current_user")
    assert list(rows.fetchone()) == ["leat"]


def test_iam_of_a_workgroup(connect, data_api):
    options = iam(data_api, is_serverless=True, serverless_work_group="leat")
    rows = connect(**options).cursor()
    rows.execute("select current_user")
    assert list(rows.fetchone()) == ["leat"]
