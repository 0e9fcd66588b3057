#!/usr/bin/python3
"""TPC-H's 22 questions through the wire beside DuckDB in-process, on the same rows.

    tpch_bench.py BINARY LIBDUCKDB [--scale N] [--rounds N] [--json]

The questions are those of tests/sql/tpch.slt; the rows are made by DuckDB (the very library that the
warehouse uses, with its defaults), written as Parquet, and loaded by COPY into the warehouse and by
CREATE TABLE AS into DuckDB. N = 1 is about 60,000 lines of orders (TPC-H's own scale 0.01). Each
question is asked of both in turns, its rows read to the end; medians. Goal: at most 1.1 x DuckDB's
time in all.
"""

import argparse
import ctypes
import importlib.util
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import psycopg2

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
GOAL = 1.1

# Each table: Redshift's columns, and DuckDB's query for its rows ($s: the scale).
TABLES = {
    "region": (
        "r_regionkey int, r_name varchar(25), r_comment varchar(152)",
        "select range::int, ['AFRICA','AMERICA','ASIA','EUROPE','MIDDLE EAST'][range + 1], 'region' from range(5)",
    ),
    "nation": (
        "n_nationkey int, n_name varchar(25), n_regionkey int, n_comment varchar(152)",
        "select range::int, "
        "['ALGERIA','ARGENTINA','BRAZIL','CANADA','EGYPT','ETHIOPIA','FRANCE','GERMANY',"
        "'INDIA','INDONESIA','IRAN','IRAQ','JAPAN','JORDAN','KENYA','MOROCCO',"
        "'MOZAMBIQUE','PERU','CHINA','ROMANIA','SAUDI "
        "ARABIA','VIETNAM','RUSSIA','UNITED KINGDOM','UNITED STATES'][range + 1], "
        "'0111403322442400012342331'[range + 1]::int, 'nation' from range(25)",
    ),
    "supplier": (
        "s_suppkey int, s_name varchar(25), s_address varchar(40), s_nationkey int, s_phone varchar(15), "
        "s_acctbal decimal(12,2), s_comment varchar(101)",
        "select (n + 1)::int, printf('Supplier#%09d', n + 1), 'Address ' || n, (n % 25)::int, printf('%d-%03d', "
        "n % 25 + 10, hash(n) % 1000), ((hash(n) % 1099898)::int / 100.0 - 999)::decimal(12,2), case when n % "
        "100 = 5 then 'slow Customer of many Complaints' else 'as agreed' end from (select range as n from "
        "range(100 * $s))",
    ),
    "customer": (
        "c_custkey int, c_name varchar(25), c_address varchar(40), c_nationkey int, c_phone varchar(15), "
        "c_acctbal decimal(12,2), c_mktsegment varchar(10), c_comment varchar(117)",
        "select (n + 1)::int, printf('Customer#%09d', n + 1), 'Street ' || n, (hash(n) % 25)::int, "
        "printf('%d-%03d', hash(n) % 25 + 10, n % 1000), ((hash(n + 7) % 1099898)::int / 100.0 - "
        "999)::decimal(12,2), ['AUTOMOBILE','BUILDING','FURNITURE','HOUSEHOLD','MACHINERY'][(hash(n + 1) % 5 + "
        "1)::int], 'customer' from (select range as n from range(1500 * $s))",
    ),
    "part": (
        "p_partkey int, p_name varchar(55), p_mfgr varchar(25), p_brand varchar(10), p_type varchar(25), p_size "
        "int, p_container varchar(10), p_retailprice decimal(12,2), p_comment varchar(23)",
        "select (n + 1)::int, ['almond','forest','green','ivory','navy','peach','red','sky'][(hash(n) % 8 + "
        "1)::int] || ' ' || ['blue','coral','forest','green','lace','plum','tan'][(hash(n + 1) % 7 + 1)::int], "
        "'Manufacturer#' || (n % 5 + 1), 'Brand#' || (n % 5 + 1) || (hash(n + 2) % 5 + 1), "
        "['STANDARD','SMALL','MEDIUM','LARGE','ECONOMY','PROMO'][(hash(n + 3) % 6 + 1)::int] || ' ' || "
        "['ANODIZED','BURNISHED','PLATED','POLISHED','BRUSHED'][(hash(n + 4) % 5 + 1)::int] || ' ' || "
        "['TIN','NICKEL','BRASS','STEEL','COPPER'][(hash(n + 5) % 5 + 1)::int], (hash(n + 6) % 50 + 1)::int, "
        "['SM','LG','MED','JUMBO'][(hash(n + 7) % 4 + 1)::int] || ' ' || ['CASE','BOX','BAG','PACK'][(hash(n + "
        "8) % 4 + 1)::int], (900 + n % 1000 + (n % 100) / 100.0)::decimal(12,2), 'part' from (select range as n "
        "from range(2000 * $s))",
    ),
    "partsupp": (
        "ps_partkey int, ps_suppkey int, ps_availqty int, ps_supplycost decimal(12,2), ps_comment varchar(199)",
        "select (p.range + 1)::int, ((p.range + s.range * (25 * $s + 1)) % (100 * $s) + 1)::int, (hash(p.range, "
        "s.range) % 9999 + 1)::int, ((hash(s.range, p.range) % 100000)::int / 100.0 + 1)::decimal(12,2), "
        "'partsupp' from range(2000 * $s) p, range(4) s",
    ),
    "orders": (
        "o_orderkey int, o_custkey int, o_orderstatus varchar(1), o_totalprice decimal(12,2), o_orderdate date, "
        "o_orderpriority varchar(15), o_clerk varchar(15), o_shippriority int, o_comment varchar(79)",
        "select (n + 1)::int, (hash(n) % (1000 * $s) // 2 * 3 + 1)::int, ['F','O','P'][(hash(n + 1) % 3 + "
        "1)::int], ((hash(n + 2) % 40000000)::int / 100.0 + 800)::decimal(12,2), date '1992-01-01' + (hash(n + "
        "3) % 2405)::int, ['1-URGENT','2-HIGH','3-MEDIUM','4-NOT SPECIFIED','5-LOW'][(hash(n + 4) % 5 + "
        "1)::int], 'Clerk#' || (n % 9), 0, case when n % 13 = 4 then 'a special order with requests' else "
        "'order' end from (select range as n from range(15000 * $s))",
    ),
    "lineitem": (
        "l_orderkey int, l_partkey int, l_suppkey int, l_linenumber int, l_quantity decimal(12,2), "
        "l_extendedprice decimal(12,2), l_discount decimal(12,2), l_tax decimal(12,2), l_returnflag varchar(1), "
        "l_linestatus varchar(1), l_shipdate date, l_commitdate date, l_receiptdate date, l_shipinstruct "
        "varchar(25), l_shipmode varchar(10), l_comment varchar(44)",
        "select o, p, ((p - 1 + s * (25 * $s + 1)) % (100 * $s) + 1)::int, l, q, q * p_retailprice, ((o + l) % "
        "11 / 100.0)::decimal(12,2), (o * l % 9 / 100.0)::decimal(12,2), case when day + shipped + taken > date "
        "'1995-06-17' then 'N' when (o + l) % 2 = 0 then 'R' else 'A' end, case when day + shipped > date "
        "'1995-06-17' then 'O' else 'F' end, day + shipped, day + promised, day + shipped + taken, ['DELIVER IN "
        "PERSON','COLLECT COD','NONE','TAKE BACK RETURN'][(o + l * 3) % 4 + 1], ['REG "
        "AIR','AIR','RAIL','SHIP','TRUCK','MAIL','FOB'][(o * 2 + l) % 7 + 1], 'line' from (select o_orderkey as "
        "o, (l.range + 1)::int as l, o_orderdate as day, (hash(o_orderkey, l.range) % (2000 * $s) + 1)::int as "
        "p, (hash(l.range, o_orderkey) % 4)::int as s, (hash(o_orderkey, l.range, 1) % 50 + 1)::int as q, "
        "(hash(o_orderkey, l.range, 2) % 121 + 1)::int as shipped, (hash(o_orderkey, l.range, 3) % 61 + 30)::int "
        "as promised, (hash(o_orderkey, l.range, 4) % 30 + 1)::int as taken from orders, range(7) l where "
        "l.range <= hash(o_orderkey) % 7) join part on p_partkey = p",
    ),
}


class DuckDb:
    """DuckDB's C interface, as much as this needs."""

    def __init__(self, library, path):
        self.library = ctypes.CDLL(library)
        self.library.duckdb_fetch_chunk.restype = ctypes.c_void_p
        self.library.duckdb_result_error.restype = ctypes.c_char_p
        self.library.duckdb_data_chunk_get_size.restype = ctypes.c_uint64
        self.library.duckdb_data_chunk_get_size.argtypes = [ctypes.c_void_p]
        self.library.duckdb_fetch_chunk.argtypes = [Result]
        self.database = ctypes.c_void_p()
        self.connection = ctypes.c_void_p()
        if self.library.duckdb_open(path.encode(), ctypes.byref(self.database)) != 0:
            sys.exit("DuckDB does not open " + path)
        self.library.duckdb_connect(self.database, ctypes.byref(self.connection))

    def run(self, sql):
        """Reads all rows; returns their number."""
        result = Result()
        if self.library.duckdb_query(self.connection, sql.encode(), ctypes.byref(result)) != 0:
            sys.exit(f"DuckDB: {self.library.duckdb_result_error(ctypes.byref(result)).decode()}\n{sql}")
        rows = 0
        while chunk := ctypes.c_void_p(self.library.duckdb_fetch_chunk(result)):
            rows += self.library.duckdb_data_chunk_get_size(chunk)
            self.library.duckdb_destroy_data_chunk(ctypes.byref(chunk))
        self.library.duckdb_destroy_result(ctypes.byref(result))
        return rows


class Result(ctypes.Structure):
    _fields_ = [("fields", ctypes.c_uint64 * 6)]


def questions():
    """(name, Redshift's SQL, DuckDB's SQL) of each."""
    spec = importlib.util.spec_from_file_location("judge", os.path.join(ROOT, "tests/sql/judge.py"))
    judge = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(judge)
    with open(os.path.join(ROOT, "tests/sql/tpch.slt"), encoding="utf-8") as file:
        lines = file.read().split("\n")
    found = []
    for start, end_of_sql, _, sql in judge.records(lines):
        name = re.match(r"# (Q\d+)", lines[start - 1])
        if name:
            found.append((name[1], "\n".join(lines[start + 1:end_of_sql]), sql))
    return judge, found


def start_warehouse(binary, data):
    environment = dict(os.environ)
    for part in ("WAREHOUSE", "DATA_API"):
        environment[f"LEAT_{part}_LISTEN"] = "127.0.0.1:0"
    process = subprocess.Popen(
        [binary, "warehouse", "--data", data],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    if process.stdout.readline() != "ready\n":
        sys.exit("the warehouse does not start: " + process.stderr.read())
    with open(os.path.join(data, "connection.json"), encoding="utf-8") as file:
        place = json.load(file)["warehouse"]
    client = psycopg2.connect(host=place["host"], port=place["port"], user=place["user"], password=place["password"],
                              dbname=place["database"], connect_timeout=10)
    client.autocommit = True
    return process, client


def load(duckdb, cursor, store, scale):
    os.makedirs(store)
    for name, (columns, rows) in TABLES.items():
        duckdb.run(f"create table {name} ({columns})")
        duckdb.run(f"insert into {name} " + rows.replace("$s", str(scale)))
        duckdb.run(f"copy {name} to '{store}/{name}.parquet' (format parquet)")
        cursor.execute(f"create table {name} ({columns})")
        cursor.execute(f"copy {name} from 's3://bench/{name}.parquet' iam_role default format parquet")
    duckdb.run("checkpoint")


def measured(work):
    began = time.monotonic()
    rows = work()
    return time.monotonic() - began, rows


def compare(asked, duckdb, cursor, rounds):
    """Seconds of both by question: {name: (warehouse, DuckDB)}."""
    def through_the_wire(sql):
        cursor.execute(sql)
        return len(cursor.fetchall())

    figures = {}
    for name, redshift_sql, duckdb_sql in asked:
        ours, theirs = [], []
        for _ in range(rounds):
            seconds, expected = measured(lambda: duckdb.run(duckdb_sql))
            theirs.append(seconds)
            seconds, rows = measured(lambda: through_the_wire(redshift_sql))
            ours.append(seconds)
            if rows != expected:
                sys.exit(f"{name}: {rows} rows, DuckDB has {expected}")
        figures[name] = (statistics.median(ours), statistics.median(theirs))
    return figures


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("library")
    parser.add_argument("--scale", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="leat-tpch-")
    process = None
    try:
        judge, asked = questions()
        duckdb = DuckDb(arguments.library, os.path.join(folder, "judge.db"))
        for statement in judge.SETTINGS + judge.MACROS:
            duckdb.run(statement)
        data = os.path.join(folder, "data")
        process, client = start_warehouse(arguments.binary, data)
        cursor = client.cursor()
        load(duckdb, cursor, os.path.join(data, "objects/bench"), arguments.scale)
        figures = compare(asked, duckdb, cursor, arguments.rounds)
    finally:
        if process:
            process.terminate()
            process.wait(30)
        shutil.rmtree(folder)
    ours = sum(pair[0] for pair in figures.values())
    theirs = sum(pair[1] for pair in figures.values())
    if arguments.json:
        print(json.dumps({"questions": figures, "ratio": ours / theirs, "goal": GOAL}))
        return
    for name, (mine, judged) in figures.items():
        print(f"  {name:4} {mine * 1000:8.1f} ms   DuckDB {judged * 1000:8.1f} ms   {mine / judged:5.2f} x")
    print(f"TPC-H, 22 questions through the wire: {ours:.3f} s; DuckDB in-process: {theirs:.3f} s; "
          f"ratio {ours / theirs:.2f} (goal at most {GOAL})")


if __name__ == "__main__":
    main()
