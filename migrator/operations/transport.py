"""Jobs that copy data files (TRANSPORTABLE): what they can be, and which tables can take the files."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from migrator.adapter import Adapter, Always, Fact, Scope
from migrator.ends import Database
from migrator.errors import ConflictingParameters, DatabaseNotEmpty, NotADataFile, TransportRefused
from migrator.model.objects import Table
from migrator.origins import Origin
from migrator.spec import JobSpec


def check_source(spec: JobSpec, database: Database) -> None:
    """An export that is to copy data files is from a database that has some to copy.

    :raises TransportRefused: it has none.
    :raises ConflictingParameters: part of what the files hold is left out.
    """
    if spec.transportable:
        database.adapter.find(database.url)
        _check_database(database)
        _check_parts(spec, database.adapter.capabilities.data_files)


def check_target(spec: JobSpec, opened: Origin, target: Database) -> None:
    """Data files that come instead of rows are for the same kind of database, and for tables that the job makes.

    Those of a whole database are for an empty one.

    :raises TransportRefused: the database is another one, or its data files cannot be copied.
    :raises ConflictingParameters: parameters ask for what cannot be done to whole files.
    """
    if opened.data_files is None or spec.content == "METADATA_ONLY":
        return
    source = opened.catalog.dialect
    if target.adapter.name != source:
        detail = f"the dump file set has data files of {source}, and no rows that {target.adapter.title} could take"
        raise TransportRefused(detail=detail)
    _check_database(target)
    _check_parts(spec, opened.data_files)
    conflicts = {
        f"ACCESS_METHOD={spec.access_method}": spec.access_method != "AUTOMATIC",
        "CONTENT=DATA_ONLY": spec.content == "DATA_ONLY",
        "DATA_OPTIONS": bool(spec.data_options),
        "POLICY": bool(spec.policies),
        "QUERY": bool(spec.query),
        "VERIFY": spec.verify,
        f"TABLE_EXISTS_ACTION={spec.table_exists_action}": spec.table_exists_action in {"APPEND", "TRUNCATE"},
    }
    if opened.data_files == "database":
        conflicts |= {
            "LEDGER": spec.ledger is not None,
            "REMAP_SCHEMA": bool(spec.remap_schema),
            "REMAP_TABLE": bool(spec.remap_table),
            "TABLE_EXISTS_ACTION=REPLACE": spec.table_exists_action == "REPLACE",
            "MASTER_TABLE=DATABASE": spec.master_table == "DATABASE",
        }
    for name, given in conflicts.items():
        if given:
            what = "a new database" if opened.data_files == "database" else "new tables"
            raise ConflictingParameters(detail=f"the dump file set has data files, which fill {what} whole: no {name}")


def _check_database(database: Database) -> None:
    adapter = database.adapter
    answer = adapter.answers[Fact.NO_DATA_FILE]
    if isinstance(answer, Always):
        why = answer.why
    else:
        with database.connect() as connection:
            why = adapter.no_data_files(connection)
    if why:
        raise TransportRefused(detail=f"{adapter.title} has no data files to copy: {why}")


def _check_parts(spec: JobSpec, scope: Scope | None) -> None:
    if scope == "database" and (spec.mode != "FULL" or spec.include or spec.exclude):
        detail = "the data file is the whole database: FULL=YES moves it, and nothing in it can be chosen or left out"
        raise ConflictingParameters(detail=detail)
    for name, filters in (("INCLUDE", spec.include), ("EXCLUDE", spec.exclude)):
        for found in filters:
            if found.path in {"CONSTRAINT", "INDEX"}:
                detail = f"data files hold every index and key of a table, so {name}={found.path} cannot be followed"
                raise ConflictingParameters(detail=detail)


def check_table(opened: Origin, adapter: Adapter, connection: sa.Connection, table: Table, made: Table) -> None:
    """A table as it was made is such that the data files of ``table`` mean the same in it.

    :raises NotADataFile: it is not.
    """
    wanted, found = _layout(table), _layout(made)
    different = [name for name in wanted if wanted[name] != found[name]]
    if different:
        raise NotADataFile(object=made.qname, detail=f"the table was made with other {' and '.join(different)}")
    why = adapter.misfit(connection, made, opened.catalog.version, opened.traits.get(table.source, {}))
    if why:
        raise NotADataFile(object=made.qname, detail=why)


def check_rows(opened: Origin) -> None:
    """A source has rows to compare with.

    :raises TransportRefused: it is a dump file set with data files.
    """
    if opened.data_files is not None:
        raise TransportRefused(detail="the dump file set has data files, and no rows to compare with")


def check_whole(opened: Origin, adapter: Adapter, connection: sa.Connection) -> None:
    """The database can take the data files of another.

    :raises DatabaseNotEmpty: it cannot: there is something in it, or it is of an earlier release.
    """
    if opened.whole is not None:
        why = adapter.misfit(connection, None, opened.catalog.version, opened.traits[opened.whole.qname])
        if why:
            raise DatabaseNotEmpty(detail=why)


def _layout(table: Table) -> dict[str, Any]:
    """What the bytes of a table's data files depend on."""
    return {
        "columns": [
            (column.name, column.native, column.nullable, column.collation, column.generated and column.generated.stored)
            for column in table.columns
        ],
        "collation": dict(table.options).get("COLLATE"),
        "keys": (
            table.primary_key and table.primary_key.columns,
            {(unique.name, unique.columns) for unique in table.uniques},
            {(index.name, index.keys, index.unique, index.method) for index in table.indexes},
        ),
    }
