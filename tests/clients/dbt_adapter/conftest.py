"""dbt's published adapter tests against one `leat up`."""

import inspect
import os
import shutil
import sys
import tempfile

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(os.path.dirname(HERE)), "e2e"), os.path.dirname(HERE)]

from leat import Running  # noqa: E402 pylint: disable=wrong-import-position
from time_limit import limited_to  # noqa: E402 pylint: disable=wrong-import-position

pytest_plugins = ["dbt.tests.fixtures.project"]

TEST_SECONDS = 240
USERS = ["dbt_test_user_1", "dbt_test_user_2", "dbt_test_user_3"]


@pytest.fixture(autouse=True)
def time_limit():
    with limited_to(TEST_SECONDS):
        yield


@pytest.fixture(scope="class")
def test_data_dir(request):
    """Beside the package's own module, not beside the one that gathers its classes."""
    return os.path.join(os.path.dirname(inspect.getfile(request.cls.__mro__[1])), "data")


@pytest.fixture(scope="session")
def leat():
    folder = tempfile.mkdtemp(prefix="leat-dbt-")
    os.environ.update({"DBT_SEND_ANONYMOUS_USAGE_STATS": "False", "DO_NOT_TRACK": "1", "HOME": folder})
    for number, name in enumerate(USERS, 1):
        os.environ[f"DBT_TEST_USER_{number}"] = name
    try:
        with Running(os.path.join(folder, "data"), {"LEAT_SYNC_EVERY": "1h"}) as running:
            for name in USERS:
                running.psql(f"create user {name} password 'Secret123'")
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="class")
def dbt_profile_target(leat):
    warehouse = leat.connection["warehouse"]
    return {
        "type": "redshift",
        "host": warehouse["host"],
        "port": warehouse["port"],
        "user": warehouse["user"],
        "pass": warehouse["password"],
        "dbname": warehouse["database"],
        "threads": 2,
        "retries": 1,
        "sslmode": "disable",
    }
