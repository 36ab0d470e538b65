"""The demonstration of ``make demo``, as a newcomer sees it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from migrator.demo.__main__ import compare, main, make_sample


def test_the_demonstration_completes_and_everything_comes_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "What came back" in printed
    assert "DIFFERENT" not in printed
    made = {path.name for path in tmp_path.iterdir()}
    scripts = {f"hr-{name}.sql" for name in ("oracle", "postgresql", "mysql", "sqlite")}
    assert made == {"hr.db", "hr-restored.db", "hr.dmp", "link.log", "export.log", "import.log", *scripts}
    assert all(name in printed for name in made)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE employee SET remark = NULL WHERE remark = ''",
        "UPDATE employee SET salary = salary + 0.01 WHERE id = 104",
        "UPDATE employee SET last_login = '2025-12-31 12:00:00' WHERE id = 103",
        "DELETE FROM salary_change WHERE reason = ''",
        "UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'employee'",
        'DROP TABLE "order of the day"',
    ],
)
def test_the_demonstrations_comparison_sees_a_change(tmp_path: Path, change: str) -> None:
    first, last = tmp_path / "first.db", tmp_path / "last.db"
    make_sample(first)
    make_sample(last)
    assert compare(first, last)[1]
    with closing(sqlite3.connect(last)) as connection:
        connection.execute(change)
        connection.commit()
    assert not compare(first, last)[1]
