"""Lines made of MySQL's text protocol: what stands on the wire, and what a line says."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialects.mysql import lines, wire

Row = Sequence[bytes | None]


def field(value: bytes | None) -> bytes:
    """A value as MySQL's protocol writes it: its length in one to nine bytes, then itself."""
    if value is None:
        return b"\xfb"
    size = len(value)
    if size < 251:
        return bytes([size]) + value
    if size < 1 << 16:
        return b"\xfc" + struct.pack("<H", size) + value
    return b"\xfd" + struct.pack("<I", size)[:3] + value


def block(rows: Sequence[Row]) -> wire.Block:
    """Rows, each a packet."""
    payloads = [b"".join(map(field, row)) for row in rows]
    packets = [struct.pack("<I", len(p) | number % 256 << 24) + p for number, p in enumerate(payloads)]
    ends = np.cumsum([len(packet) for packet in packets])
    starts = ends - [len(p) for p in payloads]
    return wire.Block(b"".join(packets), starts.astype(np.int64))


ESCAPED = {b"\\": b"\\\\", b"\t": b"\\t", b"\n": b"\\n", b"\r": b"\\r", b"\b": b"\\b"}


def line(row: Row) -> bytes:
    """What a row is as a line."""
    texts = (b"\\N" if v is None else b"".join(ESCAPED.get(bytes([c]), bytes([c])) for c in v) for v in row)
    return b"\t".join(texts) + b"\n"


@pytest.mark.parametrize(
    "row",
    [
        pytest.param((b"1", b"a"), id="plain"),
        pytest.param((None, b"a"), id="the first is NULL"),
        pytest.param((b"1", None), id="the last is NULL"),
        pytest.param((None, None), id="all are NULL"),
        pytest.param((b"", b""), id="empty texts"),
        pytest.param((b"\\N", b"\t\n\r\b\\"), id="what lines escape"),
        pytest.param((b"1", b"\0"), id="NUL"),
        pytest.param((b"1", b"\x01\x02\x03\x04\x05"), id="the marks"),
        pytest.param((b"x" * 250, b"x" * 251), id="lengths of one byte, and of three"),
        pytest.param((b"x" * 65535, b"x" * 65536), id="lengths of three bytes, and of four"),
    ],
)
def test_a_row_is_its_line(row: Row) -> None:
    rows = [(b"before", b"it"), row, (b"after", None)]
    assert lines.of_block(block(rows), 2) == b"".join(map(line, rows))


@given(st.integers(1, 4).flatmap(lambda n: st.lists(st.tuples(*[st.none() | st.binary(max_size=300)] * n), min_size=1)))
def test_any_rows_are_their_lines(rows: list[Row]) -> None:
    assert lines.of_block(block(rows), len(rows[0])) == b"".join(map(line, rows))


def test_a_row_of_several_packets_is_its_line() -> None:
    row = (b"1", b"a\tb")
    payload = b"".join(map(field, row))
    assert lines.of_block(wire.Block(payload, np.zeros(1, np.int64), framed=False), 2) == line(row)
