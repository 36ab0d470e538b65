"""Names of dump files and FILESIZE."""

from __future__ import annotations

from datetime import datetime
from itertools import islice

import pytest

from migrator import templates
from migrator.errors import InvalidValue


def names(*given: str, first: int = 0, count: int = 4) -> list[str]:
    return [templates.bare(path) for path in islice(templates.files([f"/d/{name}" for name in given]), first, first + count)]


def test_u_counts_to_99_and_l_goes_on() -> None:
    assert names("a%U.dmp", first=97) == ["a98.dmp", "a99.dmp"]
    assert names("a%L.dmp", first=97) == ["a98.dmp", "a99.dmp", "a100.dmp", "a101.dmp"]
    assert templates.fill("/d/a%L.dmp", 2_147_483_646) == "/d/a2147483646.dmp"
    assert templates.most("/d/a%L.dmp") == 2_147_483_646


def test_a_variable_that_stands_twice_is_the_same_number() -> None:
    assert names("exp%Uaa%U.dmp", count=2) == ["exp01aa01.dmp", "exp02aa02.dmp"]


def test_a_template_that_ends_leaves_the_others_their_turns() -> None:
    assert names("a.dmp", "b%U.dmp", "c%l.dmp") == ["a.dmp", "b01.dmp", "c01.dmp", "b02.dmp"]
    assert names("b%U.dmp", "c%l.dmp", first=196) == ["b99.dmp", "c99.dmp", "c100.dmp", "c101.dmp"]


def test_dates_are_filled_in_once() -> None:
    now = datetime(2026, 3, 9)
    assert templates.dated("/d/%Y-%m-%D_%t_%U_100%%.dmp", now) == "/d/2026-03-09_20260309_%U_100%%.dmp"
    assert templates.fill("/d/100%%_%U.dmp", 7) == "/d/100%_07.dmp"
    assert templates.dated("/d/100%%d.dmp", now) == "/d/100%%d.dmp"


def test_the_directory_is_left_alone() -> None:
    assert templates.fill("/50%U/a%U.dmp", 1) == "/50%U/a01.dmp"


@pytest.mark.parametrize("name", ["a%x.dmp", "a%", "%"])
def test_other_variables_are_refused(name: str) -> None:
    with pytest.raises(InvalidValue, match="substitution variable"):
        templates.check(f"/d/{name}", importing=False)


def test_an_import_has_no_date() -> None:
    templates.check("/d/%T_%U.dmp", importing=False)
    with pytest.raises(InvalidValue, match="%T is for exports"):
        templates.check("/d/%T_%U.dmp", importing=True)


@pytest.mark.parametrize(
    ("template", "name", "expected"),
    [
        ("a%U.dmp", "a07.dmp", True),
        ("a%U.dmp", "a100.dmp", False),
        ("a%U.dmp", "b07.dmp", False),
        ("a%L.dmp", "a100.dmp", True),
        ("a%L.dmp", "a0100.dmp", False),
        ("a%U_%U.dmp", "a01_02.dmp", False),
        ("100%%.dmp", "100%.dmp", True),
        ("a.dmp", "a.dmp", True),
    ],
)
def test_which_names_a_template_makes(template: str, name: str, expected: bool) -> None:
    assert templates.names(f"/d/{template}", f"/d/{name}") == expected


@pytest.mark.parametrize(
    ("text", "size"), [("40960", 40_960), ("40K", 40_960), ("3MB", 3 << 20), ("2g", 2 << 30), ("1 T", 1 << 40)]
)
def test_sizes(text: str, size: int) -> None:
    assert templates.size(text) == size


@pytest.mark.parametrize("text", ["39K", "40959", "0", "-1M", "1.5G", "ten", ""])
def test_sizes_that_are_none(text: str) -> None:
    with pytest.raises(InvalidValue, match="FILESIZE"):
        templates.size(text)
