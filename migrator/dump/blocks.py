"""Data files in a dump file set: a stream of blocks, each with its file's name and its place there.

As a stream of Arrow batches they are compressed, encrypted, checked, cut by FILESIZE and recorded as rows are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from migrator import files
from migrator.adapter import Block, DataFile, DataFiles
from migrator.arrow import BATCH_BYTES
from migrator.errors import DataFilesUnreachable, NotADataFile

BLOCK_BYTES = 1 << 14
"""How long a block is, but for the last of a file: a few of them have room in the smallest dump file."""
SCHEMA = pa.schema(
    [
        pa.field("name", pa.string(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("bytes", pa.binary(), nullable=False),
    ]
)
"""What a stream of blocks is made of."""


def size(batch: pa.RecordBatch) -> int:
    """How many bytes of data files a batch holds."""
    return int(pc.sum(pc.binary_length(batch.column("bytes"))).as_py() or 0)


# --- out of files ---------------------------------------------------------------------------------------------------


def batches(held: DataFiles) -> Iterator[pa.RecordBatch]:
    """The blocks of data files that are kept as they are.

    :raises DataFilesUnreachable: a file cannot be read, or has another size than it had.
    """
    for file in held.files:
        try:
            with files.read(file.path) as opened:
                yield from _batches(file, opened)
        except OSError as error:
            raise DataFilesUnreachable(object=file.path, detail=error.strerror or str(error)) from error


def _batches(file: DataFile, opened: BinaryIO) -> Iterator[pa.RecordBatch]:
    offset = 0
    while data := opened.read(BATCH_BYTES):
        yield _batch(file.name, offset, data)
        offset += len(data)
    if offset != file.size:
        raise DataFilesUnreachable(object=file.path, detail=f"it has {offset} bytes, {file.size} were expected")


def _batch(name: str, offset: int, data: bytes) -> pa.RecordBatch:
    bounds = np.append(np.arange(0, len(data), BLOCK_BYTES, dtype=np.int32), np.int32(len(data)))
    count = len(bounds) - 1
    cut = pa.Array.from_buffers(pa.binary(), count, [None, pa.py_buffer(bounds), pa.py_buffer(data)])
    return pa.record_batch([pa.array([name] * count), pa.array(bounds[:-1] + np.int64(offset)), cut], schema=SCHEMA)


# --- into files -----------------------------------------------------------------------------------------------------


def blocks(stream: Iterable[pa.RecordBatch], of: object) -> Iterator[Block]:
    """The blocks in batches; ``of``: whose data files they are, for the error.

    :raises NotADataFile: the batches hold something else.
    """
    for batch in stream:
        if not batch.schema.equals(SCHEMA) or any(column.null_count for column in batch.columns):
            raise NotADataFile(object=of, detail="what stands for them is no stream of blocks")
        for name, offset, data in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            yield Block(name, offset, data)
