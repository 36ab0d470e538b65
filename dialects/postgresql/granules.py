"""A PostgreSQL table's rows in granules, and whether they changed.

A granule is a range of blocks of one relation: of the table, or of a partition. That needs no key, costs one look at the
catalog, and is read without an index by a TID range scan. A rewrite (VACUUM FULL, CLUSTER, some ALTER TABLE) moves rows to
other blocks; the lock that :func:`granules` takes keeps it away, and :func:`changed` notices it afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from migrator.adapter import Granule, Read, execute_verbatim
from migrator.model.objects import QName, Table

from . import paths

_SCANS = 4
"""How many granules a table has before PostgreSQL 14, at most. There a condition on ctid is no way to the rows: each granule
is a scan of the whole table. Ranges of a key would read it in the key's order, a block at random for each row."""
_TID_RANGE_SCAN = 140000

_RELATIONS = """
SELECT n.nspname, c.relname, c.oid = root.oid AS itself, c.relkind IN ('r', 'm') AND m.amname = 'heap' AS blocks_known,
       pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT') AS readable,
       COALESCE(pg_catalog.pg_relation_size(c.oid), 0) / pg_catalog.current_setting('block_size')::int AS blocks,
       COALESCE(pg_catalog.pg_relation_size(c.oid), 0) + COALESCE(pg_catalog.pg_relation_size(c.reltoastrelid), 0) AS bytes
FROM (SELECT %s::pg_catalog.regclass::pg_catalog.oid AS oid) root
JOIN pg_catalog.pg_class c ON c.oid = ANY (ARRAY(
    SELECT root.oid UNION ALL SELECT t.relid FROM pg_catalog.pg_partition_tree(root.oid) t WHERE t.isleaf))
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_am m ON m.oid = c.relam
WHERE c.relkind <> 'p' ORDER BY c.oid
"""

_READABLE = """
SELECT pg_catalog.has_table_privilege(%s::pg_catalog.regclass, 'SELECT'), pg_catalog.set_config('row_security', 'on', true)
"""
"""Row security is on since no row is read: a policy is the reader's matter."""


def granules(connection: sa.Connection, table: Table, size: int) -> tuple[Granule, ...]:
    """See :meth:`migrator.adapter.Adapter.granules`; partitions that the user may not read alone are not told apart."""
    root = paths.qualified(table.source)
    readable, _ = connection.exec_driver_sql(_READABLE, (root,)).one()
    if not readable:
        return (Granule(),)  # reading it says what is missing
    execute_verbatim(connection, f"SELECT FROM {root} LIMIT 0")  # locks it, and all its partitions
    relations = connection.exec_driver_sql(_RELATIONS, (root,)).all()
    version = paths.driver(connection).info.server_version
    if any(not relation.itself and not relation.readable for relation in relations):
        return (Granule(bytes=sum(int(relation.bytes) for relation in relations)),)
    found: list[Granule] = []
    for relation in relations:
        part = None if relation.itself else QName(relation.nspname, relation.relname)
        if not relation.blocks_known:
            found.append(Granule(part, bytes=int(relation.bytes)))
        else:
            most = None if version >= _TID_RANGE_SCAN else _SCANS
            found += _block_ranges(part, int(relation.blocks), int(relation.bytes), size, most)
    return tuple(found) or (Granule(),)


def _block_ranges(part: QName | None, blocks: int, bytes_: int, size: int, most: int | None) -> list[Granule]:
    """A relation's blocks in ranges of about ``size`` bytes, ``most`` of them at most; the last one has no end."""
    wanted = max(1, -(-bytes_ // size))
    ranges = min(wanted, max(1, blocks), most or wanted)
    starts = [blocks * i // ranges for i in range(ranges)]
    ends = [*starts[1:], None]
    return [
        Granule(part, _between(start, end), bytes_ * ((blocks if end is None else end) - start) // max(1, blocks))
        for start, end in zip(starts, ends, strict=True)
    ]


def _between(start: int, end: int | None) -> str:
    parts = [f"ctid >= '({start},0)'::pg_catalog.tid"] if start else []
    parts += [f"ctid < '({end},0)'::pg_catalog.tid"] if end is not None else []
    return " AND ".join(parts)


# --- changes --------------------------------------------------------------------------------------------------------

_CONTROL = "pg_catalog.pg_control_system()"
_XIDS = 1 << 32
_HALF = _XIDS // 2


def mark(connection: sa.Connection) -> str:
    """The cluster, the database, and the oldest transaction that the snapshot does not see the end of; empty where a
    hardened server does not tell which cluster it is.
    """
    may = connection.exec_driver_sql(f"SELECT pg_catalog.has_function_privilege('{_CONTROL}', 'EXECUTE')").scalar_one()
    if not may:
        return ""
    sql = f"""
        SELECT (SELECT system_identifier FROM {_CONTROL}),
               (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()),
               pg_catalog.txid_snapshot_xmin(pg_catalog.txid_current_snapshot())"""
    return " ".join(str(part) for part in connection.exec_driver_sql(sql).one())


def changed(connection: sa.Connection, read: Read, mark: str, rows: int) -> str | None:
    """By the transactions that wrote the rows and the relation's entry in the catalog, and by the rows' number.

    What was in progress at the mark counts as later, and so does all that began after it: a subtransaction's number does
    not tell whose it is. Rows written shortly before the mark may so raise a false alarm.
    """
    *where_now, now = _snapshot_end(connection)
    *where_then, then = (int(part) for part in mark.split())
    if where_now != where_then or now < then:
        return "it is another database than the one that was read"
    if now - then >= _HALF:
        return f"{now - then} transactions have begun since, too many to tell what they changed"
    altered = _altered(connection, read, then, now)
    return altered or _rows_changed(connection, read, then, now, rows)


def _snapshot_end(connection: sa.Connection) -> list[int]:
    *where, _ = mark(connection).split()
    end = "SELECT pg_catalog.txid_snapshot_xmax(pg_catalog.txid_current_snapshot())"
    return [*(int(part) for part in where), int(connection.exec_driver_sql(end).scalar_one())]


def _later(then: int, now: int, row: str = "") -> str:
    """The condition for rows written by the transactions from ``then`` to ``now``.

    A row keeps the last 32 bits of its transaction's number, long after they came into use again; only numbers that were in
    use since the mark count.
    """
    since = f"{row}xmin::pg_catalog.text::pg_catalog.int8 - {then % _XIDS} + {_XIDS}"
    return f"pg_catalog.mod({since}, {_XIDS}) < {now - then}"


def _altered(connection: sa.Connection, read: Read, then: int, now: int) -> str | None:
    """Whether the relation, or the tree of its partitions, has a younger entry in the catalog: rewriting one makes it."""
    relation, table = paths.qualified(read.part or read.table), paths.qualified(read.table)
    found = connection.exec_driver_sql(
        f"""
        SELECT {_later(then, now, "c.")} OR EXISTS (
            SELECT FROM pg_catalog.pg_inherits i WHERE {_later(then, now, "i.")}
            AND i.inhrelid IN (SELECT relid FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass(%s))))
        FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass(%s)""",
        (table, relation),
    ).scalar_one_or_none()
    if found is None:
        return "it is no longer there"
    return "it was altered or rewritten since" if found else None


def _rows_changed(connection: sa.Connection, read: Read, then: int, now: int, rows: int) -> str | None:
    source = paths.rows_of(connection, read)
    later = _later(then, now) if _has_transactions(connection, read) else "false"
    found: Sequence[Any] = execute_verbatim(
        connection, f"SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE {later}) FROM {source}"
    ).one()
    held, written = found
    if held != rows:
        return f"it has {held} rows, not {rows}"
    return f"{written} of its rows were written since" if written else None


def _has_transactions(connection: sa.Connection, read: Read) -> bool:
    """Whether every row says which transaction wrote it: not so in views and foreign tables."""
    found: bool = connection.exec_driver_sql(
        """
        SELECT pg_catalog.bool_and(c.relkind IN ('r', 'm', 'p')) FROM pg_catalog.pg_class c
        WHERE c.oid = %s::pg_catalog.regclass
           OR c.oid = ANY (ARRAY(SELECT relid FROM pg_catalog.pg_partition_tree(%s::pg_catalog.regclass)))""",
        (paths.qualified(read.part or read.table),) * 2,
    ).scalar_one()
    return found
