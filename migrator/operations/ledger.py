"""The loss ledger as data: the rows of the master table that hold it, and LEDGER's JSON file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from migrator import files
from migrator.errors import FileNotWritable
from migrator.job.table import Row
from migrator.model.catalog import Loss
from migrator.model.objects import QName


def to_json(job: QName, losses: Iterable[Loss]) -> dict[str, Any]:
    """The ledger of a job as JSON-ready values, the entries in the order in which they came about."""
    return {"job": str(job), "entries": [vars(loss) for loss in losses]}


def rows(losses: Iterable[Loss]) -> Iterator[Row]:
    """The entries as rows of the master table."""
    for item, loss in enumerate(losses, 1):
        yield Row("LOSS", item, loss.rule, state="COMPLETED", rows=loss.rows or 0, detail=vars(loss))


def write(path: Path, job: QName, losses: Iterable[Loss]) -> None:
    """Write LEDGER; the file takes its place when it is whole.

    :raises FileNotWritable: it cannot be written, or would overwrite something else than a text.
    """
    try:
        with files.replacing(path, files.not_text) as stream:
            json.dump(to_json(job, losses), stream, ensure_ascii=False, indent=1)
            stream.write("\n")
    except OSError as error:
        raise FileNotWritable(path=path, detail=error.strerror or str(error)) from error
