"""The adapters that ship with migrator: one folder a database, the same file names in each."""
