"""The files of an export: who has which, what is recorded of them, and what becomes of them when somebody dies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
import sqlalchemy as sa

from migrator.command_line import from_arguments
from migrator.config import NO_SECRETS, Config
from migrator.ends import Database
from migrator.errors import JobTakenOver
from migrator.job.coordinator import Record
from migrator.job.dump_files import ExportFiles
from migrator.job.lanes import Lane
from migrator.job.session import Heart, Session
from migrator.job.table import MasterTable, Row
from migrator.job.worker import FileWanted
from migrator.model.objects import QName
from tests.support.dumps import header

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
        self.directory, self.connection = directory, connection
        self.table = MasterTable("main", "J")
        self.table.create(connection)
        self.record = Record(self.table, database, connection)
        arguments = ("sqlite:///x.db", f"DIRECTORY={directory}", "DUMPFILE=x%U.dmp")
        self.spec = from_arguments("expdp", arguments, Config())
        template = {"template": self.spec.dumpfiles[0], "filesize": None, "reuse": False, "added": False}
        detail = {"header": json.loads(header().of_file(1)), "dumpfiles": [template]}
        self.table.define(connection, Row("JOB", 1, state="EXECUTING", incarnation=1, detail=detail))
        heart = Heart(self.table, database, 1)
        self.session = Session(QName("main", "J"), self.record, detail, heart, 1, False)

    def files(self) -> ExportFiles:
        """The files, as a process finds them that begins with the job or goes on with it."""
        return ExportFiles(self.spec, self.session, NO_SECRETS)


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
