"""One `leat up` for all client tests, a time limit on each test, and the failures that are known.

A known failure is named in known_failures.toml with its reason. It is expected: when the test passes
all the same, the suite fails, so that the list stays true."""

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib

import pytest
import redshift_connector

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
sys.path[:0] = [os.path.join(ROOT, "tests", "e2e"), os.path.join(ROOT, "tests", "clients")]

from leat import Running  # noqa: E402 pylint: disable=wrong-import-position
from time_limit import limited_to  # noqa: E402 pylint: disable=wrong-import-position

TEST_SECONDS = 120


def known_failures():
    with open(os.path.join(HERE, "known_failures.toml"), "rb") as file:
        return tomllib.load(file)


def pytest_collection_modifyitems(items):
    """Marks what is known to fail. A name that is no test is an error: it would hide a typo."""
    known = known_failures()
    for item in items:
        reason = known.pop(item.nodeid.rsplit("/", 1)[-1], None)
        if reason is not None:
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))
    collected = {item.nodeid.rsplit("/", 1)[-1].split("::", 1)[0] for item in items}
    unknown = [name for name in known if name.split("::", 1)[0] in collected]
    whole_files = not any("::" in argument for argument in sys.argv[1:])
    if unknown and whole_files and "-k" not in sys.argv:
        raise pytest.UsageError(f"known_failures.toml names no test: {unknown}")


@pytest.fixture(autouse=True)
def time_limit():
    with limited_to(TEST_SECONDS):
        yield


def make_certificate(folder):
    certificate, key = os.path.join(folder, "server.crt"), os.path.join(folder, "server.key")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, timeout=60, capture_output=True,
    )
    return certificate, key


@pytest.fixture(scope="session")
def leat():
    """The whole program on a fresh data directory."""
    folder = tempfile.mkdtemp(prefix="leat-clients-")
    home = os.path.join(folder, "home")
    os.mkdir(home)
    certificate, key = make_certificate(folder)
    settings = {
        "LEAT_SYNC_EVERY": "1h",
        "LEAT_WAREHOUSE_TLS_CERTIFICATE": certificate,
        "LEAT_WAREHOUSE_TLS_KEY": key,
    }
    try:
        with Running(os.path.join(folder, "data"), settings) as running:
            # No file of the user's, and no service of the machine's, has a say.
            for name in list(os.environ):
                if name.startswith(("AWS_", "PG", "DBT_")):
                    del os.environ[name]
            data_api = running.connection["data_api"]
            os.environ.update(
                {
                    "HOME": home,
                    "AWS_ACCESS_KEY_ID": data_api["access_key_id"],
                    "AWS_SECRET_ACCESS_KEY": data_api["secret_access_key"],
                    "AWS_DEFAULT_REGION": data_api["region"],
                    "AWS_ENDPOINT_URL": data_api["url"],
                    "AWS_EC2_METADATA_DISABLED": "true",
                    "AWS_PAGER": "",
                    "AWS_MAX_ATTEMPTS": "2",
                    # Amazon's drivers insist on TLS with a certificate that is trusted for IAM.
                    "SSL_CERT_FILE": certificate,
                }
            )
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def warehouse(leat):
    return leat.connection["warehouse"]


@pytest.fixture(scope="session")
def data_api(leat):
    return leat.connection["data_api"]


@pytest.fixture(scope="module")
def connection(warehouse):
    """One of Amazon's driver."""
    with redshift_connector.connect(
        host=warehouse["host"],
        port=warehouse["port"],
        database=warehouse["database"],
        user=warehouse["user"],
        password=warehouse["password"],
        ssl=False,
        timeout=60,
    ) as opened:
        yield opened
