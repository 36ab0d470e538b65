"""Every error a user can meet: one class, one code, one message template and one remedy each.

Codes that Data Pump has for a situation are used as they are (``ORA-``, ``UDE-``, ``UDI-``); situations that Data Pump
does not know carry a ``MIG-`` code. ``str(error)`` is one line, ``error.action`` says what to do about it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, ClassVar

_PASSWORD_IN_URL = re.compile(r"(?P<head>[a-zA-Z][\w+.-]*:/{1,2}[^:/?#@\s]*:)(?P<secret>\S*)@(?=[^@\s]*(?:[\s]|$))")
_PASSWORD_PARAMETER = re.compile(
    r"(?i)(?<!using )\b(?P<head>(?:[\w]*password|passwd|pwd)\s*[=:]\s*)(?P<secret>[^\s&,;'\"]+)"
)


def redact(text: str) -> str:
    """``text`` with every password in a URL or a ``password=`` item replaced by ``********``.

    A URL is known as one also where its slashes were folded, as in a path. MySQL's ``(using password: YES)`` stays.
    """
    text = _PASSWORD_IN_URL.sub(r"\g<head>********@", text)
    return _PASSWORD_PARAMETER.sub(r"\g<head>********", text)


_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))} | {9: "\\t", 10: "\\n", 13: "\\r"}


def visible(text: str) -> str:
    """``text`` with control characters as escapes: on one line, and without effect on a terminal."""
    return text.translate(_CONTROLS)


def abridged(text: str, length: int = 60) -> str:
    """``text`` as messages show it: ``length`` characters of it at most, then an ellipsis."""
    return text if len(text) <= length else f"{text[:length]}\N{HORIZONTAL ELLIPSIS}"


def nearest(word: str, known: Iterable[str]) -> str:
    """What a message proposes instead of a word that means nothing: the one of ``known`` that is near; empty: none is."""
    found = {name.casefold(): name for name in known}
    near = get_close_matches(word.casefold(), found, 1)
    return f" (the nearest: {found[near[0]]})" if near else ""


def is_text(text: str) -> bool:
    """Whether ``text`` can be written as UTF-8; Python has bytes that are none as lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


SECRET_ITEM = re.compile(r"password|passwd|pwd|secret|token", re.IGNORECASE)
"""What the name of a URL's query item holds if its value is a secret."""

_URL_PASSWORD = re.compile(r"(?P<head>://[^:/?#@]*:).*@", re.DOTALL)
_LOGON_PASSWORD = re.compile(r"(?P<head>^[A-Za-z][\w$#]*(?:/|:(?=.*@)))(?:.+(?=@[^@]*$)|[^@]+$)", re.DOTALL)
_URL_ITEM = re.compile(rf"(?P<head>[?&][^=&]*(?:{SECRET_ITEM.pattern})[^=&]*=)[^&]*", re.IGNORECASE)


def mask(reference: str) -> str:
    """A connection as typed (a URL, a name, or by habit ``user/password@host``, ``user:password@host``), its password as
    asterisks."""
    if "://" not in reference:
        return _LOGON_PASSWORD.sub(r"\g<head>********", reference)
    return _URL_ITEM.sub(r"\g<head>********", _URL_PASSWORD.sub(r"\g<head>********@", reference))


CONNECTIONS = frozenset({"NETWORK_LINK", "USERID"})
"""The parameters whose values are connections."""


def mask_argument(argument: str) -> str:
    """A word of a command line, a connection or ``NAME=value``, with its passwords shown as asterisks."""
    name, equals, value = argument.partition("=")
    if not equals or "://" in name:
        return redact(mask(argument))
    if name.strip().upper().endswith("PASSWORD"):
        return f"{name}=********"
    return redact(f"{name}={mask(value)}" if name.strip().upper() in CONNECTIONS else argument)


_OF_EXPORT, _OF_IMPORT = "UDE-", "UDI-"
"""How the codes of the two clients begin."""


class MigratorError(Exception):
    """Base of all errors. Subclasses set ``code``, ``template`` and ``action``; facts fill the template's fields."""

    code: ClassVar[str] = "MIG-00001"
    template: ClassVar[str] = "{message}"
    action: ClassVar[str] = ""

    def __init__(self, **facts: Any) -> None:
        super().__init__()
        self.facts = facts

    @property
    def message(self) -> str:
        """The filled template, passwords redacted."""
        return redact(self.template.format(**self.facts))

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    def explained(self, client: str = "") -> str:
        """The error as people read it: a line that says what is wrong, and one that says what to do about it.

        What the clients have in common ``impdp`` says under codes of its own.
        """
        text = str(self)
        if client == "impdp" and text.startswith(_OF_EXPORT):
            text = _OF_IMPORT + text.removeprefix(_OF_EXPORT)
        lines = [visible(" ".join(text.split("\n")))]
        if self.action:
            lines.append(f" Action: {visible(redact(self.action.format(**self.facts)))}")
        return "\n".join(lines)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.facts)


def _rebuild(kind: type[MigratorError], facts: dict[str, Any]) -> MigratorError:
    return kind(**facts)


# --- the command line and the request -------------------------------------------------------------------------------


class UsageError(MigratorError):
    """Base of errors in what the user asked for; nothing has been touched yet."""


class UnknownParameter(UsageError):
    """A parameter name Data Pump does not have."""

    code = "LRM-00101"
    template = "unknown parameter name '{name}'{hint}"
    action = "HELP=Y lists the parameters."


class UnknownOption(UnknownParameter):
    """A word of a command line that begins as an option does, and is none."""

    template = "unknown option '{name}'{hint}"
    action = "migrator help lists the commands and their options; a parameter is written NAME=value, without dashes."


class UnsupportedParameter(UsageError):
    """A Data Pump parameter that is known and refused by name."""

    code = "UDE-00901"
    template = "parameter {name} is known, but {reason}"
    action = "Remove it; nothing has been done."


class InvalidValue(UsageError):
    """A value that the parameter does not take."""

    code = "UDE-00014"
    template = "invalid value for parameter, '{name}': {detail}"
    action = "migrator help {name} shows what it takes."


class NotText(InvalidValue):
    """An argument, or a value from the environment, with bytes that are no text."""

    template = "invalid value for parameter, '{name}': {shown} has bytes that are no text in {encoding}"
    action = "Set a locale in whose encoding it is text, such as LC_ALL=C.UTF-8; a file whose name is none must be renamed."


class InvalidFile(InvalidValue):
    """A name that no file can have."""

    action = "Give {name} the name of another file."


class UnexpectedWord(InvalidValue):
    """A word of the command line that is no parameter, besides the connection."""

    action = "A parameter is written NAME=value; the shell needs quotes around a value with blanks."


class InvalidFormat(InvalidValue):
    """No form in which a plan or a verification is printed."""

    action = "FORMAT=JSON (or --json) prints JSON, FORMAT=TABLE, or nothing, a table."


class InvalidArgument(InvalidValue):
    """What a command of interactive-command mode does not take."""

    action = "HELP shows the commands and what they take."


class ConflictingParameters(UsageError):
    """Two parameters that exclude each other, or one that needs another."""

    code = "UDE-00010"
    template = "{detail}"
    action = "Remove or add one of them."


class IncompatibleParameters(ConflictingParameters):
    """Two parameters that Data Pump itself says exclude each other."""

    code = "ORA-39050"
    template = "parameter {one} is incompatible with parameter {other}"


class BadFlashbackTime(UsageError):
    """A FLASHBACK_TIME that is no time."""

    code = "ORA-39150"
    template = "bad flashback time '{value}': {detail}"
    action = "Write '2024-02-29 12:00:00', in UTC unless an offset follows, TO_TIMESTAMP('text', 'format'), or SYSTIMESTAMP."


class BadLease(UsageError):
    """A MIGRATOR_LEASE that is no time for a heart to beat."""

    code = "MIG-12165"
    template = "the environment variable MIGRATOR_LEASE is '{value}', which is no number of seconds above 0"
    action = "Set it to a number of seconds such as 10, or leave it out."


class ActionNeedsMetadata(UsageError):
    """A TABLE_EXISTS_ACTION that makes tables, in a job that moves rows only."""

    code = "ORA-39137"
    template = "cannot specify a TABLE_EXISTS_ACTION of {action} for a job with no metadata"
    action = "With CONTENT=DATA_ONLY a table's rows are appended (the default), or it is emptied first (TRUNCATE)."


class UnreadableParfile(UsageError):
    """A PARFILE that cannot be read or parsed."""

    code = "LRM-00109"
    template = "could not open or parse parameter file '{path}': {detail}"
    action = "A parameter file holds one NAME=value a line; lines starting with # are comments."


class InvalidDirectory(UsageError):
    """A directory that is not there, or a file name that carries a path."""

    code = "ORA-39087"
    template = "directory name {name} is invalid: {detail}"
    action = "Name an existing directory with DIRECTORY=, or define one in the configuration file."


class DirectoryNotGranted(InvalidDirectory):
    """A directory object on which the user has no such grant."""

    template = "directory name {name} is invalid: {access} on {object} is not granted to {user}"
    action = "Who owns the configuration file can grant {access} on {object} to {user}; or name another directory."


class DirectoryMissing(UsageError):
    """No directory object is named and there is no default, where paths are not taken."""

    code = "ORA-39145"
    template = "directory object parameter must be specified and non-null"
    action = "Name a directory object with DIRECTORY=, in the file's name (directory:file), or in DATA_PUMP_DIR."


class InvalidCredential(UsageError):
    """A CREDENTIAL that is not configured, or whose secret cannot be had."""

    code = "MIG-12161"
    template = "{name} is no usable credential: {detail}"
    action = "The configuration file has them as [credentials.{name}]."


class MissingCredential(UsageError):
    """An object of a store that no credential is named for, where the configuration alone says what may be reached."""

    code = "MIG-12162"
    template = "no CREDENTIAL is named for {name}"
    action = "With only_directory_objects, objects are reached by a credential of the configuration file only: CREDENTIAL=."


class InvalidFileName(UsageError):
    """A dump, log or SQL file name that would leave its directory."""

    code = "ORA-39088"
    template = "file name cannot contain a path specification: {name}"
    action = "Put the path into DIRECTORY= and the bare name into {parameter}=."


class NothingSelected(UsageError):
    """The filters left no object."""

    code = "ORA-31655"
    template = "no data or metadata objects selected for job"
    action = "Check SCHEMAS, TABLES, INCLUDE and EXCLUDE against the names in the database (they are case-sensitive)."


class SchemaNotFound(UsageError):
    """A schema that the source does not have."""

    code = "ORA-39165"
    template = "Schema {schema} was not found."
    action = "Schemas there: {known}."


class CollationNotThere(UsageError):
    """A server that cannot have a collation which the job would make."""

    code = "MIG-10012"
    template = "collation {name} cannot be made: {detail}"
    action = "Leave ignore_case and ignore_accents out of COLUMN_TYPE, or take a server that has ICU, or another schema."


class ObjectNotFound(UsageError):
    """A table (or other object) that the source does not have."""

    code = "ORA-39166"
    template = "Object {name} was not found or could not be exported or imported."
    action = "Check the name: a name is that which is spelled exactly so, else the only one that differs in case alone."


class AmbiguousName(UsageError):
    """A name that fits several tables."""

    code = "MIG-10011"
    template = "{parameter} names {name}, which fits several tables: {found}"
    action = "Write the table with its schema, and exactly as it is spelled."


class ObjectPathNotFound(UsageError):
    """INCLUDE or EXCLUDE names an object type that does not exist."""

    code = "ORA-39168"
    template = "Object path {path} was not found."
    action = "Object types: {known}."


class TargetSchemaMissing(UsageError):
    """The target has one fixed schema and the objects are in another."""

    code = "ORA-39146"
    template = 'schema "{schema}" does not exist in {database}, which has only "{only}"'
    action = "Add REMAP_SCHEMA='\"{schema}\":{only}'."


class NamesCollide(UsageError):
    """Two objects of the plan would get one name."""

    code = "MIG-10010"
    template = "{first} and {second} would both be named {name} in {database}"
    action = "Rename one with REMAP_TABLE, a schema with REMAP_SCHEMA, or leave one out with EXCLUDE."


class ColumnsCollide(NamesCollide):
    """Two columns of one table would get one name."""

    action = "Rename one at the source, or leave the table out with EXCLUDE: an import renames no columns."


class UnknownCommand(UsageError):
    """A first word that is no command."""

    code = "MIG-10001"
    template = "'{name}' is no command"
    action = (
        "The commands are expdp, impdp, plan (of expdp or impdp), verify, refresh, jobs, dumpinfo, renames, retry-rejects "
        "and help; migrator help describes them."
    )


class MissingFile(UsageError):
    """A command about files without a file."""

    code = "MIG-10002"
    template = "no file is named"
    action = "Give the paths of dump files: migrator dumpinfo exp01.dmp"


class MissingRejectFile(MissingFile):
    """A command about a reject file without it."""

    action = "Give the path of a reject file and a connection: migrator retry-rejects import_rejects.ndjson sqlite:///hr.db"


class MissingConnection(UsageError):
    """A command line without a database."""

    code = "UDE-00004"
    template = "no database is named"
    action = "Give a URL such as postgresql://hr@localhost/hr, or the name of a connection from the configuration file."


class UnreadableConfig(UsageError):
    """A configuration file that cannot be read, is wrong, or shows a password to others."""

    code = "MIG-12160"
    template = "configuration file {path}: {detail}"
    action = "docs/tutorial.md shows one; a file that holds a password needs mode 0600."


class PasswordShown(UnreadableConfig):
    """A configuration file with a password that others can read."""


class UnusableLink(UnreadableConfig):
    """A link of the configuration file that is wrong."""

    action = "docs/links.md shows how links are written."


# --- connections ----------------------------------------------------------------------------------------------------


class FatalError(MigratorError):
    """Base of errors after which nothing else of the job can succeed either: the job stops instead of going on."""


class NotADatabase(MigratorError):
    """A file that should be a database and is none, or is damaged."""

    code = "MIG-12166"
    template = "{url} is no database, or is damaged: {detail}"
    action = "Name the file of a database, or bring it back from a copy; a dump file set is imported with DUMPFILE=."


class ReadOnlyDatabase(FatalError):
    """A database that can be read only."""

    code = "ORA-16000"
    template = "database is open for read-only access: {detail}"
    action = "Import into one that can be written. An export from this one needs MASTER_TABLE=LOCAL, and nothing else."


class ConnectionRefused(FatalError):
    """A database that cannot be reached or refuses the login."""

    code = "MIG-12541"
    template = "cannot connect to {url}: {detail}"
    action = "Check host, port, database name, user and password; is the server running?"


class InvalidLink(UsageError):
    """A configured link that no job can use, or not this one."""

    code = "ORA-39200"
    template = 'Link name "{name}" is invalid: {detail}'
    action = "Define the link as public or of a fixed user, or give NETWORK_LINK a URL."


class LinkRefused(MigratorError):
    """A linked database that the target's SQL cannot read as the job reads it."""

    code = "MIG-20010"
    template = "{detail}"
    action = "Leave ACCESS_METHOD out: rows are then streamed."


class NoPastState(MigratorError):
    """FLASHBACK_TIME asks for a state that the database, or a table, does not keep."""

    code = "ORA-08180"
    template = "no snapshot found based on specified time: {detail}"
    action = "Leave FLASHBACK_TIME out (every job reads one state, that of its beginning), or the tables that keep no past."


class NoNumberedState(MigratorError):
    """FLASHBACK_SCN names no state that the database has."""

    code = "ORA-08181"
    template = "specified number is not a valid system change number: {detail}"
    action = "Leave FLASHBACK_SCN out: every job reads one state, that of its beginning."


class InvalidUrl(UsageError):
    """A connection that is neither a SQLAlchemy URL nor a configured name."""

    code = "MIG-12154"
    template = "'{url}' is neither a database URL nor the name of a configured connection: {detail}"
    action = "A URL reads dialect://user@host:port/database, for example postgresql://hr@localhost/hr or sqlite:///hr.db."


class InvalidDatabaseFile(InvalidUrl):
    """A database file that cannot be named so."""

    template = "database file {url} cannot be used: {detail}"
    action = "Name another file, or set a locale in whose encoding its name can be written, such as LC_ALL=C.UTF-8."


class InvalidUrlParameter(InvalidUrl):
    """A URL with a parameter that the driver does not take."""

    template = "'{url}' cannot be used: {detail}"
    action = "Correct what stands after the ? of the URL, or leave it out."


class UnknownDialect(UsageError):
    """A URL of a database that no installed adapter speaks."""

    code = "MIG-12155"
    template = "no adapter for '{dialect}' is installed (installed: {known})"
    action = "Install a package that registers one under the entry point group migrator.dialects."


class MissingDriver(MigratorError):
    """The adapter is there, its driver package is not."""

    code = "MIG-12156"
    template = "the driver for {dialect} is not installed: {detail}"
    action = "pip install 'migrator-pump[{dialect}]'"


class MissingDatabaseFile(MigratorError):
    """A SQLite source that does not exist."""

    code = "MIG-12157"
    template = "database file {path} does not exist"
    action = "Check the path; an absolute path has four slashes: sqlite:////data/hr.db."


class NoConnection(UsageError):
    """An operation that needs a database got a dialect only."""

    code = "MIG-12158"
    template = "{operation} needs a connection, but '{url}' names a dialect only"
    action = "Give a full URL, or SQLFILE= to write a script without connecting."


class ScriptsOnly(UsageError):
    """A connection to a database whose adapter writes scripts only."""

    code = "MIG-12159"
    template = "{operation} is not supported for {database} yet: migrator writes scripts for it"
    action = "Write a script with SQLFILE= and run it with the database's own client."


class InsufficientPrivilege(MigratorError):
    """The database refused an action for lack of a privilege."""

    code = "ORA-31631"
    template = "privileges are required: {detail}"
    action = "Grant the privilege, or connect as a user who has it."


# --- files ----------------------------------------------------------------------------------------------------------


class OutputRefused(MigratorError):
    """The standard output takes no more."""

    code = "MIG-12164"
    template = "the standard output cannot be written: {detail}"
    action = "Send it elsewhere, or make room."


class LogNotShown(OutputRefused):
    """The standard output takes no more of a job's log."""

    action = "The job goes on, and this client waits for its end; LOGFILE has the log, and ATTACH shows the job."


class StateDirectoryRefused(MigratorError):
    """The directory of this machine's jobs cannot be used."""

    code = "MIG-12163"
    template = "directory {path}, for the record of jobs on this machine, cannot be used: {detail}"
    action = "Set XDG_STATE_HOME to a directory that can be written, or mend its permissions."


class StateDirectoryFull(FatalError):
    """The directory of this machine's jobs has no room for their records."""

    code = "MIG-12167"
    template = "directory {path}, for the record of jobs on this machine, takes no more: {detail}"
    action = (
        "What was not committed is rolled back. Make room there, or mend the disk; then ATTACH to the job and START_JOB. "
        "The records of new jobs can be elsewhere: in the directory that XDG_STATE_HOME names."
    )


class DumpFileExists(MigratorError):
    """An export would overwrite a dump file."""

    code = "ORA-27038"
    template = 'unable to create dump file "{path}": created file already exists'
    action = "Choose another DUMPFILE, or say REUSE_DUMPFILES=YES."


class DumpFileMissing(MigratorError):
    """A dump file that is not there."""

    code = "ORA-31640"
    template = 'unable to open dump file "{path}" for read: {detail}'
    action = "Check DIRECTORY and DUMPFILE; every file of the set is needed."


class FileNotWritable(MigratorError):
    """A dump, log or SQL file that cannot be created or written, the disk being full included."""

    code = "ORA-31641"
    template = 'unable to create or write file "{path}": {detail}'
    action = "Mend that, or name another file; a job that is on record (migrator jobs) goes on with START_JOB."


class DumpFileInUse(FileNotWritable):
    """A dump file that another process has opened to write it."""

    code = "ORA-27086"
    template = 'unable to lock file "{path}": {detail}'
    action = "Let that process go on, or end it (fuser names it): it may be suspended; then say START_JOB."


class LogFileNotWritable(MigratorError):
    """A log file that cannot be created or written."""

    code = "ORA-39070"
    template = 'Unable to open the log file "{path}": {detail}'
    action = "Check permissions and free space, name another LOGFILE, or say NOLOGFILE=YES."


class NotADumpFile(MigratorError):
    """A file that is no dump of ours, is cut short, or is damaged."""

    code = "ORA-39000"
    template = 'bad dump file specification: "{path}" {detail}'
    action = "Give the files of a complete export made by migrator expdp."


class GranuleDamaged(NotADumpFile):
    """A part of a table's rows in a dump file that is damaged."""

    action = (
        "Import from an undamaged copy of the file; DATA_OPTIONS=CONTINUE_LOAD_ON_FORMAT_ERROR loads the table's other"
        " granules and says what was lost."
    )


class IncompatibleDump(MigratorError):
    """A dump made by a later format."""

    code = "ORA-39142"
    template = 'incompatible version number {version} in dump file "{path}"'
    action = "Import it with the migrator release that wrote it, or a later one."


class IncompleteDumpSet(MigratorError):
    """Files of the set are missing."""

    code = "ORA-39059"
    template = "dump file set is incomplete: {detail}"
    action = "Name every file of the set in DUMPFILE, or the template it was made with."


class OracleDump(IncompatibleDump):
    """A dump file that Oracle Data Pump wrote."""

    code = "ORA-39142"
    template = 'incompatible version number {version} in dump file "{path}": Oracle Data Pump wrote it'
    action = "Import it into an Oracle database with Oracle's impdp; migrator reads that database, not the file."


class OriginalExportDump(MigratorError):
    """A dump file of Oracle's original Export."""

    code = "ORA-39143"
    template = 'dump file "{path}" may be an original export dump file'
    action = "Import it into an Oracle database with Oracle's imp; migrator reads that database, not the file."


class DumpSpaceExhausted(MigratorError):
    """No dump file has room for what comes next, and there is no further one."""

    code = "ORA-39095"
    template = "Dump file space has been exhausted: Unable to allocate {needed} bytes{detail}"
    action = "Attach to the job, add files with ADD_FILE, and say START_JOB; names with %U or %L do not run out so soon."


class FileSizeTooSmall(DumpSpaceExhausted):
    """No file of this FILESIZE has room for what cannot be parted, however many files there are."""

    action = "Run the export again with a larger FILESIZE: more files would not help."


class ChecksumError(MigratorError):
    """A dump file whose bytes are not those that its checksum was made of."""

    code = "ORA-39411"
    template = 'checksum error in dump file "{path}": its bytes are not those that were written'
    action = "Copy the file again from where it was written, or export again."


class NoChecksum(MigratorError):
    """Checksums are to be verified of a set that has none."""

    code = "MIG-39412"
    template = 'dump file "{path}" was written without a checksum'
    action = (
        "Leave VERIFY_CHECKSUM and VERIFY_ONLY out (the pieces are checked as they are read), or export with CHECKSUM=YES."
    )


class EncryptionPasswordMissing(MigratorError):
    """An encrypted set without its password."""

    code = "ORA-39174"
    template = "Encryption password must be supplied."
    action = "Set MIGRATOR_ENCRYPTION_PASSWORD, or say ENCRYPTION_PWD_PROMPT=YES, or give ENCRYPTION_PASSWORD."


class EncryptionPasswordWrong(MigratorError):
    """Another password than the set's."""

    code = "ORA-39176"
    template = "Encryption password is incorrect."
    action = "Give the password that the dump file set was made with."


class NotEncrypted(MigratorError):
    """A password for a set that has none."""

    code = "MIG-39174"
    template = "a password was given, but the dump file set is not encrypted"
    action = "Leave ENCRYPTION_PASSWORD or ENCRYPTION_PWD_PROMPT out, or check that these are the files you mean."


class WalletNotOpen(MigratorError):
    """An encryption that needs the key file, which stands for Oracle's wallet, without a usable one."""

    code = "ORA-28365"
    template = "wallet is not open: {detail}"
    action = "Name a file of at least 32 random bytes, mode 0600, as key_file in [encryption] or in MIGRATOR_KEY_FILE."


class EncryptionKeyUnknown(MigratorError):
    """Another key file than the one that the set was made with."""

    code = "ORA-28362"
    template = "master key not found: the dump file set was not encrypted with the key file {path}"
    action = "Name the key file that the set was made with, or, if it has one, give its password."


# --- objects and rows -----------------------------------------------------------------------------------------------


class UnsupportedType(MigratorError):
    """A column type that cannot be carried, by the column's name."""

    code = "MIG-20001"
    template = "column {column} has type {type}, which {detail}"
    action = "Leave the table out with EXCLUDE=TABLE:\"IN ('{table}')\", or change the column's type at the source."


class NotMade(MigratorError):
    """Several things that the target cannot have, all of them named at once."""

    code = "MIG-20005"
    template = "{database} cannot have {count} of the objects:\n{details}"
    action = "Leave the tables out with EXCLUDE=TABLE:\"IN ('…')\", or change them at the source."


class ValueNotCarried(MigratorError):
    """A value that the target's column cannot hold, or that the source stores against its own declaration."""

    code = "MIG-20002"
    template = "column {column}: {detail}"
    action = (
        "Mend the value at the source or leave the row out with QUERY. An import may also change such values by POLICY, or "
        "set their rows aside with DATA_OPTIONS=SKIP_CONSTRAINT_ERRORS."
    )

    @property
    def name(self) -> str:
        """The column's name by itself, the fact ``name`` where ``column`` says more; empty: it is of no one column."""
        return str(self.facts.get("name", self.facts.get("column", "")))


class StoredOtherwise(ValueNotCarried):
    """A value that the source stores as another kind than its column declares, as SQLite lets it: text among numbers.

    ``others`` is the condition of QUERY, in the source's words, for the rows that have no value of this kind there.
    """

    code = "MIG-20019"
    action = (
        "Neither POLICY nor COLUMN_TYPE nor SKIP_CONSTRAINT_ERRORS is for such values, which are read as the column's type: "
        'mend them at the source, or leave their rows out with QUERY={table}:"WHERE {others}". How many of which kind there '
        "are, migrator plan shows with PROFILE=YES."
    )


class ColumnIsComputed(ValueNotCarried):
    """A column whose values the target computes itself, where the source has values of its own."""

    code = "MIG-20014"
    template = "column {column} is computed by the target as {expression}: the source's values have no place"
    action = "Let the target's column be an ordinary one, or the source's be computed, too."


class PolicyNotKept(MigratorError):
    """What POLICY asks for a column by its name, and its table at the target does not let be."""

    code = "MIG-20016"
    template = "POLICY={setting}: column {column} {detail}"
    action = (
        "Refuse the case there, or put a value of that column's type instead: case='value'. docs/policies.md has the cases."
    )


class CollationRefused(MigratorError):
    """Columns whose texts compare in another way at the target, where POLICY refuses that; all of them are named."""

    code = "MIG-20017"
    template = "texts compare in another way at the target, which POLICY refuses:\n{details}"
    action = (
        "POLICY=schema.table.column:collation=convert lets it be in a column, and EXCLUDE=TABLE leaves a table out; or make "
        "the table first, with a collation that compares as the source's does."
    )


class TextNotCarried(ValueNotCarried):
    """A text that the target's character set does not have."""


class RowNotCarried(ValueNotCarried):
    """A row that the target's table cannot hold, for a reason that no one column has."""

    template = "table {table}: {detail}"


class CheckBroken(RowNotCarried):
    """Rows that break a check of the target's table."""

    action = (
        "These rows break the check {check}: mend them. DATA_OPTIONS=SKIP_CONSTRAINT_ERRORS loads the others and keeps "
        "these in a file. A new table is made without a check of the source by EXCLUDE=CONSTRAINT:\"= 'its name'\", "
        "without those that have no name there by EXCLUDE=CONSTRAINT."
    )


class ObjectsMissing(MigratorError):
    """Objects of the source that a job had to move are not at the target."""

    code = "MIG-20009"
    template = "the inventory does not add up: {count} object(s) of the source are missing at the target"
    action = "Import these objects once more, and report it: no object may go missing without an error of its own."


class RejectLimitReached(MigratorError):
    """SKIP_CONSTRAINT_ERRORS has left out as many rows of a table as it may."""

    code = "ORA-30653"
    template = "reject limit reached: more than {limit} rows of {table} were rejected, the last for: {reason}"
    action = "Mend the rows at the source, or give a higher REJECT_LIMIT."


class RowsNotTakenBack(MigratorError):
    """A table whose storage engine has no transactions, where rows that are refused cannot be told from the others."""

    code = "MIG-20007"
    template = "table {table}: SKIP_CONSTRAINT_ERRORS has to take rows back, and its storage engine cannot"
    action = "Move the table to an engine with transactions (ALTER TABLE … ENGINE=InnoDB), or leave the option out."


class RejectFileNotUsable(MigratorError):
    """A reject file that cannot be written, read, or understood."""

    code = "MIG-20008"
    template = "reject file {path}: {detail}"
    action = (
        "A reject file is what an import with DATA_OPTIONS=SKIP_CONSTRAINT_ERRORS writes; docs/rejects.md describes it, and "
        "the list of rows that lack what they refer to, which is none."
    )


class RowCountDiffers(MigratorError):
    """The database accepted another number of rows than were sent."""

    code = "MIG-20003"
    template = "{table}: {sent} rows were sent, the database reports {stored} ({detail})"
    action = "The table's transaction was rolled back."


class AccessMethodRefused(MigratorError):
    """ACCESS_METHOD asks for a method that a rule bars for a table."""

    code = "ORA-31696"
    template = "unable to {verb} TABLE_DATA:{table} using client specified {method} method ({detail})"
    action = "Leave ACCESS_METHOD out. What lifts the rule: {lift}."


class DataFileCopyRefused(AccessMethodRefused):
    """TRANSPORTABLE=ALWAYS, or a dump file set with data files, asks for what a rule bars for a table."""

    action = "Export without TRANSPORTABLE=ALWAYS, or EXCLUDE the table. What lifts the rule: {lift}."


class TransportRefused(MigratorError):
    """Data files cannot be copied from or to here."""

    code = "ORA-39123"
    template = "Data Pump transportable tablespace job aborted: {detail}"
    action = "Export without TRANSPORTABLE=ALWAYS: such a dump file set restores into any database."


class DatabaseNotEmpty(TransportRefused):
    """The data files of a whole database would take the place of what is there."""

    action = "Import into a new database, by this release of it or a later one."


class ChangedMeanwhile(TransportRefused):
    """Objects were made, changed or dropped before the data files were kept as they are."""

    action = "Run the job again."


class DataFilesUnreachable(MigratorError):
    """The data files are not where this process could read or write them."""

    code = "MIG-39124"
    template = "the data files of {object} are out of reach: {detail}"
    action = (
        "Run migrator on the server's own machine, as a user who may read (to export) or write (to import) its data "
        "directory; or export without TRANSPORTABLE=ALWAYS."
    )


class DataFilesInUse(FatalError):
    """Another session is placing the same data files, for example one of a worker that was killed."""

    code = "MIG-39126"
    template = "the data files of {object} are being placed by another session of the server"
    action = "Start the job again when that session has ended."


class NotADataFile(MigratorError):
    """A dump file set has data files that a table does not have."""

    code = "MIG-39125"
    template = "the dump file set has no such data files of {object} as the server could take: {detail}"
    action = "Export the table again."


class NoAccessMethod(MigratorError):
    """Rules bar every method for a table."""

    code = "MIG-20006"
    template = "no access method may {verb} TABLE_DATA:{table} ({detail})"
    action = "Lift what bars them: {lift}."


class RowsMissing(MigratorError):
    """A dump file set that has no rows of a table because its export failed."""

    code = "MIG-20004"
    template = "{table}: the dump file set has none of its rows, since the export failed: {detail}"
    action = "Export the table again, or leave its rows out with EXCLUDE=TABLE_DATA."


class RowsNotExported(MigratorError):
    """A dump file set whose export was to have no rows of a table, which is to be verified."""

    code = "MIG-20015"
    template = "{table} cannot be verified: the dump file set has none of its rows, since the export left them out"
    action = "Verify it against a set that has them, or leave it out with EXCLUDE=TABLE_DATA:\"= 'table'\"."


class TableNotThere(MigratorError):
    """A table that an import was to make, and that is to be verified."""

    code = "MIG-20012"
    template = "table {table} is not at the target"
    action = "Import it, or leave it out with EXCLUDE=TABLE."


class NotATable(TableNotThere):
    """Something else has the name of a table that an import was to make or to fill."""

    template = "table {table} is not at the target: {found} has its name"
    action = (
        "Drop or rename what has it, or give the table another name with REMAP_TABLE; or leave it out with EXCLUDE=TABLE."
    )


class RowsDiffer(MigratorError):
    """A table whose rows are not those of its source."""

    code = "MIG-20011"
    template = "Table data object {table} differs from its source: {detail}"
    action = "migrator verify, with the import's command line, shows more of the rows that differ."


class NotRefreshed(MigratorError):
    """A table whose rows ``migrator refresh`` leaves as they are."""

    code = "MIG-20018"
    template = "table {table} is not refreshed: {detail}"
    action = (
        "It is as it was, but for what is told. Drop or disable what would act by itself for as long, or import the table"
        " with TABLE_EXISTS_ACTION=TRUNCATE, which loads all of its rows anew."
    )


class IdentifierTooLong(MigratorError):
    """A name longer than the target takes."""

    code = "ORA-00972"
    template = "identifier {name} is too long for {database} ({limit})"
    action = "Rename it with REMAP_TABLE, or at the source."


class InvalidIdentifier(MigratorError):
    """A name that the target has no way to write."""

    code = "ORA-00904"
    template = "{name}: invalid identifier in {database}: {detail}"
    action = "Rename it with REMAP_TABLE, or at the source."


class ConnectionLost(FatalError):
    """A connection that ended while the job needed it: the server was stopped, or somebody ended the session."""

    code = "MIG-03113"
    template = "connection lost: {detail}"
    action = "What was not committed is rolled back. When the database is there again, attach to the job and say START_JOB."


class DiskFull(FatalError):
    """A database that has no room for more."""

    code = "MIG-01653"
    template = "the database has no room left: {detail}"
    action = "What was not committed is rolled back. Make room; then ATTACH to the job and START_JOB."


class DatabaseError(MigratorError):
    """What the database itself said about a statement; the SQL is in ``facts['sql']``."""

    code = "MIG-30001"
    template = "{detail}"
    action = (
        "The database says so: mend what it names. Rows that it refuses are set aside by an import with "
        "DATA_OPTIONS=SKIP_CONSTRAINT_ERRORS, values that it has no place for can be changed by POLICY. A job that is still "
        "on record (migrator jobs) goes on when it is attached to and told START_JOB."
    )


class ResourceBusy(DatabaseError):
    """A lock that another connection held for longer than ours waited."""

    code = "ORA-00054"
    template = "resource busy: {detail}"
    action = (
        "Find out who holds the lock, and wait until it is let go; a job that is on record (migrator jobs) goes on when it "
        "is attached to and told START_JOB. A SQLite URL may say how many seconds to wait: sqlite:///hr.db?timeout=60."
    )


class WorkUncommitted(ResourceBusy):
    """A worker of the job's process before has marked its work as done, and neither committed nor given it up."""

    template = "a worker of {job} is in the middle of a commit, and does not end: {detail}"
    action = (
        "Its process sleeps, or its machine is cut off. End its session at the server (or wait until the server does), and "
        "START_JOB again: what it marked is then done or is not, and is neither missed nor doubled."
    )


class TableLocked(ResourceBusy):
    """A table that cannot be read, because another session is about to change what it is."""

    code = "MIG-00054"
    template = "{detail}"
    action = (
        "TRUNCATE, ALTER TABLE, VACUUM FULL, DROP and their like need a table for themselves: let that session end, or give "
        "its statement up (pg_cancel_backend, KILL QUERY), and move the table again."
    )


class StateGone(MigratorError):
    """Tables that were made anew, emptied or dropped after the state that a job reads them in."""

    code = "MIG-20013"
    template = "the rows of {tables} cannot be read any more as they were when the job began"
    action = (
        "TRUNCATE and the like, and what makes a table or partition, leave no older state of it. Run the job again; with "
        "FLASHBACK_SCN, by a snapshot that was taken since."
    )


class InternalError(MigratorError):
    """A defect of migrator itself."""

    code = "ORA-39126"
    template = "Worker unexpected fatal error: {detail}"
    action = "This is a defect of migrator; please report it with the log file. MIGRATOR_TRACE=1 prints the traceback."


class ObjectExists(MigratorError):
    """An object other than a table that is there already."""

    code = "ORA-31684"
    template = "Object type {path} already exists"
    action = "The existing object was left alone."


class Interrupted(MigratorError):
    """The user stopped a job before it was on record, or a command that is no job."""

    code = "ORA-31625"
    template = "{job} was stopped by the user"
    action = "Nothing was begun; run the command again."


# --- jobs -----------------------------------------------------------------------------------------------------------


class JobExists(UsageError):
    """A job, table or view has the job's name, or is to have it."""

    code = "ORA-31634"
    template = "job already exists: a job, table or view is named {job}"
    action = "Choose another JOB_NAME, or attach to the job with ATTACH=."


class JobNotFound(UsageError):
    """There is no such job."""

    code = "ORA-31626"
    template = "job does not exist: {job}"
    action = "migrator jobs lists the jobs of a database and those that are recorded on this machine."


class RecordUnreadable(MigratorError):
    """A job's record that this version of migrator does not understand."""

    code = "MIG-31656"
    template = "the record of job {job} cannot be read: {detail}"
    action = "It was written by another version of migrator: finish or kill the job with that version."


class AmbiguousJob(UsageError):
    """ATTACH without a name where there are several jobs."""

    code = "MIG-31655"
    template = "there are several jobs: {names}"
    action = "Name one with ATTACH=; migrator jobs shows what they are."


class JobNotRunning(UsageError):
    """A job that has no living process is asked for something that needs one."""

    code = "ORA-39004"
    template = "invalid state: job {job} is {state}"
    action = "START_JOB starts it again; ADD_FILE and PARALLEL take effect then."


class JobDetached(MigratorError):
    """The process of the job that a client follows has ended without a word."""

    code = "ORA-31623"
    template = "job {job} is not attached to this session any more: its process {detail}"
    action = "migrator jobs shows whether it is on record: if so, attach to it and say START_JOB; if not, run it again."


class UnknownClientCommand(UsageError):
    """A line of interactive-command mode that is no command."""

    code = "UDE-00053"
    template = "unrecognized client command '{name}'{hint}"
    action = "HELP lists the commands; a name may be cut short as long as it means one of them only."


class MasterTableRefused(MigratorError):
    """The master table cannot be made in the job's database."""

    code = "ORA-31633"
    template = "unable to create master table {job}: {detail}"
    action = "Connect as a user who may create tables, or keep it on this machine with MASTER_TABLE=LOCAL."


class MasterTableStays(MigratorError):
    """The job is complete, and its master table cannot be dropped."""

    code = "MIG-12168"
    template = "the job has completed; its master table {job} stays: {detail}"
    action = (
        "Drop the table as a user who may. The next job needs that privilege, or MASTER_TABLE=LOCAL; KEEP_MASTER=YES keeps "
        "the table without this error."
    )


class RenameMapTaken(MigratorError):
    """Something else has the name of a rename map."""

    code = "MIG-31657"
    template = "{table} is not a rename map, although it has the name of one"
    action = "Give it another name; then a job can keep there what it calls otherwise."


class RenameMapOutdated(MigratorError):
    """A rename map that an earlier release has made."""

    code = "MIG-31660"
    template = "{table} is a rename map of an earlier release: it has no column {columns}"
    action = (
        "Say ALTER TABLE ... ADD {definitions}, or drop the table if nobody needs what it says; "
        "then a job can go on with it."
    )


class RenamesNotKept(MigratorError):
    """What a job calls otherwise at the target cannot be kept there."""

    code = "MIG-31658"
    template = "what is called otherwise here cannot be kept in {table}: {detail}"
    action = "The loss list has it too. Let the user make tables in the schema, or change this one, and run the job again."


class JobIsRunning(MigratorError):
    """A job that is to be started has a living process."""

    code = "ORA-39004"
    template = "invalid state: job {job} is running; its heart beat {seconds} seconds ago"
    action = "Attach to it; STOP_JOB stops it."


class TableClaimed(MigratorError):
    """A table that a job is to make, fill or empty is another job's at work."""

    code = "MIG-31659"
    template = "resource busy: {tables} of job {job}, {state}"
    action = (
        "Two jobs into one table would lose or double rows. Nothing has been changed: wait until that job has ended, or "
        "end it (migrator jobs, ATTACH=, STOP_JOB; KILL_JOB: never to start again), and run this one again; or leave these "
        "tables out."
    )


class ClaimNotLifted(MigratorError):
    """A job that is no more has claimed a table, and its record cannot be changed."""

    code = "MIG-31661"
    template = "job {job} has stopped, and {tables} was its own; its record cannot be changed: {detail}"
    action = (
        "Nothing has been changed. Its record must say that it goes on no more, or its restart would mix rows: let its "
        "owner end it (ATTACH=, KILL_JOB), or grant UPDATE on the table of its name; or leave these tables out."
    )


class JobTakenOver(FatalError):
    """Another process has started the job meanwhile; this one's changes no longer count."""

    code = "MIG-31650"
    template = "job {job} was started by another process; this one ends, and what it had not committed is rolled back"
    action = "Attach to the job to see how it goes on."


class TablesTaken(JobTakenOver):
    """Another job has taken the tables of this one, which had stopped, or had not been heard of for its lease."""

    code = "MIG-31662"
    template = "{tables} of job {job} went to job {by} while this one was not at work; it ends"
    action = (
        "What it had not committed is rolled back, and it is not started again: its rows may be gone or doubled. Let the "
        "other job end, look at the tables, KILL_JOB this one, and run it anew if it is still wanted."
    )


class JobStopped(MigratorError):
    """A client asked for STOP_JOB."""

    code = "ORA-39097"
    template = "job {job} was stopped by user request"
    action = "Attach to it and say START_JOB to go on where it stopped."


class JobKilled(MigratorError):
    """A client asked for KILL_JOB."""

    code = "ORA-39098"
    template = "job {job} was killed by user request"
    action = "It cannot be started again; an export's dump files are deleted."


class SourceChanged(MigratorError):
    """A job that is started again does not find its source as it was."""

    code = "MIG-31651"
    template = "job cannot be started again: {object} changed at the source: {detail}"
    action = "Rows of two states would be mixed. KILL_JOB, and run the job anew."


class SourceInDoubt(MigratorError):
    """A job that is started again cannot know whether its source is as it was: it goes on, and this is an error of it."""

    code = "MIG-31663"
    template = "rows may have changed at the source since the job began: {detail}"
    action = "Compare what came with the source, by migrator verify."


class TargetChanged(MigratorError):
    """A job that is started again does not find its target as it left it."""

    code = "MIG-31652"
    template = "job cannot be started again: {object} changed at the target: {detail}"
    action = "Rows could be missing or doubled. KILL_JOB, and run the job anew."


class RequestChanged(MigratorError):
    """A job that is started again is not the job that its master table records."""

    code = "MIG-31653"
    template = "job cannot be started again: {detail}"
    action = "KILL_JOB, and run the job anew."


class RowsInDoubt(MigratorError):
    """Whether a granule's rows are in a table cannot be told."""

    code = "MIG-31654"
    template = "job cannot be started again: whether the last rows sent to {table} are there cannot be told: {detail}"
    action = "Look at the table; START_JOB=SKIP_CURRENT leaves these rows out, or KILL_JOB and run the job anew."


class InvalidRequest(UsageError):
    """A client asks for something that the job cannot do."""

    code = "ORA-39001"
    template = "invalid argument value: {detail}"
    action = "HELP shows the commands."


class WorkerDied(MigratorError):
    """A worker process ended before its task did."""

    code = "ORA-39014"
    template = "worker {worker} {detail}"
    action = "Look for a lack of memory, or for whoever killed it; a stopped job can be started again."
