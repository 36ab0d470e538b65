"""Dump file sets in an object store: written, read, killed on the way, refused; a real S3 endpoint on this machine."""

from __future__ import annotations

import re
import subprocess
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa

from migrator.cli import in_process, main
from migrator.config import Credential
from migrator.dump.object_store import ObjectStorage
from tests.support.jobs import LEASE, SECONDS, Recorded, begin, begin_again, ended, go_on, kill, until, workers_of
from tests.support.object_store import BUCKET, demand_keys, object_store, objects, unfinished_uploads
from tests.support.pump import done, pump, schema_of
from tests.support.rows import assert_same_rows
from tests.support.sql import execute

SECRET = "s3cret-of-the-store"
JOB = "TO_THE_STORE"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Credential]:
    """An empty bucket, which the configuration names ``archive``."""
    with object_store() as found:
        credential = replace(found, secret_key=SECRET)
        configure(tmp_path, monkeypatch, str(credential.endpoint))
        yield credential


def configure(home: Path, monkeypatch: pytest.MonkeyPatch, endpoint: str, more: str = "") -> None:
    path = home / "config.toml"
    path.write_text(
        f'{more}\n[credentials.archive]\nendpoint = "{endpoint}"\nregion = "us-east-1"\n'
        f'access_key = "key"\nsecret_key = "{SECRET}"\n'
    )
    path.chmod(0o600)
    monkeypatch.setenv("MIGRATOR_CONFIG", str(path))


def where(key: str) -> tuple[str, str]:
    return f"DUMPFILE=s3://{BUCKET}/{key}", "CREDENTIAL=archive"


QUIET = "NOLOGFILE=YES"

# --- there and back -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize(
    ("options", "fewest"),
    [
        (("FILESIZE=100K", "COMPRESSION=NONE", "PARALLEL=3"), 6),
        (("ENCRYPTION=ALL", "CHECKSUM=YES", "PARALLEL=2"), 3),
        ((), 2),
    ],
    ids=["cut", "encrypted", "plain"],
)
def test_every_row_comes_back(
    kind: str,
    options: tuple[str, ...],
    fewest: int,
    store: Credential,
    sample: Callable[[str], str],
    postgresql: Callable[..., str],
    sqlite_file: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if "ENCRYPTION=ALL" in options:
        monkeypatch.setenv("MIGRATOR_ENCRYPTION_PASSWORD", "swordfish")
    source = sample("chinook.sqlite")
    start, target = source, postgresql()
    if kind == "postgresql":
        start, target = postgresql(), sqlite_file("target.db")
        done(pump("impdp", start, f"NETWORK_LINK={source}", "REMAP_SCHEMA=main:public", QUIET))
    run = done(pump("expdp", start, *where("sets/a%U.dmp"), QUIET, *options))
    listed = re.findall(rf"^  (s3://{BUCKET}/(\S+))$", run.out, re.M)
    assert len(listed) >= fewest
    assert sorted(key for _, key in listed) == sorted(objects(store))
    assert unfinished_uploads(store) == 0
    done(pump("impdp", target, *where("sets/a%U.dmp"), f"REMAP_SCHEMA={schema_of(start)}:{schema_of(target)}", QUIET))
    assert_same_rows(source, target, target_schema=schema_of(target))


def test_a_set_without_rows_is_one_object(
    store: Credential, sample: Callable[[str], str], sqlite_file: Callable[..., str]
) -> None:
    done(pump("expdp", sample("chinook.sqlite"), *where("a%U.dmp"), "CONTENT=METADATA_ONLY", "PARALLEL=3", QUIET))
    assert list(objects(store)) == ["a01.dmp"]
    target = sqlite_file("target.db")
    done(pump("impdp", target, *where("a%U.dmp"), QUIET))
    assert "Album" in sa.inspect(sa.create_engine(target, poolclass=sa.NullPool)).get_table_names()


def test_an_object_is_an_archive_as_a_file_is(store: Credential, sample: Callable[[str], str]) -> None:
    done(pump("expdp", sample("chinook.sqlite"), *where("a%U.dmp"), QUIET))
    with ObjectStorage(store).read(f"s3://{BUCKET}/a01.dmp") as file, zipfile.ZipFile(file) as archive:
        assert archive.namelist()[0] == "header.json"
        assert archive.testzip() is None


def test_dumpinfo_reads_an_object(
    store: Credential, sample: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    done(pump("expdp", sample("chinook.sqlite"), *where("a%U.dmp"), QUIET))
    assert main(["dumpinfo", f"s3://{BUCKET}/a02.dmp", "CREDENTIAL=archive"]) == 0
    out = capsys.readouterr().out
    assert f"s3://{BUCKET}/a02.dmp: Data Pump dump file (migrator)" in out
    assert "files of the set: a01.dmp, a02.dmp" in out


def test_verify_only_finds_a_changed_byte(
    store: Credential, sample: Callable[[str], str], sqlite_file: Callable[..., str]
) -> None:
    done(pump("expdp", sample("chinook.sqlite"), *where("a%U.dmp"), "CHECKSUM=YES", QUIET))
    verify = ("impdp", sqlite_file("t.db"), *where("a%U.dmp"), "VERIFY_ONLY=YES", QUIET)
    done(pump(*verify))
    storage, name = ObjectStorage(store), f"s3://{BUCKET}/a01.dmp"
    with storage.read(name) as file:
        content = bytearray(file.read())
    content[10] ^= 1
    with storage.append(name) as file:
        file.write(bytes(content))
    assert pump(*verify).err.startswith(f'ORA-39411: checksum error in dump file "{name}"')


# --- objects that exist ---------------------------------------------------------------------------------------------


def test_an_object_that_exists_is_overwritten_only_when_told(store: Credential, sample: Callable[[str], str]) -> None:
    storage, name = ObjectStorage(store), f"s3://{BUCKET}/a01.dmp"
    with storage.append(name) as file:
        file.write(b"precious")
    run = pump("expdp", sample("chinook.sqlite"), *where("a%U.dmp"), QUIET)
    assert (run.code, run.err.split(":")[0]) == (1, "ORA-27038")
    assert storage.size(name) == 8
    done(pump("expdp", sample("chinook.sqlite"), *where("a%U.dmp"), "REUSE_DUMPFILES=YES", QUIET))
    assert storage.size(name) > 8


def test_a_job_that_fails_before_it_begins_leaves_objects_that_it_might_reuse(
    store: Credential, sample: Callable[[str], str]
) -> None:
    storage, name = ObjectStorage(store), f"s3://{BUCKET}/a01.dmp"
    with storage.append(name) as file:
        file.write(b"precious")
    names = f"DUMPFILE=s3://{BUCKET}/a%U.dmp,s3://none/b%U.dmp"
    run = pump("expdp", sample("chinook.sqlite"), names, "CREDENTIAL=archive", "REUSE_DUMPFILES=YES", "PARALLEL=2", QUIET)
    assert run.err.startswith('ORA-31641: unable to create or write file "s3://none/b01.dmp": no such bucket: none')
    assert storage.size(name) == 8


# --- killed on the way ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A SQLite file of 60 MB of rows that do not compress."""
    url = f"sqlite:///{tmp_path_factory.mktemp('source') / 'big.db'}"
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)"
    execute(url, "CREATE TABLE big (id INTEGER PRIMARY KEY, label VARCHAR(3000) NOT NULL)")
    execute(url, f"INSERT INTO big {numbers} SELECT i, hex(randomblob(1000)) FROM n")
    return url


def filled(kind: str, big: str, postgresql: Callable[..., str]) -> str:
    if kind == "sqlite":
        return big
    url = postgresql()
    done(pump("impdp", url, f"NETWORK_LINK={big}", "REMAP_SCHEMA=main:public", QUIET))
    return url


def contents(url: str) -> tuple[object, ...]:
    with sa.create_engine(url, poolclass=sa.NullPool).connect() as connection:
        query = "SELECT count(*), count(DISTINCT id), sum(id), count(DISTINCT label), sum(length(label)) FROM big"
        return tuple(map(int, connection.execute(sa.text(query)).one()))


def check_restored(source: str, target: str, store: Credential) -> None:
    done(pump("impdp", target, *where("big%U.dmp"), f"REMAP_SCHEMA={schema_of(source)}:main", QUIET))
    assert contents(target) == contents(source)
    assert all(re.fullmatch(r"big\d\d\.dmp", key) for key in objects(store))


@contextmanager
def running(url: str, tmp_path: Path, *more: str) -> Iterator[tuple[subprocess.Popen[str], Recorded]]:
    """An export into several objects that has begun, and its record."""
    recorded = Recorded.of(url, JOB, local=url.startswith("sqlite"))
    arguments = (*where("big%U.dmp"), QUIET, f"JOB_NAME={JOB}", "PARALLEL_THRESHOLD=2M", *more)
    with ended(begin("expdp", url, *arguments, cwd=tmp_path)) as process:
        yield process, recorded


def pieces_in(recorded: Recorded) -> dict[int, list[int]]:
    """The granules that are recorded as done, by the objects that their pieces are in."""
    found: dict[int, list[int]] = {}
    for row in recorded.granules():
        for piece in row.detail.get("pieces", []) if row.state == "COMPLETED" else []:
            found.setdefault(piece["file"], []).append(row.item)
    return found


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_an_export_that_is_killed_in_mid_upload_goes_on(
    kind: str,
    big: str,
    store: Credential,
    postgresql: Callable[..., str],
    sqlite_file: Callable[..., str],
    tmp_path: Path,
) -> None:
    url = filled(kind, big, postgresql)
    with running(url, tmp_path, "FILESIZE=30M") as (process, recorded):
        until(lambda: recorded.exists() and 2 in pieces_in(recorded) and "big01.dmp" in objects(store), "the second object")
        kill(process)
    whole, there = objects(store), pieces_in(recorded)
    lost = {item for number, items in there.items() if f"big{number:02}.dmp" not in whole for item in items}
    assert lost, "what had been sent is not there, since its object was not ended"
    time.sleep(float(LEASE) + 0.1)
    again = go_on(url, JOB, local=kind == "sqlite")
    assert again.returncode == 0, again.stdout
    said = re.findall(r"granule (\d+) of \S+ is not in its dump file, and is unloaded again", again.stdout)
    assert {int(item) for item in said} == lost
    after = objects(store)
    assert {key: after[key] for key in whole} == whole, "what was complete stays as it was"
    check_restored(url, sqlite_file("target.db"), store)


def test_an_export_is_killed_again_and_again(
    big: str, store: Credential, sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    def kill_when_there_are(wanted: int, process: subprocess.Popen[str]) -> None:
        until(lambda: recorded.exists() and len(objects(store)) >= wanted, "an object")
        kill(process)
        time.sleep(float(LEASE) + 0.1)

    with running(big, tmp_path, "FILESIZE=15M", "PARALLEL=2") as (process, recorded):
        kill_when_there_are(1, process)
    for wanted in (2, 3):
        with ended(begin_again(big, JOB, local=True)) as process:
            kill_when_there_are(wanted, process)
    again = go_on(big, JOB, local=True)
    assert again.returncode == 0, again.stdout
    check_restored(big, sqlite_file("target.db"), store)


def test_a_worker_that_is_killed_takes_its_object_with_it(
    big: str, store: Credential, sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    with running(big, tmp_path, "PARALLEL=2") as (process, recorded):
        until(lambda: recorded.exists() and len(pieces_in(recorded)) == 2, "two objects")
        workers = workers_of(psutil.Process(process.pid))
        assert len(workers) == 2
        workers[0].kill()
        said, _ = process.communicate(timeout=SECONDS)
    assert re.search(r"granule \d+ of \S+ is not in its dump file, and is unloaded again", said)
    assert len(re.findall(r'\. \. exported "main"."big".* 30000 rows', said)) == 1
    if process.returncode:  # it died when all rows had been read, and nobody was left to read its own again
        assert "ORA-39014" in said
        again = go_on(big, JOB, local=True)
        assert again.returncode == 0, again.stdout
    check_restored(big, sqlite_file("target.db"), store)


def test_a_set_that_was_sealed_is_sealed_again(
    big: str, store: Credential, sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    """The job dies when the last object is there and nobody has recorded that."""
    with running(big, tmp_path, "KEEP_MASTER=YES") as (process, recorded):
        said, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, said
    with recorded.database.connect() as connection:
        recorded.table.change(connection, "JOB", 1, state="STOPPED")
    before = objects(store)
    again = go_on(big, JOB, local=True)
    assert again.returncode == 0, again.stdout
    assert list(objects(store)) == list(before)
    assert objects(store)["big01.dmp"] == before["big01.dmp"]
    check_restored(big, sqlite_file("target.db"), store)


def test_a_killed_job_leaves_no_object(big: str, store: Credential, tmp_path: Path) -> None:
    with running(big, tmp_path, "FILESIZE=15M") as (process, recorded):
        until(lambda: recorded.exists() and bool(objects(store)), "an object")
        with recorded.database.connect() as connection:
            recorded.table.ask(connection, "KILL_JOB")
        said, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 1, said
    assert objects(store) == {}
    assert not recorded.exists()


# --- memory ---------------------------------------------------------------------------------------------------------


def peak(client: str, url: str, *arguments: str, cwd: Path) -> int:
    """The most memory that a job's processes had together, in bytes."""
    most = 0
    with ended(begin(client, url, *arguments, QUIET, cwd=cwd)) as process:
        while process.poll() is None:
            try:
                members = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
                most = max(most, sum(member.memory_info().rss - member.memory_info().shared for member in members))
            except psutil.NoSuchProcess:
                continue
            time.sleep(0.02)
        said, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, said
    return most


def test_memory_does_not_grow_with_the_objects(store: Credential, sqlite_file: Callable[..., str], tmp_path: Path) -> None:
    peaks = {}
    for name, rows in (("small", 7_000), ("big", 14_000)):
        url = sqlite_file(f"{name}.db")
        numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})"
        execute(url, "CREATE TABLE t (id INTEGER PRIMARY KEY, label TEXT)")
        execute(url, f"INSERT INTO t {numbers} SELECT i, hex(randomblob(6000)) FROM n")
        peaks[name] = peak("expdp", url, *where(f"{name}%U.dmp"), cwd=tmp_path)
    assert int(objects(store)["big01.dmp"].size) > 160_000_000
    assert peaks["big"] < peaks["small"] * 1.25, peaks
    peaks["import"] = peak("impdp", sqlite_file("target.db"), *where("big%U.dmp"), cwd=tmp_path)
    assert peaks["import"] < 350 << 20, peaks


# --- errors and secrets ---------------------------------------------------------------------------------------------


def one_line(*arguments: str) -> str:
    """The error of a job that fails: one line, and no secret in it."""
    run = pump(*arguments, QUIET)
    assert run.code == 1
    first, *rest = run.err.splitlines()
    assert all(line.startswith(" Action:") for line in rest)
    assert SECRET not in run.err + run.out
    assert "Request ID" not in first
    return first


def test_a_bucket_that_is_not_there(
    store: Credential, sample: Callable[[str], str], sqlite_file: Callable[..., str]
) -> None:
    names = ("DUMPFILE=s3://none/a%U.dmp", "CREDENTIAL=archive")
    assert one_line("expdp", sample("chinook.sqlite"), *names).endswith('"s3://none/a01.dmp": no such bucket: none')
    assert one_line("impdp", sqlite_file("t.db"), *names).endswith('"s3://none/a01.dmp" for read: no such bucket: none')


def test_a_set_that_is_not_there(store: Credential, sqlite_file: Callable[..., str]) -> None:
    said = one_line("impdp", sqlite_file("t.db"), *where("a%U.dmp"))
    assert said == f'ORA-31640: unable to open dump file "s3://{BUCKET}/a01.dmp" for read: no such object'


def test_a_wrong_key(store: Credential, sample: Callable[[str], str], sqlite_file: Callable[..., str]) -> None:
    demand_keys(store)
    assert one_line("expdp", sample("chinook.sqlite"), *where("a%U.dmp")).startswith("ORA-31641")
    assert "ACCESS_DENIED" in one_line("impdp", sqlite_file("t.db"), *where("a%U.dmp"))


def test_no_network(
    sample: Callable[[str], str], sqlite_file: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(tmp_path, monkeypatch, "http://127.0.0.1:9")
    assert "NETWORK_CONNECTION" in one_line("expdp", sample("chinook.sqlite"), *where("a%U.dmp"))
    assert "NETWORK_CONNECTION" in one_line("impdp", sqlite_file("t.db"), *where("a%U.dmp"))


def test_no_secret_is_in_the_log_or_the_master_table(
    store: Credential, postgresql: Callable[..., str], sample: Callable[[str], str], tmp_path: Path
) -> None:
    url = postgresql()
    done(pump("impdp", url, f"NETWORK_LINK={sample('chinook.sqlite')}", "REMAP_SCHEMA=main:public", QUIET))
    log = (f"DIRECTORY={tmp_path}", "LOGFILE=x.log", "METRICS=YES")
    run = done(pump("expdp", url, *where("a%U.dmp"), *log, "KEEP_MASTER=YES", "JOB_NAME=KEPT"))
    with sa.create_engine(url, poolclass=sa.NullPool).connect() as connection:
        rows = str(connection.execute(sa.text('SELECT * FROM "KEPT"')).all())
    assert "s3://dumps/a01.dmp" in rows
    assert SECRET not in rows + run.out + (tmp_path / "x.log").read_text()


def test_where_paths_are_not_taken_an_object_needs_a_configured_credential(
    store: Credential, sample: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = f'only_directory_objects = true\n[directories]\nDATA_PUMP_DIR = "{tmp_path}"\n'
    configure(tmp_path, monkeypatch, str(store.endpoint), more)
    run = pump("expdp", sample("chinook.sqlite"), f"DUMPFILE=s3://{BUCKET}/a%U.dmp", QUIET)
    assert run.err.startswith("MIG-12162: no CREDENTIAL is named for s3://dumps/a%U.dmp")
    done(pump("expdp", sample("chinook.sqlite"), *where("a%U.dmp"), QUIET))
    assert main(["dumpinfo", f"s3://{BUCKET}/a01.dmp"], in_process) == 1
