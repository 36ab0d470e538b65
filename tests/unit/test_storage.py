"""Dump files in directories and in an object store (a real endpoint): one port, and what an interrupted writer leaves."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from migrator import files
from migrator.config import Config, Credential, read
from migrator.dump import object_store as objects
from migrator.dump.object_store import ObjectStorage
from migrator.dump.storage import LocalStorage, Storage, storage_of
from migrator.errors import InvalidCredential, UnreadableConfig
from tests.support.object_store import BUCKET, object_store, unfinished_uploads

_DUMP = b"PK\x03\x04" + bytes(26) + b"header.json, as a dump file of ours begins"
Place = tuple[Storage, Callable[[str], str]]


@pytest.fixture(scope="module")
def credential() -> Iterator[Credential]:
    """The way into a bucket."""
    with object_store() as found:
        yield found


@pytest.fixture(params=["directory", "object store"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A storage, and how it names its files."""
    if request.param == "directory":
        return LocalStorage(), lambda name: str(tmp_path / name)
    found = ObjectStorage(request.getfixturevalue("credential"))
    return found, lambda name: f"s3://{BUCKET}/{request.node.name}/{name}"


# --- what both do


def test_a_dump_file_is_written_and_read_back(place: Place) -> None:
    """As the writer does: an archive of Arrow streams, larger than a part, never sought in while written."""
    there, name = place
    batch = pa.record_batch([pa.array(range(2_000_000))], names=["a"])
    there.claim(name("x.dmp"), reuse=False)
    with there.append(name("x.dmp")) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("header.json", json.dumps({"number": 1}))
        for number in range(2):
            with (
                archive.open(f"data/{number}.arrow", "w", force_zip64=True) as member,
                pa.ipc.new_stream(pa.PythonFile(member, "w"), batch.schema) as stream,
            ):
                stream.write_batch(batch)
    with there.read(name("x.dmp")) as file, zipfile.ZipFile(file) as archive:
        assert archive.namelist() == ["header.json", "data/0.arrow", "data/1.arrow"]
        assert archive.testzip() is None
        with archive.open("data/1.arrow") as member, pa.ipc.open_stream(pa.PythonFile(member, "r")) as stored:
            assert stored.read_all() == pa.Table.from_batches([batch])
    assert there.size(name("x.dmp")) > 32_000_000


def test_a_name_that_is_taken_is_claimed_only_for_reuse(place: Place) -> None:
    there, name = place
    with there.append(name("x.dmp")) as file:
        file.write(_DUMP)
    with pytest.raises(FileExistsError):
        there.claim(name("x.dmp"), reuse=False)
    with there.read(name("x.dmp")) as file:
        assert file.read() == _DUMP
    there.claim(name("x.dmp"), reuse=True)
    with there.append(name("x.dmp")) as file:
        file.write(b"new")
    with there.read(name("x.dmp")) as file:
        assert file.read() == b"new"


def test_a_file_is_read_anywhere(place: Place) -> None:
    there, name = place
    with there.append(name("x")) as file:
        file.write(bytes(range(256)) * 40_000)
    with there.read(name("x")) as file:
        file.seek(-3, os.SEEK_END)
        assert file.read() == b"\xfd\xfe\xff"
        file.seek(5_000_000)
        assert file.read(2) == bytes([5_000_000 % 256, 5_000_001 % 256])


def test_a_file_is_there_until_it_is_deleted(place: Place) -> None:
    there, name = place
    assert not there.exists(name("x"))
    with there.append(name("x")) as file:
        file.write(b"abc")
    assert (there.exists(name("x")), there.size(name("x"))) == (True, 3)
    there.delete(name("x"))
    there.delete(name("x"))
    assert not there.exists(name("x"))


def test_a_missing_file_is_said_so(place: Place) -> None:
    there, name = place
    for look in (there.read, there.size):
        with pytest.raises(FileNotFoundError, match=r"[Nn]o such"):
            look(name("x"))


# --- what a writer that ended early leaves


def test_a_file_in_a_directory_is_cut_and_written_on(tmp_path: Path) -> None:
    there, name = LocalStorage(), str(tmp_path / "x")
    with pytest.raises(ZeroDivisionError), there.append(name) as file:
        file.write(b"recorded, and a tail" + bytes(1 // (file.tell())))
    with there.append(name) as file:
        file.write(b"recorded, and a tail")
    with there.append(name, 8) as file:
        assert file.tell() == 8
        file.write(b" again")
    assert (there.resumes, Path(name).read_bytes()) == (True, b"recorded again")


def test_a_file_that_lost_what_was_recorded_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"short")
    with pytest.raises(OSError, match="it has 5 bytes, 8 were written"):
        LocalStorage().append(str(tmp_path / "x"), 8)
    assert (tmp_path / "x").read_bytes() == b"short"


def test_a_file_that_is_being_written_is_not_opened_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "PATIENCE", 0.1)
    there, name = LocalStorage(), str(tmp_path / "x")
    with there.append(name) as file:
        file.write(_DUMP)
        for way in (there.append, lambda name: there.append(name, None), lambda name: there.claim(name, reuse=True)):
            with pytest.raises(BlockingIOError, match="another process is writing it"):
                way(name)
        assert Path(name).read_bytes() == _DUMP
    there.append(name, None).close()


def test_a_writer_that_is_about_to_end_is_waited_for(tmp_path: Path) -> None:
    there, name = LocalStorage(), str(tmp_path / "x")
    first = there.append(name)
    ending = threading.Timer(0.3, first.close)
    ending.start()
    with there.append(name, None) as file:
        assert first.closed
        file.write(b"next")
    ending.join()


def test_an_object_is_not_added_to(credential: Credential) -> None:
    there = ObjectStorage(credential)
    assert not there.resumes
    with pytest.raises(OSError, match="cannot be added to"):
        there.append(f"s3://{BUCKET}/x", 8)


def test_an_object_whose_writer_failed_is_not_there(credential: Credential) -> None:
    there, name = ObjectStorage(credential), f"s3://{BUCKET}/failed"
    file = there.append(name)
    with pytest.raises(TypeError), file:
        file.write(b"half" + file)  # type: ignore[operator]
    assert not there.exists(name)


def test_an_object_is_not_there_before_it_is_whole(credential: Credential) -> None:
    there, name = ObjectStorage(credential), f"s3://{BUCKET}/late"
    with there.append(name) as file:
        file.write(bytes(25 << 20))
        file.flush()
        assert not there.exists(name)
    assert there.size(name) == 25 << 20


_DIES = """
import os, pickle, signal, sys
there, name = pickle.loads(bytes.fromhex(sys.argv[1]))
file = there.append(name)
file.write(bytes(25 << 20))
file.flush()
print("written", flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_an_object_whose_writer_died_is_not_there(credential: Credential) -> None:
    there, name = ObjectStorage(credential), f"s3://{BUCKET}/died"
    before = unfinished_uploads(credential)
    secret = pickle.dumps((there, name)).hex()
    done = subprocess.run([sys.executable, "-c", _DIES, secret], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "written\n"), done.stderr
    assert not there.exists(name)
    assert unfinished_uploads(credential) == before + 1, "its parts stay until the bucket's own rule removes them"
    with there.append(name) as file:
        file.write(b"whole")
    assert there.size(name) == 5


def test_an_upload_waits_rather_than_pile_up_in_memory(credential: Credential, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[int] = []
    monkeypatch.setattr(objects, "_IN_FLIGHT", 20 << 20)
    monkeypatch.setattr(objects._Upload, "flush", lambda self: flushed.append(self.tell()) or setattr(self, "_in_flight", 0))
    with ObjectStorage(credential).append(f"s3://{BUCKET}/slow") as file:
        for _ in range(5):
            file.write(memoryview(bytes(10 << 20)))
    assert flushed == [20 << 20, 40 << 20]


# --- errors


def test_a_bucket_that_is_not_there_is_said_so(credential: Credential) -> None:
    with pytest.raises(OSError, match="bucket does not exist") as caught:
        ObjectStorage(credential).append("s3://none/x")
    assert caught.value.strerror is not None
    assert "Request ID" not in caught.value.strerror


def test_a_store_that_does_not_answer_is_said_so() -> None:
    nobody = Credential(access_key="key", secret_key="s3cret", region="us-east-1", endpoint="http://127.0.0.1:9")
    with pytest.raises(OSError, match="connect") as caught:
        ObjectStorage(nobody).exists(f"s3://{BUCKET}/x")
    assert "s3cret" not in str(caught.value)


# --- which storage, which credential


def test_the_name_says_which_storage(credential: Credential) -> None:
    assert storage_of("/dumps/x.dmp", credential) == LocalStorage()
    assert storage_of("s3://bucket/x.dmp", credential) == ObjectStorage(credential)
    assert storage_of("s3://bucket/x.dmp") == ObjectStorage(Credential())


def test_a_storage_goes_to_a_worker_and_shows_no_secret(credential: Credential) -> None:
    there = ObjectStorage(credential)
    assert pickle.loads(pickle.dumps(there)) == there
    assert "s3cret" not in repr(there)


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    """A configuration file that others may read."""
    path = tmp_path / "config.toml"
    path.touch(0o644)
    return path


ARCHIVE = '[credentials.archive]\nendpoint = "https://s3.example.com"\naccess_key = "AK"\n'


def test_a_secret_key_comes_from_the_environment(config_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config_file.write_text(ARCHIVE + 'secret_key_env = "ARCHIVE_KEY"\n')
    monkeypatch.setenv("ARCHIVE_KEY", "s3cret")
    config = read(config_file)
    found = config.unlock(config.credential("archive"))
    assert (found.access_key, found.secret_key, found.endpoint) == ("AK", "s3cret", "https://s3.example.com")
    monkeypatch.delenv("ARCHIVE_KEY")
    with pytest.raises(InvalidCredential, match="ARCHIVE_KEY is not set"):
        config.unlock("archive")


def test_a_secret_key_comes_from_a_file_beside_the_configuration(config_file: Path) -> None:
    config_file.write_text(ARCHIVE + 'secret_key_file = "archive.key"\n')
    config = read(config_file)
    with pytest.raises(InvalidCredential, match=r"archive\.key cannot be read"):
        config.unlock("archive")
    config_file.with_name("archive.key").write_text("s3cret\n")
    assert config.unlock("archive").secret_key == "s3cret"


def test_a_secret_key_in_the_file_needs_a_file_of_mode_0600(config_file: Path) -> None:
    config_file.write_text(ARCHIVE + 'secret_key = "s3cret"\n')
    with pytest.raises(UnreadableConfig, match="others can read the file"):
        read(config_file)
    config_file.chmod(0o600)
    config = read(config_file)
    assert config.unlock("archive").secret_key == "s3cret"
    assert "s3cret" not in repr(config)


def test_an_unknown_credential_is_refused_with_those_configured() -> None:
    with pytest.raises(InvalidCredential, match="archive is no usable credential: configured are b"):
        Config(credentials={"b": Credential()}).credential("archive")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("access_key='AK'", "needs access_key with one of"),
        ("secret_key_env='A'", "needs access_key with one of"),
        ("access_key='AK'\nsecret_key_env='A'\nsecret_key_file='b'", "needs access_key with one of"),
        ("endpoint='s3.example.com'", "endpoint is not https://host:port"),
        ("endpoint='https://AK:s3cret@s3.example.com'", "endpoint is not https://host:port"),
        ("region=1", "texts only"),
        ("user='AK'", "unknown entries: user"),
    ],
)
def test_a_wrong_credential_is_refused(config_file: Path, text: str, words: str) -> None:
    config_file.write_text(f"[credentials.archive]\n{text}\n")
    with pytest.raises(UnreadableConfig, match=words) as caught:
        read(config_file)
    assert "s3cret" not in str(caught.value)
