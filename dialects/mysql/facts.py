"""What MySQL's and MariaDB's catalog, settings and grants say to the access-method rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from migrator.adapter import Answer, Asked, Fact, Facts, Never
from migrator.model.objects import QName

from . import places, privileges
from .dictionary import flavor

_ONE_LAYER = Never("encryption is of whole tablespaces, beneath LOAD DATA and INSERT alike")
_AS_TEXT = Never("every value has a text, which LOAD DATA converts as INSERT does")
_NO_OBJECTS = Never("there are no object types")
_NO_POLICIES = Never("there is no row-level security; views limit what a user sees")

ANSWERS: Mapping[Fact, Answer] = {
    Fact.ADDED_DEFAULT: Never("the server fills in the default of an instantly added column whoever reads the row"),
    Fact.BULK_REFUSED: Asked("@@GLOBAL.local_infile = OFF"),
    Fact.BULK_TYPE: _AS_TEXT,
    Fact.CLUSTERED: Never("there are no clusters of tables"),
    Fact.DIRECTORY_UNWRITABLE: Asked("@@datadir and the schema's directory in it, as this process finds them"),
    Fact.DISABLED_UNIQUE_INDEX: Never("DISABLE KEYS leaves unique indexes alone"),
    Fact.DOMAIN_INDEX: Asked(
        "information_schema.STATISTICS: index_type = 'SPATIAL', over a geometry, which is stored as a BLOB"
    ),
    Fact.ENCODED_FILE: Asked("information_schema.TABLES: create_options; @@innodb_encrypt_tables (MariaDB)"),
    Fact.ENCRYPTED_COLUMN: _ONE_LAYER,
    Fact.EVOLVED_TYPE: _NO_OBJECTS,
    Fact.FILE_UNREADABLE: Asked("@@datadir and the table's .ibd file in it, as this process finds them"),
    Fact.FULL_TEXT_INDEX: Asked("information_schema.STATISTICS: index_type = 'FULLTEXT'"),
    Fact.GENERATED_COLUMN: Never("LOAD DATA names the other columns, and the server computes these"),
    Fact.GLOBAL_INDEX: Never("an index belongs to one partition"),
    Fact.INDEX_ORGANISED: Never("every InnoDB table is one: it is read by ranges of its key"),
    Fact.INSERT_POLICY: _NO_POLICIES,
    Fact.INSERT_RULE: Never("there are no rewrite rules"),
    Fact.INSTEAD_RULE: Never("there are no rewrite rules"),
    Fact.INVISIBLE_COLUMN: Never("SELECT and LOAD DATA name every column"),
    Fact.LONG_NOT_LAST: Never("there is no LONG"),
    Fact.NO_DATA_FILE: Asked("information_schema.TABLES: engine <> 'InnoDB'"),
    Fact.OPAQUE_COLUMN: Never(f"there are no columns of files; {_AS_TEXT.why}"),
    Fact.OPAQUE_OBJECT: _NO_OBJECTS,
    Fact.OPAQUE_VARRAY: _NO_OBJECTS,
    Fact.PARTITIONED: Asked("information_schema.PARTITIONS: partition_name IS NOT NULL"),
    Fact.QUEUE_TABLE: Never("there are no queue tables"),
    Fact.REFERENTIAL: Asked("information_schema.REFERENTIAL_CONSTRAINTS: table_name; unknown to who may only read"),
    Fact.SELECT_POLICY: _NO_POLICIES,
    Fact.SPATIAL_INDEX: Asked("information_schema.STATISTICS: index_type = 'SPATIAL'"),
    Fact.STAGING_REFUSED: Asked("SHOW GRANTS: no CREATE TEMPORARY TABLES on the schema"),
    Fact.SUPPLEMENTAL_LOGGING: Never("the binary log gets the same rows from LOAD DATA and from INSERT"),
    Fact.SYSTEM_VERSIONED: Asked("information_schema.TABLES: table_type = 'SYSTEM VERSIONED' (MariaDB)"),
    Fact.TEMPORARY: Never("temporary tables are in no catalog but their session's"),
    Fact.THICK_MODE: Never("the driver speaks the protocol itself"),
    Fact.TIME_ZONE_FILE: Never("an instant is stored, not its zone"),
    Fact.TRIGGER: Asked("information_schema.TRIGGERS: event_manipulation = 'INSERT'; unknown without TRIGGER on the table"),
    Fact.UNIQUE_INDEX: Asked("information_schema.STATISTICS: non_unique = 0"),
    Fact.UNUSABLE_INDEX: Asked("information_schema.STATISTICS: comment = 'disabled' (ALTER TABLE … DISABLE KEYS)"),
}
"""Where each fact is answered."""

_SPATIAL = """SELECT DISTINCT table_schema, table_name FROM information_schema.statistics
        WHERE table_schema IN :schemas AND index_type = 'SPATIAL'"""

_QUERIES = {
    Fact.TRIGGER: """SELECT event_object_schema, event_object_table FROM information_schema.triggers
        WHERE event_object_schema IN :schemas AND event_manipulation = 'INSERT'""",
    Fact.REFERENTIAL: """SELECT constraint_schema, table_name FROM information_schema.referential_constraints
        WHERE constraint_schema IN :schemas""",
    Fact.UNIQUE_INDEX: """SELECT DISTINCT table_schema, table_name FROM information_schema.statistics
        WHERE table_schema IN :schemas AND non_unique = 0""",
    Fact.DOMAIN_INDEX: _SPATIAL,
    Fact.UNUSABLE_INDEX: """SELECT DISTINCT table_schema, table_name FROM information_schema.statistics
        WHERE table_schema IN :schemas AND comment = 'disabled'""",
    Fact.FULL_TEXT_INDEX: """SELECT DISTINCT table_schema, table_name FROM information_schema.statistics
        WHERE table_schema IN :schemas AND index_type = 'FULLTEXT'""",
    Fact.SPATIAL_INDEX: _SPATIAL,
    Fact.NO_DATA_FILE: """SELECT table_schema, table_name FROM information_schema.tables
        WHERE table_schema IN :schemas AND engine <> 'InnoDB'""",
    Fact.ENCODED_FILE: """SELECT table_schema, table_name FROM information_schema.tables
        WHERE table_schema IN :schemas AND (create_options LIKE '%page_compressed%' OR create_options LIKE '%encrypt%')""",
    Fact.PARTITIONED: """SELECT DISTINCT table_schema, table_name FROM information_schema.partitions
        WHERE table_schema IN :schemas AND partition_name IS NOT NULL""",
    Fact.SYSTEM_VERSIONED: """SELECT table_schema, table_name FROM information_schema.tables
        WHERE table_schema IN :schemas AND table_type = 'SYSTEM VERSIONED'""",
}
"""Per fact: the tables of which it is so."""

_HIDDEN: Mapping[Fact, tuple[str, ...]] = {
    Fact.TRIGGER: ("TRIGGER",),
    Fact.REFERENTIAL: privileges.SHOWING_KEYS,
}
"""Per fact: the privileges on a table one of which shows it; without any, the information schema leaves it out."""


def facts(connection: sa.Connection, tables: Sequence[QName]) -> dict[QName, Facts]:
    """See :meth:`migrator.adapter.Adapter.facts`; each query once, and those for the settings and the grants."""
    held = privileges.grants(connection)
    names = sorted({table.schema for table in tables})
    schemas: sa.BindParameter[list[str]] = sa.bindparam("schemas", expanding=True, value=names)
    found_by = {
        query: {(schema, name) for schema, name in connection.execute(sa.text(query).bindparams(schemas))}
        for query in dict.fromkeys(_QUERIES.values())  # an index over geometries is two facts
    }
    so = {fact: found_by[query] for fact, query in _QUERIES.items()}
    refused = not connection.exec_driver_sql("SELECT @@GLOBAL.local_infile").scalar_one()
    encrypting = _encrypting(connection)
    unreadable: Mapping[QName, str] = dict.fromkeys(tables, places.MARIADB_ALONE)
    unwritable: Mapping[str, str] = dict.fromkeys(names, places.MARIADB_ALONE)
    if flavor(connection).mariadb:
        unreadable, unwritable = places.unreadable(connection, names), places.unwritable(connection, names)

    def of(table: QName) -> Facts:
        found: dict[Fact, bool | None] = {fact: (table.schema, table.name) in names for fact, names in so.items()}
        details: dict[Fact, str] = {}
        for fact, showing in _HIDDEN.items():
            if not found[fact] and not privileges.has_on(held, table.schema, table.name, showing):
                found[fact] = None
                details[fact] = f"{connection.engine.url.username} lacks the privilege {' or '.join(showing[:1])}"
        for fact, why in (
            (Fact.FILE_UNREADABLE, unreadable.get(table, "it is not there")),
            (Fact.DIRECTORY_UNWRITABLE, unwritable[table.schema]),
        ):
            found[fact] = bool(why)
            details[fact] = why
        found[Fact.ENCODED_FILE] = found[Fact.ENCODED_FILE] or encrypting
        found[Fact.BULK_REFUSED] = refused
        found[Fact.STAGING_REFUSED] = not privileges.has_on(held, table.schema, None, ("CREATE TEMPORARY TABLES",))
        return Facts(found, details)

    return {table: of(table) for table in tables}


def _encrypting(connection: sa.Connection) -> bool:
    """Whether the server encrypts the files of tables that do not ask for it."""
    if not flavor(connection).mariadb:
        return False
    return str(connection.exec_driver_sql("SELECT @@GLOBAL.innodb_encrypt_tables").scalar_one()).upper() not in {"OFF", "0"}
