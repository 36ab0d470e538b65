"""What MySQL's and MariaDB's collations hold for equal, which their names say."""

from __future__ import annotations

import re
from dataclasses import replace

from migrator.model import types as t
from migrator.model.equality import EXACT, Equality

_UNICODE = "(utf|ucs|uca|gb18030_unicode)"
_LETTERS = Equality(case=True, letters=True)
_WEIGHTS = replace(_LETTERS, accents=True, forms=True)

EQUALITIES: tuple[tuple[str, Equality], ...] = (
    (r"binary|.*_bin|utf8mb4_zh_0900_as_cs", EXACT),
    (r"(cp850|cp1256|latin1|latin7)_general_(nopad_)?ci|cp1257_lithuanian_ci", _LETTERS),
    (r"gb18030_chinese_ci|utf8mb3_tolower_ci", _LETTERS),
    (rf"{_UNICODE}.*_as_cs(_ks)?", Equality(forms=True)),
    (rf"{_UNICODE}.*_ai_cs", Equality(accents=True, forms=True)),
    (rf"{_UNICODE}.*(_as_ci|_thai_520_w2)", replace(_LETTERS, forms=True)),
    (rf"{_UNICODE}.*_general_(nopad_|mysql500_)?ci", replace(_LETTERS, accents=True)),
    (rf"{_UNICODE}.*_ci", _WEIGHTS),
    (r"(hp8_english|ujis_japanese|eucjpms_japanese|gb2312_chinese|gbk_chinese)_(nopad_)?ci", Equality(case=True)),
    (r".*_ci", replace(_LETTERS, accents=True)),
    (r".*", EXACT),
)
"""By patterns of their names, the first that matches, but for the blanks at the end."""

_NO_PAD = re.compile(r"_nopad_|_0900_|^binary$|^$")


def equality_of(collation: str, type_: t.Type) -> Equality:
    """What a collation (empty: there is none) holds for equal in a column of ``type_``: only texts can end in blanks."""
    found = next(equality for pattern, equality in EQUALITIES if re.fullmatch(pattern, collation))
    texts = isinstance(t.base_of(type_), t.String)
    return replace(found, blanks=texts and not _NO_PAD.search(collation))


def sorts_by_characters(collation: str) -> bool:
    """Whether a collation sorts texts by the numbers of their characters, but for blanks at the end."""
    return collation.endswith("_bin")
