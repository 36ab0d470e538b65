"""Rows through foreign tables of postgres_fdw: every value as its server prints it, and only while the lock is held.

``MIGRATOR_TEST_EXAMPLES`` asks for more than the few examples of a usual run, and for other ones each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from dialects.postgresql import links
from migrator.adapter import Kept, Load, Read, Snapshot
from migrator.errors import ConnectionLost, LinkRefused
from migrator.model.catalog import Catalog
from migrator.model.objects import QName
from tests.support.ends import PostgreSQLEnd
from tests.support.examples import few
from tests.support.literals import POSTGRESQL, POSTGRESQL_SETUP
from tests.support.servers import Servers

pytestmark = pytest.mark.postgresql

FEW = few(3)


@dataclass(frozen=True)
class Linked:
    """Two databases of one server; the first has a table ``s0``, ``s1`` … for each column of ``POSTGRESQL``."""

    source: PostgreSQLEnd
    target: PostgreSQLEnd
    catalog: Catalog

    @contextmanager
    def locked(self, name: str) -> Iterator[tuple[Load, Read, Kept]]:
        """A table of the source, locked, with one for its rows."""
        table = self.catalog.table(QName("public", name))
        assert table is not None
        made = self.target.make(self.catalog, table)
        with self.source.adapter.locking(self.source.engine, [table.source]) as kept:
            yield Load(made.qname, table.columns, made.columns, fresh=True), Read(table.source, table.columns), kept

    @contextmanager
    def linking(self, kept: Kept) -> Iterator[sa.Connection]:
        with self.target.adapter.linking(self.target.engine, self.source.engine, Snapshot(kept=kept)) as connection:
            yield connection


@pytest.fixture(scope="module")
def linked(servers: Servers) -> Iterator[Linked]:
    server = servers.postgresql_with_fdw()
    urls = [server.fresh(), server.fresh()]
    source, target = (PostgreSQLEnd(url.render_as_string(hide_password=False)) for url in urls)
    target.run("CREATE EXTENSION postgres_fdw")
    for statement in POSTGRESQL_SETUP:
        source.run(statement)
        target.run(statement)
    for number, held in enumerate(POSTGRESQL):
        source.run(f"CREATE TABLE s{number} (id bigint, v {held.declaration}, w text)")
    yield Linked(source, target, source.catalog())
    for end, url in zip((source, target), urls, strict=True):
        end.close()
        server.drop(url.database or "")


@pytest.mark.parametrize("number", range(len(POSTGRESQL)), ids=[held.declaration for held in POSTGRESQL])
def test_values_are_printed_alike_at_both_ends(linked: Linked, number: int) -> None:
    held, name = POSTGRESQL[number], f"s{number}"
    one = held.values | st.sampled_from(held.odd) if held.odd else held.values

    @FEW
    @given(st.lists(one, min_size=1, max_size=12))
    def agree(values: list[str]) -> None:
        rows = [(str(n), value, "'w\\'") for n, value in enumerate((*values, "NULL"))]
        linked.source.put(name, rows)
        with linked.locked(name) as (load, read, kept), linked.linking(kept) as connection:
            assert linked.target.adapter.insert_select(connection, load, read) == len(rows)
            connection.commit()
        columns = ("id", "v", "w")
        assert linked.target.shown(load.table.name, columns) == linked.source.shown(name, columns)
        linked.target.run(f"DELETE FROM {load.table.name}")

    agree()


def test_a_server_that_does_not_know_of_the_lock_is_not_the_source(linked: Linked) -> None:
    with linked.locked("s0") as (_, _, kept):
        number, database = kept.name.split()
        with (
            pytest.raises(LinkRefused, match="is not the job's source"),
            linked.linking(replace(kept, name=f"{int(number) ^ 1} {database}")),
        ):
            pass
    with pytest.raises(LinkRefused, match="is not the job's source"), linked.linking(kept):
        pass


def test_a_lock_that_goes_while_rows_are_read_is_noticed(linked: Linked) -> None:
    with linked.locked("s0") as (load, read, kept), linked.linking(kept) as connection:
        held_by = f"SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = '{int(kept.name.split()[0]) % 2**32}'"
        linked.source.run(f"SELECT pg_terminate_backend(({held_by}), 10000)")
        with pytest.raises(ConnectionLost, match="the session that locked the source's tables is gone"):
            linked.target.adapter.insert_select(connection, load, read)


def test_what_the_target_reaches_elsewhere_is_not_the_source(linked: Linked, with_fdw: Callable[[], str]) -> None:
    """Another database of the same server, where the same tables may be."""
    other = PostgreSQLEnd(with_fdw())
    try:
        with (
            linked.locked("s0") as (_, _, kept),
            pytest.raises(LinkRefused, match="is not the job's source"),
            other.adapter.linking(linked.target.engine, other.engine, Snapshot(kept=kept)),
        ):
            pass
    finally:
        other.close()


def test_a_source_that_the_targets_server_cannot_reach_is_refused_with_its_words(
    linked: Linked, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The job reaches it, by a name that only its machine knows."""
    address = {"host": str(tmp_path), "port": 5432, "dbname": "d", "user": "u", "password": "s3cret"}
    monkeypatch.setattr(links, "_address", lambda source: address)
    with linked.locked("s0") as (_, _, kept), pytest.raises(LinkRefused) as refused, linked.linking(kept):
        pass
    assert "the target's server says: could not connect to server" in refused.value.message
    assert "s3cret" not in refused.value.message
