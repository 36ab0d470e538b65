"""impdp: a dump file set, or a linked database, into a database."""

from migrator.operations.importing.running import import_

__all__ = ["import_"]
