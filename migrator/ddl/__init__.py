"""Model objects as DDL: one path, whether it runs on a connection or is written to a SQLFILE.

:class:`DDL` writes the statements of one database; adapters subclass it and override what differs. Each method returns a
:class:`Script`: the statements, and what they could not keep. :class:`Emitter` is the one fork: Alembic's migration
context either executes a statement or writes it, as its own offline mode does.

DDL is one class in layers, each upon the one before: :class:`~migrator.ddl.names.Names`,
:class:`~migrator.ddl.expressions.Expressions`, :class:`~migrator.ddl.columns.Columns`,
:class:`~migrator.ddl.constraints.Constraints`, and the objects that a plan makes.
"""

from migrator.ddl.columns import bounded, generator_losses, reuse_losses
from migrator.ddl.constraints import NOT_VALIDATED, called
from migrator.ddl.keys import expressions_of, key_losses, keys_as_columns, unique_keys
from migrator.ddl.objects import DDL
from migrator.ddl.script import Elsewhere, Emitter, Script, Statement

__all__ = [
    "DDL",
    "NOT_VALIDATED",
    "Elsewhere",
    "Emitter",
    "Script",
    "Statement",
    "bounded",
    "called",
    "expressions_of",
    "generator_losses",
    "key_losses",
    "keys_as_columns",
    "reuse_losses",
    "unique_keys",
]
