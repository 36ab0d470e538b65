"""``python -m tests.support.large SOURCE TARGET PATH``: moves ``big`` of one database into another and tells its memory.

It prints JSON: ``before`` and ``peak``, the process's memory in bytes, and why the rows were refused, if they were.
"""

from __future__ import annotations

import json
import resource
import sys

import sqlalchemy as sa

from migrator import arrow
from migrator.adapter import Load, Read, adapter_for_backend
from migrator.ends import database_errors
from migrator.errors import MigratorError
from migrator.model.catalog import Catalog
from migrator.model.objects import QName, Table


def used() -> int:
    """The most memory that this process has had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def table(url: sa.URL) -> tuple[Catalog, Table]:
    """The table as its database describes it."""
    adapter = adapter_for_backend(url.get_backend_name())
    with adapter.engine(url).connect() as connection:
        catalog = adapter.catalog(connection, [adapter.server(connection).schema], proof=False)
    return catalog, next(found for found in catalog.of(Table) if found.name == "big")


def main(source: sa.URL, target: sa.URL, *, conventional: bool) -> dict[str, int | str]:
    """Move the rows as a worker does: read ahead, in one transaction."""
    here, there = (adapter_for_backend(url.get_backend_name()) for url in (source, target))
    (_, read), (_, made) = table(source), table(target)
    load = Load(made.qname, read.columns, made.columns, conventional)
    engine, refused = here.engine(source), ""
    with (
        here.snapshot(engine, 1) as snapshot,
        here.reading(engine, snapshot) as reading,
        there.writing(there.engine(target)) as writing,
    ):
        before = used()
        ahead = arrow.prefetch(here.batches(reading, Read(QName(read.schema, read.name), read.columns)))
        try:
            with database_errors(there):
                there.load(writing, load, ahead)
        except MigratorError as error:
            refused = str(error)
        else:
            writing.commit()
        finally:
            ahead.close()
    return {"before": before, "peak": used(), "refused": refused}


if __name__ == "__main__":
    print(json.dumps(main(sa.make_url(sys.argv[1]), sa.make_url(sys.argv[2]), conventional=sys.argv[3] == "conventional")))
