"""awswrangler: UNLOAD and then S3, S3 and then COPY, and SQL both ways. It is told nothing but
AWS_ENDPOINT_URL."""

import awswrangler as wr
import pandas as pd
import pytest

BUCKET = "wrangler-bucket"
ROLE = "arn:aws:iam::000000000000:role/any"


@pytest.fixture(scope="module")
def frame():
    return pd.DataFrame(
        {
            "id": range(1, 1001),
            "name": [f"name {i}" for i in range(1, 1001)],
            "price": [i / 4 for i in range(1, 1001)],
            "at": pd.date_range("2026-01-01", periods=1000, freq="h"),
            "good": [i % 2 == 0 for i in range(1, 1001)],
        }
    )


def test_copy(connection, frame):
    wr.redshift.copy(
        df=frame,
        path=f"s3://{BUCKET}/copy/",
        con=connection,
        schema="public",
        table="wrangled",
        iam_role=ROLE,
        mode="overwrite",
    )
    back = wr.redshift.read_sql_query("select count(*) c, sum(price) p from wrangled", connection)
    assert back["c"].tolist() == [1000]
    assert float(back["p"].iloc[0]) == frame["price"].sum()
    # The staged files are gone.
    assert wr.s3.list_objects(f"s3://{BUCKET}/copy/") == []


def test_unload(connection, frame):
    wr.redshift.copy(
        df=frame, path=f"s3://{BUCKET}/unload-from/", con=connection, schema="public",
        table="unloaded", iam_role=ROLE, mode="overwrite",
    )
    back = wr.redshift.unload(
        sql="select * from public.unloaded order by id",
        path=f"s3://{BUCKET}/unload/",
        con=connection,
        iam_role=ROLE,
        keep_files=False,
    ).sort_values("id")
    assert back["name"].tolist() == frame["name"].tolist()
    assert back["at"].tolist() == frame["at"].tolist()
    assert back["good"].tolist() == frame["good"].tolist()
    assert wr.s3.list_objects(f"s3://{BUCKET}/unload/") == []


def test_unload_with_keys_and_partitions(connection, frame, data_api):
    wr.redshift.copy(
        df=frame, path=f"s3://{BUCKET}/parts-from/", con=connection, schema="public",
        table="parts", iam_role=ROLE, mode="overwrite",
    )
    wr.redshift.unload_to_files(
        sql="select id, name, good from public.parts",
        path=f"s3://{BUCKET}/parts/",
        con=connection,
        aws_access_key_id=data_api["access_key_id"],
        aws_secret_access_key=data_api["secret_access_key"],
        unload_format="PARQUET",
        partition_cols=["good"],
    )
    back = wr.s3.read_parquet(f"s3://{BUCKET}/parts/", dataset=True)
    assert len(back) == 1000 and set(back.columns) == {"id", "name", "good"}


def test_upsert(connection, frame):
    for start in (0, 500):
        wr.redshift.copy(
            df=frame.iloc[start : start + 500].assign(price=start + 0.5),
            path=f"s3://{BUCKET}/upsert/",
            con=connection,
            schema="public",
            table="upserted",
            iam_role=ROLE,
            mode="upsert",
            primary_keys=["id"],
        )
    wr.redshift.copy(
        df=frame.iloc[:100],
        path=f"s3://{BUCKET}/upsert/",
        con=connection,
        schema="public",
        table="upserted",
        iam_role=ROLE,
        mode="upsert",
        primary_keys=["id"],
    )
    back = wr.redshift.read_sql_query(
        "select count(*) c, count(distinct id) d from upserted", connection
    )
    assert back.iloc[0].tolist() == [1000, 1000]


def test_to_sql(connection, frame):
    wr.redshift.to_sql(frame.head(50), connection, "by_insert", "public", mode="overwrite")
    table = wr.redshift.read_sql_table("by_insert", connection, "public")
    assert sorted(table["id"].tolist()) == list(range(1, 51))


def test_data_api(leat):
    assert leat
    con = wr.data_api.redshift.connect(workgroup_name="leat", database="dev")
    back = wr.data_api.redshift.read_sql_query("select 1 as a, 'x' as b", con=con)
    assert back.iloc[0].tolist() == [1, "x"]


def test_connection_with_temporary_password(warehouse):
    with wr.redshift.connect_temp(
        cluster_identifier="leat", user="leat", database=warehouse["database"], ssl=False
    ) as opened:
        assert wr.redshift.read_sql_query("select 1 as one", opened)["one"].tolist() == [1]
