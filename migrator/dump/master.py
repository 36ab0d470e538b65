"""The master record: every table of a job with what became of its rows. It is the last member of a dump file set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Literal

from migrator.dump.archive import Member
from migrator.verification.scans import Digest

State = Literal["PENDING", "COMPLETED", "FAILED", "SKIPPED"]


@dataclass(frozen=True)
class Piece:
    """A run of a table's rows: one Arrow stream, ``member`` of dump file number ``file`` (from 1).

    ``bytes``: the size of its batches in memory; ``stored``: of the member; ``end``: where the file went on after it;
    ``checksum``: the member's CRC-32 in hexadecimal.
    """

    file: int
    member: str
    rows: int
    bytes: int
    stored: int = 0
    end: int = 0
    checksum: str = ""

    @property
    def stored_as(self) -> Member:
        """The member, as the archive has it."""
        return Member(self.member, self.end, self.stored, int(self.checksum, 16))


@dataclass(frozen=True)
class Entry:
    """One table's rows: how they moved and where they lie. ``seconds``: time spent on them; ``error``: why they failed.

    ``digests``: of each granule, as they were taken while it was unloaded; none where that was not asked for.
    ``traits``: what must be alike where data files are taken that lie there instead of rows.
    """

    schema: str
    table: str
    state: State = "PENDING"
    rows: int = 0
    bytes: int = 0
    method: str = ""
    worker: int = 0
    seconds: float = 0.0
    error: str = ""
    pieces: tuple[Piece, ...] = ()
    digests: tuple[Digest, ...] = ()
    traits: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Master:
    """The record of one job."""

    job: str
    operation: str
    mode: str
    owner: str
    command: str
    entries: tuple[Entry, ...] = field(default=())

    def entry(self, schema: str, table: str) -> Entry | None:
        """The entry of a table, None where the job did not move its rows."""
        return self._by_table.get((schema, table))

    @cached_property
    def _by_table(self) -> dict[tuple[str, str], Entry]:
        return {(entry.schema, entry.table): entry for entry in self.entries}

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready form; digests are in it where there are any."""
        return {**asdict(self), "entries": [_entry_json(entry) for entry in self.entries]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Master:
        """The record that :meth:`to_json` wrote.

        :raises ValueError: it has another shape.
        """
        try:
            entries = tuple(map(_entry_from_json, data["entries"]))
            return cls(**{**data, "entries": entries})
        except (KeyError, TypeError) as error:
            raise ValueError(f"master record: {error}") from error


def _entry_json(entry: Entry) -> dict[str, Any]:
    data = asdict(entry)
    del data["digests"]
    return {**data, "digests": [digest.to_json() for digest in entry.digests]} if entry.digests else data


def _entry_from_json(data: dict[str, Any]) -> Entry:
    pieces = tuple(Piece(**piece) for piece in data["pieces"])
    digests = tuple(map(Digest.from_json, data.get("digests", ())))
    return Entry(**{**data, "pieces": pieces, "digests": digests})
