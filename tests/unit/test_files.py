"""Files are opened by their own name only, and what was opened is looked at before it is changed."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from migrator import files
from migrator.dump import reader, writer
from migrator.dump.header import DumpTarget
from migrator.dump.storage import LOCAL
from migrator.errors import DumpFileExists, DumpFileMissing, FileNotWritable, LogFileNotWritable
from migrator.job.report import _create
from tests.support.dumps import header


def dump(path: Path) -> DumpTarget:
    """A dump file to be written."""
    return DumpTarget(str(path), 1, header())


WAYS: dict[str, Callable[[Path], object]] = {
    "read": files.read,
    "update": files.update,
    "create": files.create,
    "overwrite": files.overwrite,
    "log": files.log,
    "replacing": lambda path: files.replacing(path, files.not_text).__enter__(),
}
CHANGING = [name for name in WAYS if name not in {"read", "create"}]


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A file that no job may touch."""
    path = tmp_path / "elsewhere" / "precious.txt"
    path.parent.mkdir()
    path.write_text("precious")
    return path


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Callable[[Path], object]:
    """Each way of opening a file."""
    return WAYS[request.param]


# --- only ordinary files


def test_no_way_leads_through_a_symbolic_link(tmp_path: Path, victim: Path, way: Callable[[Path], object]) -> None:
    (tmp_path / "x").symlink_to(victim)
    with pytest.raises(OSError, match=r"symbolic link|File exists"):
        way(tmp_path / "x")
    assert victim.read_text() == "precious"
    assert (tmp_path / "x").is_symlink()


def test_no_way_makes_the_file_that_a_dangling_link_names(tmp_path: Path, way: Callable[[Path], object]) -> None:
    (tmp_path / "x").symlink_to(tmp_path / "new")
    with pytest.raises(OSError, match=r"symbolic link|File exists"):
        way(tmp_path / "x")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["null", "full", "zero"])
def test_no_way_leads_into_a_device(name: str, way: Callable[[Path], object]) -> None:
    with pytest.raises(OSError, match=r"not an ordinary file|File exists"):
        way(Path("/dev") / name)
    assert stat.S_ISCHR(os.stat(f"/dev/{name}").st_mode)


def test_no_way_waits_at_a_pipe(tmp_path: Path, way: Callable[[Path], object]) -> None:
    os.mkfifo(tmp_path / "x")
    with pytest.raises(OSError, match=r"not an ordinary file|File exists"):
        way(tmp_path / "x")


def test_no_way_leads_into_a_socket_or_a_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: Callable[[Path], object]
) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("x")
        with pytest.raises(OSError, match=r"not an ordinary file|File exists"):
            way(Path("x"))
    with pytest.raises(OSError, match=r"ordinary file|[Ii]s a directory|File exists"):
        way(tmp_path)


@pytest.mark.parametrize("name", ["update", "overwrite", "log"])
def test_no_way_changes_a_file_that_has_another_name(tmp_path: Path, victim: Path, name: str) -> None:
    os.link(victim, tmp_path / "x")
    with pytest.raises(OSError, match="hard link"):
        WAYS[name](tmp_path / "x")
    assert victim.read_text() == "precious"


def test_a_replacement_leaves_the_other_name_of_a_file_its_content(tmp_path: Path, victim: Path) -> None:
    os.link(victim, tmp_path / "x")
    with files.replacing(tmp_path / "x", files.not_text) as stream:
        stream.write("new")
    assert (victim.read_text(), (tmp_path / "x").read_text()) == ("precious", "new")


# --- races: what was opened counts


def test_a_link_that_comes_after_a_look_at_the_path_is_refused(
    tmp_path: Path, victim: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The path becomes a link at the last moment, just before it is opened."""
    path, opened = tmp_path / "x.log", os.open

    def open_late(name: Path, *rest: int) -> int:
        path.unlink(missing_ok=True)
        path.symlink_to(victim)
        return opened(name, *rest)

    path.write_text("an earlier log")
    monkeypatch.setattr("os.open", open_late)
    with pytest.raises(OSError, match="symbolic link"):
        files.log(path)
    assert victim.read_text() == "precious"


def test_a_link_that_comes_while_a_replacement_is_written_is_refused(tmp_path: Path, victim: Path) -> None:
    path = tmp_path / "x.sql"
    with pytest.raises(OSError, match="symbolic link"), files.replacing(path, files.not_text):
        path.symlink_to(victim)
    assert victim.read_text() == "precious"
    assert set(tmp_path.iterdir()) == {victim.parent, path}


# --- what may be overwritten


@pytest.mark.parametrize("old", [b"", b"an earlier log\n", "Zeit: fünf\n".encode(), b"\xff\xfe in no known encoding\n"])
def test_logs_and_scripts_overwrite_earlier_text(tmp_path: Path, old: bytes) -> None:
    (tmp_path / "x").write_bytes(old)
    with files.log(tmp_path / "x") as stream:
        stream.write("new\n")
    assert (tmp_path / "x").read_bytes() == b"new\n"
    (tmp_path / "x").write_bytes(old)
    with files.replacing(tmp_path / "x", files.not_text) as stream:
        stream.write("new\n")
    assert (tmp_path / "x").read_bytes() == b"new\n"


@pytest.mark.parametrize("name", ["log", "replacing"])
def test_logs_and_scripts_never_overwrite_a_dump_file(tmp_path: Path, name: str) -> None:
    with writer.DumpFile.create(dump(tmp_path / "x.dmp")):
        pass
    before = (tmp_path / "x.dmp").read_bytes()
    assert files.is_dump(before[: files.HEAD])
    with pytest.raises(OSError, match="it is a dump file"):
        WAYS[name](tmp_path / "x.dmp")
    assert (tmp_path / "x.dmp").read_bytes() == before


@pytest.mark.parametrize("old", [b"SQLite format 3\0 and more", b"PK\x03\x04 another archive \0", b"\x7fELF\0"])
@pytest.mark.parametrize("name", ["log", "replacing"])
def test_logs_and_scripts_never_overwrite_what_is_no_text(tmp_path: Path, name: str, old: bytes) -> None:
    (tmp_path / "x").write_bytes(old)
    with pytest.raises(OSError, match="it is not a text file"):
        WAYS[name](tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == old


def test_a_replacement_that_fails_leaves_the_earlier_file_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "x.sql").write_text("earlier")
    with pytest.raises(UnicodeEncodeError), files.replacing(tmp_path / "x.sql", files.not_text) as stream:
        stream.write("half, and then what is no text: \udcff")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("x.sql", "earlier")]


# --- as the job says it


def test_the_log_says_why_it_cannot_be_opened(tmp_path: Path, victim: Path) -> None:
    (tmp_path / "x.log").symlink_to(victim)
    with pytest.raises(LogFileNotWritable, match=r"ORA-39070: .*x\.log\": it is a symbolic link"):
        _create(tmp_path / "x.log", again=False)


def test_a_dump_file_is_made_by_its_own_name_only(tmp_path: Path, victim: Path) -> None:
    (tmp_path / "x.dmp").symlink_to(victim)
    with pytest.raises(DumpFileExists):
        writer.claim(LOCAL, str(tmp_path / "x.dmp"), reuse=False)
    with pytest.raises(FileNotWritable, match="symbolic link"):
        writer.claim(LOCAL, str(tmp_path / "x.dmp"), reuse=True)
    with pytest.raises(FileNotWritable, match="symbolic link"):
        writer.DumpFile.create(dump(tmp_path / "x.dmp"))
    with pytest.raises(FileNotWritable, match="not an ordinary file"):
        writer.claim(LOCAL, "/dev/null", reuse=True)
    assert victim.read_text() == "precious"


def test_a_dump_file_is_read_by_its_own_name_only(tmp_path: Path) -> None:
    with writer.DumpFile.create(dump(tmp_path / "real.dmp")):
        pass
    (tmp_path / "x.dmp").symlink_to("real.dmp")
    with pytest.raises(DumpFileMissing, match="symbolic link"):
        reader.open_set([str(tmp_path / "x.dmp")])


# --- files that a person writes


def test_a_file_that_a_person_writes_may_be_reached_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("PARALLEL=2\n")
    (tmp_path / "link").symlink_to(tmp_path / "x")
    assert files.small(tmp_path / "link") == b"PARALLEL=2\n"


@pytest.mark.parametrize("path", [Path("/dev/null"), Path("/dev/zero"), Path("/")])
def test_what_is_no_ordinary_file_is_not_read(path: Path) -> None:
    with pytest.raises(OSError, match="not an ordinary file"):
        files.small(path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not an ordinary file"):
        files.small(tmp_path / "pipe")


def test_a_file_too_large_to_be_written_by_a_person_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with path.open("wb") as file:
        file.truncate(files.LARGEST)
    assert len(files.small(path)) == files.LARGEST
    with path.open("ab") as file:
        file.write(b"x")
    with pytest.raises(OSError, match="more than 16 MB"):
        files.small(path)


# --- names that no file can have


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("x" * 255, None),
        ("x" * 256, "256 bytes, and the file system takes 255"),
        ("\u00f6" * 128, "256 bytes"),
        ("gr\udcf6", "bytes that are no text"),
    ],
)
def test_names_that_no_file_can_have(name: str, why: str | None, tmp_path: Path) -> None:
    found = files.misnamed(tmp_path / name)
    assert found is None if why is None else why in (found or "")


def test_a_directory_in_a_dump_files_place_is_no_file_to_be_reused(tmp_path: Path) -> None:
    (tmp_path / "x.dmp").mkdir()
    with pytest.raises(FileNotWritable, match="not an ordinary file"):
        writer.claim(LOCAL, str(tmp_path / "x.dmp"), False)
