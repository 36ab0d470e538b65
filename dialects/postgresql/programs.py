"""Objects that are carried as their own CREATE statements, written as pg_dump writes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from migrator.model.objects import Expression, Program, ProgramKind

from .types import DIALECT, literal, quote

Row = sa.Row[Any]

_CATALOG = "pg_catalog"
_USUAL = "O"
_FIRING = {_USUAL: "ENABLE", "D": "DISABLE", "R": "ENABLE REPLICA", "A": "ENABLE ALWAYS"}
_COMMANDS = {"r": "SELECT", "a": "INSERT", "w": "UPDATE", "d": "DELETE"}


def _qualified(row: Row) -> str:
    return f"{quote(row.schema)}.{quote(row.name)}"


def _program(kind: ProgramKind, row: Row, *statements: str, table: str | None = None) -> Program:
    """Several statements are one program: what follows the first one completes it."""
    create = Expression(";\n".join(s for s in statements if s), DIALECT)
    return Program(row.schema, row.name, kind, create, table, named_by_table=table is not None)


def _comment(on: str, text: str | None) -> str:
    return f"COMMENT ON {on} IS {literal(text)}" if text else ""


def composite(row: Row, fields: Sequence[Row]) -> Program:
    """CREATE TYPE … AS."""
    listed = ",\n    ".join(f"{quote(field.name)} {field.declaration}{_collated(field)}" for field in fields)
    create = f"CREATE TYPE {_qualified(row)} AS (\n    {listed}\n)"
    comments = (_comment(f"COLUMN {_qualified(row)}.{quote(field.name)}", field.comment) for field in fields)
    return _program("TYPE", row, create, _comment(f"TYPE {_qualified(row)}", row.comment), *comments)


def _collated(field: Row) -> str:
    return f" COLLATE {_CATALOG}.{quote(field.collation)}" if is_everywhere(field) else ""


def is_everywhere(row: Row) -> bool:
    """Whether a row names a collation that is not its type's own, and one that every database has."""
    return row.collation is not None and row.collation_schema == _CATALOG


def range_(row: Row, of: Row) -> Program:
    """CREATE TYPE … AS RANGE."""
    options = [f"subtype = {of.subtype}"]
    if of.multirange:
        options.append(f"multirange_type_name = {of.multirange}")
    if not of.is_default:
        options.append(f"subtype_opclass = {quote(of.opclass_schema)}.{quote(of.opclass)}")
    if is_everywhere(of):
        options.append(f"collation = {_CATALOG}.{quote(of.collation)}")
    if of.difference:
        options.append(f"subtype_diff = {of.difference}")
    create = f"CREATE TYPE {_qualified(row)} AS RANGE (\n    " + ",\n    ".join(options) + "\n)"
    return _program("TYPE", row, create, _comment(f"TYPE {_qualified(row)}", row.comment))


def routine(row: Row, aggregate: Row | None) -> Program:
    """A function, procedure or aggregate."""
    if aggregate is not None:
        create = _create_aggregate(row, aggregate)
        signature = f"AGGREGATE {_qualified(row)}({_aggregate_arguments(aggregate, row.arguments)})"
        return _program("AGGREGATE", row, create, _comment(signature, row.comment))
    kind: ProgramKind = "PROCEDURE" if row.kind == "p" else "FUNCTION"
    create = row.definition.replace("CREATE OR REPLACE ", "CREATE ", 1).rstrip()
    return _program(kind, row, create, _comment(f"{kind} {_qualified(row)}({row.arguments})", row.comment))


_EXTRA_MODIFY = {"r": "READ_ONLY", "s": "SHAREABLE", "w": "READ_WRITE"}
_PARALLEL = {"s": "SAFE", "r": "RESTRICTED"}


def _aggregate_arguments(aggregate: Row, arguments: str) -> str:
    return arguments or ("*" if aggregate.kind == "n" else "")


def _create_aggregate(row: Row, g: Row) -> str:
    usual_modify = "r" if g.kind == "n" else "w"
    options: list[tuple[str, str | None]] = [
        ("SFUNC", g.transition),
        ("STYPE", g.state),
        ("SSPACE", str(g.space) if g.space else None),
        ("INITCOND", None if g.initial is None else literal(g.initial)),
        ("FINALFUNC", g.final),
        ("FINALFUNC_EXTRA", "" if g.final_extra else None),
        ("FINALFUNC_MODIFY", None if g.final_modify == usual_modify else _EXTRA_MODIFY[g.final_modify]),
        ("COMBINEFUNC", g.combine),
        ("SERIALFUNC", g.serial),
        ("DESERIALFUNC", g.deserial),
        ("MSFUNC", g.moving_transition),
        ("MINVFUNC", g.moving_inverse),
        ("MSTYPE", g.moving_state),
        ("MSSPACE", str(g.moving_space) if g.moving_space else None),
        ("MINITCOND", None if g.moving_initial is None else literal(g.moving_initial)),
        ("MFINALFUNC", g.moving_final),
        ("MFINALFUNC_EXTRA", "" if g.moving_extra else None),
        ("MFINALFUNC_MODIFY", None if g.moving_modify == usual_modify else _EXTRA_MODIFY[g.moving_modify]),
        ("SORTOP", f"OPERATOR({quote(g.sort_schema)}.{g.sort})" if g.sort else None),
        ("HYPOTHETICAL", "" if g.kind == "h" else None),
        ("PARALLEL", _PARALLEL.get(g.parallel)),
    ]
    listed = ",\n    ".join(f"{name} = {value}" if value else name for name, value in options if value is not None)
    return f"CREATE AGGREGATE {_qualified(row)}({_aggregate_arguments(g, g.arguments)}) (\n    {listed}\n)"


def _state(relation: Row, what: str, name: str, enabled: str) -> str:
    return f"ALTER TABLE {_qualified(relation)} {_FIRING[enabled]} {what} {quote(name)}"


def _firing(relation: Row, what: str, row: Row) -> str:
    """The statement for a trigger or rule that does not fire as usual."""
    return _state(relation, what, row.name, row.enabled) if row.enabled != _USUAL else ""


def trigger(row: Row, relation: Row, table: str, partitions: Sequence[tuple[Row, str]] = ()) -> Program:
    """CREATE TRIGGER on ``relation``, which is ``table`` or one of its partitions.

    ``partitions``: those that have the trigger by its being on their table, outer ones first, and how it fires there:
    versions before 15 do not tell them what is said of their table.
    """
    differ = any(enabled != row.enabled for _, enabled in partitions) or row.enabled != _USUAL
    states = [_state(of, "TRIGGER", row.name, enabled) for of, enabled in partitions if differ]
    comment = _comment(f"TRIGGER {quote(row.name)} ON {_qualified(relation)}", row.comment)
    return _program("TRIGGER", row, row.definition, _firing(relation, "TRIGGER", row), *states, comment, table=table)


def rule(row: Row, relation: Row) -> Program:
    """CREATE RULE."""
    comment = _comment(f"RULE {quote(row.name)} ON {_qualified(relation)}", row.comment)
    create = row.definition.rstrip().removesuffix(";")
    return _program("RULE", row, create, _firing(relation, "RULE", row), comment, table=relation.name)


def policy(row: Row, relation: Row) -> Program:
    """CREATE POLICY."""
    sql = f"CREATE POLICY {quote(row.name)} ON {_qualified(relation)}"
    if not row.permissive:
        sql += " AS RESTRICTIVE"
    if row.command in _COMMANDS:
        sql += f" FOR {_COMMANDS[row.command]}"
    if row.roles:
        sql += f" TO {', '.join(quote(role) for role in row.roles)}"
    if row.using_ is not None:
        sql += f" USING ({row.using_})"
    if row.with_check is not None:
        sql += f" WITH CHECK ({row.with_check})"
    comment = _comment(f"POLICY {quote(row.name)} ON {_qualified(relation)}", row.comment)
    return _program("POLICY", row, sql, comment, table=relation.name)


def row_security(relation: Row) -> Iterator[Program]:
    """ALTER TABLE … ROW LEVEL SECURITY, where it is on."""
    for on, words in ((relation.row_security, "ENABLE"), (relation.force_row_security, "FORCE")):
        if on:
            what = f"{words} ROW LEVEL SECURITY"
            made = _program("ROW_SECURITY", relation, f"ALTER TABLE {_qualified(relation)} {what}", table=relation.name)
            yield replace(made, name=what)
