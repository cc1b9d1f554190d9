"""Sources of the judge workload."""
