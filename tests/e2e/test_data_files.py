"""Data files of MariaDB copied by TRANSPORTABLE=ALWAYS: all that a table holds is there, and what cannot be is refused."""

from __future__ import annotations

import json
import os
import random
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from dialects.mysql import ADAPTER, data_files
from dialects.mysql.dictionary import parsed_flavor
from dialects.mysql.places import Spot
from migrator.adapter import Block
from migrator.cli import in_process, main
from migrator.ends import Database
from migrator.errors import ConnectionLost, DataFilesInUse, DataFilesUnreachable, JobTakenOver, MigratorError, NotADataFile
from migrator.model.objects import QName
from tests.support.hoard import contents, hoard
from tests.support.jobs import LEASE, SECONDS, Recorded, begin, begin_again, ended, freeze, go_on, kill, until, wake
from tests.support.pump import done, pump, pump_process, remap, schema_of
from tests.support.restarts import Killed, check_equal, kill_often
from tests.support.servers import PrivateMariaDB, Servers
from tests.support.sql import execute, rows, scalar

pytestmark = pytest.mark.product("MariaDB", "data files that are copied")

FILLED = (
    """CREATE TABLE `wide-ö` (
        id INT AUTO_INCREMENT PRIMARY KEY, label VARCHAR(60) NOT NULL, amount DECIMAL(12,2), at DATETIME(6), e ENUM('x','y'),
        n BIGINT UNSIGNED, doc JSON, bits BIT(5), v INT AS (amount * 2) VIRTUAL, s INT AS (amount * 3) STORED,
        spot POINT NOT NULL, CHECK (amount > 0), UNIQUE KEY one (label, id),
        KEY by_v (v), KEY by_prefix (label(3))) ENGINE=InnoDB COMMENT='wide'""",
    """INSERT INTO `wide-ö` (label, amount, at, e, n, doc, bits, spot)
        SELECT CONCAT('row ', seq), seq / 100, '2024-01-01 10:00:00.123456', ELT(1 + seq % 2, 'x', 'y'),
        18446744073709551615 - seq, '{"a": 1}', b'101', POINT(seq, seq) FROM seq_1_to_5000""",
    "DELETE FROM `wide-ö` WHERE id > 4000",
    "CREATE TABLE grown (id INT PRIMARY KEY, gone INT, kept INT)",
    "INSERT INTO grown SELECT seq, seq, seq FROM seq_1_to_100",
    "ALTER TABLE grown ADD COLUMN late INT NOT NULL DEFAULT 9 AFTER id, ALGORITHM=INSTANT",
    "ALTER TABLE grown DROP COLUMN gone, ALGORITHM=INSTANT",
    "CREATE TABLE child (id INT PRIMARY KEY, parent INT, FOREIGN KEY (parent) REFERENCES `wide-ö` (id) ON DELETE CASCADE)",
    "INSERT INTO child SELECT seq, seq FROM seq_1_to_1000",
    "CREATE TABLE packed (id INT, t LONGTEXT) ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=8",
    "INSERT INTO packed SELECT seq, REPEAT('x', seq) FROM seq_1_to_300",
    "CREATE TABLE hollow (a INT)",
    "CREATE VIEW counted AS SELECT COUNT(*) AS n FROM child",
    "CREATE TRIGGER counting BEFORE INSERT ON child FOR EACH ROW SET NEW.parent = COALESCE(NEW.parent, 1)",
)
TABLES = ("wide-ö", "child", "grown", "packed", "hollow")


@pytest.fixture
def filled(mysql: Callable[[], str]) -> str:
    url = mysql()
    execute(url, *FILLED)
    return url


@pytest.fixture
def dumped(filled: str, tmp_path: Path) -> tuple[str, tuple[str, ...]]:
    """A database, and where its dump file set with data files is."""
    where = (f"DIRECTORY={tmp_path}", "NOLOGFILE=YES")
    done(pump("expdp", filled, "TRANSPORTABLE=ALWAYS", *where))
    return filled, where


def checksums(url: str) -> dict[str, object]:
    """What the server itself says of the rows of each table."""
    return {name: rows(url, f"CHECKSUM TABLE `{name}`")[0][1] for name in TABLES}


def definitions(url: str) -> dict[str, str]:
    """The tables as the server has them, AUTO_INCREMENT with them."""
    return {name: rows(url, f"SHOW CREATE TABLE `{name}`")[0][1].replace(schema_of(url), "") for name in TABLES}


def check_same(source: str, target: str) -> None:
    assert checksums(target) == checksums(source)
    there, here = definitions(target), definitions(source)
    assert {name: sorted(text.split("\n")) for name, text in there.items()} == {
        name: sorted(text.split("\n")) for name, text in here.items()
    }
    for name in TABLES:
        assert rows(target, f"CHECK TABLE `{name}` EXTENDED")[0][3] == "OK"


def folder_of(url: str) -> Path:
    return Path(scalar(url, "SELECT @@datadir")) / schema_of(url)


def placed_in(url: str) -> set[str]:
    """The endings of the files of a database's tables."""
    return {path.suffix for path in folder_of(url).iterdir()}


# --- there and back -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("PARALLEL=3", "FILESIZE=1M", "COMPRESSION=ALL", "CHECKSUM=YES", "ENCRYPTION=ALL"),
        ("FILESIZE=100K", "SCHEMAS={schema}"),
        ("FULL=YES", "INCLUDE=SCHEMA:\"='{schema}'\""),
    ],
    ids=["plain", "cut, compressed and encrypted", "small files", "full"],
)
def test_tables_are_what_they_were(
    options: tuple[str, ...], filled: str, mysql: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = mysql()
    monkeypatch.setenv("MIGRATOR_ENCRYPTION_PASSWORD", "swordfish" if "ENCRYPTION=ALL" in options else "")
    where = (f"DIRECTORY={tmp_path}", "DUMPFILE=x%L.dmp", "NOLOGFILE=YES", "METRICS=YES")
    given = [option.format(schema=schema_of(filled)) for option in options]
    out = done(pump("expdp", filled, "TRANSPORTABLE=ALWAYS", *where, *given))
    assert out.out.count("data files in") == len(TABLES)
    assert out.out.count("using data_file_copy") == len(TABLES)
    into = done(pump("impdp", target, *where, remap(filled, target), *[o for o in given if o.startswith("PARALLEL")]))
    assert into.out.count("using data_file_copy") == len(TABLES)
    moved = r"Inventory of the source's objects: \d+ = \d+ moved( \+ \d+ (filtered out|there already))*$"
    assert re.search(moved, into.out, re.MULTILINE), into.out
    check_same(filled, target)
    assert scalar(target, "SELECT n FROM counted") == 1000
    assert placed_in(target) == placed_in(filled)
    execute(target, "INSERT INTO `wide-ö` (label, spot) VALUES ('next', POINT(1, 1))", "DELETE FROM `wide-ö` WHERE id = 7")
    execute(filled, "INSERT INTO `wide-ö` (label, spot) VALUES ('next', POINT(1, 1))")
    newest = "SELECT MAX(id) FROM `wide-ö`"
    assert scalar(target, newest) == scalar(filled, newest)
    assert scalar(target, "SELECT COUNT(*) FROM child WHERE parent = 7") == 0
    assert scalar(target, "SELECT COUNT(*) FROM `wide-ö` FORCE INDEX (by_v) WHERE v BETWEEN 2 AND 10") == scalar(
        filled, "SELECT COUNT(*) FROM `wide-ö` IGNORE INDEX (by_v) WHERE v BETWEEN 2 AND 10 AND id <> 7"
    )


def test_a_table_can_be_renamed_and_one_that_is_there_replaced_or_skipped(
    dumped: tuple[str, tuple[str, ...]], mysql: Callable[[], str]
) -> None:
    source, where = dumped
    target = mysql()
    given = (*where, remap(source, target), "TABLES=child,hollow", "EXCLUDE=REF_CONSTRAINT,TRIGGER")
    done(pump("impdp", target, *given, "REMAP_TABLE=child:kind"))
    assert scalar(target, "SELECT COUNT(*) FROM kind") == 1000
    execute(target, "CREATE TABLE child (id INT) ENGINE=MyISAM", "INSERT INTO child VALUES (5)")
    skipped = pump("impdp", target, *given)
    assert skipped.code == 5
    assert skipped.out.count("ORA-39151") == 2
    assert scalar(target, "SELECT COUNT(*) FROM child") == 1
    done(pump("impdp", target, *given, "TABLE_EXISTS_ACTION=REPLACE"))
    assert rows(target, "SELECT MIN(id), COUNT(*) FROM child") == [(1, 1000)]


def test_the_metadata_goes_anywhere(
    dumped: tuple[str, tuple[str, ...]], sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    source, where = dumped
    given = (*where, "TABLES=child,hollow", "EXCLUDE=REF_CONSTRAINT,TRIGGER", f"REMAP_SCHEMA={schema_of(source)}:main")
    target = sqlite_file()
    done(pump("impdp", target, *given, "CONTENT=METADATA_ONLY"))
    assert scalar(target, "SELECT count(*) FROM child") == 0
    done(pump("impdp", "postgresql:", *where, "TABLES=child", "EXCLUDE=TRIGGER", "SQLFILE=x.sql"))
    assert "CREATE TABLE" in (tmp_path / "x.sql").read_text()


def test_a_table_without_its_rows_has_no_data_file(filled: str, mysql: Callable[[], str], tmp_path: Path) -> None:
    target = mysql()
    where = (f"DIRECTORY={tmp_path}", "NOLOGFILE=YES")
    done(pump("expdp", filled, "TRANSPORTABLE=ALWAYS", "EXCLUDE=TABLE_DATA:\"= 'packed'\"", *where))
    done(pump("impdp", target, *where, remap(filled, target)))
    assert scalar(target, "SELECT COUNT(*) FROM packed") == 0
    assert scalar(target, "SELECT COUNT(*) FROM child") == 1000


# --- what is refused ------------------------------------------------------------------------------------------------

BARRED = {
    "no-data-file": "CREATE TABLE odd (a INT) ENGINE=MyISAM",
    "partitioned-file": "CREATE TABLE odd (a INT) PARTITION BY HASH (a) PARTITIONS 2",
    "versioned-file": "CREATE TABLE odd (a INT) WITH SYSTEM VERSIONING",
    "full-text-file": "CREATE TABLE odd (a TEXT, FULLTEXT KEY words (a))",
    "spatial-file": "CREATE TABLE odd (a POINT NOT NULL, SPATIAL KEY place (a))",
    "encoded-file": "CREATE TABLE odd (a INT) PAGE_COMPRESSED=1",
}


@pytest.mark.parametrize("rule", BARRED)
def test_a_table_whose_file_cannot_be_taken_is_refused_by_the_rule(
    rule: str, mysql: Callable[[], str], tmp_path: Path
) -> None:
    url = mysql()
    execute(url, BARRED[rule], "CREATE TABLE plain (a INT)")
    where = (f"DIRECTORY={tmp_path}", "NOLOGFILE=YES")
    run = pump("expdp", url, "TRANSPORTABLE=ALWAYS", *where)
    assert run.code == 1
    assert run.err.startswith(f'ORA-31696: unable to export TABLE_DATA:"{schema_of(url)}"."odd" using client specified')
    assert f"rule {rule}:" in run.err
    assert list(tmp_path.iterdir()) == []
    done(pump("expdp", url, "TRANSPORTABLE=ALWAYS", "EXCLUDE=TABLE:\"= 'odd'\"", *where))


def planned(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> dict[str, dict[str, object]]:
    assert main(["plan", *arguments, "--json"], in_process) == code
    return {table["table"]: table for table in json.loads(capsys.readouterr().out)["tables"]}


def test_the_plan_says_which_tables_are_copied_and_what_bars_the_others(
    mysql: Callable[[], str], capsys: pytest.CaptureFixture[str]
) -> None:
    url = mysql()
    execute(url, BARRED["full-text-file"], "CREATE TABLE plain (a INT)")
    tables = planned(capsys, "expdp", url, "TRANSPORTABLE=ALWAYS", code=1)  # the job's
    assert tables["plain"]["method"] == "data_file_copy"
    assert tables["odd"]["method"] == ""
    assert "rule full-text-file" in str(tables["odd"]["problem"])
    assert [bar["rule"] for bar in tables["odd"]["barred"]] == ["full-text-file"]  # type: ignore[attr-defined]


def test_the_plan_of_an_import_says_so_too(
    dumped: tuple[str, tuple[str, ...]], mysql: Callable[[], str], capsys: pytest.CaptureFixture[str]
) -> None:
    source, where = dumped
    target = mysql()
    tables = planned(capsys, "impdp", target, *where, remap(source, target))
    assert {table["method"] for table in tables.values()} == {"data_file_copy"}
    assert {table["rows"] for table in tables.values()} == {None}


def test_other_databases_give_and_take_no_data_files(
    dumped: tuple[str, tuple[str, ...]], postgresql: Callable[..., str], sqlite_file: Callable[..., str]
) -> None:
    source, where = dumped
    run = pump("expdp", postgresql(), "TRANSPORTABLE=ALWAYS", *where)
    assert run.code == 1
    assert run.err.startswith(
        "ORA-39123: Data Pump transportable tablespace job aborted: PostgreSQL has no data files to copy"
    )
    for target, schema in ((postgresql(), "public"), (sqlite_file(), "main")):
        run = pump("impdp", target, *where, f"REMAP_SCHEMA={schema_of(source)}:{schema}", "TABLES=hollow")
        assert run.code == 1
        assert run.err.startswith(
            "ORA-39123: Data Pump transportable tablespace job aborted: the dump file set has data files"
        )
        assert "Export without TRANSPORTABLE=ALWAYS" in run.err


def test_there_is_nothing_to_verify_with(dumped: tuple[str, tuple[str, ...]], mysql: Callable[[], str]) -> None:
    source, where = dumped
    target = mysql()
    done(pump("impdp", target, *where, remap(source, target)))
    run = pump("verify", target, *where[:1], remap(source, target))
    assert run.code == 1
    assert run.err.startswith("ORA-39123: ")
    assert "no rows to compare with" in run.err


def test_mysql_is_refused(mysql: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    url = mysql()
    execute(url, "CREATE TABLE t (a INT)")
    monkeypatch.setattr(data_files, "flavor", lambda connection: parsed_flavor("8.4.2"))
    run = pump("expdp", url, "TRANSPORTABLE=ALWAYS", "NOLOGFILE=YES")
    assert run.code == 1
    assert run.err.startswith("ORA-39123: ")
    assert "this is MySQL" in run.err


def test_a_user_who_may_not_flush_is_refused(filled: str, tmp_path: Path) -> None:
    user = f"reader_{schema_of(filled)}"
    execute(
        filled,
        f"CREATE USER {user}@localhost IDENTIFIED BY 'tiger'",
        f"GRANT SELECT, CREATE, INSERT, UPDATE, DELETE, DROP, TRIGGER ON {schema_of(filled)}.* TO {user}@localhost",
    )
    url = sa.make_url(filled).set(username=user, password="tiger").render_as_string(hide_password=False)
    try:
        run = pump("expdp", url, "TRANSPORTABLE=ALWAYS", f"DIRECTORY={tmp_path}", "NOLOGFILE=YES")
    finally:
        execute(filled, f"DROP USER {user}@localhost")
    assert run.code == 1
    assert run.err.startswith("ORA-31631: privileges are required: Access denied"), run.err
    assert "RELOAD" in run.err
    assert list(tmp_path.iterdir()) == []


def test_a_table_that_somebody_writes_to_is_waited_for_and_given_up(
    filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_files, "_PATIENCE", 1)
    with sa.create_engine(filled, poolclass=sa.NullPool).connect() as writer:
        writer.exec_driver_sql("INSERT INTO hollow VALUES (1)")
        run = pump("expdp", filled, "TRANSPORTABLE=ALWAYS", f"DIRECTORY={tmp_path}", "NOLOGFILE=YES", f"JOB_NAME={JOB}")
    assert run.code == 1
    assert "Lock wait timeout exceeded" in run.err
    assert list(tmp_path.iterdir()) == []
    assert not Recorded.of(filled, JOB).exists()


@pytest.mark.parametrize(
    "given",
    ["ACCESS_METHOD=DIRECT_PATH", "TABLE_EXISTS_ACTION=APPEND", "TABLE_EXISTS_ACTION=TRUNCATE", "CONTENT=DATA_ONLY",
     "DATA_OPTIONS=SKIP_CONSTRAINT_ERRORS", "VERIFY=YES",
     'QUERY=child:"WHERE id > 5"', "EXCLUDE=INDEX", "EXCLUDE=CONSTRAINT"],
)  # fmt: skip
def test_an_import_that_asks_for_more_than_whole_files_is_refused(
    given: str, dumped: tuple[str, tuple[str, ...]], mysql: Callable[[], str]
) -> None:
    source, where = dumped
    target = mysql()
    run = pump("impdp", target, *where, remap(source, target), given)
    assert run.code == 1
    assert run.err.startswith("UDI-00010: ")
    assert "data files" in run.err
    assert sa.inspect(sa.create_engine(target, poolclass=sa.NullPool)).get_table_names() == []


def test_an_import_of_a_user_who_may_not_write_there_is_refused_before_anything_is_made(
    dumped: tuple[str, tuple[str, ...]], mysql: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, where = dumped
    target = mysql()
    monkeypatch.setattr("os.geteuid", lambda: 4242)
    run = pump("impdp", target, *where, remap(source, target))
    assert run.code == 1
    assert "rule directory-unwritable" in run.err
    assert f"{folder_of(target)} belongs to another user" in run.err
    assert sa.inspect(sa.create_engine(target, poolclass=sa.NullPool)).get_table_names() == []


def test_the_files_of_a_later_release_are_refused(mysql: Callable[[], str]) -> None:
    url = mysql()
    execute(url, "CREATE TABLE t (a INT)")
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        (table,) = [t for t in ADAPTER.catalog(connection, [schema_of(url)]).objects if t.name == "t"]
        traits = data_files.traits(connection, table.qname)  # type: ignore[union-attr]

        def misfit(version: str, **other: str) -> str:
            return ADAPTER.misfit(connection, table, version, {**traits, **other})  # type: ignore[arg-type]

        assert misfit("10.6.2-MariaDB") == ""
        assert "is the earlier" in misfit("99.1.0-MariaDB")
        assert "is no MariaDB" in misfit("8.4.2")
        assert misfit("10.6.2-MariaDB", innodb_page_size="4096") == "innodb_page_size is 16384 here, and 4096 of the files"
        assert "row_format is Dynamic here" in misfit("10.6.2-MariaDB", row_format="Compact")


# --- files that are not what they should be -------------------------------------------------------------------------


def blocks_of(url: str, table: str) -> list[Block]:
    """The data files of a table as they travel."""
    name = QName(schema_of(url), table)
    engine = Database(sa.make_url(url)).engine
    with data_files.holding(engine, [name]) as held:
        return [Block(file.name, 0, file.path.read_bytes()) for file in held[name].files]


def place(url: str, table: str, blocks: Iterable[Block], confirm: Callable[[], None] = lambda: None) -> None:
    with Database(sa.make_url(url)).connect() as connection:
        ADAPTER.place(connection, QName(schema_of(url), table), blocks, confirm)


@pytest.fixture
def two(mysql: Callable[[], str]) -> str:
    """A database with a filled table and an empty one that is like it."""
    url = mysql()
    execute(url, "CREATE TABLE full (id INT PRIMARY KEY, v INT, KEY (v))", "CREATE TABLE bare LIKE full")
    execute(url, "INSERT INTO full SELECT seq, seq FROM seq_1_to_1000")
    return url


@pytest.fixture(scope="module")
def own(servers: Servers) -> Iterator[PrivateMariaDB]:
    server = servers.private_mysql()
    yield server
    server.stop()


@pytest.mark.parametrize("algorithm", ["full_crc32", "crc32"])
@pytest.mark.parametrize("row_format", ["DYNAMIC", "COMPRESSED KEY_BLOCK_SIZE=8", "COMPRESSED KEY_BLOCK_SIZE=1"])
def test_a_server_that_dies_beside_a_file_that_waits_starts_again(
    own: PrivateMariaDB, algorithm: str, row_format: str
) -> None:
    """Its redo log names the file, and the file must not say that it is the one it was copied from."""
    url = own.fresh().render_as_string(hide_password=False)
    execute(url, f"SET GLOBAL innodb_checksum_algorithm = {algorithm}")
    execute(url, f"CREATE TABLE full (id INT PRIMARY KEY, v INT, KEY (v)) ROW_FORMAT={row_format}")
    execute(url, "INSERT INTO full SELECT seq, seq FROM seq_1_to_1000")
    blocks = blocks_of(url, "full")
    execute(url, "CREATE TABLE bare LIKE full")

    def dying() -> Iterator[Block]:
        yield from blocks
        own.kill(random.Random())

    waiting = folder_of(url) / "bare.ibd"
    with pytest.raises(ConnectionLost):
        place(url, "bare", dying())
    assert waiting.stat().st_size == len(blocks[0].data)
    own.start()
    place(url, "bare", blocks)
    assert rows(url, "CHECKSUM TABLE bare")[0][1] == rows(url, "CHECKSUM TABLE full")[0][1]
    assert rows(url, "CHECK TABLE bare EXTENDED")[0][3] == "OK"


def _changed(blocks: list[Block], how: str) -> list[Block]:
    tablespace, configuration = blocks
    match how:
        case "a name that leads elsewhere":
            return [*blocks, Block("../../evil", 0, b"x")]
        case "a gap":
            return [tablespace, Block("cfg", 1 << 40, configuration.data)]
        case "no configuration":
            return [tablespace]
        case "nothing":
            return []
        case "a damaged page":
            page = bytearray(tablespace.data)
            page[3 * 16384 + 100 : 3 * 16384 + 200] = b"z" * 100
            return [Block("ibd", 0, bytes(page)), configuration]
        case "a file cut short":
            return [Block("ibd", 0, tablespace.data[:20000]), configuration]
        case "another configuration":
            return [tablespace, Block("cfg", 0, random.Random(1).randbytes(300))]
        case _:
            return [Block("ibd", 0, random.Random(2).randbytes(6 * 16384)), configuration]


@pytest.mark.parametrize(
    "how",
    ["a name that leads elsewhere", "a gap", "no configuration", "nothing", "a damaged page", "a file cut short",
     "another configuration", "noise"],
)  # fmt: skip
def test_files_that_are_refused_leave_an_empty_table_and_nothing_else(how: str, two: str) -> None:
    changed = _changed(blocks_of(two, "full"), how)
    before = {path.name for path in folder_of(two).iterdir()}
    with pytest.raises(MigratorError) as refused:
        place(two, "bare", changed)
    if how in {"a name that leads elsewhere", "a gap", "no configuration", "nothing"}:
        assert isinstance(refused.value, NotADataFile)
    assert {path.name for path in folder_of(two).iterdir()} == before
    assert scalar(two, "SELECT COUNT(*) FROM bare") == 0
    execute(two, "INSERT INTO bare VALUES (1, 2)")
    assert rows(two, "CHECK TABLE bare EXTENDED")[0][3] == "OK"


def test_what_a_killed_attempt_has_left_is_replaced(two: str) -> None:
    """Whether it died before the file was in its place, when it was, or after it was taken."""
    blocks = blocks_of(two, "full")
    folder = folder_of(two)
    left: Iterator[Callable[[], object]] = iter(
        (
            lambda: (folder / "bare.ibd.migrator").write_bytes(b"half"),
            lambda: execute(two, "ALTER TABLE bare DISCARD TABLESPACE"),
            lambda: (
                execute(two, "ALTER TABLE bare DISCARD TABLESPACE"),
                (folder / "bare.ibd.migrator").write_bytes(b"whole"),
                (folder / "bare.ibd").hardlink_to(folder / "bare.ibd.migrator"),
                (folder / "bare.cfg").write_bytes(b"cfg"),
            ),
            lambda: place(two, "bare", blocks),
        )
    )
    for leave in left:
        leave()
        place(two, "bare", blocks)
        assert scalar(two, "SELECT COUNT(*) FROM bare") == 1000
        assert rows(two, "CHECK TABLE bare EXTENDED")[0][3] == "OK"
        assert not list(folder.glob("bare.*migrator"))
        assert not (folder / "bare.cfg").exists()
        execute(two, "TRUNCATE TABLE bare")


def test_a_directory_of_another_server_is_left_alone(two: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = blocks_of(two, "full")
    for name in ("bare.ibd", "full.ibd", "full.cfg"):
        (tmp_path / name).write_bytes(b"precious")
    monkeypatch.setattr(Spot, "of", lambda connection, table: Spot(table, tmp_path, table.name))
    with pytest.raises(DataFilesUnreachable, match="another server's"):
        place(two, "bare", blocks)
    with pytest.raises(DataFilesUnreachable, match="another machine's"):
        blocks_of(two, "full")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == dict.fromkeys(
        ("bare.ibd", "full.ibd", "full.cfg"), b"precious"
    )
    (tmp_path / "bare.ibd").unlink()
    with pytest.raises(DataFilesUnreachable, match="another server's"):
        place(two, "bare", blocks)
    monkeypatch.undo()
    assert scalar(two, "SELECT COUNT(*) FROM bare") == 0


def test_nothing_is_written_through_a_link(two: str, tmp_path: Path) -> None:
    blocks = blocks_of(two, "full")
    other = tmp_path / "other"
    other.write_bytes(b"precious")
    (folder_of(two) / "bare.cfg").symlink_to(other)
    (folder_of(two) / "bare.ibd.migrator").symlink_to(other)
    place(two, "bare", blocks)
    assert other.read_bytes() == b"precious"
    assert scalar(two, "SELECT COUNT(*) FROM bare") == 1000


def test_a_process_that_has_lost_its_job_discards_nothing(two: str) -> None:
    execute(two, "INSERT INTO bare VALUES (1, 2)")

    def confirm() -> None:
        raise JobTakenOver(job="x")

    with pytest.raises(JobTakenOver):
        place(two, "bare", blocks_of(two, "full"), confirm)
    assert scalar(two, "SELECT COUNT(*) FROM bare") == 1


def test_files_that_were_let_go_too_early_are_an_error(two: str) -> None:
    name = QName(schema_of(two), "full")
    holding = f"SELECT id FROM information_schema.processlist WHERE db = '{schema_of(two)}' AND id <> CONNECTION_ID()"

    def hold() -> None:
        with Database(sa.make_url(two)).connect(), data_files.holding(Database(sa.make_url(two)).engine, [name]):
            for (thread,) in rows(two, holding):
                execute(two, f"KILL {thread}")

    with pytest.raises(ConnectionLost):
        hold()


def test_two_sessions_do_not_place_files_of_one_table(two: str, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = blocks_of(two, "full")
    monkeypatch.setattr(data_files, "_IMPORTING", 0)
    with Database(sa.make_url(two)).connect() as other:
        other.execute(sa.text("SELECT GET_LOCK(:name, 0)"), {"name": data_files.lock_of(QName(schema_of(two), "bare"))})
        with pytest.raises(DataFilesInUse):
            place(two, "bare", blocks)
    place(two, "bare", blocks)
    assert scalar(two, "SELECT COUNT(*) FROM bare") == 1000


def test_a_job_whose_files_were_let_go_too_early_makes_no_set_of_them(
    filled: str, mysql: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = data_files.holding
    locked = (
        "SELECT id FROM information_schema.processlist WHERE command = 'Sleep' AND time_ms < 5000 AND id <> CONNECTION_ID()"
    )

    @contextmanager
    def lost(engine: sa.Engine, tables: list[QName]) -> Iterator[object]:
        before = {thread for (thread,) in rows(filled, locked)}
        with held(engine, tables) as found:
            (thread,) = {thread for (thread,) in rows(filled, locked)} - before
            yield found
            execute(filled, f"KILL {thread}")

    where = (f"DIRECTORY={tmp_path}", "NOLOGFILE=YES")
    with monkeypatch.context() as patched:
        patched.setattr(data_files, "holding", lost)
        run = pump("expdp", filled, "TRANSPORTABLE=ALWAYS", *where, f"JOB_NAME={JOB}")
    assert run.code == 1
    assert run.err.startswith("MIG-03113: connection lost")
    target = mysql()
    assert pump("impdp", target, *where, remap(filled, target)).code == 1
    time.sleep(float(LEASE))
    again = go_on(filled, JOB)
    assert again.returncode == 0, again.stdout
    done(pump("impdp", target, *where, remap(filled, target)))
    check_same(filled, target)


# --- jobs that die --------------------------------------------------------------------------------------------------


KILLS = int(os.environ.get("MIGRATOR_TEST_KILLS", "8"))
SEED = int(os.environ.get("MIGRATOR_TEST_SEED") or random.randrange(10**6))
JOB = "COPIED"


@pytest.fixture
def moments() -> random.Random:
    print(f"MIGRATOR_TEST_SEED={SEED}")
    return random.Random(SEED)


@pytest.fixture
def hoarded(mysql: Callable[[], str], tmp_path: Path) -> str:
    """A MariaDB with the rows of a hoard."""
    url, source = mysql(), hoard(tmp_path / "hoard.db", 60_000)
    done(pump("impdp", url, f"NETWORK_LINK={source}", f"REMAP_SCHEMA=main:{schema_of(url)}", "NOLOGFILE=YES"))
    return url


@pytest.mark.parametrize("master", ["DATABASE", "LOCAL"])
def test_an_import_survives(
    master: str, hoarded: str, mysql: Callable[[], str], moments: random.Random, tmp_path: Path
) -> None:
    dumps = tmp_path / "dumps"
    dumps.mkdir()
    where = (f"DIRECTORY={dumps}", "DUMPFILE=big%U.dmp")
    done(pump("expdp", hoarded, "TRANSPORTABLE=ALWAYS", *where, "NOLOGFILE=YES"))
    expected, targets = contents(hoarded), []

    def job() -> Killed:
        targets.append(mysql())
        given = (*where, remap(hoarded, targets[-1]), f"MASTER_TABLE={master}", "PARALLEL=2")
        return Killed(moments, JOB, "impdp", targets[-1], *given, cwd=tmp_path, local=master == "LOCAL")

    def check() -> None:
        check_equal(targets[-1], expected, JOB)
        for name in ("big", "loose", "hollow"):
            assert rows(targets[-1], f"CHECK TABLE {name} EXTENDED")[0][3] == "OK"
        assert placed_in(targets[-1]) == {".ibd", ".frm", ".opt"}

    kill_often(job, check, KILLS)


@pytest.mark.parametrize("master", ["DATABASE", "LOCAL"])
def test_a_worker_that_sleeps_over_the_take_over_of_its_job_does_no_harm(
    master: str, hoarded: str, mysql: Callable[[], str], tmp_path: Path
) -> None:
    """It has got the lock that it had waited for, wakes up, and must let the other have it."""
    done(pump("expdp", hoarded, "TRANSPORTABLE=ALWAYS", f"DIRECTORY={tmp_path}", "NOLOGFILE=YES"))
    target, local = mysql(), master == "LOCAL"
    given = (remap(hoarded, target), f"MASTER_TABLE={master}", f"JOB_NAME={JOB}", "NOLOGFILE=YES", "KEEP_MASTER=YES")
    recorded = Recorded.of(target, JOB, local=local)
    lock = {"name": data_files.lock_of(QName(schema_of(target), "big"))}
    waits = f"SELECT count(*) FROM information_schema.processlist WHERE info LIKE 'SELECT GET_LOCK(''{lock['name']}''%'"

    def waiting() -> int:
        return int(scalar(target, waits))

    with Database(sa.make_url(target)).connect() as other:
        other.execute(sa.text("SELECT GET_LOCK(:name, 0)"), lock)
        first = begin("impdp", target, *given, cwd=tmp_path)
        try:
            until(lambda: recorded.exists() and _at_work(recorded, 1) and waiting() == 1, "the first worker")
            members = freeze(first, recorded)
            time.sleep(float(LEASE) + 0.5)
            with ended(begin_again(target, JOB, local=local)) as second:
                until(lambda: _at_work(recorded, 2) and waiting() == 2, "the second worker")
                other.execute(sa.text("DO RELEASE_LOCK(:name)"), lock)
                until(lambda: waiting() == 1, "the lock of one of them")
                wake(members)
                said, _ = first.communicate(timeout=SECONDS)
                assert first.returncode == 1, said
                assert "MIG-31650: " in said
                again, _ = second.communicate(timeout=SECONDS)
                assert second.returncode == 0, again
        finally:
            kill(first)
    assert contents(target) == contents(hoarded)
    assert recorded.job().state == "COMPLETED"


def _at_work(recorded: Recorded, incarnation: int) -> bool:
    return any((row.state, row.incarnation) == ("EXECUTING", incarnation) for row in recorded.granules())


def test_an_export_survives(hoarded: str, mysql: Callable[[], str], moments: random.Random, tmp_path: Path) -> None:
    dumps = tmp_path / "dumps"
    dumps.mkdir()
    where = (f"DIRECTORY={dumps}", "DUMPFILE=big%L.dmp")
    expected = contents(hoarded)

    def job() -> Killed:
        for dump in dumps.glob("*.dmp"):
            dump.unlink()
        return Killed(moments, JOB, "expdp", hoarded, "TRANSPORTABLE=ALWAYS", *where, "PARALLEL=2", "FILESIZE=2M", cwd=dumps)

    def check() -> None:
        target = mysql()
        done(pump("impdp", target, *where, remap(hoarded, target), "NOLOGFILE=YES"))
        check_equal(target, expected, JOB)

    kill_often(job, check, KILLS)


def test_an_export_that_goes_on_copies_every_file_of_one_state(
    hoarded: str, mysql: Callable[[], str], tmp_path: Path
) -> None:
    """Rows that come while nobody keeps the files still are in those that had been copied, too."""
    where = (f"DIRECTORY={tmp_path}", "NOLOGFILE=YES")
    room = (folder_of(hoarded) / "big.ibd").stat().st_size + (128 << 10)
    stopped = pump_process("expdp", hoarded, "TRANSPORTABLE=ALWAYS", f"JOB_NAME={JOB}", *where, largest_file=room)
    assert stopped.code == 1
    assert stopped.err.startswith("ORA-31641: ")
    recorded = Recorded.of(hoarded, JOB)
    assert [row.name for row in recorded.granules() if row.state == "COMPLETED"] == ["big"]
    execute(hoarded, "INSERT INTO loose VALUES (1, 'late')", "INSERT INTO hollow VALUES (1)", "DELETE FROM big WHERE id = 1")
    again = go_on(hoarded, JOB)
    assert again.returncode == 0, again.stdout
    assert "those that had been copied are copied again" in again.stdout
    target = mysql()
    done(pump("impdp", target, *where, remap(hoarded, target)))
    assert contents(target) == contents(hoarded)
