"""Oracle's own dump files, known by their first block: what they say of themselves, and their refusal.

The layout is not documented. Data Pump's files begin with the two bytes of the file version (3.1 is 11.2) and have texts in
the first block, each closed by a zero byte: the job's name (not in external tables' files), the platform, the instance, the
character set, the version of the database. Original Export's begin with a byte 3, the character set's number and EXPORT:V.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from migrator.errors import NotADumpFile, OracleDump, OriginalExportDump

BLOCK = 4096

_ORIGINAL = re.compile(rb"\x03(?P<charset>..)T?EXPORT:V(?P<version>\d\d\.\d\d\.\d\d)\n?(?P<path>[A-Z]?)", re.DOTALL)
_VERSION = re.compile(rb"(?P<version>\d\d\.\d\d\.\d\d\.\d\d\.\d\d)\x00")
_JOB = re.compile(rb'"[^"\x00]{1,128}"\."[^"\x00]{1,128}"')
_TEXT = re.compile(rb"[\x20-\x7e]{2,}")


@dataclass(frozen=True)
class OriginalExport:
    """The header of original Export. ``charset``: its number."""

    version: str
    charset: int
    direct: bool


@dataclass(frozen=True)
class OracleDataPump:
    """The header of Data Pump, or, without a ``job``, of an external table."""

    file_version: str
    version: str
    job: str = ""
    texts: tuple[str, ...] = field(default=())
    """Platform, instance and character set, as far as they are there."""


def recognise(head: bytes) -> OriginalExport | OracleDataPump | None:
    """What the first block of a file says; None: it is not Oracle's."""
    found = _ORIGINAL.match(head)
    if found is not None:
        return OriginalExport(found["version"].decode(), int.from_bytes(found["charset"], "big"), found["path"] == b"D")
    version = _VERSION.search(head, 0, BLOCK)
    if len(head) < 2 or head[0] > 9 or head[1] > 9 or version is None:
        return None
    job = _JOB.search(head, 0, version.start())
    texts = _TEXT.findall(head, job.end() if job is not None else 2, version.start())
    return OracleDataPump(
        f"{head[0]}.{head[1]}",
        version["version"].decode(),
        job[0].decode("utf-8", "replace") if job is not None else "",
        tuple(text.decode() for text in texts),
    )


def refuse(name: str, head: bytes) -> None:
    """Refuse Oracle's own files by the codes that its users know.

    :raises OriginalExportDump: it is one of original Export.
    :raises OracleDump: it is one of Data Pump.
    :raises NotADumpFile: it is an external table's.
    """
    found = recognise(head)
    if isinstance(found, OriginalExport):
        raise OriginalExportDump(path=name)
    if found is not None and found.job:
        raise OracleDump(path=name, version=found.file_version)
    if found is not None:
        raise NotADumpFile(path=name, detail="is the file of an external table of Oracle")
