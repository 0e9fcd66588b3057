#!/usr/bin/python3
"""Rules over every tracked file that compilers and formatters do not check. Prints each breach
as FILE:LINE: what, and what to do instead; exit code 1 when there is one."""

import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WIDTH_MAX = 100
SCRIPT_WIDTH_MAX = 120
FILE_LINES_MAX = 700


def is_test(path):
    """Tests and tools may read the environment and need not use base."""
    return not path.startswith("src/") or path.endswith("_test.cc")


# What may not be called, where it may, and what to call instead.
BANNED = [
    (
        r"\bstd::w?regex\b",
        lambda path: False,
        "a parser or base/text.h: std::regex is slow and can exhaust the stack",
    ),
    (r"\bstd::sto(i|l|ll|ul|ull|f|d|ld)\b", is_test, "leat::parse_number (base/text.h)"),
    (r"\bato(i|l|ll|f)\(", is_test, "leat::parse_number (base/text.h)"),
    (r"\bstd::endl\b", lambda path: False, r"'\n'"),
    (
        r"\bsystem_clock::now\b",
        lambda path: path.startswith("src/base/"),
        "leat::Clock (base/clock.h)",
    ),
    (
        r"\bgetenv\(",
        lambda path: path.startswith("src/app/") or is_test(path),
        "a key of the configuration: the environment is read by app alone",
    ),
    (
        r"\bsleep_for\b|\busleep\(",
        lambda path: not path.endswith("_test.cc"),
        "a FakeClock, or waiting for the event itself",
    ),
    (r"\bstd::rand\b|\brand\(\)", lambda path: False, "leat::Random (base/random.h)"),
    (r"\bFIXME\b|\bXXX\b", lambda path: False, "finish it, or write an issue"),
]

breaches = []


def breach(path, line, what):
    breaches.append(f"{path}:{line}: {what}")


def tracked():
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        timeout=60,
        check=True,
        stdout=subprocess.PIPE,
    ).stdout
    names = [name for name in listed.decode().split("\0") if name]
    return [name for name in names if os.path.isfile(os.path.join(ROOT, name))]


def read_lines(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read().split("\n")


def is_script(path):
    return path.endswith((".py", ".sh", ".mjs", ".js")) or path in (
        "tools/dev",
        "tools/demo",
        ".ci/run",
    )


def without_raw_strings(lines):
    """The lines with the text of raw string literals (SQL, JSON: data) left out."""
    text = "\n".join(lines)
    return re.sub(
        r'R"([^()\\ ]{0,16})\(.*?\)\1"',
        lambda found: 'R""' + "\n" * found.group(0).count("\n"),
        text,
        flags=re.S,
    ).split("\n")


def check_code(path, lines):
    width = WIDTH_MAX if path.endswith((".cc", ".h")) else SCRIPT_WIDTH_MAX
    for number, line in enumerate(lines, 1):
        if len(line) > width:
            breach(path, number, f"{len(line)} columns; at most {width}")
        if "\t" in line:
            breach(path, number, "a tab; use spaces")
        if line != line.rstrip():
            breach(path, number, "space at the end of the line")
    if len(lines) > FILE_LINES_MAX:
        breach(path, len(lines), f"{len(lines)} lines; at most {FILE_LINES_MAX}: split it by job")


def without_strings_and_comments(line):
    line = re.sub(r'"(\\.|[^"\\])*"', '""', line)
    return line.split("//")[0]


def check_cpp(path, lines):
    for number, line in enumerate(lines, 1):
        if path.startswith("src/") and not path.endswith("_test.cc") and not line.isascii():
            breach(path, number, "not ASCII; write an escape")
        code = (
            without_strings_and_comments(line)
            if "FIXME" not in line and "XXX" not in line
            else line
        )
        for pattern, allowed, instead in BANNED:
            found = re.search(pattern, code)
            if found and not allowed(path):
                breach(path, number, f"{found.group(0)}; use {instead}")
    if path.endswith(".h") and not any(line.strip() == "#pragma once" for line in lines):
        breach(path, 1, "no #pragma once")


def anchor_of(heading):
    """The anchor that GitHub gives a heading."""
    text = re.sub(r"[`*]", "", heading.strip().lower())
    text = re.sub(r"[^\w\- ]", "", text)
    return text.replace(" ", "-")


def prose(lines):
    """(line number, line) outside code blocks."""
    fence = None
    for number, line in enumerate(lines, 1):
        mark = re.match(r"\s*(```+|~~~+)", line)
        if mark:
            if fence is None:
                fence = mark.group(1)
            elif line.strip().startswith(fence):
                fence = None
            continue
        if fence is None:
            yield number, line


def check_page(path, lines, anchors):
    headings = [number for number, line in prose(lines) if re.match(r"# \S", line)]
    if len(headings) != 1:
        breach(
            path,
            headings[1] if len(headings) > 1 else 1,
            f"{len(headings)} headings of the first level; exactly one",
        )
    for number, line in prose(lines):
        for target in re.findall(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", line)):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            resolved = os.path.normpath(os.path.join(os.path.dirname(path), name)) if name else path
            if not os.path.exists(os.path.join(ROOT, resolved)):
                breach(path, number, f"link to {target}: there is no {resolved}")
            elif anchor and resolved in anchors and anchor not in anchors[resolved]:
                breach(path, number, f"link to {target}: {resolved} has no heading for it")


def check_modules(paths):
    """Each module that has sources says what it is."""
    folders = {
        os.path.dirname(path) for path in paths if path.startswith("src/") and path.endswith(".cc")
    }
    for folder in sorted(folders):
        if f"{folder}/README.md" not in paths and not folder.endswith("testdata"):
            breach(folder, 1, "no README.md: one paragraph on the module's job")


def check_metrics(paths):
    """docs/reference/metrics.md names every metric that the sources make, and no other."""
    made = set()
    for path in paths:
        if path.startswith("src/") and path.endswith(".cc") and not path.endswith("_test.cc"):
            text = "\n".join(read_lines(path))
            made |= set(re.findall(r'(?:counter|gauge|histogram)\(\s*"(leat_[a-z0-9_]+)"', text))
    page = "docs/reference/metrics.md"
    told = set(re.findall(r"^\| `(leat_[a-z0-9_]+)` \|", "\n".join(read_lines(page)), re.M))
    for name in sorted(made - told):
        breach(page, 1, f"{name} is not there")
    for name in sorted(told - made):
        breach(page, 1, f"{name} is there, and nothing makes it")


def main():
    paths = tracked()
    pages = {}
    for path in paths:
        if path.startswith(("fuzz/corpus/",)) or "/testdata/" in path:
            continue
        if path.endswith((".cc", ".h")) or is_script(path):
            lines = read_lines(path)
            is_cpp = path.endswith((".cc", ".h"))
            check_code(path, without_raw_strings(lines) if is_cpp else lines)
            if path.endswith((".cc", ".h")):
                check_cpp(path, lines)
        elif path.endswith(".md"):
            pages[path] = read_lines(path)
    anchors = {
        path: {anchor_of(line.lstrip("#")) for _, line in prose(lines) if line.startswith("#")}
        for path, lines in pages.items()
    }
    for path, lines in pages.items():
        check_page(path, lines, anchors)
    check_modules(set(paths))
    check_metrics(paths)
    for text in breaches:
        print(text)
    print(f"{len(paths)} files, {len(breaches)} breaches")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
