"""What a dump file says of itself, as DBMS_DATAPUMP.GET_DUMPFILE_INFO does: its kind, and the items of its header."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType

from migrator.config import Credential
from migrator.dump import oracle
from migrator.dump.header import FORMAT
from migrator.dump.reader import OpenedFile, open_file, reading
from migrator.dump.storage import storage_of
from migrator.errors import DumpFileMissing

AL32UTF8 = 873


class Kind(IntEnum):
    """The kind of a file, in the numbers of the API."""

    UNKNOWN = 0
    DATA_PUMP = 1
    ORIGINAL_EXPORT = 2
    EXTERNAL_TABLE = 3


class Item(IntEnum):
    """An item of a header; the API calls it KU$_DFHDR_ and its name."""

    FILE_VERSION = 1
    MASTER_PRESENT = 2
    GUID = 3
    FILE_NUMBER = 4
    CHARSET_ID = 5
    CREATION_DATE = 6
    FLAGS = 7
    JOB_NAME = 8
    PLATFORM = 9
    INSTANCE = 10
    LANGUAGE = 11
    BLOCKSIZE = 12
    DIRPATH = 13
    METADATA_COMPRESSED = 14
    DB_VERSION = 15
    MASTER_PIECE_COUNT = 16
    MASTER_PIECE_NUMBER = 17
    DATA_COMPRESSED = 18
    METADATA_ENCRYPTED = 19
    DATA_ENCRYPTED = 20
    COLUMNS_ENCRYPTED = 21
    ENCRYPTION_MODE = 22
    COMPRESSION_ALG = 23


ENCRYPTION_MODES: Mapping[str, int] = MappingProxyType({"NONE": 2, "PASSWORD": 3, "DUAL": 4, "TRANSPARENT": 5})
COMPRESSION_ALGORITHMS: Mapping[str, int] = MappingProxyType({"NONE": 2, "BASIC": 3, "LOW": 4, "MEDIUM": 5, "HIGH": 6})


@dataclass(frozen=True)
class DumpFileInfo:
    """The kind of a file and the items of its header. ``made_by``: the program. ``remarks``: what has no item code."""

    kind: Kind
    items: Mapping[Item, str]
    made_by: str = ""
    remarks: tuple[str, ...] = ()


def get_dumpfile_info(name: str, credential: Credential | None = None) -> DumpFileInfo:
    """What a file says of itself, named by its path or by a URI. No key is needed: the header is in clear text.

    :raises DumpFileMissing: it cannot be read.
    :raises NotADumpFile: it is a dump file of migrator, cut short or damaged.
    """
    storage = storage_of(name, credential)
    try:
        with reading(storage, name) as file:
            head = file.read(oracle.BLOCK)
    except OSError as error:
        raise DumpFileMissing(path=name, detail=error.strerror or str(error)) from error
    if head.startswith(b"PK\x03\x04"):
        return _ours(open_file(storage, name))
    found = oracle.recognise(head)
    if isinstance(found, oracle.OriginalExport):
        return DumpFileInfo(Kind.ORIGINAL_EXPORT, dict(_original(found)), "Oracle Export")
    if found is None:
        return DumpFileInfo(Kind.UNKNOWN, {})
    kind = Kind.DATA_PUMP if found.job else Kind.EXTERNAL_TABLE
    return DumpFileInfo(kind, dict(_data_pump(found)), "Oracle Data Pump")


def _flag(value: bool) -> str:
    return "1" if value else "0"


def _ours(file: OpenedFile) -> DumpFileInfo:
    header, options = file.header, file.header.options
    items = {
        Item.FILE_VERSION: f"{FORMAT}.0",
        Item.MASTER_PRESENT: _flag(file.index is not None),
        Item.GUID: header.set_id,
        Item.FILE_NUMBER: str(file.number),
        Item.CHARSET_ID: str(AL32UTF8),
        Item.CREATION_DATE: header.created,
        Item.JOB_NAME: header.job,
        Item.PLATFORM: header.dialect,
        Item.LANGUAGE: "AL32UTF8",
        Item.METADATA_COMPRESSED: _flag(options.text_codec is not None),
        Item.DB_VERSION: header.version,
        Item.DATA_COMPRESSED: _flag(options.data_codec is not None),
        Item.METADATA_ENCRYPTED: _flag(options.metadata_encrypted),
        Item.DATA_ENCRYPTED: _flag(options.data_encrypted),
        Item.COLUMNS_ENCRYPTED: _flag(False),
        Item.ENCRYPTION_MODE: str(ENCRYPTION_MODES[options.encryption.mode if options.encryption else "NONE"]),
        Item.COMPRESSION_ALG: str(
            COMPRESSION_ALGORITHMS[options.compression_algorithm if options.compression != "NONE" else "NONE"]
        ),
    }
    if file.index is not None:
        holders = [part[0] for part in file.index["master"]["parts"]]
        items[Item.MASTER_PIECE_COUNT] = str(len(set(holders)))
        items[Item.MASTER_PIECE_NUMBER] = str(len({number for number in holders if number <= file.number}))
    remarks = [f"checksum: {options.checksum or 'none'}"]
    if options.encryption is not None:
        remarks.append(f"encryption algorithm: {options.encryption.algorithm}")
    if file.index is not None:
        remarks.append("files of the set: " + ", ".join(name for _, name in sorted(file.index["files"].items())))
    return DumpFileInfo(Kind.DATA_PUMP, items, "migrator", tuple(remarks))


def _original(found: oracle.OriginalExport) -> Iterator[tuple[Item, str]]:
    yield Item.CHARSET_ID, str(found.charset)
    yield Item.DIRPATH, _flag(found.direct)
    yield Item.DB_VERSION, found.version


def _data_pump(found: oracle.OracleDataPump) -> Iterator[tuple[Item, str]]:
    yield Item.FILE_VERSION, found.file_version
    if found.job:
        yield Item.JOB_NAME, found.job
    if len(found.texts) == 3:
        yield from zip((Item.PLATFORM, Item.INSTANCE, Item.LANGUAGE), found.texts, strict=True)
    yield Item.DB_VERSION, found.version


def report(name: str, info: DumpFileInfo) -> str:
    """The items as lines of text, a remark a line."""
    titles = {
        Kind.UNKNOWN: "not a dump file",
        Kind.DATA_PUMP: f"Data Pump dump file ({info.made_by})",
        Kind.ORIGINAL_EXPORT: "original Export dump file",
        Kind.EXTERNAL_TABLE: "external table dump file",
    }
    lines = [f"{name}: {titles[info.kind]}", f"  {'FILE_TYPE':20} {int(info.kind)}"]
    lines += [f"  {item.name:20} {value}" for item, value in sorted(info.items.items())]
    lines += [f"  {remark}" for remark in info.remarks]
    return "\n".join(lines) + "\n"
