"""Help texts and the reference page, written from the table of parameters and the table of object types."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, get_args

from migrator.errors import UnknownParameter
from migrator.object_types import OBJECT_TYPES
from migrator.params import DATA_OPTIONS, PARAMETERS, Client, Parameter

if TYPE_CHECKING:
    from migrator.access import Rule
    from migrator.adapter import Adapter, Fact
    from migrator.policies import Case

USAGE = """\
migrator expdp CONNECTION [NAME=value …]     export a database into a dump file set
migrator impdp CONNECTION [NAME=value …]     import a dump file set or a linked database, or write a SQL script
migrator plan expdp|impdp … [--json]         say what such a job would do with each table, and do nothing
migrator verify CONNECTION … [--json]        compare the target of such an import with its source, row by row
migrator refresh CONNECTION … [--remove]     make the target's rows that differ as the source has them; --plan: try it only
migrator dumpinfo [DIRECTORY=…] FILE …       show what dump files say of themselves: paths, [directory:]file, s3://…
migrator renames CONNECTION [--json]         show what has another name in a database than where it was imported from
migrator retry-rejects FILE CONNECTION       load the rows of a reject file again; those refused again go to a new one
migrator help [parameter]                    describe the parameters, or one of them
migrator jobs [CONNECTION …]                 list the jobs of databases, and those recorded on this machine
migrator help --markdown [page]              print a page of docs/: parameters, jobs, types, policies …
migrator --version

CONNECTION is a SQLAlchemy URL such as postgresql://hr@localhost/hr or sqlite:///hr.db, or the name of a connection
from the configuration file (MIGRATOR_CONFIG, else ~/.config/migrator/config.toml). With SQLFILE it may be a dialect
only: oracle: postgresql: mysql: sqlite:
"""

TITLES: dict[Client, str] = {"expdp": "Export (expdp)", "impdp": "Import (impdp)"}


def overview() -> str:
    """The commands, and the parameters of both clients."""
    return "\n".join([USAGE, client_help("expdp"), client_help("impdp")])


def usage(command: str) -> str:
    """The lines of the overview about one command."""
    return "".join(f"{line}\n" for line in USAGE.splitlines() if line.startswith(f"migrator {command} "))


def client_help(client: Client) -> str:
    """The parameters of one client, a line or two each."""
    rows = [row for row in PARAMETERS if client in row.clients and not row.refusal]
    refused = ", ".join(row.name for row in PARAMETERS if client in row.clients and row.refusal)
    lines = [TITLES[client], ""]
    for row in rows:
        lines += textwrap.wrap(row.summary, 92, initial_indent=f"  {row.name:21} ", subsequent_indent=" " * 24)
    lines += ["", *textwrap.wrap(f"Known and refused: {refused}", 115, initial_indent="  ", subsequent_indent="  ")]
    return "\n".join(lines) + "\n"


def parameter_help(name: str) -> str:
    """All there is to say about one parameter.

    :raises UnknownParameter: there is none of that name.
    """
    rows = [row for row in PARAMETERS if row.name == name.upper()]
    if not rows:
        raise UnknownParameter(name=name, hint="")
    return "\n\n".join("\n".join(_facts(row)) for row in rows) + "\n"


def _facts(row: Parameter) -> Iterator[str]:
    yield f"{row.name} ({', '.join(sorted(row.clients))})"
    yield from textwrap.wrap(row.summary, 92, initial_indent="  ", subsequent_indent="  ")
    if row.refusal:
        yield f"  Refused: {row.refusal}."
        return
    yield f"  Value:   {row.value}" + ("; may be repeated" if row.many else "")
    if row.default:
        yield f"  Default: {row.default}"
    if row.example:
        yield f"  Example: {row.example}"


# --- the page -------------------------------------------------------------------------------------------------------

_HEAD = """\
# Parameters

<!-- Written by `migrator help --markdown parameters`; do not edit. -->

`migrator expdp CONNECTION NAME=value …` exports, `migrator impdp CONNECTION NAME=value …` imports. `CONNECTION` is a
SQLAlchemy URL or the name of a connection from the configuration file; with `SQLFILE` it may be a dialect only, such as
`oracle:`.

## How values are written

- Names of parameters are case-insensitive; values are taken as written. A name in a value means the object spelled
  exactly so, and where there is none, the one object whose name differs in case only.
- Items of a list are separated by commas, in parentheses if you like: `TABLES=emp,dept` or `TABLES=(emp,dept)`.
  A parameter that takes a list may be repeated, and the items add up; another one may be given once.
- Double quotes go around what holds a comma, a dot, a colon or a blank: `TABLES="Order Details"`. A double quote inside
  is doubled. Shells take quotes away, so put them between single quotes (`'TABLES="Order Details"'`), or use a PARFILE.
- A name clause is one of `IN ('A', 'B')`, `= 'A'`, `!= 'A'`, `LIKE 'A%'`, `<`, `<=`, `>`, `>=` with a text in single
  quotes, and `NOT IN` and `NOT LIKE`.
- A PARFILE has one `NAME=value` a line. Lines beginning with `#` are comments. A value goes on in the next line after a
  backslash or comma at its end, inside double quotes, and inside parentheses. What the command line gives goes before
  what the PARFILE gives; lists add up.
- A file is named without a path; `directory:file` puts it into another directory than `DIRECTORY`. Reading needs READ on
  the directory object, writing WRITE; see [Directory objects](directories.md).
- What is not in these tables is refused, and so is what contradicts itself; nothing is ignored.
"""


def page() -> str:
    """The reference page as Markdown."""
    supported = [row for row in PARAMETERS if not row.refusal]
    refused = [row for row in PARAMETERS if row.refusal]
    lines = [
        _HEAD,
        "## Parameters",
        "",
        "| name | client | what it does | value | default | example |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        _line(f"`{row.name}`", _clients(row), row.summary, _code(row.value), row.default, _code(row.example))
        for row in supported
    ]
    lines += [
        "",
        "## Parameters that are known and refused",
        "",
        "| name | client | what it does in Data Pump | why |",
        "|---|---|---|---|",
    ]
    lines += [_line(f"`{row.name}`", _clients(row), row.summary, row.refusal) for row in refused]
    lines += ["", "## Object types for INCLUDE and EXCLUDE", "", "| type | what it means |", "|---|---|"]
    lines += [_line(f"`{row.name}`", row.meaning) for row in OBJECT_TYPES if row.scope != "absent"]
    absent = ", ".join(f"`{row.name}`" for row in OBJECT_TYPES if row.scope == "absent")
    lines += ["", *textwrap.wrap(f"No job moves these yet; EXCLUDE may name them, INCLUDE may not: {absent}.", 120)]
    return "\n".join(lines) + "\n"


_DATA_FILES = """
## Data files

`expdp … TRANSPORTABLE=ALWAYS` copies data files instead of rows, for every table whose rows it moves or for none: where a
rule bars a table the job ends with ORA-31696 and its name, before anything is locked or written. `EXCLUDE` leaves such a
table out. The files are in the dump file set: they are compressed, encrypted, checked and cut by `FILESIZE` as rows are,
and `impdp` needs no parameter to find them. There is no row in such a set: it is for the same kind of database only, of
the same release or a later one. Any other takes its objects (`CONTENT=METADATA_ONLY`, `SQLFILE`), and refuses the rest
with ORA-39123.
"""

_COPIES = (
    ("", "MariaDB", "SQLite"),
    ("---", "---", "---"),
    (
        "what is copied",
        "the tablespace of each InnoDB table, which is a file of its own",
        "the file of the database, with all that is in it, virtual tables too",
    ),
    (
        "how",
        "`FLUSH TABLES … FOR EXPORT` of all tables at once; an import makes each table with its indexes, then "
        "`DISCARD TABLESPACE`, and `IMPORT TABLESPACE` from the files",
        "the backup interface: out into a temporary file (`TMPDIR`), in from one beside the database (`new.db.migrator`)",
    ),
    ("mode", "TABLES, SCHEMAS or FULL", "FULL=YES, without INCLUDE or EXCLUDE"),
    (
        "who writes meanwhile",
        "nobody writes to the tables until all are copied, all may read; who writes before is waited for, 60 seconds",
        "anybody, once the first copy is made",
    ),
    (
        "where migrator must run",
        "on the server's machine: to export, as a user who may read its data directory; to import, as the user whom that "
        "directory belongs to, or as root",
        "where the file is",
    ),
    (
        "what an import may change",
        "the schema and the names of tables; existing tables are skipped or replaced, never added to",
        "nothing; the database must be empty",
    ),
)
"""How the two kinds of database that have data files to copy differ."""

_COPIES_NOTES = """
- On another machine there are no such files, or those of another server. The server's own doing tells: what it writes at
  the export, and what it takes away at the import, must appear and vanish where this process looks.
- Foreign keys are made when all files are in their places, as in every import, and the server checks the rows then, which
  takes it a copy of each table that has one.
- A server checks of a file what it can: pages, columns, indexes. A set from somebody you do not trust can still hold a
  file that was made to harm the server: take such rows from a set without data files.
- `IMPORT TABLESPACE` goes into the binary log. A replica has no such file, and its replication stops there: leave
  TRANSPORTABLE out where there are replicas.
- An export that is started again copies all files again, since nobody has kept them as they were. An import that is
  started again goes on with the tables that are not done; one whose files were being placed is filled anew.
- The log has the size of the files, and no number of rows: nobody has counted them.
- TRANSPORT_TABLESPACES is refused, since a tablespace here is one table or the database; so are KEEP_READ_ONLY and
  NO_BITMAP_REBUILD, all of it over a NETWORK_LINK, and MySQL's tablespaces, which are alike but have not been tried.
"""

_ACCESS_HEAD = """\
# Access methods

<!-- Written by `migrator help --markdown access-methods`; do not edit. -->

Each table's rows move by the first of these methods that no rule bars. [Data files](#data-files) are copied only where
TRANSPORTABLE=ALWAYS asks for that, and then of all tables. With `METRICS=YES` the log says for each table which method it
was (`network_link` where an import's rows were streamed from a linked database), and, where it was not the first, why.
`insert_as_select` is the first where it is faster than a stream, which is between SQLite files; elsewhere it is taken if
`ACCESS_METHOD` asks for it. `migrator plan expdp …` and `migrator plan impdp …` say the same, and what would lift each
rule, and do nothing. `ACCESS_METHOD` asks for one method for all tables; where a rule bars it, the job is refused with
the table and the rule.
"""

_ACCESS_RULES = """
## Rules

A rule bars the methods in its row when its fact is so. *Existing*: it concerns only tables that were there before the job. A
fact that a database would not tell, for want of a privilege, counts as true, and the log says so. Attributes that conflict,
where one bars the direct path and another the external table, leave the conventional path. A rule that bars every method
leaves a table without its rows: an error in the log.
"""

_ACCESS_ANSWERS = """
## Where each database answers

*Never*: the fact cannot be so there, or what it is about hinders no method, for the reason given; *always*: it is so of
any table. Oracle's adapter writes scripts only; its row says where its dictionary answers.
"""


def access_methods_page() -> str:
    """The page about access methods as Markdown."""
    from migrator.access import LINK_ANSWERS, MEANINGS, RULES, LinkFact, Method  # with SQLAlchemy, as no other help text
    from migrator.adapter import Fact

    lines = [_ACCESS_HEAD, "| method | unloading | loading |", "|---|---|---|"]
    lines += [_line(f"`{method}`", MEANINGS[method][0] or "not used", MEANINGS[method][1]) for method in Method]
    for title, documented in (("As Data Pump has them", True), ("Our own", False)):
        lines += [_ACCESS_RULES] if documented else [""]
        lines += [f"### {title}", "", "| rule | concerns | bars | when | what lifts it |", "|---|---|---|---|---|"]
        lines += [_rule(rule) for rule in RULES if rule.documented is documented]
    lines += [_DATA_FILES, *(_line(*row) for row in _COPIES), _COPIES_NOTES, _ACCESS_ANSWERS]
    for rule in RULES:
        if isinstance(rule.asks, Fact):
            lines += [f"- `{rule.name}`: {rule.sentence}", *(f"    - {answer}" for answer in _answers(rule.asks))]
        elif isinstance(rule.asks, LinkFact):
            lines += [f"- `{rule.name}`: {rule.sentence}", f"    - any database: {LINK_ANSWERS[rule.asks]}"]
        else:
            answer = _refused(rule) or f"the job's parameter `{_parameter(rule.asks)}`"
            lines += [f"- `{rule.name}`: {rule.sentence}", f"    - any database: {answer}"]
    return "\n".join(lines) + "\n"


def _rule(rule: Rule) -> str:
    from migrator.access import Method

    concerns = rule.direction + (", existing" if rule.existing else "") + (f", without {rule.unless}" if rule.unless else "")
    barred = ", ".join(f"`{method}`" for method in Method if method in rule.bars)
    refused = _refused(rule)
    when = f"{rule.sentence} ({refused})" if refused else rule.sentence
    return _line(f"`{rule.name}`", concerns, barred, when, rule.lift)


def _parameter(asked: str) -> str:
    """The parameter that a rule asks, or asks a value of."""
    return "DATA_OPTIONS" if asked in DATA_OPTIONS["impdp"] else asked


def _refused(rule: Rule) -> str:
    """Why no job follows a rule: it asks a parameter that none can have; empty: a job can."""
    refusals = [row.refusal for row in PARAMETERS if row.name == _parameter(rule.asks)]
    return f"never: `{rule.asks}` is refused, since {refusals[0]}" if refusals and all(refusals) else ""


def _answers(fact: Fact) -> Iterator[str]:
    from migrator.adapter import Asked, installed, load_adapter

    for adapter in map(load_adapter, installed()):
        answer = adapter.answers[fact]
        match answer:
            case Asked(where):
                yield f"{adapter.title}: `{where}`"
            case _:
                yield f"{adapter.title}: {type(answer).__name__.lower()}: {answer.why}"


_JOBS_HEAD = """\
# Jobs

<!-- Written by `migrator help --markdown jobs`; do not edit. -->

## The life of a job

`migrator expdp` and `migrator impdp` are clients. The job itself is a process of its own, the leader of a session of
its own, and has workers: threads or processes, `PARALLEL` at most. The client hands it the request and the passwords
through a pipe, and shows what it says. The job goes on whatever becomes of its client: `EXIT_CLIENT`, a closed terminal,
SIGTERM, SIGKILL. A client that is stopped (Ctrl-Z), or whose output nobody reads, holds up nothing. One whose standard
output takes no more (a full disk) says so once, waits on, and ends with the job's exit code.

A job is on record in its **master table**: a table of the job's database, the one that the client connects to, in the
connected user's schema, named as the job. That is the target of an import, and the source of an export but with
`NETWORK_LINK`: an export over a link changes nothing in the linked database, so that may be one that takes no changes.
With `MASTER_TABLE=LOCAL`, and always for exports from a SQLite file and imports of its [data
file](access-methods.md#data-files), it is in a SQLite database of this machine's user,
`$XDG_STATE_HOME/migrator/jobs.db`.

| state | what it means |
|---|---|
| DEFINING | the job reads catalogs and makes its plan; a job that ends here leaves no master table |
| EXECUTING | it makes objects and moves rows |
| STOP PENDING | `STOP_JOB`: the workers end what they are doing |
| STOPPED | it was stopped, or met a fatal error, such as a lost connection or a full disk; `START_JOB` goes on with it |
| NOT RUNNING | its process is gone: no heartbeat for 10 seconds (`MIGRATOR_LEASE`); `START_JOB` goes on with it |
| COMPLETED | its master table is dropped, unless `KEEP_MASTER=YES` or `MASTER_ONLY=YES` keeps it |

Whether a job runs is told by its heartbeat in the master table, by the database's clock, never by a process id. SIGTERM to
the job's process is `STOP_JOB=IMMEDIATE`. A script is written (`SQLFILE`) by the client itself, and has no master table.

A SQLite file has one writer at a time. While a worker loads a granule into it, the job's heart cannot beat and clients
cannot ask for anything: a granule that takes longer than the lease makes the job seem not to run. `START_JOB` is then
refused by the lock, and nothing is doubled.

## Others at work

All rows are those of one state of the source, and others may go on writing to it, but where the target's server is asked to
[select them from tables that are locked](links.md#which-way-the-rows-take). Until the job ends, PostgreSQL keeps its
tables from those who want one for themselves (TRUNCATE, ALTER TABLE, VACUUM FULL, DROP): they wait, as they do for pg_dump.
A worker does not wait in their queue, where neither would ever end: where somebody waits for a table before a worker reads
it, the table fails with MIG-00054, which names the session. A table that was emptied, written anew, made or dropped between
the state and the job's lock ends the job (MIG-20013), since that state does not have its rows any more; MariaDB and MySQL
say so themselves ("Table definition has changed"). One session reads there, and who wants a table waits for it.

The tables that an import makes, fills or empties are its own until it has ended. Another import that is to have one
of them is refused before it changes anything (MIG-31659, which names the table and the job): it would empty or drop
what the first one loads, or take half of its rows for all. Two that only add rows (`TABLE_EXISTS_ACTION=APPEND`), as
those that each load a part by QUERY, go on side by side; so do imports of other tables, exports, `plan` and `verify`.
`migrator retry-rejects` is refused like an import that appends, also beside one that has stopped and can be started
again. The data file of a whole SQLite database claims every table. A job whose heart has beaten lately is waited for
until it beats again, or counts as dead. Jobs are found by their master tables: those in the target database that the
user may read, and those of this machine's user in the local database. The log names a master table that cannot be
read; MariaDB and MySQL do not show one that the user has no privilege on, and nobody sees one in another machine's
local database. In one SQLite file no two imports load rows at the same time, whatever their tables: the second one
waits for the lock, and is refused when it does not get it.

A job that was stopped, or has died, has nothing for itself. Another import that changes one of its tables says so in
its log, and shuts it out: `START_JOB` is then refused (MIG-31652), since its rows may be gone or doubled, and its
process, if it only slept, commits nothing any more and says whose they are (MIG-31662). One that leaves those tables
as they are (`TABLE_EXISTS_ACTION=SKIP`) leaves it its restart.

## Watching jobs

`migrator jobs [CONNECTION …]` lists the jobs of databases, and those in this machine's local database. `STATUS` shows a
job and what each of its workers does: which object, by which access method, how far. `Progress` has the words of
V$SESSION_LONGOPS, `job: operation : n out of m MB done`, in bytes as Arrow has them. m is an estimate that is replaced by
what moved as granules are done, made by the method of `ESTIMATE` if that is given; importing a dump file set it is exact,
but for what `QUERY` leaves out. What a worker has moved and not committed counts. `STATUS=n` on the command line shows the
same every n seconds.

## Stopping and starting again

`START_JOB` on a job that is stopped, or not running, begins a new process, which takes the job over: a granule (a part of a
table) is loaded once, since its rows and its done mark are one transaction; what was not committed is done again. Changed
sources and targets are refused by name. One thing a source may not know: what was written to tables of MariaDB or MySQL
before their server was started again, unless it numbers transactions (GTID) and has no new one. A job that had read rows by
then goes on, says so as an error (MIG-31663), and ends with exit code 5; `migrator verify` tells whether any changed. Nor do
they know when a table was written to that their cache of definitions has let go since, nor MySQL, perhaps, when one that was
rebuilt, and that they do not say: verify a job that was started again while others wrote there. On MariaDB a table that was
altered, rebuilt or renamed counts as changed, as does one made in the second of the job's begin. Rows that could not be
loaded before are tried again.

`START_JOB=SKIP_CURRENT` leaves out what was in progress. The log names each part as an error, so the job ends with exit code
5; an export leaves out the whole table, which an import of the set refuses by name unless it is excluded. Errors of earlier
runs of a job count. The heartbeat of a process that has just died is waited for until it counts as dead, by the lease that
the job's own process had (`MIGRATOR_LEASE`).

A password in a URL is never recorded. To start a job again whose link has one, give the link besides ATTACH:
`impdp URL ATTACH=job NETWORK_LINK=URL`, or use connections of the configuration file. The same goes for
`ENCRYPTION_PASSWORD`.

## How many workers, by day and by night

`PARALLEL=2,22:00-06:00=8` lets two workers move rows, and eight from ten in the evening to six in the morning. The same
in a parameter file, one line for each:

    PARALLEL=2,
      22:00-06:00=8,
      12:00-13:30=4

The number without a window holds outside all windows; where it is left out it is 1. A window that ends at an earlier time
than it begins goes on after midnight, 24:00 is the end of the day, and windows that overlap are refused (UDE-00014). The
time is the wall clock of the machine that the job runs on; where that is set forward or back, the window goes by what it
shows.

When a window begins or ends, the job does what `PARALLEL=n` at its prompt does: workers too many end the granule that
they are at, more begin at once. The log says `PARALLEL is 8: window 22:00-06:00` and `PARALLEL is 2: no window until
22:00`, and `STATUS` shows the number with that reason. `PARALLEL=n` at the prompt holds until the next window begins or
ends, and not over a restart: a job that is started again goes by the clock, and its number cannot be set while it is
stopped. What a database bars goes before any number: one reader of MariaDB, one writer of SQLite. `migrator verify` keeps
to the windows as well.

## Interactive-command mode

Ctrl-C in the client, or `ATTACH=[schema.]job` (`ATTACH` alone: the only job), leads to the prompt `Export>` or `Import>`;
the job goes on. The log and errors name a job by the schema of its master table, which is `main` in the local database;
`migrator jobs` shows its owner, the user who started it, and `ATTACH=owner.job` finds it as well.

Commands are read from the standard input, so that a file of them does as well. Names may be cut short as long as they mean
one command only; so may `IMMEDIATE` and `SKIP_CURRENT`. `STOP_JOB` and `KILL_JOB` ask whether you are sure. The end of the
input (Ctrl-D) leaves the client.

A client that started a job ends with the job's exit code, 1 if the job was stopped. One that attached, and stopped or
killed the job, ends with 0.
"""

_MASTER_TABLE = """
## The master table

Every row is of one kind. The job's row has its state, degree and request. Rows of kind OBJECT and GRANULE are the plan,
made once; a job that is started again uses those there are. FILE rows are the dump files of an export, WORKER rows what
workers do, MESSAGE rows the lines of the log, LOSS rows the loss list of an import that is done, REQUEST rows what clients
ask for, CLIENT rows the clients that are attached, each with a heartbeat. Reading it is welcome; changing it is not. What a
job moves never includes master tables.

`impdp MASTER_ONLY=YES` makes a master table out of a dump file set, to be read, and dropped by `DROP TABLE`. Its OBJECT
rows are the objects in the set; its GRANULE rows have the rows and bytes of each table as they were exported, and where in
the set they lie. `expdp ESTIMATE_ONLY=YES KEEP_MASTER=YES` leaves one whose GRANULE rows have the estimate of each table.
"""


def jobs_page() -> str:
    """The page about jobs as Markdown."""
    from migrator.commands import COMMANDS
    from migrator.job.table import COLUMNS  # with SQLAlchemy, which no other help text needs

    lines = [_JOBS_HEAD, "| command | client | what it does |", "|---|---|---|"]
    lines += [_line(f"`{row.usage}`", ", ".join(sorted(row.clients)), row.meaning) for row in COMMANDS]
    lines += [_MASTER_TABLE, "| column | type | what it means |", "|---|---|---|"]
    lines += [_line(f"`{column.name}`", f"`{column.type}`", column.meaning) for column in COLUMNS]
    return "\n".join(lines) + "\n"


_VERIFY_HEAD = """\
# Verifying an import

<!-- Written by `migrator help --markdown verify`; do not edit. -->

`migrator verify`, with the command line of an import, compares the target with the source, and writes to neither:

    migrator verify sqlite:///copy.db NETWORK_LINK=postgresql://hr@localhost/hr REMAP_SCHEMA=public:main
    migrator verify sqlite:///copy.db DUMPFILE=hr.dmp REMAP_SCHEMA=public:main PARALLEL=2 --json

Schemas, tables, filters, remaps, `QUERY` (of a linked database), `POLICY`, `PARALLEL` and what opens a dump file set mean
what they mean to `impdp`: give those of the import. Parameters about how rows move are accepted and have no effect. With a
dump file set the database that it was exported from may be gone; a table whose rows its export left out (`CONTENT`,
`EXCLUDE=TABLE_DATA`) is one that could not be verified, unless `EXCLUDE=TABLE_DATA` leaves it out here too.

`VERIFY=YES` does the same at the end of an import, for the tables that the job has loaded: a line `. . verified` for each,
or an error, with which the job ends with exit code 5.
Rows that the job has rejected are no difference there, nor are those that a table had before.

| exit code | what it means |
|---|---|
| 0 | every table has the same rows on both sides |
| 5 | a table differs, is not there, or could not be read to its end; or a dump file set has none of its rows |
| 1 | nothing was compared: the request was wrong, or an end cannot be reached |

## What is compared

The rows as multisets: neither their order nor a key matters, and a row that is there twice is not one that is there once.
First the number of rows and digests of all their values, a sum of 64-bit hashes of each row and one of each column's values.
Where these differ, the rows are read again, more closely, and each row that differs is

- **changed**: both sides have a row of this key, with other values; these are shown,
- **missing**: it is not at the target,
- **doubled**: it is at the target once more than at the source,
- **extra**: it is at the target only.

Without a key (a primary key, or a unique one without NULLs, at either side) a changed row is a missing and an extra one. Ten
rows of each kind are shown. The columns that differ are those with other values in changed rows, and, where both sides have
as many rows, those whose values all in all are others: what was exchanged between rows without a key is in none of them. Of
more than about two million rows that differ, a part is looked at, and the counts are *at least* what is found there. A
column with a value that cannot be read, as a text among SQLite's numbers, is the table's problem, with the row's key; the
other columns are compared all the same. Columns that the target generates are not compared, nor are those that the target
alone has, which are named. Two different tables are taken for the same one time in 2^64; digests find accidents, not
forgeries. The rows of a table that is not there, or cannot be read to its end, are *not counted*.

Each side is read on one state: what others commit meanwhile is not seen.

## Which way

Each table is compared in the first of these ways that there is; the `method` in the JSON says which one it was.

- `database`: both databases are of one product, PostgreSQL or MySQL, and the types are the same. They digest the rows
  themselves, and no row is moved. Where their digests differ, that says nothing yet.
- `export`: the dump file set has digests of its rows, since it was exported with `DIGEST=YES`, and no value has become one
  of another kind. The target is read, the set's rows are not. Where the digests differ, that says nothing yet.
- `stream`: both sides are read, `PARALLEL` granules at a time. A database that one connection only can read on one state
  (MySQL) is read by one worker.

## When two values are the same

The source's values are converted to the target's types by the code that the import converts them with, so a change that the
loss list declares is none here; the report names it. Then both are brought into the form of the target's type. NULL and ''
are two values. A value that has no place in its form, such as `infinity` or `0000-00-00`, is compared as its text; one that
does not fit the target's type at all differs from whatever is there.
"""


def verify_page() -> str:
    """The page about verification as Markdown."""
    from migrator.verification.forms import LEDGER_FORMS, MEANINGS, RULES  # with Arrow, which no other help text needs

    usual = {form: of for (of, _), form in LEDGER_FORMS.items()}

    lines = [_VERIFY_HEAD, "| form | neutral types | values | what means the same besides |", "|---|---|---|---|"]
    for form, (values, same) in MEANINGS.items():
        types = dict.fromkeys(rule.type.__name__ for rule in RULES if rule.form == usual.get(form, form))
        shown = ", ".join("all others" if name == "Type" else f"`{name}`" for name in types)
        lines.append(_line(form, shown, values, same))
    return "\n".join(lines) + "\n"


_TYPES_HEAD = """\
# Types

<!-- Written by `migrator help --markdown types`; do not edit. -->

What a column of each type becomes on each database. A number after it points to what the declaration cannot keep, which the
log names for each column (`loss:`); without one, every value is kept with its meaning. A value that does not fit its column
stops the load of its table, or goes to the reject file; none is rounded, cut or replaced. Checks that restore a range are
not shown.

Within one database a column keeps its declaration. What SQLite's declarations are meant to hold is shown; its rows are
looked at, and decide: also how many digits after the second times have, if `FRACTIONAL_SECONDS` does not say `DECLARED`.
Oracle's whole numbers become integers as `NUMBER_TYPES` says: shown is `EXACT`. A `tinyint(1)` of MySQL is a truth value
where a check without a name of its own lets it be 0 and 1 only, as where migrator has made one.

SQLite keeps to no declaration (but in STRICT tables to a few): lengths, ranges and digits are those of the rows that a job
loads, and whoever writes later may write anything else, whatever the source refused. That is so of every column, and no
entry of the log says it.
"""


def types_page() -> str:
    """The page about types as Markdown."""
    from migrator.adapter import installed, load_adapter  # with SQLAlchemy, which no other help text needs

    lines = [_TYPES_HEAD]
    for source in map(load_adapter, installed()):
        lines += ["", f"## From {source.title}", "", *_types_of(source)]
    return "\n".join(lines) + "\n"


def _types_of(source: Adapter) -> Iterator[str]:
    from migrator.type_matrix import cell, targets

    servers = list(targets())
    notes: dict[str, int] = {}
    yield _line("type", *(server.title for server in servers))
    yield "|---" * (len(servers) + 1) + "|"
    for declaration in source.samples:
        cells = []
        for server in servers:
            found = cell(source, declaration, server)
            marks = [str(notes.setdefault(loss, len(notes) + 1)) for loss in found.losses]
            shown = _code(found.declared) if not found.refusal else "refused"
            cells.append(f"{shown} {', '.join(marks)}".rstrip())
        yield _line(_code(declaration) or "(none)", *cells)
    yield ""
    yield from (f"{number}. {loss}" for loss, number in notes.items())


_POLICIES_HEAD = """\
# Values that have no place at the target

<!-- Written by `migrator help --markdown policies`; do not edit. -->

A value that its column at the target cannot hold is refused: the table is not loaded, the log names the column and the
value, and nothing is lost. Of values that MariaDB or MySQL itself refuses in a load the log has its words, which may
name the column and the row alone. `SKIP_CONSTRAINT_ERRORS` loads the other rows and puts those with such values into a
[reject file](rejects.md). `POLICY` is the third way: it says, case by case, that such values are to be changed.

```sh
migrator impdp postgresql://hr@localhost/hr NETWORK_LINK=mysql://hr@db1/hr REMAP_SCHEMA=hr:public \\
    POLICY=zero_date=convert,nul_byte=warn,emp.hired:zero_date=refuse
migrator impdp postgresql://hr@localhost/hr NETWORK_LINK=mysql://hr@db1/hr REMAP_SCHEMA=hr:public \\
    POLICY=zero_date=relax "POLICY=emp.hired:zero_date='1900-01-01',emp.amount:infinity='-999'"
```

| action | what it does |
|---|---|
"""

_POLICIES_CASES = """
## Cases

Every case but the last is refused unless a setting says otherwise. Only values that have no place in their column are
ever changed: a zero date that goes into a text, or an infinite date into another PostgreSQL, stays what it is. The cases
are looked for in this order, so that a number is rounded first and is then in range or not.

| case | what it is | what `convert` and `warn` make of it | why that | rule of the entry | actions |
|---|---|---|---|---|---|
"""

_POLICIES_WHERE = """
## Values of your own

`case='value'` puts a value instead of each that is found, in a column that is NOT NULL, too. A quote within it is doubled
(`'it''s'`). Shells take single quotes away: there, the parameter stands in double quotes, in a PARFILE as it is. A value is
written as the type of its column writes it: a number, `2000-01-31`, `2000-01-31 23:59:59` (a day alone is its midnight, an
instant is in UTC), `-infinity` for a date or a time of PostgreSQL. Before anything is made it is checked against the
columns that the setting is about and that can meet the case: their types, lengths and ranges. A setting that names a column
which does not take the value is refused (MIG-20016), and so is one whose value none of its columns takes; of a table that is
there already no rows are loaded then. One for a table, a type or all columns acts in those that take its value: the others,
which the log names, refuse the case. The entry says the value: `zero dates became '1900-01-01'`. Checks, and what a column
of an existing table leaves out of its type, only the load tells.

## Columns that are NOT NULL

`relax` leaves NOT NULL out where a column can have such values at all, by its types at both ends: with `zero_date=relax`
dates from MySQL may be NULL in PostgreSQL, and stay NOT NULL in MySQL. The loss list has an entry for each such column
(`relaxed`); the rows that became NULL are counted as with `convert`. What stays NOT NULL nevertheless, the log remarks.
`CONTENT=METADATA_ONLY` and SQLFILE make their tables so, too.

## Empty texts

No job loads rows into Oracle yet. `empty_text` shows in a SQLFILE for Oracle, where `relax` leaves NOT NULL out, and in
what `migrator plan … PROFILE=YES` finds, with the number of rows. Whatever it says, the script has an entry for each column
in which `''` becomes NULL (`oracle-empty-string`), or a row that holds it is refused. Empty bytes, which are NULL there as
well, are no case.

## Texts that compare in another way

No text changes where a column holds others for equal than at the source, or sorts them otherwise; but a key may refuse one
of two rows, or let in both, and conditions find others. Each such column has entries of the loss list: `key-equality` for a
primary key, unique constraint or index, `collation-equality` for the column, `collation` where the order alone changes or a
collation is not carried, `domain-collation` where a domain's own is not, `key-collation` and `index-collation` for a key or
index that compares by a collation of its own at the source. An entry that names no column is about its table's texts, or
those of all columns of a domain: the strictest of their settings holds. Texts without a collation of their own go by the
database's default: where that sorts otherwise than the source's, one entry of the database says so (`default-collation`),
which no setting is about. `collation` is the case of all the others. Without a
setting they are told, as with `convert`. `warn` makes each an error of the job, which ends with exit code 5. With `refuse`
a job that would make such a table makes nothing at all (MIG-20017, which names the columns with their declarations at both
ends); a table that is there already is not loaded. Whether a key holds rows for equal that there are is what
[PROFILE](profile.md) finds (`duplicates`).

A character set is no case of its own: a text with characters that the target's has not is refused.

## Which setting holds

`POLICY=[[schema.]table[.column]:]case=action[, …]`, in several items or several times. The most specific setting of a
case holds, whatever their order: one for a column goes before one for its table, that before one for a type, and that
before one without a name. Names are those of the source. Two names are a table and its schema, or a column and its
table, whichever there is; if both are, write all three. Refused are names that the job does not have, a column or type with
a case that its values never are (the error says which they can be), two settings that contradict each other, and what is no
case, action or type. The log names settings that have nothing to do: those for a table no column of which can have the case,
and those for a column that has a place for such values at the target.

`POLICY=type:name:case=action` is about all columns that have a type at the source: {types}.

"""

_POLICIES_REST = """\
## What is refused whatever the policy

- A value that would become NULL in a column that is NOT NULL when it is loaded: the log names the column, the value and
  the case.
- What is none of the cases: a text that is no number in a column of numbers, a label that an ENUM does not have, a
  document that is no JSON, a time of day where the target has a date, a TIMESTAMP of MySQL after 2038.
- A text with characters that the target's character set does not have; `REJECT_ROWS_WITH_REPL_CHAR` sets its row aside.
- Bytes that are no text, from a column of MySQL in a character set other than utf8mb4, utf8mb3, latin1 and ascii, or from
  a database of PostgreSQL whose encoding is SQL_ASCII.
- `POLICY` with `QUERY` on a dump file set, which is a condition in the target's SQL: what it leaves out would be
  counted.
- `retry-rejects` takes no policy: the values in a reject file can be mended there.

## What it costs

Nothing without POLICY. With it, only tables with a column that can have such a value are looked at: by their types, by
what each database has no place for, and not where both ends are the same database and declare the column alike. There,
PostgreSQL's rows no longer pass as the bytes of COPY. All values of a column in a batch are looked at together; where a
type's values travel in their binary form (a date that has one is neither zero nor infinite), a column costs next to
nothing.

## The loss list

Each change of type or meaning is an *entry*: an object, a column where one is concerned, a rule, what is lost, and,
where it was counted, in how many rows. A type that becomes a wider one is none, where a check keeps its range or any value
of it was let in; [types.md](types.md) has them all. What POLICY changed is counted while the rows pass, and told when a
table is loaded:

```
. . imported "public"."emp"                              17.08 KB     107 rows
. . loss: TABLE:"public"."emp"."hired": zero dates became NULL (3 rows) [zero-date]
```

The counts of a granule are committed with its rows, in the same transaction; so they are exact, however often a job
died and was started again, and rows that were taken back or rejected are not counted. A value that two cases change (a
number that is rounded, and is out of range then) is counted by both.

| where | what |
|---|---|
| the log | `. . loss:` lines, and how many there are; what four or more have in common is one, `. . loss in 15 places:` |
| a SQLFILE | comments, each before the statement that it is about |
| the master table | LOSS rows when an import is done; each GRANULE row's `detail`, under `converted`, at any time |
| `LEDGER=file` | all entries as JSON, of an import or a SQLFILE |
| `migrator plan … --json` | `losses`: those that are known before rows move; with [PROFILE](profile.md) they are counted |

Objects that the target has refused to make are errors of the log. The master table and `LEDGER` have entries about them,
too (rule `not-made`), with the SQL of the source, and of a foreign key with the number of rows that refer to none.
A foreign key that PostgreSQL has as NOT VALID is made as such in PostgreSQL and Oracle. MariaDB, MySQL and SQLite make it
without a look at the rows and do not say so afterwards: the entry `not-validated` does, with the number of rows that refer
to none.

A foreign key to a table that the job does not make is made where the target has that table. Where it has not, PostgreSQL,
MySQL and MariaDB refuse the key (ORA-39083), and SQLite's table is made without it, since SQLite would take the key and then
refuse all rows. The entry `foreign-key` names the key and the table. In a script, which always has the key, it is no loss
but what the script needs: PostgreSQL, MySQL, MariaDB and Oracle refuse the key where the table is not there before; SQLite
makes it and refuses rows as long as the table is not there, if `PRAGMA foreign_keys` is on.

A foreign key that held at the source, and that rows break at the target (the source did not look, or QUERY has left their
parents out), is an error of the job (ORA-02298). In PostgreSQL it is made as NOT VALID all the same: it holds for new rows,
and once those against it are mended, `ALTER TABLE … VALIDATE CONSTRAINT` makes it one as any other. SQLite's stands in
CREATE TABLE, and holds for new rows where it is asked for. For both there is an entry `not-validated`. MariaDB, MySQL, and
PostgreSQL before 18 of a partitioned table, refuse such a key (`not-made`). The rows come in, in any case, and their keys
are in the [list of orphans](rejects.md#orphans), which the entry names.

A check that is NOT VALID is off in MySQL and left out of MariaDB and SQLite (`check`), with the number of rows that break
it. The source counts them, by a query for each such check:
when an export begins, whose dump file set has the numbers; when an import begins over a link, into a database that has no
such checks; and `migrator plan` with PROFILE.
What MariaDB's InnoDB shows of its keys and does not use (KEY_BLOCK_SIZE, USING HASH) is named (`index-options`). MySQL shows
it in SHOW CREATE TABLE alone, one query for each table, so there it is not looked for.
SQLite lets NULLs into most primary keys, no other database does: a key that holds some becomes a unique constraint
(`null-in-key`, with their number), and the columns of one that holds none take none from then on (`key-not-null`).

```json
{"job": "\\"public\\".\\"SYS_IMPORT_SCHEMA_01\\"", "entries": [
 {"object": "TABLE:\\"public\\".\\"emp\\"", "rule": "zero-date", "detail": "zero dates became NULL", "column": "hired",
  "rows": 3, "policy": "convert", "each": false}]}
```

`rows` is null where rows were not counted, `policy` where nothing but this can be done about it. `each`: the entry is
about every row with a value in its column, such as an instant that becomes a date and time of day; these rows are counted
as they pass, with or without POLICY; all rows of the table, where the column takes no NULL. The log, which has such entries
when the table is made, has them without a number.

Some entries are about no rows, and never have a number: how texts compare and sort (`collation`, `key-collation`,
`key-equality`, `char-blanks`), what a declaration, an option or a domain says of rows to come (`domain`, `table-options`,
`declaration` of digits that a number would be rounded to, or of an SRID), what a key or an index does (`match-full`,
`set-columns`, `index-…`), comments, and names. What VERIFY compares is not changed by any of them.

No policy can refuse a -0, which equals 0: where a database keeps only 0, those that became one are counted as they pass
(`negative-zero`). Nor are values refused that are kept whole and mean something else in expressions; they are counted, too:
days before Christ, after 9999, at infinity and with zeros (0000-00-00, 2025-10-00) that come into SQLite, where they sort
and compare as texts and have neither year nor month (`far-date`), and texts with NUL between MySQL and SQLite, for which
their length and pieces end there (`nul-ends`).

A schema that was there before the job stays as it is: its comment, if it is another (`comment`), and the collation that
MySQL's programs have of their database, if they come into one of another default (`collation`), have entries.

Rows that go into a table that was there before have entries of their own: where a unique key holds texts for equal
that differ at the source, or the other way round (`key-equality`), where both tables compute a column, each by an expression
of its own (`existing-generated`), where triggers or rewrite rules of the table may change what comes in (`existing-trigger`,
`existing-rule`: nobody counts in how many rows they do; VERIFY=YES shows which), and where types differ in what each value
shows:

"""
_POLICIES_END = """
Others are about how a database shows values: blanks at the end of CHAR(n), which PostgreSQL fills up to its length and
MariaDB strips (`padding`), zeros before numbers, as ZEROFILL has them (`existing-zeros`; of a table that the job makes,
`declaration`), types of one database alone that
travel as another text than it prints (`declaration`). Times and decimals of SQLite, which shows what was written, have one
form as texts (`existing-clock`, `existing-written`); those of other databases become the texts that they print. A number is
the same however many zeros follow its point, and a time however many follow its second: nothing is said of these.

A text, a label or an array goes into a column of another type only if it is what that type writes: `12`, but neither `007`
nor `0x10` into whole numbers, `2020-01-02`, but not `now` into dates, a label, but not its number into an enumeration.
Everything else is refused by the column's name and the value, as are bytes in a column of texts, and values for a column
that the target computes (MIG-20014).
"""


def policies_page() -> str:
    """The page about policies and the loss list as Markdown."""
    from migrator.between import PASSAGES  # which, as the others, nothing else here needs
    from migrator.policies import ACTIONS, CASES, TYPES

    lines = [_line(f"`{action}`", meaning) for action, meaning in ACTIONS.items()]
    own = "The value is put instead of what is found; the entry says which, and in how many rows."
    lines.append(_line("`'value'`", own))
    cases = [_case_line(case) for case in CASES.values()]
    where = _POLICIES_WHERE.format(types=", ".join(f"`{name}`" for name in TYPES))
    entries = [_line("rule", "what becomes of values"), "|---|---|"]
    entries += dict.fromkeys(_line(f"`{row.rule}`", row.detail) for row in PASSAGES if row.rule)
    parts = (_POLICIES_HEAD, _joined(lines), _POLICIES_CASES, _joined(cases), where, _POLICIES_REST, _joined(entries))
    return "".join(parts) + _POLICIES_END


def _case_line(case: Case) -> str:
    actions = [f"`{action}`" for action in case.actions] + ["`'value'`"] * case.takes_value
    rules = ", ".join(f"`{rule}`" for rule in case.rules)
    return _line(f"`{case.misfit}`", case.meaning, case.conversion, case.reason, rules, ", ".join(actions))


def _joined(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"


_PROFILE_HEAD = """\
# Proof by data

<!-- Written by `migrator help --markdown profile`; do not edit. -->

`migrator plan … PROFILE=YES` looks at every row that the job would move, in the source's own SQL, and moves nothing:

```sh
migrator plan impdp postgresql://hr@localhost/hr NETWORK_LINK=mysql://hr@db1/hr REMAP_SCHEMA=hr:public PROFILE=YES
```

The plan says then, of each table

- what its columns hold (*facts*);
- which values have no place at the target, and in how many rows (*findings*): a job refuses those, or does with them what
  [POLICY](policies.md) says. The exit code is 5, as the import's would be, but where all of them are converted;
- which truer or narrower types all values prove (*suggestions*), with the proof. No job applies one by itself, since rows
  that come later may not fit; [COLUMN_TYPE](#choosing-a-type) asks for one.

Entries of the loss list have the number of rows that they are about, where a fact or a finding counts them; and what
POLICY would change is an entry with its number, as the job would tell it. With `--json` the plan has it all under
`profile`, and the entries under `losses`.

It works where rows come from a database: with `expdp` (facts, orphans and suggestions, since nobody takes the rows yet),
with `impdp … NETWORK_LINK=…`, and with `SQLFILE`, for Oracle too. The rows are those of one state of the source, the one
that a job would read; `QUERY` and FLASHBACK_TIME choose among them. A table, or a key of one, that could not be looked at
is named, with the reason, all else is looked at all the same, and the exit code is 5.

## What it costs

One query a table, which goes through its rows once. Where a table asks for more expressions than a SELECT has room for
(PostgreSQL {postgresql}, MySQL {mysql}, SQLite {sqlite}) it takes another one for the rest; `queries` says how many there
were. What no single row shows takes a query of its own: one for each foreign key, and one for each unique key at the
target that may hold more for equal than the source's; and one for each check that the source has not validated. Which
texts are equal, the target is asked itself: the columns of such a key go into a temporary table there, all rows of them,
and nothing of it stays. Texts that are JSON documents are read once more, as a load reads them, before the type is
suggested: wrong bytes in them show no other way. All such columns of a table are read together, and column by column only
where bytes are wrong.

## Facts

| fact | asked of | what it is |
|---|---|---|
"""

_PROFILE_FINDINGS = """
A fact that is missing was not asked: PostgreSQL before 16 cannot tell whether a text is JSON. Of a text of SQLite with NUL,
characters are counted up to the first.

## Findings

Where a column goes to one that has no place for some of its values, these are counted. A value is looked at as it is: a
number that is out of range only once it has been rounded is a fraction here and not out of range. *not known* stands where
it could be so and SQL cannot tell: wrong bytes in a text of SQLite, a number or date that a text stands for, floating-point
numbers that go into fewer bits; `too_long` where what is no text goes into one that may be too short for it; `other_type`
where a column of the target may have no place for the values of the source's, which nobody counts: it is of another kind, or
of a character set without some letters, or a TIMESTAMP of MySQL's, which ends in 2038, or takes documents of another
database, and some are none that every database takes (`not_json`). The load will find them. Where it
has a place for none of them, all are counted.

| case | what it is |
|---|---|
"""

_PROFILE_PROOFS = """
Duplicates are looked for where the target may hold texts for equal and the source does not, and where a table that is there
already has a unique key that the source has not. Of texts, the target counts them by its own collation; where a script is
written there is nobody to ask, and the plan says so. Rows that a table has already are not compared. Keys over expressions,
prefixes or with a condition are passed over. Orphans are looked for, and the first ones shown, by every foreign key but
those of a single partition: SQLite checks none unless asked to, MySQL and PostgreSQL can be told not to, and QUERY may
leave parents out.

## Suggestions

The first of these that all values prove, if there are any values, and if the column does not become such a type anyhow:

| suggestion | what proves it |
|---|---|
"""


_PROFILE_CHOICES = """
## Choosing a type

`impdp … COLUMN_TYPE=[schema.]table.column:type[, …]` makes a column with another type than its own; names are those of
the source. A value that does not fit the type is refused with the column's name, and the table is not loaded, or the
row goes to the reject file with SKIP_CONSTRAINT_ERRORS. A table that is there already keeps its types; give the choices
that made it again when its rows follow by CONTENT=DATA_ONLY, since a `uuid` does not tell how its bytes come. The loss list
has an entry for each chosen type (`column-type`). A profile of such an import says under `findings` how many values
would be refused; those of `json` are not counted, since a text is also JSON if it is a number or a word. Choose the
same type for both ends of a foreign key. A check or a view that takes the column for a number may not be taken by the
target any more: the log names it. Give `migrator verify` the same choices.

Some choices write values otherwise: bytes become a UUID, a number its text, a text its bytes, a set an array. A constant
default becomes the same value of the new type; one that is computed is left out, and named (`default`). Each check,
index expression, computed column and view that names such a column is an entry (`column-type-named`): it was written for
other values, and the target may refuse it, or take it and mean something else.

`ignore_case` and `ignore_accents` leave the type as it is. The job makes a collation of that name in the table's schema
(`CREATE COLLATION IF NOT EXISTS`; in a script, too), before the table; it stays when the table goes. A server without ICU,
or one that has another collation of that name there, is refused before anything is made. What still compares otherwise
than at the source is an entry (`collation-equality`). Choose the same for both ends of a foreign key.

| type | for columns of | values |
|---|---|---|
"""


_PROFILE_FORMS = """
No value proves by itself that 16 bytes are a UUID, so no profile suggests it; it counts those that are not 16
(`not_16_bytes`). `text` keeps what numbers and dates of other databases have no place for: zero dates, `NaN`, infinities.
The text of a value is

| of | text |
|---|---|
"""


def profile_page() -> str:
    """The page about PROFILE as Markdown."""
    from migrator.adapter import load_adapter
    from migrator.column_types import CHOICES, TEXT_FORMS
    from migrator.converting import FINDERS
    from migrator.model.measures import MEANINGS
    from migrator.policies import CASES
    from migrator.profiling.profiles import TROUBLES
    from migrator.profiling.proofs import PROOFS
    from migrator.profiling.questions import QUESTIONS

    room = {name: load_adapter(name).capabilities.select_list for name in ("postgresql", "mysql", "sqlite")}
    facts = [_line(f"`{row.measure}`", row.said, MEANINGS[row.measure]) for row in QUESTIONS]
    cases = [_line(f"`{case.misfit}`", case.meaning) for case in CASES.values() if case.misfit in FINDERS]
    troubles = [_line(f"`{name}`", said.format(key="a unique key")) for name, said in TROUBLES.items()]
    proofs = [_line(f"`{proof.name}`", proof.meaning) for proof in PROOFS]
    choices = [_line(f"`{row.name}`", ", ".join(kind.__name__.lower() for kind in row.of), row.keeps) for row in CHOICES]
    forms = [_line(kind.__name__.lower(), form) for kind, form in TEXT_FORMS.items()]
    parts = (
        *(_PROFILE_HEAD.format(**room), facts),
        *(_PROFILE_FINDINGS, (*cases, *troubles)),
        *(_PROFILE_PROOFS, proofs),
        *(_PROFILE_CHOICES, choices),
        *(_PROFILE_FORMS, forms),
    )
    return "".join(part if isinstance(part, str) else "\n".join(part) + "\n" for part in parts)


_NAMES_HEAD = """\
# Names

<!-- Written by `migrator help --markdown names`; do not edit. -->

Names come as they are, quoted where they must be: their case, blanks, reserved words. `REMAP_SCHEMA` and
`REMAP_TABLE` give schemas and tables others. What comes in a database that cannot have a name as it is has another
one there:

- **A name that is too long** is cut, and ends with eight digits of a checksum of all of it: one long name has the
  same short one in every job. What refers to it by that name follows: keys, views, the expressions of checks and
  generated columns.
- **A name with characters that the target has in none**, as MySQL has neither those beyond U+FFFF (emoji) nor blanks at
  the end, loses them, ends with such digits, and is followed in the same way.
- **A column's name that the target keeps for itself**, as PostgreSQL does `xmin` and `ctid`, ends with such digits, too,
  and is followed in the same way. A view may have such a name, and shows the column under it; Oracle's may not, and
  has an entry for each column that it shows under another. MySQL's `FTS_DOC_ID` stays where it is BIGINT UNSIGNED NOT
  NULL: that it may be.
- **A table's or view's name that begins as the target's own do**, in SQLite with `sqlite_`, in capitals or not, does
  without that, ends with such digits, and is followed in the same way. (So an index has its table's name before it.)
- **A name that is taken** by something else of the job, or by something else that is at the target before the job,
  gets its table's name before it: of two indexes `by_day`, each of its own table in MySQL, one is `visits_by_day` in
  PostgreSQL, where they are of one schema. That is so of indexes and constraints.

All are decided before anything is made. Each is an entry of the loss list (`name-cut`, `name-characters`, `name-reserved`,
`index-name`, `constraint-name`; the latter two where the index or constraint is made), and so a comment of a SQLFILE. Two
tables, views or columns that come to one name are refused.

| target | longest name | what must have names of its own |
|---|---|---|
"""

_NAMES_MAP = """
Oracle's script adds a number or a table's name where Oracle's name spaces want more than this (`oracle-name`).

## The rename map

What has another name is kept at the target, in the table `{name}` of its schema. A job that renames something makes
it, and writes it before it makes anything under such a name; at its end, the map says what is there. `migrator
renames CONNECTION` shows the maps of all schemas, with `--json` as JSON; and reading them by SQL is welcome:

```
SELECT object_type, table_name, target_name, source_name FROM {name} ORDER BY 1, 2, 3
```

| column | type | what it means |
|---|---|---|
"""

_NAMES_LATER = """
Later jobs into the schema, from whatever source, read it; so do `migrator plan`, `migrator verify`, and SQLFILE where
a server is named:

- A name that the map has for something goes before both rules. An index keeps its name though nothing stands in its
  way any more, rows find their tables and columns, and foreign keys and views lead to them. A table is known by its
  schema, a column by its table: one long name may have several short ones. In the text of a view it has that of the
  tables that the view reads, or the only one that there is.
- It may be changed by hand. After `ALTER TABLE … RENAME`, change the `target_name` of the table, and the `table_name`
  of its columns, keys and indexes, and later jobs find the table under its new name. A table or column whose name
  fits comes under it all the same: for that there is `REMAP_TABLE`.
- `REMAP_TABLE` goes before the map, and the log says so. The map then tells of both tables, if both are there.
- A name that something else has by now, of the job or at the target, is chosen anew, and the map follows.
- What is not there any more is taken out of the map when a job into the schema is done, but for what another job on
  record may be about to make: each job puts its own name to the entries that it relies on. Jobs that are recorded on
  another machine (`MASTER_TABLE=LOCAL`) nobody sees; they write theirs again at their end. A map that was dropped is made
  again, as far as later jobs are about the same things.
- A job that is started again has the names that it had chosen, which its master table has, whatever the map says or
  the target has by then.

Where the map cannot be made or written, because the user may not, because a table of somebody else has its name, or
because it is one of an earlier release (the message says what it lacks, and how to add it), the job goes on under the
names that it has chosen, with an error in its log (MIG-31658, exit code 5): the loss list has them too. One that cannot
be read is remarked. It is no part of what jobs move: no export, no import and no inventory has it, but for a data file
that holds a whole database and is copied as it is; a view that reads it stays behind, with an entry of the loss list
(`job-records`). An export renames nothing.
"""


def names_page() -> str:
    """The page about names as Markdown."""
    from migrator.adapter import NamedKind, NameSpace, load_adapter
    from migrator.rename_map import COLUMNS, NAME  # with SQLAlchemy, which no other help text needs

    def kinds(space: NameSpace) -> str:
        ordered: tuple[NamedKind, ...] = get_args(NamedKind)
        listed = ", ".join(kind.replace("_", " ") for kind in ordered if kind in space.kinds)
        return f"in a {space.within}: {listed}"

    def limit(adapter: Adapter) -> str:
        most, unit = adapter.capabilities.identifier_limit
        return "no limit" if most > 1000 else f"{most} {unit}"

    lines = [_NAMES_HEAD.rstrip()]
    lines += [
        _line(server, limit(adapter), "; ".join(map(kinds, adapter.name_spaces(version))))
        for adapter in map(load_adapter, ("postgresql", "mysql", "sqlite", "oracle"))
        for server, version in adapter.servers.items()
    ]
    lines += _NAMES_MAP.format(name=NAME).rstrip().splitlines()
    lines += [_line(f"`{column.name}`", f"`{column.type}`", column.meaning) for column in COLUMNS]
    return "\n".join(lines) + "\n" + _NAMES_LATER


PAGES = {
    "parameters": page,
    "names": names_page,
    "access-methods": access_methods_page,
    "jobs": jobs_page,
    "types": types_page,
    "verify": verify_page,
    "policies": policies_page,
    "profile": profile_page,
}
"""The pages of docs/ that are written from tables, by name."""


def _clients(row: Parameter) -> str:
    return ", ".join(sorted(row.clients))


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _line(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
