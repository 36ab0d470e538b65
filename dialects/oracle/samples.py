"""Every type of Oracle as a column declares it, and what it means: the rows of docs/types.md."""

from __future__ import annotations

from collections.abc import Mapping

from migrator.model import types as t

from .types import neutral

_DECLARATIONS = (
    *("CHAR(10 BYTE)", "CHAR(10 CHAR)", "NCHAR(10)", "VARCHAR2(100 BYTE)", "VARCHAR2(100 CHAR)", "VARCHAR2(4000 BYTE)"),
    *("NVARCHAR2(100)", "VARCHAR(20)", "CHARACTER(5)", "CHARACTER VARYING(20)", "CHAR VARYING(20)"),
    *("NATIONAL CHARACTER(5)", "NATIONAL CHAR(5)", "NATIONAL CHARACTER VARYING(20)", "NATIONAL CHAR VARYING(20)"),
    *("NCHAR VARYING(20)", "CLOB", "NCLOB", "LONG"),
    *(
        "NUMBER",
        "NUMBER(1)",
        "NUMBER(4)",
        "NUMBER(9)",
        "NUMBER(10)",
        "NUMBER(18)",
        "NUMBER(19)",
        "NUMBER(38)",
        "NUMBER(*,0)",
    ),
    *("NUMBER(10,2)", "NUMBER(38,10)", "NUMBER(3,-2)", "NUMBER(2,7)", "NUMBER(*,4)"),
    *("NUMERIC(10,2)", "DECIMAL(10,2)", "DEC(10,2)", "INTEGER", "INT", "SMALLINT"),
    *("FLOAT", "FLOAT(49)", "REAL", "DOUBLE PRECISION", "BINARY_FLOAT", "BINARY_DOUBLE"),
    *("RAW(16)", "RAW(2000)", "LONG RAW", "BLOB", "BFILE"),
    *("DATE", "TIMESTAMP(0)", "TIMESTAMP(6)", "TIMESTAMP(9)"),
    *("TIMESTAMP(6) WITH TIME ZONE", "TIMESTAMP(6) WITH LOCAL TIME ZONE"),
    *("INTERVAL YEAR(4) TO MONTH", "INTERVAL DAY(2) TO SECOND(6)", "INTERVAL DAY(2) TO SECOND(9)"),
    *("BOOLEAN", "JSON", "VECTOR(3, FLOAT32)", "ROWID", "UROWID(4000)"),
    *("XMLTYPE", "SYS.URITYPE", "SYS.ANYDATA", "SYS.ANYTYPE", "SYS.ANYDATASET"),
    *("MDSYS.SDO_GEOMETRY", "MDSYS.SDO_TOPO_GEOMETRY", "MDSYS.SDO_GEORASTER"),
    *("HR.ADDRESS_T", "REF HR.ADDRESS_T", "HR.PHONES_T"),
)

SAMPLES: Mapping[str, t.Type] = {declaration: neutral(declaration) for declaration in _DECLARATIONS}
"""``HR.ADDRESS_T`` stands for any object type, ``HR.PHONES_T`` for any VARRAY or nested table."""
