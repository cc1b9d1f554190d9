"""Watertight: features, models and evidence in which nothing leaks."""

__version__ = "0.1.0"
