"""DATA_OPTIONS other than SKIP_CONSTRAINT_ERRORS: what each changes, and those that are refused by name."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from migrator.dump import reader
from migrator.model import types as t
from migrator.model.catalog import Catalog
from migrator.model.objects import Column, Schema, Table
from migrator.params import REFUSED_DATA_OPTIONS
from tests.support.dumps import Maker
from tests.support.hoard import hoard
from tests.support.pump import done, pump
from tests.support.sql import execute, scalar

PARTITIONED = (
    "CREATE TABLE t (id integer, v integer) PARTITION BY RANGE (id)",
    "CREATE TABLE low PARTITION OF t FOR VALUES FROM (0) TO (3)",
    "CREATE TABLE high PARTITION OF t DEFAULT",
)
ROWS = "INSERT INTO t VALUES (1, 10), (2, 20), (3, 30)"


@pytest.mark.parametrize("option", sorted(REFUSED_DATA_OPTIONS))
def test_what_is_not_done_is_refused_by_name(option: str) -> None:
    run = pump("impdp", "sqlite:///there.db", f"DATA_OPTIONS=DISABLE_APPEND_HINT,{option}")
    assert run.code == 1
    assert run.err.startswith(f"UDI-00901: parameter DATA_OPTIONS={option} is known, but {REFUSED_DATA_OPTIONS[option]}")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("impdp", "DATA_OPTIONS=NO_SUCH"), "'NO_SUCH' is none of SKIP_CONSTRAINT_ERRORS"),
        (("expdp", "DATA_OPTIONS=SKIP_CONSTRAINT_ERRORS"), "is none of GROUP_PARTITION_TABLE_DATA"),
        (("impdp", "REJECT_LIMIT=1"), "REJECT_LIMIT needs DATA_OPTIONS=SKIP_CONSTRAINT_ERRORS"),
        (("impdp", "SKIP_UNUSABLE_INDEXES=MAYBE"), "'MAYBE' is none of YES, NO"),
        (("impdp", "REJECT_LIMIT=-1", "DATA_OPTIONS=SKIP_CONSTRAINT_ERRORS"), "'-1' is neither a number of rows nor"),
        (("impdp", "DATA_OPTIONS=DISABLE_APPEND_HINT", "CONTENT=METADATA_ONLY"), "so DATA_OPTIONS has no meaning"),
        (
            ("impdp", "DATA_OPTIONS=CONTINUE_LOAD_ON_FORMAT_ERROR", "NETWORK_LINK=sqlite:///x.db"),
            "is about a dump file set, and NETWORK_LINK reads none",
        ),
    ],
)
def test_what_has_no_meaning_is_refused(arguments: tuple[str, ...], message: str) -> None:
    client, *rest = arguments
    run = pump(client, "sqlite:///there.db", *rest)
    assert run.code == 1
    assert message in run.err


def test_disable_append_hint_leaves_the_direct_path(postgresql: Callable[..., str]) -> None:
    source, target = postgresql(), postgresql()
    execute(source, "CREATE TABLE t (id integer, v integer)", ROWS)
    link = (f"NETWORK_LINK={source}", "NOLOGFILE=YES", "METRICS=YES")
    run = done(pump("impdp", target, *link, "DATA_OPTIONS=DISABLE_APPEND_HINT"))
    assert '"public"."t": external_table, because DATA_OPTIONS=DISABLE_APPEND_HINT keeps rows' in run.out
    assert scalar(target, "SELECT count(*) FROM t") == 3


@pytest.mark.parametrize(("options", "direct"), [((), False), (("DATA_OPTIONS=TRUST_EXISTING_TABLE_PARTITIONS",), True)])
def test_trusted_partitions_are_loaded_directly(postgresql: Callable[..., str], options: tuple[str], direct: bool) -> None:
    source, target = postgresql(), postgresql()
    execute(source, *PARTITIONED, ROWS)
    execute(target, *PARTITIONED)
    link = (f"NETWORK_LINK={source}", "NOLOGFILE=YES", "METRICS=YES", "CONTENT=DATA_ONLY")
    run = done(pump("impdp", target, *link, *options))
    assert ("external_table, because the table was there before the job and is partitioned" in run.out) != direct
    assert scalar(target, "SELECT count(*) FROM ONLY low") == 2
    assert scalar(target, "SELECT sum(v) FROM t") == 60


@pytest.mark.parametrize(("options", "pieces"), [((), 2), (("DATA_OPTIONS=GROUP_PARTITION_TABLE_DATA",), 1)])
def test_partitions_are_unloaded_as_one(
    postgresql: Callable[..., str], sqlite_file: Callable[..., str], tmp_path: Path, options: tuple[str], pieces: int
) -> None:
    source, target = postgresql(), sqlite_file()
    execute(source, *PARTITIONED, ROWS)
    done(pump("expdp", source, f"DIRECTORY={tmp_path}", "NOLOGFILE=YES", *options))
    entry = reader.open_set([str(tmp_path / "expdat.dmp")]).master.entry("public", "t")
    assert entry is not None
    assert len(entry.pieces) == pieces
    done(pump("impdp", target, f"DIRECTORY={tmp_path}", "REMAP_SCHEMA=public:main", "NOLOGFILE=YES"))
    assert scalar(target, "SELECT sum(v) FROM t") == 60


NOT_UTF8 = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(struct.pack("=2i", 0, 2)), pa.py_buffer(b"A\xff")])


@pytest.mark.parametrize(
    ("type_", "values", "why"),
    [
        (t.String(3), pa.array(["Anna"]), "a value is no varchar(3)"),
        (t.Integer(24), pa.array([1 << 23], pa.int32()), "a value is no mediumint"),
        (t.String(), NOT_UTF8, "Invalid UTF8 sequence at string index 0"),
    ],
    ids=["length", "range", "text"],
)
def test_a_value_that_is_none_of_its_columns_type_fails_the_table(
    type_: t.Type, values: pa.Array, why: str, sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    """A dump file set whose rows are not what its catalog says; SQLite would store them."""
    catalog = Catalog("sqlite", "SQLite 3", (Schema("main"), Table("main", "t", (Column("a", type_),))))
    Maker(tmp_path, catalog=catalog).make([[pa.record_batch([values], names=["a"])]])
    target = sqlite_file()
    options = (f"DIRECTORY={tmp_path}", "DUMPFILE=exp01.dmp", "NOLOGFILE=YES", "DATA_OPTIONS=VALIDATE_TABLE_DATA")
    run = pump("impdp", target, *options)
    assert run.code == 5, run.out + run.err
    assert f"column a: invalid data: {why}" in run.out
    assert scalar(target, "SELECT count(*) FROM t") == 0


def test_a_damaged_granule_is_left_out_and_told(sqlite_file: Callable[..., str], tmp_path: Path) -> None:
    """One byte in the middle of the rows is another: without the option the table is lost, with it one of its pieces."""
    source = hoard(tmp_path / "source.db", 20_000)
    where = (f"DIRECTORY={tmp_path}", "NOLOGFILE=YES")
    done(pump("expdp", source, *where, "PARALLEL_THRESHOLD=64K"))
    dump = tmp_path / "expdat.dmp"
    damaged = bytearray(dump.read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    dump.write_bytes(damaged)
    plain, lossy = sqlite_file("plain.db"), sqlite_file("lossy.db")
    failed = pump("impdp", plain, *where, "VERIFY=YES")
    assert failed.code == 5
    assert "DATA_OPTIONS=CONTINUE_LOAD_ON_FORMAT_ERROR loads the table's other granules" in failed.out
    assert '"main"."big" is not verified, since it failed to load' in failed.out
    assert scalar(plain, "SELECT count(*) FROM big") == 0
    run = pump("impdp", lossy, *where, "DATA_OPTIONS=CONTINUE_LOAD_ON_FORMAT_ERROR", "VERIFY=YES")
    assert run.code == 5, run.out + run.err
    (told,) = re.findall(r'(\d+) rows of "main"\."big", granule \d+, are lost: ORA-39000', run.out)
    assert 0 < int(told) < 5_000
    assert '"main"."big" has all rows but those of 1 granule(s), which are lost' in run.out
    assert scalar(lossy, "SELECT count(*) FROM big") == 20_000 - int(told)
    assert run.rows["big"] == 20_000 - int(told)
