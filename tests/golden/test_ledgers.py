"""The complete loss ledgers of databases that others designed, to every database: each line was compared with both ends.

A ledger stands in ``ledgers/SOURCE-to-TARGET.txt``, an entry a line, sorted; then the tables whose rows are refused, and
why. Where MySQL's is another than MariaDB's it stands in ``ledgers/mysql``. ``MIGRATOR_TEST_WRITE_LEDGERS=1`` writes them
anew: what ``git diff`` shows then is to be looked at.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from migrator.errors import visible
from tests.support.explaining import entries
from tests.support.pump import pump, remap, schema_of
from tests.support.servers import Servers
from tests.support.sql import version_at

pytestmark = [pytest.mark.postgresql, pytest.mark.mysql]

LEDGERS = Path(__file__).with_name("ledgers")
WRITE = "MIGRATOR_TEST_WRITE_LEDGERS" in os.environ
POLICIES = (
    "POLICY=zero_date=convert,partial_date=convert,nul_byte=convert,invalid_bytes=convert,infinity=convert,nan=convert"
)
TARGETS = ("postgresql", "mariadb", "sqlite", "oracle")


@dataclass(frozen=True)
class Source:
    """A database to carry: the fixture that loads it, and what that is given. ``to``: the databases it is carried to."""

    fixture: str
    arguments: tuple[str, ...] = ()
    to: tuple[str, ...] = TARGETS


def _file(name: str) -> Source:
    return Source("sample", (f"{name}.sqlite",))


SOURCES: Mapping[str, Source] = {
    "pagila": Source("pagila"),
    "sakila": Source("sakila"),
    "oddities-mysql": Source("oddities_mysql"),
    **{
        name: _file(name)
        for name in (
            "chinook",
            "northwind",
            "datasette-fixtures",
            "oddities-bad-utf8",
            "oddities-collision",
            "oddities-sqlite",
            "oddities-storage",
            "oddities-test_pk",
            "oddities-type-mismatch",
        )
    },
}

_REFUSED = re.compile(r'ORA-31693: Table data object "[^"]*"\."(.*?)" failed.*\n.*\n(.*)')
_VERSION = re.compile(r"SQLite \d+\.\d+\.\d+")


def lines(ledger: Path, *schemas: str) -> list[str]:
    """The entries of a LEDGER as lines, sorted. Names that differ from run to run are left out."""
    texts = (visible(str(entry)) for entry in entries(ledger))
    names = re.compile("|".join(rf"\b{re.escape(name)}\b" for name in schemas if name.startswith("mig_")) or r"(?!)")
    return sorted(_VERSION.sub("SQLite", names.sub("mysql", text)) for text in texts)


def golden(name: str, product: str, found: list[str]) -> list[str]:
    """The ledger of that name, where MySQL or MariaDB is this product; ``found`` is written, if that is asked for."""
    usual, own = LEDGERS / name, LEDGERS / "mysql" / name
    if WRITE and product == "MariaDB":
        usual.write_text("".join(f"{line}\n" for line in found), "utf-8")
    elif WRITE:
        own.unlink(missing_ok=True)
        if found != usual.read_text("utf-8").splitlines():
            own.write_text("".join(f"{line}\n" for line in found), "utf-8")
    return (own if product == "MySQL" and own.exists() else usual).read_text("utf-8").splitlines()


@pytest.mark.parametrize("name", SOURCES)
def test_the_ledger_says_all_that_is_lost(
    name: str, request: pytest.FixtureRequest, servers: Servers, tmp_path: Path
) -> None:
    source, product = SOURCES[name], servers.mysql().product
    make: Callable[..., str] = request.getfixturevalue(source.fixture)
    url = make(*source.arguments)
    options = [f"NETWORK_LINK={url}", f"DIRECTORY={tmp_path}", "NOLOGFILE=YES"]
    for target in source.to:
        ledger = tmp_path / f"{target}.json"
        if target == "oracle":
            there, more = "oracle:", ["SQLFILE=oracle.sql", f"REMAP_SCHEMA={schema_of(url)}:oracle"]
        else:
            there = str(request.getfixturevalue({"mariadb": "mysql", "sqlite": "sqlite_file"}.get(target, target))())
            more = [remap(url, there), POLICIES]
        run = pump("impdp", there, *options, f"LEDGER={ledger.name}", *more)
        refused = [f"refused: {table}: {why}" for table, why in _REFUSED.findall(run.out)]
        assert run.code == (5 if refused else 0), run.out
        found = [*lines(ledger, schema_of(url), "" if target == "oracle" else schema_of(there)), *sorted(refused)]
        told = golden(f"{name}-to-{target}.txt", product, found)
        if name == "pagila" and version_at(url) < 15:  # where everybody may create in the schema public anyhow
            told = [line for line in told if not line.startswith("GRANT:")]
        assert found == told, target
