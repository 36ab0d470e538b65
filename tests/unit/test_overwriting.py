"""What a job's own files may take the place of."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from migrator.command_line import from_arguments
from migrator.config import Config
from migrator.errors import ConflictingParameters, DumpFileExists, FileNotWritable, LogFileNotWritable
from migrator.overwriting import check, check_added, nothing_left_empty
from migrator.params import Client
from migrator.spec import JobSpec

OTHER = {
    "database": b"SQLite format 3\0" + bytes(100),
    "archive": b"PK\x03\x04" + bytes(26) + b"mimetype",
    "image": b"\x89PNG\0",
}


@pytest.fixture(autouse=True)
def _work_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def database() -> Path:
    """A SQLite database in the current directory."""
    with closing(sqlite3.connect("hr.db")) as connection:
        connection.execute("CREATE TABLE t (a)")
    return Path("hr.db")


def databases(job: JobSpec, config: Config) -> list[sa.URL]:
    return [config.url(reference) for reference in (job.connection, job.network_link) if reference is not None]


def asked(client: Client, *arguments: str) -> None:
    job = from_arguments(client, arguments, config := Config())
    check(job, databases(job, config))


@pytest.mark.parametrize(
    ("client", "arguments"),
    [
        ("expdp", ("sqlite:///hr.db", "LOGFILE=hr.db")),
        ("expdp", ("sqlite:///hr.db", "DUMPFILE=hr.db", "REUSE_DUMPFILES=YES")),
        ("expdp", ("sqlite:///hr.db", "DUMPFILE=hr.db")),
        ("impdp", ("oracle:", "NETWORK_LINK=sqlite:///hr.db", "SQLFILE=hr.db")),
        ("impdp", ("sqlite:///new.db", "NETWORK_LINK=sqlite:///hr.db", "LOGFILE=hr.db")),
        ("impdp", ("sqlite:///hr.db", "LOGFILE=hr.db")),
        ("impdp", ("sqlite:///hr.db", "LOGFILE=hr.db-wal")),
        ("impdp", ("sqlite:///hr.db", "LOGFILE=hr.db-journal")),
    ],
)
def test_a_database_of_the_job_is_not_overwritten(client: Client, arguments: tuple[str, ...], database: Path) -> None:
    with pytest.raises(ConflictingParameters, match="belongs to a database of the job"):
        asked(client, *arguments)


@pytest.mark.parametrize("parameter", ["LOGFILE", "DUMPFILE"])
def test_nor_by_another_name(parameter: str, database: Path) -> None:
    os.link(database, "x.bin")
    with pytest.raises(ConflictingParameters, match="belongs to a database of the job"):
        asked("expdp", "sqlite:///hr.db", f"{parameter}=x.bin")


def test_nor_in_a_directory_by_another_name(database: Path) -> None:
    Path("alias").symlink_to(".")
    with pytest.raises(ConflictingParameters, match="belongs to a database of the job"):
        asked("expdp", "sqlite:///alias/hr.db", "LOGFILE=hr.db")


def test_nor_by_a_template_that_leads_to_it() -> None:
    with pytest.raises(ConflictingParameters, match="belongs to a database of the job"):
        asked("expdp", "sqlite:///hr07.db", "DUMPFILE=hr%U.db")
    asked("expdp", "sqlite:///hr07.db", "DUMPFILE=hr%U.dmp")


def test_nor_one_that_is_yet_to_be_made() -> None:
    with pytest.raises(ConflictingParameters, match="belongs to a database of the job"):
        asked("impdp", "sqlite:///new.db", "LOGFILE=new.db")


@pytest.mark.parametrize("content", OTHER.values(), ids=OTHER)
def test_a_log_or_a_script_takes_the_place_of_texts_only(content: bytes) -> None:
    Path("x").with_suffix(".bin").write_bytes(content)
    with pytest.raises(LogFileNotWritable, match=r"x\.bin.*: it is"):
        asked("expdp", "postgresql://h/d", "LOGFILE=x.bin")
    with pytest.raises(FileNotWritable, match=r"x\.bin.*: it is"):
        asked("impdp", "oracle:", "SQLFILE=x.bin")
    assert Path("x.bin").read_bytes() == content


@pytest.mark.parametrize("content", [b"", b"Export: Release 1\n", "übel\n".encode("latin-1")])
def test_earlier_logs_and_scripts_are_overwritten(content: bytes) -> None:
    Path("x.txt").write_bytes(content)
    asked("expdp", "postgresql://h/d", "LOGFILE=x.txt")
    asked("impdp", "oracle:", "SQLFILE=x.txt")


@pytest.mark.parametrize("content", [b"text", *OTHER.values()], ids=["text", *OTHER])
@pytest.mark.parametrize("name", ["x01.dmp", "x%U.dmp"])
def test_a_reused_dump_file_takes_the_place_of_dump_files_only(name: str, content: bytes) -> None:
    Path("x01.dmp").write_bytes(content)
    with pytest.raises(FileNotWritable, match=r"x01\.dmp.*: it is no dump file"):
        asked("expdp", "postgresql://h/d", f"DUMPFILE={name}", "REUSE_DUMPFILES=YES")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04" + bytes(26) + b"header.json{}"], ids=["empty", "dump"])
def test_earlier_dump_files_are_reused(content: bytes) -> None:
    Path("x01.dmp").write_bytes(content)
    asked("expdp", "postgresql://h/d", "DUMPFILE=x%U.dmp", "REUSE_DUMPFILES=YES")


def fail(name: str, content: bytes) -> None:
    """An import into the database ``name`` that fails after it has written ``content``."""
    job = from_arguments("impdp", [f"sqlite:///{name}", "NOLOGFILE=YES"], config := Config())
    with nothing_left_empty(databases(job, config)):
        with Path(name).open("ab") as file:
            file.write(content)
        raise ZeroDivisionError


def test_a_database_that_a_failed_job_made_goes_if_it_is_empty() -> None:
    with pytest.raises(ZeroDivisionError):
        fail("new.db", b"")
    assert not Path("new.db").exists()


def test_a_database_that_was_there_stays() -> None:
    Path("empty.db").touch()
    with pytest.raises(ZeroDivisionError):
        fail("empty.db", b"")
    assert Path("empty.db").exists()


def test_what_a_failed_job_filled_stays() -> None:
    with pytest.raises(ZeroDivisionError):
        fail("new.db", b"rows")
    assert Path("new.db").read_bytes() == b"rows"


def added(name: str, *, reuse: bool) -> None:
    """ADD_FILE to an export of the database hr.db."""
    job = from_arguments("expdp", ["sqlite:///hr.db", "DUMPFILE=x.dmp", "LOGFILE=x.log"], config := Config())
    check_added(job, (str(Path(name).absolute()),), reuse=reuse, databases=databases(job, config))


@pytest.mark.parametrize("reuse", [False, True])
def test_an_added_file_is_no_database_of_the_job(database: Path, reuse: bool) -> None:
    with pytest.raises(ConflictingParameters, match="belongs to a database of the job"):
        added("hr.db", reuse=reuse)


def test_an_added_file_that_is_there_is_refused_at_once(database: Path) -> None:
    Path("x01.dmp").write_bytes(b"text")
    with pytest.raises(DumpFileExists):
        added("x01.dmp", reuse=False)
    with pytest.raises(FileNotWritable, match="it is no dump file"):
        added("x01.dmp", reuse=True)
    added("x%U.dmp", reuse=False)
    added("x02.dmp", reuse=False)
