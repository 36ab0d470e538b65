"""From a command line to a request: parses values, gives defaults, refuses contradictions; touches no database."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, cast

from migrator import files, object_types, params, policies, templates
from migrator.column_types import chosen
from migrator.config import Config, Credential, Secrets, is_dialect_only
from migrator.directories import Access
from migrator.errors import (
    ActionNeedsMetadata,
    ConflictingParameters,
    IncompatibleParameters,
    InvalidFile,
    InvalidFileName,
    InvalidValue,
    MissingConnection,
    MissingCredential,
    NoConnection,
    UnexpectedWord,
    UnsupportedParameter,
    UsageError,
    mask,
    mask_argument,
)
from migrator.flashback import moment
from migrator.model.misfits import OF_TYPES, Misfit
from migrator.params import Client, Request, dotted, split, unquoted
from migrator.spec import (
    AccessMethod,
    ChecksumAlgorithm,
    ColumnType,
    Comparison,
    Compression,
    CompressionAlgorithm,
    Content,
    DataOption,
    EncryptionAlgorithm,
    EncryptionMode,
    EncryptionScope,
    FractionalSeconds,
    JobSpec,
    LogTime,
    MasterPlace,
    Mode,
    NameClause,
    NumberTypes,
    ObjectFilter,
    Operation,
    PolicySetting,
    TableExistsAction,
    TableName,
    TableQuery,
    TableRemap,
)
from migrator.windows import Degrees, degrees

if TYPE_CHECKING:
    from migrator.adapter import Estimation

_DUMP_READING = (
    *("CREDENTIAL", "ENCRYPTION_PASSWORD", "ENCRYPTION_PWD_PROMPT", "MASTER_ONLY", "VERIFY_CHECKSUM", "VERIFY_ONLY"),
)
_DUMP_WRITING = ("DUMPFILE", "FILESIZE", "REUSE_DUMPFILES")
_IMPORTING = (
    *("COLUMN_TYPE", "CONTENT", "LEDGER", "QUERY", "REMAP_SCHEMA", "REMAP_TABLE", "SQLFILE", "TABLE_EXISTS_ACTION"),
    "VERIFY_ONLY",
)
"""What has no meaning for a job that imports no object and no row."""
DEFAULT_DUMPFILE = "expdat.dmp"
_REJECTING: frozenset[DataOption] = frozenset({"SKIP_CONSTRAINT_ERRORS", "REJECT_ROWS_WITH_REPL_CHAR"})
"""The DATA_OPTIONS that set rows aside."""
REJECTS = "_rejects.ndjson"
"""What the name of a reject file ends in."""
ORPHANS = "_orphans.ndjson"
"""What the name of a list of rows ends in that refer to none."""
_DUMPINFO = re.compile(r"(?P<name>CREDENTIAL|DIRECTORY)=(?P<value>.+)", re.IGNORECASE | re.DOTALL)
"""The parameters of dumpinfo."""
_JOB_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_$#]{0,62}")
_SQLITES_OWN = "sqlite_"
"""How no table of SQLite may be named; the master table of a job may have to be one, whatever its databases are."""


def from_arguments(client: Client, arguments: Sequence[str], config: Config) -> JobSpec:
    """The request that a command line makes: the database first or anywhere, and NAME=value parameters.

    :raises UsageError: a parameter is not known, not supported or given a wrong value, or parameters contradict each other.
    """
    return from_request(client, params.parse(client, arguments), config, arguments)


def from_request(client: Client, request: Request, config: Config, arguments: Sequence[str] = ()) -> JobSpec:
    """The job that parsed parameters ask for; ``arguments`` are what the log shows as typed.

    :raises UsageError: as :func:`from_arguments`.
    """
    _check_conflicts(client, request, config)
    connection = config.reference(only_word(request.words))
    link = request.one("NETWORK_LINK")
    content = cast(Content, request.choice("CONTENT") or "ALL")
    job = JobSpec(
        operation=_operation(client, request),
        mode=_mode(client, request),
        connection=connection,
        directory=config.directory(request.one("DIRECTORY"), None),
        command=" ".join(mask_argument(argument) for argument in arguments),
        schemas=tuple(unquoted(item, "SCHEMAS") for item in request.items("SCHEMAS")),
        tables=tuple(_table_name(item, "TABLES") for item in request.items("TABLES")),
        include=tuple(_filter(item, "INCLUDE") for item in request.items("INCLUDE")),
        exclude=tuple(_filter(item, "EXCLUDE") for item in request.items("EXCLUDE")),
        content=content,
        query=tuple(_queries(request)),
        dumpfiles=tuple(_dumpfiles(client, request, config)),
        credential=None if (credential := request.one("CREDENTIAL")) is None else config.credential(credential),
        logfile=_logfile(client, request, config),
        sqlfile=_written_file("SQLFILE", request, config, ".sql"),
        network_link=None if link is None else config.link(link),
        remap_schema=tuple(_schema_remap(item) for item in request.items("REMAP_SCHEMA")),
        remap_table=tuple(_table_remap(item) for item in request.items("REMAP_TABLE")),
        table_exists_action=_table_exists_action(request, content),
        access_method=_access_method(client, request),
        data_options=(options := _data_options(client, request)),
        reject_limit=_reject_limit(request, options),
        reject_file=_beside_the_log(REJECTS, request, config) if _REJECTING & {*options} else None,
        orphan_file=_orphan_file(client, request, config),
        policies=_policies(request),
        column_types=tuple(map(_column_type, request.items("COLUMN_TYPE"))),
        ledger=_written_file("LEDGER", request, config, ".json"),
        skip_unusable_indexes=request.choice("SKIP_UNUSABLE_INDEXES") != "NO",
        number_types=cast(NumberTypes, request.choice("NUMBER_TYPES") or "EXACT"),
        fractional_seconds=cast(FractionalSeconds, request.choice("FRACTIONAL_SECONDS") or "ROWS"),
        transportable=_transportable(request),
        parallel=(parallel := _parallel(request)).number,
        windows=parallel.windows,
        job_name=_job_name(request),
        reuse_dumpfiles=request.flag("REUSE_DUMPFILES"),
        parallel_threshold=templates.size(request.one("PARALLEL_THRESHOLD") or "64M", "PARALLEL_THRESHOLD"),
        filesize=None if (filesize := request.one("FILESIZE")) is None else templates.filesize(filesize),
        compression=cast(Compression, request.choice("COMPRESSION") or "METADATA_ONLY"),
        compression_algorithm=cast(CompressionAlgorithm, request.choice("COMPRESSION_ALGORITHM") or "BASIC"),
        checksum=_checksum(request),
        digest=request.flag("DIGEST"),
        verify=request.flag("VERIFY"),
        verify_checksum=request.flag("VERIFY_CHECKSUM") if "VERIFY_CHECKSUM" in request else None,
        verify_only=request.flag("VERIFY_ONLY"),
        encryption=_encryption(client, request, config),
        encryption_algorithm=cast(EncryptionAlgorithm, request.choice("ENCRYPTION_ALGORITHM") or "AES128"),
        encryption_mode=_encryption_mode(request, config),
        flashback_scn=request.one("FLASHBACK_SCN"),
        flashback_time=None if (time := request.one("FLASHBACK_TIME")) is None else moment(time),
        metrics=request.flag("METRICS"),
        logtime=cast(LogTime, request.choice("LOGTIME") or "NONE"),
        estimate=_estimate(request),
        estimate_only=request.flag("ESTIMATE_ONLY"),
        master_only=request.flag("MASTER_ONLY"),
        keep_master=request.flag("KEEP_MASTER"),
        master_table=cast(MasterPlace | None, request.choice("MASTER_TABLE")),
    )
    _check_job(client, job)
    return job


def only_word(words: Sequence[str]) -> str:
    """The connection among the words of a command line.

    :raises UsageError: there is none, or more than one.
    """
    if not words:
        raise MissingConnection
    if len(words) > 1:
        name = next((word.upper() for word in words if word.upper() in params.NAMES), None)
        if name is not None:
            raise InvalidValue(name=name, detail="no value is given")
        raise UnexpectedWord(name="connection", detail=f"there is more than one: {', '.join(map(mask, words))}")
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


def _check_conflicts(client: Client, request: Request, config: Config) -> None:
    """:raises ConflictingParameters: parameters that exclude each other."""
    modes = [name for name, given in _modes(request) if given]
    if len(modes) > 1:
        raise ConflictingParameters(detail=f"multiple job modes requested, {' and '.join(modes)}")
    content = request.choice("CONTENT")
    if "FLASHBACK_SCN" in request and "FLASHBACK_TIME" in request:
        raise IncompatibleParameters(one="FLASHBACK_TIME", other="FLASHBACK_SCN")
    profiled = request.flag("PROFILE") and client == "impdp" and "NETWORK_LINK" not in request
    conflicts = (
        (profiled, "PROFILE asks a database for its rows, and needs NETWORK_LINK; or profile the export"),
        ("LOGFILE" in request and request.flag("NOLOGFILE"), "LOGFILE and NOLOGFILE=YES exclude each other"),
        (_reads_link(client, request) and "DUMPFILE" in request, "DUMPFILE and NETWORK_LINK exclude each other"),
        ("SQLFILE" in request and content == "DATA_ONLY", "SQLFILE writes no rows, so CONTENT=DATA_ONLY leaves nothing"),
        ("SQLFILE" in request and "QUERY" in request, "SQLFILE writes no rows, so QUERY has no meaning"),
        (content == "METADATA_ONLY" and "QUERY" in request, "CONTENT=METADATA_ONLY moves no rows, so QUERY has no meaning"),
        *_without_rows_conflicts(request, content),
        _link_wanted(client, request),
        *_transport_conflicts(request),
        ("SQLFILE" in request and request.flag("VERIFY_ONLY"), "VERIFY_ONLY imports nothing, so SQLFILE has no meaning"),
        (
            "POLICY" in request and "QUERY" in request and "NETWORK_LINK" not in request,
            "QUERY on a dump file set chooses among rows when POLICY has changed them: they could not be counted",
        ),
        ("LEDGER" in request and request.flag("VERIFY_ONLY"), "VERIFY_ONLY imports nothing, so LEDGER has no meaning"),
        *_file_conflicts(client, request, config),
        *_estimate_conflicts(client, request, content),
        *_flashback_conflicts(client, request, content),
        *_master_conflicts(request),
        (
            content == "METADATA_ONLY" and request.choice("TABLE_EXISTS_ACTION") == "TRUNCATE",
            "TABLE_EXISTS_ACTION=TRUNCATE with CONTENT=METADATA_ONLY would empty tables and load nothing",
        ),
    )
    for conflicting, detail in conflicts:
        if conflicting:
            raise ConflictingParameters(detail=detail)


def _reads_link(client: Client, request: Request) -> bool:
    """Whether rows come from a linked database, and from no dump file set; an export's go into one all the same."""
    return client == "impdp" and "NETWORK_LINK" in request


def _without_rows_conflicts(request: Request, content: str | None) -> Iterator[tuple[bool, str]]:
    """What leaves no rows that a method could move, or an option concern."""
    without_rows = {
        "SQLFILE": "SQLFILE" in request,
        "CONTENT=METADATA_ONLY": content == "METADATA_ONLY",
        **{f"{name}=YES": request.flag(name) for name in ("ESTIMATE_ONLY", "MASTER_ONLY", "VERIFY_ONLY")},
    }
    for (name, given), asked in product(without_rows.items(), ("ACCESS_METHOD", "DATA_OPTIONS", "POLICY")):
        no_meaning = asked != "POLICY" or name.endswith("=YES")  # which is also about how tables are made
        yield given and asked in request and no_meaning, f"{name} moves no rows, so {asked} has no meaning"
    for name, given in without_rows.items():
        looked_at = name != "SQLFILE" and request.flag("PROFILE")  # what its DDL says of rows can be looked at
        yield given and looked_at, f"{name} moves no rows, so PROFILE has no meaning"


def _link_wanted(client: Client, request: Request) -> tuple[bool, str]:
    """A method that reads a linked database, and no link."""
    inside = client == "impdp" and request.choice("ACCESS_METHOD") == "INSERT_AS_SELECT"
    detail = "ACCESS_METHOD=INSERT_AS_SELECT selects from a linked database, and needs NETWORK_LINK"
    return inside and "NETWORK_LINK" not in request, detail


_ABOUT_ROWS = (
    *("ACCESS_METHOD", "DATA_OPTIONS", "DIGEST", "ESTIMATE", "FLASHBACK_SCN", "FLASHBACK_TIME", "NETWORK_LINK", "QUERY"),
)
"""What cannot be asked of data files."""


def _transport_conflicts(request: Request) -> Iterator[tuple[bool, str]]:
    """What data files cannot be made to follow, and what leaves nothing of them."""
    copied = request.choice("TRANSPORTABLE") == "ALWAYS"
    profiled = request.flag("PROFILE")
    yield copied and profiled, "TRANSPORTABLE=ALWAYS copies data files, without a look at rows: PROFILE has no meaning"
    for name in _ABOUT_ROWS:
        yield copied and name in request, f"TRANSPORTABLE=ALWAYS copies data files as they are, so {name} has no meaning"
    for value in ("DATA_ONLY", "METADATA_ONLY"):
        given = request.choice("CONTENT") == value
        yield copied and given, f"TRANSPORTABLE=ALWAYS copies data files with their objects, so CONTENT={value} is refused"
    only = request.flag("ESTIMATE_ONLY")
    yield copied and only, "ESTIMATE_ONLY=YES moves no rows, so TRANSPORTABLE=ALWAYS has no meaning"


def _file_conflicts(client: Client, request: Request, config: Config) -> Iterator[tuple[bool, str]]:
    """Parameters of dump files that exclude each other, or need another."""
    given = "ENCRYPTION_PASSWORD" in request or request.flag("ENCRYPTION_PWD_PROMPT")
    both = "ENCRYPTION_PASSWORD" in request and request.flag("ENCRYPTION_PWD_PROMPT")
    rows_compressed = request.choice("COMPRESSION") in {"ALL", "DATA_ONLY"}
    no_use = "COMPRESSION_ALGORITHM" in request and not rows_compressed
    yield no_use, "COMPRESSION_ALGORITHM says how rows are compressed, and needs COMPRESSION=ALL or DATA_ONLY"
    yield both, "ENCRYPTION_PASSWORD and ENCRYPTION_PWD_PROMPT=YES exclude each other"
    for name in _DUMP_READING:
        no_dump = _reads_link(client, request) and name in request
        yield no_dump, f"{name} is about a dump file set, and NETWORK_LINK reads none"
    no_checksum = "CHECKSUM" in request and not request.flag("CHECKSUM")
    yield no_checksum and "CHECKSUM_ALGORITHM" in request, "CHECKSUM=NO and CHECKSUM_ALGORITHM exclude each other"
    unverified = "VERIFY_CHECKSUM" in request and not request.flag("VERIFY_CHECKSUM")
    yield unverified and request.flag("VERIFY_ONLY"), "VERIFY_CHECKSUM=NO and VERIFY_ONLY=YES exclude each other"
    scope, mode = request.choice("ENCRYPTION"), request.choice("ENCRYPTION_MODE")
    yield scope == "NONE" and (given or mode is not None), "ENCRYPTION=NONE leaves nothing to encrypt"
    for name in ("ENCRYPTION_ALGORITHM", "ENCRYPTION_MODE"):
        yield (
            name in request and scope is None and not _has_password(request, config),
            f"{name} needs ENCRYPTION or ENCRYPTION_PASSWORD",
        )
    yield mode == "TRANSPARENT" and given, "ENCRYPTION_MODE=TRANSPARENT takes no password"


def _estimate_conflicts(client: Client, request: Request, content: str | None) -> Iterator[tuple[bool, str]]:
    """What leaves nothing to estimate, or would be passed over by a job that only estimates."""
    only = request.flag("ESTIMATE_ONLY")
    estimating = "ESTIMATE" in request or only
    no_link = client == "impdp" and "NETWORK_LINK" not in request
    yield estimating and no_link, "ESTIMATE needs NETWORK_LINK: a dump file set says how large it is"
    yield estimating and "SQLFILE" in request, "SQLFILE writes no rows, so ESTIMATE has no meaning"
    yield estimating and content == "METADATA_ONLY", "CONTENT=METADATA_ONLY moves no rows, so there is nothing to estimate"
    yield only and "QUERY" in request, "ESTIMATE_ONLY=YES estimates whole tables, so QUERY has no meaning"
    for name in (*_DUMP_WRITING, "DIGEST"):
        yield only and name in request, f"ESTIMATE_ONLY=YES writes no dump file, so {name} has no meaning"


def _flashback_conflicts(client: Client, request: Request, content: str | None) -> Iterator[tuple[bool, str]]:
    """What reads no rows of a database."""
    no_link = client == "impdp" and "NETWORK_LINK" not in request
    for name in ("FLASHBACK_SCN", "FLASHBACK_TIME"):
        given = name in request
        yield given and no_link, f"{name} says which state of a linked database is read, and needs NETWORK_LINK"
        yield given and "SQLFILE" in request, f"SQLFILE reads no rows, so {name} has no meaning"
        yield given and content == "METADATA_ONLY", f"CONTENT=METADATA_ONLY moves no rows, so {name} has no meaning"
        yield given and request.flag("ESTIMATE_ONLY"), f"ESTIMATE_ONLY=YES reads no rows, so {name} has no meaning"


def _master_conflicts(request: Request) -> Iterator[tuple[bool, str]]:
    """What a job that imports the master table only would pass over."""
    only = request.flag("MASTER_ONLY")
    for name in _IMPORTING:
        yield only and name in request, f"MASTER_ONLY=YES imports neither objects nor rows, so {name} has no meaning"
    dropped = "KEEP_MASTER" in request and not request.flag("KEEP_MASTER")
    yield only and dropped, "MASTER_ONLY=YES and KEEP_MASTER=NO exclude each other"


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
    if job.verify:
        check_verifiable(job)
    state = "FLASHBACK_TIME" if job.past is not None else "FLASHBACK_SCN" if job.flashback_scn is not None else ""
    if state and job.access_method == "INSERT_AS_SELECT":
        detail = "such a state is read by a session of its own, which ACCESS_METHOD=INSERT_AS_SELECT passes by"
        raise ConflictingParameters(detail=f"{state}: {detail}")
    _check_includes(job.include)
    _check_objects(job)
    written = (job.logfile, job.sqlfile, job.reject_file, job.orphan_file, job.ledger)
    plain = [str(path) for path in written if path is not None]
    named = [*job.dumpfiles, *plain]
    twice = next((name for name in named if named.count(name) > 1), None)
    twice = twice or next((name for name in plain if any(templates.names(dump, name) for dump in job.dumpfiles)), None)
    if twice is not None:
        raise ConflictingParameters(detail=f"{twice} is named for two purposes")


def check_verifiable(job: JobSpec) -> None:
    """:raises ConflictingParameters: a job moves no rows that could be verified, or not those that could be read again."""
    _check_rows_move(job, "there is nothing to verify")
    if job.query and job.network_link is None:
        detail = (
            "QUERY chooses among a dump file set's rows as the target's SQL has it, which nobody asks when they are verified"
        )
        raise ConflictingParameters(detail=detail)


def _check_rows_move(job: JobSpec, otherwise: str) -> None:
    without_rows = {
        "SQLFILE": job.operation == "SQL_FILE",
        "CONTENT=METADATA_ONLY": job.content == "METADATA_ONLY",
        "MASTER_ONLY=YES": job.master_only,
        "VERIFY_ONLY=YES": job.verify_only,
        "ESTIMATE_ONLY=YES": job.estimate_only,
    }
    for name, given in without_rows.items():
        if given:
            raise ConflictingParameters(detail=f"{name} moves no rows: {otherwise}")


def check_refreshable(job: JobSpec) -> None:
    """:raises ConflictingParameters: parameters ask for what a refresh does not do."""
    _check_rows_move(job, "there are none to refresh")
    conflicts = (
        (bool(job.data_options), "refresh has no DATA_OPTIONS: a row that is refused leaves its table as it was"),
        (bool(job.query), "with QUERY the source's other rows would count as rows that it does not have"),
    )
    for conflicting, detail in conflicts:
        if conflicting:
            raise ConflictingParameters(detail=detail)


def _check_objects(job: JobSpec) -> None:
    """A dump set lies in directories or in an object store, where files that end the set come into being last.

    :raises ConflictingParameters: it would lie in both, or CREDENTIAL is given and it is in directories.
    :raises InvalidValue: an export to an object store has no template.
    """
    objects = [name for name in job.dumpfiles if templates.is_uri(name)]
    if not objects and job.credential is not None:
        raise ConflictingParameters(detail="CREDENTIAL is for dump files in an object store: DUMPFILE=s3://bucket/key")
    if objects and len(objects) < len(job.dumpfiles):
        raise ConflictingParameters(detail="DUMPFILE names files in directories and objects in a store; a set lies in one")
    if objects and job.operation == "EXPORT" and all(templates.most(name) == 1 for name in objects):
        detail = f"{objects[0]}: an object cannot be added to, so a set has several; one name needs %U or %L"
        raise InvalidValue(name="DUMPFILE", detail=detail)


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


def _written_file(name: str, request: Request, config: Config, suffix: str, default: str | None = None) -> Path | None:
    text = request.one(name) if name in request else default
    return None if text is None else _file(text, name, request.one("DIRECTORY"), config, "WRITE", suffix)


def _logfile(client: Client, request: Request, config: Config) -> Path | None:
    if request.flag("NOLOGFILE"):
        return None
    return _written_file("LOGFILE", request, config, ".log", {"expdp": "export.log", "impdp": "import.log"}[client])


def _dumpfiles(client: Client, request: Request, config: Config) -> Iterator[str]:
    if _reads_link(client, request) or request.flag("ESTIMATE_ONLY"):
        return
    now = datetime.now()
    access: Access = "WRITE" if client == "expdp" else "READ"
    for item in request.items("DUMPFILE") or [DEFAULT_DUMPFILE]:
        text = unquoted(item, "DUMPFILE")
        if templates.is_uri(text):
            name = _object(text, "DUMPFILE", config, request.one("CREDENTIAL"))
        else:
            name = str(_file(text, "DUMPFILE", request.one("DIRECTORY"), config, access, ".dmp"))
        yield _template(name, "DUMPFILE", now, importing=client == "impdp")


def _template(name: str, parameter: str, now: datetime, *, importing: bool) -> str:
    """The template with its date filled in.

    :raises InvalidValue: it has variables that it cannot have.
    :raises InvalidFile: the longest name that it stands for is too long.
    """
    templates.check(name, importing=importing)
    dated = templates.dated(name, now)
    if not templates.is_uri(dated):
        _check_name(Path(templates.fill(dated, templates.most(dated))), parameter)
    return dated


def _object(text: str, parameter: str, config: Config, credential: str | None) -> str:
    """The URI of an object as it is written.

    :raises InvalidValue: it is none.
    :raises MissingCredential: the configuration leaves the choice of places to nobody else, and no credential is named.
    """
    if templates.OBJECT.fullmatch(text) is None:
        shown = mask(text)
        raise InvalidFile(name=parameter, detail=f"{shown}: {templates.no_object(shown)}")
    if credential is None and config.only_directory_objects:
        raise MissingCredential(name=text)
    return text


def _file(text: str, name: str, default: str | None, config: Config, access: Access, suffix: str) -> Path:
    """The absolute path of ``[directory:]file``; ``default``: the directory without one.

    ``suffix`` is added to a name that has none.

    :raises InvalidFileName: the name leaves its directory.
    :raises InvalidFile: no file can have it.
    :raises InvalidDirectory: there is no such directory, or no grant on it.
    :raises UnsupportedParameter: it is a URI.
    """
    if templates.is_uri(text):
        raise UnsupportedParameter(name=f"{name} with a URI", reason="only dump files can be in an object store")
    where, colon, bare = text.rpartition(":")
    directory = config.directory(where if colon else default, access)
    if bare in {"", ".", ".."} or "/" in bare or "\\" in bare or "\0" in bare:
        raise InvalidFileName(name=bare or text, parameter=name)
    path = directory / (bare if Path(bare).suffix else bare + suffix)
    _check_name(path, name)
    if path.is_symlink():
        raise InvalidFileName(name=f"{path} (a symbolic link)", parameter=name)
    return path


def _check_name(path: Path, parameter: str) -> None:
    """:raises InvalidFile: no file can be named so."""
    why = files.misnamed(path)
    if why is not None:
        raise InvalidFile(name=parameter, detail=f"{path.name}: {why}")


def added_files(text: str, config: Config, job: JobSpec) -> tuple[str, ...]:
    """The dump files that the interactive command ADD_FILE names for a job: in its directory, or where its objects are.

    :raises UsageError: a name is wrong.
    """
    items = [unquoted(item, "ADD_FILE") for item in split(text, "ADD_FILE")]
    found = [
        _object(item, "ADD_FILE", config, job.credential)
        if templates.is_uri(item)
        else str(_file(item, "ADD_FILE", str(job.directory), config, "WRITE", ".dmp"))
        for item in items
    ]
    if any(templates.is_uri(name) != templates.is_uri(job.dumpfiles[0]) for name in found):
        raise ConflictingParameters(detail="the dump file set is in directories or in an object store, not in both")
    return tuple(_template(name, "ADD_FILE", datetime.now(), importing=False) for name in found)


# --- checksums and encryption ---------------------------------------------------------------------------------------


def _checksum(request: Request) -> ChecksumAlgorithm | None:
    algorithm = request.choice("CHECKSUM_ALGORITHM")
    return cast(ChecksumAlgorithm, algorithm or "SHA256") if algorithm or request.flag("CHECKSUM") else None


def _has_password(request: Request, config: Config) -> bool:
    asked = "ENCRYPTION_PASSWORD" in request or request.flag("ENCRYPTION_PWD_PROMPT")
    return asked or config.encryption_password is not None


def _encryption(client: Client, request: Request, config: Config) -> EncryptionScope:
    scope = request.choice("ENCRYPTION")
    if scope == "ENCRYPTED_COLUMNS_ONLY":
        reason = "no database here has encrypted columns; ENCRYPTION=DATA_ONLY encrypts all rows"
        raise UnsupportedParameter(name="ENCRYPTION=ENCRYPTED_COLUMNS_ONLY", reason=reason)
    if scope is not None or client == "impdp":
        return cast(EncryptionScope, scope or "NONE")
    return "ALL" if _has_password(request, config) else "NONE"


def _encryption_mode(request: Request, config: Config) -> EncryptionMode:
    mode = request.choice("ENCRYPTION_MODE")
    if mode is not None:
        return cast(EncryptionMode, mode)
    if not _has_password(request, config):
        return "TRANSPARENT"
    return "PASSWORD" if config.key_file is None else "DUAL"


def secrets(request: Request, config: Config) -> Secrets:
    """What opens the dump file set: the password given, asked for, or else the environment's; the key file; the credential.

    :raises InvalidValue: the password cannot be asked for, or is empty.
    :raises InvalidCredential: the credential's secret key cannot be had.
    """
    password = request.one("ENCRYPTION_PASSWORD")
    if request.flag("ENCRYPTION_PWD_PROMPT"):
        try:
            password = config.ask("Encryption password: ")
        except EOFError as error:
            raise InvalidValue(name="ENCRYPTION_PWD_PROMPT", detail=str(error) or "no password was given") from error
        if not password:
            raise InvalidValue(name="ENCRYPTION_PWD_PROMPT", detail="no password was given")
    given = Secrets(password or config.encryption_password, config.key_file, password is not None)
    return with_credential(given, request.one("CREDENTIAL"), config)


def dump_files_and_credential(arguments: Sequence[str], config: Config) -> tuple[list[str], Credential | None]:
    """The files that the command line of dumpinfo names, and the credential that it names, if it does.

    A file is named by a path, by ``directory:file``, by a bare name in DIRECTORY, or by the URI of an object.

    :raises UsageError: a name is wrong, there is no such directory or no grant to read in it, or no such credential.
    """
    matches = [_DUMPINFO.fullmatch(argument) for argument in arguments]
    given = {match["name"].upper(): match["value"] for match in matches if match is not None}
    words = [word for word, match in zip(arguments, matches, strict=True) if match is None]
    credential = given.get("CREDENTIAL")
    names = [_dump_file(word, given.get("DIRECTORY"), config, credential) for word in words]
    return names, None if credential is None else config.unlock(credential)


def _dump_file(text: str, directory: str | None, config: Config, credential: str | None) -> str:
    if templates.is_uri(text):
        return _object(text, "FILE", config, credential)
    where, slash, name = text.rpartition("/")
    if not slash or ":" in name:
        return str(_file(text, "FILE", directory, config, "READ", ".dmp"))
    return str(config.directory(where or slash, "READ") / name)


def reject_file(text: str, config: Config) -> Path:
    """The reject file that the command line of retry-rejects names: a path, ``directory:file``, or a name in DIRECTORY.

    Others come to be beside it.

    :raises UsageError: the name is wrong, there is no such directory or no grant to write in it.
    """
    where, slash, name = text.rpartition("/")
    if not slash or ":" in name:
        return _file(text, "FILE", None, config, "WRITE", ".ndjson")
    return config.directory(where or slash, "WRITE") / name


def with_credential(secrets: Secrets, name: str | None, config: Config) -> Secrets:
    """The same secrets, with those of a configured credential, if one is named.

    :raises InvalidCredential: its secret key cannot be had.
    """
    return secrets if name is None else replace(secrets, credential=config.unlock(name))


# --- values ---------------------------------------------------------------------------------------------------------


def _parallel(request: Request) -> Degrees:
    return degrees(split(request.one("PARALLEL") or "1", "PARALLEL"))


def seconds(text: str) -> int:
    """The interval of STATUS.

    :raises InvalidValue: it is no number.
    """
    if not re.fullmatch(r"[0-9]{1,6}", text):
        raise InvalidValue(name="STATUS", detail=f"'{text}' is no number of seconds")
    return int(text)


def _estimate(request: Request) -> Estimation | None:
    method = request.choice("ESTIMATE")
    return cast("Estimation | None", method or ("BLOCKS" if request.flag("ESTIMATE_ONLY") else None))


def _job_name(request: Request) -> str | None:
    name = request.one("JOB_NAME")
    if name is not None and not _JOB_NAME.fullmatch(name):
        detail = f"'{name}' is no identifier: a letter, then up to 62 letters, digits, _, $ and #"
        raise InvalidValue(name="JOB_NAME", detail=detail)
    if name is not None and name.lower().startswith(_SQLITES_OWN):
        raise InvalidValue(name="JOB_NAME", detail=f"'{name}': SQLite keeps names that begin with {_SQLITES_OWN} to itself")
    return name


def _table_exists_action(request: Request, content: Content) -> TableExistsAction:
    action = cast(TableExistsAction | None, request.choice("TABLE_EXISTS_ACTION"))
    if content == "DATA_ONLY" and action in {"SKIP", "REPLACE"}:
        raise ActionNeedsMetadata(action=action)
    return action or ("APPEND" if content == "DATA_ONLY" else "SKIP")


def _access_method(client: Client, request: Request) -> AccessMethod:
    method = request.choice("ACCESS_METHOD") or "AUTOMATIC"
    if client == "expdp" and method.startswith(("CONVENTIONAL", "INSERT")):
        raise InvalidValue(name="ACCESS_METHOD", detail=f"rows are never unloaded by {method}: it is for imports")
    return cast(AccessMethod, "CONVENTIONAL_PATH" if method == "CONVENTIONAL" else method)


def _data_options(client: Client, request: Request) -> tuple[DataOption, ...]:
    """The values of DATA_OPTIONS, each once.

    :raises UnsupportedParameter: one that is refused by name.
    :raises InvalidValue: one that there is not.
    """
    given = dict.fromkeys(unquoted(item, "DATA_OPTIONS").upper() for item in request.items("DATA_OPTIONS"))
    for option in given:
        if option in params.REFUSED_DATA_OPTIONS:
            raise UnsupportedParameter(name=f"DATA_OPTIONS={option}", reason=params.REFUSED_DATA_OPTIONS[option])
        if option not in params.DATA_OPTIONS[client]:
            known = ", ".join(params.DATA_OPTIONS[client])
            raise InvalidValue(name="DATA_OPTIONS", detail=f"'{option}' is none of {known}")
    if "CONTINUE_LOAD_ON_FORMAT_ERROR" in given and "NETWORK_LINK" in request:
        detail = "CONTINUE_LOAD_ON_FORMAT_ERROR is about a dump file set, and NETWORK_LINK reads none"
        raise ConflictingParameters(detail=detail)
    return tuple(cast("DataOption", option) for option in given)


def _reject_limit(request: Request, options: Sequence[DataOption]) -> int | None:
    text = request.one("REJECT_LIMIT")
    if text is None:
        return None
    if not _REJECTING & {*options}:
        detail = (
            "REJECT_LIMIT needs DATA_OPTIONS=SKIP_CONSTRAINT_ERRORS or REJECT_ROWS_WITH_REPL_CHAR: else no row is rejected"
        )
        raise ConflictingParameters(detail=detail)
    if text.upper() == "UNLIMITED":
        return None
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise InvalidValue(name="REJECT_LIMIT", detail=f"'{text}' is neither a number of rows nor UNLIMITED")
    return int(text)


def _beside_the_log(ending: str, request: Request, config: Config) -> Path:
    """A file of an import, beside the log and named as it; without a log in DIRECTORY.

    :raises UsageError: nobody may write there.
    """
    log = _logfile("impdp", request, config)
    if log is not None:
        return log.with_name(f"{log.stem}{ending}")
    return _file(f"import{ending}", "DATA_OPTIONS", request.one("DIRECTORY"), config, "WRITE", "")


def _orphan_file(client: Client, request: Request, config: Config) -> Path | None:
    """Where an import lists rows that refer to none; None: it is to write no files, and only counts them."""
    without = request.flag("NOLOGFILE") and request.one("DIRECTORY") is None
    if client != "impdp" or request.one("SQLFILE") is not None or without:
        return None
    try:
        return _beside_the_log(ORPHANS, request, config)
    except UsageError:
        return None


def _policies(request: Request) -> tuple[PolicySetting, ...]:
    """The items of POLICY.

    :raises ConflictingParameters: two of them say different things about the same.
    """
    found: dict[PolicySetting, PolicySetting] = {}
    for item in request.items("POLICY"):
        setting = _policy(item)
        other = found.setdefault(replace(setting, action="refuse"), setting)
        if other != setting:
            raise ConflictingParameters(detail=f"POLICY={other} and POLICY={setting} exclude each other")
    return tuple(found.values())


_OWN_VALUE = re.compile(r"(?P<case>[^='\"]*)=\s*(?P<value>'(?:[^']|'')*')", re.DOTALL)


def _policy(item: str) -> PolicySetting:
    """``[[schema.]table[.column]:|type:name:]case=action``, or a value in single quotes as the action.

    :raises InvalidValue: it is not that.
    """
    *where, what = split(item, "POLICY", ":")
    own = _OWN_VALUE.fullmatch(what)
    case, equals, action = (own["case"], "=", own["value"]) if own is not None else what.rpartition("=")
    case, action = case.strip().lower(), action.strip() if own is not None else action.strip().lower()
    if not equals or len(where) > 2 or (len(where) == 2 and where[0].lower() != "type"):
        detail = f"{item} is not [[schema.]table[.column]:]case=action or type:name:case=action"
        raise InvalidValue(name="POLICY", detail=detail)
    if case not in policies.CASES:
        raise InvalidValue(name="POLICY", detail=f"'{case}' is none of {', '.join(policies.CASES)}")
    known = policies.CASES[Misfit(case)]
    if action not in known.actions and not (own is not None and known.takes_value):
        value = ", or a value in single quotes" if known.takes_value else ""
        said = action if own is not None else f"'{action}'"
        raise InvalidValue(name="POLICY", detail=f"{said} is none of {', '.join(known.actions)}{value}: {case}")
    setting = PolicySetting(Misfit(case), action)
    if len(where) == 2:
        type_ = unquoted(where[1], "POLICY").lower()
        if type_ not in policies.TYPES:
            raise InvalidValue(name="POLICY", detail=f"'{type_}' is none of the types {', '.join(policies.TYPES)}")
        if policies.TYPES[type_] not in OF_TYPES[known.misfit]:
            can = ", ".join(misfit for misfit, types in OF_TYPES.items() if policies.TYPES[type_] in types)
            raise InvalidValue(name="POLICY", detail=f"values of {type_} are never {case}; they can be {can}")
        return replace(setting, type=type_)
    names = tuple(dotted(where[0], "POLICY")) if where else ()
    if len(names) > 3:
        raise InvalidValue(name="POLICY", detail=f"{where[0]} has more than a schema, a table and a column")
    return replace(setting, names=names)


def _column_type(item: str) -> ColumnType:
    """``[schema.]table.column:type``.

    :raises InvalidValue: it is not that.
    """
    names, *types = split(item, "COLUMN_TYPE", ":")
    parts = dotted(names, "COLUMN_TYPE")
    if len(types) != 1 or len(parts) not in {2, 3}:
        raise InvalidValue(name="COLUMN_TYPE", detail=f"{item} is not [schema.]table.column:type")
    chosen(types[0])
    return ColumnType(tuple(parts), types[0].lower())


def _transportable(request: Request) -> bool:
    choice = request.choice("TRANSPORTABLE") or "NEVER"
    if choice not in {"ALWAYS", "NEVER"}:
        reason = "it is about Oracle's tablespaces: there is nothing here that a copied data file would have rebuilt"
        raise UnsupportedParameter(name=f"TRANSPORTABLE={choice}", reason=reason)
    return choice == "ALWAYS"


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
_COMPARISONS = "= 'A', != 'A', <, <=, >, >=, [NOT] IN ('A', …), [NOT] LIKE 'A%'"
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
        raise InvalidValue(name=parameter, detail=f"{text} is none of {_COMPARISONS}")
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


_QUOTED = r"""{string}|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\$(\w*)\$.*?\$\1\$|--[^\n]*|/\*.*?\*/"""
_UNREAD = tuple(
    re.compile(_QUOTED.format(string=string), re.DOTALL) for string in (r"'(?:[^']|'')*'", r"'(?:[^'\\]|\\.|'')*'")
)
"""What of a condition says nothing of its clauses; a backslash escapes in the texts of some databases only."""
_CLAUSE = re.compile(
    r"[()]|;|\b(?:ORDER\s+BY|GROUP\s+BY|HAVING|UNION|INTERSECT|EXCEPT|LIMIT(?=\s*[\d(])|FETCH\s+(?:FIRST|NEXT)|OFFSET(?=\s+\d))",
    re.IGNORECASE,
)


def _beyond_condition(condition: str) -> str | None:
    """The first clause of a query that stands outside a condition's parentheses, or the parenthesis that opens nothing."""
    found = [_first_clause(unread.sub(" ", condition)) for unread in _UNREAD]
    return found[0] if None not in found else None


def _first_clause(text: str) -> str | None:
    depth = 0
    for match in _CLAUSE.finditer(text):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if depth < 0 or (depth == 0 and match[0] not in "()"):
            return " ".join(match[0].upper().split())
    return None


def _query(text: str) -> TableQuery:
    match = _QUERY.fullmatch(text)
    if match is None:
        raise InvalidValue(name="QUERY", detail=f'{text} is not [[schema.]table:]"WHERE condition"')
    condition = unquoted(match["clause"], "QUERY").strip()[len("WHERE") :].strip()
    if not condition:
        raise InvalidValue(name="QUERY", detail=f"{text} has no condition")
    if (clause := _beyond_condition(condition)) is not None:
        detail = f"{text} is more than a condition, by its {clause}: a table is read in parts, each by itself"
        raise InvalidValue(name="QUERY", detail=detail)
    table = None if match["table"] is None else _table_name(match["table"], "QUERY")
    return TableQuery(table, condition)
