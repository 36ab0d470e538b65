"""The files of an export: who has which, what is recorded of them, and what becomes of them when somebody dies."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
import sqlalchemy as sa

from migrator.command_line import from_arguments
from migrator.config import NO_SECRETS, Config
from migrator.dump.master import Entry, Piece
from migrator.dump.reader import open_set
from migrator.dump.writer import DumpFile
from migrator.ends import Database
from migrator.errors import FileNotWritable, InternalError, JobTakenOver, MigratorError, NotADumpFile, WorkerDied
from migrator.job.control import Job
from migrator.job.coordinator import Coordinator, Record
from migrator.job.dump_files import ExportFiles
from migrator.job.lanes import Lane
from migrator.job.report import JobLog
from migrator.job.session import Heart, Session
from migrator.job.table import MasterTable, Row
from migrator.job.worker import FileWanted
from migrator.model.objects import QName
from migrator.operations.work import NoProgress
from tests.support.dumps import CATALOG, batch, header, recording, rows_of

FIRST, FURTHER = FileWanted(0, first=True), FileWanted(0, first=False)


@dataclass
class _Number:
    """All that the files need to know of a lane."""

    number: int


def lane(number: int) -> Lane:
    return cast(Lane, _Number(number))


class Export:
    """An export as its files see it: a job on record."""

    def __init__(self, connection: sa.Connection, database: Database, directory: Path) -> None:
        self.connection, self.granules, self._directory = connection, 0, directory
        self.table = MasterTable("main", "J")
        self.table.create(connection)
        self.record = Record(self.table, database, connection)
        arguments = ("sqlite:///x.db", f"DIRECTORY={directory}", "DUMPFILE=x%U.dmp", "NOLOGFILE=YES")
        self.spec = from_arguments("expdp", arguments, Config())
        template = {"template": self.spec.dumpfiles[0], "filesize": None, "reuse": False, "added": False}
        detail = {"header": json.loads(header().of_file(1)), "dumpfiles": [template]}
        self.table.define(connection, Row("JOB", 1, state="EXECUTING", incarnation=1, detail=detail))
        heart = Heart(self.table, database, 1)
        self.session = Session(QName("main", "J"), self.record, detail, heart, 1, False)

    def describe(self, **options: object) -> None:
        """Its files are written so."""
        self.session.note(header=json.loads(header(**options).of_file(1)))

    def path(self, number: int) -> Path:
        """The place of a file."""
        return self._directory / f"x{number:02}.dmp"

    def files(self) -> ExportFiles:
        """The files, as a process finds them that begins with the job or goes on with it."""
        return ExportFiles(self.spec, self.session, NO_SECRETS)

    def begin(self, files: ExportFiles, number: int) -> DumpFile:
        """A worker begins a file."""
        given = files.next(lane(number), FIRST)
        assert not given.pieces
        return DumpFile.create(given.target)

    def done(self, pieces: Sequence[Piece]) -> None:
        """A granule is unloaded."""
        self.granules += 1
        detail = {"pieces": [vars(piece) for piece in pieces]}
        self.record.insert([Row("GRANULE", self.granules, state="COMPLETED", detail=detail)])

    def sealed(self, files: ExportFiles) -> list[object]:
        """End the set; the values that are read from it."""
        done = self.record.rows("GRANULE", state="COMPLETED")
        pieces = tuple(Piece(**piece) for row in done for piece in row.detail["pieces"])
        files.seal(CATALOG, recording(Entry("main", "t", "COMPLETED", pieces=pieces)))
        return [row["a"] for row in rows_of(open_set(self.spec.dumpfiles))]  # type: ignore[index]


@pytest.fixture
def export(tmp_path: Path) -> Iterator[Export]:
    """An export into ``x%U.dmp``, of which nothing is written."""
    database = Database(sa.make_url(f"sqlite:///{tmp_path}/jobs.db"))
    with database.connect() as connection:
        yield Export(connection, database, tmp_path)


def test_a_process_whose_job_was_taken_over_gives_no_file_to_its_workers(export: Export) -> None:
    files = export.files()
    files.claim(1)
    export.table.take_over(export.connection)
    with pytest.raises(JobTakenOver):
        files.next(lane(1), FIRST)


# --- a worker that dies ---------------------------------------------------------------------------------------------


def test_a_full_file_that_a_dead_worker_had_not_ended_is_ended(export: Export) -> None:
    """It died between getting its next file and ending the full one."""
    files = export.files()
    with export.begin(files, 1) as first:
        export.done(first.write("main.t", [batch(1)]))
    full = export.begin(files, 2)
    export.done(full.write("main.t", [batch(2)]))
    files.next(lane(2), FURTHER)
    full.abandon()
    files.free(lane(2), died=True)
    with export.begin(files, 2) as further:
        export.done(further.write("main.t", [batch(3)]))
    files.free(lane(2), died=False)
    assert export.sealed(files) == [1, 2, 3]


# --- bytes that a loss of power took --------------------------------------------------------------------------------


def unloaded(export: Export, granules: int) -> list[Piece]:
    """An export of one file that stops when some granules are in it; their pieces."""
    files = export.files()
    file = export.begin(files, 1)
    written = []
    for number in range(1, granules + 1):
        export.done(file.write("main.t", [batch(*[number] * 1000)]))
        written += [Piece(**piece) for piece in export.record.rows("GRANULE")[-1].detail["pieces"]]
    file.abandon()
    return written


def spoil(path: Path, start: int, size: int) -> None:
    """Bytes that were on their way to the disk are zeros."""
    with path.open("r+b") as file:
        file.seek(start)
        file.write(bytes(size))


def go_on(export: Export) -> tuple[list[int], list[object]]:
    """Start the export again: the granules that are unloaded again, and the values of the whole set."""
    files = export.files()
    lost = [row.item for row in files.lost()]
    given = files.next(lane(1), FIRST)
    with DumpFile.going_on(given.target, given.pieces) as file:
        for item in lost:
            pieces = [vars(piece) for piece in file.write("main.t", [batch(*[item] * 1000)])]
            export.record.change("GRANULE", item, state="COMPLETED", detail={"pieces": pieces})
    files.free(lane(1), died=False)
    return lost, sorted(set(export.sealed(files)))  # type: ignore[type-var]


@pytest.mark.parametrize("checksum", [None, "SHA256"])
@pytest.mark.parametrize("place", ["rows", "header", "descriptor", "beginning", "end", "file"])
def test_what_a_file_lost_is_unloaded_again(export: Export, place: str, checksum: str | None) -> None:
    export.describe(checksum=checksum)
    pieces, path = unloaded(export, 4), export.path(1)
    second = pieces[1].stored_as
    if place in {"rows", "header", "descriptor"}:
        spoil(path, {"rows": second.data + 500, "header": second.start, "descriptor": second.end - 12}[place], 8)
    elif place == "beginning":
        spoil(path, 0, 16)
    elif place == "end":
        os.truncate(path, pieces[3].end - 1)
    else:
        path.unlink()
    lost = {"beginning": [1, 2, 3, 4], "file": [1, 2, 3, 4], "end": [4]}.get(place, [2])
    assert go_on(export) == (lost, [1, 2, 3, 4])


@pytest.mark.parametrize("content", [b"precious", header("another set").of_file(1)], ids=["file", "dump"])
@pytest.mark.parametrize("granules", [0, 2])
def test_what_came_to_the_place_of_a_file_is_not_overwritten(export: Export, granules: int, content: bytes) -> None:
    unloaded(export, granules)
    export.path(1).write_bytes(content)
    with pytest.raises(NotADumpFile, match="is not the file that was written"):
        export.files().lost()
    assert export.path(1).read_bytes() == content
    assert len(export.record.rows("GRANULE", state="COMPLETED")) == granules


def test_nothing_is_unloaded_again_where_nothing_was_lost(export: Export) -> None:
    unloaded(export, 3)
    assert go_on(export) == ([], [1, 2, 3])


def test_a_file_whose_header_was_cut_short_is_ended(export: Export) -> None:
    """Its worker died over the first bytes, and no row is in it."""
    files = export.files()
    files.claim(2)
    with export.begin(files, 1) as file:
        export.done(file.write("main.t", [batch(1)]))
    export.path(2).write_bytes(b"PK")
    assert export.sealed(export.files()) == [1]


# --- fewer workers --------------------------------------------------------------------------------------------------


class _Idle:
    """A worker without a task that cannot end its dump file."""

    task, rows, bytes = None, 0, 0

    def __init__(self, number: int, why: MigratorError) -> None:
        self.number, self._why, self.ended = number, why, False

    def close(self) -> None:
        raise self._why

    def kill(self) -> None:
        self.ended = True


def coordinated(export: Export, files: ExportFiles, *idle: _Idle) -> Coordinator:
    """The coordinator of workers that have nothing to do."""
    coordinator = Coordinator(export.record, JobLog(export.spec, io.StringIO()), NoProgress(), 2, files=files)
    coordinator.pool.lanes += [cast(Lane, lane) for lane in idle]
    return coordinator


def test_a_dump_file_that_cannot_be_ended_when_workers_get_fewer_ends_the_job(export: Export) -> None:
    files = export.files()
    failing = _Idle(1, FileNotWritable(path="x01.dmp", detail="No space left on device"))
    other = _Idle(2, InternalError(detail="it is not asked to end"))
    with export.begin(files, failing.number) as file:
        export.done(file.write("main.t", [batch(1)]))
    coordinator = coordinated(export, files, failing, other)
    request = export.table.ask(export.connection, "PARALLEL", value=1)
    with pytest.raises(FileNotWritable, match="No space left"):
        coordinator.tick()
    assert failing.ended
    assert coordinator.pool.lanes == [other]
    (row,) = export.record.rows("REQUEST")
    assert (row.item, row.state) == (request, "FAILED")
    assert files.next(lane(3), FIRST).target.number == 1, "the file is free to be gone on with"


def test_a_worker_that_is_found_dead_when_workers_get_fewer_is_as_any_that_died(export: Export) -> None:
    files = export.files()
    with export.begin(files, 1) as whole:
        export.done(whole.write("main.t", [batch(1)]))
    torn = export.begin(files, 2)
    export.done(torn.write("main.t", [batch(2)]))
    torn.abandon()
    dead = _Idle(2, WorkerDied(worker=2, detail="died"))
    coordinator = coordinated(export, files, dead, _Idle(1, InternalError(detail="it is not asked to end")))
    export.table.ask(export.connection, "PARALLEL", value=1)
    coordinator.tick()
    (row,) = export.record.rows("REQUEST")
    assert (row.state, row.error) == ("COMPLETED", "PARALLEL is 1")
    assert export.sealed(files) == [1, 2]


def test_a_worker_that_is_found_dead_when_all_is_done_does_not_stop_the_job(export: Export) -> None:
    files = export.files()
    torn = export.begin(files, 1)
    export.done(torn.write("main.t", [batch(1)]))
    torn.abandon()
    coordinator = coordinated(export, files, _Idle(1, WorkerDied(worker=1, detail="died")))
    coordinator.close()
    assert coordinator.pool.lanes == []
    assert export.sealed(files) == [1]


def test_a_dump_file_that_cannot_be_ended_when_all_is_done_ends_the_job(export: Export) -> None:
    failing = _Idle(1, FileNotWritable(path="x01.dmp", detail="No space left on device"))
    with pytest.raises(FileNotWritable, match="No space left"):
        coordinated(export, export.files(), failing).close()
    assert failing.ended


# --- what is deleted with a job -------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["PENDING", "EXECUTING"])
@pytest.mark.parametrize("content", [b"precious", header("another set").of_file(1), None], ids=["file", "dump", "link"])
def test_a_job_that_is_killed_deletes_nothing_that_is_not_its_own(export: Export, content: bytes | None, state: str) -> None:
    """It died before it had claimed the name, or something else has come to the place since."""
    path = export.path(1)
    if content is None:
        path.symlink_to(export.path(9))
    else:
        path.write_bytes(content)
    export.record.insert([Row("FILE", 1, name=str(path), state=state, detail={"filesize": None, "reuse": False})])  # type: ignore[arg-type]
    export.table.change(export.connection, "JOB", 1, state="STOPPED")
    assert Job(export.record.database, export.table).kill_stopped() == ()
    assert path.is_symlink() or path.read_bytes() == content


def test_a_job_that_is_killed_deletes_its_own_files(export: Export) -> None:
    files = export.files()
    files.claim(2)
    export.begin(files, 1).abandon()
    export.table.change(export.connection, "JOB", 1, state="STOPPED")
    assert Job(export.record.database, export.table).kill_stopped() == (str(export.path(1)), str(export.path(2)))
    assert not export.path(1).exists()
    assert not export.path(2).exists()
