"""psycopg 3 and pg8000: text and binary, prepared statements, pipelines, cursors on the server."""

import datetime
import decimal
import uuid

import pg8000.dbapi
import psycopg
import pytest
from psycopg.types.json import Json, Jsonb

UTC = datetime.timezone.utc
VALUES = [
    ("smallint", 7),
    ("int", -(2**31)),
    ("bigint", 2**63 - 1),
    ("decimal(18,4)", decimal.Decimal("12.3456")),
    ("double precision", 2.5),
    ("boolean", False),
    ("varchar(20)", "it's \\ é"),
    ("date", datetime.date(2020, 1, 2)),
    ("timestamp", datetime.datetime(2020, 1, 2, 3, 4, 5, 678)),
    ("timestamptz", datetime.datetime(2020, 1, 2, tzinfo=UTC)),
    ("time", datetime.time(1, 2, 3)),
    ("timetz", datetime.time(1, 2, 3, tzinfo=datetime.timezone(datetime.timedelta(hours=2)))),
]


@pytest.fixture(scope="module", name="three")
def fixture_three(warehouse):
    with psycopg.connect(
        host=warehouse["host"],
        port=warehouse["port"],
        user=warehouse["user"],
        password=warehouse["password"],
        dbname=warehouse["database"],
        autocommit=True,
        connect_timeout=30,
    ) as connection:
        yield connection


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
@pytest.mark.parametrize("type_name,value", VALUES, ids=[each[0] for each in VALUES])
def test_values_go_in_and_out(three, type_name, value, binary):
    place = "%b" if binary else "%t"
    with three.cursor(binary=binary) as cursor:
        cursor.execute("drop table if exists kept3")
        cursor.execute(f"create temp table kept3 (value {type_name}, other {type_name})")
        cursor.execute(f"insert into kept3 values ({place}, {place})", (value, None))
        cursor.execute(f"select value, other from kept3 where value = {place}", (value,))
        assert cursor.fetchall() == [(value, None)]


@pytest.mark.parametrize("place", ["%t", "%b"])
def test_intervals_uuids_and_json(three, place):
    span, code = datetime.timedelta(days=3, seconds=4), uuid.uuid4()
    with three.cursor(binary=place == "%b") as cursor:
        assert cursor.execute(f"select {place}::interval", (span,)).fetchone() == (span,)
        assert cursor.execute(f"select {place}::varchar", (code,)).fetchone() == (str(code),)
        for wrapped in (Json({"a": 1}), Jsonb({"a": 1})):
            query = f"select made.a::int from (select json_parse({place}::varchar) as made)"
            found = cursor.execute(query, (wrapped,)).fetchone()
            assert found == (1,)


def test_prepared_statements_and_pipelines(three):
    assert [three.execute("select %s + 1", (each,)).fetchone()[0] for each in range(12)] == list(range(1, 13))
    with three.pipeline():
        first, second = three.execute("select 1"), three.execute("select 2")
        assert (first.fetchone(), second.fetchone()) == ((1,), (2,))
    with three.cursor() as cursor:
        cursor.execute("create temp table piped (id int, word varchar(10))")
        cursor.executemany("insert into piped values (%s, %s)", [(each, str(each)) for each in range(50)])
        assert cursor.rowcount == 50


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
def test_cursors_on_the_server(three, binary):
    with three.transaction(), three.cursor("piece", binary=binary) as cursor:
        cursor.itersize = 100
        cursor.execute("select n from generate_series(1, 250) t(n) where n > %s order by n", (10,))
        assert [row[0] for row in cursor] == list(range(11, 251))
    with three.cursor() as cursor:
        assert len(list(cursor.stream("select n from generate_series(1, 300) t(n)"))) == 300


def test_a_cancelled_query_leaves_a_good_connection(three):
    three.execute("set statement_timeout to 300")
    with pytest.raises(psycopg.errors.QueryCanceled):
        three.execute("select count(*) from generate_series(1, 100000000) a, generate_series(1, 10000) b")
    three.execute("set statement_timeout to 0")
    assert three.execute("select 1").fetchone() == (1,)


def test_pg8000(warehouse):
    connection = pg8000.dbapi.connect(
        warehouse["user"], host=warehouse["host"], port=warehouse["port"], password=warehouse["password"],
        database=warehouse["database"], timeout=60,
    )
    cursor = connection.cursor()
    cursor.execute(
        "create temp table eight (id int, price decimal(8,2), word varchar(20), day date, at timestamp, ok boolean)"
    )
    row = (1, decimal.Decimal("2.50"), "é", datetime.date(2020, 1, 2), datetime.datetime(2020, 1, 2, 3, 4, 5), True)
    cursor.execute("insert into eight values (%s, %s, %s, %s, %s, %s)", row)
    cursor.execute("select * from eight where id = %s", (1,))
    assert [tuple(each) for each in cursor.fetchall()] == [row]
    connection.rollback()
    with pytest.raises(pg8000.dbapi.DatabaseError):
        cursor.execute("select * from eight")
    connection.close()
