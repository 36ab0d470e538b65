"""What a SQLite file says to the access-method rules."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import islice

import sqlalchemy as sa

from migrator.adapter import Answer, Asked, Fact, Facts, Never
from migrator.model.objects import QName

_NO_TYPES = Never("there are no types but numbers, text and bytes")
_ONE_FILE = Never("the file of the database has everything, and the backup interface copies it page by page")
_STATEMENT = Never("rows are loaded by INSERT, which does all that any INSERT does")
_NO_PARTITIONS = Never("there are no partitions")

_NEVER_DISABLED = Never("an index cannot be disabled")

ANSWERS: Mapping[Fact, Answer] = {
    Fact.ADDED_DEFAULT: Never("the library fills in the default whoever reads the row"),
    Fact.BULK_REFUSED: Never("there is no server that could refuse"),
    Fact.BULK_TYPE: _NO_TYPES,
    Fact.CLUSTERED: Never("there are no clusters of tables"),
    Fact.DIRECTORY_UNWRITABLE: _ONE_FILE,
    Fact.DISABLED_UNIQUE_INDEX: _NEVER_DISABLED,
    Fact.DOMAIN_INDEX: Never("full-text and R-tree indexes are virtual tables, which no job moves"),
    Fact.ENCODED_FILE: _ONE_FILE,
    Fact.ENCRYPTED_COLUMN: Never("there are no encrypted columns"),
    Fact.EVOLVED_TYPE: _NO_TYPES,
    Fact.FILE_UNREADABLE: _ONE_FILE,
    Fact.FULL_TEXT_INDEX: _ONE_FILE,
    Fact.GENERATED_COLUMN: _STATEMENT,
    Fact.GLOBAL_INDEX: _NO_PARTITIONS,
    Fact.INDEX_ORGANISED: Never("a table WITHOUT ROWID is read by ranges of its key as another by ranges of rowids"),
    Fact.INSERT_POLICY: Never("there is no row-level security"),
    Fact.INSERT_RULE: Never("there are no rewrite rules"),
    Fact.INSTEAD_RULE: Never("there are no rewrite rules"),
    Fact.INVISIBLE_COLUMN: Never("only virtual tables have hidden columns"),
    Fact.LONG_NOT_LAST: Never("there is no LONG"),
    Fact.NO_DATA_FILE: _ONE_FILE,
    Fact.OPAQUE_COLUMN: _NO_TYPES,
    Fact.OPAQUE_OBJECT: _NO_TYPES,
    Fact.OPAQUE_VARRAY: _NO_TYPES,
    Fact.PARTITIONED: _NO_PARTITIONS,
    Fact.QUEUE_TABLE: Never("there are no queue tables"),
    Fact.REFERENTIAL: Asked("pragma_foreign_key_list"),
    Fact.SELECT_POLICY: Never("there is no row-level security"),
    Fact.SPATIAL_INDEX: _ONE_FILE,
    Fact.STAGING_REFUSED: Never("any connection may make temporary tables"),
    Fact.SUPPLEMENTAL_LOGGING: Never("there is no log for others to read"),
    Fact.SYSTEM_VERSIONED: Never("there are no system-versioned tables"),
    Fact.TEMPORARY: Never("temporary tables are in no schema that a job moves"),
    Fact.THICK_MODE: Never("there is no protocol: the library is in the process"),
    Fact.TIME_ZONE_FILE: Never("there is no type for instants"),
    Fact.TRIGGER: Asked("sqlite_schema: type = 'trigger', INSERT in the head of sql"),
    Fact.UNIQUE_INDEX: Asked('pragma_index_list: "unique"; a key that is the rowid itself: pragma_table_info: pk'),
    Fact.UNUSABLE_INDEX: _NEVER_DISABLED,
}
"""Where each fact is answered."""

_QUERIES = {
    Fact.REFERENTIAL: (
        "SELECT lower(t.name) FROM pragma_table_list AS t, pragma_foreign_key_list(t.name) WHERE t.schema = 'main'"
    ),
    Fact.UNIQUE_INDEX: (
        "SELECT lower(t.name) FROM pragma_table_list AS t, pragma_index_list(t.name) AS i "
        "WHERE t.schema = 'main' AND t.type = 'table' AND i.\"unique\" "
        "UNION SELECT lower(t.name) FROM pragma_table_list AS t, pragma_table_info(t.name) AS c "
        "WHERE t.schema = 'main' AND t.type = 'table' AND c.pk"
    ),
}
"""Per fact: the tables of which it is so, in small letters, since a table's name may be written in any."""

_TRIGGERS = "SELECT lower(tbl_name), sql FROM sqlite_schema WHERE type = 'trigger'"
_WORD = re.compile(
    r"""--[^\n]*|/\*.*?\*/|("(?:[^"]|"")*"|'(?:[^']|'')*'|`(?:[^`]|``)*`|\[[^]]*\]|[\w$\x80-\U0010ffff]+)""", re.DOTALL
)
"""A comment, or a word: a name may have quotes of four kinds."""
_EVENTS = frozenset({"DELETE", "INSERT", "UPDATE"})


def _fires_on(sql: str) -> str:
    """What a trigger fires on. SQLite keeps ``CREATE TRIGGER``, its name, and what follows as it was written."""
    words = (found[1].upper() for found in _WORD.finditer(sql) if found[1])
    return next(word for word in islice(words, len(("CREATE", "TRIGGER", "name")), None) if word in _EVENTS)


def facts(connection: sa.Connection, tables: Sequence[QName]) -> dict[QName, Facts]:
    """See :meth:`migrator.adapter.Adapter.facts`; a query for each fact."""
    so = {fact: {name for (name,) in connection.exec_driver_sql(query)} for fact, query in _QUERIES.items()}
    so[Fact.TRIGGER] = {name for name, sql in connection.exec_driver_sql(_TRIGGERS) if _fires_on(sql) == "INSERT"}
    return {table: Facts({fact: table.name.lower() in names for fact, names in so.items()}) for table in tables}
