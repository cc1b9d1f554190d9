"""Figures, each with the row set that it was computed on."""
