"""Encryption of dump files: AES-GCM in chunks, under a random data key that a password or a key file unwraps.

Each encrypted member begins with a salt of its own; its key is derived from the data key, the salt and its place in the set
(:func:`context`), so that a chunk fits nowhere else. A chunk's nonce is its number and whether it is the last, so that
none can be left out, repeated, moved or put at the end.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from migrator import files
from migrator.config import Secrets
from migrator.errors import EncryptionKeyUnknown, EncryptionPasswordMissing, EncryptionPasswordWrong, WalletNotOpen
from migrator.spec import EncryptionAlgorithm, EncryptionMode

KEY_BYTES: dict[EncryptionAlgorithm, int] = {"AES128": 16, "AES192": 24, "AES256": 32}
CHUNK = 1 << 18
"""How many bytes are sealed at a time."""
SALT, NONCE, TAG = 32, 12, 16
SMALLEST_KEY_FILE, LARGEST_KEY_FILE = 32, 1 << 16
_SCRYPT = {"n": 1 << 15, "r": 8, "p": 3}
_SCRYPT_MEMORY, _SCRYPT_PASSES = 256 << 20, 16
"""What a header may ask for: the bytes that scrypt holds, which are 128 n r, and how often it goes through them (p)."""


@dataclass(frozen=True)
class DataKey:
    """The key of a set's data. It is handed to workers, and written nowhere."""

    key: bytes = field(repr=False)

    @classmethod
    def fresh(cls, algorithm: EncryptionAlgorithm) -> DataKey:
        """A random one."""
        return cls(os.urandom(KEY_BYTES[algorithm]))

    def of_member(self, salt: bytes, place: bytes) -> AESGCM:
        """The cipher of one member."""
        return AESGCM(HKDF(SHA256(), len(self.key), salt, b"migrator dump member " + place).derive(self.key))


@dataclass(frozen=True)
class Lock:
    """How a header keeps the data key: wrapped under a key made of a password (``scrypt``) or of a key file (``hkdf``)."""

    kind: Literal["scrypt", "hkdf"]
    salt: str
    nonce: str
    wrapped: str
    n: int = 0
    r: int = 0
    p: int = 0

    def __post_init__(self) -> None:
        if self.kind not in {"scrypt", "hkdf"} or not all(
            isinstance(text, str) for text in (self.salt, self.nonce, self.wrapped)
        ):
            raise ValueError("a lock of an unknown kind")
        for text in (self.salt, self.nonce, self.wrapped):
            bytes.fromhex(text)
        if len(self.nonce) != 2 * NONCE:
            raise ValueError("a lock with a nonce of the wrong length")
        if self.kind == "scrypt":
            self._check_costs()

    def _check_costs(self) -> None:
        if min(self.n, self.r, self.p) < 1 or 128 * self.n * self.r > _SCRYPT_MEMORY or self.p > _SCRYPT_PASSES:
            raise ValueError("a lock whose key would take too much memory or time")
        if self.n < 2 or self.n & (self.n - 1):
            raise ValueError("a lock whose cost is no power of two")

    def _cipher(self, secret: bytes) -> AESGCM:
        salt = bytes.fromhex(self.salt)
        if self.kind == "scrypt":
            return AESGCM(Scrypt(salt, 32, self.n, self.r, self.p).derive(secret))
        return AESGCM(HKDF(SHA256(), 32, salt, b"migrator key file").derive(secret))

    @classmethod
    def around(cls, key: DataKey, kind: Literal["scrypt", "hkdf"], secret: bytes, set_id: str) -> Lock:
        """Wrap a data key."""
        salt, nonce = os.urandom(SALT), os.urandom(NONCE)
        costs = _SCRYPT if kind == "scrypt" else {}
        wrapped = cls(kind, salt.hex(), nonce.hex(), "", **costs)._cipher(secret).encrypt(nonce, key.key, set_id.encode())
        return cls(kind, salt.hex(), nonce.hex(), wrapped.hex(), **costs)

    def open(self, secret: bytes, set_id: str) -> DataKey | None:
        """The data key; None: it is another secret's."""
        try:
            nonce, wrapped = bytes.fromhex(self.nonce), bytes.fromhex(self.wrapped)
            return DataKey(self._cipher(secret).decrypt(nonce, wrapped, set_id.encode()))
        except InvalidTag:
            return None


@dataclass(frozen=True)
class Encryption:
    """What is encrypted in a set, how, and what opens it."""

    data: bool
    metadata: bool
    algorithm: EncryptionAlgorithm
    mode: EncryptionMode
    locks: tuple[Lock, ...] = ()

    @classmethod
    def from_json(cls, form: dict[str, Any]) -> Encryption:
        """What ``dataclasses.asdict`` made.

        :raises ValueError: it has another shape.
        """
        try:
            encryption = cls(**{**form, "locks": tuple(Lock(**lock) for lock in form["locks"])})
        except (KeyError, TypeError) as error:
            raise ValueError(f"encryption: {error}") from error
        if encryption.algorithm not in KEY_BYTES:
            raise ValueError(f"encryption algorithm {encryption.algorithm!r} is not known")
        return encryption


def wrap(key: DataKey, mode: EncryptionMode, secrets: Secrets, set_id: str) -> tuple[Lock, ...]:
    """The locks of a new set.

    :raises EncryptionPasswordMissing: the mode needs a password, and there is none.
    :raises WalletNotOpen: the mode needs the key file, and there is none, or it cannot be used.
    """
    locks = []
    if mode in {"PASSWORD", "DUAL"}:
        if not secrets.password:
            raise EncryptionPasswordMissing
        locks.append(Lock.around(key, "scrypt", secrets.password.encode(), set_id))
    if mode in {"TRANSPARENT", "DUAL"}:
        locks.append(Lock.around(key, "hkdf", read_key_file(secrets.key_file), set_id))
    return tuple(locks)


def unlock(encryption: Encryption, secrets: Secrets, set_id: str) -> DataKey:
    """The data key of a set.

    :raises EncryptionPasswordMissing: it needs a password, and none is given.
    :raises EncryptionPasswordWrong: the password is another one.
    :raises WalletNotOpen: it needs a key file, and there is none, or it cannot be used.
    :raises EncryptionKeyUnknown: the key file is another one.
    """
    locks = {lock.kind: lock for lock in encryption.locks}
    if "scrypt" in locks and secrets.password and (secrets.demanded or "hkdf" not in locks or secrets.key_file is None):
        key = locks["scrypt"].open(secrets.password.encode(), set_id)
        if key is None:
            raise EncryptionPasswordWrong
        return key
    if "hkdf" not in locks or ("scrypt" in locks and secrets.key_file is None):
        raise EncryptionPasswordMissing
    key = locks["hkdf"].open(read_key_file(secrets.key_file), set_id)
    if key is None:
        raise EncryptionKeyUnknown(path=secrets.key_file)
    return key


def read_key_file(path: Path | None) -> bytes:
    """The bytes of the key file.

    :raises WalletNotOpen: none is configured, or it cannot be read, is too short to be a key, or others can read it.
    """
    if path is None:
        raise WalletNotOpen(detail="no key file is configured")
    try:
        with files.read_linked(path) as file:
            others = os.name == "posix" and os.fstat(file.fileno()).st_mode & (stat.S_IRWXG | stat.S_IRWXO)
            content = file.read(LARGEST_KEY_FILE + 1)
    except OSError as error:
        raise WalletNotOpen(detail=f"key file {path}: {error.strerror}") from error
    if others:
        raise WalletNotOpen(detail=f"others can use the key file {path}; it needs mode 0600")
    if not SMALLEST_KEY_FILE <= len(content) <= LARGEST_KEY_FILE:
        wanted = f"{SMALLEST_KEY_FILE} to {LARGEST_KEY_FILE} random bytes"
        raise WalletNotOpen(detail=f"key file {path} does not hold {wanted}")
    return content


# --- members --------------------------------------------------------------------------------------------------------


def context(set_id: str, number: int, name: str) -> bytes:
    """A member's place: the set, the file's number and its own name."""
    return f"{set_id}/{number}/{name}".encode()


def sealed_size(size: int) -> int:
    """How many bytes ``size`` bytes take when they are encrypted."""
    return SALT + size + TAG * max(1, -(-size // CHUNK))


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(NONCE - 1, "big") + bytes([last])


class Sink(Protocol):
    """Something that takes bytes."""

    def write(self, data: bytes | memoryview, /) -> object:
        """Take them all."""


class Sealer:
    """Encrypts one member into ``sink``."""

    def __init__(self, sink: Sink, key: DataKey, place: bytes) -> None:
        salt = os.urandom(SALT)
        self._sink, self._place = sink, place
        self._cipher = key.of_member(salt, place)
        self._held = bytearray()
        self._number = 0
        sink.write(salt)

    def write(self, data: bytes | memoryview) -> None:
        """Encrypt whole chunks of what came so far; one is always held back, for it may be the last."""
        left = memoryview(data).cast("B")
        if self._held:
            wanted = CHUNK - len(self._held)
            self._held += left[:wanted]
            left = left[wanted:]
            if not left:
                return
            self._seal(self._held, last=False)
        while left.nbytes > CHUNK:
            self._seal(left[:CHUNK], last=False)
            left = left[CHUNK:]
        self._held = bytearray(left)

    def finish(self) -> None:
        """Encrypt the last chunk."""
        self._seal(self._held, last=True)

    def _seal(self, chunk: bytearray | memoryview, *, last: bool) -> None:
        self._sink.write(self._cipher.encrypt(_nonce(self._number, last=last), chunk, self._place))
        self._number += 1


class Source(Protocol):
    """Something that bytes are read from."""

    def read(self, size: int, /) -> bytes:
        """That many bytes, fewer at the end only."""


def opened(source: Source, key: DataKey, place: bytes) -> Iterator[bytes]:
    """The chunks of an encrypted member.

    :raises ValueError: it is damaged, cut, or another member than ``place`` says.
    """
    cipher = key.of_member(source.read(SALT), place)
    chunk, number = source.read(CHUNK + TAG), 0
    while True:
        after = source.read(CHUNK + TAG)
        try:
            yield cipher.decrypt(_nonce(number, last=not after), chunk, place)
        except InvalidTag as error:
            raise ValueError("what is encrypted is not what was encrypted") from error
        if not after:
            return
        chunk, number = after, number + 1
