"""Whether rows mean the same in two places: canonical forms, digests that no order changes, and the rows that differ."""
