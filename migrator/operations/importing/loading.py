"""The rows of an import: which move by what, and what is said and done when they are there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from migrator import rejects
from migrator.access import Choice, Method
from migrator.adapter import Fact, Load, adapter_of, as_heard_by
from migrator.converting import Converter
from migrator.ends import answer
from migrator.errors import FatalError, MigratorError
from migrator.job.rejecting import Rejected, Rejecting
from migrator.job.table import Row
from migrator.job.worker import Move, Place, Store
from migrator.model.catalog import Catalog
from migrator.model.objects import Column, QName, Table
from migrator.operations import methods, transport
from migrator.operations.changing import policy_converter, read_for
from migrator.operations.importing import losses
from migrator.operations.importing.job import NOT_TAKEN_BACK, Import
from migrator.operations.matching import absent
from migrator.operations.rows import RowsMoved, begin_progress, largest_first
from migrator.operations.target import way_in
from migrator.plan import parents_first


def load(job: Import, path: str) -> None:
    """Let the rows come in that are not there yet, logged under ``path``."""
    granules = job.granules()
    if job.session.restarted:
        done = [row for rows in granules.values() if all(row.state == "COMPLETED" for row in rows) for row in rows]
        RowsMoved(job.log, job.progress, "imported", done, partial(_undo, job), job.rejects()).recall(job.said())
    left = [row for rows in granules.values() for row in rows if row.state == "PENDING"]
    if not left:
        return
    job.there = job.read_target()
    made = job.there.catalog
    for name in job.tables:
        if name in job.builder.failed:
            job.builder.dependent_skipped(f"TABLE_DATA:{name}", name)
    barred = job.builder.failed | job.without_rows
    tables = [table for name, table in job.tables.items() if name in granules and name not in barred]
    groups = _in_order(tables, made) if job.existing else (tuple(tables),)
    there = [table for table in tables if made.table(table.qname) is not None]
    choices, _ = methods.loading(job.spec, job.origin, job.target, job.connection, there, job.existing, made.of(Table))
    planned = [_moves(job, group, granules, made, choices) for group in groups]
    every = {move.item for moves in planned for move in moves}
    if not every:
        return
    job.log.processing(path)
    begin_progress(job.progress, [row for row in left if row.item in every])
    of_tables = [row for table in tables for row in granules[table.qname] if row.state != "FAILED"]
    moved = RowsMoved(job.log, job.progress, "imported", of_tables, partial(_undo, job), job.rejects())
    for moves in planned:
        for move, outcome, worker in job.coordinator.move(largest_first(moves)):
            moved.ended(move, outcome, worker)
    job.progress.end()


def _moves(
    job: Import, tables: Sequence[Table], granules: dict[QName, list[Row]], made: Catalog, choices: Mapping[QName, Choice]
) -> list[Move]:
    moves: list[Move] = []
    for table in tables:
        left = [row for row in granules[table.qname] if row.state == "PENDING"]
        if not left:
            continue
        try:
            moves += list(_table_moves(job, table, left, made, choices))
        except FatalError:
            raise
        except MigratorError as error:
            job.fail_to_load(table.qname, error)
            for row in left:
                job.record.change("GRANULE", row.item, state="FAILED", error=str(error))
    return moves


def _table_moves(
    job: Import, table: Table, rows: Sequence[Row], there: Catalog, choices: Mapping[QName, Choice]
) -> Iterator[Move]:
    if (lacking := job.origin.lacking(table)) is not None:
        raise lacking
    made = there.table(table.qname)
    if made is None:
        raise absent(there, table.qname)
    choice = choices[table.qname]
    source, target = way_in(table, made, choice)
    if choice.method is Method.DATA_FILE_COPY:
        yield from _file_moves(job, table, rows, made, choice)
        return
    if choice.reason and job.spec.metrics:
        job.log.message(f"{table.qname}: {choice.method}, because {choice.reason}")
    staged = choice.method is Method.EXTERNAL_TABLE
    no_bulk = any(bar.rule.asks is Fact.BULK_REFUSED for bar in choice.barred)
    conventional = choice.method is Method.CONVENTIONAL_PATH or (staged and no_bulk)
    arriving = as_heard_by(job.adapter.name, source, job.origin.catalog.dialect)
    into = Load(made.qname, arriving, target, conventional, table.qname not in job.existing)
    validated = "VALIDATE_TABLE_DATA" in job.spec.data_options
    changing = _converter(job, table, source, target)
    marked = job.takes_back(made.qname)
    lossy = marked and "CONTINUE_LOAD_ON_FORMAT_ERROR" in job.spec.data_options
    unfiltered, inside = job.origin.unfiltered.get(table.source), choice.method is Method.INSERT_AS_SELECT
    changing = None if inside else changing
    rejecting, method = _rejecting(job, table, made), methods.label(job.spec, choice)
    store = Store(job.target, into, staged, unfiltered, rejecting, changing, validated, inside)
    for row in rows:
        rows_from = read_for(changing, job.origin.rows(table, source, row.detail))
        done = job.record.mark(job.target, "GRANULE", row.item) if marked else None
        claim = job.record.claim(row.item) if marked and done is None else None
        to = replace(store, detail=row.detail)
        yield Move(row.item, table.qname, rows_from, to, method, row.estimate, done, lossy=lossy, claim=claim)


def _converter(job: Import, table: Table, source: Sequence[Column], target: Sequence[Column]) -> Converter | None:
    """What changes the values that have no place at the target, as POLICY asks; None: there can be none."""
    rules = [(loss.column, loss.rule) for loss in losses.looked_for(job, table) if loss.column is not None]
    adapters = adapter_of(job.origin.catalog), adapter_of(job.there.catalog)
    return policy_converter(job.policies, table, (source, target), adapters, rules)


def _rejecting(job: Import, table: Table, made: Table) -> Rejecting | None:
    into = job.rejects()
    if into is None:
        return None
    key = tuple(table.column(name).source for name in table.primary_key.columns) if table.primary_key is not None else ()
    texts = "SKIP_CONSTRAINT_ERRORS" not in job.spec.data_options
    to_itself = any(key.referred == made.qname for key in made.foreign_keys)
    checked = to_itself and not texts and table.qname in job.existing
    chosen = {column.source: column.type for column in table.columns if column.carried is not None}
    return Rejecting(into.path, key, into.limit, made.foreign_keys if checked else (), texts, chosen)


def gather_rejects(job: Import) -> None:
    """Put the rejected rows of all granules whose other rows are there into one file."""
    into = job.rejects()
    if into is None:
        return
    done = job.record.rows("GRANULE", state="COMPLETED")
    if rejects.gather(into.path, [found.part for row in done if (found := Rejected.of(row.detail)).rows]):
        job.log.message(f"Rejected rows are in {into.path}")


def _file_moves(job: Import, table: Table, rows: Sequence[Row], made: Table, choice: Choice) -> Iterator[Move]:
    assert job.origin.files is not None
    transport.check_table(job.origin, job.adapter, job.connection, table, made)
    for row in rows:
        done = job.record.mark(job.target, "GRANULE", row.item)
        files = job.origin.files(row.detail)
        place = Place(job.target, made.qname, job.record.claim(row.item))
        yield Move(row.item, table.qname, files, place, str(choice.method), row.estimate, done)


def _undo(job: Import, name: QName, rows: int) -> str:
    """Empty a table of this job that got some of its rows only; what is to be said of those that stay."""
    kept = not job.takes_back(name)
    if not rows and not kept:
        return ""
    staying = f"{rows} rows of it had been committed before, and stay in the table"
    if kept:
        staying = f"rows of it that had come in stay in the table: {NOT_TAKEN_BACK}"
    if name in job.existing:
        return staying
    for row in job.granules()[name]:
        if row.state == "COMPLETED":
            job.record.change("GRANULE", row.item, state="FAILED", rows=0, error="another part of the table failed")
    return "" if job.empty(name) else staying


def raise_identities(job: Import) -> None:
    """Let the identities of tables that were there go on after the rows that came in."""
    for name, rows in job.granules().items():
        if name not in job.existing or not any(row.rows for row in rows if row.state == "COMPLETED"):
            continue
        raised, refused = answer(job.adapter, partial(job.adapter.raise_identities, job.connection, name))
        if refused is not None:
            job.log.error(f"The identities of {name} can't be set to go on after its rows:", str(refused))
        for column, last in (raised or {}).items():
            goes_on = (
                f"goes on after {last}" if last is not None else "stays where it is: the column's values are no numbers"
            )
            job.log.message(f"{name}: the identity of {column} {goes_on}")


def _in_order(tables: Iterable[Table], made: Catalog) -> Iterator[list[Table]]:
    """Tables in groups, by the foreign keys of the source and of those that are at the target."""
    by_name = {table.qname: table for table in tables}
    both = []
    for name, table in by_name.items():
        there = made.table(name)
        both.append(replace(table, foreign_keys=(*table.foreign_keys, *(there.foreign_keys if there is not None else ()))))
    for group in parents_first(both):
        yield [by_name[table.qname] for table in group]
