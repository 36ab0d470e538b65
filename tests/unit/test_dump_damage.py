"""Dump files that were flipped, cut, swapped or repeated in parts: refused with a clear error, or restored exactly."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from migrator.config import NO_SECRETS, Secrets
from migrator.dump import archive, reader
from migrator.dump.crypt import DataKey
from migrator.errors import ChecksumError, InternalError, MigratorError
from migrator.model.catalog import Catalog
from tests.support.dumps import CATALOG, PASSWORD, Maker, encrypted, header, restored, template

KEY = DataKey.fresh("AES128")
VARIANTS: dict[str, dict[str, object]] = {
    "plain": {},
    "compressed": {"compression": "ALL"},
    "checksum": {"checksum": "SHA256"},
    "crc": {"checksum": "CRC32", "compression": "METADATA_ONLY"},
    "rows": {"encryption": {"metadata": False}},
    "all": {"encryption": {}, "compression": "ALL"},
}


@dataclass(frozen=True)
class Sample:
    """A whole set: its files' bytes by name, and what is in it."""

    variant: str
    home: Path
    files: dict[str, bytes]
    rows: list[object]
    secrets: Secrets


def batches(seed: int) -> list[pa.RecordBatch]:
    chance = random.Random(seed)
    made = []
    for rows in (7, 1, 30):
        numbers = [chance.choice([None, chance.getrandbits(60)]) for _ in range(rows)]
        texts = [chance.choice([None, "", "é" * chance.randrange(9), "abc"]) for _ in range(rows)]
        made.append(pa.record_batch([pa.array(numbers, pa.int64()), pa.array(texts)], names=["a", "b"]))
    return made


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sample]:
    made = {}
    for variant, options in VARIANTS.items():
        home = tmp_path_factory.mktemp(variant)
        keyed = "encryption" in options
        filled = {**options, "encryption": encrypted(KEY, **options["encryption"])} if keyed else options  # type: ignore[arg-type]
        paths = Maker(home, header(**filled), KEY if keyed else None).make([batches(1), batches(2), batches(3)])
        secrets = PASSWORD if keyed else NO_SECRETS
        catalog, rows = restored(home, secrets)
        assert catalog == CATALOG
        assert len(rows) == 114
        made[variant] = Sample(variant, home, {path.name: path.read_bytes() for path in paths}, rows, secrets)
    return made


# --- damage ---------------------------------------------------------------------------------------------------------

Damage = Callable[[dict[str, bytes], random.Random], None]


def _span(content: bytes, chance: random.Random) -> tuple[int, int]:
    start = chance.randrange(len(content))
    return start, min(len(content), start + chance.choice([1, 4, 46, 100, 1000]))


def flip(files: dict[str, bytes], chance: random.Random) -> None:
    name = chance.choice(sorted(files))
    content = bytearray(files[name])
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    files[name] = bytes(content)


def truncate(files: dict[str, bytes], chance: random.Random) -> None:
    name = chance.choice(sorted(files))
    files[name] = files[name][: chance.randrange(len(files[name]))]


def leave_out(files: dict[str, bytes], chance: random.Random) -> None:
    name = chance.choice(sorted(files))
    start, end = _span(files[name], chance)
    files[name] = files[name][:start] + files[name][end:]


def repeat(files: dict[str, bytes], chance: random.Random) -> None:
    name = chance.choice(sorted(files))
    start, end = _span(files[name], chance)
    files[name] = files[name][:end] + files[name][start:]


def swap(files: dict[str, bytes], chance: random.Random) -> None:
    name = chance.choice(sorted(files))
    content = files[name]
    one, two, three, four = sorted(chance.randrange(len(content) + 1) for _ in range(4))
    files[name] = content[:one] + content[three:four] + content[two:three] + content[one:two] + content[four:]


def transplant(files: dict[str, bytes], chance: random.Random) -> None:
    here, there = chance.choice(sorted(files)), chance.choice(sorted(files))
    start, end = _span(files[there], chance)
    files[here] = files[here][:start] + files[there][start:end] + files[here][end:]


def zero(files: dict[str, bytes], chance: random.Random) -> None:
    name = chance.choice(sorted(files))
    start, end = _span(files[name], chance)
    files[name] = files[name][:start] + bytes(end - start) + files[name][end:]


def append(files: dict[str, bytes], chance: random.Random) -> None:
    name = chance.choice(sorted(files))
    files[name] += chance.randbytes(chance.choice([1, 22, 500]))


def copy_over(files: dict[str, bytes], chance: random.Random) -> None:
    files[chance.choice(sorted(files))] = files[chance.choice(sorted(files))]


def exchange(files: dict[str, bytes], chance: random.Random) -> None:
    one, two = chance.choice(sorted(files)), chance.choice(sorted(files))
    files[one], files[two] = files[two], files[one]


def lose(files: dict[str, bytes], chance: random.Random) -> None:
    del files[chance.choice(sorted(files))]


DAMAGE: tuple[Damage, ...] = (
    flip, flip, flip, truncate, leave_out, repeat, swap, transplant, zero, append, copy_over, exchange, lose,
)  # fmt: skip


def put(sample: Sample, files: dict[str, bytes]) -> None:
    for name in sample.files:
        (sample.home / name).unlink(missing_ok=True)
    for name, content in files.items():
        (sample.home / name).write_bytes(content)


def attempt(sample: Sample) -> tuple[Catalog, list[object]] | MigratorError:
    try:
        return restored(sample.home, sample.secrets)
    except MigratorError as error:
        return error


@pytest.mark.parametrize("variant", VARIANTS)
@settings(
    max_examples=150,
    deadline=None,
    database=None,
    derandomize=True,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(harm=st.lists(st.sampled_from(DAMAGE), min_size=1, max_size=2), seed=st.integers(0, 2**64))
def test_a_damaged_set_is_refused_or_restored_exactly(
    samples: dict[str, Sample], variant: str, harm: list[Damage], seed: int
) -> None:
    sample, chance = samples[variant], random.Random(seed)
    files = dict(sample.files)
    for damage in harm:
        if len(files) > 1:
            damage(files, chance)
    put(sample, files)
    result = attempt(sample)
    if isinstance(result, MigratorError):
        assert not isinstance(result, InternalError)
        assert str(result).startswith(("ORA-", "MIG-"))
        assert files != sample.files
        return
    assert result == (CATALOG, sample.rows)
    if "checksum" in VARIANTS[variant]:
        assert sorted(files.values()) == sorted(sample.files.values()), "a change that no checksum told"


def test_each_flipped_bit_of_the_directory_is_refused_or_without_effect(tmp_path: Path) -> None:
    """The directory is what only the archive's own reader looks at, and has no checksum unless the file has one."""
    made = Maker(tmp_path, header()).make([batches(1)])
    whole = Sample("plain", tmp_path, {}, restored(tmp_path)[1], NO_SECRETS)
    content = made[0].read_bytes()
    refused = 0
    with made[0].open("r+b", buffering=0) as file:
        for position in range(content.index(b"PK\x01\x02"), len(content)):
            for bit in range(8):
                file.seek(position)
                file.write(bytes([content[position] ^ (1 << bit)]))
                result = attempt(whole)
                assert isinstance(result, MigratorError) or result == (CATALOG, whole.rows)
                refused += isinstance(result, MigratorError)
            file.seek(position)
            file.write(content[position : position + 1])
    assert refused > 500


@pytest.mark.parametrize("variant", ["checksum", "crc"])
def test_a_checksum_finds_each_flipped_byte_of_each_file(samples: dict[str, Sample], variant: str, tmp_path: Path) -> None:
    algorithm = VARIANTS[variant]["checksum"]
    path = tmp_path / "x.dmp"
    for content in samples[variant].files.values():
        path.write_bytes(content)
        with path.open("r+b", buffering=0) as file, path.open("rb", buffering=0) as again:
            assert archive.verify(again, algorithm)  # type: ignore[arg-type]
            for position, byte in enumerate(content):
                file.seek(position)
                file.write(bytes([byte ^ (1 << position % 8)]))
                assert not archive.verify(again, algorithm), position  # type: ignore[arg-type]
                file.seek(position)
                file.write(bytes([byte]))


def test_the_file_whose_checksum_is_another_is_named(samples: dict[str, Sample], tmp_path: Path) -> None:
    sample = samples["checksum"]
    put(sample, sample.files)
    for name in sample.files:
        shutil.copy(sample.home / name, tmp_path / name)
    content = bytearray(sample.files["exp02.dmp"])
    content[10] ^= 1  # the time of the first member, which nothing else reads
    (tmp_path / "exp02.dmp").write_bytes(content)
    with pytest.raises(ChecksumError, match=r"ORA-39411.*exp02\.dmp"):
        list(reader.verify(reader.open_set(template(tmp_path))))
