"""A real S3 server for the tests: Ceph's RADOS Gateway over one monitor and one object store in
memory, as plain processes on loopback in a folder of their own. Ready after about ten seconds."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
import uuid

ACCESS_KEY = "LEATTESTACCESS"
SECRET_KEY = "LEATTESTSECRETsecretSECRET"
PROGRAMS = ("ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "ceph", "ceph-authtool", "monmaptool")

CONFIGURATION = """[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{v2},v1:127.0.0.1:{v1}]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind port min = {low}
ms bind port max = {high}
run dir = {folder}/run
admin socket = {folder}/run/$name.$pid.asok
pid file = {folder}/run/$name.pid
log file = {folder}/log/$name.log
keyring = {folder}/keyring
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
mon allow pool size one = true
mon warn on pool no redundancy = false
osd crush chooseleaf type = 0
mon max pg per osd = 1000
mon data avail crit = 1
[mon.a]
mon data = {folder}/mon
[osd]
osd data = {folder}/osd
osd objectstore = memstore
memstore device bytes = 2147483648
osd memory target = 1073741824
osd class load list = *
osd class default list = *
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:{port}
rgw data = {folder}/rgw
"""


def missing():
    """The programs that are not installed."""
    return [name for name in PROGRAMS if shutil.which(name) is None]


def free_ports(count):
    """Ports that were free a moment ago, next to each other, below those that the system gives out."""
    for base in range(19480, 32000, 64):
        held = []
        try:
            for port in range(base, base + count):
                held.append(socket.socket())
                held[-1].bind(("127.0.0.1", port))
            return base
        except OSError:
            continue
        finally:
            for one in held:
                one.close()
    raise RuntimeError("no free ports")


class Ceph:
    """`with Ceph() as ceph:` starts it and gives `endpoint`; all is gone at the end."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="leat-ceph-")
        self.processes = []
        self.endpoint = ""

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.send_signal(signal.SIGKILL)
            process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, *command):
        done = subprocess.run(
            command,
            timeout=60,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.decode()[-2000:]}")
        return done.stdout.decode()

    def _spawn(self, name, *command):
        with open(f"{self.folder}/log/{name}.out", "wb") as log:
            self.processes.append(
                subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            )

    def _start(self):
        folder = self.folder
        for name in ("mon", "osd", "log", "run", "rgw"):
            os.mkdir(f"{folder}/{name}")
        base = free_ports(40)
        conf = f"{folder}/ceph.conf"
        fsid, osd = str(uuid.uuid4()), str(uuid.uuid4())
        with open(conf, "w", encoding="utf-8") as file:
            file.write(
                CONFIGURATION.format(
                    fsid=fsid, v1=base + 1, v2=base + 2, low=base + 10, high=base + 39, port=base, folder=folder
                )
            )
        keys = ("ceph-authtool", f"{folder}/keyring", "--gen-key", "-n")
        self._run("ceph-authtool", "-C", *keys[1:], "mon.", "--cap", "mon", "allow *")
        self._run(*keys, "client.admin", "--cap", "mon", "allow *", "--cap", "osd", "allow *")
        self._run(*keys, "client.rgw", "--cap", "mon", "allow rw", "--cap", "osd", "allow rwx")
        self._run(*keys, "osd.0", "--cap", "mon", "allow profile osd", "--cap", "osd", "allow *")
        address = f"[v2:127.0.0.1:{base + 2},v1:127.0.0.1:{base + 1}]"
        self._run("monmaptool", "--create", "--fsid", fsid, "--addv", "a", address, f"{folder}/monmap")
        monitor = ("ceph-mon", "-c", conf, "-i", "a")
        self._run(*monitor, "--mkfs", "--monmap", f"{folder}/monmap", "--keyring", f"{folder}/keyring")
        self._spawn("mon", *monitor, "-f")
        self._run("ceph", "-c", conf, "--connect-timeout", "30", "osd", "new", osd, "0")
        store = ("ceph-osd", "-c", conf, "-i", "0")
        self._run(*store, "--mkfs", "--osd-uuid", osd, "--no-mon-config")
        self._spawn("osd", *store, "-f")
        self._spawn("rgw", "radosgw", "-c", conf, "-n", "client.rgw", "-f")
        self.endpoint = f"http://127.0.0.1:{base}"
        self._wait_ready()
        self._run(
            *("radosgw-admin", "-c", conf, "user", "create", "--uid=leat", "--display-name=leat"),
            *(f"--access-key={ACCESS_KEY}", f"--secret-key={SECRET_KEY}"),
        )

    def _wait_ready(self):
        end = time.monotonic() + 90
        while True:
            try:
                urllib.request.build_opener(urllib.request.ProxyHandler({})).open(self.endpoint, timeout=5)
                return
            except OSError:
                if time.monotonic() > end:
                    raise
            if any(process.poll() is not None for process in self.processes):
                raise RuntimeError("a Ceph process ended")
            time.sleep(0.1)

    def make_bucket(self, name):
        self._run(
            *("curl", "-sS", "--fail", "--noproxy", "*", "--max-time", "30", "-X", "PUT"),
            *("--aws-sigv4", "aws:amz:us-east-1:s3", "--user", f"{ACCESS_KEY}:{SECRET_KEY}"),
            *("-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD", f"{self.endpoint}/{name}"),
        )
