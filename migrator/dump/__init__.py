"""Dump file sets: names, writing, reading."""
