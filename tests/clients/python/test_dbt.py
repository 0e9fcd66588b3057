"""dbt-redshift on a project of our own: every command an analyst types, twice, with data that has
moved on in between."""

import json
import os
import shutil
import subprocess
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
PROJECT = os.path.join(HERE, "dbt_project")
COMMAND_SECONDS = 120

PROFILE = """leat:
  target: test
  outputs:
    test:
      type: redshift
      host: "{host}"
      port: {port}
      user: "{user}"
      password: "{password}"
      dbname: "{database}"
      schema: shop
      threads: 2
      sslmode: disable
      connect_timeout: 30
      ra3_node: true
"""

# Each command once, in order: a name for its results, and what is typed.
COMMANDS = {
    "debug": ["debug"],
    "seed": ["seed"],
    "run": ["run"],
    "test": ["test"],
    "snapshot": ["snapshot"],
    "run_later": ["run", "--vars", "{later: true}"],
    "snapshot_later": ["snapshot", "--vars", "{later: true}"],
    "test_later": ["test", "--vars", "{later: true}"],
    "run_operation": ["run-operation", "tidy_up"],
    "docs": ["docs", "generate"],
    "full_refresh": ["run", "--full-refresh", "--vars", "{later: true}"],
    "build": ["build", "--select", "+customer_orders", "--vars", "{later: true}"],
}


class Dbt:
    def __init__(self, warehouse, folder):
        self.folder = os.path.join(folder, "project")
        shutil.copytree(PROJECT, self.folder)
        with open(os.path.join(folder, "profiles.yml"), "w", encoding="utf-8") as file:
            file.write(PROFILE.format(**warehouse))
        self.environment = {
            **os.environ,
            "DBT_PROFILES_DIR": str(folder),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "False",
            "DO_NOT_TRACK": "1",
            "DBT_USE_COLORS": "False",
        }
        self.outcomes = {}

    def run(self, name, arguments):
        program = os.path.join(os.path.dirname(sys.executable), "dbt")
        try:
            done = subprocess.run(
                [program, "--no-use-colors", *arguments],
                cwd=self.folder,
                env=self.environment,
                timeout=COMMAND_SECONDS,
                text=True,
                capture_output=True,
                stdin=subprocess.DEVNULL,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            self.outcomes[name] = (-1, {}, str(late))
            return
        results = os.path.join(self.folder, "target", "run_results.json")
        nodes = {}
        if os.path.exists(results):
            with open(results, encoding="utf-8") as file:
                for each in json.load(file)["results"]:
                    nodes[each["unique_id"].split(".", 2)[2]] = (each["status"], each["message"])
            os.remove(results)
        self.outcomes[name] = (done.returncode, nodes, done.stdout + done.stderr)


@pytest.fixture(scope="module")
def sql(connection):
    connection.autocommit = True
    cursor = connection.cursor()

    def ask(text):
        cursor.execute(text)
        return [tuple(row) for row in cursor.fetchall()] if cursor.description else []

    return ask


@pytest.fixture(scope="module")
def dbt(warehouse, sql, tmp_path_factory):
    sql("create user dbt_reader password 'Secret123'")
    made = Dbt(warehouse, tmp_path_factory.mktemp("dbt"))
    for name, arguments in COMMANDS.items():
        made.run(name, arguments)
    return made


@pytest.mark.parametrize("name", COMMANDS)
def test_command(dbt, name):
    code, nodes, output = dbt.outcomes[name]
    failed = {node: said for node, said in nodes.items() if said[0] not in ("success", "pass")}
    assert failed == {}
    assert code == 0, output[-4000:]


def test_tables(dbt, sql):
    assert dbt
    assert sql("select customer_id, orders, amount from shop.customer_orders order by 1") == [
        (1, 2, pytest.approx(19.75)),
        (2, 2, pytest.approx(155)),
        (3, 0, 0),
        (4, 0, 0),
    ]


@pytest.mark.parametrize("table", ["orders_by_key", "orders_by_merge"])
def test_incremental_tables(dbt, sql, table):
    assert dbt
    assert sql(f"select id, status from shop.{table} order by id") == [
        (10, "shipped"),
        (11, "shipped"),
        (12, "placed"),
        (13, "returned"),
        (14, "placed"),
    ]


def test_snapshots_keep_history(dbt, sql):
    assert dbt
    for table in ("orders_by_time", "orders_by_check"):
        rows = sql(
            f"select id, status, dbt_valid_to is null from shop_snapshots.{table}"
            " where id in (10, 14) order by id, dbt_valid_from"
        )
        assert rows == [(10, "placed", False), (10, "shipped", True), (14, "placed", True)]


def test_late_binding_view_outlives_its_table(dbt, sql):
    assert dbt
    sql("create table shop.to_bind (a int)")
    sql("create view shop.bound_late as select a from shop.to_bind with no schema binding")
    sql("drop table shop.to_bind")
    definition = sql(
        "select definition from pg_views where schemaname = 'shop_staging'"
        " and viewname = 'stg_customers'"
    )
    assert "no schema binding" in definition[0][0].lower()


def test_grants(dbt, sql):
    assert dbt
    assert sql("select has_table_privilege('dbt_reader', 'shop.customer_orders', 'select')") == [
        (True,)
    ]


def test_materialized_view(dbt, sql):
    assert dbt
    assert sql("select status, orders from shop.amount_by_status order by 1") == [
        ("placed", 2),
        ("returned", 1),
        ("shipped", 1),
    ]


def test_catalog_lists_everything(dbt):
    assert dbt.outcomes["docs"][0] == 0
    with open(os.path.join(dbt.folder, "target", "catalog.json"), encoding="utf-8") as file:
        nodes = json.load(file)["nodes"]
    names = {name.split(".")[-1]: node for name, node in nodes.items()}
    wanted = {"customers", "orders", "stg_orders", "stg_customers", "customer_orders"}
    wanted |= {"orders_by_key", "orders_by_merge", "orders_appended", "amount_by_status"}
    assert wanted <= set(names)
    columns = names["customer_orders"]["columns"]
    assert list(columns) == [
        "customer_id",
        "name",
        "country",
        "orders",
        "amount",
        "last_ordered_at",
        "days_to_last_order",
    ]
    assert columns["amount"]["type"] == "numeric(14,2)"
    assert names["customer_orders"]["metadata"]["comment"].startswith("One row per customer")
