"""A schema moved once to another database, and what many small tests ask about that: values, losses, refusals."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from migrator.model.objects import quoted
from tests.support.pump import Run, pump, remap
from tests.support.sql import execute, rows

Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Moved:
    """Where a schema is after a job, what the job said, and the entries of its loss list."""

    url: str
    run: Run
    entries: tuple[Entry, ...]

    @property
    def refused(self) -> set[str]:
        """The tables whose rows the job has not loaded."""
        return set(re.findall(r'ORA-31693: Table data object "[^"]*"\."(.*?)" failed to load', self.run.out))

    def why(self, table: str) -> str:
        """Why a table's rows were not loaded, as the log has it."""
        lines = self.run.out.splitlines()
        (head,) = (n for n, line in enumerate(lines) if "ORA-31693" in line and f'."{table}" failed to load' in line)
        return "\n".join(lines[head + 1 : head + 3])

    def losses(self, name: str, column: str | None = None) -> dict[str, str]:
        """What is lost of an object, or of one of its columns: the sentences by their rules, of which each has one.

        :raises ValueError: a rule has two entries; :meth:`details` tells of them.
        """
        found = [e for e in self.entries if _is_of(e, name) and e["column"] == column]
        by_rule = {e["rule"]: e["detail"] for e in found}
        if len(by_rule) < len(found):
            raise ValueError(f"several entries of one rule: {found}")
        return by_rule

    def details(self, name: str, rule: str, column: str | None = None) -> list[str]:
        """The sentences of one rule about an object, or one of its columns."""
        return [e["detail"] for e in self.entries if (_is_of(e, name), e["column"], e["rule"]) == (True, column, rule)]

    def counted(self, name: str, rule: str) -> dict[str, int]:
        """The rows that a rule has concerned, by column."""
        return {e["column"]: e["rows"] for e in self.entries if _is_of(e, name) and e["rule"] == rule}

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """All rows of a query where the schema is now."""
        return rows(self.url, query)

    def column(self, query: str) -> list[Any]:
        """The first column of a query's rows."""
        return [row[0] for row in self.rows(query)]

    def refuses(self, statement: str, why: str) -> None:
        """See to it that the database refuses a statement, in words that match ``why``."""
        with pytest.raises(sa.exc.DBAPIError, match=why):
            execute(self.url, statement)

    def columns(self, table: str) -> str:
        """The columns of a table in PostgreSQL as CREATE TABLE has them."""
        return ", ".join(f"{name} {words}" for name, words in self.declared(table).items())

    def declared(self, table: str) -> dict[str, str]:
        """How PostgreSQL declares the columns of a table."""
        query = "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped"
        return dict(self.rows(f"{query} AND attrelid = '{table}'::regclass ORDER BY attnum"))  # type: ignore[arg-type]


def _is_of(entry: Entry, name: str) -> bool:
    return str(entry["object"]).endswith(f".{quoted(name)}")


def moved(source: str, target: str, directory: Path, *arguments: str) -> Moved:
    """Import from one database into another."""
    return loaded(target, directory, f"NETWORK_LINK={source}", remap(source, target), *arguments)


def loaded(target: str, directory: Path, *arguments: str) -> Moved:
    """Run an import that keeps its loss list in ``directory``."""
    ledger = directory / f"losses{len(list(directory.glob('losses*')))}.json"
    run = pump("impdp", target, *arguments, f"DIRECTORY={directory}", f"LEDGER={ledger.name}", "NOLOGFILE=YES")
    assert run.code in {0, 5}, run.out + run.err
    return Moved(target, run, tuple(json.loads(ledger.read_text(encoding="utf-8"))["entries"]))
