"""Measurements, never tests: ``python -m benchmarks.run`` for speed, ``python -m benchmarks.memory`` for memory."""
