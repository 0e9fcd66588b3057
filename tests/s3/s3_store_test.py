#!/usr/bin/python3
"""Runs s3_store_tests (the program in LEAT_S3_STORE_TESTS) against Ceph's RADOS Gateway: directly,
through a proxy that breaks things, and over TLS. Further arguments go to the program."""

import os
import subprocess
import sys

import ceph
import fault_proxy


def make_certificate(folder):
    certificate, key = f"{folder}/tls.crt", f"{folder}/tls.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        + ["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
        + ["-keyout", key, "-out", certificate],
        check=True,
        timeout=60,
        stderr=subprocess.DEVNULL,
    )
    return certificate, key


def main():
    if ceph.missing():
        print(f"not installed: {', '.join(ceph.missing())}; run tools/dev deps", file=sys.stderr)
        return 1
    with ceph.Ceph() as server:
        for bucket in ("leat", "other"):
            server.make_bucket(bucket)
        certificate, key = make_certificate(server.folder)
        environment = os.environ | {
            "LEAT_S3_ENDPOINT": server.endpoint,
            "LEAT_S3_FAULTY_ENDPOINT": fault_proxy.FaultProxy(server.endpoint).endpoint,
            "LEAT_S3_TLS_ENDPOINT": fault_proxy.FaultProxy(server.endpoint, certificate, key).endpoint,
            "LEAT_S3_CA": certificate,
            "LEAT_S3_ACCESS_KEY": ceph.ACCESS_KEY,
            "LEAT_S3_SECRET_KEY": ceph.SECRET_KEY,
        }
        program = os.environ["LEAT_S3_STORE_TESTS"]
        return subprocess.run([program, *sys.argv[1:]], env=environment, timeout=900).returncode


if __name__ == "__main__":
    sys.exit(main())
