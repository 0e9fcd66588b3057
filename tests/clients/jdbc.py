"""Runs java/JdbcClient.java with a driver, and tells what each of its checks said."""

import os
import subprocess

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "java", "JdbcClient.java")
RUN_SECONDS = 150

CHECKS = [
    "select",
    "parameters",
    "prepared_again_and_again",
    "batch",
    "fetch_size",
    "fetch_size_binary",
    "moments",
    "batch_in_transaction",
    "altered_table",
    "savepoint",
    "transactions",
    "errors",
    "cancel",
    "query_timeout",
    "is_valid",
    "long_text",
    "result_metadata",
    "metadata_tables",
    "metadata_columns",
    "metadata_keys",
    "metadata_schemas",
    "metadata_types",
    "metadata_privileges",
    "metadata_functions",
    "metadata_rest",
]


def run_checks(jar, kind, warehouse):
    """{check: "" or why it failed}; kind is the URL's: "postgresql" or "redshift"."""
    url = f"jdbc:{kind}://{warehouse['host']}:{warehouse['port']}/{warehouse['database']}"
    done = subprocess.run(
        ["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", jar, SOURCE, url, warehouse["user"]],
        input=warehouse["password"],
        timeout=RUN_SECONDS,
        text=True,
        capture_output=True,
        check=False,
    )
    outcomes = dict.fromkeys(CHECKS, f"it never ran: {done.stderr[-2000:]}")
    for line in done.stdout.splitlines():
        verdict, _, rest = line.partition(" ")
        name, _, reason = rest.partition(": ")
        if verdict in ("ok", "failed"):
            if name not in outcomes:
                raise AssertionError(f"jdbc.py does not know the check {name}")
            outcomes[name] = "" if verdict == "ok" else reason
    return outcomes
