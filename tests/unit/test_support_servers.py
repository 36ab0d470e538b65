"""What fresh databases of the tests are called."""

from __future__ import annotations

import itertools
import os

import pytest
import sqlalchemy as sa

from tests.support import servers
from tests.support.servers import Server


class _Nowhere(Server):
    def create(self, name: str) -> None:
        pass

    def drop(self, name: str) -> None:
        pass

    def run_script(self, url: sa.URL, script: str) -> None:
        pass


def test_names_are_all_as_long_since_messages_cut_off_texts_that_name_them(monkeypatch: pytest.MonkeyPatch) -> None:
    names = []
    for process, count in ((7, 1), (4_194_304, 123_456)):
        monkeypatch.setattr(os, "getpid", lambda process=process: process)
        monkeypatch.setattr(servers, "_numbers", itertools.count(count))
        names += [str(_Nowhere(sa.make_url("sqlite://")).fresh().database) for _ in range(2)]
    assert len(set(names)) == 4
    assert len({len(name) for name in names}) == 1
    assert all(name.startswith("mig_") for name in names)
