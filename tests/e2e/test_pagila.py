"""Pagila from PostgreSQL through a dump set into a second database: pg_dump -s of both is the same, rows are equal."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.support.pump import done, pump
from tests.support.rows import assert_same_rows, tables_of
from tests.support.servers import Servers, libpq
from tests.support.sql import rows

Section = tuple[str, str]

OWNERSHIP: set[Section] = {("public", "SCHEMA")}
"""The one difference: Pagila sets the owner of the schema public, and pg_dump mentions a schema that was touched."""


def sections(servers: Servers, version: int, url: str) -> dict[Section, str]:
    """``pg_dump -s`` by section: the header's name and type, and the SQL below it."""
    program = servers.postgresql(version).bin_path / "pg_dump"
    command = [str(program), "-s", "--no-owner", "--no-privileges", libpq(sa.make_url(url))]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    text = re.sub(r"^\\(un)?restrict .*\n", "", text, flags=re.M)
    parts = re.split(r"^--\n-- Name: (.*); Type: (.*); Schema: .*; Owner: .*\n--\n", text, flags=re.M)
    found: dict[Section, str] = {}
    for name, kind, body in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        found[name, kind] = found.get((name, kind), "") + body.strip()
    return found


@pytest.mark.parametrize("version", [16, 18])
@pytest.mark.parametrize("way", ["dump", "link"])
def test_the_second_database_is_the_first(
    way: str,
    version: int,
    pagila: Callable[..., str],
    postgresql: Callable[..., str],
    servers: Servers,
    tmp_path: Path,
) -> None:
    source, target = pagila(version), postgresql(version)
    where = f"DIRECTORY={tmp_path}"
    if way == "dump":
        done(pump("expdp", source, "DUMPFILE=pagila%U.dmp", where, "PARALLEL=2"))
        run = done(pump("impdp", target, "DUMPFILE=pagila%U.dmp", where, "LOGFILE=imp.log"))
    else:
        run = done(pump("impdp", target, f"NETWORK_LINK={source}", where, "PARALLEL=2"))
    assert sum(run.rows.values()) == 49636
    assert_same_rows(source, target)
    first, second = sections(servers, version, source), sections(servers, version, target)
    different = {
        key: (first.get(key), second.get(key)) for key in first.keys() | second.keys() if first.get(key) != second.get(key)
    }
    assert different.keys() <= OWNERSHIP


def test_sequences_go_on_where_the_source_stood(
    pagila: Callable[..., str], postgresql: Callable[..., str], tmp_path: Path
) -> None:
    source, target = pagila(), postgresql()
    done(pump("impdp", target, f"NETWORK_LINK={source}", f"DIRECTORY={tmp_path}"))

    query = "SELECT sequencename, last_value FROM pg_sequences ORDER BY 1"
    positions = rows(source, query)
    assert len(positions) > 10
    assert rows(target, query) == positions


def test_a_partitioned_table_comes_once(pagila: Callable[..., str], postgresql: Callable[..., str], tmp_path: Path) -> None:
    source, target = pagila(), postgresql()
    run = done(pump("impdp", target, f"NETWORK_LINK={source}", f"DIRECTORY={tmp_path}"))
    assert "payment" in run.rows
    assert not [name for name in run.rows if name.startswith("payment_p")]
    assert "payment" in tables_of(target)
