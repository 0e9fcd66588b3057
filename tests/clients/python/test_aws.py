"""awscli and boto3 of today, told nothing but AWS_ENDPOINT_URL: Data API, credentials, S3."""

import io
import json
import os
import subprocess
import sys
import urllib.request

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

BUCKET = "aws-bucket"


@pytest.fixture(scope="module")
def aws(leat, tmp_path_factory):
    assert leat
    folder = tmp_path_factory.mktemp("aws")
    program = os.path.join(os.path.dirname(sys.executable), "aws")

    def run(*arguments, code=0):
        done = subprocess.run(
            [program, *arguments],
            cwd=folder,
            timeout=60,
            text=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout) if done.stdout.startswith(("{", "[")) else done.stdout

    run.folder = folder
    return run


def test_cli_asks_the_data_api(aws):
    target = ["--workgroup-name", "leat", "--database", "dev"]
    asked = aws("redshift-data", "execute-statement", *target, "--sql", "select 7 as seven")
    while True:
        described = aws("redshift-data", "describe-statement", "--id", asked["Id"])
        assert described["Status"] not in ("FAILED", "ABORTED"), described
        if described["Status"] == "FINISHED":
            break
    result = aws("redshift-data", "get-statement-result", "--id", asked["Id"])
    assert result["Records"] == [[{"longValue": 7}]]
    assert "public" in aws("redshift-data", "list-schemas", *target)["Schemas"]


def test_cli_gets_credentials(aws):
    given = aws(
        "redshift", "get-cluster-credentials", "--cluster-identifier", "leat", "--db-user", "leat"
    )
    assert given["DbUser"] == "IAM:leat"
    given = aws("redshift-serverless", "get-credentials", "--workgroup-name", "leat")
    assert given["dbUser"] == "IAM:leat"
    assert aws("sts", "get-caller-identity")["Arn"].endswith(":user/leat")


def test_cli_copies_files(aws):
    large = os.urandom(20 << 20)
    (aws.folder / "large").write_bytes(large)
    (aws.folder / "small").write_text("small", encoding="utf-8")
    aws("s3", "cp", "large", f"s3://{BUCKET}/cli/large", "--only-show-errors")
    aws("s3", "cp", "small", f"s3://{BUCKET}/cli/small", "--only-show-errors")
    listed = aws("s3", "ls", f"s3://{BUCKET}/cli/")
    assert [line.split()[2:] for line in listed.splitlines()] == [
        ["20971520", "large"],
        ["5", "small"],
    ]
    aws("s3", "cp", f"s3://{BUCKET}/cli/large", "back", "--only-show-errors")
    assert (aws.folder / "back").read_bytes() == large
    aws("s3", "sync", f"s3://{BUCKET}/cli", "synced", "--only-show-errors")
    assert sorted(os.listdir(aws.folder / "synced")) == ["large", "small"]
    aws("s3", "mv", f"s3://{BUCKET}/cli/large", f"s3://{BUCKET}/cli/moved", "--only-show-errors")
    aws("s3", "rm", f"s3://{BUCKET}/cli/", "--recursive", "--only-show-errors")
    assert aws("s3", "ls", f"s3://{BUCKET}/cli/", code=1) == ""


def test_boto3_reads_and_writes_objects(leat):
    assert leat
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="boto/a b.txt", Body=b"0123456789")
    assert s3.get_object(Bucket=BUCKET, Key="boto/a b.txt")["Body"].read() == b"0123456789"
    part = s3.get_object(Bucket=BUCKET, Key="boto/a b.txt", Range="bytes=-3")
    assert (part["Body"].read(), part["ContentRange"]) == (b"789", "bytes 7-9/10")
    assert s3.head_object(Bucket=BUCKET, Key="boto/a b.txt")["ContentLength"] == 10
    large = os.urandom(12 << 20)
    s3.upload_fileobj(io.BytesIO(large), BUCKET, "boto/large")
    back = io.BytesIO()
    s3.download_fileobj(BUCKET, "boto/large", back)
    assert back.getvalue() == large
    s3.copy({"Bucket": BUCKET, "Key": "boto/large"}, BUCKET, "boto/copy")
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=BUCKET, Prefix="boto/", PaginationConfig={"PageSize": 1}
    )
    names = [each["Key"] for page in pages for each in page.get("Contents", [])]
    assert names == ["boto/a b.txt", "boto/copy", "boto/large"]
    deleted = s3.delete_objects(
        Bucket=BUCKET, Delete={"Objects": [{"Key": name} for name in names]}
    )
    assert len(deleted["Deleted"]) == 3
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket=BUCKET, Key="boto/copy")
    with pytest.raises(ClientError) as caught:
        s3.head_object(Bucket=BUCKET, Key="boto/copy")
    assert caught.value.response["Error"]["Code"] == "404"


def test_boto3_makes_presigned_urls(leat):
    assert leat
    # Without this boto3 presigns by version 2, which only its first regions know.
    s3 = boto3.client("s3", config=Config(signature_version="s3v4"))
    target = {"Bucket": BUCKET, "Key": "presigned"}
    url = s3.generate_presigned_url("put_object", Params=target, ExpiresIn=60)
    with urllib.request.urlopen(
        urllib.request.Request(url, data=b"shared", method="PUT"), timeout=30
    ) as answer:
        assert answer.status == 200
    url = s3.generate_presigned_url("get_object", Params=target, ExpiresIn=60)
    with urllib.request.urlopen(url, timeout=30) as answer:
        assert answer.read() == b"shared"


def test_boto3_asks_the_data_api(leat):
    assert leat
    client = boto3.client("redshift-data")
    asked = client.execute_statement(
        WorkgroupName="leat",
        Database="dev",
        Sql="select :n::int as n, :t as t",
        Parameters=[{"name": "n", "value": "5"}, {"name": "t", "value": "x"}],
        WaitTimeSeconds=30,
    )
    result = client.get_statement_result(Id=asked["Id"])
    assert result["Records"] == [[{"longValue": 5}, {"stringValue": "x"}]]
    pages = client.get_paginator("list_tables").paginate(
        WorkgroupName="leat", Database="dev", SchemaPattern="pg_catalog", MaxResults=20
    )
    assert sum(len(page["Tables"]) for page in pages) > 20
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.describe_statement(Id="d9b6c0c9-0747-4bf4-b142-e8883122f766")
