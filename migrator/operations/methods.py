"""Access methods of a job's tables: the facts are asked set-wise, and the rules choose."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import sqlalchemy as sa

from migrator.access import ASKED, Choice, JobFact, Link, LinkFact, Method, Situation, choose
from migrator.adapter import Facts, Load
from migrator.ends import Database, database_errors
from migrator.errors import LinkRefused, MigratorError, ValueNotCarried
from migrator.model.objects import QName, Table
from migrator.operations.matching import matched
from migrator.origins import Origin
from migrator.spec import DataOption, JobSpec

_NO_PARAMETER: frozenset[JobFact] = frozenset()
_OPTIONS: dict[DataOption, JobFact] = {
    "DISABLE_APPEND_HINT": "DISABLE_APPEND_HINT",
    "TRUST_EXISTING_TABLE_PARTITIONS": "TRUST_EXISTING_TABLE_PARTITIONS",
}
"""The DATA_OPTIONS that rules look at."""
_LOOKING: frozenset[DataOption] = frozenset({"SKIP_CONSTRAINT_ERRORS", "REJECT_ROWS_WITH_REPL_CHAR", "VALIDATE_TABLE_DATA"})
"""The DATA_OPTIONS for which each row has to come by the job."""
_NAMED = 20
"""How many tables an error names besides the first."""
_QUERY: frozenset[JobFact] = frozenset({"QUERY"})
_SKIPPING: frozenset[JobFact] = frozenset({"SKIP_UNUSABLE_INDEXES"})


def _asked(spec: JobSpec, origin: Origin) -> Method | None:
    """The method that the job is to use; None: the fastest that each table allows."""
    return ASKED.get(spec.access_method) if origin.data_files is None else Method.DATA_FILE_COPY


def unloading(spec: JobSpec, origin: Origin, tables: Sequence[Table]) -> dict[QName, Choice]:
    """How the rows of an export's tables are read, by the tables' names at the source."""
    facts = origin.facts([table.source for table in tables])
    chosen = {}
    for table in tables:
        asked_of = _QUERY if table.source in origin.queried else _NO_PARAMETER
        situation = Situation(facts.get(table.source, Facts()), unloading=True, parameters=asked_of)
        chosen[table.source] = choose(situation, _asked(spec, origin))
    return chosen


def check_unloading(chosen: Mapping[QName, Choice]) -> None:
    """Every table of an export has a method.

    :raises AccessMethodRefused: ACCESS_METHOD or TRANSPORTABLE asks for what a rule bars.
    :raises NoAccessMethod: rules bar every method.
    """
    refused = {name: why for name, choice in chosen.items() if (why := choice.refusal(name, "export")) is not None}
    if refused:
        raise first_of(refused)


def first_of(refused: Mapping[QName, MigratorError]) -> MigratorError:
    """The error of a job that ends for what bars several tables: that of the first one, which names the others too."""
    first, *others = refused
    error = refused[first]
    if not others:
        return error
    named = ", ".join(str(name) for name in others[:_NAMED]) + ", …" * (len(others) > _NAMED)
    return type(error)(**{**error.facts, "detail": f"{error.facts['detail']}; {len(others)} more refused: {named}"})


def loading(
    spec: JobSpec,
    origin: Origin,
    target: Database,
    connection: sa.Connection,
    tables: Sequence[Table],
    existing: Collection[QName],
    made: Iterable[Table],
) -> tuple[dict[QName, Choice], Mapping[QName, Facts]]:
    """How rows come into the tables of an import, and the facts of those that are there, by the tables' names at the target.

    ``existing``: not made by the job; ``made``: tables as the target has them; those that are missing are yet to be made,
    and one of their names that is there now says nothing of them.
    """
    if not tables:
        return {}, {}
    there = {table.qname: table for table in made}
    asked_as = {table.qname: table.qname if table.qname in there else _to_be_made(table.qname) for table in tables}
    facts: Mapping[QName, Facts] = target.adapter.facts(connection, list(dict.fromkeys(asked_as.values())))
    way = _Way.of(spec, origin, target)
    options = frozenset(_OPTIONS[option] for option in spec.data_options if option in _OPTIONS)
    if spec.skip_unusable_indexes:
        options |= _SKIPPING
    chosen = {}
    for table in tables:
        asked_of = options | (_QUERY if table.source in origin.unfiltered else _NO_PARAMETER)
        link = None if way is None else way.link(table, there.get(table.qname))
        fresh = table.qname not in existing
        situation = Situation(facts.get(asked_as[table.qname], Facts()), fresh, parameters=asked_of, link=link)
        chosen[table.qname] = choose(situation, _asked(spec, origin))
    return chosen, facts


def _to_be_made(table: QName) -> QName:
    """What stands for a table that is yet to be made when facts are asked: no table has an empty name."""
    return QName(table.schema, "")


def label(spec: JobSpec, choice: Choice) -> str:
    """The method as METRICS prints it: of rows that are streamed from a linked database, that they come from there."""
    streamed = spec.network_link is not None and choice.method is not Method.INSERT_AS_SELECT
    return "network_link" if streamed else str(choice.method)


class _Way:
    """The way from a linked database into a target's SQL engine."""

    def __init__(self, origin: Origin, target: Database, facts: Mapping[LinkFact, str]) -> None:
        """``facts``: what is so of every table."""
        self._origin, self._target, self._facts = origin, target, facts
        self._kept = None if origin.state is None else origin.state[1].kept

    @classmethod
    def of(cls, spec: JobSpec, origin: Origin, target: Database) -> _Way | None:
        """None where there is no link, or a stream is the better way and nothing else is asked for."""
        if origin.state is None:
            return None
        source, snapshot = origin.state
        asked, capabilities = spec.access_method == "INSERT_AS_SELECT", target.adapter.capabilities
        if source.adapter.name != target.adapter.name or not capabilities.reads_links:
            return cls(origin, target, {LinkFact.ANOTHER_KIND: ""}) if asked else None
        if not (asked or capabilities.link_is_fastest):
            return None
        looking = [option for option in spec.data_options if option in _LOOKING]
        if looking:
            return cls(origin, target, {LinkFact.LOOKED_AT: ", ".join(looking)})
        try:
            with database_errors(target.adapter), target.adapter.linking(target.engine, source.engine, snapshot):
                return cls(origin, target, {})
        except LinkRefused as why:
            return cls(origin, target, {LinkFact.OUT_OF_REACH: why.message})

    def link(self, table: Table, made: Table | None) -> Link:
        """A table's way."""
        facts = dict(self._facts)
        if table.source in self._origin.queried:
            facts[LinkFact.QUERIED] = ""
        apart = "" if self._kept is None else self._kept.apart.get(table.source, "")
        uncertain = apart or self._target.adapter.uncertain([column.at_source for column in table.columns])
        if uncertain:
            facts[LinkFact.UNCERTAIN] = uncertain
        chosen = any(column.carried is not None for column in table.columns)
        if chosen or (made is not None and not self._unchanged(table, made)):
            facts[LinkFact.CONVERTED] = ""
        return Link(facts, self._target.adapter.capabilities.link_is_fastest)

    def _unchanged(self, table: Table, made: Table) -> bool:
        try:
            return self._target.adapter.same_values(Load(made.qname, *matched(table, made)), table, made)
        except ValueNotCarried:  # whatever the method, its rows do not come in
            return False
