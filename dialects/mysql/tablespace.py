"""The first page of an InnoDB tablespace: whose it says it is.

The redo log names the files of the tablespaces it speaks of. A server that died looks at these files when it recovers, and
refuses to start when one says that it belongs to a tablespace which the server has elsewhere: the source of a copy on the
same server, or any other with the same number. A file that waits for ``IMPORT TABLESPACE`` therefore says that it is
nobody's; the import gives it its number, as it does with any.

Source: MariaDB's ``fsp0fsp.h``, ``fil0fil.h``, ``buf0checksum.cc``, ``page0zip.cc``.
"""

from __future__ import annotations

from functools import cache

NOBODY = 0xFFFFFF00
"""A number that no tablespace gets: they are given out from 1 on, and the few above this one are the server's own."""

_AT = (34, 38)
"""Where a tablespace's number stands: in the header of the page, and in that of the space."""
_FLAGS_AT = 54
_FULL_CRC32 = 1 << 4
_POLYNOMIAL = 0x82F63B78


def disowned(begin: bytes) -> bytes:
    """The begin of a tablespace, with its first page at least, as nobody's.

    :raises ValueError: it is shorter than its first page, or no tablespace's.
    """
    flags = int.from_bytes(begin[_FLAGS_AT : _FLAGS_AT + 4], "big")
    size = _page_size(flags)
    if not 1024 <= size <= min(len(begin), 65536):
        raise ValueError("there is no first page")
    page = bytearray(begin[:size])
    for at in _AT:
        page[at : at + 4] = NOBODY.to_bytes(4, "big")
    if flags & _FULL_CRC32:
        _set(page, size - 4, _crc32c(page[: size - 4]))
    elif _compressed_size(flags):
        _set(page, 0, _crc32c(page[4:16]) ^ _crc32c(page[24:26]) ^ _crc32c(page[34:]))
    else:
        checksum = _crc32c(page[4:26]) ^ _crc32c(page[38 : size - 8])
        _set(page, 0, checksum)
        _set(page, size - 8, checksum)
    return bytes(page) + begin[size:]


def _set(page: bytearray, at: int, checksum: int) -> None:
    page[at : at + 4] = checksum.to_bytes(4, "big")


def _page_size(flags: int) -> int:
    """The bytes of a page in the file."""
    if flags & _FULL_CRC32:
        return 512 << (flags & 0xF)
    return _compressed_size(flags) or (512 << (flags >> 6 & 0xF or 5))


def _compressed_size(flags: int) -> int:
    """That of a page of ROW_FORMAT=COMPRESSED; 0: it is not."""
    return 512 << shift if (shift := flags >> 1 & 0xF) else 0


def _crc32c(data: bytes | bytearray) -> int:
    """CRC-32 by Castagnoli's polynomial; for one page the library of a driver's own is not worth its weight."""
    table, crc = _table(), 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


@cache
def _table() -> list[int]:
    table = []
    for crc in range(256):
        for _ in range(8):
            crc = crc >> 1 ^ (_POLYNOMIAL if crc & 1 else 0)
        table.append(crc)
    return table
