"""Oracle as a target of scripts: its types and DDL. Reading and loading Oracle are not supported yet."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NoReturn

import pyarrow as pa
import sqlalchemy as sa

from migrator.adapter import Adapter, Capabilities, Explanation, Facts, Load, Read, Server, Snapshot
from migrator.errors import ScriptsOnly
from migrator.model import types as t
from migrator.model.catalog import Catalog
from migrator.model.objects import QName

from .ddl import OracleDDL
from .facts import ANSWERS
from .samples import SAMPLES
from .types import LACKS, TYPES, neutral, unsaid


class OracleAdapter(Adapter):
    """Oracle Database 12.2 and later, as the language of a SQLFILE."""

    name = "oracle"
    title = "Oracle"
    backends = ("oracle",)
    driver = "oracledb"
    sqlglot = "oracle"
    capabilities = Capabilities(
        connects=False,
        integers=False,
        clock_begins="statement",
        pads_texts=True,
        empty_is_null=True,
        identifier_limit=(128, "bytes"),
        reserved_columns=frozenset({"ROWID"}),
        reserved_in_views=True,
    )
    types = TYPES
    samples = SAMPLES
    lacks = LACKS
    answers = ANSWERS

    def unsaid(self, declaration: str) -> str:
        """What a declaration says that its neutral type does not."""
        return unsaid(declaration)

    def meaning(self, declaration: str) -> t.Type | None:
        """What a declaration means."""
        return neutral(declaration)

    def dialect(self) -> sa.Dialect:
        """SQLAlchemy's Oracle dialect; it is only asked how names are quoted."""
        return sa.make_url("oracle+oracledb://").get_dialect()()

    def ddl(self, catalog: Catalog, version: tuple[int, ...] | None = None) -> OracleDDL:
        """The writer of Oracle's DDL."""
        return OracleDDL(self, catalog, version)

    def engine(self, url: sa.URL) -> sa.Engine:
        """Not supported yet.

        :raises ScriptsOnly: always.
        """
        self._refuse("Connecting")

    def server(self, connection: sa.Connection) -> Server:
        """Not supported yet.

        :raises ScriptsOnly: always.
        """
        self._refuse("Connecting")

    def explain(self, error: BaseException) -> Explanation:
        """The error's own first line; there is no driver whose errors could be told apart."""
        return Explanation((str(error).splitlines() or [type(error).__name__])[0])

    def schemas(self, connection: sa.Connection) -> tuple[str, ...]:
        """Not supported yet.

        :raises ScriptsOnly: always.
        """
        self._refuse("Reading the dictionary")

    def catalog(
        self, connection: sa.Connection, schemas: Sequence[str], *, proof: bool | Collection[QName] = True
    ) -> Catalog:
        """Not supported yet.

        :raises ScriptsOnly: always.
        """
        self._refuse("Reading the dictionary")

    def facts(self, connection: sa.Connection, tables: Sequence[QName]) -> Mapping[QName, Facts]:
        """Not supported yet.

        :raises ScriptsOnly: always.
        """
        self._refuse("Reading the dictionary")

    def snapshot(self, engine: sa.Engine, readers: int) -> AbstractContextManager[Snapshot]:
        """Not supported yet.

        :raises ScriptsOnly: always.
        """
        self._refuse("Reading rows")

    def reading(self, engine: sa.Engine, snapshot: Snapshot) -> AbstractContextManager[sa.Connection]:
        """Not supported yet.

        :raises ScriptsOnly: always.
        """
        self._refuse("Reading rows")

    def batches(self, connection: sa.Connection, read: Read) -> Iterator[pa.RecordBatch]:
        """Not supported yet.

        :raises ScriptsOnly: always.
        """
        self._refuse("Reading rows")

    def writing(self, engine: sa.Engine, *, checking: bool = False) -> AbstractContextManager[sa.Connection]:
        """Not supported yet.

        :raises ScriptsOnly: always.
        """
        self._refuse("Loading rows")

    def load(self, connection: sa.Connection, load: Load, batches: Iterable[pa.RecordBatch]) -> int:
        """Not supported yet.

        :raises ScriptsOnly: always.
        """
        self._refuse("Loading rows")

    def _refuse(self, operation: str) -> NoReturn:
        raise ScriptsOnly(operation=operation, database=self.title)


ADAPTER = OracleAdapter()
"""The adapter registered as ``oracle``."""
