"""An S3 server on this machine (moto's), started when a case first needs it; it ends when what it reads from does."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}
PATIENCE = 60


@cache
def endpoint() -> str:
    """The server's address; the credentials that it takes stand in the environment from then on."""
    os.environ.update(CREDENTIALS)
    code = (
        "import sys; from moto.server import ThreadedMotoServer; server = ThreadedMotoServer('127.0.0.1', 0); server.start();"
        "print(server.get_host_and_port()[1], flush=True); sys.stdin.read()"
    )
    pipe = subprocess.PIPE
    server = subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)
    atexit.register(server.kill)
    return f"http://127.0.0.1:{_port(server)}"


def _port(server: subprocess.Popen[str]) -> int:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and server.stdout is not None:
        line = server.stdout.readline()
        if line.strip().isdigit():
            return int(line)
    raise TimeoutError(f"the S3 server told no port within {PATIENCE} s")


@cache
def _client() -> Any:
    import boto3

    return boto3.client("s3", endpoint_url=endpoint())


@cache
def bucket() -> str:
    _client().create_bucket(Bucket="features")
    return "features"


def uploaded(local: Path, into: str, prefix: str) -> str:
    """The S3 URL under which a file, or a folder with all its files, then lies."""
    root = local if local.is_dir() else local.parent
    for file in [local] if local.is_file() else sorted(path for path in local.rglob("*") if path.is_file()):
        _client().upload_file(str(file), into, f"{prefix}/{file.relative_to(root)}")
    return f"s3://{into}/{prefix}" + ("" if local.is_dir() else f"/{local.name}")
