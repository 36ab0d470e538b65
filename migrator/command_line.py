"""From a command line to a request: parses values, gives defaults, refuses contradictions; touches no database."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

from migrator import object_types, params
from migrator.config import Config, is_dialect_only
from migrator.errors import (
    ActionNeedsMetadata,
    ConflictingParameters,
    InvalidFileName,
    InvalidValue,
    MissingConnection,
    NoConnection,
    UnsupportedParameter,
    mask,
    mask_argument,
)
from migrator.params import Client, Request, dotted, split, unquoted
from migrator.spec import (
    Comparison,
    Content,
    JobSpec,
    LogTime,
    Mode,
    NameClause,
    ObjectFilter,
    Operation,
    TableExistsAction,
    TableName,
    TableQuery,
    TableRemap,
)

DEFAULT_DUMPFILE = "expdat.dmp"
_JOB_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_$#]{0,62}")


def from_arguments(client: Client, arguments: Sequence[str], config: Config) -> JobSpec:
    """The request that a command line makes: the database first or anywhere, and NAME=value parameters.

    :raises UsageError: a parameter is not known, not supported or given a wrong value, or parameters contradict each other.
    """
    return from_request(client, params.parse(client, arguments), config, arguments)


def from_request(client: Client, request: Request, config: Config, arguments: Sequence[str] = ()) -> JobSpec:
    """The job that parsed parameters ask for; ``arguments`` are what the log shows as typed.

    :raises UsageError: as :func:`from_arguments`.
    """
    _check_conflicts(request)
    connection = config.reference(_only_word(request.words))
    link = request.one("NETWORK_LINK")
    directory = config.directory(request.one("DIRECTORY"))
    content = cast(Content, request.choice("CONTENT") or "ALL")
    job = JobSpec(
        operation=_operation(client, request),
        mode=_mode(client, request),
        connection=connection,
        directory=directory,
        command=" ".join(mask_argument(argument) for argument in arguments),
        schemas=tuple(unquoted(item, "SCHEMAS") for item in request.items("SCHEMAS")),
        tables=tuple(_table_name(item, "TABLES") for item in request.items("TABLES")),
        include=tuple(_filter(item, "INCLUDE") for item in request.items("INCLUDE")),
        exclude=tuple(_filter(item, "EXCLUDE") for item in request.items("EXCLUDE")),
        content=content,
        query=tuple(_queries(request)),
        dumpfiles=tuple(_dumpfiles(client, request, config, directory)),
        logfile=_logfile(client, request, config, directory),
        sqlfile=_optional_file("SQLFILE", request, config, directory, ".sql"),
        network_link=None if link is None else config.reference(link),
        remap_schema=tuple(_schema_remap(item) for item in request.items("REMAP_SCHEMA")),
        remap_table=tuple(_table_remap(item) for item in request.items("REMAP_TABLE")),
        table_exists_action=_table_exists_action(request, content),
        parallel=_parallel(request),
        job_name=_job_name(request),
        reuse_dumpfiles=request.flag("REUSE_DUMPFILES"),
        metrics=request.flag("METRICS"),
        logtime=cast(LogTime, request.choice("LOGTIME") or "NONE"),
    )
    _check_job(client, job)
    return job


def _only_word(words: Sequence[str]) -> str:
    if not words:
        raise MissingConnection
    if len(words) > 1:
        raise InvalidValue(name="connection", detail=f"there is more than one: {', '.join(map(mask, words))}")
    return words[0]


def _operation(client: Client, request: Request) -> Operation:
    if client == "expdp":
        return "EXPORT"
    return "SQL_FILE" if "SQLFILE" in request else "IMPORT"


def _mode(client: Client, request: Request) -> Mode:
    if request.flag("FULL"):
        return "FULL"
    if "TABLES" in request:
        return "TABLE"
    from_dump = client == "impdp" and "NETWORK_LINK" not in request
    return "FULL" if from_dump and "SCHEMAS" not in request else "SCHEMA"


# --- contradictions ---------------------------------------------------------------------------------------------------


def _check_conflicts(request: Request) -> None:
    """:raises ConflictingParameters: parameters that exclude each other."""
    modes = [name for name, given in _modes(request) if given]
    if len(modes) > 1:
        raise ConflictingParameters(detail=f"multiple job modes requested, {' and '.join(modes)}")
    content = request.choice("CONTENT")
    conflicts = (
        ("LOGFILE" in request and request.flag("NOLOGFILE"), "LOGFILE and NOLOGFILE=YES exclude each other"),
        ("DUMPFILE" in request and "NETWORK_LINK" in request, "DUMPFILE and NETWORK_LINK exclude each other"),
        ("SQLFILE" in request and content == "DATA_ONLY", "SQLFILE writes no rows, so CONTENT=DATA_ONLY leaves nothing"),
        ("SQLFILE" in request and "QUERY" in request, "SQLFILE writes no rows, so QUERY has no meaning"),
        (content == "METADATA_ONLY" and "QUERY" in request, "CONTENT=METADATA_ONLY moves no rows, so QUERY has no meaning"),
        (
            content == "METADATA_ONLY" and request.choice("TABLE_EXISTS_ACTION") == "TRUNCATE",
            "TABLE_EXISTS_ACTION=TRUNCATE with CONTENT=METADATA_ONLY would empty tables and load nothing",
        ),
    )
    for conflicting, detail in conflicts:
        if conflicting:
            raise ConflictingParameters(detail=detail)


def _modes(request: Request) -> Iterator[tuple[str, bool]]:
    yield "FULL", request.flag("FULL")
    yield "SCHEMAS", "SCHEMAS" in request
    yield "TABLES", "TABLES" in request


def _check_job(client: Client, job: JobSpec) -> None:
    """What only the whole request shows.

    :raises UsageError: the job cannot be done, or would harm its own source or files.
    """
    if is_dialect_only(job.connection) and job.operation != "SQL_FILE":
        raise NoConnection(operation=client, url=job.connection)
    if job.network_link is not None and is_dialect_only(job.network_link):
        raise NoConnection(operation="NETWORK_LINK", url=job.network_link)
    if job.network_link == job.connection and job.table_exists_action in {"TRUNCATE", "REPLACE"}:
        action = job.table_exists_action
        raise ConflictingParameters(
            detail=f"TABLE_EXISTS_ACTION={action} would destroy what NETWORK_LINK reads: both are one"
        )
    _check_includes(job.include)
    files = [*job.dumpfiles, *(str(path) for path in (job.logfile, job.sqlfile) if path is not None)]
    twice = next((name for name in files if files.count(name) > 1), None)
    if twice is not None:
        raise ConflictingParameters(detail=f"{twice} is named for two purposes")


def _check_includes(include: Sequence[ObjectFilter]) -> None:
    """Parts of tables come with their tables; moving them alone would need tables that are only looked up.

    :raises UnsupportedParameter: INCLUDE names parts of tables it does not take whole, or a type that no job moves.
    """
    all_tables = any(f.path in {"TABLE", "SCHEMA"} and f.clause is None for f in include)
    for filter_ in include:
        scope = object_types.find(filter_.path).scope
        name = f"INCLUDE={filter_.path}"
        if scope == "absent":
            raise UnsupportedParameter(name=name, reason=f"moving such objects is {params.LATER}")
        if scope in {"part", "rows"} and not all_tables:
            reason = f"without their tables is {params.LATER}; with INCLUDE=TABLE they come by themselves"
            raise UnsupportedParameter(name=name, reason=reason)


# --- files ----------------------------------------------------------------------------------------------------------


def _optional_file(name: str, request: Request, config: Config, directory: Path, suffix: str) -> Path | None:
    value = request.one(name)
    return None if value is None else _file(value, name, config, directory, suffix)


def _logfile(client: Client, request: Request, config: Config, directory: Path) -> Path | None:
    if request.flag("NOLOGFILE"):
        return None
    given = _optional_file("LOGFILE", request, config, directory, ".log")
    return given or directory / {"expdp": "export.log", "impdp": "import.log"}[client]


def _dumpfiles(client: Client, request: Request, config: Config, directory: Path) -> Iterator[str]:
    if "NETWORK_LINK" in request:
        return
    for item in request.items("DUMPFILE") or [DEFAULT_DUMPFILE]:
        path = _file(unquoted(item, "DUMPFILE"), "DUMPFILE", config, directory, ".dmp")
        if re.search(r"%(?![uU%])", path.name):
            raise InvalidValue(name="DUMPFILE", detail=f"{path.name}: of the substitution variables only %U is supported")
        yield str(path)


def _file(text: str, name: str, config: Config, directory: Path, suffix: str) -> Path:
    """The absolute path of ``[directory:]file``; ``suffix`` is added to a name that has none.

    :raises InvalidFileName: the name leaves its directory.
    """
    where, colon, bare = text.rpartition(":")
    if colon:
        directory = config.directory(where)
    if bare in {"", ".", ".."} or "/" in bare or "\\" in bare or "\0" in bare:
        raise InvalidFileName(name=bare or text, parameter=name)
    path = directory / (bare if Path(bare).suffix else bare + suffix)
    if path.resolve().parent != directory.resolve():
        raise InvalidFileName(name=f"{path} (a link to another directory)", parameter=name)
    return path


# --- values ---------------------------------------------------------------------------------------------------------


def _parallel(request: Request) -> int:
    text = request.one("PARALLEL") or "1"
    if not re.fullmatch(r"[0-9]{1,4}", text) or int(text) == 0:
        raise InvalidValue(name="PARALLEL", detail=f"'{text}' is no number from 1 to 9999")
    return int(text)


def _job_name(request: Request) -> str | None:
    name = request.one("JOB_NAME")
    if name is not None and not _JOB_NAME.fullmatch(name):
        detail = f"'{name}' is no identifier: a letter, then up to 62 letters, digits, _, $ and #"
        raise InvalidValue(name="JOB_NAME", detail=detail)
    return name


def _table_exists_action(request: Request, content: Content) -> TableExistsAction:
    action = cast(TableExistsAction | None, request.choice("TABLE_EXISTS_ACTION"))
    if content == "DATA_ONLY" and action in {"SKIP", "REPLACE"}:
        raise ActionNeedsMetadata(action=action)
    return action or ("APPEND" if content == "DATA_ONLY" else "SKIP")


def _table_name(text: str, parameter: str) -> TableName:
    if len(split(text, parameter, ":")) > 1:
        raise InvalidValue(name=parameter, detail=f"{text}: partitions are {params.LATER}; quote a name that has a colon")
    parts = dotted(text, parameter)
    if len(parts) > 2:
        raise InvalidValue(name=parameter, detail=f"{text} has more than a schema and a name")
    return TableName(parts[0] if len(parts) == 2 else None, parts[-1])


def _pair(item: str, parameter: str) -> tuple[str, str]:
    parts = split(item, parameter, ":")
    if len(parts) != 2:
        raise InvalidValue(name=parameter, detail=f"{item} is not old:new")
    return parts[0], parts[1]


def _schema_remap(item: str) -> tuple[str, str]:
    old, new = _pair(item, "REMAP_SCHEMA")
    return unquoted(old, "REMAP_SCHEMA"), unquoted(new, "REMAP_SCHEMA")


def _table_remap(item: str) -> TableRemap:
    old, new = _pair(item, "REMAP_TABLE")
    if len(dotted(new, "REMAP_TABLE")) > 1:
        raise InvalidValue(name="REMAP_TABLE", detail=f"{item}: the new name has a schema; that is REMAP_SCHEMA's to change")
    table = _table_name(old, "REMAP_TABLE")
    return TableRemap(table.schema, table.name, unquoted(new, "REMAP_TABLE"))


# --- INCLUDE, EXCLUDE and QUERY -------------------------------------------------------------------------------------

_STRING = r"'(?:[^']|'')*'"
_CLAUSES = (
    re.compile(rf"(?P<comparison>(?:NOT\s+)?IN)\s*\(\s*(?P<values>{_STRING}(?:\s*,\s*{_STRING})*)\s*\)", re.IGNORECASE),
    re.compile(rf"(?P<comparison>(?:NOT\s+)?LIKE)\s*(?P<values>{_STRING})", re.IGNORECASE),
    re.compile(rf"(?P<comparison>=|!=|<>|<=|>=|<|>)\s*(?P<values>{_STRING})"),
)
_QUERY = re.compile(
    r"""(?:(?P<table>(?:"(?:[^"]|"")*"|[^\s:"'.,()]+)(?:\.(?:"(?:[^"]|"")*"|[^\s:"'.,()]+))?)\s*:(?!:))?\s*"""
    r"""(?P<clause>"?\s*WHERE\b.*)""",
    re.IGNORECASE | re.DOTALL,
)


def _filter(item: str, parameter: str) -> ObjectFilter:
    path, _, text = item.partition(":")
    object_type = object_types.find(path)
    if not text.strip():
        return ObjectFilter(object_type.name)
    if not object_type.named:
        raise InvalidValue(name=parameter, detail=f"{object_type.name} takes no name clause")
    return ObjectFilter(object_type.name, name_clause(unquoted(text, parameter), parameter))


def name_clause(text: str, parameter: str) -> NameClause:
    """The clause in ``text``, such as ``IN ('A', 'B')`` or ``LIKE 'A%'``.

    :raises InvalidValue: it is none.
    """
    matches = (pattern.fullmatch(text.strip()) for pattern in _CLAUSES)
    match = next((found for found in matches if found is not None), None)
    if match is None:
        raise InvalidValue(name=parameter, detail=f"{text} is none of IN ('A', …), LIKE 'A%', = 'A', <, >, or NOT of these")
    comparison = " ".join(match["comparison"].upper().split()).replace("<>", "!=")
    values = tuple(value[1:-1].replace("''", "'") for value in re.findall(_STRING, match["values"]))
    return NameClause(cast(Comparison, comparison), values)


def _queries(request: Request) -> Iterator[TableQuery]:
    """The QUERY items. Without quotes, a comma belongs to the condition unless ``table:WHERE`` follows it."""
    texts: list[str] = []
    for item in request.items("QUERY"):
        if _QUERY.fullmatch(item) or not texts:
            texts.append(item)
        else:
            texts[-1] += f", {item}"
    queries = [_query(text) for text in texts]
    tables = [query.table for query in queries]
    if len(set(tables)) < len(tables):
        raise InvalidValue(name="QUERY", detail="a table has two of them")
    yield from queries


def _query(text: str) -> TableQuery:
    match = _QUERY.fullmatch(text)
    if match is None:
        raise InvalidValue(name="QUERY", detail=f'{text} is not [[schema.]table:]"WHERE condition"')
    condition = unquoted(match["clause"], "QUERY").strip()[len("WHERE") :].strip()
    if not condition:
        raise InvalidValue(name="QUERY", detail=f"{text} has no condition")
    table = None if match["table"] is None else _table_name(match["table"], "QUERY")
    return TableQuery(table, condition)
