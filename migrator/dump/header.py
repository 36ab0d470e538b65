"""The header of a dump file: what the set is, how it is written, and what opens it. It is always in clear text."""

from __future__ import annotations

import json
import zlib
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, get_args

import pyarrow as pa

from migrator.dump.archive import Member, local_header
from migrator.dump.crypt import DataKey, Encryption
from migrator.dump.storage import LOCAL, Storage
from migrator.model import codec
from migrator.spec import ChecksumAlgorithm, Compression, CompressionAlgorithm

if TYPE_CHECKING:
    from migrator.adapter import Scope

MAGIC = "migrator dump"
FORMAT = 2
"""The layout of dump files; the model's own form has a number of its own."""
HEADER = "header.json"

_CODECS: dict[CompressionAlgorithm, tuple[str, int | None]] = {
    "LOW": ("lz4", None),
    "BASIC": ("zstd", 1),
    "MEDIUM": ("zstd", 3),
    "HIGH": ("zstd", 9),
}
_TEXT_CODEC = pa.Codec("zstd", 3)


class LaterFormat(ValueError):
    """A header of another layout; its argument is the layout's number."""


@dataclass(frozen=True)
class DumpOptions:
    """How a set is written. ``filesize``: the most bytes of a file, None: any number."""

    compression: Compression = "NONE"
    compression_algorithm: CompressionAlgorithm = "BASIC"
    checksum: ChecksumAlgorithm | None = None
    encryption: Encryption | None = None
    filesize: int | None = None

    @property
    def data_codec(self) -> pa.Codec | None:
        """What compresses the buffers of the rows, None: nothing."""
        if self.compression not in {"ALL", "DATA_ONLY"}:
            return None
        name, level = _CODECS[self.compression_algorithm]
        return pa.Codec(name) if level is None else pa.Codec(name, level)

    @property
    def text_codec(self) -> pa.Codec | None:
        """What compresses catalog and master record, None: nothing."""
        return _TEXT_CODEC if self.compression in {"ALL", "METADATA_ONLY"} else None

    @property
    def data_encrypted(self) -> bool:
        """Whether the rows are encrypted."""
        return self.encryption is not None and self.encryption.data

    @property
    def metadata_encrypted(self) -> bool:
        """Whether catalog and master record are encrypted, and no name of a table shows."""
        return self.encryption is not None and self.encryption.metadata


@dataclass(frozen=True)
class SetHeader:
    """What is the same in the headers of all files of a set. ``created`` is in ISO form; ``source`` names the database.

    ``data_files``: what each of the data files that the set has instead of rows holds; None: it has rows.
    """

    set_id: str
    options: DumpOptions = DumpOptions()
    job: str = ""
    mode: str = ""
    created: str = ""
    dialect: str = ""
    version: str = ""
    data_files: Scope | None = None

    def of_file(self, number: int) -> bytes:
        """The header of one file."""
        form = {"magic": MAGIC, "format": FORMAT, "model": codec.FORMAT, "number": number, **asdict(self)}
        return json.dumps(form, ensure_ascii=False).encode()

    @classmethod
    def read(cls, text: bytes) -> tuple[SetHeader, int]:
        """A header, and the number of the file it is of.

        :raises LaterFormat: it is ours, of another layout.
        :raises ValueError: it is not ours, or damaged.
        """
        form = json.loads(text)
        if not isinstance(form, dict) or form.get("magic") != MAGIC:
            raise ValueError("no header of migrator")
        if form.get("format") != FORMAT or form.get("model", 0) > codec.FORMAT:
            raise LaterFormat(form.get("format"))
        try:
            return cls._from_form(form), int(form["number"])
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"header: {error}") from error

    @classmethod
    def _from_form(cls, form: dict[str, Any]) -> SetHeader:
        options = dict(form["options"])
        if options["encryption"] is not None:
            options["encryption"] = Encryption.from_json(options["encryption"])
        if options["checksum"] is not None and options["checksum"] not in get_args(ChecksumAlgorithm):
            raise ValueError(f"checksum {options['checksum']!r} is not known")
        datetime.fromisoformat(form["created"] or "2000-01-01")
        plain = {name: str(form[name]) for name in ("set_id", "job", "mode", "created", "dialect", "version")}
        if form.get("data_files") not in {None, "table", "database"}:
            raise ValueError(f"data files of {form['data_files']!r} are not known")
        return cls(options=DumpOptions(**options), data_files=form.get("data_files"), **plain)


@dataclass(frozen=True)
class DumpTarget:
    """A dump file that one worker writes alone: file ``number`` (from 1) of the set that ``header`` describes.

    ``name``: a path or a URI in ``storage``. ``filesize``: its own greatest size, None: that of the set's files.
    """

    name: str
    number: int
    header: SetHeader
    key: DataKey | None = field(default=None, repr=False)
    filesize: int | None = None
    storage: Storage = LOCAL

    @property
    def limit(self) -> int | None:
        """The most bytes it may have, None: any number."""
        asked = self.filesize or self.header.options.filesize
        return min((limit for limit in (asked, self.storage.largest) if limit is not None), default=None)

    @property
    def start(self) -> bytes:
        """The first bytes of the file, which tell it from any other."""
        text = self.header.of_file(self.number)
        return local_header(HEADER) + text

    def header_member(self) -> Member:
        """Where the header lies in the file."""
        text = self.header.of_file(self.number)
        member = Member(HEADER, 0, len(text), zlib.crc32(text))
        return Member(HEADER, len(self.start) + len(member.descriptor), member.size, member.crc)
