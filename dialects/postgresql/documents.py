"""JSON documents whose values jsonb would lose: of a key that is there twice it keeps the last."""

from __future__ import annotations

import json
import re
from typing import Any

_STRING = re.compile(r'"([^"]*)"(\s*:)?')
"""A string of a text without escapes, and what makes it a key."""


class _Repeated(Exception):
    """An object has a key twice."""


def repeats_a_key(text: str | None) -> bool:
    """Whether an object of a document has a key twice; of what is no document PostgreSQL's parser will tell."""
    if text is None:
        return False
    if "\\" not in text:
        names = [name for name, colon in _STRING.findall(text) if colon]
        if len(names) == len(set(names)):
            return False
    try:
        json.loads(text, object_pairs_hook=_once, parse_int=str, parse_float=str)
    except _Repeated:
        return True
    except ValueError:
        return False
    return False


def _once(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) < len(pairs):
        raise _Repeated
