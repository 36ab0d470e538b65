"""MySQL's client protocol where the driver would make a Python object of every value: result rows as blocks of bytes, and
LOAD DATA LOCAL fed from memory.

Both work on PyMySQL's connection, between its own commands: they send a command through it and leave it ready for the next.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pymysql import err
from pymysql.constants import CLIENT, COMMAND, CR
from pymysql.protocol import FieldDescriptorPacket, LoadLocalPacketWrapper, MysqlPacket, OKPacketWrapper

from migrator.arrow import Bytes, Offsets, gather

CLIENT_FLAGS = int(CLIENT.LOCAL_FILES | CLIENT.FOUND_ROWS)
"""What a connection must announce. PyMySQL's own ``local_infile`` stays off, so that no server can ask it for a file."""

_READ = 1 << 20
_SENT = 1 << 18
HEADER = 4
"""How many bytes a packet has before its payload."""
_WHOLE = 0xFFFFFF
_EOF, _ERROR = 0xFE, 0xFF
_length = struct.Struct("<I").unpack_from


@dataclass(frozen=True)
class Block:
    """Whole rows of a text result: row ``i`` begins at ``data[starts[i]]``, and where they are ``framed`` after the header
    of its packet."""

    data: bytes
    starts: Offsets
    framed: bool = True

    def columns(self, count: int) -> list[pa.Array]:
        """The ``count`` values of each row as binary arrays, stepping over all rows at once."""
        data: Bytes = np.frombuffer(self.data, np.uint8)
        at, arrays = self.starts, []
        for _ in range(count):
            starts, lengths, nulls = fields(data, at)
            arrays.append(gather(data, starts, lengths, nulls))
            at = starts + lengths
        return arrays


def fields(data: Bytes, at: Offsets) -> tuple[Offsets, Offsets, npt.NDArray[np.bool_] | None]:
    """Where one value of each row begins, its length, and which are NULL: MySQL's length-encoded strings."""
    first = data[at]
    starts, lengths = at + 1, first.astype(np.int64)
    if not len(first) or first.max() < 251:
        return starts, lengths, None
    nulls = first == 251
    lengths[nulls] = 0
    for code, width in ((252, 2), (253, 3), (254, 8)):
        wide = first == code
        if wide.any():
            lengths[wide] = _little_endian(data, at[wide] + 1, width)
            starts[wide] += width
    return starts, lengths, nulls if nulls.any() else None


def _little_endian(data: Bytes, at: Offsets, width: int) -> Offsets:
    value = np.zeros(len(at), np.int64)
    for byte in range(width):
        value |= data[at + byte].astype(np.int64) << (8 * byte)
    return value


# --- reading --------------------------------------------------------------------------------------------------------


class Result:
    """The rows of a query, on their way. The connection takes no other command before ``complete``.

    :raises pymysql.err.Error: the server refused the query.
    """

    def __init__(self, driver: Any, sql: str) -> None:
        self._driver = driver
        self._pending = bytearray()
        self.complete = False
        driver._execute_command(COMMAND.COM_QUERY, sql)
        for _ in range(driver._read_packet().read_length_encoded_integer()):
            driver._read_packet(FieldDescriptorPacket)
        if not driver._read_packet().is_eof_packet():
            raise err.InternalError(CR.CR_MALFORMED_PACKET, "column definitions without an end")

    def blocks(self, block_bytes: int) -> Iterator[Block]:
        """The rows in blocks of about ``block_bytes``; a row of 16 MiB or more is a block of its own.

        :raises pymysql.err.Error: the server broke off while it sent the rows.
        """
        pending, position = self._pending, 0
        starts: list[int] = []

        def cut() -> Block:
            nonlocal position, starts
            block = Block(bytes(memoryview(pending)[:position]), np.array(starts, np.int64))
            del pending[:position]
            position, starts = 0, []
            return block

        while True:
            position = _walk(pending, position, starts)
            while (length := _payload_length(pending, position)) is not None:
                kind = pending[position + HEADER] if length else 0
                if kind == _ERROR or (kind == _EOF and length < 9):
                    if starts:
                        yield cut()
                    self._end()
                    return
                if length < _WHOLE:
                    starts.append(position + HEADER)
                    position += HEADER + length
                    continue
                if starts:
                    yield cut()
                payload = _joined(pending)
                del pending[: length + HEADER * (length // _WHOLE + 1)]
                yield Block(payload, np.zeros(1, np.int64), framed=False)
            if position >= block_bytes:
                yield cut()
            self._receive()

    def discard(self) -> None:
        """Read on to the end of the rows, or to the error that ends them."""
        try:
            for _ in self.blocks(_READ):
                pass
        except err.Error:
            if not self.complete:
                raise

    def _receive(self) -> None:
        try:
            piece = self._driver._rfile.read1(_READ)
        except OSError as error:
            self._driver._force_close()
            raise err.OperationalError(CR.CR_SERVER_LOST, f"Lost connection to the server: {error.strerror}") from error
        if not piece:
            self._driver._force_close()
            raise err.OperationalError(CR.CR_SERVER_LOST, "Lost connection to the server while it sent rows")
        self._pending += piece

    def _end(self) -> None:
        """Take the packet that ends the rows: an EOF or an error."""
        self.complete = True
        packet = MysqlPacket(bytes(self._pending[HEADER:]), self._driver.encoding)
        if packet.is_error_packet():
            packet.raise_for_error()


def _walk(data: bytearray, position: int, starts: list[int]) -> int:
    """Note where the payloads of plain row packets start, from ``position`` on; where the first other packet begins.

    One step a row: this is the only loop of Python over the rows.
    """
    length_at, note, size = _length, starts.append, len(data)
    last = size - HEADER
    while position < last:
        length = length_at(data, position)[0] & _WHOLE
        payload = position + HEADER
        after = payload + length
        if after > size or length == _WHOLE or length == 0 or data[payload] >= _EOF:
            break
        note(payload)
        position = after
    return position


def _payload_length(data: bytearray, position: int) -> int | None:
    """The length of the payload whose packets begin at ``position``; None: not all of it has come."""
    total, at = 0, position
    while len(data) >= at + HEADER:
        length = int(_length(data, at)[0]) & _WHOLE
        total += length
        at += HEADER + length
        if len(data) < at:
            return None
        if length < _WHOLE:
            return total
    return None


def _joined(data: bytearray) -> bytes:
    """The payload of the packets that ``data`` begins with, without their headers."""
    parts, position = [], 0
    while True:
        length = int(_length(data, position)[0]) & _WHOLE
        parts.append(bytes(data[position + HEADER : position + HEADER + length]))
        position += HEADER + length
        if length < _WHOLE:
            return b"".join(parts)


# --- loading --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Loaded:
    """What the server says about a LOAD DATA: rows stored, and warnings raised (notes included)."""

    rows: int
    warnings: int


def _largest_packet(driver: Any) -> int:
    """The payload of the largest packet that the server takes in this session, which it ends at a larger one."""
    with driver.cursor() as cursor:
        cursor.execute("SELECT @@max_allowed_packet")
        (allowed,) = cursor.fetchone()
    return int(allowed) - HEADER


def load_data(driver: Any, sql: str, pieces: Iterable[bytes | memoryview]) -> Loaded:
    """Run a LOAD DATA LOCAL INFILE whose file is ``pieces``, one after the other.

    When ``pieces`` raises, or the caller is interrupted, the connection is closed: the server, which waits for the rest of
    the rows and perhaps of a packet, rolls back.

    :raises pymysql.err.Error: the server refused the statement or the rows.
    """
    size = min(_SENT, _largest_packet(driver))
    driver._execute_command(COMMAND.COM_QUERY, sql)
    asked = driver._read_packet()
    if not asked.is_load_local_packet():
        raise err.InternalError(CR.CR_MALFORMED_PACKET, "the server did not ask for the rows")
    LoadLocalPacketWrapper(asked)
    try:
        for piece in pieces:
            view = memoryview(piece)
            for start in range(0, len(view), size):
                driver.write_packet(view[start : start + size])
        driver.write_packet(b"")
    except BaseException:
        driver._force_close()
        raise
    stored = OKPacketWrapper(driver._read_packet())
    return Loaded(stored.affected_rows, stored.warning_count)
