"""Every parameter of the two clients, one row each, and how their values are written.

Parser, PARFILE, HELP and the reference page all come from :data:`PARAMETERS`. Values follow Data Pump's syntax: lists with
commas, in parentheses if one likes; double quotes around what holds special characters; a parameter that takes a list may be
repeated. Quotes that a shell has taken away are not missed where the value reads without them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from migrator import files
from migrator.errors import (
    ConflictingParameters,
    InvalidValue,
    UnknownParameter,
    UnreadableParfile,
    UnsupportedParameter,
    nearest,
)

Client = Literal["expdp", "impdp"]
EXPDP: frozenset[Client] = frozenset({"expdp"})
IMPDP: frozenset[Client] = frozenset({"impdp"})
BOTH = EXPDP | IMPDP

LATER = "not supported yet"
USERID = "USERID"
"""The parameter that names the database as the first word does."""


@dataclass(frozen=True)
class Parameter:
    """One parameter.

    ``value`` shows how a value is written. ``choices``: all values it takes, where they are few. ``many``: it takes a list
    and may be repeated. ``refusal``: why it cannot be used, empty where it can. ``bare``: the name may stand
    without a value.
    """

    name: str
    clients: frozenset[Client]
    summary: str
    value: str = ""
    default: str = ""
    example: str = ""
    choices: tuple[str, ...] = ()
    many: bool = False
    refusal: str = ""
    bare: bool = False


DATA_OPTIONS: Mapping[Client, tuple[str, ...]] = {
    "expdp": ("GROUP_PARTITION_TABLE_DATA",),
    "impdp": (
        *("SKIP_CONSTRAINT_ERRORS", "CONTINUE_LOAD_ON_FORMAT_ERROR", "DISABLE_APPEND_HINT"),
        *("TRUST_EXISTING_TABLE_PARTITIONS", "REJECT_ROWS_WITH_REPL_CHAR", "VALIDATE_TABLE_DATA"),
    ),
}
"""The values of DATA_OPTIONS."""

REFUSED_DATA_OPTIONS = {
    "ENABLE_NETWORK_COMPRESSION": f"it is {LATER}",
    "VERIFY_STREAM_FORMAT": f"it is {LATER}",
    "XMLTYPE_CLOB": "a dump file set has XML as text in any case",
}
"""The values that Data Pump has besides, and why each is refused."""


def _flag(name: str, clients: frozenset[Client], summary: str) -> Parameter:
    return Parameter(name, clients, summary, "YES | NO", "NO", f"{name}=YES", ("YES", "NO"))


def _refused(reason: str, clients: frozenset[Client], summaries: Mapping[str, str]) -> Iterator[Parameter]:
    return (Parameter(name, clients, summary, refusal=reason) for name, summary in summaries.items())


SUPPORTED = (
    Parameter(
        "ACCESS_METHOD",
        BOTH,
        "The access method for all tables, instead of the fastest that the rules allow each of them. Where a rule bars it, "
        "the job is refused with the table and the rule. CONVENTIONAL_PATH, or CONVENTIONAL: impdp only. INSERT_AS_SELECT: "
        "impdp with NETWORK_LINK only.",
        "AUTOMATIC | DIRECT_PATH | EXTERNAL_TABLE | CONVENTIONAL_PATH | INSERT_AS_SELECT",
        "AUTOMATIC",
        "ACCESS_METHOD=EXTERNAL_TABLE",
        ("AUTOMATIC", "DIRECT_PATH", "EXTERNAL_TABLE", "CONVENTIONAL_PATH", "CONVENTIONAL", "INSERT_AS_SELECT"),
    ),
    Parameter(
        "ATTACH",
        BOTH,
        "Attach to a job and enter interactive-command mode. Besides it only what opens its ends can be given: connections, "
        "that of NETWORK_LINK included, and encryption passwords.",
        "[schema or owner.]job",
        "the only job, if there is one",
        "ATTACH=nightly",
        bare=True,
    ),
    Parameter(
        "CHECKSUM",
        EXPDP,
        "Put into each dump file a checksum of all its bytes.",
        "YES | NO",
        "NO; with CHECKSUM_ALGORITHM: YES",
        "CHECKSUM=YES",
        ("YES", "NO"),
    ),
    Parameter(
        "CHECKSUM_ALGORITHM",
        EXPDP,
        "The algorithm of the checksums.",
        "CRC32 | SHA256 | SHA384 | SHA512",
        "SHA256",
        "CHECKSUM_ALGORITHM=SHA512",
        ("CRC32", "SHA256", "SHA384", "SHA512"),
    ),
    Parameter(
        "COLUMN_TYPE",
        IMPDP,
        "The type that a column is made with, instead of its own: boolean, smallint, integer, bigint or decimal(p,s) for "
        "numbers, date for timestamps, uuid or json for texts, uuid or uuid_swapped for 16 bytes, text for all but bytes, "
        "binary for texts, array for MySQL's SET, ignore_case or ignore_accents for texts. A value that does not fit is "
        "refused with the column's name. "
        "PROFILE proves which would fit. Names are those of the source. Ours: Data Pump has none.",
        "[schema.]table.column:type[, …]",
        "as the types of the source say",
        "COLUMN_TYPE=emp.active:boolean,emp.hired:date",
        many=True,
    ),
    Parameter(
        "COMPRESSION",
        EXPDP,
        "What is compressed in the dump file set.",
        "ALL | DATA_ONLY | METADATA_ONLY | NONE",
        "METADATA_ONLY",
        "COMPRESSION=ALL",
        ("ALL", "DATA_ONLY", "METADATA_ONLY", "NONE"),
    ),
    Parameter(
        "COMPRESSION_ALGORITHM",
        EXPDP,
        "How rows are compressed; needs COMPRESSION=ALL or DATA_ONLY. LOW is LZ4, the others are zstd at levels 1, 3 and 9.",
        "BASIC | LOW | MEDIUM | HIGH",
        "BASIC",
        "COMPRESSION_ALGORITHM=MEDIUM",
        ("BASIC", "LOW", "MEDIUM", "HIGH"),
    ),
    Parameter(
        "CONTENT",
        BOTH,
        "What moves: objects with their rows, rows only, or objects only.",
        "ALL | DATA_ONLY | METADATA_ONLY",
        "ALL",
        "CONTENT=METADATA_ONLY",
        ("ALL", "DATA_ONLY", "METADATA_ONLY"),
    ),
    Parameter(
        "CREDENTIAL",
        BOTH,
        "What opens the way to dump files in an object store: a credential of the configuration file.",
        "name",
        "as the environment and the machine have it, unless only_directory_objects is set",
        "CREDENTIAL=archive",
    ),
    Parameter(
        "DIRECTORY",
        BOTH,
        "The directory of the dump, log and SQL files: a directory object of the configuration file, or a path.",
        "name or path",
        "the environment variable DATA_PUMP_DIR, else the directory object DATA_PUMP_DIR, else the current directory",
        "DIRECTORY=/backup",
    ),
    Parameter(
        "DUMPFILE",
        BOTH,
        "The files of the dump set, each in DIRECTORY or in a directory of its own; or, all of them, objects of a store "
        "that speaks S3, in an export by names with %U or %L. %U counts 01 to 99, %L goes on to 2147483646; exporting, "
        "%D, %M, %Y and %T stand for day, month, year and all three; %% is a percent sign.",
        "[directory:]file[, …] | s3://bucket/key[, …]",
        "expdat.dmp",
        "DUMPFILE=hr%U.dmp",
        many=True,
    ),
    _flag(
        "DIGEST",
        EXPDP,
        "Record digests of the rows, of each granule and column: migrator verify then compares a target with the dump file "
        "set without reading the set's rows, where types were not converted.",
    ),
    Parameter(
        "ENCRYPTION",
        EXPDP,
        "What is encrypted in the dump file set.",
        "ALL | DATA_ONLY | METADATA_ONLY | ENCRYPTED_COLUMNS_ONLY | NONE",
        "NONE; with a password: ALL",
        "ENCRYPTION=ALL",
        ("ALL", "DATA_ONLY", "METADATA_ONLY", "ENCRYPTED_COLUMNS_ONLY", "NONE"),
    ),
    Parameter(
        "ENCRYPTION_ALGORITHM",
        EXPDP,
        "The cipher; needs ENCRYPTION or a password.",
        "AES128 | AES192 | AES256",
        "AES128",
        "ENCRYPTION_ALGORITHM=AES256",
        ("AES128", "AES192", "AES256"),
    ),
    Parameter(
        "ENCRYPTION_MODE",
        EXPDP,
        "What opens the dump file set: a password, the key file of the configuration file, or either; needs ENCRYPTION or a "
        "password.",
        "PASSWORD | TRANSPARENT | DUAL",
        "TRANSPARENT; with a password: PASSWORD, or DUAL where there is a key file",
        "ENCRYPTION_MODE=DUAL",
        ("PASSWORD", "TRANSPARENT", "DUAL"),
    ),
    Parameter(
        "ENCRYPTION_PASSWORD",
        BOTH,
        "The password of the dump file set. Others may see it in the shell's history: the environment variable "
        "MIGRATOR_ENCRYPTION_PASSWORD and ENCRYPTION_PWD_PROMPT are safer.",
        "text",
        "MIGRATOR_ENCRYPTION_PASSWORD",
        "ENCRYPTION_PASSWORD=swordfish",
    ),
    Parameter(
        "DATA_OPTIONS",
        EXPDP,
        "How rows are unloaded. GROUP_PARTITION_TABLE_DATA: a partitioned table's rows are one granule, whatever its "
        "partitions.",
        " | ".join(DATA_OPTIONS["expdp"]),
        example="DATA_OPTIONS=GROUP_PARTITION_TABLE_DATA",
        many=True,
    ),
    Parameter(
        "DATA_OPTIONS",
        IMPDP,
        "How rows are loaded. SKIP_CONSTRAINT_ERRORS: rows that break a constraint, or have a value that its column cannot "
        "have, go to a reject file beside the log, and the others are loaded. CONTINUE_LOAD_ON_FORMAT_ERROR: a granule of "
        "rows that lies in a damaged part of the dump file set is left out, and the log says how many rows are lost. "
        "DISABLE_APPEND_HINT: no table is loaded by the direct path. TRUST_EXISTING_TABLE_PARTITIONS: partitioned tables "
        "that exist may be. REJECT_ROWS_WITH_REPL_CHAR: rows with a text that the target's character set does not have go "
        "to the reject file; no replacement character is stored in any case. VALIDATE_TABLE_DATA: each value is looked at "
        "before it is sent, whether it is one of its column's type.",
        " | ".join(DATA_OPTIONS["impdp"]) + "[, …]",
        example="DATA_OPTIONS=SKIP_CONSTRAINT_ERRORS",
        many=True,
    ),
    _flag("ENCRYPTION_PWD_PROMPT", BOTH, "Ask for the password of the dump file set."),
    Parameter(
        "ESTIMATE",
        BOTH,
        "Log how large the rows of each table are, before they move: by what they take on disk, or by the database's "
        "statistics, where a table has them. QUERY, compression and encryption are not reckoned with. impdp: with "
        "NETWORK_LINK only.",
        "BLOCKS | STATISTICS",
        "no estimate; with ESTIMATE_ONLY: BLOCKS",
        "ESTIMATE=STATISTICS",
        ("BLOCKS", "STATISTICS"),
    ),
    _flag("ESTIMATE_ONLY", EXPDP, "Log how large the rows are, and export nothing; there is no dump file."),
    Parameter(
        "EXCLUDE",
        BOTH,
        "Object types to leave out, or those of them that a name clause names, with what depends on them. Types and "
        "sequences that tables of the job need stay, and the log says so.",
        'type[:"name clause"][, …]',
        example="EXCLUDE=TABLE:\"LIKE 'TMP%'\",TRIGGER",
        many=True,
    ),
    Parameter(
        "FILESIZE",
        EXPDP,
        "The most bytes of a dump file, at least 40K; 0: no limit. A full file is followed by the next that DUMPFILE names.",
        "number[K | M | G | T]",
        "no limit; of an object 100000M, which is the most",
        "FILESIZE=2G",
    ),
    Parameter(
        "FLASHBACK_SCN",
        BOTH,
        "Read rows in the state that somebody holds: PostgreSQL only, by the name that pg_export_snapshot() gives it, while "
        "its session is there; a job that is started again needs it again. impdp: with NETWORK_LINK only.",
        "name of an exported snapshot",
        "the state that the job begins with",
        "FLASHBACK_SCN=00000003-0000001B-1",
    ),
    Parameter(
        "FLASHBACK_TIME",
        BOTH,
        "Read rows in a past state: MariaDB only, of system-versioned tables, whose history goes by each statement's time. "
        "A table that keeps no history, or none of a column, or was made or altered later, is refused, as is one that "
        "numbers transactions instead of their times; history that was deleted is not missed. "
        "Objects, and where generators stand, are as they are now. In UTC unless an offset follows. SYSTIMESTAMP is "
        "the state that the job begins with, in which every job reads any database. impdp: with NETWORK_LINK only.",
        "'YYYY-MM-DD HH:MM:SS' | TO_TIMESTAMP('text', 'format') | SYSTIMESTAMP",
        "SYSTIMESTAMP",
        "FLASHBACK_TIME='2024-02-29 12:00:00'",
    ),
    Parameter(
        "FRACTIONAL_SECONDS",
        IMPDP,
        "How many digits after the second a DATETIME, TIMESTAMP or TIME of SQLite gets in a database that has types: those "
        "of its rows, which so come back as they are written, or those that its declaration lets in (six, or n of "
        "DATETIME(n)), so that later times keep theirs.",
        "ROWS | DECLARED",
        "ROWS",
        "FRACTIONAL_SECONDS=DECLARED",
        ("ROWS", "DECLARED"),
    ),
    _flag(
        "FULL",
        BOTH,
        "Move all schemas, but for the system's own. Roles, accounts and tablespaces of the server are named, not moved.",
    ),
    _flag("HELP", BOTH, "Show the parameters and do nothing else."),
    Parameter(
        "INCLUDE",
        BOTH,
        "Object types to move, or those of them that a name clause names, with what depends on them; nothing else moves.",
        'type[:"name clause"][, …]',
        example="INCLUDE=TABLE:\"IN ('EMP', 'DEPT')\",VIEW",
        many=True,
    ),
    Parameter("JOB_NAME", BOTH, "The job's name.", "name", "such as SYS_EXPORT_SCHEMA_01", "JOB_NAME=nightly"),
    _flag("KEEP_MASTER", BOTH, "Keep the master table when the job has completed."),
    Parameter(
        "LEDGER",
        IMPDP,
        "The loss list as JSON: each change of type or meaning with its object, rule, policy and number of rows. Ours: Data "
        "Pump has none.",
        "[directory:]file",
        "none is written",
        "LEDGER=import.json",
    ),
    Parameter("LOGFILE", BOTH, "The log file.", "[directory:]file", "export.log, import.log", "LOGFILE=nightly.log"),
    Parameter(
        "LOGTIME",
        BOTH,
        "Which messages carry the time: none, those on the terminal, those in the log file, or all.",
        "NONE | STATUS | LOGFILE | ALL",
        "NONE",
        "LOGTIME=ALL",
        ("NONE", "STATUS", "LOGFILE", "ALL"),
    ),
    _flag(
        "MASTER_ONLY",
        IMPDP,
        "Import the master table of the dump file set only, and leave it under the job's name: it says what the set holds.",
    ),
    Parameter(
        "MASTER_TABLE",
        BOTH,
        "Where the job's master table is: in the job's database, or in a SQLite database of this machine's user, for "
        "sources that are read-only and users who may not create tables. A SQLite file's exports have it there always.",
        "DATABASE | LOCAL",
        "DATABASE",
        "MASTER_TABLE=LOCAL",
        ("DATABASE", "LOCAL"),
    ),
    _flag("METRICS", BOTH, "Log workers, object counts, seconds and access methods."),
    Parameter(
        "NETWORK_LINK",
        BOTH,
        "The database that objects and rows come from: a URL, or a link or connection of the configuration file. impdp: "
        "they are imported directly, without a dump. expdp: they are exported; the job and its master table are in the "
        "database that the client connects to, so that the linked one may be read-only.",
        "URL or name",
        example="NETWORK_LINK=mysql://hr@db1/hr",
    ),
    _flag("NOLOGFILE", BOTH, "Write no log file."),
    Parameter(
        "NUMBER_TYPES",
        IMPDP,
        "What whole numbers of a database without integer types, such as Oracle's NUMBER(10), become in one that has them: "
        "integers that hold every value, or the narrower ones that people give such columns (32 bits up to NUMBER(11) and "
        "for INTEGER, 64 bits up to NUMBER(20)), where a value that does not fit is refused.",
        "EXACT | NARROW",
        "EXACT",
        "NUMBER_TYPES=NARROW",
        ("EXACT", "NARROW"),
    ),
    Parameter(
        "PARALLEL",
        BOTH,
        "How many workers move rows at once; in a window of the day, by the clock of the machine that the job runs on, as "
        "many as it says: PARALLEL=2,22:00-06:00=8 is 8 in the night, 2 by day. A job that runs goes from one number to "
        "the other as PARALLEL at its prompt does. Windows do not overlap. Ours: Data Pump's is a number.",
        "number | [number,]hh:mm-hh:mm=number[, …]",
        "1",
        "PARALLEL=4",
    ),
    Parameter(
        "PARALLEL_THRESHOLD",
        BOTH,
        "About how many bytes of a table are one granule: what a worker takes at once, and a restart does again at most.",
        "integer[K | M | G]",
        "64M",
        "PARALLEL_THRESHOLD=256M",
    ),
    Parameter("PARFILE", BOTH, "A file of parameters, one NAME=value a line.", "path", example="PARFILE=nightly.par"),
    Parameter(
        "POLICY",
        IMPDP,
        "What becomes of values that have no place at the target, by case: refuse fails the table and loses nothing, "
        "convert changes them as the case says and counts the rows in the loss list, warn is convert with exit code 5, "
        "relax is convert into columns that are made without NOT NULL, and a value in single quotes is put instead. The "
        "most specific setting holds: a column's, then a table's, a type's, and the one without a name. Ours: Data Pump has "
        "none. The cases are in docs/policies.md.",
        "[[schema.]table[.column]: | type:name:]case=action | case='value'[, …]",
        "refuse, of every case but collation",
        "POLICY=zero_date=convert,hr.emp:too_long=warn",
        many=True,
    ),
    _flag(
        "PROFILE",
        BOTH,
        "migrator plan only: look at all rows, and say which values have no place at the target, how many rows each loss "
        "is about, and which narrower types the values prove. impdp: with NETWORK_LINK. Ours: Data Pump has none.",
    ),
    Parameter(
        "QUERY",
        BOTH,
        "Which rows move: of one table, or, without a table, of all tables that have no QUERY of their own. "
        "The condition is in the source's SQL; importing a dump, in the target's. It has no ORDER BY and no LIMIT but in "
        "subqueries; their tables need the names of their schemas in PostgreSQL.",
        '[[schema.]table:]"WHERE condition"[, …]',
        example='QUERY=hr.emp:"WHERE salary > 1000"',
        many=True,
    ),
    Parameter(
        "REMAP_SCHEMA",
        IMPDP,
        "Make the objects of one schema in another.",
        "old:new[, …]",
        example="REMAP_SCHEMA=hr:public",
        many=True,
    ),
    Parameter(
        "REMAP_TABLE",
        IMPDP,
        "Make a table under another name.",
        "[schema.]old:new[, …]",
        example="REMAP_TABLE=hr.emp:employees",
        many=True,
    ),
    Parameter(
        "REJECT_LIMIT",
        IMPDP,
        "With SKIP_CONSTRAINT_ERRORS or REJECT_ROWS_WITH_REPL_CHAR among DATA_OPTIONS: how many rows of a table may be "
        "rejected; a table with more is not loaded.",
        "number | UNLIMITED",
        "UNLIMITED",
        "REJECT_LIMIT=100",
    ),
    _flag("REUSE_DUMPFILES", EXPDP, "Overwrite dump files that exist."),
    Parameter(
        "SCHEMAS",
        BOTH,
        "The schemas to move.",
        "schema[, …]",
        "the connected user's, unless FULL or TABLES is given; importing a dump: all in it",
        "SCHEMAS=hr,sales",
        many=True,
    ),
    Parameter(
        "SKIP_UNUSABLE_INDEXES",
        IMPDP,
        "Load tables that were there before the job although an index of theirs is unusable; a table with a unique index "
        "that is disabled is never loaded.",
        "YES | NO",
        "YES",
        "SKIP_UNUSABLE_INDEXES=NO",
        ("YES", "NO"),
    ),
    Parameter(
        "SQLFILE",
        IMPDP,
        "Write the DDL that the import would run into a file, and change no database. The target may then be a dialect "
        "only, such as oracle:",
        "[directory:]file",
        example="SQLFILE=hr.sql",
    ),
    Parameter(
        "STATUS",
        BOTH,
        "Show the job and its workers at this interval, in seconds; 0: only when asked.",
        "number",
        "0",
        "STATUS=60",
    ),
    Parameter(
        "TABLES",
        BOTH,
        "The tables to move; % stands for any text.",
        "[schema.]table[, …]",
        example="TABLES=hr.emp,hr.job%",
        many=True,
    ),
    Parameter(
        "TABLE_EXISTS_ACTION",
        IMPDP,
        "What to do with a table that exists: leave it, add the rows, empty it first, or drop and make it again. When rows "
        "came in, identities and serial columns of PostgreSQL go on after the last value, unless they stand beyond "
        "it; a sequence that no column owns stays where it is, and the loss list says so.",
        "SKIP | APPEND | TRUNCATE | REPLACE",
        "SKIP; with CONTENT=DATA_ONLY: APPEND",
        "TABLE_EXISTS_ACTION=REPLACE",
        ("SKIP", "APPEND", "TRUNCATE", "REPLACE"),
    ),
    Parameter(
        "TRANSPORTABLE",
        EXPDP,
        "Whether the data files are copied instead of the rows (MariaDB: those of InnoDB tables; SQLite: the database, with "
        "FULL=YES). The set is for the same kind of database only, of the same release or a later one. impdp needs no "
        "parameter. KEEP_READ_ONLY and NO_BITMAP_REBUILD are refused: they are about Oracle's tablespaces.",
        "ALWAYS | NEVER",
        "NEVER",
        "TRANSPORTABLE=ALWAYS",
        ("ALWAYS", "NEVER", "KEEP_READ_ONLY", "NO_BITMAP_REBUILD"),
    ),
    Parameter(
        USERID,
        BOTH,
        "The database, where it is not given as the first word: for parameter files.",
        "URL or name",
        "",
        "USERID=postgresql://hr@localhost/hr",
    ),
    _flag(
        "VERIFY",
        IMPDP,
        "When all is imported, compare the rows of each table with those it was loaded from; a difference is an error.",
    ),
    Parameter(
        "VERIFY_CHECKSUM",
        IMPDP,
        "Check the checksums of the dump files before anything is imported.",
        "YES | NO",
        "YES where there are checksums",
        "VERIFY_CHECKSUM=NO",
        ("YES", "NO"),
    ),
    _flag(
        "VERIFY_ONLY",
        IMPDP,
        "Check that the dump file set is complete, and its checksums, which it must have (CHECKSUM); import nothing.",
    ),
)

_ORACLE_ONLY = "it has no meaning for this database: only Oracle has {}"

REFUSED = (
    *_refused(
        f"it is {LATER}",
        BOTH,
        {
            "ABORT_STEP": "Stop the job after a step, for tests.",
            "CLUSTER": "Use workers on several machines.",
            "REMAP_DATA": "Change values by a function.",
            "TRANSPORT_FULL_CHECK": "Check that a transportable set is closed.",
            "VERSION": "Write or read objects as another release has them.",
            "VIEWS_AS_TABLES": "Move views as tables.",
        },
    ),
    *_refused(
        f"it is {LATER}",
        EXPDP,
        {
            "SAMPLE": "Export a percentage of the rows.",
        },
    ),
    *_refused(
        f"it is {LATER}",
        IMPDP,
        {
            "ONESTEP_INDEX": "Build each index in one step.",
            "PARTITION_OPTIONS": "What becomes of partitions.",
            "TRANSFORM": "Change storage clauses and the like.",
        },
    ),
    *_refused(
        f"a dump file set says by itself whether it has data files, and they are in it; over a NETWORK_LINK it is {LATER}",
        IMPDP,
        {
            "TRANSPORTABLE": "Copy data files instead of rows.",
            "TRANSPORT_DATAFILES": "The data files of a transportable set.",
        },
    ),
    *_refused(
        "a tablespace that can be copied is one table's, or the whole database: TRANSPORTABLE=ALWAYS moves it with TABLES, "
        "SCHEMAS or FULL",
        BOTH,
        {"TRANSPORT_TABLESPACES": "The tablespaces whose data files are copied."},
    ),
    *_refused(
        _ORACLE_ONLY.format("tablespaces that objects are moved by"),
        BOTH,
        {"TABLESPACES": "Move the tables of tablespaces."},
    ),
    *_refused(
        _ORACLE_ONLY.format("tablespaces and data files of this kind"),
        IMPDP,
        {
            "REMAP_DATAFILE": "Rename data files in DDL.",
            "REMAP_DIRECTORY": "Change the directory of data files in DDL.",
            "REMAP_TABLESPACE": "Make objects in another tablespace.",
            "REUSE_DATAFILES": "Overwrite existing data files.",
        },
    ),
    *_refused(_ORACLE_ONLY.format("containers"), IMPDP, {"REMAP_CONTAINER": "Change a container's name."}),
    *_refused(_ORACLE_ONLY.format("editions"), BOTH, {"SOURCE_EDITION": "The edition to read from."}),
    *_refused(_ORACLE_ONLY.format("editions"), IMPDP, {"TARGET_EDITION": "The edition to import into."}),
    *_refused(
        _ORACLE_ONLY.format("roles that a session may not enable"), BOTH, {"ENABLE_SECURE_ROLES": "Enable protected roles."}
    ),
    *_refused(
        _ORACLE_ONLY.format("services of a cluster; the URL names the server"),
        BOTH,
        {"SERVICE_NAME": "The service whose instances do the work."},
    ),
    *_refused(
        _ORACLE_ONLY.format("a log of transported data files"),
        EXPDP,
        {"TRANSPORT_DATAFILES_LOG": "Where the list of data files goes."},
    ),
    *_refused(
        _ORACLE_ONLY.format("sets of tablespaces that must be closed"),
        EXPDP,
        {"TTS_CLOSURE_CHECK": "How to check that a transportable set is closed."},
    ),
    *_refused(_ORACLE_ONLY.format("Streams"), IMPDP, {"STREAMS_CONFIGURATION": "Import the metadata of Streams."}),
)

PARAMETERS: tuple[Parameter, ...] = tuple(sorted((*SUPPORTED, *REFUSED), key=lambda row: row.name))
"""All parameters that Data Pump's clients have, by name. A name may have a row for each client."""


NAMES = frozenset(row.name for row in PARAMETERS)
"""The names of all parameters, of either client."""

_BARE = frozenset(row.name for row in PARAMETERS if row.bare)


def of_client(client: Client) -> dict[str, Parameter]:
    """The parameters of one client by their names."""
    return {row.name: row for row in PARAMETERS if client in row.clients}


SECRETS = frozenset({"ENCRYPTION_PASSWORD"})
"""Parameters whose values are shown nowhere, and taken as they are."""

# --- the command line -----------------------------------------------------------------------------------------------

_ASSIGNMENT = re.compile(r"\s*(?P<name>[A-Za-z][A-Za-z_]*)\s*=(?P<value>.*)\Z", re.DOTALL)


@dataclass(frozen=True)
class Request:
    """A command line taken apart: the words that are no parameter, and each parameter's values as written."""

    words: tuple[str, ...]
    values: Mapping[str, tuple[str, ...]]

    def one(self, name: str) -> str | None:
        """The value of a parameter that takes one; None: not given. Quotes around it are taken off."""
        given = self.values.get(name)
        return None if given is None else unquoted(given[0], name)

    def flag(self, name: str) -> bool:
        """Whether a YES/NO parameter says yes."""
        return self.choice(name) == "YES"

    def choice(self, name: str) -> str | None:
        """The value of a parameter with choices, in capitals; None: not given. Y and N mean YES and NO."""
        value = self.one(name)
        if value is None:
            return None
        choices = next(row.choices for row in PARAMETERS if row.name == name and row.choices)
        word = value.upper()
        if "YES" in choices:
            word = {"Y": "YES", "N": "NO"}.get(word, word)
        if word not in choices:
            raise InvalidValue(name=name, detail=f"'{value}' is none of {', '.join(choices)}")
        return word

    def items(self, name: str) -> list[str]:
        """The items of a parameter that takes a list, quotes kept."""
        return [item for value in self.values.get(name, ()) for item in split(value, name)]

    def __contains__(self, name: str) -> bool:
        return name in self.values


def parse(client: Client, arguments: Sequence[str]) -> Request:
    """The command line's parameters, those of its PARFILE included.

    An argument that ends in a comma is continued by the next. On the command line a parameter goes before the same one in
    the PARFILE; the items of lists add up.

    :raises UnknownParameter: a name that is no parameter of this client.
    :raises UnsupportedParameter: one that is refused by name.
    :raises ConflictingParameters: a parameter that takes one value is given twice.
    :raises UnreadableParfile: PARFILE cannot be read, or is wrong.
    """
    words, assignments = _assignments(arguments)
    values = _collect(client, assignments)
    parfile = values.pop("PARFILE", None)
    if parfile is not None:
        path = Path(unquoted(parfile[0], "PARFILE"))
        in_file = _collect(client, read_parfile(path))
        if "PARFILE" in in_file:
            raise UnreadableParfile(path=path, detail="it names another PARFILE")
        for name, given in in_file.items():
            values[name] = (*values.get(name, ()), *given) if _many(client, name) else values.get(name, given)
    return Request((*words, *(unquoted(value, USERID) for value in values.pop(USERID, ()))), values)


def _assignments(arguments: Sequence[str]) -> tuple[list[str], list[tuple[str, str]]]:
    words: list[str] = []
    found: list[tuple[str, str]] = []
    for argument in arguments:
        match = _ASSIGNMENT.match(argument)
        if found and found[-1][1].rstrip().endswith(",") and match is None and found[-1][0] not in SECRETS:
            name, value = found.pop()
            found.append((name, f"{value}{argument}"))
        elif match is not None:
            found.append((match["name"].upper(), match["value"].strip()))
        elif argument.upper() in _BARE:
            found.append((argument.upper(), ""))
        else:
            words.append(argument)
    return words, found


def _collect(client: Client, assignments: Sequence[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    known = of_client(client)
    values: dict[str, tuple[str, ...]] = {}
    for name, value in assignments:
        row = known.get(name)
        if row is None:
            raise UnknownParameter(name=name, hint=_hint(client, name))
        if row.refusal:
            raise UnsupportedParameter(name=name, reason=row.refusal)
        if not value and not row.bare:
            raise InvalidValue(name=name, detail="no value is given")
        if name in values and not row.many:
            raise ConflictingParameters(detail=f"{name} takes one value and is given twice")
        values[name] = (*values.get(name, ()), value)
    return values


def _hint(client: Client, name: str) -> str:
    other: Client = "impdp" if client == "expdp" else "expdp"
    return f" ({other} has it)" if name in of_client(other) else nearest(name, of_client(client))


def _many(client: Client, name: str) -> bool:
    return of_client(client)[name].many


# --- PARFILE --------------------------------------------------------------------------------------------------------


def read_parfile(path: Path) -> list[tuple[str, str]]:
    """The names and values in a parameter file.

    A line that begins with ``#`` is a comment. A value goes on in the next line after a backslash or a comma at its end,
    inside double quotes, and inside parentheses.

    :raises UnreadableParfile: the file is no ordinary one, cannot be read, or a line is no parameter.
    """
    try:
        text = files.small(path).decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise UnreadableParfile(path=path, detail=getattr(error, "strerror", None) or str(error)) from error
    found = []
    for number, statement in _statements(text.splitlines()):
        match = _ASSIGNMENT.match(statement)
        if match is None:
            raise UnreadableParfile(path=path, detail=f"line {number} is no NAME=value")
        found.append((match["name"].upper(), match["value"].strip()))
    return found


def _statements(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The parameters of a file as (number of the first line, text)."""
    text, first = "", 0
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("#") and not _open_quote(text):
            continue
        if not text:
            first = number
        text += line if _open_quote(text) else line.lstrip()
        text = text if _open_quote(text) else text.rstrip()
        if text.endswith("\\"):
            text = text[:-1]
        elif _open_quote(text):
            text += "\n"
        elif text and not text.endswith(",") and not _open_parenthesis(text):
            yield first, text
            text = ""
    if text.strip():
        yield first, text.strip()


def _open_quote(text: str) -> bool:
    return text.replace('\\"', "").count('"') % 2 == 1


def _open_parenthesis(text: str) -> bool:
    depth = sum({"(": 1, ")": -1}.get(letter, 0) for letter, quote in _letters(text) if quote is None)
    return depth > 0


# --- values ---------------------------------------------------------------------------------------------------------


def _letters(text: str) -> Iterator[tuple[str, Literal["'", '"'] | None]]:
    """Each letter with the quote it stands in (a quote stands in itself); None: outside quotes."""
    quote: Literal["'", '"'] | None = None
    before = ""
    for letter in text:
        if quote is not None:
            yield letter, quote
            if letter == quote and not (quote == '"' and before == "\\"):
                quote = None
        elif letter == '"' or letter == "'":
            quote = '"' if letter == '"' else "'"
            yield letter, quote
        else:
            yield letter, None
        before = letter


def _check_closed(text: str, name: str) -> None:
    """:raises InvalidValue: a quote or parenthesis is not closed."""
    depth, last = 0, None
    for letter, quote in _letters(f"{text} "):
        depth += {"(": 1, ")": -1}.get(letter, 0) if quote is None else 0
        last = quote
    if last is not None:
        raise InvalidValue(name=name, detail=f"no closing quote {last} in: {text}")
    if depth != 0:
        raise InvalidValue(name=name, detail=f"parentheses do not match in: {text}")


def split(value: str, name: str, separator: str = ",") -> list[str]:
    """The parts of ``value`` between separators outside quotes and parentheses; parentheses around it all are taken off.

    :raises InvalidValue: a part is empty, or a quote or parenthesis is not closed.
    """
    value = value.strip()
    _check_closed(value, name)
    if value.startswith("(") and _closes_at_end(value):
        value = value[1:-1]
    parts, depth = [""], 0
    for letter, quote in _letters(value):
        depth += {"(": 1, ")": -1}.get(letter, 0) if quote is None else 0
        if letter == separator and quote is None and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    parts = [part.strip() for part in parts]
    if not all(parts):
        raise InvalidValue(name=name, detail=f"an item is empty in: {value}")
    return parts


def _closes_at_end(value: str) -> bool:
    depth = 0
    for position, (letter, quote) in enumerate(_letters(value)):
        depth += {"(": 1, ")": -1}.get(letter, 0) if quote is None else 0
        if depth == 0:
            return position == len(value) - 1
    return False


def quoted_whole(text: str) -> bool:
    """Whether double quotes stand around all of ``text`` (a quote inside is doubled or follows a backslash)."""
    return re.fullmatch(r'"(?:[^"\\]|""|\\.)*"', text, re.DOTALL) is not None


def unquoted(text: str, name: str) -> str:
    """``text`` without the double quotes around it, if it has any.

    :raises InvalidValue: nothing is left.
    """
    text = text.strip()
    if quoted_whole(text):
        text = re.sub(r'""|\\"', '"', text[1:-1])
    if not text:
        raise InvalidValue(name=name, detail="a name is empty")
    return text


def dotted(text: str, name: str) -> list[str]:
    """The parts of a dotted name, quotes taken off: ``hr."my.table"`` is ``hr`` and ``my.table``."""
    return [unquoted(part, name) for part in split(text, name, ".")]
