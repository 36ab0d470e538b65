"""Dump file sets: names, pieces, and the refusal of what is not whole."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pyarrow as pa
import pytest

from migrator.dump import files, reader, writer
from migrator.errors import (
    DumpFileExists,
    DumpFileMissing,
    FileNotWritable,
    IncompatibleDump,
    IncompleteDumpSet,
    NotADumpFile,
)
from migrator.job.master import Entry, Master, Piece
from migrator.model.catalog import Catalog
from migrator.model.objects import Schema

CATALOG = Catalog("sqlite", "SQLite 3", (Schema("main"),))
MASTER = Master('"u"."J"', "EXPORT", "FULL", "u", "")


def batch(*values: int) -> pa.RecordBatch:
    return pa.record_batch([pa.array(values, pa.int64())], names=["a"])


def make_set(directory: Path, *, count: int = 1) -> list[Path]:
    paths = [directory / f"exp{n:02d}.dmp" for n in range(1, count + 1)]
    pieces: list[Piece] = []
    for number, path in enumerate(paths, 1):
        with writer.DumpFile(path, number, "set-1") as file:
            pieces += file.write("main.t", [batch(1, 2), batch(3)])
    entry = Entry("main", "t", "COMPLETED", rows=3 * count, pieces=tuple(pieces))
    writer.seal(paths[0], CATALOG, MASTER.with_entry(entry), [p.name for p in paths])
    return paths


def rows_of(dump: reader.DumpSet) -> list[int]:
    entry = dump.master.entry("main", "t")
    assert entry is not None
    found = []
    for piece in entry.pieces:
        for part in reader.batches(dump.files[piece.file], piece):
            found += part.column(0).to_pylist()
    return found


def test_a_set_of_several_files_comes_back(tmp_path: Path) -> None:
    make_set(tmp_path, count=3)
    dump = reader.open_set([str(tmp_path / "exp%U.dmp")])
    assert dump.catalog == CATALOG
    assert rows_of(dump) == [1, 2, 3] * 3


def test_stock_tools_can_list_and_read_a_dump_file(tmp_path: Path) -> None:
    (path,) = make_set(tmp_path)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert [i.filename for i in archive.infolist()] == [
            "header.json", "data/000001-main.t.arrow", "catalog.json", "master.json",
        ]  # fmt: skip
        with archive.open("data/000001-main.t.arrow") as piece:
            assert pa.ipc.open_stream(piece).read_all().column("a").to_pylist() == [1, 2, 3]


def test_a_batch_of_another_schema_begins_another_piece(tmp_path: Path) -> None:
    with writer.DumpFile(tmp_path / "x.dmp", 1, "s") as file:
        pieces = file.write("t", [batch(1), pa.record_batch([pa.array(["infinity"])], names=["a"]), batch(2)])
    assert [piece.rows for piece in pieces] == [1, 1, 1]
    assert [b.column(0).to_pylist() for p in pieces for b in reader.batches(tmp_path / "x.dmp", p)] == [
        [1],
        ["infinity"],
        [2],
    ]


def test_an_existing_file_is_not_overwritten_unless_asked(tmp_path: Path) -> None:
    path = tmp_path / "x.dmp"
    path.write_bytes(b"precious")
    with pytest.raises(DumpFileExists, match="ORA-27038"):
        writer.create(path, reuse=False)
    assert path.read_bytes() == b"precious"
    writer.create(path, reuse=True)
    assert path.read_bytes() == b""


def test_a_file_in_no_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotWritable, match="No such file"):
        writer.create(tmp_path / "nowhere" / "x.dmp", reuse=False)


def test_a_full_disk_is_said_so() -> None:
    with pytest.raises(FileNotWritable, match="No space left"), writer.DumpFile(Path("/dev/full"), 1, "s") as file:
        file.write("t", [batch(*range(100_000))])


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9, 0.999])
def test_a_cut_file_is_refused(tmp_path: Path, keep: float) -> None:
    (path,) = make_set(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(NotADumpFile, match="cut short"):
        reader.open_set([str(path)])


def test_a_file_of_another_make_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.dmp"
    path.write_text("PGDMP something else")
    with pytest.raises(NotADumpFile, match="not a dump file"):
        reader.open_set([str(path)])


def test_an_archive_of_another_make_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.dmp"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("hello.txt", "hello")
    with pytest.raises(NotADumpFile, match="not a dump file"):
        reader.open_set([str(path)])


def test_a_later_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.dmp"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("header.json", '{"magic": "migrator dump", "format": 999, "set": "s", "number": 1}')
    with pytest.raises(IncompatibleDump, match="999"):
        reader.open_set([str(path)])


def test_a_missing_file_of_the_set_is_named(tmp_path: Path) -> None:
    paths = make_set(tmp_path, count=3)
    paths[1].unlink()
    with pytest.raises(IncompleteDumpSet, match=r"exp02\.dmp"):
        reader.open_set([str(tmp_path / "exp01.dmp"), str(tmp_path / "exp03.dmp")])


def test_a_set_without_its_master_record_is_incomplete(tmp_path: Path) -> None:
    with writer.DumpFile(tmp_path / "x.dmp", 1, "s") as file:
        file.write("t", [batch(1)])
    with pytest.raises(IncompleteDumpSet, match="master record"):
        reader.open_set([str(tmp_path / "x.dmp")])


def test_files_of_two_exports_are_not_one_set(tmp_path: Path) -> None:
    make_set(tmp_path, count=1)
    with writer.DumpFile(tmp_path / "exp02.dmp", 2, "another") as file:
        file.write("t", [batch(1)])
    with pytest.raises(IncompleteDumpSet, match="another export"):
        reader.open_set([str(tmp_path / "exp%U.dmp")])


def test_a_flipped_byte_in_the_rows_is_found(tmp_path: Path) -> None:
    path = tmp_path / "x.dmp"
    with writer.DumpFile(path, 1, "s") as file:
        (piece,) = file.write("t", [batch(*range(10_000))])
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(NotADumpFile, match="damaged"):
        list(reader.batches(path, piece))


def test_a_missing_dump_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DumpFileMissing, match=r"ORA-31640.*no\.dmp"):
        reader.open_set([str(tmp_path / "no.dmp")])


def test_templates_take_turns_and_plain_names_come_once() -> None:
    found = files.enough_for(["/d/a%U.dmp", "/d/b%u.dmp", "/d/c.dmp"], 6)
    assert [path.name for path in found] == ["a01.dmp", "b01.dmp", "c.dmp", "a02.dmp", "b02.dmp", "a03.dmp"]


def test_fewer_files_than_writers_are_all_there_is() -> None:
    assert len(files.enough_for(["/d/a.dmp", "/d/b.dmp"], 4)) == 2


def test_a_doubled_percent_sign_is_one() -> None:
    assert files.fill("/d/100%%_%U.dmp", 7).name == "100%_07.dmp"


def test_the_master_record_survives_its_json_form() -> None:
    master = MASTER.with_entry(Entry("s", "t", "FAILED", error="broken", pieces=(Piece(1, "m", 2, 3),)))
    assert Master.from_json(master.to_json()) == master
