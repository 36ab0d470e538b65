"""Dump file sets: pieces, room, resuming, and the refusal of what is not whole."""

from __future__ import annotations

import errno
import io
import os
import random
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migrator import templates
from migrator.config import NO_SECRETS, Secrets
from migrator.dump import reader, writer
from migrator.dump.archive import Archive, Member, local_header, verify
from migrator.dump.crypt import CHUNK, DataKey, Encryption, Lock, wrap
from migrator.dump.header import DumpTarget, SetHeader
from migrator.dump.info import Item, Kind, get_dumpfile_info, report
from migrator.dump.master import Entry, Master, Piece
from migrator.dump.storage import LOCAL
from migrator.errors import (
    ChecksumError,
    DumpFileExists,
    DumpFileMissing,
    DumpSpaceExhausted,
    EncryptionKeyUnknown,
    EncryptionPasswordMissing,
    EncryptionPasswordWrong,
    FileNotWritable,
    GranuleDamaged,
    IncompatibleDump,
    IncompleteDumpSet,
    NoChecksum,
    NotADumpFile,
    NotEncrypted,
    OracleDump,
    OriginalExportDump,
    WalletNotOpen,
)
from tests.support.disk import files_end_at
from tests.support.dumps import (
    CATALOG,
    PASSWORD,
    Maker,
    batch,
    encrypted,
    header,
    recording,
    restored,
    rows_of,
    template,
)

KEY = DataKey.fresh("AES256")


def make_set(directory: Path, *, count: int = 1, **options: object) -> list[Path]:
    return Maker(directory, header(**options)).make([[batch(1, 2), batch(3)]] * count)


def values(found: list[object]) -> list[object]:
    return [row["a"] for row in found]  # type: ignore[index]


def target(path: Path, number: int = 1, **options: object) -> DumpTarget:
    return DumpTarget(str(path), number, header(**options))


def rows_in(file: DumpTarget, pieces: tuple[Piece, ...]) -> list[object]:
    dump = reader.DumpFiles(file.header, ((file.number, file.name),), file.key)
    return [value for piece in pieces for part in dump.batches(piece) for value in part.column(0).to_pylist()]


# --- whole sets -----------------------------------------------------------------------------------------------------


def test_a_set_of_several_files_comes_back(tmp_path: Path) -> None:
    make_set(tmp_path, count=3)
    catalog, rows = restored(tmp_path)
    assert catalog == CATALOG
    assert values(rows) == [1, 2, 3] * 3


def test_stock_tools_can_list_and_read_a_dump_file(tmp_path: Path) -> None:
    (path,) = make_set(tmp_path)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert [i.filename for i in archive.infolist()] == [
            "header.json", "data/000001-main.t.arrow", "catalog.json", "master.json", "set.json",
        ]  # fmt: skip
        with archive.open("data/000001-main.t.arrow") as piece:
            assert pa.ipc.open_stream(piece).read_all().column("a").to_pylist() == [1, 2, 3]


def test_a_members_header_is_the_same_whatever_python_writes_it() -> None:
    expected = "504b0304 2d00 0808 0000 0000 2100 00000000 ffffffff ffffffff 0700 1400 612f c3a9 2e6462".replace(
        " ", ""
    ) + "0100 1000 0000000000000000 0000000000000000".replace(" ", "")
    assert local_header("a/é.db").hex() == expected


def test_a_batch_of_another_schema_begins_another_piece(tmp_path: Path) -> None:
    file_target = target(tmp_path / "x.dmp")
    with writer.DumpFile.create(file_target) as file:
        pieces = file.write("t", [batch(1), pa.record_batch([pa.array(["infinity"])], names=["a"]), batch(2)])
    assert [piece.rows for piece in pieces] == [1, 1, 1]
    assert rows_in(file_target, pieces) == [1, "infinity", 2]


def test_a_piece_knows_where_it_ends_and_what_it_is(tmp_path: Path) -> None:
    with writer.DumpFile.create(target(tmp_path / "x.dmp")) as file:
        (one,) = file.write("t", [batch(1)])
        (two,) = file.write("t", [batch(2)])
    with zipfile.ZipFile(tmp_path / "x.dmp") as archive:
        for piece in (one, two):
            info = archive.getinfo(piece.member)
            assert (info.file_size, f"{info.CRC:08x}") == (piece.stored, piece.checksum)
        assert archive.getinfo(two.member).header_offset == one.end


@pytest.mark.parametrize("compression", ["ALL", "DATA_ONLY", "METADATA_ONLY", "NONE"])
@pytest.mark.parametrize("algorithm", ["BASIC", "LOW", "MEDIUM", "HIGH"])
def test_compressed_sets_come_back_and_are_smaller(tmp_path: Path, compression: str, algorithm: str) -> None:
    same = batch(*[7] * 50_000)
    (path,) = Maker(tmp_path, header(compression=compression, compression_algorithm=algorithm)).make([[same]])
    assert values(restored(tmp_path)[1]) == [7] * 50_000
    assert (path.stat().st_size < same.nbytes / 2) == (compression in {"ALL", "DATA_ONLY"})
    with zipfile.ZipFile(path) as archive:
        assert ("catalog.json.zst" in archive.namelist()) == (compression in {"ALL", "METADATA_ONLY"})


# --- names ----------------------------------------------------------------------------------------------------------


def test_an_existing_file_is_not_overwritten_unless_asked(tmp_path: Path) -> None:
    path = tmp_path / "x.dmp"
    path.write_bytes(b"precious")
    with pytest.raises(DumpFileExists, match="ORA-27038"):
        writer.claim(LOCAL, str(path), reuse=False)
    with pytest.raises(FileNotWritable, match="it is no dump file"):
        writer.claim(LOCAL, str(path), reuse=True)
    assert path.read_bytes() == b"precious"


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04" + bytes(26) + b"header.json{}"], ids=["empty", "dump"])
def test_an_earlier_dump_file_is_overwritten_if_asked(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.dmp"
    path.write_bytes(content)
    with pytest.raises(DumpFileExists, match="ORA-27038"):
        writer.claim(LOCAL, str(path), reuse=False)
    writer.claim(LOCAL, str(path), reuse=True)
    assert path.read_bytes() == b""


def test_a_file_in_no_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotWritable, match="No such file"):
        writer.claim(LOCAL, str(tmp_path / "nowhere" / "x.dmp"), reuse=False)


def test_a_full_disk_is_said_so(tmp_path: Path) -> None:
    with files_end_at(100), pytest.raises(FileNotWritable, match="File too large"):
        writer.DumpFile.create(target(tmp_path / "x.dmp"))


def test_templates_take_turns_and_plain_names_come_once() -> None:
    found = islice(templates.files(["/d/a%U.dmp", "/d/b%u.dmp", "/d/c.dmp"]), 6)
    assert [templates.bare(name) for name in found] == ["a01.dmp", "b01.dmp", "c.dmp", "a02.dmp", "b02.dmp", "a03.dmp"]


# --- FILESIZE -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keyed", [False, True])
@pytest.mark.parametrize("checksum", [None, "SHA512"])
def test_no_file_is_larger_than_filesize_and_no_row_is_lost(tmp_path: Path, keyed: bool, checksum: str | None) -> None:
    chance = random.Random(1)
    rows = [chance.getrandbits(62) for _ in range(40_000)]
    parts = [batch(*rows[start : start + 9_000]) for start in range(0, len(rows), 9_000)]
    options = header(filesize=40_960, checksum=checksum, encryption=encrypted(KEY) if keyed else None)
    paths = Maker(tmp_path, options, KEY if keyed else None).make([parts])
    assert len(paths) > 8
    assert all(path.stat().st_size <= 40_960 for path in paths)
    assert sum(path.stat().st_size for path in paths) < 400_000
    assert values(restored(tmp_path, PASSWORD if keyed else NO_SECRETS)[1]) == rows


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lengths=st.lists(st.integers(0, 9_000), min_size=1, max_size=40),
    per_batch=st.integers(1, 9),
    compression=st.sampled_from(["ALL", "NONE"]),
)
def test_rows_of_any_size_are_cut_into_files(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int], per_batch: int, compression: str
) -> None:
    home = tmp_path_factory.mktemp("cut")
    texts = [random.Random(n).randbytes(length) for n, length in enumerate(lengths)]
    parts = [
        pa.record_batch([pa.array(texts[start : start + per_batch], pa.binary())], names=["a"])
        for start in range(0, len(texts), per_batch)
    ]
    paths = Maker(home, header(filesize=40_960, compression=compression)).make([parts])
    assert all(path.stat().st_size <= 40_960 for path in paths)
    assert values(restored(home)[1]) == texts


def test_a_row_larger_than_filesize_is_refused(tmp_path: Path) -> None:
    wide = pa.record_batch([pa.array([b"x", bytes(50_000)])], names=["a"])
    with pytest.raises(DumpSpaceExhausted, match=r"a row of main\.t is larger than FILESIZE"):
        Maker(tmp_path, header(filesize=40_960)).make([[wide]])


def test_a_large_catalog_is_cut_over_files(tmp_path: Path) -> None:
    entries = tuple(Entry("s", f"t{n}" * 20, "COMPLETED") for n in range(1000))
    maker = Maker(tmp_path, header(filesize=40_960))
    first = maker.next_file()
    with writer.DumpFile.create(first, maker.next_file):
        pass
    master = recording(*entries)
    names = writer.seal(first, (), CATALOG, master, {1: "exp01.dmp"}, maker.next_file)
    assert len(names) > 3
    assert all((tmp_path / name).stat().st_size <= 40_960 for name in names.values())
    assert reader.open_set(template(tmp_path)).master == master


# --- failing and resuming -------------------------------------------------------------------------------------------


def failing(*parts: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    yield from parts
    raise ConnectionResetError("the source is gone")


@pytest.mark.parametrize("checksum", [None, "SHA256"])
def test_what_failing_rows_left_is_cut_off(tmp_path: Path, checksum: str | None) -> None:
    file_target = target(tmp_path / "exp01.dmp", checksum=checksum)
    with writer.DumpFile.create(file_target) as file:
        pieces = file.write("main.t", [batch(1)])
        size = Path(file_target.name).stat().st_size
        with pytest.raises(ConnectionResetError):
            file.write("main.u", failing(batch(*range(1000))))
        assert Path(file_target.name).stat().st_size == size == pieces[-1].end
        pieces += file.write("main.t", [batch(2)])
    master = recording(Entry("main", "t", "COMPLETED", pieces=pieces))
    writer.seal(file_target, pieces, CATALOG, master, {1: "exp01.dmp"})
    assert values(restored(tmp_path)[1]) == [1, 2]


@pytest.mark.parametrize("keyed", [False, True])
@pytest.mark.parametrize("checksum", [None, "SHA384"])
@pytest.mark.parametrize("tail", [b"", b"PK\x03\x04 half a member"])
def test_a_file_is_cut_back_to_its_last_recorded_piece(
    tmp_path: Path, keyed: bool, checksum: str | None, tail: bytes
) -> None:
    options = header(checksum=checksum, encryption=encrypted(KEY) if keyed else None)
    file_target = DumpTarget(str(tmp_path / "exp01.dmp"), 1, options, KEY if keyed else None)
    killed = writer.DumpFile.create(file_target)
    recorded = [*killed.write("main.t", [batch(1)]), *killed.write("main.t", [batch(2), batch(3)])]
    killed.write("main.t", [batch(4)])  # stored, but not recorded before the job died
    killed.archive.close()
    with Path(file_target.name).open("ab") as file:
        file.write(tail)
    with writer.DumpFile.going_on(file_target, recorded) as resumed:
        recorded += resumed.write("main.t", [batch(5)])
    with zipfile.ZipFile(file_target.name) as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == 4
    master = recording(Entry("main", "t", "COMPLETED", pieces=tuple(recorded)))
    writer.seal(file_target, recorded, CATALOG, master, {1: "exp01.dmp"})
    assert values(restored(tmp_path, PASSWORD if keyed else NO_SECRETS)[1]) == [1, 2, 3, 5]


@pytest.mark.parametrize("checksum", [None, "CRC32"])
def test_what_the_disk_lost_is_noticed_before_a_file_is_gone_on_with(tmp_path: Path, checksum: str | None) -> None:
    file_target = target(tmp_path / "x.dmp", checksum=checksum)
    with writer.DumpFile.create(file_target) as file:
        pieces = [*file.write("t", [batch(*range(1000))]), *file.write("t", [batch(*range(1000))])]
    content, second = Path(file_target.name).read_bytes(), pieces[1].stored_as
    assert list(reader.sound(file_target, pieces)) == pieces
    for damaged, left, why in (
        (content[: second.end - 1], pieces[:1], "were recorded"),
        (content[: second.end - 20] + bytes(20), pieces[:1], "is damaged"),
        (content[: second.start] + bytes(8) + content[second.start + 8 :], pieces[:1], "is damaged"),
        (content[: second.data] + bytes(2000) + content[second.data + 2000 :], pieces[:1], checksum and "is damaged"),
        (content[: pieces[0].end - 100] + bytes(1000) + content[pieces[0].end + 900 :], [], "is damaged"),
        (b"PK" + bytes(len(content)), [], "is damaged"),
    ):
        Path(file_target.name).write_bytes(damaged)
        assert list(reader.sound(file_target, pieces)) == left
        if why:
            with pytest.raises(NotADumpFile, match=why):
                writer.DumpFile.going_on(file_target, pieces)
            assert Path(file_target.name).read_bytes() == damaged
    Path(file_target.name).unlink()
    assert list(reader.sound(file_target, pieces)) == []


def test_a_file_that_is_ended_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []

    def fails_at_last(descriptor: int) -> None:
        sizes.append(os.fstat(descriptor).st_size)
        if len(sizes) == 2:
            raise OSError(errno.EIO, "the disk is broken")

    monkeypatch.setattr(os, "fsync", fails_at_last)
    with writer.DumpFile.create(target(tmp_path / "x.dmp")):
        pass
    assert sizes == [(tmp_path / "x.dmp").stat().st_size]
    file = writer.DumpFile.create(target(tmp_path / "y.dmp"))
    with pytest.raises(FileNotWritable, match="the disk is broken"):
        file.close()


@pytest.mark.parametrize("checksum", [None, "CRC32"])
def test_a_file_is_whole_from_its_last_byte_on(tmp_path: Path, checksum: str | None) -> None:
    file_target = target(tmp_path / "x.dmp", checksum=checksum)
    with writer.DumpFile.create(file_target) as file:
        pieces = file.write("t", [batch(1)]) + file.write("t", [batch(2)])
    content = Path(file_target.name).read_bytes()
    assert reader.is_whole(file_target, pieces)
    assert reader.is_whole(file_target, pieces[1:]), "it may hold what nobody recorded"
    assert not reader.is_whole(file_target, [replace(pieces[0], checksum="0"), pieces[1]])
    assert not reader.is_whole(target(tmp_path / "x.dmp", 2, checksum=checksum), pieces)
    for size in range(pieces[1].end, len(content)):
        Path(file_target.name).write_bytes(content[:size])
        assert not reader.is_whole(file_target, pieces)


def test_another_sets_file_is_not_gone_on_with(tmp_path: Path) -> None:
    with writer.DumpFile.create(target(tmp_path / "x.dmp")) as file:
        pieces = file.write("t", [batch(1)])
    other = DumpTarget(str(tmp_path / "x.dmp"), 1, header("set-2"))
    with pytest.raises(NotADumpFile, match="is not the file that was written"):
        list(reader.sound(other, pieces))
    with pytest.raises(NotADumpFile, match="does not hold"):
        writer.DumpFile.going_on(other, pieces)


# --- what is not whole ----------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("number", [1, 999])
def test_another_format_is_refused(tmp_path: Path, number: int) -> None:
    path = tmp_path / "x.dmp"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("header.json", f'{{"magic": "migrator dump", "format": {number}, "set": "s", "number": 1}}')
    with pytest.raises(IncompatibleDump, match=str(number)):
        reader.open_set([str(path)])


def test_a_missing_file_of_the_set_is_named(tmp_path: Path) -> None:
    paths = make_set(tmp_path, count=3)
    paths[1].unlink()
    with pytest.raises(IncompleteDumpSet, match=r"exp02\.dmp"):
        reader.open_set([str(tmp_path / "exp01.dmp"), str(tmp_path / "exp03.dmp")])


def test_a_file_behind_a_gap_is_found_by_its_recorded_name(tmp_path: Path) -> None:
    maker = Maker(tmp_path)
    first, never, third = maker.next_file(), maker.next_file(), maker.next_file()
    pieces = []
    for file_target in (first, third):
        with writer.DumpFile.create(file_target) as file:
            pieces += file.write("main.t", [batch(file_target.number)])
    master = recording(Entry("main", "t", "COMPLETED", pieces=tuple(pieces)))
    writer.seal(first, pieces[:1], CATALOG, master, {1: "exp01.dmp", 3: "exp03.dmp"})
    assert not Path(never.name).exists()
    assert values(restored(tmp_path)[1]) == [1, 3]


def test_a_set_without_its_master_record_is_incomplete(tmp_path: Path) -> None:
    with writer.DumpFile.create(target(tmp_path / "x.dmp")) as file:
        file.write("t", [batch(1)])
    with pytest.raises(IncompleteDumpSet, match="master record"):
        reader.open_set([str(tmp_path / "x.dmp")])


def test_a_template_stops_at_another_exports_file(tmp_path: Path) -> None:
    make_set(tmp_path, count=2)
    with writer.DumpFile.create(DumpTarget(str(tmp_path / "exp03.dmp"), 3, header("another"))):
        pass
    assert values(restored(tmp_path)[1]) == [1, 2, 3] * 2
    (tmp_path / "exp03.dmp").replace(tmp_path / "exp02.dmp")
    with pytest.raises(IncompleteDumpSet, match=r'missing exp02\.dmp; ".*exp02\.dmp" belongs to another export'):
        reader.open_set(template(tmp_path))


def test_a_named_file_of_another_export_is_refused(tmp_path: Path) -> None:
    make_set(tmp_path)
    with writer.DumpFile.create(DumpTarget(str(tmp_path / "exp02.dmp"), 2, header("another"))):
        pass
    with pytest.raises(IncompleteDumpSet, match="another export"):
        reader.open_set([str(tmp_path / "exp01.dmp"), str(tmp_path / "exp02.dmp")])


def test_a_repeated_file_is_refused(tmp_path: Path) -> None:
    paths = make_set(tmp_path, count=2)
    paths[1].write_bytes(paths[0].read_bytes())
    with pytest.raises(IncompleteDumpSet, match="both are file 1 of the set"):
        reader.open_set([str(path) for path in paths])


def test_a_flipped_byte_in_the_rows_is_found_before_a_row_is_handed_out(tmp_path: Path) -> None:
    file_target = target(tmp_path / "x.dmp")
    with writer.DumpFile.create(file_target) as file:
        (piece,) = file.write("t", [batch(*range(10_000)), batch(1)])
    content = bytearray(Path(file_target.name).read_bytes())
    content[len(content) // 2] ^= 1
    Path(file_target.name).write_bytes(bytes(content))
    with pytest.raises(GranuleDamaged, match="damaged"):
        next(reader.DumpFiles(file_target.header, ((1, file_target.name),)).batches(piece))


def test_rows_come_from_the_very_file_that_was_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another file comes to the place between the check of its bytes and their reading."""
    file_target, other = target(tmp_path / "x.dmp"), target(tmp_path / "other.dmp")
    with writer.DumpFile.create(file_target) as file:
        pieces = file.write("t", [batch(1)])
    with writer.DumpFile.create(other) as file:
        file.write("t", [batch(2)])
    check = reader._check_sum

    def and_exchange(file: BinaryIO, member: Member) -> None:
        check(file, member)
        Path(file_target.name).unlink()
        Path(file_target.name).symlink_to(other.name)

    monkeypatch.setattr(reader, "_check_sum", and_exchange)
    assert rows_in(file_target, pieces) == [1]


def test_a_missing_dump_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DumpFileMissing, match=r"ORA-31640.*no\.dmp"):
        reader.open_set([str(tmp_path / "no.dmp")])
    with pytest.raises(DumpFileMissing, match=r"ORA-31640.*no01\.dmp"):
        reader.open_set([str(tmp_path / "no%U.dmp")])


def test_checksums_that_are_not_there_cannot_be_verified(tmp_path: Path) -> None:
    make_set(tmp_path)
    with pytest.raises(NoChecksum, match="without a checksum"):
        list(reader.verify(reader.open_set(template(tmp_path))))


def test_a_byte_after_the_end_breaks_the_checksum(tmp_path: Path) -> None:
    (path,) = make_set(tmp_path, checksum="SHA256")
    dump = reader.open_set(template(tmp_path))
    assert list(reader.verify(dump)) == [str(path)]
    path.write_bytes(path.read_bytes() + b"!")
    with pytest.raises(ChecksumError):
        list(reader.verify(dump))


# --- encryption -----------------------------------------------------------------------------------------------------


def keyed_set(directory: Path, **scope: bool) -> Path:
    options = header(encryption=encrypted(KEY, **scope))
    (path,) = Maker(directory, options, KEY).make([[pa.record_batch([pa.array(["Zanzibar"])], names=["a"])]], "harvest")
    return path


@pytest.mark.parametrize(
    ("scope", "rows_show", "names_show"),
    [({}, False, False), ({"metadata": False}, False, True), ({"data": False}, True, False)],
)
def test_what_is_encrypted_does_not_show(tmp_path: Path, scope: dict[str, bool], rows_show: bool, names_show: bool) -> None:
    path = keyed_set(tmp_path, **scope)
    content = path.read_bytes()
    assert (b"Zanzibar" in content) == rows_show
    assert (b"harvest" in content) == names_show
    assert KEY.key not in content
    assert b"swordfish" not in content
    dump = reader.open_set(template(tmp_path), PASSWORD)
    assert values(list(rows_of(dump, "harvest"))) == ["Zanzibar"]


def test_a_wrong_or_missing_password_is_said_at_once(tmp_path: Path) -> None:
    keyed_set(tmp_path)
    with pytest.raises(EncryptionPasswordMissing, match="ORA-39174"):
        reader.open_set(template(tmp_path))
    with pytest.raises(EncryptionPasswordWrong, match="ORA-39176"):
        reader.open_set(template(tmp_path), Secrets("Swordfish"))


def test_a_demanded_password_of_a_plain_set_is_refused(tmp_path: Path) -> None:
    make_set(tmp_path)
    with pytest.raises(NotEncrypted):
        reader.open_set(template(tmp_path), Secrets("swordfish", demanded=True))
    assert reader.open_set(template(tmp_path), Secrets("swordfish")).catalog == CATALOG


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 5])
def test_encrypted_pieces_of_any_size_come_back(tmp_path: Path, size: int) -> None:
    content = random.Random(size).randbytes(size)
    part = pa.record_batch([pa.array([content])], names=["a"])
    Maker(tmp_path, header(encryption=encrypted(KEY)), KEY).make([[part]])
    assert values(restored(tmp_path, PASSWORD)[1]) == [content]


def test_a_member_put_into_anothers_place_does_not_decrypt(tmp_path: Path) -> None:
    file_target = DumpTarget(str(tmp_path / "x.dmp"), 1, header(encryption=encrypted(KEY)), KEY)
    with writer.DumpFile.create(file_target) as file:
        (one,), (two,) = file.write("t", [batch(1)]), file.write("t", [batch(2)])
    content = bytearray(Path(file_target.name).read_bytes())
    size, gap = one.stored, two.end - one.end
    start = one.end - size - 24
    content[start : start + size], content[start + gap : start + gap + size] = (
        content[start + gap : start + gap + size],
        content[start : start + size],
    )
    Path(file_target.name).write_bytes(bytes(content))
    dump = reader.DumpFiles(file_target.header, ((1, file_target.name),), KEY)
    swapped = replace(one, checksum=two.checksum)
    with pytest.raises(NotADumpFile, match="not what was encrypted"):
        list(dump.batches(swapped))


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "wallet.key"
    path.write_bytes(bytes(range(32)))
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("mode", ["TRANSPARENT", "DUAL"])
def test_the_key_file_opens_a_set(tmp_path: Path, key_file: Path, mode: str) -> None:
    secrets = Secrets("swordfish", key_file)
    options = Encryption(True, True, "AES256", mode, wrap(KEY, mode, secrets, "set-1"))  # type: ignore[arg-type]
    Maker(tmp_path, header(encryption=options), KEY).make([[batch(1)]])
    assert values(restored(tmp_path, Secrets(None, key_file))[1]) == [1]
    if mode == "DUAL":
        assert values(restored(tmp_path, PASSWORD)[1]) == [1]
    else:
        with pytest.raises(WalletNotOpen, match="ORA-28365"):
            restored(tmp_path, NO_SECRETS)
    key_file.write_bytes(bytes(32))
    with pytest.raises(EncryptionKeyUnknown, match="ORA-28362"):
        restored(tmp_path, Secrets(None, key_file))


def test_a_key_file_that_is_no_secret_is_refused(key_file: Path) -> None:
    key_file.chmod(0o644)
    with pytest.raises(WalletNotOpen, match="0600"):
        wrap(KEY, "TRANSPARENT", Secrets(None, key_file), "s")
    key_file.chmod(0o600)
    key_file.write_bytes(b"short")
    with pytest.raises(WalletNotOpen, match="32"):
        wrap(KEY, "TRANSPARENT", Secrets(None, key_file), "s")


def test_secrets_do_not_show() -> None:
    shown = repr((PASSWORD, KEY, DumpTarget("x", 1, header(), KEY), reader.DumpFiles(header(), (), KEY)))
    assert "swordfish" not in shown
    assert repr(KEY.key) not in shown


@pytest.mark.parametrize(("n", "r", "p"), [(1 << 30, 8, 1), (1 << 20, 32, 1), (1 << 19, 8, 1), (1 << 15, 8, 1 << 20)])
def test_a_header_that_asks_for_all_memory_or_for_ever_is_refused(n: int, r: int, p: int) -> None:
    with pytest.raises(ValueError, match="memory"):
        Lock("scrypt", "00", "00" * 12, "00", n, r, p)


def test_a_header_may_ask_for_more_than_is_usual() -> None:
    assert Lock("scrypt", "00", "00" * 12, "00", 1 << 17, 16, 16).n == 1 << 17


# --- what files say of themselves -----------------------------------------------------------------------------------


def test_a_dump_file_tells_its_header(tmp_path: Path) -> None:
    path = keyed_set(tmp_path, data=False)
    info = get_dumpfile_info(str(path))
    assert info.kind is Kind.DATA_PUMP
    assert info.items[Item.JOB_NAME] == '"u"."J"'
    assert info.items[Item.GUID] == "set-1"
    assert info.items[Item.FILE_NUMBER] == "1"
    assert info.items[Item.MASTER_PRESENT] == "1"
    assert info.items[Item.METADATA_ENCRYPTED] == "1"
    assert info.items[Item.DATA_ENCRYPTED] == "0"
    assert info.items[Item.ENCRYPTION_MODE] == "3"
    assert info.items[Item.COMPRESSION_ALG] == "2"
    assert "harvest" not in report(str(path), info)


ORACLE = (
    b"\x03\x01\x07\x00"
    + bytes(200)
    + b'"HR"."SYS_EXPORT_SCHEMA_01"\x00x86_64/Linux 2.4.xx\x00orcl\x00AL32UTF8\x0011.02.00.04.00\x00'
)


def test_an_oracle_data_pump_file_is_known_and_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.dmp"
    path.write_bytes(ORACLE + bytes(8192))
    info = get_dumpfile_info(str(path))
    assert info.kind is Kind.DATA_PUMP
    assert info.items == {
        Item.FILE_VERSION: "3.1",
        Item.JOB_NAME: '"HR"."SYS_EXPORT_SCHEMA_01"',
        Item.PLATFORM: "x86_64/Linux 2.4.xx",
        Item.INSTANCE: "orcl",
        Item.LANGUAGE: "AL32UTF8",
        Item.DB_VERSION: "11.02.00.04.00",
    }
    with pytest.raises(OracleDump, match=r"ORA-39142: incompatible version number 3\.1 in dump file"):
        reader.open_set([str(path)])


def test_an_external_tables_file_is_known_and_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.dmp"
    path.write_bytes(ORACLE.replace(b'"HR"."SYS_EXPORT_SCHEMA_01"', b""))
    assert get_dumpfile_info(str(path)).kind is Kind.EXTERNAL_TABLE
    with pytest.raises(NotADumpFile, match="external table"):
        reader.open_set([str(path)])


@pytest.mark.parametrize(("letter", "direct"), [(b"U", "0"), (b"D", "1")])
def test_an_original_export_is_known_and_refused(tmp_path: Path, letter: bytes, direct: str) -> None:
    path = tmp_path / "x.dmp"
    path.write_bytes(b"\x03\x03\x69EXPORT:V11.02.00\n" + letter + b"SYSTEM\nRTABLES\n2048\n")
    info = get_dumpfile_info(str(path))
    assert info.kind is Kind.ORIGINAL_EXPORT
    assert info.items == {Item.CHARSET_ID: "873", Item.DIRPATH: direct, Item.DB_VERSION: "11.02.00"}
    with pytest.raises(OriginalExportDump, match="ORA-39143"):
        reader.open_set([str(path)])


def test_any_other_file_is_of_no_kind(tmp_path: Path) -> None:
    path = tmp_path / "x.dmp"
    path.write_bytes(b"\x01\x01 nothing of the kind")
    assert get_dumpfile_info(str(path)).kind is Kind.UNKNOWN
    assert get_dumpfile_info(str(path)).items == {}


# --- records --------------------------------------------------------------------------------------------------------


def test_the_master_record_survives_its_json_form() -> None:
    master = recording(Entry("s", "t", "FAILED", error="broken", pieces=(Piece(1, "m", 2, 3, 4, 5, "6"),)))
    assert Master.from_json(master.to_json()) == master


def test_a_header_survives_its_json_form() -> None:
    whole = header(encryption=encrypted(KEY), checksum="SHA384", filesize=1 << 30, compression="ALL")
    assert SetHeader.read(whole.of_file(7)) == (whole, 7)


def test_what_cannot_be_cut_off_is_not_named() -> None:
    """As in an object store: the member that was open is ended, and the archive's directory knows nothing of it."""

    class Appended:
        """Takes bytes and nothing else."""

        def __init__(self) -> None:
            self.taken = bytearray()

        def write(self, data: bytes | memoryview, /) -> int:
            self.taken += data
            return len(bytes(data))

        def close(self) -> None:
            """Nothing is open."""

    file = Appended()
    archive = Archive(file, "SHA256")
    archive.add("first", b"1")
    mark = archive.mark()
    archive.begin("broken")
    archive.write(b"half")
    archive.back(mark)
    kept = archive.add("second", b"2")
    archive.finish()
    whole = io.BytesIO(bytes(file.taken))
    assert verify(whole, "SHA256")
    with zipfile.ZipFile(whole) as found:
        assert (found.namelist(), found.testzip(), found.read("second")) == (["first", "second"], None, b"2")
    assert file.taken[kept.data : kept.data + 1] == b"2"
