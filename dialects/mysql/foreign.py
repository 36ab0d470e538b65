"""Texts of other types for the types that MySQL and MariaDB alone have: which of them mean one value."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable

import pyarrow as pa

from migrator.errors import ValueNotCarried, abridged
from migrator.model import types as t
from migrator.model.objects import Column

from .types import is_geometry


def _inet4(text: str) -> bool:
    try:
        return str(ipaddress.IPv4Address(text)) == text
    except ValueError:
        return False


_MAPPED = re.compile(r"::ffff:(\d+\.\d+\.\d+\.\d+)")


def _inet6(text: str) -> bool:
    if found := _MAPPED.fullmatch(text):
        return _inet4(found[1])
    try:
        return str(ipaddress.IPv6Address(text)) == text
    except ValueError:
        return False


def _geometry(text: str) -> bool:
    return re.fullmatch(r"(?:[0-9A-F]{2}){9,}", text) is not None


def _tested(type_: t.Native) -> Callable[[str], bool]:
    if is_geometry(type_):
        return _geometry
    return {"inet4": _inet4, "inet6": _inet6}.get(type_.declaration, lambda _: False)


def refuse_changes(texts: pa.Array, source: Column, target: Column) -> None:
    """Refuse texts that are not what a column of a type of MySQL's own writes, where they come from another type.

    :raises ValueNotCarried: naming the column and one of the texts.
    """
    type_ = t.base_of(target.type)
    if not isinstance(type_, t.Native) or t.base_of(source.type) == type_:
        return
    test = _tested(type_)
    for text in texts.drop_null().to_pylist():
        if not test(text):
            raise ValueNotCarried(column=target.name, detail=f"{abridged(text)!r} is not what {type_.declaration} writes")
