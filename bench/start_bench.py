#!/usr/bin/python3
"""What an idle Leat costs: start to `ready`, resident memory, CPU, a sync with nothing to do.
start_bench.py BINARY

Each figure beside its limit; the start is the median of nine, on a data directory that exists.
"""

import json
import os
import re
import select
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

STARTS = 9
SYNCS = 31
IDLE_SECONDS = 20


def start(binary, data):
    """The process and the seconds until it said that it is ready."""
    environment = dict(os.environ)
    for part in ("COLLECT", "CONSOLE", "WAREHOUSE", "DATA_API"):
        environment[f"LEAT_{part}_LISTEN"] = "127.0.0.1:0"
    began = time.monotonic()
    process = subprocess.Popen(
        [binary, "up", "--data", data],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    readable, _, _ = select.select([process.stdout], [], [], 60)
    line = process.stdout.readline() if readable else b""
    if line != b"ready\n":
        process.kill()
        sys.exit(f"not ready: {line!r}")
    return process, time.monotonic() - began


def stop(process):
    process.terminate()
    process.wait(30)
    process.stdout.close()


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmRSS:\s+(\d+) kB", file.read()).group(1)) / 1024


def sync_milliseconds(data):
    """How long POST /api/sync takes, over and over, when every event is loaded."""
    with open(os.path.join(data, "connection.json"), encoding="ascii") as file:
        connection = json.load(file)
    with open(os.path.join(data, "console-token"), encoding="ascii") as file:
        token = file.read().strip()
    event = {
        "writeKey": connection["sources"][0]["write_key"],
        "event": "Seen",
        "userId": "u",
        "properties": {"n": 1},
    }
    with urllib.request.urlopen(
        urllib.request.Request(
            connection["collect"]["url"] + "/v1/track",
            json.dumps(event).encode(),
            {"Content-Type": "application/json"},
        )
    ) as answer:
        answer.read()
    took = []
    for _ in range(SYNCS + 1):
        began = time.monotonic()
        request = urllib.request.Request(
            connection["console"]["url"] + "/api/sync", b"", {"Leat-Token": token}
        )
        with urllib.request.urlopen(request) as answer:
            batches = sum(sync["batches"] for sync in json.load(answer)["syncs"])
        took.append(1000 * (time.monotonic() - began))
        if (batches > 0) != (len(took) == 1):
            sys.exit(f"sync {len(took)} loaded {batches} batches")
    return took[1:]


def main(binary):
    folder = tempfile.mkdtemp(prefix="leat-bench-")
    try:
        data = os.path.join(folder, "data")
        process, first = start(binary, data)
        stop(process)
        seconds = []
        for _ in range(STARTS):
            process, took = start(binary, data)
            seconds.append(took)
            stop(process)
        process, _ = start(binary, data)
        time.sleep(5)  # the first syncs
        before, began = cpu_seconds(process.pid), time.monotonic()
        time.sleep(IDLE_SECONDS)
        share = (cpu_seconds(process.pid) - before) / (time.monotonic() - began)
        memory = resident_mib(process.pid)
        syncs = sync_milliseconds(data)
        stop(process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"first start, data directory made   {first:8.3f} s")
    print(f"start to ready, median of {STARTS}        {statistics.median(seconds):8.3f} s   limit 1 s")
    print(f"idle CPU over {IDLE_SECONDS} s                 {100 * share:8.2f} %   limit 1 % of a core")
    print(f"resident memory, idle              {memory:8.0f} MiB limit 150 MiB")
    print(f"sync with nothing to do, median of {SYNCS} {statistics.median(syncs):6.2f} ms  limit 50 ms")


if __name__ == "__main__":
    main(sys.argv[1])
