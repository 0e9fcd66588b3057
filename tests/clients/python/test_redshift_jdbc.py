"""Amazon's JDBC driver, from Maven Central."""

import glob
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import jdbc  # noqa: E402 pylint: disable=wrong-import-position


@pytest.fixture(scope="module")
def outcomes(warehouse):
    (jar,) = glob.glob(os.path.join(os.environ["LEAT_JARS"], "redshift-jdbc42-*.jar"))
    return jdbc.run_checks(jar, "redshift", warehouse)


@pytest.mark.parametrize("check", jdbc.CHECKS)
def test_check(outcomes, check):
    assert outcomes[check] == ""

