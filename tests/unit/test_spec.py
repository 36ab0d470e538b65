"""A request can be stored and sent: as JSON and by pickle, equal each time."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from migrator.spec import ColumnType, JobSpec, NameClause, ObjectFilter, TableName, TableQuery, TableRemap
from migrator.windows import Window

SPECS = (
    JobSpec("EXPORT", "SCHEMA", "sqlite:///x.db", Path("/dumps")),
    JobSpec(
        operation="IMPORT",
        mode="TABLE",
        connection="hr",
        directory=Path("/dumps"),
        command="hr TABLES=emp",
        schemas=("a", "b"),
        tables=(TableName(None, "emp"), TableName("hr", "dept%")),
        include=(ObjectFilter("TABLE", NameClause("IN", ("A", "B"))), ObjectFilter("VIEW")),
        exclude=(ObjectFilter("INDEX"),),
        content="DATA_ONLY",
        query=(TableQuery(None, "a = 1"), TableQuery(TableName("hr", "emp"), "b = 2")),
        dumpfiles=("/dumps/a%U.dmp",),
        logfile=Path("/dumps/x.log"),
        sqlfile=Path("/dumps/x.sql"),
        network_link="other",
        remap_schema=(("a", "b"),),
        remap_table=(TableRemap(None, "old", "new"), TableRemap("hr", "old", "new")),
        table_exists_action="APPEND",
        column_types=(ColumnType(("emp", "active"), "boolean"), ColumnType(("hr", "emp", "pay"), "decimal(9,2)")),
        parallel=4,
        windows=(Window(1320, 360, 8),),
        job_name="nightly",
        reuse_dumpfiles=True,
        metrics=True,
        logtime="ALL",
        estimate="STATISTICS",
        estimate_only=True,
        master_only=True,
    ),
)


@pytest.mark.parametrize("spec", SPECS, ids=["least", "most"])
def test_json_gives_the_request_back(spec: JobSpec) -> None:
    assert JobSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


@pytest.mark.parametrize("spec", SPECS, ids=["least", "most"])
def test_pickle_gives_the_request_back(spec: JobSpec) -> None:
    assert pickle.loads(pickle.dumps(spec)) == spec


def test_a_request_of_a_later_version_is_refused() -> None:
    with pytest.raises(TypeError, match="shiny"):
        JobSpec.from_json({**SPECS[0].to_json(), "shiny": 1})
