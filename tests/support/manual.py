"""Every type of each database's manual, with values that tell most: what the type matrix must have a row for.

A row is a declaration as a column of a table has it, and SQL expressions for values at its edges. ``chapter`` is where the
manual has it: PostgreSQL 18, MariaDB 10.11 (``mysql``), SQLite 3 (datatype3, stricttables), Oracle Database 23ai (SQL
Language Reference, chapter 2).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class ManualType:
    """A type as a column declares it. ``sample``: its row of docs/types.md; ``since``: the first version that has it."""

    chapter: str
    declaration: str
    values: tuple[str, ...] = ()
    since: int = 0

    @property
    def sample(self) -> str:
        """The row of docs/types.md that it has."""
        return SPELLED.get(self.declaration, self.declaration)


def _rows(chapter: str, types: dict[str, tuple[str, ...]], since: int = 0) -> tuple[ManualType, ...]:
    return tuple(ManualType(chapter, declaration, values, since) for declaration, values in types.items())


def _since(version: int, declarations: str, types: tuple[ManualType, ...]) -> tuple[ManualType, ...]:
    """The types; those whose declarations match begin with a version."""
    return tuple(replace(row, since=version) if re.fullmatch(declarations, row.declaration) else row for row in types)


SPELLED = {
    "bool": "tinyint(1)",
    "int(6) zerofill": "int(6) unsigned zerofill",
    "decimal(8,2) zerofill": "decimal(8,2) unsigned zerofill",
    "national char(5)": "char(5)",
    "national varchar(5)": "varchar(40)",
    "varchar(20) character set latin1": "varchar(40)",
    "varchar(100) compressed": "varchar(100) /*M!100301 COMPRESSED*/",
    "char byte": "binary(1)",
    "text compressed": "text /*M!100301 COMPRESSED*/",
    "blob compressed": "blob /*M!100301 COMPRESSED*/",
    "year(4)": "year",
}
"""MySQL's declarations that are another spelling, another length or another storage of one that has a row."""


POSTGRESQL_SETUP = (
    "CREATE TYPE public.mood AS ENUM ('sad', 'it''s ok', 'happy')",
    "CREATE DOMAIN public.zip AS character varying(5) CHECK (VALUE ~ '^[0-9]+$')",
    "CREATE DOMAIN public.zips AS public.zip[]",
    "CREATE TYPE public.address AS (street text, no integer)",
    "CREATE TYPE public.floatrange AS RANGE (subtype = double precision)",
)
"""The user-defined types that columns of :data:`POSTGRESQL` have."""

POSTGRESQL: tuple[ManualType, ...] = (
    *_rows("8.1", {
        "smallint": ("-32768", "32767"),
        "integer": ("-2147483648", "2147483647"),
        "bigint": ("-9223372036854775808", "9223372036854775807"),
        "numeric": ("12345678901234567890123456789.000000000000000000001", "1e-30", "0.10"),
        "numeric(20,4)": ("1234567890123456.7890", "-0.0001"),
        "numeric(100,30)": ("1e30", "1e-30"),
        "real": ("3.4028235e38", "1.1754944e-38", "0.1"),
        "double precision": ("1.7976931348623157e308", "5e-324", "0.1"),
    }),
    *_rows("8.1", {"numeric(5,-2)": ("1234500",), "numeric(3,5)": ("0.00123",)}, since=15),
    *_rows("8.2", {"money": ("'12345678.90'", "'-0.05'")}),
    *_rows("8.3", {
        "character varying(10)": ("'a''b\\c'", "''", "'äöü€𝄞'"),
        "character varying": ("'x'", "repeat('y', 70000)"),
        "character(5)": ("'ab'", "'abcde'"),
        "bpchar": ("'ab  '",),
        "text": ("''", "E'tab\\tline\\nend'", "'12'"),
        '"char"': ("'x'",),
        "name": ("'relname'",),
    }),
    *_rows("8.4", {"bytea": ("'\\x'", "'\\x00ff5c'")}),
    *_rows("8.5", {
        "timestamp without time zone": ("'2024-02-29 23:59:59.999999'", "'0001-01-01'"),
        "timestamp(3) without time zone": ("'2024-02-29 23:59:59.999'",),
        "timestamp with time zone": ("'2024-02-29 23:59:59.999999+05:30'",),
        "timestamp(0) with time zone": ("'2024-02-29 23:59:59+00'",),
        "date": ("'2024-02-29'", "'0001-01-01'", "'9999-12-31'"),
        "time without time zone": ("'23:59:59.999999'", "'00:00'"),
        "time(3) without time zone": ("'23:59:59.999'",),
        "time with time zone": ("'23:59:59.999999-03:30'",),
        "interval": ("'1 year 2 mons -3 days 26:00:00.000001'", "'-1 day'"),
        "interval(3)": ("'1.125 s'",),
        "interval year to month": ("'14 mons'", "'-1 year'"),
        "interval year": ("'2 years'",),
        "interval day to second": ("'3 days 04:05:06.789'",),
        "interval day to second(2)": ("'3 days 04:05:06.78'",),
        "interval minute": ("'26:00'",),
    }),
    *_rows("8.6", {"boolean": ("true", "false")}),
    *_rows("8.7", {"public.mood": ("'sad'", "'it''s ok'")}),
    *_rows("8.8", {
        "point": ("'(1.5,-2)'",), "line": ("'{1,2,3}'",), "lseg": ("'[(0,0),(1,1)]'",), "box": ("'(2,2),(0,0)'",),
        "path": ("'[(0,0),(1,1)]'", "'((0,0),(1,1))'"), "polygon": ("'((0,0),(1,1),(1,0))'",), "circle": ("'<(1,2),3>'",),
    }),
    *_rows("8.9", {
        "inet": ("'192.168.0.1/24'", "'::1'"), "cidr": ("'10.0.0.0/8'",),
        "macaddr": ("'08:00:2b:01:02:03'",), "macaddr8": ("'08:00:2b:01:02:03:04:05'",),
    }),
    *_rows("8.10", {
        "bit(1)": ("B'1'",), "bit(10)": ("B'0000000001'",), "bit(70)": ("B'1'::bit(70)",),
        "bit varying": ("B''", "B'0101'"), "bit varying(8)": ("B'0101'",),
    }),
    *_rows("8.11", {"tsvector": ("'a:1 b:2A'",), "tsquery": ("'a & !b'",)}),
    *_rows("8.12", {"uuid": ("'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",)}),
    *_rows("8.13", {"xml": ()}),
    *_rows("8.14", {
        "json": ('\'{"b": 1.10, "a": [1,2],  "a": null}\'', "'12345678901234567890.123'", "'\"text\"'"),
        "jsonb": ('\'{"b": 1.10, "a": [1,2]}\'', "'12345678901234567890.123'"),
        "jsonpath": ("'$.a[*] ? (@ > 1)'",),
    }),
    *_rows("8.15", {
        "integer[]": ("'{1,NULL,3}'", "'[2:3]={1,2}'", "'{{1,2},{3,4}}'", "'{}'"),
        "text[]": ("array['a,b','\"q\"',NULL,'']",),
        "numeric(10,2)[]": ("'{1.10}'",),
        "timestamp with time zone[]": ("array['2024-02-29 12:00+00'::timestamptz]",),
        "bytea[]": ("array['\\x00ff'::bytea]",),
        "jsonb[]": ("array['{\"a\": 1}'::jsonb]",),
        "inet[]": ("'{10.0.0.1}'",),
        "public.mood[]": ("'{sad,happy}'",),
        "public.address[]": ("array[row('x y',1)::public.address]",),
    }),
    *_rows("8.16", {"public.address": ("row('Main, \"St\"', 5)", "row(NULL, NULL)")}),
    *_rows("8.17", {
        "int4range": ("'[1,5)'", "'empty'"), "int8range": ("'[1,)'",), "numrange": ("'(1.1,2.20]'",),
        "tsrange": ("'[2024-01-01,2024-02-01)'",), "tstzrange": ("'[2024-01-01+00,)'",), "daterange": ("'[2024-01-01,)'",),
        "public.floatrange": ("'[0.1,0.2]'",),
    }),
    *_rows("8.17", {
        "int4multirange": ("'{[1,3),[5,9)}'",), "int8multirange": ("'{}'",), "nummultirange": ("'{[1.5,2)}'",),
        "tsmultirange": ("'{[2024-01-01,2024-02-01)}'",), "tstzmultirange": ("'{[2024-01-01+00,)}'",),
        "datemultirange": ("'{[2024-01-01,2024-02-01)}'",),
    }, since=14),
    *_rows("8.18", {"public.zip": ("'01234'",), "public.zips": ("array['1','22']::public.zips",)}),
    *_rows("8.19", {
        "oid": ("4294967295",), "regclass": ("'pg_class'",), "regtype": ("'integer'",), "regproc": ("'now'",),
        "regprocedure": ("'sum(integer)'",), "regoper": ("'pg_catalog.||/'",), "regoperator": ("'+(integer,integer)'",),
        "regrole": ("'pg_monitor'",), "regnamespace": ("'pg_catalog'",), "regconfig": ("'english'",),
        "regdictionary": ("'simple'",),
        "xid": ("'4294967295'",), "cid": ("'7'",), "tid": ("'(1,2)'",),
        "oidvector": ("'1 2 3'",), "int2vector": ("'1 -2'",),
    }),
    *_rows("8.19", {"regcollation": ("'\"C\"'",), "xid8": ("'18446744073709551615'",)}, since=13),
    *_rows("8.20", {"pg_lsn": ("'16/B374D848'",)}),
    *_rows("9.28", {"txid_snapshot": ("'10:20:10,14,15'",)}),
    *_rows("9.28", {"pg_snapshot": ("'10:20:10,14,15'",)}, since=13),
    *_rows("54", {"aclitem": ("'postgres=r/postgres'",)}),
    *_rows("64", {"refcursor": ("'cur'",)}),
)  # fmt: skip
"""PostgreSQL's types, of chapter 8 but for the last."""

MYSQL: tuple[ManualType, ...] = _since(10, ".* compressed|uuid|inet[46]", (
    *_rows("Numeric Data Types", {
        "tinyint(1)": ("-128", "127", "1"), "tinyint": ("-128", "127"), "tinyint unsigned": ("255",),
        "bool": ("true", "false"),
        "smallint": ("-32768", "32767"), "smallint unsigned": ("65535",),
        "mediumint": ("-8388608", "8388607"), "mediumint unsigned": ("16777215",),
        "int": ("-2147483648", "2147483647"), "int unsigned": ("4294967295",),
        "int(6) zerofill": ("42",), "bigint": ("-9223372036854775808", "9223372036854775807"),
        "bigint unsigned": ("0", "9223372036854775807"),
        "decimal(10,2)": ("-12345678.90",), "decimal(65,30)": ("12345678901234567890123456789012345.1",),
        "decimal(38,10)": ("1.5",), "decimal(10,2) unsigned": ("1.10",), "decimal(8,2) zerofill": ("1.10",),
        "float": ("3.40282e38", "0.1"), "float unsigned": ("0.1",), "float(7,3)": ("1234.567",),
        "double": ("1.7976931348623157e308", "0.1"), "double(9,3)": ("1.125",),
        "bit(1)": ("b'1'",), "bit(10)": ("b'1'",), "bit(64)": ("b'1'", "18446744073709551615"),
    }),
    *_rows("String Data Types", {
        "char(5)": ("'ab'", "'äöü€𝄞'"), "char(0)": ("''",), "char(255)": ("'x'",), "national char(5)": ("'äé'",),
        "varchar(40)": ("'a''b\\\\c\\t\\n'", "'äöü€𝄞'", "'  '"), "varchar(5000)": ("repeat('x', 5000)",),
        "varchar(20) character set latin1": ("'€é'",), "varchar(16000)": ("repeat('x', 16000)",),
        "national varchar(5)": ("'äé'",),
        "varchar(100) compressed": ("repeat('x', 100)",),
        "binary(6)": ("x'00ff5c090a00'", "x'01'"), "varbinary(40)": ("x'00010203ff'", "x''"),
        "char byte": ("x'00'",),
        "tinytext": ("'é'",), "text": ("'12'",), "mediumtext": ("'x'",), "longtext": ("'x'",), "text compressed": ("'x'",),
        "tinyblob": ("x'00'",), "blob": ("x'00ff'",), "mediumblob": ("x''",), "longblob": ("x'0d0a'",),
        "blob compressed": ("x'00ff'",),
        "enum('a','it''s','b,c')": ("'it''s'", "'b,c'"), "set('x','y','z')": ("'x,z'", "''"),
        "json": ("'{\"a\":  1.0}'", "'null'"),
        "uuid": ("'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",), "inet4": ("'10.0.0.1'",), "inet6": ("'::1'",),
    }),
    *_rows("Date and Time Data Types", {
        "date": ("'2024-02-29'", "'9999-12-31'"), "datetime": ("'2024-02-29 23:59:59'",),
        "datetime(6)": ("'2024-02-29 23:59:59.999999'",), "timestamp": ("'2024-03-31 02:30:00'",),
        "timestamp(3)": ("'2024-02-29 23:59:59.999'",), "time": ("'-838:59:59'", "'23:00:00'"),
        "time(6)": ("'838:59:58.999999'",), "year": ("2155", "0"), "year(4)": ("1901",),
    }),
    *_rows("Geometry Types", {
        "geometry": ("ST_GeomFromText('POINT(1 2)', 4326)",), "point": ("ST_GeomFromText('POINT(1 2)', 4326)",),
        "linestring": ("ST_GeomFromText('LINESTRING(0 0,1 1)')",),
        "polygon": ("ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))')",),
        "multipoint": ("ST_GeomFromText('MULTIPOINT(0 0,1 1)')",),
        "multilinestring": ("ST_GeomFromText('MULTILINESTRING((0 0,1 1))')",),
        "multipolygon": ("ST_GeomFromText('MULTIPOLYGON(((0 0,1 0,1 1,0 0)))')",),
        "geometrycollection": ("ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 2))')",),
    }),
))  # fmt: skip
"""MariaDB's and MySQL's types, by the sections of their manuals; those of MariaDB alone are of a version that it has."""

SQLITE: tuple[ManualType, ...] = (
    *_rows("3.1.1 Affinity Name Examples", {
        "INT": ("-2147483648", "2147483647"), "INTEGER": ("-9223372036854775808", "9223372036854775807"),
        "TINYINT": ("127",), "SMALLINT": ("32767",), "MEDIUMINT": ("8388607",), "BIGINT": ("9223372036854775807",),
        "UNSIGNED BIG INT": ("9223372036854775807",), "INT2": ("-32768",), "INT8": ("1",),
        "CHARACTER(20)": ("'x'",), "VARCHAR(255)": ("'ä€'",), "VARYING CHARACTER(255)": ("'x'",), "NCHAR(55)": ("'x'",),
        "NATIVE CHARACTER(70)": ("'x'",), "NVARCHAR(100)": ("'x'",), "TEXT": ("''", "'12'"), "CLOB": ("'x'",),
        "BLOB": ("x'00ff'",), "": ("'x'",),
        "REAL": ("0.1", "1.7976931348623157e308"), "DOUBLE": ("0.1",), "DOUBLE PRECISION": ("0.1",), "FLOAT": ("0.1",),
        "NUMERIC": ("0.5", "12"), "DECIMAL(10,5)": ("12345.67891",), "DECIMAL(18,2)": ("1234567890.12",),
        "BOOLEAN": ("0", "1"), "DATE": ("'2024-02-29'",), "DATETIME": ("'2024-02-29 23:59:59'",),
        "TIMESTAMP": ("'2024-02-29 23:59:59.123'",), "TIME": ("'23:59:59'",),
    }),
    *_rows("stricttables", {"ANY": ("1.5",)}),
    *_rows("other names in use", {"JSON": ("'{\"a\":  1.0}'",), "UUID": ("'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",),
        "MONEY": ("1.25",), "POINT": ("1",), "STRING": ("'x'",), "FLOATING POINT": ("1",),
        "BINARY(4)": ("x'00ff0102'",), "VARBINARY(8)": ("x'00'",)}),
)  # fmt: skip
"""SQLite's affinities with the names that its manual gives for them, the types of STRICT tables, and names in wide use."""

ORACLE: tuple[ManualType, ...] = (
    *_rows("Character Data Types", dict.fromkeys((
        "CHAR(10 BYTE)", "CHAR(10 CHAR)", "NCHAR(10)", "VARCHAR2(100 BYTE)", "VARCHAR2(100 CHAR)", "VARCHAR2(4000 BYTE)",
        "NVARCHAR2(100)", "VARCHAR(20)",
    ), ())),
    *_rows("Numeric Data Types", dict.fromkeys((
        "NUMBER", "NUMBER(1)", "NUMBER(4)", "NUMBER(9)", "NUMBER(10)", "NUMBER(18)", "NUMBER(19)", "NUMBER(38)",
        "NUMBER(*,0)", "NUMBER(10,2)", "NUMBER(38,10)", "NUMBER(3,-2)", "NUMBER(2,7)", "NUMBER(*,4)",
        "FLOAT", "FLOAT(49)", "BINARY_FLOAT", "BINARY_DOUBLE",
    ), ())),
    *_rows("LONG Data Type", {"LONG": ()}),
    *_rows("Datetime and Interval Data Types", dict.fromkeys((
        "DATE", "TIMESTAMP(0)", "TIMESTAMP(6)", "TIMESTAMP(9)", "TIMESTAMP(6) WITH TIME ZONE",
        "TIMESTAMP(6) WITH LOCAL TIME ZONE", "INTERVAL YEAR(4) TO MONTH", "INTERVAL DAY(2) TO SECOND(6)",
        "INTERVAL DAY(2) TO SECOND(9)",
    ), ())),
    *_rows("RAW and LONG RAW Data Types", dict.fromkeys(("RAW(16)", "RAW(2000)", "LONG RAW"), ())),
    *_rows("Large Object (LOB) Data Types", dict.fromkeys(("CLOB", "NCLOB", "BLOB", "BFILE"), ())),
    *_rows("JSON, Boolean and Vector Data Types", dict.fromkeys(("JSON", "BOOLEAN", "VECTOR(3, FLOAT32)"), ())),
    *_rows("Rowid Data Types", dict.fromkeys(("ROWID", "UROWID(4000)"), ())),
    *_rows("ANSI, DB2, and SQL/DS Data Types", dict.fromkeys((
        "CHARACTER(5)", "CHARACTER VARYING(20)", "CHAR VARYING(20)", "NATIONAL CHARACTER(5)", "NATIONAL CHAR(5)",
        "NATIONAL CHARACTER VARYING(20)", "NATIONAL CHAR VARYING(20)", "NCHAR VARYING(20)", "NUMERIC(10,2)",
        "DECIMAL(10,2)", "DEC(10,2)", "INTEGER", "INT", "SMALLINT", "DOUBLE PRECISION", "REAL",
    ), ())),
    *_rows("User-Defined Types", dict.fromkeys(("HR.ADDRESS_T", "REF HR.ADDRESS_T", "HR.PHONES_T"), ())),
    *_rows("Oracle-Supplied Types", dict.fromkeys((
        "SYS.ANYTYPE", "SYS.ANYDATA", "SYS.ANYDATASET", "XMLTYPE", "SYS.URITYPE", "MDSYS.SDO_GEOMETRY",
        "MDSYS.SDO_TOPO_GEOMETRY", "MDSYS.SDO_GEORASTER",
    ), ())),
)  # fmt: skip
"""Oracle's types; there is no server for values."""
