#!/usr/bin/env python3
"""Writes what dbt's published adapter tests gave into docs/reference/dbt-adapter.md:

    report.py [--of TESTS] JUNIT_XML...

Several reports are of parts of the suite; a later one counts where they overlap, and --of says how many tests
there are in all. Why a test does not pass is said in reasons.toml, by the beginning of its name."""

import pathlib
import sys
import tomllib
import xml.etree.ElementTree as tree

HERE = pathlib.Path(__file__).resolve().parent
PAGE = HERE.parents[2] / "docs" / "reference" / "dbt-adapter.md"
MARKER = "<!-- generated -->\n"


def outcomes(reports):
    found = {}
    for report in reports:
        for case in tree.parse(report).getroot().iter("testcase"):
            name = case.get("classname").rsplit(".", 1)[-1].removeprefix("Test_")
            kinds = {part.tag for part in case}
            outcome = "failed" if kinds & {"failure", "error"} else "passed"
            found[f"{name}::{case.get('name')}"] = "skipped" if "skipped" in kinds else outcome
    return found


def folder(name):
    """The part of the suite: what stands before its file's name."""
    return name.split("_test_", 1)[0] if "_test_" in name else name.split("_", 1)[0]


def page(found, reasons, published):
    counts = {}
    for name, outcome in found.items():
        row = counts.setdefault(folder(name), {"passed": 0, "failed": 0, "skipped": 0})
        row[outcome] += 1
    total = {kind: sum(row[kind] for row in counts.values()) for kind in ("passed", "failed", "skipped")}
    lines = [f"{total['passed']} of {len(found)} tests pass."]
    if published > len(found):
        lines[0] += f" The other {published - len(found)} of the {published} have not been run."
    lines += ["", "| part | passed | failed | skipped |", "| --- | --- | --- | --- |"]
    for part, row in sorted(counts.items()):
        lines.append(f"| {part} | {row['passed']} | {row['failed']} | {row['skipped']} |")
    lines += ["", "## What does not pass", "", "| test | why |", "| --- | --- |"]
    for name, outcome in sorted(found.items()):
        if outcome == "failed":
            known = [why for begin, why in reasons.items() if name.startswith(begin)]
            why = known[0] if known else "not yet known"
            lines.append(f"| `{name}` | {why} |")
    return "\n".join(lines) + "\n"


def main():
    reasons = tomllib.loads((HERE / "reasons.toml").read_text(encoding="utf-8"))
    arguments = sys.argv[1:]
    published = 0
    if arguments[:1] == ["--of"]:
        published = int(arguments[1])
        arguments = arguments[2:]
    found = outcomes(arguments)
    text = PAGE.read_text(encoding="utf-8")
    at = text.index(MARKER) + len(MARKER)
    PAGE.write_text(text[:at] + "\n" + page(found, reasons, published), encoding="utf-8")


main()
