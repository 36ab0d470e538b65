"""JSON documents whose values jsonb would lose: of a key that is there twice it keeps the last."""

from __future__ import annotations

import json
import re
from typing import Any

_KEY = re.compile(r'"([^"]*)"\s*:')


class _Repeated(Exception):
    """An object has a key twice."""


def repeats_a_key(text: str | None) -> bool:
    """Whether an object of a document has a key twice; of what is no document PostgreSQL's parser will tell."""
    if text is None:
        return False
    names = _KEY.findall(text)
    if len(names) == len(set(names)) and "\\" not in text:
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
