"""Access methods of a job's tables: the facts are asked set-wise, and the rules choose."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import sqlalchemy as sa

from migrator.access import ASKED, Choice, JobFact, Situation, choose
from migrator.adapter import Adapter, Facts
from migrator.errors import MigratorError
from migrator.model.catalog import Catalog
from migrator.model.objects import QName, Table
from migrator.origins import Origin
from migrator.spec import DataOption, JobSpec

_NO_PARAMETER: frozenset[JobFact] = frozenset()
_OPTIONS: dict[DataOption, JobFact] = {
    "DISABLE_APPEND_HINT": "DISABLE_APPEND_HINT",
    "TRUST_EXISTING_TABLE_PARTITIONS": "TRUST_EXISTING_TABLE_PARTITIONS",
}
"""The DATA_OPTIONS that rules look at."""
_QUERY: frozenset[JobFact] = frozenset({"QUERY"})
_SKIPPING: frozenset[JobFact] = frozenset({"SKIP_UNUSABLE_INDEXES"})


def unloading(spec: JobSpec, origin: Origin, tables: Sequence[Table]) -> dict[QName, Choice]:
    """How the rows of an export's tables are read, by the tables' names at the source.

    :raises AccessMethodRefused: ACCESS_METHOD asks for what a rule bars.
    :raises NoAccessMethod: rules bar every method.
    """
    facts = origin.facts([table.source for table in tables])
    chosen = {}
    for table in tables:
        asked_of = _QUERY if table.source in origin.queried else _NO_PARAMETER
        situation = Situation(facts.get(table.source, Facts()), unloading=True, parameters=asked_of)
        chosen[table.source] = choose(situation, ASKED.get(spec.access_method))
    refused = [why for name, choice in chosen.items() if (why := choice.refusal(name, "export")) is not None]
    if refused:
        raise refused[0]
    return chosen


def loading(
    spec: JobSpec,
    origin: Origin,
    adapter: Adapter,
    connection: sa.Connection,
    tables: Sequence[Table],
    existing: Collection[QName],
) -> dict[QName, Choice]:
    """How rows come into the tables of an import, by the tables' names at the target; ``existing``: not made by the job."""
    if not tables:
        return {}
    facts: Mapping[QName, Facts] = adapter.facts(connection, [table.qname for table in tables])
    options = frozenset(_OPTIONS[option] for option in spec.data_options if option in _OPTIONS)
    if spec.skip_unusable_indexes:
        options |= _SKIPPING
    chosen = {}
    for table in tables:
        asked_of = options | (_QUERY if table.source in origin.unfiltered else _NO_PARAMETER)
        situation = Situation(facts.get(table.qname, Facts()), table.qname not in existing, parameters=asked_of)
        chosen[table.qname] = choose(situation, ASKED.get(spec.access_method))
    return chosen


def taking_rows(spec: JobSpec, tables: Sequence[Table], there: Catalog) -> tuple[list[Table], frozenset[QName]]:
    """The tables of an import that take rows; and the names of all that are there, and stay as TABLE_EXISTS_ACTION says."""
    if spec.table_exists_action == "REPLACE":
        return list(tables), frozenset()
    existing = frozenset(table.qname for table in there.of(Table))
    skipping = spec.table_exists_action == "SKIP"
    return [table for table in tables if not (skipping and table.qname in existing)], existing


def refusals(chosen: Mapping[QName, Choice]) -> dict[QName, MigratorError]:
    """The tables of an import that no method may load, and why."""
    return {name: why for name, choice in chosen.items() if (why := choice.refusal(name, "import")) is not None}


def label(spec: JobSpec, choice: Choice) -> str:
    """The method as METRICS prints it: of rows from a linked database, that they come from there."""
    return "network_link" if spec.network_link is not None else str(choice.method)
