"""Which access method moves a table's rows: the documented rules as data, and :func:`choose`.

Each rule asks one fact and bars methods; the first method that no rule bars is taken. Facts that a database would not tell
count as true. Rules that bar the direct path leave the external table, and attributes that conflict (one needs the external
table, another forbids it) leave the conventional path. Data files are copied only where TRANSPORTABLE asks for it.
``docs/access-methods.md`` is written from :data:`RULES`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from migrator.adapter import Fact, Facts
from migrator.errors import AccessMethodRefused, DataFileCopyRefused, MigratorError, NoAccessMethod
from migrator.model.objects import QName


class Method(StrEnum):
    """The ways rows can move, the fastest first; the values are the words METRICS prints, in capitals ACCESS_METHOD's."""

    DATA_FILE_COPY = "data_file_copy"
    INSERT_AS_SELECT = "insert_as_select"
    DIRECT_PATH = "direct_path"
    EXTERNAL_TABLE = "external_table"
    CONVENTIONAL_PATH = "conventional_path"


MEANINGS = {
    Method.DATA_FILE_COPY: (
        "the data files as they lie on the server's disk, indexes included; no row is read",
        "the data files take the place of the new table's own; no row is written. Always so with a dump file set that has "
        "data files, never with another",
    ),
    Method.INSERT_AS_SELECT: (
        "",
        "over a link only: INSERT … SELECT in the target's SQL engine, which reads the linked database itself, so that no "
        "row passes through the job",
    ),
    Method.DIRECT_PATH: (
        "rows as they are stored, by the database's own bulk protocol",
        "the database's own bulk protocol: COPY, LOAD DATA LOCAL INFILE; for SQLite INSERT … SELECT from files beside the "
        "database (`hr.db.migrator-rows0`), which go with their rows",
    ),
    Method.EXTERNAL_TABLE: (
        "rows as the SQL engine's SELECT gives them: conditions choose among them, and policies hide some of them",
        "the bulk protocol fills a temporary staging table, and INSERT … SELECT moves the rows on: triggers fire, policies "
        "and keys are checked (foreign keys of SQLite when all rows are there: those that break one are an error of the "
        "job, and stay), conditions choose",
    ),
    Method.CONVENTIONAL_PATH: ("", "INSERT of rows through the SQL engine, with all that happens to any INSERT"),
}
"""What each method does when it unloads (empty: it does not), and when it loads; for the documentation."""

ASKED = {
    "INSERT_AS_SELECT": Method.INSERT_AS_SELECT,
    "DIRECT_PATH": Method.DIRECT_PATH,
    "EXTERNAL_TABLE": Method.EXTERNAL_TABLE,
    "CONVENTIONAL_PATH": Method.CONVENTIONAL_PATH,
}
"""The values of ACCESS_METHOD that ask for a method."""

JobFact = Literal[
    "QUERY", "SAMPLE", "REMAP_DATA", "DISABLE_APPEND_HINT", "TRUST_EXISTING_TABLE_PARTITIONS", "SKIP_UNUSABLE_INDEXES"
]
"""A parameter of the job that concerns a table, as a fact about it."""


class LinkFact(StrEnum):
    """What rules ask of a table whose rows come over a link; the rule's sentence says what it is."""

    ANOTHER_KIND = "another-kind"
    OUT_OF_REACH = "out-of-reach"
    CONVERTED = "converted"
    QUERIED = "queried"
    LOOKED_AT = "looked-at"
    UNCERTAIN = "uncertain"


LINK_ANSWERS = {
    LinkFact.ANOTHER_KIND: "the adapters of both ends",
    LinkFact.OUT_OF_REACH: "a connection of the target from which the linked database is read, tried before rows move",
    LinkFact.CONVERTED: "the declarations of the column at both ends",
    LinkFact.QUERIED: "the job's parameter `QUERY`",
    LinkFact.LOOKED_AT: "the job's parameter `DATA_OPTIONS`",
    LinkFact.UNCERTAIN: "the types of the columns; what the session that locks the source's tables finds of them",
}
"""Where each fact about a link is answered, whatever the database."""

Direction = Literal["load", "unload", "both"]


@dataclass(frozen=True)
class Rule:
    """One reason why methods are not used.

    ``direction``: what it is about. ``asks``: a fact about the table or its link, or a parameter of the job. The log and the
    documentation say ``sentence``; ``lift``: what would make it void. ``existing``: it concerns only tables that were there
    before the job. ``unless``: a parameter of the job that voids it. ``documented``: Data Pump has it; else it is ours.
    """

    name: str
    direction: Direction
    asks: Fact | JobFact | LinkFact
    bars: frozenset[Method]
    sentence: str
    lift: str
    existing: bool = False
    unless: JobFact | None = None
    documented: bool = True

    def holds(self, situation: Situation) -> bool:
        """Whether the rule is to be followed."""
        if self.direction != "both" and (self.direction == "unload") != situation.unloading:
            return False
        if (self.existing and situation.fresh) or self.unless in situation.parameters:
            return False
        if isinstance(self.asks, Fact):
            return situation.facts.holds(self.asks)
        if isinstance(self.asks, LinkFact):
            return situation.link is not None and self.asks in situation.link.facts
        return self.asks in situation.parameters


@dataclass(frozen=True)
class Link:
    """A table's way over a link: the ``facts`` that are so of it, each with what there is to add.

    ``fastest``: the SQL engine that reads the linked database is faster than a stream.
    """

    facts: Mapping[LinkFact, str] = field(default_factory=dict)
    fastest: bool = False


@dataclass(frozen=True)
class Situation:
    """What the rules look at.

    ``fresh``: this job makes the table; ``unloading``: rows go into a dump file set; ``parameters``: those of the job that
    this movement has to see to (a QUERY that the source's reader has applied is none when the rows are loaded). ``link``:
    the way of rows that come from a linked database.
    """

    facts: Facts = field(default_factory=Facts)
    fresh: bool = True
    unloading: bool = False
    parameters: frozenset[JobFact] = frozenset()
    link: Link | None = None

    def methods(self, asked: Method | None) -> tuple[Method, ...]:
        """The methods there are, the fastest first. Rows are unloaded by the direct path or the external table only.

        Data files are copied on demand, and then there is nothing else.
        """
        if asked is Method.DATA_FILE_COPY:
            return (asked,)
        inside = self.link is not None and (self.link.fastest or asked is Method.INSERT_AS_SELECT)
        left_out = {Method.DATA_FILE_COPY} if inside else {Method.DATA_FILE_COPY, Method.INSERT_AS_SELECT}
        loading = [method for method in Method if method not in left_out]
        return tuple(method for method in loading if MEANINGS[method][0] or not self.unloading)


_COPY = frozenset({Method.DATA_FILE_COPY})
_INSIDE = frozenset({Method.INSERT_AS_SELECT})
_DIRECT = frozenset({Method.DIRECT_PATH})
_EXTERNAL = frozenset({Method.EXTERNAL_TABLE})
_NOT_SQL = _COPY | _DIRECT | {Method.CONVENTIONAL_PATH}
_ALL = frozenset(Method)
_OTHER_TYPE = "give the column another type"

RULES: tuple[Rule, ...] = (
    # --- loading, as documented -----------------------------------------------------------------------------------------
    Rule(
        "trigger",
        "load",
        Fact.TRIGGER,
        _DIRECT,
        "the table was there before the job and has an active insert trigger",
        "disable the trigger, or drop it for the job, or let the job make the table (TABLE_EXISTS_ACTION=REPLACE)",
        existing=True,
    ),
    Rule(
        "insert-policy",
        "load",
        Fact.INSERT_POLICY,
        _DIRECT,
        "fine-grained access control decides which rows may be inserted",
        "import as a user who is exempt from the policies",
    ),
    Rule(
        "referential",
        "load",
        Fact.REFERENTIAL,
        _DIRECT,
        "the table was there before the job and has a referential constraint",
        "drop the constraint for the job, or let the job make the table (TABLE_EXISTS_ACTION=REPLACE)",
        existing=True,
    ),
    Rule(
        "unique-index",
        "load",
        Fact.UNIQUE_INDEX,
        _DIRECT,
        "the table was there before the job and has a unique index",
        "drop the index for the job, or let the job make the table (TABLE_EXISTS_ACTION=REPLACE)",
        existing=True,
    ),
    Rule(
        "partitioned",
        "load",
        Fact.PARTITIONED,
        _DIRECT,
        "the table was there before the job and is partitioned",
        "let the job make the table (TABLE_EXISTS_ACTION=REPLACE), or give "
        "DATA_OPTIONS=TRUST_EXISTING_TABLE_PARTITIONS if its partitions are those of the source",
        existing=True,
        unless="TRUST_EXISTING_TABLE_PARTITIONS",
    ),
    Rule(
        "disabled-unique-index",
        "load",
        Fact.DISABLED_UNIQUE_INDEX,
        _ALL,
        "a unique index of the table is disabled, so nothing would keep its keys unique",
        "build the index anew, or drop it",
    ),
    Rule(
        "unusable-index",
        "load",
        Fact.UNUSABLE_INDEX,
        _ALL,
        "an index of the table is unusable, and SKIP_UNUSABLE_INDEXES=NO",
        "build the index anew, or give SKIP_UNUSABLE_INDEXES=YES",
        existing=True,
        unless="SKIP_UNUSABLE_INDEXES",
    ),
    Rule(
        "domain-index",
        "load",
        Fact.DOMAIN_INDEX,
        _DIRECT,
        "a large-object column has a domain index that is no full-text index",
        "drop the index for the job",
    ),
    Rule(
        "global-index",
        "load",
        Fact.GLOBAL_INDEX,
        _DIRECT,
        "one partition is loaded, and an index spans several",
        "load the whole table, or drop the index for the job",
    ),
    Rule("clustered", "load", Fact.CLUSTERED, _DIRECT, "the table is in a cluster", "move the table out of its cluster"),
    Rule(
        "opaque-varray",
        "load",
        Fact.OPAQUE_VARRAY,
        _DIRECT,
        "a column is an array of values whose type is opaque",
        _OTHER_TYPE,
    ),
    Rule(
        "supplemental-logging",
        "load",
        Fact.SUPPLEMENTAL_LOGGING,
        _DIRECT,
        "supplemental logging is on and the table has a large-object column",
        "switch supplemental logging off for the job",
    ),
    Rule(
        "time-zone-file",
        "load",
        Fact.TIME_ZONE_FILE,
        _DIRECT,
        "a column has instants with a time zone, and the source knows other time zones than the target",
        "bring both databases to one version of the time-zone data",
    ),
    Rule(
        "append-hint",
        "load",
        "DISABLE_APPEND_HINT",
        _DIRECT,
        "DATA_OPTIONS=DISABLE_APPEND_HINT keeps rows from being appended past the SQL engine",
        "leave DISABLE_APPEND_HINT out",
    ),
    # --- unloading, as documented ---------------------------------------------------------------------------------------
    Rule(
        "select-policy",
        "unload",
        Fact.SELECT_POLICY,
        _DIRECT,
        "fine-grained access control decides which rows may be read",
        "export as a user who is exempt from the policies",
    ),
    Rule(
        "queue-table",
        "unload",
        Fact.QUEUE_TABLE,
        _DIRECT,
        "the table holds a queue's messages",
        "nothing: copy the messages into a plain table",
    ),
    Rule(
        "opaque-object",
        "unload",
        Fact.OPAQUE_OBJECT,
        _DIRECT,
        "a column is of an object type that has an opaque attribute",
        _OTHER_TYPE,
    ),
    Rule(
        "evolved-type",
        "unload",
        Fact.EVOLVED_TYPE,
        _DIRECT,
        "a column holds values of an earlier version of its type",
        "upgrade the table's data to the type's version",
    ),
    Rule(
        "long-not-last",
        "unload",
        Fact.LONG_NOT_LAST,
        _DIRECT,
        "a column of type LONG or LONG RAW is not the last one",
        "change the column to a large object",
    ),
    Rule(
        "added-default",
        "unload",
        Fact.ADDED_DEFAULT,
        _DIRECT,
        "a NOT NULL column with a default was added after rows were there, which do not store it",
        "rewrite the table",
    ),
    # --- both ways, as documented ---------------------------------------------------------------------------------------
    Rule(
        "opaque-column",
        "both",
        Fact.OPAQUE_COLUMN,
        _DIRECT,
        "a column refers to a file outside the database, or its type is opaque",
        _OTHER_TYPE,
    ),
    Rule(
        "encrypted-column",
        "both",
        Fact.ENCRYPTED_COLUMN,
        _DIRECT,
        "a column is encrypted",
        "decrypt the column; the dump file set has an encryption of its own",
    ),
    Rule(
        "query-unload",
        "unload",
        "QUERY",
        _COPY | _DIRECT,
        "QUERY chooses among the table's rows",
        "leave QUERY out for the table",
    ),
    Rule(
        "query-load",
        "load",
        "QUERY",
        _NOT_SQL,
        "QUERY chooses among the rows of a dump file set, which takes the target's SQL engine",
        "leave QUERY out for the table, or give it to the export",
    ),
    Rule(
        "sample",
        "unload",
        "SAMPLE",
        _COPY | _DIRECT,
        "SAMPLE takes some of the table's rows",
        "leave SAMPLE out for the table",
    ),
    Rule(
        "remap-data",
        "both",
        "REMAP_DATA",
        _COPY | _DIRECT | _INSIDE,
        "REMAP_DATA changes values of the table",
        "leave REMAP_DATA out for the table",
    ),
    # --- our own --------------------------------------------------------------------------------------------------------
    Rule(
        "no-data-file",
        "both",
        Fact.NO_DATA_FILE,
        _COPY,
        "the table is in no data file that another database could take",
        "leave TRANSPORTABLE out, or move the table into such a file: ALTER TABLE … ENGINE=InnoDB",
        documented=False,
    ),
    Rule(
        "partitioned-file",
        "both",
        Fact.PARTITIONED,
        _COPY,
        "the table is partitioned, and the server takes no data file of a partition",
        "leave TRANSPORTABLE out, or EXCLUDE the table",
        documented=False,
    ),
    Rule(
        "versioned-file",
        "both",
        Fact.SYSTEM_VERSIONED,
        _COPY,
        "the data file has the rows of the past as well, which no job moves",
        "leave TRANSPORTABLE out, or EXCLUDE the table",
        documented=False,
    ),
    Rule(
        "full-text-file",
        "both",
        Fact.FULL_TEXT_INDEX,
        _COPY,
        "a full-text index keeps its words in files of its own, which the server does not take",
        "drop the index for the job, or EXCLUDE the table",
        documented=False,
    ),
    Rule(
        "spatial-file",
        "both",
        Fact.SPATIAL_INDEX,
        _COPY,
        "the server does not take the data file of a spatial index that has entries of deleted rows, and does not say if so",
        "drop the index for the job, or EXCLUDE the table",
        documented=False,
    ),
    Rule(
        "encoded-file",
        "both",
        Fact.ENCODED_FILE,
        _COPY,
        "the server compresses or encrypts the pages of the data file, by options that no job carries",
        "take PAGE_COMPRESSED or ENCRYPTED off the table, and let innodb_encrypt_tables be OFF",
        documented=False,
    ),
    Rule(
        "file-unreadable",
        "unload",
        Fact.FILE_UNREADABLE,
        _COPY,
        "this process cannot read the data file",
        "run migrator on the server's own machine, as a user who may read its data directory",
        documented=False,
    ),
    Rule(
        "directory-unwritable",
        "load",
        Fact.DIRECTORY_UNWRITABLE,
        _COPY,
        "this process cannot put a file, owned as the server's own, where the table's is",
        "run migrator on the server's own machine, as the user whom its data directory belongs to, or as root",
        documented=False,
    ),
    Rule(
        "link-kind",
        "load",
        LinkFact.ANOTHER_KIND,
        _INSIDE,
        "the linked database is of another kind, or of one whose SQL reads no other database",
        "nothing: rows are streamed",
        documented=False,
    ),
    Rule(
        "link-reach",
        "load",
        LinkFact.OUT_OF_REACH,
        _INSIDE,
        "the target cannot read the linked database in the one state that the whole job reads",
        "what the reason in parentheses says",
        documented=False,
    ),
    Rule(
        "link-converted",
        "load",
        LinkFact.CONVERTED,
        _INSIDE,
        "a column is declared otherwise at the target, so its values are converted and checked on the way",
        "declare the column as at the source, or let the job make the table (TABLE_EXISTS_ACTION=REPLACE)",
        documented=False,
    ),
    Rule(
        "link-query",
        "load",
        LinkFact.QUERIED,
        _INSIDE,
        "QUERY's condition is the source's to read: at the target its names could mean other tables",
        "leave QUERY out for the table",
        documented=False,
    ),
    Rule(
        "link-looked-at",
        "load",
        LinkFact.LOOKED_AT,
        _INSIDE,
        "DATA_OPTIONS has each row looked at, and none passes through the job",
        "leave the options out",
        documented=False,
    ),
    Rule(
        "link-uncertain",
        "load",
        LinkFact.UNCERTAIN,
        _INSIDE,
        "nothing shows that the target's SQL would read these rows, no others, and each value as it is",
        "nothing: rows are streamed",
        documented=False,
    ),
    Rule(
        "temporary",
        "both",
        Fact.TEMPORARY,
        _ALL,
        "the table is temporary: its rows belong to the sessions that wrote them",
        "copy the rows into a table that stays",
        documented=False,
    ),
    Rule(
        "index-organised",
        "unload",
        Fact.INDEX_ORGANISED,
        _DIRECT,
        "the rows lie in the table's index",
        "nothing: the table is made so",
        documented=False,
    ),
    Rule(
        "generated-column",
        "load",
        Fact.GENERATED_COLUMN,
        _DIRECT,
        "a column is generated, and the bulk protocol does not compute it",
        "drop the column for the job",
        documented=False,
    ),
    Rule(
        "invisible-column",
        "both",
        Fact.INVISIBLE_COLUMN,
        _DIRECT,
        "a column is invisible, and the bulk protocol passes over it",
        "make the column visible for the job",
        documented=False,
    ),
    Rule(
        "system-versioned",
        "load",
        Fact.SYSTEM_VERSIONED,
        _DIRECT,
        "the table was there before the job and keeps its rows' history, which the SQL engine writes",
        "let the job make the table (TABLE_EXISTS_ACTION=REPLACE), which loses the history",
        existing=True,
        documented=False,
    ),
    Rule(
        "insert-rule",
        "load",
        Fact.INSERT_RULE,
        _DIRECT,
        "the table has a rewrite rule for INSERT, which the bulk protocol passes over",
        "disable the rule",
        documented=False,
    ),
    Rule(
        "instead-rule",
        "load",
        Fact.INSTEAD_RULE,
        _ALL,
        "the table was there before the job, and a rewrite rule of it does something else instead of inserting rows",
        "disable the rule for the job, or let the job make the table (TABLE_EXISTS_ACTION=REPLACE)",
        existing=True,
        documented=False,
    ),
    Rule(
        "bulk-type",
        "both",
        Fact.BULK_TYPE,
        _DIRECT,
        "a column has a type that the bulk protocol rejects",
        _OTHER_TYPE,
        documented=False,
    ),
    Rule(
        "thick-mode",
        "load",
        Fact.THICK_MODE,
        _DIRECT,
        "the connection goes through the database's client library, which has no bulk protocol for this",
        "connect in thin mode",
        documented=False,
    ),
    Rule(
        "bulk-refused",
        "load",
        Fact.BULK_REFUSED,
        _DIRECT,
        "the server takes no bulk loads",
        "let the server take them: SET GLOBAL local_infile = 1",
        documented=False,
    ),
    Rule(
        "bulk-refused-staging",
        "load",
        Fact.BULK_REFUSED,
        _EXTERNAL,
        "without bulk loads a staging table would be filled by INSERT, which the table itself can be as well",
        "let the server take them: SET GLOBAL local_infile = 1",
        unless="QUERY",
        documented=False,
    ),
    Rule(
        "staging-refused",
        "load",
        Fact.STAGING_REFUSED,
        _EXTERNAL,
        "the user may not make a temporary table for staging",
        "grant the privilege: TEMPORARY on the database, CREATE TEMPORARY TABLES on the schema",
        documented=False,
    ),
)


_SEEN = "grant the user the privilege to see whether it is so"


@dataclass(frozen=True)
class Bar:
    """A rule that is to be followed. ``detail``: what the database adds; ``unknown``: it would not say whether it is so."""

    rule: Rule
    detail: str = ""
    unknown: bool = False

    def __str__(self) -> str:
        notes = ["unknown, so taken to be so"] if self.unknown else []
        notes += [self.detail] if self.detail else []
        return self.rule.sentence + (f" ({': '.join(notes)})" if notes else "")

    @property
    def lift(self) -> str:
        """What would make it void. What is only taken to be so may not be: then it is enough that the user can see that."""
        return f"{_SEEN}; or, if it is so: {self.rule.lift}" if self.unknown else self.rule.lift


@dataclass(frozen=True)
class Choice:
    """The method, None: there is none; ``barred``: the rules to be followed; ``asked``: the method that ACCESS_METHOD is;
    ``possible``: the methods there are, the fastest first."""

    method: Method | None
    barred: tuple[Bar, ...] = ()
    asked: Method | None = None
    possible: tuple[Method, ...] = tuple(Method)

    @property
    def why(self) -> tuple[Bar, ...]:
        """The rules that barred a faster method than the one chosen."""
        faster = {method for method in self.possible if self.method is None or _speed(method) < _speed(self.method)}
        return tuple(bar for bar in self.barred if bar.rule.bars & faster)

    @property
    def reason(self) -> str:
        """Why it is not a faster method; empty for the fastest."""
        given = f"ACCESS_METHOD={self.asked.name}" if self.asked is not None and self._slower() else ""
        return "; ".join(filter(None, [given, *map(str, self.why)]))

    @property
    def partial(self) -> bool:
        """Whether policies may hide rows from an export."""
        return any(bar.rule.asks is Fact.SELECT_POLICY for bar in self.barred)

    def remark(self, table: QName) -> str:
        """What the log of an export says of it as an error, although rows are unloaded; empty: nothing."""
        if not self.partial:
            return ""
        return f"ORA-39181: Only partial table data may be exported due to fine grain access control on {table}"

    def _slower(self) -> bool:
        """Whether a faster method than the one chosen was free."""
        return self.method is not next(
            (m for m in self.possible if all(m not in bar.rule.bars for bar in self.barred)), None
        )

    def refusal(self, table: QName, verb: Literal["export", "import"]) -> MigratorError | None:
        """The error of a table whose rows no method may move; None: one may. It names the rules of the method asked for,
        or of the one that the fewest bar."""
        if self.method is not None:
            return None
        methods = self.possible if self.asked is None else (self.asked,)
        barring = min(([bar for bar in self.barred if method in bar.rule.bars] for method in methods), key=len)
        rules = "; ".join(f"rule {bar.rule.name}: {bar}" for bar in barring) or "no table is unloaded so"
        lifts = "; ".join(dict.fromkeys(bar.lift for bar in barring)) or "nothing does"
        if self.asked is None:
            return NoAccessMethod(verb=verb, table=table, detail=rules, lift=lifts)
        if self.asked is Method.DATA_FILE_COPY:
            return DataFileCopyRefused(verb=verb, table=table, method=self.asked.name, detail=rules, lift=lifts)
        return AccessMethodRefused(verb=verb, table=table, method=self.asked.name, detail=rules, lift=lifts)


def _speed(method: Method) -> int:
    return list(Method).index(method)


def choose(situation: Situation, asked: Method | None = None) -> Choice:
    """The fastest method that no rule bars, or the one ``asked`` for, if no rule bars it."""
    copying = asked is Method.DATA_FILE_COPY
    concerned = [rule for rule in RULES if (rule.bars & _COPY if copying else rule.bars - _COPY)]
    followed = [rule for rule in concerned if rule.holds(situation)]
    barred = tuple(_bar(rule, situation) for rule in followed)
    possible = situation.methods(asked)
    free = [method for method in possible if all(method not in rule.bars for rule in followed)]
    if asked is not None:
        return Choice(asked if asked in free else None, barred, asked, possible)
    return Choice(free[0] if free else None, barred, possible=possible)


def _bar(rule: Rule, situation: Situation) -> Bar:
    if isinstance(rule.asks, Fact):
        return Bar(rule, situation.facts.details.get(rule.asks, ""), situation.facts.unknown(rule.asks))
    if isinstance(rule.asks, LinkFact) and situation.link is not None:
        return Bar(rule, situation.link.facts[rule.asks])
    return Bar(rule)
