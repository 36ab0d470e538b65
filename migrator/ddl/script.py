"""Statements, and what runs or writes them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TextIO

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import ExecutableDDLElement

from migrator.model.catalog import Loss

if TYPE_CHECKING:
    from migrator.ddl.objects import DDL


class Elsewhere(StrEnum):
    """What becomes, in the statements of others, of an object that has none of its own."""

    KEPT = "kept"
    CHANGED = "changed"
    LEFT_OUT = "left out"


@dataclass(frozen=True)
class Script:
    """Statements without terminators, in order, and the losses of making them.

    ``elsewhere``: what becomes of the object in the statements of others; None: it has its own, or is not made at all.
    ``restoring``: those of the statements that set the session back; they are wanted if another one fails, too.
    """

    statements: tuple[str, ...] = ()
    losses: tuple[Loss, ...] = ()
    elsewhere: Elsewhere | None = None
    restoring: tuple[str, ...] = ()

    @property
    def is_told(self) -> bool:
        """Whether there is something to run, or to say, of the object by itself."""
        return bool(self.statements or self.losses)

    @property
    def decides(self) -> bool:
        """Whether what becomes of the object is decided here, and not by the statements of others."""
        return bool(self.statements) or (bool(self.losses) and self.elsewhere is None)

    @property
    def last(self) -> str:
        """The last of the statements but those that set the session back."""
        return next(sql for sql in reversed(self.statements) if sql not in self.restoring)

    @property
    def is_left_out(self) -> bool:
        """Whether the object is not made at all."""
        return self.elsewhere is Elsewhere.LEFT_OUT or (self.decides and not self.statements)


class Statement(ExecutableDDLElement):
    """One complete DDL statement, sent exactly as it is."""

    inherit_cache = False

    def __init__(self, sql: str) -> None:
        self.sql = sql


@compiles(Statement)
def _compile_statement(element: Statement, compiler: Any, **_: Any) -> str:
    return element.sql.replace("%", "%%") if compiler.preparer._double_percents else element.sql


class Emitter:
    """Runs scripts on ``connection``, or writes them to ``stream`` as the script language of ``ddl``."""

    def __init__(self, ddl: DDL, connection: sa.Connection | None = None, stream: TextIO | None = None) -> None:
        from alembic.migration import MigrationContext  # an export, and workers that move rows, need none of it
        from alembic.operations import Operations

        self.ddl, self._stream = ddl, stream
        if connection is None:
            options = {"as_sql": True, "output_buffer": stream}
            self._context = MigrationContext.configure(dialect=ddl.dialect, opts=options)
        else:
            self._context = MigrationContext.configure(connection=connection)
        self._operations = Operations(self._context)

    def run(self, statements: Iterable[str]) -> None:
        """Execute or write each statement in order."""
        for sql in statements:
            if self._context.as_sql:  # Alembic's own offline text would turn tabs into blanks, inside literals too
                self._context.impl.static_output(self.ddl.as_script(sql))
            else:
                self._operations.execute(Statement(sql))

    def comment(self, text: str) -> None:
        """A comment line in a script; nothing on a connection."""
        if self._stream is not None:
            self._stream.write("".join(f"-- {line}\n" for line in text.splitlines()))
