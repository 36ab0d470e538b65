"""The request: a validated, frozen, picklable description of one job, as written into logs and master tables.

A :class:`JobSpec` holds no secret: connections are references (a URL without its password, or a configured name) that
:meth:`migrator.config.Config.resolve` turns into URLs.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from migrator.flashback import NOW
from migrator.model.catalog import Action
from migrator.model.misfits import Misfit
from migrator.model.objects import quoted
from migrator.windows import Degrees, Window

if TYPE_CHECKING:
    from migrator.adapter import Estimation

Operation = Literal["EXPORT", "IMPORT", "SQL_FILE"]
Mode = Literal["FULL", "SCHEMA", "TABLE"]
Content = Literal["ALL", "DATA_ONLY", "METADATA_ONLY"]
TableExistsAction = Literal["SKIP", "APPEND", "TRUNCATE", "REPLACE"]
LogTime = Literal["NONE", "STATUS", "LOGFILE", "ALL"]
MasterPlace = Literal["DATABASE", "LOCAL"]
NumberTypes = Literal["EXACT", "NARROW"]
FractionalSeconds = Literal["ROWS", "DECLARED"]
Compression = Literal["ALL", "DATA_ONLY", "METADATA_ONLY", "NONE"]
CompressionAlgorithm = Literal["BASIC", "LOW", "MEDIUM", "HIGH"]
ChecksumAlgorithm = Literal["CRC32", "SHA256", "SHA384", "SHA512"]
EncryptionScope = Literal["ALL", "DATA_ONLY", "METADATA_ONLY", "NONE"]
EncryptionAlgorithm = Literal["AES128", "AES192", "AES256"]
EncryptionMode = Literal["PASSWORD", "TRANSPARENT", "DUAL"]
AccessMethod = Literal["AUTOMATIC", "DIRECT_PATH", "EXTERNAL_TABLE", "CONVENTIONAL_PATH", "INSERT_AS_SELECT"]
DataOption = Literal[
    "SKIP_CONSTRAINT_ERRORS",
    "CONTINUE_LOAD_ON_FORMAT_ERROR",
    "DISABLE_APPEND_HINT",
    "TRUST_EXISTING_TABLE_PARTITIONS",
    "GROUP_PARTITION_TABLE_DATA",
    "REJECT_ROWS_WITH_REPL_CHAR",
    "VALIDATE_TABLE_DATA",
]
Comparison = Literal["=", "!=", "<", "<=", ">", ">=", "IN", "NOT IN", "LIKE", "NOT LIKE"]


@dataclass(frozen=True)
class TableName:
    """A table as TABLES names it: ``schema`` None means the connected user's; ``%`` in ``name`` stands for any text."""

    schema: str | None
    name: str


@dataclass(frozen=True)
class NameClause:
    """Which names a filter means: ``IN ('A', 'B')``, ``LIKE 'A%'``, ``> 'M'``. All but the IN forms have one value."""

    comparison: Comparison
    values: tuple[str, ...]


@dataclass(frozen=True)
class ObjectFilter:
    """One INCLUDE or EXCLUDE: an object type in capitals (``TABLE``, ``REF_CONSTRAINT``), and which names; None: all."""

    path: str
    clause: NameClause | None = None


@dataclass(frozen=True)
class TableQuery:
    """One QUERY: the condition (without WHERE) that rows of ``table`` must meet; ``table`` None: of all other tables."""

    table: TableName | None
    where: str


@dataclass(frozen=True)
class TableRemap:
    """One REMAP_TABLE: table ``old`` of ``schema`` (None: of any schema) is made as ``new``."""

    schema: str | None
    old: str
    new: str


def _written(names: Iterable[str]) -> str:
    """A dotted name, in quotes where it needs them."""
    return ".".join(name if re.fullmatch(r"[\w$#]+", name) else quoted(name) for name in names)


@dataclass(frozen=True)
class PolicySetting:
    """One item of POLICY: what is done about a case, in the columns of a ``type``, in a table or column, or everywhere.

    ``names``: a table, a schema and a table, a table and a column, or all three; empty: none is meant alone.
    """

    case: Misfit
    action: Action
    names: tuple[str, ...] = ()
    type: str | None = None

    def __str__(self) -> str:
        where = _written(self.names) if self.type is None else f"type:{self.type}"
        return f"{where}:{self.case}={self.action}" if where else f"{self.case}={self.action}"


@dataclass(frozen=True)
class ColumnType:
    """One item of COLUMN_TYPE: a table and a column, perhaps with the schema before, and the type as it is written."""

    names: tuple[str, ...]
    type: str

    def __str__(self) -> str:
        return f"{_written(self.names)}:{self.type}"


@dataclass(frozen=True)
class JobSpec:
    """One job. Paths are absolute; ``dumpfiles`` are paths too, or all of them URIs, templates (``%U``) unexpanded.

    ``filesize`` is in bytes. ``verify_checksum`` None: where there are checksums. ``estimate`` None: nothing is estimated
    but the job's progress. ``master_table`` None: in the job's database, if it can be there. ``transportable``: an export
    copies data files instead of rows.

    ``reject_file``: where rows go that SKIP_CONSTRAINT_ERRORS leaves out, unless the name is taken; ``reject_limit``: how
    many of a table may, None: any number. ``orphan_file``: where rows are listed that came in without the one that a foreign
    key refers to, unless the name is taken. ``flashback_time`` is as :func:`migrator.flashback.moment` gives it.

    ``policies``: what becomes of values that have no place at the target; without one they are refused. ``column_types``:
    the types that are chosen for columns at the target. ``ledger``: where the loss list goes as JSON.

    ``credential`` is the name of what opens the way to URIs; None: what the environment and the machine have.

    ``parallel`` is PARALLEL where none of its ``windows`` is open: :attr:`degrees`.

    ``connection`` and ``network_link`` are references for :meth:`migrator.config.Config.resolve`. ``command`` is the
    command line as typed, passwords masked.
    """

    operation: Operation
    mode: Mode
    connection: str
    directory: Path
    command: str = ""
    schemas: tuple[str, ...] = ()
    tables: tuple[TableName, ...] = ()
    include: tuple[ObjectFilter, ...] = ()
    exclude: tuple[ObjectFilter, ...] = ()
    content: Content = "ALL"
    query: tuple[TableQuery, ...] = ()
    dumpfiles: tuple[str, ...] = ()
    credential: str | None = None
    logfile: Path | None = None
    sqlfile: Path | None = None
    network_link: str | None = None
    remap_schema: tuple[tuple[str, str], ...] = ()
    remap_table: tuple[TableRemap, ...] = ()
    table_exists_action: TableExistsAction = "SKIP"
    access_method: AccessMethod = "AUTOMATIC"
    data_options: tuple[DataOption, ...] = ()
    reject_limit: int | None = None
    reject_file: Path | None = None
    orphan_file: Path | None = None
    policies: tuple[PolicySetting, ...] = ()
    column_types: tuple[ColumnType, ...] = ()
    ledger: Path | None = None
    skip_unusable_indexes: bool = True
    number_types: NumberTypes = "EXACT"
    fractional_seconds: FractionalSeconds = "ROWS"
    transportable: bool = False
    parallel: int = 1
    windows: tuple[Window, ...] = ()
    parallel_threshold: int = 64 << 20
    job_name: str | None = None
    reuse_dumpfiles: bool = False
    filesize: int | None = None
    compression: Compression = "METADATA_ONLY"
    compression_algorithm: CompressionAlgorithm = "BASIC"
    checksum: ChecksumAlgorithm | None = None
    digest: bool = False
    verify: bool = False
    verify_checksum: bool | None = None
    verify_only: bool = False
    encryption: EncryptionScope = "NONE"
    encryption_algorithm: EncryptionAlgorithm = "AES128"
    encryption_mode: EncryptionMode = "TRANSPARENT"
    metrics: bool = False
    logtime: LogTime = "NONE"
    flashback_scn: str | None = None
    flashback_time: str | None = None
    estimate: Estimation | None = None
    estimate_only: bool = False
    master_only: bool = False
    keep_master: bool = False
    master_table: MasterPlace | None = None

    @property
    def past(self) -> str | None:
        """The time of the past state that rows are read in, in UTC; None: they are read as they are when the job begins."""
        return None if self.flashback_time == NOW else self.flashback_time

    @property
    def degrees(self) -> Degrees:
        """How many workers there may be, by the time of day."""
        return Degrees(self.parallel, self.windows)

    def to_json(self) -> dict[str, Any]:
        """The request as JSON-ready values; :meth:`from_json` reads them back equal."""
        return {name: str(value) if isinstance(value, Path) else value for name, value in dataclasses.asdict(self).items()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> JobSpec:
        """The request that :meth:`to_json` wrote.

        :raises TypeError: the data has a field this version does not know.
        """
        plain: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list | tuple) else value for name, value in data.items()
        }
        readers: dict[str, Callable[[Any], Any]] = {
            "directory": Path,
            "logfile": Path,
            "sqlfile": Path,
            "reject_file": Path,
            "orphan_file": Path,
            "ledger": Path,
            "windows": lambda items: tuple(Window(**item) for item in items),
            "policies": lambda items: tuple(map(_policy_from_json, items)),
            "column_types": lambda items: tuple(ColumnType(tuple(item["names"]), item["type"]) for item in items),
            "tables": lambda items: tuple(TableName(**item) for item in items),
            "include": lambda items: tuple(map(_filter_from_json, items)),
            "exclude": lambda items: tuple(map(_filter_from_json, items)),
            "query": lambda items: tuple(map(_query_from_json, items)),
            "remap_schema": lambda items: tuple((old, new) for old, new in items),
            "remap_table": lambda items: tuple(TableRemap(**item) for item in items),
        }
        for name, read in readers.items():
            if plain.get(name) is not None:
                plain[name] = read(plain[name])
        return cls(**plain)


def _filter_from_json(data: dict[str, Any]) -> ObjectFilter:
    clause = data["clause"]
    return ObjectFilter(data["path"], clause and NameClause(clause["comparison"], tuple(clause["values"])))


def _query_from_json(data: dict[str, Any]) -> TableQuery:
    return TableQuery(data["table"] and TableName(**data["table"]), data["where"])


def _policy_from_json(data: dict[str, Any]) -> PolicySetting:
    return PolicySetting(Misfit(data["case"]), data["action"], tuple(data["names"]), data["type"])
