"""A real S3 endpoint on this machine."""

from __future__ import annotations

import logging
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from xml.etree import ElementTree

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
        _post(f"{endpoint}/moto-api/reset-auth", b"Infinity")
        _post(f"{endpoint}/moto-api/reset")
        _post(f"{endpoint}/{BUCKET}", method="PUT")
        yield Credential(access_key="key", secret_key="s3cret", region="us-east-1", endpoint=endpoint)
    finally:
        server.stop()


def unfinished_uploads(credential: Credential) -> int:
    """How many uploads of parts were neither completed nor given up."""
    with urllib.request.urlopen(f"{credential.endpoint}/{BUCKET}?uploads", timeout=10) as answer:
        return int(answer.read().count(b"<UploadId>"))


@dataclass(frozen=True)
class Object:
    """An object as the store lists it; ``etag`` changes when it is written again."""

    key: str
    size: str
    etag: str


def objects(credential: Credential) -> dict[str, Object]:
    """The objects of the bucket by their keys."""
    with urllib.request.urlopen(f"{credential.endpoint}/{BUCKET}?list-type=2", timeout=10) as answer:
        found = ElementTree.fromstring(answer.read())
    space = {"s3": "http://s3.amazonaws.com/doc/2006-03-01/"}
    listed = [
        Object(*(str(entry.findtext(f"s3:{name}", namespaces=space)) for name in ("Key", "Size", "ETag")))
        for entry in found.iterfind("s3:Contents", space)
    ]
    return {one.key: one for one in listed}


def demand_keys(credential: Credential) -> None:
    """From now on the endpoint lets nobody in whom it does not know, which is everybody."""
    _post(f"{credential.endpoint}/moto-api/reset-auth", b"0")


def _post(url: str, body: bytes = b"", method: str = "POST") -> None:
    headers = {"Content-Type": "text/plain"}
    urllib.request.urlopen(urllib.request.Request(url, body, headers, method=method), timeout=10).close()
