"""Dump file sets by the command line: cut, compressed, checksummed, encrypted, and what the tools say of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from migrator.cli import main
from tests.support.pump import done, pump, pump_process
from tests.support.rows import assert_same_rows
from tests.support.sql import execute

FILES = "DUMPFILE=a%U.dmp,b%L.dmp"


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize(
    "options",
    [
        ("FILESIZE=40K", "COMPRESSION=NONE"),
        ("FILESIZE=64K", "COMPRESSION=ALL", "CHECKSUM=YES"),
        ("COMPRESSION=DATA_ONLY", "COMPRESSION_ALGORITHM=LOW", "CHECKSUM_ALGORITHM=CRC32"),
        ("FILESIZE=100K", "ENCRYPTION=ALL", "ENCRYPTION_ALGORITHM=AES256", "CHECKSUM_ALGORITHM=SHA512"),
        ("ENCRYPTION=METADATA_ONLY", "ENCRYPTION_MODE=PASSWORD"),
    ],
    ids=" ".join,
)
def test_every_row_comes_back(
    options: tuple[str, ...],
    workers: int,
    sample: Callable[[str], str],
    sqlite_file: Callable[..., str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if any(option.startswith("ENCRYPTION") for option in options):
        monkeypatch.setenv("MIGRATOR_ENCRYPTION_PASSWORD", "swordfish")
    start, where = sample("chinook.sqlite"), f"DIRECTORY={tmp_path}"
    run = done(pump("expdp", start, FILES, where, f"PARALLEL={workers}", *options))
    made = sorted(tmp_path.glob("*.dmp"))
    assert sorted(line.strip() for line in run.out.splitlines() if line.endswith(".dmp")) == [str(path) for path in made]
    limit = next((int(option[9:-1]) * 1024 for option in options if option.startswith("FILESIZE")), None)
    if limit is not None:
        assert len(made) > 2
        assert all(path.stat().st_size <= limit for path in made)
    target = sqlite_file("target.db")
    done(pump("impdp", target, FILES, where))
    assert_same_rows(start, target, target_schema="main")


def test_a_file_that_is_full_with_no_further_name_ends_the_job(sample: Callable[[str], str], tmp_path: Path) -> None:
    run = pump("expdp", sample("chinook.sqlite"), "FILESIZE=40K", "COMPRESSION=NONE", f"DIRECTORY={tmp_path}")
    assert run.code == 1
    assert "ORA-39095: Dump file space has been exhausted: Unable to allocate" in run.err
    assert [path.name for path in tmp_path.glob("*.dmp")] == ["expdat.dmp"], "the job can be started again"


def test_a_row_that_is_larger_than_a_file_needs_larger_files(sqlite_file: Callable[..., str], tmp_path: Path) -> None:
    url = sqlite_file("large.db")
    execute(url, "CREATE TABLE t (v BLOB)", "INSERT INTO t VALUES (randomblob(200000))")
    run = pump("expdp", url, "DUMPFILE=n%U.dmp", "FILESIZE=50K", f"DIRECTORY={tmp_path}")
    assert run.code == 1
    assert "a row of main.t is larger than FILESIZE" in run.err
    assert "with a larger FILESIZE" in run.err
    assert "ADD_FILE" not in run.err


def test_further_files_do_not_overwrite(sample: Callable[[str], str], tmp_path: Path) -> None:
    precious = tmp_path / "a03.dmp"
    precious.write_text("precious")
    arguments = ("DUMPFILE=a%U.dmp", "FILESIZE=40K", "COMPRESSION=NONE", f"DIRECTORY={tmp_path}")
    run = pump("expdp", sample("chinook.sqlite"), *arguments)
    assert run.code == 1
    assert "ORA-27038" in run.err
    assert sorted(path.name for path in tmp_path.glob("*.dmp")) == ["a01.dmp", "a02.dmp", "a03.dmp"]
    assert precious.read_text() == "precious"
    run = pump("expdp", sample("chinook.sqlite"), *arguments, "REUSE_DUMPFILES=YES")
    assert run.code == 1
    assert "it is no dump file of migrator" in run.err
    assert precious.read_text() == "precious"


def test_earlier_files_are_overwritten_if_asked(sample: Callable[[str], str], tmp_path: Path) -> None:
    arguments = ("DUMPFILE=a%U.dmp", "FILESIZE=40K", "COMPRESSION=NONE", f"DIRECTORY={tmp_path}", "REUSE_DUMPFILES=YES")
    done(pump("expdp", sample("chinook.sqlite"), *arguments))
    before = (tmp_path / "a03.dmp").read_bytes()
    done(pump("expdp", sample("chinook.sqlite"), *arguments))
    assert (tmp_path / "a03.dmp").read_bytes() != before


def test_verify_only_finds_a_flipped_bit_and_imports_nothing(
    sample: Callable[[str], str], sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    where, target = f"DIRECTORY={tmp_path}", sqlite_file("target.db")
    done(pump("expdp", sample("chinook.sqlite"), where, "CHECKSUM=YES"))
    dump = tmp_path / "expdat.dmp"
    good = done(pump("impdp", target, where, "VERIFY_ONLY=YES"))
    assert f'verified checksum for dump file "{dump}"' in good.out
    assert not good.rows
    content = bytearray(dump.read_bytes())
    content[10] ^= 1
    dump.write_bytes(content)
    for arguments in (("VERIFY_ONLY=YES",), ("VERIFY_CHECKSUM=YES",), ()):
        bad = pump("impdp", target, where, *arguments)
        assert (bad.code, bad.err.split(":")[0]) == (1, "ORA-39411")
    assert done(pump("impdp", target, where, "VERIFY_CHECKSUM=NO")).rows["Track"] == 3503


def test_checksums_that_are_not_there_are_not_verified(
    sample: Callable[[str], str], sqlite_file: Callable[..., str], tmp_path: Path
) -> None:
    done(pump("expdp", sample("chinook.sqlite"), f"DIRECTORY={tmp_path}"))
    run = pump("impdp", sqlite_file("target.db"), f"DIRECTORY={tmp_path}", "VERIFY_CHECKSUM=YES")
    assert (run.code, run.err.split(":")[0]) == (1, "MIG-39412")


def test_the_password_is_nowhere_and_names_do_not_show(sqlite_file: Callable[..., str], tmp_path: Path) -> None:
    source, where = sqlite_file("source.db"), f"DIRECTORY={tmp_path}"
    execute(source, "CREATE TABLE harvest_of_truffles (a TEXT)", "INSERT INTO harvest_of_truffles VALUES ('under the oak')")
    run = done(pump_process("expdp", source, where, "ENCRYPTION_PASSWORD=tr0ub,4dor", "NOLOGFILE=YES", "REUSE_DUMPFILES=Y"))
    dump = (tmp_path / "expdat.dmp").read_bytes()
    for secret in (b"tr0ub", b"harvest", b"truffles", b"oak"):
        assert secret not in dump
    assert "tr0ub" not in run.out + run.err
    for password, code in (("ENCRYPTION_PASSWORD=tr0ub", "ORA-39176"), ("NOLOGFILE=YES", "ORA-39174")):
        refused = pump("impdp", sqlite_file("target.db"), where, password)
        assert (refused.code, refused.err.split(":")[0]) == (1, code)
    assert done(pump("impdp", sqlite_file("target.db"), where, "ENCRYPTION_PASSWORD=tr0ub,4dor")).rows == {
        "harvest_of_truffles": 1
    }


def test_the_key_file_is_the_wallet(
    sample: Callable[[str], str], sqlite_file: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = f"DIRECTORY={tmp_path}"
    closed = pump("expdp", sample("chinook.sqlite"), where, "ENCRYPTION=ALL")
    assert (closed.code, closed.err.split(":")[0]) == (1, "ORA-28365")
    key = tmp_path / "wallet.key"
    key.write_bytes(os.urandom(32))
    key.chmod(0o600)
    monkeypatch.setenv("MIGRATOR_KEY_FILE", str(key))
    done(pump("expdp", sample("chinook.sqlite"), where, "ENCRYPTION=ALL"))
    assert done(pump("impdp", sqlite_file("target.db"), where)).rows["Track"] == 3503


def test_dumpinfo_tells_what_a_file_is(
    sample: Callable[[str], str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done(pump("expdp", sample("chinook.sqlite"), f"DIRECTORY={tmp_path}", "JOB_NAME=nightly", "COMPRESSION=ALL"))
    assert main(["dumpinfo", str(tmp_path / "expdat.dmp")]) == 0
    out = capsys.readouterr().out
    items = (("FILE_TYPE", "1"), ("FILE_NUMBER", "1"), ("DATA_COMPRESSED", "1"), ("JOB_NAME", '"main"."nightly"'))
    for item, value in items:
        assert f"  {item:20} {value}\n" in out
    (tmp_path / "other").write_text("something else")
    assert main(["dumpinfo", str(tmp_path / "other")]) == 1
    assert "not a dump file" in capsys.readouterr().out
    assert main(["dumpinfo", str(tmp_path / "none")]) == 1
    assert "ORA-31640" in capsys.readouterr().err
    assert main(["dumpinfo"]) == 1
    assert "MIG-10002" in capsys.readouterr().err


def test_dumpinfo_finds_files_as_dumpfile_does(
    sample: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place, config = tmp_path / "dumps", tmp_path / "config.toml"
    place.mkdir()
    done(pump("expdp", sample("chinook.sqlite"), f"DIRECTORY={place}", "DUMPFILE=a"))
    config.write_text(f'[directories]\nHR = "{place}"\n')
    monkeypatch.setenv("MIGRATOR_CONFIG", str(config))
    monkeypatch.chdir(place)
    ways = (["hr:a"], ["DIRECTORY=HR", "a.dmp"], ["a"], ["./a.dmp"], [str(place / "a.dmp")], [f"{place}:a.dmp"])
    for words in ways:
        assert main(["dumpinfo", *words]) == 0, words
        assert capsys.readouterr().out.startswith(f"{place / 'a.dmp'}: Data Pump dump file"), words
    config.write_text(f'only_directory_objects = true\n[directories]\nHR = "{place}"\n')
    for words, code in zip(ways, (0, 0, 1, 1, 1, 1), strict=True):
        assert main(["dumpinfo", *words]) == code, words
    monkeypatch.setattr("os.geteuid", lambda: 4_000_000)
    config.write_text(f'[directories.HR]\npath = "{place}"\nwrite = ["PUBLIC"]\n')
    capsys.readouterr()
    for words in ways:
        assert main(["dumpinfo", *words]) == 1, words
        assert "READ on HR is not granted" in capsys.readouterr().err, words
