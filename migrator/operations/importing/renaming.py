"""The rename maps of an import: what it calls otherwise is kept in them before it is made, and put right when it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, TypeAlias, TypeVar

from migrator.ends import answer
from migrator.errors import RenameMapTaken, RenamesNotKept
from migrator.identities import USUAL
from migrator.job import control
from migrator.job.session import Start
from migrator.model.catalog import COLUMN, Catalog, Rename, object_type
from migrator.model.codec import decode, encode
from migrator.model.objects import QName, Schema, Table, View
from migrator.naming import PARTS, Chosen, parts_of
from migrator.operations.importing.job import Import
from migrator.operations.naming import Named, entries, present
from migrator.operations.target import met
from migrator.rename_map import Entry, RenameMap, key_of

T = TypeVar("T")

_NOTED, _USUAL = "names", "usual"
"""What a job's record calls the names that it has chosen, and the sequences that it has given the usual ones."""
_Thing: TypeAlias = tuple[str, str, str, str]


def noted(named: Named) -> dict[str, list[Any]]:
    """What a job's record says of the names that it has chosen, so that a restart need not choose them again."""
    usual = [[loss.object, loss.column] for loss in named.catalog.losses if loss.rule == USUAL]
    return {_NOTED: [encode(one) for one in (*named.known.long, *named.catalog.renames)], _USUAL: usual}


def chosen(start: Start) -> Chosen | None:
    """The names that a job had chosen before it is started again; None: none yet."""
    said = start.recall(_NOTED)
    if said is None:
        return None
    usual = frozenset((label, column) for label, column in start.recall(_USUAL) or ())
    return Chosen(tuple(decode(one) for one in said), usual=usual)


def keep(job: Import) -> None:
    """Put the job's renames into the maps of the schemas that are there, before anything is made under those names.

    It can be done twice, so that a job that died between this and its end does it again. Where it cannot be done the job
    goes on, with an error in its log.
    """
    if job.spec.content == "DATA_ONLY":
        return
    left = job.kept(met(job.catalog, job.existed()))
    made = [one for one in job.catalog.renames if QName(one.schema, one.table or one.name) not in left]
    for schema, renames in _by_schema(made, present(job.target, job.connection, job.catalog)):
        _, refused = answer(job.adapter, partial(_put, job, schema, renames))
        if refused is not None and (line := _not_kept(schema, refused.message)) not in job.said():
            job.log.error(line)


def _not_kept(schema: str, why: str) -> str:
    return str(RenamesNotKept(table=RenameMap(schema).qname, detail=why))


def _by_schema(renames: Iterable[Rename], schemas: Iterable[str]) -> list[tuple[str, list[Rename]]]:
    """The renames in each of ``schemas``, of those that have some."""
    found: dict[str, list[Rename]] = {}
    for one in renames:
        found.setdefault(one.schema, []).append(one)
    return [(schema, found[schema]) for schema in schemas if schema in found]


def _put(job: Import, schema: str, renames: Sequence[Rename]) -> None:
    """Let a map, which is made if need be, say of ``renames`` what it does not say yet."""
    job.record.job()  # a job that another process has taken over says nothing any more
    kept = RenameMap(schema)
    relations = (obj for obj in job.catalog.objects if isinstance(obj, Table | View) and obj.schema == schema)
    if any(obj.name.lower() == kept.qname.name for obj in relations):
        raise RenameMapTaken(table=kept.qname)
    kept.create(job.connection)
    said = set(kept.entries(job.connection))
    for one in renames:
        entry = Entry(one, job.origin.catalog.dialect, str(job.session.job))
        if entry not in said:  # what another job has said is this one's from now on
            kept.put(job.connection, entry)


def settle(job: Import) -> None:
    """Let the maps say what is there: nothing of what was not made, or is there no more, and all of what is.

    What another job that is on record is about to make is left alone. A job that has made everything is none the worse for a
    map that cannot be put right: that is a remark.
    """
    schemas = _answered(job, lambda: present(job.target, job.connection, job.catalog)) or []
    asked = {schema: _answered(job, partial(entries, job.connection, schema)) for schema in schemas}
    found = {schema: said for schema, said in asked.items() if said is not None}
    own = dict(_by_schema(job.catalog.renames, found))
    if not (own or any(found.values())):
        return
    there = _answered(job, lambda: _things(job.read_target().catalog))
    if there is None:
        return
    for schema, said in found.items():
        _, refused = answer(job.adapter, partial(_settle, job, schema, own.get(schema, []), said, there))
        if refused is not None and (line := _not_kept(schema, refused.message)) not in job.said():
            job.log.message(line)


def _answered(job: Import, ask: Callable[[], T]) -> T | None:
    """What the target answers; None: it does not, which is remarked."""
    found, refused = answer(job.adapter, ask)
    if refused is not None:
        job.log.message(f"the rename map is left as it is: {refused}")
    return found


def _settle(job: Import, schema: str, own: list[Rename], said: list[Entry], there: set[_Thing]) -> None:
    made = [one for one in own if _thing(one) in there]
    if made:
        _put(job, schema, made)
    mine = {key_of(one) for one in own}
    anew, objects = {_of(one) for one in own}, _things(job.catalog)
    untrue = {
        key_of(entry.rename)
        for entry in said
        if key_of(entry.rename) not in mine and _of(entry.rename) in anew and _thing(entry.rename) in objects
    }
    gone = [entry for entry in said if _thing(entry.rename) not in there or key_of(entry.rename) in untrue]
    mine |= untrue
    if not all(key_of(entry.rename) in mine for entry in gone):
        others = {str(other.qname) for other in (*control.jobs_in(job.target), *control.local_jobs())}
        others -= {str(job.session.job)}
        gone = [entry for entry in gone if key_of(entry.rename) in mine or entry.job not in others]
    for entry in gone:
        RenameMap(schema).remove(job.connection, entry.rename)
        if key_of(entry.rename) not in mine:
            name = QName(schema, entry.rename.table or entry.rename.name)
            what = f"{entry.rename.kind} {entry.rename.name}" + (f" of {name}" if entry.rename.table else "")
            job.log.message(f"{RenameMap(schema).qname} says nothing of {what} any more, which is not there")


def _of(rename: Rename) -> tuple[str, str, str, str, int]:
    """What has another name. An entry that tells of one which something else has by now is untrue."""
    return rename.kind, rename.schema, rename.table, rename.source_name, rename.number


def _thing(rename: Rename) -> _Thing:
    """What an entry is about, as :func:`_things` has it. A database may have a unique key as an index, and no more."""
    kind = "PART" if rename.kind in PARTS else rename.kind.removeprefix("MATERIALIZED_")
    return kind, rename.schema, rename.table.lower(), rename.name.lower()


def _things(catalog: Catalog) -> set[_Thing]:
    """All that has a name of its own, in small letters: a server may have changed their case."""
    found: set[_Thing] = set()
    for obj in catalog.objects:
        schema = obj.name if isinstance(obj, Schema) else obj.schema
        found.add((object_type(obj).removeprefix("MATERIALIZED_"), schema, "", obj.name.lower()))
        if isinstance(obj, Table):
            table = obj.name.lower()
            found |= {(COLUMN, schema, table, column.name.lower()) for column in obj.columns}
            found |= {("PART", schema, table, part.name.lower()) for part in parts_of(obj) if part.name is not None}
    return found
