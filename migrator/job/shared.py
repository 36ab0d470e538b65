"""Loaded last by the server process that workers are forked from: what it has loaded by then is theirs to share.

Python's garbage collector writes into every object that it looks at, and so makes a copy of it in each process. What is
frozen it leaves alone.
"""

from __future__ import annotations

import gc

gc.collect()
gc.freeze()
