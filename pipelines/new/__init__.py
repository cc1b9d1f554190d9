"""What `watertight new` does: a workload's declarations, written from a sample file, with every guess marked for review."""
