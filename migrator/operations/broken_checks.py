"""Checks that rows of the source may break, and how many do: counted by the source, in its own SQL, in the state that the
job reads.

A target that cannot let such a check be leaves it out, with an entry of the loss list that has the number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from migrator import filters
from migrator.adapter import Read, execute_verbatim
from migrator.ddl import DDL
from migrator.ends import answer, database_errors
from migrator.expressions import Untranslatable
from migrator.model.catalog import Loss
from migrator.model.objects import Check, Table
from migrator.origins import Origin
from migrator.spec import JobSpec


def with_broken_checks(
    spec: JobSpec, opened: Origin, ddl: DDL | None = None, stays: Callable[[Table], bool] = lambda table: False
) -> Origin:
    """A source whose checks know how many rows break them, where rows and checks move; a dump file set knows it by its
    export, of all of its rows.

    ``ddl``: of the target, which is asked what it makes of such checks; None: it is not known yet, and all are counted.
    ``stays``: whether the job leaves a table alone, which is asked of those with something to count only.
    """
    if spec.content == "DATA_ONLY" or spec.transportable or spec.estimate_only:
        return opened
    conditions = filters.conditions(spec, opened.catalog)
    moved = {table.source for table in filters.tables_with_rows(spec, opened.catalog)}

    def counted(table: Table, check: Check) -> Check:
        if opened.state is None:
            return replace(check, broken=None) if table.source in conditions else check
        if (check.validated and check.enforced) or (ddl is not None and _is_kept(ddl, table, check)):
            return check
        if stays(table):
            return check
        return replace(check, broken=_count(opened, Read(table.source, table.columns, conditions.get(table.source)), check))

    objects = tuple(
        replace(obj, checks=tuple(counted(obj, check) for check in obj.checks))
        if isinstance(obj, Table) and obj.source in moved
        else obj
        for obj in opened.catalog.objects
    )
    return replace(opened, catalog=opened.catalog.with_objects(objects))


def _is_kept(ddl: DDL, table: Table, check: Check) -> bool:
    """Whether the target lets rows break a check as the source does."""
    losses: list[Loss] = []
    try:
        ddl.check_state(table, check, losses)
    except Untranslatable:
        return False
    return not losses


def _count(opened: Origin, read: Read, check: Check) -> int | None:
    """How many rows break a check, which those with an unknown answer do not; None: the source does not say."""
    assert opened.state is not None
    database, snapshot = opened.state
    adapter = database.adapter

    def ask() -> int:
        with database_errors(adapter), adapter.reading(database.engine, snapshot) as connection:
            rows = f"SELECT * FROM {adapter.rows_of(connection, read)}\n"  # the condition may end in a comment
            sql = f"SELECT count(*) FROM ({rows}) r WHERE NOT ({check.expression.sql}\n)"
            return int(execute_verbatim(connection, sql).scalar_one())

    found, _ = answer(adapter, ask)
    return found
