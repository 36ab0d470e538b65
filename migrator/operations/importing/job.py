"""One import at work: its ends, its master table, and what it knows of the target."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property
from itertools import count
from pathlib import Path

import sqlalchemy as sa

from migrator.adapter import Facts
from migrator.ddl import DDL
from migrator.ends import Database
from migrator.errors import MigratorError
from migrator.job.builder import Builder
from migrator.job.coordinator import Coordinator, Hours
from migrator.job.session import Session
from migrator.job.table import Row
from migrator.model.catalog import Loss
from migrator.model.codec import digest
from migrator.model.objects import QName, Table
from migrator.operations.rows import Rejects
from migrator.operations.target import Decision, There, decide, lacking, of_catalog, of_existing, staying, with_rows
from migrator.operations.work import Work
from migrator.origins import Origin
from migrator.plan import POSITION, TABLE, Phase
from migrator.policies import Policies

NOT_TAKEN_BACK = "its storage engine has no transactions"
"""Why rows that came into a table stay there."""


class Import:
    """One import into a connected database, under its master table."""

    coordinator: Coordinator
    builder: Builder
    existing: set[QName]
    """The tables that were there before the job, but for those that it has replaced."""
    labels: frozenset[str]
    """What was there besides."""

    def __init__(
        self,
        work: Work,
        opened: Origin,
        ddl: DDL,
        phases: Sequence[Phase],
        target: Database,
        connection: sa.Connection,
        session: Session,
    ) -> None:
        self.spec, self.log, self.progress, self.work = work.spec, work.log, work.progress, work
        self.origin, self.ddl, self.catalog, self.target, self.phases = opened, ddl, ddl.catalog, target, phases
        self.connection, self.session, self.record = connection, session, session.record
        self.adapter = target.adapter
        self.there = self.read_target()
        self.tables = with_rows(self.spec, self.catalog)
        self.policies = Policies(self.spec.policies, self.tables.values())
        self.without_rows: set[QName] = set()
        """Tables that existed and take no rows from this job."""
        self.loading = False
        numbers = count(1)
        self.items = [[next(numbers) for _ in phase.steps] for phase in phases]

    def begin(self) -> dict[int, Row]:
        """Take up the plan that is on record; the rows of its objects."""
        self.existing = self.existed()
        self.labels = frozenset(self.session.recall("labels"))
        self.coordinator = Coordinator(
            self.record,
            self.log,
            self.progress,
            self.session.degree,
            limit=self._limit,
            lost=lambda: self.session.heart.lost,
            single_writer=self.adapter.capabilities.max_writers == 1,
            hours=Hours(self.spec.degrees, self.session.note),
        )
        recorded = {row.item: row for row in self.record.rows("OBJECT")}
        sizes = {name: sum(row.estimate for row in rows) for name, rows in self.granules().items()}
        self.builder = Builder(self.coordinator, self.target, self.ddl, self.connection, self.log, recorded, sizes)
        return recorded

    def _limit(self) -> int | None:
        readers = self.origin.readers if self.loading else None
        limits = [readers, self.adapter.capabilities.max_writers]
        return min((limit for limit in limits if limit is not None), default=None)

    def granules(self) -> dict[QName, list[Row]]:
        """The granules on record, by their tables."""
        found: dict[QName, list[Row]] = {}
        for row in self.record.rows("GRANULE"):
            found.setdefault(QName(row.schema, row.name), []).append(row)
        return found

    def rejects(self) -> Rejects | None:
        """Where rejected rows go, and how many may; None: none are."""
        path = self.session.recall("rejects")
        return None if path is None else Rejects(Path(path), self.spec.reject_limit)

    def takes_back(self, name: QName) -> bool:
        """Whether rows that come into a table, and the mark that they are there, are one transaction."""
        return self.there.catalog.table(name) is None or self.adapter.takes_back(self.connection, name)

    def read_target(self) -> There:
        """What the target has now."""
        return There.read(self.adapter, self.connection, self.catalog)

    def existed(self) -> set[QName]:
        """The tables that were there before the job; those that it has replaced are its own."""
        existing = {QName(*name) for name in self.session.recall("existing")}
        treated = self.session.recall("treated")
        if treated is not None and self.spec.table_exists_action == "REPLACE":
            existing &= {QName(*name) for name in (*treated["failed"], *treated["without_rows"])}
        return existing

    def kept(self, existing: Collection[QName]) -> frozenset[QName]:
        """Those of the ``existing`` tables that stay."""
        return staying(self.spec, existing, lacking(self.origin, self.tables.values()))

    def changing(self) -> list[QName]:
        """The tables that it makes, fills or empties."""
        left = self.existing if self.spec.table_exists_action == "SKIP" else ()
        return [table.qname for table in self.catalog.of(Table) if table.qname not in left]

    def said(self) -> set[str]:
        """The lines of the log of all runs of the job."""
        return {row.detail["text"] for row in self.record.rows("MESSAGE")} | {*self.record.said}

    @cached_property
    def decisions(self) -> dict[QName, Decision]:
        """What becomes of the tables that rows are for, before anything is changed."""
        tables = tuple(self.tables.values())
        return decide(self.spec, self.origin, self.target, self.connection, tables, self.there)

    def fail_to_load(self, name: QName, why: MigratorError) -> None:
        """Log that a table gets no rows."""
        head = f"ORA-31693: Table data object {name} failed to load and is being skipped due to error:"
        self.log.error(head, *why.explained().split("\n"))

    def empty(self, name: QName) -> bool:
        """Take all rows out of a table of this job, if it is there; whether that went well."""
        table = self.there.catalog.table(name)
        headline = f"ORA-39120: Table {name} can't be truncated:"
        return table is None or self.builder.empty(headline, table)

    def of_catalog(self) -> tuple[Loss, ...]:
        """The entries about the job's objects, and about the schemas and tables that were there before it."""
        kept, schemas = self.kept(self.existing), self.there.schemas(self.labels)
        return of_catalog(self.spec, self.catalog, kept, schemas, self.adapter.name, self.labels)

    @cached_property
    def declared(self) -> dict[QName, tuple[Loss, ...]]:
        """The entries about making each table."""
        steps = (step for phase in self.phases for step in phase.steps if step.path == TABLE and step.table is not None)
        return {step.table: step.script.losses for step in steps if step.table is not None}

    @cached_property
    def about_existing(self) -> dict[QName, tuple[Loss, ...]]:
        """The entries about tables that were there before the job, and are to take rows."""
        if self.spec.table_exists_action not in {"APPEND", "TRUNCATE"}:
            return {}
        there = [name for name in self.existing if self.there.catalog.table(name) is not None]
        dialect, adapter = self.origin.catalog.dialect, self.adapter
        facts = self.adapter.facts(self.connection, there) if there else {}
        found = {
            name: (table, self.there.catalog, facts.get(name, Facts()))
            for name, table in self.tables.items()
            if name in there
        }
        return {name: of_existing(*tables, dialect, adapter, self.policies) for name, tables in found.items()}

    def told_of_existing(self) -> dict[QName, tuple[Loss, ...]]:
        """Those about the tables that can take them."""
        return {name: losses for name, losses in self.about_existing.items() if name not in self.without_rows}


def identity(phases: Sequence[Phase]) -> str:
    """A checksum of what a job makes, but for where sequences stand."""
    steps = [(step.path, step.label, step.script.statements) for p in phases for step in p.steps if p.path != POSITION]
    return digest(steps)


def listed(names: Collection[QName]) -> list[list[str]]:
    """Names as the master table records them."""
    return [[name.schema, name.name] for name in sorted(names, key=str)]
