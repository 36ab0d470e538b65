"""The demonstration: ``python -m migrator.demo [directory]`` runs every kind of job on a small staff database."""
