"""Kernels that fill feature views. Import what you need from its own module."""
