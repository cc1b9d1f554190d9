"""Sources of the workload `retrieval`: those of `alignment`, by links to its files."""
