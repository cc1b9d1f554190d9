"""The embedded online store's kernels: one packed row per entity and view in SQLite, newest event first, and exact search."""
