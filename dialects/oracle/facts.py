"""Where Oracle's dictionary answers the access-method rules; this adapter only writes scripts, so nothing is asked yet."""

from __future__ import annotations

from collections.abc import Mapping

from migrator.adapter import Always, Answer, Asked, Fact, Never

_NO_COPIES = Never("no data file is copied, as said of no-data-file")
_TYPES = "ALL_TAB_COLS: data_type_owner, data_type -> ALL_TYPES: typecode NOT IN ('OBJECT', 'COLLECTION')"

ANSWERS: Mapping[Fact, Answer] = {
    Fact.ADDED_DEFAULT: Asked("SYS.ECOL$: tabobj# = the table's object_id; unknown without a grant on it"),
    Fact.BULK_REFUSED: Never("direct path load is part of the protocol"),
    Fact.BULK_TYPE: Asked(
        "ALL_TAB_COLS: data_type IN ('LONG', 'LONG RAW', 'ROWID', 'UROWID') or data_type_owner IS NOT NULL"
    ),
    Fact.CLUSTERED: Asked("ALL_TABLES: cluster_name IS NOT NULL"),
    Fact.DIRECTORY_UNWRITABLE: _NO_COPIES,
    Fact.DISABLED_UNIQUE_INDEX: Asked("ALL_INDEXES, ALL_IND_PARTITIONS: status = 'UNUSABLE', uniqueness = 'UNIQUE'"),
    Fact.DOMAIN_INDEX: Asked(
        "ALL_INDEXES: index_type = 'DOMAIN', no CTXSYS.CONTEXT; ALL_IND_COLUMNS, ALL_TAB_COLS: CLOB, NCLOB or BLOB"
    ),
    Fact.ENCODED_FILE: _NO_COPIES,
    Fact.ENCRYPTED_COLUMN: Asked("ALL_ENCRYPTED_COLUMNS"),
    Fact.EVOLVED_TYPE: Asked("ALL_TAB_COLS: data_upgraded = 'NO', data_type_owner IS NOT NULL"),
    Fact.FILE_UNREADABLE: _NO_COPIES,
    Fact.FULL_TEXT_INDEX: _NO_COPIES,
    Fact.GENERATED_COLUMN: Asked("ALL_TAB_COLS: virtual_column = 'YES'"),
    Fact.GLOBAL_INDEX: Asked("ALL_INDEXES: partitioned = 'NO'; ALL_PART_INDEXES: locality = 'GLOBAL'"),
    Fact.INDEX_ORGANISED: Asked("ALL_TABLES: iot_type IS NOT NULL"),
    Fact.INSERT_POLICY: Asked("ALL_POLICIES: enable = 'YES', ins = 'YES', without EXEMPT ACCESS POLICY"),
    Fact.INSERT_RULE: Never("there are no rewrite rules"),
    Fact.INSTEAD_RULE: Never("there are no rewrite rules"),
    Fact.INVISIBLE_COLUMN: Asked("ALL_TAB_COLS: hidden_column = 'YES', user_generated = 'YES'"),
    Fact.LONG_NOT_LAST: Asked("ALL_TAB_COLUMNS: data_type IN ('LONG', 'LONG RAW'), column_id < MAX(column_id)"),
    Fact.NO_DATA_FILE: Always("migrator writes scripts for Oracle, and moves no rows from or to it"),
    Fact.OPAQUE_COLUMN: Asked(f"ALL_TAB_COLS: data_type = 'BFILE'; {_TYPES}"),
    Fact.OPAQUE_OBJECT: Asked("ALL_TYPE_ATTRS: attr_type_owner, attr_type_name, down to ALL_TYPES"),
    Fact.OPAQUE_VARRAY: Asked("ALL_VARRAYS -> ALL_COLL_TYPES: elem_type_owner, elem_type_name -> ALL_TYPES"),
    Fact.PARTITIONED: Asked("ALL_TABLES: partitioned = 'YES'"),
    Fact.QUEUE_TABLE: Asked("ALL_QUEUE_TABLES: queue_table"),
    Fact.REFERENTIAL: Asked("ALL_CONSTRAINTS: constraint_type = 'R', status = 'ENABLED'"),
    Fact.SELECT_POLICY: Asked("ALL_POLICIES: enable = 'YES', sel = 'YES', without EXEMPT ACCESS POLICY"),
    Fact.SPATIAL_INDEX: _NO_COPIES,
    Fact.STAGING_REFUSED: Asked("SESSION_PRIVS: CREATE TABLE, and a quota in USER_TS_QUOTAS"),
    Fact.SUPPLEMENTAL_LOGGING: Asked("ALL_LOG_GROUPS; V$DATABASE: supplemental_log_data_* <> 'NO'; a LOB in ALL_TAB_COLS"),
    Fact.SYSTEM_VERSIONED: Never("history is the flashback archive's, beside the table"),
    Fact.TEMPORARY: Asked("ALL_TABLES: temporary = 'Y'"),
    Fact.THICK_MODE: Asked("the driver: connection.thin"),
    Fact.TIME_ZONE_FILE: Asked(
        "ALL_TAB_COLS: data_type LIKE 'TIMESTAMP(%) WITH TIME ZONE'; DATABASE_PROPERTIES: DST_PRIMARY_TT_VERSION, both ends"
    ),
    Fact.TRIGGER: Asked("ALL_TRIGGERS: base_object_type = 'TABLE', status = 'ENABLED', of INSERT"),
    Fact.UNIQUE_INDEX: Asked("ALL_INDEXES: uniqueness = 'UNIQUE'"),
    Fact.UNUSABLE_INDEX: Asked("ALL_INDEXES, ALL_IND_PARTITIONS: status = 'UNUSABLE', uniqueness = 'NONUNIQUE'"),
}
"""Where each fact will be answered."""
