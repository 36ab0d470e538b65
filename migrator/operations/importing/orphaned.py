"""Orphans: the rows of an import that a foreign key finds without the row that they refer to. They come in, and are listed.

The list lies beside the log and has the form of a reject file; what is found of each key is a part of it, as what a granule
rejects is one of a reject file. The master table names the parts that count.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from migrator import rejects
from migrator.adapter import Granule, Read, Snapshot
from migrator.ddl import NOT_VALIDATED, called
from migrator.ends import TableRows, answer
from migrator.errors import MigratorError
from migrator.job.builder import NO_TABLE, is_made
from migrator.job.listing import Listed, Listing
from migrator.job.report import loss_line
from migrator.job.table import Row
from migrator.job.worker import Scan
from migrator.model.catalog import Loss
from migrator.model.objects import ForeignKey, Partitioning, QName, Table
from migrator.operations.comparing import scan_of
from migrator.operations.importing.job import Import
from migrator.orphans import count_orphans, orphans_of
from migrator.plan import REF_CONSTRAINT, Step
from migrator.profiling import scans

_FILE = "orphans"
"""Under this name the master table has where the list is."""
_OF_OTHERS = "orphans_there"
"""Under this name it has the parts about the keys of tables that were there before the job."""
_REFUSED = "refused"
"""Under this name a foreign key's row has what the target said against it: making it for new rows takes the error away."""
_NOT_LISTED = "Rows that refer to rows that are not there cannot be listed"


@dataclass(frozen=True)
class _Key:
    """A foreign key of a table, and its item of the master table; 0: it is none of the job's."""

    table: QName
    key: ForeignKey
    item: int = 0


# --- keys that are made by themselves -------------------------------------------------------------------------------


def settle(job: Import) -> None:
    """Look for the orphans of each foreign key that the target refused, or made without a look at the rows.

    A key that is refused for its orphans is made for new rows, where the database can have it so.
    """
    found = [(item, step, row) for item, step, row in _steps(job) if _is_in_doubt(step, row)]
    anew = [_Key(step.table, step.part, item) for item, step, row in found if step.table and Listed.of(row.detail) is None]
    listed = dict(zip((key.item for key in anew), _listed(job, anew), strict=True))
    told = job.said() if job.session.restarted else set()
    for item, step, row in found:
        one = listed.get(item) or Listed.of(row.detail) or Listed()
        refused = {_REFUSED: row.error} if row.state == "FAILED" else {}
        job.record.change("OBJECT", item, detail={**row.detail, **one.recorded(), **refused})
        if row.state == "FAILED":
            _refused(job, item, step, row, one, told)
        elif _REFUSED in row.detail:  # an earlier run had it refused, and then made it
            _for_new_rows(job, step, row.detail[_REFUSED], one, told)
        else:
            _tell(job, _entries(job, step, one), told)


def _is_in_doubt(step: Step, row: Row) -> bool:
    """Whether rows may break a key that the job has made, or was to make."""
    if row.state == "FAILED":
        return row.error != NO_TABLE
    broken = (Listed.of(row.detail) or Listed()).rows
    return is_made(row) and (bool(broken) or any(loss.rule == NOT_VALIDATED for loss in step.script.losses))


def _refused(job: Import, item: int, step: Step, row: Row, listed: Listed, told: Collection[str]) -> None:
    """Tell of a key that the target refused, after it was made for new rows, if it can be."""
    table = None if step.table is None else job.catalog.table(step.table)
    if listed.rows and table is not None:
        script = job.ddl.for_new_rows(table, step.part)
        failure = job.builder.make(item, replace(step, script=script)) if script.statements else None
        if script.statements and failure is None:
            _for_new_rows(job, step, row.error, listed, told)
            return
        if failure is not None:  # what it says is about another key than was asked for
            job.record.change("OBJECT", item, error=row.error)
    if f"ORA-39083: Object type {step.label} failed to create with error:" not in told:
        job.builder.refused(step, row.error, step.script.last, *_where(job, listed))


def _for_new_rows(job: Import, step: Step, error: str, listed: Listed, told: Collection[str]) -> None:
    """Tell of a key that the target refused, by this ``error``, and has for new rows."""
    headline = f"ORA-02298: cannot validate {step.label} - parent keys not found"
    if headline not in told:
        job.log.error(headline, error, *_where(job, listed))
    _tell(job, _entries(job, step, listed), told)


def _where(job: Import, listed: Listed) -> Iterator[str]:
    """How many orphans there are, and where they are listed."""
    if listed.rows:
        yield f"{listed.rows} row(s) refer to rows that are not there" + (f", listed in {_path(job)}" if listed.part else "")


def _tell(job: Import, losses: Sequence[Loss], told: Collection[str]) -> None:
    for loss in losses:
        if loss_line(loss) not in told:
            job.log.loss(loss)


# --- the loss list --------------------------------------------------------------------------------------------------


def entries(job: Import) -> dict[int, tuple[Loss, ...]]:
    """The entries about foreign keys that are there, and that rows break, by their items."""
    return {item: _entries(job, step, found) for item, step, row in _steps(job) if (found := _broken(row)) is not None}


def _broken(row: Row) -> Listed | None:
    """What is recorded of a key that is there."""
    return None if row.state == "FAILED" else Listed.of(row.detail)


def _entries(job: Import, step: Step, listed: Listed) -> tuple[Loss, ...]:
    there = _named(job, listed)
    declared = [loss for loss in step.script.losses if loss.rule == NOT_VALIDATED]
    if not declared and listed.rows:
        detail = f"foreign key {called(step.part)} holds for new rows: some that came in refer to rows that are not there"
        declared = [Loss(step.label, NOT_VALIDATED, detail)]
    return tuple(replace(loss, detail=f"{loss.detail}{there}", rows=listed.rows) for loss in declared)


def against(job: Import, row: Row) -> tuple[int | None, str]:
    """How many rows a foreign key that was not made finds that refer to none (None: nobody tells), and where they are."""
    listed = Listed.of(row.detail) or Listed()
    return listed.rows, _named(job, listed)


def _named(job: Import, listed: Listed) -> str:
    return f"; they are listed in {Path(_path(job)).name}" if listed.part else ""


def _steps(job: Import) -> Iterator[tuple[int, Step, Row]]:
    """The foreign keys that the job is to make, with what is recorded of them."""
    recorded: dict[int, Row] = {}
    for phase, items in zip(job.phases, job.items, strict=True):
        if phase.path == REF_CONSTRAINT:
            recorded = recorded or {row.item: row for row in job.record.rows("OBJECT")}
            yield from ((item, step, recorded[item]) for item, step in zip(items, phase.steps, strict=True))


# --- keys that stand in CREATE TABLE --------------------------------------------------------------------------------


def check_inline_keys(job: Import) -> None:
    """Foreign keys that stand in CREATE TABLE were not checked while rows came in, or went with all of their table.

    So those of the target's tables count: of each that took rows, and of any that refer to an emptied or replaced one.
    """
    if "foreign_key" not in job.adapter.capabilities.inline:
        return
    ours = {table.qname: table for table in job.catalog.of(Table)}
    made = {name for name in ours if name not in job.existing}
    items = {(step.table, step.part): item for item, step, _ in _steps(job)}
    filled = [name for name in ours if name not in job.builder.failed | job.without_rows]
    emptied = _emptied(job, ours)
    referring = [t.qname for t in job.there.catalog.of(Table) if any(key.referred in emptied for key in t.foreign_keys)]
    parts: list[str] = []
    for name in dict.fromkeys((*filled, *(name for name in referring if name not in made))):
        if name not in made:
            there = job.there.catalog.table(name)
            others = [_Key(name, key) for key in there.foreign_keys] if there is not None else []
            parts += _check_keys_of(job, name, partial(job.adapter.orphans, job.connection, name), others)
            continue
        keys = [key for key in ours[name].foreign_keys if not job.ddl.why_no_inline_key(key)]
        vouched = [_Key(name, key, items.get((name, key), 0)) for key in keys if key.validated]
        if vouched and len(vouched) == len(keys):
            _check_keys_of(job, name, partial(job.adapter.orphans, job.connection, name), vouched)
        elif vouched:  # the others have an entry of the loss list
            _check_keys_of(job, name, partial(_orphans_of, job, vouched), vouched)
    if parts or job.session.recall(_OF_OTHERS):
        job.session.note(**{_OF_OTHERS: parts})


def _emptied(job: Import, ours: Collection[QName]) -> set[QName]:
    """The tables of the job that were there and lost their rows to it."""
    if job.spec.table_exists_action not in {"TRUNCATE", "REPLACE"}:
        return set()
    treated = job.session.recall("treated")
    left = {QName(*name) for name in (*treated["without_rows"], *treated["failed"])}
    return {QName(*name) for name in job.session.recall("existing")}.intersection(ours) - left


def _orphans_of(job: Import, keys: Sequence[_Key]) -> int:
    return sum(count_orphans(job.connection, job.adapter, of.table, of.key) or 0 for of in keys)


def _check_keys_of(job: Import, name: QName, count: Callable[[], int], keys: Sequence[_Key]) -> list[str]:
    """Tell of the orphans of a table; the parts of the list that they are in."""
    headline = f"ORA-02298: cannot validate the foreign keys of {name}"
    orphans, refused = answer(job.adapter, count)
    if refused is not None:
        job.log.error(headline, str(refused))
    if not orphans:
        return []
    found = _listed(job, keys)
    told = [
        f"  foreign key {called(of.key)} to {of.key.referred}: {one.rows}"
        for of, one in zip(keys, found, strict=True)
        if one.rows
    ]
    parts = [one.part for one in found if one.part]
    why = f"{orphans} rows of {name} refer to rows that are not there"
    where = [f"They are listed in {_path(job)}"] if parts else []
    job.log.error(f"{headline} - parent keys not found", why, *told, *where)
    own = {of.item: one for of, one in zip(keys, found, strict=True) if of.item and one.rows}
    for item, step, row in _steps(job) if own else ():
        if item in own:
            job.record.change("OBJECT", item, detail={**row.detail, **own[item].recorded()})
            _tell(job, _entries(job, step, own[item]), ())
    return parts


# --- the list -------------------------------------------------------------------------------------------------------


def gather(job: Import) -> None:
    """Put the orphans of all keys into one file."""
    path = job.session.recall(_FILE)
    if path is None:
        return
    found = [Listed.of(row.detail) for row in job.record.rows("OBJECT")]
    parts = [*(one.part for one in found if one is not None), *(job.session.recall(_OF_OTHERS) or ())]
    if rejects.gather(Path(path), [part for part in parts if part]):
        job.log.message(f"Rows that refer to rows that are not there are listed in {path}")


def _path(job: Import) -> str:
    """Where the list is."""
    return str(job.session.recall(_FILE))


def _beside(job: Import) -> Path | None:
    """Where the list is to be, which is this job's own by now; None: there can be none."""
    if job.session.recall(_FILE) is None and job.spec.orphan_file is not None:
        try:
            job.session.note(**{_FILE: str(rejects.claim(job.spec.orphan_file))})
        except MigratorError as error:
            job.log.message(f"{_NOT_LISTED}: {error}")
    path = job.session.recall(_FILE)
    return None if path is None else Path(path)


def _listed(job: Import, keys: Sequence[_Key]) -> list[Listed]:
    """Of each key how many rows refer to none, as they are counted while they are listed; where they cannot be, by SQL."""
    tables = [_table(job, of) for of in keys]
    beside = _beside(job) if any(tables) else None
    found: dict[int, Listed] = {}
    if beside is not None:
        listing = {place: (of, table) for place, (of, table) in enumerate(zip(keys, tables, strict=True)) if table}
        found = dict(_scanned(job, beside, listing))
    return [found.get(place) or _counted(job, of) for place, of in enumerate(keys)]


def _counted(job: Import, of: _Key) -> Listed:
    """What nobody lists, counted by SQL in the rows that would have been."""
    part = _part(job, of)
    if not of.key.referred_columns or (of.key.partition is not None and part is None):
        return Listed()

    def count() -> int:
        engine = job.target.engine
        with job.adapter.snapshot(engine, 1) as held, job.adapter.reading(engine, held) as connection:
            child, parent = Read(of.table, (), granule=Granule(part)), Read(of.key.referred, ())
            return scans.orphans(connection, job.adapter, child, parent, of.key)

    return Listed(answer(job.adapter, count)[0])


def _part(job: Import, of: _Key) -> QName | None:
    """The partition that has a key, as it is there; None: the whole table has it, or there is no such partition."""
    there = job.there.catalog.table(of.table)
    name = of.key.partition
    return None if there is None or name is None else _found(there.schema, there.partitioning, name)


def _found(schema: str, partitioning: Partitioning | None, name: str) -> QName | None:
    for part in partitioning.partitions if partitioning is not None else ():
        own = part.schema or schema
        found = QName(own, name) if part.name == name else _found(own, part.partitioning, name)
        if found is not None:
            return found
    return None


def _table(job: Import, of: _Key) -> Table | None:
    """The table of a key, as it is there; None: its orphans cannot be told from its other rows, or all of them are some."""
    there = job.there.catalog.table(of.table)
    if there is None or not of.key.referred_columns or (of.key.partition is not None and _part(job, of) is None):
        return None
    schemas = {table.schema for table in job.there.catalog.of(Table)}
    without = of.key.referred.schema in schemas and job.there.catalog.table(of.key.referred) is None
    return None if without or not {column.name for column in there.columns}.issuperset(of.key.columns) else there


def _scanned(job: Import, beside: Path, listing: Mapping[int, tuple[_Key, Table]]) -> Iterator[tuple[int, Listed]]:
    """What workers list in one state of the target, by the numbers of ``listing``."""
    quiet = nullcontext() if job.adapter.capabilities.writes_while_read else job.coordinator.silent()
    with quiet, ExitStack() as stack:
        held, refused = answer(
            job.adapter, lambda: stack.enter_context(job.adapter.snapshot(job.target.engine, job.session.degree))
        )
        errors = [refused]
        if held is not None:
            places, refused = answer(job.adapter, lambda: _scans(job, beside, held, listing))
            errors.append(refused)
            for scan, outcome in job.coordinator.scan(list(places or ())):
                errors.append(outcome.error)
                if places is not None and outcome.error is None:
                    yield places[scan], outcome.found
            job.coordinator.pool.close()  # readers let go of the target before anybody writes to it
    for error in errors:
        if error is not None:
            job.log.message(f"{_NOT_LISTED}: {error}")


def _scans(job: Import, beside: Path, held: Snapshot, listing: Mapping[int, tuple[_Key, Table]]) -> dict[Scan, int]:
    """The scans that list, with the numbers of ``listing``."""
    with job.adapter.reading(job.target.engine, held) as connection:
        parents = {place: job.adapter.rows_of(connection, Read(of.key.referred, ())) for place, (of, _) in listing.items()}
    return {_scan(job, beside, held, *of, parents[place]): place for place, of in listing.items()}


def _scan(job: Import, beside: Path, held: Snapshot, of: _Key, table: Table, parent: str) -> Scan:
    """``parent``: what follows FROM in a query about the rows that the key refers to."""
    ours = job.catalog.table(of.table)  # whose primary key may have been made since
    key = table.primary_key or (None if ours is None else ours.primary_key)
    tell = of.key.columns if key is None else key.columns
    columns = tuple(table.column(name) for name in dict.fromkeys((*tell, *of.key.columns)))
    part = _part(job, of)
    read = Read(of.table, columns, orphans_of(job.adapter, part or of.table, parent, of.key), Granule(part))
    fold = Listing(beside, of.item, of.table, columns, tell, of.key)
    return scan_of(of.table, TableRows(job.target, held, read), fold)
