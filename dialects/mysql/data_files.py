"""InnoDB's data files of one table each: kept still by FLUSH TABLES … FOR EXPORT, taken in by IMPORT TABLESPACE.

MariaDB checks a file against the ``.cfg`` that the export wrote beside it: columns by name, type and length, indexes, row
format. What it does not check (the labels of an ENUM, for one) is the same because this job made the table.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import sqlalchemy as sa

from migrator.adapter import Block, DataFile, DataFiles
from migrator.ddl import Statement
from migrator.errors import DataFilesInUse, DiskFull, NotADataFile
from migrator.model.objects import QName, Table

from .dictionary import Flavor, flavor, parsed_flavor
from .names import qualified
from .paths import driver_of
from .places import CONFIGURATION, MARIADB_ALONE, TABLESPACE, Spot
from .tablespace import disowned

NAMES = (TABLESPACE, CONFIGURATION)
PAGE_SIZE, ROW_FORMAT = "innodb_page_size", "row_format"
"""The traits."""

_PATIENCE = 60
"""For how many seconds an export waits for those who write to the tables: others who want to write wait behind it."""
_IMPORTING = 3600
"""For how many seconds one attempt waits for another: the server goes on with what a killed worker has asked for."""
_A_YEAR = 31_536_000
_OURS = ".migrator"
"""What the name of a tablespace ends in until it is whole; and beside a whole one, what tells that we have put it there."""
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})

_TRAITS = """
SELECT row_format, @@innodb_page_size FROM information_schema.tables WHERE table_schema = :schema AND table_name = :name
"""


# --- what they must be alike in -------------------------------------------------------------------------------------


def traits(connection: sa.Connection, table: QName) -> dict[str, str]:
    """What must be alike where a table's files are taken."""
    row_format, page_size = connection.execute(sa.text(_TRAITS), {"schema": table.schema, "name": table.name}).one()
    return {ROW_FORMAT: str(row_format), PAGE_SIZE: str(page_size)}


def no_data_files(connection: sa.Connection) -> str:
    """Why this server neither gives nor takes data files; empty: it does."""
    return "" if flavor(connection).mariadb else MARIADB_ALONE


def misfit(connection: sa.Connection, table: Table | None, version: str, wanted: Mapping[str, str]) -> str:
    """Why a table that was made here cannot take the files; empty: nothing shows it."""
    source, here = parsed_flavor(version), flavor(connection)
    if not source.mariadb:
        return f"the files come from {version}, which is no MariaDB"
    if _release(here) < _release(source):
        return f"the files come from MariaDB {_shown(source)}, and this is the earlier {_shown(here)}"
    found = {} if table is None else traits(connection, table.qname)
    different = {name: value for name, value in sorted(wanted.items()) if found.get(name) != value}
    return "; ".join(f"{name} is {found.get(name)} here, and {value} of the files" for name, value in different.items())


def _release(of: Flavor) -> tuple[int, ...]:
    return of.version[:2]


def _shown(of: Flavor) -> str:
    return ".".join(map(str, of.version))


# --- giving ---------------------------------------------------------------------------------------------------------


@contextmanager
def holding(engine: sa.Engine, tables: Sequence[QName]) -> Iterator[Mapping[QName, DataFiles]]:
    """Keep the files still while the context lasts. Nobody writes to the tables meanwhile, anybody reads them.

    :raises DataFilesUnreachable: they are not where the server says; it is perhaps another machine's.
    """
    if not tables:
        yield {}
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"SET SESSION wait_timeout = {_A_YEAR}, lock_wait_timeout = {_PATIENCE}")
        spots = [Spot.of(connection, table) for table in tables]
        needed = {spot.table: traits(connection, spot.table) for spot in spots}
        before = [_mark(spot) for spot in spots]
        connection.execute(Statement(f"FLUSH TABLES {', '.join(map(qualified, tables))} FOR EXPORT"))
        for spot, mark in zip(spots, before, strict=True):
            if _mark(spot) in {mark, None}:
                raise spot.unreachable(f"the server has not written {spot.path(CONFIGURATION)}: it is another machine's")
        yield {spot.table: DataFiles(tuple(_files(spot)), needed[spot.table]) for spot in spots}
        connection.exec_driver_sql("UNLOCK TABLES")  # a session that was lost, and its locks with it, fails here


def _mark(spot: Spot) -> tuple[int, int] | None:
    """What tells one configuration file from a later one; None: there is none."""
    try:
        found = spot.path(CONFIGURATION).stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise spot.unreachable(f"{spot.path(CONFIGURATION)}: {error.strerror}") from error
    return found.st_mtime_ns, found.st_ino


def _files(spot: Spot) -> Iterator[DataFile]:
    for name in NAMES:
        path = spot.path(name)
        try:
            yield DataFile(name, path, path.stat().st_size)
        except OSError as error:
            raise spot.unreachable(f"{path}: {error.strerror}") from error


# --- taking ---------------------------------------------------------------------------------------------------------


def place(connection: sa.Connection, table: QName, blocks: Iterable[Block], confirm: Callable[[], None]) -> None:
    """See :meth:`migrator.adapter.Adapter.place`; ``connection`` is in autocommit mode."""
    spot = Spot.of(connection, table)
    connection.exec_driver_sql(f"SET SESSION wait_timeout = {_A_YEAR}")
    with _alone(connection, spot):
        confirm()
        with _Folder.opened(spot) as folder:
            _discard(connection, spot, folder)
            try:
                folder.put(blocks)
                connection.execute(Statement(f"ALTER TABLE {qualified(table)} IMPORT TABLESPACE"))
                _refuse_warnings(connection, table)
            except BaseException:
                if driver_of(connection).open:  # else the server may be at it still
                    _empty(connection, spot, folder)
                raise
            folder.clear()


def lock_of(table: QName) -> str:
    """The server's named lock for placing the files of a table."""
    return f"migrator:{hashlib.sha256(str(table).encode()).hexdigest()[:40]}"


@contextmanager
def _alone(connection: sa.Connection, spot: Spot) -> Iterator[None]:
    """Be the only session that places files of a table. The lock ends with the session at the latest.

    :raises DataFilesInUse: another one is at it.
    """
    lock = {"name": lock_of(spot.table), "patience": _IMPORTING}
    if connection.execute(sa.text("SELECT GET_LOCK(:name, :patience)"), lock).scalar_one() != 1:
        raise DataFilesInUse(object=spot.table)
    yield
    connection.execute(sa.text("DO RELEASE_LOCK(:name)"), lock)


def _discard(connection: sa.Connection, spot: Spot, folder: _Folder) -> None:
    """Take the table's own file away, by the server; so it shows that the folder is the server's.

    An earlier attempt may have died when the file was discarded already, or the new one was in its place.

    :raises DataFilesUnreachable: the folder is another server's; the table is left empty.
    """
    discard = Statement(f"ALTER TABLE {qualified(spot.table)} DISCARD TABLESPACE")
    truncate = Statement(f"TRUNCATE TABLE {qualified(spot.table)}")
    before = folder.has(TABLESPACE)
    connection.execute(discard)
    if not before:
        connection.execute(truncate)  # it makes the file once more
        if not folder.has(TABLESPACE):
            raise spot.unreachable(f"{spot.folder} is another server's")
        connection.execute(discard)
    if folder.has(TABLESPACE) and not folder.has_ours():
        connection.execute(truncate)
        raise spot.unreachable(f"{spot.folder} is another server's")
    folder.remove_all()


def _empty(connection: sa.Connection, spot: Spot, folder: _Folder) -> None:
    """Leave an empty table instead of one whose files were refused."""
    connection.execute(Statement(f"ALTER TABLE {qualified(spot.table)} DISCARD TABLESPACE"))
    folder.remove_all()
    connection.execute(Statement(f"TRUNCATE TABLE {qualified(spot.table)}"))


def _refuse_warnings(connection: sa.Connection, table: QName) -> None:
    """:raises NotADataFile: the server has taken the files but for something."""
    warnings = driver_of(connection).show_warnings()
    if warnings:
        raise NotADataFile(object=table, detail=str(warnings[0][2]))


class _Folder:
    """The directory of a table's files, by its descriptor: nothing in it is followed, nothing in it is written over."""

    def __init__(self, spot: Spot, descriptor: int) -> None:
        self._spot, self._descriptor = spot, descriptor

    @classmethod
    @contextmanager
    def opened(cls, spot: Spot) -> Iterator[_Folder]:
        """The directory.

        :raises DataFilesUnreachable: it cannot be opened, or something in it not be changed.
        :raises DiskFull: there is no room for the files.
        """
        try:
            descriptor = os.open(spot.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                yield cls(spot, descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            if error.errno in _FULL:
                raise DiskFull(detail=f"{spot.folder}: {error.strerror}") from error
            raise spot.unreachable(f"{error.filename or spot.folder}: {error.strerror}") from error

    def _name(self, name: str) -> str:
        return f"{self._spot.base}.{name}"

    def _inode(self, name: str) -> int | None:
        try:
            return os.stat(self._name(name), dir_fd=self._descriptor, follow_symlinks=False).st_ino
        except FileNotFoundError:
            return None

    def has(self, name: str) -> bool:
        """Whether a file of the table is there."""
        return self._inode(name) is not None

    def has_ours(self) -> bool:
        """Whether the tablespace that is there is one that we have put there."""
        return self._inode(TABLESPACE) == self._inode(TABLESPACE + _OURS)

    def remove_all(self) -> None:
        """Remove what is left of a table without a tablespace."""
        self._remove(TABLESPACE)
        self.clear()

    def clear(self) -> None:
        """Remove what only the placing needs."""
        self._remove(CONFIGURATION)
        self._remove(TABLESPACE + _OURS)

    def _remove(self, name: str) -> None:
        try:
            os.unlink(self._name(name), dir_fd=self._descriptor)
        except FileNotFoundError:
            return

    def put(self, blocks: Iterable[Block]) -> None:
        """Write the files; the tablespace gets its name when it is whole.

        :raises NotADataFile: they are not the two files of a table, each from its begin to its end.
        """
        names = {TABLESPACE: TABLESPACE + _OURS, CONFIGURATION: CONFIGURATION}
        open_files = {name: self._create(names[name]) for name in NAMES}
        ends = dict.fromkeys(NAMES, 0)
        try:
            for block in blocks:
                if block.offset != ends.get(block.name):
                    detail = f"{block.name} at {block.offset} is no part of {' and '.join(NAMES)}, or not the next one"
                    raise NotADataFile(object=self._spot.table, detail=detail)
                first = block.name == TABLESPACE and not block.offset
                _write(open_files[block.name], self._disowned(block.data) if first else block.data)
                ends[block.name] += len(block.data)
        finally:
            for descriptor in open_files.values():
                os.close(descriptor)
        if not all(ends.values()):
            raise NotADataFile(object=self._spot.table, detail=f"there must be {' and '.join(NAMES)}, and one is empty")
        ours, own = self._name(TABLESPACE + _OURS), self._name(TABLESPACE)
        os.link(ours, own, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor, follow_symlinks=False)

    def _disowned(self, begin: bytes) -> bytes:
        try:
            return disowned(begin)
        except ValueError as error:
            raise NotADataFile(object=self._spot.table, detail=str(error)) from error

    def _create(self, name: str) -> int:
        """A new file, the server's own."""
        descriptor = os.open(self._name(name), _NEW, 0o660, dir_fd=self._descriptor)
        owner = os.fstat(self._descriptor)
        if owner.st_uid != os.geteuid():
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        os.fchmod(descriptor, 0o660)
        return descriptor


def _write(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]
