"""Bundles that answer: opened, checked, and asked about rows, with neither git nor DVC at hand."""
