"""Names and sizes of dump files: templates with substitution variables, FILESIZE.

A template is an absolute path, or the URI of an object; variables stand in its last part only. The counting ones (``%U``,
``%L``) are filled file by file, those of the date once, when the job is defined: a job restarted after midnight goes on
under its old names. Names are texts: a path would lose one of a URI's slashes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import count

from migrator.errors import InvalidValue

BLOCK = 4096
"""Data Pump's block size: FILESIZE is at least ten of them."""

_BUCKET = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
OBJECT = re.compile(rf"s3://(?P<path>{_BUCKET}(?:/(?!\.{{0,2}}(?:/|$))[^/?#\x00-\x1f\x7f]+)+)")
"""The URI of an object: a bucket and a key whose parts are names."""

_VARIABLE = re.compile(r"%(?P<letter>.?)", re.DOTALL)
_MOST = {"U": 99, "L": 2_147_483_646}
"""How far the counting variables go."""
_DATES = {"D": "%d", "M": "%m", "T": "%Y%m%d", "Y": "%Y"}
_SIZE = re.compile(r"(?P<number>[0-9]{1,18})\s*(?P<unit>[KMGT]?)B?", re.IGNORECASE)
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def is_uri(name: str) -> bool:
    """Whether a name is that of an object in a store, and no path."""
    return "://" in name


def no_object(uri: str) -> str:
    """Why a URI is not that of an object."""
    scheme, _, path = uri.partition("://")
    bucket, _, key = path.partition("/")
    if scheme != "s3":
        return f"{scheme}:// is no object store; objects are named s3://bucket/key"
    if re.fullmatch(_BUCKET, bucket) is None:
        return f"'{bucket}' is no bucket's name, which has 3 to 63 small letters, digits, dots and hyphens"
    if not key:
        return "it has no key; objects are named s3://bucket/key"
    return "its key is not made of plain names between slashes"


def bare(name: str) -> str:
    """The last part of a name, without directory or bucket."""
    return name.rpartition("/")[2]


def beside(name: str, other: str) -> str:
    """The name of ``other``, a last part, in the place where ``name`` is."""
    return f"{name.removesuffix(bare(name))}{other}"


def _letters(template: str) -> list[str]:
    return [match["letter"].upper() for match in _VARIABLE.finditer(bare(template))]


def check(template: str, *, importing: bool) -> None:
    """Refuse what no file can be named by.

    :raises InvalidValue: a substitution variable that does not exist, or one of the date in an import.
    """
    name = bare(template)
    for letter in _letters(template):
        if letter not in {*_MOST, *_DATES, "%"}:
            raise InvalidValue(
                name="DUMPFILE", detail=f"{name}: no substitution variable is %{letter}; %% is a percent sign"
            )
        if importing and letter in _DATES:
            raise InvalidValue(name="DUMPFILE", detail=f"{name}: %{letter} is for exports; write the date of the export")


def _substitute(template: str, texts: dict[str, str]) -> str:
    return beside(template, _VARIABLE.sub(lambda match: texts.get(match["letter"].upper(), match[0]), bare(template)))


def dated(template: str, now: datetime) -> str:
    """The template with the variables of the date filled in."""
    return _substitute(template, {letter: now.strftime(form) for letter, form in _DATES.items()})


def most(template: str) -> int:
    """How many files a template can name."""
    return min((_MOST[letter] for letter in _letters(template) if letter in _MOST), default=1)


def fill(template: str, number: int) -> str:
    """The ``number``-th file of a template, from 1; at least two digits; ``%%`` is a percent sign."""
    digits = f"{number:02d}"
    return _substitute(template, {"U": digits, "L": digits, "%": "%"})


def files(templates: Sequence[str]) -> Iterator[str]:
    """All files in the order an export takes them: templates in turn, a name without a counting variable once."""
    for number in count(1):
        alive = [template for template in templates if number <= most(template)]
        if not alive:
            return
        for template in alive:
            yield fill(template, number)


def names(template: str, name: str) -> bool:
    """Whether ``name`` is that of one of the files that a template can name."""
    parts = _VARIABLE.split(bare(template))
    texts = [re.escape(parts[0])]
    for letter, text in zip(parts[1::2], parts[2::2], strict=True):
        texts += ["%" if letter == "%" else r"([0-9]{2,10})", re.escape(text)]
    found = re.fullmatch("".join(texts), bare(name))
    if found is None:
        return False
    number = int(found[1]) if found.groups() else 1
    return 1 <= number <= most(template) and fill(template, number) == name


def size(text: str, name: str = "FILESIZE") -> int:
    """The bytes that a parameter such as FILESIZE means: a number, with K, M, G or T for powers of 1024.

    :raises InvalidValue: it is none, or less than ten blocks.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise InvalidValue(name=name, detail=f"'{text}' is not a number of bytes, with K, M, G or T if you like")
    size = int(match["number"]) * _UNITS[match["unit"].upper()]
    if size < 10 * BLOCK:
        raise InvalidValue(name=name, detail=f"'{text}' is less than {10 * BLOCK // 1024}K")
    return size


def filesize(text: str) -> int | None:
    """The bytes that FILESIZE means; None: it is 0, which sets no limit.

    :raises InvalidValue: it is no size, or less than ten blocks.
    """
    match = _SIZE.fullmatch(text.strip())
    return None if match is not None and int(match["number"]) == 0 else size(text)
