"""A real S3 endpoint on this machine."""

from __future__ import annotations

import logging
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from moto.server import ThreadedMotoServer

from migrator.config import Credential

BUCKET = "dumps"


@contextmanager
def object_store() -> Iterator[Credential]:
    """An empty bucket of an S3 endpoint, and how to get into it."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    try:
        for path, method in (("moto-api/reset", "POST"), (BUCKET, "PUT")):
            urllib.request.urlopen(urllib.request.Request(f"{endpoint}/{path}", method=method), timeout=10).close()
        yield Credential(access_key="key", secret_key="s3cret", region="us-east-1", endpoint=endpoint)
    finally:
        server.stop()


def unfinished_uploads(credential: Credential) -> int:
    """How many uploads of parts were neither completed nor given up."""
    with urllib.request.urlopen(f"{credential.endpoint}/{BUCKET}?uploads", timeout=10) as answer:
        return int(answer.read().count(b"<UploadId>"))
