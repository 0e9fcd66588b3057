#!/usr/bin/python3
"""Cold start, idle CPU and idle memory of `leat up` on a fresh and on a used data directory.

    bench/idle.py --leat build/release/leat [--starts 7] [--idle-seconds 20]

Floors: ready in less than 1 s, less than 1 % of a core, less than 150 MB resident.
"""
import argparse
import os
import select
import signal
import statistics
import subprocess
import sys
import tempfile
import time


def start(binary, data):
    environment = dict(os.environ)
    for name in ("COLLECT", "CONSOLE", "WAREHOUSE", "DATA_API"):
        environment[f"LEAT_{name}_LISTEN"] = "127.0.0.1:0"
    began = time.monotonic()
    process = subprocess.Popen([binary, "up", "--data", data], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, env=environment)
    text = b""
    while b"\nready\n" not in b"\n" + text:
        readable, _, _ = select.select([process.stdout], [], [], 30)
        piece = os.read(process.stdout.fileno(), 65536) if readable else b""
        if not piece:
            process.kill()
            raise SystemExit("leat did not become ready")
        text += piece
    return process, time.monotonic() - began


def stop(process):
    process.send_signal(signal.SIGTERM)
    process.wait(15)
    process.stdout.close()


def cpu_seconds(process):
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
        for line in file:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    raise SystemExit("no VmRSS")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--leat", required=True)
    parser.add_argument("--starts", type=int, default=7)
    parser.add_argument("--idle-seconds", type=float, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="leat-idle-") as folder:
        fresh, again = [], []
        for i in range(options.starts):
            data = os.path.join(folder, f"data{i}")
            for times in (fresh, again):
                process, seconds = start(options.leat, data)
                times.append(seconds)
                stop(process)
        process, _ = start(options.leat, os.path.join(folder, "data0"))
        time.sleep(3)
        cpu, began = cpu_seconds(process), time.monotonic()
        time.sleep(options.idle_seconds)
        percent = 100 * (cpu_seconds(process) - cpu) / (time.monotonic() - began)
        memory = resident_mb(process)
        stop(process)
    rows = [
        ("cold start, fresh data directory", statistics.median(fresh), "s", 1.0),
        ("cold start, used data directory", statistics.median(again), "s", 1.0),
        ("idle CPU of one core", percent, "%", 1.0),
        ("idle resident memory", memory, "MB", 150.0),
    ]
    missed = 0
    for name, value, unit, limit in rows:
        missed += value >= limit
        print(f"{name:40} {value:8.2f} {unit:3} limit {limit:g} {unit}  {'ok' if value < limit else 'MISSED'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
