"""sqlalchemy-redshift: reflection of what it made, and the statements it compiles."""

import pytest
import sqlalchemy as sa
from sqlalchemy_redshift import commands


@pytest.fixture(scope="module")
def engine(warehouse):
    url = sa.URL.create(
        "redshift+redshift_connector",
        username=warehouse["user"],
        password=warehouse["password"],
        host=warehouse["host"],
        port=warehouse["port"],
        database=warehouse["database"],
    )
    made = sa.create_engine(url, connect_args={"ssl": False, "timeout": 30})
    with made.begin() as connection:
        connection.execute(sa.text("create schema alchemy"))
    yield made
    made.dispose()


@pytest.fixture(scope="module")
def tables(engine):
    metadata = sa.MetaData(schema="alchemy")
    sa.Table(
        "customers",
        metadata,
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("joined", sa.DateTime),
        redshift_diststyle="KEY",
        redshift_distkey="id",
        redshift_sortkey=["id"],
    )
    sa.Table(
        "orders",
        metadata,
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("customer_id", sa.BigInteger, sa.ForeignKey("alchemy.customers.id")),
        sa.Column("total", sa.Numeric(12, 2)),
        sa.Column("code", sa.String(8), unique=True),
    )
    metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(
            sa.text("create view alchemy.big_orders as select id, total from alchemy.orders")
        )
    return metadata.tables


def test_reflects_columns(engine, tables):
    assert tables
    columns = sa.inspect(engine).get_columns("customers", schema="alchemy")
    assert [(each["name"], each["nullable"]) for each in columns] == [
        ("id", False),
        ("name", False),
        ("joined", True),
    ]
    assert isinstance(columns[0]["type"], sa.BigInteger)
    assert columns[1]["type"].length == 40
    total = sa.inspect(engine).get_columns("orders", schema="alchemy")[2]["type"]
    assert (total.precision, total.scale) == (12, 2)


def test_reflects_names(engine, tables):
    assert tables
    found = sa.inspect(engine)
    assert sorted(found.get_table_names(schema="alchemy")) == ["customers", "orders"]
    assert found.get_view_names(schema="alchemy") == ["big_orders"]
    assert "alchemy" in found.get_schema_names()
    assert found.has_table("orders", schema="alchemy")
    assert not found.has_table("none", schema="alchemy")


def test_reflects_constraints(engine, tables):
    assert tables
    found = sa.inspect(engine)
    assert found.get_pk_constraint("orders", schema="alchemy")["constrained_columns"] == ["id"]
    (key,) = found.get_foreign_keys("orders", schema="alchemy")
    assert key["constrained_columns"] == ["customer_id"]
    assert (key["referred_schema"], key["referred_table"]) == ("alchemy", "customers")
    (unique,) = found.get_unique_constraints("orders", schema="alchemy")
    assert unique["column_names"] == ["code"]


def test_reflects_options_and_views(engine, tables):
    assert tables
    found = sa.inspect(engine)
    options = found.get_table_options("customers", schema="alchemy")
    assert options["redshift_distkey"] == "id"
    assert "select" in found.get_view_definition("big_orders", schema="alchemy").lower()


def test_reflects_a_whole_schema(engine, tables):
    metadata = sa.MetaData()
    metadata.reflect(engine, schema="alchemy", views=True)
    assert set(metadata.tables) == {*tables, "alchemy.big_orders"}


def test_reads_and_writes(engine, tables):
    customers = tables["alchemy.customers"]
    with engine.begin() as connection:
        connection.execute(
            customers.insert(), [{"id": 1, "name": "a", "joined": None}, {"id": 2, "name": "b", "joined": None}]
        )
        names = connection.execute(
            sa.select(customers.c.name).where(customers.c.id > 1).order_by(customers.c.id)
        )
        assert names.scalars().all() == ["b"]


def run_literally(connection, command):
    """The driver binds on the server, where UNLOAD and COPY take no parameters."""
    compiled = command.compile(connection, compile_kwargs={"literal_binds": True})
    connection.exec_driver_sql(str(compiled).replace("%", "%%"))


def test_unloads_and_copies(engine, tables):
    customers = tables["alchemy.customers"]
    role = "arn:aws:iam::000000000000:role/any"
    with engine.begin() as connection:
        connection.execute(customers.delete())
        connection.execute(customers.insert(), [{"id": i, "name": f"n{i}"} for i in range(10)])
        run_literally(
            connection,
            commands.UnloadFromSelect(
                select=sa.select(customers.c.id, customers.c.name),
                unload_location="s3://alchemy-bucket/customers/",
                iam_role_arns=role,
            ),
        )
        connection.execute(sa.text("create table alchemy.copied (id bigint, name varchar(40))"))
        copied = sa.table("copied", sa.column("id"), sa.column("name"), schema="alchemy")
        run_literally(
            connection,
            commands.CopyCommand(
                to=copied, data_location="s3://alchemy-bucket/customers/", iam_role_arns=role
            ),
        )
        count = connection.execute(sa.select(sa.func.count()).select_from(copied))
        assert count.scalar() == 10
