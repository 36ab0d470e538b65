"""Every type of PostgreSQL as a column declares it, and what it means: the rows of docs/types.md."""

from __future__ import annotations

from collections.abc import Mapping

from migrator.model import types as t

from .types import DIALECT

_OWN = """
    money "char" name
    point line lseg box path polygon circle
    inet cidr macaddr macaddr8
    tsvector tsquery jsonpath
    int4range int8range numrange tsrange tstzrange daterange
    int4multirange int8multirange nummultirange tsmultirange tstzmultirange datemultirange
    oid regclass regtype regproc regprocedure regoper regoperator regrole regnamespace regconfig regdictionary regcollation
    xid xid8 cid tid oidvector int2vector pg_lsn txid_snapshot pg_snapshot aclitem refcursor
"""
_MOOD = t.Enum(("sad", "it's ok", "happy"), "mood", "public")
_ZIP = t.Domain("public", "zip", t.String(5))
_ADDRESS = t.Native(DIALECT, "public.address")

SAMPLES: Mapping[str, t.Type] = {
    "boolean": t.Boolean(),
    "smallint": t.Integer(16),
    "integer": t.Integer(32),
    "bigint": t.Integer(64),
    "numeric": t.Decimal(),
    "numeric(20,4)": t.Decimal(20, 4),
    "numeric(100,30)": t.Decimal(100, 30),
    "numeric(5,-2)": t.Decimal(5, -2),
    "numeric(3,5)": t.Decimal(3, 5),
    "real": t.Float(32),
    "double precision": t.Float(64),
    "character varying(10)": t.String(10),
    "character varying": t.String(),
    "character(5)": t.String(5, fixed=True),
    "bpchar": t.String(),
    "text": t.String(),
    "bytea": t.Binary(),
    "date": t.Date(),
    "time without time zone": t.Time(),
    "time(3) without time zone": t.Time(3),
    "time with time zone": t.Time(zoned=True),
    "timestamp without time zone": t.Timestamp(),
    "timestamp(3) without time zone": t.Timestamp(3),
    "timestamp with time zone": t.Timestamp(zoned=True),
    "timestamp(0) with time zone": t.Timestamp(0, zoned=True),
    "interval": t.Interval(),
    "interval(3)": t.Interval(precision=3),
    "interval year to month": t.Interval("year_month"),
    "interval year": t.Interval("year_month"),
    "interval day to second": t.Interval(),
    "interval day to second(2)": t.Interval(precision=2),
    "interval minute": t.Interval(),
    "uuid": t.Uuid(),
    "xml": t.Xml(),
    "json": t.Json(),
    "jsonb": t.Json(binary=True),
    "bit(1)": t.Bit(1),
    "bit(10)": t.Bit(10),
    "bit(70)": t.Bit(70),
    "bit varying": t.Bit(None, varying=True),
    "bit varying(8)": t.Bit(8, varying=True),
    **{declaration: t.Native(DIALECT, declaration) for declaration in _OWN.split()},
    "integer[]": t.Array(t.Integer(32)),
    "text[]": t.Array(t.String()),
    "numeric(10,2)[]": t.Array(t.Decimal(10, 2)),
    "timestamp with time zone[]": t.Array(t.Timestamp(zoned=True)),
    "bytea[]": t.Array(t.Binary()),
    "jsonb[]": t.Array(t.Json(binary=True)),
    "inet[]": t.Array(t.Native(DIALECT, "inet")),
    "public.mood": _MOOD,
    "public.mood[]": t.Array(_MOOD),
    "public.zip": _ZIP,
    "public.zips": t.Domain("public", "zips", t.Array(_ZIP)),
    "public.address": _ADDRESS,
    "public.address[]": t.Array(_ADDRESS),
    "public.floatrange": t.Native(DIALECT, "public.floatrange"),
}
"""``public.mood`` stands for any enum, ``zip`` and ``zips`` for any domain, ``address`` for any composite type, and
``floatrange`` for any range."""
