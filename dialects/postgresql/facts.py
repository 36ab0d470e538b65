"""What PostgreSQL's catalog says to the access-method rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from migrator.adapter import Always, Answer, Asked, Fact, Facts, Never
from migrator.model.objects import QName

_AS_TEXT = Never("a value without a binary form goes as text through the same COPY")
_NO_COPIES = Never("no data file is copied, as said of no-data-file")
_NO_FILES = Never("there are no columns of files; a large object is referred to by its number")
_ONE_LAYER = Never("encryption is of whole files or disks, beneath COPY and INSERT alike")

ANSWERS: Mapping[Fact, Answer] = {
    Fact.ADDED_DEFAULT: Never("the server fills in the stored default (pg_attribute.atthasmissing) whoever reads the row"),
    Fact.BULK_REFUSED: Never("COPY is part of the protocol that every connection speaks"),
    Fact.BULK_TYPE: _AS_TEXT,
    Fact.CLUSTERED: Never("there are no clusters of tables"),
    Fact.DIRECTORY_UNWRITABLE: _NO_COPIES,
    Fact.DISABLED_UNIQUE_INDEX: Asked("pg_index: indisunique AND NOT indisvalid, of a partition too"),
    Fact.DOMAIN_INDEX: Asked(
        "pg_index, pg_am: the method is neither btree nor hash, over a text, bytea, json, jsonb or xml column; a full-text "
        "index is over an expression; of a partition too"
    ),
    Fact.ENCODED_FILE: _NO_COPIES,
    Fact.ENCRYPTED_COLUMN: _ONE_LAYER,
    Fact.EVOLVED_TYPE: Never("ALTER TYPE rewrites the rows, or is refused"),
    Fact.FILE_UNREADABLE: _NO_COPIES,
    Fact.FULL_TEXT_INDEX: _NO_COPIES,
    Fact.GENERATED_COLUMN: Never("COPY names the other columns, and the server computes these"),
    Fact.GLOBAL_INDEX: Never("an index belongs to one partition"),
    Fact.INDEX_ORGANISED: Never("rows lie in a heap"),
    Fact.INSERT_POLICY: Asked("row_security_active(oid)"),
    Fact.INSERT_RULE: Asked("pg_rewrite: ev_type = '3' (INSERT), ev_enabled IN ('O', 'A')"),
    Fact.INSTEAD_RULE: Asked("pg_rewrite: ev_type = '3' (INSERT), ev_enabled IN ('O', 'A'), is_instead"),
    Fact.INVISIBLE_COLUMN: Never("there are no invisible columns"),
    Fact.LONG_NOT_LAST: Never("there is no LONG"),
    Fact.NO_DATA_FILE: Always(
        "a file of rows means nothing without its own server's record of transactions, and no other server takes it in"
    ),
    Fact.OPAQUE_COLUMN: Never(f"{_NO_FILES.why}; {_AS_TEXT.why}"),
    Fact.OPAQUE_OBJECT: _AS_TEXT,
    Fact.OPAQUE_VARRAY: _AS_TEXT,
    Fact.PARTITIONED: Asked("pg_class: relkind = 'p'"),
    Fact.QUEUE_TABLE: Never("there are no queue tables"),
    Fact.REFERENTIAL: Asked("pg_constraint: contype = 'f', conrelid, of a partition too"),
    Fact.SELECT_POLICY: Asked("row_security_active(oid)"),
    Fact.SPATIAL_INDEX: _NO_COPIES,
    Fact.STAGING_REFUSED: Asked("has_database_privilege(current_database(), 'TEMPORARY')"),
    Fact.SUPPLEMENTAL_LOGGING: Never("COPY writes to the log what INSERT writes, so subscribers get the same rows"),
    Fact.SYSTEM_VERSIONED: Never("there are no system-versioned tables"),
    Fact.TEMPORARY: Never("temporary tables are in no schema that a job moves"),
    Fact.THICK_MODE: Never("the driver speaks COPY whether it is written in Python or in C"),
    Fact.TIME_ZONE_FILE: Never("an instant is stored, not its zone"),
    Fact.TRIGGER: Asked("pg_trigger: NOT tgisinternal, tgenabled IN ('O', 'A'), tgtype & 4 (INSERT), of a partition too"),
    Fact.UNIQUE_INDEX: Asked("pg_index: indisunique, of a partition too"),
    Fact.UNUSABLE_INDEX: Asked("pg_index: NOT indisunique AND NOT indisvalid, of a partition too"),
}
"""Where each fact is answered."""

PARTS = """ANY (ARRAY(
    SELECT c.oid UNION ALL SELECT p.relid FROM pg_catalog.pg_partition_tree(c.oid) p WHERE c.relkind = 'p'))"""
"""A table and its partitions, which may have what it has not. It is an array, so that indexes find what belongs to them: a
subquery would be joined with the whole of a catalog for every table anew."""

_ASKED = {
    Fact.TRIGGER: f"""EXISTS (SELECT FROM pg_catalog.pg_trigger g WHERE g.tgrelid = {PARTS} AND NOT g.tgisinternal
        AND g.tgenabled IN ('O', 'A') AND g.tgtype & 4 <> 0)""",
    Fact.REFERENTIAL: f"EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conrelid = {PARTS} AND k.contype = 'f')",
    Fact.UNIQUE_INDEX: f"EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = {PARTS} AND i.indisunique)",
    Fact.DISABLED_UNIQUE_INDEX: f"""EXISTS (SELECT FROM pg_catalog.pg_index i
        WHERE i.indrelid = {PARTS} AND i.indisunique AND NOT i.indisvalid)""",
    Fact.UNUSABLE_INDEX: f"""EXISTS (SELECT FROM pg_catalog.pg_index i
        WHERE i.indrelid = {PARTS} AND NOT i.indisunique AND NOT i.indisvalid)""",
    Fact.DOMAIN_INDEX: f"""EXISTS (
        SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
        JOIN pg_catalog.pg_am m ON m.oid = x.relam
        JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
        WHERE i.indrelid = {PARTS} AND m.amname NOT IN ('btree', 'hash')
        AND a.atttypid IN ('text'::regtype, 'bytea'::regtype, 'json'::regtype, 'jsonb'::regtype, 'xml'::regtype))""",
    Fact.PARTITIONED: "COALESCE(c.relkind = 'p', false)",
    Fact.INSERT_POLICY: "COALESCE(pg_catalog.row_security_active(c.oid), false)",
    Fact.SELECT_POLICY: "COALESCE(pg_catalog.row_security_active(c.oid), false)",
    Fact.INSERT_RULE: """EXISTS (SELECT FROM pg_catalog.pg_rewrite r
        WHERE r.ev_class = c.oid AND r.ev_type = '3' AND r.ev_enabled IN ('O', 'A'))""",
    Fact.INSTEAD_RULE: """EXISTS (SELECT FROM pg_catalog.pg_rewrite r
        WHERE r.ev_class = c.oid AND r.ev_type = '3' AND r.ev_enabled IN ('O', 'A') AND r.is_instead)""",
    Fact.STAGING_REFUSED: "NOT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMPORARY')",
}

_QUERY = f"""
SELECT w.schema, w.name, {", ".join(_ASKED.values())}
FROM ROWS FROM (pg_catalog.unnest(%s::pg_catalog.text[]), pg_catalog.unnest(%s::pg_catalog.text[])) AS w (schema, name)
LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
"""


def facts(connection: sa.Connection, tables: Sequence[QName]) -> dict[QName, Facts]:
    """See :meth:`migrator.adapter.Adapter.facts`; one query, and nothing that a user may not read."""
    names = ([table.schema for table in tables], [table.name for table in tables])
    rows = connection.exec_driver_sql(_QUERY, names)
    return {QName(schema, name): Facts(dict(zip(_ASKED, found, strict=True))) for schema, name, *found in rows}
