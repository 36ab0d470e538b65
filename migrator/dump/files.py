"""Names of dump files: absolute paths whose last part may be a template with %U."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from migrator.errors import DumpFileMissing

_VARIABLE = re.compile(r"%(?:[uU]|%)")
_MOST = 99


def has_variable(template: str) -> bool:
    """Whether a name stands for several files."""
    return any(match[0].lower() == "%u" for match in _VARIABLE.finditer(Path(template).name))


def fill(template: str, number: int) -> Path:
    """The ``number``-th file of a template (from 1, two digits); ``%%`` is a percent sign."""
    path = Path(template)
    return path.with_name(_VARIABLE.sub(lambda match: "%" if match[0] == "%%" else f"{number:02d}", path.name))


def paths(templates: Sequence[str]) -> Iterator[Path]:
    """All files in the order an export takes them: templates in turn, a name without %U once."""
    for number in range(1, _MOST + 1):
        for template in templates:
            if number == 1 or has_variable(template):
                yield fill(template, number)


def enough_for(templates: Sequence[str], writers: int) -> tuple[Path, ...]:
    """The files for ``writers`` concurrent writers: each writes to one file alone, so there may be fewer."""
    return tuple(islice(paths(templates), writers))


def find(templates: Sequence[str]) -> tuple[Path, ...]:
    """The files of a set: each plain name, and each template's names from 01 up to the first that is not there.

    :raises DumpFileMissing: a plain name, or a template's first file, is not there.
    """
    found = []
    for template in templates:
        for number in range(1, (_MOST if has_variable(template) else 1) + 1):
            path = fill(template, number)
            if not path.is_file():
                if number == 1:
                    raise DumpFileMissing(path=path, detail="no such file")
                break
            found.append(path)
    return tuple(dict.fromkeys(found))
