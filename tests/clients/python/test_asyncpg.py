"""asyncpg: every value in PostgreSQL's binary formats, portals read in pieces, cancelling."""

import asyncio
import datetime
import decimal
import uuid

import asyncpg
import pytest

UTC = datetime.timezone.utc
VALUES = [
    ("smallint", -32768),
    ("int", 2**31 - 1),
    ("bigint", -(2**63)),
    ("decimal(18,4)", decimal.Decimal("-12.3456")),
    ("real", 1.5),
    ("double precision", 0.1),
    ("boolean", True),
    ("char(5)", "ab"),
    ("varchar(20)", "é漢"),
    ("date", datetime.date(2020, 1, 2)),
    ("timestamp", datetime.datetime(1969, 12, 31, 23, 59, 59, 678)),
    ("timestamptz", datetime.datetime(2020, 1, 2, tzinfo=UTC)),
    ("time", datetime.time(1, 2, 3)),
    ("timetz", datetime.time(23, 59, 59, 999999, tzinfo=datetime.timezone(datetime.timedelta(hours=-3.5)))),
]


@pytest.fixture(name="run")
def fixture_run(warehouse):
    """Runs a coroutine function with a connection of its own."""

    def run(work):
        async def main():
            connection = await asyncpg.connect(
                host=warehouse["host"],
                port=warehouse["port"],
                user=warehouse["user"],
                password=warehouse["password"],
                database=warehouse["database"],
                ssl=False,
                timeout=30,
                command_timeout=30,
            )
            try:
                return await work(connection)
            finally:
                await connection.close()

        return asyncio.run(main())

    return run


@pytest.mark.parametrize("type_name,value", VALUES, ids=[each[0] for each in VALUES])
def test_values_go_in_and_out_in_binary(run, type_name, value):
    async def work(connection):
        await connection.execute(f"create temp table kept (value {type_name}, other {type_name})")
        await connection.execute("insert into kept values ($1, $2)", value, None)
        rows = await connection.fetch("select value, other from kept where value = $1", value)
        assert [tuple(row) for row in rows] == [(value, None)]

    run(work)


def test_intervals_go_in_and_out_in_binary(run):
    span = datetime.timedelta(days=400, seconds=3, microseconds=5)

    async def work(connection):
        assert await connection.fetchval("select $1::interval", span) == span
        assert await connection.fetchval("select interval '1 day 2 hours'") == datetime.timedelta(days=1, hours=2)

    run(work)


def test_a_cursor_is_read_in_pieces(run):
    async def work(connection):
        async with connection.transaction():
            query = "select n, n::varchar as word from generate_series(1, 250) as t(n)"
            rows = [tuple(row) async for row in connection.cursor(query, prefetch=50)]
        assert rows == [(number, str(number)) for number in range(1, 251)]

    run(work)


def test_errors_and_time_limits_leave_a_good_connection(run):
    async def work(connection):
        with pytest.raises(asyncpg.UndefinedTableError):
            await connection.fetch("select * from no_such_table")
        with pytest.raises(asyncio.TimeoutError):
            await connection.fetch(
                "select count(*) from generate_series(1, 100000000) a, generate_series(1, 10000) b", timeout=0.5
            )
        with pytest.raises(asyncpg.DivisionByZeroError):
            async with connection.transaction():
                await connection.fetch("select 1 / $1::int", 0)
        assert await connection.fetchval("select $1::int + 1", 41) == 42

    run(work)


def test_many_rows_and_a_pool(warehouse):
    async def main():
        pool = await asyncpg.create_pool(
            host=warehouse["host"], port=warehouse["port"], user=warehouse["user"], password=warehouse["password"],
            database=warehouse["database"], ssl=False, min_size=2, max_size=4, timeout=30, command_timeout=30,
        )
        async with pool:
            await pool.execute("create table many (id int, code varchar(40))")
            rows = [(number, str(uuid.uuid4())) for number in range(100)]
            await pool.executemany("insert into many values ($1, $2)", rows)
            asked = [pool.fetchval("select code from many where id = $1", each[0]) for each in rows]
            found = await asyncio.gather(*asked)
            assert found == [each[1] for each in rows]

    asyncio.run(main())


def test_types_that_it_does_not_know_are_looked_up(run):
    async def work(connection):
        # asyncpg reads no type with a number below 16384 that it does not know, unless it is told how.
        await connection.set_type_codec("super", schema="pg_catalog", encoder=str, decoder=str, format="text")
        await connection.set_type_codec("varbyte", schema="pg_catalog", encoder=bytes, decoder=bytes, format="binary")
        row = await connection.fetchrow("select json_parse('{\"a\": 1}') as s, 'abc'::varbyte as b, array[1, 2] as n")
        assert row["s"] == '{"a":1}'
        assert row["b"] == b"abc"
        assert row["n"] == [1, 2]
        names = "select typname from pg_type where oid = any($1::oid[]) order by oid"
        rows = await connection.fetch(names, [4000, 6551])
        assert [each["typname"] for each in rows] == ["super", "varbyte"]

    run(work)
