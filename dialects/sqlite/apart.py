"""Queries that a process of their own runs, beside those of the connection.

Threads of one process wait for one another at each piece of memory that SQLite takes: two scan no faster than one.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from migrator.errors import DatabaseError

from .connections import existing_file, lock_timeout, read_only

_PROGRAM = """
import json, os, sqlite3, sys, threading
file, seconds, sql = json.loads(sys.stdin.readline())

def end_with_parent():
    os.read(0, 1)
    os._exit(1)

threading.Thread(target=end_with_parent, daemon=True).start()
try:
    answer = [sqlite3.connect(file, seconds, uri=True).execute(sql).fetchone(), None]
except sqlite3.Error as error:
    answer = [None, [type(error).__name__, getattr(error, "sqlite_errorcode", 0), str(error)]]
json.dump(answer, sys.stdout)
sys.stdout.flush()
os._exit(0)
"""
"""Its standard input stays open as long as its parent is there: whatever ends that, even SIGKILL, ends this program."""


@contextmanager
def asked_apart(url: sa.URL, sql: str) -> Iterator[Callable[[], Sequence[Any]]]:
    """A query of one row of numbers begins to run; what the context has waits for the row. At the end the process is gone.

    :raises sqlite3.Error: SQLite's own, when the row is waited for, as the query would raise it here.
    :raises DatabaseError: the process has ended without an answer.
    """
    asked = json.dumps([read_only(existing_file(url)), lock_timeout(url), sql])
    pipe = subprocess.PIPE
    command = [sys.executable, "-I", "-c", _PROGRAM]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            assert process.stdin is not None
            print(asked, file=process.stdin, flush=True)
            yield lambda: _answer(process)
        finally:
            process.kill()


def _answer(process: subprocess.Popen[str]) -> Sequence[Any]:
    assert process.stdout is not None
    assert process.stderr is not None
    said = process.stdout.read()
    if not said:
        last = process.stderr.read().strip().rpartition("\n")[2]
        raise DatabaseError(detail=f"the process that reads half of the rows has ended with {process.wait()} {last}".strip())
    answer, error = json.loads(said)
    if error is not None:
        kind, code, text = error
        raised = getattr(sqlite3, kind)(text)
        raised.sqlite_errorcode = code
        raise raised
    row: Sequence[Any] = answer
    return row
