"""Bundles of trusted models: written once, checked on loading, never executed."""
