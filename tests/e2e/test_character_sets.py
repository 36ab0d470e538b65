"""Databases of other character sets than UTF-8: texts are converted, and one that a set does not have is never replaced."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.support.pump import done, pump, remap
from tests.support.sql import execute, outside_transactions, rows

TABLE = "CREATE TABLE t (id integer PRIMARY KEY, name text)"
NAMES = "INSERT INTO t VALUES (1, 'Zoë'), (2, 'Ångström ½')"
STORED = "SELECT id, convert_to(name, getdatabaseencoding()) FROM t ORDER BY id"
TEXTS = [(1, "Zoë"), (2, "Ångström ½")]


def told(url: str) -> sa.URL:
    """The database, spoken to in UTF-8; the tool is given URLs that say nothing of it."""
    return sa.make_url(url).update_query_dict({"client_encoding": "utf8"})


@contextmanager
def encoded(server: str, encoding: str) -> Iterator[str]:
    """A PostgreSQL database of another encoding, with a table for names."""
    name = f"e_{uuid.uuid4().hex[:12]}"
    said = f"ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    outside_transactions(server, f"CREATE DATABASE {name} {said}")
    url = sa.make_url(server).set(database=name).render_as_string(hide_password=False)
    execute(told(url), TABLE)
    yield url
    outside_transactions(server, f"DROP DATABASE {name} /*!13 WITH (FORCE)*/")


@pytest.fixture
def latin(postgresql: Callable[..., str]) -> Iterator[str]:
    with encoded(postgresql(), "LATIN1") as url:
        yield url


@pytest.fixture
def ascii_(postgresql: Callable[..., str]) -> Iterator[str]:
    """A database that stores bytes as they come, whatever they mean."""
    with encoded(postgresql(), "SQL_ASCII") as url:
        yield url


@pytest.fixture
def latin_mysql(mysql: Callable[[], str]) -> str:
    url = mysql()
    execute(url, "CREATE TABLE t (id integer PRIMARY KEY, name text CHARACTER SET latin1)")
    return url


def moved(source: str, target: str, way: str, where: Path) -> None:
    """Move the rows of table ``t`` by a link or by a dump file set."""
    options = (remap(source, target), "NOLOGFILE=YES", "TABLE_EXISTS_ACTION=APPEND", "CONTENT=DATA_ONLY")
    if way == "link":
        done(pump("impdp", target, f"NETWORK_LINK={source}", *options))
        return
    done(pump("expdp", source, f"DIRECTORY={where}", "NOLOGFILE=YES"))
    done(pump("impdp", target, f"DIRECTORY={where}", *options))


@pytest.mark.parametrize("way", ["link", "dump"])
@pytest.mark.parametrize("other", ["postgresql", "mysql", "sqlite_file"])
@pytest.mark.parametrize(("encoding", "codec"), [("latin", "latin-1"), ("ascii_", "utf-8")])
def test_texts_mean_the_same_in_both(
    encoding: str, codec: str, other: str, way: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    odd, middle = request.getfixturevalue(encoding), str(request.getfixturevalue(other)())
    stored = [(number, text.encode(codec)) for number, text in TEXTS]
    execute(told(odd), NAMES)
    assert rows(told(odd), STORED) == stored
    execute(middle, TABLE)
    moved(odd, middle, way, tmp_path)
    assert rows(middle, "SELECT id, name FROM t ORDER BY id") == TEXTS
    execute(told(odd), "DELETE FROM t")
    (back := tmp_path / "back").mkdir()
    moved(middle, odd, way, back)
    assert rows(told(odd), STORED) == stored


@pytest.mark.parametrize("other", ["postgresql", "sqlite_file"])
def test_bytes_that_are_no_text_are_refused(other: str, ascii_: str, request: pytest.FixtureRequest) -> None:
    execute(told(ascii_), r"SET client_encoding = 'SQL_ASCII'; INSERT INTO t VALUES (1, E'Zo\xeb')")
    target = str(request.getfixturevalue(other)())
    run = pump("impdp", target, f"NETWORK_LINK={ascii_}", remap(ascii_, target), "NOLOGFILE=YES")
    assert run.code == 5, run.out + run.err
    assert "ORA-31693" in run.out
    assert rows(target, "SELECT * FROM t") == []


@pytest.mark.parametrize("backend", ["latin", "latin_mysql"])
@pytest.mark.parametrize("method", ["DIRECT_PATH", "CONVENTIONAL_PATH"])
def test_rows_with_a_text_that_the_character_set_lacks_are_rejected(
    backend: str, method: str, request: pytest.FixtureRequest, sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    target, source = request.getfixturevalue(backend), sqlite_file("source.db")
    execute(source, "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)")
    execute(source, "INSERT INTO t VALUES (1, 'Zoë'), (2, '東京'), (3, 'Anna')")
    where = (f"NETWORK_LINK={source}", f"DIRECTORY={tmp_path}", "CONTENT=DATA_ONLY", remap(source, target))
    wanted = ("DATA_OPTIONS=REJECT_ROWS_WITH_REPL_CHAR", "TABLE_EXISTS_ACTION=APPEND")
    if method == "CONVENTIONAL_PATH":
        where += (f"ACCESS_METHOD={method}",)
    else:
        wanted = (wanted[0], "TABLE_EXISTS_ACTION=TRUNCATE")
    run = pump("impdp", target, *where, *wanted)
    assert run.code == 5, run.out + run.err
    assert "1 row(s) were rejected" in run.out
    assert rows(target, "SELECT id, name FROM t ORDER BY id") == [(1, "Zoë"), (3, "Anna")]
    assert "東京" in (tmp_path / "import_rejects.ndjson").read_text()


def test_only_texts_are_rejected_where_only_that_is_asked(
    latin: str, sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    source = sqlite_file("source.db")
    execute(source, "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)", "INSERT INTO t VALUES (1, 'Zoë'), (2, 'Anna')")
    execute(latin, "INSERT INTO t VALUES (2, 'there')")
    where = (f"NETWORK_LINK={source}", f"DIRECTORY={tmp_path}", "CONTENT=DATA_ONLY", remap(source, latin))
    run = pump("impdp", latin, *where, "DATA_OPTIONS=REJECT_ROWS_WITH_REPL_CHAR", "TABLE_EXISTS_ACTION=APPEND")
    assert run.code == 5, run.out + run.err
    assert "ORA-31693" in run.out
    assert rows(latin, "SELECT id, name FROM t") == [(2, "there")]
    assert not (tmp_path / "import_rejects.ndjson").exists()
