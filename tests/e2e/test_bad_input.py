"""Bad input gets one line of error with a code and the mend, no traceback, and leaves nothing half-made unnamed."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.support.pump import Run, done, pump, pump_process
from tests.support.rows import tables_of
from tests.support.sql import execute, scalar


def refused(run: Run, code: str, *words: str) -> None:
    """The run ended with one error line that has the code and the words."""
    assert run.code == 1, run.out + run.err
    assert "Traceback" not in run.out + run.err
    line = run.err.strip()
    assert line.startswith(code), line
    assert "Action: " in line, line
    for word in words:
        assert word in line, line


@pytest.mark.parametrize(
    ("driver", "url"),
    [
        ("psycopg", "postgresql://u@127.0.0.1:1/none"),
        ("pymysql", "mysql://u@127.0.0.1:1/none"),
        ("pymysql", "mariadb://u@127.0.0.1:1/none"),
        ("adbc_driver_sqlite", ""),
    ],
)
def test_a_driver_that_is_not_installed_is_named(
    driver: str, url: str, sample: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / driver).mkdir()
    (tmp_path / driver / "__init__.py").write_text(f"raise ImportError('No module named {driver}')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    url = url or sample("chinook.sqlite")
    run = pump_process("expdp", url, f"DIRECTORY={tmp_path}", "NOLOGFILE=YES")
    refused(run, "MIG-12156", f"No module named {driver}", "pip install 'migrator-pump[")
    assert not list(tmp_path.glob("*.dmp"))


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("expdp", "nonsense"), "MIG-12154", ("nonsense",)),
        (("expdp", "firebird://host/db"), "MIG-12155", ("firebird", "postgresql")),
        (("expdp", "postgresql://u:secret@127.0.0.1:1/none"), "MIG-12541", ("127.0.0.1",)),
        (("expdp", "mysql://u:secret@127.0.0.1:1/none"), "MIG-12541", ("127.0.0.1",)),
        (("expdp", "sqlite:///no/such/file.db"), "MIG-12157", ("no/such/file.db",)),
        (("expdp", "sqlite:///x.db", "COLOUR=RED"), "LRM-00101", ("COLOUR",)),
        (("expdp", "sqlite:///x.db", "SAMPLE=10"), "UDE-00901", ("SAMPLE", "not supported yet")),
        (("expdp", "sqlite:///x.db", "FULL=Y", "SCHEMAS=main"), "UDE-00010", ()),
        (("expdp", "sqlite:///x.db", "CONTENT=SOME"), "UDE-00014", ("CONTENT",)),
        (("expdp", "sqlite:///x.db", "DUMPFILE=../x.dmp"), "ORA-39088", ("DIRECTORY",)),
        (("expdp", "sqlite:///x.db", "DIRECTORY=/no/such/place"), "ORA-39087", ("/no/such/place",)),
        (("impdp", "oracle:", "DUMPFILE=x.dmp"), "MIG-12158", ("SQLFILE",)),
        (("expdp", "oracle://u:secret@h/d"), "MIG-12159", ("Oracle", "SQLFILE")),
        (("expdp", "u:secret@localhost/orcl"), "MIG-12154", ("u:********@localhost/orcl",)),
        (("expdp", "mysql://u:secret@localhost/x?foo=bar"), "MIG-12154", ("foo",)),
        (("expdp", "sqlite:///x.db", "DUMPFILE=postgresql://a:secret@h:1/d"), "UDE-00014", ("DUMPFILE",)),
        (("expdp", "sqlite:///x.db", "DIRECTORY=postgresql://a:secret@h:1/d"), "ORA-39087", ("a:********@h",)),
        (("expdp", "sqlite:///x.db", "PARFILE=postgresql://a:secret@h:1/d"), "LRM-00109", ("a:********@h",)),
    ],
)
def test_a_request_that_makes_no_sense(
    arguments: tuple[str, ...], code: str, words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where the log file goes
    client, url, *rest = arguments
    run = pump(client, url, *rest)
    refused(run, code, *words)
    assert "secret" not in run.out + run.err


def test_a_table_that_does_not_exist(sample: Callable[[str], str], tmp_path: Path) -> None:
    run = pump("expdp", sample("chinook.sqlite"), "TABLES=Albums", f"DIRECTORY={tmp_path}")
    refused(run, "ORA-39166", "Albums")
    assert not (tmp_path / "expdat.dmp").exists()


def test_a_schema_that_does_not_exist(postgresql: Callable[..., str], tmp_path: Path) -> None:
    refused(pump("expdp", postgresql(), "SCHEMAS=nobody", f"DIRECTORY={tmp_path}"), "ORA-39165", "nobody", "public")


def test_nothing_selected(sample: Callable[[str], str], tmp_path: Path) -> None:
    run = pump("expdp", sample("chinook.sqlite"), "INCLUDE=SEQUENCE", f"DIRECTORY={tmp_path}")
    refused(run, "ORA-31655")


def test_an_existing_dump_file(sample: Callable[[str], str], tmp_path: Path) -> None:
    (tmp_path / "expdat.dmp").write_text("precious")
    refused(pump("expdp", sample("chinook.sqlite"), f"DIRECTORY={tmp_path}"), "ORA-27038", "REUSE_DUMPFILES")
    assert (tmp_path / "expdat.dmp").read_text() == "precious"


@pytest.mark.parametrize("keep", [0, 4, 1000, -1])
def test_a_truncated_dump(keep: int, sample: Callable[[str], str], sqlite_file: Callable[..., str], tmp_path: Path) -> None:
    done(pump("expdp", sample("chinook.sqlite"), f"DIRECTORY={tmp_path}"))
    dump = tmp_path / "expdat.dmp"
    dump.write_bytes(dump.read_bytes()[:keep])
    target = sqlite_file("target.db")
    refused(pump("impdp", target, f"DIRECTORY={tmp_path}"), "ORA-39000", "expdat.dmp")
    assert not Path(sa.make_url(target).database or "").exists() or tables_of(target) == []


def test_a_target_that_a_failed_import_would_have_made_is_not_there(sqlite_file: Callable[..., str], tmp_path: Path) -> None:
    refused(pump("impdp", sqlite_file("new.db"), f"DIRECTORY={tmp_path}"), "ORA-31640")
    assert not (tmp_path / "new.db").exists()


def test_a_source_is_not_overwritten_by_the_jobs_files(sample: Callable[[str], str], tmp_path: Path) -> None:
    url = sample("chinook.sqlite")
    before = (tmp_path / "chinook.sqlite").read_bytes()
    where = f"DIRECTORY={tmp_path}"
    refused(pump("expdp", url, where, "LOGFILE=chinook.sqlite"), "UDE-00010", "LOGFILE")
    refused(pump("expdp", url, where, "DUMPFILE=chinook.sqlite", "REUSE_DUMPFILES=YES"), "UDE-00010", "DUMPFILE")
    refused(pump("impdp", "oracle:", f"NETWORK_LINK={url}", where, "SQLFILE=chinook.sqlite"), "UDI-00010", "SQLFILE")
    assert (tmp_path / "chinook.sqlite").read_bytes() == before


def test_a_wrong_password_is_said_so(mysql: Callable[[], str], tmp_path: Path) -> None:
    url = sa.make_url(mysql()).set(password="wrong-secret").render_as_string(False)
    run = pump("expdp", url, f"DIRECTORY={tmp_path}")
    refused(run, "MIG-12541", "(using password: YES)")
    assert "wrong-secret" not in run.out + run.err


def test_a_dump_that_is_not_ours(sqlite_file: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "expdat.dmp").write_bytes(os.urandom(10_000))
    refused(pump("impdp", sqlite_file(), f"DIRECTORY={tmp_path}"), "ORA-39000", "not a dump file")


def test_a_file_that_is_no_database(sample: Callable[[str], str], tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(os.urandom(10_000))
    run = pump("expdp", f"sqlite:///{tmp_path}/x.db", f"DIRECTORY={tmp_path}")
    refused(run, "MIG-12166", "x.db", "file is not a database")
    (tmp_path / "keep.dmp").write_text("precious")
    link = f"NETWORK_LINK={sample('chinook.sqlite')}"
    refused(pump("impdp", f"sqlite:///{tmp_path}/keep.dmp", link, f"DIRECTORY={tmp_path}"), "MIG-12166", "keep.dmp")
    assert (tmp_path / "keep.dmp").read_text() == "precious"


def test_a_full_disk(sample: Callable[[str], str], tmp_path: Path) -> None:
    run = pump_process("expdp", sample("chinook.sqlite"), f"DIRECTORY={tmp_path}", largest_file=100_000)
    assert run.code in {1, 5}
    assert "Traceback" not in run.out + run.err
    assert "ORA-31641" in run.out + run.err
    assert "expdat.dmp" in run.out + run.err


def test_no_privilege_to_read(postgresql: Callable[..., str], tmp_path: Path) -> None:
    url = sa.make_url(postgresql())
    role = "reader_without_rights"
    execute(url, "CREATE TABLE public.secret (a int)", f"DROP ROLE IF EXISTS {role}", f"CREATE ROLE {role} LOGIN")
    try:
        run = pump("expdp", url.set(username=role).render_as_string(False), f"DIRECTORY={tmp_path}", "MASTER_TABLE=LOCAL")
        assert run.code == 5
        assert "ORA-31693" in run.out
        assert "permission denied for table secret" in run.out
    finally:
        execute(url, f"DROP ROLE {role}")


def test_no_privilege_to_create(sample: Callable[[str], str], postgresql: Callable[..., str], tmp_path: Path) -> None:
    url = sa.make_url(postgresql())
    role = "maker_without_rights"
    execute(url, f"DROP ROLE IF EXISTS {role}", f"CREATE ROLE {role} LOGIN")
    try:
        target = url.set(username=role).render_as_string(False)
        run = pump("impdp", target, f"NETWORK_LINK={sample('chinook.sqlite')}", f"DIRECTORY={tmp_path}")
        refused(run, "ORA-31633", "permission denied", "MASTER_TABLE=LOCAL")
        run = pump(
            "impdp", target, f"NETWORK_LINK={sample('chinook.sqlite')}", f"DIRECTORY={tmp_path}", "MASTER_TABLE=LOCAL"
        )
        assert run.code == 5
        assert 'ORA-39083: Object type SCHEMA:"main" failed to create with error:' in run.out
        assert "permission denied" in run.out
        assert not run.rows
    finally:
        execute(url, f"DROP ROLE {role}")


def test_a_table_with_text_in_an_integer_column_is_refused_by_the_row(
    sample: Callable[[str], str], postgresql: Callable[..., str], tmp_path: Path
) -> None:
    target = postgresql()
    link = sample("oddities-type-mismatch.sqlite")
    run = pump("impdp", target, f"NETWORK_LINK={link}", "REMAP_SCHEMA=main:public", f"DIRECTORY={tmp_path}")
    assert run.code == 5
    assert "ORA-31693" in run.out
    assert "MIG-20019" in run.out
    assert "rowid 2" in run.out
    assert scalar(target, "SELECT count(*) FROM products") == 0


def test_a_job_whose_user_may_drop_nothing_is_complete_and_says_that_its_master_table_stays(
    mysql: Callable[[], str], sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    source, target = sqlite_file(), sa.make_url(mysql())
    user, schema = f"{target.database}_keeps", target.database
    execute(source, "CREATE TABLE t (a INT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    execute(
        target,
        f"CREATE USER {user}@'%' IDENTIFIED BY 'x'",
        f"GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX, REFERENCES ON `{schema}`.* TO {user}@'%'",
    )
    try:
        limited = target.set(username=user, password="x").render_as_string(hide_password=False)
        asked = (f"NETWORK_LINK={source}", f"REMAP_SCHEMA=main:{schema}", f"DIRECTORY={tmp_path}", "JOB_NAME=STAYING")
        run = pump("impdp", limited, *asked)
    finally:
        execute(target, f"DROP USER {user}@'%'")
    assert run.code == 5
    assert f'MIG-12168: the job has completed; its master table "{schema}"."STAYING" stays: DROP command denied' in run.out
    assert "Drop the table as a user who may" in run.out
    assert "fatal" not in run.out
    assert scalar(target, "SELECT count(*) FROM t") == 1


def test_a_password_appears_nowhere(mysql: Callable[[], str], sqlite_file: Callable[..., str], tmp_path: Path) -> None:
    source = sa.make_url(mysql())
    password = "Tr0ub4dor-and-3"
    execute(
        source,
        "CREATE TABLE t (a INT PRIMARY KEY)",
        f"CREATE USER pump_test@'%' IDENTIFIED BY '{password}'",
        f"GRANT ALL ON `{source.database}`.* TO pump_test@'%'",
    )
    try:
        url = source.set(username="pump_test", password=password).render_as_string(False)
        good = pump("expdp", url, f"DIRECTORY={tmp_path}")
        wrong = pump("expdp", url.replace(password, password + "x"), f"DIRECTORY={tmp_path}", "LOGFILE=wrong.log")
        missing = pump("expdp", url, "TABLES=nope", f"DIRECTORY={tmp_path}", "REUSE_DUMPFILES=Y")
        done(good)
        assert wrong.code == missing.code == 1
        assert password not in "".join(run.out + run.err for run in (good, wrong, missing))
        for file in tmp_path.iterdir():
            assert password.encode() not in file.read_bytes(), file
    finally:
        execute(source, "DROP USER pump_test@'%'")


def test_a_password_is_not_in_the_process_list(tmp_path: Path) -> None:
    """The process waits in a connection to a server that accepts and says nothing; ps is asked meanwhile."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        url = f"postgresql://u:hunter2secret@127.0.0.1:{port}/db"
        command = [sys.executable, "-m", "migrator", "expdp", url, f"DIRECTORY={tmp_path}"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                listener.settimeout(60)
                peer, _ = listener.accept()
                shown = Path(f"/proc/{process.pid}/cmdline").read_bytes()
                peer.close()
            finally:
                process.kill()
    assert b"migrator" in shown
    assert b"hunter2secret" not in shown


def test_a_locked_target_is_said_so(sample: Callable[[str], str], tmp_path: Path) -> None:
    holder = sqlite3.connect(tmp_path / "locked.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        target = f"sqlite:///{tmp_path}/locked.db?timeout=0.1"
        run = pump("impdp", target, f"NETWORK_LINK={sample('chinook.sqlite')}", f"DIRECTORY={tmp_path}")
    finally:
        holder.close()
    assert run.code in {1, 5}
    assert "ORA-00054: resource busy: database is locked" in run.out + run.err
    assert "Traceback" not in run.out + run.err


# --- places that cannot be used


def test_a_state_directory_that_cannot_be_is_said_so(
    sample: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    for place in ("/proc", str(tmp_path / "file"), str(tmp_path / "gr\udcf6")):
        monkeypatch.setenv("XDG_STATE_HOME", place)
        run = pump("expdp", sample("chinook.sqlite"), f"DIRECTORY={tmp_path}")
        refused(run, "MIG-12163", os.fsencode(place).decode(errors="ignore"), "XDG_STATE_HOME")
    assert not (tmp_path / "expdat.dmp").exists()


def test_a_damaged_record_of_jobs_is_named(sample: Callable[[str], str], tmp_path: Path, state_home: Path) -> None:
    place = state_home / "migrator" / "jobs.db"
    place.parent.mkdir()
    place.write_bytes(os.urandom(5000))
    refused(pump("expdp", sample("chinook.sqlite"), f"DIRECTORY={tmp_path}"), "MIG-12166", str(place))
    refused(pump("expdp", sample("chinook.sqlite"), "ATTACH=NIGHTLY"), "MIG-12166", str(place))
    refused(pump("jobs", sample("chinook.sqlite")), "MIG-12166", str(place))


def test_a_directory_in_the_dump_files_place(sample: Callable[[str], str], tmp_path: Path) -> None:
    (tmp_path / "expdat.dmp").mkdir()
    run = pump("expdp", sample("chinook.sqlite"), f"DIRECTORY={tmp_path}")
    refused(run, "ORA-31641", "expdat.dmp", "not an ordinary file")
    assert "REUSE_DUMPFILES" not in run.err


def test_an_export_from_sqlite_has_no_master_table_in_it(sample: Callable[[str], str], tmp_path: Path) -> None:
    run = pump("expdp", sample("chinook.sqlite"), f"DIRECTORY={tmp_path}", "MASTER_TABLE=DATABASE")
    refused(run, "UDE-00010", "MASTER_TABLE", "LOCAL")
    done(pump("expdp", sample("chinook.sqlite"), f"DIRECTORY={tmp_path}", "MASTER_TABLE=LOCAL"))


def test_a_target_that_can_only_be_read(
    sample: Callable[[str], str], postgresql: Callable[..., str], tmp_path: Path
) -> None:
    link = f"NETWORK_LINK={sample('chinook.sqlite')}"
    target = sa.make_url(postgresql())
    execute(target, f'ALTER DATABASE "{target.database}" SET default_transaction_read_only = on')
    run = pump("impdp", target.render_as_string(False), link, f"DIRECTORY={tmp_path}")
    refused(run, "ORA-16000", "read-only", "can be written")


def test_a_job_goes_on_when_its_output_takes_no_more(sample: Callable[[str], str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "migrator", "expdp", sample("chinook.sqlite"), f"DIRECTORY={tmp_path}"]
    with open("/dev/full", "w") as full:
        run = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert run.returncode == 0
    assert run.stderr.startswith("MIG-12164: the standard output cannot be written")
    assert run.stderr.count("MIG-") == 1
    assert "successfully completed" in (tmp_path / "export.log").read_text()


@pytest.mark.parametrize(
    ("closing", "told"),
    [
        (">&-", "MIG-12164: the standard output cannot be written: Bad file descriptor\n"),
        ("2>&- <&-", ""),
        ("<&- >&- 2>&-", ""),
        (">/dev/full 2>/dev/full", ""),
    ],
)
def test_a_job_goes_on_without_its_standard_streams(
    closing: str, told: str, sample: Callable[[str], str], tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "migrator", "expdp", sample("chinook.sqlite"), f"DIRECTORY={tmp_path}"]
    shell = ["sh", "-c", f'exec "$@" {closing}', "sh"]
    run = subprocess.run([*shell, *command], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stderr.startswith(told)
    assert run.stderr.count("MIG-") == bool(told)
    assert "successfully completed" in (tmp_path / "export.log").read_text()


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("impdp",), "UDI-00014"),
        (("IMPDP",), "UDI-00014"),
        (("plan", "impdp"), "UDI-00014"),
        (("verify",), "UDI-00014"),
        (("plan", "expdp"), "UDE-00014"),
        (("expdp",), "UDE-00014"),
    ],
)
def test_a_refusal_has_the_code_of_the_client_whose_command_line_it_is(command: tuple[str, ...], code: str) -> None:
    first, *rest = command
    refused(pump(first, *rest, "sqlite:///x.db", "DUMPFILE=x.dmp", "PARALLEL=many"), code, "PARALLEL")
