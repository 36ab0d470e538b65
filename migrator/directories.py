"""Directory objects: names for directories, with who may read and write files in them.

A grant names a user of the operating system, the one as whom the job runs. Files are opened with that user's rights and no
server acts in between; the database's user, which a URL can say freely, has no part in it.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Access = Literal["READ", "WRITE"]

PUBLIC = "PUBLIC"
"""The user of a grant that means everybody."""


@dataclass(frozen=True)
class User:
    """Who runs the job. ``privileged``: may read and write in every directory object."""

    name: str
    privileged: bool = False


def current_user(owner: int | None = None) -> User:
    """The operating system user as whom this process opens files.

    Privileged are the superuser and ``owner``, the user id of who owns the configuration: he could change the grants. A user
    without a name goes by his number. The environment, which anybody can set, is not asked.
    """
    uid = os.geteuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = str(uid)
    return User(name, uid in {0, owner})


@dataclass(frozen=True)
class Directory:
    """A directory object. ``read`` and ``write``: the users whose files may be read and written in it."""

    name: str
    path: Path
    read: frozenset[str] = frozenset()
    write: frozenset[str] = frozenset()

    @classmethod
    def public(cls, name: str, path: Path) -> Directory:
        """One that everybody may read and write in."""
        return cls(name, path, frozenset({PUBLIC}), frozenset({PUBLIC}))

    def grants(self, access: Access, user: User) -> bool:
        """Whether ``user`` has READ or WRITE on it. Neither includes the other."""
        granted = self.read if access == "READ" else self.write
        return user.privileged or bool(granted & {user.name, PUBLIC})


def over(path: Path, directories: Iterable[Directory]) -> tuple[Directory, ...]:
    """The directory objects that a path leads into: of those that are it or lie above it, the nearest.

    ``path`` is resolved. Several where one place has several names.
    """
    above = [(directory.path.resolve(), directory) for directory in directories]
    above = [(place, directory) for place, directory in above if path.is_relative_to(place)]
    nearest = max((len(place.parts) for place, _ in above), default=0)
    return tuple(directory for place, directory in above if len(place.parts) == nearest)
