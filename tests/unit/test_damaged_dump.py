"""A dump file with any byte changed, or cut at any length, is refused or read as it was: never a crash, never other rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrator.dump import reader
from migrator.errors import IncompleteDumpSet, NotADumpFile
from migrator.job.master import Master
from migrator.model.catalog import Catalog
from tests.unit.test_dump import make_set, rows_of

Contents = tuple[Catalog, Master, list[int]]


def read(path: Path) -> Contents | None:
    """What a file holds; None: it is refused as a damaged or incomplete dump file."""
    try:
        dump = reader.open_set([str(path)])
        return dump.catalog, dump.master, rows_of(dump)
    except (NotADumpFile, IncompleteDumpSet):
        return None


@pytest.mark.parametrize("flip", [0x01, 0x08, 0xFF])
def test_a_flipped_byte_anywhere_is_refused_or_harmless(tmp_path: Path, flip: int) -> None:
    (path,) = make_set(tmp_path)
    whole, contents = path.read_bytes(), read(path)
    assert contents is not None
    found = []
    for position in range(len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= flip
        path.write_bytes(damaged)
        found.append(read(path))
    assert all(other in (None, contents) for other in found)
    assert found.count(None) > len(whole) / 2


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    (path,) = make_set(tmp_path)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert read(path) is None, length


def test_the_same_file_twice_is_no_set(tmp_path: Path) -> None:
    first, second = make_set(tmp_path, count=2)
    second.write_bytes(first.read_bytes())
    with pytest.raises(IncompleteDumpSet, match="the same file of the set"):
        reader.open_set([str(tmp_path / "exp%U.dmp")])
