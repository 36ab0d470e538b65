"""Data files: which jobs may copy them, in what form they travel, and which tables they are for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pytest
import sqlalchemy as sa

from migrator.adapter import Adapter, DataFile, DataFiles
from migrator.command_line import from_arguments
from migrator.config import Config
from migrator.dump import blocks
from migrator.dump.header import SetHeader
from migrator.dump.master import Entry, Master
from migrator.errors import ConflictingParameters, DataFilesUnreachable, NotADataFile, UnsupportedParameter
from migrator.model import types as t
from migrator.model.catalog import Catalog
from migrator.model.objects import Column, Expression, Generated, Index, IndexKey, PrimaryKey, Table, Unique
from migrator.operations.transport import check_table
from migrator.origins import Origin
from migrator.plan import INDEX, KEYS_FIRST, ORDER, TABLE, TABLE_DATA, plan

# --- requests -------------------------------------------------------------------------------------------------------


def asked(*arguments: str) -> bool:
    return from_arguments("expdp", ["sqlite:///x.db", *arguments], Config()).transportable


def test_data_files_are_copied_on_demand() -> None:
    assert not asked()
    assert not asked("TRANSPORTABLE=NEVER")
    assert asked("TRANSPORTABLE=ALWAYS", "TABLES=a,b")
    assert asked("TRANSPORTABLE=ALWAYS", "FULL=YES", "PARALLEL=4", "FILESIZE=1G", "COMPRESSION=ALL")


@pytest.mark.parametrize(
    "other",
    ["ACCESS_METHOD=DIRECT_PATH", "ESTIMATE=BLOCKS", 'QUERY="WHERE a = 1"', "CONTENT=DATA_ONLY", "CONTENT=METADATA_ONLY",
     "ESTIMATE_ONLY=YES", "DATA_OPTIONS=GROUP_PARTITION_TABLE_DATA",
     "NETWORK_LINK=sqlite:///y.db", "FLASHBACK_SCN=5", "DIGEST=YES"],
)  # fmt: skip
def test_what_whole_files_cannot_follow_is_refused(other: str) -> None:
    with pytest.raises(ConflictingParameters):
        asked("TRANSPORTABLE=ALWAYS", other)
    assert not asked("TRANSPORTABLE=NEVER", other)


@pytest.mark.parametrize("choice", ["KEEP_READ_ONLY", "NO_BITMAP_REBUILD"])
def test_what_is_about_oracles_tablespaces_is_refused(choice: str) -> None:
    with pytest.raises(UnsupportedParameter, match="Oracle's tablespaces"):
        asked(f"TRANSPORTABLE={choice}")


@pytest.mark.parametrize("name", ["TRANSPORTABLE=ALWAYS", "TRANSPORT_DATAFILES=x.ibd", "TRANSPORT_TABLESPACES=hr/emp"])
def test_an_import_needs_no_parameter(name: str) -> None:
    with pytest.raises(UnsupportedParameter):
        from_arguments("impdp", ["sqlite:///x.db", name], Config())


# --- blocks ---------------------------------------------------------------------------------------------------------


def data_files(directory: Path, **contents: bytes) -> DataFiles:
    found = []
    for name, content in contents.items():
        path = directory / name
        path.write_bytes(content)
        found.append(DataFile(name, path, len(content)))
    return DataFiles(tuple(found))


@pytest.mark.parametrize("size", [0, 1, blocks.BLOCK_BYTES, blocks.BLOCK_BYTES + 1, (5 << 20) + 7])
def test_files_come_out_as_they_went_in(size: int, tmp_path: Path) -> None:
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    held = data_files(tmp_path, ibd=content, cfg=b"last")
    batches = list(blocks.batches(held))
    assert all(batch.schema.equals(blocks.SCHEMA) for batch in batches)
    assert sum(map(blocks.size, batches)) == held.size == size + 4
    found = {"ibd": b"", "cfg": b""}
    for block in blocks.blocks(batches, "t"):
        assert len(block.data) <= blocks.BLOCK_BYTES
        assert block.offset == len(found[block.name])
        found[block.name] += block.data
    assert found == {"ibd": content, "cfg": b"last"}


def test_a_file_that_is_not_there_or_has_grown_is_an_error(tmp_path: Path) -> None:
    held = data_files(tmp_path, ibd=b"12345")
    (file,) = held.files
    file.path.write_bytes(b"123456")
    with pytest.raises(DataFilesUnreachable, match="it has 6 bytes, 5 were expected"):
        list(blocks.batches(held))
    file.path.unlink()
    with pytest.raises(DataFilesUnreachable, match="No such file"):
        list(blocks.batches(held))
    file.path.symlink_to(tmp_path)
    with pytest.raises(DataFilesUnreachable):
        list(blocks.batches(held))


def _wrong() -> Iterator[pa.RecordBatch]:
    yield pa.record_batch({"a": [1]})
    yield pa.record_batch([pa.array(["x"]), pa.array([0]), pa.array(["text"])], names=["name", "offset", "bytes"])
    yield pa.record_batch([pa.array(["x"]), pa.array([None], pa.int64()), pa.array([b""])], schema=blocks.SCHEMA)


@pytest.mark.parametrize("batch", list(_wrong()), ids=["rows", "text", "nulls"])
def test_what_is_no_stream_of_blocks_is_refused(batch: pa.RecordBatch) -> None:
    with pytest.raises(NotADataFile, match="no stream of blocks"):
        list(blocks.blocks([batch], "t"))


# --- dump file sets -------------------------------------------------------------------------------------------------


def test_a_set_says_what_its_data_files_hold() -> None:
    for scope in (None, "table", "database"):
        header = SetHeader("set-1", data_files=scope)  # type: ignore[arg-type]
        assert SetHeader.read(header.of_file(1)) == (header, 1)
    with pytest.raises(ValueError, match="'tablespace' are not known"):
        SetHeader.read(SetHeader("set-1", data_files="tablespace").of_file(1))  # type: ignore[arg-type]


def test_a_header_without_a_word_about_data_files_has_rows() -> None:
    text = SetHeader("set-1").of_file(1).replace(b', "data_files": null', b"")
    assert b"data_files" not in text
    assert SetHeader.read(text)[0].data_files is None


def test_traits_are_recorded() -> None:
    master = Master("j", "EXPORT", "FULL", "hr", "", (Entry("hr", "emp", traits={"row_format": "Dynamic"}),))
    assert Master.from_json(master.to_json()) == master


# --- plans and tables -----------------------------------------------------------------------------------------------

TABLE_ = Table(
    "hr",
    "emp",
    (
        Column("id", t.Integer(32), nullable=False, native="int(11)"),
        Column("e", t.Enum(("x", "y")), native="enum('x','y')", collation="utf8mb4_bin"),
        Column("v", t.Integer(32), generated=Generated(Expression("id + 1", "mysql"), stored=False), native="int(11)"),
    ),
    primary_key=PrimaryKey(None, ("id",)),
    uniques=(Unique("u", ("e",)),),
    indexes=(Index("i", (IndexKey("v"),)),),
    options=(("ENGINE", "InnoDB"), ("COLLATE", "utf8mb4_bin")),
    origin=None,
)


def test_the_keys_are_made_before_the_files_come() -> None:
    catalog = Catalog("mysql", "", (TABLE_,))
    phases = {order: [phase.path for phase in plan(catalog, "ALL", order=order)] for order in (ORDER, KEYS_FIRST)}
    assert sorted(phases[ORDER]) == sorted(phases[KEYS_FIRST])
    assert phases[ORDER].index(TABLE_DATA) < phases[ORDER].index(INDEX)
    assert phases[KEYS_FIRST].index(TABLE) < phases[KEYS_FIRST].index(INDEX) < phases[KEYS_FIRST].index(TABLE_DATA)


class _Taking:
    """An adapter that finds nothing amiss, or what it is told to."""

    def __init__(self, why: str = "") -> None:
        self.why = why
        self.asked: list[tuple[str, Mapping[str, str]]] = []

    def misfit(self, connection: sa.Connection, table: Table, version: str, traits: Mapping[str, str]) -> str:
        self.asked.append((version, traits))
        return self.why


def check(made: Table, adapter: _Taking) -> None:
    def nothing(*_: Any) -> Any:
        raise AssertionError

    catalog = Catalog("mysql", "10.11", (TABLE_,))
    traits = {TABLE_.qname: {"row_format": "Dynamic"}}
    opened = Origin(catalog, catalog, nothing, nothing, None, "", traits=traits)
    check_table(opened, cast(Adapter, adapter), cast(sa.Connection, None), TABLE_, made)


def changed(position: int, **values: Any) -> Table:
    columns = list(TABLE_.columns)
    columns[position] = replace(columns[position], **values)
    return replace(TABLE_, columns=tuple(columns))


def test_a_table_that_was_made_as_it_was_takes_the_files() -> None:
    adapter = _Taking()
    check(replace(TABLE_, schema="other", name="copy", comment="else", indexes=TABLE_.indexes), adapter)
    assert adapter.asked == [("10.11", {"row_format": "Dynamic"})]
    with pytest.raises(NotADataFile, match="too old"):
        check(TABLE_, _Taking("too old"))


@pytest.mark.parametrize(
    ("what", "made"),
    [
        ("columns", changed(1, native="enum('p','q')")),
        ("columns", changed(1, collation="utf8mb4_general_ci")),
        ("columns", changed(0, nullable=True)),
        ("columns", changed(0, name="key")),
        ("columns", changed(2, generated=Generated(Expression("id + 1", "mysql"), stored=True))),
        ("columns", replace(TABLE_, columns=TABLE_.columns[::-1])),
        ("collation", replace(TABLE_, options=(("COLLATE", "latin1_bin"),))),
        ("keys", replace(TABLE_, primary_key=None)),
        ("keys", replace(TABLE_, uniques=())),
        ("keys", replace(TABLE_, indexes=())),
    ],
)
def test_a_table_that_was_made_otherwise_does_not(what: str, made: Table) -> None:
    with pytest.raises(NotADataFile, match=f"the table was made with other {what}"):
        check(made, _Taking())
