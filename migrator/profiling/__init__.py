"""Proof by data: what the rows of a table say of its columns, in the database's own SQL, and what follows from it."""
