"""Sources of the perception workload."""
