#!/usr/bin/env python3
"""Runs .slt files in DuckDB itself and compares its answers with the expected rows.

    judge.py [--write] FILE...

For files whose expected rows are DuckDB's (tpch.slt, tickit.slt). It needs the duckdb package of
PyPI, so no test runs it; --write puts DuckDB's answers into the files. Redshift's table attributes
are taken out of a statement, and functions that DuckDB lacks are macros here. Lines of comment that
begin with "#|" before a record are the same question in DuckDB's SQL, where Redshift's differs; "#|skip" stands
before a record that DuckDB cannot answer.
"""
import re
import sys

SETTINGS = [
    "set integer_division = true",
    "set default_null_order = 'nulls_last_on_asc_first_on_desc'",
]
MACROS = [
    "create macro decode(x, a, r) as case x when a then r end, "
    "(x, a, r, b, s, d) as case x when a then r when b then s else d end",
    "create macro add_months(d, n) as cast(d as timestamp) + to_months(n)",
    "create macro nvl(a, b) as coalesce(a, b)",
]
ATTRIBUTES = re.compile(
    r"\)\s*((diststyle \w+|distkey ?\(\w+\)|(compound )?sortkey ?\([^)]*\))\s*)+$", re.I)


def duckdb_sql(sql):
    sql = ATTRIBUTES.sub(")", sql.strip()).replace("::float", "::double").replace(") minus (", ") except (")
    sql = re.sub(r"dateadd\((\w+), (-?\d+), ", lambda m: "date_add(" + m[0][8:], sql)
    for part, unit in (("qtr", "3 month"), ("month", "1 month"), ("day", "1 day")):
        sql = re.sub(r"date_add\(%s, (-?\d+), ([^()]*)\)" % part,
                     r"(\2 + \1 * interval '%s')" % unit, sql)
    top = re.match(r"(?s)(.*\bselect )top (\d+) (.*)$", sql)
    if top:
        sql = top[1] + top[3] + " limit " + top[2]
    return re.sub(r"date_part\((year|month), ", r"date_part('\1', ", sql)


def shown(value):
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, float):
        return "%.15g" % value
    return str(value) or "(empty)"


def records(lines):
    """(first line of the record, end of its SQL, end of its rows, DuckDB's SQL) for each."""
    at = 0
    own = []
    while at < len(lines):
        line = lines[at]
        if line.startswith("#|"):
            own.append(line[2:])
        if not line.startswith(("query", "statement")):
            at += 1
            continue
        start = at
        while at < len(lines) and lines[at] and lines[at] != "----":
            at += 1
        end_of_sql = at
        while at < len(lines) and lines[at]:
            at += 1
        skipped = own == ["skip"]
        sql = "\n".join(own) if own else duckdb_sql("\n".join(lines[start + 1:end_of_sql]))
        own = []
        if skipped:
            continue
        yield start, end_of_sql, at, sql


def judge(path, write):
    import duckdb  # here, so that bench/tpch_bench.py can read the questions without it

    lines = open(path, encoding="utf-8").read().split("\n")
    connection = duckdb.connect()
    for statement in SETTINGS + MACROS:
        connection.execute(statement)
    made = []
    copied = 0
    checked = different = failed = empty = 0
    answers = "every query answers" in lines
    for start, end_of_sql, end, sql in records(lines):
        head = lines[start]
        if head.startswith("statement error"):
            continue
        try:
            result = connection.execute(sql)
            rows = result.fetchall() if head.startswith("query") else []
        except duckdb.Error as error:
            print(f"{path}:{start + 1}: {error}\n{sql}")
            failed += 1
            continue
        if not head.startswith("query"):
            continue
        got = ["\t".join(shown(value) for value in row) for row in rows]
        if " rowsort" in head:
            got.sort()
        names = ["\t".join(column[0] for column in result.description)] if " columns" in head else []
        if answers and not any(value is not None for row in rows for value in row):
            print(f"{path}:{start + 1}: no answer: {sql}")
            empty += 1
        expected = lines[end_of_sql + 1:end]
        if " rowsort" in head:
            expected = expected[:len(names)] + sorted(expected[len(names):])
        checked += 1
        if expected != names + got:
            different += 1
            if not write:
                print(f"{path}:{start + 1}: {sql}\n  expected {expected}\n  DuckDB   {names + got}")
        made += lines[copied:end_of_sql] + ["----"] + names + got
        copied = end
    if write:
        open(path, "w", encoding="utf-8").write("\n".join(made + lines[copied:]))
    print(f"{path}: {checked} answers, {different} {'changed' if write else 'different'}, {empty} without an answer, "
          f"{failed} statements that DuckDB refuses")
    return (different == 0 or write) and failed + empty == 0


if __name__ == "__main__":
    arguments = sys.argv[1:]
    writing = "--write" in arguments
    results = [judge(path, writing) for path in arguments if path != "--write"]
    sys.exit(0 if all(results) else 1)
