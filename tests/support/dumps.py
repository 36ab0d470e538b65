"""Small dump file sets, made directly with the writer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from unittest.mock import patch

import pyarrow as pa

from migrator.config import NO_SECRETS, Secrets
from migrator.dump import crypt, reader, writer
from migrator.dump.crypt import DataKey, Encryption
from migrator.dump.header import DumpOptions, DumpTarget, SetHeader
from migrator.dump.master import Entry, Master, Piece
from migrator.model.catalog import Catalog
from migrator.model.objects import Schema, Table

CATALOG = Catalog("sqlite", "SQLite 3", (Schema("main"),))
MASTER = Master('"u"."J"', "EXPORT", "FULL", "u", "")
PASSWORD = Secrets("swordfish")


def recording(*entries: Entry) -> Master:
    """The record of a job that has moved the rows of these tables."""
    return replace(MASTER, entries=entries)


def batch(*values: int) -> pa.RecordBatch:
    return pa.record_batch([pa.array(values, pa.int64())], names=["a"])


def header(set_id: str = "set-1", **options: object) -> SetHeader:
    return SetHeader(set_id, DumpOptions(**options), '"u"."J"', "FULL", "2026-01-02T03:04:05", "sqlite", "SQLite 3")  # type: ignore[arg-type]


def encrypted(key: DataKey, *, data: bool = True, metadata: bool = True, set_id: str = "set-1") -> Encryption:
    with patch.dict(crypt._SCRYPT, n=16, p=1):  # the cost is in the header: a test need not wait for it
        locks = crypt.wrap(key, "PASSWORD", PASSWORD, set_id)
    return Encryption(data, metadata, "AES128", "PASSWORD", locks)


@dataclass
class Maker:
    """Makes one set in a directory: ``exp01.dmp``, ``exp02.dmp`` …"""

    directory: Path
    header: SetHeader = field(default_factory=header)
    key: DataKey | None = None
    names: str = "exp{:02d}.dmp"
    taken: int = 0
    catalog: Catalog = CATALOG

    def next_file(self, _: int = 0) -> DumpTarget:
        self.taken += 1
        return DumpTarget(str(self.directory / self.names.format(self.taken)), self.taken, self.header, self.key)

    def make(self, files: Sequence[Iterable[pa.RecordBatch]], table: str = "t") -> list[Path]:
        """One file for each of ``files``, and more when they are full."""
        pieces: list[Piece] = []
        first: DumpTarget | None = None
        for batches in files:
            target = self.next_file()
            first = first or target
            with writer.DumpFile.create(target, self.next_file) as file:
                pieces += file.write(f"main.{table}", batches)
        assert first is not None
        entry = Entry("main", table, "COMPLETED", rows=sum(piece.rows for piece in pieces), pieces=tuple(pieces))
        names = {number: self.names.format(number) for number in range(1, self.taken + 1)}
        mine = [piece for piece in pieces if piece.file == 1]
        writer.seal(first, mine, self.catalog, recording(entry), names, self.next_file)
        return [self.directory / self.names.format(number) for number in range(1, self.taken + 1)]


def rows_of(dump: reader.DumpSet, table: str = "t") -> Iterator[object]:
    entry = dump.master.entry("main", table)
    assert entry is not None
    for piece in entry.pieces:
        for part in dump.dump.batches(piece):
            part.validate(full=True)
            yield from part.to_pylist()


def template(directory: Path) -> list[str]:
    return [str(directory / "exp%U.dmp")]


def restored(directory: Path, secrets: Secrets = NO_SECRETS) -> tuple[Catalog, list[object]]:
    """Catalog and rows of the set in a directory, its checksums verified where it has them."""
    dump = reader.open_set(template(directory), secrets)
    if dump.header.options.checksum is not None:
        assert len(list(reader.verify(dump))) == len(dump.dump.files)
    return dump.catalog, list(rows_of(dump))


def exported(directory: Path, catalog: Catalog, rows: Mapping[str, pa.RecordBatch]) -> None:
    """A set of one file, as an export of ``catalog`` with these rows of its tables would write it."""
    about = SetHeader("set-1", DumpOptions(), '"u"."J"', "FULL", "2026-01-02T03:04:05", catalog.dialect, catalog.version)
    target = DumpTarget(str(directory / "expdat.dmp"), 1, about)
    entries: list[Entry] = []
    with writer.DumpFile.create(target) as file:
        for table in catalog.of(Table):
            pieces = file.write(f"{table.schema}.{table.name}", [rows[table.name]])
            counted = sum(piece.rows for piece in pieces)
            entries.append(Entry(table.schema, table.name, "COMPLETED", rows=counted, pieces=pieces))
    written = [piece for entry in entries for piece in entry.pieces]
    writer.seal(target, written, catalog, recording(*entries), {1: "expdat.dmp"}, writer.no_further_file)
